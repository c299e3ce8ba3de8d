//! The page: a Slack workspace beside an AWS account, as static files in the binary.
//!
//! The files are embedded, so that the program runs from anywhere and needs no build step. The content security policy lets the page load
//! nothing from elsewhere and run no inline script: what a bot writes into a message can then do no harm even if the page drew it wrongly.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

/// What the page may load: its own files, and pictures in its own addresses.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct Asset {
    path: &'static str,
    kind: &'static str,
    body: &'static str,
}

macro_rules! assets {
    ($($kind:ident { $($file:literal)* })*) => {
        &[$($(Asset { path: concat!("/page/", $file), kind: $kind, body: include_str!(concat!("../page/", $file)) },)*)*]
    };
}

const INDEX: Asset = Asset {
    path: "/",
    kind: HTML,
    body: include_str!("../page/index.html"),
};

const ASSETS: &[Asset] = assets! {
    SVG { "favicon.svg" }
    CSS {
        "css/account.css" "css/base.css" "css/blocks.css" "css/controls.css" "css/dialog.css" "css/logs.css" "css/message.css" "css/panels.css" "css/shell.css"
    }
    SCRIPT {
        "js/account.js" "js/announce.js" "js/api.js" "js/avatar.js" "js/aws.js" "js/bar.js" "js/blocks.js" "js/breaks.js" "js/channel.js" "js/completion.js"
        "js/composer.js" "js/confirm.js" "js/dialog.js" "js/dom.js" "js/drawer.js" "js/elements.js" "js/emoji.js" "js/icons.js" "js/inline.js"
        "js/journal.js" "js/location.js" "js/main.js" "js/markdown.js" "js/menu.js" "js/message.js" "js/messages.js" "js/modals.js"
        "js/mrkdwn.js" "js/panels.js" "js/pending.js" "js/picture.js" "js/pipeline.js" "js/plain-rows.js" "js/push.js" "js/rich-text.js" "js/sidebar.js" "js/state.js" "js/steer.js" "js/sync.js"
        "js/theme-boot.js" "js/theme.js" "js/time.js" "js/unread.js" "js/values.js" "js/wire.js" "js/zone.js"
    }
};

/// `/` and everything below `/page`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(
        Router::new().route(INDEX.path, get(|| async { respond(&INDEX) })),
        |router, asset| router.route(asset.path, get(move || async move { respond(asset) })),
    )
}

fn respond(asset: &Asset) -> Response {
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A newer binary must not meet an older file.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, asset.body).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    async fn fetch(path: &str) -> Response {
        let request = Request::get(path).body(Body::empty()).unwrap();
        routes::<()>().with_state(()).oneshot(request).await.unwrap()
    }

    /// The page's files, relative to its folder.
    fn files(folder: &Path, prefix: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                found.extend(files(&entry.path(), &format!("{name}/")));
            } else {
                found.insert(name);
            }
        }
        found
    }

    #[test]
    fn every_file_of_the_page_is_served_and_nothing_else() {
        let mut there = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("page"), "");
        assert!(there.remove("index.html"), "the page has an index");
        let served: BTreeSet<String> = ASSETS
            .iter()
            .map(|asset| asset.path["/page/".len()..].to_owned())
            .collect();
        assert_eq!(there, served);
    }

    #[tokio::test]
    async fn every_address_in_the_files_answers_with_the_type_that_a_browser_insists_on() {
        let mut asked = BTreeSet::new();
        for asset in ASSETS.iter().chain([&INDEX]) {
            for quoted in asset.body.split('"').skip(1).step_by(2) {
                if quoted.starts_with("/page/") {
                    asked.insert(quoted.to_owned());
                } else if asset.kind == SCRIPT && quoted.starts_with("./") && quoted.ends_with(".js") {
                    asked.insert(quoted.replacen("./", "/page/js/", 1));
                }
            }
        }
        assert!(asked.len() > 20, "the files name each other: {asked:?}");
        for path in asked {
            let answer = fetch(&path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let wanted = if path.ends_with(".css") {
                CSS
            } else if path.ends_with(".svg") {
                SVG
            } else {
                SCRIPT
            };
            assert_eq!(answer.headers()[header::CONTENT_TYPE], wanted, "{path}");
        }
    }

    #[tokio::test]
    async fn the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() {
        let answer = fetch("/").await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], HTML);
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for asset in ASSETS.iter().chain([&INDEX]) {
            for word in ["innerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(
                    !asset.body.contains(word),
                    "{} has {word}: foreign text must stay text",
                    asset.path
                );
            }
        }
        assert_eq!(fetch("/page/js/nothing.js").await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_files_are_short_enough_to_be_read() {
        for asset in ASSETS {
            let lines = asset.body.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", asset.path);
        }
    }
}

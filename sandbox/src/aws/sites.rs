//! Web servers that somebody runs: pages by host and path, which the seed plants and builds change. They are served under `/web/<host>/<path>`, as are search
//! domains that have a host name of their own.
//!
//! They are not AWS's, but what the teams' builds roll out is seen nowhere else: a page is changed by deeds like everything of the account.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::AwsError;
use super::opensearch;
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::{Change, World};

/// How much of a page's text the snapshot holds, in characters.
const SHOWN: usize = 160;

/// A server that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteSeed {
    host: String,
    page: Vec<Page>,
}

/// What a path answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// With the slash at its front; what stands behind a `?` is not looked at.
    path: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// A JSON body, in place of `body`.
    #[serde(default)]
    json: Option<Value>,
    /// Whether the body is a number that grows with every request, as a watchdog's row does.
    #[serde(default)]
    counts: bool,
    /// What a `POST` does to the pages; without it there is none. It takes a token, any but `invalid`.
    #[serde(default)]
    posted: Vec<Deed>,
}

const fn ok() -> u16 {
    200
}

/// What can be done to servers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A page is there, or is replaced.
    Page { host: String, page: Page },
    /// A page that is there answers with another status.
    Status { host: String, path: String, status: u16 },
    /// A page is gone.
    Remove { host: String, path: String },
}

/// The servers by name, with their pages by path.
#[derive(Debug, Default)]
pub(crate) struct Sites(BTreeMap<String, BTreeMap<String, Served>>);

/// A page, and how often it was asked for.
#[derive(Debug)]
struct Served {
    page: Page,
    asked: u64,
}

impl Sites {
    /// Adds a server's pages, or replaces those of the same paths.
    pub(crate) fn plant(&mut self, seed: &SiteSeed) {
        for page in &seed.page {
            self.put(&seed.host, page);
        }
    }

    fn put(&mut self, host: &str, page: &Page) {
        let pages = self.0.entry(host.to_owned()).or_default();
        // A watchdog counts on over a new version.
        let asked = pages.get(&page.path).map_or(0, |served| served.asked);
        let served = Served {
            page: page.clone(),
            asked,
        };
        pages.insert(page.path.clone(), served);
    }

    /// Does a deed.
    ///
    /// # Errors
    /// There is no such page.
    pub(crate) fn act(&mut self, deed: &Deed) -> Result<Value, AwsError> {
        let none = |host: &str, path: &str| AwsError::missing("PageNotFoundException", format!("{host} has no {path}"));
        match deed {
            Deed::Page { host, page } => self.put(host, page),
            Deed::Status { host, path, status } => {
                let served = self.0.get_mut(host).and_then(|pages| pages.get_mut(path));
                served.ok_or_else(|| none(host, path))?.page.status = *status;
            }
            Deed::Remove { host, path } => {
                let gone = self.0.get_mut(host).and_then(|pages| pages.remove(path));
                gone.ok_or_else(|| none(host, path))?;
            }
        }
        Ok(json!({}))
    }

    /// The servers as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let sites = self.0.iter().map(|(host, pages)| {
            let pages = pages.values().map(|served| {
                let body: String = served.page.text(served.asked).chars().take(SHOWN).collect();
                json!({"path": served.page.path, "status": served.page.status, "body": body})
            });
            json!({"host": host, "pages": pages.collect::<Vec<_>>()})
        });
        sites.collect()
    }

    /// Does what a `POST` of a page does; nothing when there is no such page, or none that takes it.
    fn post(&mut self, host: &str, path: &str) -> Option<(Page, String)> {
        let (page, text) = self.answer(host, path).filter(|(page, _)| !page.posted.is_empty())?;
        for deed in &page.posted {
            if let Err(error) = self.act(deed) {
                // Whoever scripted it must see it.
                tracing::warn!(message = %error.message, host, path, "what was posted could not be done");
            }
        }
        Some((page, text))
    }

    /// What a path of a server answers; nothing when there is no such page.
    fn answer(&mut self, host: &str, path: &str) -> Option<(Page, String)> {
        let served = self.0.get_mut(host)?.get_mut(path)?;
        served.asked += 1;
        Some((served.page.clone(), served.page.text(served.asked)))
    }
}

impl Page {
    fn text(&self, asked: u64) -> String {
        match &self.json {
            _ if self.counts => asked.to_string(),
            Some(json) => json.to_string(),
            None => self.body.clone(),
        }
    }
}

/// Everything under `/web`; the first part of the path names the server.
pub(crate) fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

async fn handle(State(world): State<Arc<World>>, mut request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (host, path) = path.trim_start_matches('/').split_once('/').unwrap_or((&path, ""));
    let (host, path) = (host.to_owned(), format!("/{path}"));
    if let Some(domain) = search_at(&world, &host) {
        let query = request.uri().query().map(|query| format!("?{query}"));
        let inside = format!("/{domain}{path}{}", query.unwrap_or_default());
        if let Ok(uri) = inside.parse() {
            *request.uri_mut() = uri;
            return opensearch::handle(State(world), request).await;
        }
    }
    let call = Call {
        name: format!("web.{host}"),
        arguments: json!({"method": method.as_str(), "path": path, "query": request.uri().query()}),
    };
    let inner = Arc::clone(&world);
    let posts = method == Method::POST;
    let shown = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let known = shown.is_some_and(|shown| shown.starts_with("Bearer ") && shown != "Bearer invalid");
    guarded(&world, call, Server, move || {
        if !posts && method != Method::GET && method != Method::HEAD {
            return Answer::refused(plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"), "405");
        }
        if posts && !known {
            return Answer::refused(plain(StatusCode::UNAUTHORIZED, "who are you?"), "401");
        }
        let mut account = inner.aws();
        account.advance(inner.clock.now_ms());
        let answer = if posts {
            account.sites.post(&host, &path)
        } else {
            account.sites.answer(&host, &path)
        };
        account.changes += 1;
        drop(account);
        inner.changed(Change::Aws);
        match answer {
            Some((page, text)) => Answer::done(respond(&page, text)),
            None => Answer::refused(plain(StatusCode::NOT_FOUND, &format!("{host} has no {path}")), "404"),
        }
    })
    .await
}

/// The search domain that has this host name.
fn search_at(world: &World, host: &str) -> Option<String> {
    let account = world.aws();
    let found = account.regions.values().find_map(|region| region.search.at(host));
    found.cloned()
}

fn respond(page: &Page, text: String) -> Response {
    let kind = if page.json.is_some() {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    let mut response = Response::builder()
        .status(page.status)
        .header("content-type", kind)
        .header("cache-control", "public, max-age=60");
    for (name, value) in &page.headers {
        response = response.header(name, value);
    }
    // A status or header of the seed that HTTP does not know is a broken server.
    response
        .body(Body::from(text))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be served"))
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

/// How a web server words what is not about the page.
struct Server;

impl Vendor for Server {
    fn throttled(&self, retry_after: u64) -> Response {
        let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        response.headers_mut().insert("retry-after", retry_after.into());
        response
    }

    fn failed(&self) -> Response {
        plain(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
    }

    fn refused(&self, error: &str) -> Response {
        let status = error.parse().ok().and_then(|code: u16| StatusCode::from_u16(code).ok());
        plain(status.unwrap_or(StatusCode::FORBIDDEN), error)
    }
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;

    use super::*;

    fn sites() -> Sites {
        let mut sites = Sites::default();
        let seed = json!({"host": "admin.example.org", "page": [
            {"path": "/__version__", "json": {"version": "v2.10"}},
            {"path": "/__heartbeat__", "counts": true},
        ]});
        sites.plant(&serde_json::from_value(seed).unwrap());
        sites
    }

    fn act(sites: &mut Sites, deed: Value) -> Result<Value, AwsError> {
        sites.act(&serde_json::from_value(deed).unwrap())
    }

    #[test]
    fn a_rollout_changes_the_page_and_the_watchdog_counts_on() {
        let mut sites = sites();
        let version = |sites: &mut Sites| sites.answer("admin.example.org", "/__version__").unwrap().1;
        let beat = |sites: &mut Sites| sites.answer("admin.example.org", "/__heartbeat__").unwrap();
        assert_eq!(version(&mut sites), r#"{"version":"v2.10"}"#);
        assert_eq!(
            (beat(&mut sites).1, beat(&mut sites).1),
            ("1".to_owned(), "2".to_owned())
        );
        let page = json!({"path": "/__version__", "json": {"version": "v2.11"}});
        act(&mut sites, json!({"page": {"host": "admin.example.org", "page": page}})).unwrap();
        assert_eq!(version(&mut sites), r#"{"version":"v2.11"}"#);
        act(
            &mut sites,
            json!({"status": {"host": "admin.example.org", "path": "/__heartbeat__", "status": 502}}),
        )
        .unwrap();
        let (page, count) = beat(&mut sites);
        assert_eq!((page.status, count.as_str()), (502, "3"));
    }

    #[test]
    fn what_is_posted_changes_other_pages() {
        let mut sites = sites();
        let version =
            json!({"page": {"host": "admin.example.org", "page": {"path": "/__version__", "json": {"version": "v3"}}}});
        let page = json!({"path": "/roll", "posted": [version]});
        act(&mut sites, json!({"page": {"host": "admin.example.org", "page": page}})).unwrap();
        assert!(sites.post("admin.example.org", "/__version__").is_none());
        assert!(sites.post("admin.example.org", "/roll").is_some());
        let (_, text) = sites.answer("admin.example.org", "/__version__").unwrap();
        assert_eq!(text, r#"{"version":"v3"}"#);
    }

    #[test]
    fn what_is_not_there_is_said_by_name() {
        let mut sites = sites();
        assert!(sites.answer("admin.example.org", "/nothing").is_none());
        assert!(sites.answer("nobody.example.org", "/__version__").is_none());
        let refused = act(
            &mut sites,
            json!({"remove": {"host": "nobody.example.org", "path": "/"}}),
        )
        .unwrap_err();
        assert_eq!(refused.message, "nobody.example.org has no /");
    }

    #[test]
    fn json_is_served_as_json_and_headers_are_those_of_the_page() {
        let page = json!({"path": "/", "json": {"a": 1}, "headers": {"x-color": "blue"}});
        let answer = respond(&serde_json::from_value(page).unwrap(), "{}".to_owned());
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(
            (
                &answer.headers()["x-color"],
                answer.headers().contains_key(CACHE_CONTROL)
            ),
            (&"blue".parse().unwrap(), true)
        );
    }
}

//! The HTTP side: the few calls, in GitHub's words, with its paging, its limits and its errors.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::repository::{Change, Commit, Comparison, Repository};
use super::{GitHub, Rate};
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::World;

/// Commits of a comparison when the caller does not ask for pages.
const UNPAGED_COMMITS: usize = 250;
/// Files of a comparison or a commit, ever.
const FILES: usize = 300;
/// The largest page.
const PAGE: usize = 100;

/// GitHub's REST API below `/github`.
pub fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

/// An answer before it is bytes.
struct Told {
    status: StatusCode,
    body: Value,
    /// The `Link` header, when there are more pages.
    link: Option<String>,
}

/// What is asked for, taken from the path.
struct Asked {
    call: &'static str,
    repository: String,
    what: String,
}

#[derive(Clone)]
struct Wire;

async fn handle(State(world): State<Arc<World>>, request: Request) -> Response {
    let asked = asked(request.method(), request.uri().path());
    let page = Page::of(
        request.uri().query().unwrap_or_default(),
        request.uri().path(),
        request.headers(),
    );
    let token = token(request.headers());
    let call = Call {
        name: format!("github.{}", asked.call),
        arguments: json!({"repository": asked.repository, "what": asked.what, "page": page.number, "per_page": page.size}),
    };
    let inner = Arc::clone(&world);
    guarded(&world, call, Wire, move || {
        if token.as_deref() == Some("invalid") {
            return refused(&Told::error(StatusCode::UNAUTHORIZED, "Bad credentials"), None);
        }
        let mut github = inner.github();
        let rate = github.count(token.is_some(), inner.clock.now_ms());
        if rate.used > rate.limit {
            return refused(
                &Told::error(StatusCode::FORBIDDEN, "API rate limit exceeded"),
                Some(rate),
            );
        }
        let told = tell(&github, &asked, &page);
        if told.status.is_success() {
            Answer::done(told.respond(Some(rate)))
        } else {
            refused(&told, Some(rate))
        }
    })
    .await
}

fn refused(told: &Told, rate: Option<Rate>) -> Answer {
    Answer::refused(told.respond(rate), told.status.as_str())
}

fn asked(method: &Method, path: &str) -> Asked {
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(5, '/').collect();
    let text = |part: &str| percent_decoded(part);
    let (call, repository, what) = match parts.as_slice() {
        ["repos", owner, name] => ("repository", format!("{owner}/{name}"), String::new()),
        ["repos", owner, name, "compare", what] => ("compare", format!("{owner}/{name}"), text(what)),
        ["repos", owner, name, "commits", what] => ("commits", format!("{owner}/{name}"), text(what)),
        ["repos", owner, name, "git", what] if what.starts_with("ref/") => {
            ("ref", format!("{owner}/{name}"), text(what.trim_start_matches("ref/")))
        }
        _ => ("unknown", String::new(), path.to_owned()),
    };
    Asked {
        call: if method == Method::GET { call } else { "unknown" },
        repository,
        what,
    }
}

fn tell(github: &GitHub, asked: &Asked, page: &Page) -> Told {
    let Some(repository) = github.repository(&asked.repository) else {
        return Told::not_found();
    };
    match asked.call {
        "repository" => Told::ok(json!({
            "full_name": repository.name,
            "default_branch": repository.default_branch,
            "private": false,
            "html_url": html(repository, ""),
        })),
        "compare" => asked
            .what
            .split_once("...")
            .and_then(|ends| compare(repository, ends, page))
            .unwrap_or_else(Told::not_found),
        "commits" => match repository.resolve(&asked.what) {
            Some(commit) => {
                let mut body = commit_json(repository, commit);
                let (additions, deletions) = lines(&commit.files);
                body["stats"] = json!({"total": additions + deletions, "additions": additions, "deletions": deletions});
                body["files"] = files_json(repository, &commit.sha, &commit.files);
                Told::ok(body)
            }
            None => Told::error(
                StatusCode::UNPROCESSABLE_ENTITY,
                &format!("No commit found for SHA: {}", asked.what),
            ),
        },
        "ref" => match repository.resolve(&format!("refs/{}", asked.what)) {
            Some(commit) => Told::ok(json!({
                "ref": format!("refs/{}", asked.what),
                "url": api(repository, &format!("git/refs/{}", asked.what)),
                "object": {"sha": commit.sha, "type": "commit", "url": api(repository, &format!("git/commits/{}", commit.sha))},
            })),
            None => Told::not_found(),
        },
        _ => Told::not_found(),
    }
}

fn compare(repository: &Repository, (base, head): (&str, &str), page: &Page) -> Option<Told> {
    let comparison: Comparison<'_> = repository.compare(base, head)?;
    let total = comparison.ahead.len();
    let (from, until) = match page.asked {
        // Without pages the newest commits are told, and `total_commits` says that there are more.
        false => (total.saturating_sub(UNPAGED_COMMITS), total),
        true => (
            total.min((page.number - 1) * page.size),
            total.min(page.number * page.size),
        ),
    };
    let commits: Vec<Value> = comparison.ahead[from..until]
        .iter()
        .map(|commit| commit_json(repository, commit))
        .collect();
    // Files come with the first page only.
    let files = if page.number == 1 {
        comparison.files()
    } else {
        Vec::new()
    };
    let ends = format!("{base}...{head}");
    let body = json!({
        "url": api(repository, &format!("compare/{ends}")),
        "html_url": html(repository, &format!("/compare/{ends}")),
        "permalink_url": html(repository, &format!("/compare/{ends}")),
        "base_commit": commit_json(repository, comparison.base),
        "merge_base_commit": commit_json(repository, comparison.merge_base),
        "status": comparison.status(),
        "ahead_by": total,
        "behind_by": comparison.behind,
        "total_commits": total,
        "commits": commits,
        "files": files_json(repository, head, &files),
    });
    Some(Told {
        status: StatusCode::OK,
        body,
        link: (page.asked && until < total).then(|| page.next()),
    })
}

fn commit_json(repository: &Repository, commit: &Commit) -> Value {
    let person = json!({"name": commit.author.name, "email": commit.author.email, "date": iso(commit.at_ms)});
    let account = commit.author.login.as_ref().map(|login| {
        json!({"login": login, "type": "User", "html_url": format!("https://github.com/{login}"), "avatar_url": format!("https://github.com/{login}.png")})
    });
    let parents = commit
        .parent
        .iter()
        .map(|sha| json!({"sha": sha, "url": api(repository, &format!("commits/{sha}"))}));
    json!({
        "sha": commit.sha,
        "url": api(repository, &format!("commits/{}", commit.sha)),
        "html_url": html(repository, &format!("/commit/{}", commit.sha)),
        "commit": {"author": person, "committer": person, "message": commit.message, "comment_count": 0},
        "author": account,
        "committer": account,
        "parents": parents.collect::<Vec<_>>(),
    })
}

fn files_json(repository: &Repository, at: &str, files: &[Change]) -> Value {
    let one = |file: &Change| {
        let mut told = json!({
            "filename": file.filename,
            "status": file.status,
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": html(repository, &format!("/blob/{at}/{}", file.filename)),
        });
        if let Some(patch) = &file.patch {
            told["patch"] = json!(patch);
        }
        told
    };
    files.iter().take(FILES).map(one).collect()
}

fn lines(files: &[Change]) -> (u32, u32) {
    files.iter().fold((0, 0), |(additions, deletions), file| {
        (additions + file.additions, deletions + file.deletions)
    })
}

fn api(repository: &Repository, path: &str) -> String {
    format!("https://api.github.com/repos/{}/{path}", repository.name)
}

fn html(repository: &Repository, path: &str) -> String {
    format!("https://github.com/{}{path}", repository.name)
}

fn iso(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn percent_decoded(text: &str) -> String {
    let form = format!("k={}", text.replace('+', "%2B").replace('&', "%26"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&form).unwrap_or_default();
    pairs
        .into_iter()
        .next()
        .map_or_else(|| text.to_owned(), |(_, value)| value)
}

fn token(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let (_, token) = text.split_once(' ')?;
    Some(token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// Which page is asked for.
struct Page {
    asked: bool,
    number: usize,
    size: usize,
    url: String,
}

impl Page {
    fn of(query: &str, path: &str, headers: &HeaderMap) -> Self {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let number = |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let host = headers
            .get("host")
            .and_then(|host| host.to_str().ok())
            .unwrap_or("127.0.0.1:8700");
        let (page, size) = (number("page"), number("per_page"));
        Self {
            asked: page.is_some() || size.is_some(),
            number: page.unwrap_or(1).max(1),
            size: size.unwrap_or(30).clamp(1, PAGE),
            url: format!("http://{host}/github{path}"),
        }
    }

    fn next(&self) -> String {
        format!(
            "<{}?per_page={}&page={}>; rel=\"next\"",
            self.url,
            self.size,
            self.number + 1
        )
    }
}

impl Told {
    const fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            link: None,
        }
    }

    fn error(status: StatusCode, message: &str) -> Self {
        let body =
            json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.as_str()});
        Self {
            status,
            body,
            link: None,
        }
    }

    fn not_found() -> Self {
        Self::error(StatusCode::NOT_FOUND, "Not Found")
    }

    fn respond(&self, rate: Option<Rate>) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .header("content-type", "application/json; charset=utf-8")
            .header("x-github-media-type", "github.v3; format=json");
        if let Some(link) = &self.link {
            response = response.header("link", link);
        }
        if let Some(rate) = rate {
            response = response
                .header("x-ratelimit-limit", rate.limit)
                .header("x-ratelimit-remaining", rate.limit.saturating_sub(rate.used))
                .header("x-ratelimit-used", rate.used)
                .header("x-ratelimit-reset", rate.reset_s)
                .header("x-ratelimit-resource", "core");
        }
        response.body(Body::from(self.body.to_string())).unwrap_or_default()
    }
}

impl Vendor for Wire {
    fn throttled(&self, retry_after: u64) -> Response {
        let told = Told::error(
            StatusCode::TOO_MANY_REQUESTS,
            "You have exceeded a secondary rate limit.",
        );
        let mut response = told.respond(None);
        response
            .headers_mut()
            .insert("retry-after", http::HeaderValue::from(retry_after));
        response
    }

    fn failed(&self) -> Response {
        Told::error(StatusCode::INTERNAL_SERVER_ERROR, "Server Error").respond(None)
    }

    /// `401`, `403`, `404`, … or any words, which come with 403.
    fn refused(&self, error: &str) -> Response {
        let status = error
            .parse()
            .ok()
            .and_then(|code: u16| StatusCode::from_u16(code).ok())
            .unwrap_or(StatusCode::FORBIDDEN);
        let message = match status {
            StatusCode::UNAUTHORIZED => "Bad credentials",
            StatusCode::NOT_FOUND => "Not Found",
            StatusCode::FORBIDDEN if error.parse::<u16>().is_err() => error,
            _ => "Resource not accessible by personal access token",
        };
        Told::error(status, message).respond(None)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use tower::ServiceExt;

    use super::super::{NewCommit, Person};
    use super::*;
    use crate::clock::Clock;

    const COMPARE: &str = "/repos/acme/wallet-service/compare/v1.4.1...v1.4.2";

    async fn ask(world: &Arc<World>, path: &str, token: Option<&str>) -> (StatusCode, HeaderMap, Value) {
        let mut request = http::Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = routes(world)
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn an_hour_holds_sixty_calls_without_a_token_and_a_new_hour_sixty_more() {
        let world = World::new(Clock::frozen(1_795_269_600_000));
        for left in (0..60).rev() {
            let (status, headers, _) = ask(&world, COMPARE, None).await;
            assert_eq!(
                (status, headers["x-ratelimit-remaining"].to_str().unwrap()),
                (StatusCode::OK, left.to_string().as_str())
            );
        }
        let (status, headers, body) = ask(&world, COMPARE, None).await;
        assert_eq!(
            (status, body["message"].as_str().unwrap()),
            (StatusCode::FORBIDDEN, "API rate limit exceeded")
        );
        assert_eq!(headers["x-ratelimit-reset"], "1795273200");
        assert_eq!(
            ask(&world, COMPARE, Some("ghp_x")).await.0,
            StatusCode::OK,
            "a token has its own hour"
        );
        world.clock.jump(3_600_000);
        assert_eq!(ask(&world, COMPARE, None).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn pages_hold_every_commit_once_and_the_files_come_with_the_first() {
        let world = World::new(Clock::frozen(1_795_269_600_000));
        let mut seen = Vec::new();
        let mut path = Some(format!("{COMPARE}?per_page=3"));
        let mut files = Vec::new();
        while let Some(next) = path {
            let (_, headers, body) = ask(&world, &next, Some("ghp_x")).await;
            seen.extend(
                body["commits"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|commit| commit["sha"].to_string()),
            );
            files.push(body["files"].as_array().unwrap().len());
            let link = headers.get("link").map(|link| link.to_str().unwrap().to_owned());
            path = link.map(|link| {
                link[1..link.find('>').unwrap()]
                    .split_once("/github")
                    .unwrap()
                    .1
                    .to_owned()
            });
        }
        let whole = ask(&world, COMPARE, Some("ghp_x")).await.2;
        let all: Vec<String> = whole["commits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|commit| commit["sha"].to_string())
            .collect();
        assert_eq!(seen, all);
        assert_eq!(files, [whole["files"].as_array().unwrap().len(), 0]);
    }

    #[tokio::test]
    async fn what_is_not_there_is_404_except_a_commit_which_is_422() {
        let world = World::new(Clock::frozen(1_795_269_600_000));
        world.github().repository_mut("acme/new").commit(
            "main",
            NewCommit {
                author: Person::named("eve"),
                message: "first".into(),
                files: Vec::new(),
                at_ms: 0,
            },
        );
        for (path, status) in [
            ("/repos/acme/none/compare/a...b", 404),
            ("/repos/acme/wallet-service/compare/v1.4.1...none", 404),
            ("/repos/acme/wallet-service/commits/none", 422),
            ("/repos/acme/wallet-service/git/ref/tags/none", 404),
            ("/repos/acme/wallet-service/pulls/1", 404),
            ("/repos/acme/wallet-service/git/ref/heads/master", 200),
            ("/repos/acme/new", 200),
        ] {
            assert_eq!(ask(&world, path, Some("ghp_x")).await.0.as_u16(), status, "{path}");
        }
        let (_, _, commit) = ask(&world, "/repos/acme/new/commits/main", Some("ghp_x")).await;
        assert_eq!(
            (&commit["author"], &commit["commit"]["author"]["email"]),
            (&Value::Null, &json!("eve@example.org"))
        );
        assert_eq!(ask(&world, COMPARE, Some("invalid")).await.0, StatusCode::UNAUTHORIZED);
    }
}

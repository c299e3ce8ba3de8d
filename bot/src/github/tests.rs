use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, StillClock, Wire, answer, lost};

const NOW: Timestamp = Timestamp(1_795_226_400_000);

struct Known;

#[async_trait]
impl Authors for Known {
    async fn user_of(&self, email: &str) -> Result<Option<UserId>, String> {
        match email {
            "dana@example.org" => Ok(UserId::parse("U0DANA").ok()),
            "down@example.org" => Err("Slack cannot be asked".to_owned()),
            _ => Ok(None),
        }
    }
}

fn commit(number: usize, email: &str) -> Value {
    json!({"sha": format!("{number:040}"), "html_url": "https://github.com/x", "commit": {"message": format!("change {number}\n\nmore"),
        "author": {"name": "Dana", "email": email, "date": "2026-11-20T00:00:00Z"}}})
}

fn compared(status: &str, total: usize, commits: Vec<Value>, files: usize) -> String {
    let files: Vec<_> = (0..files)
        .map(|number| json!({"filename": format!("src/{number}.rs"), "status": "modified"}))
        .collect();
    json!({"status": status, "ahead_by": total, "total_commits": total, "html_url": "https://github.com/acme/wallet/compare/a...b",
        "commits": commits, "files": files})
    .to_string()
}

async fn change(wire: &Arc<Wire>, base: Option<&str>, head: Option<&str>) -> Result<Change, NotNow> {
    let base_url = "https://api.github.test".parse().unwrap();
    let github = GitHub::new(
        Arc::clone(wire) as Arc<dyn Outgoing>,
        StillClock::at(NOW),
        base_url,
        Some(Secret::new("ghp_canary")),
    );
    let request = ChangeRequest {
        repository: "acme/wallet",
        base,
        head,
        lease: Lease::NONE,
    };
    github.change(request, &Known).await
}

#[tokio::test]
async fn commits_come_with_authors_and_files() {
    let wire = Wire::new(|call| {
        assert_eq!(call.request.headers()[AUTHORIZATION], "Bearer ghp_canary");
        let mut body: Value = serde_json::from_str(&compared(
            "ahead",
            2,
            vec![commit(1, "dana@example.org"), commit(2, "x@example.org")],
            1,
        ))
        .unwrap();
        body["files"]
            .as_array_mut()
            .unwrap()
            .push(json!({"filename": "db/new.sql", "previous_filename": "db/migrations/1.sql"}));
        answer(200, &body.to_string())
    });
    let change = change(&wire, Some("a"), Some("b")).await.unwrap();
    assert_eq!(
        wire.addresses(),
        ["https://api.github.test/repos/acme/wallet/compare/a...b?per_page=100&page=1"]
    );
    assert_eq!((change.total, change.commits.len(), change.as_of), (2, 2, NOW));
    assert_eq!(change.commits[0].title, "change 1");
    assert_eq!(change.commits[0].user.as_ref().unwrap().as_str(), "U0DANA");
    assert_eq!(change.strangers().len(), 1);
    assert_eq!(change.files, ["src/0.rs", "db/migrations/1.sql", "db/new.sql"]);
    assert!(change.files_complete && !change.backwards && change.unknown.is_none());
}

#[tokio::test]
async fn many_commits_are_read_page_by_page_and_too_many_are_counted() {
    let page = |call: &Call| -> usize {
        call.request
            .uri()
            .to_string()
            .rsplit('=')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    for (total, pages, listed) in [(150, 2, 150), (900, 3, 250)] {
        let wire = Wire::new(move |call| {
            let first = (page(call) - 1) * PAGE;
            let commits = (first..total.min(first + PAGE))
                .map(|number| commit(number, "dana@example.org"))
                .collect();
            answer(200, &compared("ahead", total, commits, 300))
        });
        let change = change(&wire, Some("a"), Some("b")).await.unwrap();
        assert_eq!(
            (wire.count("github.compare"), change.commits.len(), change.total),
            (pages, listed, total)
        );
        assert!(!change.files_complete, "300 files may be more");
        assert_eq!(change.unknown.is_some(), listed < total);
    }
}

#[tokio::test]
async fn what_can_never_be_known_is_said_and_not_asked_again() {
    let gone = Wire::new(|_| answer(404, "{}"));
    let change_of = change(&gone, Some("a"), Some("b")).await.unwrap();
    assert!(change_of.unknown.unwrap().contains("does not know") && !change_of.files_complete);
    let none = Wire::new(|_| lost());
    assert!(change(&none, Some("a"), None).await.unwrap().unknown.is_some());
    let same = change(&none, Some("a"), Some("a")).await.unwrap();
    assert!(same.files_complete && same.commits.is_empty() && same.unknown.is_none());
    assert_eq!(none.count("github.compare"), 0);
}

#[tokio::test]
async fn without_a_base_only_the_candidate_is_shown() {
    let wire = Wire::new(|_| answer(200, &commit(7, "dana@example.org").to_string()));
    let change = change(&wire, None, Some("b")).await.unwrap();
    assert_eq!((change.commits.len(), change.files_complete), (1, false));
    assert!(change.unknown.unwrap().contains("more than one"));
}

#[tokio::test]
async fn a_step_back_is_told_from_a_fork() {
    for (status, backwards, unknown) in [("behind", true, false), ("diverged", false, true)] {
        let wire = Wire::new(move |_| answer(200, &compared(status, 0, vec![], 0)));
        let change = change(&wire, Some("a"), Some("b")).await.unwrap();
        assert_eq!(
            (change.backwards, change.unknown.is_some()),
            (backwards, unknown),
            "{status}"
        );
    }
}

#[tokio::test]
async fn what_may_work_later_is_an_error_with_a_time() {
    let limited = |name: &'static str, value: &'static str| -> Answer {
        let answer = http::Response::builder()
            .status(403)
            .header("x-ratelimit-remaining", "0")
            .header(name, value);
        Ok(answer.body(Bytes::from_static(b"{}")).unwrap())
    };
    let reset = Wire::new(move |_| limited("x-ratelimit-reset", "1795226460"));
    let error = change(&reset, Some("a"), Some("b")).await.unwrap_err();
    assert_eq!(error.retry_at, Some(NOW + Span::seconds(60)));
    let pause = Wire::new(move |_| limited("retry-after", "5"));
    let error = change(&pause, Some("a"), Some("b")).await.unwrap_err();
    assert_eq!(error.retry_at, Some(NOW + Span::seconds(5)));
    for broken in [
        Wire::new(|_| lost()),
        Wire::new(|_| answer(502, "")),
        Wire::new(|_| answer(200, "<html>")),
    ] {
        assert!(change(&broken, Some("a"), Some("b")).await.is_err());
    }
    let down = Wire::new(|_| answer(200, &compared("ahead", 1, vec![commit(1, "down@example.org")], 0)));
    assert!(
        change(&down, Some("a"), Some("b")).await.is_err(),
        "an author who cannot be looked up is not a stranger"
    );
}

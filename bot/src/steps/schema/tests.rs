//! The order by every standing, and what is said of it.

use super::look::*;
use super::*;
use crate::github::{Between, Brought};
use commands::desk::Desk;
use commands::ids::EnvironmentId;
use commands::round::Revision;

fn step(first: First) -> Schema {
    let first = json!(first);
    let step = json!({ "database": "db", "version": "v2", "first": first, "project": "p" });
    serde_json::from_value(step).unwrap()
}

fn version(name: &str) -> Known<Version> {
    said_version(name)
}

fn file(name: &str) -> Brought {
    Brought {
        name: name.to_owned(),
        changed: false,
    }
}

fn seen(standing: Standing) -> Seen {
    Seen {
        live: version("v1"),
        since: version("v1"),
        commit: Ok("4f2c1d9aa04f2c1d9aa04f2c1d9aa04f2c1d9aa0".to_owned()),
        order: Ok((standing, 3)),
        pending: Ok(Pending {
            files: vec![file("db/migrations/1.sql")],
            whole: true,
        }),
    }
}

fn code(refused: Result<(), StepError>) -> Option<String> {
    match refused {
        Err(StepError::Failed { code, .. }) => Some(code),
        Err(StepError::Later(why)) => panic!("{why}"),
        Ok(()) => None,
    }
}

#[test]
fn each_order_is_refused_where_the_other_is_right() {
    for (standing, schema_first, code_first) in [
        (Standing::Ahead, None, Some(WRONG_ORDER)),
        (Standing::Diverged, None, Some(WRONG_ORDER)),
        (Standing::Same, Some(WRONG_ORDER), None),
        (Standing::Behind, Some(WRONG_ORDER), None),
    ] {
        for (first, wanted) in [(First::Schema, schema_first), (First::Code, code_first)] {
            for production in [true, false] {
                let refused = code(refuse(&step(first), &seen(standing), production));
                assert_eq!(refused.as_deref(), wanted, "{first:?} {standing:?}");
            }
        }
        let mut look = step(First::Schema);
        (look.first, look.look) = (None, true);
        assert_eq!(code(refuse(&look, &seen(standing), true)), None, "no order was said");
    }
}

#[test]
fn what_cannot_be_told_is_refused_on_production_unless_it_is_allowed() {
    let blind = |order: bool, pending: bool| {
        let mut seen = seen(Standing::Ahead);
        if order {
            seen.order = Err("GitHub is down".to_owned());
        }
        if pending {
            seen.pending = Err("GitHub is down".to_owned());
        }
        seen
    };
    let mut step = step(First::Schema);
    for seen in [blind(true, true), blind(false, true), blind(true, false)] {
        assert_eq!(code(refuse(&step, &seen, true)).as_deref(), Some("cannot_tell"));
        assert_eq!(code(refuse(&step, &seen, false)), None);
        step.unknown = Unknown::Allow;
        assert_eq!(code(refuse(&step, &seen, true)), None);
        step.unknown = Unknown::Refuse;
    }
    assert_eq!(code(refuse(&step, &blind(false, false), true)), None);
    let mut lines = vec![order_words(&step, &blind(true, true))];
    lines.extend(pending_words(&step, &blind(true, true), &[]));
    for line in lines {
        assert!(
            line.starts_with(CANNOT_TELL) && line.ends_with("because GitHub is down"),
            "{line}"
        );
    }
    assert_eq!(outputs(&blind(true, true))[PENDING], "unknown");
}

#[test]
fn migrations_are_named_and_a_list_that_is_not_whole_says_so() {
    let patterns = [Pattern("db/migrations/**".to_owned())];
    let between = |files: &[&str], whole: bool| Between {
        standing: Standing::Ahead,
        ahead: 3,
        files: files.iter().map(|name| file(name)).collect(),
        whole,
    };
    let words = |files: &[&str], whole: bool| {
        let mut seen = seen(Standing::Ahead);
        seen.pending = pending(between(files, whole), &patterns);
        pending_words(&step(First::Schema), &seen, &patterns).join("\n")
    };
    assert_eq!(
        words(&["src/a.rs", "db/migrations/1.sql"], true),
        "1 migration is pending on db\ndb/migrations/1.sql"
    );
    assert_eq!(
        words(&["src/a.rs"], true),
        "no migration is pending on db: nothing from v1 to v2 fits db/migrations/**"
    );
    assert!(
        words(&["src/a.rs"], false).starts_with(CANNOT_TELL),
        "an unseen file may be one"
    );
    assert!(words(&["db/migrations/1.sql"], false).starts_with("at least 1 migration is pending"));
    let many: Vec<String> = (0..12).map(|number| format!("db/migrations/{number}.sql")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(words(&many, true).ends_with("and 2 more"));
    assert!(
        pending(between(&[], true), &[]).is_err(),
        "without patterns nobody can tell"
    );
}

#[test]
fn what_does_not_know_its_version_is_not_taken_at_its_word() {
    assert!(said_version("unknown").is_err() && said_version(" ").is_err());
    let mut revision = Revision {
        id: "s3-version".to_owned(),
        unknown: Some("its metadata cannot be read".to_owned()),
        ..Revision::default()
    };
    assert!(
        known_version(&revision)
            .unwrap_err()
            .contains("its metadata cannot be read")
    );
    revision.git_ref = Some("refs/tags/v1".to_owned());
    revision.commit = Some("4f2c1d9aa0".to_owned());
    let known = known_version(&revision).unwrap();
    assert_eq!((known.name.as_str(), known.git.as_str()), ("v1", "4f2c1d9aa0"));
}

#[test]
fn earlier_builds_say_how_long_it_takes() {
    assert_eq!(took_words("p", &[]), None);
    let words = |seconds: &[i64]| {
        let spans: Vec<Span> = seconds.iter().map(|seconds| Span::seconds(*seconds)).collect();
        took_words("p", &spans).unwrap()
    };
    assert_eq!(words(&[90]), "the last good build of p took 1 min 30 s");
    assert_eq!(
        words(&[90, 300, 120]),
        "the last 3 good builds of p took 1 min 30 s to 5 min"
    );
    assert_eq!(words(&[90, 90]), "the last 2 good builds of p took 1 min 30 s");
}

#[test]
fn what_was_live_before_is_the_newest_other_release_that_went_well() {
    let environment = EnvironmentId::parse("mainnet").unwrap();
    let revision = |tag: &str| json!({ "id": tag, "commit": format!("{tag}-commit"), "git_ref": format!("refs/tags/{tag}"), "summary": "" });
    let finished = |tag: &str, reason: &str| {
        json!({ "run": "run/mainnet/1", "reason": reason, "at": 0, "revision": revision(tag), "execution": "e", "by": [], "took": null,
            "overridden": false, "card": null })
    };
    let desk = |recent: Value| -> Desk {
        let live = json!({ "mainnet": { "revision": revision("v3"), "execution": "e", "since": 0 } });
        serde_json::from_value(json!({ "live": live, "recent": { "mainnet": recent } })).unwrap()
    };
    let history = json!([
        finished("v4", "failed"),
        finished("v3", "succeeded"),
        finished("v3", "succeeded"),
        finished("v2", "succeeded"),
        finished("v1", "succeeded"),
    ]);
    assert_eq!(before(&desk(history), &environment).unwrap().name, "v2");
    let alone = before(&desk(json!([finished("v3", "succeeded")])), &environment);
    assert!(alone.unwrap_err().contains("say it with `since`"));
}

//! The embedded file under SIGKILL: a child commits and says what was answered; it is killed, and the file is opened again.
//!
//! It has no harness of its own kind because it runs itself as the child.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use commands::time::Span;
use state::audit::verify;
use state::contract::{Bench, NOON, key};
use state::embedded::Embedded;

const ROUNDS: u64 = 6;
const COMMITS: usize = 60;

fn main() {
    let mut words = std::env::args().skip(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match (words.next().as_deref(), words.next()) {
        (Some("commit-until-killed"), Some(path)) => runtime.block_on(commit_until_killed(Path::new(&path))),
        _ => runtime.block_on(what_was_answered_is_in_the_file()),
    }
}

fn open(path: &Path) -> Bench {
    Bench::new(Arc::new(Embedded::open(path).expect("a store")), "kill")
}

/// Four writers, so that transactions carry more than one commit; each says what it was answered.
async fn commit_until_killed(path: &Path) {
    let on = open(path);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let on = on.clone();
        writers.spawn(async move {
            let id = format!("run/prod/{writer}");
            loop {
                let version = on.get(&id).await.map_or(0, |stored| stored.version) + 1;
                let commit = on.writing(&format!("{writer}-{version}"), &id, Some(NOON)).await;
                let mut owing = on.owing("unused", &format!("post:{writer}:{version}"), NOON).await;
                owing.effects.extend(commit.effects.clone());
                on.done(state::Commit {
                    effects: owing.effects,
                    ..commit
                })
                .await;
                let mut out = std::io::stdout().lock();
                writeln!(out, "{id} {version}")
                    .and_then(|()| out.flush())
                    .expect("a reader");
            }
        });
    }
    writers.join_all().await;
}

async fn what_was_answered_is_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("signalbox.redb");
    let mut answered = std::collections::BTreeMap::new();
    for _ in 0..ROUNDS {
        let this = std::env::current_exe().expect("this program");
        let mut child = Command::new(this)
            .arg("commit-until-killed")
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut lines = lines.map_while(Result::ok);
        let mut hear = |line: String| {
            let (id, version) = line.split_once(' ').expect("a record and a version");
            answered.insert(id.to_owned(), version.parse::<u64>().expect("a number"));
        };
        lines.by_ref().take(COMMITS).for_each(&mut hear);
        // It holds the file, and says so.
        let locked = Embedded::open(&path).expect_err("the file is in use").to_string();
        assert!(
            locked.contains("in use by another signalbox process") && locked.contains("REDIS_URL"),
            "{locked}"
        );
        child.kill().expect("a kill");
        child.wait().expect("its end");
        lines.for_each(hear);

        let on = open(&path);
        for (id, version) in &answered {
            let stored = on.get(id).await.map_or(0, |stored| stored.version);
            assert!(
                stored == *version || stored == version + 1,
                "{id}: {version} was answered, {stored} is stored"
            );
        }
        let report = verify(&*on.store, std::slice::from_ref(&on.slot), &key(), &[])
            .await
            .expect("an answer");
        assert_eq!(report.findings, []);
        let effects = on.store.outbox(&on.slot).await.expect("an answer").len() as u64;
        assert_eq!(effects, report.rows, "each commit's effect is there with its row");
        // A worker that was killed with the process holds no effect: the next one need not wait for the lease.
        let taken = on.poll(NOON, Span::hours(1)).await.effects;
        assert!(!taken.is_empty());
    }
    let total: u64 = answered.values().sum();
    assert!(total >= ROUNDS * COMMITS as u64, "only {total} commits were answered");
}

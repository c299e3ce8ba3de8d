//! What would go out: what is live, what this adds, by whom.

use std::collections::BTreeMap;

use super::super::message::{Inline, Line, Sign, bold};
use super::super::words::{self, DOT, count, cut, joined, lasting};
use crate::facts::Facts;
use crate::round::{Change, Commit};
use crate::run::{Run, Target};

/// How many commits the card lists; the rest is behind the compare link.
const LISTED: usize = 8;

/// What is live in each environment, and what this adds.
pub(super) fn summary(run: &Run, facts: &Facts<'_>) -> Vec<Line> {
    let adds = adds(run, facts);
    let (last, before) = match run.pinned.environments.split_last() {
        Some(split) => split,
        None => return Vec::new(),
    };
    let mut lines: Vec<Line> = before.iter().map(|target| live(target, facts)).collect();
    let mut line = live(last, facts);
    line.push("; ".into());
    line.extend(adds);
    lines.push(line);
    if let Some(why) = &run.pinned.revision.unknown {
        lines.push(line![
            Sign::Unknown,
            " Cannot tell which commit this is, because ",
            cut(why, 300),
            "."
        ]);
    }
    if run.change.as_ref().is_some_and(|change| change.backwards) {
        lines.push(line![
            Sign::Notice,
            " ",
            bold("This is a step back:"),
            " what is live already contains ",
            words::digits(&run.pinned.revision),
            "."
        ]);
    }
    lines
}

fn live(target: &Target, facts: &Facts<'_>) -> Line {
    match &target.live {
        Some(live) => {
            line![
                format!("Live on {}: ", target.environment),
                words::digits(&live.revision),
                format!(" ({})", lasting(live.since, facts.now))
            ]
        }
        None => line![format!("What is live on {} is not known", target.environment)],
    }
}

/// "this adds 4 commits, 1 migration", or why that cannot be told.
pub(in crate::view) fn adds(run: &Run, facts: &Facts<'_>) -> Line {
    let Some(change) = &run.change else {
        return line!["what this adds is being looked up…"];
    };
    let mut line = match (&change.unknown, change.total) {
        (Some(why), 0) => return line!["cannot tell what this adds, because ", cut(why, 300)],
        (_, 0) if change.backwards => return line!["this adds nothing"],
        (_, 0) => return line!["this adds nothing: the same code is live"],
        (_, total) => line!["this adds ", bold(count(total, "commit"))],
    };
    line.extend(migrations(change, facts));
    if let Some(why) = &change.unknown {
        line.extend(line!["; cannot tell everything, because ", cut(why, 300)]);
    }
    line
}

/// What is on board, once people have decided: how much, and over what.
pub(super) fn brief(run: &Run, facts: &Facts<'_>) -> Line {
    let Some(change) = run.change.as_ref().filter(|change| change.total > 0) else {
        return Line::new();
    };
    let mut line = line![count(change.total, "commit")];
    line.extend(migrations(change, facts));
    if let [Target { live: Some(live), .. }] = run.pinned.environments.as_slice() {
        line.extend(line![" over ", words::digits(&live.revision)]);
    }
    line
}

/// How many migrations are touched, where the service says what a migration is.
fn migrations(change: &Change, facts: &Facts<'_>) -> Line {
    if facts.service.migrations.is_empty() {
        return Line::new();
    }
    match (words::migrations(change, facts).len(), change.files_complete) {
        (0, true) => line![", no migration"],
        // Why not is said behind it, where that is known.
        (0, false) if change.unknown.is_some() => line![", cannot tell whether migrations"],
        (0, false) => line![", cannot tell whether migrations: the list of files is cut"],
        (touched, true) => line![", ", bold(count(touched, "migration"))],
        (touched, false) => line![", ", bold(format!("at least {}", count(touched, "migration")))],
    }
}

/// The commits, newest first, and who wrote them by the name that git has: a card must not call everyone who ever wrote a line of it.
pub(super) fn commits(run: &Run) -> Vec<Line> {
    let Some(change) = &run.change else { return Vec::new() };
    let mut lines: Vec<Line> = change.commits.iter().rev().take(LISTED).map(commit).collect();
    let left = change.total.max(change.commits.len()) - lines.len();
    let compare = change.compare_url.clone().map(|url| {
        vec![Inline::Link {
            url,
            text: "compare on GitHub".to_owned(),
        }]
    });
    let more = (left > 0 && !lines.is_empty()).then(|| line![format!("and {left} more")]);
    let last = joined([more, compare].into_iter().flatten().collect(), DOT);
    if !last.is_empty() {
        lines.push(last);
    }
    lines
}

fn commit(commit: &Commit) -> Line {
    let short: String = commit.sha.chars().take(7).collect();
    let digits = match &commit.url {
        Some(url) => Inline::Link {
            url: url.clone(),
            text: short,
        },
        None => Inline::Code(short),
    };
    line![digits, " ", cut(&commit.title, 72), " — ", cut(&commit.author, 40)]
}

/// Who wrote how much, when the commits are too many to be listed in full.
pub(super) fn authors(run: &Run) -> Line {
    let Some(change) = run.change.as_ref().filter(|change| change.commits.len() > LISTED) else {
        return Line::new();
    };
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for commit in &change.commits {
        *by.entry(commit.author.as_str()).or_default() += 1;
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(name, commits)| (std::cmp::Reverse(*commits), *name));
    let mut names: Vec<String> = by
        .iter()
        .take(6)
        .map(|(name, commits)| format!("{} ({commits})", cut(name, 40)))
        .collect();
    if by.len() > names.len() {
        names.push(format!("{} more", by.len() - names.len()));
    }
    line![format!("By {}", names.join(", "))]
}

//! Whether now is a good time: gates that ask about state, and checks.

use super::super::message::{DateStyle, Line, Sign, bold, code};
use super::super::people;
use super::super::words::{DOT, cut};
use crate::catalog::{CheckName, Tier};
use crate::check::{Level, Verdict};
use crate::decision::Refusal;
use crate::facts::Facts;
use crate::reason::Reason;
use crate::run::Run;
use crate::time::Timestamp;

/// How much of a check's evidence stands on the card.
const EVIDENCE: usize = 3;

/// What is in the way for everyone, whoever asks. Checks have their own lines, and commits that are still looked up say so themselves.
pub(super) fn in_the_way(refusals: &[Refusal], run: &Run) -> Vec<Line> {
    let said_elsewhere =
        |reason: Reason| reason == Reason::Checks || (reason == Reason::UnknownAuthor && run.change.is_none());
    refusals
        .iter()
        .filter(|refusal| !said_elsewhere(refusal.reason))
        .map(|refusal| {
            let mut line = line![sign_of(refusal.reason), " "];
            line.extend(refusal.message.iter().cloned());
            line
        })
        .collect()
}

/// The sign of a refusal.
pub(in crate::view) const fn sign_of(reason: Reason) -> Sign {
    match reason {
        Reason::Frozen => Sign::Frozen,
        Reason::Locked => Sign::Locked,
        _ => Sign::Bad,
    }
}

/// What is not in the way, in one line.
pub(super) fn clear(refusals: &[Refusal], run: &Run, facts: &Facts<'_>) -> Line {
    let refused: Vec<Reason> = refusals.iter().map(|refusal| refusal.reason).collect();
    let environments = people::environments(facts, run);
    let mut words: Vec<String> = Vec::new();
    for (reason, clear) in [
        (Reason::Frozen, "no freeze"),
        (Reason::Locked, "no lock"),
        (Reason::Claimed, "no other run under way"),
    ] {
        if !refused.contains(&reason) {
            words.push(clear.to_owned());
        }
    }
    if !refused.contains(&Reason::Order) {
        words.extend(
            environments
                .iter()
                .filter_map(|environment| Some(format!("succeeded on {}", environment.promotes_from.as_ref()?))),
        );
    }
    if words.is_empty() || environments.is_empty() {
        return Line::new();
    }
    line![Sign::Good, " ", words.join(DOT)]
}

/// Every check that any of the run's environments wants.
pub(super) fn checks(run: &Run, facts: &Facts<'_>) -> Vec<Line> {
    let mut seen: Vec<(&CheckName, bool)> = Vec::new();
    for environment in people::environments(facts, run) {
        let production = environment.tier == Tier::Production;
        for name in &environment.checks {
            match seen.iter_mut().find(|(known, _)| *known == name) {
                Some((_, strict)) => *strict |= production,
                None => seen.push((name, production)),
            }
        }
    }
    seen.into_iter()
        .map(|(name, strict)| check(name, run.verdicts.get(name), strict, facts.now))
        .collect()
}

/// One check. What is unknown, or too old to decide on, is never shown as good; `strict` says whether that stops an approval.
pub(super) fn check(name: &CheckName, verdict: Option<&Verdict>, strict: bool, now: Timestamp) -> Line {
    let stops = if strict { " This stops an approval." } else { "" };
    let title = bold(cut(&name.0, 60));
    let Some(verdict) = verdict else {
        return line![Sign::Unknown, " ", title, ": not looked at yet.", stops];
    };
    let as_of = verdict.as_of.shown(DateStyle::Time);
    let reason = sentence(&verdict.reason);
    if verdict.is_stale(now) && verdict.level != Level::Bad {
        return line![
            Sign::Unknown,
            " ",
            title,
            ": too old to decide on, last looked at ",
            as_of,
            " (then: ",
            reason,
            ")",
            stops
        ];
    }
    let mut line = line![sign(verdict.level), " ", title, ": "];
    if verdict.level == Level::Unknown {
        line.push("unknown. ".into());
    }
    // The time in brackets ends a good line, so a full stop before it would be one too many.
    let good = verdict.level == Level::Good;
    let reason = if good { reason.trim_end_matches('.') } else { &reason };
    line.push(reason.into());
    if verdict.level != Level::Good {
        let more = verdict.evidence.len().saturating_sub(EVIDENCE);
        for item in verdict.evidence.iter().take(EVIDENCE) {
            line.extend(line![" ", code(cut(item, 80))]);
        }
        if more > 0 {
            line.push(format!(" and {more} more").into());
        }
    }
    line.extend(line![" (", as_of, ")"]);
    match verdict.level {
        Level::Bad => line.push(" This stops an approval.".into()),
        Level::Unknown => line.push(stops.into()),
        Level::Good | Level::Notice => {}
    }
    line
}

/// The sign of a level.
pub(in crate::view) const fn sign(level: Level) -> Sign {
    match level {
        Level::Good => Sign::Good,
        Level::Notice => Sign::Notice,
        Level::Unknown => Sign::Unknown,
        Level::Bad => Sign::Bad,
    }
}

/// Foreign words as one sentence with an end.
fn sentence(words: &str) -> String {
    let words = cut(words, 200);
    if words.ends_with(['.', '!', '?', '…']) {
        words
    } else {
        format!("{words}.")
    }
}

//! The steps of a runbook's run, line by line.

use crate::facts::Facts;
use crate::operation::{Failure, Operation, Phase, Status, StepState, backward::is_followed};
use crate::runbook::Step;
use crate::step::{CANNOT_TELL, Conduct, WRONG_ORDER};
use crate::view::message::{Inline, Line, Sign, bold};
use crate::view::people::named;
use crate::view::words::{DOT, count, cut, joined, length};

/// How many steps are listed one by one; of more, those that are done are counted, or while a person is asked those that are ahead: what was seen before
/// a question is what the answer rests on.
const LISTED: usize = 24;
/// How many of those that were done last stay listed while the card is about what goes on, or went wrong, now: the others would only hide it on a phone.
const JUST_DONE: usize = 3;
/// How many lines of evidence a step shows on the card.
const EVIDENCE: usize = 6;
/// And in a plan, which is made to be read.
const PLANNED: usize = 24;

/// Every step in a line or more; those that are done are counted when there are too many.
pub(super) fn steps(operation: &Operation, facts: &Facts<'_>) -> Vec<Line> {
    let all: Vec<_> = operation
        .all()
        .filter(|(step, state)| !step.remedy || state.phase != Phase::Ahead)
        .collect();
    let settled = all.iter().take_while(|(_, state)| state.phase.is_settled()).count();
    let ahead = all
        .iter()
        .rev()
        .take_while(|(_, state)| state.phase == Phase::Ahead)
        .count();
    let over = all.len().saturating_sub(LISTED);
    let ended = operation.ended().is_some();
    let (first, last) = match operation.status {
        // A plan is made to be read whole.
        _ if operation.is_plan() => (0, 0),
        // What an end has left undone is one line, however much it is; so there may be room for all that was done.
        _ if ended && ahead > 1 => ((over.saturating_sub(ahead)).min(settled), ahead),
        _ if is_asking(operation) => (0, over.min(ahead)),
        Status::Running | Status::Stopped => (settled.saturating_sub(JUST_DONE), 0),
        _ => (over.min(settled), 0),
    };
    // One line instead of one line would only hide something.
    let first = if first > 1 { first } else { 0 };
    let mut lines = Vec::new();
    if first > 0 {
        lines.push(folded(&all[..first]));
    }
    let shown = all.len() - last;
    for (step, state) in all.into_iter().take(shown).skip(first) {
        lines.extend(step_lines(operation, facts, step, state));
    }
    if last > 0 && ended {
        lines.push(line![format!("{} were not begun", count(last, "step"))]);
    } else if last > 0 {
        lines.push(line![format!("and {} more", count(last, "step"))]);
    }
    lines
}

/// Whether a person is asked, who judges by everything that was seen.
fn is_asking(operation: &Operation) -> bool {
    operation.all().any(|(_, state)| state.phase.is_asking())
}

/// `✅ 9 steps done · 2 left out`.
fn folded(steps: &[(&Step, &StepState)]) -> Line {
    let left_out = steps.iter().filter(|(_, state)| state.phase == Phase::Skipped).count();
    let mut parts = vec![line![bold(format!("{} done", count(steps.len() - left_out, "step")))]];
    parts.extend((left_out > 0).then(|| line![format!("{left_out} left out")]));
    let mut line = line![Sign::Good, " "];
    line.extend(joined(parts, DOT));
    line
}

fn step_lines(operation: &Operation, facts: &Facts<'_>, step: &Step, state: &StepState) -> Vec<Line> {
    let (sign, words) = match (state.phase, &state.failure) {
        (Phase::Planned, Some(failure)) if failure.code == WRONG_ORDER => (Some(Sign::Bad), "would be refused"),
        (Phase::Planned, Some(failure)) if failure.is_seen() => (Some(Sign::Bad), "not as it has to be"),
        (Phase::Planned, Some(_)) => (Some(Sign::Unknown), "cannot be told yet"),
        (Phase::Planned, None) if state.met => (Some(Sign::Good), ""),
        // What nobody can tell was let pass; it is not good.
        (Phase::Done, _) if state.evidence.iter().any(|words| is_unknown(words)) => (Some(Sign::Unknown), ""),
        // Its condition did not hold: as the runbook means it, so nothing to be warned of.
        (Phase::Skipped, None) if state.by.is_none() => {
            return vec![line![format!(
                "{}{}{DOT}left out, {}",
                number(operation, step),
                cut(&step.title, 100),
                state.evidence.first().map_or("", String::as_str)
            )]];
        }
        (Phase::Watching, _)
            if operation.undone_by.is_some() && operation.ended().is_none() && is_followed(step, state) =>
        {
            (Some(Sign::Running), "has no way back, so its end is waited for")
        }
        (Phase::Watching, _) if is_blind(state) => (Some(Sign::Unknown), "watched"),
        _ => standing(state.phase, operation.ended().is_some()),
    };
    let title = format!("{}{}", number(operation, step), cut(&step.title, 100));
    let mut line = match sign {
        Some(sign) => line![sign, " ", bold(title)],
        // What is still ahead, or only looked at, has no sign: nothing is good or bad about it.
        None if state.phase == Phase::Planned => line![bold(title)],
        None => line![title],
    };
    let mut parts: Vec<Line> = vec![if words.is_empty() { Line::new() } else { line![words] }];
    if let (Some(began), Some(ended), Phase::Done) = (state.began, state.ended, state.phase) {
        let took = began.age(ended);
        parts.extend((took.0 >= 1000).then(|| line![length(took)]));
    }
    if let (Some(progress), true) = (&state.progress, is_under_way(state.phase)) {
        parts.push(linked(&progress.words, 160));
    }
    // How long it usually takes says nothing about its undo.
    let not_done = matches!(state.phase, Phase::Ahead | Phase::Acting | Phase::Watching);
    if not_done && operation.ended().is_none() {
        parts.extend(step.usual.map(|usual| line![format!("usually {}", length(usual))]));
    }
    parts.extend(answered(facts, step, state));
    parts.extend(state.overran.then(|| line![bold("longer than usual")]));
    let more = joined(parts, DOT);
    if !more.is_empty() {
        line.push(DOT.into());
        line.extend(more);
    }
    let mut lines = vec![line];
    // What was seen before it was done says nothing about how it is taken back.
    if !matches!(state.phase, Phase::Undoing | Phase::UndoWatching) {
        lines.extend(evidence(operation, state));
    }
    if let (Some(progress), true) = (&state.progress, is_under_way(state.phase)) {
        lines.extend(progress.seen.iter().take(EVIDENCE).map(|words| seen(words)));
    }
    lines
}

/// Whether it is being done or watched.
const fn is_under_way(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Acting | Phase::Watching | Phase::Undoing | Phase::UndoWatching
    )
}

/// `by Bruno Lima`: who said yes, ticked it or left it out.
fn answered(facts: &Facts<'_>, step: &Step, state: &StepState) -> Option<Line> {
    // Who only tried a step again has not answered for it.
    let ticked = state.phase == Phase::Skipped || !matches!(step.action.conduct(), Conduct::Calls(_));
    let mut people = state.yes.clone();
    people.extend(state.by.iter().filter(|by| ticked && !state.yes.contains(by)).cloned());
    let settled = matches!(state.phase, Phase::Done | Phase::Skipped);
    (settled && !people.is_empty()).then(|| {
        let mut line = line!["by "];
        line.extend(named(facts, &people));
        line
    })
}

/// `3. `, by its place in the sequence; a remedy has none.
fn number(operation: &Operation, step: &Step) -> String {
    let place = operation.sequence().position(|(other, _)| other.name == step.name);
    place.map_or_else(|| "Remedy: ".to_owned(), |place| format!("{}. ", place + 1))
}

fn evidence(operation: &Operation, state: &StepState) -> Vec<Line> {
    let shown = if operation.is_plan() { PLANNED } else { EVIDENCE };
    let lines = state.evidence.iter().take(shown);
    let mut lines: Vec<Line> = lines.map(|words| seen(words)).collect();
    if let (Phase::Planned, Some(failure)) = (state.phase, &state.failure) {
        lines.push(line![format!("› {}", cut(&failure.words(), 300))]);
    }
    if state.evidence.len() > shown {
        lines.push(line![format!("› and {} more", state.evidence.len() - shown)]);
    }
    lines
}

/// Whether a line of evidence says what nobody can know.
fn is_unknown(words: &str) -> bool {
    words.starts_with(CANNOT_TELL)
}

/// What failed, with what belongs to it in lines below.
pub(super) fn failed(step: &Step, failure: &Failure) -> Vec<Line> {
    let words = failure.words();
    let mut rest = words.lines();
    let mut line = line![Sign::Bad, " ", bold(cut(&step.title, 100)), ": "];
    line.extend(linked(rest.next().unwrap_or_default(), 400));
    std::iter::once(line).chain(below(rest)).collect()
}

/// What belongs to a failure, in lines below it.
pub(super) fn below<'w>(lines: impl Iterator<Item = &'w str>) -> impl Iterator<Item = Line> {
    lines.take(EVIDENCE).map(seen)
}

/// One thing that was seen, or cannot be.
fn seen(words: &str) -> Line {
    let mut line = if is_unknown(words) {
        line![Sign::Unknown, " "]
    } else {
        line!["› "]
    };
    line.extend(linked(words, 160));
    line
}

/// What was seen or said. A page of AWS's own console at its end becomes a link; anything else stays words, for it may be foreign.
pub(super) fn linked(words: &str, limit: usize) -> Line {
    match words.rsplit_once(' ').filter(|(_, url)| is_console(url)) {
        Some((words, url)) => line![
            format!("{} ", cut(words, limit)),
            Inline::Link {
                url: url.to_owned(),
                text: "log".to_owned()
            }
        ],
        None => line![cut(words, limit)],
    }
}

fn is_console(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| host == "console.aws.amazon.com" || host.ends_with(".console.aws.amazon.com"))
}

/// Whether the last look at it saw nothing.
fn is_blind(state: &StepState) -> bool {
    state.progress.as_ref().is_some_and(|progress| progress.blind)
}

/// The sign and the words of a phase; `over`: nothing goes on any more.
const fn standing(phase: Phase, over: bool) -> (Option<Sign>, &'static str) {
    match phase {
        Phase::Ahead | Phase::Planned => (None, ""),
        Phase::Asking | Phase::Confirming if over => (None, "not answered"),
        Phase::Asking | Phase::Confirming => (Some(Sign::Waiting), "waits for a person"),
        Phase::Preparing | Phase::Acting | Phase::Watching if over => (Some(Sign::Unknown), "was under way"),
        Phase::Preparing => (Some(Sign::Running), "looks at what is there"),
        Phase::Acting => (Some(Sign::Running), "under way"),
        Phase::Watching => (Some(Sign::Running), "watched"),
        Phase::Done => (Some(Sign::Good), ""),
        Phase::Skipped => (Some(Sign::Notice), "left out"),
        Phase::Failed => (Some(Sign::Bad), "failed"),
        Phase::Unknown => (Some(Sign::Unknown), "nobody knows whether it was done"),
        Phase::Undoing | Phase::UndoWatching => (Some(Sign::Running), "is being undone"),
        Phase::Undone => (Some(Sign::Notice), "undone"),
        Phase::UndoFailed => (Some(Sign::Bad), "could not be undone"),
    }
}

//! The card between the decision and the end: never one truth too early. "Recorded" is ours to say; "confirmed" is CodePipeline's.

use super::super::buttons::{self, Press};
use super::super::message::{Block, DateStyle, Line, Message, Sign, bold};
use super::super::words::{DOT, cut, headline, joined, length};
use super::{answer, links, shipment, trouble};
use crate::facts::Facts;
use crate::reason::Reason;
use crate::run::{Ballot, DECISION_STANDS, Decision, Run, StageState};
use crate::time::Timestamp;

/// Decided and recorded; CodePipeline is being told.
pub(super) fn answering(run: &Run, facts: &Facts<'_>) -> Message {
    let (sign, standing) = answering_standing(run, facts);
    let mut lines = Vec::new();
    let mut buttons = Vec::new();
    if let Some(decision) = &run.decision {
        lines.extend(answer::decided(run, decision));
        match &run.trouble {
            None => lines.push(line![
                "Recorded ",
                decision.at.shown(DateStyle::Seconds),
                ", telling CodePipeline…"
            ]),
            Some(found) => {
                lines.push(line![
                    "Recorded ",
                    decision.at.shown(DateStyle::Seconds),
                    "; CodePipeline has not confirmed it."
                ]);
                lines.push(trouble(found, "Look at the execution in AWS."));
                let stands = facts.now < decision.at + DECISION_STANDS;
                lines.push(what_next(found.reason, decision, stands));
                buttons.extend(stands.then(|| buttons::on(run, Press::AnswerAgain, facts)));
            }
        }
    }
    Message::headed(headline(sign, run, &standing), lines)
        .with(Block::Actions(buttons))
        .with(Block::Context(small_print(run, facts)))
}

/// Where a decided run stands, in a few words.
pub(super) fn answering_standing(run: &Run, facts: &Facts<'_>) -> (Sign, String) {
    let Some(decision) = &run.decision else {
        return (Sign::Running, "telling CodePipeline…".to_owned());
    };
    let (sign, what) = match &run.trouble {
        None => (under_way(run), "telling CodePipeline…"),
        Some(found) if found.reason == Reason::AwsRefused => (Sign::Bad, "AWS refused the answer"),
        Some(_) => (Sign::Bad, "nobody knows whether CodePipeline has the answer"),
    };
    (sign, format!("{}{DOT}{what}", answer::by(decision, facts)))
}

/// The sign of a run that goes on as it should, or as somebody with a hammer wants.
fn under_way(run: &Run) -> Sign {
    if run.decision.as_ref().is_some_and(|decision| decision.overridden) {
        Sign::Override
    } else {
        Sign::Running
    }
}

fn what_next(reason: Reason, decision: &Decision, stands: bool) -> Line {
    if !stands {
        return line![
            "The decision is older than 10 minutes and is not sent again. If the request still waits in AWS, answer it there; this card follows by itself."
        ];
    }
    if reason == Reason::AwsRefused {
        line![
            "When the cause is mended, press ",
            bold("Tell CodePipeline again"),
            "; at ",
            (decision.at + DECISION_STANDS).shown(DateStyle::Time),
            " the votes lapse and people decide again."
        ]
    } else {
        line![
            "If the request still waits there, press ",
            bold("Tell CodePipeline again"),
            ": nothing is sent twice. If it is answered, this card follows by itself."
        ]
    }
}

/// CodePipeline has the answer; the execution is followed.
pub(super) fn following(run: &Run, facts: &Facts<'_>) -> Message {
    let rejected = is_rejected(run);
    let standing = following_standing(run, facts);
    let sign = if run.trouble.is_some() {
        Sign::Bad
    } else {
        under_way(run)
    };
    let mut lines = Vec::new();
    if let Some(decision) = &run.decision {
        lines.extend(answer::decided(run, decision));
    }
    lines.extend(run.answer.as_ref().map(|answer| answer::confirmed(run, answer)));
    lines.extend(run.answer.as_ref().and_then(answer::out_of_turn));
    let mut progress: Vec<Line> = Some(stages(run)).filter(|line| !line.is_empty()).into_iter().collect();
    if !rejected {
        progress.extend(timing(run, facts));
    }
    progress.extend(latest_failure(run));
    progress.extend(run.trouble.as_ref().map(|found| {
        trouble(
            found,
            "Look at the execution in AWS; this card follows what happens there.",
        )
    }));
    let stop = if rejected {
        Vec::new()
    } else {
        vec![buttons::on(run, Press::Stop, facts)]
    };
    Message::headed(headline(sign, run, &standing), lines)
        .with(Block::Section(progress))
        .with(Block::Actions(stop))
        .with(Block::Context(small_print(run, facts)))
}

/// Where a followed run stands, in a few words.
pub(super) fn following_standing(run: &Run, facts: &Facts<'_>) -> String {
    let stage = run.stages.iter().position(|stage| {
        matches!(
            stage.state,
            StageState::Running | StageState::Failed | StageState::Stopped
        )
    });
    let place = stage
        .and_then(|index| {
            Some(format!(
                "{DOT}{} ({} of {})",
                cut(&run.stages.get(index)?.name, 40),
                index + 1,
                run.stages.len()
            ))
        })
        .unwrap_or_default();
    match (answer::outcome(run, facts), is_rejected(run)) {
        (what, true) => format!("{what}{DOT}waiting for it to end"),
        (what, false) => format!("{what}{DOT}releasing{place}"),
    }
}

fn is_rejected(run: &Run) -> bool {
    run.answer
        .as_ref()
        .is_some_and(|answer| answer.ballot == Ballot::Reject)
}

/// The stages in order, neighbors in the same state together.
pub(super) fn stages(run: &Run) -> Line {
    let mut groups: Vec<(StageState, Vec<String>)> = Vec::new();
    for stage in &run.stages {
        let name = cut(&stage.name, 40);
        match groups.last_mut() {
            Some((state, names)) if *state == stage.state => names.push(name),
            _ => groups.push((stage.state, vec![name])),
        }
    }
    let parts = groups.into_iter().map(|(state, names)| {
        let names = names.join(", ");
        match state {
            StageState::Succeeded => line![Sign::Good, format!(" {names} done")],
            StageState::Running => line![Sign::Running, " ", bold(names), " running"],
            StageState::Failed => line![Sign::Bad, " ", bold(names), " failed"],
            StageState::Stopped => line![Sign::Bad, " ", bold(names), " stopped"],
            StageState::Unknown => line![Sign::Unknown, format!(" {names} in an unknown state")],
            StageState::Ahead => line![format!("{names} ahead")],
        }
    });
    joined(parts.collect(), DOT)
}

/// When a release of this kind would usually be over; `None` when nobody knows.
pub(super) fn usual_end(run: &Run, facts: &Facts<'_>) -> Option<Timestamp> {
    Some(run.answer.as_ref()?.at + facts.desk.usual(run.home())?)
}

fn timing(run: &Run, facts: &Facts<'_>) -> Option<Line> {
    // When it began stands above: that is when CodePipeline confirmed.
    let mut parts = Vec::new();
    match (facts.desk.usual(run.home()), usual_end(run, facts)) {
        (Some(usual), Some(end)) if facts.now > end => parts.push(line![
            Sign::Notice,
            " ",
            bold("Longer than usual"),
            format!(": it usually takes {}", length(usual))
        ]),
        (Some(usual), Some(end)) => parts.push(line![
            format!("Usually takes {}, so until about ", length(usual)),
            end.shown(DateStyle::Time)
        ]),
        _ => {}
    }
    match run.retries {
        0 => {}
        1 => parts.push(line!["retried once"]),
        times => parts.push(line![format!("retried {times} times")]),
    }
    (!parts.is_empty()).then(|| joined(parts, DOT))
}

/// What failed, as long as a stage still stands as failed.
fn latest_failure(run: &Run) -> Option<Line> {
    let failed = |stage: &str| {
        run.stages
            .iter()
            .any(|seen| seen.name == stage && seen.state == StageState::Failed)
    };
    let failure = run.failures.last().filter(|failure| failed(&failure.stage))?;
    Some(line![
        Sign::Bad,
        " ",
        bold(cut(&failure.action, 60)),
        format!(" failed: {}", cut(&failure.message, 160))
    ])
}

fn small_print(run: &Run, facts: &Facts<'_>) -> Vec<Line> {
    let mut parts = vec![shipment::brief(run, facts)];
    parts.extend(links(run, facts));
    Some(joined(parts, DOT))
        .filter(|line| !line.is_empty())
        .into_iter()
        .collect()
}

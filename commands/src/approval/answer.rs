//! Step `answer`: CodePipeline is told what was decided.
//!
//! The executor reads the state again before it speaks, and acts only while token, execution and revision are the run's. Our own answer is known again
//! by the marker in its summary.

use crate::effect::Effect;
use crate::facts::Facts;
use crate::ids::{RecordId, UserId};
use crate::plan::Plan;
use crate::run::{Ballot, DECISION_STANDS, Decision, Run, Status};

/// What CodePipeline keeps of a summary.
const SUMMARY_LIMIT: usize = 512;

/// Claims what is about to change, and owes the answer.
pub(super) fn begin(plan: &mut Plan<'_>, id: &RecordId) {
    let Some(effect) = plan.run(id).and_then(|run| effect(plan.facts, run)) else {
        return;
    };
    if matches!(
        &effect,
        Effect::AnswerApproval {
            ballot: Ballot::Approve,
            ..
        }
    ) {
        plan.claim(id);
    }
    plan.owe(effect);
}

/// Owes the same answer once more, as long as the decision stands. Says whether it does.
pub fn again(plan: &mut Plan<'_>, id: &RecordId) -> bool {
    let Some(run) = plan.run(id) else { return false };
    let stands = run
        .decision
        .as_ref()
        .is_some_and(|decision| plan.facts.now < decision.at + DECISION_STANDS);
    match effect(plan.facts, run) {
        Some(effect) if stands && run.status == Status::Answering => {
            plan.owe(effect);
            true
        }
        _ => false,
    }
}

fn effect(facts: &Facts<'_>, run: &Run) -> Option<Effect> {
    let decision = run.decision.as_ref()?;
    Some(Effect::AnswerApproval {
        run: run.id.clone(),
        round: run.pinned.round.clone(),
        aws: run.pinned.environments.first()?.aws.clone(),
        actor: decision.by.last()?.clone(),
        ballot: decision.ballot,
        summary: summary(facts, run, decision),
        marker: run.marker(),
        good_until: decision.at + DECISION_STANDS,
        revision: run
            .pinned
            .revision
            .commit
            .clone()
            .unwrap_or_else(|| run.pinned.revision.id.clone()),
        parallel: run.pinned.parallel,
    })
}

/// Who, why, and the marker; the marker is never cut off.
fn summary(facts: &Facts<'_>, run: &Run, decision: &Decision) -> String {
    let did = match decision.ballot {
        Ballot::Approve if decision.overridden => "Approved with --override",
        Ballot::Approve => "Approved",
        Ballot::Reject => "Rejected",
    };
    let who: Vec<String> = decision.by.iter().map(|user| name(facts, user)).collect();
    let why = if decision.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", decision.reason)
    };
    let words = format!("{did} by {} in Slack{why}", who.join(", "));
    let marker = run.marker();
    let room = SUMMARY_LIMIT - marker.chars().count() - 1;
    let cut: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(room)
        .collect();
    format!("{cut} {marker}")
}

fn name(facts: &Facts<'_>, user: &UserId) -> String {
    facts
        .people
        .get(user)
        .map_or_else(|| user.to_string(), |person| format!("{} ({user})", person.name))
}

//! What follows maintenance mode that was turned on for a run: whoever asked for both approves it, by the very same gates, in the commit that ends the first.

use super::Verb;
use super::approve::Approve;
use super::pick::Pick;
use crate::decision::{Decision, Reply};
use crate::effect::{Effect, Recipient};
use crate::facts::{Speaker, Via};
use crate::ids::{DeliveryId, RecordId};
use crate::operation::{Operation, Then};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::view;

/// What stands in the journal as the reason of such an approval.
const REASON: &str = "maintenance was turned on first";

/// The decision, with the approval that follows an operation if that has just gone well.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn approve_after(plan: Plan<'_>, id: &RecordId) -> Result<Decision, Illegal> {
    let facts = plan.facts;
    let open = facts.operations.get(id).is_some_and(|before| before.ended().is_none());
    let over = plan
        .operation(id)
        .filter(|now| open && now.ended().is_some())
        .and_then(|now| Some((now.clone(), now.then()?.clone())));
    let mut decision = plan.finish(Reply::None);
    let Some((operation, then)) = over else {
        return Ok(decision);
    };
    let went_well = operation.ended().is_some_and(|(reason, _)| reason == Reason::Succeeded);
    let said = match speaker(&operation, &then).filter(|_| went_well) {
        Some(speaker) => approve(&then).decide(facts, &speaker)?,
        None => Decision::default(),
    };
    if said.is_empty() {
        let why = said.refusals.iter().map(|refusal| refusal.message.clone()).collect();
        let message = view::not_approved_note(&operation, why);
        let now = facts.now;
        let in_thread = Effect::PostInThread {
            run: then.run.clone(),
            name: format!("not-approved/{}", operation.id.short()),
            message: message.clone(),
        };
        let to_them = Effect::Post {
            to: Recipient::User(operation.pinned.starter.clone()),
            marker: format!("{}/not-approved", operation.id),
            message,
        };
        decision.effects.extend([(in_thread, now), (to_them, now)]);
        return Ok(decision);
    }
    // The one is about the run, the other about the operation and the desk: they touch nothing in common.
    decision.changes.extend(said.changes);
    decision.effects.extend(said.effects);
    decision.take.extend(said.take);
    decision.free.extend(said.free);
    Ok(decision)
}

fn approve(then: &Then) -> Approve {
    Approve {
        pick: Pick::Run(then.run.clone()),
        reason: REASON.to_owned(),
        overriding: false,
        ask: false,
    }
}

/// Who pressed the button, where they did.
fn speaker(operation: &Operation, then: &Then) -> Option<Speaker> {
    Some(Speaker {
        user: operation.pinned.starter.clone(),
        team: then.team.clone(),
        channel: then.channel.clone(),
        thread: None,
        via: Via::Button,
        delivery: DeliveryId::parse(operation.id.as_str()).ok()?,
    })
}

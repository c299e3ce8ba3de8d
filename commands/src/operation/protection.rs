//! Steps that do not begin without a young snapshot.

use super::{Failure, Operation, Phase};
use crate::runbook::Step;
use crate::step::{SNAPSHOT_CREATED, SNAPSHOT_ID};
use crate::time::Timestamp;

/// The code of a step that may not begin without a young snapshot.
pub const NO_SNAPSHOT: &str = "no_snapshot";

/// Why a step that needs a young snapshot may not begin. What cannot be known is no snapshot.
pub(super) fn unprotected(operation: &Operation, step: &Step, now: Timestamp) -> Option<Failure> {
    let needs = step.needs_snapshot.as_ref()?;
    let refuse = |why: String| {
        let what_now = "Try again takes a new one first.";
        Some(Failure::new(NO_SNAPSHOT, format!("{why}. {what_now}")))
    };
    let Some((source, found)) = operation.step(&needs.step) else {
        return refuse(format!(
            "it needs a snapshot of step {}, which there is not",
            needs.step
        ));
    };
    let created = found
        .outputs
        .get(SNAPSHOT_CREATED)
        .and_then(|text| Timestamp::parse_utc(text));
    let Some(created) = created.filter(|_| found.phase == Phase::Done) else {
        return refuse(format!(
            "it needs a snapshot younger than {}, and “{}” knows of none",
            needs.younger, source.title
        ));
    };
    let (age, id) = (created.age(now), found.outputs.get(SNAPSHOT_ID));
    if age <= needs.younger {
        return None;
    }
    refuse(format!(
        "it needs a snapshot younger than {}, and {} is {age} old",
        needs.younger,
        id.map_or("the snapshot", String::as_str)
    ))
}

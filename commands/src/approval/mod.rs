//! The steps of the approval runbook: votes are collected, CodePipeline is told, the execution is followed to its end.
//!
//! [`advance`] is the only place that starts a next step. A step says what it owes when it begins; what comes back is heard in [`crate::outcome`]
//! and [`crate::watch`], and ends in `advance` again.

mod answer;
mod follow;
mod votes;

use crate::ids::RecordId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Illegal, Status};

pub use answer::again as answer_again;
pub(crate) use follow::end;

/// The runbook that every approval run follows; its text is pinned in the run.
pub const APPROVAL_RUNBOOK: &str = "\
# votes are collected, then CodePipeline is told, then the execution is followed
steps = [\"approval\", \"answer\", \"follow\"]
";

/// Looks whether the step a run is in is done, and begins the next one. `overridden` holds the gates that a broken glass passed, if it was.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub fn advance(plan: &mut Plan<'_>, id: &RecordId, overridden: Option<Vec<Reason>>) -> Result<(), Illegal> {
    let Some(run) = plan.run(id) else { return Ok(()) };
    match run.status {
        Status::Waiting => {
            if votes::settle(plan, id, overridden)? {
                answer::begin(plan, id);
            }
        }
        // What goes on outside is heard of by outcomes and observations; those end the step.
        Status::Answering | Status::Following | Status::Ended { .. } => {}
    }
    Ok(())
}

//! What an earlier try of a step began and nobody saw the end of: the next try follows it, so that no second build or command runs beside the first.

use commands::effect::{CallPhase, StepCall, StepOutcome};
use serde_json::{Value, json};

use super::{At, Executor, Probe, StepError, found};

/// Where a memo keeps the mark of the try that is followed.
const FOLLOWED: &str = "followed";

/// The mark of the earlier try that this one follows.
pub(super) fn marker(call: &StepCall) -> Option<&str> {
    call.memo[FOLLOWED].as_str()
}

/// Looks for what the try before this one began. Still under way, or ended well since: it is what this try follows. Failed, or never begun: nothing, and
/// this try begins anew.
pub(super) async fn followed(kind: &dyn Executor, at: At<'_>) -> Result<Option<StepOutcome>, StepError> {
    let (true, Some(named)) = (at.call.unseen && at.call.number > 1, kind.began(&at.call.memo)) else {
        return Ok(None);
    };
    let mut call = StepCall {
        number: at.call.number - 1,
        phase: CallPhase::Act,
        ..at.call.clone()
    };
    if !named {
        let memo = match kind.probe(At { call: &call, ..at }).await? {
            Probe::Done(StepOutcome::Acted { memo }) => memo,
            Probe::Done(_) | Probe::NotDone | Probe::CannotTell(_) => return Ok(None),
        };
        call.memo = memo;
    }
    call.phase = CallPhase::Watch;
    call.memo[FOLLOWED] = json!(At { call: &call, ..at }.marker());
    let evidence = match kind.watch(At { call: &call, ..at }).await {
        Ok(StepOutcome::Pending { .. }) => "what an earlier try began is followed, nothing is begun beside it",
        Ok(_) => "what an earlier try began has ended well since: nothing is begun a second time",
        Err(StepError::Failed { .. }) => return Ok(None),
        Err(later @ StepError::Later(_)) => return Err(later),
    };
    Ok(Some(found(call.memo, vec![evidence.to_owned()])))
}

/// Whether a memo has one of these fields.
pub(super) fn names(memo: &Value, fields: &[&str]) -> bool {
    fields.iter().any(|field| !memo[*field].is_null())
}

//! CodePipeline's API over the pipelines of the account.

mod definition;
mod executions;
mod state;
mod write;

use serde_json::Value;

use super::account::Account;
use super::args::Args;
use super::error::AwsError;
use super::service::{Request, Service};
use super::sts::Caller;

/// CodePipeline on the wire.
pub(crate) const SERVICE: Service = Service::json("CodePipeline_20150709", carry_out);

fn carry_out(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    call(account, request.operation, request.args, request.caller)
}

/// Carries out an operation; `None` when it is not one of those offered.
pub(crate) fn call(
    account: &mut Account,
    operation: &str,
    args: Args<'_>,
    caller: &Caller,
) -> Option<Result<Value, AwsError>> {
    Some(match operation {
        "ListPipelines" => definition::list_pipelines(account, args),
        "GetPipeline" => definition::get_pipeline(account, args),
        "GetPipelineState" => state::get_pipeline_state(account, args),
        "GetPipelineExecution" => executions::get_pipeline_execution(account, args),
        "ListPipelineExecutions" => executions::list_pipeline_executions(account, args),
        "ListActionExecutions" => executions::list_action_executions(account, args),
        "PutApprovalResult" => write::put_approval_result(account, args, caller),
        "StartPipelineExecution" => write::start_pipeline_execution(account, args, caller),
        "StopPipelineExecution" => write::stop_pipeline_execution(account, args),
        "RetryStageExecution" => write::retry_stage_execution(account, args),
        "DisableStageTransition" => write::disable_stage_transition(account, args, caller),
        "EnableStageTransition" => write::enable_stage_transition(account, args, caller),
        _ => return None,
    })
}

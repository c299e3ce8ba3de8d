//! `job`: one start for each try of the step, found again by its marker, and followed to its end.

mod awx;
mod circleci;
mod jenkins;

use async_trait::async_trait;
use commands::credential::Auth;
use commands::effect::StepOutcome;
use commands::step::{CANNOT_TELL, Job, MARKER};
use serde_json::Value;

use super::earlier::names;
use super::listed::{Servers, Trouble};
use super::{Answer, At, Executor, Probe, StepError, blind, found, told_by_log};

/// How many of the newest builds or jobs are looked at.
const LOOKED_AT: usize = 50;
/// After so many attempts what a log says is unknown.
const TRIES: u32 = 4;

/// A build server, as one step speaks to it.
#[async_trait]
trait Server: Send + Sync {
    async fn prepare(&self, at: At<'_>) -> Answer;
    async fn act(&self, at: At<'_>) -> Answer;
    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError>;
    async fn watch(&self, at: At<'_>) -> Result<StepOutcome, Trouble>;

    /// The end of the log of what was started; nothing where the server has none that could be read in one piece.
    async fn log(&self, _: At<'_>) -> Result<Option<String>, Trouble> {
        Ok(None)
    }
}

#[async_trait]
impl Executor for Job {
    async fn prepare(&self, at: At<'_>) -> Answer {
        server(self, at)?.prepare(at).await
    }

    async fn act(&self, at: At<'_>) -> Answer {
        server(self, at)?.act(at).await
    }

    fn began(&self, memo: &Value) -> Option<bool> {
        (!holds(self)).then(|| names(memo, &["queue", "number", "job", "pipeline"]))
    }

    fn comes_late(&self) -> bool {
        !holds(self)
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        server(self, at)?.probe(at).await
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let server = server(self, at)?;
        match server.watch(at).await {
            Err(Trouble::Never(StepError::Failed { code, message })) if has_ended(&code) => {
                Err(explained(&*server, at, (code, message)).await)
            }
            // A job goes on whether it can be seen or not.
            Err(Trouble::NotDone(why) | Trouble::Unknown(why)) => Ok(blind(at.call.memo.clone(), &why)),
            came => Ok(came?),
        }
    }
}

/// Whether it approves a hold: after a look, whichever try it is, in a pipeline that another step has started.
fn holds(job: &Job) -> bool {
    job.circleci.as_ref().is_some_and(|step| step.pipeline.is_some())
}

/// Whether a failure is that of the job, and not of our look at it.
fn has_ended(code: &str) -> bool {
    code.starts_with("build_") || code.starts_with("job_")
}

/// A failure with what the job's log says of it. That it cannot be read is said below it.
async fn explained(server: &dyn Server, at: At<'_>, (code, message): (String, String)) -> StepError {
    let why = match server.log(at).await {
        Ok(log) => return told_by_log::explained(at, (code, message), &log.into_iter().collect::<Vec<_>>()),
        Err(Trouble::NotDone(why) | Trouble::Unknown(why)) if at.attempt < TRIES => return StepError::Later(why),
        Err(Trouble::NotDone(why) | Trouble::Unknown(why) | Trouble::Refused(_, why)) => why,
        Err(Trouble::Never(StepError::Later(why) | StepError::Failed { message: why, .. })) => why,
    };
    told_by_log::with((code, message), &[format!("{CANNOT_TELL} what its log says: {why}")])
}

fn server<'a>(job: &'a Job, at: At<'a>) -> Result<Box<dyn Server + 'a>, StepError> {
    let servers = |auth| Servers::new(at, "job", Some((&job.secret_env, auth)));
    match (&job.jenkins, &job.circleci, &job.awx) {
        (Some(step), None, None) => {
            let servers = servers(Auth::Basic(Some(step.user.clone())))?;
            Ok(Box::new(jenkins::Server { step, servers }))
        }
        (None, Some(step), None) => {
            let servers = servers(Auth::Header("Circle-Token".to_owned()))?;
            Ok(Box::new(circleci::Server { step, servers }))
        }
        (None, None, Some(step)) => {
            let servers = servers(Auth::Bearer)?;
            Ok(Box::new(awx::Server { step, servers }))
        }
        _ => Err(StepError::failed("bad_job", "it names no server, or several")),
    }
}

/// What was found, with something left to do.
fn ready(memo: Value, evidence: String) -> StepOutcome {
    found(memo, vec![evidence])
}

/// It ended well.
fn ended(outputs: &[(&str, String)], evidence: String) -> StepOutcome {
    StepOutcome::Finished {
        outputs: outputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        evidence: vec![evidence],
    }
}

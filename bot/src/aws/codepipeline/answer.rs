//! Answering a request for approval, so that one decision is one answer.
//!
//! The token is the fence: CodePipeline takes one answer for it. What remains is to know afterwards whether the answer that is there is ours: every answer
//! carries the decision's marker in its summary, and the answers of *our* execution say whose they are. Another execution's request, however much it
//! looks like ours, is never answered.

use aws_sdk_codepipeline::types::{ApprovalResult, ApprovalStatus};
use commands::catalog::AwsTarget;
use commands::effect::Outcome;
use commands::ids::UserId;
use commands::round::Round;
use commands::run::Ballot;
use commands::time::Timestamp;
use commands::watch::Answered;

use super::executions::millis;
use super::{CodePipeline, Token, View};
use crate::aws::Actor;
use crate::aws::clients::{Attempts, Within};
use crate::aws::error::AwsError;
use crate::door::Lease;

/// The longest summary CodePipeline keeps.
const SUMMARY: usize = 512;

/// A decision to be carried out.
#[derive(Debug, Clone)]
pub struct ApprovalAnswer<'a> {
    /// The request.
    pub round: &'a Round,
    /// Through which account.
    pub aws: &'a AwsTarget,
    /// In whose name.
    pub actor: &'a UserId,
    /// Yes or no.
    pub ballot: Ballot,
    /// What CodePipeline keeps, with the marker in it.
    pub summary: &'a str,
    /// By which our answer is known.
    pub marker: &'a str,
    /// Later than this the decision is not carried out.
    pub good_until: Timestamp,
    /// The revision that was decided on: its commit, or its id where no commit is known.
    pub revision: &'a str,
    /// Which try this is, from 1. Another than the first begins with a look at what the one before did.
    pub attempt: u32,
    /// The worker's lease.
    pub lease: Lease,
}

/// What there is to see of answers at a gate of one execution.
enum Trace {
    /// Our answer to this very decision.
    Ours(Timestamp),
    /// Another answer, and no request is open any more: that is the last word.
    Theirs(Answered),
    /// No answer to the open request.
    None,
}

impl CodePipeline {
    /// Carries out a decision.
    ///
    /// Comes back with [`Outcome::AnswerTaken`], [`Outcome::AnsweredElsewhere`], [`Outcome::NotCurrent`], [`Outcome::TooLate`] or [`Outcome::Refused`].
    ///
    /// # Errors
    /// With what another try may mend: nothing was done, or it is unknown, and the next try begins with a look.
    pub async fn answer_approval(&self, answer: &ApprovalAnswer<'_>) -> Result<Outcome, AwsError> {
        let within = Within {
            target: answer.aws,
            actor: &Actor::Bot,
            lease: answer.lease,
        };
        let pipeline = &answer.round.gate.name;
        let state = match self.state(within, pipeline).await {
            Err(AwsError::Fatal { code, message }) => return Ok(Outcome::Refused { code, message }),
            state => state?,
        };
        let definition = self.definition(within, pipeline, &state).await?;
        let view = View {
            within,
            pipeline,
            definition: &definition,
            state: &state,
        };
        if answer.attempt > 1
            && let Trace::Ours(at) = self.trace(view, answer.round, Some(answer.marker)).await?
        {
            return Ok(Outcome::AnswerTaken { at });
        }
        if self.clock.now() > answer.good_until {
            return Ok(Outcome::TooLate);
        }
        let Some(token) = self.token(view, answer.round).await? else {
            return self.gone(view, answer).await;
        };
        if !self.carries(view, answer).await? {
            let why = "the execution carries another revision than was decided on".to_owned();
            return Ok(Outcome::NotCurrent { why });
        }
        match self.put(answer, token).await {
            Ok(at) => Ok(Outcome::AnswerTaken { at }),
            Err(error) => self.after(view, answer, error).await,
        }
    }

    /// The answer that this gate of this execution has, when no request is open there; the newest when it was asked more than once.
    ///
    /// # Errors
    /// See [`AwsError`]; nothing was changed.
    pub async fn answered(&self, aws: &AwsTarget, round: &Round, lease: Lease) -> Result<Option<Answered>, AwsError> {
        let within = Within {
            target: aws,
            actor: &Actor::Bot,
            lease,
        };
        let state = self.state(within, &round.gate.name).await?;
        let definition = self.definition(within, &round.gate.name, &state).await?;
        let view = View {
            within,
            pipeline: &round.gate.name,
            definition: &definition,
            state: &state,
        };
        match self.trace(view, round, None).await? {
            Trace::Theirs(answered) => Ok(Some(answered)),
            Trace::Ours(_) | Trace::None => Ok(None),
        }
    }

    /// Without a marker no answer is ours.
    async fn trace(&self, view: View<'_>, round: &Round, marker: Option<&str>) -> Result<Trace, AwsError> {
        let actions = self.actions_of(view, &round.execution).await?;
        let answered: Vec<_> = actions
            .answered()
            .into_iter()
            .filter(|one| one.gate == round.gate)
            .collect();
        let ours = |one: &&Answered| marker.is_some_and(|marker| one.summary.contains(marker));
        if let Some(ours) = answered.iter().rfind(ours) {
            return Ok(Trace::Ours(ours.at));
        }
        // While a request is open, the answers that are there were given to earlier ones.
        let last = answered
            .into_iter()
            .next_back()
            .filter(|_| !actions.is_open(&round.gate));
        Ok(last.map_or(Trace::None, Trace::Theirs))
    }

    /// The token of the request that was decided on, if that is open: gate, execution and hash have to be the round's.
    async fn token(&self, view: View<'_>, round: &Round) -> Result<Option<Token>, AwsError> {
        if view.definition.parallel {
            // Its own actions tell. A look at everything that runs beside it stops after the newest.
            let actions = self.actions_of(view, &round.execution).await?;
            let mut tokens = actions.open_tokens().into_iter();
            let own = tokens.find(|(gate, token, _)| {
                *gate == round.gate && commands::digest::full(token.as_bytes()) == round.token_hash
            });
            return Ok(own.map(|(_, token, _)| Token(token.to_owned())));
        }
        let open = self.open(view).await?.into_iter().find(|one| {
            one.gate == round.gate && one.execution == round.execution && one.token.hash() == round.token_hash
        });
        Ok(open.map(|open| open.token))
    }

    async fn carries(&self, view: View<'_>, answer: &ApprovalAnswer<'_>) -> Result<bool, AwsError> {
        let revision = self.carried(view, &answer.round.execution).await?.revision;
        Ok(revision.commit.as_deref() == Some(answer.revision) || revision.id == answer.revision)
    }

    /// What became of a request that is not open.
    async fn gone(&self, view: View<'_>, answer: &ApprovalAnswer<'_>) -> Result<Outcome, AwsError> {
        let not_current = |why: &str| Outcome::NotCurrent { why: why.to_owned() };
        Ok(match self.trace(view, answer.round, Some(answer.marker)).await? {
            Trace::Ours(at) => Outcome::AnswerTaken { at },
            Trace::Theirs(answered) if answered.ballot.is_some() => Outcome::AnsweredElsewhere { answered },
            Trace::Theirs(_) => not_current("the request expired, or the execution was stopped"),
            Trace::None => not_current("the request for approval is no longer open"),
        })
    }

    async fn put(&self, answer: &ApprovalAnswer<'_>, token: Token) -> Result<Timestamp, AwsError> {
        let actor = Actor::Person(answer.actor.clone());
        let acting = Within {
            target: answer.aws,
            actor: &actor,
            lease: answer.lease,
        };
        let client = self.clients.codepipeline(acting, Attempts::Once).await?;
        let status = match answer.ballot {
            Ballot::Approve => ApprovalStatus::Approved,
            Ballot::Reject => ApprovalStatus::Rejected,
        };
        let result = ApprovalResult::builder()
            .status(status)
            .summary(answer.summary.chars().take(SUMMARY).collect::<String>())
            .build()
            .map_err(|_| AwsError::fatal("InvalidRequest", "the answer could not be built"))?;
        let gate = &answer.round.gate;
        let sent = client
            .put_approval_result()
            .pipeline_name(&gate.name)
            .stage_name(&gate.stage)
            .action_name(&gate.action)
            .token(token.0)
            .result(result)
            .send()
            .await;
        let taken = self.clients.heed(acting, sent.map_err(AwsError::from))?;
        Ok(taken
            .approved_at()
            .map_or_else(|| self.clock.now(), |at| Timestamp(millis(at))))
    }

    /// What a failed put means. CodePipeline refuses a second answer to the same request, and the first may have been ours.
    async fn after(&self, view: View<'_>, answer: &ApprovalAnswer<'_>, error: AwsError) -> Result<Outcome, AwsError> {
        match error {
            AwsError::Fatal { code, .. }
                if code == "InvalidApprovalTokenException" || code == "ApprovalAlreadyCompletedException" =>
            {
                self.gone(view, answer).await
            }
            AwsError::Fatal { code, message } => Ok(Outcome::Refused { code, message }),
            AwsError::Retryable { .. } => Err(error),
            AwsError::Unknown { .. } => match self.trace(view, answer.round, Some(answer.marker)).await {
                Ok(Trace::Ours(at)) => Ok(Outcome::AnswerTaken { at }),
                _ => Err(error),
            },
        }
    }
}

//! Reads pipelines: the truth that hints only hint at.

use std::sync::Arc;

use commands::catalog::{Service, Site};
use commands::effect::{Effect, Outcome};
use commands::facts::Needs;
use commands::ids::UserId;
use commands::round::Starter;

use super::{Done, Try};
use crate::aws::codepipeline::{ReadRequest, starter_email};
use crate::runner::engine::Engine;
use crate::runner::snapshot;

pub(super) async fn read(engine: &Arc<Engine>, service: &Service, effect: &Effect, this: Try<'_>) -> Done {
    let Effect::ReadPipeline {
        pipeline,
        aws,
        following,
        prime,
        ..
    } = effect
    else {
        return Done::later("not a read");
    };
    // The store's time before the first call: what was read earlier than something newer is dropped.
    let request = snapshot::Request {
        slot: &service.id,
        needs: &Needs::default(),
        records: &[],
        delivery: None,
    };
    let as_of = match snapshot::load(&*engine.store, &engine.cache, request).await {
        Ok(snapshot) => snapshot.now.0,
        Err(error) => return Done::later(error.to_string()),
    };
    let request = ReadRequest {
        pipeline,
        aws,
        following,
        prime: *prime,
        as_of,
        lease: this.lease,
    };
    let answer = engine.pipelines.read_pipeline(&request).await;
    engine.aws_answered(answer.is_ok());
    match answer {
        Ok(mut observation) => {
            for waiting in &mut observation.waiting {
                waiting.starter.user = starter_user(engine, service, &waiting.starter).await;
            }
            Done::Outcome(Outcome::Observed {
                observation: Box::new(observation),
            })
        }
        // The watch looks again on its own schedule; a pipeline that cannot be read must not hold the outbox up.
        Err(error) => {
            count_failure(service, &Site::of(pipeline, aws));
            Done::Outcome(Outcome::ReadFailed { why: error.to_string() })
        }
    }
}

/// One more failed read for every environment that the watch is the eye of.
fn count_failure(service: &Service, site: &Site) {
    for environment in service.environments.iter().filter(|one| one.site() == *site) {
        let labels = [
            ("service", service.id.to_string()),
            ("environment", environment.id.to_string()),
        ];
        metrics::counter!("signalbox_watch_failures_total", &labels).increment(1);
    }
}

/// The Slack user behind the starter of an execution: a session of ours carries the user's id, other sessions often carry an e-mail.
async fn starter_user(engine: &Engine, service: &Service, starter: &Starter) -> Option<UserId> {
    let session = starter.detail.rsplit('/').next().unwrap_or_default();
    if let Some(user) = session.strip_prefix("slack-").and_then(|id| UserId::parse(id).ok()) {
        return Some(user);
    }
    let email = starter_email(starter)?;
    match service.authors.get(&email.to_lowercase()) {
        Some(user) => Some(user.clone()),
        None => engine.people.by_email(email).await.ok().flatten(),
    }
}

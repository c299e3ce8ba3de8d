//! Sessions: the credentials of a role, taken in somebody's name.
//!
//! STS is called directly, because only so the session can carry a source identity, by which CloudTrail names the Slack user whatever the session does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use commands::catalog::AwsTarget;

use super::actor::Actor;
use super::error::AwsError;
use crate::clock::Clock;

/// The shortest life STS gives.
const LIFE: Duration = Duration::from_secs(900);
/// A call must be over before its credentials are.
const MARGIN: Duration = Duration::from_secs(120);

type Key = (AwsTarget, Actor);
type Slot = Arc<tokio::sync::Mutex<Option<(Duration, Credentials)>>>;

/// The sessions that are open.
pub(super) struct Sessions {
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Sessions {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            slots: Mutex::default(),
        }
    }

    /// The credentials of a role in somebody's name, asked for once for all who want them.
    pub(super) async fn credentials(
        &self,
        sts: &aws_sdk_sts::Client,
        target: &AwsTarget,
        actor: &Actor,
    ) -> Result<Credentials, AwsError> {
        let slot = self.slot(target, actor);
        let mut held = slot.lock().await;
        let now = self.clock.monotonic();
        if let Some((until, credentials)) = held.as_ref()
            && now < *until
        {
            return Ok(credentials.clone());
        }
        let credentials = assume(sts, target, actor).await?;
        *held = Some((now + LIFE - MARGIN, credentials.clone()));
        Ok(credentials)
    }

    pub(super) fn forget(&self, target: &AwsTarget, actor: &Actor) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&(target.clone(), actor.clone()));
    }

    fn slot(&self, target: &AwsTarget, actor: &Actor) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() > 1_000 {
            slots.clear();
        }
        Arc::clone(slots.entry((target.clone(), actor.clone())).or_default())
    }
}

async fn assume(sts: &aws_sdk_sts::Client, target: &AwsTarget, actor: &Actor) -> Result<Credentials, AwsError> {
    let name = actor.session_name();
    let answer = sts
        .assume_role()
        .set_role_arn(target.role_arn.clone())
        .set_external_id(target.external_id.clone())
        .role_session_name(&name)
        .source_identity(&name)
        .duration_seconds(i32::try_from(LIFE.as_secs()).unwrap_or(900))
        .send()
        .await
        .map_err(|error| match AwsError::from(error) {
            // Taking a session changes nothing: no answer is as good as a refusal for now.
            AwsError::Unknown { why } => AwsError::retryable("AssumeRole", &why),
            error => error,
        })?;
    let Some(given) = answer.credentials() else {
        return Err(AwsError::retryable("AssumeRole", "STS gave no credentials"));
    };
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        // When they run out is kept beside them: the SDK would look at another clock.
        None,
        "signalbox-session",
    ))
}

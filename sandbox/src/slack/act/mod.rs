//! What people do, and what Slack makes of it before and after the app hears of it.

mod click;
mod command;
mod message;
mod modal;
mod redeliver;

pub(crate) use click::{Click, click};
pub(crate) use command::{COMMANDS, Typed, command};
pub(crate) use message::{Said, message};
pub(crate) use modal::{Close, Submit, close, submit};
pub(crate) use redeliver::{Again, redeliver};

use super::Workspace;
use super::model::{Channel, Person};

/// Something that Slack does not let this person do; the app never hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    /// The HTTP status for the control API.
    pub(crate) status: u16,
    /// A stable name.
    pub(crate) code: &'static str,
    /// For a person.
    pub(crate) message: String,
}

impl Denied {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn missing(code: &'static str, what: &str) -> Self {
        Self::new(404, code, format!("there is no {what}"))
    }
}

/// Somebody who has an account and may use it.
pub(crate) fn living<'a>(workspace: &'a Workspace, user: &str) -> Result<&'a Person, Denied> {
    let person = workspace
        .person(user)
        .ok_or_else(|| Denied::missing("user_not_found", "such person"))?;
    if person.deleted {
        return Err(Denied::new(403, "account_inactive", "this account is deactivated"));
    }
    Ok(person)
}

/// A channel that this person reads.
pub(crate) fn channel_of<'a>(workspace: &'a Workspace, user: &str, channel: &str) -> Result<&'a Channel, Denied> {
    let found = workspace
        .channel(channel)
        .ok_or_else(|| Denied::missing("channel_not_found", "such channel"))?;
    if !found.has(user) {
        return Err(Denied::new(
            403,
            "not_in_channel",
            "this person is not a member of the channel",
        ));
    }
    Ok(found)
}

/// The same, where this person may write.
pub(super) fn open_channel_of<'a>(workspace: &'a Workspace, user: &str, channel: &str) -> Result<&'a Channel, Denied> {
    let found = channel_of(workspace, user, channel)?;
    if found.is_archived {
        return Err(Denied::new(403, "is_archived", "the channel is archived"));
    }
    Ok(found)
}

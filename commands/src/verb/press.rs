//! Buttons and forms: what a press means as a verb. What a button carries is only a pointer; everything is looked up and judged again.

use super::abort::Abort;
use super::approve::Approve;
use super::check::Check;
use super::confirm::Confirm;
use super::maintenance_off::MaintenanceOff;
use super::maintenance_on::MaintenanceOn;
use super::pick::Pick;
use super::reject::Reject;
use super::remedy::Remedy;
use super::retry::{Retry, Target};
use super::skip::Skip;
use super::steer::Aim;
use super::stop::Stop;
use super::why::Why;
use super::{Command, Request};
use crate::catalog::Catalog;
use crate::ids::{EnvironmentId, RecordId, ServiceId};

/// What a button or form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// A verb.
    Command(Command),
    /// To be told when an environment is free.
    TellMe(ServiceId, EnvironmentId),
}

/// Reads a button: its action, and its value `<service> <record or environment>`.
#[must_use]
pub fn button(catalog: &Catalog, action: &str, value: &str) -> Option<Press> {
    let (service, about) = value.split_once(' ')?;
    let service = catalog.services.get(service)?.id.clone();
    if action == "tell_me" {
        return Some(Press::TellMe(service, EnvironmentId::parse(about).ok()?));
    }
    if action == "maintenance_off" {
        let off = MaintenanceOff {
            environment: EnvironmentId::parse(about).ok()?,
            reason: String::new(),
        };
        let request = Request::MaintenanceOff(off);
        return Some(Press::Command(Command { service, request }));
    }
    if let Some(request) = operation_button(action, about) {
        return Some(Press::Command(Command { service, request }));
    }
    let run = RecordId::parse(about)
        .ok()
        .filter(|id| id.as_str().starts_with("run/"))?;
    let pick = Pick::Run(run.clone());
    let approve = |ask| {
        Request::Approve(Approve {
            pick: Pick::Run(run.clone()),
            reason: String::new(),
            overriding: false,
            ask,
        })
    };
    let reject = |for_newest| {
        Request::Reject(Reject {
            pick: Pick::Run(run.clone()),
            reason: String::new(),
            for_newest,
        })
    };
    let request = match action {
        "maintenance_approve" => Request::MaintenanceOn(MaintenanceOn::before(run)?),
        "approve_without" => Request::Approve(Approve {
            pick: Pick::Run(run),
            reason: "without maintenance".to_owned(),
            overriding: false,
            ask: false,
        }),
        "approve" => approve(false),
        "approve_notes" => approve(true),
        "reject" => reject(false),
        "reject_wait" => reject(true),
        "why" => Request::Why(Why { pick }),
        "check" => Request::Check(Check { pick }),
        "retry" | "answer_again" => Request::Retry(Retry {
            target: Target::Run(run),
        }),
        "stop" => Request::Stop(Stop {
            target: Target::Run(run),
            reason: String::new(),
        }),
        _ => return None,
    };
    Some(Press::Command(Command { service, request }))
}

/// A button on the card of a runbook's run.
fn operation_button(action: &str, about: &str) -> Option<Request> {
    let aim = Aim::of_button(about)?;
    let (evidence, reason) = (String::new(), String::new());
    Some(match action {
        "confirm" => Request::Confirm(Confirm { aim, evidence }),
        "skip" => Request::Skip(Skip { aim, reason }),
        "abort" => Request::Abort(Abort::of(aim, reason)),
        "remedy" => Request::Remedy(Remedy { aim, or_again: false }),
        "retry" => Request::Retry(Retry {
            target: Target::Run(aim.run?),
        }),
        "stop" => Request::Stop(Stop {
            target: Target::Run(aim.run?),
            reason,
        }),
        _ => return None,
    })
}

/// Reads a form that was sent: its name, what it is about, and the reason in it.
#[must_use]
pub fn form(catalog: &Catalog, form: &str, about: &str, reason: &str) -> Option<Command> {
    let (service, run) = about.split_once(' ')?;
    let service = catalog.services.get(service)?.id.clone();
    let reason = reason.trim().to_owned();
    if let Some(aim) = Aim::of_button(run) {
        let request = match form {
            "confirm" => Request::Confirm(Confirm { aim, evidence: reason }),
            "skip" => Request::Skip(Skip { aim, reason }),
            "abort" => Request::Abort(Abort::of(aim, reason)),
            _ => return None,
        };
        return Some(Command { service, request });
    }
    let pick = Pick::Run(RecordId::parse(run).ok()?);
    let request = match form {
        "approve" => Request::Approve(Approve {
            pick,
            reason,
            overriding: false,
            ask: false,
        }),
        "reject" | "reject_wait" => Request::Reject(Reject {
            pick,
            reason,
            for_newest: form == "reject_wait",
        }),
        _ => return None,
    };
    Some(Command { service, request })
}

//! Shortcuts: commands by which a team knows one of its runbooks. `/migrate start stg` starts the runbook of `stg` that says
//! `command = "/migrate start"`, with the gates, the card and the journal of `/deploy run`.

use std::collections::BTreeMap;

use super::abort::{Abort, Instead};
use super::remedy::Remedy;
use super::run::Run;
use super::steer::{Aim, reason};
use super::values::{mode, parameters};
use super::{Command, Request, Spec};
use crate::catalog::Service;
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, RunbookName, ServiceId};
use crate::operation::Mode;
use crate::runbook::Runbook;

/// A shortcut.
#[derive(Debug)]
pub(super) struct Shortcut {
    /// What it is.
    pub(super) spec: Spec,
    leads: Leads,
}

/// Where a shortcut leads.
#[derive(Debug, Clone, Copy)]
enum Leads {
    /// It starts the runbook that is kept under this, or with `--plan` shows what that would do.
    Start(&'static str),
    /// It shows what the runbook that is kept under this would do.
    Plan(&'static str),
    /// It tries the command's run again, with the known remedy where there is one.
    Retry,
    /// It ends the command's run and undoes what it did; where none is under way, it starts the runbook that is kept under this.
    Abort(&'static str),
}

const MIGRATE: &str = "/migrate";
const SWITCH: &str = "/switch-colors";

/// Under which names a runbook may be kept.
pub const KEPT_UNDER: &[&str] = &[
    "/migrate start",
    "/migrate restart",
    "/migrate abort",
    "/migrate skip",
    "/switch-colors",
    "/switch-colors back",
];

const START: &str = "<env> [--plan] [name=value …] [reason]";

const fn starts(
    (command, name): (&'static str, &'static str),
    kept_under: &'static str,
    (summary, detail): (&'static str, &'static str),
) -> Shortcut {
    let spec = Spec {
        command,
        name,
        usage: START,
        summary,
        detail,
        flags: &["--plan"],
        act: Act::Start,
    };
    Shortcut {
        spec,
        leads: Leads::Start(kept_under),
    }
}

const fn other(
    (command, name, usage): (&'static str, &'static str, &'static str),
    (leads, act): (Leads, Act),
    (summary, detail): (&'static str, &'static str),
) -> Shortcut {
    let spec = Spec {
        command,
        name,
        usage,
        summary,
        detail,
        flags: &[],
        act,
    };
    Shortcut { spec, leads }
}

/// All shortcuts, in the order of help.
pub(super) const SHORTCUTS: &[Shortcut] = &[
    other(
        (MIGRATE, "plan", "<env> [name=value …]"),
        (Leads::Plan("/migrate start"), Act::Read),
        (
            "See what a migration would do, and whether everything it needs is there",
            "Reads every flag, table, queue and function that the migration names, and changes nothing. `--name value` says the same as `name=value`.",
        ),
    ),
    starts(
        (MIGRATE, "start"),
        "/migrate start",
        (
            "Start the migration",
            "It stops by itself when something collects where failures do, and says what to look at. `--name value` says the same as `name=value`.",
        ),
    ),
    other(
        (MIGRATE, "retry", "<env>"),
        (Leads::Retry, Act::Operate),
        (
            "Try the step again at which the migration stopped",
            "Where the runbook knows what helps against the failure, such as to put dead letters back, that is done first.",
        ),
    ),
    starts(
        (MIGRATE, "restart"),
        "/migrate restart",
        (
            "Empty the destination, so that a migration can start anew",
            "For when its scripts had to be changed. A migration that is under way has to be aborted first.",
        ),
    ),
    Shortcut {
        spec: Spec {
            command: MIGRATE,
            name: "abort",
            usage: "<env> [--plan] <reason>",
            summary: "End the migration and undo what it did, in reverse; or give one up that is over",
            detail: "While one is under way, it is undone. Otherwise the runbook is started that takes down what one left that is over and was not switched to; `--plan` shows what that would do.",
            flags: &["--plan"],
            act: Act::Operate,
        },
        leads: Leads::Abort("/migrate abort"),
    },
    starts(
        (MIGRATE, "skip"),
        "/migrate skip",
        ("Let the next deploy go out without a migration", ""),
    ),
    starts(
        (SWITCH, ""),
        "/switch-colors",
        (
            "Send the traffic to the other color",
            "A second person agrees on production. If a step fails, what was done is undone in reverse.",
        ),
    ),
    other(
        (SWITCH, "plan", "<env> [name=value …]"),
        (Leads::Plan("/switch-colors"), Act::Read),
        (
            "See what a switch would do, and whether everything it needs is there",
            "",
        ),
    ),
    starts(
        (SWITCH, "back"),
        "/switch-colors back",
        (
            "Send the traffic back to the color it came from",
            "The card says what would be lost by it.",
        ),
    ),
];

/// Reads what follows a shortcut. `None`: there is no such.
pub(super) fn parse(
    command: &str,
    name: &str,
    args: &mut Args<'_>,
    scope: &Scope<'_>,
) -> Option<Result<Command, ParseError>> {
    let shortcut = SHORTCUTS
        .iter()
        .find(|shortcut| shortcut.spec.command == command && shortcut.spec.name == name)?;
    let read = shortcut
        .spec
        .refuse_other_flags(args)
        .and_then(|()| follow(shortcut, args, scope));
    Some(read.map(|(service, request)| Command { service, request }))
}

fn follow(shortcut: &Shortcut, args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Request), ParseError> {
    let command = shortcut.spec.command;
    Ok(match shortcut.leads {
        Leads::Start(kept) => run((&shortcut.spec, kept, mode(args)), args, scope)?,
        Leads::Plan(kept) => run((&shortcut.spec, kept, Mode::Plan), args, scope)?,
        Leads::Retry => {
            let (service, aim) = aim(command, args, scope)?;
            args.end()?;
            (service, Request::Remedy(Remedy { aim, or_again: true }))
        }
        Leads::Abort(kept) => abort((&shortcut.spec, kept), args, scope)?,
    })
}

/// The end of what is under way, or what stands for it when nothing is.
fn abort(
    (spec, kept): (&Spec, &'static str),
    args: &mut Args<'_>,
    scope: &Scope<'_>,
) -> Result<(ServiceId, Request), ParseError> {
    let mode = mode(args);
    let (service, mut aim) = aim(spec.command, args, scope)?;
    let known = scope.catalog.services.get(service.as_str());
    let runbook = known.and_then(|service| kept_under(service, kept, &aim.environment));
    if mode == Mode::Plan && aim.run.is_some() {
        return Err(args.error("`--plan` shows what giving up a migration that is over would do: name no run"));
    }
    if mode == Mode::Plan && runbook.is_none() {
        return Err(unkept(args, &service, (kept, &aim.environment)));
    }
    let reason = if mode == Mode::Plan { args.rest() } else { reason(args)? };
    let instead = match runbook {
        // What gives a migration up is not meant by the word that starts it, unless it is named.
        _ if aim.run.is_some() => Instead::Nothing,
        None => Instead::Unkept(kept),
        Some(runbook) => {
            aim.among
                .iter_mut()
                .for_each(|names| names.retain(|name| *name != runbook.name));
            Instead::Start(Run {
                runbook: runbook.name.clone(),
                environment: aim.environment.clone(),
                mode,
                parameters: BTreeMap::new(),
                reason: reason.clone(),
            })
        }
    };
    Ok((service, Request::Abort(Abort { aim, reason, instead })))
}

/// The start of the runbook that is kept under a name.
fn run(
    (spec, kept, mode): (&Spec, &str, Mode),
    args: &mut Args<'_>,
    scope: &Scope<'_>,
) -> Result<(ServiceId, Request), ParseError> {
    let flags = args.take_valued(spec.flags);
    let (service, environment) = args.environment(scope)?;
    let found = scope
        .catalog
        .services
        .get(service.as_str())
        .and_then(|service| kept_under(service, kept, &environment));
    let Some(runbook) = found else {
        return Err(unkept(args, &service, (kept, &environment)));
    };
    let parameters = parameters(args, spec, (Some(runbook), flags))?;
    let run = Run {
        runbook: runbook.name.clone(),
        environment,
        mode,
        parameters,
        reason: args.rest(),
    };
    Ok((service, Request::Run(run)))
}

fn unkept(args: &Args<'_>, service: &ServiceId, (kept, environment): (&str, &EnvironmentId)) -> ParseError {
    args.error(format!(
        "{service} keeps no runbook for {environment} under `{kept}`: write `command = \"{kept}\"` into one of its runbooks, or start one by its name with `/deploy run`"
    ))
}

/// The runbook of an environment that is kept under a name.
#[must_use]
pub fn kept_under<'s>(service: &'s Service, name: &str, environment: &EnvironmentId) -> Option<&'s Runbook> {
    let mut all = service.runbooks.iter();
    all.find(|runbook| runbook.command.as_deref() == Some(name) && runbook.fits(environment))
}

/// Reads which run of a command is meant: only one of the runbooks that are kept under the command.
pub(super) fn aim(command: &str, args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Aim), ParseError> {
    let (service, aim) = Aim::parse(args, scope)?;
    let of_command = |runbook: &&Runbook| {
        let kept = runbook.command.as_deref().and_then(|kept| kept.split(' ').next());
        kept == Some(command)
    };
    let names: Vec<RunbookName> = scope
        .catalog
        .services
        .get(service.as_str())
        .map(|service| {
            service
                .runbooks
                .iter()
                .filter(of_command)
                .map(|runbook| runbook.name.clone())
                .collect()
        })
        .unwrap_or_default();
    Ok((
        service,
        Aim {
            among: Some(names),
            ..aim
        },
    ))
}

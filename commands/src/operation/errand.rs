//! Errands: operations whose runbook is built in. `/loglevel` and `/maintenance` are made of them.
//!
//! An errand goes beside whatever else changes its environment, for it is needed exactly then: it takes no claim. What keeps two of a kind apart is the
//! desk, which names the errand that is under way and is written by the commit that starts one and by the commit that ends it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::advance::advance;
use super::{Event, Illegal, Mode, OnFailure, Pinned};
use crate::catalog::Environment;
use crate::decision::Refusal;
use crate::desk;
use crate::facts::Facts;
use crate::ids::{ChannelId, RecordId, RunbookName, StepName, TeamId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Target;
use crate::runbook::{DEADLINE, Step};
use crate::step::Action;
use crate::time::Timestamp;
use crate::view::{code, text};

/// What an errand is about, and what becomes of what it leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// What it is about.
    pub matter: Matter,
    /// Until when what it leaves behind is to stand; `None`: until somebody says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether that ends by itself then; a level always does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_after: bool,
    /// Whether nobody asked for it just now: a span was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    /// What follows when it went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
}

/// What follows an errand that went well: whoever started it approves a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Then {
    /// The run that waits.
    pub run: RecordId,
    /// Where they said so.
    pub team: TeamId,
    /// The same.
    pub channel: ChannelId,
}

impl Errand {
    /// An errand that leaves nothing behind for a while, and nothing follows.
    #[must_use]
    pub const fn of(matter: Matter) -> Self {
        Self {
            matter,
            until: None,
            off_after: false,
            by_itself: false,
            then: None,
        }
    }
}

/// What an errand is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// The levels at which functions log.
    LogLevels,
    /// Maintenance mode.
    Maintenance,
}

impl Matter {
    /// The name of its built-in runbook.
    #[must_use]
    pub const fn runbook(self) -> &'static str {
        match self {
            Self::LogLevels => "loglevel",
            Self::Maintenance => "maintenance",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LogLevels => "log levels",
            Self::Maintenance => "maintenance",
        }
    }
}

/// An errand to be started.
pub(crate) struct Order<'a> {
    /// Where.
    pub(crate) environment: &'a Environment,
    /// What is to be known about it; may be empty.
    pub(crate) title: String,
    /// What is done.
    pub(crate) steps: Vec<Step>,
    /// Whether it changes anything.
    pub(crate) mode: Mode,
    /// Who asked for it.
    pub(crate) starter: UserId,
    /// Why; may be empty.
    pub(crate) reason: String,
    /// What it is about.
    pub(crate) errand: Errand,
    /// What makes it the only one of its kind.
    pub(crate) seed: &'a [u8],
}

/// Starts an errand.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn start(plan: &mut Plan<'_>, order: Order<'_>) -> Result<Option<RecordId>, Illegal> {
    let (facts, environment, matter) = (plan.facts, order.environment, order.errand.matter);
    let Ok(runbook) = RunbookName::parse(matter.runbook()) else {
        return Ok(None);
    };
    let id = RecordId::operation(&environment.id, &runbook, order.seed);
    let pinned = Pinned {
        service: facts.service.id.clone(),
        target: Target::of(environment, facts.desk),
        runbook,
        title: order.title,
        text: String::new(),
        parameters: BTreeMap::new(),
        steps: order.steps,
        on_failure: OnFailure::Stop,
        mode: order.mode,
        starter: order.starter,
        os_user: None,
        reason: order.reason,
        started_at: facts.now,
        channel: facts.service.channel.clone(),
        self_approval: environment.approvers.self_approval,
        errand: Some(order.errand),
    };
    if pinned.mode == Mode::Run {
        let begun = desk::Event::ErrandBegun {
            environment: environment.id.clone(),
            matter,
            run: id.clone(),
        };
        plan.tell_desk(begun, Reason::Standing);
    }
    plan.tell_operation(&id, Event::Started(Box::new(pinned)), Reason::Opened)?;
    advance(plan, &id)?;
    Ok(Some(id))
}

/// Why an errand cannot begin: another of its kind is under way there.
pub(crate) fn busy(facts: &Facts<'_>, environment: &Environment, matter: Matter) -> Option<Refusal> {
    let run = facts.desk.errand(&environment.id, matter)?;
    Some(Refusal {
        reason: Reason::Claimed,
        message: vec![
            text(format!(
                "Run {}, which changes {} of {}, is not over yet. Wait for its end, answer what its card asks, or end it with ",
                run.short(),
                match matter {
                    Matter::LogLevels => "a log level",
                    Matter::Maintenance => "the maintenance mode",
                },
                environment.id,
            )),
            code(format!("/deploy stop {} {}", environment.id, run.short())),
            text("."),
        ],
        about: Some(run.clone()),
        passable: false,
    })
}

/// A step of a built-in runbook.
pub(crate) fn step(name: &str, title: impl Into<String>, action: Action) -> Option<Step> {
    Some(Step {
        name: StepName::parse(name).ok()?,
        title: title.into(),
        action,
        region: None,
        group: None,
        asks: false,
        when: None,
        deadline: DEADLINE,
        usual: None,
        retries: 0,
        expect: Vec::new(),
        keep: false,
        only_looks: false,
        remedy: false,
        needs_snapshot: None,
        moves: None,
    })
}

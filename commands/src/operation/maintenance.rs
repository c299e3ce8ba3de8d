//! The errands about maintenance mode: to turn it on or off, to read it, and to remind people of it.

use super::errand::{Errand, Matter, Order, Then, start};
use super::{Mode, Operation, Phase, errand};
use crate::catalog::{Environment, MaintenanceMode};
use crate::desk::{self, Maintenance as Standing};
use crate::effect::{Effect, Recipient};
use crate::facts::Facts;
use crate::ids::{EnvironmentId, RecordId, StepName, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::runbook::Step;
use crate::step::{Action, Maintenance, ReadBack, Told, Way};
use crate::time::{Span, Timestamp};
use crate::view;

/// How long it may take until it is read back.
const DEADLINE: Span = Span::minutes(10);

/// A wish to turn it.
pub(crate) struct Wish<'a> {
    /// On, or off.
    pub(crate) on: bool,
    /// Until when it is to be on.
    pub(crate) until: Option<Timestamp>,
    /// Whether it ends by itself then.
    pub(crate) off_after: bool,
    /// Why; may be empty.
    pub(crate) reason: &'a str,
    /// Whether nobody asked for it just now.
    pub(crate) by_itself: bool,
    /// What follows when it is on.
    pub(crate) then: Option<Then>,
}

/// Starts to turn it.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn turn(
    plan: &mut Plan<'_>,
    (environment, mode): (&Environment, &MaintenanceMode),
    wish: Wish<'_>,
    (starter, seed): (&UserId, &[u8]),
) -> Result<Option<RecordId>, Illegal> {
    let since = plan.facts.desk.maintenance.get(&environment.id);
    let told = Told {
        by: plain(name(plan.facts, starter)),
        reason: plain(wish.reason.to_owned()),
        since: since.map_or(plan.facts.now, |standing| standing.since),
        until: wish.until,
        ends: wish.off_after,
    };
    let title = if wish.on {
        "Turn maintenance on"
    } else {
        "Turn maintenance off"
    };
    let action = Maintenance {
        on: Some(wish.on),
        told: Some(told),
        stood: since.is_some(),
        ..Maintenance::default()
    };
    let first = errand::step("maintenance", title, Action::Maintenance(action));
    let order = Order {
        environment,
        title: String::new(),
        steps: first
            .iter()
            .flat_map(|step| expanded(step, mode, environment))
            .collect(),
        mode: Mode::Run,
        starter: starter.clone(),
        reason: wish.reason.to_owned(),
        errand: Errand {
            matter: Matter::Maintenance,
            until: wish.until,
            off_after: wish.off_after,
            by_itself: wish.by_itself,
            then: wish.then,
        },
        seed,
    };
    start(plan, order)
}

/// Starts to read it.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn read(
    plan: &mut Plan<'_>,
    (environment, mode): (&Environment, &MaintenanceMode),
    (starter, seed): (&UserId, &[u8]),
) -> Result<Option<RecordId>, Illegal> {
    let order = Order {
        environment,
        title: String::new(),
        steps: reading(mode, environment),
        mode: Mode::Plan,
        starter: starter.clone(),
        reason: String::new(),
        errand: Errand::of(Matter::Maintenance),
        seed,
    };
    start(plan, order)
}

/// The steps that read it, one for each place that has to be looked at.
#[must_use]
pub fn reading(mode: &MaintenanceMode, environment: &Environment) -> Vec<Step> {
    let action = Action::Maintenance(Maintenance::default());
    let first = errand::step("maintenance", "Read whether it is on", action);
    let steps = first.iter().flat_map(|step| expanded(step, mode, environment));
    steps.collect()
}

/// A step that says only on or off, as the steps that do so in an environment: one for each region, after the color is known.
pub(crate) fn expanded(step: &Step, mode: &MaintenanceMode, environment: &Environment) -> Vec<Step> {
    let wanted = match &step.action {
        Action::Maintenance(wanted) if wanted.way.is_none() => wanted,
        _ => return vec![step.clone()],
    };
    let mut steps = Vec::new();
    let color = StepName::parse(&format!("{}-color", step.name)).ok();
    if let (Some(flag), Some(name)) = (&mode.color, &color) {
        steps.push(Step {
            name: name.clone(),
            title: "See which color is live".to_owned(),
            action: Action::Flag(flag.clone()),
            asks: false,
            ..step.clone()
        });
    }
    let color = color.map_or_else(String::new, |name| format!("{{step.{name}.value}}"));
    // What only reads looks at one place, which is the same for all regions.
    let shared = matches!(&mode.way, Way::Lambda(_)) && wanted.on.is_none();
    let regions: Vec<Option<&String>> = if mode.regions.is_empty() || shared {
        vec![None]
    } else {
        mode.regions.iter().map(Some).collect()
    };
    let several = regions.len() > 1;
    for region in regions {
        let action = Action::Maintenance(Maintenance {
            way: Some(Box::new(read_at_home(&mode.way, &environment.aws.region))),
            several,
            ..wanted.clone()
        });
        let action = action
            .fill(|text| Ok(text.replace("{color}", &color)))
            .unwrap_or(action);
        let name = region
            .filter(|_| several)
            .map(|region| format!("{}-{region}", step.name));
        let name = name.and_then(|name| StepName::parse(&name).ok());
        steps.push(Step {
            name: name.unwrap_or_else(|| step.name.clone()),
            title: match region {
                Some(region) if several => format!("{} in {region}", step.title),
                _ => step.title.clone(),
            },
            action,
            region: region.cloned().or_else(|| step.region.clone()),
            group: several.then(|| step.name.to_string()),
            deadline: DEADLINE,
            ..step.clone()
        });
    }
    steps
}

/// A flag that tells whether it is on stands where the environment is, whichever region was told.
fn read_at_home(way: &Way, home: &str) -> Way {
    let mut way = way.clone();
    if let Way::Lambda(lambda) = &mut way
        && let Some(ReadBack::Flag { region, .. }) = &mut lambda.read
    {
        region.get_or_insert_with(|| home.to_owned());
    }
    way
}

/// Foreign words in an action: a brace is no placeholder of ours.
fn plain(words: String) -> String {
    words.replace('{', "{{")
}

fn name(facts: &Facts<'_>, user: &UserId) -> String {
    let person = facts.people.get(user).filter(|person| !person.name.is_empty());
    person.map_or_else(|| user.to_string(), |person| person.name.clone())
}

/// What is red because of maintenance mode says so, and is no failure.
#[must_use]
pub fn red_words(name: &str, since: Timestamp) -> String {
    format!(
        "red while maintenance is on ({name}, since {} UTC)",
        since.utc().format("%H:%M")
    )
}

/// The same for an operation, while maintenance is on where it runs: turned on before, or by one of its own steps.
pub(crate) fn excuse(facts: &Facts<'_>, operation: &Operation) -> Option<String> {
    let standing = facts.desk.maintenance.get(operation.environment());
    let mut on = standing.map(|standing| (&standing.by, standing.since));
    let done = operation.sequence().filter(|(_, state)| state.phase == Phase::Done);
    for (step, state) in done {
        match &step.action {
            Action::Maintenance(turned) if turned.on == Some(true) => {
                let since = state.ended.unwrap_or(facts.now);
                on.get_or_insert((&operation.pinned.starter, since));
            }
            Action::Maintenance(turned) if turned.on == Some(false) => on = None,
            _ => {}
        }
    }
    let (by, since) = on?;
    Some(red_words(&name(facts, by), since))
}

/// Reminds people of what is on, and ends what is to end by itself.
///
/// # Errors
/// When an event cannot follow: the program is wrong.
pub(crate) fn look(plan: &mut Plan<'_>) -> Result<(), Illegal> {
    let (facts, now) = (plan.facts, plan.facts.now);
    let due =
        facts.desk.maintenance.iter().filter(|(id, standing)| {
            facts.desk.errand(id, Matter::Maintenance).is_none() && standing.next_word() <= now
        });
    for (id, standing) in due {
        let over = standing.until.is_some_and(|until| until <= now);
        let environment = facts.service.environment(id);
        let mode = environment.and_then(|one| Some((one, one.maintenance.as_ref()?)));
        match mode.filter(|_| over && standing.off_after) {
            Some(known) => {
                let wish = Wish {
                    on: false,
                    until: None,
                    off_after: false,
                    reason: &standing.reason,
                    by_itself: true,
                    then: None,
                };
                let seed = format!("maintenance-off/{}/{id}/{}", facts.service.id, now.0);
                turn(plan, known, wish, (&standing.by, seed.as_bytes()))?;
            }
            None => remind(plan, id, standing),
        }
    }
    Ok(())
}

fn remind(plan: &mut Plan<'_>, environment: &EnvironmentId, standing: &Standing) {
    let (facts, now) = (plan.facts, plan.facts.now);
    plan.owe(Effect::Post {
        to: Recipient::Channel(facts.service.channel.clone()),
        marker: format!("maintenance/{}/{environment}/{}", facts.service.id, now.0),
        message: view::maintenance_reminder(facts, environment, standing),
    });
    let told = desk::Event::MaintenanceTold {
        environment: environment.clone(),
        at: now,
    };
    plan.tell_desk(told, Reason::Standing);
}

//! What several verbs do alike: words they read, rights they ask for, what they say aloud.

use crate::decision::{Decision, Refusal, Reply};
use crate::effect::{Effect, Recipient};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId, UserId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Illegal, Run};
use crate::view::{self, Message, prose};

/// Takes the next word if it looks like a revision: at least four hex digits, a version such as `v1.4.2`, or a run's short name.
pub(super) fn revision(args: &mut Args<'_>) -> Option<String> {
    let word = args.peek()?;
    let hex = (4..=40).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_digit());
    let version = word.trim_start_matches('v').contains('.')
        && word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let path = word.starts_with("refs/") || word.starts_with("run/");
    if hex || version || path {
        args.next().map(str::to_owned)
    } else {
        None
    }
}

/// Takes `<env>` or `all`; `all` is said to the service at home in the channel, which passes it on.
pub(super) fn environment_or_all(
    args: &mut Args<'_>,
    scope: &Scope<'_>,
) -> Result<(ServiceId, Option<EnvironmentId>), ParseError> {
    if args.peek().is_some_and(|word| word.eq_ignore_ascii_case("all")) {
        let home = scope.catalog.at_home_in(scope.channel);
        let Some(first) = home.first() else {
            return Err(args.error("`all` is said in the home channel of a service"));
        };
        args.next();
        return Ok((first.id.clone(), None));
    }
    args.environment(scope)
        .map(|(service, environment)| (service, Some(environment)))
}

/// What operating takes: who may, and the runs whose cards show it.
pub(super) fn operating_needs(service: &crate::catalog::Service, environment: Option<&EnvironmentId>) -> Needs {
    let groups = service
        .environments
        .iter()
        .flat_map(crate::catalog::Environment::groups)
        .collect();
    Needs {
        groups,
        open_in: environment.cloned().into_iter().collect(),
        every_open: environment.is_none(),
        ..Needs::default()
    }
}

/// Whether somebody may operate an environment, or (with none) every environment of the service.
pub(super) fn may_operate(facts: &Facts<'_>, speaker: &Speaker, environment: Option<&EnvironmentId>) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for one in facts
        .service
        .environments
        .iter()
        .filter(|one| environment.is_none_or(|id| one.id == *id))
    {
        for refusal in super::freeze::gates(facts, speaker, one) {
            if !refusals.iter().any(|known| known.message == refusal.message) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}

/// Whether somebody may look.
pub(super) fn may_read(facts: &Facts<'_>, speaker: &Speaker) -> Vec<Refusal> {
    let Some(environment) = facts.service.environments.first() else {
        return Vec::new();
    };
    gate::evaluate(&Question {
        facts,
        speaker: Some(speaker),
        act: Act::Read,
        environment,
        run: None,
    })
}

/// Draws the cards of waiting runs again: a lock or a freeze shows on them.
pub(super) fn redraw_waiting(plan: &mut Plan<'_>) {
    let waiting: Vec<_> = plan
        .facts
        .runs
        .values()
        .filter(|run| run.status == crate::run::Status::Waiting)
        .map(|run| run.id.clone())
        .collect();
    for id in &waiting {
        plan.draw(id);
    }
}

/// Somebody wants to be told when an environment is free.
///
/// # Errors
/// Never; the signature is that of all decisions.
pub fn tell_me(facts: &Facts<'_>, speaker: &Speaker, environment: &EnvironmentId) -> Result<Decision, Illegal> {
    let refusals = may_read(facts, speaker);
    if !refusals.is_empty() {
        return Ok(refused(refusals));
    }
    if facts.desk.lock(environment, facts.now).is_none() {
        return Ok(Decision::say(Message::sentence(format!(
            "{environment} is free already."
        ))));
    }
    let mut plan = Plan::new(facts);
    plan.tell_desk(
        crate::desk::Event::Waits {
            environment: environment.clone(),
            user: speaker.user.clone(),
        },
        Reason::Standing,
    );
    Ok(plan.finish(Reply::Private(Message::sentence(format!(
        "You will be told here when {environment} is free."
    )))))
}

/// A refusal because nothing fits what was asked.
pub(super) fn nothing(why: &str) -> Decision {
    refused(vec![Refusal {
        reason: Reason::NothingToDo,
        message: prose(&format!("Nothing was done: {why}.")),
        about: None,
        passable: false,
    }])
}

/// A refusal with all its reasons, which changes nothing.
pub(super) fn refused(refusals: Vec<Refusal>) -> Decision {
    Decision {
        refusals: refusals.clone(),
        ..Decision::say(view::refusal(&refusals))
    }
}

/// Says aloud that somebody broke the glass.
pub(super) fn announce_override(plan: &mut Plan<'_>, run: &Run, user: &UserId, passed: &[Reason], reason: &str) {
    let message = view::override_note(run, user, passed, reason);
    let marker = format!("{}/override/{}", run.id, run.votes.len());
    plan.owe(Effect::Post {
        to: Recipient::Channel(run.pinned.channel.clone()),
        marker,
        message,
    });
}

//! `/loglevel <env> [<function|all> <level> [for 30m] [--make-permanent] [reason]]`: lists the levels at which functions log, or sets them.

use super::{Spec, Verb, nothing, refused};
use crate::catalog::{Environment, Functions, Service};
use crate::decision::{Decision, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope, closest};
use crate::ids::{EnvironmentId, ServiceId};
use crate::operation::Matter;
use crate::operation::errand::busy;
use crate::operation::levels::{self, Wanted};
use crate::plan::Plan;
use crate::run::Illegal;
use crate::time::Span;
use crate::view;

/// A wish to see levels, or to set them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loglevel {
    /// Where.
    pub environment: EnvironmentId,
    /// What is to be set; `None`: they are listed.
    pub set: Option<Set>,
}

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// For which function; `None`: for all.
    pub function: Option<String>,
    /// The level.
    pub level: String,
    /// For how long; `None`: until somebody sets another.
    pub span: Option<Span>,
    /// Whether they want to know where it is written for good.
    pub permanent: bool,
    /// Why; may be empty.
    pub reason: String,
}

impl Verb for Loglevel {
    const SPEC: Spec = Spec {
        command: "/loglevel",
        name: "",
        usage: "<env> [<function|all> <level> [for 30m] [--make-permanent] [reason]]",
        summary: "List the levels at which functions log, or set them, for a while or until somebody does again",
        detail: "Without a function it lists every level and who left one off the baseline, for every member. With `for 30m` a level goes back by itself, \
                 unless somebody has set another since. Functions whose level changes restart; the next deploy sets its own level again. \
                 `--make-permanent` says where it is written for good.",
        flags: &["--make-permanent"],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let permanent = args.take_flag("--make-permanent");
        let at = args.clone();
        let (service, environment) = args.environment(scope)?;
        let functions = functions_of(scope, &service, &environment).ok_or_else(|| {
            at.error(format!(
                "{service} does not say which functions {environment} has: add `functions = {{ prefix = \"…\", level_key = \"LOG_LEVEL\", baseline = \"info\", levels = [\"…\"] }}` to it"
            ))
        })?;
        let set = match args.peek() {
            None if permanent => return Err(args.error("say for which function, or `all`, and which level")),
            None => None,
            Some(_) => Some(set(args, functions, permanent)?),
        };
        Ok((service, Self { environment, set }))
    }

    fn needs(&self, service: &Service) -> Needs {
        super::operating_needs(service, Some(&self.environment))
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let Some(environment) = facts.service.environment(&self.environment) else {
            return Ok(Decision::default());
        };
        let Some(functions) = &environment.functions else {
            return Ok(nothing("the configuration no longer names functions there"));
        };
        let act = if self.set.is_some() { Act::Operate } else { Act::Read };
        let mut refusals = gate::evaluate(&Question {
            facts,
            speaker: Some(speaker),
            act,
            environment,
            run: None,
        });
        if self.set.is_some() && refusals.is_empty() {
            refusals.extend(busy(facts, environment, Matter::LogLevels));
        }
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let mut plan = Plan::new(facts);
        let by = (&speaker.user, speaker.delivery.as_str().as_bytes());
        let reply = match &self.set {
            None => {
                levels::list(&mut plan, (environment, functions), by)?;
                view::anywhere_else(view::levels_listed(environment), facts, plan.begun())
            }
            Some(set) => self.start(&mut plan, (environment, functions), set, by)?,
        };
        Ok(plan.finish(Reply::Private(reply)))
    }
}

impl Loglevel {
    fn start(
        &self,
        plan: &mut Plan<'_>,
        (environment, functions): (&Environment, &Functions),
        set: &Set,
        by: (&crate::ids::UserId, &[u8]),
    ) -> Result<view::Message, Illegal> {
        let until = set.span.map(|span| plan.facts.now + span);
        let wanted = Wanted {
            function: set.function.as_deref(),
            level: &set.level,
            until,
            reason: &set.reason,
        };
        levels::set(plan, (environment, functions), &wanted, by)?;
        let file = functions.level_file.as_deref();
        Ok(view::levels_recorded(
            environment,
            (set.function.as_deref(), &set.level),
            until,
            set.permanent.then_some((file, functions.level_key.as_str())),
        ))
    }
}

fn functions_of<'s>(scope: &Scope<'s>, service: &ServiceId, environment: &EnvironmentId) -> Option<&'s Functions> {
    let service = scope.catalog.services.get(service.as_str())?;
    service.environment(environment)?.functions.as_ref()
}

/// Reads `<function|all> <level> [for 30m] [reason]`.
fn set(args: &mut Args<'_>, functions: &Functions, permanent: bool) -> Result<Set, ParseError> {
    let known = functions.levels.join(", ");
    let at = args.clone();
    let said = args.next().unwrap_or_default();
    if let Some(other) = functions.of_another(&functions.whole(said)) {
        return Err(at.error(format!(
            "functions that begin with `{other}` are not this environment's"
        )));
    }
    let level_of = |word: &str| functions.levels.iter().find(|level| level.eq_ignore_ascii_case(word));
    let at_level = args.clone();
    let Some(word) = args.next() else {
        if let Some(level) = level_of(said) {
            let error = at.error("say for which function, or `all`");
            return Err(at.suggesting(error, Some(&format!("all {level}"))));
        }
        return Err(args.error(format!("say which level: {known}")));
    };
    let Some(level) = level_of(word) else {
        let guess = closest(&word.to_lowercase(), functions.levels.iter().map(String::as_str));
        return Err(at_level.suggesting(
            at_level.error(format!("there is no level `{word}`: known are {known}")),
            guess,
        ));
    };
    let at_span = args.clone();
    let span = args.take_for()?;
    if span.is_some() && permanent {
        return Err(at_span.error("what goes back by itself is not made permanent: leave one of the two out"));
    }
    Ok(Set {
        function: (!said.eq_ignore_ascii_case("all")).then(|| said.to_owned()),
        level: level.clone(),
        span,
        permanent,
        reason: args.rest(),
    })
}

//! `unlock <env>`: lets go of an environment.

use super::{Spec, Verb, refused};
use crate::decision::{Decision, Reply};
use crate::desk::Event;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, Question};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::view::{Inline, Message, text};
use crate::wake;

/// A wish to let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    /// Of which environment.
    pub environment: EnvironmentId,
}

impl Verb for Unlock {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "unlock",
        usage: "<env>",
        summary: "Let go of an environment; who waits for it is told",
        detail: "Anybody who may lock it may unlock it; the channel sees who did.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = args.environment(scope)?;
        args.end()?;
        Ok((service, Self { environment }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        super::operating_needs(service, Some(&self.environment))
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let Some(environment) = facts.service.environment(&self.environment) else {
            return Ok(Decision::default());
        };
        let refusals = gate::evaluate(&Question {
            facts,
            speaker: Some(speaker),
            act: Act::Operate,
            environment,
            run: None,
        });
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let Some(lock) = facts.desk.lock(&self.environment, facts.now) else {
            return Ok(Decision::say(Message::sentence(format!(
                "{} is not locked. Nothing to do.",
                self.environment
            ))));
        };
        let mut plan = Plan::new(facts);
        plan.tell_desk(
            Event::Unlocked {
                environment: self.environment.clone(),
                by: Some(speaker.user.clone()),
            },
            Reason::Standing,
        );
        wake::tell_waiters(&mut plan, &self.environment);
        super::redraw_waiting(&mut plan);
        let mut line = vec![
            Inline::Mention(speaker.user.clone()),
            text(format!(" unlocked {}", self.environment)),
        ];
        if lock.owner != speaker.user {
            line.extend([text(", which was held by "), Inline::Mention(lock.owner.clone())]);
        }
        Ok(plan.finish(Reply::Public(Message::line(line))))
    }
}

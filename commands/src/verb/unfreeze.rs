//! `unfreeze <env|all>`: releases are possible again.

use super::{Spec, Verb, refused};
use crate::decision::{Decision, Reply};
use crate::desk::Event;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{EnvironmentId, ServiceId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::Illegal;
use crate::view::{Inline, Message, code, text};

/// A wish to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfreeze {
    /// Where; `None`: every service.
    pub environment: Option<EnvironmentId>,
}

impl Verb for Unfreeze {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "unfreeze",
        usage: "<env|all>",
        summary: "Take a freeze off that was put on by hand",
        detail: "A freeze that came with `freeze all` comes off with `unfreeze all`. Freezes of the configuration end by themselves; `approve --override` passes them.",
        flags: &[],
        act: Act::Operate,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, environment) = super::environment_or_all(args, scope)?;
        args.end()?;
        Ok((service, Self { environment }))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        super::operating_needs(service, self.environment.as_ref())
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let refusals = super::may_operate(facts, speaker, self.environment.as_ref());
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        let everywhere = self.environment.is_none();
        let known = facts
            .desk
            .freezes
            .iter()
            .any(|freeze| freeze.environment == self.environment && freeze.everywhere == everywhere);
        if !known && !everywhere {
            let mut line = vec![text(format!(
                "No freeze was put on {} by hand. Nothing to do.",
                self.environment.as_ref().map_or("", EnvironmentId::as_str)
            ))];
            if facts.desk.freezes.iter().any(|freeze| freeze.everywhere) {
                line.extend([
                    text(" The one that came with every service comes off with "),
                    code("/deploy unfreeze all"),
                    text("."),
                ]);
            }
            return Ok(Decision::say(Message::line(line)));
        }
        let mut plan = Plan::new(facts);
        plan.tell_desk(
            Event::Unfrozen {
                environment: self.environment.clone(),
                everywhere,
                by: Some(speaker.user.clone()),
            },
            Reason::Standing,
        );
        super::redraw_waiting(&mut plan);
        let what = self
            .environment
            .as_ref()
            .map_or_else(|| "every service".to_owned(), ToString::to_string);
        let mut line = vec![
            Inline::Mention(speaker.user.clone()),
            text(format!(" took the freeze of {what} off")),
        ];
        if everywhere {
            line.push(text(super::freeze::spread(&mut plan, None, speaker)));
        }
        Ok(plan.finish(Reply::Public(Message::line(line))))
    }
}

//! `confirm <env> [run] [what you saw]`: answers what a runbook's run asks: may a step begin, is it done, do you say yes?

use super::steer::{Aim, aloud, form};
use super::{Spec, Verb, nothing, refused};
use crate::decision::{Decision, Refusal, Reply};
use crate::effect::CallPhase;
use crate::facts::{Facts, Needs, Speaker, Standing, Via};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::{RecordId, ServiceId, StepName, UserId};
use crate::operation::{Event, Operation, Phase, StepState, advance, calls};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Illegal, Note};
use crate::runbook::Step;
use crate::step::{Action, Conduct};
use crate::view::{self, Inline, text};

/// An answer to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// Which run.
    pub aim: Aim,
    /// What was seen; may be empty where nothing is asked for.
    pub evidence: String,
}

impl Verb for Confirm {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "confirm",
        usage: "<env> [run] [what you saw]",
        summary: "Answer what a runbook asks: begin the step, say that it is done, or say yes",
        detail: "A step that asks for approval takes approvers of the environment, and not whoever started the run; everything else takes operators. A step of which nobody knows whether it was done can be confirmed too, by somebody who looked. What deletes for good wants the name of what goes, typed exactly.",
        flags: &[],
        act: Act::Vote,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let (service, aim) = Aim::parse(args, scope)?;
        Ok((
            service,
            Self {
                aim,
                evidence: args.rest(),
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.aim.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let strangers = super::may_read(facts, speaker);
        if !strangers.is_empty() {
            return Ok(refused(strangers));
        }
        let operation = match self.aim.find(facts) {
            Ok(operation) => operation,
            Err(why) => return Ok(nothing(&why)),
        };
        let Some((step, state)) = asked(operation, &self.aim) else {
            return Ok(nothing("this run asks nothing just now"));
        };
        let votes = matches!(step.action.conduct(), Conduct::Votes(_)) && state.phase == Phase::Asking;
        let act = if votes { Act::Vote } else { Act::Operate };
        let mut refusals = self.aim.judge(facts, speaker, act);
        if votes {
            refusals.extend(own(operation, speaker));
            refusals.extend(voted(state, speaker));
        }
        if !refusals.is_empty() {
            return Ok(refused(refusals));
        }
        if let Some(denied) = self.mistyped(speaker, (operation, step, state)) {
            return Ok(denied);
        }
        if self.evidence.trim().is_empty() && wants_evidence(step, state) {
            return Ok(form(
                speaker,
                view::confirm_form(operation, step),
                "Write down what you saw: it becomes part of the record.",
            ));
        }
        self.answer(facts, speaker, (operation, step, state))
    }
}

/// The step that is asked about: the one of the button, or the first.
fn asked<'o>(operation: &'o Operation, aim: &Aim) -> Option<(&'o Step, &'o StepState)> {
    let open = |state: &StepState| state.phase.is_asking() || state.phase == Phase::Unknown;
    match &aim.seen {
        Some((step, _)) => operation.step(step).filter(|(_, state)| open(state)),
        None => operation.all().find(|(_, state)| open(state)),
    }
}

/// What only a person knows is written down with what they saw.
fn wants_evidence(step: &Step, state: &StepState) -> bool {
    match &step.action {
        Action::Manual(manual) if state.phase == Phase::Asking => !manual.evidence.is_empty(),
        _ => state.phase == Phase::Unknown,
    }
}

/// How many of those who said yes may still say it: at each yes the rights of all are judged again.
fn entitled(facts: &Facts<'_>, operation: &Operation, step: &StepName) -> usize {
    let people = facts
        .service
        .environment(operation.environment())
        .map(|environment| &environment.approvers.people);
    let may = |user: &&UserId| {
        facts.standing(user) == Standing::Member
            && people.is_some_and(|people| facts.is_among(user, people) == Some(true))
    };
    operation
        .step(step)
        .map_or(0, |(_, state)| state.yes.iter().filter(may).count())
}

/// Who started a run does not say yes to it, by no name.
fn own(operation: &Operation, speaker: &Speaker) -> Option<Refusal> {
    let pinned = &operation.pinned;
    let (user, os_user) = (
        pinned.starter == speaker.user,
        is_behind(pinned.os_user.as_deref(), speaker),
    );
    ((user || os_user) && !pinned.self_approval).then(|| Refusal {
        reason: Reason::SelfApproval,
        message: vec![text(format!(
            "{} started this run, so somebody else has to say yes to it.",
            whose(user)
        ))],
        about: Some(operation.id.clone()),
        passable: false,
    })
}

/// Whether the speaker is at a command line, as this operating-system user.
fn is_behind(os_user: Option<&str>, speaker: &Speaker) -> bool {
    os_user.is_some() && os_user == speaker.os_user()
}

const fn whose(user: bool) -> &'static str {
    if user { "You" } else { "This operating-system user" }
}

fn voted(state: &StepState, speaker: &Speaker) -> Option<Refusal> {
    let user = state.yes.contains(&speaker.user);
    let os_user = state.os_users.iter().any(|one| is_behind(Some(one), speaker));
    (user || os_user).then(|| Refusal {
        reason: Reason::AlreadyVoted,
        message: vec![text(format!(
            "{} said yes already; it takes another person.",
            whose(user)
        ))],
        about: None,
        passable: false,
    })
}

impl Confirm {
    /// What is said to somebody who has not typed what has to be typed: nothing is done.
    fn mistyped(
        &self,
        speaker: &Speaker,
        (operation, step, state): (&Operation, &Step, &StepState),
    ) -> Option<Decision> {
        let wanted = (state.phase == Phase::Confirming).then(|| operation.action(step).ok()?.typed())??;
        let said = self.evidence.trim();
        if said == wanted {
            return None;
        }
        let missing = format!("Type {wanted} exactly, and nothing else.");
        if said.is_empty() || speaker.via == Via::Form {
            return Some(form(speaker, view::type_form(operation, step, &wanted), &missing));
        }
        Some(refused(vec![Refusal {
            reason: Reason::NotTyped,
            message: vec![text(format!("That is not its name, so nothing was done. {missing}"))],
            about: Some(operation.id.clone()),
            passable: false,
        }]))
    }

    /// What is said beside a yes, and by whom: of several who say yes, each may have seen something else.
    fn words(&self, facts: &Facts<'_>, speaker: &Speaker) -> Option<String> {
        let words = self.evidence.trim();
        let name = facts.people.get(&speaker.user);
        let name = name.map_or_else(|| speaker.user.to_string(), |person| person.name.clone());
        (!words.is_empty()).then(|| format!("{name}: {words}"))
    }

    /// What is said beside an answer that leaves no evidence of its own becomes part of the record, as what is said in the thread does.
    fn noted(&self, plan: &mut Plan<'_>, id: &RecordId, speaker: &Speaker) -> Result<(), Illegal> {
        let words = self.evidence.trim();
        if words.is_empty() {
            return Ok(());
        }
        let note = Note {
            user: speaker.user.clone(),
            at: plan.facts.now,
            text: words.to_owned(),
        };
        plan.tell_operation(id, Event::Noted { note }, Reason::Note)
    }

    fn answer(
        &self,
        facts: &Facts<'_>,
        speaker: &Speaker,
        (operation, step, state): (&Operation, &Step, &StepState),
    ) -> Result<Decision, Illegal> {
        let (id, by, name) = (&operation.id, speaker.user.clone(), step.name.clone());
        let mut plan = Plan::new(facts);
        let title = operation.title(step);
        let mut said = format!(" says yes: {title}");
        match (step.action.conduct(), state.phase) {
            (Conduct::Votes(required), Phase::Asking) => {
                let words = self.evidence.trim().to_owned();
                let vote = Event::StepVoted {
                    step: name.clone(),
                    by,
                    os_user: speaker.os_user().map(str::to_owned),
                    words: self.words(facts, speaker),
                };
                plan.tell_operation(id, vote, Reason::Voted)?;
                let have = plan.operation(id).map_or(0, |now| entitled(facts, now, &name));
                said = format!(" says yes ({have} of {required}): {title}");
                if !words.is_empty() {
                    said.push_str(&format!(" · “{words}”"));
                }
                if have >= required {
                    let voted = plan.operation(id).and_then(|now| now.step(&name));
                    let evidence = voted.map_or_else(Vec::new, |(_, state)| state.evidence.clone());
                    let done = Event::StepDone {
                        step: name,
                        outputs: Default::default(),
                        evidence,
                    };
                    plan.tell_operation(id, done, Reason::Decided)?;
                }
            }
            (_, Phase::Confirming) => {
                said = format!(" typed {} and has it done: {title}", self.evidence.trim());
                let typed = Event::StepTyped { step: name.clone(), by };
                plan.tell_operation(id, typed, Reason::Decided)?;
                calls::owe(&mut plan, id, &name, CallPhase::Act, facts.now);
            }
            (Conduct::Tick, Phase::Asking) | (_, Phase::Unknown) => {
                said = format!(" says that it is done: {title}");
                self.ticked(&mut plan, (operation, step), by)?;
            }
            _ => {
                self.noted(&mut plan, id, speaker)?;
                plan.tell_operation(id, Event::StepCleared { step: name, by }, Reason::Decided)?;
            }
        }
        advance::advance(&mut plan, id)?;
        let reply: Reply = aloud(vec![Inline::Mention(speaker.user.clone()), text(said)]);
        Ok(plan.finish(reply))
    }

    /// A person says that it is done. What has to be found, because their word brings no outputs, is looked for.
    fn ticked(&self, plan: &mut Plan<'_>, (operation, step): (&Operation, &Step), by: UserId) -> Result<(), Illegal> {
        let (id, name, evidence) = (&operation.id, step.name.clone(), self.evidence.trim().to_owned());
        let followed = operation.undone_by.is_none() && calls::calls(step).is_some_and(|calls| calls.found);
        if followed {
            let step = name.clone();
            plan.tell_operation(id, Event::StepFollowed { step, by, evidence }, Reason::Decided)?;
            calls::owe(plan, id, &name, CallPhase::Watch, plan.facts.now);
        } else {
            let step = name;
            plan.tell_operation(id, Event::StepTicked { step, by, evidence }, Reason::Decided)?;
        }
        if operation.status == crate::operation::Status::Stopped {
            plan.tell_operation(id, Event::Resumed, Reason::Progress)?;
        }
        Ok(())
    }
}

//! `approve <env> [revision] [reason]`: votes yes.

use super::pick::{Pick, Picked};
use super::{Spec, Verb, nothing, refused};
use crate::approval;
use crate::decision::{Decision, Refusal, Reply};
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::{self, Act, names, tally};
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::plan::Plan;
use crate::reason::Reason;
use crate::run::{Ballot, Event, Illegal, Run, Status, Vote};
use crate::view::{self, text};
use crate::watch;

const NO_REASON: &str = "breaking the glass needs a reason: `--override <reason>`";

/// A vote for yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// On which run.
    pub pick: Pick,
    /// Why; may be empty.
    pub reason: String,
    /// Whether the glass is to be broken.
    pub overriding: bool,
    /// Whether the speaker first wants a form for notes.
    pub ask: bool,
}

impl Verb for Approve {
    const SPEC: Spec = Spec {
        command: "/deploy",
        name: "approve",
        usage: "<env> [revision] [reason]",
        summary: "Vote yes on what waits for a decision",
        detail: "Acts at once when you name the revision, stand in the card's thread, or only one run waits and its card has been up for 15 seconds; \
                 otherwise it answers with a button. `--override <reason>` breaks the glass, for those whom the configuration names: it passes freeze, lock, order, \
                 checks, quorum and self-approval, and says so loudly.",
        flags: &["--override"],
        act: Act::Approve,
    };

    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError> {
        let overriding = args.take_flag("--override");
        let (service, pick) = Pick::parse(args, scope)?;
        let reason = args.rest();
        if overriding && reason.is_empty() {
            return Err(args.error(NO_REASON));
        }
        Ok((
            service,
            Self {
                pick,
                reason,
                overriding,
                ask: false,
            },
        ))
    }

    fn needs(&self, service: &crate::catalog::Service) -> Needs {
        self.pick.needs(service)
    }

    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let run = match self.pick.find(facts, speaker) {
            Picked::This(run) => run,
            Picked::Confirm(runs) => return Ok(self.confirm(facts, speaker, &runs)),
            Picked::Nothing(why) => return Ok(nothing(&why)),
        };
        if self.overriding && self.pick.reason(run, &self.reason).is_empty() {
            return Ok(nothing(NO_REASON));
        }
        let mut refusals = gate::evaluate_run(facts, Some(speaker), Act::Approve, run);
        let mut passed = None;
        if self.overriding {
            // Who may break the glass is a rule of its own, in the place of the one about approvers.
            let (over, stay): (Vec<_>, Vec<_>) = refusals
                .into_iter()
                .partition(|refusal| refusal.passable || refusal.reason == Reason::Role);
            passed = Some(over.into_iter().map(|refusal| refusal.reason).collect::<Vec<_>>());
            refusals = stay;
            refusals.extend(may_override(facts, speaker, run));
        } else {
            refusals.extend(already_voted(run, speaker));
        }
        if !refusals.is_empty() {
            return Ok(refuse(facts, speaker, run, refusals));
        }
        if self.ask {
            return Ok(Decision {
                reply: Reply::Form(view::approve_form(run)),
                ..Decision::default()
            });
        }
        self.vote(facts, speaker, run, passed)
    }
}

impl Approve {
    /// Asks which run is meant. Whoever may not approve the only one hears that at once: a button would promise what it cannot keep.
    fn confirm(&self, facts: &Facts<'_>, speaker: &Speaker, runs: &[&Run]) -> Decision {
        if let ([run], false) = (runs, self.overriding) {
            let refusals = gate::evaluate_run(facts, Some(speaker), Act::Approve, run);
            if !refusals.is_empty() {
                return refuse(facts, speaker, run, refusals);
            }
        }
        Decision::say(view::pick_one(runs, facts))
    }

    fn vote(
        &self,
        facts: &Facts<'_>,
        speaker: &Speaker,
        run: &Run,
        mut passed: Option<Vec<Reason>>,
    ) -> Result<Decision, Illegal> {
        let mut plan = Plan::new(facts);
        let vote = Vote {
            user: speaker.user.clone(),
            ballot: Ballot::Approve,
            at: facts.now,
            reason: self.pick.reason(run, &self.reason).to_owned(),
            os_user: speaker.os_user().map(str::to_owned),
        };
        plan.tell(&run.id, Event::Voted { vote }, Reason::Voted)?;
        if let (Some(reasons), Some(voted)) = (&mut passed, plan.run(&run.id)) {
            reasons.extend((!tally::count(facts, voted).suffices()).then_some(Reason::Quorum));
            let mut known = Vec::new();
            reasons.retain(|reason| {
                !known.contains(reason) && {
                    known.push(*reason);
                    true
                }
            });
        }
        if let Some(reasons) = &passed {
            super::announce_override(
                &mut plan,
                run,
                &speaker.user,
                reasons,
                self.pick.reason(run, &self.reason),
            );
        }
        approval::advance(&mut plan, &run.id, passed)?;
        let reply = plan.run(&run.id).map(|run| match run.status {
            Status::Waiting => view::voted(run, &tally::count(facts, run), facts),
            _ => view::decided(run),
        });
        Ok(plan.finish(reply.map_or(Reply::None, Reply::Private)))
    }
}

/// One person is one voter, and so is one operating-system user.
pub(super) fn already_voted(run: &Run, speaker: &Speaker) -> Option<Refusal> {
    let me = speaker.os_user();
    let mine = |vote: &&Vote| vote.user == speaker.user || (me.is_some() && vote.os_user.as_deref() == me);
    let vote = run.votes_for(Ballot::Approve).find(mine)?;
    let who = if vote.user == speaker.user {
        "You have"
    } else {
        "This operating-system user has"
    };
    Some(Refusal {
        reason: Reason::AlreadyVoted,
        message: vec![text(format!(
            "{who} approved this already, {} ago. It counts once.",
            vote.at.age(run.changed_at.max(vote.at))
        ))],
        about: Some(run.id.clone()),
        passable: false,
    })
}

fn may_override(facts: &Facts<'_>, speaker: &Speaker, run: &Run) -> Option<Refusal> {
    run.environments()
        .filter_map(|id| facts.service.environment(id))
        .find_map(|environment| {
            if facts.is_among(&speaker.user, &environment.overriders) == Some(true) {
                return None;
            }
            let mut message = vec![text(format!("You may not break the glass on {}. Ask ", environment.id))];
            message.extend(names(&environment.overriders));
            message.push(text("."));
            Some(Refusal {
                reason: Reason::Role,
                message,
                about: Some(run.id.clone()),
                passable: false,
            })
        })
}

/// Says no; when old evidence is in the way, it is gathered again at once, so that the next press finds it fresh.
fn refuse(facts: &Facts<'_>, speaker: &Speaker, run: &Run, refusals: Vec<Refusal>) -> Decision {
    if refusals.iter().any(|refusal| refusal.reason == Reason::AlreadyDecided) {
        return Decision {
            refusals,
            ..Decision::say(view::lost_race(run, facts, &speaker.user))
        };
    }
    let stale = refusals.iter().any(|refusal| refusal.reason == Reason::Checks)
        && run.verdicts.values().any(|verdict| verdict.is_stale(facts.now));
    let mut decision = refused(refusals);
    if stale {
        let effects = watch::gather_checks(facts, &run.id, run.environments());
        decision
            .effects
            .extend(effects.into_iter().map(|effect| (effect, facts.now)));
    }
    decision
}

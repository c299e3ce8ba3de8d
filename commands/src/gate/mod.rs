//! Gates: rules over people and state. May *this person* do *this*, here, now?
//!
//! Every gate is asked, whatever the others say, so that one refusal tells everything that is in the way. A gate that cannot know refuses.

mod channel;
mod checks;
mod claim;
mod freeze;
mod identity;
mod lock;
mod order;
mod role;
mod round;
mod self_approval;
pub mod tally;

pub(crate) use lock::held;

use crate::catalog::Environment;
use crate::decision::Refusal;
use crate::facts::{Facts, Speaker, Standing};
use crate::reason::Reason;
use crate::run::Run;
use crate::view::{Inline, Line, text};

/// What somebody wants to do, as far as gates tell acts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// Look. Every member may, anywhere.
    Read,
    /// Vote yes.
    Approve,
    /// Vote no. Nothing that holds a release up holds a no up.
    Reject,
    /// Lock, freeze and their opposites.
    Operate,
    /// Change what is running: retry, stop.
    Intervene,
    /// Start a runbook.
    Start,
    /// Say yes to what a runbook asks.
    Vote,
}

/// A question to the gates.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is known.
    pub facts: &'a Facts<'a>,
    /// Who asks; `None`: nobody in particular, only rules about state are asked. The card is drawn with this.
    pub speaker: Option<&'a Speaker>,
    /// What they want to do.
    pub act: Act,
    /// Where.
    pub environment: &'a Environment,
    /// On which run.
    pub run: Option<&'a Run>,
}

/// A gate.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// Its name, as people read it.
    pub name: &'static str,
    /// Which acts it guards.
    pub guards: &'static [Act],
    /// Whether a broken glass passes it. Identity, channel, current round and claim are never passed.
    pub passable: bool,
    /// The rule.
    pub judge: fn(&Question<'_>) -> Option<Denial>,
}

/// What a gate says when it says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The stable code.
    pub reason: Reason,
    /// Why, and what to do next.
    pub line: Line,
}

const RELEASE: &[Act] = &[Act::Approve];
const DECIDE: &[Act] = &[Act::Approve, Act::Reject];
/// What changes an environment for good.
const SHIP: &[Act] = &[Act::Approve, Act::Start];
const CHANGE: &[Act] = &[
    Act::Approve,
    Act::Reject,
    Act::Operate,
    Act::Intervene,
    Act::Start,
    Act::Vote,
];
const EVERYTHING: &[Act] = &[
    Act::Read,
    Act::Approve,
    Act::Reject,
    Act::Operate,
    Act::Intervene,
    Act::Start,
    Act::Vote,
];

/// All gates, in the order in which people read about them. A test compares this table with the folder.
pub const GATES: &[Gate] = &[
    Gate {
        name: "identity",
        guards: EVERYTHING,
        passable: false,
        judge: identity::judge,
    },
    Gate {
        name: "channel",
        guards: CHANGE,
        passable: false,
        judge: channel::judge,
    },
    Gate {
        name: "round",
        guards: DECIDE,
        passable: false,
        judge: round::judge,
    },
    Gate {
        name: "role",
        guards: CHANGE,
        passable: false,
        judge: role::judge,
    },
    Gate {
        name: "self_approval",
        guards: RELEASE,
        passable: true,
        judge: self_approval::judge,
    },
    Gate {
        name: "freeze",
        guards: SHIP,
        passable: true,
        judge: freeze::judge,
    },
    Gate {
        name: "lock",
        guards: &[Act::Approve, Act::Intervene, Act::Start],
        passable: true,
        judge: lock::judge,
    },
    Gate {
        name: "order",
        guards: RELEASE,
        passable: true,
        judge: order::judge,
    },
    Gate {
        name: "checks",
        guards: RELEASE,
        passable: true,
        judge: checks::judge,
    },
    Gate {
        name: "claim",
        guards: SHIP,
        passable: false,
        judge: claim::judge,
    },
];

/// Why somebody may not use the bot at all, whatever they say; `None` for full members.
#[must_use]
pub fn outsider(standing: &Standing) -> Option<Refusal> {
    Some(Refusal {
        reason: Reason::Identity,
        message: identity::denied(standing)?,
        about: None,
        passable: false,
    })
}

/// Everything that is in the way, each reason once.
#[must_use]
pub fn evaluate(question: &Question<'_>) -> Vec<Refusal> {
    let about = question.run.map(|run| run.id.clone());
    GATES
        .iter()
        .filter(|gate| gate.guards.contains(&question.act))
        .filter_map(|gate| {
            let Denial { reason, line } = (gate.judge)(question)?;
            Some(Refusal {
                reason,
                message: line,
                about: about.clone(),
                passable: gate.passable,
            })
        })
        .collect()
}

/// [`evaluate`] over every environment that a run releases to; an environment that left the configuration refuses.
#[must_use]
pub fn evaluate_run(facts: &Facts<'_>, speaker: Option<&Speaker>, act: Act, run: &Run) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for id in run.environments() {
        let found = match facts.service.environment(id) {
            Some(environment) => evaluate(&Question {
                facts,
                speaker,
                act,
                environment,
                run: Some(run),
            }),
            None => vec![Refusal {
                reason: Reason::Role,
                message: vec![text(format!(
                    "{id} is no longer configured, so nobody may release to it. Put it back into the configuration, or answer in the AWS console."
                ))],
                about: Some(run.id.clone()),
                passable: false,
            }],
        };
        for refusal in found {
            if !refusals.iter().any(|known| known.message == refusal.message) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}

fn deny(reason: Reason, line: Line) -> Option<Denial> {
    Some(Denial { reason, line })
}

/// `a`, `a or b`, `a, b or c`.
fn alternatives(mut names: Vec<Inline>) -> Line {
    let last = names.pop();
    let mut line: Line = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        if index > 0 {
            line.push(text(", "));
        }
        line.push(name);
    }
    if !line.is_empty() {
        line.push(text(" or "));
    }
    line.extend(last);
    line
}

/// The people of a set, as people read them.
#[must_use]
pub fn names(people: &crate::catalog::People) -> Line {
    let groups = people.groups.iter().cloned().map(Inline::Group);
    let line = alternatives(
        groups
            .chain(people.users.iter().cloned().map(Inline::Mention))
            .collect(),
    );
    if line.is_empty() {
        vec![text("nobody (none are configured)")]
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_file_is_in_the_table() {
        let files = crate::test_support::files_of("src/gate", &["tally"]);
        let mut table: Vec<_> = GATES.iter().map(|gate| gate.name.to_owned()).collect();
        table.sort();
        assert_eq!(files, table);
    }

    #[test]
    fn a_broken_glass_passes_these_and_no_others() {
        let passable: Vec<_> = GATES
            .iter()
            .filter(|gate| gate.passable)
            .map(|gate| gate.name)
            .collect();
        assert_eq!(passable, ["self_approval", "freeze", "lock", "order", "checks"]);
    }
}

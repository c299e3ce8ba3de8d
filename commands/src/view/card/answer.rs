//! Whose decision it was: ours with its votes, or somebody else's, and whether rules were passed over.

use super::super::message::{DateStyle, Inline, Line, Sign, bold};
use super::super::people;
use super::super::words::{self, done, listed, quoted, rules};
use crate::facts::Facts;
use crate::ids::UserId;
use crate::run::{Answer, Ballot, Decision, Run};

/// Who approved or rejected, in a few words for the first line: ours by name, a foreign answer as such.
pub(super) fn outcome(run: &Run, facts: &Facts<'_>) -> String {
    let foreign = run
        .answer
        .as_ref()
        .and_then(|answer| Some((answer, answer.elsewhere.as_ref()?)));
    if let Some((answer, arn)) = foreign {
        let loud = if answer.out_of_turn.is_empty() {
            ""
        } else {
            ", OUT OF TURN"
        };
        return format!(
            "{} outside of Signalbox by {}{loud}",
            done(answer.ballot),
            words::aws_actor(arn)
        );
    }
    match (&run.decision, &run.answer) {
        (Some(decision), _) => by(decision, facts),
        (None, Some(answer)) => done(answer.ballot).to_owned(),
        (None, None) => "answered".to_owned(),
    }
}

/// Who decided what, in a few words for the first line.
pub(super) fn by(decision: &Decision, facts: &Facts<'_>) -> String {
    let glass = if decision.overridden { ", GLASS BROKEN" } else { "" };
    format!(
        "{} by {}{glass}",
        done(decision.ballot),
        people::names(facts, &decision.by)
    )
}

/// The votes behind a decision, and a broken glass said loudly.
pub(super) fn decided(run: &Run, decision: &Decision) -> Vec<Line> {
    let breaker = decision.by.last().filter(|_| decision.overridden);
    let mut lines = Vec::new();
    if let Some(breaker) = breaker {
        let mut line = line![Sign::Override, " ", bold("The glass was broken by"), " ", breaker];
        line.extend(
            quoted(&decision.reason, 300)
                .map(|words| line![": ", words])
                .unwrap_or_default(),
        );
        line.push(".".into());
        line.extend(passed(decision));
        lines.push(line);
    }
    // Those whose words stand there already are not named twice.
    let others = |user: &&UserId| breaker != Some(*user);
    let voted = |user: &UserId| {
        let vote = run.votes_for(decision.ballot).find(|vote| vote.user == *user);
        vote.map_or_else(|| line![user], people::vote)
    };
    let votes: Vec<Line> = decision.by.iter().filter(others).map(voted).collect();
    if !votes.is_empty() {
        let mut line = line![match decision.ballot {
            Ballot::Approve => "Approved by ",
            Ballot::Reject => "Rejected by ",
        }];
        line.extend(listed(votes, "and"));
        lines.push(line);
    }
    lines
}

/// What a broken glass passed over, where the record tells.
fn passed(decision: &Decision) -> Option<Inline> {
    (!decision.passed.is_empty()).then(|| format!(" It passed over {}.", rules(&decision.passed)).into())
}

/// That CodePipeline has the answer, and whose it is.
pub(super) fn confirmed(run: &Run, answer: &Answer) -> Line {
    let at = answer.at.shown(DateStyle::Seconds);
    match &answer.elsewhere {
        None => line![Sign::Good, " CodePipeline confirmed ", at],
        Some(arn) => {
            let late = if run.decision.is_some() {
                ", before our answer got there; nothing was sent twice"
            } else {
                ""
            };
            line![
                Sign::Notice,
                " ",
                bold(format!("Answered outside of Signalbox by {}", words::aws_actor(arn))),
                " at ",
                at,
                late
            ]
        }
    }
}

/// A foreign answer that passed over rules: recorded, never hidden.
pub(in crate::view) fn out_of_turn(answer: &Answer) -> Option<Line> {
    (!answer.out_of_turn.is_empty()).then(|| {
        line![
            Sign::Bad,
            " ",
            bold("Out of turn:"),
            format!(
                " it passed over {}. Talk to whoever answered.",
                rules(&answer.out_of_turn)
            )
        ]
    })
}

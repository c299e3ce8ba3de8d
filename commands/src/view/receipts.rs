//! Private answers to somebody who decided, or wanted to: what is true at that moment, and not a word more.

use super::buttons::{self, Press, tell_me};
use super::message::{Block, DateStyle, Inline, Line, Message, Sign, bold, code};
use super::people::{self, who};
use super::words::{self, DOT, aws_actor, capital, command, done, in_about, joined, route, title, typed};
use crate::facts::Facts;
use crate::gate::tally::Tally;
use crate::ids::{EnvironmentId, ServiceId, UserId};
use crate::run::{Decision, Run};
use crate::time::Span;

/// A vote was counted, and it takes more of them.
#[must_use]
pub fn voted(run: &Run, tally: &Tally, facts: &Facts<'_>) -> Message {
    let (given, required) = (tally.approved.len(), tally.required);
    let missing = people::missing(tally);
    let others = people::others(facts, run);
    let nobody = people::may_approve(facts, run).is_some_and(|people| people.is_empty());
    let mut line = line![
        Sign::Good,
        " ",
        bold(format!(
            "Your approval is recorded: {} of {}.",
            given,
            required.max(given)
        )),
        " "
    ];
    if nobody {
        line.push(
            "Nobody is left who may give another: everyone else has voted, wrote part of this, or started it.".into(),
        );
    } else {
        line.extend(others);
        line.push(
            if missing == 1 {
                " can give the other."
            } else {
                " can give the others."
            }
            .into(),
        );
    }
    let mut lines = Vec::new();
    if let Some(mut groups) = people::missing_groups(&tally.missing) {
        groups.push(".".into());
        lines.push(capital(groups));
    }
    Message::headed(line, lines)
}

/// The votes suffice.
#[must_use]
pub fn decided(run: &Run) -> Message {
    recorded(
        run,
        "Recorded; telling CodePipeline now. The card shows when it confirms.",
    )
}

/// A no was taken; `for_newest` when it makes room for the newest run behind.
#[must_use]
pub fn rejected(run: &Run, for_newest: bool) -> Message {
    match run.behind.last().filter(|_| for_newest) {
        Some(newest) => recorded(
            run,
            &format!(
                "Rejection recorded; telling CodePipeline now. {} asks next.",
                title(&newest.revision)
            ),
        ),
        None => recorded(
            run,
            "Rejection recorded; telling CodePipeline now. The card shows when it confirms.",
        ),
    }
}

fn recorded(run: &Run, words: &str) -> Message {
    Message::headed(line![Sign::Good, " ", bold(words)], vec![line![words::subject(run)]])
}

/// Somebody pressed, and the run was decided already: by whom, and how much earlier.
#[must_use]
pub fn lost_race(run: &Run, facts: &Facts<'_>, speaker: &UserId) -> Message {
    let twice = "; nothing was sent twice.";
    let foreign = run
        .answer
        .as_ref()
        .and_then(|answer| Some((answer, answer.elsewhere.as_ref()?)));
    let line = match (&run.decision, foreign) {
        (_, Some((answer, arn))) => line![
            format!(
                "{} {} this outside of Signalbox at ",
                aws_actor(arn),
                done(answer.ballot)
            ),
            answer.at.shown(DateStyle::Seconds),
            ". Nothing was sent from here.",
        ],
        (Some(decision), None) => ours(decision, facts, speaker, twice),
        (None, None) => line!["This is decided already", twice],
    };
    Message::headed(line, vec![line![words::subject(run)]])
}

fn ours(decision: &Decision, facts: &Facts<'_>, speaker: &UserId, twice: &str) -> Line {
    let did = done(decision.ballot);
    let mut line = match decision.by.last() {
        Some(decider) if decider == speaker => line![format!("You {did} this already")],
        Some(decider) => line![who(facts, decider), format!(" {did} this")],
        None => line![format!("This was {did}")],
    };
    let earlier = decision.at.age(facts.now);
    let before = decision.by.last() != Some(speaker);
    match earlier {
        Span(..1000) if before => line.push(" a moment before you".into()),
        span if before && span < Span::minutes(1) => {
            // "Bruno approved 2 s before you": the shortest sentence for the most usual race.
            if let Some(Inline::Text(words)) = line.last_mut() {
                *words = format!(" {did}");
            }
            line.push(format!(" {span} before you").into());
        }
        _ => line.extend(line![" at ", decision.at.shown(DateStyle::Seconds)]),
    }
    line.push(twice.into());
    line
}

/// Words that may mean several runs, or one whose card came up only just now: each with buttons that are bound to what they show.
#[must_use]
pub fn pick_one(runs: &[&Run], facts: &Facts<'_>) -> Message {
    let first = match runs {
        [] => line![bold("Nothing waits for a decision."), " Nothing was done."],
        [one] => line![
            bold(format!("Do you mean {}?", title(&one.pinned.revision))),
            " Its card is new, so nothing was done yet."
        ],
        several => line![
            bold(format!("Which of these {} runs do you mean?", several.len())),
            " Nothing was done yet."
        ],
    };
    let mut message = Message::headed(first, Vec::new());
    for run in runs.iter().take(5) {
        let mut adds = line![bold(format!("{}: {}", route(run), title(&run.pinned.revision)))];
        adds.extend(line![format!(
            "; CodePipeline gives up {}",
            in_about(run.pinned.gives_up_at, facts.now)
        )]);
        let about = joined(
            vec![
                capital(super::card::adds(run, facts)),
                words::named(&run.pinned.revision)
                    .map(|name| line![name])
                    .unwrap_or_default(),
            ],
            DOT,
        );
        let buttons = [Press::Approve, Press::Reject].map(|press| {
            let mut button = buttons::on(run, press, facts);
            button.label = match press {
                Press::Approve => format!("Approve {}", run.pinned.revision.short()),
                _ => format!("Reject {}…", run.pinned.revision.short()),
            };
            button
        });
        message = message
            .with(Block::Section(vec![adds, about]))
            .with(Block::Actions(buttons.into()));
    }
    let words = runs
        .first()
        .map(|run| line!["In words: ", code(command(facts, "approve", run.home(), &typed(run)))]);
    let names: Vec<&str> = runs.iter().skip(5).map(|run| run.id.short()).collect();
    let more = (!names.is_empty()).then(|| line![format!("More: {}. Name one by its commit.", names.join(", "))]);
    message.with(Block::Context(words.into_iter().chain(more).collect()))
}

/// The wish to be told when an environment is free, for a refusal that says who holds it.
#[must_use]
pub fn tell_me_button(service: &ServiceId, environment: &EnvironmentId) -> Block {
    Block::Actions(vec![tell_me(service, environment)])
}

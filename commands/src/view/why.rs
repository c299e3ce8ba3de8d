//! "Why can't I?": privately, every gate with its answer, who can, until when, and the exact words to say.

use super::card::refusal_sign;
use super::message::{Block, DateStyle, Inline, Line, Message, Sign, bold, code};
use super::people;
use super::words::{self, command, in_about, title, twin};
use crate::catalog::Environment;
use crate::facts::{Facts, Speaker};
use crate::gate::{Act, Denial, GATES, Gate, Question, tally};
use crate::run::{Ballot, Run, Status};

/// What the gates say to this person about approving, now.
#[must_use]
pub fn why(facts: &Facts<'_>, speaker: &Speaker, environment: &Environment, run: Option<&Run>) -> Message {
    let places: Vec<&Environment> = match run {
        Some(run) => people::environments(facts, run),
        None => vec![environment],
    };
    let places = if places.is_empty() { vec![environment] } else { places };
    let (bad, good) = judged(facts, speaker, &places, run);
    // A broken glass is a right of its own: whoever has it need not be an approver.
    let passable = !bad.is_empty() && bad.iter().all(|(gate, _)| gate.passable || gate.name == "role");
    let mut message = Message::headed(headline(facts, speaker, environment, (run, bad.len())), Vec::new())
        .with(Block::Section(bad.into_iter().map(|(_, line)| line).collect()))
        .with(Block::Section(good));
    if let Some(run) = run {
        message = message.with(Block::Section(next(facts, run)));
    }
    let overrides = passable
        && places
            .iter()
            .all(|place| facts.is_among(&speaker.user, &place.overriders) == Some(true));
    message.with(Block::Context(commands(
        facts,
        environment,
        run.filter(|run| may_speak(run, speaker)),
        overrides,
    )))
}

/// What is in the way, and what is not; each thing once, whatever number of environments says it.
fn judged<'a>(
    facts: &'a Facts<'a>,
    speaker: &'a Speaker,
    places: &[&'a Environment],
    run: Option<&'a Run>,
) -> (Vec<(&'static Gate, Line)>, Vec<Line>) {
    let mut bad: Vec<(&'static Gate, Line)> = Vec::new();
    let mut good: Vec<Line> = Vec::new();
    for gate in GATES.iter().filter(|gate| gate.guards.contains(&Act::Approve)) {
        for environment in places {
            let question = Question {
                facts,
                speaker: Some(speaker),
                act: Act::Approve,
                environment,
                run,
            };
            match (gate.judge)(&question) {
                Some(Denial { reason, line }) => {
                    let mut shown = line![refusal_sign(reason), " "];
                    shown.extend(line);
                    if !bad.iter().any(|(_, known)| *known == shown) {
                        bad.push((gate, shown));
                    }
                }
                None => {
                    let shown = passed(gate, environment, run.is_some()).map(|words| line![Sign::Good, " ", words]);
                    good.extend(shown.filter(|shown| !good.contains(shown)));
                }
            }
        }
    }
    (bad, good)
}

/// What a gate that lets somebody through has to say; `None` when there was nothing to judge.
fn passed(gate: &Gate, environment: &Environment, run: bool) -> Option<String> {
    let id = &environment.id;
    Some(match gate.name {
        "identity" => "You are a full member of this workspace.".to_owned(),
        "channel" => "This is the service's home channel.".to_owned(),
        "role" => format!("You are among the approvers of {id}."),
        "freeze" => format!("No freeze is on for {id}."),
        "lock" => format!("Nobody else holds {id}."),
        "claim" => format!("No other run changes {id} just now."),
        _ if !run => return None,
        "round" => "The request for approval is the current one.".to_owned(),
        "self_approval" if environment.approvers.self_approval => format!("{id} lets people approve their own work."),
        "self_approval" => "You neither wrote part of this nor started it.".to_owned(),
        "order" => format!("It has succeeded on {}.", environment.promotes_from.as_ref()?),
        "checks" if environment.checks.is_empty() => return None,
        "checks" => "No check is in the way.".to_owned(),
        other => format!("{}: nothing in the way.", other.replace('_', " ")),
    })
}

fn headline(
    facts: &Facts<'_>,
    speaker: &Speaker,
    environment: &Environment,
    (run, bad): (Option<&Run>, usize),
) -> Line {
    let Some(run) = run else {
        return line![
            bold(format!("Nothing waits for approval on {}", environment.id)),
            "; for the next run the rules would say:"
        ];
    };
    let what = format!("{} for {}", title(&run.pinned.revision), words::places(run));
    let voted = has_voted(run, speaker);
    match (run.status, bad) {
        (Status::Waiting, 0) if voted => {
            let tally = tally::count(facts, run);
            line![
                bold(format!("You have approved {what}")),
                format!("; it waits for {}, from somebody else.", people::wanted(&tally))
            ]
        }
        (Status::Waiting, 0) => line![bold(format!("You can approve {what}")), " now."],
        (Status::Waiting, 1) => line![bold(format!("You cannot approve {what}")), ": 1 thing is in the way."],
        (Status::Waiting, bad) => line![
            bold(format!("You cannot approve {what}")),
            format!(": {bad} things are in the way.")
        ],
        _ => line![bold(format!("There is nothing left to approve on {what}")), "."],
    }
}

/// Who can, and until when.
fn next(facts: &Facts<'_>, run: &Run) -> Vec<Line> {
    if run.status != Status::Waiting {
        return Vec::new();
    }
    let tally = tally::count(facts, run);
    let mut who = line![bold("Who can:"), " "];
    who.extend(people::others(facts, run));
    let mut need = format!(" (it waits for {}", people::wanted(&tally));
    match people::missing_groups(&tally.missing) {
        Some(groups) => {
            need.push_str("; ");
            who.push(need.into());
            who.extend(groups);
            who.push(")".into());
        }
        None => who.push(format!("{need})").into()),
    }
    let until = run.pinned.gives_up_at;
    let until = line![
        bold("Until:"),
        " ",
        until.shown(DateStyle::DayTime),
        format!(", {}; then CodePipeline gives up.", in_about(until, facts.now))
    ];
    vec![who, until]
}

/// Whether there is anything left for this person to say.
fn may_speak(run: &Run, speaker: &Speaker) -> bool {
    run.status == Status::Waiting && !has_voted(run, speaker)
}

fn has_voted(run: &Run, speaker: &Speaker) -> bool {
    run.votes_for(Ballot::Approve).any(|vote| vote.user == speaker.user)
}

fn commands(facts: &Facts<'_>, environment: &Environment, run: Option<&Run>, overrides: bool) -> Vec<Line> {
    let Some(run) = run else {
        return vec![line![
            "See what is there: ",
            code(command(facts, "status", &environment.id, ""))
        ]];
    };
    let short = words::typed(run);
    let mut lines = vec![line![
        "To approve: ",
        code(command(facts, "approve", run.home(), &short)),
        ", or from a shell ",
        code(twin(facts, "approve", run.home(), &short))
    ]];
    if overrides {
        let glass: Inline = code(command(
            facts,
            "approve",
            run.home(),
            &format!("{short} --override <reason>"),
        ));
        lines.push(line!["You may break the glass, and everyone will see it: ", glass]);
    }
    lines
}

//! What is said beside the card: in a run's thread, in the channel when it must be loud, and to people themselves.

use super::card::{ending_sign, out_of_turn};
use super::message::{Block, DateStyle, Inline, Line, Message, Sign, bold, code};
use super::people;
use super::words::{self, DOT, cut, done, headline, joined, listed, quoted, rules, took};
use crate::catalog::{Service, Site};
use crate::facts::Facts;
use crate::ids::{EnvironmentId, UserId};
use crate::reason::Reason;
use crate::run::{Ballot, Failure, Run};
use crate::time::{Span, Timestamp};

/// In the thread: what failed, where its log is, and whose commits were on board. Only they are called.
#[must_use]
pub fn failure_note(run: &Run, failure: &Failure) -> Message {
    let place = format!(
        "{} failed in stage {}",
        cut(&failure.action, 60),
        cut(&failure.stage, 60)
    );
    let message = cut(&failure.message, 300);
    let message = if message.is_empty() {
        "CodePipeline does not say why.".to_owned()
    } else {
        message
    };
    let log = failure.link.clone().map(|url| {
        line![Inline::Link {
            url,
            text: "Open the log".to_owned()
        }]
    });
    let execution = run.pinned.console_url.clone().map(|url| {
        line![Inline::Link {
            url,
            text: "execution in AWS".to_owned()
        }]
    });
    Message::headed(headline(Sign::Bad, run, &place), vec![line![message]])
        .with(Block::Section(authors(run).into_iter().collect()))
        .with(Block::Context(
            Some(joined([log, execution].into_iter().flatten().collect(), DOT))
                .filter(|line| !line.is_empty())
                .into_iter()
                .collect(),
        ))
}

fn authors(run: &Run) -> Option<Line> {
    let change = run.change.as_ref()?;
    let known = change.authors().into_iter().map(|user| line![user]);
    let strangers = change.strangers().into_iter().map(|name| line![cut(name, 60)]);
    let all: Vec<Line> = known.chain(strangers).collect();
    if all.is_empty() {
        return None;
    }
    let mut line = line!["Commits on board by "];
    line.extend(listed(all, "and"));
    line.push(". Please look.".into());
    Some(line)
}

/// To the person who started a run, or asked for it: how it ended.
#[must_use]
pub fn ended_note(run: &Run, facts: &Facts<'_>) -> Message {
    let Some((reason, at)) = run.ended() else {
        return Message::headed(headline(Sign::Running, run, "goes on"), Vec::new());
    };
    let mut parts = vec![line![at.shown(DateStyle::DayTime)]];
    if let Some(answer) = run.answer.as_ref().filter(|answer| answer.ballot == Ballot::Approve) {
        parts.push(line![took(facts, run, reason, answer.at.age(at))]);
    }
    if let Some(decision) = &run.decision {
        let mut line = line![format!(
            "{} by {}",
            done(decision.ballot),
            people::names(facts, &decision.by)
        )];
        line.extend(
            quoted(&decision.reason, 200)
                .map(|words| line![": ", words])
                .unwrap_or_default(),
        );
        parts.push(line);
    }
    parts.extend(
        words::card_link(facts, &run.id, "card")
            .or_else(|| own_card(run))
            .map(|link| vec![link]),
    );
    let mut lines = vec![joined(parts, DOT)];
    lines.extend(next_for(run, facts, reason));
    Message::headed(headline(ending_sign(reason), run, words::ending(reason)), lines)
}

fn own_card(run: &Run) -> Option<Inline> {
    let card = run.card.as_ref()?;
    Some(Inline::Permalink {
        channel: card.channel.clone(),
        ts: card.ts.clone(),
        text: "card".to_owned(),
    })
}

/// What to do now, where there is something to do.
fn next_for(run: &Run, facts: &Facts<'_>, reason: Reason) -> Option<Line> {
    match reason {
        Reason::Failed => {
            let failure = run
                .failures
                .last()
                .map(|failure| format!("{} says: {}. ", cut(&failure.action, 60), cut(&failure.message, 200)));
            Some(line![
                failure.unwrap_or_default(),
                "Retry the failed stage from the card, or with ",
                code(words::command(facts, "retry", run.home(), ""))
            ])
        }
        Reason::Expired => Some(line!["Start the pipeline again to ask again."]),
        Reason::Superseded => Some(line![
            "The newer run carries this change too, unless it was taken back; watch its card."
        ]),
        Reason::NewRound => Some(line!["Votes do not carry over: the newer card needs its own."]),
        Reason::Gone => Some(line!["Look at the execution in AWS to see what became of it."]),
        _ => None,
    }
}

/// In the channel, loudly: somebody broke the glass.
#[must_use]
pub fn override_note(run: &Run, who: &UserId, passed: &[Reason], reason: &str) -> Message {
    let line = if passed.is_empty() {
        line![who, " broke it although no rule was in the way."]
    } else {
        line![who, " passed over ", bold(rules(passed)), "."]
    };
    let mut lines = vec![line];
    lines.extend(quoted(reason, 300).map(|words| line!["Their reason: ", words]));
    lines.push(line!["It is in the journal under their name. If this should not have happened, stop the run from its card and talk to them."]);
    Message::headed(headline(Sign::Override, run, "the glass was broken"), lines)
}

/// To the one who held a lock: somebody else holds it now.
#[must_use]
pub fn lock_stolen_note(environment: &EnvironmentId, by: &UserId, reason: &str) -> Message {
    let mut line = line!["By ", by];
    line.extend(quoted(reason, 200).map(|words| line![": ", words]).unwrap_or_default());
    line.push(". If you were in the middle of something, talk to them.".into());
    Message::headed(
        line![
            Sign::Locked,
            " ",
            bold(format!("Your lock on {environment} was taken over"))
        ],
        vec![line],
    )
}

/// To the channel: a pipeline cannot be read, so nothing that happens there shows here.
#[must_use]
pub fn not_read_note(service: &Service, site: &Site, (since, why): (Timestamp, &str)) -> Message {
    let environments = service
        .environments
        .iter()
        .filter(|environment| environment.site() == *site);
    let names = environments.map(|environment| line![environment.id.as_str()]).collect();
    let head = line![
        Sign::Notice,
        " ",
        bold(format!("{}: the pipeline {} cannot be read", service.id, site.pipeline)),
        " since ",
        since.shown(DateStyle::Time),
        ": ",
        format!("{}.", cut(why, 300).trim_end_matches('.'))
    ];
    let mut lost = line!["Until it can, new requests for approval and the progress of runs do not show here for "];
    lost.extend(listed(names, "and"));
    lost.push("; look into the AWS console, where approvals can be given too.".into());
    let next = line![
        "On the bot's machine, ",
        code("signalbox doctor"),
        " says what the role lacks. You will be told here when the pipeline is read again."
    ];
    Message::headed(head, vec![lost, next])
}

/// To the channel: a pipeline that could not be read is read again.
#[must_use]
pub fn reading_again_note(site: &Site, after: Span) -> Message {
    Message::headed(
        line![
            Sign::Good,
            " ",
            bold(format!("The pipeline {} is read again", site.pipeline)),
            format!(
                " after {}; what happened meanwhile shows on the cards.",
                words::length(after)
            )
        ],
        Vec::new(),
    )
}

/// To those who wanted to be told.
#[must_use]
pub fn free_note(environment: &EnvironmentId) -> Message {
    Message::headed(
        line![
            Sign::Good,
            " ",
            bold(format!("{environment} is free")),
            ": nobody holds it any more."
        ],
        vec![line![
            "To hold it yourself: ",
            code(format!("/deploy lock {environment}"))
        ]],
    )
}

/// In the thread: somebody answered in the console, with another tool, or with the command line of AWS.
#[must_use]
pub fn answered_elsewhere_note(run: &Run) -> Message {
    let Some(answer) = &run.answer else {
        return Message::headed(headline(Sign::Notice, run, "answered outside of Signalbox"), Vec::new());
    };
    let by = words::aws_actor(answer.elsewhere.as_deref().unwrap_or_default());
    let standing = format!("{} outside of Signalbox by {by}", done(answer.ballot));
    let sign = if answer.out_of_turn.is_empty() {
        Sign::Notice
    } else {
        Sign::Bad
    };
    let mut lines = vec![line![
        "CodePipeline took that answer at ",
        answer.at.shown(DateStyle::Seconds),
        ". Nothing was sent from here."
    ]];
    lines.extend(out_of_turn(answer));
    if run.votes_for(Ballot::Approve).next().is_some() && answer.out_of_turn.is_empty() {
        lines.push(line![
            "Votes that were given here are kept in the journal, but did not decide this."
        ]);
    }
    Message::headed(headline(sign, run, &standing), lines)
}

/// In the thread: a decision was not carried out in time, and people have to decide again.
#[must_use]
pub fn lapsed_note(run: &Run) -> Message {
    let mut lines = vec![line![
        "It could not be given to CodePipeline within 10 minutes, so it no longer stands and nothing was sent."
    ]];
    let voters: Vec<Line> = run
        .decision
        .iter()
        .flat_map(|decision| &decision.by)
        .map(|user| line![user])
        .collect();
    let mut line = listed(voters, "and");
    if !line.is_empty() {
        line.push(": please decide again on the card, if you still mean it.".into());
        lines.push(line);
    }
    Message::headed(headline(Sign::Notice, run, "the decision lapsed"), lines)
}

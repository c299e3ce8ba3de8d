//! Turns of phrase that several messages share, so that one thing has one wording.

use super::message::{Inline, Line, bold, code};
use crate::catalog::Tier;
use crate::facts::Facts;
use crate::ids::{ChannelId, EnvironmentId, RecordId, ServiceId};
use crate::reason::Reason;
use crate::round::{Change, Revision};
use crate::run::{Ballot, Run};
use crate::time::{Span, Timestamp};

/// What stands between the parts of a line.
pub(super) const DOT: &str = " · ";

/// The first line of foreign text, at most `max` characters long.
pub(super) fn cut(foreign: &str, max: usize) -> String {
    let first = foreign
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if first.chars().count() <= max {
        return first.to_owned();
    }
    let kept: String = first.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// People's own words, marked as such.
pub(super) fn quoted(words: &str, max: usize) -> Option<Inline> {
    let words = cut(words, max);
    (!words.is_empty()).then(|| Inline::Text(format!("“{words}”")))
}

/// `1 commit`, `4 commits`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}

/// `a`, `a and b`, `a, b, and c`; `last` is the word before the last one.
pub(super) fn listed(parts: Vec<Line>, last: &str) -> Line {
    let many = parts.len();
    let mut line = Line::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            let comma = if many > 2 { "," } else { "" };
            let word = if index + 1 == many {
                format!("{comma} {last} ")
            } else {
                ", ".to_owned()
            };
            line.push(word.into());
        }
        line.extend(part);
    }
    line
}

/// Parts with something between each two; those without words are left out.
pub(super) fn joined(parts: Vec<Line>, between: &str) -> Line {
    let mut line = Line::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(between.into());
        }
        line.extend(part);
    }
    line
}

/// `wallet → mainnet`, `wallet → testnet + staging`.
pub(super) fn route(run: &Run) -> String {
    format!("{} → {}", run.pinned.service, places(run))
}

/// The environments of a run, as one phrase.
pub(super) fn places(run: &Run) -> String {
    run.environments()
        .map(EnvironmentId::as_str)
        .collect::<Vec<_>>()
        .join(" + ")
}

/// `4f2c1d9, retry tx`.
pub(super) fn title(revision: &Revision) -> String {
    let summary = cut(&revision.summary, 60);
    if summary.is_empty() {
        revision.short()
    } else {
        format!("{}, {summary}", revision.short())
    }
}

/// `wallet → mainnet: 4f2c1d9, retry tx`: how every message about a run begins.
pub(super) fn subject(run: &Run) -> String {
    format!("{}: {}", route(run), title(&run.pinned.revision))
}

/// The first line of a card or a note: what it is about, and where that stands.
pub(super) fn headline(sign: super::Sign, run: &Run, standing: &str) -> Line {
    line![sign, " ", bold(format!("{}{DOT}{standing}", subject(run)))]
}

/// What a revision is called beside its digits: `tag v1.4.2`, `branch master`.
pub(super) fn named(revision: &Revision) -> Option<String> {
    let name = cut(revision.ref_name()?, 60);
    let git_ref = revision.git_ref.as_deref()?;
    Some(if git_ref.starts_with("refs/tags/") {
        format!("tag {name}")
    } else if git_ref.starts_with("refs/heads/") {
        format!("branch {name}")
    } else {
        format!("ref {name}")
    })
}

/// A revision by its digits, as a link where there is one.
pub(super) fn digits(revision: &Revision) -> Inline {
    match &revision.url {
        Some(url) => Inline::Link {
            url: url.clone(),
            text: revision.short(),
        },
        None => code(revision.short()),
    }
}

/// How long something has been so, in its largest unit: `6 days`, `5 h`.
pub(super) fn lasting(since: Timestamp, now: Timestamp) -> String {
    let minutes = since.age(now).0 / 60_000;
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h", minutes / 60),
        _ => count(usize::try_from(minutes / 1440).unwrap_or(usize::MAX), "day"),
    }
}

/// How long something still is away, in whole hours, so that the words stay true until the card is drawn again.
pub(super) fn in_about(at: Timestamp, now: Timestamp) -> String {
    let hours = now.age(at).0 / Span::hours(1).0;
    if hours == 0 {
        "within the hour".to_owned()
    } else {
        format!("in {}", Span::hours(hours))
    }
}

/// A span as a length: seconds only below ten minutes.
pub(super) fn length(span: Span) -> String {
    if span >= Span::minutes(10) {
        Span(span.0 / 60_000 * 60_000).to_string()
    } else {
        span.to_string()
    }
}

/// `took 11 min, usually 12 min`; what did not succeed is not compared.
pub(super) fn took(facts: &Facts<'_>, run: &Run, reason: Reason, span: Span) -> String {
    if reason != Reason::Succeeded {
        return format!("after {}", length(span));
    }
    let usual = facts.desk.usual(run.home());
    let usual = usual
        .map(|usual| format!(", usually {}", length(usual)))
        .unwrap_or_default();
    format!("took {}{usual}", length(span))
}

/// How a run ended, as the end of "wallet → mainnet: 4f2c1d9 …".
pub(super) const fn ending(reason: Reason) -> &'static str {
    match reason {
        Reason::Succeeded => "released",
        Reason::Failed => "failed",
        Reason::Rejected => "rejected",
        Reason::AnsweredElsewhere => "answered outside of Signalbox",
        Reason::Expired => "expired: nobody answered in time",
        Reason::Superseded => "superseded: a newer run took its place",
        Reason::NewRound => "asked again: a newer card has the question",
        Reason::Stopped => "stopped",
        Reason::Canceled => "canceled: the pipeline was edited while it waited",
        Reason::Gone => "gone: CodePipeline no longer asks and does not say why",
        _ => "over",
    }
}

/// A rule that was passed over, as people call it.
pub(super) const fn rule(reason: Reason) -> &'static str {
    match reason {
        Reason::Frozen => "a freeze",
        Reason::Locked => "somebody else's lock",
        Reason::Order => "the order of environments",
        Reason::Checks => "checks that are not good",
        Reason::SelfApproval => "no self-approval",
        Reason::UnknownAuthor => "unknown authors",
        Reason::Claimed => "another run under way",
        Reason::Quorum => "the number of approvals",
        Reason::Role => "who may approve",
        Reason::Identity => "who may speak here",
        Reason::NotCurrent => "the current request",
        other => other.code(),
    }
}

/// Rules that were passed over, as a list.
pub(super) fn rules(reasons: &[Reason]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in reasons.iter().map(|reason| rule(*reason)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    super::plain(&listed(names.into_iter().map(|name| line![name]).collect(), "and"))
}

/// `approved`, `rejected`.
pub(super) const fn done(ballot: Ballot) -> &'static str {
    match ballot {
        Ballot::Approve => "approved",
        Ballot::Reject => "rejected",
    }
}

/// A command as it is typed in the service's channel; the service stands in it only where the channel is home to several.
pub(super) fn command(facts: &Facts<'_>, verb: &str, environment: &EnvironmentId, rest: &str) -> String {
    let home = &facts.service.channel;
    let shared = facts
        .services
        .values()
        .filter(|service| service.channel == *home)
        .count()
        > 1;
    spell(shared.then_some(&facts.service.id), verb, environment, rest)
}

/// The same for a terminal, which is in no channel: the service stands in it wherever there are several.
pub(super) fn twin(facts: &Facts<'_>, verb: &str, environment: &EnvironmentId, rest: &str) -> String {
    let service = (facts.services.len() > 1).then_some(&facts.service.id);
    format!(
        "signalbox say \"{}\" --as <your Slack id>",
        spell(service, verb, environment, rest)
    )
}

fn spell(service: Option<&ServiceId>, verb: &str, environment: &EnvironmentId, rest: &str) -> String {
    let mut words = vec!["/deploy", verb];
    words.extend(service.map(ServiceId::as_str));
    words.push(environment.as_str());
    words.extend(Some(rest).filter(|rest| !rest.is_empty()));
    words.join(" ")
}

/// The word by which a run's revision is typed: its digits, or the run's short name where the revision is not a commit (the version of an
/// object looks like any other word).
pub(super) fn typed(run: &Run) -> String {
    let short = run.pinned.revision.short();
    let commit =
        short.len() >= 4 && short.bytes().all(|b| b.is_ascii_hexdigit()) && short.bytes().any(|b| b.is_ascii_digit());
    if commit { short } else { run.id.short().to_owned() }
}

/// The migrations among the files of a change, by the service's own patterns.
pub(super) fn migrations<'a>(change: &'a Change, facts: &Facts<'_>) -> Vec<&'a str> {
    let patterns = &facts.service.migrations;
    let fits = |file: &&String| patterns.iter().any(|pattern| pattern.fits(file));
    change.files.iter().filter(fits).map(String::as_str).collect()
}

/// A tier where it matters.
pub(super) const fn tier(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::Production => Some("production"),
        Tier::Standard => None,
    }
}

/// An identity of AWS as people read it: `ann@example.org (as Admin)`.
pub(super) fn aws_actor(arn: &str) -> String {
    let mut parts = arn.rsplit('/');
    let name = cut(parts.next().unwrap_or_default(), 80);
    match (arn.contains(":assumed-role/"), parts.next()) {
        _ if name.is_empty() => "somebody".to_owned(),
        (true, Some(role)) => format!("{name} (as {})", cut(role.rsplit(':').next().unwrap_or(role), 64)),
        _ => name.rsplit(':').next().unwrap_or(&name).to_owned(),
    }
}

/// A link to a run's card, where it is known.
pub(super) fn card_link(facts: &Facts<'_>, run: &RecordId, words: &str) -> Option<Inline> {
    let finished = facts
        .desk
        .recent
        .values()
        .flatten()
        .find(|finished| finished.run == *run);
    let posted = facts
        .runs
        .get(run)
        .and_then(|run| run.card.as_ref())
        .map(|card| (&card.channel, &card.ts));
    let (channel, ts) =
        posted.or_else(|| finished.and_then(|finished| finished.card.as_ref().map(|(channel, ts)| (channel, ts))))?;
    Some(linked(channel, ts, words))
}

/// A message of ours, as a link.
pub(super) fn linked(channel: &ChannelId, ts: &str, words: &str) -> Inline {
    Inline::Permalink {
        channel: channel.clone(),
        ts: ts.to_owned(),
        text: words.to_owned(),
    }
}

/// How a run ended, in a list of many.
pub(super) const fn short_ending(reason: Reason) -> &'static str {
    match reason {
        Reason::Expired => "expired",
        Reason::Superseded => "superseded",
        Reason::NewRound => "asked again",
        Reason::Canceled => "canceled",
        Reason::Gone => "gone",
        other => ending(other),
    }
}

/// A line that begins a sentence.
pub(super) fn capital(mut line: Line) -> Line {
    if let Some(Inline::Text(words)) = line.first_mut()
        && let Some(first) = words.chars().next()
    {
        words.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    line
}

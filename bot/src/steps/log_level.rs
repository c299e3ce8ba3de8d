//! `log_level`: one function after the other, as many as a lease allows; what was found is kept, so that it can be put back.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::{Leveled, Levels, LogLevel, NO_FUNCTION, Stage};
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;

use super::variables::{self, Came, Known, Update};
use super::{Answer, At, Executor, Probe, StepError, acted, finished};

/// How many functions are changed, or looked at, under one lease: two calls each.
const BITE: usize = 10;
/// How many functions are named one by one in the evidence.
const NAMED: usize = 6;

#[async_trait]
impl Executor for LogLevel {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let known = find(self, at).await?;
        if known.is_empty() {
            let why = format!("no function begins with {}", self.prefix);
            return Err(StepError::failed(NO_FUNCTION, why));
        }
        let outputs = known
            .iter()
            .map(|one| (one.name.clone(), one.value.clone().unwrap_or_default()))
            .collect();
        let earlier = Levels::of(&at.call.memo);
        let functions = known.iter().map(|one| begin(self, &earlier, one)).collect();
        Ok(StepOutcome::Prepared {
            memo: json!(Levels { functions, undo: 0 }),
            outputs: if self.sets() { BTreeMap::new() } else { outputs },
            evidence: standing(&known),
            done: !self.sets(),
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let mut levels = Levels::of(&at.call.memo);
        let ahead = levels.functions.iter_mut().filter(|one| one.stage == Stage::Ahead);
        for (done, one) in ahead.take(BITE).enumerate() {
            // The level from before is what an undo restores: one that somebody has set meanwhile is not written over.
            let set = variables::set(at, (&one.name, &self.key), self.level.as_deref(), Some(&one.before));
            one.stage = match set.await {
                Ok(Came::Sent | Came::Already) => Stage::Sent,
                Ok(Came::Other(_)) if self.only_from.is_some() => Stage::LeftAlone,
                // What was done is written down first, or an undo would not know of it; the next bite begins here.
                _ if done > 0 => break,
                Ok(Came::Other(now)) => return Err(changed(&one.name, now.as_deref())),
                Err(error) => return Err(error),
            };
        }
        Ok(if levels.count(&[Stage::Ahead]) == 0 {
            acted(json!(levels))
        } else {
            on_the_way(&levels, "set")
        })
    }

    /// Setting is guarded by what was there: what an earlier try has set is found set.
    async fn probe(&self, _: At<'_>) -> Result<Probe, StepError> {
        Ok(Probe::NotDone)
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        match look(self, at, (Stage::Sent, Stage::Seen)).await? {
            Ok(levels) => Ok(finished_as(self, &levels)),
            Err(pending) => Ok(pending),
        }
    }

    /// One that cannot be put back does not hold up the others: all are tried before it is said which are not back.
    async fn undo(&self, at: At<'_>) -> Answer {
        let mut levels = Levels::of(&at.call.memo);
        levels.undone_by(at.call.number);
        let open = |one: &Leveled| matches!(one.stage, Stage::Sent | Stage::Seen) && one.stuck.is_none();
        let set = levels.functions.iter_mut().filter(|one| open(one));
        for (done, one) in set.take(BITE).enumerate() {
            match variables::set(at, (&one.name, &self.key), one.before.as_deref(), Some(&self.level)).await {
                Ok(Came::Sent | Came::Already) => one.stage = Stage::Back,
                Ok(Came::Other(_)) => one.stage = Stage::LeftAlone,
                Err(StepError::Failed { message, .. }) => one.stuck = Some(message),
                Err(StepError::Later(_)) if done > 0 => break,
                Err(later) => return Err(later),
            }
        }
        if levels.functions.iter().any(open) {
            return Ok(on_the_way(&levels, "put back"));
        }
        not_back(&levels).map_or_else(|| Ok(acted(json!(levels))), Err)
    }

    async fn undo_watch(&self, at: At<'_>) -> Answer {
        Ok(match look(self, at, (Stage::Back, Stage::BackSeen)).await? {
            Ok(levels) => finished(format!(
                "{} are back where they were",
                functions(levels.count(&[Stage::BackSeen]))
            )),
            Err(pending) => pending,
        })
    }
}

/// The functions that are meant, as they are.
async fn find(step: &LogLevel, at: At<'_>) -> Result<Vec<Known>, StepError> {
    if step.functions.is_empty() {
        return variables::list(at, (&step.prefix, &step.but), &step.key).await;
    }
    let mut known = Vec::new();
    for functions in step.functions.chunks(BITE) {
        let read = functions.iter().map(|name| variables::read(at, name, &step.key));
        for one in join_all(read).await {
            known.push(one?);
        }
    }
    Ok(known)
}

/// Where a function begins: there already, to be left alone, or to be set. What an earlier try has set keeps the level from before it.
fn begin(step: &LogLevel, earlier: &Levels, one: &Known) -> Leveled {
    let there = one.value == step.level;
    let ours = earlier
        .functions
        .iter()
        .find(|known| known.name == one.name && matches!(known.stage, Stage::Sent | Stage::Seen));
    let stage = match (&step.only_from, ours) {
        // What Lambda has not taken is sent again, or trying again would only look at the same failure.
        (_, Some(_)) if there && matches!(one.update, Update::Failed(_)) => Stage::Ahead,
        (_, Some(_)) if there => Stage::Sent,
        _ if there => Stage::Already,
        (Some(from), _) if one.value.as_ref() != Some(from) => Stage::LeftAlone,
        _ => Stage::Ahead,
    };
    let before = ours
        .filter(|_| there)
        .map_or_else(|| one.value.clone(), |known| known.before.clone());
    Leveled {
        name: one.name.clone(),
        before,
        stage,
        stuck: None,
    }
}

/// `44 functions at info`, `2 at debug`: the commonest first.
fn standing(known: &[Known]) -> Vec<String> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for one in known {
        *groups.entry(one.value.as_deref().unwrap_or("no level")).or_default() += 1;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    groups
        .into_iter()
        .map(|(level, number)| format!("{} at {level}", functions(number)))
        .collect()
}

fn functions(number: usize) -> String {
    if number == 1 {
        "1 function".to_owned()
    } else {
        format!("{number} functions")
    }
}

fn changed(function: &str, now: Option<&str>) -> StepError {
    let now = now.unwrap_or("no level");
    StepError::failed(
        "changed_since",
        format!("{function} is at {now}: somebody changed it since it was read"),
    )
}

/// Which functions could not be put back, and why; nothing when all could.
fn not_back(levels: &Levels) -> Option<StepError> {
    let stuck: Vec<(&str, &str)> = levels
        .functions
        .iter()
        .filter_map(|one| Some((one.name.as_str(), one.stuck.as_deref()?)))
        .collect();
    let mut named: Vec<String> = stuck
        .iter()
        .take(NAMED)
        .map(|(name, why)| format!("{name} ({why})"))
        .collect();
    if stuck.len() > NAMED {
        named.push(format!("and {} more", stuck.len() - NAMED));
    }
    let is_back = |one: &&Leveled| matches!(one.stage, Stage::Back | Stage::BackSeen) && one.stuck.is_none();
    let back = functions(levels.functions.iter().filter(is_back).count());
    (!stuck.is_empty()).then(|| {
        let why = format!(
            "{} could not be put back: {}; {back} could",
            functions(stuck.len()),
            named.join(", ")
        );
        StepError::failed("not_back", why)
    })
}

fn on_the_way(levels: &Levels, word: &str) -> StepOutcome {
    let all = levels.functions.len();
    let left = levels.count(&[Stage::Ahead])
        + if word == "set" {
            0
        } else {
            levels.count(&[Stage::Sent, Stage::Seen])
        };
    let done = all - left.min(all);
    StepOutcome::Pending {
        memo: json!(levels),
        progress: Progress {
            words: format!("{done} of {} {word}", functions(all)),
            percent: u8::try_from(done * 100 / all.max(1)).ok(),
            ..Progress::default()
        },
    }
}

/// Whether a function has taken what it was told: not yet, or why it never will.
fn taken(step: &LogLevel, one: &Leveled, known: Known, to: Stage) -> Result<bool, StepError> {
    let wanted = if to == Stage::Seen { &step.level } else { &one.before };
    match known.update {
        Update::Running => Ok(false),
        Update::Failed(why) => {
            let why = format!("Lambda has not taken the change of {}: {why}", one.name);
            Err(StepError::failed("update_failed", why))
        }
        Update::Done if known.value == *wanted => Ok(true),
        Update::Done => Err(changed(&one.name, known.value.as_deref())),
    }
}

/// Looks at functions that are being updated: all of them have taken it, or how far they are.
async fn look(
    step: &LogLevel,
    at: At<'_>,
    (from, to): (Stage, Stage),
) -> Result<Result<Levels, StepOutcome>, StepError> {
    let mut levels = Levels::of(&at.call.memo);
    let open = |one: &Leveled| one.stage == from && one.stuck.is_none();
    let waiting = levels.functions.iter_mut().filter(|one| open(one)).take(BITE);
    let looks = waiting.map(|one| async move { (variables::read(at, &one.name, &step.key).await, one) });
    for (known, one) in join_all(looks).await {
        match known.and_then(|known| taken(step, one, known, to)) {
            Ok(true) => one.stage = to,
            Ok(false) => {}
            // One that is not back does not hold up the look at the others.
            Err(StepError::Failed { message, .. }) if to == Stage::BackSeen => one.stuck = Some(message),
            Err(error) => return Err(error),
        }
    }
    if !levels.functions.iter().any(open) {
        return not_back(&levels).map_or_else(|| Ok(Ok(levels)), Err);
    }
    let (done, all) = (levels.count(&[to]), levels.count(&[from, to]));
    let progress = Progress {
        words: format!("{done} of {} restarted", functions(all)),
        percent: u8::try_from(done * 100 / all.max(1)).ok(),
        ..Progress::default()
    };
    let memo = json!(levels);
    Ok(Err(StepOutcome::Pending { memo, progress }))
}

fn finished_as(step: &LogLevel, levels: &Levels) -> StepOutcome {
    let level = step.level.as_deref().unwrap_or("no level");
    let mut evidence = Vec::new();
    for (stage, words) in [
        (Stage::Seen, format!("set to {level}, and read back")),
        (Stage::Already, format!("at {level} already")),
        (
            Stage::LeftAlone,
            "left alone: somebody has set another level since".to_owned(),
        ),
    ] {
        let names: Vec<&str> = levels
            .functions
            .iter()
            .filter(|one| one.stage == stage)
            .map(|one| one.name.as_str())
            .collect();
        if names.is_empty() {
            continue;
        }
        let named = if names.len() <= NAMED {
            format!(": {}", names.join(", "))
        } else {
            String::new()
        };
        evidence.push(format!("{} {words}{named}", functions(names.len())));
    }
    StepOutcome::Finished {
        outputs: BTreeMap::new(),
        evidence,
    }
}

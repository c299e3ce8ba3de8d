//! The color switch of ef-cms, as its file says it, against an account in memory: every prefix of its journal, cut before and after each call, with each
//! call failing or unknown, on the way there and on the way back. It ends finished, undone, or stopped and asking; the account is what is looked at.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use commands::effect::{CallPhase, Effect, Outcome, StepCall, StepOutcome};
use commands::ids::StepName;
use commands::operation::{self, Phase, Status};
use commands::reason::Reason;
use commands::runbook::{OnFailure, Runbook, Step, built_in};
use commands::step::{Action, Codebuild, Conduct, EventSource, Flag, Mapping, Route53};
use serde_json::{Value, json};

use crate::runbook::{runbook, step};
use crate::world::World;

const TEAM: &str = include_str!("../../../runbooks/ef-cms.toml");
/// More calls than this are a loop.
const MANY: usize = 400;
/// Of the pairs of mishaps one in so many is tried each time; with `SIGNALBOX_CUTS=all`, as in `scripts/soak`, every one. Single mishaps are all tried.
const PAIRS: usize = 53;

/// The runbook as the team copies it.
fn switch() -> Runbook {
    let file: toml::Table = toml::from_str(TEAM).expect("TOML");
    let file = serde_json::to_value(file).expect("JSON");
    let steps = file.pointer("/service/ef-cms/runbook/switch/step");
    let steps = steps.and_then(Value::as_array).expect("steps");
    let mut switch = runbook("switch", steps.iter().map(one).collect());
    switch.on_failure = OnFailure::Undo;
    switch
}

fn one(table: &Value) -> Step {
    let mut action = table.as_object().expect("a table").clone();
    let mut take = |key: &str| action.remove(key);
    let name = take("name").expect("a name");
    let title = take("title");
    let when = take("when");
    let (expect, known) = (take("expect"), take("known").unwrap_or_default());
    take("usual");
    take("deadline");
    let moves = take("moves");
    let (region, group) = (take("region"), take("group"));
    let remedy = take("remedy").is_some();
    let only_looks = take("only_looks").is_some();
    let mut step = step(name.as_str().expect("a text"), Value::Object(action));
    if let Some(title) = title {
        title.as_str().expect("a text").clone_into(&mut step.title);
    }
    step.expect = expect.map_or_else(Vec::new, |expect| serde_json::from_value(expect).expect("failures"));
    for failure in built_in() {
        if let Some(then) = known.get(&failure.name) {
            let then = serde_json::from_value(then.clone()).expect("what is done");
            step.expect.extend(failure.expected(&then));
        }
    }
    let text = |value: Value| value.as_str().expect("a text").to_owned();
    (step.region, step.group) = (region.map(text), group.map(text));
    (step.remedy, step.only_looks) = (remedy, only_looks);
    step.moves = moves.map(|moves| serde_json::from_value(moves).expect("what is moved"));
    step.when = when.map(|when| serde_json::from_value(when).expect("a condition"));
    step
}

/// What the team's account holds, and what was ever wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    flags: BTreeMap<String, String>,
    streams: BTreeMap<String, bool>,
    /// The color of each thing that traffic goes through: the sites' aliases, their records, the mappings of each region.
    traffic: BTreeMap<String, String>,
    /// By their markers, in the order of their starts: what each was to do.
    builds: Vec<(String, Codebuild)>,
    said: BTreeSet<String>,
    wrong: Vec<String>,
}

/// The flags, the streams and the traffic.
type Shown<'a> = (
    &'a BTreeMap<String, String>,
    &'a BTreeMap<String, bool>,
    &'a BTreeMap<String, String>,
);

impl Account {
    fn new(migrating: &str) -> Self {
        let blue = |name: &&str| ((*name).to_owned(), "blue".to_owned());
        let flags = [
            ("current-color", "blue"),
            ("migrate", migrating),
            ("source-table-version", "alpha"),
            ("destination-table-version", "beta"),
            ("pending-color-switch", "true"),
        ];
        Self {
            flags: flags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            streams: [
                ("streams_mainnet_blue".to_owned(), true),
                ("streams_mainnet_green".to_owned(), false),
            ]
            .into(),
            traffic: TRAFFIC.iter().map(blue).collect(),
            builds: vec![],
            said: BTreeSet::new(),
            wrong: vec![],
        }
    }

    /// What everybody can see of it.
    fn seen(&self) -> Shown<'_> {
        (&self.flags, &self.streams, &self.traffic)
    }

    /// Looked at after every change, on the way there.
    fn looked_at(&mut self, forward: bool) {
        if !self.streams.values().any(|on| *on) {
            self.wrong.push("both streams are off".to_owned());
        }
        let written = &self.flags["current-color"];
        let ahead =
            self.traffic.values().any(|color| color != "green") || self.flags["pending-color-switch"] != "false";
        if forward && *written == "green" && ahead {
            self.wrong.push("current-color is ahead of the rest".to_owned());
        }
        if self.traffic.len() != TRAFFIC.len() {
            self.wrong
                .push(format!("what is moved is not what there is: {:?}", self.traffic));
        }
    }

    /// Makes a call as the bot does; a later try of an act begins with a look.
    fn make(&mut self, call: &StepCall, attempt: u32) -> Outcome {
        let came = match &call.action {
            Action::Flag(flag) => self.flag(flag, call, attempt),
            Action::EventSource(stream) => self.stream(stream, call),
            Action::Codebuild(job) => self.build(job, call, attempt),
            Action::Mapping(mapping) => self.lead(&mapped(mapping, call), call, attempt),
            Action::Route53(record) => self.lead(&recorded(record), call, attempt),
            Action::Require(require) if !require.holds() => Err(require.otherwise.clone()),
            Action::Require(_)
            | Action::Http(_)
            | Action::Table(_)
            | Action::SearchParity(_)
            | Action::QueueDrain(_) => Ok(prepared(Value::Null, Some(BTreeMap::new()))),
            Action::Announce(_) => {
                self.said.insert(format!("{}/{}", call.run, call.step));
                Ok(match call.phase {
                    CallPhase::Prepare => prepared(Value::Null, None),
                    _ => acted(&Value::Null),
                })
            }
            other => panic!("the switch has no {other:?}"),
        };
        self.looked_at(matches!(call.phase, CallPhase::Act | CallPhase::Watch));
        match came {
            Ok(came) => Outcome::Step { came },
            Err(message) => Outcome::Refused {
                code: "not_so".into(),
                message,
            },
        }
    }

    fn flag(&mut self, flag: &Flag, call: &StepCall, attempt: u32) -> Result<StepOutcome, String> {
        let name = flag.key["pk"].clone();
        let now = self.flags.get(&name).cloned().or(flag.missing.clone());
        let (from, to) = match call.phase {
            CallPhase::Prepare => {
                let done = flag.value.is_none() || flag.value == now;
                if !done && flag.expected.is_some() && flag.expected != now {
                    return Err(format!("{name} is {now:?}"));
                }
                let memo = json!({ "old": now, "new": flag.value });
                return Ok(prepared(memo, done.then(|| outputs(flag, now.as_deref()))));
            }
            CallPhase::Act => ("old", "new"),
            _ => ("new", "old"),
        };
        let value = |name: &str| call.memo[name].as_str().map(str::to_owned);
        let there = now == value(to) && (attempt > 1 || call.phase == CallPhase::Undo);
        if !there {
            if now != value(from) {
                return Err(format!("{name} was changed since"));
            }
            self.flags.insert(name, value(to).expect("a value"));
        }
        Ok(acted(&call.memo))
    }

    fn stream(&mut self, stream: &EventSource, call: &StepCall) -> Result<StepOutcome, String> {
        let on = self.streams.get_mut(&stream.function).expect("a mapping");
        let Some(enabled) = stream.enabled else {
            let state = if *on { "on" } else { "off" };
            let outputs = [("state".to_owned(), state.to_owned())];
            return Ok(prepared(Value::Null, Some(outputs.into())));
        };
        Ok(match call.phase {
            CallPhase::Prepare if *on == enabled => prepared(Value::Null, Some(BTreeMap::new())),
            CallPhase::Prepare => prepared(json!({ "was": *on }), None),
            CallPhase::Act => {
                *on = enabled;
                acted(&call.memo)
            }
            CallPhase::Undo => {
                *on = call.memo["was"].as_bool().expect("what was");
                acted(&call.memo)
            }
            CallPhase::Watch | CallPhase::UndoWatch => finished(),
        })
    }

    /// What leads to a color, replaced over what was read.
    fn lead(&mut self, (name, color): &(String, String), call: &StepCall, attempt: u32) -> Result<StepOutcome, String> {
        let now = self.traffic.get(name).cloned().ok_or(format!("there is no {name}"))?;
        let (from, to) = match call.phase {
            CallPhase::Prepare if now == *color => return Ok(prepared(Value::Null, Some(BTreeMap::new()))),
            CallPhase::Prepare => return Ok(prepared(json!({ "old": now, "new": color }), None)),
            CallPhase::Act => ("old", "new"),
            CallPhase::Undo => ("new", "old"),
            CallPhase::Watch | CallPhase::UndoWatch => return Ok(finished()),
        };
        let value = |name: &str| call.memo[name].as_str().unwrap_or_default().to_owned();
        let there = now == value(to) && (attempt > 1 || call.phase == CallPhase::Undo);
        if !there {
            if now != value(from) {
                return Err(format!("{name} was changed since"));
            }
            self.traffic.insert(name.clone(), value(to));
        }
        Ok(acted(&call.memo))
    }

    fn build(&mut self, job: &Codebuild, call: &StepCall, attempt: u32) -> Result<StepOutcome, String> {
        let marker = format!("{}/{}/{}", call.run, call.step, call.number);
        let known = self.builds.iter().any(|(mark, _)| *mark == marker);
        let of_step = format!("{}/{}/", call.run, call.step);
        Ok(match call.phase {
            CallPhase::Prepare => prepared(Value::Null, None),
            CallPhase::Act => {
                if attempt == 1 || !known {
                    self.start(marker.clone(), job.clone());
                }
                acted(&json!({ "id": marker }))
            }
            CallPhase::Undo => {
                let began = self.builds.iter().any(|(mark, _)| mark.starts_with(&of_step));
                let reverse = job.undo.as_ref().expect("a job that takes it back");
                if began && !known {
                    let reverse = Codebuild {
                        variables: reverse.variables.clone(),
                        ..job.clone()
                    };
                    self.start(marker, reverse);
                }
                acted(&call.memo)
            }
            CallPhase::Watch | CallPhase::UndoWatch => finished(),
        })
    }

    fn start(&mut self, marker: String, job: Codebuild) {
        let moved = match job.project.as_str() {
            "ef-cms-switch-ui" => Some("ui"),
            "ef-cms-switch-cognito" => Some("sign-in"),
            _ => None,
        };
        if let Some(moved) = moved {
            self.traffic
                .insert(moved.to_owned(), job.variables["DEPLOYING_COLOR"].clone());
        }
        if self.builds.iter().any(|(mark, _)| *mark == marker) {
            self.wrong.push(format!("{marker} was started twice"));
        }
        self.builds.push((marker, job));
    }
}

/// Everything that traffic goes through.
const TRAFFIC: [&str; 8] = [
    "ui",
    "sign-in",
    "app.mainnet.court.example.org",
    "mainnet.court.example.org",
    "api.mainnet.court.example.org in us-east-1",
    "api.mainnet.court.example.org in us-west-1",
    "public-api.mainnet.court.example.org in us-east-1",
    "public-api.mainnet.court.example.org in us-west-1",
];

/// What a mapping's domain is called here, and the color that it is to lead to.
fn mapped(mapping: &Mapping, call: &StepCall) -> (String, String) {
    let region = if call.aws.region == "us-west-1" {
        "us-west-1"
    } else {
        "us-east-1"
    };
    let api = mapping.api_name.as_deref().unwrap_or_default();
    let color = api.rsplit('_').next().unwrap_or_default();
    (format!("{} in {region}", mapping.domain), color.to_owned())
}

/// The same for a record.
fn recorded(record: &Route53) -> (String, String) {
    let alias = record
        .alias
        .as_ref()
        .map(|alias| alias.name.as_str())
        .unwrap_or_default();
    let color = ["blue", "green"].into_iter().find(|color| alias.contains(color));
    (record.record.clone(), color.unwrap_or_default().to_owned())
}

fn outputs(flag: &Flag, now: Option<&str>) -> BTreeMap<String, String> {
    let value = now.expect("a value").to_owned();
    let other = flag.choices.iter().find(|choice| **choice != value).cloned();
    let other = other.map(|other| ("other".to_owned(), other));
    [("value".to_owned(), value)].into_iter().chain(other).collect()
}

fn prepared(memo: Value, done: Option<BTreeMap<String, String>>) -> StepOutcome {
    StepOutcome::Prepared {
        memo,
        done: done.is_some(),
        outputs: done.unwrap_or_default(),
        evidence: vec![],
    }
}

fn acted(memo: &Value) -> StepOutcome {
    StepOutcome::Acted { memo: memo.clone() }
}

fn finished() -> StepOutcome {
    StepOutcome::Finished {
        outputs: BTreeMap::new(),
        evidence: vec![],
    }
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Its answer is no, and nothing was done.
    Refused,
    /// Its answer is no, and it was done all the same: a script that failed behind its work.
    Half,
    /// Nobody knows, and it was not done.
    UnknownNotDone,
    /// Nobody knows, and it was done.
    UnknownDone,
    /// The bot dies before the call; another one takes it up.
    CutBefore,
    /// The bot dies behind it, or its answer is lost; another one, or the same, takes it up.
    CutAfter,
    /// Its outcome is heard twice.
    Twice,
}

/// The n-th call of the run, from 0, goes wrong in a way.
type Mishap = (usize, Wrong);

/// How a run went.
struct Told {
    world: World,
    account: Account,
    calls: Vec<(StepName, CallPhase)>,
    calls_made: Vec<StepCall>,
    stops: usize,
}

/// What is different about a bot that has to be seen through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bot {
    Sound,
    /// It takes every try for the first.
    Forgetful,
}

/// Somebody starts it.
fn begun(runbook: &Runbook, migrating: &str) -> Told {
    let mut world = World::with(vec![]);
    world.service().runbooks = vec![runbook.clone()];
    world.says("U0CARLA", "/deploy run switch mainnet");
    Told {
        world,
        account: Account::new(migrating),
        calls: vec![],
        calls_made: vec![],
        stops: 0,
    }
}

fn run(runbook: &Runbook, migrating: &str, mishaps: &[Mishap], bot: Bot) -> Told {
    let mut told = begun(runbook, migrating);
    go_on(&mut told, mishaps, bot, |_| false);
    told
}

/// Goes on to the end, or until somebody has seen enough; people do what the account tells them when they are asked.
fn go_on(told: &mut Told, mishaps: &[Mishap], bot: Bot, mut enough: impl FnMut(&World) -> bool) {
    // Up to the first mishap it is the plain run, of which every prefix is looked at.
    let first = mishaps.iter().map(|(at, _)| *at).min().unwrap_or_default();
    for _ in 0..MANY {
        if told.calls.len() >= first {
            restarted(&mut told.world);
        }
        if enough(&told.world) {
            return;
        }
        let world = &mut told.world;
        let owed = world.effects.values().find(|effect| matches!(effect, Effect::Step(_)));
        if let Some(effect) = owed.cloned() {
            world.effects.remove(&effect.key());
            called(told, &effect, mishaps, bot);
            continue;
        }
        match world.operation().status {
            Status::Ended { .. } => return,
            Status::Stopped => {
                told.stops += 1;
                decided(told);
            }
            Status::Running | Status::Undoing => {
                world.says("U0ANN", "/deploy confirm mainnet");
            }
        }
    }
    panic!("{mishaps:?} does not come to an end: {:?}", told.calls);
}

/// Another bot takes over: it knows what the journal says.
fn restarted(world: &mut World) {
    let id = world.operation().id.clone();
    let history = world.operation_journal[&id].clone();
    let known = operation::replay(&id, history).expect("a legal history");
    assert_eq!(
        known.as_ref(),
        world.operations.get(&id),
        "the history does not tell of this state"
    );
}

fn called(told: &mut Told, effect: &Effect, mishaps: &[Mishap], bot: Bot) {
    let Effect::Step(call) = effect else { return };
    let number = told.calls.len();
    told.calls.push((call.step.clone(), call.phase));
    told.calls_made.push((**call).clone());
    let wrong = mishaps.iter().find(|(at, _)| *at == number).map(|(_, wrong)| *wrong);
    let again = if bot == Bot::Forgetful { 1 } else { 2 };
    let refused = Outcome::Refused {
        code: "ValidationException".into(),
        message: "no".into(),
    };
    let unknown = Outcome::Unknown { why: "lost".into() };
    let account = &mut told.account;
    let outcome = match wrong {
        None | Some(Wrong::Twice) => account.make(call, 1),
        Some(Wrong::Refused) => refused,
        Some(Wrong::Half) => {
            account.make(call, 1);
            refused
        }
        Some(Wrong::UnknownNotDone) => unknown,
        Some(Wrong::UnknownDone) => {
            account.make(call, 1);
            unknown
        }
        Some(Wrong::CutBefore) => account.make(call, again),
        Some(Wrong::CutAfter) => {
            account.make(call, 1);
            account.make(call, again)
        }
    };
    told.world.hears_of(effect, &outcome);
    if wrong == Some(Wrong::Twice) {
        told.world.hears_of(effect, &outcome);
    }
}

/// A person looks at the account, and says what they see: it was done, or try again.
fn decided(told: &mut Told) {
    let stuck = told.world.operation().all().find(|(_, state)| state.phase.is_stuck());
    let (step, phase) = stuck.map(|(step, state)| (step.clone(), state.phase)).expect("a step");
    let action = told.world.operation().action(&step).expect("an action");
    let done = phase == Phase::Unknown
        && match &action {
            Action::Flag(flag) => flag.value.as_ref() == told.account.flags.get(&flag.key["pk"]),
            Action::EventSource(stream) => stream.enabled == Some(told.account.streams[&stream.function]),
            Action::Mapping(mapping) => {
                let call = told.calls_made.last().expect("a call");
                let (name, color) = mapped(mapping, call);
                told.account.traffic[&name] == color
            }
            Action::Route53(record) => {
                let (name, color) = recorded(record);
                told.account.traffic[&name] == color
            }
            Action::Codebuild(_) => {
                let of_step = format!("{}/{}/", told.world.operation().id, step.name);
                told.account.builds.iter().any(|(mark, _)| mark.starts_with(&of_step))
            }
            _ => !told.account.said.is_empty(),
        };
    let says = if done {
        "confirm mainnet I looked"
    } else {
        "retry mainnet"
    };
    told.world.says("U0CARLA", &format!("/deploy {says}"));
}

/// What is wrong with how a run went; empty: nothing.
fn violations(told: &Told, migrating: &str) -> Vec<String> {
    let (before, operation) = (Account::new(migrating), told.world.operation());
    let mut wrong = told.account.wrong.clone();
    match operation.ended().map(|(reason, _)| reason) {
        Some(Reason::Succeeded) => {
            let streams: Vec<bool> = told.account.streams.values().copied().collect();
            let as_it_should = told.account.flags["current-color"] == "green"
                && told.account.flags["migrate"] == "false"
                && told.account.flags["pending-color-switch"] == "false"
                && told.account.traffic.values().all(|color| color == "green")
                && told.account.flags["source-table-version"] == if migrating == "true" { "beta" } else { "alpha" }
                && streams == [migrating == "true", true];
            if !as_it_should {
                wrong.push(format!("it is done, and the account is {:?}", told.account.seen()));
            }
            if told.account.said.len() != 1 {
                wrong.push("nobody was told".to_owned());
            }
        }
        Some(Reason::Undone) if told.account.seen() == before.seen() => {}
        Some(Reason::Undone) => wrong.push(format!("it is undone, and the account is {:?}", told.account.seen())),
        other => wrong.push(format!("it ended as {other:?}")),
    }
    if !told.world.claims.is_empty() {
        wrong.push("the environment is not free".to_owned());
    }
    wrong
}

/// The ways in which a call may go wrong that lead somewhere else.
fn ways(runbook: &Runbook, (step, phase): &(StepName, CallPhase)) -> Vec<Wrong> {
    use Wrong::{CutAfter, CutBefore, Half, Refused, Twice, UnknownDone, UnknownNotDone};
    let action = runbook.steps.iter().find(|spec| spec.step.name == *step);
    let builds = action.is_some_and(|spec| matches!(spec.step.action, Action::Codebuild(_)));
    match phase {
        CallPhase::Act if builds => vec![Refused, UnknownDone, UnknownNotDone, CutBefore, CutAfter, Twice],
        CallPhase::Act => vec![Refused, Half, UnknownDone, UnknownNotDone, CutBefore, CutAfter, Twice],
        CallPhase::Undo => vec![Refused, Half, CutBefore, CutAfter, Twice],
        CallPhase::Prepare | CallPhase::Watch | CallPhase::UndoWatch => vec![Refused, CutBefore, Twice],
    }
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
struct How {
    bot: Bot,
    /// Of the pairs of mishaps, one in so many; 0: none.
    pairs: usize,
    /// A control has failed, as it has to, at the first violation.
    control: bool,
}

/// Every mishap alone, and behind each that leads elsewhere those that can follow, of which `how` says how many. Says how many runs there were, and what
/// is wrong.
fn everything(runbook: &Runbook, migrating: &str, how: How) -> (usize, Vec<String>) {
    let (mut runs, mut wrong, mut pair) = (0, vec![], 0);
    let seen = Cell::new(false);
    let mut one = |mishaps: &[Mishap]| {
        let told = run(runbook, migrating, mishaps, how.bot);
        runs += 1;
        let violations = violations(&told, migrating);
        seen.set(seen.get() || !violations.is_empty());
        wrong.extend(violations.iter().map(|violation| format!("{mishaps:?}: {violation}")));
        told
    };
    let plain = one(&[]).calls;
    for (at, call) in plain.iter().enumerate() {
        for way in ways(runbook, call) {
            if how.control && seen.get() {
                break;
            }
            let first = (at, way);
            let calls = one(&[first]).calls;
            let strays = !matches!(way, Wrong::CutBefore | Wrong::CutAfter | Wrong::Twice);
            for (next, call) in calls.iter().enumerate().skip(at + 1).filter(|_| strays) {
                // What only goes on as before is tried once, without a mishap before it.
                let elsewhere =
                    matches!(call.1, CallPhase::Undo | CallPhase::UndoWatch) || plain.get(next) != Some(call);
                for way in ways(runbook, call).into_iter().filter(|_| elsewhere) {
                    pair += 1;
                    if how.pairs > 0 && pair % how.pairs == 0 {
                        one(&[first, (next, way)]);
                    }
                }
            }
        }
    }
    (runs, wrong)
}

#[test]
fn a_switch_ends_finished_undone_or_asking_whatever_happens() {
    let switch = switch();
    let whole = std::env::var_os("SIGNALBOX_CUTS").is_some_and(|which| which == "all");
    let pairs = if whole { 1 } else { PAIRS };
    let (runs, wrong) = everything(&switch, "false", How { pairs, ..ALONE });
    println!("{runs} runs of the switch with one or two mishaps");
    assert!(
        wrong.is_empty(),
        "{} of {runs}: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(10)]
    );
    let (_, wrong) = everything(&switch, "true", ALONE);
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(10)]);
}

/// Every mishap alone.
const ALONE: How = How {
    bot: Bot::Sound,
    pairs: 0,
    control: false,
};

/// The control: a bot that does not look at what the try before did starts a build twice, and the proof says so.
#[test]
fn without_a_look_the_proof_fails() {
    let control = How {
        bot: Bot::Forgetful,
        control: true,
        ..ALONE
    };
    let (_, wrong) = everything(&switch(), "true", control);
    assert!(
        wrong.iter().any(|words| words.contains("was started twice")),
        "{wrong:#?}"
    );
}

/// The control: a runbook whose sites cannot be taken back is "undone" with them on the other color, and the proof says so.
#[test]
fn without_the_reverse_job_the_proof_fails() {
    let mut switch = switch();
    for spec in &mut switch.steps {
        if let Action::Codebuild(job) = &mut spec.step.action {
            job.undo = None;
        }
    }
    let control = How { control: true, ..ALONE };
    let (_, wrong) = everything(&switch, "true", control);
    assert!(
        wrong.iter().any(|words| words.contains("it is undone, and")),
        "{wrong:#?}"
    );
}

/// What people read while some of it has been moved: at a stop, on the way back, and when it is ended there.
#[test]
fn the_card_says_what_is_where() {
    let plain = run(&switch(), "false", &[], Bot::Sound);
    let at = |step: &str, phase| {
        let found = plain
            .calls
            .iter()
            .position(|(name, one)| name.as_str() == step && *one == phase);
        found.expect("a call")
    };
    let west = (at("api-west", CallPhase::Act), Wrong::UnknownDone);
    let mut told = begun(&switch(), "false");
    let mut heads = Vec::new();
    go_on(&mut told, &[west], Bot::Sound, |world| {
        let head = world.card().lines().next().unwrap_or_default().to_owned();
        if heads.last() != Some(&head) {
            heads.push(head);
        }
        world.operation().status == Status::Stopped
    });
    told.world.says("U0CARLA", "/deploy stop mainnet that will do");
    heads.push(told.world.card().lines().next().unwrap_or_default().to_owned());
    let mixed: Vec<&String> = heads.iter().filter(|head| head.contains("mixed:")).collect();
    insta::assert_snapshot!(mixed.iter().map(|head| head.as_str()).collect::<Vec<_>>().join("\n"));

    // On the way back, what is back is told from what is not.
    let mut told = begun(&switch(), "false");
    let failed = (at("public-api-east", CallPhase::Act), Wrong::Refused);
    let mut back = Vec::new();
    go_on(&mut told, &[failed], Bot::Sound, |world| {
        let head = world.card().lines().next().unwrap_or_default().to_owned();
        if world.operation().status == Status::Undoing && back.last() != Some(&head) {
            back.push(head);
        }
        false
    });
    insta::assert_snapshot!(back.join("\n"));
    assert_eq!(told.world.operation().mixed(), None, "everything is back");
}

/// Whoever reads the file sees what the proof relies on.
#[test]
fn the_switch_writes_its_color_last_and_can_take_everything_back() {
    let switch = switch();
    let name = |spec: &commands::runbook::StepSpec| spec.step.name.as_str().to_owned();
    let names: Vec<String> = switch.steps.iter().map(name).collect();
    let at = |name: &str| names.iter().position(|one| one == name).expect("a step");
    assert!(
        at("stream-on") < at("stream-off")
            && at("public-api-west") < at("cognito")
            && at("cognito") < at("switched")
            && at("switched") < at("live")
            && at("live") + 2 == names.len(),
        "{names:?}"
    );
    for spec in &switch.steps {
        if let Conduct::Calls(calls) = spec.step.action.conduct() {
            let harmless = ["smoke", "say", "websockets"].contains(&spec.step.name.as_str());
            assert!(
                calls.act.is_none() || calls.undo || harmless,
                "{} cannot be undone",
                spec.step.name
            );
        }
    }
}

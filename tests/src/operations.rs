//! One run of a runbook, from its start to its end, cut at a point, and what must be true of it: the account is what is looked at, and it has to be as
//! after a run that nobody disturbed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use commands::ids::ServiceId;
use demo::Options;
use sandbox::aws::EVENT_QUEUE;
use sandbox::faults::Fault;
use sandbox::wire_log::Entry;
use serde_json::{Value, json};

use crate::cut::Cut;
use crate::proof::{Proof, Teller, cut_off};
use crate::scenario::{Scenario, options, text_of};
use crate::witness::{AUDIT_KEY, marked, rest, sound};

/// Operations of AWS that change nothing, by their first words; hints that are taken from a queue are among them.
const READING: [&str; 10] = [
    "Assume",
    "BatchGet",
    "DeleteMessage",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "ReceiveMessage",
    "Scan",
];
/// Calls that may be made again, because each names the very state that it replaces and says so again where that is done already.
const GUARDED: [&str; 1] = ["ChangeResourceRecordSets"];
/// The other services whose APIs are called.
const SERVICES: [&str; 7] = ["awx", "circleci", "heroku", "jenkins", "mailgun", "pingdom", "twilio"];
/// What is different in every run: names that the account gives, the marks of the run, and instants.
const NAMES: [&str; 7] = [
    "SIGNALBOX_RUN",
    "commit",
    "id",
    "log_groups",
    "phase",
    "revision",
    "uuid",
];

/// What is played, and by whom.
pub struct Play {
    /// The service.
    pub service: &'static str,
    /// The beginning of the card's headline: `switch · ef-cms → stg`.
    pub headline: &'static str,
    /// The configuration.
    pub config: String,
    /// What the account holds, as a file of the sandbox.
    pub account: String,
    /// What Carla types.
    pub start: &'static str,
    /// What people say when they are asked, by what the account and the services show and by the headline.
    pub answer: fn(&Value, &str) -> (&'static str, &'static str),
    /// What else there is in the world, and what the bot is given.
    pub world: fn(&mut Options),
    /// What is done before: controls of the sandbox, and their bodies.
    pub deeds: Vec<(&'static str, Value)>,
    /// Calls that fail.
    pub faults: Vec<Fault>,
    /// What must never be seen of the account.
    pub never: fn(&Value) -> Option<String>,
}

/// What everybody can see when it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How it ended: the words of the headline.
    pub end: String,
    /// The account.
    pub account: Value,
    /// The other services.
    pub services: Value,
    /// How often each call that changes something was carried out.
    pub calls: BTreeMap<String, usize>,
}

/// Plays it, with further layers of the caller's between the bot and the world. `like`: what has to be seen in the end.
pub async fn play(
    play: &Play,
    cut: Option<Cut>,
    like: Option<&Seen>,
    layers: impl FnOnce(&mut Options),
) -> (Proof, Seen) {
    let slot = ServiceId::parse(play.service).expect("a name");
    let folder = tempfile::tempdir().expect("a folder");
    let account = folder.path().join("account.toml");
    std::fs::write(&account, &play.account).expect("the account is written");
    let seen = RefCell::new(Seen::default());
    let world = |stored| {
        let mut options = options(stored);
        options.config.clone_from(&play.config);
        options.sandbox.aws_seed = Some(account);
        (play.world)(&mut options);
        layers(&mut options);
        options
    };
    let proof = cut_off(cut, (&slot, world), async |mut teller: Teller<'_>| {
        let mut violations = Vec::new();
        let watched = RefCell::new(Vec::new());
        let town = teller.town;
        tokio::select! {
            () = tell(&mut teller, play) => {}
            () = watch(town, play.never, &watched) => {}
        }
        rest(teller.store, &slot, teller.cutter.commits()).await;
        let found = looked_at(town, play).await;
        violations.extend(watched.into_inner());
        violations.extend(like.map(|like| differences(like, &found)).unwrap_or_default());
        violations.extend(told_once(town));
        violations.extend(sound(teller.store, &slot, AUDIT_KEY).await);
        seen.replace(found);
        violations
    })
    .await;
    (proof, seen.into_inner())
}

/// Starts it and answers whatever it asks, until it is over.
async fn tell(teller: &mut Teller<'_>, play: &Play) {
    let town = teller.town;
    for (control, deed) in &play.deeds {
        town.control(control, deed.clone()).await;
    }
    for fault in &play.faults {
        town.rig.sandbox().world().faults.set(fault.clone());
    }
    let told = teller.says_until_heard("U0CARLA", play.start).await;
    assert!(
        told.contains("Recorded") || told.contains("being changed by run"),
        "it starts: {told}"
    );
    let mut answered = String::new();
    loop {
        let (headline, card) = town
            .in_time("a question, or the end", |town| {
                let card = town.cards_with(&[play.headline]).pop()?;
                let open = asks(&card.text) && text_of(&card) != answered;
                (open || ended(&card.text)).then(|| (card.text.clone(), text_of(&card)))
            })
            .await;
        if ended(&headline) {
            return;
        }
        let (user, text) = (play.answer)(&account(town), &headline);
        teller.says_until_heard(user, text).await;
        answered = card;
    }
}

/// Whether a headline says that people are asked.
fn asks(headline: &str) -> bool {
    ["waits for a person", "a person decides"]
        .iter()
        .any(|words| headline.contains(words))
}

/// Whether a headline says that it is over.
fn ended(headline: &str) -> bool {
    [
        "done, took",
        "undone after",
        "aborted after",
        "stopped after",
        "failed after",
    ]
    .iter()
    .any(|words| headline.contains(words))
}

/// Looks at the account whenever something changes in it; never returns.
async fn watch(town: &Scenario, never: fn(&Value) -> Option<String>, wrong: &RefCell<Vec<String>>) {
    let mut changes = town.rig.sandbox().world().listen();
    loop {
        wrong.borrow_mut().extend(never(&account(town)));
        // Whoever lags behind has missed hints, not the truth.
        let _ = changes.recv().await;
    }
}

/// What the account shows, and beside it the other services.
fn account(town: &Scenario) -> Value {
    let world = town.rig.sandbox().world();
    let mut shown = sandbox::aws::snapshot(&world.aws());
    shown["services"] = sandbox::services::snapshot(&world.services());
    shown
}

/// What everybody can see now that it is over.
async fn looked_at(town: &Scenario, play: &Play) -> Seen {
    // What builds and functions did is there when somebody does something to the account.
    town.control("aws/deed", json!([])).await;
    let headline = town.cards_with(&[play.headline]).pop().map(|card| card.text);
    let end = headline.unwrap_or_default();
    let words = ["done,", "undone", "aborted", "stopped", "failed"];
    let end = words.into_iter().rfind(|word| end.contains(word)).unwrap_or("open");
    let mut shown = account(town);
    let mut services = shown["services"].take();
    let mut sites = shown["sites"].take();
    let mut places = shown["places"].take();
    for queues in places
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(|place| place["queues"].as_array_mut())
    {
        // Hints of what the pipelines do come and go beside the run.
        queues.retain(|queue| queue["name"] != EVENT_QUEUE);
    }
    scrub(&mut places);
    scrub(&mut sites);
    scrub(&mut services);
    let mut calls = BTreeMap::new();
    for entry in town.rig.sandbox().world().log.since(0) {
        if entry.done && changes(&entry) {
            *calls.entry(entry.call).or_insert(0) += 1;
        }
    }
    Seen {
        end: end.to_owned(),
        account: json!({ "places": places, "sites": sites }),
        services,
        calls,
    }
}

/// Whether a call is one that changes something, and may not be made again.
fn changes(entry: &Entry) -> bool {
    match entry.call.split_once('.') {
        Some(("aws", name)) => !READING.iter().any(|word| name.starts_with(word)) && !GUARDED.contains(&name),
        Some((service, _)) => SERVICES.contains(&service) && entry.arguments["method"] != "GET",
        None => false,
    }
}

/// Takes away what is different in every run: also the order of what is kept by a name that the account gives.
fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => {
            let stream = text.find("/stream/").unwrap_or(text.len());
            text.truncate(stream);
        }
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_ms") && !NAMES.contains(&name.as_str()));
            fields.values_mut().for_each(scrub);
        }
        Value::Array(values) => {
            values.iter_mut().for_each(scrub);
            values.sort_by_key(ToString::to_string);
        }
        _ => {}
    }
}

/// What is different about a run from one that is as it should be.
#[must_use]
pub fn differences(like: &Seen, found: &Seen) -> Vec<String> {
    let mut violations = Vec::new();
    if like.end != found.end {
        violations.push(format!("it ended {} instead of {}", found.end, like.end));
    }
    if like.calls != found.calls {
        violations.push(format!("calls: {:?} instead of {:?}", found.calls, like.calls));
    }
    for (what, like, found) in [
        ("the account", &like.account, &found.account),
        ("the services", &like.services, &found.services),
    ] {
        let mut paths = Vec::new();
        differ(String::new(), (like, found), &mut paths);
        if !paths.is_empty() {
            violations.push(format!("{what}: {}", paths.join("; ")));
        }
    }
    violations
}

/// Where two values differ.
fn differ(at: String, (one, two): (&Value, &Value), found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) if one.len() == two.len() => {
            for (name, value) in one {
                differ(
                    format!("{at}/{name}"),
                    (value, two.get(name).unwrap_or(&Value::Null)),
                    found,
                );
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (index, pair) in one.iter().zip(two).enumerate() {
                differ(format!("{at}/{index}"), pair, found);
            }
        }
        (one, two) if one != two => found.push(format!("{at} is {two} instead of {one}")),
        _ => {}
    }
}

/// One card, and every message once.
fn told_once(town: &Scenario) -> Vec<String> {
    let mut violations = Vec::new();
    let cards = town.cards().len();
    if cards != 1 {
        violations.push(format!("cards: {cards} instead of 1"));
    }
    for ((channel, marker), times) in marked(town.rig.sandbox().world()) {
        if times != 1 && marker != "none" {
            violations.push(format!("messages `{marker}` in {channel}: {times} instead of 1"));
        }
    }
    violations
}

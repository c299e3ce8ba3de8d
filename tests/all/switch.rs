//! The color switch of ef-cms in the sandbox's account, with each of its steps failing, and cut off on the way there and on the way back. What the account
//! shows is looked at after every change. `commands/tests/core/switch.rs` tries everything; here a part of it goes through the whole bot.
#![expect(clippy::expect_used, reason = "a scenario fails by panicking")]

use sandbox::faults::{Fault, FaultKind};
use serde_json::{Value, json};
use tests::court;
use tests::cut::{Cut, Moment};
use tests::cuts;
use tests::operations::{Play, Seen, differences, play};

/// How many cuts are tried for each failing step each time; `scripts/soak` tries all.
const SPREAD: usize = 1;

/// What fails, in words; how; and how the switch ends then.
type Failing = (&'static str, Vec<Value>, Vec<Fault>, &'static str);

fn failures() -> Vec<Failing> {
    let refused = |what, call: &str, spares| -> Failing {
        let error = "AccessDeniedException".to_owned();
        let fault = Fault::once(call, FaultKind::Refuse { error }, spares);
        (what, vec![], vec![fault], "undone")
    };
    let failed = |what, project: &str, plan: &Value| -> Failing {
        let next = json!({ "region": "us-east-1", "codebuild": { "next": { "project": project, "plan": plan } } });
        (what, vec![next], vec![], "undone")
    };
    let page = json!({ "path": "/", "body": "<meta name=\"color\" content=\"green\">" });
    let moved = json!([{ "site": { "page": { "host": "app.stg.court.example.org", "page": page } } }]);
    let halfway = json!({ "outcome": "FAILED", "seconds": 0, "effects_anyway": true, "effects": moved });
    let fails = json!({ "outcome": "FAILED", "seconds": 0 });
    let turn = "aws.UpdateEventSourceMapping";
    vec![
        ("nothing", vec![], vec![], "done,"),
        refused("the color cannot be read", "aws.GetItem", 0),
        failed("the smoke tests fail", "ef-cms-smoke-tests", &fails),
        refused("the new stream cannot be turned on", turn, 0),
        refused("the old stream cannot be turned off", turn, 1),
        refused("the sites' job cannot be started", "aws.StartBuild", 1),
        failed("the sites' job fails at once", "ef-cms-switch-ui", &fails),
        failed("the sites' job fails halfway", "ef-cms-switch-ui", &halfway),
        refused("the second record cannot be set", "aws.ChangeResourceRecordSets", 1),
        refused("the last mapping cannot be replaced", "aws.UpdateBasePathMapping", 3),
        failed("sign-in's job fails", "ef-cms-switch-cognito", &fails),
        refused("the color cannot be written", "aws.UpdateItem", 1),
    ]
}

fn played(deeds: Vec<Value>, faults: Vec<Fault>) -> Play {
    Play {
        service: court::SERVICE,
        headline: "switch · ef-cms → stg",
        config: court::config(),
        account: court::account_without_migration(),
        start: court::SWITCH,
        answer: |_, headline| {
            let asked = court::ANSWERS.iter().find(|(words, ..)| headline.contains(words));
            asked
                .map(|(_, user, text)| (*user, *text))
                .expect("somebody knows what to say")
        },
        world: |_| {},
        deeds: deeds.into_iter().map(|deed| ("aws/deed", deed)).collect(),
        faults,
        never: court::wrong,
    }
}

/// The colors of a run that came to its end: those of before, or the others everywhere.
fn colors(seen: &Seen) -> String {
    let state = court::state(&seen.account);
    let flags = state["flags"].as_array().cloned().unwrap_or_default();
    let written = flags.iter().find(|item| item["pk"]["S"] == "current-color");
    let mut colors: Vec<_> = court::colors(&state).into_iter().map(|(_, color)| color).collect();
    colors.dedup();
    let pending = flags.iter().find(|item| item["pk"]["S"] == "pending-color-switch");
    let words = |item: Option<&Value>| item.map_or(Value::Null, |item| item["current"].clone());
    format!(
        "{} pending {} {} {colors:?}",
        words(written),
        words(pending),
        state["streams"]
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_fails_anywhere_and_is_cut_anywhere_is_finished_or_undone() {
    let whole = std::env::var_os("SIGNALBOX_CUTS").is_some_and(|which| which == "all");
    let mut ends: Vec<(String, String)> = Vec::new();
    let mut plain: Option<Seen> = None;
    for (what, deeds, faults, end) in failures() {
        let switch = played(deeds, faults);
        let (proof, seen) = play(&switch, None, None, |_| {}).await;
        assert!(proof.violations.is_empty(), "{what}: {:#?}", proof.violations);
        assert_eq!(seen.end, end, "{what}");
        ends.push((seen.end.clone(), colors(&seen)));
        let mut all = cuts::all(&proof.points);
        all.retain(matters);
        let chosen = if whole { all } else { cuts::spread(&all, SPREAD) };
        let plain = plain.get_or_insert_with(|| seen.clone());
        let prove = async |cut| {
            let (mut proof, found) = play(&switch, Some(cut), None, |_| {}).await;
            let mut wrong = differences(&seen, &found);
            // A call whose failure nobody heard of is made anew, and goes well: then the whole switch does.
            if !wrong.is_empty() && found.end == plain.end {
                wrong = differences(plain, &found);
            }
            proof.violations.extend(wrong);
            proof
        };
        let tally = cuts::try_all(&format!("switch ({what})"), &chosen, prove).await;
        assert!(tally.wrong.is_empty(), "{what}: {}", tally.wrong.join("\n"));
    }
    ends.sort();
    ends.dedup();
    assert_eq!(ends.len(), 2, "either all of it or nothing: {ends:#?}");
}

/// The traffic does not go back because of a message that Slack does not take.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_of_which_nobody_can_be_told_stays_done() {
    let error = "restricted_action".to_owned();
    // After the card, and the question in its thread.
    let silent = Fault::once("slack.chat.postMessage", FaultKind::Refuse { error }, 2);
    let (proof, seen) = play(&played(vec![], vec![silent]), None, None, |_| {}).await;
    assert_eq!((proof.violations, seen.end.as_str()), (vec![], "done,"));
    let said = seen.account.to_string();
    assert!(said.contains("app-green.stg"), "{said}");
}

/// What changes something outside, and what is written down of it.
fn matters(cut: &Cut) -> bool {
    match cut.point.name.as_str() {
        "commit step" => matches!(cut.moment, Moment::Before | Moment::Replied),
        "commit draw" | "commit wake" | "chat.update" => false,
        _ => true,
    }
}

//! A runbook of every kind of step, cut off at every point at which the bot touches the outside, and repeated: it ends as one that nobody disturbed.

use std::collections::BTreeSet;

use commands::step::SPECS;
use demo::Options;
use tests::cut::Cut;
use tests::cuts;
use tests::kinds::Everything;
use tests::layer;
use tests::operations::{Seen, play};
use tests::proof::Proof;
use tests::repeat::{Forgetting, Kinds, Repeating};
use tests::stages::stages;

/// How many cuts are tried each time; `scripts/soak` tries all.
const SPREAD: usize = 8;

/// Whoever adds a kind adds how it is proven: a stage below `tests/src/stages`.
#[test]
fn every_kind_of_step_is_in_the_proof() {
    let staged: Vec<&str> = stages().map(|stage| stage.kind).collect();
    let once: BTreeSet<&str> = staged.iter().copied().collect();
    let kinds: BTreeSet<&str> = SPECS.iter().map(|spec| spec.kind).collect();
    assert_eq!(once, kinds, "tests/src/stages: a stage for each kind");
    assert_eq!(staged.len(), once.len(), "each kind stands there once: {staged:?}");
    for stage in stages() {
        let line = format!("\"{}\"", stage.kind);
        let named = stage
            .steps
            .lines()
            .filter(|text| text.starts_with("kind "))
            .all(|text| text.ends_with(&line));
        assert!(named && stage.steps.contains(&line), "{}: {}", stage.kind, stage.steps);
    }
}

async fn undisturbed(everything: &Everything) -> (Proof, Seen) {
    let (proof, seen) = play(&everything.play, None, None, |_| {}).await;
    assert!(proof.violations.is_empty(), "{:#?}", proof.violations);
    assert_eq!(seen.end, "done,", "{seen:#?}");
    (proof, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_a_run_ends_as_if_nothing_was() {
    let everything = Everything::new().await;
    let (whole, seen) = undisturbed(&everything).await;
    let all = cuts::all(&whole.points);
    let cuts = match std::env::var_os("SIGNALBOX_CUTS").map(|only| only.to_string_lossy().into_owned()) {
        None => {
            let telling: Vec<Cut> = all.into_iter().filter(is_telling).collect();
            cuts::spread(&telling, SPREAD)
        }
        Some(only) if only == "all" => all,
        Some(only) => all.into_iter().filter(|cut| cut.to_string().contains(&only)).collect(),
    };
    let prove = async |cut| play(&everything.play, Some(cut), Some(&seen), |_| {}).await.0;
    let tally = cuts::try_all("operation", &cuts, prove).await;
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    let skipped: Vec<&Cut> = tally.missed.iter().filter(|cut| !is_by_the_clock(cut)).collect();
    assert!(skipped.is_empty(), "these come by in every run: {skipped:?}");
}

/// What changes something outside, and what is written down of it: drawings of the card are tried in `scripts/soak`.
fn is_telling(cut: &Cut) -> bool {
    !["chat.update", "commit draw", "commit wake"].contains(&cut.point.name.as_str())
}

/// How often the bot looks, wakes and draws depends on how fast the machine is.
fn is_by_the_clock(cut: &Cut) -> bool {
    let varying = ["wake", "draw", "step"].map(|word| format!("commit {word}"));
    cut.point.name == "chat.update" || varying.contains(&cut.point.name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_effects_are_repeated_ends_as_if_they_were_not() {
    let everything = Everything::new().await;
    let (_, seen) = undisturbed(&everything).await;
    let kinds = Kinds::default();
    let repeated = async |times| {
        let layers = |options: &mut Options| layer::put(options, Repeating::each(times, &kinds));
        play(&everything.play, None, Some(&seen), layers).await.0.violations
    };
    let (twice, thrice) = tokio::join!(repeated(2), repeated(3));
    assert_eq!((twice, thrice), (vec![], vec![]));
    assert!(kinds.seen().contains("step"), "{:?}", kinds.seen());
}

/// The control: who does not look at what the try before did tells the function twice, and the proof says so.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_look_first_the_proof_of_a_run_fails() {
    let some = Everything::of(|kind| ["lambda", "announce"].contains(&kind)).await;
    let (_, seen) = undisturbed(&some).await;
    let forget = |options: &mut Options| {
        layer::put(options, Repeating::each(2, &Kinds::default()));
        layer::put(options, Forgetting);
    };
    let forgotten = play(&some.play, None, Some(&seen), forget).await.0.violations;
    let says = |words: &str| forgotten.iter().any(|violation| violation.contains(words));
    assert!(says("\"aws.Invoke\": 2") && says("messages `say:"), "{forgotten:#?}");
}

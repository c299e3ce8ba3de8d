//! Many cuts, some at a time: which came by, and what is wrong after them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};

use crate::cut::{Cut, Moment, Point};
use crate::proof::Proof;

/// How many scenarios run at the same time.
const AT_ONCE: usize = 6;
/// How long one may take, in machine time; only one that fails takes that long.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often more a cut is tried that did not come by.
const CHANCES: usize = 2;

/// What came of them.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many there were.
    pub cuts: usize,
    /// Those that did not come by.
    pub missed: Vec<Cut>,
    /// What is wrong, with the cut behind which it is.
    pub wrong: Vec<String>,
}

/// Every cut of these points.
#[must_use]
pub fn all(points: &[Point]) -> Vec<Cut> {
    let of = |point: &Point| {
        Moment::ALL.map(|moment| Cut {
            point: point.clone(),
            moment,
        })
    };
    points.iter().flat_map(of).collect()
}

/// So many of them, evenly spread over names and moments.
#[must_use]
pub fn spread(cuts: &[Cut], count: usize) -> Vec<Cut> {
    // A step that shares no divisor with the number of moments meets all of them.
    let step = (cuts.len() / count.max(1)).max(1) | 1;
    cuts.iter().skip(step / 2).step_by(step).cloned().collect()
}

/// Tries each, and tells how many there were.
pub async fn try_all(what: &str, cuts: &[Cut], prove: impl AsyncFn(Cut) -> Proof) -> Tally {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cut in cuts {
        *counts.entry(&cut.point.name).or_default() += 1;
    }
    let results: Vec<(Cut, Proof)> = futures::stream::iter(cuts.iter().cloned())
        .map(|cut| async { (cut.clone(), survived(cut, &prove).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut tally = Tally {
        cuts: cuts.len(),
        ..Tally::default()
    };
    for (cut, proof) in results {
        if !proof.violations.is_empty() {
            tally.wrong.push(format!("{cut}: {:?}", proof.violations));
        }
        if !proof.struck {
            tally.missed.push(cut);
        }
    }
    let names: Vec<String> = tally.missed.iter().map(ToString::to_string).collect();
    #[expect(clippy::print_stdout, reason = "how much was tried is part of what is proven")]
    {
        println!("{} {what} cut points: {counts:?}", cuts.len());
        println!(
            "{} of {} {what} cut points were reached and survived, {} did not come by: {names:?}",
            cuts.len() - names.len(),
            cuts.len(),
            names.len()
        );
    }
    tally
}

/// A scenario that does not get to its end is a violation too.
async fn survived(cut: Cut, prove: &impl AsyncFn(Cut) -> Proof) -> Proof {
    let lost = |why: &str| Proof {
        points: Vec::new(),
        struck: true,
        violations: vec![why.to_owned()],
    };
    let told = async {
        // One that did not come by is given another chance.
        let mut proof = prove(cut.clone()).await;
        for _ in 0..CHANCES {
            if proof.struck || !proof.violations.is_empty() {
                break;
            }
            proof = prove(cut.clone()).await;
        }
        proof
    };
    match tokio::time::timeout(PATIENCE, AssertUnwindSafe(told).catch_unwind()).await {
        Ok(Ok(proof)) => proof,
        Ok(Err(_)) => lost("it did not come to an end"),
        Err(_) => lost("it hangs"),
    }
}

//! Where the things are that a run moves. While some have been moved and others have not, people read it in the headline, also when the run has
//! stopped there, is being undone, or was ended.

use std::collections::BTreeSet;

use super::{Operation, Phase, StepState};
use crate::runbook::{Moves, Step};

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// There.
    At(String),
    /// A call that takes it there is under way, or is not yet seen to have done it.
    OnItsWay(String),
    /// Nobody can know without a look.
    Unknown,
}

impl Place {
    fn words(&self) -> String {
        match self {
            Self::At(place) => place.clone(),
            Self::OnItsWay(place) => format!("on its way to {place}"),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// One step's part of something that is moved.
struct Part {
    what: String,
    region: String,
    to: String,
    place: Place,
}

impl Operation {
    /// Where the things are that it moves, when they are not all in the same place: `mixed: UI green, API blue`. `None`: they are, or nothing is moved.
    #[must_use]
    pub fn mixed(&self) -> Option<String> {
        if self.is_plan() || self.pinned.steps.iter().all(|step| step.moves.is_none()) {
            return None;
        }
        let parts = self.parts();
        let places: BTreeSet<&Place> = parts.iter().map(|part| &part.place).collect();
        let words = || {
            let mut said: Vec<&str> = Vec::new();
            let mut words = Vec::new();
            for part in &parts {
                if !said.contains(&part.what.as_str()) {
                    said.push(&part.what);
                    let same: Vec<&Part> = parts.iter().filter(|other| other.what == part.what).collect();
                    words.push(together(&same));
                }
            }
            words.join(", ")
        };
        match places.len() {
            0 => None,
            1 => places.contains(&Place::Unknown).then(words),
            _ => Some(format!("mixed: {}", words())),
        }
    }

    /// What is moved, by the steps whose condition holds, as far as it is known by now.
    fn parts(&self) -> Vec<Part> {
        let outputs = self.outputs();
        let values = self.values(&outputs);
        let over = self.ended().is_some();
        let part = |(step, state): (&Step, &StepState)| {
            let moves = step.moves.as_ref()?.fill(|text| values.fill(text)).ok()?;
            let region = step.region.as_ref().unwrap_or(&self.pinned.target.aws.region).clone();
            let place = place(&moves, state, over)?;
            Some(Part {
                what: moves.what,
                region,
                to: moves.to,
                place,
            })
        };
        self.all().filter_map(part).collect()
    }
}

/// Where a step's part of it is; `None`: the step is no part of this run.
fn place(moves: &Moves, state: &StepState, over: bool) -> Option<Place> {
    let (from, to) = (|| Place::At(moves.from.clone()), || Place::At(moves.to.clone()));
    let going = |place: &str| {
        if over {
            Place::Unknown
        } else {
            Place::OnItsWay(place.to_owned())
        }
    };
    Some(match state.phase {
        // Its condition did not hold.
        Phase::Skipped if state.by.is_none() && state.failure.is_none() => return None,
        Phase::Done => to(),
        Phase::Planned | Phase::Undone => from(),
        Phase::Acting | Phase::Watching => going(&moves.to),
        Phase::Undoing | Phase::UndoWatching => going(&moves.from),
        Phase::Unknown | Phase::UndoFailed => Place::Unknown,
        // What was begun and has failed, or is tried anew, may have been done or not.
        Phase::Ahead | Phase::Asking | Phase::Preparing | Phase::Confirming | Phase::Failed | Phase::Skipped
            if state.acted =>
        {
            Place::Unknown
        }
        Phase::Ahead | Phase::Asking | Phase::Preparing | Phase::Confirming | Phase::Failed | Phase::Skipped => from(),
    })
}

/// All parts of one thing, in words: in one place, by region, or somewhere between.
fn together(parts: &[&Part]) -> String {
    let Some(first) = parts.first() else {
        return String::new();
    };
    let places: BTreeSet<&Place> = parts.iter().map(|part| &part.place).collect();
    if places.len() == 1 {
        return format!("{} {}", first.what, first.place.words());
    }
    let regions: BTreeSet<&str> = parts.iter().map(|part| part.region.as_str()).collect();
    if regions.len() == parts.len() {
        let each = parts
            .iter()
            .map(|part| format!("{} {} in {}", part.what, part.place.words(), part.region));
        return each.collect::<Vec<_>>().join(", ");
    }
    let uncertain = places.iter().find(|place| !matches!(place, Place::At(_)));
    match uncertain {
        Some(place) => format!("{} {}", first.what, place.words()),
        None => format!("{} partly {}", first.what, first.to),
    }
}

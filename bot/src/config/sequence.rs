//! What is wrong with a runbook's steps as a whole: names, groups, remedies, snapshots, and what their texts refer to.

use commands::effect::Class;
use commands::runbook::{Parameter, Step, StepSpec, Then, placeholders};
use commands::step::{Action, Conduct};

use super::section::Place;

/// A step and the place of what is judged when all of them are known.
pub(super) struct Draft<'a> {
    pub(super) spec: StepSpec,
    pub(super) place: Place<'a>,
}

/// What only shows when all steps are seen side by side.
pub(super) fn judge(drafts: &[Draft<'_>], parameters: &[Parameter]) {
    let mut before: Vec<&Step> = Vec::new();
    for draft in drafts {
        let (step, place) = (&draft.spec.step, &draft.place);
        if before.iter().any(|earlier| earlier.name == step.name) {
            place.complain(format!(
                "a step `{}` stands above already: give every step a name of its own",
                step.name
            ));
        }
        if let Some(group) = &step.group {
            let apart = before
                .iter()
                .rev()
                .skip_while(|earlier| earlier.group.as_ref() == Some(group));
            if apart.clone().any(|earlier| earlier.group.as_ref() == Some(group)) {
                place.complain(format!(
                    "the steps of group `{group}` do not stand together: put them next to each other"
                ));
            }
        }
        let once = matches!(step.action.conduct(), Conduct::Calls(calls) if calls.act == Some(Class::Once));
        if once && step.retries > 0 {
            place.complain("may be done only once, so it cannot be tried again by itself: delete `retries`");
        }
        if step.moves.is_some() && !matches!(step.action.conduct(), Conduct::Calls(calls) if calls.act.is_some()) {
            place.complain(format!(
                "a step of kind `{}` that only looks or asks moves nothing: delete `moves`",
                step.action.spec().kind
            ));
        }
        remedies(step, drafts, place);
        protected(step, &before, place);
        texts(step, &before, parameters, place);
        before.push(step);
    }
}

fn remedies(step: &Step, drafts: &[Draft<'_>], place: &Place<'_>) {
    for expected in &step.expect {
        if expected.words.is_empty() {
            place.complain(format!("`{}` would fit every failure: give it `words`", expected.name));
        }
        if let Then::Remedy(name) = &expected.then
            && !drafts
                .iter()
                .any(|other| other.spec.step.name == *name && other.spec.step.remedy)
        {
            place.complain(format!(
                "`{name}` is no remedy: add a step of that name with `remedy = true`"
            ));
        }
    }
}

/// The snapshot that a step needs is taken or found before it, and not allowed to be older than it may be.
fn protected(step: &Step, before: &[&Step], place: &Place<'_>) {
    let Some(needs) = &step.needs_snapshot else { return };
    let source = before.iter().find(|earlier| earlier.name == needs.step);
    let Some(Action::Snapshot(snapshot)) = source.map(|source| &source.action) else {
        place.complain(format!(
            "needs a snapshot of `{}`, which is no earlier step of kind `snapshot`",
            needs.step
        ));
        return;
    };
    if source.is_some_and(|source| source.group.is_some() && source.group == step.group) {
        place.complain(format!(
            "is under way together with `{}`, whose snapshot it needs",
            needs.step
        ));
    }
    if snapshot.younger.is_some_and(|younger| younger > needs.younger) {
        place.complain(format!(
            "needs a snapshot younger than {}, but `{}` takes none while there is one younger than {}",
            needs.younger,
            needs.step,
            snapshot.younger.unwrap_or_default()
        ));
    }
}

/// Every placeholder stands for something that is known by then.
fn texts(step: &Step, before: &[&Step], parameters: &[Parameter], place: &Place<'_>) {
    let mut all = step.action.texts();
    all.push(step.title.clone());
    if let Some(when) = &step.when {
        all.push(when.value.clone());
        all.extend(when.is.clone());
        all.extend(when.is_not.clone());
    }
    if let Some(moves) = &step.moves {
        all.extend([moves.what.clone(), moves.from.clone(), moves.to.clone()]);
    }
    for name in all.iter().flat_map(|text| placeholders(text)) {
        let known = match name.split_once('.') {
            // What was there before is known to the undo of a call only.
            None if name == "was" => matches!(step.action, Action::ApiCall(_)),
            None => name == "environment" || name == "service",
            Some(("parameter", rest)) => parameters.iter().any(|parameter| parameter.name == rest),
            Some(("step", rest)) => {
                let earlier = rest.split_once('.').map(|(step, _)| step);
                step.remedy || before.iter().any(|step| Some(step.name.as_str()) == earlier)
            }
            Some(_) => false,
        };
        if !known {
            place.complain(format!(
                "`{{{name}}}` stands for nothing here: there are {{environment}}, {{service}}, {{parameter.NAME}} and {{step.NAME.OUTPUT}} of an earlier step"
            ));
        }
    }
}

//! What is wrong with a runbook's steps as a whole: names, groups, remedies, snapshots, and what their texts refer to.

use commands::effect::Class;
use commands::runbook::{Parameter, Step, StepSpec, Then, placeholders};
use commands::step::{Action, Conduct};

use super::section::{Place, closest};

/// A step and the place of what is judged when all of them are known.
pub(super) struct Draft<'a> {
    pub(super) spec: StepSpec,
    pub(super) place: Place<'a>,
}

/// What steps may name.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// What is said at the start.
    parameters: &'a [Parameter],
    /// Steps that could not be read: they have been complained of, so nobody else is for naming them.
    unread: &'a [&'a str],
}

/// What only shows when all steps are seen side by side. `unread` are the names of those that could not be read.
pub(super) fn judge(drafts: &[Draft<'_>], parameters: &[Parameter], unread: &[&str]) {
    let around = Around { parameters, unread };
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
        if step.usual.is_some_and(|usual| usual > step.deadline) {
            place.complain(format!(
                "usually takes {}, but counts as failed after {}: write a longer `deadline`",
                step.usual.unwrap_or_default(),
                step.deadline
            ));
        }
        remedies(step, drafts, (around, place));
        protected(step, &before, (around, place));
        condition(step, (around, place));
        texts(step, &before, (around, place));
        before.push(step);
    }
}

/// A condition that can never hold leaves a step out without a word.
fn condition(step: &Step, (around, place): (Around<'_>, &Place<'_>)) {
    let Some(when) = &step.when else { return };
    let named = when
        .value
        .strip_prefix("{parameter.")
        .and_then(|rest| rest.strip_suffix('}'));
    let parameter = around.parameters.iter().find(|one| Some(one.name.as_str()) == named);
    let Some(parameter) = parameter.filter(|one| !one.choices.is_empty()) else {
        return;
    };
    let wanted = when.is.iter().chain(&when.is_not);
    for wanted in wanted.filter(|wanted| placeholders(wanted).is_empty() && !parameter.choices.contains(wanted)) {
        let guess = closest(wanted, parameter.choices.iter().map(String::as_str))
            .map_or_else(String::new, |guess| format!(" Did you mean `{guess}`?"));
        place.complain(format!(
            "its `when` compares `{}` with `{wanted}`, which is none of its choices: {}.{guess}",
            parameter.name,
            parameter.choices.join(", ")
        ));
    }
}

fn remedies(step: &Step, drafts: &[Draft<'_>], (around, place): (Around<'_>, &Place<'_>)) {
    for expected in &step.expect {
        if expected.words.is_empty() {
            place.complain(format!("`{}` would fit every failure: give it `words`", expected.name));
        }
        if let Then::Remedy(name) = &expected.then
            && !around.unread.contains(&name.as_str())
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
fn protected(step: &Step, before: &[&Step], (around, place): (Around<'_>, &Place<'_>)) {
    let Some(needs) = &step.needs_snapshot else { return };
    if around.unread.contains(&needs.step.as_str()) {
        return;
    }
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
fn texts(step: &Step, before: &[&Step], (around, place): (Around<'_>, &Place<'_>)) {
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
    for text in all.iter().filter(|text| is_open(text)) {
        place.complain(format!(
            "`{text}` opens a placeholder and does not close it: write `}}` behind its name, or `{{{{` for a brace"
        ));
    }
    for name in all.iter().flat_map(|text| placeholders(text)) {
        let known = match name.split_once('.') {
            // What was there before is known to the undo of a call only.
            None if name == "was" => matches!(step.action, Action::ApiCall(_)),
            None => name == "environment" || name == "service",
            Some(("parameter", rest)) => around.parameters.iter().any(|parameter| parameter.name == rest),
            Some(("step", rest)) => {
                let (earlier, output) = rest.split_once('.').unwrap_or((rest, ""));
                let source = before.iter().find(|step| step.name.as_str() == earlier);
                if let Some(source) = source {
                    found(&name, (source, output), place);
                }
                step.remedy || source.is_some() || around.unread.contains(&earlier)
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

/// An earlier step finds what is named of it; of some kinds only what comes of them tells.
fn found(name: &str, (source, output): (&Step, &str), place: &Place<'_>) {
    let Some(finds) = source.action.finds().filter(|finds| !finds.contains(&output)) else {
        return;
    };
    let finds = if finds.is_empty() {
        "nothing that can be named".to_owned()
    } else {
        finds.join(", ")
    };
    place.complain(format!(
        "`{{{name}}}` will stand for nothing: the step `{}` finds {finds}",
        source.name
    ));
}

/// Whether a text begins a placeholder of ours that never ends; the braces of JSON are no such thing.
fn is_open(text: &str) -> bool {
    let begins = ["{parameter.", "{step.", "{environment", "{service"];
    let open = |at: usize| text.get(at..).is_some_and(|rest| !rest.contains('}'));
    begins
        .iter()
        .flat_map(|begin| text.match_indices(begin))
        .any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with('{')) && open(at))
}

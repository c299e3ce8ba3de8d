//! What only shows when environments and services are seen side by side.

use commands::catalog::{Environment, Pattern};
use commands::ids::EnvironmentId;

use super::environment::Draft;
use super::freezes::no_environment;
use super::overlap::overlap;
use super::service;

/// Complains and warns about services as a whole.
pub(super) fn judge(services: &[service::Draft<'_>]) {
    for service in services {
        order(&service.environments);
        for (index, later) in service.environments.iter().enumerate() {
            for earlier in service.environments.iter().take(index) {
                pair(earlier, later);
            }
        }
    }
    let all: Vec<&Draft<'_>> = services.iter().flat_map(|service| &service.environments).collect();
    functions(&all);
    for (index, later) in services.iter().enumerate() {
        let earlier: Vec<&Draft<'_>> = services
            .iter()
            .take(index)
            .flat_map(|service| &service.environments)
            .collect();
        owners(&earlier, &later.environments);
    }
}

/// `promotes_from` names another environment of the service, and following it comes to an end.
fn order(environments: &[Draft<'_>]) {
    let names: Vec<&str> = environments.iter().map(|draft| draft.environment.id.as_str()).collect();
    for draft in environments {
        let (Some(place), Some(from)) = (&draft.promotes_from, &draft.environment.promotes_from) else {
            continue;
        };
        if *from == draft.environment.id {
            place.complain("is the environment itself: name the one in which the revision has to succeed first");
        } else if !names.contains(&from.as_str()) {
            place.complain(no_environment(from.as_str(), &names));
        } else if let Some(way) = circle(draft, environments) {
            place.complain(format!(
                "goes in a circle ({}): nothing could ever be the first to go out",
                way.join(" → ")
            ));
        }
    }
}

/// The way from an environment back to itself, if there is one and no environment on it stands earlier in the file: a circle is told once.
fn circle<'d>(start: &'d Draft<'_>, environments: &'d [Draft<'_>]) -> Option<Vec<&'d str>> {
    let place = |id: &EnvironmentId| environments.iter().position(|draft| draft.environment.id == *id);
    let first = place(&start.environment.id);
    let mut way = vec![start.environment.id.as_str()];
    let mut at = start;
    // At most once through all of them: a way may also lead into a circle that does not hold its start.
    for _ in environments {
        let from = at.environment.promotes_from.as_ref()?;
        let next = place(from).filter(|next| Some(*next) >= first)?;
        at = environments.get(next)?;
        way.push(at.environment.id.as_str());
        if Some(next) == first {
            return (way.len() > 2).then_some(way);
        }
    }
    None
}

/// Two environments of one service.
fn pair(earlier: &Draft<'_>, later: &Draft<'_>) {
    let (one, two) = (&earlier.environment, &later.environment);
    if one.pipeline.name.is_empty() || one.pipeline.name != two.pipeline.name {
        return;
    }
    if one.pipeline == two.pipeline && one.site() == two.site() && both_fit(one, two) {
        let place = later.refs.as_ref().unwrap_or(&later.place);
        place.warn(format!(
            "some refs fit `{}` as well as `{}`: a run of such a ref counts for both, and the rules of both hold",
            one.id, two.id
        ));
    }
}

/// Whether some ref fits both; what one of them leaves out in the very words of the other does not.
fn both_fit(one: &Environment, two: &Environment) -> bool {
    let (ours, theirs) = (fitting(one, two), fitting(two, one));
    match (one.refs.is_empty(), two.refs.is_empty()) {
        (true, true) => true,
        (true, false) => !theirs.is_empty(),
        (false, true) => !ours.is_empty(),
        (false, false) => ours.iter().any(|a| theirs.iter().any(|b| overlap(a, b))),
    }
}

/// The patterns of an environment that the other one does not leave out.
fn fitting<'e>(environment: &'e Environment, other: &Environment) -> Vec<&'e Pattern> {
    let left_out: Vec<Pattern> = other.refs.iter().filter_map(Pattern::leaves_out).collect();
    let fits = environment.refs.iter().filter(|pattern| pattern.leaves_out().is_none());
    fits.filter(|pattern| !left_out.contains(*pattern)).collect()
}

/// A function belongs to one environment: where one's prefix goes on where another's ends, the shorter one would take in both.
fn functions(environments: &[&Draft<'_>]) {
    for draft in environments {
        let (Some(place), Some(ours)) = (&draft.functions, &draft.environment.functions) else {
            continue;
        };
        for other in environments.iter().filter(|other| !std::ptr::eq(**other, *draft)) {
            let Some(theirs) = &other.environment.functions else {
                continue;
            };
            let taken = theirs.prefix.starts_with(&ours.prefix) && ours.of_another(&theirs.prefix).is_none();
            let (one, two) = (&draft.environment.aws, &other.environment.aws);
            if taken && (&one.region, one.account()) == (&two.region, two.account()) {
                place.complain(format!(
                    "`{}` takes in the functions of `{}`, which begin with `{}`: add `but = [\"{}\"]`",
                    ours.prefix, other.environment.id, theirs.prefix, theirs.prefix
                ));
            }
        }
    }
}

/// A gate has one owner: two would post two cards for one approval.
fn owners(earlier: &[&Draft<'_>], later: &[Draft<'_>]) {
    for draft in later {
        let same = |other: &&&Draft<'_>| {
            let (one, two) = (&other.environment, &draft.environment);
            !one.pipeline.name.is_empty() && one.pipeline == two.pipeline && one.site() == two.site()
        };
        if let Some(owner) = earlier.iter().find(same) {
            draft.pipeline.complain(format!(
                "this approval belongs to another service already ({}, {}): give it to one of them",
                owner.pipeline.key,
                owner.pipeline.at()
            ));
        }
    }
}

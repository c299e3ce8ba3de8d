//! What only shows when environments and services are seen side by side.

use commands::catalog::Environment;
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

fn both_fit(one: &Environment, two: &Environment) -> bool {
    one.refs.is_empty() || two.refs.is_empty() || one.refs.iter().any(|a| two.refs.iter().any(|b| overlap(a, b)))
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

//! Who may: groups and users of Slack, and how many of them it takes.

use commands::catalog::{Approvers, People};
use commands::ids::{GroupId, UserId};

use super::section::{Section, Value};

/// Reads `{ groups = ["S…"], users = ["U…"] }`.
pub(super) fn people(value: Value<'_>) -> Option<People> {
    let mut section = value.section()?;
    let (people, empty) = named(&mut section);
    if empty {
        section.place.complain(NOBODY);
    }
    section.finish();
    Some(people)
}

const NOBODY: &str = "names nobody: add `groups = [\"S…\"]` or `users = [\"U…\"]`";

/// Who is named, and whether nobody was even meant: ids that cannot be read have been complained of already.
fn named(section: &mut Section<'_>) -> (People, bool) {
    let (groups, users) = (section.take("groups"), section.take("users"));
    let empty = [&groups, &users].into_iter().flatten().all(Value::is_empty_list);
    let people = People {
        groups: groups
            .into_iter()
            .flat_map(|groups| groups.names(GroupId::parse))
            .collect(),
        users: users.into_iter().flat_map(|users| users.names(UserId::parse)).collect(),
    };
    (people, empty)
}

/// Reads `{ groups, users, required, self_approval, all_of }`.
pub(super) fn approvers(value: Value<'_>) -> Option<Approvers> {
    let mut section = value.section()?;
    let (mut people, empty) = named(&mut section);
    let required = section.take("required");
    let count = required.as_ref().and_then(Value::count);
    let all_of = section.take("all_of");
    if let (Some(all_of), false) = (&all_of, people.groups.is_empty()) {
        all_of.place.complain(
            "stands beside `groups`: write `groups` where any member will do, or `all_of` where one of each group is needed, not both",
        );
    }
    if empty && all_of.as_ref().is_none_or(Value::is_empty_list) {
        section.place.complain(NOBODY);
    }
    let all_of = all_of.map(|all_of| all_of.names(GroupId::parse)).unwrap_or_default();
    // Whoever stands for one of the groups may approve, of course.
    people.groups.extend(all_of.iter().cloned());
    let self_approval = section
        .take("self_approval")
        .and_then(|value| value.boolean())
        .unwrap_or_default();
    if let (Some(required), Some(count)) = (&required, count) {
        enough(required, count, (&people, all_of.len()));
    }
    section.finish();
    Some(Approvers {
        people,
        required: count.unwrap_or(1).max(all_of.len()),
        all_of,
        self_approval,
    })
}

/// Whether a number of approvals can be had, and whether it can mean what it says.
fn enough(required: &Value<'_>, count: usize, (people, all_of): (&People, usize)) {
    let users = people.users.len();
    if count < all_of {
        required.place.complain(format!(
            "asks for {count}, but one of each of {all_of} groups is {all_of} people: write `required = {all_of}`, or leave it out"
        ));
    } else if people.groups.is_empty() && users > 0 && count > users {
        required.place.complain(format!(
            "asks for {count} people, but only {users} and no group may approve: name more users, add a group, or write `required = {users}`"
        ));
    }
}

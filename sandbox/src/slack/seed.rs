//! The people, groups and channels that the demo and the tests find.

use std::collections::BTreeMap;

use super::model::{BOT_USER, Channel, Group, Person, TEAM};

/// What is particular about a person; the rest follows from it.
struct Who {
    id: &'static str,
    real_name: &'static str,
    title: &'static str,
    role: &'static str,
    zone: (&'static str, &'static str, i32),
    color: &'static str,
}

const BRASILIA: (&str, &str, i32) = ("America/Sao_Paulo", "Brasilia Time", -10_800);
const WEST_AFRICA: (&str, &str, i32) = ("Africa/Lagos", "West Africa Time", 3_600);
const EASTERN: (&str, &str, i32) = ("America/New_York", "Eastern Standard Time", -18_000);
const CENTRAL_EUROPE: (&str, &str, i32) = ("Europe/Prague", "Central European Time", 3_600);
const INDIA: (&str, &str, i32) = ("Asia/Kolkata", "India Standard Time", 19_800);
const LONDON: (&str, &str, i32) = ("Europe/London", "Greenwich Mean Time", 0);

const PEOPLE: &[Who] = &[
    Who {
        id: "U0ANN",
        real_name: "Ann Ferreira",
        title: "Release manager",
        role: "approver",
        zone: BRASILIA,
        color: "#b5446e",
    },
    Who {
        id: "U0BRUNO",
        real_name: "Bruno Lima",
        title: "Operations",
        role: "second approver, ops",
        zone: BRASILIA,
        color: "#2a6f97",
    },
    Who {
        id: "U0DANA",
        real_name: "Dana Okafor",
        title: "Developer",
        role: "author",
        zone: WEST_AFRICA,
        color: "#52796f",
    },
    Who {
        id: "U0CARLA",
        real_name: "Carla Mendes",
        title: "CTO",
        role: "break-glass",
        zone: EASTERN,
        color: "#9a5b13",
    },
    Who {
        id: "U0RITA",
        real_name: "Rita Novak",
        title: "Support",
        role: "no rights",
        zone: CENTRAL_EUROPE,
        color: "#6d597a",
    },
    Who {
        id: "U0GUS",
        real_name: "Gus Weber",
        title: "Contractor",
        role: "guest",
        zone: CENTRAL_EUROPE,
        color: "#5c677d",
    },
    Who {
        id: "U0EVE",
        real_name: "Eve Stone",
        title: "Partner",
        role: "stranger",
        zone: INDIA,
        color: "#8d0801",
    },
    Who {
        id: "U0OLD",
        real_name: "Olaf Old",
        title: "Left in spring",
        role: "deactivated",
        zone: LONDON,
        color: "#7f7f7f",
    },
];

/// Everyone but the bot.
pub(super) fn people() -> Vec<Person> {
    PEOPLE.iter().map(person).collect()
}

fn person(who: &Who) -> Person {
    let first = who.real_name.split(' ').next().unwrap_or_default().to_lowercase();
    let initials = who
        .real_name
        .split(' ')
        .filter_map(|word| word.chars().next())
        .collect();
    let (tz, tz_label, tz_offset) = who.zone;
    Person {
        id: who.id.to_owned(),
        email: format!("{first}@example.org"),
        name: first,
        real_name: who.real_name.to_owned(),
        title: who.title.to_owned(),
        role: who.role.to_owned(),
        team_id: if who.role == "stranger" { "T0OTHER" } else { TEAM }.to_owned(),
        tz: tz.to_owned(),
        tz_label: tz_label.to_owned(),
        tz_offset,
        color: who.color.to_owned(),
        initials,
        is_restricted: who.role == "guest",
        is_stranger: who.role == "stranger",
        deleted: who.role == "deactivated",
    }
}

/// The user groups.
pub(super) fn groups() -> Vec<Group> {
    let group = |id: &str, handle: &str, name: &str, users: &[&str]| Group {
        id: id.to_owned(),
        handle: handle.to_owned(),
        name: name.to_owned(),
        users: users.iter().map(|user| (*user).to_owned()).collect(),
    };
    vec![
        group(
            "S0WALLET",
            "wallet-approvers",
            "Wallet approvers",
            &["U0ANN", "U0BRUNO", "U0DANA"],
        ),
        group("S0OPS", "ops", "Operations", &["U0BRUNO", "U0CARLA"]),
    ]
}

/// The channels; direct messages come into being when they are opened.
pub(super) fn channels() -> Vec<Channel> {
    let everyone = ["U0ANN", "U0BRUNO", "U0DANA", "U0CARLA", "U0RITA"];
    let mut deploys = channel("C0DEPLOYS", "deploys", "What goes out, and who let it", &everyone);
    deploys.members.extend(["U0GUS".to_owned(), BOT_USER.to_owned()]);
    let mut general = channel("C0GENERAL", "general", "Company-wide announcements", &everyone);
    general.members.push(BOT_USER.to_owned());
    let random = channel("C0RANDOM", "random", "Everything else", &everyone);
    let mut shared = channel(
        "C0SHARED",
        "shared-partners",
        "With our partners",
        &["U0ANN", "U0BRUNO", "U0CARLA", "U0EVE"],
    );
    shared.members.push(BOT_USER.to_owned());
    shared.is_ext_shared = true;
    vec![deploys, general, random, shared]
}

/// The direct message between the bot and a person: `U0ANN`'s is `D0ANN`.
pub(super) fn direct_message(user: &str) -> Channel {
    let mut im = channel(
        &format!("D{}", user.get(1..).unwrap_or_default()),
        "",
        "",
        &[user, BOT_USER],
    );
    im.im_with = Some(user.to_owned());
    im
}

fn channel(id: &str, name: &str, topic: &str, members: &[&str]) -> Channel {
    Channel {
        id: id.to_owned(),
        name: name.to_owned(),
        topic: topic.to_owned(),
        im_with: None,
        members: members.iter().map(|member| (*member).to_owned()).collect(),
        is_archived: false,
        is_ext_shared: false,
        previous_names: Vec::new(),
        messages: BTreeMap::new(),
    }
}

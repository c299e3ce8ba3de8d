//! A small world for the pictures: the service `wallet`, its people, and runs folded from their events by the one transition table.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use crate::catalog::{
    Approvers, AwsTarget, CheckName, Environment, Pattern, People, Pipeline, Service, Tier, UnknownAuthor, When, Window,
};
use crate::check::{Level, Verdict};
use crate::desk::{Desk, Finished};
use crate::facts::{Facts, Person, Speaker, Standing, Via};
use crate::ids::{ChannelId, DeliveryId, EnvironmentId, GroupId, RecordId, ServiceId, TeamId, UserId};
use crate::reason::Reason;
use crate::round::{Change, Commit, Revision, Round, Starter};
use crate::run::{Answer, Ballot, Behind, CardRef, Event, Failure, Live, Pinned, Run, Stage, StageState, Target, Vote};
use crate::time::{Span, Timestamp};

/// Everything that facts point to.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) service: Service,
    pub(crate) desk: Desk,
    pub(crate) runs: BTreeMap<RecordId, Run>,
    pub(crate) operations: BTreeMap<RecordId, crate::operation::Operation>,
    pub(crate) claims: BTreeMap<EnvironmentId, RecordId>,
    pub(crate) people: BTreeMap<UserId, Person>,
    pub(crate) groups: BTreeMap<GroupId, Option<BTreeSet<UserId>>>,
    pub(crate) services: BTreeMap<ServiceId, Service>,
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

/// A time on the Thursday of all fixtures.
pub(crate) fn clock(time: &str) -> Timestamp {
    at(&format!("2026-11-19T{time}Z"))
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub(crate) fn group(id: &str) -> GroupId {
    GroupId::parse(id).unwrap()
}

pub(crate) fn env(id: &str) -> EnvironmentId {
    EnvironmentId::parse(id).unwrap()
}

/// Everyone here, by id and name.
pub(crate) const PEOPLE: &[(&str, &str)] = &[
    ("U0ANN", "Ann Ferreira"),
    ("U0BRUNO", "Bruno Lima"),
    ("U0CARLA", "Carla Mendes"),
    ("U0DANA", "Dana Okafor"),
    ("U0RITA", "Rita Novak"),
];

impl World {
    pub(crate) fn new() -> Self {
        let service = service("wallet");
        let person = |(id, name): &(&str, &str)| {
            (
                user(id),
                Person {
                    id: user(id),
                    name: (*name).to_owned(),
                    standing: Standing::Member,
                },
            )
        };
        let members = |ids: &[&str]| Some(ids.iter().map(|id| user(id)).collect());
        Self {
            now: clock("17:55:58"),
            services: [(service.id.clone(), service.clone())].into(),
            service,
            desk: desk(),
            runs: BTreeMap::new(),
            operations: BTreeMap::new(),
            claims: BTreeMap::new(),
            people: PEOPLE.iter().map(person).collect(),
            groups: [
                (group("S0WALLET"), members(&["U0ANN", "U0BRUNO", "U0DANA"])),
                (group("S0OPS"), members(&["U0BRUNO", "U0CARLA"])),
            ]
            .into(),
        }
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            service: &self.service,
            desk: &self.desk,
            runs: &self.runs,
            operations: &self.operations,
            claims: &self.claims,
            people: &self.people,
            groups: &self.groups,
            services: &self.services,
        }
    }

    pub(crate) fn environment(&mut self, id: &str) -> &mut Environment {
        self.service
            .environments
            .iter_mut()
            .find(|environment| environment.id.as_str() == id)
            .unwrap()
    }

    pub(crate) fn speaker(&self, id: &str) -> Speaker {
        Speaker {
            user: user(id),
            team: TeamId::parse("T0SIGNAL").unwrap(),
            channel: self.service.channel.clone(),
            thread: None,
            via: Via::Button,
            delivery: DeliveryId::parse("d1").unwrap(),
        }
    }
}

fn service(id: &str) -> Service {
    Service {
        id: ServiceId::parse(id).unwrap(),
        channel: ChannelId::parse("C0DEPLOYS").unwrap(),
        github: Some("acme/wallet".to_owned()),
        authors: BTreeMap::new(),
        unknown_author: UnknownAuthor::Allow,
        timezone: chrono_tz::America::Sao_Paulo,
        environments: vec![
            environment("testnet", Tier::Standard, 1),
            Environment {
                promotes_from: Some(env("testnet")),
                checks: vec![
                    CheckName("alarms-quiet".to_owned()),
                    CheckName("migrations-touched".to_owned()),
                ],
                ..environment("mainnet", Tier::Production, 2)
            },
        ],
        freezes: vec![Window {
            when: When::weekly("Fri 15:00 - Mon 08:00").unwrap(),
            reason: "no deploys over the weekend".to_owned(),
            environments: vec![env("mainnet")],
        }],
        migrations: vec![Pattern("db/migrations/**".to_owned())],
        runbooks: Vec::new(),
        hosts: Default::default(),
    }
}

fn environment(id: &str, tier: Tier, required: usize) -> Environment {
    Environment {
        id: env(id),
        tier,
        refs: Vec::new(),
        promotes_from: None,
        pipeline: pipeline(),
        approvers: Approvers {
            people: People {
                groups: [group("S0WALLET")].into(),
                users: [user("U0CARLA")].into(),
            },
            required,
            all_of: Vec::new(),
            self_approval: false,
        },
        operators: None,
        overriders: People {
            groups: BTreeSet::new(),
            users: [user("U0CARLA")].into(),
        },
        aws: AwsTarget::default(),
        checks: Vec::new(),
        alarms: Vec::new(),
        functions: None,
        maintenance: None,
    }
}

fn pipeline() -> Pipeline {
    Pipeline {
        name: "wallet-service".to_owned(),
        stage: "Approve".to_owned(),
        action: "Approval".to_owned(),
    }
}

pub(crate) fn revision(commit: &str, summary: &str) -> Revision {
    Revision {
        id: commit.to_owned(),
        commit: Some(commit.to_owned()),
        git_ref: None,
        summary: summary.to_owned(),
        url: Some(format!("https://github.com/acme/wallet/commit/{commit}")),
        unknown: None,
    }
}

fn desk() -> Desk {
    let mut desk = Desk::default();
    let live = |commit: &str, summary: &str, since| Live {
        revision: revision(commit, summary),
        execution: "e-old".to_owned(),
        since,
    };
    desk.live.insert(
        env("mainnet"),
        live("91be03fa7d", "Fee table", at("2026-11-13T10:00:00Z")),
    );
    desk.live
        .insert(env("testnet"), live("4f2c1d9e20", "Retry tx", clock("14:00:00")));
    let times = ["2026-11-13T10:00:00Z", "2026-11-06T10:00:00Z", "2026-10-30T10:00:00Z"];
    let recent = times
        .iter()
        .zip([11, 12, 13])
        .enumerate()
        .map(|(index, (ended, minutes))| {
            let commit = format!("{}1be03fa7d", 9 - index);
            finished(&commit, Reason::Succeeded, at(ended), Some(Span::minutes(minutes)))
        });
    desk.recent.insert(env("mainnet"), recent.collect());
    desk
}

pub(crate) fn finished(commit: &str, reason: Reason, at: Timestamp, took: Option<Span>) -> Finished {
    Finished {
        run: RecordId::run(&env("mainnet"), commit.as_bytes()),
        reason,
        at,
        revision: revision(commit, "Fee table"),
        execution: format!("e-{commit}"),
        by: vec![user("U0ANN"), user("U0BRUNO")],
        took,
        overridden: false,
        card: Some((ChannelId::parse("C0DEPLOYS").unwrap(), "1763000000.000100".to_owned())),
    }
}

/// What a run is opened with.
pub(crate) fn pinned() -> Pinned {
    let target = |id: &str, tier, live: Option<&Live>| Target {
        environment: env(id),
        tier,
        aws: AwsTarget::default(),
        live: live.cloned(),
    };
    Pinned {
        service: ServiceId::parse("wallet").unwrap(),
        environments: vec![target("mainnet", Tier::Production, desk().live.get("mainnet"))],
        round: Round {
            gate: pipeline(),
            execution: "e-1".to_owned(),
            token_hash: "h1".to_owned(),
        },
        revision: Revision {
            git_ref: Some("refs/tags/v1.4.2".to_owned()),
            ..revision("4f2c1d9e20", "retry tx")
        },
        starter: Starter {
            detail: "Webhook".to_owned(),
            user: Some(user("U0DANA")),
        },
        waiting_since: clock("17:40:00"),
        gives_up_at: at("2026-11-25T20:58:00Z"),
        channel: ChannelId::parse("C0DEPLOYS").unwrap(),
        previous: None,
        runbook: String::new(),
        console_url: Some("https://console.aws.amazon.com/codesuite/codepipeline/pipelines/wallet-service".to_owned()),
        parallel: false,
    }
}

/// A run with this history after its opening; the events happen a minute apart unless they know better.
pub(crate) fn run_of(pinned: Pinned, events: Vec<(Event, Timestamp)>) -> Run {
    let id = RecordId::run(&pinned.environments[0].environment, &pinned.round.seed());
    let opened = Event::Opened(Box::new(pinned));
    let mut run = Run::apply(None, &id, &opened, clock("17:40:00")).unwrap();
    for (event, at) in events {
        run = Run::apply(Some(run), &id, &event, at).unwrap();
    }
    run
}

/// The usual evidence: four commits, one migration, quiet alarms.
pub(crate) fn evidence() -> Vec<(Event, Timestamp)> {
    vec![
        (Event::ChangeGathered { change: change(4) }, clock("17:40:05")),
        (
            verdict("alarms-quiet", Level::Good, "12 alarms, all quiet", &[]),
            clock("17:54:00"),
        ),
        (
            verdict(
                "migrations-touched",
                Level::Notice,
                "1 migration would run",
                &["db/migrations/7_fee.sql"],
            ),
            clock("17:54:00"),
        ),
        (
            Event::CardPosted {
                card: CardRef {
                    channel: ChannelId::parse("C0DEPLOYS").unwrap(),
                    ts: "1763574000.000200".to_owned(),
                    at: clock("17:40:02"),
                },
            },
            clock("17:40:02"),
        ),
    ]
}

pub(crate) fn verdict(check: &str, level: Level, reason: &str, evidence: &[&str]) -> Event {
    Event::VerdictGiven {
        verdict: Verdict {
            check: CheckName(check.to_owned()),
            level,
            reason: reason.to_owned(),
            evidence: evidence.iter().map(|item| (*item).to_owned()).collect(),
            as_of: clock("17:54:00"),
        },
    }
}

pub(crate) fn change(total: usize) -> Change {
    let titles = ["Raise fee cap", "Migrate the fee table", "Log the peer", "Retry tx"];
    let commit = |index: usize| Commit {
        sha: format!("{:x}f2c1d9e20", (index + 1) % 16),
        title: titles[index % titles.len()].to_owned(),
        author: if index.is_multiple_of(2) {
            "Dana Okafor"
        } else {
            "Rita Novak"
        }
        .to_owned(),
        email: "dana@example.org".to_owned(),
        user: Some(user(if index.is_multiple_of(2) { "U0DANA" } else { "U0RITA" })),
        url: Some("https://github.com/acme/wallet/commit/x".to_owned()),
    };
    Change {
        base: Some("91be03fa7d".to_owned()),
        total,
        commits: (0..total).map(commit).collect(),
        files: vec!["src/tx.rs".to_owned(), "db/migrations/7_fee.sql".to_owned()],
        files_complete: true,
        compare_url: Some("https://github.com/acme/wallet/compare/91be03f...4f2c1d9".to_owned()),
        unknown: None,
        backwards: false,
        as_of: clock("17:40:05"),
    }
}

pub(crate) fn vote(who: &str, ballot: Ballot, time: &str, reason: &str) -> (Event, Timestamp) {
    let vote = Vote {
        user: user(who),
        ballot,
        at: clock(time),
        reason: reason.to_owned(),
        os_user: None,
    };
    (Event::Voted { vote }, clock(time))
}

pub(crate) fn decided(ballot: Ballot, by: &[&str], time: &str, overridden: Option<Vec<Reason>>) -> (Event, Timestamp) {
    let by = by.iter().map(|id| user(id)).collect();
    let reason = match (ballot, &overridden) {
        (Ballot::Reject, _) => "the fee is wrong",
        (Ballot::Approve, Some(_)) => "site is down, fix is in here",
        (Ballot::Approve, None) => "smoke tests are green",
    };
    (
        Event::Decided {
            ballot,
            by,
            reason: reason.to_owned(),
            overridden,
        },
        clock(time),
    )
}

pub(crate) fn answered(
    ballot: Ballot,
    time: &str,
    elsewhere: Option<&str>,
    out_of_turn: &[Reason],
) -> (Event, Timestamp) {
    let answer = Answer {
        ballot,
        at: clock(time),
        elsewhere: elsewhere.map(str::to_owned),
        out_of_turn: out_of_turn.to_vec(),
    };
    (Event::Answered { answer }, clock(time))
}

pub(crate) fn stages(states: &[(&str, StageState)], time: &str) -> (Event, Timestamp) {
    let stages = states
        .iter()
        .map(|(name, state)| Stage {
            name: (*name).to_owned(),
            state: *state,
        })
        .collect();
    (Event::StagesSeen { stages }, clock(time))
}

pub(crate) fn failure() -> Failure {
    Failure {
        stage: "Deploy".to_owned(),
        action: "Migrate".to_owned(),
        action_execution: "a-1".to_owned(),
        message: "Error: lock wait timeout exceeded\n  at step 3".to_owned(),
        link: Some("https://console.aws.amazon.com/codesuite/codebuild/log".to_owned()),
    }
}

pub(crate) fn behind(commits: &[(&str, &str)]) -> (Event, Timestamp) {
    let one = |(commit, summary): &(&str, &str)| Behind {
        execution: format!("e-{commit}"),
        revision: revision(commit, summary),
    };
    (
        Event::QueueSeen {
            behind: commits.iter().map(one).collect(),
        },
        clock("17:50:00"),
    )
}

/// Approved by two, confirmed, and on its way.
pub(crate) fn approved() -> Vec<(Event, Timestamp)> {
    let mut events = evidence();
    events.push(vote("U0ANN", Ballot::Approve, "17:41:00", ""));
    events.push(vote("U0BRUNO", Ballot::Approve, "17:55:58", "smoke tests are green"));
    events.push(decided(Ballot::Approve, &["U0ANN", "U0BRUNO"], "17:55:58", None));
    events.push(answered(Ballot::Approve, "17:56:02", None, &[]));
    events
}

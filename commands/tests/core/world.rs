//! A world in memory: decisions are applied to it as a store would, and effects are collected.

use std::collections::{BTreeMap, BTreeSet};

use commands::catalog::*;
use commands::decision::{Change as Record, Decision, Reply};
use commands::desk::{self, Desk};
use commands::effect::{Effect, Outcome};
use commands::facts::*;
use commands::ids::*;
use commands::operation::{self, Operation};
use commands::outcome;
use commands::reason::Reason;
use commands::round::*;
use commands::run::{Ballot, Run, Stage, StageState, Status, StoredEvent};
use commands::time::{Span, Timestamp};
use commands::verb::press::{self, Press};
use commands::verb::{self, Parsed};
use commands::view::{Message, plain};
use commands::watch::*;

pub const CHANNEL: &str = "C0DEPLOYS";
pub const PACE: Pace = Pace {
    idle: Span::seconds(60),
    busy: Span::seconds(5),
};

pub fn user(id: &str) -> UserId {
    UserId::parse(id).expect("a user")
}
pub fn env(id: &str) -> EnvironmentId {
    EnvironmentId::parse(id).expect("an environment")
}
pub fn channel(id: &str) -> ChannelId {
    ChannelId::parse(id).expect("a channel")
}

pub struct World {
    pub now: Timestamp,
    pub catalog: Catalog,
    pub desk: Desk,
    pub runs: BTreeMap<RecordId, Run>,
    pub operations: BTreeMap<RecordId, Operation>,
    pub operation_journal: BTreeMap<RecordId, Vec<operation::StoredEvent>>,
    pub claims: BTreeMap<EnvironmentId, RecordId>,
    pub people: BTreeMap<UserId, Person>,
    pub groups: BTreeMap<GroupId, Option<BTreeSet<UserId>>>,
    pub watch: Watch,
    pub journal: BTreeMap<RecordId, Vec<StoredEvent>>,
    pub desk_journal: Vec<desk::StoredEvent>,
    pub reasons: Vec<Reason>,
    pub effects: BTreeMap<EffectKey, Effect>,
    pub refusals: Vec<Reason>,
    deliveries: u32,
}

pub fn site() -> Site {
    Site {
        pipeline: "wallet-service".into(),
        region: "eu-central-1".into(),
        account: None,
    }
}

pub fn gate() -> Pipeline {
    Pipeline {
        name: "wallet-service".into(),
        stage: "Approve".into(),
        action: "Approval".into(),
    }
}

fn environment(id: &str, tier: Tier, refs: &str) -> Environment {
    Environment {
        id: env(id),
        tier,
        refs: vec![Pattern(refs.into())],
        promotes_from: None,
        pipeline: gate(),
        approvers: Approvers {
            people: People {
                groups: [GroupId::parse("S0WALLET").expect("a group")].into(),
                users: BTreeSet::new(),
            },
            required: 1,
            all_of: vec![],
            self_approval: false,
        },
        operators: None,
        overriders: People::default(),
        aws: AwsTarget {
            region: "eu-central-1".into(),
            role_arn: None,
            external_id: None,
        },
        checks: vec![],
        alarms: vec![],
        functions: None,
        maintenance: None,
    }
}

impl World {
    /// Testnet takes `master` with one approval; mainnet takes `v*`, is production and wants two.
    pub fn new() -> Self {
        let mut mainnet = environment("mainnet", Tier::Production, "v*");
        mainnet.approvers.required = 2;
        mainnet.overriders = People {
            groups: BTreeSet::new(),
            users: [user("U0CARLA")].into(),
        };
        mainnet.operators = Some(People {
            groups: [GroupId::parse("S0OPS").expect("a group")].into(),
            users: BTreeSet::new(),
        });
        let id = ServiceId::parse("wallet").expect("a service");
        let service = Service {
            id: id.clone(),
            channel: channel(CHANNEL),
            github: Some("acme/wallet".into()),
            authors: BTreeMap::new(),
            unknown_author: UnknownAuthor::Refuse,
            timezone: chrono_tz::UTC,
            environments: vec![environment("testnet", Tier::Standard, "master"), mainnet],
            freezes: vec![],
            migrations: vec![],
            runbooks: vec![],
            hosts: BTreeSet::new(),
        };
        let person = |(id, standing): (&str, Standing)| {
            (
                user(id),
                Person {
                    id: user(id),
                    name: id.to_lowercase(),
                    standing,
                },
            )
        };
        let members = |ids: &[&str]| Some(ids.iter().map(|id| user(id)).collect());
        Self {
            now: Timestamp(1_795_197_600_000),
            catalog: Catalog {
                services: BTreeMap::from([(id, service)]),
                ..Catalog::default()
            },
            desk: Desk::default(),
            runs: BTreeMap::new(),
            operations: BTreeMap::new(),
            operation_journal: BTreeMap::new(),
            claims: BTreeMap::new(),
            people: [
                ("U0ANN", Standing::Member),
                ("U0BRUNO", Standing::Member),
                ("U0DANA", Standing::Member),
                ("U0CARLA", Standing::Member),
                ("U0RITA", Standing::Member),
                ("U0GUS", Standing::Guest),
                ("U0EVE", Standing::Stranger),
                ("U0OLD", Standing::Deactivated),
                ("U0BOT", Standing::Bot),
                ("U0NOW", Standing::Unknown),
            ]
            .into_iter()
            .map(person)
            .collect(),
            groups: BTreeMap::from([
                (
                    GroupId::parse("S0WALLET").expect("a group"),
                    members(&[
                        "U0ANN", "U0BRUNO", "U0DANA", "U0GUS", "U0EVE", "U0OLD", "U0BOT", "U0NOW",
                    ]),
                ),
                (
                    GroupId::parse("S0OPS").expect("a group"),
                    members(&["U0BRUNO", "U0CARLA"]),
                ),
            ]),
            watch: Watch::new(site()),
            journal: BTreeMap::new(),
            desk_journal: vec![],
            reasons: vec![],
            effects: BTreeMap::new(),
            refusals: vec![],
            deliveries: 0,
        }
    }

    pub fn service(&mut self) -> &mut Service {
        self.catalog.services.values_mut().next().expect("a service")
    }

    pub fn environment(&mut self, id: &str) -> &mut Environment {
        self.service()
            .environments
            .iter_mut()
            .find(|environment| environment.id.as_str() == id)
            .expect("an environment")
    }

    pub fn decide<R>(&self, decide: impl FnOnce(&Facts<'_>) -> R) -> R {
        let service = self.catalog.services.values().next().expect("a service");
        decide(&Facts {
            now: self.now,
            service,
            desk: &self.desk,
            runs: &self.runs,
            operations: &self.operations,
            claims: &self.claims,
            people: &self.people,
            groups: &self.groups,
            services: &self.catalog.services,
        })
    }

    /// What a store does with a decision.
    pub fn commit(&mut self, decision: Decision) -> Reply {
        for (environment, holder) in &decision.take {
            assert!(
                self.claims.get(environment).is_none_or(|held| held == holder),
                "{environment} is held"
            );
        }
        for change in decision.changes {
            match change {
                Record::Run { run, events, next_wake } => {
                    assert_eq!(
                        next_wake.is_none(),
                        run.ended().is_some(),
                        "an open run has a wake, a closed one has none"
                    );
                    assert!(next_wake.is_none_or(|wake| wake > self.now), "a wake lies ahead");
                    self.reasons.extend(events.iter().map(|(_, reason)| *reason));
                    let history = self.journal.entry(run.id.clone()).or_default();
                    history.extend(events.into_iter().map(|(event, _)| StoredEvent { at: self.now, event }));
                    self.runs.insert(run.id.clone(), *run);
                }
                Record::Operation {
                    operation,
                    events,
                    next_wake,
                } => {
                    assert_eq!(next_wake.is_none(), operation.ended().is_some());
                    assert!(next_wake.is_none_or(|wake| wake > self.now), "a wake lies ahead");
                    self.reasons.extend(events.iter().map(|(_, reason)| *reason));
                    let history = self.operation_journal.entry(operation.id.clone()).or_default();
                    let stored = |(event, _)| operation::StoredEvent { at: self.now, event };
                    history.extend(events.into_iter().map(stored));
                    self.operations.insert(operation.id.clone(), *operation);
                }
                Record::Desk { desk, events, .. } => {
                    self.desk_journal.extend(
                        events
                            .into_iter()
                            .map(|(event, _)| desk::StoredEvent { at: self.now, event }),
                    );
                    self.desk = *desk;
                }
                Record::Watch { watch, .. } => self.watch = watch,
            }
        }
        self.claims.extend(decision.take);
        for (environment, holder) in decision.free {
            if self.claims.get(&environment) == Some(&holder) {
                self.claims.remove(&environment);
            }
        }
        self.effects
            .extend(decision.effects.into_iter().map(|(effect, _)| (effect.key(), effect)));
        self.refusals = decision.refusals.iter().map(|refusal| refusal.reason).collect();
        decision.reply
    }

    pub fn speaker(&mut self, who: &str, via: Via) -> Speaker {
        self.deliveries += 1;
        Speaker {
            user: user(who),
            team: TeamId::parse("T0ACME").expect("a team"),
            channel: channel(CHANNEL),
            thread: None,
            via,
            delivery: DeliveryId::parse(&format!("d{}", self.deliveries)).expect("a delivery"),
        }
    }

    pub fn says_as(&mut self, speaker: &Speaker, text: &str) -> Reply {
        let parsed = verb::parse(
            text,
            &commands::grammar::Scope {
                catalog: &self.catalog,
                channel: &speaker.channel,
            },
        );
        match parsed {
            Ok(Parsed::Answer(message)) => Reply::Private(message),
            Err(error) => Reply::Private(error.message()),
            Ok(Parsed::Commands(commands)) => {
                let mut last = Reply::None;
                for command in commands {
                    let decision = self
                        .decide(|facts| command.request.decide(facts, speaker))
                        .expect("a legal decision");
                    last = self.commit(decision);
                }
                last
            }
        }
    }

    /// Somebody types in the home channel.
    pub fn says(&mut self, who: &str, text: &str) -> String {
        let speaker = self.speaker(who, Via::Command);
        words(&self.says_as(&speaker, text))
    }

    /// Somebody presses a button of the newest run's card.
    pub fn presses(&mut self, who: &str, action: &str) -> Reply {
        let run = self.run().id.clone();
        let speaker = self.speaker(who, Via::Button);
        match press::button(&self.catalog, action, &format!("wallet {run}")) {
            Some(Press::Command(command)) => {
                let decision = self
                    .decide(|facts| command.request.decide(facts, &speaker))
                    .expect("a legal decision");
                self.commit(decision)
            }
            other => panic!("{action} is {other:?}"),
        }
    }

    /// The run that was opened last.
    pub fn run(&self) -> &Run {
        self.runs
            .values()
            .max_by_key(|run| (run.pinned.waiting_since, run.changed_at))
            .expect("a run")
    }

    pub fn passes(&mut self, span: Span) {
        self.now = self.now + span;
    }

    pub fn observe(&mut self, mut observation: Observation) {
        self.passes(Span(10));
        observation.as_of = self.now.0;
        observation.at = self.now;
        let watch = self.watch.clone();
        let decision = self
            .decide(|facts| observe(facts, &watch, &observation, PACE))
            .expect("a legal decision");
        self.commit(decision);
    }

    /// A request for approval appears, its evidence comes in, its card goes up, and it has been up for a while.
    pub fn waits(&mut self, execution: &str, git_ref: &str, author: &str) -> RecordId {
        self.observe(Observation {
            waiting: vec![self.waiting(execution, git_ref, "t1")],
            ..Observation::default()
        });
        let run = self.run().id.clone();
        self.gathers(author);
        self.hears(
            "draw_card",
            Outcome::Drawn {
                posted: Some((channel(CHANNEL), format!("{}.1", self.now.seconds()))),
            },
        );
        self.passes(Span::seconds(20));
        run
    }

    pub fn gathers(&mut self, author: &str) {
        let commit = Commit {
            sha: "c0ffee1234".into(),
            title: "retry tx".into(),
            author: "Somebody".into(),
            email: "somebody@example.org".into(),
            user: (!author.is_empty()).then(|| user(author)),
            url: None,
        };
        let change = Change {
            total: 1,
            commits: vec![commit],
            files_complete: true,
            as_of: self.now,
            ..Change::default()
        };
        self.hears("gather_change", Outcome::Change { change });
    }

    pub fn waiting(&self, execution: &str, git_ref: &str, token: &str) -> Waiting {
        Waiting {
            round: Round {
                gate: gate(),
                execution: execution.into(),
                token_hash: commands::digest::full(token.as_bytes()),
            },
            since: self.now,
            gives_up_at: self.now + Span::days(7),
            revision: Revision {
                id: "4f2c1d9aa".into(),
                commit: Some("4f2c1d9aa".into()),
                git_ref: Some(git_ref.into()),
                summary: "retry tx".into(),
                ..Revision::default()
            },
            starter: Starter::default(),
            console_url: None,
        }
    }

    /// Takes the effect of that name and feeds its outcome back. Fails when none is owed.
    pub fn hears(&mut self, name: &str, result: Outcome) -> Effect {
        let key = self
            .effects
            .values()
            .find(|effect| effect.name() == name)
            .map(Effect::key)
            .unwrap_or_else(|| panic!("no {name} is owed"));
        let effect = self.effects.remove(&key).expect("it is there");
        let watch = self.watch.clone();
        let decision = self
            .decide(|facts| outcome::hear(facts, &effect, &result, Some(&watch), PACE))
            .expect("a legal decision");
        self.commit(decision);
        effect
    }

    pub fn owed(&self, name: &str) -> usize {
        self.effects.values().filter(|effect| effect.name() == name).count()
    }

    pub fn seen(
        &self,
        execution: &str,
        states: [StageState; 2],
        answered: Option<(Ballot, &str)>,
        ended: Option<Ended>,
    ) -> ExecutionSeen {
        ExecutionSeen {
            execution: execution.into(),
            stages: [("Approve", states[0]), ("Deploy", states[1])]
                .map(|(name, state)| Stage {
                    name: name.into(),
                    state,
                })
                .to_vec(),
            answered: answered
                .map(|(ballot, summary)| Answered {
                    gate: gate(),
                    ballot: Some(ballot),
                    at: self.now,
                    by: "arn:aws:iam::1:user/zoe".into(),
                    summary: summary.into(),
                })
                .into_iter()
                .collect(),
            failures: vec![],
            ended,
        }
    }

    pub fn status(&self) -> Status {
        self.run().status
    }
}

pub fn words(reply: &Reply) -> String {
    match reply {
        Reply::None => String::new(),
        Reply::Private(message) | Reply::Public(message) => text_of(message),
        Reply::Form(modal) => format!("form {}", modal.form),
        Reply::FormErrors(errors) => format!("{errors:?}"),
    }
}

pub fn text_of(message: &Message) -> String {
    use commands::view::Block;
    let mut lines = vec![message.fallback.clone()];
    for block in &message.blocks {
        match block {
            Block::Section(all) | Block::Context(all) => lines.extend(all.iter().map(|line| plain(line))),
            Block::Verbatim(text) => lines.push(text.clone()),
            Block::Actions(buttons) => lines.push(
                buttons
                    .iter()
                    .map(|button| format!("[{}]", button.label))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            Block::Fields(fields) => {
                lines.extend(fields.iter().map(|(label, line)| format!("{label}: {}", plain(line))))
            }
            Block::Divider => {}
        }
    }
    lines.join("\n")
}

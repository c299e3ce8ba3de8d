//! Histories of runs, folded by the core and chained under the audit key like any other.

use anyhow::{Context as _, Result};
use commands::catalog::{AwsTarget, Pipeline, Tier};
use commands::desk::{Desk, Finished};
use commands::digest;
use commands::ids::{ChannelId, EnvironmentId, RecordId, ServiceId, UserId};
use commands::reason::Reason;
use commands::round::{Change, Commit, Revision, Round, Starter};
use commands::run::{Answer, Ballot, CardRef, Event, Live, Pinned, Run, Stage, StageState, Target, Vote};
use commands::time::{Span, Timestamp};
use state::Write;
use state::audit::{Draft, Key, Row};
use state::redis::Redis;

use super::data::{AUDIT_KEY, ENVIRONMENTS, STATUS_SERVICE};
use super::slack::{SPEAKER, STATUS_CHANNEL, VOTE_CHANNEL};

/// How many records are prepared at a time.
const BATCH: usize = 5000;

/// Writes histories as of one moment.
pub(crate) struct Scribe {
    key: Key,
    now: Timestamp,
}

impl Scribe {
    pub(crate) fn new(now: Timestamp) -> Result<Self> {
        let key = Key::new(AUDIT_KEY.as_bytes())?;
        Ok(Self { key, now })
    }

    fn ago(&self, span: Span) -> Timestamp {
        Timestamp(self.now.0 - span.0)
    }

    pub(crate) async fn finished(&self, store: &Redis, service: &ServiceId, count: usize) -> Result<()> {
        for first in (0..count).step_by(BATCH) {
            let last = (first + BATCH).min(count);
            let runs = (first..last)
                .map(|number| self.one_finished(service, number))
                .collect::<Result<Vec<_>>>()?;
            store.import(service, runs).await?;
        }
        Ok(())
    }

    fn pinned(&self, service: &ServiceId, kind: &str, number: usize) -> Result<(RecordId, Pinned)> {
        let environment = EnvironmentId::parse(ENVIRONMENTS[1])?;
        let round = Round {
            gate: Pipeline {
                name: service.to_string(),
                stage: "Approve".to_owned(),
                action: "Approval".to_owned(),
            },
            execution: format!("{kind}-{number:08}-4b5f-9d0c-1f2e3d4c5b6a"),
            token_hash: digest::full(format!("{service} {kind} {number}").as_bytes()),
        };
        let waiting_since = self.ago(Span::hours(3 + i64::try_from(number % 1000)?));
        let target = Target {
            environment: environment.clone(),
            tier: Tier::Production,
            aws: aws(),
            live: Some(self.live(service)),
        };
        let pinned = Pinned {
            service: service.clone(),
            environments: vec![target],
            revision: revision(
                &format!("{service} {kind} {number}"),
                "retry a transaction that the node refused once",
            ),
            starter: Starter {
                detail: "Webhook".to_owned(),
                user: None,
            },
            waiting_since,
            gives_up_at: self.now + Span::days(6),
            channel: ChannelId::parse(if service.as_str() == STATUS_SERVICE {
                STATUS_CHANNEL
            } else {
                VOTE_CHANNEL
            })?,
            previous: None,
            runbook: "approval".to_owned(),
            console_url: Some(format!(
                "https://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/{service}/executions/{}",
                round.execution
            )),
            parallel: false,
            round,
        };
        Ok((RecordId::run(&environment, &pinned.round.seed()), pinned))
    }

    fn live(&self, service: &ServiceId) -> Live {
        let revision = revision(&format!("{service} live"), "pay fees from the change");
        Live {
            revision,
            execution: "7c1f0a52-4b5f-9d0c-1f2e-3d4c5b6a7988".to_owned(),
            since: self.ago(Span::days(6)),
        }
    }

    fn change(&self, pinned: &Pinned) -> Result<Change> {
        let commit = |n: usize| -> Result<Commit> {
            let sha = digest::full(format!("{} {n}", pinned.revision.id).as_bytes())
                .chars()
                .take(40)
                .collect::<String>();
            Ok(Commit {
                title: format!("retry a transaction that the node refused once, part {n}"),
                author: "Dana Okafor".to_owned(),
                email: "dana@example.org".to_owned(),
                user: Some(UserId::parse("U0DANA")?),
                url: Some(format!("https://github.com/acme/app/commit/{sha}")),
                sha,
            })
        };
        Ok(Change {
            base: pinned.environments[0]
                .live
                .as_ref()
                .and_then(|live| live.revision.commit.clone()),
            total: 4,
            commits: (0..4).map(commit).collect::<Result<_>>()?,
            files: (0..7)
                .map(|n| format!("packages/daemon/src/services/part_{n}.ts"))
                .collect(),
            files_complete: true,
            compare_url: Some("https://github.com/acme/app/compare/a...b".to_owned()),
            unknown: None,
            backwards: false,
            as_of: self.ago(Span::minutes(5)),
        })
    }

    /// A run that waits for two votes, with the card that shows it.
    pub(crate) fn waiting(&self, service: &ServiceId, number: usize) -> Result<(Write, u64)> {
        let (id, pinned) = self.pinned(service, "open", number)?;
        let (change, channel) = (self.change(&pinned)?, pinned.channel.clone());
        let card = CardRef {
            channel,
            ts: format!("1795226400.{number:06}"),
            at: self.ago(Span::hours(2)),
        };
        let events = vec![
            (
                Event::Opened(Box::new(pinned)),
                Reason::Opened,
                self.ago(Span::hours(2)),
            ),
            (
                Event::ChangeGathered { change },
                Reason::Evidence,
                self.ago(Span::hours(2)),
            ),
            (Event::CardPosted { card }, Reason::Card, self.ago(Span::hours(2))),
        ];
        // Long after the bench: nothing wakes it meanwhile.
        self.write(service, id, events, Some(self.now + Span::days(1)))
    }

    fn one_finished(&self, service: &ServiceId, number: usize) -> Result<(Write, u64)> {
        let (id, pinned) = self.pinned(service, "done", number)?;
        let start = pinned.waiting_since;
        let at = |minutes: i64| start + Span::minutes(minutes);
        let voters = [UserId::parse(SPEAKER)?, UserId::parse("U0BRUNO")?];
        let vote = |n: usize, at: Timestamp| Event::Voted {
            vote: Vote {
                user: voters[n].clone(),
                ballot: Ballot::Approve,
                at,
                reason: String::new(),
                os_user: None,
            },
        };
        let card = CardRef {
            channel: pinned.channel.clone(),
            ts: format!("1790000000.{number:06}"),
            at: at(1),
        };
        let stages = ["Source", "Approve", "Deploy"]
            .map(|name| Stage {
                name: name.to_owned(),
                state: StageState::Succeeded,
            })
            .to_vec();
        let answer = Answer {
            ballot: Ballot::Approve,
            at: at(12),
            elsewhere: None,
            out_of_turn: Vec::new(),
        };
        let change = self.change(&pinned)?;
        let decided = Event::Decided {
            ballot: Ballot::Approve,
            by: voters.to_vec(),
            reason: String::new(),
            overridden: None,
        };
        let events = vec![
            (Event::Opened(Box::new(pinned)), Reason::Opened, at(0)),
            (Event::ChangeGathered { change }, Reason::Evidence, at(1)),
            (Event::CardPosted { card }, Reason::Card, at(1)),
            (vote(0, at(10)), Reason::Voted, at(10)),
            (vote(1, at(11)), Reason::Voted, at(11)),
            (decided, Reason::Decided, at(11)),
            (Event::Answered { answer }, Reason::Confirmed, at(12)),
            (Event::StagesSeen { stages }, Reason::Progress, at(20)),
            (
                Event::Ended {
                    reason: Reason::Succeeded,
                },
                Reason::Succeeded,
                at(20),
            ),
        ];
        self.write(service, id, events, None)
    }

    /// Folds and chains a history; each event counts as one commit.
    fn write(
        &self,
        service: &ServiceId,
        id: RecordId,
        events: Vec<(Event, Reason, Timestamp)>,
        next_wake: Option<Timestamp>,
    ) -> Result<(Write, u64)> {
        let version = u64::try_from(events.len())?;
        let (mut run, mut rows, mut head) = (None, Vec::with_capacity(events.len()), String::new());
        for (event, reason, at) in events {
            let draft = self.draft(&id, reason, at, serde_json::to_string(&event)?);
            let row = Row::chain(&self.key, service, (u64::try_from(rows.len())?, &head), draft);
            head.clone_from(&row.mac);
            rows.push(row);
            run = Some(Run::apply(run, &id, &event, at)?);
        }
        let fold = serde_json::to_string(&run.context("a run without a history")?)?;
        Ok((
            Write {
                id,
                fold,
                next_wake,
                rows,
            },
            version,
        ))
    }

    fn draft(&self, id: &RecordId, reason: Reason, at: Timestamp, event: String) -> Draft {
        let text = str::to_owned;
        Draft {
            record: id.clone(),
            at,
            actor: text("signalbox"),
            channel: String::new(),
            cause: text("bench"),
            reason: text(reason.code()),
            config: text("bench"),
            event,
        }
    }

    /// A desk that knows what is live and what was released lately.
    pub(crate) fn desk(&self, service: &ServiceId) -> Result<(Write, u64)> {
        let mut desk = Desk::default();
        for name in ENVIRONMENTS {
            let environment = EnvironmentId::parse(name)?;
            desk.live.insert(environment.clone(), self.live(service));
            let recent = (0..20)
                .map(|number| self.recent(service, number))
                .collect::<Result<Vec<_>>>()?;
            desk.recent.insert(environment, recent);
        }
        let id = RecordId::desk();
        let draft = self.draft(&id, Reason::Standing, self.now, r#"{"event":"bench"}"#.to_owned());
        let row = Row::chain(&self.key, service, (0, ""), draft);
        Ok((
            Write {
                id,
                fold: serde_json::to_string(&desk)?,
                next_wake: None,
                rows: vec![row],
            },
            1,
        ))
    }

    fn recent(&self, service: &ServiceId, number: usize) -> Result<Finished> {
        let (run, pinned) = self.pinned(service, "done", number)?;
        Ok(Finished {
            run,
            reason: Reason::Succeeded,
            at: pinned.waiting_since + Span::minutes(20),
            revision: pinned.revision,
            execution: pinned.round.execution,
            by: vec![UserId::parse(SPEAKER)?, UserId::parse("U0BRUNO")?],
            took: Some(Span::minutes(8)),
            overridden: false,
            card: Some((pinned.channel, format!("1790000000.{number:06}"))),
        })
    }
}

fn aws() -> AwsTarget {
    AwsTarget {
        region: "eu-central-1".to_owned(),
        role_arn: None,
        external_id: None,
    }
}

fn revision(seed: &str, summary: &str) -> Revision {
    let sha: String = digest::full(seed.as_bytes()).chars().take(40).collect();
    Revision {
        id: sha.clone(),
        commit: Some(sha.clone()),
        git_ref: Some("refs/tags/v1.4.2".to_owned()),
        summary: summary.to_owned(),
        url: Some(format!("https://github.com/acme/app/commit/{sha}")),
        unknown: None,
    }
}

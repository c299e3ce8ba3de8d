//! CloudWatch Logs: groups, streams and lines. Lines come from functions, builds and the controls.

mod pattern;
mod read;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::error::AwsError;
use super::region::Region;
use super::service::{Request, Service};

/// CloudWatch Logs on the wire.
pub(crate) const SERVICE: Service = Service::json("Logs_20140328", call);

/// How many lines of a group are kept.
const KEPT: usize = 20_000;

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Counts up within the group, so that lines of one instant keep their order.
    number: u64,
    stream: String,
    at_ms: i64,
    message: String,
}

/// A group, with its lines in the order of their instants.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    created_ms: i64,
    next: u64,
    lines: Vec<Line>,
    /// How many empty pages come before the lines: the service reads a large group so.
    empty_pages: u64,
}

/// The groups of a region by name.
#[derive(Debug, Default)]
pub(crate) struct Logs(BTreeMap<String, Group>);

impl Logs {
    /// Adds lines of one instant, making the group when it is new.
    pub(crate) fn append(&mut self, group: &str, stream: &str, lines: &[String], at_ms: i64) {
        let group = self.create(group, at_ms);
        for message in lines {
            group.next += 1;
            let line = Line {
                number: group.next,
                stream: stream.to_owned(),
                at_ms,
                message: message.clone(),
            };
            let after = group.lines.partition_point(|other| other.at_ms <= at_ms);
            group.lines.insert(after, line);
        }
        let over = group.lines.len().saturating_sub(KEPT);
        group.lines.drain(..over);
    }

    fn create(&mut self, name: &str, created_ms: i64) -> &mut Group {
        self.0.entry(name.to_owned()).or_insert_with(|| Group {
            created_ms,
            next: 0,
            lines: Vec::new(),
            empty_pages: 0,
        })
    }

    /// The groups as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let groups = self.0.iter().map(|(name, group)| {
            let newest: Vec<&str> = group
                .lines
                .iter()
                .rev()
                .take(5)
                .map(|line| line.message.as_str())
                .collect();
            json!({"name": name, "lines": group.lines.len(), "newest": newest})
        });
        groups.collect()
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "DescribeLogGroups" => read::describe_groups(region, args),
        "DescribeLogStreams" => read::describe_streams(region, args),
        "FilterLogEvents" => read::filter_events(region, args),
        "GetLogEvents" => read::get_events(region, args),
        _ => return None,
    })
}

/// A group that is there from the start, with lines of that moment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupSeed {
    name: String,
    #[serde(default)]
    lines: Vec<String>,
}

/// What can be done to logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Lines are written now, or so many seconds ago.
    Append {
        group: String,
        #[serde(default)]
        stream: Option<String>,
        lines: Vec<String>,
        #[serde(default)]
        seconds_ago: i64,
    },
    /// So many empty pages come before the lines that are searched for.
    EmptyPages { group: String, pages: u64 },
}

impl Region {
    /// Adds a log group.
    pub(crate) fn plant_log_group(&mut self, seed: &GroupSeed) {
        let now_ms = self.now_ms;
        self.logs.create(&seed.name, now_ms);
        self.logs.append(&seed.name, "sandbox", &seed.lines, now_ms);
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) {
    let now_ms = region.now_ms;
    match deed {
        Deed::Append {
            group,
            stream,
            lines,
            seconds_ago,
        } => {
            let at_ms = now_ms - seconds_ago * 1000;
            let stream = stream.as_deref().unwrap_or("sandbox");
            region.logs.append(group, stream, lines, at_ms);
        }
        Deed::EmptyPages { group, pages } => region.logs.create(group, now_ms).empty_pages = *pages,
    }
}

//! `search_parity`: counts documents on both sides and looks for a reindex, look after look.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::SearchParity;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::listed::{below_asking, cut};
use super::{Answer, At, Executor, StepError, already, blind};
use crate::aws::AwsError;
use crate::aws::api::SEARCH;
use crate::aws::signed::Ask;
use crate::door::Destination;

/// How many looks in a row were as they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    right: u32,
}

/// What one look saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    from: u64,
    to: u64,
    /// The sum of the differences, index by index.
    apart: u64,
    /// How many reindex tasks run on either side.
    tasks: usize,
}

/// Why a look saw nothing.
enum Blind {
    /// It cannot be read now.
    Now(String),
    /// It never will be.
    Ever(StepError),
}

#[async_trait]
impl Executor for SearchParity {
    async fn prepare(&self, at: At<'_>) -> Answer {
        // A look proves nothing yet, unless one is all that is wanted; what it saw is shown.
        let evidence = match self.look(at).await {
            Ok(counts) if self.empty && self.samples == 1 => return self.is_empty(&counts),
            Ok(counts) => self.words(&counts),
            Err(Blind::Now(why)) => format!("unknown: {why}"),
            Err(Blind::Ever(error)) => return Err(error),
        };
        Ok(StepOutcome::Prepared {
            memo: json!(Seen::default()),
            outputs: BTreeMap::new(),
            evidence: vec![evidence],
            done: false,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        match self.look(at).await {
            Ok(counts) => Ok(self.judge(seen, &counts)),
            Err(Blind::Now(why)) => Ok(blind(json!(Seen::default()), &why)),
            Err(Blind::Ever(error)) => Err(error),
        }
    }
}

trait Look {
    async fn look(&self, at: At<'_>) -> Result<Counts, Blind>;
    fn judge(&self, seen: Seen, counts: &Counts) -> StepOutcome;
    fn is_right(&self, counts: &Counts) -> bool;
    fn is_empty(&self, counts: &Counts) -> Answer;
    fn words(&self, counts: &Counts) -> String;
}

impl Look for SearchParity {
    async fn look(&self, at: At<'_>) -> Result<Counts, Blind> {
        let mut counts = Counts::default();
        let Some(from) = self.from.as_ref().filter(|_| !self.empty) else {
            counts.to = all_documents(at, &self.to).await?;
            counts.apart = counts.to;
            return Ok(counts);
        };
        for index in &self.indices {
            // A name that is wrong on both sides would be equal forever.
            let missing = || {
                Blind::Ever(StepError::failed(
                    "no_index",
                    format!("{from} has no index {index}: check the name"),
                ))
            };
            let there = count(at, from, index).await?.ok_or_else(missing)?;
            let here = count(at, &self.to, index).await?.unwrap_or(0);
            counts.from += there;
            counts.to += here;
            counts.apart += there.abs_diff(here);
        }
        counts.tasks = reindexing(at, from).await? + reindexing(at, &self.to).await?;
        Ok(counts)
    }

    fn is_right(&self, counts: &Counts) -> bool {
        counts.apart <= self.tolerance && counts.tasks == 0
    }

    /// The only look: documents that are there do not go away by waiting.
    fn is_empty(&self, counts: &Counts) -> Answer {
        let words = format!("{} in {}", self.words(counts), cut(&self.to));
        if self.is_right(counts) {
            Ok(already(BTreeMap::new(), words))
        } else {
            Err(StepError::failed(
                "search_not_empty",
                format!("{words}: empty it first"),
            ))
        }
    }

    fn judge(&self, seen: Seen, counts: &Counts) -> StepOutcome {
        let right = if self.is_right(counts) { seen.right + 1 } else { 0 };
        if right >= self.samples {
            return StepOutcome::Finished {
                outputs: BTreeMap::from([
                    ("from".to_owned(), counts.from.to_string()),
                    ("to".to_owned(), counts.to.to_string()),
                ]),
                evidence: vec![format!("{}, in {right} looks", self.words(counts))],
            };
        }
        let words = match right {
            0 => self.words(counts),
            some => format!("{}, in {some} of {} looks", self.words(counts), self.samples),
        };
        let percent = (counts.to * 100)
            .checked_div(counts.from)
            .map(|percent| percent.min(100));
        StepOutcome::Pending {
            memo: json!(Seen { right }),
            progress: Progress {
                words,
                percent: percent.and_then(|percent| u8::try_from(percent).ok()),
                ..Progress::default()
            },
        }
    }

    fn words(&self, counts: &Counts) -> String {
        if self.empty {
            return match counts.to {
                0 => "there is no document".to_owned(),
                some => format!("there are {some} documents"),
            };
        }
        let tasks = match counts.tasks {
            0 => "no reindex runs".to_owned(),
            1 => "a reindex runs".to_owned(),
            some => format!("{some} reindex tasks run"),
        };
        format!(
            "{} of {} documents, {} apart, {tasks}",
            counts.to, counts.from, counts.apart
        )
    }
}

/// How many documents an index has; `None`: there is no such index.
async fn count(at: At<'_>, domain: &str, index: &str) -> Result<Option<u64>, Blind> {
    let Some(body) = ask(at, domain, &[index, "_count"], &[]).await? else {
        return Ok(None);
    };
    let failed = body.pointer("/_shards/failed").and_then(Value::as_u64).unwrap_or(0);
    let number = body["count"].as_u64().filter(|_| failed == 0);
    number
        .map(Some)
        .ok_or_else(|| Blind::Now(format!("not every part of {index} was counted")))
}

/// How many documents there are, but for the cluster's own indices.
async fn all_documents(at: At<'_>, domain: &str) -> Result<u64, Blind> {
    let query = [("format", "json"), ("h", "index,docs.count")];
    let rows = ask(at, domain, &["_cat", "indices"], &query).await?.unwrap_or_default();
    let rows = rows
        .as_array()
        .ok_or_else(|| Blind::Now("the indices were not listed".to_owned()))?;
    let own = |row: &&Value| !row["index"].as_str().unwrap_or_default().starts_with('.');
    rows.iter()
        .filter(own)
        .map(|row| {
            let count = row["docs.count"].as_str().and_then(|text| text.parse::<u64>().ok());
            let name = row["index"].as_str().unwrap_or("an index");
            count.ok_or_else(|| Blind::Now(format!("{} does not say how many documents it has", cut(name))))
        })
        .sum()
}

async fn reindexing(at: At<'_>, domain: &str) -> Result<usize, Blind> {
    let body = ask(at, domain, &["_tasks"], &[("actions", "*reindex")])
        .await?
        .unwrap_or_default();
    let failed = ["task_failures", "node_failures"]
        .iter()
        .any(|name| body[*name].as_array().is_some_and(|all| !all.is_empty()));
    let nodes = body["nodes"].as_object().filter(|_| !failed);
    let nodes = nodes.ok_or_else(|| Blind::Now("not every node told its tasks".to_owned()))?;
    Ok(nodes
        .values()
        .filter_map(|node| node["tasks"].as_object())
        .map(serde_json::Map::len)
        .sum())
}

/// Asks a domain; `None`: there is no such index.
async fn ask(at: At<'_>, domain: &str, path: &[&str], query: &[(&'static str, &str)]) -> Result<Option<Value>, Blind> {
    let url = address(at, domain, path, query).map_err(Blind::Ever)?;
    let mut target = at.call.aws.clone();
    if let Some(region) = region_of(&url) {
        target.region = region;
    }
    let within = at.within(&target);
    let request = Ask::rest("Search", Method::GET, Vec::new(), None);
    match at
        .engine
        .aws
        .signed_at(within, SEARCH, (Destination::Listed, &url), request)
        .await
    {
        Ok(told) => Ok(Some(told.body)),
        Err(AwsError::Fatal { code, .. }) if code == "index_not_found_exception" => Ok(None),
        Err(AwsError::Fatal { code, message }) => {
            let message = format!("{} of {}: {message}", path.join("/"), cut(domain));
            Err(Blind::Ever(StepError::Failed { code, message }))
        }
        Err(error) => Err(Blind::Now(error.to_string())),
    }
}

fn address(at: At<'_>, domain: &str, path: &[&str], query: &[(&str, &str)]) -> Result<Url, StepError> {
    let url = below_asking(domain, path, query)?;
    at.listed(&url)?;
    Ok(url)
}

/// The region that stands in a domain's address: `search-x.us-east-1.es.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let rest = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let rest = rest.strip_suffix(".es").or_else(|| rest.strip_suffix(".aoss"))?;
    rest.rsplit('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(tolerance: u64) -> SearchParity {
        let step =
            json!({ "from": "https://a", "to": "https://b", "indices": ["i"], "tolerance": tolerance, "samples": 2 });
        serde_json::from_value(step).unwrap()
    }

    fn counts(from: u64, to: u64, tasks: usize) -> Counts {
        Counts {
            from,
            to,
            apart: from.abs_diff(to),
            tasks,
        }
    }

    #[test]
    fn parity_means_equal_and_quiet_in_several_looks_in_a_row() {
        let once = Seen { right: 1 };
        for (tolerance, counts) in [(0, counts(10, 9, 0)), (0, counts(10, 10, 1)), (1, counts(10, 8, 0))] {
            let StepOutcome::Pending { memo, .. } = step(tolerance).judge(once, &counts) else {
                panic!("{counts:?} is no parity")
            };
            assert_eq!(memo, json!({ "right": 0 }), "the looks begin anew");
        }
        let StepOutcome::Pending { progress, .. } = step(0).judge(Seen::default(), &counts(200, 100, 2)) else {
            panic!("it goes on")
        };
        assert_eq!(
            (progress.words.as_str(), progress.percent),
            ("100 of 200 documents, 100 apart, 2 reindex tasks run", Some(50))
        );
        let StepOutcome::Finished { outputs, evidence } = step(1).judge(once, &counts(10, 9, 0)) else {
            panic!("close enough, twice")
        };
        assert_eq!((outputs["from"].as_str(), outputs["to"].as_str()), ("10", "9"));
        assert_eq!(evidence, ["9 of 10 documents, 1 apart, no reindex runs, in 2 looks"]);
    }

    #[test]
    fn a_domain_is_signed_for_in_its_own_region() {
        let region = |url: &str| region_of(&url.parse().unwrap());
        assert_eq!(
            region("https://search-x-1.us-east-1.es.amazonaws.com/").as_deref(),
            Some("us-east-1")
        );
        assert_eq!(region("http://127.0.0.1:8700/opensearch/x"), None);
    }
}

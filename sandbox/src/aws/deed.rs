//! Deeds: what people, jobs and accidents do to the account without its API. Controls send them, builds and functions have them as effects.
//!
//! A deed is data: `{"sqs": {"put": {"queue": "work", "count": 40}}}`. It is done in the place that it names, else where its sender is.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::account::Account;
use super::error::AwsError;
use super::place::Place;
use super::seed_file::Seed;
use super::{codebuild, dynamodb, lambda, logs, metrics, opensearch, rds, route53, s3_buckets, sites, sqs};

/// Something that is done to a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Resources appear; those of the same name are replaced.
    Seed(Box<Seed>),
    Codebuild(codebuild::Deed),
    Dynamodb(dynamodb::Deed),
    Lambda(lambda::Deed),
    Logs(logs::Deed),
    Metrics(metrics::Deed),
    Opensearch(opensearch::Deed),
    Rds(rds::Deed),
    Route53(route53::Deed),
    S3(s3_buckets::Deed),
    Site(sites::Deed),
    Sqs(sqs::Deed),
}

/// A deed and where it is done.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Directed {
    account: Option<String>,
    region: Option<String>,
    deed: Deed,
}

impl TryFrom<Map<String, Value>> for Directed {
    type Error = String;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, String> {
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{name} must be a string")),
        };
        let (account, region) = (text("account")?, text("region")?);
        if members.len() != 1 {
            let names: Vec<&String> = members.keys().collect();
            return Err(format!("a deed names one service, not {names:?}"));
        }
        let deed = serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
        Ok(Self { account, region, deed })
    }
}

impl Account {
    /// Does a deed, by default at `here`.
    ///
    /// # Errors
    /// What the deed names is not there, or cannot be treated so.
    pub fn act(&mut self, here: &Place, directed: &Directed) -> Result<Value, AwsError> {
        self.changes += 1;
        let place = Place::new(
            directed.account.as_deref().unwrap_or(&here.account),
            directed.region.as_deref().unwrap_or(&here.region),
        );
        let region = self.region(&place);
        match &directed.deed {
            Deed::Seed(seed) => self.plant(&place, seed),
            Deed::Codebuild(deed) => return codebuild::act(region, deed),
            Deed::Dynamodb(deed) => return dynamodb::act(region, deed),
            Deed::Lambda(deed) => return lambda::act(region, deed),
            Deed::Logs(deed) => logs::act(region, deed),
            Deed::Metrics(deed) => metrics::act(region, deed),
            Deed::Opensearch(deed) => return opensearch::act(region, deed),
            Deed::Rds(deed) => return rds::act(region, deed),
            Deed::Route53(deed) => return route53::act(self.region(&place.global()), deed),
            Deed::S3(deed) => return self.bucket.act(deed, self.now_ms),
            Deed::Site(deed) => return self.sites.act(deed),
            Deed::Sqs(deed) => return sqs::act(region, deed),
        }
        Ok(json!({}))
    }

    /// Does what builds and functions have left to be done. A deed that cannot be done is told in the log: whoever scripted it must see it.
    pub(crate) fn carry_out_deeds(&mut self) {
        // A deed may lead to another: not forever, for a loop of effects is a mistake of its script.
        for _ in 0..16 {
            let mut waiting = Vec::new();
            for (place, region) in &mut self.regions {
                waiting.extend(region.outbox.drain(..).map(|deed| (place.clone(), deed)));
            }
            if waiting.is_empty() {
                return;
            }
            for (place, deed) in waiting {
                if let Err(error) = self.act(&place, &deed) {
                    tracing::warn!(code = %error.code, message = %error.message, ?place, "an effect could not be carried out");
                }
            }
        }
    }
}

//! `route53`: a record set, changed in one batch that names what was there, and waited for until it is in sync.

use async_trait::async_trait;
use commands::step::Route53;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, already, finished, found, pending};
use crate::aws::api::ROUTE53;
use crate::aws::signed::Ask;
use crate::aws::xml;

const VERSION: &str = "2013-04-01";
/// What a record set may hold to be put back as it was. With anything else it is one of several of its name, among which Route 53 chooses.
const SIMPLE: [&str; 5] = ["Name", "Type", "TTL", "ResourceRecords", "AliasTarget"];

/// What a record set says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Says {
    Values { ttl: String, values: Vec<String> },
    Alias { name: String, zone: String, health: bool },
}

#[async_trait]
impl Executor for Route53 {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let zone = zone(self, at).await?;
        let old = read(self, at, &zone).await?;
        let standing = match &old {
            Some(old) => format!("{} {} is {}", self.record, self.kind, old.words()),
            None => format!("{} {} does not exist", self.record, self.kind),
        };
        let new = wanted(self);
        if old.as_ref().is_some_and(|old| old.is_same(&new)) {
            return Ok(already(BTreeMap::new(), format!("{standing} already")));
        }
        Ok(found(json!({ "zone": zone, "old": old, "new": new }), vec![standing]))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        set(self, at, ("old", "new")).await
    }

    /// Every batch names what it replaces, and says so again where it is done already: so each try may act.
    async fn probe(&self, _: At<'_>) -> Result<Probe, StepError> {
        Ok(Probe::NotDone)
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let id = at.call.memo["change"].as_str().unwrap_or_default();
        let told = at
            .aws(
                ROUTE53,
                Ask::rest("GetChange", Method::GET, vec![VERSION, "change", id], None),
            )
            .await?;
        let status = told.body.pointer("/ChangeInfo/Status").and_then(Value::as_str);
        let words = format!("the change is {}", status.unwrap_or("in an unknown state"));
        Ok(if status == Some("INSYNC") {
            finished(words)
        } else {
            pending(at.call.memo.clone(), words)
        })
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        set(self, at, ("new", "old")).await
    }
}

impl Says {
    fn words(&self) -> String {
        match self {
            Self::Values { ttl, values } => format!("{} (TTL {ttl} s)", values.join(", ")),
            Self::Alias { name, .. } => format!("an alias of {name}"),
        }
    }

    /// Whether it says the same, in whatever order and case Route 53 gives it back.
    fn is_same(&self, other: &Self) -> bool {
        let sorted = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort();
            values
        };
        match (self, other) {
            (
                Self::Values { ttl, values },
                Self::Values {
                    ttl: ttl2,
                    values: values2,
                },
            ) => ttl == ttl2 && sorted(values) == sorted(values2),
            (
                Self::Alias { name, zone, health },
                Self::Alias {
                    name: name2,
                    zone: zone2,
                    health: health2,
                },
            ) => canonical(name) == canonical(name2) && zone == zone2 && health == health2,
            _ => false,
        }
    }

    /// As a change names it.
    fn document(&self) -> String {
        match self {
            Self::Values { ttl, values } => {
                let records = values.iter().map(|value| {
                    format!(
                        "<ResourceRecord><Value>{}</Value></ResourceRecord>",
                        xml::escaped(value)
                    )
                });
                let records: String = records.collect();
                format!("<TTL>{ttl}</TTL><ResourceRecords>{records}</ResourceRecords>")
            }
            Self::Alias { name, zone, health } => format!(
                "<AliasTarget><HostedZoneId>{}</HostedZoneId><DNSName>{}</DNSName><EvaluateTargetHealth>{health}</EvaluateTargetHealth></AliasTarget>",
                xml::escaped(zone),
                xml::escaped(name)
            ),
        }
    }
}

/// A name as Route 53 gives it back: lower case, a dot at its end, an asterisk by its number.
fn canonical(name: &str) -> String {
    format!(
        "{}.",
        name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052")
    )
}

fn wanted(step: &Route53) -> Says {
    match &step.alias {
        Some(alias) => Says::Alias {
            name: canonical(&alias.name),
            zone: alias.zone.clone(),
            health: alias.health,
        },
        None => Says::Values {
            ttl: step.ttl.unwrap_or_default().to_string(),
            values: step.values.clone(),
        },
    }
}

/// The zone's id: the one that is given, or that of the only zone with exactly that name.
async fn zone(step: &Route53, at: At<'_>) -> Result<String, StepError> {
    if !step.zone.contains('.') {
        return Ok(step.zone.clone());
    }
    // The list begins at the name, whether it is there or not: the first zone of it may be anybody's.
    let mut ask = Ask::rest(
        "ListHostedZonesByName",
        Method::GET,
        vec![VERSION, "hostedzonesbyname"],
        None,
    );
    ask.query = vec![("dnsname", &step.zone)];
    let told = at.aws(ROUTE53, ask).await?;
    let listed = told
        .body
        .get("HostedZones")
        .map(|zones| xml::list(zones, "HostedZone"))
        .unwrap_or_default();
    let named = listed.iter().filter(|zone| {
        zone["Name"]
            .as_str()
            .is_some_and(|name| canonical(name) == canonical(&step.zone))
    });
    let ids: Vec<&str> = named
        .filter_map(|zone| zone["Id"].as_str()?.rsplit('/').next())
        .collect();
    match ids.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(StepError::failed(
            "no_zone",
            format!("the account has no zone {}", step.zone),
        )),
        several => Err(StepError::failed(
            "several_zones",
            format!(
                "{} is the name of {}: write one of these ids as `zone`",
                step.zone,
                several.join(" and ")
            ),
        )),
    }
}

/// What the record set says now; `None`: there is none.
async fn read(step: &Route53, at: At<'_>, zone: &str) -> Result<Option<Says>, StepError> {
    let path = vec![VERSION, "hostedzone", zone, "rrset"];
    let mut ask = Ask::rest("ListResourceRecordSets", Method::GET, path, None);
    ask.query = vec![("name", &step.record), ("type", &step.kind), ("maxitems", "1")];
    let told = at.aws(ROUTE53, ask).await?;
    let sets = told.body.get("ResourceRecordSets");
    let listed = sets
        .map(|sets| xml::list(sets, "ResourceRecordSet"))
        .unwrap_or_default();
    listed.first().map_or(Ok(None), |set| says(step, set))
}

/// What the first set of the list says, if it is the one that was asked for.
fn says(step: &Route53, set: &Value) -> Result<Option<Says>, StepError> {
    let text = |member: &str| set[member].as_str().unwrap_or_default();
    if canonical(text("Name")) != canonical(&step.record) || text("Type") != step.kind {
        return Ok(None);
    }
    let odd = set
        .as_object()
        .into_iter()
        .flatten()
        .find(|(member, _)| !SIMPLE.contains(&member.as_str()));
    if let Some((member, _)) = odd {
        let why = format!(
            "{} {} has a routing policy ({member}): only simple records are changed from here",
            step.record, step.kind
        );
        return Err(StepError::failed("routing_policy", why));
    }
    let alias = &set["AliasTarget"];
    if let Some(name) = alias["DNSName"].as_str() {
        return Ok(Some(Says::Alias {
            name: name.to_owned(),
            zone: alias["HostedZoneId"].as_str().unwrap_or_default().to_owned(),
            health: alias["EvaluateTargetHealth"] == "true",
        }));
    }
    let records = set
        .get("ResourceRecords")
        .map(|records| xml::list(records, "ResourceRecord"))
        .unwrap_or_default();
    let values = records
        .iter()
        .filter_map(|record| record["Value"].as_str().map(str::to_owned));
    Ok(Some(Says::Values {
        ttl: text("TTL").to_owned(),
        values: values.collect(),
    }))
}

/// Replaces what the memo holds under one name with what it holds under the other.
async fn set(step: &Route53, at: At<'_>, (from, to): (&str, &str)) -> Answer {
    let memo = |name: &str| serde_json::from_value::<Option<Says>>(at.call.memo[name].clone()).unwrap_or_default();
    let (from, to) = (memo(from), memo(to));
    let zone = at.call.memo["zone"].as_str().unwrap_or_default();
    let now = read(step, at, zone).await?;
    let same = |one: &Option<Says>, other: &Option<Says>| match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    };
    let changes = if same(&now, &to) {
        // It is there already, by a try whose answer was lost: saying it again gives a change that can be waited for.
        match &now {
            Some(now) => change(step, "UPSERT", now),
            None => return Ok(finished_without_a_change(step)),
        }
    } else if same(&now, &from) {
        // The very values that were just read, in the order in which they were: Route 53 compares them.
        let delete = now.as_ref().map(|now| change(step, "DELETE", now));
        let create = to.as_ref().map(|to| change(step, "CREATE", to));
        delete.into_iter().chain(create).collect()
    } else {
        return Err(changed(step, now.as_ref()));
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/{VERSION}/\"><ChangeBatch><Comment>{}</Comment><Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        xml::escaped(&format!("signalbox {}", at.marker()))
    );
    let path = vec![VERSION, "hostedzone", zone, "rrset"];
    let ask = Ask::rest("ChangeResourceRecordSets", Method::POST, path, Some(json!(body)));
    let told = match at.aws(ROUTE53, ask).await {
        Err(error) if error.code() == Some("InvalidChangeBatch") => {
            // Somebody was faster, perhaps an earlier try of ours that arrived late; or Route 53 does not take what is wanted.
            let now = read(step, at, zone).await?;
            return Err(if same(&now, &to) {
                // The next try says it again, which gives a change that can be waited for.
                StepError::Later(format!("{} {} became that meanwhile", step.record, step.kind))
            } else if same(&now, &from) {
                error.into()
            } else {
                changed(step, now.as_ref())
            });
        }
        told => told?,
    };
    let id = told.body.pointer("/ChangeInfo/Id").and_then(Value::as_str);
    let mut memo = at.call.memo.clone();
    memo["change"] = json!(id.and_then(|id| id.rsplit('/').next()).unwrap_or_default());
    Ok(acted(memo))
}

fn change(step: &Route53, action: &str, says: &Says) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>{}</Type>{}</ResourceRecordSet></Change>",
        xml::escaped(&step.record),
        xml::escaped(&step.kind),
        says.document()
    )
}

fn finished_without_a_change(step: &Route53) -> commands::effect::StepOutcome {
    finished(format!("{} {} does not exist", step.record, step.kind))
}

fn changed(step: &Route53, now: Option<&Says>) -> StepError {
    let now = now.map_or_else(|| "gone".to_owned(), Says::words);
    StepError::failed(
        "changed_since",
        format!(
            "{} {} is {now}: somebody changed it since it was read",
            step.record, step.kind
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Route53 {
        serde_json::from_value(
            json!({ "zone": "example.org", "record": "*.Example.org", "type": "A", "values": ["1"], "ttl": 60 }),
        )
        .unwrap()
    }

    #[test]
    fn a_record_is_read_as_route_53_writes_it() {
        let set = json!({ "Name": "\\052.example.org.", "Type": "A", "TTL": "60",
            "ResourceRecords": { "ResourceRecord": [{ "Value": "2" }, { "Value": "1" }] } });
        let old = says(&step(), &set).unwrap().unwrap();
        assert!(!old.is_same(&wanted(&step())));
        let both = Says::Values {
            ttl: "60".into(),
            values: vec!["1".into(), "2".into()],
        };
        assert!(old.is_same(&both), "the order of values means nothing");
        assert_eq!(
            says(&step(), &json!({ "Name": "b.example.org.", "Type": "A" })).unwrap(),
            None
        );
        assert_eq!(
            says(&step(), &json!({ "Name": "\\052.example.org.", "Type": "TXT" })).unwrap(),
            None
        );
    }

    #[test]
    fn a_record_that_could_not_be_put_back_is_not_touched() {
        let set = json!({ "Name": "*.example.org", "Type": "A", "TTL": "60", "SetIdentifier": "eu", "Weight": "10" });
        let error = says(&step(), &set).unwrap_err();
        assert!(
            matches!(&error, StepError::Failed { code, .. } if code == "routing_policy"),
            "{error:?}"
        );
    }

    #[test]
    fn values_cannot_break_out_of_the_document() {
        let says = Says::Values {
            ttl: "60".into(),
            values: vec!["\"a</Value>&\"".into()],
        };
        assert!(
            says.document().contains("<Value>\"a&lt;/Value&gt;&amp;\"</Value>"),
            "{}",
            says.document()
        );
    }
}

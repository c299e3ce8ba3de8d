//! Route 53: zones, their records, and changes that take a while to be everywhere.

mod answers;
mod changes;
mod records;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::ids;
use super::region::Region;
use super::service::{Meant, Request, Rest, RestDialect, Service};
use super::xml;

pub(crate) use answers::Said;
pub(crate) use records::RecordSet;

/// Route 53 on the wire.
pub(crate) const SERVICE: Service = Service {
    target: "",
    query: None,
    rest: Some(RestDialect {
        scope: "route53",
        namespace: "https://route53.amazonaws.com/doc/2013-04-01/",
        route,
    }),
    call,
};

const ANY: Rule = Rule::length(0, usize::MAX);
/// How long a change takes to be on all servers, in milliseconds.
const INSYNC_MS: i64 = 30_000;

/// What a record set is found by: its name with the labels reversed, which is also the order of lists; its type; its identifier.
pub(crate) type RecordKey = (Vec<String>, String, String);

/// A zone.
#[derive(Debug)]
pub(crate) struct Zone {
    name: String,
    private: bool,
    records: BTreeMap<RecordKey, RecordSet>,
}

/// A change that was accepted.
#[derive(Debug)]
struct Change {
    id: String,
    at_ms: i64,
    comment: String,
}

/// The zones of an account by id.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    zones: BTreeMap<String, Zone>,
    changes: Vec<Change>,
    /// How many of the next changes are refused because another is not finished.
    busy: u32,
}

fn route(rest: &Rest<'_>) -> Option<Meant> {
    let path: Vec<&str> = rest.path.iter().map(String::as_str).collect();
    let (get, post) = (*rest.method == Method::GET, *rest.method == Method::POST);
    let query = |names: &[&str]| {
        let known = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), json!(rest.parameter(name)?))));
        Value::Object(known.collect())
    };
    let body = || {
        let text = String::from_utf8_lossy(rest.body);
        let broken = || AwsError::new("InvalidInput", "Invalid XML ; javax.xml.stream.XMLStreamException");
        xml::read(&text).ok_or_else(broken)
    };
    let trimmed: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
    match trimmed.as_slice() {
        ["2013-04-01", "hostedzone", zone, "rrset"] if get => {
            let mut arguments = query(&["name", "type", "identifier", "maxitems"]);
            arguments["zone"] = json!(zone);
            Some(Ok(("ListResourceRecordSets", arguments)))
        }
        ["2013-04-01", "hostedzone", zone, "rrset"] if post => {
            let arguments = body().map(|body| json!({"zone": zone, "ChangeBatch": body["ChangeBatch"]}));
            Some(arguments.map(|arguments| ("ChangeResourceRecordSets", arguments)))
        }
        ["2013-04-01", "change", id] if get => Some(Ok(("GetChange", json!({ "id": id })))),
        ["2013-04-01", "hostedzonesbyname"] if get => Some(Ok((
            "ListHostedZonesByName",
            query(&["dnsname", "hostedzoneid", "maxitems"]),
        ))),
        _ => None,
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    // Zones belong to the account, wherever the caller signs for.
    let region = account.region(&request.place.global());
    Some(match request.operation {
        "ListHostedZonesByName" => records::list_zones(region, args),
        "ListResourceRecordSets" => records::list(region, args),
        "ChangeResourceRecordSets" => changes::change(region, args),
        "GetChange" => changes::get(region, args),
        _ => return None,
    })
}

impl Zones {
    fn find(&mut self, args: Args<'_>) -> Result<&mut Zone, AwsError> {
        let id = args.need("zone", &ANY)?;
        let missing = || AwsError::missing("NoSuchHostedZone", format!("No hosted zone found with ID: {id}"));
        self.zones.get_mut(id).ok_or_else(missing)
    }

    /// The records as the page shows them.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let zones = self.zones.iter().map(|(id, zone)| {
            let records: Vec<Value> = zone.records.values().map(RecordSet::render).collect();
            json!({"id": id, "name": zone.name, "records": records})
        });
        zones.collect()
    }
}

/// A name as it is kept: lower case, with the dot at its end.
fn canonical(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    format!("{name}.")
}

/// The labels of a name from the last to the first.
fn labels(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}

/// A zone that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ZoneSeed {
    name: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    record: Vec<RecordSeed>,
}

/// A record set: values, or what it is an alias of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordSeed {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "ttl")]
    ttl: i64,
    #[serde(default)]
    values: Vec<String>,
    /// The name that it is an alias of, in CloudFront's zone.
    #[serde(default)]
    alias: Option<String>,
}

const fn ttl() -> i64 {
    300
}

/// What can be done to zones.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Somebody sets a record.
    Set { zone: String, record: RecordSeed },
    /// So many of the next changes are refused because another is not finished.
    Busy { times: u32 },
}

impl RecordSeed {
    fn record(&self) -> RecordSet {
        let alias = self.alias.as_ref().map(|name| {
            json!({"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": canonical(name), "EvaluateTargetHealth": "false"})
        });
        RecordSet {
            name: canonical(&self.name),
            kind: self.kind.clone(),
            identifier: None,
            ttl: alias.is_none().then_some(self.ttl),
            values: self.values.clone(),
            alias,
            routing: serde_json::Map::new(),
        }
    }
}

impl Region {
    /// Adds a zone with the records that every zone has, or replaces the one of the same name.
    pub(crate) fn plant_zone(&mut self, seed: &ZoneSeed) {
        let name = canonical(&seed.name);
        let id = seed
            .id
            .clone()
            .unwrap_or_else(|| format!("Z{}", ids::access_key("0").to_uppercase()));
        let own = |kind: &str, value: &str| RecordSeed {
            name: name.clone(),
            kind: kind.to_owned(),
            ttl: 172_800,
            values: vec![value.to_owned()],
            alias: None,
        };
        let always = [
            own("NS", "ns-1.awsdns-00.com."),
            own(
                "SOA",
                "ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
            ),
        ];
        let records = always.iter().chain(&seed.record).map(RecordSeed::record);
        let zone = Zone {
            name: name.clone(),
            private: seed.private,
            records: records.map(|record| (record.key(), record)).collect(),
        };
        self.zones.zones.retain(|_, known| known.name != name);
        self.zones.zones.insert(id, zone);
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    match deed {
        Deed::Busy { times } => region.zones.busy = *times,
        Deed::Set { zone, record } => {
            let name = canonical(zone);
            let found = region
                .zones
                .zones
                .iter_mut()
                .find(|(id, known)| *id == zone || known.name == name);
            let missing = || AwsError::missing("NoSuchHostedZone", format!("there is no zone {zone}"));
            let (_, found) = found.ok_or_else(missing)?;
            let record = record.record();
            found.records.insert(record.key(), record);
        }
    }
    Ok(json!({}))
}

//! Record sets, and reading them and their zones.

use serde_json::{Map, Value, json};

use super::{ANY, RecordKey, Zone, canonical, labels};
use crate::aws::args::Args;
use crate::aws::error::AwsError;
use crate::aws::region::Region;
use crate::aws::value::{items, structure};
use crate::aws::xml;

/// The members by which one of several sets of a name is chosen; they are kept as they came.
const ROUTING: &[&str] = &[
    "Weight",
    "Region",
    "Failover",
    "MultiValueAnswer",
    "HealthCheckId",
    "GeoLocation",
];

/// A record set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordSet {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) identifier: Option<String>,
    pub(super) ttl: Option<i64>,
    pub(super) values: Vec<String>,
    pub(super) alias: Option<Value>,
    pub(super) routing: Map<String, Value>,
}

impl RecordSet {
    /// Reads `<ResourceRecordSet>`; the error is a sentence.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let text = |member: &str| value.get(member).and_then(Value::as_str);
        let name = text("Name").ok_or("a record set needs a Name")?;
        let kind = text("Type").ok_or("a record set needs a Type")?;
        let ttl = text("TTL")
            .map(|ttl| ttl.parse().map_err(|_| "TTL is no number"))
            .transpose()?;
        let records = value
            .get("ResourceRecords")
            .map(|records| xml::list(records, "ResourceRecord"));
        let values = records.into_iter().flatten();
        let values: Vec<String> = values
            .filter_map(|record| record.get("Value")?.as_str().map(str::to_owned))
            .collect();
        let mut alias = value.get("AliasTarget").cloned();
        if let Some(target) = alias.as_mut().and_then(|alias| alias.get_mut("DNSName")) {
            *target = json!(canonical(target.as_str().unwrap_or_default()));
        }
        if alias.is_some() == (ttl.is_some() && !values.is_empty()) {
            return Err(format!(
                "Invalid Resource Record Set {name}: it needs either an AliasTarget, or a TTL and ResourceRecords"
            ));
        }
        let routing = ROUTING
            .iter()
            .filter_map(|member| Some(((*member).to_owned(), value.get(*member)?.clone())));
        Ok(Self {
            name: canonical(name),
            kind: kind.to_owned(),
            identifier: text("SetIdentifier").map(str::to_owned),
            ttl,
            values,
            alias,
            routing: routing.collect(),
        })
    }

    /// What it is found by.
    pub(super) fn key(&self) -> RecordKey {
        let identifier = self.identifier.clone().unwrap_or_default();
        (labels(&self.name), self.kind.clone(), identifier)
    }

    /// As the operations show it.
    pub(super) fn render(&self) -> Value {
        let records: Vec<Value> = self.values.iter().map(|value| json!({ "Value": value })).collect();
        let mut shown = structure([
            ("Name", Some(json!(self.name))),
            ("Type", Some(json!(self.kind))),
            (
                "SetIdentifier",
                self.identifier.as_ref().map(|identifier| json!(identifier)),
            ),
            ("TTL", self.ttl.map(|ttl| json!(ttl))),
            (
                "ResourceRecords",
                (!records.is_empty()).then(|| items("ResourceRecord", records)),
            ),
            ("AliasTarget", self.alias.clone()),
        ]);
        if let Some(shown) = shown.as_object_mut() {
            shown.extend(self.routing.clone());
        }
        shown
    }
}

/// A page's size: the service takes the number as text and never gives more than the most.
fn page_size(args: Args<'_>, most: usize) -> Result<usize, AwsError> {
    let size = args.number("maxitems", 1, i64::MAX)?;
    Ok(size
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(most)
        .min(most))
}

/// `ListResourceRecordSets`: from a name on, in the order of the reversed names.
pub(super) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let most = page_size(args, 300)?;
    let from = (
        args.text("name", &ANY)?
            .map(canonical)
            .map(|name| labels(&name))
            .unwrap_or_default(),
        args.text("type", &ANY)?.unwrap_or_default().to_owned(),
        args.text("identifier", &ANY)?.unwrap_or_default().to_owned(),
    );
    if from.0.is_empty() && !from.1.is_empty() {
        return Err(AwsError::new("InvalidInput", "The type needs a name beside it"));
    }
    let zone = region.zones.find(args)?;
    let mut rest = zone.records.range(from..).map(|(_, record)| record);
    let shown: Vec<Value> = rest.by_ref().take(most).map(RecordSet::render).collect();
    let next = rest.next();
    Ok(structure([
        ("ResourceRecordSets", Some(items("ResourceRecordSet", shown))),
        ("IsTruncated", Some(json!(next.is_some()))),
        ("NextRecordName", next.map(|record| json!(record.name))),
        ("NextRecordType", next.map(|record| json!(record.kind))),
        (
            "NextRecordIdentifier",
            next.and_then(|record| record.identifier.as_ref())
                .map(|text| json!(text)),
        ),
        ("MaxItems", Some(json!(most))),
    ]))
}

/// `ListHostedZonesByName`: from a name on. That the first one has that name is for the caller to check.
pub(super) fn list_zones(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let most = page_size(args, 100)?;
    let from = args.text("dnsname", &ANY)?.map(canonical);
    let from_id = args.text("hostedzoneid", &ANY)?.unwrap_or_default();
    let mut zones: Vec<(Vec<String>, &String, &Zone)> = region
        .zones
        .zones
        .iter()
        .map(|(id, zone)| (labels(&zone.name), id, zone))
        .collect();
    zones.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    let start = from.as_deref().map(labels).unwrap_or_default();
    let mut rest = zones
        .into_iter()
        .filter(|(name, id, _)| *name > start || (*name == start && id.as_str() >= from_id));
    let shown: Vec<Value> = rest
        .by_ref()
        .take(most)
        .map(|(_, id, zone)| {
            json!({"Id": format!("/hostedzone/{id}"), "Name": zone.name, "CallerReference": id,
                "Config": {"PrivateZone": zone.private}, "ResourceRecordSetCount": zone.records.len()})
        })
        .collect();
    let next = rest.next();
    Ok(structure([
        ("HostedZones", Some(items("HostedZone", shown))),
        ("DNSName", from.map(|name| json!(name))),
        ("IsTruncated", Some(json!(next.is_some()))),
        ("NextDNSName", next.as_ref().map(|(_, _, zone)| json!(zone.name))),
        ("NextHostedZoneId", next.as_ref().map(|(_, id, _)| json!(id))),
        ("MaxItems", Some(json!(most))),
    ]))
}

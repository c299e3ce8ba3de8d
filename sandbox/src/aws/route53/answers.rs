//! What a name server of the zones says: the records of a name, and of the names that it stands for.

use md5::{Digest as _, Md5};

use super::{RecordSet, Zone, canonical, labels};
use crate::aws::account::Account;

/// How many names may stand for each other before it is a loop.
const HOPS: usize = 8;
/// For how long the address of an alias is kept, in seconds: that of CloudFront's and of load balancers.
const ALIAS_TTL: i64 = 60;

/// A record, as a name server gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The name, with the dot at its end.
    pub(crate) name: String,
    /// The type.
    pub(crate) kind: String,
    /// How long it is kept, in seconds.
    pub(crate) ttl: i64,
    /// The value.
    pub(crate) value: String,
}

impl Account {
    /// The records that answer a question; `None`: there is no such name.
    pub(crate) fn resolve(&self, name: &str, kind: &str) -> Option<Vec<Said>> {
        let mut said = Vec::new();
        let mut name = canonical(name);
        let mut known = false;
        for _ in 0..HOPS {
            let Some(zone) = self.zone_of(&name) else { break };
            let here: Vec<&RecordSet> = zone.records.values().filter(|record| record.name == name).collect();
            known |= !here.is_empty();
            let wanted = here.iter().find(|record| record.kind == kind);
            let alias_of = here.iter().find(|record| record.kind == "CNAME");
            let Some(record) = wanted.or(alias_of) else { break };
            said.extend(record.said());
            if record.kind == kind {
                break;
            }
            let Some(next) = record.values.first() else { break };
            name = canonical(next);
        }
        known.then_some(said)
    }

    /// The public zone that a name lies in; the longest, when zones lie in each other.
    fn zone_of(&self, name: &str) -> Option<&Zone> {
        let zones = self.regions.values().flat_map(|region| region.zones.zones.values());
        let name = labels(name);
        zones
            .filter(|zone| !zone.private && name.starts_with(&labels(&zone.name)))
            .max_by_key(|zone| labels(&zone.name).len())
    }
}

impl RecordSet {
    fn said(&self) -> Vec<Said> {
        let one = |ttl: i64, value: String| Said {
            name: self.name.clone(),
            kind: self.kind.clone(),
            ttl,
            value,
        };
        match &self.alias {
            // Nobody resolves the names of AWS here: an address of the documentation's network stands for each.
            Some(alias) => {
                let digest = Md5::digest(alias["DNSName"].as_str().unwrap_or_default().as_bytes());
                let value = match self.kind.as_str() {
                    "AAAA" => format!("2001:db8::{:x}", digest[0]),
                    _ => format!("192.0.2.{}", digest[0]),
                };
                vec![one(ALIAS_TTL, value)]
            }
            None => self
                .values
                .iter()
                .map(|value| one(self.ttl.unwrap_or(300), value.clone()))
                .collect(),
        }
    }
}

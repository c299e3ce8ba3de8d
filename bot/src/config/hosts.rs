//! `hosts` of a service: the servers that its steps and maintenance modes may speak to, and no others.

use std::collections::BTreeSet;

use commands::runbook::placeholders;
use url::Url;

use super::section::{Place, Section};
use crate::door::origin_name;

/// Reads them: `health.example.org` means HTTPS on its usual port; anything else is written with its scheme.
pub(super) fn read(section: &mut Section<'_>) -> BTreeSet<String> {
    let Some(value) = section.take("hosts") else {
        return BTreeSet::new();
    };
    let mut hosts = BTreeSet::new();
    for (item, text) in value.texts() {
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        match whole
            .parse::<Url>()
            .ok()
            .filter(|url| url.has_host() && url.path() == "/")
        {
            Some(url) => drop(hosts.insert(origin_name(&url))),
            None => item.place.complain(format!(
                "`{text}` is no host: write `health.example.org`, or `http://localhost:8080` where it is not HTTPS"
            )),
        }
    }
    hosts
}

/// Complains of an address of a server that is not listed. A name that is put together at run time is looked at then.
pub(super) fn judge(url: &Url, hosts: &BTreeSet<String>, place: &Place<'_>) {
    let host = origin_name(url);
    if placeholders(&host).is_empty() && !host.contains('{') && !hosts.contains(&host) {
        place.complain(format!(
            "speaks to {host}, which the service does not list: add it to `hosts` of the service"
        ));
    }
}

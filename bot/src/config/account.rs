//! AWS accounts: a region, and the role by which the bot is let in.

use commands::catalog::AwsTarget;
use url::Url;

use super::section::{Place, Section, Value};

/// What a table says about an account; what it leaves out comes from the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) region: Option<String>,
    pub(super) role: Option<Role>,
}

/// A role with its external id. They are taken over together: the one is of no use with another's other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    arn: String,
    external_id: Option<String>,
}

impl Account {
    /// The same, filled up with the defaults.
    pub(super) fn or(self, defaults: &Self) -> Self {
        Self {
            region: self.region.or_else(|| defaults.region.clone()),
            role: self.role.or_else(|| defaults.role.clone()),
        }
    }

    /// What the core knows; complains if no region is known.
    pub(super) fn target(self, place: &Place<'_>) -> AwsTarget {
        if self.region.is_none() {
            place.complain(
                "the AWS region is missing: add `region = \"eu-central-1\"` here, or `aws = { region = \"eu-central-1\" }` under [defaults]",
            );
        }
        let (role_arn, external_id) = self
            .role
            .map_or((None, None), |role| (Some(role.arn), role.external_id));
        AwsTarget {
            region: self.region.unwrap_or_default(),
            role_arn,
            external_id,
        }
    }
}

/// Reads a region; one that cannot be right stays as it is.
pub(super) fn region(value: &Value<'_>) -> Option<String> {
    let region = value.text()?;
    if !is_region(region) {
        value.place.complain(format!(
            "`{region}` is not an AWS region: write one such as `eu-central-1`"
        ));
    }
    Some(region.to_owned())
}

/// Reads `{ region = "…", role_arn = "…", external_id = "…" }`, of a table that may hold something else besides, which was read before. What cannot
/// be right stays, so that nobody complains that it is missing.
pub(super) fn read(mut section: Section<'_>) -> Account {
    let region = section.take("region").map(|value| region(&value).unwrap_or_default());
    let arn = section.take("role_arn");
    let external_id = section.take("external_id");
    if let (None, Some(id)) = (&arn, &external_id) {
        id.place
            .complain("stands without `role_arn`, which is whom it is shown to: add the role, or delete this");
    }
    let external_id = external_id.and_then(|value| value.text()).map(str::to_owned);
    let role = arn.map(|value| {
        let arn = value.text().unwrap_or_default();
        if !arn.is_empty() && !is_role(arn) {
            value.place.complain(format!(
                "`{arn}` is not the ARN of a role: write one such as `arn:aws:iam::111122223333:role/signalbox`"
            ));
        }
        Role {
            arn: arn.to_owned(),
            external_id,
        }
    });
    section.finish();
    Account { region, role }
}

/// It becomes a part of host names, so it may hold nothing odd.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    words.len() >= 3 && words.iter().all(plain) && words.last().is_some_and(|last| last.parse::<u8>().is_ok())
}

fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, role] = parts.as_slice() else {
        return false;
    };
    let number = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    partition.starts_with("aws") && number && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

/// The address of a queue.
pub(super) fn address(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let good = text
        .parse::<Url>()
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.host_str().is_some() && url.path() != "/");
    if !good {
        value.place.complain(format!(
            "`{text}` is not the address of a queue: write one such as `https://sqs.eu-central-1.amazonaws.com/111122223333/signalbox`"
        ));
    }
    good.then(|| text.to_owned())
}

/// The ARN of a topic.
pub(super) fn topic(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let parts: Vec<&str> = text.split(':').collect();
    let good = matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws") && is_region(region) && account.len() == 12 && !name.is_empty());
    if !good {
        value.place.complain(format!(
            "`{text}` is not the ARN of a topic: write one such as `arn:aws:sns:eu-central-1:111122223333:signalbox`"
        ));
    }
    good.then(|| text.to_owned())
}

//! Where a resource is: an account and a region within it.

use super::pipeline::{ACCOUNT, REGION};

/// An account and a region. What belongs to an account as a whole (users, zones) is in the region without a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// `eu-central-1`; empty for what is not regional.
    pub region: String,
}

impl Place {
    /// A place by its parts.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
        }
    }

    /// Where the demo's pipelines, alarms and queue are.
    #[must_use]
    pub fn home() -> Self {
        Self::new(ACCOUNT, REGION)
    }

    /// The same account, for what is not regional.
    #[must_use]
    pub fn global(&self) -> Self {
        Self::new(&self.account, "")
    }

    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// What is left of an ARN of this account and service, or the text itself when it is no ARN.
    pub(crate) fn resource<'a>(&self, service: &str, text: &'a str) -> &'a str {
        text.strip_prefix(&self.arn(service, "")).unwrap_or(text)
    }
}

//! What each kind of step is proven with: steps of it, and what they need in the sandbox's account. A kind that is added to
//! [`commands::step::SPECS`] is added here, or a test says so.

mod aws;
mod data;
mod outside;

/// Steps of a kind, and what they need.
pub struct Stage {
    /// The kind.
    pub kind: &'static str,
    /// What of it is in the account: tables of a `[[place]]` in a file of the sandbox.
    pub account: &'static str,
    /// Its steps, as they stand below `[[….step]]`, apart by a line `---`. `HEALTH` is a server that always answers, `{sandbox}` and `{resolver.0}` are
    /// the sandbox's, and `SERVICE_KEY` is a secret that its services take.
    pub steps: &'static str,
}

/// Every kind, in the order of the runbook.
pub fn stages() -> impl Iterator<Item = &'static Stage> {
    aws::STAGES.iter().chain(&data::STAGES).chain(&outside::STAGES)
}

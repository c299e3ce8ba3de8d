//! A value that must not be seen.

use std::collections::BTreeMap;
use std::fmt;

/// A token, a key, or an address that is as good as one. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Every use is a place to look at twice.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The secrets that steps show to other services, by the environment variables that runbooks name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// The secrets by name.
    #[must_use]
    pub const fn new(secrets: BTreeMap<String, Secret>) -> Self {
        Self(secrets)
    }

    /// The secret that a variable holds, if it is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

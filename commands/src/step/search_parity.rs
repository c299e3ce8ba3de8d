//! `search_parity`: waits until two OpenSearch domains hold the same documents and nothing is reindexed any more; or sees that one is empty.
//!
//! Counts come close to each other long before a reindex is over, and live writes can hold them apart: so the sum of all differences counts, the
//! running tasks count too, and one look proves nothing.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec, span_text};
use crate::time::Span;

/// Search domains that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchParity {
    /// The address of the domain that has the documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The address of the domain that should have them.
    pub to: String,
    /// The indices, by name, that are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indices: Vec<String>,
    /// By how many documents they may differ, all indices together.
    #[serde(default)]
    pub tolerance: u64,
    /// Whether [`Self::to`] has to be empty instead; indices of the cluster's own, whose names begin with a dot, do not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
    /// In how many looks in a row.
    #[serde(default = "samples")]
    pub samples: u32,
    /// How far apart the looks are.
    #[serde(default = "pause", with = "span_text")]
    pub every: Span,
}

const fn samples() -> u32 {
    3
}

const fn pause() -> Span {
    Span::seconds(60)
}

impl Kind for SearchParity {
    const SPEC: Spec = Spec {
        kind: "search_parity",
        summary: "Waits until two search domains hold the same documents and no reindex runs, or sees that one is empty",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(self.every)
    }

    fn plan(&self) -> Vec<String> {
        let looks = format!("in {} looks, {} apart", self.samples, self.every);
        if self.empty && self.samples == 1 {
            return vec![format!("looks that {} holds no document", self.to)];
        }
        let Some(from) = self.from.as_ref().filter(|_| !self.empty) else {
            return vec![format!("waits until {} holds no document, {looks}", self.to)];
        };
        let but = match self.tolerance {
            0 => String::new(),
            some => format!(" but for {some}"),
        };
        vec![
            format!("compares {} of {from} with {}", self.indices.join(", "), self.to),
            format!("until they hold the same number of documents{but} and no reindex runs, {looks}"),
        ]
    }

    fn check(&self) -> Result<(), String> {
        if self.samples == 0 {
            return Err("`samples` is 0: one look is the least".to_owned());
        }
        match (self.empty, &self.from) {
            (true, Some(_)) => Err("`empty = true` looks at `to` alone: delete `from`".to_owned()),
            (true, None) if self.indices.is_empty() => Ok(()),
            (true, None) => Err("`empty = true` looks at every index: delete `indices`".to_owned()),
            (false, None) => {
                Err("`from` is missing: write the domain that has the documents, or `empty = true`".to_owned())
            }
            (false, Some(_)) if self.indices.is_empty() => Err("`indices` is empty: name at least one".to_owned()),
            (false, Some(_)) => {
                let odd = self
                    .indices
                    .iter()
                    .find(|name| name.is_empty() || name.contains(['*', ',', '/']));
                odd.map_or(Ok(()), |name| {
                    Err(format!(
                        "`{name}` is not the name of one index: a pattern could fit other indices on each side"
                    ))
                })
            }
        }
    }

    fn addresses(&self) -> Vec<String> {
        self.from.iter().chain([&self.to]).cloned().collect()
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["from", "to"])
    }

    fn samples() -> Vec<Self> {
        let parity = Self {
            from: Some("https://search-prod-alpha.us-east-1.es.amazonaws.com".to_owned()),
            to: "https://search-prod-beta.us-east-1.es.amazonaws.com".to_owned(),
            indices: vec!["efcms-case".to_owned(), "efcms-user".to_owned()],
            tolerance: 0,
            empty: false,
            samples: samples(),
            every: pause(),
        };
        let empty = Self {
            from: None,
            indices: Vec::new(),
            empty: true,
            ..parity.clone()
        };
        vec![parity, empty]
    }
}

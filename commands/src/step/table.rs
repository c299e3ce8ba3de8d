//! `table`: a DynamoDB table is as it has to be: there or not, empty or not, and read by the function that should read it.
//!
//! Emptiness is seen by reading, never by the item count of `DescribeTable`, which AWS refreshes about every six hours
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>).

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};
use crate::time::Span;

/// A look at a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The table.
    pub table: String,
    /// How it has to be.
    pub state: TableState,
    /// The function whose event source has to be the table's newest stream: one that was made anew has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_by: Option<String>,
    /// An attribute of which every item's value is shown, with its type; for small tables that a system steers itself by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
}

/// How a table has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableState {
    /// There, with anything in it or nothing.
    Present,
    /// There, without an item.
    Empty,
    /// Not there, or there without an item.
    AbsentOrEmpty,
    /// Not there.
    Absent,
}

impl TableState {
    const fn words(self) -> &'static str {
        match self {
            Self::Present => "is there",
            Self::Empty => "is there and holds no item",
            Self::AbsentOrEmpty => "is not there, or holds no item",
            Self::Absent => "is not there",
        }
    }
}

impl Kind for Table {
    const SPEC: Spec = Spec {
        kind: "table",
        summary: "Looks whether a DynamoDB table is there, is empty, and is read by the right function",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::looks(Span::seconds(5))
    }

    fn plan(&self) -> Vec<String> {
        let mut lines = vec![format!("looks that table {} {}", self.table, self.state.words())];
        if let Some(function) = &self.read_by {
            lines.push(format!("looks that {function} reads its newest stream"));
        }
        lines.extend(
            self.shows
                .as_ref()
                .map(|attribute| format!("shows what {attribute} is in each item")),
        );
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.read_by.is_some() && matches!(self.state, TableState::Absent | TableState::AbsentOrEmpty) {
            return Err(
                "`read_by` asks for a stream, and a table that is not there has none: write `state = \"present\"`"
                    .to_owned(),
            );
        }
        if self.shows.is_some() && self.state != TableState::Present {
            return Err("`shows` needs items: write `state = \"present\"`".to_owned());
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        Some(vec!["state", "stream"])
    }

    fn samples() -> Vec<Self> {
        let empty = Self {
            table: "efcms-prod-beta".to_owned(),
            state: TableState::AbsentOrEmpty,
            read_by: None,
            shows: None,
        };
        let flags = Self {
            table: "efcms-deploy-prod".to_owned(),
            state: TableState::Present,
            shows: Some("current".to_owned()),
            ..empty.clone()
        };
        vec![empty, flags]
    }
}

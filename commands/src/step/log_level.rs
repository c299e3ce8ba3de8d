//! `log_level`: sets one variable of several Lambda functions, or reads it.
//!
//! An update replaces all variables of a function, so the rest of them is read and written back as it was; they may be secrets, and no other part of
//! the program gets to see them. Every update restarts the function.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Calls, Conduct, Kind, Spec};
use crate::effect::Class;
use crate::time::Span;

/// How often functions that are being updated are looked at.
const LOOK: Span = Span::seconds(5);

/// The code of a function that is not there.
pub const NO_FUNCTION: &str = "no_function";

/// Functions, and the level at which they are to log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct LogLevel {
    /// All functions whose name begins so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// But for those whose name begins so: another stage, whose name goes on where this one's ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub but: Vec<String>,
    /// Or these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// The variable that holds the level.
    #[serde(default = "usual_key")]
    pub key: String,
    /// The level; without it, it is only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Whether the variable is taken away instead: there was none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    /// Only functions that are at this level are set; any other is left alone, for somebody has set it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_from: Option<String>,
}

fn usual_key() -> String {
    "LOG_LEVEL".to_owned()
}

/// What the calls of a step know of its functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Levels {
    /// One by one, by name.
    pub functions: Vec<Leveled>,
    /// The number of the undo that tries to put them back; 0: none does.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undo: u32,
}

/// A function and what became of its level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leveled {
    /// Its name.
    pub name: String,
    /// At which level it was found; `None`: it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What became of it.
    pub stage: Stage,
    /// Why it could not be put back by the undo that is under way; foreign text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What became of a function's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its turn has not come.
    Ahead,
    /// It was there already.
    Already,
    /// Somebody had set another one: it was left alone.
    LeftAlone,
    /// Lambda has the new one.
    Sent,
    /// It was read back.
    Seen,
    /// Lambda has the old one again.
    Back,
    /// The old one was read back.
    BackSeen,
}

impl Levels {
    /// What a memo holds; nothing, when it holds something else.
    #[must_use]
    pub fn of(memo: &Value) -> Self {
        Self::deserialize(memo).unwrap_or_default()
    }

    /// An undo begins, or goes on: a new one tries all that could not be put back before.
    pub fn undone_by(&mut self, undo: u32) {
        if self.undo != undo {
            self.undo = undo;
            for one in &mut self.functions {
                one.stuck = None;
                // What was sent back and never seen to be is sent again.
                if one.stage == Stage::Back {
                    one.stage = Stage::Sent;
                }
            }
        }
    }

    /// How many functions are at one of these stages.
    #[must_use]
    pub fn count(&self, stages: &[Stage]) -> usize {
        self.functions.iter().filter(|one| stages.contains(&one.stage)).count()
    }
}

impl LogLevel {
    /// Whether it changes anything.
    #[must_use]
    pub const fn sets(&self) -> bool {
        self.level.is_some() || self.remove
    }

    /// Which functions, as people read it.
    #[must_use]
    pub fn whom(&self) -> String {
        match self.functions.as_slice() {
            [] if self.but.is_empty() => format!("every function that begins with {}", self.prefix),
            [] => format!(
                "every function that begins with {} and not with {}",
                self.prefix,
                self.but.join(" or ")
            ),
            [one] => one.clone(),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        }
    }
}

impl Kind for LogLevel {
    const SPEC: Spec = Spec {
        kind: "log_level",
        summary: "Sets one variable of several Lambda functions, the others untouched, and waits until each has taken it",
        undo: "Sets the old level of each back, if it still is at the new one; functions restart again",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(if self.sets() {
            Calls::acts(Class::Set).watched(LOOK).undone(true)
        } else {
            Calls::READS
        })
    }

    fn plan(&self) -> Vec<String> {
        let (key, whom) = (&self.key, self.whom());
        let mut lines = vec![match (&self.level, self.remove) {
            (Some(level), _) => format!("sets {key} to {level} for {whom}"),
            (None, true) => format!("takes {key} away from {whom}"),
            (None, false) => format!("reads {key} of {whom}"),
        }];
        lines.extend(
            self.only_from
                .iter()
                .map(|level| format!("where it is {level}; any other is left alone")),
        );
        lines
    }

    fn check(&self) -> Result<(), String> {
        if self.prefix.is_empty() == self.functions.is_empty() {
            return Err("write either `prefix` or `functions`".to_owned());
        }
        if self.prefix.is_empty() && !self.but.is_empty() {
            return Err("`but` leaves out some of those that begin with `prefix`: delete it".to_owned());
        }
        if self.level.is_some() && self.remove {
            return Err("write either `level` or `remove = true`".to_owned());
        }
        Ok(())
    }

    fn finds(&self) -> Option<Vec<&str>> {
        None
    }

    fn samples() -> Vec<Self> {
        let read = Self {
            prefix: "wallet-mainnet-".to_owned(),
            but: vec!["wallet-mainnet-stg-".to_owned()],
            key: usual_key(),
            ..Self::default()
        };
        let set = Self {
            level: Some("debug".to_owned()),
            ..read.clone()
        };
        let back = Self {
            prefix: String::new(),
            but: Vec::new(),
            functions: vec!["wallet-mainnet-metrics".to_owned()],
            remove: true,
            only_from: Some("debug".to_owned()),
            ..read.clone()
        };
        vec![read, set, back]
    }
}

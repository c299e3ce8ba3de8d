//! The general form of a call: what is sent, what is read before and after, and what takes it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::WAS;
use crate::credential::Auth;

/// A method that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
pub enum Write {
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Write {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A field of a form: once, or several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// Once.
    One(String),
    /// Once for each.
    Many(Vec<String>),
}

/// A call in the general form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// What is sent.
    pub send: Request,
    /// The environment variable that holds the secret, and how it is shown.
    pub secret: Option<(String, Auth)>,
    /// Where the value is read: address and path.
    pub read: Option<(String, String)>,
    /// What is read once it is done.
    pub wanted: Wanted,
    /// Whether the value changes by itself for as long as it is not as wanted.
    pub drifts: bool,
    /// What takes it back.
    pub undo: Option<Request>,
}

/// A request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The method.
    pub method: Write,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// JSON.
    pub body: Option<String>,
    /// A form.
    pub form: BTreeMap<String, Field>,
}

/// What a value should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This.
    Is(String),
    /// Anything else.
    IsNot(String),
    /// Nobody reads it.
    Unread,
}

impl Wanted {
    /// Whether a value is as it should be.
    #[must_use]
    pub fn fits(&self, value: &str) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::IsNot(unwanted) => value != unwanted,
            Self::Unread => false,
        }
    }
}

impl Request {
    /// The body as people read it.
    pub(super) fn shown(&self) -> String {
        let fields = self.form.iter().map(|(name, field)| match field {
            Field::One(value) => format!("{name}={value}"),
            Field::Many(values) => format!("{name}={}", values.join(&format!(" {name}="))),
        });
        let fields: Vec<String> = fields.collect();
        match &self.body {
            Some(body) => format!(" {body}"),
            None if fields.is_empty() => String::new(),
            None => format!(" {}", fields.join(" ")),
        }
    }

    pub(super) fn holds_was(&self) -> bool {
        self.shown().contains(WAS) || self.url.contains(WAS)
    }
}

//! A modal or a home tab that is open.

use serde_json::{Map, Value, json};

use super::kit::stored;
use super::model::{APP, BOT, TEAM};

/// A view that somebody looks at.
#[derive(Debug, Clone)]
pub struct View {
    /// `V…`.
    pub id: String,
    /// The view at the bottom of its stack.
    pub root: String,
    /// The view beneath it.
    pub previous: Option<String>,
    /// Changes with every update.
    pub hash: String,
    /// What the app sent; blocks as Slack stores them.
    pub body: Map<String, Value>,
    /// Block id → what is wrong with it, since the last submit.
    pub errors: Map<String, Value>,
}

impl View {
    /// A view from a body that passed the checks.
    pub(crate) fn new(body: &Value, under: Option<&Self>, now_ms: i64) -> Self {
        let id = format!("V0{}", short_id());
        let root = under.map_or_else(|| id.clone(), |under| under.root.clone());
        let previous = under.map(|under| under.id.clone());
        let mut view = Self {
            id,
            root,
            previous,
            hash: String::new(),
            body: Map::new(),
            errors: Map::new(),
        };
        view.replace(body, now_ms);
        view
    }

    /// Takes a new body and a new hash.
    pub(crate) fn replace(&mut self, body: &Value, now_ms: i64) {
        self.body = body.as_object().cloned().unwrap_or_default();
        let blocks = self
            .body
            .get("blocks")
            .and_then(Value::as_array)
            .map(|blocks| stored(blocks, short_id));
        self.body.insert("blocks".to_owned(), json!(blocks.unwrap_or_default()));
        self.hash = format!("{}.{:08x}", now_ms / 1000, rand::random::<u32>());
        self.errors.clear();
    }

    /// The blocks.
    #[must_use]
    pub fn blocks(&self) -> &[Value] {
        self.body
            .get("blocks")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The app's own name for it.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.body.get("external_id").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the app wants to hear that it was closed.
    #[must_use]
    pub fn notifies_on_close(&self) -> bool {
        self.body.get("notify_on_close") == Some(&Value::Bool(true))
    }

    /// As an API answer or a payload shows it, with the values that were filled in.
    #[must_use]
    pub fn to_slack(&self, values: &Value) -> Value {
        let mut view = json!({
            "id": self.id, "team_id": TEAM, "private_metadata": "", "callback_id": "", "external_id": "",
            "clear_on_close": false, "notify_on_close": false, "close": null, "submit": null,
            "root_view_id": self.root, "previous_view_id": self.previous, "app_id": APP, "app_installed_team_id": TEAM,
            "bot_id": BOT,
        });
        for (key, value) in &self.body {
            view[key] = value.clone();
        }
        view["hash"] = json!(self.hash);
        view["state"] = json!({"values": values});
        view
    }
}

/// An id as Slack makes them for blocks: five characters that mean nothing.
pub(crate) fn short_id() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789";
    let mut left: u64 = rand::random();
    let mut id = String::new();
    for _ in 0..8 {
        let at = usize::try_from(left % ALPHABET.len() as u64).unwrap_or_default();
        id.push(char::from(ALPHABET.get(at).copied().unwrap_or(b'0')));
        left /= ALPHABET.len() as u64;
    }
    id
}

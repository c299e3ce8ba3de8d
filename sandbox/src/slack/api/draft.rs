//! What a message is made of before it is put somewhere: shared by the chat methods, `response_url`s and command answers.

use serde_json::Value;

use super::{Args, Refusal};
use crate::slack::kit;
use crate::slack::model::{BOT_USER, Message};
use crate::slack::view::short_id;

/// Slack cuts a text here.
const TEXT_MAX: usize = 40_000;
/// An edit may not be longer.
pub(in crate::slack) const EDIT_MAX: usize = 4_000;
/// Of a message's metadata, as JSON.
const METADATA_BYTES: usize = 16 * 1024;

/// Content that passed Slack's checks.
#[derive(Debug, Default)]
pub(in crate::slack) struct Draft {
    pub(in crate::slack) text: String,
    pub(in crate::slack) blocks: Vec<Value>,
    pub(in crate::slack) attachments: Vec<Value>,
    /// `None`: not mentioned. `Some(None)`: an empty object, which clears.
    pub(in crate::slack) metadata: Option<Option<Value>>,
    /// The text was cut.
    pub(in crate::slack) truncated: bool,
}

impl Draft {
    /// Reads and checks `text`, `blocks`, `attachments` and `metadata`.
    pub(in crate::slack) fn read(args: &Args) -> Result<Self, Refusal> {
        let mut draft = Self {
            text: args.text("text").to_owned(),
            ..Self::default()
        };
        draft.blocks = array(args, "blocks").ok_or("invalid_blocks_format")?;
        draft.attachments = array(args, "attachments").ok_or("invalid_attachments")?;
        if draft.attachments.len() > 100 {
            return Err("too_many_attachments".into());
        }
        let problems = kit::check_message_blocks(&draft.blocks);
        if !problems.is_empty() {
            return Err(Refusal::because("invalid_blocks", problems));
        }
        if draft.text.trim().is_empty() && draft.blocks.is_empty() && draft.attachments.is_empty() {
            return Err("no_text".into());
        }
        if draft.text.chars().count() > TEXT_MAX {
            draft.text = draft.text.chars().take(TEXT_MAX).collect();
            draft.truncated = true;
        }
        draft.blocks = kit::stored(&draft.blocks, short_id);
        draft.metadata = metadata(args)?;
        Ok(draft)
    }

    /// Makes it the app's message; the timestamp comes when it is put somewhere.
    pub(in crate::slack) fn into_message(self, thread_ts: Option<String>) -> Message {
        Message {
            user: BOT_USER.to_owned(),
            text: self.text,
            blocks: self.blocks,
            attachments: self.attachments,
            metadata: self.metadata.flatten(),
            thread_ts,
            ..Message::default()
        }
    }

    /// Puts it in the place of what a message said; omitted metadata stays.
    pub(in crate::slack) fn replace(self, message: &mut Message, at: String) {
        message.text = self.text;
        message.blocks = self.blocks;
        message.attachments = self.attachments;
        if let Some(metadata) = self.metadata {
            message.metadata = metadata;
        }
        message.edited = Some((BOT_USER.to_owned(), at));
    }
}

fn array(args: &Args, key: &str) -> Option<Vec<Value>> {
    match args.get(key) {
        None => Some(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.clone()),
        Some(_) => None,
    }
}

fn metadata(args: &Args) -> Result<Option<Option<Value>>, Refusal> {
    let Some(value) = args.get("metadata") else {
        return Ok(None);
    };
    let object = value.as_object().ok_or("invalid_metadata_format")?;
    if object.is_empty() {
        return Ok(Some(None));
    }
    let typed = object.get("event_type").is_some_and(Value::is_string);
    if !typed || !object.get("event_payload").is_some_and(Value::is_object) {
        return Err("invalid_metadata_format".into());
    }
    if value.to_string().len() > METADATA_BYTES {
        return Err("metadata_too_large".into());
    }
    Ok(Some(Some(value.clone())))
}

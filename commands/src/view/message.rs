//! A message as the core sees it: words with a meaning, no vendor's markup.
//!
//! Foreign text (commit titles, reasons, AWS messages) only ever travels as [`Inline::Text`] or [`Inline::Code`]; the renderer escapes
//! those and nothing else can carry markup. Long texts are cut by the renderer, which knows the vendor's limits.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, GroupId, UserId};
use crate::time::Timestamp;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Message {
    /// The whole of it in one plain line: the notification on a phone, and what a screen reader says first.
    pub fallback: String,
    /// Its parts.
    pub blocks: Vec<Block>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Lines of text.
    Section(Vec<Line>),
    /// Two columns of label and value.
    Fields(Vec<(String, Line)>),
    /// Small print.
    Context(Vec<Line>),
    /// A rule.
    Divider,
    /// Buttons in a row.
    Actions(Vec<Button>),
    /// Text as it is, in a fixed width.
    Verbatim(String),
}

/// A line of text.
pub type Line = Vec<Inline>;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inline {
    /// Plain words; may be foreign.
    Text(String),
    /// Strong; may be foreign.
    Bold(String),
    /// Something to type or to recognize by its letters; may be foreign.
    Code(String),
    /// A person, whom the message reaches.
    Mention(UserId),
    /// A group, by its name.
    Group(GroupId),
    /// A channel.
    Channel(ChannelId),
    /// A link. The address must come from configuration or from AWS or GitHub; the renderer drops what is not `https`.
    Link {
        /// Where to.
        url: String,
        /// Its words; may be foreign.
        text: String,
    },
    /// An instant in the reader's own zone.
    Date {
        /// The instant.
        at: Timestamp,
        /// How much of it.
        style: DateStyle,
    },
    /// Another message of ours. The renderer knows the workspace's address; where it does not, the words stand alone.
    Permalink {
        /// The channel it is in.
        channel: ChannelId,
        /// Its `ts`, by which Slack knows it.
        ts: String,
        /// Its words; may be foreign.
        text: String,
    },
    /// One of a fixed set of signs.
    Sign(Sign),
}

/// How an instant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateStyle {
    /// 17:56:02
    Seconds,
    /// 17:56
    Time,
    /// Fri, Nov 20 at 17:56 (today and yesterday by name)
    DayTime,
}

/// Signs that carry a meaning; never the only carrier of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Good.
    Good,
    /// Stops.
    Bad,
    /// Not known.
    Unknown,
    /// Worth knowing.
    Notice,
    /// Waits for a person.
    Waiting,
    /// Going on.
    Running,
    /// Only looked at: a plan.
    Plan,
    /// Locked.
    Locked,
    /// Frozen.
    Frozen,
    /// The glass was broken.
    Override,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it does: see [`crate::verb::press`].
    pub action: String,
    /// What it is about: service and record, or command text.
    pub value: String,
    /// Its face.
    pub label: String,
    /// What a screen reader says.
    pub spoken: String,
    /// How it looks.
    pub style: ButtonStyle,
    /// What is asked before it acts.
    pub confirm: Option<Confirm>,
    /// A page to open instead of telling the bot.
    pub url: Option<String>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// Like any other.
    #[default]
    Plain,
    /// The way forward.
    Primary,
    /// The way that hurts.
    Danger,
}

/// A question before a button acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// What is asked.
    pub title: String,
    /// What it means; may hold foreign text.
    pub text: String,
    /// Yes.
    pub yes: String,
    /// No.
    pub no: String,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modal {
    /// Which form: comes back with the answer.
    pub form: String,
    /// What it is about: comes back with the answer. No secrets; it is checked again.
    pub about: String,
    /// Its title, at most 24 characters.
    pub title: String,
    /// The button that sends it.
    pub submit: String,
    /// Text above the inputs.
    pub blocks: Vec<Block>,
    /// The inputs.
    pub inputs: Vec<Input>,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name: comes back with the answer, and names the error beside it.
    pub name: String,
    /// Its label.
    pub label: String,
    /// A hint below it.
    pub hint: Option<String>,
    /// Whether it may stay empty.
    pub optional: bool,
    /// Several lines.
    pub multiline: bool,
    /// At most so many characters.
    pub max_length: u16,
}

/// Plain words.
#[must_use]
pub fn text(words: impl Into<String>) -> Inline {
    Inline::Text(words.into())
}

/// Strong words.
#[must_use]
pub fn bold(words: impl Into<String>) -> Inline {
    Inline::Bold(words.into())
}

/// Something to type.
#[must_use]
pub fn code(words: impl Into<String>) -> Inline {
    Inline::Code(words.into())
}

/// Sentences in which what is to be typed stands between backticks, as pieces. A backtick without its partner is a character like any other.
#[must_use]
pub fn prose(words: &str) -> Line {
    let mut line: Line = Vec::new();
    let mut rest = words;
    while let Some((before, typed, after)) = backticked(rest) {
        line.extend((!before.is_empty()).then(|| text(before)));
        line.push(code(typed));
        rest = after;
    }
    line.extend((!rest.is_empty()).then(|| text(rest)));
    line
}

/// What stands before, between and after the first pair of backticks.
fn backticked(words: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = words.split_once('`')?;
    let (typed, after) = rest.split_once('`')?;
    // Markup cannot hold code that is empty, or that begins or ends with a space.
    (!typed.is_empty() && typed.trim() == typed).then_some((before, typed, after))
}

impl From<&str> for Inline {
    fn from(words: &str) -> Self {
        Self::Text(words.to_owned())
    }
}

impl From<String> for Inline {
    fn from(words: String) -> Self {
        Self::Text(words)
    }
}

impl From<&UserId> for Inline {
    fn from(user: &UserId) -> Self {
        Self::Mention(user.clone())
    }
}

impl From<Sign> for Inline {
    fn from(sign: Sign) -> Self {
        Self::Sign(sign)
    }
}

impl Timestamp {
    /// The instant as a piece of a line.
    #[must_use]
    pub const fn shown(self, style: DateStyle) -> Inline {
        Inline::Date { at: self, style }
    }
}

impl Message {
    /// A message whose first line says it all: that line is its fallback as well, without its signs.
    #[must_use]
    pub fn headed(headline: Line, mut more: Vec<Line>) -> Self {
        let fallback = spoken(&headline);
        more.insert(0, headline);
        Self {
            fallback,
            blocks: vec![Block::Section(more)],
        }
    }

    /// The same with another part at its end; parts without content are left out.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        let empty = match &block {
            Block::Section(lines) | Block::Context(lines) => lines.is_empty(),
            Block::Fields(fields) => fields.is_empty(),
            Block::Actions(buttons) => buttons.is_empty(),
            Block::Verbatim(words) => words.is_empty(),
            Block::Divider => false,
        };
        if !empty {
            self.blocks.push(block);
        }
        self
    }

    /// A sentence or two; see [`prose`].
    #[must_use]
    pub fn sentence(words: impl Into<String>) -> Self {
        Self::line(prose(&words.into()))
    }

    /// One line of pieces; the fallback is their plain reading.
    #[must_use]
    pub fn line(line: Line) -> Self {
        Self {
            fallback: plain(&line),
            blocks: vec![Block::Section(vec![line])],
        }
    }
}

/// A line as plain words, for fallbacks and terminals. People and instants read as their ids and UTC.
#[must_use]
pub fn plain(line: &[Inline]) -> String {
    line.iter()
        .map(|piece| match piece {
            Inline::Text(words) | Inline::Bold(words) | Inline::Code(words) => words.clone(),
            Inline::Mention(user) => format!("@{user}"),
            Inline::Group(group) => format!("@{group}"),
            Inline::Channel(channel) => format!("#{channel}"),
            Inline::Link { text, .. } | Inline::Permalink { text, .. } => text.clone(),
            Inline::Date { at, style } => at.utc().format(style.utc_format()).to_string(),
            Inline::Sign(sign) => sign.word().to_owned(),
        })
        .collect()
}

/// A line as it is read aloud: its words, without the signs that only stand beside them.
#[must_use]
pub fn spoken(line: &[Inline]) -> String {
    let words: Line = line
        .iter()
        .filter(|piece| !matches!(piece, Inline::Sign(_)))
        .cloned()
        .collect();
    plain(&words).trim().to_owned()
}

impl DateStyle {
    /// The `strftime` form for readers whose zone is not known.
    #[must_use]
    pub const fn utc_format(self) -> &'static str {
        match self {
            Self::Seconds => "%H:%M:%S UTC",
            Self::Time => "%H:%M UTC",
            Self::DayTime => "%a, %b %-d at %H:%M UTC",
        }
    }
}

impl Sign {
    /// The sign in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "no",
            Self::Unknown => "unknown",
            Self::Notice => "note",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Plan => "look",
            Self::Locked => "locked",
            Self::Frozen => "frozen",
            Self::Override => "override",
        }
    }
}

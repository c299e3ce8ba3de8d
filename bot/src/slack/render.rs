//! Messages and forms as Block Kit.
//!
//! The core says what is meant, this says how Slack wants it, within Slack's limits: long lines are cut, long sections go on in another one, and what
//! exceeds a message is counted instead of shown. Buttons are never what is left out.

use commands::view::{Block, Button, ButtonStyle, Confirm, Input, Line, Message, Modal};
use serde::Serialize;
use slack_morphism::prelude::*;

use super::limits;
use super::mrkdwn;

/// The action id of a form's inputs; the block's id is the input's name.
pub const FIELD_ACTION: &str = "value";
/// Stands between a button's action and a number, where several buttons of a row have the same action: Slack wants them distinct.
pub const ACTION_NUMBER: char = '#';

/// A message as it goes to Slack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drawn {
    /// For notifications, screen readers and old clients.
    pub text: String,
    /// What is shown.
    pub blocks: Vec<SlackBlock>,
    /// Equal for equal messages: an equal drawing need not be sent.
    #[serde(skip)]
    pub digest: String,
}

/// A message in answer to a command or at a `response_url`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplyBody {
    /// `ephemeral` or `in_channel`.
    pub response_type: &'static str,
    /// Never in place of the message whose button was pressed: that is the card.
    pub replace_original: bool,
    /// The message.
    #[serde(flatten)]
    pub drawn: Drawn,
}

/// Draws a message.
#[must_use]
pub fn message(message: &Message) -> Drawn {
    let digest = digest(message);
    let blocks = within(message.blocks.iter().flat_map(block).collect(), limits::BLOCKS);
    let mut text = mrkdwn::words(&message.fallback, limits::FALLBACK);
    if text.is_empty() {
        // Slack refuses a message without text, and a screen reader would stay silent.
        "Signalbox".clone_into(&mut text);
    }
    Drawn {
        text,
        blocks: numbered(blocks, &digest),
        digest,
    }
}

/// Draws a message as a reply: for the speaker only, or for everyone.
#[must_use]
pub fn reply(spoken: &Message, public: bool) -> ReplyBody {
    ReplyBody {
        response_type: if public { "in_channel" } else { "ephemeral" },
        replace_original: false,
        drawn: message(spoken),
    }
}

/// Draws a form.
#[must_use]
pub fn modal(modal: &Modal) -> SlackView {
    let text: Vec<_> = modal.blocks.iter().flat_map(block).collect();
    let inputs = modal.inputs.iter().map(input);
    let room = limits::VIEW_BLOCKS.saturating_sub(modal.inputs.len());
    let mut blocks = numbered(within(text, room), &digest(modal));
    blocks.extend(inputs);
    let title = |text: &str| SlackBlockPlainTextOnly::from(mrkdwn::plain_words(text, limits::VIEW_TITLE));
    SlackView::Modal(
        SlackModalView::new(title(&modal.title), blocks)
            .with_submit(title(&modal.submit))
            .with_close(title("Cancel"))
            .with_callback_id(limits::cut(&modal.form, limits::ID).into())
            .with_private_metadata(limits::cut(&modal.about, limits::METADATA)),
    )
}

/// The action that a button was made with.
#[must_use]
pub fn action(id: &str) -> &str {
    id.split_once(ACTION_NUMBER).map_or(id, |(action, _)| action)
}

/// A short hash over what is meant, not over how it is drawn.
fn digest<T: Serialize>(meant: &T) -> String {
    commands::digest::short(&serde_json::to_vec(meant).unwrap_or_default())
}

fn block(block: &Block) -> Vec<SlackBlock> {
    match block {
        Block::Section(lines) => section(lines),
        Block::Fields(fields) => fields.chunks(limits::FIELDS).map(columns).collect(),
        Block::Context(lines) => context(lines),
        Block::Divider => vec![SlackDividerBlock::new().into()],
        Block::Actions(buttons) => buttons.chunks(limits::ACTIONS).filter_map(actions).collect(),
        Block::Verbatim(text) if text.trim().is_empty() => vec![],
        Block::Verbatim(text) => vec![text_section(mrkdwn::verbatim(text, limits::SECTION))],
    }
}

/// Lines that do not fit into one section go on in the next: nothing is lost but the ends of overlong lines.
fn section(lines: &[Line]) -> Vec<SlackBlock> {
    let mut sections: Vec<String> = Vec::new();
    let mut room = 0;
    for line in lines {
        let text = mrkdwn::line(line, limits::SECTION);
        let needed = limits::length(&text) + 1;
        match sections.last_mut() {
            Some(open) if needed <= room => {
                open.push('\n');
                open.push_str(&text);
                room -= needed;
            }
            _ => {
                room = (limits::SECTION + 1).saturating_sub(needed);
                sections.push(text);
            }
        }
    }
    sections
        .into_iter()
        .filter(|text| !text.trim().is_empty())
        .map(text_section)
        .collect()
}

fn text_section(text: String) -> SlackBlock {
    SlackSectionBlock::new().with_text(markup(text).into()).into()
}

/// Slack leaves plain text alone: what looks like a link, a channel or a broadcast in it stays text.
fn markup(text: String) -> SlackBlockMarkDownText {
    SlackBlockMarkDownText::new(text).with_verbatim(true)
}

fn columns(fields: &[(String, Line)]) -> SlackBlock {
    let fields = fields.iter().map(|(label, value)| {
        let label = mrkdwn::line(&vec![commands::view::bold(label.as_str())], limits::FIELD / 4);
        let value = mrkdwn::line(value, limits::FIELD - limits::FIELD / 4 - 1);
        // Slack refuses an empty text.
        let value = if value.trim().is_empty() {
            "–".to_owned()
        } else {
            value
        };
        markup(format!("{label}\n{value}")).into()
    });
    SlackSectionBlock::new().with_fields(fields.collect()).into()
}

fn context(lines: &[Line]) -> Vec<SlackBlock> {
    let mut text = String::new();
    let mut room = limits::CONTEXT;
    for line in lines {
        let line = mrkdwn::line(line, room);
        let needed = limits::length(&line) + 1;
        // Below this nothing of a line would be left to read.
        if room < 16 || needed > room {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
        room -= needed;
    }
    if text.trim().is_empty() {
        return vec![];
    }
    vec![SlackContextBlock::new(vec![markup(text).into()]).into()]
}

fn actions(buttons: &[Button]) -> Option<SlackBlock> {
    let elements: Vec<SlackActionBlockElement> = buttons
        .iter()
        .enumerate()
        .filter_map(|(index, button)| {
            let twin = buttons[..index].iter().any(|other| other.action == button.action);
            let id = if twin {
                format!("{}{ACTION_NUMBER}{index}", button.action)
            } else {
                button.action.clone()
            };
            face(button, id)
        })
        .collect();
    (!elements.is_empty()).then(|| SlackActionsBlock::new(elements).into())
}

/// A button whose value does not fit would say something else than was meant: it is left out.
fn face(button: &Button, id: String) -> Option<SlackActionBlockElement> {
    if limits::length(&button.value) > limits::VALUE || limits::length(&id) > limits::ID {
        return None;
    }
    let mut face = SlackBlockButtonElement::new(some_words(&button.label, limits::BUTTON)).with_action_id(id.into());
    if !button.value.is_empty() {
        face = face.with_value(button.value.clone());
    }
    if !button.spoken.trim().is_empty() {
        let spoken = mrkdwn::plain_words(&button.spoken, limits::BUTTON);
        face = face.with_accessibility_label(SlackAccessibilityLabel(spoken));
    }
    if let Some(url) = button.url.as_deref() {
        let url: url::Url = url.parse().ok()?;
        if url.scheme() != "https" || limits::length(url.as_str()) > limits::URL {
            return None;
        }
        face = face.with_url(url);
    }
    face = match button.style {
        ButtonStyle::Plain => face,
        ButtonStyle::Primary => face.with_style(SlackBlockButtonStyle::Primary),
        ButtonStyle::Danger => face.with_style(SlackBlockButtonStyle::Danger),
    };
    if let Some(asked) = &button.confirm {
        face = face.with_confirm(confirm(asked, button.style));
    }
    Some(face.into())
}

fn confirm(asked: &Confirm, style: ButtonStyle) -> SlackBlockConfirmItem {
    let text = SlackBlockPlainText::new(non_empty(mrkdwn::plain_words(&asked.text, limits::CONFIRM_TEXT)));
    let dialog = SlackBlockConfirmItem::new(
        some_words(&asked.title, limits::CONFIRM_TITLE),
        text.into(),
        some_words(&asked.yes, limits::CONFIRM_BUTTON),
        some_words(&asked.no, limits::CONFIRM_BUTTON),
    );
    match style {
        ButtonStyle::Danger => dialog.with_style("danger".to_owned()),
        ButtonStyle::Plain | ButtonStyle::Primary => dialog,
    }
}

fn input(input: &Input) -> SlackBlock {
    let element = SlackBlockPlainTextInputElement::new()
        .with_action_id(FIELD_ACTION.to_owned().into())
        .with_multiline(input.multiline)
        .with_max_length(u64::from(input.max_length.clamp(1, limits::INPUT)));
    let mut block = SlackInputBlock::new(some_words(&input.label, limits::LABEL), element.into())
        .with_block_id(SlackBlockId(limits::cut(&input.name, limits::ID)))
        .with_optional(input.optional);
    if let Some(hint) = &input.hint {
        block = block.with_hint(some_words(hint, limits::LABEL));
    }
    block.into()
}

fn some_words(text: &str, limit: usize) -> SlackBlockPlainTextOnly {
    SlackBlockPlainTextOnly::from(non_empty(mrkdwn::plain_words(text, limit)))
}

fn non_empty(text: String) -> String {
    if text.trim().is_empty() { "–".to_owned() } else { text }
}

/// As many blocks as fit; the last that do not carry buttons make room for a line that says how many there were.
fn within(mut blocks: Vec<SlackBlock>, limit: usize) -> Vec<SlackBlock> {
    let mut left_out = 0;
    let mut at = blocks.len();
    while blocks.len() + usize::from(left_out > 0) > limit {
        let Some(last) = blocks
            .iter()
            .rposition(|block| !matches!(block, SlackBlock::Actions(_)))
        else {
            blocks.truncate(limit);
            return blocks;
        };
        blocks.remove(last);
        at = last;
        left_out += 1;
    }
    if left_out > 0 {
        let more = markup(format!("… and {left_out} more"));
        blocks.insert(at, SlackContextBlock::new(vec![more.into()]).into());
    }
    blocks
}

/// Gives every block an id that only this drawing has: a press on an older drawing can be told apart, and Slack does not carry state over.
fn numbered(blocks: Vec<SlackBlock>, digest: &str) -> Vec<SlackBlock> {
    let mut blocks = blocks;
    for (index, block) in blocks.iter_mut().enumerate() {
        let id = Some(SlackBlockId(format!("{digest}-{index}")));
        match block {
            SlackBlock::Section(section) => section.block_id = id,
            SlackBlock::Context(context) => context.block_id = id,
            SlackBlock::Divider(divider) => divider.block_id = id,
            SlackBlock::Actions(actions) => actions.block_id = id,
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests;

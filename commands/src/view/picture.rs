//! Messages as plain pictures, for snapshots that read like Slack.

use super::fixtures::PEOPLE;
use super::message::{Block, Button, ButtonStyle, DateStyle, Inline, Line, Message, Modal, Sign};

/// A message as its reader sees it: names, clock times in UTC, signs as characters, buttons in brackets.
pub(crate) fn picture(message: &Message) -> String {
    let mut out = vec![format!("notification: {}", message.fallback)];
    for block in &message.blocks {
        out.push("────".to_owned());
        out.extend(block_lines(block));
    }
    out.join("\n")
}

pub(crate) fn picture_of_form(form: &Modal) -> String {
    let mut out = vec![format!("┌ {} ┐  ({}, about {})", form.title, form.form, form.about)];
    out.extend(form.blocks.iter().flat_map(block_lines));
    for input in &form.inputs {
        let optional = if input.optional { " (optional)" } else { "" };
        out.push(format!(
            "{}{optional}: [{} ≤{}]",
            input.label, input.name, input.max_length
        ));
        out.extend(input.hint.iter().map(|hint| format!("  {hint}")));
    }
    out.push(format!("[Cancel] [{}]", form.submit));
    out.join("\n")
}

fn block_lines(block: &Block) -> Vec<String> {
    match block {
        Block::Section(lines) => lines.iter().map(words).collect(),
        Block::Context(lines) => lines.iter().map(|line| format!("  · {}", words(line))).collect(),
        Block::Fields(fields) => fields
            .iter()
            .map(|(label, value)| format!("{label}: {}", words(value)))
            .collect(),
        Block::Divider => vec!["- - -".to_owned()],
        Block::Verbatim(text) => text.lines().map(|line| format!("| {line}")).collect(),
        Block::Actions(buttons) => buttons.iter().flat_map(button_lines).collect(),
    }
}

fn button_lines(button: &Button) -> Vec<String> {
    let style = match button.style {
        ButtonStyle::Plain => "",
        ButtonStyle::Primary => " (primary)",
        ButtonStyle::Danger => " (danger)",
    };
    let mut lines = vec![format!("[{}]{style} {} {}", button.label, button.action, button.value)];
    lines.extend(button.confirm.iter().map(|confirm| {
        format!(
            "     asks: {} {} [{}] [{}]",
            confirm.title, confirm.text, confirm.yes, confirm.no
        )
    }));
    lines
}

fn words(line: &Line) -> String {
    line.iter().map(word).collect()
}

fn word(piece: &Inline) -> String {
    if let Inline::Bold(words) | Inline::Code(words) | Inline::Link { text: words, .. } = piece {
        assert!(
            !words.is_empty() && words.trim() == words,
            "a piece {words:?} that no markup can hold"
        );
    }
    match piece {
        Inline::Text(words) => words.clone(),
        Inline::Bold(words) => format!("*{words}*"),
        Inline::Code(words) => format!("`{words}`"),
        Inline::Mention(user) => {
            let known = PEOPLE.iter().find(|(id, _)| *id == user.as_str());
            format!("@{}", known.map_or(user.as_str(), |(_, name)| *name))
        }
        Inline::Group(group) if group.as_str() == "S0WALLET" => "@wallet-approvers".to_owned(),
        Inline::Group(group) if group.as_str() == "S0OPS" => "@ops".to_owned(),
        Inline::Group(group) => format!("@{group}"),
        Inline::Channel(channel) => format!("#{channel}"),
        Inline::Link { text, .. } => format!("[{text}]"),
        Inline::Permalink { text, ts, .. } => format!("[{text} → {ts}]"),
        Inline::Date { at, style } => at.utc().format(style_of(*style)).to_string(),
        Inline::Sign(sign) => face(*sign).to_owned(),
    }
}

const fn style_of(style: DateStyle) -> &'static str {
    match style {
        DateStyle::Seconds => "%H:%M:%S",
        DateStyle::Time => "%H:%M",
        DateStyle::DayTime => "%a, %b %-d at %H:%M",
    }
}

const fn face(sign: Sign) -> &'static str {
    match sign {
        Sign::Good => "✓",
        Sign::Bad => "✗",
        Sign::Unknown => "?",
        Sign::Notice => "!",
        Sign::Waiting => "⏸",
        Sign::Running => "▶",
        Sign::Plan => "☐",
        Sign::Locked => "🔒",
        Sign::Frozen => "❄",
        Sign::Override => "🚨",
    }
}

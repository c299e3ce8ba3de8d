//! Words into Slack's markup, so that nothing foreign ever becomes markup.
//!
//! Slack gives a meaning to `&`, `<` and `>` anywhere, and to `*`, `_`, `~` and backticks at the edge of a word. The first three are escaped. The others
//! have no escape, so foreign ones at the edge of a word are written with their look-alikes. Characters that cannot be seen, or that turn the
//! direction of writing, are spelled out.
//!
//! A text is built of *pieces* that are never cut in the middle: an escaped character, a mention, a link. That way no cut leaves half an entity.

use commands::view::{Inline, Line, Sign};
use url::Url;

use super::limits;

const CUT: &str = "…";

/// A line in markup, at most `limit` long.
#[must_use]
pub(super) fn line(line: &Line, limit: usize) -> String {
    let mut out = Cutter::new(limit);
    for piece in line {
        if !inline(piece, &mut out) {
            break;
        }
    }
    out.text
}

/// Foreign or plain words in markup.
#[must_use]
pub(super) fn words(text: &str, limit: usize) -> String {
    let mut out = Cutter::new(limit);
    out.wrapped("", &tame(text), "");
    out.text
}

/// Text in a fixed width, as it is.
#[must_use]
pub(super) fn verbatim(text: &str, limit: usize) -> String {
    let text: String = visible(text).replace('`', "\u{2cb}");
    let mut out = Cutter::new(limit);
    out.wrapped("```\n", text.trim_end_matches('\n'), "\n```");
    out.text
}

/// Words for places where Slack reads no markup at all: only what cannot be seen is spelled out.
#[must_use]
pub(super) fn plain_words(text: &str, limit: usize) -> String {
    limits::cut(&visible(text).replace('\n', " "), limit)
}

/// Appends a piece; `false` when there was no room for all of it.
fn inline(piece: &Inline, out: &mut Cutter) -> bool {
    match piece {
        Inline::Text(text) => addressed(text, out),
        Inline::Bold(text) => out.wrapped("*", tame(text).trim().replace('*', "\u{2217}").as_str(), "*"),
        Inline::Code(text) => {
            let text = visible(text).replace('`', "\u{2cb}").replace('\n', " ");
            out.wrapped("`", text.trim(), "`")
        }
        Inline::Mention(user) => match user.as_str().strip_prefix("os:") {
            Some(name) => out.wrapped("", &tame(name), " (command line)"),
            None => out.whole(&format!("<@{user}>")),
        },
        Inline::Group(group) => out.whole(&format!("<!subteam^{group}>")),
        Inline::Channel(channel) => out.whole(&format!("<#{channel}>")),
        Inline::Link { url, text } => match address(url) {
            Some(url) => out.wrapped(&format!("<{url}|"), label(text).as_str(), ">"),
            None => out.wrapped("", &tame(text), ""),
        },
        // Slack's own redirect finds the workspace, whose address is not known here.
        Inline::Permalink { channel, ts, text } => {
            let url = format!(
                "https://slack.com/app_redirect?channel={channel}&amp;message_ts={}",
                tame(ts)
            );
            out.wrapped(&format!("<{url}|"), label(text).as_str(), ">")
        }
        Inline::Date { at, style } => {
            let token = match style {
                commands::view::DateStyle::Seconds => "{time_secs}",
                commands::view::DateStyle::Time => "{time}",
                commands::view::DateStyle::DayTime => "{date_short_pretty} at {time}",
            };
            let utc = at.utc().format(style.utc_format());
            out.whole(&format!("<!date^{}^{token}|{utc}>", at.seconds()))
        }
        Inline::Sign(sign) => out.whole(emoji(*sign)),
    }
}

/// Plain words. An address that look-alikes would turn into another (`/__version__`) stands as Slack writes one: people copy it, and tap on it.
fn addressed(text: &str, out: &mut Cutter) -> bool {
    let mut rest = text;
    while let Some((before, word, after)) = next_address(rest) {
        let Some(url) = address(word) else { break };
        if !(out.wrapped("", &tame(before), "") && out.whole(&format!("<{url}>"))) {
            return false;
        }
        rest = after;
    }
    out.wrapped("", &tame(rest), "")
}

/// The first address of a text that would not stay as it is, with what stands before and behind it. The mark that ends a sentence is no part of it.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("https://").map(|at| from + at) {
        let (before, rest) = text.split_at(at);
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', ')', '”']);
        if tame(word) != word {
            return Some((before, word, rest.get(word.len()..)?));
        }
        from = at + word.len();
    }
    None
}

const fn emoji(sign: Sign) -> &'static str {
    match sign {
        Sign::Good => "✅",
        Sign::Bad => "⛔",
        Sign::Unknown => "❔",
        Sign::Notice => "⚠️",
        Sign::Waiting => "⏳",
        Sign::Running => "▶️",
        Sign::Plan => "📋",
        Sign::Locked => "🔒",
        Sign::Frozen => "❄️",
        Sign::Override => "🚨",
    }
}

/// An address that may stand in markup: `https` only, in its normal form, without the characters that would end it.
fn address(url: &str) -> Option<String> {
    let url: Url = url.parse().ok()?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let url = url
        .as_str()
        .replace('|', "%7C")
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace('&', "&amp;");
    (limits::length(&url) <= limits::URL / 2).then_some(url)
}

/// The words of a link: `|` would start another label. A link without words shows its address by itself, so it gets a dash.
fn label(text: &str) -> String {
    let text = tame(text).replace('|', "\u{2223}");
    if text.trim().is_empty() { "-".to_owned() } else { text }
}

/// Foreign text without effect on its surroundings; not yet escaped. It stays on its line: one of its own could pose as ours.
fn tame(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let edge = !(inside(before) && inside(rest.peek().copied()));
        out.push(match c {
            '*' if edge => '\u{2217}',
            '_' if edge => '\u{2cd}',
            '~' if edge => '\u{223c}',
            '`' => '\u{2cb}',
            '>' if before.is_none() => '\u{203a}',
            c => c,
        });
        before = Some(c);
    }
    out
}

/// Spells out what cannot be seen or turns the direction of writing. A joiner within an emoji stays: it is what makes it one.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let pictures = |c: char| c >= '\u{2190}';
        match c {
            '\n' => out.push('\n'),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\t' => out.push(' '),
            '\u{200d}' if pictures(before) && rest.peek().copied().is_some_and(pictures) => out.push(c),
            c if is_hidden(c) => {
                out.push_str("\u{27e8}U+");
                out.push_str(&format!("{:04X}", u32::from(c)));
                out.push('\u{27e9}');
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// Collects pieces while there is room; ends with `…` when something did not fit. Keeps back the room for that sign.
struct Cutter {
    text: String,
    room: usize,
}

impl Cutter {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            room: limit.saturating_sub(CUT.len()),
        }
    }

    /// A piece that is there as a whole or not at all.
    fn whole(&mut self, piece: &str) -> bool {
        let Some(left) = self.room.checked_sub(limits::length(piece)) else {
            self.text.push_str(CUT);
            return false;
        };
        self.room = left;
        self.text.push_str(piece);
        true
    }

    /// Words between two marks; the words may be cut between characters, the marks are there together or not at all.
    fn wrapped(&mut self, open: &str, words: &str, close: &str) -> bool {
        if words.is_empty() {
            return true;
        }
        let marks = limits::length(open) + limits::length(close);
        let Some(mut room) = self.room.checked_sub(marks).filter(|room| *room > 8) else {
            self.text.push_str(CUT);
            return false;
        };
        self.text.push_str(open);
        let mut complete = true;
        let mut buffer = [0; 4];
        for c in words.chars() {
            let piece = escaped(c).unwrap_or_else(|| c.encode_utf8(&mut buffer));
            let Some(left) = room.checked_sub(limits::length(piece)) else {
                self.text.push_str(CUT);
                complete = false;
                break;
            };
            room = left;
            self.text.push_str(piece);
        }
        self.text.push_str(close);
        self.room = room;
        complete
    }
}

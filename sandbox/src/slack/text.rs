//! How Slack stores and sends what a person typed.

use super::Workspace;
use super::model::{BOT_NAME, BOT_USER};

/// Escapes the three characters that are markup to Slack.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a resolved user carries its name: `<@U1|ann>` in a command's text, `<@U1>` in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// A slash command with `should_escape`.
    Shown,
    /// A message.
    Hidden,
}

/// Escapes what was typed and turns `@ann`, `@ops` and `#deploys` into references.
#[must_use]
pub fn encode(workspace: &Workspace, typed: &str, names: Names) -> String {
    let escaped = escape(typed);
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped.as_str();
    let mut at_start = true;
    while let Some(first) = rest.chars().next() {
        let word = rest.get(first.len_utf8()..).map_or("", handle_of);
        if let Some(reference) = at_start.then(|| reference(workspace, first, word, names)).flatten() {
            out.push_str(&reference);
            rest = rest.get(first.len_utf8() + word.len()..).unwrap_or_default();
            at_start = false;
            continue;
        }
        out.push(first);
        at_start = first.is_whitespace() || matches!(first, '(' | '[' | ',' | '"');
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    out
}

/// The characters of a handle at the start; a full stop at the end belongs to the sentence.
fn handle_of(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.')
}

fn reference(workspace: &Workspace, mark: char, word: &str, names: Names) -> Option<String> {
    let user = |id: &str, name: &str| match names {
        Names::Shown => format!("<@{id}|{name}>"),
        Names::Hidden => format!("<@{id}>"),
    };
    match mark {
        '@' if word == BOT_NAME => Some(user(BOT_USER, BOT_NAME)),
        '@' if matches!(word, "here" | "channel" | "everyone") => Some(format!("<!{word}>")),
        '@' => {
            let person = workspace.people.iter().find(|person| person.name == word);
            let group = workspace.groups.iter().find(|group| group.handle == word);
            person
                .map(|person| user(&person.id, &person.name))
                .or_else(|| group.map(|group| format!("<!subteam^{}|@{}>", group.id, group.handle)))
        }
        '#' => {
            let channel = workspace
                .channels
                .iter()
                .find(|channel| channel.im_with.is_none() && channel.name == word);
            channel.map(|channel| format!("<#{}|{}>", channel.id, channel.name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, encode};
    use crate::slack::Workspace;

    #[test]
    fn turns_handles_into_references_and_escapes_the_rest() {
        let workspace = Workspace::seed();
        let typed = "tell @ann, @ops and @nobody in #deploys: a<b & c@ann. @bruno.";
        assert_eq!(
            encode(&workspace, typed, Names::Shown),
            "tell <@U0ANN|ann>, <!subteam^S0OPS|@ops> and @nobody in <#C0DEPLOYS|deploys>: a&lt;b &amp; c@ann. <@U0BRUNO|bruno>.",
        );
        assert_eq!(encode(&workspace, "@signalbox hi", Names::Hidden), "<@U0SIGNAL> hi");
    }
}

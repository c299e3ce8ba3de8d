//! A message for a terminal, where nobody turns an id into a name, and nothing can be clicked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commands::ids::UserId;
use commands::view::{Block, Inline, Line, Message, plain, text};
use futures::future::join_all;

use crate::slack::people::People;

/// How long names are waited for: while Slack does not answer, an id is as good.
const PATIENCE: Duration = Duration::from_secs(2);

/// The lines of a message, with the names of people as far as Slack tells them.
pub(super) async fn words(people: &People, message: &Message) -> Vec<String> {
    let names = names(people, message).await;
    let read = |line: &Line| without_orders(&plain(&spelled(line, &names)));
    let mut lines = Vec::new();
    for block in &message.blocks {
        match block {
            Block::Section(all) | Block::Context(all) => lines.extend(all.iter().map(read)),
            Block::Fields(fields) => {
                lines.extend(fields.iter().map(|(label, line)| format!("{label}: {}", read(line))))
            }
            Block::Verbatim(text) => lines.extend(text.lines().map(without_orders)),
            Block::Divider => lines.push(String::new()),
            // Buttons are for Slack; every one of them has words that do the same.
            Block::Actions(_) => {}
        }
    }
    if lines.is_empty() {
        lines.push(without_orders(&message.fallback));
    }
    lines
}

/// The names of everybody who is mentioned, asked for together and remembered as for any other answer; whoever is missing is not known just now.
async fn names(people: &People, message: &Message) -> BTreeMap<UserId, String> {
    let lines = message.blocks.iter().flat_map(|block| match block {
        Block::Section(all) | Block::Context(all) => all.iter().collect::<Vec<_>>(),
        Block::Fields(fields) => fields.iter().map(|(_, line)| line).collect(),
        Block::Verbatim(_) | Block::Divider | Block::Actions(_) => Vec::new(),
    });
    let mentioned: BTreeSet<&UserId> = lines
        .flatten()
        .filter_map(|piece| match piece {
            Inline::Mention(user) => Some(user),
            _ => None,
        })
        .collect();
    let looks = mentioned.into_iter().map(|user| async move {
        let person = tokio::time::timeout(PATIENCE, people.person(user)).await.ok()?;
        Some((user.clone(), person.name)).filter(|(_, name)| !without_orders(name).trim().is_empty())
    });
    join_all(looks).await.into_iter().flatten().collect()
}

/// Text without control characters, which a terminal takes for orders: much of what is said is foreign.
fn without_orders(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A line with people by their names, and links with where they lead.
fn spelled(line: &Line, names: &BTreeMap<UserId, String>) -> Line {
    let spell = |piece: &Inline| match piece {
        Inline::Mention(user) => names.get(user).map(|name| text(format!("@{name}"))),
        Inline::Link { text: words, url } => Some(text(format!("{words} <{url}>"))),
        _ => None,
    };
    line.iter()
        .map(|piece| spell(piece).unwrap_or_else(|| piece.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_known_is_named_and_an_id_is_as_good_for_the_rest() {
        let [bruno, dana] = ["U0BRUNO", "U0DANA"].map(|id| UserId::parse(id).unwrap());
        let names = BTreeMap::from([(bruno.clone(), "Bruno Lima".to_owned())]);
        let line = vec![Inline::Mention(bruno), text(" and "), Inline::Mention(dana)];
        assert_eq!(plain(&spelled(&line, &names)), "@Bruno Lima and @U0DANA");
    }

    #[test]
    fn a_link_says_where_it_leads() {
        let link = Inline::Link {
            text: "log".into(),
            url: "https://console.example.org/log".into(),
        };
        let line = vec![text("it failed, see its "), link];
        assert_eq!(
            plain(&spelled(&line, &BTreeMap::new())),
            "it failed, see its log <https://console.example.org/log>"
        );
    }

    #[test]
    fn nothing_foreign_gives_the_terminal_orders() {
        assert_eq!(without_orders("Bruno\u{1b}[2J\r\n"), "Bruno[2J");
    }
}

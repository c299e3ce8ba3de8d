//! Help, made of the verb table: what is not in the table cannot be in the help, and the other way round.

use super::message::{Block, Line, Message, bold, code, prose};
use super::words::cut;

/// One verb as help shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelpRow {
    /// The slash command it belongs to.
    pub command: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What follows the name.
    pub usage: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What else to know; may be empty.
    pub detail: &'static str,
}

impl HelpRow {
    /// How it is typed.
    fn typed(&self) -> String {
        [self.command, self.name, self.usage]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// All verbs, or one of them in full.
#[must_use]
pub fn help(specs: &[HelpRow], topic: Option<&str>) -> Message {
    let Some(topic) = topic else { return overview(specs) };
    // `/deploy approve`, as a command asks about its own verbs, or `approve` alone.
    let topic = topic.trim_start_matches('/').to_lowercase();
    let (command, wanted) = topic.split_once(' ').unwrap_or(("", &topic));
    let named = |row: &&HelpRow| !row.name.is_empty() && row.name == wanted;
    let own = |row: &&HelpRow| named(row) && row.command.trim_start_matches('/') == command;
    if let Some(row) = specs.iter().find(own).or_else(|| specs.iter().find(named)) {
        return one(row);
    }
    let of_command: Vec<HelpRow> = specs
        .iter()
        .filter(|row| row.command.trim_start_matches('/') == wanted)
        .copied()
        .collect();
    let verbs: Vec<&HelpRow> = of_command.iter().filter(|row| row.name != "help").collect();
    match verbs.as_slice() {
        [] => {}
        [only] => return one(only),
        _ => return overview(&of_command),
    }
    let near = specs
        .iter()
        .map(|row| row.name)
        .min_by_key(|name| strsim::damerau_levenshtein(name, wanted));
    let mut line = line![format!("There is no verb “{}”.", cut(wanted, 40))];
    if let Some(near) = near.filter(|near| strsim::damerau_levenshtein(near, wanted) <= 2) {
        line.extend(line![" Did you mean ", code(near), "?"]);
    }
    let all = specs
        .first()
        .map(|row| line!["All of them: ", code(format!("{} help", row.command))]);
    Message::headed(line, all.into_iter().collect())
}

fn one(row: &HelpRow) -> Message {
    let mut lines = vec![line![format!("{}.", row.summary)]];
    lines.extend(Some(row.detail).filter(|detail| !detail.is_empty()).map(prose));
    Message::headed(line![code(row.typed())], lines)
}

fn overview(specs: &[HelpRow]) -> Message {
    let mut commands: Vec<&str> = Vec::new();
    for row in specs {
        if !commands.contains(&row.command) {
            commands.push(row.command);
        }
    }
    let mut message = Message::headed(
        line![bold(format!(
            "What you can tell Signalbox with {}",
            commands.join(", ")
        ))],
        Vec::new(),
    );
    for command in &commands {
        let lines: Vec<Line> = specs
            .iter()
            .filter(|row| row.command == *command)
            .map(|row| line![code(row.typed()), format!("  {}", row.summary)])
            .collect();
        message = message.with(Block::Section(lines));
    }
    let more = specs.iter().find(|row| !row.name.is_empty()).map(|row| {
        line![
            "More about one: ",
            code(format!("{} help {}", row.command, row.name)),
            ". In a thread, mention the bot instead of typing a slash."
        ]
    });
    let service = line![
        "A service name may stand before the environment; it is needed only where a channel is home to several services."
    ];
    let flags = line![
        "A word that begins with ",
        code("--"),
        " is a flag; in a reason, put quotation marks around it."
    ];
    message.with(Block::Context(more.into_iter().chain([service, flags]).collect()))
}

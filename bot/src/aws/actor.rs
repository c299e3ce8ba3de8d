//! In whose name the bot acts.

use commands::ids::UserId;

/// In whose name a call is made; CloudTrail and CodePipeline keep it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// The bot's own.
    Bot,
    /// A person's, who decided or asked.
    Person(UserId),
}

impl Actor {
    /// The name of the session: `signalbox`, `slack-U0ANN`, or `cli-ann` for a user of the command line.
    #[must_use]
    pub fn session_name(&self) -> String {
        let name = match self {
            Self::Bot => "signalbox".to_owned(),
            Self::Person(user) => match user.as_str().strip_prefix("os:") {
                Some(name) => format!("cli-{name}"),
                None => format!("slack-{user}"),
            },
        };
        name.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(64)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_are_what_sts_takes() {
        let person = |id: &str| Actor::Person(UserId::parse(id).unwrap()).session_name();
        assert_eq!(Actor::Bot.session_name(), "signalbox");
        assert_eq!(person("U0ANN"), "slack-U0ANN");
        assert_eq!(person("os:ann:x"), "cli-ann-x");
    }
}

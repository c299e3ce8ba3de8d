//! Secrets of other services, by reference: a runbook names the environment variable that holds one, and how it is shown to the other side. The
//! secret itself never enters the core, and so neither a plan nor the journal.

/// Variables that are the bot's own: no step hands them to anybody.
const OWN: [&str; 6] = [
    "SLACK_",
    "SIGNALBOX_",
    "AWS_",
    "REDIS_URL",
    "GITHUB_TOKEN",
    "SENTRY_DSN",
];

/// How a secret is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic …` of this user and the secret; without a user the secret is `user:password` itself.
    Basic(Option<String>),
    /// In a header of this name.
    Header(String),
}

impl Auth {
    /// Reads `bearer`, `basic`, `basic USER` or `header NAME`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match (word, rest) {
            ("bearer", "") => Ok(Self::Bearer),
            ("basic", "") => Ok(Self::Basic(None)),
            ("basic", user) if !user.contains([' ', ':']) => Ok(Self::Basic(Some(user.to_owned()))),
            ("header", name) if !name.is_empty() && name.chars().all(is_name) => Ok(Self::Header(name.to_owned())),
            _ => Err(format!(
                "`{text}` is no way to show a secret: write `bearer`, `basic`, `basic USER` or `header NAME`"
            )),
        }
    }
}

/// Whether a name is that of an environment variable whose secret may be shown to another service; `key` is where it was written.
///
/// # Errors
/// What to write instead.
pub fn check_name(key: &str, name: &str) -> Result<(), String> {
    let good = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        // It is not repeated: somebody may have written the secret itself.
        return Err(format!(
            "`{key}` is no name of an environment variable: write one such as `HEROKU_API_KEY`, never the secret itself"
        ));
    }
    if OWN
        .iter()
        .any(|own| name == *own || (own.ends_with('_') && name.starts_with(own)))
    {
        return Err(format!(
            "`{name}` is the bot's own and is handed to nobody: name a variable with a secret of that service's"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_show_a_secret_are_read() {
        for (text, auth) in [
            ("bearer", Auth::Bearer),
            ("basic", Auth::Basic(None)),
            ("basic api", Auth::Basic(Some("api".to_owned()))),
            ("header Circle-Token", Auth::Header("Circle-Token".to_owned())),
        ] {
            assert_eq!(Auth::parse(text), Ok(auth));
        }
        for text in ["", "header", "header A: b", "basic a:b", "bearer x", "digest"] {
            assert!(Auth::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_bots_own_secrets_are_handed_to_nobody() {
        for name in ["HEROKU_API_KEY", "REDIS_URL_OF_WALLET", "TOKEN2"] {
            assert_eq!(check_name("secret_env", name), Ok(()), "{name}");
        }
        for name in [
            "",
            "xoxb-1",
            "lower",
            "2X",
            "SLACK_BOT_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "SIGNALBOX_AUDIT_KEY",
            "REDIS_URL",
            "GITHUB_TOKEN",
        ] {
            let why = check_name("secret_env", name).unwrap_err();
            assert!(
                name.is_empty() || !name.starts_with("xoxb") || !why.contains(name),
                "{why}"
            );
        }
    }
}

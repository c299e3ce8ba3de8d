//! The environment, read once. This is the only place that looks at it; everything else is handed what it needs.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use url::{Host, Url};

use crate::secret::{Secret, Secrets};

/// What a server needs of its environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Env {
    /// What commands that speak to nobody need too.
    pub local: Local,
    /// `SLACK_BOT_TOKEN`.
    pub slack_token: Secret,
    /// `SLACK_SIGNING_SECRET`: Slack signs what it sends with it.
    pub slack_signing_secret: Secret,
    /// `SLACK_API_URL`: Slack's Web API, or a sandbox's.
    pub slack_api: Url,
    /// `LISTEN`: where HTTP is served.
    pub listen: SocketAddr,
    /// `AWS_ENDPOINT_URL`: where AWS is, if not where it always is.
    pub aws_endpoint: Option<Url>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`: where a container gets its credentials; the way out has to know the host.
    pub aws_credentials: Option<Url>,
    /// `GITHUB_TOKEN`; without it only public repositories can be read, and few times an hour.
    pub github_token: Option<Secret>,
    /// `GITHUB_API_URL`.
    pub github_api: Url,
    /// `HTTPS_PROXY`: what goes out over HTTPS goes through it. May hold a password.
    pub proxy: Option<Url>,
    /// What is set and has no effect; one line each, for the log.
    pub warnings: Vec<String>,
}

/// What every command needs, also those that speak to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// `SIGNALBOX_CONFIG`: the file, or the folder of files.
    pub config: PathBuf,
    /// `REDIS_URL`; without it everything is kept in [`Self::data`]. May hold a password.
    pub redis_url: Option<Secret>,
    /// `SIGNALBOX_DATA`: the file of the embedded store.
    pub data: PathBuf,
    /// `SIGNALBOX_AUDIT_KEY`: the secret of the audit chain; 16 bytes or more.
    pub audit_key: Option<Secret>,
    /// `RUST_LOG`: what is logged.
    pub log: String,
}

/// What is missing from the environment or cannot be right, all of it; one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvError(Vec<String>);

impl fmt::Display for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for EnvError {}

/// The secrets hide themselves; addresses may hold passwords, so only their hosts are shown.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        f.debug_struct("Env")
            .field("local", &self.local)
            .field("slack_api", &host(&self.slack_api))
            .field("listen", &self.listen)
            .field("aws_endpoint", &self.aws_endpoint.as_ref().map(host))
            .field("aws_credentials", &self.aws_credentials.as_ref().map(host))
            .field("github_token", &self.github_token)
            .field("github_api", &host(&self.github_api))
            .field("proxy", &self.proxy.as_ref().map(host))
            .finish_non_exhaustive()
    }
}

impl Env {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Everything that is missing or cannot be right, with where to find it.
    pub fn read() -> Result<Self, EnvError> {
        Self::from_pairs(variable)
    }

    /// The same, for commands that only read the store: an auditor has no token of Slack's, and needs none.
    ///
    /// # Errors
    /// The same.
    pub fn read_without_slack() -> Result<Self, EnvError> {
        Self::from_pairs(|name| {
            let none = matches!(name, "SLACK_BOT_TOKEN" | "SLACK_SIGNING_SECRET").then(|| "xoxb-none".to_owned());
            variable(name).or(none)
        })
    }

    /// The same, of any environment: `look_up` tells the value of a variable, if it is set.
    ///
    /// # Errors
    /// The same.
    pub fn from_pairs(look_up: impl Fn(&str) -> Option<String>) -> Result<Self, EnvError> {
        let mut reader = Reader {
            look_up,
            wrong: Vec::new(),
        };
        let local = reader.local();
        let slack_token = reader.secret(
            "SLACK_BOT_TOKEN",
            "it begins with `xoxb-` and stands at api.slack.com/apps, under your app, OAuth & Permissions",
        );
        if ["xapp-", "xoxp-"].iter().any(|start| {
            slack_token
                .as_ref()
                .is_some_and(|token| token.expose().starts_with(start))
        }) {
            reader.wrong(
                "SLACK_BOT_TOKEN",
                "is another kind of token: the one that begins with `xoxb-` is needed, from OAuth & Permissions",
            );
        }
        let slack_signing_secret = reader.secret(
            "SLACK_SIGNING_SECRET",
            "it stands at api.slack.com/apps, under your app, Basic Information, App Credentials",
        );
        if reader.text("SLACK_APP_TOKEN").is_some() {
            reader.wrong("SLACK_APP_TOKEN", "is set, but Socket Mode is not part of this version; use HTTP: unset it, and give Slack the bot's address");
        }
        let slack_api = reader.address("SLACK_API_URL", Some("https://slack.com/api"), Over::HttpsOrLoopback);
        let listen = reader.listen();
        let aws_endpoint = reader.address("AWS_ENDPOINT_URL", None, Over::Any);
        let aws_credentials = reader.address("AWS_CONTAINER_CREDENTIALS_FULL_URI", None, Over::Any);
        let github_token = reader.text("GITHUB_TOKEN").map(Secret::new);
        let github_api = reader.address("GITHUB_API_URL", Some("https://api.github.com"), Over::HttpsOrLoopback);
        let proxy = reader.proxy();
        let mut warnings = Vec::new();
        if reader.text("SENTRY_DSN").is_some() {
            warnings
                .push("SENTRY_DSN is set, but this version sends nothing to Sentry; errors are in the log".to_owned());
        }
        match (slack_token.zip(slack_signing_secret), slack_api.zip(github_api), listen) {
            (Some((slack_token, slack_signing_secret)), Some((slack_api, github_api)), Some(listen))
                if reader.wrong.is_empty() =>
            {
                Ok(Self {
                    local,
                    slack_token,
                    slack_signing_secret,
                    slack_api,
                    listen,
                    aws_endpoint,
                    aws_credentials,
                    github_token,
                    github_api,
                    proxy,
                    warnings,
                })
            }
            _ => Err(EnvError(reader.wrong)),
        }
    }
}

impl Local {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Everything that cannot be right.
    pub fn read() -> Result<Self, EnvError> {
        Self::from_pairs(variable)
    }

    /// The same, of any environment.
    ///
    /// # Errors
    /// The same.
    pub fn from_pairs(look_up: impl Fn(&str) -> Option<String>) -> Result<Self, EnvError> {
        let mut reader = Reader {
            look_up,
            wrong: Vec::new(),
        };
        let local = reader.local();
        if reader.wrong.is_empty() {
            Ok(local)
        } else {
            Err(EnvError(reader.wrong))
        }
    }
}

/// The secrets of other services that these variables hold; what is not set is left out.
#[must_use]
pub fn secrets(names: impl IntoIterator<Item = String>) -> Secrets {
    let held = names.into_iter().filter_map(|name| {
        let value = variable(&name)?.trim().to_owned();
        (!value.is_empty()).then(|| (name, Secret::new(value)))
    });
    Secrets::new(held.collect())
}

/// One variable of the process.
fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    let value = std::env::var(name);
    match value {
        Ok(value) => Some(value),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(raw)) => Some(raw.to_string_lossy().into_owned()),
    }
}

/// Over what an address may be spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Tokens go there: encrypted, or not out of the machine.
    HttpsOrLoopback,
    /// What goes there is signed, or is nothing secret.
    Any,
}

struct Reader<F> {
    look_up: F,
    wrong: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn wrong(&mut self, name: &str, what: &str) {
        self.wrong.push(format!("{name} {what}"));
    }

    /// A variable that is set to nothing is not set: that is how compose files leave one out.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = (self.look_up)(name)?.trim().to_owned();
        if value.contains(char::REPLACEMENT_CHARACTER) {
            self.wrong(name, "is not UTF-8: write it as plain text");
            return None;
        }
        Some(value).filter(|value| !value.is_empty())
    }

    fn secret(&mut self, name: &str, where_found: &str) -> Option<Secret> {
        let known = self.wrong.len();
        let value = self.text(name);
        if value.is_none() && self.wrong.len() == known {
            self.wrong(name, &format!("is missing: {where_found}"));
        }
        value.map(Secret::new)
    }

    fn local(&mut self) -> Local {
        let audit_key = self.text("SIGNALBOX_AUDIT_KEY");
        if audit_key.as_ref().is_some_and(|key| key.len() < 16) {
            self.wrong(
                "SIGNALBOX_AUDIT_KEY",
                "is too short: 16 bytes or more, such as `openssl rand -hex 32` makes",
            );
        }
        Local {
            config: self
                .text("SIGNALBOX_CONFIG")
                .unwrap_or_else(|| "signalbox.toml".to_owned())
                .into(),
            redis_url: self.text("REDIS_URL").map(Secret::new),
            data: self
                .text("SIGNALBOX_DATA")
                .unwrap_or_else(|| "signalbox.redb".to_owned())
                .into(),
            audit_key: audit_key.map(Secret::new),
            log: self.text("RUST_LOG").unwrap_or_else(|| "info".to_owned()),
        }
    }

    fn address(&mut self, name: &str, default: Option<&str>, over: Over) -> Option<Url> {
        let text = self.text(name).or_else(|| default.map(str::to_owned))?;
        // The text is not repeated: it may hold a password.
        let Some(url) = text
            .parse::<Url>()
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        else {
            self.wrong(name, "is not an address: write one such as `https://host/path`");
            return None;
        };
        if over == Over::HttpsOrLoopback && url.scheme() == "http" && !is_loopback(&url) {
            self.wrong(
                name,
                "would send tokens unencrypted: write `https://…`; `http://…` goes for this machine only",
            );
            return None;
        }
        Some(url)
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let text = self.text("LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let address = text.parse().ok();
        if address.is_none() {
            self.wrong(
                "LISTEN",
                &format!("is `{text}`: write an address and a port, such as `0.0.0.0:8080`"),
            );
        }
        address
    }

    /// Both spellings are about; the upper-case one wins.
    fn proxy(&mut self) -> Option<Url> {
        let spelled = if self.text("HTTPS_PROXY").is_some() {
            "HTTPS_PROXY"
        } else {
            "https_proxy"
        };
        self.address(spelled, None, Over::Any)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: [(&str, &str); 2] = [
        ("SLACK_BOT_TOKEN", "xoxb-hidden"),
        ("SLACK_SIGNING_SECRET", "hidden-too"),
    ];

    fn env(pairs: &[(&str, &str)]) -> Result<Env, EnvError> {
        Env::from_pairs(|name| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn with(more: &[(&str, &str)]) -> Result<Env, EnvError> {
        env(&[&SLACK, more].concat())
    }

    #[test]
    fn two_secrets_are_enough() {
        let env = with(&[]).unwrap();
        assert_eq!(env.slack_api.as_str(), "https://slack.com/api");
        assert_eq!(env.github_api.as_str(), "https://api.github.com/");
        assert_eq!(env.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(env.local.config.to_str(), Some("signalbox.toml"));
        assert_eq!(env.local.data.to_str(), Some("signalbox.redb"));
        assert_eq!(
            (env.local.redis_url, env.local.audit_key, env.proxy),
            (None, None, None)
        );
        assert!(env.warnings.is_empty());
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        insta::assert_snapshot!(env(&[("SLACK_BOT_TOKEN", " ")]).unwrap_err(), @r"
        SLACK_BOT_TOKEN is missing: it begins with `xoxb-` and stands at api.slack.com/apps, under your app, OAuth & Permissions
        SLACK_SIGNING_SECRET is missing: it stands at api.slack.com/apps, under your app, Basic Information, App Credentials
        ");
    }

    #[test]
    fn everything_that_can_not_be_right_is_told_at_once() {
        let error = env(&[
            ("SLACK_BOT_TOKEN", "xapp-1"),
            ("SLACK_SIGNING_SECRET", "x\u{fffd}"),
            ("SLACK_APP_TOKEN", "xapp-1"),
            ("SLACK_API_URL", "http://slack.example/api"),
            ("LISTEN", "8080"),
            ("AWS_ENDPOINT_URL", "localhost:8700"),
            ("GITHUB_API_URL", "github"),
            ("HTTPS_PROXY", "user:secret@proxy"),
            ("SIGNALBOX_AUDIT_KEY", "short"),
        ]);
        insta::assert_snapshot!(error.unwrap_err(), @r"
        SIGNALBOX_AUDIT_KEY is too short: 16 bytes or more, such as `openssl rand -hex 32` makes
        SLACK_BOT_TOKEN is another kind of token: the one that begins with `xoxb-` is needed, from OAuth & Permissions
        SLACK_SIGNING_SECRET is not UTF-8: write it as plain text
        SLACK_APP_TOKEN is set, but Socket Mode is not part of this version; use HTTP: unset it, and give Slack the bot's address
        SLACK_API_URL would send tokens unencrypted: write `https://…`; `http://…` goes for this machine only
        LISTEN is `8080`: write an address and a port, such as `0.0.0.0:8080`
        AWS_ENDPOINT_URL is not an address: write one such as `https://host/path`
        GITHUB_API_URL is not an address: write one such as `https://host/path`
        HTTPS_PROXY is not an address: write one such as `https://host/path`
        ");
    }

    #[test]
    fn a_sandbox_is_spoken_to_without_encryption_on_this_machine_only() {
        for good in [
            "http://127.0.0.1:8700/slack/api",
            "http://localhost:8700/slack/api",
            "http://[::1]:8700/api",
            "https://slack.example/api",
        ] {
            assert!(with(&[("SLACK_API_URL", good)]).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1/api",
            "http://localhost.example/api",
            "http://127.0.0.1.example/api",
            "ftp://localhost/api",
        ] {
            assert!(with(&[("SLACK_API_URL", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let env = with(&[
            ("REDIS_URL", "redis://:hidden@cache"),
            ("SIGNALBOX_AUDIT_KEY", "hidden-hidden-hidden"),
            ("GITHUB_TOKEN", "hidden"),
            ("HTTPS_PROXY", "http://user:hidden@proxy:3128"),
            ("AWS_ENDPOINT_URL", "http://hidden:hidden@localhost"),
        ]);
        let printed = format!("{:?}", env.unwrap());
        assert!(!printed.contains("hidden"), "{printed}");
        assert!(printed.contains("proxy"), "the control: {printed}");
    }

    #[test]
    fn sentry_is_not_quietly_off() {
        insta::assert_snapshot!(with(&[("SENTRY_DSN", "https://key@sentry.example/1")]).unwrap().warnings.join("\n"), @"SENTRY_DSN is set, but this version sends nothing to Sentry; errors are in the log");
    }

    #[test]
    fn what_speaks_to_nobody_needs_no_secrets() {
        let local = Local::from_pairs(|name| (name == "SIGNALBOX_CONFIG").then(|| "conf.d".to_owned())).unwrap();
        assert_eq!(local.config.to_str(), Some("conf.d"));
        assert!(Local::from_pairs(|name| (name == "SIGNALBOX_AUDIT_KEY").then(|| "short".to_owned())).is_err());
    }
}

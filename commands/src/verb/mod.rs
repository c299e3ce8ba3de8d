//! Verbs: what a person may tell the bot. One file each; this table is what help, the manifest's hints and the composer's completion are made of.

mod abort;
mod after;
mod approve;
mod check;
mod confirm;
mod freeze;
mod history;
mod lock;
mod loglevel;
mod maintain;
mod maintenance_off;
mod maintenance_on;
mod maintenance_status;
mod pick;
pub mod press;
mod progress;
mod reject;
pub(crate) mod remedy;
mod retry;
pub mod roles;
mod run;
mod runs;
mod shared;
mod shortcut;
mod show;
mod skip;
mod status;
mod steer;
mod stop;
mod unfreeze;
mod unlock;
mod values;
mod why;

use crate::catalog::Catalog;
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::run::Illegal;
use crate::view::{self, HelpRow, Message};

pub use after::approve_after;
pub use freeze::apply_spread;
pub use pick::Pick;
pub use shared::tell_me;
use shared::{
    announce_override, environment_or_all, may_operate, may_read, nothing, operating_needs, redraw_waiting, refused,
    revision,
};
pub use shortcut::{KEPT_UNDER, kept_under};

/// How the usage of a verb says that it takes the parameters of a runbook.
const VALUES: &str = "[name=value …]";

/// What a verb is, for people and for the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The slash command it belongs to.
    pub command: &'static str,
    /// Its name; empty: it is what the command does when no verb is named.
    pub name: &'static str,
    /// What follows it.
    pub usage: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What else to know, in a few sentences.
    pub detail: &'static str,
    /// The flags it knows, each with its dashes.
    pub flags: &'static [&'static str],
    /// What it is to the gates.
    pub act: Act,
}

impl Spec {
    /// Command and name, as they are typed.
    #[must_use]
    pub fn typed(&self) -> String {
        format!("{} {}", self.command, self.name).trim_end().to_owned()
    }

    /// Refuses flags that it does not know. Where values of a runbook may be flags, that is judged when the runbook is known.
    fn refuse_other_flags(&self, args: &Args<'_>) -> Result<(), ParseError> {
        if self.usage.contains(VALUES) {
            return Ok(());
        }
        args.only_flags(self.called(), self.flags, self.usage.contains("reason"))
    }

    /// The word that people know it by.
    const fn called(&self) -> &'static str {
        if self.name.is_empty() { self.command } else { self.name }
    }
}

/// A verb with its arguments.
pub trait Verb: Sized {
    /// What it is.
    const SPEC: Spec;

    /// Reads its arguments; the verb's own name is taken already.
    ///
    /// # Errors
    /// When the words cannot be understood.
    fn parse(args: &mut Args<'_>, scope: &Scope<'_>) -> Result<(ServiceId, Self), ParseError>;

    /// What has to be loaded for it.
    fn needs(&self, service: &crate::catalog::Service) -> Needs;

    /// Decides, for somebody who may use the bot.
    ///
    /// # Errors
    /// When the program is wrong.
    fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal>;
}

macro_rules! verbs {
    ($($module:ident => $name:ident),* $(,)?) => {
        /// A verb with its arguments.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Request {
            $(#[doc = concat!("`", stringify!($module), "`")] $name($module::$name),)*
        }

        /// All verbs, in the order of help. A test compares this table with the folder.
        const SPECS: &[Spec] = &[$(<$module::$name as Verb>::SPEC),*];

        /// The files they are in.
        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($module)),*];

        fn parse_verb(command: &str, name: &str, args: &mut Args<'_>, scope: &Scope<'_>) -> Option<Result<Command, ParseError>> {
            match (command, name) {
                $((command, name) if command == <$module::$name as Verb>::SPEC.command && name == <$module::$name as Verb>::SPEC.name => Some(
                    <$module::$name as Verb>::SPEC.refuse_other_flags(args)
                        .and_then(|()| <$module::$name as Verb>::parse(args, scope))
                        .map(|(service, verb)| Command { service, request: Request::$name(verb) }),
                ),)*
                _ => shortcut::parse(command, name, args, scope),
            }
        }

        impl Request {
            /// What it is.
            #[must_use]
            pub const fn spec(&self) -> &'static Spec {
                match self { $(Self::$name(_) => &<$module::$name as Verb>::SPEC),* }
            }

            /// What has to be loaded for it.
            #[must_use]
            pub fn needs(&self, service: &crate::catalog::Service) -> Needs {
                match self { $(Self::$name(verb) => verb.needs(service)),* }
            }

            fn decide_for_member(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
                match self { $(Self::$name(verb) => verb.decide(facts, speaker)),* }
            }
        }
    };
}

verbs! {
    status => Status, approve => Approve, reject => Reject, why => Why, check => Check, history => History, runs => Runs, show => Show,
    lock => Lock, unlock => Unlock, freeze => Freeze, unfreeze => Unfreeze, run => Run, confirm => Confirm,
    retry => Retry, remedy => Remedy, skip => Skip, abort => Abort, stop => Stop,
    progress => Progress,
    maintenance_on => MaintenanceOn, maintenance_off => MaintenanceOff, maintenance_status => MaintenanceStatus,
    loglevel => Loglevel,
}

impl Request {
    /// Decides. Whoever may not use the bot hears that and nothing else: every other answer tells something of what is going on.
    ///
    /// # Errors
    /// When the program is wrong.
    pub fn decide(&self, facts: &Facts<'_>, speaker: &Speaker) -> Result<Decision, Illegal> {
        let refusals = may_read(facts, speaker);
        if refusals.is_empty() {
            self.decide_for_member(facts, speaker)
        } else {
            Ok(refused(refusals))
        }
    }

    /// The run that is named, when one is: by a button, or by its id.
    #[must_use]
    pub const fn run(&self) -> Option<&crate::ids::RecordId> {
        match self {
            Self::Approve(approve::Approve {
                pick: Pick::Run(id), ..
            })
            | Self::Reject(reject::Reject {
                pick: Pick::Run(id), ..
            }) => Some(id),
            Self::Retry(retry::Retry {
                target: retry::Target::Run(id),
            })
            | Self::Stop(stop::Stop {
                target: retry::Target::Run(id),
                ..
            }) => Some(id),
            Self::Confirm(confirm::Confirm { aim, .. })
            | Self::Skip(skip::Skip { aim, .. })
            | Self::Abort(abort::Abort { aim, .. })
            | Self::Remedy(remedy::Remedy { aim, .. }) => aim.run.as_ref(),
            Self::MaintenanceOn(maintenance_on::MaintenanceOn { then, .. }) => then.as_ref(),
            _ => None,
        }
    }
}

/// What somebody wants of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The service.
    pub service: ServiceId,
    /// The verb.
    pub request: Request,
}

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Something to decide; several when a verb spans services.
    Commands(Vec<Command>),
    /// Something that needs no facts: help, or what can be run.
    Answer(Message),
}

/// The slash commands of this version.
pub const COMMANDS: &[&str] = &["/deploy", "/migrate", "/switch-colors", "/maintenance", "/loglevel"];

/// Everything that can be typed, in the order of help.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    COMMANDS.iter().flat_map(|command| {
        let shortcuts = shortcut::SHORTCUTS.iter().map(|shortcut| &shortcut.spec);
        shortcuts.chain(SPECS).filter(move |spec| spec.command == *command)
    })
}

/// Reads a text such as `/deploy approve mainnet a1b2c3d`.
///
/// # Errors
/// When it cannot be understood; the error says where and what to type instead.
pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Parsed, ParseError> {
    let mut args = Args::new(text);
    let Some(command) = args.next() else {
        return Ok(Parsed::Answer(help(None)));
    };
    if !COMMANDS.contains(&command) {
        let fresh = Args::new(text);
        let error = fresh.error(format!("`{command}` is not a command of this bot"));
        return Err(fresh.suggesting(error, crate::grammar::closest(command, COMMANDS.iter().copied())));
    }
    let whole = (command != COMMANDS[0]).then_some(command);
    let before = args.clone();
    let Some(verb) = args.next() else {
        return Ok(Parsed::Answer(help(whole)));
    };
    let name = verb.to_lowercase();
    if name == "help" {
        let topic = args.next().map(|topic| format!("{command} {topic}"));
        return Ok(Parsed::Answer(help(topic.as_deref().or(whole))));
    }
    if args.peek().is_none() && whole.is_none() && matches!(name.as_str(), "status" | "runs") {
        return Ok(Parsed::Commands(each_service(&name, scope, &args)?));
    }
    if args.peek().is_none() && whole.is_none() && name == "run" {
        return Ok(Parsed::Answer(run::listed(scope)));
    }
    // A command whose first word is no verb of it may have one that goes without a name.
    let found =
        parse_verb(command, &name, &mut args, scope).or_else(|| parse_verb(command, "", &mut before.clone(), scope));
    found.map_or_else(
        || {
            let known = specs().filter(|spec| spec.command == command).map(|spec| spec.name);
            let error = before.error(format!("there is no verb `{verb}`; `{command} help` lists them"));
            Err(before.suggesting(error, crate::grammar::closest(&name, known.chain(["help"]))))
        },
        |command| command.map(|command| Parsed::Commands(vec![command])),
    )
}

/// What a mention says, as a command: `@signalbox approve mainnet`, `@signalbox migrate plan stg`, `@signalbox /migrate plan stg`.
#[must_use]
pub fn of_mention(text: &str) -> String {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
    let bare = first.trim_start_matches('/');
    match COMMANDS.iter().find(|command| command.trim_start_matches('/') == bare) {
        Some(command) => format!("{command}{}", &text[first.len()..]),
        None => format!("{} {text}", COMMANDS[0]),
    }
}

/// `status` and `runs` without more words are about every service at home in the channel, or about all.
fn each_service(name: &str, scope: &Scope<'_>, args: &Args<'_>) -> Result<Vec<Command>, ParseError> {
    let home = scope.catalog.at_home_in(scope.channel);
    let all = if home.is_empty() {
        scope.catalog.services.values().collect()
    } else {
        home
    };
    if all.is_empty() {
        return Err(args.error("no service is configured: add one to signalbox.toml"));
    }
    let request = |service: &crate::catalog::Service| Command {
        service: service.id.clone(),
        request: if name == "runs" {
            Request::Runs(runs::Runs)
        } else {
            Request::Status(status::Status { environment: None })
        },
    };
    Ok(all.into_iter().map(request).collect())
}

/// The table of verbs as people read it.
#[must_use]
pub fn help(topic: Option<&str>) -> Message {
    view::help(&rows(), topic)
}

/// The table of verbs.
#[must_use]
pub fn rows() -> Vec<HelpRow> {
    let row = |spec: &Spec| HelpRow {
        command: spec.command,
        name: spec.name,
        usage: spec.usage,
        summary: spec.summary,
        detail: spec.detail,
    };
    let help = |command: &'static str| HelpRow {
        command,
        name: "help",
        usage: "[verb]",
        summary: "This list, or more about one verb",
        detail: "",
    };
    COMMANDS
        .iter()
        .flat_map(|command| {
            let own = specs().filter(move |spec| spec.command == *command);
            own.map(row).chain([help(command)])
        })
        .collect()
}

/// The words that follow a slash command in Slack's own hint, for the manifest.
#[must_use]
pub fn usage_hint(command: &str) -> String {
    let words = specs()
        .filter(|spec| spec.command == command)
        .map(|spec| if spec.name.is_empty() { spec.usage } else { spec.name });
    words.chain(["help"]).collect::<Vec<_>>().join(" · ")
}

/// The catalog's services by the name a button carries.
#[must_use]
pub fn service_named<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c crate::catalog::Service> {
    catalog.services.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_file_is_in_the_table() {
        let helpers = [
            "after", "maintain", "pick", "press", "roles", "shared", "shortcut", "steer", "values",
        ];
        let mut table = FILES.to_vec();
        table.sort_unstable();
        assert_eq!(crate::test_support::files_of("src/verb", &helpers), table);
    }

    #[test]
    fn the_manifest_has_every_command_with_its_hint() {
        let manifest = include_str!("../../../manifest.yml");
        for command in COMMANDS {
            let (_, own) = manifest.split_once(&format!("- command: {command}\n")).expect(command);
            let hint = own.lines().find_map(|line| line.trim().strip_prefix("usage_hint: "));
            assert_eq!(hint, Some(usage_hint(command).as_str()), "{command}");
        }
        assert_eq!(manifest.matches("- command: ").count(), COMMANDS.len());
    }

    #[test]
    fn a_mention_may_name_the_command() {
        for (said, meant) in [
            (" approve mainnet", "/deploy approve mainnet"),
            ("migrate plan stg", "/migrate plan stg"),
            ("/Switch-Colors stg", "/switch-colors stg"),
            ("", "/deploy "),
        ] {
            assert_eq!(of_mention(said), meant);
        }
    }

    #[test]
    fn nothing_is_typed_alike() {
        let mut typed: Vec<_> = specs().map(Spec::typed).collect();
        let all = typed.len();
        typed.sort();
        typed.dedup();
        assert_eq!(typed.len(), all);
        assert_eq!(all, SPECS.len() + shortcut::SHORTCUTS.len(), "a verb is of no command");
    }
}

//! Verbs: what a person may tell the bot. One file each; this table is what help, the manifest's hints and the composer's completion are made of.

mod abort;
mod approve;
mod check;
mod confirm;
mod freeze;
mod history;
mod lock;
mod pick;
pub mod press;
mod reject;
pub(crate) mod remedy;
mod retry;
pub mod roles;
mod run;
mod runs;
mod shared;
mod skip;
mod status;
mod steer;
mod stop;
mod unfreeze;
mod unlock;
mod why;

use crate::catalog::Catalog;
use crate::decision::Decision;
use crate::facts::{Facts, Needs, Speaker};
use crate::gate::Act;
use crate::grammar::{Args, ParseError, Scope};
use crate::ids::ServiceId;
use crate::run::Illegal;
use crate::view::{self, HelpRow, Message};

pub use freeze::apply_spread;
pub use pick::Pick;
pub use shared::tell_me;
use shared::{
    announce_override, environment_or_all, may_operate, may_read, nothing, operating_needs, redraw_waiting, refused,
    revision,
};

/// What a verb is, for people and for the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The slash command it belongs to.
    pub command: &'static str,
    /// Its name.
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
    fn refuse_other_flags(&self, args: &Args<'_>) -> Result<(), ParseError> {
        args.only_flags(self.name, self.flags, self.usage.contains("reason"))
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
        pub const SPECS: &[Spec] = &[$(<$module::$name as Verb>::SPEC),*];

        fn parse_verb(name: &str, args: &mut Args<'_>, scope: &Scope<'_>) -> Option<Result<Command, ParseError>> {
            match name {
                $(name if name == <$module::$name as Verb>::SPEC.name => Some(
                    <$module::$name as Verb>::SPEC.refuse_other_flags(args)
                        .and_then(|()| <$module::$name as Verb>::parse(args, scope))
                        .map(|(service, verb)| Command { service, request: Request::$name(verb) }),
                ),)*
                _ => None,
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
    status => Status, approve => Approve, reject => Reject, why => Why, check => Check, history => History, runs => Runs,
    lock => Lock, unlock => Unlock, freeze => Freeze, unfreeze => Unfreeze, run => Run, confirm => Confirm,
    retry => Retry, remedy => Remedy, skip => Skip, abort => Abort, stop => Stop,
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
            | Self::Remedy(remedy::Remedy { aim }) => aim.run.as_ref(),
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
    /// Something that needs no facts: help.
    Answer(Message),
}

/// The slash commands of this version.
pub const COMMANDS: &[&str] = &["/deploy"];

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
    let before = args.clone();
    let Some(verb) = args.next() else {
        return Ok(Parsed::Answer(help(None)));
    };
    let name = verb.to_lowercase();
    if name == "help" {
        return Ok(Parsed::Answer(help(args.next())));
    }
    if args.peek().is_none() && matches!(name.as_str(), "status" | "runs") {
        return Ok(Parsed::Commands(each_service(&name, scope, &args)?));
    }
    parse_verb(&name, &mut args, scope).map_or_else(
        || {
            let known = SPECS.iter().map(|spec| spec.name).chain(["help"]);
            let error = before.error(format!("there is no verb `{verb}`; `{command} help` lists them"));
            Err(before.suggesting(error, crate::grammar::closest(&name, known)))
        },
        |command| command.map(|command| Parsed::Commands(vec![command])),
    )
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
    let help = HelpRow {
        command: "/deploy",
        name: "help",
        usage: "[verb]",
        summary: "This list, or more about one verb",
        detail: "",
    };
    SPECS.iter().map(row).chain([help]).collect()
}

/// The words that follow a slash command in Slack's own hint, for the manifest.
#[must_use]
pub fn usage_hint(command: &str) -> String {
    let names: Vec<&str> = SPECS
        .iter()
        .filter(|spec| spec.command == command)
        .map(|spec| spec.name)
        .collect();
    format!("{} · help", names.join(" · "))
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
        let files = crate::test_support::files_of("src/verb", &["pick", "press", "roles", "shared", "steer"]);
        let mut table: Vec<_> = SPECS.iter().map(|spec| spec.name.to_owned()).collect();
        table.sort();
        assert_eq!(files, table);
    }
}

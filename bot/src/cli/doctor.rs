//! Checks everything that only the real world can tell, and says how to mend what is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use commands::catalog::{Environment, Service};
use commands::facts::Standing;
use commands::ids::{GroupId, UserId};
use state::embedded::Embedded;

use super::print;
use super::setup::Setup;
use crate::aws::codepipeline::ReadRequest;
use crate::bot::open_store;
use crate::door::Lease;
use crate::runner::Engine;

/// What the bot's token has to be allowed, and for what.
const SCOPES: &[(&str, &str)] = &[
    ("chat:write", "posts and edits cards"),
    ("commands", "hears slash commands"),
    ("app_mentions:read", "hears mentions"),
    ("channels:history", "finds its own messages again after a crash"),
    ("channels:read", "sees whether a channel is shared with others"),
    ("im:write", "tells people about their runs"),
    ("users:read", "knows guests and strangers"),
    ("users:read.email", "knows the authors of commits"),
    ("usergroups:read", "knows who may approve"),
];

/// The findings so far.
#[derive(Default)]
struct Findings {
    bad: usize,
}

impl Findings {
    fn good(&self, words: &str) {
        print(format_args!("ok       {words}"));
    }

    fn unproven(&self, words: &str) {
        print(format_args!("unproven {words}"));
    }

    fn bad(&mut self, words: &str, mend: &str) {
        self.bad += 1;
        print(format_args!("BAD      {words}\n         {mend}"));
    }
}

/// Looks at everything, and says at the end how much is wrong.
///
/// # Errors
/// When there is nothing to look with.
pub(super) async fn doctor() -> Result<bool> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let setup = Setup::read()?;
    let mut findings = Findings::default();
    findings.good("the configuration can be read");
    secrets(&setup, &mut findings);
    let bot = match open_store(setup.env.local.redis_url.as_ref(), &setup.env.local.data).await {
        Ok(own) => {
            let bot = setup.bot_on(own, None).await?;
            store(bot.engine(), &mut findings).await;
            bot
        }
        // A running server holds its file; the rest can be looked at all the same, with an empty store in its place.
        Err(_) if setup.socket().is_some_and(|path| path.exists()) => {
            findings.good("the store is a file, and in use by the running server");
            setup.bot_on(Arc::new(Embedded::in_memory()?), None).await?
        }
        Err(error) => return Err(error),
    };
    let engine = bot.engine();
    slack(engine, &mut findings).await;
    for service in engine.catalog.services.values() {
        channel(engine, service, &mut findings).await;
        people(engine, service, &mut findings).await;
        for environment in &service.environments {
            pipeline(engine, service, environment, &mut findings).await;
        }
    }
    findings.unproven("whether another app of the workspace has /deploy too: the one installed last gets it. Type /deploy help and look who answers");
    bot.drain().await;
    print(if findings.bad == 0 {
        "all is well".to_owned()
    } else {
        format!("{} to mend", findings.bad)
    });
    Ok(findings.bad == 0)
}

/// Names only, of variables and of the keys that need them: what is in them is nobody's business.
fn secrets(setup: &Setup, findings: &mut Findings) {
    let (set, unset) = setup.secrets();
    for (variable, keys) in unset {
        let keys: Vec<String> = keys.into_iter().collect();
        findings.bad(
            &format!(
                "{variable} is not set, or empty: {} has nothing to show",
                keys.join(", ")
            ),
            "Set it in the bot's environment and restart the bot. Until then what needs it fails, and says so.",
        );
    }
    for variable in set.keys() {
        findings.good(&format!("{variable} is set"));
    }
}

async fn store(engine: &Engine, findings: &mut Findings) {
    match engine.store.health().await {
        Err(error) => findings.bad(&format!("the store: {error}"), "Is it running, and is REDIS_URL right?"),
        Ok(health) => {
            findings.good(&format!("the store answers: {}", health.server));
            match health.durable {
                Some(true) => findings.good("what it acknowledges survives power loss"),
                Some(false) => findings.bad("what it acknowledges can be lost", &health.notes.join("; ")),
                None => findings.unproven(&format!(
                    "whether what it acknowledges survives power loss: {}",
                    health.notes.join("; ")
                )),
            }
        }
    }
}

async fn slack(engine: &Engine, findings: &mut Findings) {
    let home = match engine.people.home().await {
        Ok(home) => home,
        Err(error) => {
            return findings.bad(
                &format!("Slack: {error}"),
                "Is SLACK_BOT_TOKEN the token of an installed app?",
            );
        }
    };
    findings.good(&format!(
        "Slack knows the token, in workspace {}",
        home.team.as_ref().map_or("?", commands::ids::TeamId::as_str)
    ));
    if home.scopes.is_empty() {
        return findings.unproven("the token's scopes: Slack does not tell them");
    }
    for (scope, what) in SCOPES {
        if !home.scopes.contains(*scope) {
            findings.bad(
                &format!("the scope {scope} is missing: without it the bot never {what}"),
                "Add it under OAuth & Permissions and install the app again.",
            );
        }
    }
}

async fn channel(engine: &Engine, service: &Service, findings: &mut Findings) {
    match engine.people.is_shared(&service.channel).await {
        None => findings.bad(
            &format!("{}: the channel {} cannot be seen", service.id, service.channel),
            "Is the id right? Invite the bot to the channel: /invite @signalbox.",
        ),
        Some(true) => findings.bad(
            &format!(
                "{}: the channel {} is shared with another workspace",
                service.id, service.channel
            ),
            "Strangers see the cards there, though they cannot press anything. Use a channel of your own.",
        ),
        Some(false) => findings.good(&format!(
            "{}: the channel {} is yours alone",
            service.id, service.channel
        )),
    }
}

async fn people(engine: &Engine, service: &Service, findings: &mut Findings) {
    let groups: BTreeSet<GroupId> = service.environments.iter().flat_map(Environment::groups).collect();
    for group in groups {
        match engine.people.members(&group).await {
            None => findings.bad(&format!("{}: the group {group} cannot be read", service.id), "User groups need a paid plan and the scope usergroups:read; people can be named one by one under `users` instead."),
            Some(members) if members.is_empty() => findings.bad(&format!("{}: nobody is in the group {group}", service.id), "Nobody may act there."),
            Some(members) => findings.good(&format!("{}: {} people are in the group {group}", service.id, members.len())),
        }
    }
    let named = service.environments.iter().flat_map(|environment| {
        [
            &environment.approvers.people,
            environment.operators(),
            &environment.overriders,
        ]
    });
    let users: BTreeSet<UserId> = named.flat_map(|people| people.users.iter().cloned()).collect();
    for user in users {
        let person = engine.people.person(&user).await;
        if person.standing != Standing::Member {
            findings.bad(
                &format!("{}: {user} is {:?} and may do nothing", service.id, person.standing),
                "Take them out of the configuration, or mend the id.",
            );
        }
    }
}

async fn pipeline(engine: &Arc<Engine>, service: &Service, environment: &Environment, findings: &mut Findings) {
    let place = format!("{} {}", service.id, environment.id);
    let gate = &environment.pipeline;
    let request = ReadRequest {
        pipeline: &gate.name,
        aws: &environment.aws,
        following: &[],
        prime: true,
        as_of: 0,
        lease: Lease::NONE,
    };
    match engine.pipelines.read_pipeline(&request).await {
        Ok(_) => findings.good(&format!("{place}: the pipeline {} can be read", gate.name)),
        Err(error) => findings.bad(
            &format!("{place}: the pipeline {} cannot be read: {error}", gate.name),
            "Does the role trust the bot, and does it allow codepipeline:GetPipelineState, GetPipeline, GetPipelineExecution, ListPipelineExecutions and ListActionExecutions? docs/operations.md has the policy.",
        ),
    }
    if environment.checks.iter().any(|check| check.0 == "alarms-quiet")
        && let Err(error) = engine
            .alarms
            .alarms(&environment.aws, &environment.alarms, Lease::NONE)
            .await
    {
        findings.bad(
            &format!("{place}: alarms cannot be read: {error}"),
            "Allow cloudwatch:DescribeAlarms.",
        );
    }
}

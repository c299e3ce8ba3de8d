//! The gates, through the bot and from end to end: what each holds up, what people read then, and what lets them go on.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a scenario fails by panicking")]

use chrono::{Datelike, Days, TimeZone, Weekday};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::scenario::{DEPLOYS, Said, Scenario, options, shared_store, text_of};

/// The demo's world with some words of its configuration replaced.
async fn with(replace: &[(&str, &str)]) -> Scenario {
    let mut options = options(shared_store());
    for (from, to) in replace {
        assert!(options.config.contains(from), "the example has {from}");
        options.config = options.config.replacen(from, to, 1);
    }
    Scenario::with(options).await
}

/// The wallet's journal and its refusals: reason code, actor, and what is in the row.
async fn journal(town: &Scenario) -> Vec<(String, String, String)> {
    let engine = town.rig.engine().await.unwrap();
    let (wallet, _) = engine
        .catalog
        .services
        .iter()
        .find(|(id, _)| id.as_str() == "wallet")
        .unwrap();
    let mut rows = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    for entry in engine.store.ledger(wallet, 0, 10_000).await.unwrap() {
        let new = match entry.refusal {
            Some(refusal) => vec![refusal],
            None if told.insert(entry.record.clone()) => {
                engine.store.journal(wallet, &entry.record, 0, 1_000).await.unwrap()
            }
            None => Vec::new(),
        };
        rows.extend(new.into_iter().map(|row| (row.reason, row.actor, row.event)));
    }
    rows
}

/// Says something until old evidence is no longer what is in the way.
async fn says_in_time(town: &Scenario, user: &str, text: &str) -> Said {
    for _ in 0..10 {
        let said = town.says(user, text).await;
        if !said.text.contains("Checks are in the way") {
            return said;
        }
        let (before, mut looks) = (town.asked("aws.DescribeAlarms"), 0);
        town.in_time("fresh evidence", |town| {
            looks += 1;
            (town.asked("aws.DescribeAlarms") > before || looks > 20).then_some(())
        })
        .await;
    }
    panic!("evidence stayed old: {}", town.transcript())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_looked_at_again_and_the_card_fills_in() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    let alarm = |state: &str| json!({ "name": "wallet-service-mainnet-errors-major", "state": state });
    town.control("aws/alarm", alarm("ALARM")).await;
    let looking = town.says("U0RITA", "/deploy check mainnet").await;
    assert!(
        looking.text.contains(&format!("Looking at {short} again")),
        "{}",
        looking.text
    );
    let rings = town
        .card_in_time(&[&short, "wallet-service-mainnet-errors-major"])
        .await;
    assert_eq!(rings.ts, card.ts, "the card fills in, no other is posted");
    let refused = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(
        refused.text.contains("Checks are in the way: alarms-quiet") && refused.text.contains("/deploy check mainnet"),
        "{}",
        refused.text
    );
    town.control("aws/alarm", alarm("OK")).await;
    town.writes("U0RITA", "@signalbox check mainnet", Some(&card.ts)).await;
    town.card_in_time(&[&short, "2 alarms quiet"]).await;
    let counted = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(counted.text.contains("1 of 2"), "{}", counted.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weekend_begins_and_ends_by_the_wall_clock_of_the_service() {
    let mut options = options(shared_store());
    let weekly = "[[service.wallet.freeze]]\nweekly = \"Fri 15:00 - Mon 08:00\"\nreason = \"no deploys over the weekend\"\n\n[service.web]\n";
    options.config = options.config.replacen("[service.web]\n", weekly, 1);
    // Friday 14:50 in São Paulo is 17:50 UTC: by UTC the weekend would have begun long ago.
    let clock = &options.sandbox.clock;
    let now = chrono::Utc.timestamp_millis_opt(clock.now_ms()).unwrap();
    let days = (Weekday::Fri.num_days_from_monday() + 7 - now.weekday().num_days_from_monday()) % 7 + 7;
    let friday = (now.date_naive() + Days::new(days.into()))
        .and_hms_opt(17, 50, 0)
        .unwrap();
    clock.jump(friday.and_utc().timestamp_millis() - clock.now_ms());
    let town = Scenario::with(options).await;
    let (_, short) = town.opening().await;
    let before = says_in_time(&town, "U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(before.text.contains("1 of 2"), "{}", before.text);
    town.passes(10 * 60);
    let held = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(
        held.text.contains("mainnet is frozen: no deploys over the weekend"),
        "{}",
        held.text
    );
    assert!(
        held.text.contains("Mon, ") && held.text.contains("11:00 UTC"),
        "8 in São Paulo: {}",
        held.text
    );
    town.card_in_time(&[&short, "no deploys over the weekend"]).await;
    // Monday 07:59 there.
    let monday = friday.and_utc().timestamp() + (2 * 24 + 17) * 3600 + 9 * 60;
    town.passes(monday - town.rig.sandbox().world().clock.now_ms() / 1000);
    let still = town.says("U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(still.text.contains("no deploys over the weekend"), "{}", still.text);
    town.passes(90);
    let after = says_in_time(&town, "U0BRUNO", &format!("/deploy approve mainnet {short}")).await;
    assert!(after.text.contains("Recorded"), "{}", after.text);
    town.card_in_time(&[&short, "released"]).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_each_of_two_groups_has_to_agree() {
    let town = with(&[(
        "{ groups = [\"S0WALLET\"], required = 2 }",
        "{ all_of = [\"S0WALLET\", \"S0OPS\"] }",
    )])
    .await;
    let wallet = json!({ "group": "S0WALLET", "users": ["U0ANN", "U0RITA", "U0DANA"] });
    town.control("slack/group", wallet).await;
    let (_, short) = town.opening().await;
    let approve = format!("/deploy approve mainnet {short}");
    let ann = town.says("U0ANN", &approve).await;
    assert!(ann.text.contains("1 of 2"), "{}", ann.text);
    let rita = town.says("U0RITA", &approve).await;
    assert!(
        rita.text.contains("S0OPS"),
        "two of one group are not one of each: {}",
        rita.text
    );
    town.card_in_time(&[&short, "S0OPS"]).await;
    assert!(town.answers().is_empty());
    let bruno = town.says("U0BRUNO", &approve).await;
    assert!(bruno.text.contains("Recorded"), "{}", bruno.text);
    town.card_in_time(&[&short, "released"]).await;
    assert_eq!(town.answers().len(), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_goes_through_testnet_first() {
    let town = Scenario::start().await;
    town.clears_the_gate().await;
    let tag = |message: Option<&str>| json!({ "pipeline": "wallet-service", "git_ref": "v1.5.0", "author": "carla", "message": message });
    let pushed = town.pushes_as(tag(Some("feat: not on testnet yet"))).await;
    let asks = [pushed.short(), "mainnet", "waits for 2", "2 alarms quiet", "migration"];
    town.card_in_time(&asks).await;
    town.passes(20);
    let approve = format!("/deploy approve mainnet {}", pushed.short());
    let early = town.says("U0ANN", &approve).await;
    assert!(
        early.text.contains("mainnet comes after testnet") && early.text.contains("Release it there first"),
        "{}",
        early.text
    );
    let said = town
        .says(
            "U0ANN",
            &format!("/deploy reject mainnet {} testnet first", pushed.short()),
        )
        .await;
    assert!(said.text.contains("Rejection recorded"), "{}", said.text);
    town.card_in_time(&[pushed.short(), "rejected by Ann"]).await;
    let built = town
        .pushes_as(json!({ "pipeline": "wallet-service", "git_ref": "master" }))
        .await;
    assert_eq!(built.head, pushed.head, "the same commit");
    let card = town
        .card_in_time(&[&built.execution, "testnet", "waits for", "alarms-quiet"])
        .await;
    town.presses("U0ANN", &card.ts, "approve").await;
    town.card_in_time(&[&built.execution, "released"]).await;
    let again = town.pushes_as(tag(None)).await;
    assert_eq!(again.head, pushed.head, "the same tag");
    town.card_in_time(&[&again.execution, "mainnet", "waits for 2", "2 alarms quiet"])
        .await;
    town.passes(20);
    let counted = says_in_time(&town, "U0ANN", &approve).await;
    assert!(counted.text.contains("1 of 2"), "{}", counted.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_whom_slack_does_not_know_holds_production_up() {
    let town = Scenario::start().await;
    let pushed = town.pushes("web-app", "zoe", "feat: by a stranger").await;
    let card = town
        .card_in_time(&[pushed.short(), "prod", "waits for", "2 alarms quiet"])
        .await;
    town.passes(20);
    town.clicks("U0ANN", &card.ts, "approve").await;
    let told = town.whispered("U0ANN", "Slack does not know these authors").await;
    assert!(told.contains("zoe") && told.contains("authors"), "{told}");
    let other = town.pushes("web-staging", "zoe", "feat: by a stranger").await;
    let card = town
        .card_in_time(&[
            other.short(),
            "staging",
            "waits for",
            "*migrations-touched*: no migrations",
        ])
        .await;
    town.passes(20);
    town.clicks("U0ANN", &card.ts, "approve").await;
    town.card_in_time(&[other.short(), "staging", "released"]).await;
    assert_eq!(town.answers().len(), 1, "staging is no production");
    town.ends().await;
}

/// A press as Slack would deliver it, whoever it is by: the sandbox's own people cannot all see the card.
async fn presses_as(town: &Scenario, (user, team): (&str, &str), card: &sandbox::slack::Message) -> u16 {
    let button = find_button(&json!(card.blocks), "approve").unwrap();
    let now = town.rig.sandbox().world().clock.now_ms();
    let payload = json!({
        "type": "block_actions", "api_app_id": "A0SIGNAL", "team": { "id": "T0SIGNAL" }, "user": { "id": user, "team_id": team },
        "channel": { "id": DEPLOYS }, "message": { "ts": card.ts }, "container": { "message_ts": card.ts, "channel_id": DEPLOYS },
        "actions": [{ "action_id": button["action_id"], "value": button["value"], "action_ts": format!("{}.000100", now / 1000) }],
    });
    let body = format!("payload={}", percent(&payload.to_string()));
    let stamp = now / 1000;
    let mut mac = Hmac::<Sha256>::new_from_slice(b"sandbox-signing-secret").unwrap();
    mac.update(format!("v0:{stamp}:{body}").as_bytes());
    let request = reqwest::Client::new()
        .post(format!("{}/slack/interactions", town.rig.bot_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", stamp.to_string())
        .header(
            "x-slack-signature",
            format!("v0={}", hex::encode(mac.finalize().into_bytes())),
        )
        .body(body);
    request.send().await.unwrap().status().as_u16()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn find_button(blocks: &Value, action: &str) -> Option<Value> {
    match blocks {
        Value::Object(fields) => {
            let named = fields.get("action_id").and_then(Value::as_str);
            if named.is_some_and(|named| named == action || named.starts_with(&format!("{action}:"))) {
                return Some(blocks.clone());
            }
            fields.values().find_map(|value| find_button(value, action))
        }
        Value::Array(items) => items.iter().find_map(|value| find_button(value, action)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_strangers_and_leavers_press_in_vain_by_slacks_own_word() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    // Everybody is among the approvers, if group membership were all that counts.
    let all = json!({ "group": "S0WALLET", "users": ["U0ANN", "U0BRUNO", "U0GUS", "U0EVE", "U0OLD", "U0DANA"] });
    town.control("slack/group", all).await;
    for (user, team) in [
        ("U0GUS", "T0SIGNAL"),
        ("U0EVE", "T0OTHER"),
        // A delivery that lies about the workspace: Slack's own word about the person stands.
        ("U0EVE", "T0SIGNAL"),
        ("U0OLD", "T0SIGNAL"),
        ("U0NOBODY", "T0SIGNAL"),
    ] {
        town.passes(2);
        assert_eq!(presses_as(&town, (user, team), &card).await, 200, "{user}");
    }
    let rows = journal(&town).await;
    for (user, why) in [
        ("U0GUS", "Guests may not use"),
        ("U0EVE", "another workspace"),
        ("U0OLD", "deactivated"),
        ("U0NOBODY", "another workspace"),
    ] {
        let mut theirs = rows.iter().filter(|(_, actor, _)| actor == user).peekable();
        assert!(theirs.peek().is_some(), "{user} is in the journal: {rows:?}");
        assert!(
            theirs.all(|(reason, _, event)| reason == "identity" && event.contains(why)),
            "{user}: {rows:?}"
        );
    }
    assert!(town.answers().is_empty());
    assert_eq!(town.cards_with(&[&short, "waits for 2 of 2"]).len(), 1);
    // The control: the same press by a member counts.
    town.passes(2);
    assert_eq!(presses_as(&town, ("U0ANN", "T0SIGNAL"), &card).await, 200);
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_use_the_bot_reads_that_and_nothing_else() {
    let town = Scenario::start().await;
    town.opening().await;
    town.says("U0BRUNO", "/deploy lock testnet a secret reason").await;
    for text in [
        "/deploy status",
        "/deploy why mainnet",
        "/deploy approve testnet",
        "/deploy reject testnet no",
        "/deploy lock testnet",
        "/deploy unlock testnet",
        "/deploy retry mainnet 0123456789ab",
        "/deploy approve mainet",
        "/deploy help",
        "/deploy",
    ] {
        let told = town.says("U0GUS", text).await;
        assert!(
            told.text.contains("Guests may not use Signalbox"),
            "{text}: {}",
            told.text
        );
        for secret in [
            "mainnet",
            "testnet",
            "U0BRUNO",
            "secret",
            "Nothing was done",
            "S0WALLET",
        ] {
            assert!(!told.text.contains(secret), "{text} tells {secret}: {}", told.text);
        }
    }
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_runs_out_tells_who_waits_and_a_misspelled_flag_takes_nothing() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    town.says("U0BRUNO", "/deploy lock mainnet for 30m draining the queue")
        .await;
    let typo = town.says("U0CARLA", "/deploy lock mainnet --stael my turn").await;
    assert!(
        typo.text.contains("/deploy lock mainnet --steal my turn"),
        "{}",
        typo.text
    );
    assert_ne!(typo.body["response_type"], "in_channel");
    let held = town.says("U0CARLA", "/deploy lock mainnet").await;
    assert!(held.text.contains("draining the queue"), "{}", held.text);
    let slip = {
        let slack = town.rig.sandbox().world().slack();
        let slip = slack.ephemerals_for("U0CARLA", DEPLOYS).last().cloned();
        slip.unwrap()
    };
    town.clicks("U0CARLA", &slip.ts, "tell_me").await;
    town.whispered("U0CARLA", "You will be told here when mainnet is free")
        .await;
    town.passes(31 * 60);
    town.in_time("word to Carla", |town| {
        let slack = town.rig.sandbox().world().slack();
        let mut all = slack.messages("D0CARLA");
        all.any(|message| text_of(message).contains("mainnet is free"))
            .then_some(())
    })
    .await;
    let counted = says_in_time(&town, "U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(counted.text.contains("1 of 2"), "{}", counted.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_glass_is_in_the_journal_with_everything_that_it_passed() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    town.says("U0BRUNO", "/deploy freeze mainnet quiet please").await;
    town.says("U0BRUNO", "/deploy lock mainnet my turn").await;
    let broken = town
        .says(
            "U0CARLA",
            &format!("/deploy approve mainnet {short} --override money is leaking"),
        )
        .await;
    assert!(broken.text.contains("Recorded"), "{}", broken.text);
    let loud = text_of(&town.hears_in_time("the glass was broken").await);
    for words in ["U0CARLA", "a freeze", "somebody else's lock", "money is leaking"] {
        assert!(loud.contains(words), "{words}: {loud}");
    }
    town.card_in_time(&[&short, "GLASS BROKEN", "released"]).await;
    let rows = journal(&town).await;
    let (_, actor, event) = rows.iter().find(|(reason, ..)| reason == "override").unwrap();
    assert_eq!(actor, "U0CARLA");
    for gate in ["frozen", "locked", "quorum"] {
        assert!(event.contains(gate), "{gate}: {event}");
    }
    town.ends().await;
}

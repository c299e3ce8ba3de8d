//! The verbs, said in every way in which people say them.

use tests::scenario::{DEPLOYS, Scenario, text_of, words};

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_by_command_and_by_mention() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    for (question, expected) in [
        ("status mainnet", short.as_str()),
        ("why mainnet", "Who can"),
        ("history mainnet", "mainnet"),
        ("runs", "mainnet"),
        ("help", "approve"),
    ] {
        let said = town.says("U0RITA", &format!("/deploy {question}")).await;
        assert_eq!(said.status, 200);
        assert!(said.text.contains(expected), "{question}: {}", said.text);
        town.writes("U0RITA", &format!("@signalbox {question}"), None).await;
        town.whispered("U0RITA", expected).await;
    }
    town.writes("U0BRUNO", "@signalbox approve mainnet", Some(&card.ts))
        .await;
    town.card_in_time(&[&short, "waits for 1 of 2"]).await;
    town.writes("U0ANN", "@signalbox approve mainnet", Some(&card.ts)).await;
    town.card_in_time(&[&short, "CodePipeline confirmed"]).await;
    assert_eq!(town.answers().len(), 1);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_are_almost_right_are_told_what_to_type() {
    let town = Scenario::start().await;
    town.opening().await;
    for (wrong, hint) in [
        ("/deploy approve mainet", "mainnet"),
        ("/deploy aprove mainnet", "approve"),
        ("/deploy lock mainnet --steal", "needs a reason"),
        ("/deploy reject mainnet", "say why"),
    ] {
        let said = town.says("U0ANN", wrong).await;
        assert!(said.text.contains(hint), "{wrong}: {}", said.text);
        assert_ne!(
            said.body["response_type"], "in_channel",
            "{wrong} is for the one who typed it"
        );
    }
    assert!(town.answers().is_empty());
    assert_eq!(town.cards_with(&["waits for 2 of 2"]).len(), 1, "nothing was counted");
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_holds_is_taken_over_and_its_end_is_told() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    let locked = town
        .says("U0BRUNO", "/deploy lock mainnet for 2h draining the queue")
        .await;
    assert!(locked.text.contains("locked mainnet"), "{}", locked.text);
    let held = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(held.text.contains("locked"), "{}", held.text);
    let taken = town.says("U0CARLA", "/deploy lock mainnet").await;
    assert!(words(&taken.body).contains("draining the queue"), "{}", taken.text);
    let slip = {
        let slack = town.rig.sandbox().world().slack();
        let slip = slack.ephemerals_for("U0CARLA", DEPLOYS).last().cloned();
        slip.unwrap()
    };
    town.clicks("U0CARLA", &slip.ts, "tell_me").await;
    let stolen = town
        .says("U0CARLA", "/deploy lock mainnet --steal the queue is fine")
        .await;
    assert!(stolen.text.contains("taking it from"), "{}", stolen.text);
    town.hears("D0BRUNO", "Your lock on mainnet was taken over").await;
    let wait = town.says("U0BRUNO", "/deploy lock mainnet").await;
    assert!(wait.text.contains("locked by"), "{}", wait.text);
    let slip = {
        let slack = town.rig.sandbox().world().slack();
        let slip = slack.ephemerals_for("U0BRUNO", DEPLOYS).last().cloned();
        slip.unwrap()
    };
    town.clicks("U0BRUNO", &slip.ts, "tell_me").await;
    let free = town.says("U0CARLA", "/deploy unlock mainnet").await;
    assert_eq!(free.status, 200, "{}", free.text);
    town.hears("D0BRUNO", "mainnet is free").await;
    let counted = town.says("U0ANN", &format!("/deploy approve mainnet {short}")).await;
    assert!(counted.text.contains("1 of 2"), "{}", counted.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_of_everything_holds_both_services_until_it_is_lifted() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    let pushed = town.pushes("web-app", "carla", "feat: web").await;
    town.card_in_time(&[pushed.short(), "prod", "waits for", "2 alarms quiet"])
        .await;
    town.passes(20);
    let frozen = town.says("U0BRUNO", "/deploy freeze all an emergency release").await;
    assert_eq!(frozen.body["response_type"], "in_channel", "{}", frozen.text);
    let why = "an emergency release";
    town.card_in_time(&[&short, why]).await;
    town.card_in_time(&[pushed.short(), why]).await;
    for said in [
        format!("approve mainnet {short}"),
        format!("approve prod {}", pushed.short()),
    ] {
        let refused = town.says("U0ANN", &format!("/deploy {said}")).await;
        assert!(refused.text.contains(why), "{said}: {}", refused.text);
    }
    assert!(town.answers().is_empty());
    let lifted = town.says("U0BRUNO", "/deploy unfreeze all").await;
    assert_eq!(lifted.status, 200, "{}", lifted.text);
    town.in_time("both without a freeze", |town| {
        town.cards_with(&[why]).is_empty().then_some(())
    })
    .await;
    let recorded = town
        .says("U0ANN", &format!("/deploy approve prod {}", pushed.short()))
        .await;
    assert!(recorded.text.contains("Recorded"), "{}", recorded.text);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_the_glass_is_loud_and_only_for_those_whom_config_names() {
    let town = Scenario::start().await;
    let (_, short) = town.opening().await;
    town.says("U0BRUNO", "/deploy freeze mainnet quiet please").await;
    let no = town
        .says("U0BRUNO", &format!("/deploy approve mainnet {short} --override I must"))
        .await;
    assert!(no.text.contains("may not break the glass"), "{}", no.text);
    assert!(town.said_with("the glass was broken").is_empty());
    let yes = town
        .says(
            "U0CARLA",
            &format!("/deploy approve mainnet {short} --override money is leaking"),
        )
        .await;
    assert!(yes.text.contains("Recorded"), "{}", yes.text);
    let loud = town.hears_in_time("the glass was broken").await;
    let said = text_of(&loud);
    assert!(
        loud.thread_ts.is_none() && said.contains("money is leaking") && said.contains("a freeze"),
        "{said}"
    );
    town.card_in_time(&[&short, "GLASS BROKEN"]).await;
    town.in_time("the answer", |town| (town.answers().len() == 1).then_some(()))
        .await;
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_take_words_and_notes_in_the_thread_are_kept() {
    let town = Scenario::start().await;
    let (card, short) = town.opening().await;
    town.writes("U0RITA", "support knows about the banner", Some(&card.ts))
        .await;
    town.clicks("U0ANN", &card.ts, "approve_notes").await;
    let sent = town.submits("U0ANN", "tested with <!channel> on stage").await;
    assert_eq!(sent["status"], 200, "{sent}");
    let counted = town.card_in_time(&[&short, "waits for 1 of 2", "tested with"]).await;
    assert!(!text_of(&counted).contains("<!channel>"), "{}", text_of(&counted));
    town.clicks("U0BRUNO", &card.ts, "reject").await;
    let sent = town.submits("U0BRUNO", "not on a Saturday").await;
    assert_eq!(sent["status"], 200, "{sent}");
    town.card_in_time(&[&short, "rejected by Bruno", "not on a Saturday"])
        .await;
    let rows = town.journal("wallet").await;
    assert!(
        rows.contains("support knows about the banner"),
        "the note is in the record"
    );
    town.ends().await;
}

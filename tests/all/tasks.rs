//! Tasks: runbooks of one step, listed, suggested, guarded and run like any other.

use serde_json::json;
use tests::scenario::{Scenario, options, shared_store, text_of};

const TASKS: &str = r#"
[service.wallet.runbook.say]
title = "Says something"

[[service.wallet.runbook.say.step]]
name = "say"
kind = "announce"
text = "Something."

[service.wallet.task.tidy]
title        = "Gives coins free that nobody uses"
environments = ["testnet", "mainnet"]
step         = { kind = "lambda", function = "tidy-{environment}" }

[service.wallet.task.tell]
title          = "Tells every wallet"
starters       = { groups = ["S0WALLET"] }
second_person  = ["mainnet"]
parameter.what = { summary = "what they are told", choices = ["begins", "over"] }
parameter.how  = { default = "aloud" }

[service.wallet.task.tell.step]
kind     = "lambda"
function = "tell-{environment}"
payload  = '{"what": "{parameter.what}"}'
"#;

async fn town() -> Scenario {
    let mut options = options(shared_store());
    options.config.push_str(TASKS);
    let town = Scenario::with(options).await;
    let names = ["tidy-testnet", "tidy-mainnet", "tell-testnet", "tell-mainnet"];
    let functions: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    town.control("aws/deed", json!({ "seed": { "function": functions } }))
        .await;
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_suggested_and_planned() {
    let town = town().await;
    insta::assert_snapshot!(town.says("U0RITA", "/deploy run").await.text, @r"
    What can be run here
    *What can be run here*
    *Runbooks*
    `/deploy run say wallet &lt;testnet|mainnet&gt;`  Says something
    *Tasks, of one step each*
    `/deploy run task:tidy wallet &lt;testnet|mainnet&gt;`  Gives coins free that nobody uses
    `/deploy run task:tell wallet &lt;testnet|mainnet&gt; what=begins|over [how=…]`  Tells every wallet
    `--plan` behind it shows what it would do, with the very values, and changes nothing.
    ephemeral
    ");
    for (typed, told) in [
        ("/deploy run task:tdy mainnet", "/deploy run task:tidy mainnet"),
        ("/deploy run tidy mainnet", "/deploy run task:tidy mainnet"),
    ] {
        let said = town.says("U0CARLA", typed).await.text;
        assert!(said.contains("Did you mean") && said.contains(told), "{typed}: {said}");
    }
    town.says("U0RITA", "/deploy run task:tell mainnet --plan what=begins")
        .await;
    let card = town
        .card_in_time(&[
            "plan of task:tell · wallet → mainnet · changes nothing",
            "asks an approver: Run task tell on mainnet with what begins, how aloud?",
        ])
        .await;
    assert!(
        text_of(&card).contains(r#"with {"what": "begins"}"#),
        "{}",
        text_of(&card)
    );
    assert_eq!(town.done("aws.Invoke"), 0);
    town.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_asks_whom_it_has_to_ask_and_is_done_once() {
    let town = town().await;
    town.says("U0CARLA", "/deploy run task:tidy mainnet").await;
    town.card_in_time(&["task:tidy · wallet → mainnet · done"]).await;
    assert_eq!(town.done("aws.Invoke"), 1);

    // Who may is the task's to say: operators are not among them here.
    let said = town.says("U0CARLA", "/deploy run task:tell mainnet what=over").await;
    assert!(said.text.contains("You may not operate mainnet"), "{}", said.text);
    let said = town.says("U0ANN", "/deploy run task:tell mainnet what=later").await;
    assert!(said.text.contains("write one of begins, over"), "{}", said.text);
    town.says("U0ANN", "/deploy run task:tell mainnet what=over").await;
    let card = town
        .card_in_time(&["Run task tell on mainnet with what over, how aloud?"])
        .await;
    let shown = text_of(&card);
    for words in ["invokes tell-mainnet", r#"with {"what": "over"}"#] {
        assert!(shown.contains(words), "{words} is not on\n{shown}");
    }
    let own = town.says("U0ANN", "/deploy confirm mainnet").await;
    assert!(
        own.text.contains("may not") || own.text.contains("somebody else"),
        "{}",
        own.text
    );
    town.clicks("U0BRUNO", &card.ts, "confirm").await;
    town.card_in_time(&["task:tell · wallet → mainnet · done"]).await;
    // Elsewhere nobody is asked, and there is no step for it.
    town.says("U0ANN", "/deploy run task:tell testnet what=begins").await;
    let card = town.card_in_time(&["task:tell · wallet → testnet · done"]).await;
    assert!(!text_of(&card).contains("second person"), "{}", text_of(&card));
    assert_eq!(town.done("aws.Invoke"), 3);
    town.ends().await;
}

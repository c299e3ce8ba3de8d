//! What people and jobs do in a scenario beyond a command and a click: pushes, forms, mentions, and time that passes until something is seen.

use std::time::Duration;

use sandbox::slack::Message;
use serde_json::{Value, json};

use crate::scenario::{DEPLOYS, Said, Scenario, is_card, text_of, words};

/// How far sandbox time goes on at once while a scenario waits for something that is tried again later.
const STRIDE: i64 = 2;
/// How long, in machine time, nothing has to happen before time goes on.
const LULL: Duration = Duration::from_millis(30);
/// How many lulls the bot gets for what it has under way: on a busy machine time must not run away from it. What a test holds up does not hold time up.
const PATIENCE: usize = 8;
/// After so many strides sandbox time goes on by itself only; fewer than the ten minutes that a decision stands.
const STRIDES: usize = 280;

impl Scenario {
    /// Pushes one commit and gives its hash and execution. `author` is a short name, such as `carla`.
    pub async fn pushes(&self, pipeline: &str, author: &str, message: &str) -> Pushed {
        let body = json!({ "pipeline": pipeline, "author": author, "message": message, "files": ["README.md"] });
        self.pushes_as(body).await
    }

    /// Pushes what the control's body says.
    pub async fn pushes_as(&self, body: Value) -> Pushed {
        let pushed = self.control("aws/push", body).await;
        Pushed {
            head: pushed["head"].as_str().unwrap_or_default().to_owned(),
            execution: pushed["execution"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Says something in a channel or a thread, and waits until the bot has heard it.
    pub async fn writes(&self, user: &str, text: &str, thread: Option<&str>) -> String {
        let said = json!({ "user": user, "channel": DEPLOYS, "text": text, "thread_ts": thread, "wait": true });
        let answer = self.control("slack/message", said).await;
        answer["ts"].as_str().unwrap_or_default().to_owned()
    }

    /// Every event of a service's records, in no order.
    pub async fn journal(&self, service: &str) -> String {
        let engine = self.rig.engine().await.expect("a bot");
        let slot = engine.catalog.services.get(service).map(|service| &service.id);
        let slot = slot.expect("a service");
        let mut rows = String::new();
        for entry in engine.store.ledger(slot, 0, 10_000).await.expect("a ledger") {
            let journal = engine.store.journal(slot, &entry.record, 0, 1_000).await;
            journal
                .expect("a journal")
                .iter()
                .for_each(|row| rows.push_str(&row.event));
        }
        rows
    }

    /// Types a slash command in any channel.
    pub async fn says_in(&self, channel: &str, user: &str, text: &str) -> Said {
        let typed = json!({ "user": user, "channel": channel, "text": text });
        let answer = self.control("slack/command", typed).await;
        let body = answer["body"].clone();
        let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        Said {
            status: status.unwrap_or_default(),
            text: words(&body),
            body,
        }
    }

    /// Presses a button if it is still there: a card may have been drawn anew since it was looked at.
    pub async fn presses(&self, user: &str, ts: &str, action: &str) {
        let url = format!("{}/control/slack/click", self.rig.sandbox().url());
        let click = json!({ "user": user, "channel": DEPLOYS, "ts": ts, "action_id": action });
        let sent = reqwest::Client::new().post(url).json(&click).send().await;
        let status = sent.expect("the sandbox answers").status();
        assert!(status.is_success() || status == 404, "a press: {status}");
    }

    /// The form that is open before a person.
    pub async fn form(&self, user: &str) -> (String, Value) {
        self.until(&format!("a form before {user}"), |scenario| {
            let slack = scenario.rig.sandbox().world().slack();
            let view = slack.modals_of(user).last()?;
            Some((view.id.clone(), json!(view.blocks())))
        })
        .await
    }

    /// Fills the only field of a form in and sends it.
    pub async fn submits(&self, user: &str, words: &str) -> Value {
        let (view, blocks) = self.form(user).await;
        let input = blocks
            .as_array()
            .and_then(|blocks| blocks.iter().find(|block| block["type"] == "input"))
            .expect("a form with a field");
        let (block, action) = (input["block_id"].as_str(), input["element"]["action_id"].as_str());
        let values = json!({ block.expect("a block id"): { action.expect("an action id"): words } });
        self.control(
            "slack/submit",
            json!({ "user": user, "view_id": view, "values": values }),
        )
        .await
    }

    /// Waits like [`Scenario::until`], and lets sandbox time go on while nothing happens: for what is tried again later.
    pub async fn in_time<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.rig.sandbox().world().listen();
        for _ in 0..STRIDES {
            for _ in 0..PATIENCE {
                while let Ok(changed) = tokio::time::timeout(LULL, changes.recv()).await {
                    // A lagging listener has missed hints, not the truth.
                    drop(changed);
                    if let Some(found) = look(self) {
                        return found;
                    }
                }
                if let Some(found) = look(self) {
                    return found;
                }
                if !self.is_busy().await {
                    break;
                }
            }
            self.passes(STRIDE);
        }
        // A busy machine may not have kept pace: it gets the usual patience, but sandbox time goes on no faster.
        self.until(what, look).await
    }

    /// Whether the bot has something under way, or could begin with it now.
    async fn is_busy(&self) -> bool {
        let Some(engine) = self.rig.engine().await else {
            return false;
        };
        let now = engine.clock.now();
        for slot in engine.catalog.services.keys() {
            let owed = engine.store.outbox(slot).await.unwrap_or_default();
            if owed
                .iter()
                .any(|effect| effect.leased_until.is_some() || effect.due <= now)
            {
                return true;
            }
        }
        false
    }

    /// Waits, letting time pass, for a card with all of these words.
    pub async fn card_in_time(&self, with: &[&str]) -> Message {
        self.in_time(&format!("a card with {with:?}"), |scenario| {
            scenario.cards_with(with).pop()
        })
        .await
    }

    /// Waits, letting time pass, for something that the bot says in #deploys or in a thread there, besides its cards.
    pub async fn hears_in_time(&self, words: &str) -> Message {
        self.in_time(&format!("{words:?} in #deploys"), |scenario| {
            scenario.said_with(words).pop()
        })
        .await
    }

    /// What the bot said in #deploys with these words, besides its cards, oldest first.
    #[must_use]
    pub fn said_with(&self, words: &str) -> Vec<Message> {
        let slack = self.rig.sandbox().world().slack();
        let all = slack
            .messages(DEPLOYS)
            .filter(|message| message.is_bots() && !is_card(message));
        all.filter(|message| text_of(message).contains(words))
            .cloned()
            .collect()
    }

    /// The cards whose text holds all of these words, oldest first.
    #[must_use]
    pub fn cards_with(&self, with: &[&str]) -> Vec<Message> {
        let mut cards = self.cards();
        cards.retain(|card| with.iter().all(|word| text_of(card).contains(word)));
        cards
    }

    /// The run that waits at the wallet's gate from the start, when its evidence is in and its card has been up long enough: its card, and its
    /// commit as cards show it.
    pub async fn opening(&self) -> (Message, String) {
        self.passes(5);
        let card = self
            .card_in_time(&["mainnet", "v1.4.2", "waits for 2", "2 alarms quiet", "1 migration."])
            .await;
        self.passes(20);
        let text = text_of(&card);
        let short = text.split("mainnet: ").nth(1).and_then(|rest| rest.get(..7));
        (card.clone(), short.expect("a commit on the card").to_owned())
    }

    /// Ends what waits at the wallet's gate since the start, so that the next push gets there.
    pub async fn clears_the_gate(&self) {
        let (_, short) = self.opening().await;
        let said = self
            .says("U0ANN", &format!("/deploy reject mainnet {short} not today"))
            .await;
        assert!(said.text.contains("Rejection recorded"), "{}", said.text);
        self.card_in_time(&[&short, "rejected by Ann"]).await;
    }

    /// Pushes to testnet and waits until its card has all of its evidence: the push and the card. Before that nobody may decide.
    pub async fn asks_for_testnet(&self, message: &str) -> (Pushed, Message) {
        let pushed = self.pushes("wallet-service", "carla", message).await;
        let evidence = ["1 alarm quiet", "*migrations-touched*: no migrations"];
        let card = self
            .card_in_time(&[pushed.short(), "testnet", "waits for", evidence[0], evidence[1]])
            .await;
        (pushed, card)
    }

    /// Presses *Approve* on a card, which decides, and waits until that is said.
    pub async fn decides(&self, user: &str, card: &Message) {
        let before = self.whispers(user).len();
        let clicked = self.clicks(user, &card.ts, "approve").await;
        assert_eq!(clicked["status"], 200, "{clicked}");
        let told = self
            .until(&format!("a word to {user}"), |town| {
                town.whispers(user).into_iter().nth(before)
            })
            .await;
        assert!(told.contains("Recorded"), "{told}");
    }

    /// What this person was told in #deploys that nobody else sees, oldest first.
    #[must_use]
    pub fn whispers(&self, user: &str) -> Vec<String> {
        let slack = self.rig.sandbox().world().slack();
        slack.ephemerals_for(user, DEPLOYS).map(text_of).collect()
    }
}

/// What a push led to.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The newest commit.
    pub head: String,
    /// The execution, if the pipeline follows that branch.
    pub execution: String,
}

impl Pushed {
    /// The commit as cards show it.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.head[..7]
    }
}

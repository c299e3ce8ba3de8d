use std::sync::atomic::{AtomicBool, Ordering};

use commands::time::Timestamp;
use serde_json::json;

use super::*;
use crate::door::Outgoing;
use crate::secret::Secret;
use crate::testing::{StillClock, Wire, answer};

const NOW: Timestamp = Timestamp(1_795_226_400_000);

struct Office {
    people: People,
    wire: Arc<Wire>,
    clock: Arc<StillClock>,
    down: Arc<AtomicBool>,
}

/// A workspace of some people and one group, whose Slack can be taken down.
fn office(teams: &[&str]) -> Office {
    let down = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&down);
    let wire = Wire::new(move |call| {
        if broken.load(Ordering::Relaxed) {
            return answer(503, "down");
        }
        let body = String::from_utf8_lossy(call.request.body()).into_owned();
        let value = match call.name.as_str() {
            "auth.test" => json!({"ok": true, "team_id": "T0SIGNAL", "bot_id": "B0SIGNAL", "app_id": "A0SIGNAL"}),
            "usergroups.users.list" => json!({"ok": true, "users": ["U0ANN", "U0BRUNO"]}),
            "users.lookupByEmail" => json!({"ok": true, "user": {"id": "U0DANA"}}),
            "conversations.info" => {
                json!({"ok": true, "channel": {"id": "C0SHARED", "is_ext_shared": body.contains("SHARED")}})
            }
            _ if body.contains("U0NOBODY") => json!({"ok": false, "error": "user_not_found"}),
            _ => {
                let id = body.trim_start_matches("user=").to_owned();
                let is = |who: &str| id == who;
                let team = if is("U0EVE") { "T0OTHER" } else { "T0SIGNAL" };
                json!({"ok": true, "user": {"id": id, "team_id": team, "real_name": "Ann", "deleted": is("U0OLD"), "is_bot": is("U0BOT"),
                    "is_restricted": is("U0GUS"), "is_ultra_restricted": is("U0GIL"), "is_stranger": is("U0STRANGER")}})
            }
        };
        answer(200, &value.to_string())
    });
    let clock = StillClock::at(NOW);
    let base = "https://slack.test/api".parse().unwrap();
    let door = Arc::clone(&wire) as Arc<dyn Outgoing>;
    let slack = Arc::new(Slack::new(
        door,
        Arc::clone(&clock) as Arc<dyn Clock>,
        base,
        Secret::new("x"),
    ));
    let teams = teams.iter().map(|team| TeamId::parse(team).unwrap()).collect();
    Office {
        people: People::new(slack, Arc::clone(&clock) as Arc<dyn Clock>, teams),
        wire,
        clock,
        down,
    }
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

async fn standing(office: &Office, id: &str) -> Standing {
    office.people.person(&user(id)).await.standing
}

#[tokio::test]
async fn everybody_is_what_slack_says() {
    let office = office(&[]);
    for (id, expected) in [
        ("U0ANN", Standing::Member),
        ("U0GUS", Standing::Guest),
        ("U0GIL", Standing::Guest),
        ("U0EVE", Standing::Stranger),
        ("U0STRANGER", Standing::Stranger),
        ("U0NOBODY", Standing::Stranger),
        ("U0BOT", Standing::Bot),
        ("U0OLD", Standing::Deactivated),
        ("os:ann", Standing::Unknown),
    ] {
        assert_eq!(standing(&office, id).await, expected, "{id}");
    }
}

#[tokio::test]
async fn what_slack_said_lasts_a_minute_and_a_quarter_of_an_hour_while_it_fails() {
    let office = office(&[]);
    let asked = || office.wire.count("users.info");
    assert_eq!(standing(&office, "U0ANN").await, Standing::Member);
    office.clock.pass(Span::seconds(60));
    assert_eq!(standing(&office, "U0ANN").await, Standing::Member);
    assert_eq!(asked(), 1);
    office.clock.pass(Span::seconds(1));
    assert_eq!(standing(&office, "U0ANN").await, Standing::Member);
    assert_eq!(asked(), 2);
    office.down.store(true, Ordering::Relaxed);
    office.clock.pass(Span::minutes(15));
    assert_eq!(standing(&office, "U0ANN").await, Standing::Member);
    office.clock.pass(Span::seconds(1));
    assert_eq!(standing(&office, "U0ANN").await, Standing::Unknown);
    office.down.store(false, Ordering::Relaxed);
    office.clock.pass(Span::seconds(4));
    assert_eq!(standing(&office, "U0ANN").await, Standing::Member);
}

#[tokio::test]
async fn an_outage_is_not_met_with_a_storm_of_questions() {
    let office = office(&[]);
    standing(&office, "U0ANN").await;
    office.down.store(true, Ordering::Relaxed);
    for _ in 0..50 {
        assert_eq!(standing(&office, "U0RITA").await, Standing::Unknown);
    }
    assert_eq!(office.wire.count("users.info"), 2);
}

#[tokio::test]
async fn many_who_ask_at_once_ask_once() {
    let office = office(&[]);
    let group = GroupId::parse("S0WALLET").unwrap();
    let answers = futures::future::join_all((0..50).map(|_| office.people.members(&group))).await;
    assert!(
        answers
            .iter()
            .all(|members| members.as_ref().is_some_and(|members| members.len() == 2))
    );
    assert_eq!(office.wire.count("usergroups.users.list"), 1);
    office.people.forget_group(&group);
    office.people.members(&group).await;
    assert_eq!(office.wire.count("usergroups.users.list"), 2);
}

fn who(app: &str, team: Option<&str>, user_team: Option<&str>) -> Who {
    let team_id = |id: Option<&str>| id.map(|id| TeamId::parse(id).unwrap());
    Who {
        app: Some(app.to_owned()),
        enterprise: None,
        team: team_id(team),
        user: user("U0ANN"),
        user_team: team_id(user_team),
    }
}

#[tokio::test]
async fn every_identity_of_a_delivery_has_to_be_ours() {
    let office = office(&[]);
    let ours = office
        .people
        .belongs(&who("A0SIGNAL", Some("T0SIGNAL"), Some("T0SIGNAL")))
        .await;
    assert_eq!(ours.unwrap().as_str(), "T0SIGNAL");
    assert!(
        office
            .people
            .belongs(&who("A0SIGNAL", Some("T0SIGNAL"), None))
            .await
            .is_ok()
    );
    for other in [
        who("A0OTHER", Some("T0SIGNAL"), Some("T0SIGNAL")),
        who("A0SIGNAL", Some("T0OTHER"), Some("T0SIGNAL")),
        who("A0SIGNAL", Some("T0SIGNAL"), Some("T0OTHER")),
        who("A0SIGNAL", None, Some("T0SIGNAL")),
    ] {
        assert_eq!(
            office.people.belongs(&other).await,
            Err(Standing::Stranger),
            "{other:?}"
        );
    }
}

#[tokio::test]
async fn config_may_name_other_workspaces() {
    let office = office(&["T0OTHER"]);
    assert!(
        office
            .people
            .belongs(&who("A0SIGNAL", Some("T0OTHER"), Some("T0OTHER")))
            .await
            .is_ok()
    );
    assert_eq!(
        office.people.belongs(&who("A0SIGNAL", Some("T0SIGNAL"), None)).await,
        Err(Standing::Stranger)
    );
    assert_eq!(standing(&office, "U0EVE").await, Standing::Member);
}

#[tokio::test]
async fn shared_channels_are_known_and_an_outage_is_not_an_answer() {
    let office = office(&[]);
    let channel = |id: &str| ChannelId::parse(id).unwrap();
    assert_eq!(office.people.is_shared(&channel("C0SHARED")).await, Some(true));
    assert_eq!(office.people.is_shared(&channel("C0DEPLOYS")).await, Some(false));
    office.down.store(true, Ordering::Relaxed);
    assert_eq!(office.people.is_shared(&channel("C0NEW")).await, None);
    assert!(office.people.by_email("dana@example.org").await.is_err());
    assert_eq!(office.people.by_email("no mail").await, Ok(None));
}

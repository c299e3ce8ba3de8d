use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::testing::{StillClock, Wire, answer};

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:signalbox";
/// Made for these tests, with a key that is beside it: nobody trusts it.
const CERTIFICATE: &str = include_str!("certificate.pem");
/// Signed by openssl, with SHA-1, as SNS does it in version 1.
const VERSION_1: &str = include_str!("notification_v1.json");
const CERTIFICATE_URL: &str = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-test.pem";

/// SNS as it stands behind the real door: the certificate is at its host, and at a stranger's too.
fn sns() -> Arc<Wire> {
    Wire::new(|call| {
        let host = call.request.uri().host().unwrap_or_default().to_owned();
        if call.destination != Destination::Sns || host != "sns.eu-central-1.amazonaws.com" {
            return Err(DoorError::NotPermitted);
        }
        match call.name.as_str() {
            "sns.SigningCert" => answer(200, CERTIFICATE),
            _ => answer(200, "<ConfirmSubscriptionResponse/>"),
        }
    })
}

fn topics(wire: &Arc<Wire>) -> Topics {
    let clock = StillClock::at(commands::time::Timestamp(1_795_226_400_000));
    Topics::new(Arc::clone(wire) as Arc<dyn Outgoing>, clock, [TOPIC.to_owned()])
}

/// A message in signature version 2, signed with the test's own key.
pub(crate) fn signed(mut said: Value) -> Value {
    said["SignatureVersion"] = json!("2");
    said["Signature"] = json!("");
    said.as_object_mut()
        .unwrap()
        .entry("SigningCertURL")
        .or_insert_with(|| json!(CERTIFICATE_URL));
    let envelope: Envelope = serde_json::from_value(said.clone()).unwrap();
    let decode = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let key = decode(&include_str!("test_key.b64").replace('\n', ""));
    let key = ring::signature::RsaKeyPair::from_pkcs8(&key).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &ring::signature::RSA_PKCS1_SHA256,
        &ring::rand::SystemRandom::new(),
        envelope.signed_text().as_bytes(),
        &mut signature,
    )
    .unwrap();
    said["Signature"] = json!(base64::engine::general_purpose::STANDARD.encode(signature));
    said
}

pub(crate) fn notification() -> Value {
    let event = json!({
        "detail-type": "CodePipeline Pipeline Execution State Change", "account": "111122223333", "region": "eu-central-1",
        "detail": { "pipeline": "wallet-service", "state": "STARTED" },
    });
    json!({
        "Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": event.to_string(), "Timestamp": "2026-11-21T12:00:00.000Z",
    })
}

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation", "MessageId": "2", "TopicArn": TOPIC, "Token": "2336412f37",
        "Message": "You have chosen to subscribe to the topic.", "Timestamp": "2026-11-21T12:00:00.000Z",
        "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
    })
}

async fn hears(topics: &Topics, said: &Value) -> Result<Told, Unheard> {
    topics.hear(said.to_string().as_bytes()).await
}

fn wallet() -> Told {
    Told::Hint(Hint {
        pipeline: "wallet-service".to_owned(),
        region: Some("eu-central-1".to_owned()),
        account: Some("111122223333".to_owned()),
    })
}

#[tokio::test]
async fn both_versions_of_the_signature_are_heard_and_the_certificate_is_fetched_once() {
    let wire = sns();
    let topics = topics(&wire);
    assert_eq!(topics.hear(VERSION_1.as_bytes()).await, Ok(wallet()));
    assert_eq!(hears(&topics, &signed(notification())).await, Ok(wallet()));
    let mut with_subject = notification();
    with_subject["Subject"] = json!("with a\nline break");
    assert_eq!(hears(&topics, &signed(with_subject)).await, Ok(wallet()));
    assert_eq!(wire.count("sns.SigningCert"), 1);
}

#[tokio::test]
async fn whatever_is_changed_after_signing_is_not_heard() {
    let wire = sns();
    let topics = topics(&wire);
    for (field, value) in [
        ("Message", json!("{}")),
        ("MessageId", json!("2")),
        ("Subject", json!("new")),
        ("Timestamp", json!("2026-11-22T12:00:00.000Z")),
        ("Type", json!("UnsubscribeConfirmation")),
        ("SignatureVersion", json!("1")),
        ("SignatureVersion", json!("3")),
        ("Signature", json!("")),
        ("Signature", json!("not base64!")),
    ] {
        let mut forged = signed(notification());
        forged[field] = value;
        assert_eq!(hears(&topics, &forged).await, Err(Unheard::Signature), "{field}");
    }
    // The first version's own signature does not stand for the second.
    let mut older: Value = serde_json::from_str(VERSION_1).unwrap();
    older["SignatureVersion"] = json!("2");
    assert_eq!(hears(&topics, &older).await, Err(Unheard::Signature));
}

#[tokio::test]
async fn a_stranger_makes_the_bot_ask_nobody() {
    let wire = sns();
    let topics = topics(&wire);
    let mut other = notification();
    other["TopicArn"] = json!("arn:aws:sns:eu-central-1:999999999999:signalbox");
    assert_eq!(hears(&topics, &signed(other)).await, Err(Unheard::Topic));
    for body in ["", "[]", "{}", "{\"Type\": 1}"] {
        assert_eq!(topics.hear(body.as_bytes()).await, Err(Unheard::Shape));
    }
    assert!(wire.calls().is_empty());
    for address in [
        "https://evil.example/SimpleNotificationService-test.pem",
        "https://sns.eu-central-1.amazonaws.com/",
        "https://sns.eu-central-1.amazonaws.com/?x=.pem",
        "no address",
    ] {
        let mut forged = notification();
        forged["SigningCertURL"] = json!(address);
        assert_eq!(
            hears(&topics, &signed(forged)).await,
            Err(Unheard::Certificate),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_subscription_is_confirmed_for_a_topic_that_is_named_and_signed_for() {
    let wire = sns();
    let topics = topics(&wire);
    assert_eq!(hears(&topics, &signed(confirmation())).await, Ok(Told::Subscribed));
    assert_eq!(wire.count("sns.ConfirmSubscription"), 1);
    let mut forged = signed(confirmation());
    forged["SubscribeURL"] = json!("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=other");
    assert_eq!(hears(&topics, &forged).await, Err(Unheard::Signature));
    let mut elsewhere = confirmation();
    elsewhere["SubscribeURL"] = json!("https://evil.example/");
    assert_eq!(hears(&topics, &signed(elsewhere)).await, Err(Unheard::Certificate));
    assert_eq!(
        wire.count("sns.ConfirmSubscription"),
        2,
        "the door stops what is signed and goes elsewhere"
    );
}

#[tokio::test]
async fn when_sns_does_not_answer_it_is_asked_again() {
    let wire = Wire::new(|_| answer(503, ""));
    let said = signed(notification());
    assert!(matches!(hears(&topics(&wire), &said).await, Err(Unheard::NotNow(_))));
    let nonsense = Wire::new(|_| answer(200, "no certificate"));
    assert_eq!(hears(&topics(&nonsense), &said).await, Err(Unheard::Certificate));
}

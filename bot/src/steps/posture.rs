//! `posture`: reads what every expectation is about, all of them, before it judges.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{PortClosed, Posture, Want};
use commands::time::Timestamp;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::databases::{self, INSTANCE};
use super::{Answer, At, Executor, StepError, instant};
use crate::aws::AwsError;
use crate::aws::api::{ACM, EC2, IAM, S3};
use crate::aws::signed::Ask;
use crate::aws::xml;

/// The four ways in which a bucket's public access is blocked.
const BLOCKS: [&str; 4] = [
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
];

/// What was found out about an expectation, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Holds(String),
    Broken(String),
    /// Nobody can tell.
    Unknown(String),
    /// Nobody can tell just now.
    Later(String),
}

#[async_trait]
impl Executor for Posture {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let mut all = Vec::new();
        for want in &self.wants {
            let found = match look(want, at).await {
                Ok(found) => found,
                Err(AwsError::Fatal { code, message }) => Found::Unknown(format!("{code}: {message}")),
                Err(error) => Found::Later(error.to_string()),
            };
            all.push((want.words(), found));
        }
        judge(&all)
    }
}

async fn look(want: &Want, at: At<'_>) -> Result<Found, AwsError> {
    match want {
        Want::BucketEncrypted(bucket) => encrypted(at, bucket).await,
        Want::BucketPrivate(bucket) => private(at, bucket).await,
        Want::DatabasePrivate(instance) => Ok(match databases::database(at, INSTANCE, instance).await? {
            Some(database) => address(&database),
            None => Found::Unknown("there is no such instance".to_owned()),
        }),
        Want::PortClosed(closed) => {
            let ask = Ask::target("DescribeSecurityGroups", json!({ "GroupId.1": closed.group }));
            let told = at.aws(EC2, ask).await?;
            let groups = told
                .body
                .get("securityGroupInfo")
                .map(|groups| xml::list(groups, "item"));
            Ok(match groups.unwrap_or_default().first() {
                Some(group) => port(closed, group),
                None => Found::Unknown("there is no such security group".to_owned()),
            })
        }
        Want::UserAbsent(user) => match at.aws(IAM, Ask::target("GetUser", json!({ "UserName": user }))).await {
            Ok(_) => Ok(Found::Broken("it exists".to_owned())),
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(Found::Holds("none is there".to_owned())),
            Err(error) => Err(error),
        },
        Want::CertificateIssued(arn) => {
            let told = at
                .aws(
                    ACM,
                    Ask::target("DescribeCertificate", json!({ "CertificateArn": arn })),
                )
                .await?;
            Ok(certificate(&told.body["Certificate"], at.now))
        }
    }
}

fn setting<'a>(operation: &'static str, bucket: &'a str, name: &'static str) -> Ask<'a> {
    let mut ask = Ask::rest(operation, Method::GET, vec![bucket], None);
    ask.query = vec![(name, "")];
    ask
}

async fn encrypted(at: At<'_>, bucket: &str) -> Result<Found, AwsError> {
    let told = match at.aws(S3, setting("GetBucketEncryption", bucket, "encryption")).await {
        Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
            return Ok(Found::Broken("nothing is encrypted by default".to_owned()));
        }
        told => told?,
    };
    let algorithm = told
        .body
        .pointer("/Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm");
    Ok(match algorithm.and_then(Value::as_str) {
        Some(algorithm) => Found::Holds(format!("with {algorithm}")),
        None => Found::Unknown("S3 does not say how".to_owned()),
    })
}

async fn private(at: At<'_>, bucket: &str) -> Result<Found, AwsError> {
    let told = match at
        .aws(S3, setting("GetPublicAccessBlock", bucket, "publicAccessBlock"))
        .await
    {
        Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => {
            return Ok(Found::Broken("nothing is blocked".to_owned()));
        }
        told => told?,
    };
    let open: Vec<&str> = BLOCKS.into_iter().filter(|block| told.body[*block] != "true").collect();
    Ok(if open.is_empty() {
        Found::Holds("all four are on".to_owned())
    } else {
        Found::Broken(format!("off: {}", open.join(", ")))
    })
}

fn address(database: &Value) -> Found {
    match database["PubliclyAccessible"].as_str() {
        Some("false") => Found::Holds("it is not publicly accessible".to_owned()),
        Some("true") => Found::Broken("it is publicly accessible".to_owned()),
        _ => Found::Unknown("RDS does not say".to_owned()),
    }
}

/// Who is let in to a port, but for those who may.
fn port(closed: &PortClosed, group: &Value) -> Found {
    let rules = group
        .get("ipPermissions")
        .map(|rules| xml::list(rules, "item"))
        .unwrap_or_default();
    let mut let_in: Vec<&str> = Vec::new();
    for rule in rules {
        match opens(rule, closed.port) {
            Some(true) => let_in.extend(sources(rule)),
            Some(false) => {}
            None => return Found::Unknown("a rule of it cannot be read".to_owned()),
        }
    }
    let_in.sort_unstable();
    let_in.dedup();
    let (known, odd): (Vec<&str>, Vec<&str>) = let_in
        .into_iter()
        .partition(|who| closed.but.iter().any(|may| may == who));
    match (odd.as_slice(), known.as_slice()) {
        ([], []) => Found::Holds("nobody is let in".to_owned()),
        ([], known) => Found::Holds(format!("let in: {}", known.join(", "))),
        (odd, _) => Found::Broken(format!("open to {}", odd.join(", "))),
    }
}

/// Whether a rule is about a port; `None`: it cannot be told. `-1` is every protocol, and other protocols than TCP and UDP have no ports.
fn opens(rule: &Value, port: u16) -> Option<bool> {
    let number = |member: &str| rule[member].as_str()?.parse::<i64>().ok();
    match rule["ipProtocol"].as_str()? {
        "-1" => Some(true),
        "tcp" | "6" | "udp" | "17" => {
            let (from, to) = (number("fromPort")?, number("toPort")?);
            Some(from == -1 || (from..=to).contains(&i64::from(port)))
        }
        _ => Some(false),
    }
}

/// Everybody whom a rule lets in.
fn sources(rule: &Value) -> Vec<&str> {
    let kinds = [
        ("ipRanges", "cidrIp"),
        ("ipv6Ranges", "cidrIpv6"),
        ("groups", "groupId"),
        ("prefixListIds", "prefixListId"),
    ];
    let listed = kinds.into_iter().flat_map(|(list, member)| {
        let items = rule.get(list).map(|items| xml::list(items, "item")).unwrap_or_default();
        items.into_iter().filter_map(move |item| item[member].as_str())
    });
    listed.collect()
}

fn certificate(certificate: &Value, now: Timestamp) -> Found {
    let status = certificate["Status"].as_str().unwrap_or("in an unknown state");
    match (status, instant(&certificate["NotAfter"])) {
        ("ISSUED", Some(end)) if end > now => Found::Holds(format!("until {}", end.utc().format("%Y-%m-%d"))),
        ("ISSUED", Some(end)) => Found::Broken(format!("it ran out on {}", end.utc().format("%Y-%m-%d"))),
        ("ISSUED", None) => Found::Unknown("ACM does not say until when".to_owned()),
        (status, _) => Found::Broken(format!("it is {status}")),
    }
}

/// Done when all hold. What is broken comes first, then what nobody can tell.
fn judge(all: &[(String, Found)]) -> Answer {
    let of = |wanted: fn(&Found) -> Option<String>| -> Vec<String> {
        let told = all.iter().filter_map(|(want, found)| Some((want, wanted(found)?)));
        told.map(|(want, words)| format!("{want}: {words}")).collect()
    };
    let broken = of(|found| match found {
        Found::Broken(words) => Some(format!("NO, {words}")),
        _ => None,
    });
    let unknown = of(|found| match found {
        Found::Unknown(words) | Found::Later(words) => Some(format!("UNKNOWN, {words}")),
        _ => None,
    });
    let holds = of(|found| match found {
        Found::Holds(words) => Some(format!("yes, {words}")),
        _ => None,
    });
    let counted = format!(
        "{} hold, {} do not, {} are unknown",
        holds.len(),
        broken.len(),
        unknown.len()
    );
    let told = [vec![counted], broken.clone(), unknown.clone(), holds.clone()]
        .concat()
        .join("; ");
    if !broken.is_empty() {
        return Err(StepError::failed("posture", told));
    }
    if all.iter().any(|(_, found)| matches!(found, Found::Later(_))) {
        return Err(StepError::Later(told));
    }
    if !unknown.is_empty() {
        return Err(StepError::failed("unknown", told));
    }
    Ok(StepOutcome::Prepared {
        memo: Value::Null,
        outputs: BTreeMap::new(),
        evidence: holds,
        done: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(but: &[&str]) -> PortClosed {
        serde_json::from_value(json!({ "group": "sg-1", "port": 5432, "but": but })).unwrap()
    }

    fn group(rule: Value) -> Value {
        json!({ "ipPermissions": { "item": [rule] } })
    }

    #[test]
    fn a_port_is_closed_when_nobody_else_is_let_in() {
        let rule = |protocol: &str, from: &str, to: &str, who: &str| {
            group(
                json!({ "ipProtocol": protocol, "fromPort": from, "toPort": to, "ipRanges": { "item": { "cidrIp": who } } }),
            )
        };
        let world = rule("tcp", "5000", "6000", "0.0.0.0/0");
        assert_eq!(port(&closed(&[]), &world), Found::Broken("open to 0.0.0.0/0".into()));
        assert!(matches!(port(&closed(&["0.0.0.0/0"]), &world), Found::Holds(_)));
        assert!(matches!(
            port(&closed(&[]), &rule("tcp", "443", "443", "0.0.0.0/0")),
            Found::Holds(_)
        ));
        let all = group(json!({ "ipProtocol": "-1", "ipv6Ranges": { "item": { "cidrIpv6": "::/0" } } }));
        assert_eq!(port(&closed(&[]), &all), Found::Broken("open to ::/0".into()));
        let other = group(json!({ "ipProtocol": "tcp", "fromPort": "5432", "toPort": "5432",
            "groups": { "item": [{ "groupId": "sg-app" }] }, "prefixListIds": { "item": { "prefixListId": "pl-1" } } }));
        assert_eq!(port(&closed(&["sg-app"]), &other), Found::Broken("open to pl-1".into()));
        let odd = group(json!({ "ipProtocol": "tcp", "fromPort": "x" }));
        assert!(matches!(port(&closed(&[]), &odd), Found::Unknown(_)));
    }

    #[test]
    fn a_certificate_has_to_be_issued_and_good() {
        let of = |status: &str, end: Option<f64>| {
            certificate(&json!({ "Status": status, "NotAfter": end }), Timestamp(5000))
        };
        assert_eq!(of("ISSUED", Some(86_400.0)), Found::Holds("until 1970-01-02".into()));
        assert!(matches!(of("ISSUED", Some(4.0)), Found::Broken(_)));
        assert!(matches!(of("ISSUED", None), Found::Unknown(_)));
        assert_eq!(
            of("PENDING_VALIDATION", None),
            Found::Broken("it is PENDING_VALIDATION".into())
        );
    }

    #[test]
    fn what_cannot_be_read_is_never_green() {
        let judged = |found: &[Found]| {
            let all: Vec<_> = found.iter().map(|one| ("it is so".to_owned(), one.clone())).collect();
            judge(&all)
        };
        let yes = || Found::Holds("seen".into());
        let Ok(StepOutcome::Prepared { evidence, done, .. }) = judged(&[yes()]) else {
            panic!("it holds")
        };
        assert_eq!((evidence, done), (vec!["it is so: yes, seen".to_owned()], true));
        let code = |found: &[Found]| match judged(found) {
            Err(StepError::Failed { code, message }) => (code, message),
            other => panic!("{other:?}"),
        };
        let (unknown, words) = code(&[yes(), Found::Unknown("denied".into())]);
        assert_eq!(unknown, "unknown");
        assert!(
            words.starts_with("1 hold, 0 do not, 1 are unknown; it is so: UNKNOWN, denied; it is so: yes"),
            "{words}"
        );
        // What is certain is not held up by what may still be found out.
        assert_eq!(
            code(&[Found::Later("slow".into()), Found::Broken("no".into())]).0,
            "posture"
        );
        assert!(matches!(
            judged(&[yes(), Found::Later("slow".into())]),
            Err(StepError::Later(_))
        ));
    }
}

//! `http`: one question a look, through the door, to hosts that the service lists.

use async_trait::async_trait;
use bytes::Bytes;
use commands::effect::StepOutcome;
use commands::operation::Progress;
use commands::step::{Http, Method};
use http::{HeaderMap, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

use super::listed::{as_text, at_path};
use super::maintenance::{Red, red_step};
use super::{Answer, At, Executor, StepError, finished, pending};
use crate::door::{Call, Destination, Limits};

const TIMEOUT: Duration = Duration::from_secs(10);
/// What later steps are told is a name or a number, no page.
const LONGEST: usize = 200;

#[async_trait]
impl Executor for Http {
    /// What is right already needs no watching; a plan shows how it answers now.
    async fn prepare(&self, at: At<'_>) -> Answer {
        let (done, outputs, evidence) = match ask(self, at).await? {
            Ok(Right { words, outputs }) => (self.times <= 1, outputs, words),
            Err(wrong) => (false, BTreeMap::new(), wrong),
        };
        Ok(StepOutcome::Prepared {
            memo: Value::Null,
            outputs,
            evidence: vec![evidence],
            done,
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let before = at.call.memo.get("right").and_then(Value::as_u64).unwrap_or(0);
        Ok(match ask(self, at).await? {
            Ok(Right { words, outputs }) if before + 1 >= u64::from(self.times) => StepOutcome::Finished {
                outputs,
                evidence: vec![words],
            },
            Ok(Right { words, .. }) => pending(
                json!({ "right": before + 1 }),
                format!("{words}, {} of {} times", before + 1, self.times),
            ),
            Err(wrong) if self.red_in_maintenance => red_now(at, wrong).await,
            Err(wrong) => pending(json!({ "right": 0 }), wrong),
        })
    }
}

/// A wrong answer that maintenance mode may be the reason of.
async fn red_now(at: At<'_>, wrong: String) -> StepOutcome {
    let (words, untold) = match red_step(at).await {
        Red::Excused(why) => return finished(format!("{why}: {wrong}")),
        Red::Untold => (wrong, true),
        Red::Counts(why) => (format!("{wrong}; {why}"), false),
    };
    let progress = Progress {
        words,
        untold,
        ..Progress::default()
    };
    StepOutcome::Pending {
        memo: json!({ "right": 0 }),
        progress,
    }
}

/// An answer that is as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Right {
    words: String,
    /// What later steps are told.
    outputs: BTreeMap<String, String>,
}

/// Asks once: how the answer was right, or how it was not. A server that does not answer is not right; that is what is waited for.
async fn ask(step: &Http, at: At<'_>) -> Result<Result<Right, String>, StepError> {
    let method = match step.method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
    };
    let call = question(at, method, &step.url)?;
    Ok(match at.engine.door.send(call).await {
        Ok(answer) => judge(step, &answer),
        Err(error) => Err(format!("no answer: {error}")),
    })
}

/// A request that changes nothing, to a server that the service lists. Any answer may be the right one, so it is not read as [`super::listed`] does.
fn question(at: At<'_>, method: http::Method, address: &str) -> Result<Call, StepError> {
    let request = http::Request::builder()
        .method(method)
        .uri(listed(at, address)?.as_str())
        .header("user-agent", "signalbox")
        .body(Bytes::new())
        .map_err(|_| StepError::failed("bad_address", "the request cannot be built"))?;
    Ok(Call {
        destination: Destination::Listed,
        name: "step.http".to_owned(),
        request,
        limits: Limits {
            timeout: TIMEOUT,
            lease: at.lease,
        },
    })
}

/// An address whose host the service lists.
pub(super) fn listed(at: At<'_>, address: &str) -> Result<Url, StepError> {
    let url: Url = address
        .parse()
        .map_err(|_| StepError::failed("bad_address", format!("`{address}` is no address")))?;
    at.listed(&url)?;
    Ok(url)
}

/// What stands at a place of the JSON that an address answers with.
pub(super) async fn json_at(at: At<'_>, address: &str, path: &str) -> Result<String, StepError> {
    let call = question(at, http::Method::GET, address)?;
    let answer = at.engine.door.send(call).await?;
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let found = at_path(&body, path).filter(|_| answer.status().is_success());
    found
        .map(as_text)
        .ok_or_else(|| StepError::Later(format!("it answers {status} without {path}")))
}

fn judge(step: &Http, answer: &Response<Bytes>) -> Result<Right, String> {
    let status = answer.status().as_u16();
    if status != step.status {
        return Err(format!("answers {status}, {} is wanted", step.status));
    }
    headers(step, answer.headers())?;
    let body = String::from_utf8_lossy(answer.body());
    if !step.body.is_empty() && !body.contains(&step.body) {
        return Err(format!("answers {status}, but “{}” is not in the body", step.body));
    }
    let mut outputs = BTreeMap::new();
    if !(step.json.is_empty() && step.outputs.is_empty()) {
        let value: Value = serde_json::from_str(&body).map_err(|_| format!("answers {status}, but with no JSON"))?;
        for (path, wanted) in &step.json {
            let found = at_path(&value, path).map_or_else(|| "nothing".to_owned(), as_text);
            if found != *wanted {
                let found: String = found.chars().take(60).collect();
                return Err(format!("answers {status}, but {path} is {found}, {wanted} is wanted"));
            }
        }
        for (name, path) in &step.outputs {
            let found = at_path(&value, path).filter(|found| !found.is_null()).map(as_text);
            let found = found.ok_or_else(|| format!("answers {status}, but without {path}"))?;
            if found.chars().count() > LONGEST {
                return Err(format!(
                    "answers {status}, but {path} is longer than {LONGEST} characters"
                ));
            }
            outputs.insert(name.clone(), found);
        }
    }
    let looked = step.json.iter().chain(&outputs);
    let told: String = looked.map(|(name, value)| format!(", {name} is {value}")).collect();
    let held = if step.body.is_empty() {
        String::new()
    } else {
        format!(", “{}” is in it", step.body)
    };
    Ok(Right {
        words: format!("answers {status} as it should{told}{held}"),
        outputs,
    })
}

fn headers(step: &Http, headers: &HeaderMap) -> Result<(), String> {
    for (name, wanted) in &step.headers {
        let found = headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        match found {
            None => return Err(format!("the header {name} is missing")),
            Some(found) if !wanted.is_empty() && found != *wanted => {
                let found: String = found.chars().take(60).collect();
                return Err(format!("the header {name} is {found}, {wanted} is wanted"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(json: &[(&str, &str)], body: &str) -> Http {
        let json: BTreeMap<String, String> = json.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        serde_json::from_value(json!({ "url": "https://x.example", "json": json, "body": body })).unwrap()
    }

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .header("x-version", "1")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn what_later_steps_are_told_has_to_be_there() {
        let mut wanted = step(&[], "");
        wanted.outputs = BTreeMap::from([("live".to_owned(), "version".to_owned())]);
        let right = judge(&wanted, &answer(200, r#"{"version":"v2.10"}"#)).unwrap();
        assert_eq!(right.outputs["live"], "v2.10");
        assert_eq!(right.words, "answers 200 as it should, live is v2.10");
        for (body, why) in [(r#"{"version":null}"#, "without version"), ("<html>", "no JSON")] {
            let wrong = judge(&wanted, &answer(200, body)).unwrap_err();
            assert!(wrong.contains(why), "{wrong}");
        }
    }

    #[test]
    fn every_part_of_an_answer_is_looked_at() {
        let right = answer(200, r#"{"checks":[{"name":"redis","ok":true}],"version":"1.4"}"#);
        let wanted = step(&[("checks.0.ok", "true"), ("version", "1.4")], "redis");
        let words = judge(&wanted, &right).unwrap().words;
        assert_eq!(
            words, "answers 200 as it should, checks.0.ok is true, version is 1.4, “redis” is in it",
            "what was looked at is the evidence"
        );
        for (wanted, got, why) in [
            (step(&[], ""), answer(503, ""), "answers 503"),
            (step(&[], "green"), answer(200, "blue"), "not in the body"),
            (
                step(&[("version", "1.5")], ""),
                answer(200, r#"{"version":"1.4"}"#),
                "version is 1.4",
            ),
            (
                step(&[("color", "blue")], ""),
                answer(200, r#"{"version":"1.4"}"#),
                "color is nothing",
            ),
            (step(&[("a", "b")], ""), answer(200, "<html>"), "no JSON"),
        ] {
            let wrong = judge(&wanted, &got).unwrap_err();
            assert!(wrong.contains(why), "{wrong}");
        }
        let mut wanted = step(&[], "");
        wanted.headers = BTreeMap::from([("x-version".to_owned(), "2".to_owned())]);
        assert_eq!(
            judge(&wanted, &right).unwrap_err(),
            "the header x-version is 1, 2 is wanted"
        );
        wanted.headers = BTreeMap::from([("x-color".to_owned(), String::new())]);
        assert_eq!(judge(&wanted, &right).unwrap_err(), "the header x-color is missing");
    }
}

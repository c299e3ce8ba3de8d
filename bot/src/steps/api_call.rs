//! `api_call`: read, call, read back. The value that was there before is in the journal before anything is sent.

use std::collections::BTreeMap;

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{ApiCall, Field, Guarded, Request, WAS};
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::listed::{Asked, Body, Servers, Trouble, as_text, at_path, cut};
use super::{Answer, At, Executor, Probe, StepError, acted, blind, finished, pending};

#[async_trait]
impl Executor for ApiCall {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let call = Guard::new(self, at)?;
        let Some(was) = call.read().await.transpose()? else {
            return Ok(StepOutcome::Prepared {
                memo: Value::Null,
                outputs: BTreeMap::new(),
                evidence: vec!["nothing tells what was there before".to_owned()],
                done: false,
            });
        };
        let done = call.fits(&was);
        let already = if done { " already" } else { "" };
        Ok(StepOutcome::Prepared {
            memo: json!({ "was": was }),
            outputs: BTreeMap::from([("was".to_owned(), as_text(&was))]),
            evidence: vec![format!("{} is {}{already}", call.path(), call.shown(&was))],
            done,
        })
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let call = Guard::new(self, at)?;
        // As late as can be: no such API compares before it sets.
        if let Some(now) = call.read().await.transpose()? {
            if call.fits(&now) {
                return Ok(acted(at.call.memo.clone()));
            }
            call.unchanged(&now, &at.call.memo["was"])?;
        }
        let sent = call.send(&call.guarded.send, &Value::Null).await;
        match sent {
            Ok(()) => Ok(acted(at.call.memo.clone())),
            // It certainly was not done: that is worth saying, for a second try could not know it.
            Err(Trouble::NotDone(why)) if call.guarded.read.is_none() => {
                Err(StepError::failed("not_done", format!("it was not done: {why}")))
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let call = Guard::new(self, at)?;
        let Some(now) = call.read().await.transpose()? else {
            let why = "the answer of the call was lost, and nothing tells whether it was carried out";
            return Ok(Probe::CannotTell(why.to_owned()));
        };
        Ok(if call.fits(&now) {
            Probe::Done(acted(at.call.memo.clone()))
        } else if call.guarded.drifts || now == at.call.memo["was"] {
            Probe::NotDone
        } else {
            let why = format!(
                "{} is {}: neither what it was nor what it should be",
                call.path(),
                call.shown(&now)
            );
            Probe::CannotTell(why)
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let call = Guard::new(self, at)?;
        let memo = at.call.memo.clone();
        Ok(match call.read().await {
            Some(Ok(now)) if call.fits(&now) => finished(format!("{} is {}", call.path(), call.shown(&now))),
            Some(Ok(now)) => pending(memo, format!("{} is still {}", call.path(), call.shown(&now))),
            Some(Err(Trouble::NotDone(why) | Trouble::Unknown(why))) => blind(memo, &format!("{}: {why}", call.path())),
            Some(Err(trouble)) => return Err(trouble.into()),
            None => finished("it was taken"),
        })
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        let call = Guard::new(self, at)?;
        let was = &at.call.memo["was"];
        let Some(now) = call.read().await.transpose()? else {
            return Err(StepError::failed("bug", "nothing tells what was there before"));
        };
        if now == *was {
            return Ok(acted(at.call.memo.clone()));
        }
        let Some(undo) = call.guarded.undo.as_ref().filter(|_| call.fits(&now)) else {
            let why = format!(
                "{} is {}, which this step did not set: it is left as it is",
                call.path(),
                call.shown(&now)
            );
            return Err(StepError::failed("changed_since", why));
        };
        call.send(undo, was).await?;
        Ok(acted(at.call.memo.clone()))
    }

    /// What goes on again may have another state than it had.
    async fn undo_watch(&self, at: At<'_>) -> Answer {
        let call = Guard::new(self, at)?;
        let Some(now) = call.read().await.transpose()? else {
            return Ok(finished("it was taken back"));
        };
        let seen = format!("{} is {}", call.path(), call.shown(&now));
        let back = now == at.call.memo["was"] || !call.fits(&now);
        Ok(if back {
            finished(seen)
        } else {
            pending(at.call.memo.clone(), seen)
        })
    }
}

/// A call in its general form, with the servers it goes to.
struct Guard<'a> {
    guarded: Guarded,
    servers: Servers<'a>,
}

impl<'a> Guard<'a> {
    fn new(step: &ApiCall, at: At<'a>) -> Result<Self, StepError> {
        let guarded = step.guarded().map_err(|why| StepError::failed("bad_call", why))?;
        let secret = guarded
            .secret
            .as_ref()
            .map(|(name, auth)| (name.as_str(), auth.clone()));
        let servers = Servers::new(at, "api_call", secret)?;
        Ok(Self { guarded, servers })
    }

    fn path(&self) -> &str {
        self.guarded.read.as_ref().map_or("", |(_, path)| path)
    }

    fn fits(&self, value: &Value) -> bool {
        self.guarded.wanted.fits(&as_text(value))
    }

    fn shown(&self, value: &Value) -> String {
        self.servers.words(&as_text(value))
    }

    /// Whether nobody has changed the value since it was kept for the undo.
    fn unchanged(&self, now: &Value, was: &Value) -> Result<(), StepError> {
        if self.guarded.drifts || now == was {
            return Ok(());
        }
        let why = format!(
            "{} was {} a moment ago and is {} now: somebody else changes it",
            self.path(),
            self.shown(was),
            self.shown(now)
        );
        Err(StepError::failed("changed_since", why))
    }

    /// The value as it is now; `None`: nobody reads it.
    async fn read(&self) -> Option<Result<Value, Trouble>> {
        let (url, path) = self.guarded.read.as_ref()?;
        Some(self.read_at(url, path).await)
    }

    async fn read_at(&self, url: &str, path: &str) -> Result<Value, Trouble> {
        let url = address(url)?;
        let asked = Asked {
            method: Method::GET,
            url: &url,
            headers: &self.guarded.send.headers,
            body: Body::Nothing,
        };
        let answer = self.servers.send(asked).await?;
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        at_path(&body, path).cloned().ok_or_else(|| {
            let why = format!("there is no {path} in what {} answers", cut(url.as_str()));
            Trouble::Never(StepError::failed("no_value", why))
        })
    }

    async fn send(&self, request: &Request, was: &Value) -> Result<(), Trouble> {
        let url = address(&request.url)?;
        let method = Method::from_bytes(request.method.as_str().as_bytes()).unwrap_or(Method::POST);
        let body = match &request.body {
            Some(body) => Body::Json(json_with(body, was)),
            None if request.form.is_empty() => Body::Nothing,
            None => Body::Form(form_with(&request.form, was)),
        };
        let asked = Asked {
            method,
            url: &url,
            headers: &request.headers,
            body,
        };
        self.servers.send(asked).await.map(drop)
    }
}

fn address(url: &str) -> Result<Url, Trouble> {
    url.parse()
        .map_err(|_| Trouble::Never(StepError::failed("bad_address", format!("`{url}` is no address"))))
}

/// A body of JSON with the value that was there: as JSON where it stands alone, as a part of a text inside of one.
fn json_with(body: &str, was: &Value) -> String {
    let quoted = Value::from(as_text(was)).to_string();
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let whole = was.to_string();
    let alone = body.replace(&format!("\"{WAS}\""), &whole);
    let bare = if was.is_string() { inner } else { &whole };
    alone.replace(WAS, bare)
}

/// A form with the value that was there; a list is a field for each of its items.
fn form_with(form: &BTreeMap<String, Field>, was: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (name, field) in form {
        match (field, was) {
            (Field::One(text), Value::Array(items)) if text == WAS => {
                fields.extend(items.iter().map(|item| (name.clone(), as_text(item))));
            }
            (Field::One(text), _) => fields.push((name.clone(), text.replace(WAS, &as_text(was)))),
            (Field::Many(texts), _) => {
                fields.extend(
                    texts
                        .iter()
                        .map(|text| (name.clone(), text.replace(WAS, &as_text(was)))),
                );
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use commands::step::Wanted;

    #[test]
    fn what_was_there_goes_back_with_its_type() {
        assert_eq!(json_with(r#"{"quantity":{was}}"#, &json!(2)), r#"{"quantity":2}"#);
        assert_eq!(json_with(r#"{"quantity":"{was}"}"#, &json!(2)), r#"{"quantity":2}"#);
        assert_eq!(json_with(r#"{"to":"{was}"}"#, &json!("a \"b\"")), r#"{"to":"a \"b\""}"#);
        assert_eq!(json_with(r#"{"to":"x {was}"}"#, &json!("\"b\"")), r#"{"to":"x \"b\""}"#);
        assert_eq!(json_with(r#"{"paused":false}"#, &json!("up")), r#"{"paused":false}"#);
        let form = BTreeMap::from([("action".to_owned(), Field::One(WAS.to_owned()))]);
        let pair = |value: &str| ("action".to_owned(), value.to_owned());
        assert_eq!(
            form_with(&form, &json!(["forward(\"a\")", "stop()"])),
            [pair("forward(\"a\")"), pair("stop()")]
        );
        assert_eq!(form_with(&form, &json!("https://old")), [pair("https://old")]);
    }

    #[test]
    fn wanted_is_a_value_or_anything_else() {
        assert!(Wanted::Is("0".into()).fits("0") && !Wanted::Is("0".into()).fits("1"));
        assert!(Wanted::IsNot("paused".into()).fits("up") && !Wanted::IsNot("paused".into()).fits("paused"));
    }
}

//! `mapping`: where a path of an API Gateway domain leads, replaced in one call and read back.

use async_trait::async_trait;
use commands::step::Mapping;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Answer, At, Executor, Probe, StepError, acted, already, finished, found, pending};
use crate::aws::AwsError;
use crate::aws::api::API_GATEWAY;
use crate::aws::signed::Ask;

/// How API Gateway's first version calls the path without a name.
const ROOT: &str = "(none)";
/// APIs, and mappings, on one page.
const PAGE: &str = "500";
/// Pages of one listing; an account has far fewer APIs.
const PAGES: usize = 20;

/// Where a mapping leads: the API's id and the stage.
type Leads = (String, String);

#[async_trait]
impl Executor for Mapping {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let api = api(self, at).await?;
        let mapping = read(self, at, None).await?;
        let (id, old) = (mapping.0, mapping.1);
        let standing = format!("{} {} leads to {}, stage {}", self.domain, self.path, old.0, old.1);
        let new = (api, self.stage.clone());
        if old == new {
            return Ok(already(BTreeMap::new(), format!("{standing} already")));
        }
        let memo = json!({ "id": id, "old": old, "new": new });
        Ok(found(
            memo,
            vec![standing, format!("it is to lead to {}, stage {}", new.0, new.1)],
        ))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        replace(self, at, ("old", "new")).await
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let (_, now) = read(self, at, id(at)).await?;
        Ok(if now == leads(at, "new") {
            Probe::Done(acted(at.call.memo.clone()))
        } else {
            Probe::NotDone
        })
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        look(self, at, "new").await
    }

    async fn undo(&self, at: At<'_>) -> Answer {
        replace(self, at, ("new", "old")).await
    }

    async fn undo_watch(&self, at: At<'_>) -> Answer {
        look(self, at, "old").await
    }
}

fn leads(at: At<'_>, name: &str) -> Leads {
    serde_json::from_value(at.call.memo[name].clone()).unwrap_or_default()
}

/// The second version's id of the mapping.
fn id(at: At<'_>) -> Option<&str> {
    at.call.memo["id"].as_str()
}

/// The API's id: the one that is given, or that of the only API of that name.
async fn api(step: &Mapping, at: At<'_>) -> Result<String, StepError> {
    let Some(name) = &step.api_name else {
        return Ok(step.api.clone().unwrap_or_default());
    };
    let list = if step.version == 1 {
        List {
            operation: "GetRestApis",
            path: vec!["restapis"],
            version: 1,
        }
    } else {
        List {
            operation: "GetApis",
            path: vec!["v2", "apis"],
            version: 2,
        }
    };
    let (name_member, id_member) = if step.version == 1 {
        ("name", "id")
    } else {
        ("name", "apiId")
    };
    let all = pages(at, list).await?;
    let named = all.iter().filter(|api| api[name_member] == **name);
    let ids: Vec<&str> = named.filter_map(|api| api[id_member].as_str()).collect();
    match ids.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(StepError::failed("no_api", format!("there is no API named {name}"))),
        several => Err(StepError::failed(
            "several_apis",
            format!(
                "{name} is the name of {}: write one of these ids as `api`",
                several.join(" and ")
            ),
        )),
    }
}

/// A list that API Gateway gives in pages.
struct List<'a> {
    operation: &'static str,
    path: Vec<&'a str>,
    version: u8,
}

/// Everything that is listed.
async fn pages(at: At<'_>, list: List<'_>) -> Result<Vec<Value>, StepError> {
    let (size, token, member, next) = if list.version == 1 {
        ("limit", "position", "item", "position")
    } else {
        ("maxResults", "nextToken", "items", "nextToken")
    };
    let mut found = Vec::new();
    let mut position: Option<String> = None;
    for _ in 0..PAGES {
        let mut ask = Ask::rest(list.operation, Method::GET, list.path.clone(), None);
        ask.query = vec![(size, PAGE)];
        ask.query.extend(position.as_deref().map(|position| (token, position)));
        let told = at.aws(API_GATEWAY, ask).await?;
        found.extend(told.body[member].as_array().cloned().unwrap_or_default());
        position = told.body[next]
            .as_str()
            .filter(|next| !next.is_empty())
            .map(str::to_owned);
        if position.is_none() {
            return Ok(found);
        }
    }
    let why = format!("{} lists more than is read: write the `api` by its id", list.operation);
    Err(StepError::failed("too_many", why))
}

/// Where the mapping leads now, with its id in the second version.
async fn read(step: &Mapping, at: At<'_>, id: Option<&str>) -> Result<(Option<String>, Leads), StepError> {
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    if step.version == 1 {
        let path = vec![
            "domainnames",
            step.domain.as_str(),
            "basepathmappings",
            step.path.as_str(),
        ];
        return match at
            .aws(API_GATEWAY, Ask::rest("GetBasePathMapping", Method::GET, path, None))
            .await
        {
            Ok(told) => Ok((None, (text(&told.body, "restApiId"), text(&told.body, "stage")))),
            Err(error) if is_missing(&error) => Err(missing(step)),
            Err(error) => Err(error.into()),
        };
    }
    let of = |one: &Value| {
        (
            Some(text(one, "apiMappingId")),
            (text(one, "apiId"), text(one, "stage")),
        )
    };
    let path = vec!["v2", "domainnames", step.domain.as_str(), "apimappings"];
    if let Some(id) = id {
        let path = path.into_iter().chain([id]).collect();
        let told = at
            .aws(API_GATEWAY, Ask::rest("GetApiMapping", Method::GET, path, None))
            .await?;
        return Ok(of(&told.body));
    }
    let list = List {
        operation: "GetApiMappings",
        path,
        version: 2,
    };
    let all = pages(at, list).await?;
    let key = if step.path == ROOT { "" } else { step.path.as_str() };
    let found = all
        .iter()
        .find(|one| one["apiMappingKey"].as_str().unwrap_or_default() == key);
    found.map(of).ok_or_else(|| missing(step))
}

fn is_missing(error: &AwsError) -> bool {
    error.code() == Some("NotFoundException")
}

fn missing(step: &Mapping) -> StepError {
    let command = if step.version == 1 {
        format!(
            "aws apigateway create-base-path-mapping --domain-name {} --base-path '{}' --rest-api-id … --stage {}",
            step.domain, step.path, step.stage
        )
    } else {
        format!(
            "aws apigatewayv2 create-api-mapping --domain-name {} --api-id … --stage {}",
            step.domain, step.stage
        )
    };
    let why = format!(
        "{} has no mapping for {}, and a mapping is only ever replaced from here. Make it once: {command}",
        step.domain, step.path
    );
    StepError::failed("no_mapping", why)
}

/// Points the mapping from where the memo says to where it says. API Gateway has no compare-and-set: what is there is read as late as can be.
async fn replace(step: &Mapping, at: At<'_>, (from, to): (&str, &str)) -> Answer {
    let (from, to) = (leads(at, from), leads(at, to));
    let (_, now) = read(step, at, id(at)).await?;
    if now == to {
        return Ok(acted(at.call.memo.clone()));
    }
    if now != from {
        let why = format!(
            "{} {} leads to {}, stage {}: somebody changed it since it was read",
            step.domain, step.path, now.0, now.1
        );
        return Err(StepError::failed("changed_since", why));
    }
    let ask = match id(at) {
        None => {
            let path = vec![
                "domainnames",
                step.domain.as_str(),
                "basepathmappings",
                step.path.as_str(),
            ];
            let change = |path: &str, value: &str| json!({ "op": "replace", "path": path, "value": value });
            let patch = json!({ "patchOperations": [change("/restapiId", &to.0), change("/stage", &to.1)] });
            Ask::rest("UpdateBasePathMapping", Method::PATCH, path, Some(patch))
        }
        Some(id) => {
            let path = vec!["v2", "domainnames", step.domain.as_str(), "apimappings", id];
            let body = json!({ "apiId": to.0, "stage": to.1 });
            Ask::rest("UpdateApiMapping", Method::PATCH, path, Some(body))
        }
    };
    at.aws(API_GATEWAY, ask).await?;
    Ok(acted(at.call.memo.clone()))
}

async fn look(step: &Mapping, at: At<'_>, name: &str) -> Answer {
    let (_, now) = read(step, at, id(at)).await?;
    let words = format!("{} {} leads to {}, stage {}", step.domain, step.path, now.0, now.1);
    Ok(if now == leads(at, name) {
        finished(words)
    } else {
        pending(at.call.memo.clone(), words)
    })
}

//! The paths: `_cat/indices`, `_count`, `_stats`, `_tasks`, `_cluster/health`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{Domain, Index};
use crate::aws::s3_wire::percent_decoded;
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::World;

/// Everything under `/opensearch`; the first part of the path names the domain.
pub(crate) fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

/// What is asked of a domain.
struct Asked {
    domain: String,
    /// `count`, for the log and for faults.
    name: &'static str,
    /// The index or pattern; empty for all.
    index: String,
    query: Vec<(String, String)>,
}

fn asked(method: &Method, path: &str, query: &str) -> Option<Asked> {
    let parts: Vec<String> = path.trim_matches('/').split('/').map(percent_decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (domain, rest) = parts.split_first()?;
    let read = *method == Method::GET || *method == Method::POST;
    let (name, index) = match rest {
        ["_cat", "indices"] => ("cat_indices", ""),
        ["_cat", "indices", index] => ("cat_indices", *index),
        ["_cat", "tasks"] => ("cat_tasks", ""),
        ["_count"] => ("count", ""),
        [index, "_count"] => ("count", *index),
        ["_stats"] => ("stats", ""),
        [index, "_stats"] => ("stats", *index),
        ["_tasks"] => ("tasks", ""),
        ["_cluster", "health"] => ("health", ""),
        _ => return None,
    };
    read.then(|| Asked {
        domain: (*domain).to_owned(),
        name,
        index: index.to_owned(),
        query: serde_urlencoded::from_str(query).unwrap_or_default(),
    })
}

/// Answers what is asked of the domain that the first part of the path names.
pub(crate) async fn handle(State(world): State<Arc<World>>, request: Request) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let known = asked(&method, uri.path(), uri.query().unwrap_or_default());
    let signed = request.headers().contains_key("authorization");
    let name = known.as_ref().map_or("unknown", |asked| asked.name);
    let call = Call {
        name: format!("opensearch.{name}"),
        arguments: json!({"method": method.as_str(), "path": uri.path(), "query": uri.query()}),
    };
    let inner = Arc::clone(&world);
    guarded(&world, call, OpenSearch, move || {
        let refuse =
            |status: StatusCode, kind: &str, reason: &str| Answer::refused(refusal(status, kind, reason), kind);
        let Some(asked) = known else {
            return refuse(
                StatusCode::BAD_REQUEST,
                "illegal_argument_exception",
                "no handler found for uri",
            );
        };
        if !signed {
            let message = format!("User: anonymous is not authorized to perform: es:ESHttp{method}");
            return Answer::refused(
                respond(StatusCode::FORBIDDEN, &json!({ "Message": message })),
                "AccessDenied",
            );
        }
        let mut account = inner.aws();
        account.advance(inner.clock.now_ms());
        let now_ms = account.now_ms;
        let domain = account
            .regions
            .values()
            .find_map(|region| region.search.0.get(&asked.domain));
        let Some(domain) = domain else {
            return refuse(
                StatusCode::NOT_FOUND,
                "no_such_domain",
                "there is no search domain of this name",
            );
        };
        match domain.answer(&asked, now_ms) {
            Some(answer) => Answer::done(respond(StatusCode::OK, &answer)),
            None => {
                let reason = format!("no such index [{}]", asked.index);
                refuse(StatusCode::NOT_FOUND, "index_not_found_exception", &reason)
            }
        }
    })
    .await
}

impl Domain {
    /// The answer, or `None` when an index that is named is not there.
    fn answer(&self, asked: &Asked, now_ms: i64) -> Option<Value> {
        let named = |name: &str| asked.index.is_empty() || like(&asked.index, name);
        let indices: Vec<(&String, &Index)> = self.indices.iter().filter(|(name, _)| named(name)).collect();
        let open = asked.index.is_empty() || asked.index.contains('*');
        if indices.is_empty() && !open {
            return None;
        }
        Some(match asked.name {
            "count" => {
                let count: u64 = indices.iter().map(|(_, index)| index.docs(now_ms)).sum();
                json!({"count": count, "_shards": {"total": 5, "successful": 5, "skipped": 0, "failed": 0}})
            }
            "cat_indices" => {
                let rows = indices.iter().map(|(name, index)| {
                    json!({"health": self.status(), "status": "open", "index": name, "pri": "5", "rep": "1", "docs.count": index.docs(now_ms).to_string(),
                        "docs.deleted": index.deleted.to_string(), "store.size": "1mb", "pri.store.size": "1mb"})
                });
                rows.collect()
            }
            "stats" => {
                let shown: Map<String, Value> = indices
                    .iter()
                    .map(|(name, index)| {
                        let both = json!({"docs": {"count": index.docs(now_ms), "deleted": index.deleted}, "translog": {"operations": index.operations}});
                        ((*name).clone(), json!({"primaries": both, "total": both}))
                    })
                    .collect();
                json!({ "indices": shown })
            }
            "health" => {
                json!({"cluster_name": format!("111122223333:{}", asked.domain), "status": self.status(), "timed_out": false,
                "number_of_nodes": 3, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0})
            }
            _ => self.tasks(asked, now_ms),
        })
    }

    /// The tasks whose action fits the query.
    fn tasks(&self, asked: &Asked, now_ms: i64) -> Value {
        let wanted = asked
            .query
            .iter()
            .find(|(name, _)| name == "actions")
            .map(|(_, value)| value.as_str());
        let actions = self.actions(now_ms).into_iter();
        let fitting: Vec<(String, String)> = actions
            .filter(|(action, _)| wanted.is_none_or(|wanted| wanted.split(',').any(|pattern| like(pattern, action))))
            .collect();
        if asked.name == "cat_tasks" {
            let rows = fitting.iter().enumerate();
            return rows
                .map(|(number, (action, _))| json!({"action": action, "task_id": format!("n1:{number}"), "parent_task_id": "-", "type": "transport"}))
                .collect();
        }
        let tasks: Map<String, Value> = fitting
            .into_iter()
            .enumerate()
            .map(|(number, (action, description))| {
                let task = json!({"node": "n1", "id": number, "type": "transport", "action": action, "description": description, "cancellable": true});
                (format!("n1:{number}"), task)
            })
            .collect();
        if tasks.is_empty() {
            json!({"nodes": {}})
        } else {
            json!({"nodes": {"n1": {"name": "n1", "tasks": tasks}}})
        }
    }
}

/// Whether a name is like a pattern, in which a star stands for anything; several patterns are apart by commas.
fn like(pattern: &str, name: &str) -> bool {
    fn one(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == name,
            Some((start, rest)) => name
                .strip_prefix(start)
                .is_some_and(|left| (0..=left.len()).any(|at| left.is_char_boundary(at) && one(rest, &left[at..]))),
        }
    }
    pattern.split(',').any(|pattern| one(pattern, name))
}

/// How OpenSearch words its refusals.
struct OpenSearch;

fn respond(status: StatusCode, body: &Value) -> Response {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=UTF-8");
    response.body(Body::from(body.to_string())).unwrap_or_default()
}

fn refusal(status: StatusCode, kind: &str, reason: &str) -> Response {
    let error = json!({"type": kind, "reason": reason});
    respond(
        status,
        &json!({"error": {"root_cause": [error], "type": kind, "reason": reason}, "status": status.as_u16()}),
    )
}

impl Vendor for OpenSearch {
    fn throttled(&self, _retry_after: u64) -> Response {
        refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "rejected_execution_exception",
            "the queue is full",
        )
    }

    fn failed(&self) -> Response {
        refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "cluster_block_exception",
            "blocked by: no cluster manager",
        )
    }

    fn refused(&self, error: &str) -> Response {
        refusal(
            StatusCode::FORBIDDEN,
            error,
            "refused on request of the sandbox's controls",
        )
    }
}

//! The HTTP side: which operation of which service a request means, who sends it, and how it is carried out under the faults that are set.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

use super::account::Account;
use super::args::Args;
use super::error::AwsError;
use super::protocol::Protocol;
use super::service::{self, Request, Rest, Service};
use super::signature::{Signed, header};
use super::{cbor, codebuild, ids, query, sqs};
use crate::faults_http::{Answer, Call, guarded};
use crate::world::{Change, World};

/// The largest request that is read: SQS's messages and what is around them.
const BODY_LIMIT: usize = 2 * 1_048_576;

/// The AWS endpoint: every path, for clients differ in what they append.
pub fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

/// An operation that was asked for.
#[derive(Clone)]
struct Operation {
    service: &'static Service,
    name: String,
    arguments: Value,
    protocol: Protocol,
}

async fn handle(State(world): State<Arc<World>>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let signed = Signed::of(&parts.headers);
    let protocol = Protocol::of(&parts.headers, &signed.scope);
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return protocol.refuse(&AwsError::new("RequestEntityTooLarge", "the request is too large"));
    };
    let rest = service::of_scope(&signed.scope).next().is_some();
    if signed.scope == "s3" || (parts.method != Method::POST && !rest) {
        return super::s3_wire::handle(&world, &parts, &body).await;
    }
    let understood = if rest {
        rest_operation(&parts, &body, &signed.scope)
    } else {
        rpc_operation(&parts, &body, &protocol)
    };
    match understood {
        Ok(operation) => carry_out(&world, &parts, (operation, signed)).await,
        Err(error) => {
            let call = Call {
                name: "aws.Unknown".to_owned(),
                arguments: json!({"path": parts.uri.path()}),
            };
            guarded(&world, call, protocol.clone(), move || {
                Answer::refused(protocol.refuse(&error), error.code)
            })
            .await
        }
    }
}

async fn carry_out(world: &Arc<World>, parts: &Parts, (operation, signed): (Operation, Signed)) -> Response {
    let call = Call {
        name: format!("aws.{}", operation.name),
        arguments: loggable(&operation.arguments),
    };
    let protocol = operation.protocol.clone();
    let endpoint = endpoint(parts);
    if operation.name == "ReceiveMessage" {
        wait_for_message(world, &operation, &signed).await;
    }
    let inner = Arc::clone(world);
    guarded(world, call, protocol.clone(), move || {
        if operation.name == "StartBuild" {
            let caller = signed.caller(&inner.aws());
            if let Ok(caller) = caller {
                codebuild::learn_commit(&inner, &signed.place(&caller), &operation.arguments);
            }
        }
        let (answer, changed) = {
            let mut account = inner.aws();
            let before = account.changes;
            account.advance(inner.clock.now_ms());
            let answer = perform(&mut account, &operation, (&signed, &endpoint));
            if answer.is_ok() && !only_reads(&operation.name) {
                account.changes += 1;
            }
            (answer, account.changes != before)
        };
        if changed {
            inner.changed(Change::Aws);
        }
        match answer {
            Ok(value) => Answer::done(protocol.answer(&operation.name, value)),
            Err(error) => Answer::refused(protocol.refuse(&error), error.code),
        }
    })
    .await
}

fn perform(
    account: &mut Account,
    operation: &Operation,
    (signed, endpoint): (&Signed, &str),
) -> Result<Value, AwsError> {
    let caller = signed.caller(account)?;
    let request = Request {
        operation: &operation.name,
        args: Args(&operation.arguments),
        caller: &caller,
        place: signed.place(&caller),
        endpoint,
    };
    (operation.service.call)(account, &request).unwrap_or_else(|| Err(AwsError::unknown_operation(&operation.name)))
}

/// Whether an operation leaves the account as it was, by its name, as AWS itself groups them.
fn only_reads(operation: &str) -> bool {
    const READS: &[&str] = &[
        "Get", "List", "Describe", "BatchGet", "Filter", "Query", "Scan", "Receive",
    ];
    READS.iter().any(|verb| operation.starts_with(verb))
}

/// Waits in machine time until there is something to receive or the poll is over.
async fn wait_for_message(world: &Arc<World>, operation: &Operation, signed: &Signed) {
    let args = Args(&operation.arguments);
    let poll = |world: &World| {
        let mut account = world.aws();
        account.advance(world.clock.now_ms());
        let caller = signed.caller(&account).ok()?;
        let region = account.region(&sqs::place_of(args, &signed.place(&caller)));
        Some((sqs::must_wait(region, args)?, region.queues.arrivals()))
    };
    let Some((seconds, mut arrivals)) = poll(world) else {
        return;
    };
    let mut jumps = world.clock.jumps();
    let over = crate::clock::machine_sleep(std::time::Duration::from_secs(seconds));
    tokio::pin!(over);
    loop {
        // The tick is for messages that become visible again: nothing announces them.
        tokio::select! {
            () = &mut over => return,
            _ = arrivals.changed() => {}
            _ = jumps.changed() => {}
            () = crate::clock::machine_sleep(super::TICK) => {}
        }
        if poll(world).is_none() {
            return;
        }
    }
}

fn rest_operation(parts: &Parts, body: &Bytes, scope: &str) -> Result<Operation, AwsError> {
    let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    let path = parts.uri.path().trim_matches('/').split('/');
    let rest = Rest {
        method: &parts.method,
        path: path.map(super::s3_wire::percent_decoded).collect(),
        query,
        headers: &parts.headers,
        body,
    };
    for (service, dialect) in service::of_scope(scope) {
        if let Some(meant) = (dialect.route)(&rest) {
            let (name, arguments) = meant?;
            return Ok(Operation {
                service,
                name: name.to_owned(),
                arguments,
                protocol: match dialect.namespace {
                    "" => Protocol::RestJson,
                    namespace => Protocol::RestXml(namespace),
                },
            });
        }
    }
    let asked = format!("{} {}", parts.method, parts.uri.path());
    Err(AwsError::unknown_operation(&asked).with_status(http::StatusCode::NOT_FOUND))
}

fn rpc_operation(parts: &Parts, body: &Bytes, protocol: &Protocol) -> Result<Operation, AwsError> {
    let broken = |what: &str| AwsError::new("SerializationException", format!("the body is not {what}"));
    let known = |service: &str, name: &str, arguments: Value| {
        Ok(Operation {
            service: service::of_target(service)?,
            name: name.to_owned(),
            arguments,
            protocol: protocol.clone(),
        })
    };
    if let Some((service, name)) = rpc_path(parts.uri.path()) {
        let arguments = if body.is_empty() {
            Some(json!({}))
        } else {
            cbor::decode(body)
        };
        return known(service, name, arguments.ok_or_else(|| broken("CBOR"))?);
    }
    if let Some(target) = header(&parts.headers, "x-amz-target") {
        let (service, name) = target
            .rsplit_once('.')
            .ok_or_else(|| AwsError::unknown_operation(target))?;
        let arguments = if body.is_empty() {
            json!({})
        } else {
            serde_json::from_slice(body).map_err(|_| broken("JSON"))?
        };
        return known(service, name, arguments);
    }
    form_operation(serde_urlencoded::from_bytes(body).map_err(|_| broken("a form"))?)
}

fn form_operation(form: Vec<(String, String)>) -> Result<Operation, AwsError> {
    let field = |wanted: &str| {
        let found = form.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let name = field("Action").ok_or_else(|| AwsError::new("MissingAction", "the request names no operation"))?;
    let (service, dialect) = field("Version")
        .and_then(service::of_version)
        .ok_or_else(|| AwsError::unknown_operation(name))?;
    Ok(Operation {
        service,
        name: name.to_owned(),
        arguments: query::arguments(&form),
        protocol: if dialect.ec2 {
            Protocol::Ec2(dialect.namespace)
        } else {
            Protocol::Query(dialect.namespace)
        },
    })
}

/// `/service/<service>/operation/<operation>`, whatever is before it.
fn rpc_path(path: &str) -> Option<(&str, &str)> {
    let (_, rest) = path.rsplit_once("/service/")?;
    rest.split_once("/operation/")
}

/// The arguments as a log may show them: no approval token, no function's variables, no secret parameter.
fn loggable(arguments: &Value) -> Value {
    let mut shown = arguments.clone();
    let hide = |value: &mut Value| {
        if let Some(text) = value.as_str() {
            *value = json!(ids::fingerprint(text));
        }
    };
    if let Some(token) = shown.get_mut("token") {
        hide(token);
    }
    if shown["Type"] == "SecureString" {
        shown.get_mut("Value").map(hide);
    }
    if let Some(Value::Object(variables)) = shown.pointer_mut("/Environment/Variables") {
        variables.values_mut().for_each(hide);
    }
    shown
}

/// Where the caller reached the account.
fn endpoint(parts: &Parts) -> String {
    format!(
        "http://{}/aws",
        header(&parts.headers, "host").unwrap_or("127.0.0.1:8700")
    )
}

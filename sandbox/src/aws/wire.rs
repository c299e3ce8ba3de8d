//! The HTTP side: which protocol a request speaks, which operation it means, who sends it, and how the answer is written.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::account::Account;
use super::args::Args;
use super::error::AwsError;
use super::sts::{Caller, Signature};
use super::{cbor, cloudwatch, codepipeline, ids, query, sqs, sts, value};
use crate::faults_http::{Answer, Call, Vendor, guarded};
use crate::world::{Change, World};

/// The largest request that is read: SQS's messages and what is around them.
const BODY_LIMIT: usize = 2 * 1_048_576;

/// The AWS endpoint: every path, for clients differ in what they append.
pub fn routes(world: &Arc<World>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(world))
}

/// How a request is written.
#[derive(Debug, Clone)]
enum Protocol {
    /// awsJson: the content type, which the answer repeats.
    Json(String),
    /// Smithy RPC v2 with CBOR.
    Cbor,
    /// Forms in, XML out.
    Query,
}

/// A service of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    CodePipeline,
    CloudWatch,
    Sqs,
    Sts,
}

/// An operation that was asked for.
#[derive(Debug, Clone)]
struct Operation {
    service: Service,
    name: String,
    arguments: Value,
    protocol: Protocol,
}

async fn handle(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return Protocol::Query.refuse(&AwsError::new("RequestEntityTooLarge", "the request is too large"));
    };
    if parts.method != Method::POST {
        return super::s3_wire::handle(&world, &parts).await;
    }
    match operation(&parts, &body) {
        Ok(operation) => carry_out(&world, &parts, operation).await,
        Err(error) => {
            let call = Call {
                name: "aws.Unknown".to_owned(),
                arguments: json!({"path": parts.uri.path()}),
            };
            let protocol = Protocol::of(&parts.headers);
            guarded(&world, call, protocol.clone(), move || {
                Answer::refused(protocol.refuse(&error), error.code)
            })
            .await
        }
    }
}

async fn carry_out(world: &Arc<World>, parts: &Parts, operation: Operation) -> Response {
    let call = Call {
        name: format!("aws.{}", operation.name),
        arguments: loggable(&operation.arguments),
    };
    let protocol = operation.protocol.clone();
    let endpoint = endpoint(parts);
    let signature = owned_signature(&parts.headers);
    if operation.name == "ReceiveMessage" && operation.service == Service::Sqs {
        wait_for_message(world, &operation).await;
    }
    let inner = Arc::clone(world);
    guarded(world, call, protocol.clone(), move || {
        let (answer, changed) = {
            let mut account = inner.aws();
            let before = account.changes;
            account.advance(inner.clock.now_ms());
            let answer = signature
                .caller(&account)
                .and_then(|caller| perform(&mut account, &operation, &caller, &endpoint));
            (answer, account.changes != before)
        };
        if changed {
            inner.changed(Change::Aws);
        }
        match answer {
            Ok(value) => Answer::done(protocol.answer(&operation, value)),
            Err(error) => Answer::refused(protocol.refuse(&error), error.code),
        }
    })
    .await
}

fn perform(account: &mut Account, operation: &Operation, caller: &Caller, endpoint: &str) -> Result<Value, AwsError> {
    let args = Args(&operation.arguments);
    let name = operation.name.as_str();
    let unknown = || Err(AwsError::unknown_operation(name));
    match operation.service {
        Service::CodePipeline => codepipeline::call(account, name, args, caller).unwrap_or_else(unknown),
        Service::CloudWatch => match name {
            "DescribeAlarms" => cloudwatch::describe_alarms(account, args),
            "SetAlarmState" => cloudwatch::set_alarm_state(account, args),
            _ => unknown(),
        },
        Service::Sqs => match name {
            "CreateQueue" => sqs::create_queue(account, args, endpoint),
            "GetQueueUrl" => sqs::get_queue_url(account, args, endpoint),
            "SendMessage" => sqs::send_message(account, args),
            "ReceiveMessage" => sqs::receive_message(account, args),
            "DeleteMessage" => sqs::delete_message(account, args),
            "DeleteMessageBatch" => sqs::delete_message_batch(account, args),
            "ChangeMessageVisibility" => sqs::change_message_visibility(account, args),
            "GetQueueAttributes" => sqs::get_queue_attributes(account, args),
            _ => unknown(),
        },
        Service::Sts => match name {
            "AssumeRole" => sts::assume_role(account, args, caller),
            "GetCallerIdentity" => Ok(sts::get_caller_identity(caller)),
            _ => unknown(),
        },
    }
}

/// Waits in machine time until there is something to receive or the poll is over.
async fn wait_for_message(world: &Arc<World>, operation: &Operation) {
    let args = Args(&operation.arguments);
    let poll = |world: &World| {
        let mut account = world.aws();
        account.advance(world.clock.now_ms());
        (sqs::must_wait(&mut account, args), account.queues.arrivals())
    };
    let (Some(seconds), mut arrivals) = poll(world) else {
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
        if poll(world).0.is_none() {
            return;
        }
    }
}

fn operation(parts: &Parts, body: &Bytes) -> Result<Operation, AwsError> {
    let protocol = Protocol::of(&parts.headers);
    let broken = |what: &str| AwsError::new("SerializationException", format!("the body is not {what}"));
    if let Some((service, name)) = rpc_path(parts.uri.path()) {
        let arguments = if body.is_empty() {
            Some(json!({}))
        } else {
            cbor::decode(body)
        };
        let arguments = arguments.ok_or_else(|| broken("CBOR"))?;
        return Ok(Operation {
            service: service_of(service)?,
            name: name.to_owned(),
            arguments,
            protocol,
        });
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
        return Ok(Operation {
            service: service_of(service)?,
            name: name.to_owned(),
            arguments,
            protocol,
        });
    }
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| broken("a form"))?;
    let action = form
        .iter()
        .find(|(name, _)| name == "Action")
        .map(|(_, value)| value.clone());
    let name = action.ok_or_else(|| AwsError::new("MissingAction", "the request names no operation"))?;
    let version = form
        .iter()
        .find(|(name, _)| name == "Version")
        .map(|(_, value)| value.as_str());
    let service = if version == Some("2010-08-01") {
        Service::CloudWatch
    } else {
        Service::Sts
    };
    Ok(Operation {
        service,
        name,
        arguments: query::arguments(&form),
        protocol,
    })
}

/// `/service/<service>/operation/<operation>`, whatever is before it.
fn rpc_path(path: &str) -> Option<(&str, &str)> {
    let (_, rest) = path.rsplit_once("/service/")?;
    rest.split_once("/operation/")
}

fn service_of(shape: &str) -> Result<Service, AwsError> {
    match shape {
        "CodePipeline_20150709" => Ok(Service::CodePipeline),
        "GraniteServiceVersion20100801" => Ok(Service::CloudWatch),
        "AmazonSQS" => Ok(Service::Sqs),
        _ => Err(AwsError::unknown_operation(shape)),
    }
}

/// The arguments as a log may show them.
fn loggable(arguments: &Value) -> Value {
    let mut shown = arguments.clone();
    if let Some(token) = shown.get_mut("token")
        && let Some(text) = token.as_str()
    {
        *token = json!(ids::fingerprint(text));
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

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A request's signature, taken out of it.
pub(super) struct Signed {
    access_key: Option<String>,
    session_token: Option<String>,
    at_ms: i64,
}

impl Signed {
    /// Who sent the request.
    pub(super) fn caller(&self, account: &Account) -> Result<Caller, AwsError> {
        let missing = || AwsError::new("MissingAuthenticationTokenException", "Missing Authentication Token");
        let access_key = self
            .access_key
            .as_deref()
            .ok_or_else(|| missing().with_status(StatusCode::FORBIDDEN))?;
        let session_token = self.session_token.as_deref();
        account.sessions.caller(&Signature {
            access_key,
            session_token,
            at_ms: self.at_ms,
        })
    }
}

/// Reads `Authorization: AWS4-HMAC-SHA256 Credential=<key>/…` and the headers beside it.
pub(super) fn owned_signature(headers: &HeaderMap) -> Signed {
    let scope = header(headers, "authorization").and_then(|text| text.split_once("Credential=")?.1.split_once('/'));
    let date = header(headers, "x-amz-date")
        .and_then(|date| chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok());
    Signed {
        access_key: scope.map(|(key, _)| key.to_owned()),
        session_token: header(headers, "x-amz-security-token").map(str::to_owned),
        at_ms: date.map_or(0, |date| date.and_utc().timestamp_millis()),
    }
}

impl Protocol {
    fn of(headers: &HeaderMap) -> Self {
        let content_type = header(headers, "content-type").unwrap_or_default();
        if header(headers, "smithy-protocol").is_some() || content_type == "application/cbor" {
            Self::Cbor
        } else if content_type.starts_with("application/x-amz-json") {
            Self::Json(content_type.to_owned())
        } else {
            Self::Query
        }
    }

    fn answer(&self, operation: &Operation, answer: Value) -> Response {
        let id = ids::uuid();
        let body = match self {
            Self::Json(_) => value::to_json(answer).to_string().into_bytes(),
            Self::Cbor => cbor::encode(&answer),
            Self::Query => {
                let namespace = match operation.service {
                    Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
                    _ => "https://sts.amazonaws.com/doc/2011-06-15/",
                };
                query::answer(&operation.name, namespace, &value::to_text(answer), &id).into_bytes()
            }
        };
        self.respond(StatusCode::OK, &id, body)
    }

    fn refuse(&self, error: &AwsError) -> Response {
        let id = ids::uuid();
        let told = json!({"__type": error.code, "message": error.message});
        let body = match self {
            Self::Json(_) => told.to_string().into_bytes(),
            Self::Cbor => cbor::encode(&told),
            Self::Query => query::refusal(query_code(error), &error.message, &id).into_bytes(),
        };
        let mut response = self.respond(error.status, &id, body);
        if let Some(code) = error.query_code
            && let Ok(code) = http::HeaderValue::from_str(&format!("{code};Sender"))
        {
            response.headers_mut().insert("x-amzn-query-error", code);
        }
        response
    }

    fn respond(&self, status: StatusCode, request_id: &str, body: Vec<u8>) -> Response {
        let content_type = match self {
            Self::Json(content_type) => content_type.as_str(),
            Self::Cbor => "application/cbor",
            Self::Query => "text/xml",
        };
        let mut response = Response::builder()
            .status(status)
            .header("content-type", content_type)
            .header("x-amzn-requestid", request_id);
        if matches!(self, Self::Cbor) {
            response = response.header("smithy-protocol", "rpc-v2-cbor");
        }
        response.body(Body::from(body)).unwrap_or_default()
    }
}

/// The old protocol knows some errors by shorter names.
fn query_code(error: &AwsError) -> &str {
    match error.code.as_str() {
        "ValidationException" => "ValidationError",
        "ThrottlingException" => "Throttling",
        "UnknownOperationException" => "InvalidAction",
        "ExpiredTokenException" => "ExpiredToken",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        code => error.query_code.unwrap_or(code),
    }
}

impl Vendor for Protocol {
    fn throttled(&self, _retry_after: u64) -> Response {
        self.refuse(&AwsError::new("ThrottlingException", "Rate exceeded"))
    }

    fn failed(&self) -> Response {
        let error = AwsError::new("InternalFailure", "An internal error occurred. Try again later.");
        self.refuse(&error.with_status(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn refused(&self, error: &str) -> Response {
        let denied = error.starts_with("AccessDenied");
        let status = if denied {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::BAD_REQUEST
        };
        self.refuse(&AwsError::new(error, "refused on request of the sandbox's controls").with_status(status))
    }
}

//! Lambda's paths.

use http::Method;
use serde_json::{Value, json};

use crate::aws::error::AwsError;
use crate::aws::service::{Meant, Rest};
use crate::aws::signature::header;

/// What a request means.
pub(super) fn route(rest: &Rest<'_>) -> Option<Meant> {
    let path: Vec<&str> = rest.path.iter().map(String::as_str).collect();
    let page = |members: &[&str]| {
        let known = members
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), json!(rest.parameter(name)?))));
        Value::Object(known.collect())
    };
    let (get, put, post) = (
        *rest.method == Method::GET,
        *rest.method == Method::PUT,
        *rest.method == Method::POST,
    );
    Some(Ok(match path.as_slice() {
        ["2015-03-31", "functions"] if get => ("ListFunctions", page(&["Marker", "MaxItems"])),
        ["2015-03-31", "functions", name] if get => ("GetFunction", json!({"FunctionName": name})),
        ["2015-03-31", "functions", name, "configuration"] if get => {
            ("GetFunctionConfiguration", json!({"FunctionName": name}))
        }
        ["2015-03-31", "functions", name, "configuration"] if put => match with(rest, "FunctionName", name) {
            Ok(arguments) => ("UpdateFunctionConfiguration", arguments),
            Err(error) => return Some(Err(error)),
        },
        ["2015-03-31", "functions", name, "invocations"] if post => ("Invoke", invocation(rest, name)),
        ["2015-03-31", "event-source-mappings"] if get => {
            let members = ["EventSourceArn", "FunctionName", "Marker", "MaxItems"];
            ("ListEventSourceMappings", page(&members))
        }
        ["2015-03-31", "event-source-mappings", uuid] if get => ("GetEventSourceMapping", json!({"UUID": uuid})),
        ["2015-03-31", "event-source-mappings", uuid] if put => match with(rest, "UUID", uuid) {
            Ok(arguments) => ("UpdateEventSourceMapping", arguments),
            Err(error) => return Some(Err(error)),
        },
        _ => return None,
    }))
}

/// The body's members and the one that the path names.
fn with(rest: &Rest<'_>, member: &str, value: &str) -> Result<Value, AwsError> {
    let mut arguments = rest.json()?;
    if let Some(members) = arguments.as_object_mut() {
        members.insert(member.to_owned(), json!(value));
    }
    Ok(arguments)
}

/// The payload stays a text: whether it is JSON is for the operation to say.
fn invocation(rest: &Rest<'_>, name: &str) -> Value {
    json!({
        "FunctionName": name,
        "InvocationType": header(rest.headers, "x-amz-invocation-type").unwrap_or("RequestResponse"),
        "LogType": header(rest.headers, "x-amz-log-type").unwrap_or("None"),
        "Payload": String::from_utf8_lossy(rest.body),
    })
}

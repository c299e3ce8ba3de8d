//! Functions: what they are configured with, and changing it.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Function, UPDATE_MS, Update, arn, invalid, name_of, refused};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;
use crate::aws::events::iso;
use crate::aws::ids;
use crate::aws::page;
use crate::aws::region::Region;
use crate::aws::value::structure;

const NAME: Rule = Rule::length(1, 256);
const ANY: Rule = Rule::length(0, usize::MAX);
/// A page has at most so many functions, however many are asked for.
const PAGE: i64 = 50;
/// The most that the variables' names and values may take, in bytes of JSON.
const VARIABLES_LIMIT: usize = 4096;
/// Names that belong to the runtime.
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(super) fn find<'a>(region: &'a mut Region, args: Args<'_>) -> Result<&'a mut Function, AwsError> {
    let name = name_of(args.need("FunctionName", &NAME)?);
    let missing = no_function(region, name);
    region.lambda.functions.get_mut(name).ok_or(missing)
}

fn no_function(region: &Region, name: &str) -> AwsError {
    let message = format!("Function not found: {}", arn(region, name));
    refused("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

pub(super) fn list(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let size = args.number("MaxItems", 1, 10_000)?.unwrap_or(PAGE).min(PAGE);
    let functions: Vec<&Function> = region.lambda.functions.values().collect();
    let page = page::forward(&functions, size, args.text("Marker", &ANY)?);
    let (functions, next) = page.ok_or_else(|| invalid("Invalid token: the marker is not one of this list's"))?;
    let shown: Vec<Value> = functions
        .into_iter()
        .map(|function| configuration(region, function))
        .collect();
    Ok(structure([
        ("Functions", Some(json!(shown))),
        ("NextMarker", next.map(Value::from)),
    ]))
}

pub(super) fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let configuration = get_configuration(region, args)?;
    Ok(
        json!({"Configuration": configuration, "Code": {"RepositoryType": "S3", "Location": "https://awslambda.invalid/code"}}),
    )
}

pub(super) fn get_configuration(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let function = find(region, args)?.clone();
    Ok(configuration(region, &function))
}

pub(super) fn update_configuration(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let name = name_of(args.need("FunctionName", &NAME)?).to_owned();
    let whole = arn(region, &name);
    let function = find(region, args)?;
    if matches!(function.update, Update::Running { .. }) {
        let message =
            format!("The operation cannot be performed at this time. An update is in progress for resource: {whole}");
        return Err(refused("ResourceConflictException", message).with_status(StatusCode::CONFLICT));
    }
    if args
        .text("RevisionId", &ANY)?
        .is_some_and(|revision| revision != function.revision)
    {
        let message = "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetFunctionConfiguration or the GetAlias API to retrieve the latest RevisionId of the resource.";
        let error = refused("PreconditionFailedException", message);
        return Err(error.with_status(StatusCode::PRECONDITION_FAILED));
    }
    let mut changed = function.clone();
    if let Some(environment) = args.structure("Environment")? {
        let empty = Map::new();
        let variables = environment.0.get("Variables").and_then(Value::as_object);
        let variables = variables.unwrap_or(&empty);
        check_variables(variables)?;
        // The whole map is replaced: what is not sent is gone.
        let texts = variables
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
        changed.variables = texts.collect();
        changed.kms_error = None;
    }
    changed.timeout_s = args.number("Timeout", 1, 900)?.unwrap_or(changed.timeout_s);
    changed.memory_mb = args.number("MemorySize", 128, 10_240)?.unwrap_or(changed.memory_mb);
    for (member, field) in [
        ("Description", &mut changed.description),
        ("Handler", &mut changed.handler),
        ("Runtime", &mut changed.runtime),
    ] {
        if let Some(text) = args.text(member, &Rule::length(0, 256))? {
            text.clone_into(field);
        }
    }
    if let Some(logging) = args.structure("LoggingConfig")? {
        changed.logging = Some(logging.0.clone());
    }
    changed.revision = ids::uuid();
    changed.modified_ms = now_ms;
    changed.update = Update::Running {
        until_ms: now_ms + UPDATE_MS,
        fails: changed.fail_update.take(),
    };
    *function = changed.clone();
    Ok(configuration(region, &changed))
}

fn check_variables(variables: &Map<String, Value>) -> Result<(), AwsError> {
    const START: &str =
        "Lambda was unable to configure your environment variables because the environment variables you have provided";
    let reserved: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|key| RESERVED.contains(key))
        .collect();
    if !reserved.is_empty() {
        let message = format!(
            "{START} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        );
        return Err(invalid(message));
    }
    let good = |key: &str| {
        key.len() > 1
            && key.starts_with(|first: char| first.is_ascii_alphabetic())
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(bad) = variables.keys().find(|key| !good(key)) {
        return Err(AwsError::validation(
            &format!("'{{{bad}=…}}'"),
            "environment.variables",
            "satisfy constraint: [Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]]",
        ));
    }
    let measured = Value::Object(variables.clone()).to_string();
    if measured.len() > VARIABLES_LIMIT {
        // The service quotes the variables, secrets and all: whoever passes its words on passes them on.
        return Err(invalid(format!(
            "{START} exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// A function's configuration, as every operation shows it.
fn configuration(region: &Region, function: &Function) -> Value {
    let (status, reason) = match &function.update {
        Update::Done => ("Successful", None),
        Update::Running { .. } => ("InProgress", Some("The function is being created.")),
        Update::Failed(reason) => ("Failed", Some(reason.as_str())),
    };
    let environment = match &function.kms_error {
        Some(message) => Some(json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": message}})),
        None if function.variables.is_empty() => None,
        None => Some(json!({"Variables": function.variables})),
    };
    let group = json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", function.name)});
    structure([
        ("FunctionName", Some(json!(function.name))),
        ("FunctionArn", Some(json!(arn(region, &function.name)))),
        ("Runtime", Some(json!(function.runtime))),
        (
            "Role",
            Some(json!(
                region.place.global().arn("iam", &format!("role/{}", function.name))
            )),
        ),
        ("Handler", Some(json!(function.handler))),
        ("CodeSize", Some(json!(1_048_576))),
        ("Description", Some(json!(function.description))),
        ("Timeout", Some(json!(function.timeout_s))),
        ("MemorySize", Some(json!(function.memory_mb))),
        (
            "LastModified",
            Some(json!(iso(function.modified_ms).replace('Z', ".000+0000"))),
        ),
        ("CodeSha256", Some(json!(function.code_sha256))),
        ("Version", Some(json!("$LATEST"))),
        ("Environment", environment),
        ("TracingConfig", Some(json!({"Mode": "PassThrough"}))),
        ("RevisionId", Some(json!(function.revision))),
        ("State", Some(json!("Active"))),
        ("LastUpdateStatus", Some(json!(status))),
        ("LastUpdateStatusReason", reason.map(|reason| json!(reason))),
        (
            "LastUpdateStatusReasonCode",
            reason.map(|_| {
                json!(if status == "Failed" {
                    "InternalError"
                } else {
                    "Creating"
                })
            }),
        ),
        ("PackageType", Some(json!("Zip"))),
        ("Architectures", Some(json!(["x86_64"]))),
        ("EphemeralStorage", Some(json!({"Size": 512}))),
        ("LoggingConfig", Some(function.logging.clone().unwrap_or(group))),
    ])
}

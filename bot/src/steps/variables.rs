//! One variable of a Lambda function, read and set; the others are written back as they were.
//!
//! An update replaces the whole map, so all of it has to be read. The map is full of secrets: it stays in this file, prints nothing, and of Lambda's own
//! words about it only the code is told on, for they may quote it.

use commands::step::NO_FUNCTION;
use http::Method;
use serde_json::{Map, Value, json};

use super::{At, StepError};
use crate::aws::AwsError;
use crate::aws::api::LAMBDA;
use crate::aws::signed::Ask;

const VERSION: &str = "2015-03-31";
/// How often a function is read again because somebody else changed it between reading and writing.
const TRIES: usize = 4;
/// As many pages of functions are read at most: 50 functions each.
const PAGES: usize = 40;

/// What may be known of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Its name.
    pub name: String,
    /// The value of the one variable.
    pub value: Option<String>,
    /// Where its last update is.
    pub update: Update,
}

/// Where a function's last update is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Update {
    /// Done, as far as is told.
    Done,
    /// Under way.
    Running,
    /// Failed, and why.
    Failed(String),
}

/// A function's configuration. It does not print.
struct Configuration(Value);

impl Configuration {
    fn name(&self) -> &str {
        self.0["FunctionName"].as_str().unwrap_or_default()
    }

    /// All variables; a function whose variables cannot be decrypted shows none, and writing that back would wipe them.
    fn variables(&self) -> Result<Map<String, Value>, StepError> {
        let environment = &self.0["Environment"];
        if let Some(code) = environment.pointer("/Error/ErrorCode") {
            let why = format!(
                "the variables of {} cannot be decrypted ({}), so nothing is written back over them: let the role use the key, then try again",
                self.name(),
                code.as_str().unwrap_or("no code")
            );
            return Err(StepError::failed("kms", why));
        }
        Ok(environment["Variables"].as_object().cloned().unwrap_or_default())
    }

    fn known(&self, key: &str) -> Result<Known, StepError> {
        let update = match self.0["LastUpdateStatus"].as_str() {
            Some("InProgress") => Update::Running,
            Some("Failed") => {
                let why = self.0["LastUpdateStatusReasonCode"].as_str();
                Update::Failed(why.unwrap_or("Lambda does not say why").to_owned())
            }
            _ => Update::Done,
        };
        let value = self.variables()?.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Known {
            name: self.name().to_owned(),
            value,
            update,
        })
    }
}

/// Every function whose name begins so, and with none of `but`; by name.
pub(super) async fn list(at: At<'_>, (prefix, but): (&str, &[String]), key: &str) -> Result<Vec<Known>, StepError> {
    let is_meant = |name: &str| name.starts_with(prefix) && !but.iter().any(|other| name.starts_with(other.as_str()));
    let mut found = Vec::new();
    let mut marker: Option<String> = None;
    for _ in 0..PAGES {
        let path = vec![VERSION, "functions", ""];
        let mut ask = Ask::rest("ListFunctions", Method::GET, path, None);
        ask.query = vec![("MaxItems", "50")];
        ask.query.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let mut body = at.aws(LAMBDA, ask).await?.body;
        let page = body["Functions"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let ours = page.into_iter().map(Configuration);
        for configuration in ours.filter(|one| is_meant(one.name())) {
            found.push(configuration.known(key)?);
        }
        marker = body["NextMarker"].as_str().map(str::to_owned);
        if marker.is_none() {
            found.sort_by(|one, other| one.name.cmp(&other.name));
            return Ok(found);
        }
    }
    let why = format!(
        "the account has more than {} functions: name those that are meant",
        PAGES * 50
    );
    Err(StepError::failed("too_many", why))
}

/// One function.
pub(super) async fn read(at: At<'_>, function: &str, key: &str) -> Result<Known, StepError> {
    configuration(at, function).await?.known(key)
}

async fn configuration(at: At<'_>, function: &str) -> Result<Configuration, StepError> {
    let path = vec![VERSION, "functions", function, "configuration"];
    let ask = Ask::rest("GetFunctionConfiguration", Method::GET, path, None);
    match at.aws(LAMBDA, ask).await {
        Ok(told) => Ok(Configuration(told.body)),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Err(StepError::failed(
            NO_FUNCTION,
            format!("there is no function {function}"),
        )),
        Err(error) => Err(error.into()),
    }
}

/// What a wish to set came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    /// Lambda has it.
    Sent,
    /// It was so already.
    Already,
    /// It is something else than the wish was made for; nothing was written.
    Other(Option<String>),
}

/// Sets the variable (to nothing: takes it away) where it is what `from` says; with no `from`, whatever it is.
pub(super) async fn set(
    at: At<'_>,
    (function, key): (&str, &str),
    to: Option<&str>,
    from: Option<&Option<String>>,
) -> Result<Came, StepError> {
    for _ in 0..TRIES {
        let read = configuration(at, function).await?;
        let known = read.known(key)?;
        let there = known.value.as_deref() == to;
        // What is there and was not taken is written once more.
        if there && !matches!(known.update, Update::Failed(_)) {
            return Ok(Came::Already);
        }
        if !there && from.is_some_and(|from| *from != known.value) {
            return Ok(Came::Other(known.value));
        }
        if known.update == Update::Running {
            return Err(StepError::Later(format!("{function} is being updated")));
        }
        let mut variables = read.variables()?;
        match to {
            Some(value) => drop(variables.insert(key.to_owned(), json!(value))),
            None => drop(variables.remove(key)),
        }
        let body = json!({ "Environment": { "Variables": variables }, "RevisionId": read.0["RevisionId"] });
        let path = vec![VERSION, "functions", function, "configuration"];
        let ask = Ask::rest("UpdateFunctionConfiguration", Method::PUT, path, Some(body));
        match at.aws(LAMBDA, ask).await {
            Ok(_) => return Ok(Came::Sent),
            // Somebody else wrote in between: what they wrote is read, and only the one variable is set over it.
            Err(error) if error.code() == Some("PreconditionFailedException") => {}
            Err(error) => return Err(quiet(function, error)),
        }
    }
    Err(StepError::Later(format!(
        "{function} is being changed by somebody else again and again"
    )))
}

/// A refusal without Lambda's own words.
fn quiet(function: &str, error: AwsError) -> StepError {
    match error {
        AwsError::Fatal { code, .. } => {
            let why =
                format!("Lambda refuses the change of {function}; its own words may quote variables and are not shown");
            StepError::failed(&code, why)
        }
        AwsError::Retryable { code, .. } => StepError::Later(format!("{function}: {code}")),
        AwsError::Unknown { .. } => StepError::Later(format!("{function}: AWS did not answer")),
    }
}

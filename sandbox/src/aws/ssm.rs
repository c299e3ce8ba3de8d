//! Systems Manager: its parameters. Its Run Command is in `commands.rs`.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::args::{Args, Rule};
use super::commands;
use super::error::AwsError;
use super::region::Region;
use super::service::{Request, Service};
use super::value::timestamp;

/// Systems Manager on the wire.
pub(crate) const SERVICE: Service = Service::json("AmazonSSM", call);

const NAME: Rule = Rule::length(1, 2048);
const TYPE: Rule = Rule::one_of(&["String", "StringList", "SecureString"]);
/// The longest value of the standard tier, in characters.
const VALUE_LIMIT: usize = 4096;

/// A version of a parameter.
#[derive(Debug, Clone)]
struct Version {
    value: String,
    modified_ms: i64,
}

/// A parameter with all its versions, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    kind: String,
    versions: Vec<Version>,
}

/// The parameters of a region by name.
#[derive(Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// The parameters as the page shows them; secure ones without their value.
    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let parameters = self.0.iter().map(|(name, parameter)| {
            let newest = parameter.versions.last().map(|version| version.value.as_str());
            let shown = newest.filter(|_| parameter.kind != "SecureString");
            json!({"name": name, "type": parameter.kind, "value": shown, "version": parameter.versions.len()})
        });
        parameters.collect()
    }
}

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let args = request.args;
    let region = account.region(&request.place);
    Some(match request.operation {
        "GetParameter" => get(region, args),
        "GetParameters" => get_several(region, args),
        "PutParameter" => put(region, args),
        "DeleteParameter" => delete(region, args),
        "SendCommand" => commands::send(region, args),
        "GetCommandInvocation" => commands::get(region, args),
        "ListCommands" => commands::list(region, args),
        "ListCommandInvocations" => commands::list_invocations(region, args),
        _ => return None,
    })
}

fn get(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let decrypt = args.flag("WithDecryption")?;
    let found = look_up(region, args.need("Name", &NAME)?, decrypt)?;
    Ok(json!({ "Parameter": found }))
}

fn get_several(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let decrypt = args.flag("WithDecryption")?;
    let names = args.texts("Names")?;
    if names.is_empty() || names.len() > 10 {
        let constraint = if names.is_empty() {
            "have length greater than or equal to 1"
        } else {
            "have length less than or equal to 10"
        };
        return Err(AwsError::validation(&format!("'{names:?}'"), "names", constraint));
    }
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in names {
        match look_up(region, name, decrypt) {
            Ok(parameter) => found.push(parameter),
            Err(_) => invalid.push(name),
        }
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

/// A parameter by `name`, `name:version` or ARN.
fn look_up(region: &Region, asked: &str, decrypt: bool) -> Result<Value, AwsError> {
    let plain = asked.strip_prefix(&region.place.arn("ssm", "parameter"));
    let whole = plain.unwrap_or(asked);
    let (name, selector) = match whole.rsplit_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (whole, None),
    };
    // The service says nothing more here.
    let missing = || AwsError::new("ParameterNotFound", "");
    let found = region.parameters.0.get_key_value(name);
    let found = found.or_else(|| region.parameters.0.get_key_value(name.strip_prefix('/')?));
    let (name, parameter) = found.ok_or_else(missing)?;
    let version = match selector {
        None => parameter.versions.len(),
        Some(selector) => selector.parse().map_err(|_| missing())?,
    };
    let no_version = || {
        let message =
            format!("Systems Manager could not find version {version} of {name}. Verify the version and try again.");
        AwsError::new("ParameterVersionNotFound", message)
    };
    let at = version.checked_sub(1).and_then(|at| parameter.versions.get(at));
    let found = at.ok_or_else(no_version)?;
    let value = if parameter.kind == "SecureString" && !decrypt {
        let hidden = Sha256::digest(found.value.as_bytes());
        format!("AQICAH{}", base64::engine::general_purpose::STANDARD.encode(hidden))
    } else {
        found.value.clone()
    };
    Ok(json!({
        "Name": name,
        "Type": parameter.kind,
        "Value": value,
        "Version": version,
        "LastModifiedDate": timestamp(found.modified_ms),
        "ARN": arn(region, name),
        "DataType": "text",
    }))
}

fn arn(region: &Region, name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    region.place.arn("ssm", &format!("parameter{slash}{name}"))
}

fn put(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("Name", &NAME)?;
    let value = args.need("Value", &Rule::length(0, usize::MAX))?;
    let kind = args.text("Type", &TYPE)?;
    let overwrite = args.flag("Overwrite")?;
    let refuse = |message: &str| Err(AwsError::new("ValidationException", message));
    let good = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    if !name.chars().all(good) {
        return refuse(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_",
        );
    }
    if name.contains('/') && !name.starts_with('/') {
        return refuse("Parameter name must be a fully qualified name.");
    }
    if value.is_empty() {
        return Err(AwsError::validation(
            "''",
            "value",
            "have length greater than or equal to 1",
        ));
    }
    if value.chars().count() > VALUE_LIMIT {
        return refuse(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.",
        );
    }
    let version = Version {
        value: value.to_owned(),
        modified_ms: region.now_ms,
    };
    let number = match (region.parameters.0.get_mut(name), kind) {
        (Some(_), _) if !overwrite => {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
            return Err(AwsError::new("ParameterAlreadyExists", message));
        }
        (Some(known), Some(kind)) if known.kind != kind => {
            let message = "Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.";
            return Err(AwsError::new("HierarchyTypeMismatchException", message));
        }
        (Some(known), _) => {
            known.versions.push(version);
            known.versions.len()
        }
        (None, None) => return refuse("A parameter type is required when you create a parameter."),
        (None, Some(kind)) => {
            let parameter = Parameter {
                kind: kind.to_owned(),
                versions: vec![version],
            };
            region.parameters.0.insert(name.to_owned(), parameter);
            1
        }
    };
    Ok(json!({"Version": number, "Tier": "Standard"}))
}

fn delete(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let name = args.need("Name", &NAME)?;
    let missing = || AwsError::new("ParameterNotFound", "");
    region.parameters.0.remove(name).map(|_| json!({})).ok_or_else(missing)
}

/// A parameter that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterSeed {
    name: String,
    value: String,
    #[serde(default = "string", rename = "type")]
    kind: String,
}

fn string() -> String {
    "String".to_owned()
}

impl Region {
    /// Adds a parameter, or a version of it.
    pub(crate) fn plant_parameter(&mut self, seed: &ParameterSeed) {
        let version = Version {
            value: seed.value.clone(),
            modified_ms: self.now_ms,
        };
        let parameter = self.parameters.0.entry(seed.name.clone()).or_insert_with(|| Parameter {
            kind: String::new(),
            versions: Vec::new(),
        });
        parameter.kind.clone_from(&seed.kind);
        parameter.versions.push(version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    fn put_one(region: &mut Region, args: Value) -> Result<i64, String> {
        let answer = put(region, Args(&args)).map_err(|error| error.code)?;
        Ok(answer["Version"].as_i64().unwrap())
    }

    #[test]
    fn a_parameter_is_overwritten_only_when_asked_and_keeps_its_type() {
        let mut region = Region::new(Place::home(), 0);
        let first = json!({"Name": "/app/migrate", "Value": "true", "Type": "String"});
        assert_eq!(
            put_one(&mut region, json!({"Name": "/app/migrate", "Value": "true"})).unwrap_err(),
            "ValidationException"
        );
        assert_eq!(put_one(&mut region, first.clone()), Ok(1));
        assert_eq!(put_one(&mut region, first).unwrap_err(), "ParameterAlreadyExists");
        let again = json!({"Name": "/app/migrate", "Value": "false", "Overwrite": true});
        assert_eq!(put_one(&mut region, again), Ok(2));
        let other = json!({"Name": "/app/migrate", "Value": "false", "Overwrite": true, "Type": "SecureString"});
        assert_eq!(
            put_one(&mut region, other).unwrap_err(),
            "HierarchyTypeMismatchException"
        );
        for (name, value) in [("/app/migrate", "false"), ("/app/migrate:1", "true")] {
            assert_eq!(look_up(&region, name, false).unwrap()["Value"], value);
        }
        assert_eq!(
            look_up(&region, "/app/migrate:3", false).unwrap_err().code,
            "ParameterVersionNotFound"
        );
    }

    #[test]
    fn a_secure_parameter_is_shown_in_the_clear_only_when_asked() {
        let mut region = Region::new(Place::home(), 0);
        put_one(
            &mut region,
            json!({"Name": "key", "Value": "s3cret", "Type": "SecureString"}),
        )
        .unwrap();
        assert_ne!(look_up(&region, "key", false).unwrap()["Value"], "s3cret");
        assert_eq!(look_up(&region, "key", true).unwrap()["Value"], "s3cret");
        assert!(!json!(region.parameters.snapshot()).to_string().contains("s3cret"));
    }
}

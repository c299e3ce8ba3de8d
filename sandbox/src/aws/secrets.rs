//! Secrets Manager: secrets that can be read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, Rule};
use super::error::AwsError;
use super::ids;
use super::region::Region;
use super::service::{Request, Service};
use super::value::{structure, timestamp};

/// Secrets Manager on the wire.
pub(crate) const SERVICE: Service = Service::json("secretsmanager", call);

const ID: Rule = Rule::length(1, 2048);

/// A secret.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    text: String,
    version: String,
    created_ms: i64,
    deleted: bool,
    /// The six characters that the service puts behind the name in the ARN.
    suffix: String,
}

/// The secrets of a region by name.
#[derive(Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, Secret>);

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    let region = account.region(&request.place);
    (request.operation == "GetSecretValue").then(|| get_value(region, request.args))
}

fn get_value(region: &mut Region, args: Args<'_>) -> Result<Value, AwsError> {
    let id = args.need("SecretId", &ID)?;
    let stage = args.text("VersionStage", &ID)?.unwrap_or("AWSCURRENT");
    let version = args.text("VersionId", &ID)?;
    let name = region.place.resource("secretsmanager", id);
    let name = name.strip_prefix("secret:").unwrap_or(name);
    let missing = || {
        let message = "Secrets Manager can't find the specified secret.";
        AwsError::new("ResourceNotFoundException", message)
    };
    let found = region
        .secrets
        .0
        .iter()
        .find(|(known, secret)| name == *known || name == format!("{known}-{}", secret.suffix));
    let (name, secret) = found.ok_or_else(missing)?;
    if secret.deleted {
        let message = "You can't perform this operation on the secret because it was marked for deletion.";
        return Err(AwsError::new("InvalidRequestException", message));
    }
    if stage != "AWSCURRENT" || version.is_some_and(|version| version != secret.version) {
        let message = format!("Secrets Manager can't find the specified secret value for staging label: {stage}");
        return Err(AwsError::new("ResourceNotFoundException", message));
    }
    let arn = region
        .place
        .arn("secretsmanager", &format!("secret:{name}-{}", secret.suffix));
    Ok(structure([
        ("ARN", Some(json!(arn))),
        ("Name", Some(json!(name))),
        ("VersionId", Some(json!(secret.version))),
        ("SecretString", Some(json!(secret.text))),
        ("VersionStages", Some(json!(["AWSCURRENT"]))),
        ("CreatedDate", Some(timestamp(secret.created_ms))),
    ]))
}

/// A secret that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretSeed {
    name: String,
    text: String,
    /// Whether somebody has marked it for deletion.
    #[serde(default)]
    deleted: bool,
}

impl Region {
    /// Adds a secret, or replaces the one of the same name.
    pub(crate) fn plant_secret(&mut self, seed: &SecretSeed) {
        let secret = Secret {
            text: seed.text.clone(),
            version: ids::uuid(),
            created_ms: self.now_ms,
            deleted: seed.deleted,
            suffix: ids::access_key("")[..6].to_owned(),
        };
        self.secrets.0.insert(seed.name.clone(), secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::place::Place;

    #[test]
    fn a_secret_is_found_by_its_name_or_its_arn_until_it_is_marked_for_deletion() {
        let mut region = Region::new(Place::home(), 0);
        for seed in [
            json!({"name": "app/db", "text": "x"}),
            json!({"name": "old", "text": "y", "deleted": true}),
        ] {
            region.plant_secret(&serde_json::from_value(seed).unwrap());
        }
        let get = |region: &mut Region, id: &str| {
            get_value(region, Args(&json!({ "SecretId": id }))).map_err(|error| error.code)
        };
        let found = get(&mut region, "app/db").unwrap();
        assert_eq!(
            get(&mut region, found["ARN"].as_str().unwrap()).unwrap()["SecretString"],
            "x"
        );
        assert_eq!(get(&mut region, "app").unwrap_err(), "ResourceNotFoundException");
        assert_eq!(get(&mut region, "old").unwrap_err(), "InvalidRequestException");
        let older = json!({"SecretId": "app/db", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(
            get_value(&mut region, Args(&older)).unwrap_err().code,
            "ResourceNotFoundException"
        );
    }
}

//! Making functions and mappings, and what people and accidents do to them.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Function, Mapping, Reaction, Update, mappings, name_of};
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::region::Region;

/// A function that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionSeed {
    name: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default = "runtime")]
    runtime: String,
    #[serde(default)]
    description: String,
    /// What the code's digest is made from; another text is another deployment.
    #[serde(default)]
    code: String,
    /// Lambda's own logging settings, as its API has them.
    #[serde(default)]
    logging: Option<Value>,
    #[serde(default)]
    reactions: Vec<Reaction>,
}

fn runtime() -> String {
    "nodejs22.x".to_owned()
}

/// A mapping that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingSeed {
    function: String,
    /// The ARN of a queue or stream, or `table:<name>` and `queue:<name>` of the same place.
    source: String,
    #[serde(default)]
    uuid: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

/// What can be done to functions and mappings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// The next update ends badly.
    FailUpdate { function: String, reason: String },
    /// KMS refuses to decrypt the variables, or (without a message) does so again.
    Kms { function: String, error: Option<String> },
    /// Replaces what the function does with what it is given.
    React { function: String, reactions: Vec<Reaction> },
    /// Somebody deploys: these variables replace all others, and the code is new.
    Deploy {
        function: String,
        variables: BTreeMap<String, String>,
    },
    /// What the service says of a stream's last batch.
    Processed { function: String, result: String },
}

impl Region {
    /// Adds a function, or replaces the one of the same name.
    pub(crate) fn plant_function(&mut self, seed: &FunctionSeed) {
        let digest = Sha256::digest(format!("{} {}", seed.name, seed.code).as_bytes());
        let function = Function {
            name: seed.name.clone(),
            runtime: seed.runtime.clone(),
            handler: "index.handler".to_owned(),
            description: seed.description.clone(),
            timeout_s: 29,
            memory_mb: 768,
            variables: seed.variables.clone(),
            kms_error: None,
            logging: seed.logging.clone(),
            code_sha256: base64::engine::general_purpose::STANDARD.encode(digest),
            revision: ids::uuid(),
            modified_ms: self.now_ms,
            update: Update::Done,
            fail_update: None,
            reactions: seed.reactions.clone(),
            invocations: VecDeque::new(),
        };
        self.lambda.functions.insert(seed.name.clone(), function);
    }

    /// Adds a mapping.
    pub(crate) fn plant_mapping(&mut self, seed: &MappingSeed) {
        let source_arn = match seed.source.split_once(':') {
            Some(("queue", name)) => self.place.arn("sqs", name),
            Some(("table", name)) => {
                let label = self.dynamodb.stream_label(name).unwrap_or("none");
                self.place.arn("dynamodb", &format!("table/{name}/stream/{label}"))
            }
            _ => seed.source.clone(),
        };
        let uuid = seed.uuid.clone().unwrap_or_else(ids::uuid);
        let mapping = Mapping {
            uuid: uuid.clone(),
            function: name_of(&seed.function).to_owned(),
            source_arn,
            batch_size: 1,
            enabled: seed.enabled,
            switching: None,
            last_result: "OK".to_owned(),
            modified_ms: self.now_ms,
        };
        self.lambda.mappings.insert(uuid, mapping);
    }
}

/// Does a deed.
pub(crate) fn act(region: &mut Region, deed: &Deed) -> Result<Value, AwsError> {
    let now_ms = region.now_ms;
    let (Deed::FailUpdate { function: name, .. }
    | Deed::Kms { function: name, .. }
    | Deed::React { function: name, .. }
    | Deed::Deploy { function: name, .. }
    | Deed::Processed { function: name, .. }) = deed;
    if let Deed::Processed { result, .. } = deed {
        for mapping in region.lambda.mappings.values_mut().filter(|one| one.function == *name) {
            mapping.last_result.clone_from(result);
        }
        return Ok(json!({}));
    }
    let missing = || AwsError::missing("ResourceNotFoundException", format!("there is no function {name}"));
    let function = region.lambda.functions.get_mut(name).ok_or_else(missing)?;
    match deed {
        Deed::FailUpdate { reason, .. } => function.fail_update = Some(reason.clone()),
        Deed::Kms { error, .. } => function.kms_error.clone_from(error),
        Deed::React { reactions, .. } => function.reactions.clone_from(reactions),
        Deed::Deploy { variables, .. } => {
            function.variables.clone_from(variables);
            function.revision = ids::uuid();
            function.modified_ms = now_ms;
            function.code_sha256 = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(ids::uuid()));
        }
        Deed::Processed { .. } => {}
    }
    Ok(json!({}))
}

/// The functions and mappings as the page shows them: the variables by name only.
pub(crate) fn snapshot(region: &Region) -> (Vec<Value>, Vec<Value>) {
    let functions = region.lambda.functions.values().map(|function| {
        json!({
            "name": function.name,
            "variables": function.variables.keys().collect::<Vec<_>>(),
            "log_level": function.variables.get("LOG_LEVEL"),
            "updating": matches!(function.update, Update::Running { .. }),
            "modified_ms": function.modified_ms,
            "invocations": function.invocations,
        })
    });
    let mappings = region.lambda.mappings.values().map(|mapping| {
        json!({"uuid": mapping.uuid, "function": mapping.function, "source": mapping.source_arn, "state": mappings::state(mapping)})
    });
    (functions.collect(), mappings.collect())
}

//! Making functions and mappings, and what people and accidents do to them.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Function, Mapping, Reaction, Update, mappings, name_of};
use crate::aws::account::Account;
use crate::aws::error::AwsError;
use crate::aws::ids;
use crate::aws::place::Place;
use crate::aws::region::Region;

/// A function that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionSeed {
    /// The name; `{a,b}` within it makes one function of each.
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
    /// Somebody switches what feeds the function on or off; it takes as long as through the API.
    Switch { function: String, enabled: bool },
    /// The function and what feeds it are gone.
    Remove { function: String },
}

/// The names that a text with `{a,b}` stands for.
fn expanded(text: &str) -> Vec<String> {
    let parts = text
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (words, after))) = parts else {
        return vec![text.to_owned()];
    };
    let ends = expanded(after);
    let starts = words.split(',').map(|word| format!("{before}{}", word.trim()));
    starts
        .flat_map(|start| ends.iter().map(move |end| format!("{start}{end}")).collect::<Vec<_>>())
        .collect()
}

impl Region {
    /// Adds functions, or replaces those of the same names.
    pub(crate) fn plant_function(&mut self, seed: &FunctionSeed) {
        for name in expanded(&seed.name) {
            self.plant_one_function(FunctionSeed { name, ..seed.clone() });
        }
    }

    fn plant_one_function(&mut self, seed: FunctionSeed) {
        let digest = Sha256::digest(format!("{} {}", seed.name, seed.code).as_bytes());
        let function = Function {
            name: seed.name.clone(),
            runtime: seed.runtime,
            handler: "index.handler".to_owned(),
            description: seed.description,
            timeout_s: 29,
            memory_mb: 768,
            variables: seed.variables,
            kms_error: None,
            logging: seed.logging,
            code_sha256: base64::engine::general_purpose::STANDARD.encode(digest),
            revision: ids::uuid(),
            modified_ms: self.now_ms,
            update: Update::Done,
            fail_update: None,
            reactions: seed.reactions,
            invocations: VecDeque::new(),
        };
        self.lambda.functions.insert(seed.name, function);
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
    | Deed::Processed { function: name, .. }
    | Deed::Switch { function: name, .. }
    | Deed::Remove { function: name }) = deed;
    let mappings = region.lambda.mappings.values_mut();
    let mappings = mappings.filter(|mapping| mapping.function == *name);
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
        Deed::Processed { result, .. } => mappings.for_each(|mapping| mapping.last_result.clone_from(result)),
        Deed::Switch { enabled, .. } => mappings.for_each(|mapping| mapping.switch(Some(*enabled), now_ms)),
        Deed::Remove { .. } => {
            region.lambda.functions.remove(name);
            region.lambda.mappings.retain(|_, mapping| mapping.function != *name);
        }
    }
    Ok(json!({}))
}

/// Over how many minutes the page counts invocations and errors.
const COUNTED_MINUTES: i64 = 15;

/// The functions and mappings as the page shows them: the variables by name only.
pub(crate) fn snapshot(region: &Region) -> (Vec<Value>, Vec<Value>) {
    let functions = region.lambda.functions.values().map(|function| {
        let counted = |name| {
            region
                .metrics
                .counted(name, &function.name, (COUNTED_MINUTES, region.now_ms))
        };
        json!({
            "name": function.name,
            "variables": function.variables.keys().collect::<Vec<_>>(),
            "log_level": function.variables.get("LOG_LEVEL"),
            "updating": matches!(function.update, Update::Running { .. }),
            "modified_ms": function.modified_ms,
            "invocations": function.invocations,
            "counted": {"minutes": COUNTED_MINUTES, "invocations": counted("Invocations"), "errors": counted("Errors")},
        })
    });
    let mappings = region.lambda.mappings.values().map(|mapping| {
        json!({"uuid": mapping.uuid, "function": mapping.function, "source": mapping.source_arn, "state": mappings::state(mapping)})
    });
    (functions.collect(), mappings.collect())
}

/// A function's variables with their values, for tests; `null`: there is no such function at home.
#[must_use]
pub fn variables(account: &Account, function: &str) -> Value {
    let home = account.regions.get(&Place::home());
    let function = home.and_then(|region| region.lambda.functions.get(function));
    function.map_or(Value::Null, |function| json!(function.variables))
}

//! `manual`: something that only a person can do; they say that it is done, with what they saw.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};

/// Work for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// What is to be done, in full.
    pub instructions: String,
    /// What they are asked to write down as evidence; empty: nothing has to be.
    #[serde(default)]
    pub evidence: String,
}

impl Kind for Manual {
    const SPEC: Spec = Spec {
        kind: "manual",
        summary: "A person does it and says so, with evidence",
        undo: "None: whoever did it by hand undoes it by hand, and the run says so",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Tick
    }

    fn plan(&self) -> Vec<String> {
        vec![format!("asks a person: {}", self.instructions)]
    }

    fn samples() -> Vec<Self> {
        let instructions = "Delete the certificate-validation record by hand.".to_owned();
        vec![Self {
            instructions,
            evidence: "the record's name".to_owned(),
        }]
    }
}

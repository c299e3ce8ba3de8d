//! `approval`: people say yes before the run goes on.

use serde::{Deserialize, Serialize};

use super::{Conduct, Kind, Spec};

/// A question to the approvers of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What they are asked.
    pub question: String,
    /// How many different people it takes.
    #[serde(default = "one")]
    pub required: usize,
}

const fn one() -> usize {
    1
}

impl Kind for Approval {
    const SPEC: Spec = Spec {
        kind: "approval",
        summary: "Waits until enough approvers of the environment say yes",
        undo: "Nothing to undo: it changes nothing",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Votes(self.required.max(1))
    }

    fn plan(&self) -> Vec<String> {
        let people = if self.required > 1 {
            format!("{} approvers", self.required)
        } else {
            "an approver".to_owned()
        };
        vec![format!("asks {people}: {}", self.question)]
    }

    fn check(&self) -> Result<(), String> {
        if self.required == 0 {
            return Err("`required` is 0: write how many people have to say yes, 1 or more".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        let question = "Switch production to green?".to_owned();
        vec![Self { question, required: 2 }]
    }
}

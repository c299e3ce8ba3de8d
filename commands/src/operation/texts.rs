//! An operation's texts, filled with what is known by now: what its steps do, and what they are called.

use super::Operation;
use crate::runbook::{Step, Values};
use crate::step::Action;

impl Operation {
    /// What a step does, with everything filled in.
    ///
    /// # Errors
    /// The placeholder for which nothing is known yet.
    pub fn action(&self, step: &Step) -> Result<Action, String> {
        let outputs = self.outputs();
        let values = self.values(&outputs);
        let mut action = step.action.fill(|text| values.fill(text))?;
        if let (Action::Require(filled), Action::Require(written)) = (&mut action, &step.action) {
            filled.what = filled.what.take().or_else(|| self.called(&written.value));
        }
        Ok(action)
    }

    /// What people call a value that is a placeholder and nothing else: `what step 5 found`; or the parameter that has it, which was filled in when the run
    /// was started.
    pub(super) fn called(&self, text: &str) -> Option<String> {
        let mut given = self.pinned.parameters.iter().filter(|(_, value)| *value == text);
        if let (Some((name, _)), None) = (given.next(), given.next()) {
            return Some(name.clone());
        }
        let name = text.strip_prefix("{step.")?.strip_suffix('}')?.split('.').next()?;
        let place = self.sequence().position(|(step, _)| step.name.as_str() == name)?;
        Some(format!("what step {} found", place + 1))
    }

    /// What a step is called, filled as far as it is known by now.
    #[must_use]
    pub fn title(&self, step: &Step) -> String {
        let outputs = self.outputs();
        titled(&self.values(&outputs), step)
    }

    /// The same with every text filled as far as it is known by now: how people read it.
    #[must_use]
    pub fn shown(&self) -> Self {
        let outputs = self.outputs();
        let values = self.values(&outputs);
        let mut shown = self.clone();
        for step in &mut shown.pinned.steps {
            step.title = titled(&values, step);
            if let Ok(action) = step.action.fill(|text| values.fill(text)) {
                step.action = action;
            }
        }
        shown
    }
}

fn titled(values: &Values<'_>, step: &Step) -> String {
    values.fill(&step.title).unwrap_or_else(|_| step.title.clone())
}

//! The buttons of all messages in one place: what each is called, what a screen reader says, and what it asks before it acts.
//!
//! A button's value names the service and the record it was drawn for, so that a press is always about what the presser saw.

use super::message::{Button, ButtonStyle, Confirm};
use super::words::{count, cut, migrations, places, title};
use crate::facts::Facts;
use crate::ids::{EnvironmentId, ServiceId};
use crate::run::Run;

/// What a button does when it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Press {
    /// Votes yes.
    Approve,
    /// Turns maintenance mode on, then votes yes.
    MaintenanceApprove,
    /// Votes yes, and says that maintenance mode is not needed.
    ApproveWithout,
    /// Opens the form to vote yes with words.
    ApproveNotes,
    /// Opens the form to reject.
    Reject,
    /// Opens the form to reject, so that the newest run asks next.
    RejectWait,
    /// Tells privately what is in the way.
    Why,
    /// Gathers the evidence again.
    Check,
    /// Runs the failed stage again.
    Retry,
    /// Stops the execution.
    Stop,
    /// Tells CodePipeline again what was decided.
    AnswerAgain,
    /// Asks to be told when an environment is free.
    TellMe,
}

impl Press {
    /// The stable name, which a button carries as its action.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::MaintenanceApprove => "maintenance_approve",
            Self::ApproveWithout => "approve_without",
            Self::ApproveNotes => "approve_notes",
            Self::Reject => "reject",
            Self::RejectWait => "reject_wait",
            Self::Why => "why",
            Self::Check => "check",
            Self::Retry => "retry",
            Self::Stop => "stop",
            Self::AnswerAgain => "answer_again",
            Self::TellMe => "tell_me",
        }
    }
}

/// `4f2c1d9 for wallet mainnet`.
fn released(run: &Run) -> String {
    let pinned = &run.pinned;
    format!("{} for {} {}", pinned.revision.short(), pinned.service, places(run))
}

/// A button on a run.
pub(super) fn on(run: &Run, press: Press, facts: &Facts<'_>) -> Button {
    let what = released(run);
    let (label, spoken, style) = match press {
        Press::Approve => ("Approve", format!("Approve {what}"), ButtonStyle::Primary),
        Press::MaintenanceApprove => (
            "Turn on, then approve",
            format!("Turn maintenance on, then approve {what}"),
            ButtonStyle::Primary,
        ),
        Press::ApproveWithout => (
            "Approve without",
            format!("Approve without maintenance: {what}"),
            ButtonStyle::Plain,
        ),
        Press::ApproveNotes => (
            "Approve with notes…",
            format!("Approve with notes: {what}"),
            ButtonStyle::Plain,
        ),
        Press::Reject => ("Reject…", format!("Reject {what}"), ButtonStyle::Danger),
        Press::RejectWait => (
            "Reject this, wait for the newest",
            format!("Reject and wait for the newest: {what}"),
            ButtonStyle::Plain,
        ),
        Press::Why => (
            "Why can't I?",
            format!("Why can I not approve {what}?"),
            ButtonStyle::Plain,
        ),
        Press::Check => ("Check again", format!("Check again: {what}"), ButtonStyle::Plain),
        Press::Retry => (
            "Retry the failed stage",
            format!("Retry the failed stage: {what}"),
            ButtonStyle::Primary,
        ),
        Press::Stop => ("Stop", format!("Stop the release of {what}"), ButtonStyle::Danger),
        Press::AnswerAgain => (
            "Tell CodePipeline again",
            format!("Tell CodePipeline again: {what}"),
            ButtonStyle::Primary,
        ),
        Press::TellMe => (
            "Tell me when it is free",
            format!("Tell me when it is free: {what}"),
            ButtonStyle::Plain,
        ),
    };
    Button {
        action: press.as_str().to_owned(),
        value: about(run),
        label: label.to_owned(),
        spoken: cut(&spoken, 75),
        style,
        confirm: confirm(run, press, facts),
        url: None,
    }
}

/// What a button or form about a run carries: enough to find the run again, and nothing secret.
pub(super) fn about(run: &Run) -> String {
    format!("{} {}", run.pinned.service, run.id)
}

/// The wish to be told when an environment is free.
pub(super) fn tell_me(service: &ServiceId, environment: &EnvironmentId) -> Button {
    Button {
        action: Press::TellMe.as_str().to_owned(),
        value: format!("{service} {environment}"),
        label: "Tell me when it is free".to_owned(),
        spoken: cut(&format!("Tell me when {environment} of {service} is free"), 75),
        style: ButtonStyle::Plain,
        confirm: None,
        url: None,
    }
}

/// What is asked before a button acts. A thumb must not release to production, and must not stop or retry anything.
fn confirm(run: &Run, press: Press, facts: &Facts<'_>) -> Option<Confirm> {
    let short = run.pinned.revision.short();
    let place = cut(&places(run), 60);
    let what = format!("{} {}", run.pinned.service, title(&run.pinned.revision));
    let adds = adds(run, facts);
    let (title, text, yes) = match press {
        Press::MaintenanceApprove => (
            format!("Maintenance on, then {short}?"),
            format!(
                "Maintenance mode of {place} is turned on for everybody. When that is read back, your approval is given: {}.{adds}",
                cut(&what, 100)
            ),
            "Turn on, approve".to_owned(),
        ),
        Press::ApproveWithout if run.is_production() => (
            format!("Approve for {place} without?"),
            format!(
                "Maintenance stays off, and migrations go out to {place}: {}.{adds}",
                cut(&what, 100)
            ),
            format!("Approve {short}"),
        ),
        Press::Approve if run.is_production() => (
            format!("Approve for {place}?"),
            format!("This goes to {place}, which is production: {}.{adds}", cut(&what, 120)),
            format!("Approve {short}"),
        ),
        Press::Retry if run.is_production() => (
            format!("Retry on {place}?"),
            format!("The failed stage of {what} runs again on {place}, which is production."),
            format!("Retry {short}"),
        ),
        Press::Stop => (
            format!("Stop the release to {place}?"),
            format!(
                "{what} is going out to {place}. Actions under way are abandoned; what they have changed so far stays changed."
            ),
            format!("Stop {short}"),
        ),
        _ => return None,
    };
    Some(Confirm {
        title: cut(&title, 100),
        text: cut(&text, 300),
        yes: cut(&yes, 30),
        no: "Not now".to_owned(),
    })
}

/// How many commits, and which migrations by name: what a thumb must not overlook.
fn adds(run: &Run, facts: &Facts<'_>) -> String {
    let Some(change) = run.change.as_ref().filter(|change| change.total > 0) else {
        return String::new();
    };
    let commits = count(change.total, "commit");
    let touched = migrations(change, facts);
    let name = |path: &&str| cut(path.rsplit('/').next().unwrap_or(path), 60);
    match touched.as_slice() {
        [] => format!(" It adds {commits}."),
        [one] => format!(" It adds {commits} and the migration {}.", name(one)),
        [one, rest @ ..] => format!(
            " It adds {commits} and {}: {} and {} more.",
            count(touched.len(), "migration"),
            name(one),
            rest.len()
        ),
    }
}

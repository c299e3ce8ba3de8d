//! What people see, as data: cards, replies, forms. No vendor's types.
//!
//! Everything here is a pure picture of records and facts, so that drawing it again gives the same message. The first line of a message says
//! what matters and is its fallback too: the notification on a phone, and what a screen reader says first.

/// A line from pieces: words, people, signs, or any other [`Inline`].
macro_rules! line {
    ($($piece:expr),* $(,)?) => { vec![$($crate::view::Inline::from($piece)),*] };
}

mod buttons;
mod card;
#[cfg(test)]
mod fixtures;
mod forms;
mod help;
mod history;
mod message;
mod notes;
mod operation;
mod people;
#[cfg(test)]
mod picture;
mod receipts;
mod refusal;
mod runnable;
mod runs;
mod status;
#[cfg(test)]
mod tests;
mod why;
mod words;

pub use card::{card, next_redraw};
pub use forms::{approve_form, reject_form};
pub use help::{HelpRow, help};
pub use history::history;
pub use message::{
    Block, Button, ButtonStyle, Confirm, DateStyle, Inline, Input, Line, Message, Modal, Sign, bold, code, plain,
    prose, spoken, text,
};
pub use notes::{
    answered_elsewhere_note, ended_note, failure_note, free_note, lapsed_note, lock_stolen_note, not_read_note,
    override_note, reading_again_note,
};
pub use operation::{
    abort_form, anywhere_else, confirm_form, levels_forgotten_note, levels_listed, levels_recorded,
    maintenance_before_recorded, maintenance_listed, maintenance_recorded, maintenance_reminder, not_approved_note,
    operation_card, operation_ended_note, operation_name, operation_started, operation_stopped_note, overran_note,
    skip_form, step_asked_note, still_on_note, type_form,
};
pub use receipts::{decided, lost_race, pick_one, rejected, tell_me_button, voted};
pub use refusal::{Place, refusal, refusal_at};
pub use runnable::runnable;
pub use runs::runs;
pub use status::status;
pub use why::why;

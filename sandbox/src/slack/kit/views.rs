//! Modals and the home tab.

use serde_json::Value;

use super::{Check, Surface, TextRule};

/// A whole view may weigh this many bytes.
const VIEW_BYTES: usize = 250 * 1024;

/// Why a view is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ViewProblem {
    /// `view_too_large`.
    TooLarge,
    /// `invalid_arguments` with these messages.
    Wrong(Vec<String>),
}

/// Whether it asks for anything.
fn has_inputs(view: &Value) -> bool {
    let blocks = view["blocks"].as_array();
    blocks.is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "input"))
}

/// Checks a view as `views.open`, `push`, `update` and `publish` get it.
pub(crate) fn check_view(view: &Value, surface: Surface) -> Result<(), ViewProblem> {
    if view.to_string().len() > VIEW_BYTES {
        return Err(ViewProblem::TooLarge);
    }
    let mut check = Check::new(surface);
    let Some(object) = view.as_object() else {
        check.wrong("must be an object", "/view");
        return Err(ViewProblem::Wrong(check.problems));
    };
    let expected = if surface == Surface::Home { "home" } else { "modal" };
    match object.get("type").and_then(Value::as_str) {
        None => check.wrong("missing required field: type", "/view"),
        Some(kind) if kind != expected => check.wrong(format_args!("unsupported type: {kind}"), "/view/type"),
        Some(_) => {}
    }
    for rule in [("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)] {
        check.string(object, rule, "/view");
    }
    let common = ["blocks", "private_metadata", "callback_id", "external_id"];
    let modal = [
        "title",
        "submit",
        "close",
        "clear_on_close",
        "notify_on_close",
        "submit_disabled",
    ];
    if surface == Surface::Modal {
        check.only(object, &[&common[..], &modal[..]].concat(), "/view");
        check.text(object, "title", TextRule::plain(24), "/view");
        check.text(object, "submit", TextRule::plain(24).optional(), "/view");
        check.text(object, "close", TextRule::plain(24).optional(), "/view");
        for flag in ["clear_on_close", "notify_on_close", "submit_disabled"] {
            check.flag(object, flag, "/view");
        }
        if has_inputs(view) && object.get("submit").is_none_or(Value::is_null) {
            check.wrong(
                "submit is required when an input block is within blocks",
                "/view/submit",
            );
        }
    } else {
        // The home tab has no buttons of its own; Slack lets a title pass there.
        check.only(object, &[&common[..], &["title"]].concat(), "/view");
    }
    match object.get("blocks").and_then(Value::as_array) {
        Some(blocks) => check.blocks(blocks, "/view/blocks"),
        None => check.wrong("missing required field: blocks", "/view"),
    }
    if check.problems.is_empty() {
        Ok(())
    } else {
        Err(ViewProblem::Wrong(check.problems))
    }
}

//! The interactive elements and the objects inside them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Check, TextRule};

/// Selects of one thing.
const SELECTS: [&str; 5] = [
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
];
/// Selects of several.
const MULTI_SELECTS: [&str; 5] = [
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
];
/// What an `actions` block takes.
pub(super) const ACTIONS: &[&str] = &[
    "button",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "rich_text_input",
    "workflow_button",
];
/// What stands beside a section's text.
pub(super) const ACCESSORIES: &[&str] = &[
    "button",
    "image",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "workflow_button",
];
/// What an `input` block asks with.
pub(super) const INPUTS: &[&str] = &[
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "rich_text_input",
    "file_input",
];
/// What a `context_actions` block takes.
pub(super) const CONTEXT_ACTIONS: &[&str] = &["feedback_buttons", "icon_button"];

/// Whether pressing or choosing it sends an action to the app.
pub(crate) fn interactive(kind: &str) -> bool {
    ACTIONS.contains(&kind) || ACCESSORIES.contains(&kind) && kind != "image" || CONTEXT_ACTIONS.contains(&kind)
}

/// Whether an `input` block may hold it.
pub(crate) fn is_input(kind: &str) -> bool {
    INPUTS.contains(&kind)
}

impl Check {
    pub(super) fn element(&mut self, element: &Value, kinds: &[&str], at: &str) {
        let Some(object) = element.as_object() else {
            return self.wrong("must be an object", at);
        };
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        if !kinds.contains(&kind) {
            return self.wrong(format_args!("unsupported type: {kind}"), &format!("{at}/type"));
        }
        self.string(object, ("action_id", 255), at);
        self.flag(object, "focus_on_load", at);
        self.text(object, "placeholder", TextRule::plain(150).optional(), at);
        if let Some(confirm) = object.get("confirm") {
            self.confirm(confirm, &format!("{at}/confirm"));
        }
        match kind {
            "button" => self.button(object, at),
            "image" => self.image(object, at),
            "overflow" => {
                self.only(object, &["action_id", "options", "confirm"], at);
                self.options(object, "options", (2, 5), at);
            }
            "checkboxes" | "radio_buttons" => self.choices(object, kind, at),
            "static_select" | "multi_static_select" => self.static_select(object, at),
            "plain_text_input" => self.text_input(object, at),
            "number_input" if !object.get("is_decimal_allowed").is_some_and(Value::is_boolean) => {
                self.wrong("missing required field: is_decimal_allowed", at);
            }
            "datepicker" => self.shape(object, "initial_date", is_date, at),
            "timepicker" => self.shape(object, "initial_time", is_time, at),
            kind if SELECTS.contains(&kind) || MULTI_SELECTS.contains(&kind) => {
                if let Some(max) = object.get("max_selected_items")
                    && max.as_u64().is_none_or(|max| max == 0)
                {
                    self.wrong("must be a positive integer", &format!("{at}/max_selected_items"));
                }
            }
            _ => {}
        }
    }

    fn button(&mut self, button: &Map<String, Value>, at: &str) {
        self.only(
            button,
            &[
                "text",
                "action_id",
                "value",
                "url",
                "style",
                "confirm",
                "accessibility_label",
            ],
            at,
        );
        self.text(button, "text", TextRule::plain(75), at);
        self.string(button, ("value", 2000), at);
        self.string(button, ("url", 3000), at);
        self.string(button, ("accessibility_label", 75), at);
        self.style(button, at);
    }

    fn style(&mut self, object: &Map<String, Value>, at: &str) {
        if let Some(style) = object.get("style")
            && !matches!(style.as_str(), Some("primary" | "danger"))
        {
            self.wrong("must be a valid enum value", &format!("{at}/style"));
        }
    }

    fn confirm(&mut self, confirm: &Value, at: &str) {
        let Some(object) = confirm.as_object() else {
            return self.wrong("must be an object", at);
        };
        self.only(object, &["title", "text", "confirm", "deny", "style"], at);
        self.text(object, "title", TextRule::plain(100).optional(), at);
        self.text(object, "text", TextRule::any(300), at);
        self.text(object, "confirm", TextRule::plain(30).optional(), at);
        self.text(object, "deny", TextRule::plain(30).optional(), at);
        self.style(object, at);
    }

    fn choices(&mut self, object: &Map<String, Value>, kind: &str, at: &str) {
        self.only(
            object,
            &[
                "action_id",
                "options",
                "initial_option",
                "initial_options",
                "confirm",
                "focus_on_load",
            ],
            at,
        );
        self.options(object, "options", (1, 10), at);
        let chosen: Vec<&Value> = match kind {
            "checkboxes" => object
                .get("initial_options")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .collect(),
            _ => object.get("initial_option").into_iter().collect(),
        };
        self.initial(object, &chosen, at);
    }

    fn static_select(&mut self, object: &Map<String, Value>, at: &str) {
        let allowed = [
            "action_id",
            "options",
            "option_groups",
            "initial_option",
            "initial_options",
            "confirm",
            "focus_on_load",
            "placeholder",
            "max_selected_items",
        ];
        self.only(object, &allowed, at);
        if object.contains_key("option_groups") {
            if object.contains_key("options") {
                self.wrong("options and option_groups are mutually exclusive", at);
            }
            for (index, group) in self.items(object, "option_groups", (1, 100), at).iter().enumerate() {
                let at = format!("{at}/option_groups/{index}");
                let Some(group) = group.as_object() else {
                    self.wrong("must be an object", &at);
                    continue;
                };
                self.text(group, "label", TextRule::plain(75), &at);
                self.options(group, "options", (1, 100), &at);
            }
            return;
        }
        self.options(object, "options", (1, 100), at);
        let chosen: Vec<&Value> = object.get("initial_option").into_iter().collect();
        self.initial(object, &chosen, at);
    }

    /// What is chosen from the start must be one of the options, to the letter.
    fn initial(&mut self, object: &Map<String, Value>, chosen: &[&Value], at: &str) {
        let options = object.get("options").and_then(Value::as_array);
        if chosen
            .iter()
            .any(|chosen| !options.is_some_and(|options| options.contains(chosen)))
        {
            self.wrong("initial option is not one of the options", at);
        }
    }

    fn options(&mut self, object: &Map<String, Value>, key: &str, range: (usize, usize), at: &str) {
        let mut values = HashSet::new();
        for (index, option) in self.items(object, key, range, at).iter().enumerate() {
            let at = format!("{at}/{key}/{index}");
            let Some(option) = option.as_object() else {
                self.wrong("must be an object", &at);
                continue;
            };
            self.only(option, &["text", "value", "description", "url"], &at);
            self.text(option, "text", TextRule::any(75), &at);
            self.text(option, "description", TextRule::any(75).optional(), &at);
            self.required_string(option, ("value", 150), &at);
            if let Some(value) = option.get("value").and_then(Value::as_str)
                && !values.insert(value)
            {
                self.wrong(format_args!("option value \"{value}\" already exists"), &at);
            }
        }
    }

    fn text_input(&mut self, object: &Map<String, Value>, at: &str) {
        let allowed = [
            "action_id",
            "placeholder",
            "initial_value",
            "multiline",
            "min_length",
            "max_length",
            "dispatch_action_config",
            "focus_on_load",
        ];
        self.only(object, &allowed, at);
        self.flag(object, "multiline", at);
        let min = object.get("min_length").and_then(Value::as_u64);
        let max = object.get("max_length").and_then(Value::as_u64);
        if min.is_some_and(|min| min > 3000) {
            self.wrong("must be less than 3001", &format!("{at}/min_length"));
        }
        if max.is_some_and(|max| !(1..=3000).contains(&max)) {
            self.wrong("must be between 1 and 3000", &format!("{at}/max_length"));
        }
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            self.wrong("min_length must not be greater than max_length", at);
        }
        let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(3000);
        self.string(object, ("initial_value", max), at);
    }

    fn shape(&mut self, object: &Map<String, Value>, key: &str, fits: fn(&str) -> bool, at: &str) {
        if let Some(value) = object.get(key)
            && !value.as_str().is_some_and(fits)
        {
            self.wrong("has the wrong format", &format!("{at}/{key}"));
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_time(text: &str) -> bool {
    text.len() == 5 && chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok()
}

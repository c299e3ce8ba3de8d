//! The blocks, one rule each.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::elements::{ACCESSORIES, ACTIONS, CONTEXT_ACTIONS, INPUTS};
use super::{Check, Surface, TextRule};

/// Blocks whose inside is Slack's own business: only their ids are looked at.
const OPAQUE: &[&str] = &[
    "rich_text",
    "file",
    "call",
    "task_card",
    "alert",
    "card",
    "carousel",
    "container",
    "plan",
    "data_table",
    "data_visualization",
];

impl Check {
    /// Checks an array of blocks; `at` is its JSON pointer.
    pub(super) fn blocks(&mut self, blocks: &[Value], at: &str) {
        let max = if self.surface == Surface::Message { 50 } else { 100 };
        self.count(blocks.len(), (0, max), at);
        for (index, block) in blocks.iter().enumerate() {
            let at = format!("{at}/{index}");
            match block.as_object() {
                Some(block) => self.block(block, &at),
                None => self.wrong("must be an object", &at),
            }
        }
        if self.markdown_chars > 12_000 {
            self.wrong("markdown blocks must have less than 12001 characters in total", at);
        }
        if self.tables > 1 {
            self.wrong("only one table allowed", at);
        }
    }

    fn block(&mut self, block: &Map<String, Value>, at: &str) {
        if let Some(id) = self.string(block, ("block_id", 255), at)
            && !id.is_empty()
            && !self.block_ids.insert(id)
        {
            self.wrong("block_id already exists", &format!("{at}/block_id"));
        }
        match block.get("type").and_then(Value::as_str).unwrap_or_default() {
            "section" => self.section(block, at),
            "header" => {
                self.only(block, &["block_id", "text", "level"], at);
                self.text(block, "text", TextRule::plain(150), at);
            }
            "divider" => self.only(block, &["block_id"], at),
            "image" => {
                self.only(block, &["block_id", "image_url", "alt_text", "title", "slack_file"], at);
                self.image(block, at);
                self.text(block, "title", TextRule::plain(2000).optional(), at);
            }
            "actions" => self.holder(block, (1, 25), ACTIONS, at),
            "context_actions" if self.surface == Surface::Message => self.holder(block, (1, 5), CONTEXT_ACTIONS, at),
            "context" => self.context(block, at),
            "input" => self.input(block, at),
            "markdown" if self.surface == Surface::Message => {
                self.only(block, &["block_id", "text"], at);
                self.required_string(block, ("text", 12_000), at);
                self.markdown_chars += block
                    .get("text")
                    .and_then(Value::as_str)
                    .map_or(0, |text| text.chars().count());
            }
            "table" if self.surface == Surface::Message => self.table(block, at),
            "video" => self.video(block, at),
            kind if OPAQUE.contains(&kind) => {}
            kind => self.wrong(format_args!("unsupported type: {kind}"), &format!("{at}/type")),
        }
    }

    fn section(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["block_id", "text", "fields", "accessory", "expand"], at);
        self.flag(block, "expand", at);
        let has_fields = block.get("fields").is_some_and(|fields| !fields.is_null());
        let rule = TextRule::any(3000);
        self.text(block, "text", if has_fields { rule.optional() } else { rule }, at);
        if has_fields {
            for (index, field) in self.items(block, "fields", (1, 10), at).iter().enumerate() {
                self.text_value(field, TextRule::any(2000), &format!("{at}/fields/{index}"));
            }
        }
        if let Some(accessory) = block.get("accessory") {
            self.element(accessory, ACCESSORIES, &format!("{at}/accessory"));
        }
    }

    /// A block that holds interactive elements; an `action_id` names one of them.
    fn holder(&mut self, block: &Map<String, Value>, range: (usize, usize), kinds: &[&str], at: &str) {
        self.only(block, &["block_id", "elements"], at);
        let mut seen = HashSet::new();
        for (index, element) in self.items(block, "elements", range, at).iter().enumerate() {
            let at = format!("{at}/elements/{index}");
            self.element(element, kinds, &at);
            if let Some(id) = element.get("action_id").and_then(Value::as_str)
                && !seen.insert(id)
            {
                self.wrong(
                    format_args!("action_id \"{id}\" already exists"),
                    &format!("{at}/action_id"),
                );
            }
        }
    }

    fn context(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["block_id", "elements"], at);
        for (index, element) in self.items(block, "elements", (1, 10), at).iter().enumerate() {
            let at = format!("{at}/elements/{index}");
            match element.as_object() {
                Some(image) if image.get("type").and_then(Value::as_str) == Some("image") => self.image(image, &at),
                _ => self.text_value(element, TextRule::any(2000), &at),
            }
        }
    }

    fn input(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(
            block,
            &["block_id", "label", "element", "hint", "optional", "dispatch_action"],
            at,
        );
        self.text(block, "label", TextRule::plain(2000), at);
        self.text(block, "hint", TextRule::plain(2000).optional(), at);
        self.flag(block, "optional", at);
        self.flag(block, "dispatch_action", at);
        match block.get("element") {
            Some(element) => self.element(element, INPUTS, &format!("{at}/element")),
            None => self.wrong("missing required field: element", at),
        }
    }

    pub(super) fn image(&mut self, image: &Map<String, Value>, at: &str) {
        self.required_string(image, ("alt_text", 2000), at);
        if image.get("slack_file").is_none() {
            self.required_string(image, ("image_url", 3000), at);
        }
    }

    fn table(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["block_id", "rows", "column_settings"], at);
        self.tables += 1;
        for (index, row) in self.items(block, "rows", (1, 100), at).iter().enumerate() {
            let at = format!("{at}/rows/{index}");
            match row.as_array() {
                Some(cells) => self.count(cells.len(), (1, 20), &at),
                None => self.wrong("must be an array", &at),
            }
        }
    }

    fn video(&mut self, block: &Map<String, Value>, at: &str) {
        self.text(block, "title", TextRule::plain(200), at);
        for rule in [("video_url", 3000), ("thumbnail_url", 3000), ("alt_text", 2000)] {
            self.required_string(block, rule, at);
        }
    }
}

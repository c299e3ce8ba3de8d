//! Each limit from both sides: the largest that Slack takes, and one more.

use serde_json::{Value, json};

use super::{Surface, ViewProblem, check_message_blocks, check_view, stored};

fn text(kind: &str, chars: usize) -> Value {
    json!({"type": kind, "text": "ä".repeat(chars)})
}

fn section(chars: usize) -> Value {
    json!({"type": "section", "text": text("mrkdwn", chars)})
}

fn button(id: &str) -> Value {
    json!({"type": "button", "action_id": id, "text": text("plain_text", 4)})
}

fn actions(elements: &Value) -> Value {
    json!({"type": "actions", "elements": elements})
}

fn options(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"text": text("plain_text", 3), "value": format!("v{n}")}))
        .collect()
}

/// The problems of one block, without their pointers' common beginning.
fn problems(block: Value) -> Vec<String> {
    check_message_blocks(&[block])
}

#[track_caller]
fn fits(block: Value) {
    assert_eq!(problems(block), Vec::<String>::new());
}

#[track_caller]
fn fails(block: Value, with: &str) {
    let found = problems(block);
    assert!(
        found.iter().any(|problem| problem.contains(with)),
        "{found:?} should say {with:?}"
    );
}

#[test]
fn texts_are_counted_in_characters_and_may_not_be_empty() {
    fits(section(3000));
    fails(
        section(3001),
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    );
    fails(section(0), "must be more than 0 characters");
    fits(json!({"type": "header", "text": text("plain_text", 150)}));
    fails(
        json!({"type": "header", "text": text("plain_text", 151)}),
        "less than 151 characters",
    );
    fails(
        json!({"type": "header", "text": text("mrkdwn", 5)}),
        "must be of type plain_text",
    );
    fails(json!({"type": "section"}), "missing required field: text");
    fails(
        json!({"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": true}}),
        "property: emoji",
    );
}

#[test]
fn fields_elements_and_blocks_are_counted() {
    let fields = |n: usize| json!({"type": "section", "fields": vec![text("mrkdwn", 2000); n]});
    fits(fields(10));
    fails(fields(11), "no more than 10 items allowed");
    let context = |n: usize| json!({"type": "context", "elements": vec![text("mrkdwn", 3); n]});
    fits(context(10));
    fails(context(11), "no more than 10 items allowed");
    fails(context(0), "must have at least 1 items");
    let buttons = |n: usize| actions(&(0..n).map(|n| button(&format!("b{n}"))).collect());
    fits(buttons(25));
    fails(buttons(26), "no more than 25 items allowed");
    assert_eq!(check_message_blocks(&vec![section(1); 50]).len(), 0);
    assert_eq!(
        check_message_blocks(&vec![section(1); 51]),
        ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    );
}

#[test]
fn names_are_unique_where_they_must_be() {
    fails(
        actions(&json!([button("go"), button("go")])),
        "action_id \"go\" already exists",
    );
    let named = |id: &str| json!({"type": "divider", "block_id": id});
    assert_eq!(check_message_blocks(&[named("a"), named("b")]).len(), 0);
    assert_eq!(check_message_blocks(&[named("a"), named("a")]).len(), 1);
    fails(named(&"x".repeat(256)), "less than 256 characters");
}

#[test]
fn buttons_and_their_confirm_dialogs_have_limits() {
    let with = |key: &str, value: Value| {
        let mut button = button("go");
        button[key] = value;
        actions(&json!([button]))
    };
    fits(with("value", json!("v".repeat(2000))));
    fails(with("value", json!("v".repeat(2001))), "less than 2001");
    fails(with("text", text("plain_text", 76)), "less than 76");
    fails(with("style", json!("warning")), "valid enum value");
    fails(with("color", json!("red")), "invalid additional property: color");
    let confirm = |title: usize, body: usize, yes: usize| json!({"title": text("plain_text", title), "text": text("mrkdwn", body), "confirm": text("plain_text", yes)});
    fits(with("confirm", confirm(100, 300, 30)));
    fails(with("confirm", confirm(101, 300, 30)), "/confirm/title/text");
    fails(with("confirm", confirm(100, 301, 30)), "/confirm/text/text");
    fails(with("confirm", confirm(100, 300, 31)), "/confirm/confirm/text");
}

#[test]
fn choices_have_few_options_and_selects_many() {
    let element = |kind: &str, n: usize| actions(&json!([{"type": kind, "action_id": "a", "options": options(n)}]));
    for (kind, most) in [
        ("checkboxes", 10),
        ("radio_buttons", 10),
        ("overflow", 5),
        ("static_select", 100),
    ] {
        fits(element(kind, most));
        fails(element(kind, most + 1), &format!("no more than {most} items allowed"));
    }
    fails(element("overflow", 1), "at least 2 items");
    let long = json!({"text": text("plain_text", 3), "value": "v".repeat(151)});
    fails(
        actions(&json!([{"type": "static_select", "options": [long]}])),
        "less than 151",
    );
    let stray = json!({"text": text("plain_text", 3), "value": "elsewhere"});
    fails(
        actions(&json!([{"type": "static_select", "options": options(2), "initial_option": stray}])),
        "not one of the options",
    );
}

#[test]
fn a_block_that_slack_does_not_know_is_refused() {
    fails(json!({"type": "nonsense"}), "unsupported type: nonsense");
    fails(
        actions(&json!([{"type": "plain_text_input", "action_id": "a"}])),
        "unsupported type: plain_text_input",
    );
    let table = json!({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]});
    assert_eq!(
        check_message_blocks(&[table.clone(), table]),
        ["[ERROR] only one table allowed [json-pointer:/blocks]"]
    );
    let long = json!({"type": "markdown", "text": "x".repeat(7_000)});
    assert_eq!(check_message_blocks(&[long.clone(), long]).len(), 1);
}

fn modal(blocks: &Value) -> Value {
    json!({"type": "modal", "title": text("plain_text", 24), "submit": text("plain_text", 24), "blocks": blocks})
}

fn input() -> Value {
    json!({"type": "input", "label": text("plain_text", 10), "element": {"type": "plain_text_input", "action_id": "a"}})
}

#[track_caller]
fn view_fails(view: &Value, with: &str) {
    match check_view(view, Surface::Modal) {
        Err(ViewProblem::Wrong(found)) => {
            assert!(
                found.iter().any(|problem| problem.contains(with)),
                "{found:?} should say {with:?}"
            );
        }
        other => panic!("{other:?} should say {with:?}"),
    }
}

#[test]
fn modals_have_limits_of_their_own() {
    assert_eq!(check_view(&modal(&json!([input()])), Surface::Modal), Ok(()));
    assert_eq!(
        check_view(&modal(&json!(vec![section(1); 100])), Surface::Modal),
        Ok(())
    );
    view_fails(
        &modal(&json!(vec![section(1); 101])),
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    );
    let mut view = modal(&json!([input()]));
    view["title"] = text("plain_text", 25);
    view_fails(&view, "must be less than 25 characters [json-pointer:/view/title/text]");
    let mut view = modal(&json!([input()]));
    view["submit"] = Value::Null;
    view_fails(&view, "submit is required");
    let mut view = modal(&json!([]));
    view["private_metadata"] = json!("x".repeat(3001));
    view_fails(&view, "/view/private_metadata");
    let mut view = modal(&json!([]));
    view["type"] = json!("home");
    view_fails(&view, "unsupported type: home");
    let mut element = input();
    element["element"]["max_length"] = json!(3001);
    view_fails(&modal(&json!([element])), "between 1 and 3000");
    let heavy = modal(&json!(vec![section(3000); 90]));
    assert_eq!(check_view(&heavy, Surface::Modal), Err(ViewProblem::TooLarge));
}

#[test]
fn stored_blocks_have_names_and_defaults_and_keep_what_they_had() {
    let mut next = 0;
    let mut id = || {
        next += 1;
        format!("id{next}")
    };
    let mut unnamed = button("go");
    unnamed["action_id"] = Value::Null;
    let blocks = [
        actions(&json!([unnamed, button("stop")])),
        json!({"type": "divider", "block_id": "mine"}),
        section(2),
    ];
    let stored = stored(&blocks, &mut id);
    assert_eq!(stored[0]["block_id"], "id1");
    assert_eq!(stored[0]["elements"][0]["action_id"], "id2");
    assert_eq!(stored[0]["elements"][1]["action_id"], "stop");
    assert_eq!(stored[0]["elements"][1]["text"]["emoji"], true);
    assert_eq!(stored[1]["block_id"], "mine");
    assert_eq!(stored[2]["text"]["verbatim"], false);
}

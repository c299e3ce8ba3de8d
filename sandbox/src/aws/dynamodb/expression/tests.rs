//! Expressions against items, and what is said of those that are wrong.

use serde_json::{Value, json};

use super::Placeholders;
use crate::aws::args::Args;
use crate::aws::dynamodb::Item;

fn item() -> Item {
    let item = json!({
        "pk": {"S": "migrate"}, "current": {"S": "true"}, "count": {"N": "10"}, "flag": {"BOOL": false},
        "tags": {"SS": ["a", "b"]}, "entries": {"L": [{"N": "1"}, {"S": "x"}]}, "nested": {"M": {"color": {"S": "blue"}}}, "blob1": {"B": "AQID"},
    });
    item.as_object().unwrap().clone()
}

fn request(member: &str, expression: &str) -> Value {
    let mut names = serde_json::Map::new();
    let mut values = serde_json::Map::new();
    let all = json!({
        ":blue": {"S": "blue"}, ":true": {"S": "true"}, ":yes": {"BOOL": true}, ":no": {"BOOL": false}, ":one": {"N": "1"}, ":ten": {"N": "10.0"}, ":three": {"N": "3"},
        ":a": {"S": "a"}, ":t": {"S": "S"}, ":set": {"SS": ["b", "c"]}, ":more": {"L": [{"N": "2"}]}, ":rue": {"S": "rue"},
    });
    let word = |text: &str| {
        text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    for part in expression.split('#').skip(1) {
        let name = word(part);
        names.insert(format!("#{name}"), json!(if name == "c" { "current" } else { "count" }));
    }
    for part in expression.split(':').skip(1) {
        let name = format!(":{}", word(part));
        values.insert(name.clone(), all[&name].clone());
    }
    let mut request = json!({ member: expression });
    for (member, map) in [
        ("ExpressionAttributeNames", names),
        ("ExpressionAttributeValues", values),
    ] {
        if !map.is_empty() {
            request[member] = json!(map);
        }
    }
    request
}

fn holds(expression: &str) -> Result<bool, String> {
    let request = request("ConditionExpression", expression);
    let mut placeholders = Placeholders::of(Args(&request)).map_err(|error| error.message)?;
    let condition = placeholders.condition(Args(&request), "ConditionExpression");
    let condition = condition.map_err(|error| error.message)?.unwrap();
    placeholders.finish().map_err(|error| error.message)?;
    Ok(condition.holds(&item()))
}

fn updated(expression: &str) -> Result<Value, String> {
    let request = request("UpdateExpression", expression);
    let mut placeholders = Placeholders::of(Args(&request)).map_err(|error| error.message)?;
    let update = placeholders
        .update(Args(&request))
        .map_err(|error| error.message)?
        .unwrap();
    update.apply(&item()).map(Value::Object).map_err(|error| error.message)
}

#[test]
fn conditions_hold_or_not() {
    for good in [
        "#c = :true",
        "#n = :ten",
        "#n > :three AND NOT #n < :three",
        "#n BETWEEN :three AND :ten",
        "#n IN (:one, :ten)",
        "attribute_exists(pk) and attribute_not_exists(gone)",
        "attribute_type(pk, :t)",
        "begins_with(pk, :a) OR contains(tags, :a)",
        "contains(#c, :rue) AND contains(entries, :one)",
        "size(tags) < :three AND size(blob1) = :three",
        "nested.color = :blue AND entries[0] = :one",
        "(flag = :yes OR flag = :no) AND (pk <> :a)",
        "gone <> :a",
        "NOT gone = :a",
    ] {
        assert_eq!(holds(good), Ok(true), "{good}");
    }
    for bad in [
        "#c = :yes",
        "flag = :true",
        "gone = :a",
        "gone < :one",
        "#c < :one",
        "entries[9] = :one",
        "pk.color = :a",
        "attribute_type(#n, :t)",
    ] {
        assert_eq!(holds(bad), Ok(false), "{bad}");
    }
}

#[test]
fn and_binds_before_or_and_not_before_both() {
    assert_eq!(holds("pk = :a OR #n = :ten AND #c = :true"), Ok(true));
    assert_eq!(holds("(pk = :a OR #n = :ten) AND #c = :a"), Ok(false));
    assert_eq!(
        holds("NOT pk = :a AND #c = :a"),
        Ok(false),
        "NOT is of the first comparison only"
    );
}

#[test]
fn wrong_conditions_are_refused_in_the_services_words() {
    for (wrong, said) in [
        (
            "current = :a",
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: current",
        ),
        (
            "pk = ",
            "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"pk =\"",
        ),
        (
            "pk == :a",
            "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"== :a\"",
        ),
        (
            "#n BETWEEN :ten AND :three",
            "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {\"N\":\"10\"}, upper bound operand: AttributeValue: {\"N\":\"3\"}",
        ),
        (
            "#n < :yes",
            "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "begins_with(pk, :one)",
            "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "exists(pk)",
            "Invalid ConditionExpression: Invalid function name; function: exists",
        ),
        (
            "pk = :a extra",
            "Invalid ConditionExpression: Syntax error; token: \"extra\", near: \":a extra\"",
        ),
        (" ", "Invalid ConditionExpression: The expression cannot be empty;"),
    ] {
        assert_eq!(holds(wrong).unwrap_err(), said);
    }
    let unused =
        json!({"ConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": "a"}, ":b": {"S": "b"}}});
    let mut placeholders = Placeholders::of(Args(&unused)).unwrap();
    placeholders.condition(Args(&unused), "ConditionExpression").unwrap();
    let said = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}";
    assert_eq!(placeholders.finish().unwrap_err().message, said);
}

#[test]
fn updates_change_what_they_name_and_nothing_else() {
    let before = Value::Object(item());
    for (expression, pointer, value) in [
        ("SET #c = :a", "/current", json!({"S": "a"})),
        ("set #n = #n + :one", "/count", json!({"N": "11"})),
        ("SET #n = :ten - #n", "/count", json!({"N": "0"})),
        ("SET pk2 = if_not_exists(gone, :one)", "/pk2", json!({"N": "1"})),
        (
            "SET entries = list_append(entries, :more)",
            "/entries/L/2",
            json!({"N": "2"}),
        ),
        ("SET nested.size2 = :one", "/nested/M/size2", json!({"N": "1"})),
        ("SET entries[7] = :a", "/entries/L/2", json!({"S": "a"})),
        ("REMOVE entries[0]", "/entries/L/0", json!({"S": "x"})),
        ("ADD #n :one", "/count", json!({"N": "11"})),
        ("ADD gone :one", "/gone", json!({"N": "1"})),
        ("ADD tags :set", "/tags", json!({"SS": ["a", "b", "c"]})),
        ("DELETE tags :set", "/tags", json!({"SS": ["a"]})),
        ("SET a1 = #c REMOVE #c", "/a1", json!({"S": "true"})),
    ] {
        let after = updated(expression).unwrap();
        assert_eq!(after.pointer(pointer), Some(&value), "{expression}");
        assert_eq!(after["blob1"], before["blob1"]);
    }
    assert!(updated("REMOVE #c").unwrap().get("current").is_none());
}

#[test]
fn wrong_updates_are_refused_in_the_services_words() {
    for (wrong, said) in [
        (
            "SET gone2 = gone",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "SET gone.color = :a",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET pk = pk + :one",
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "ADD tags :a",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: S",
        ),
        (
            "SET x1 = :a SET x2 = :a",
            "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;",
        ),
        (
            "SET nested = :a, nested.color = :blue",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [nested], path two: [nested, color]",
        ),
        (
            "pk = :a",
            "Invalid UpdateExpression: Syntax error; token: \"pk\", near: \"pk =\"",
        ),
    ] {
        assert_eq!(updated(wrong).unwrap_err(), said, "{wrong}");
    }
}

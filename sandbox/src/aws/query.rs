//! The Query protocol: form fields in (`AlarmNames.member.1=…`), XML out. STS still speaks it.

use serde_json::{Map, Value};

/// The fields of a form as arguments: dots make structures, numbers make lists.
pub(crate) fn arguments(form: &[(String, String)]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in form.iter().filter(|(name, _)| name != "Action" && name != "Version") {
        let path: Vec<&str> = name.split('.').filter(|part| *part != "member").collect();
        insert(&mut root, &path, value);
    }
    lists(root)
}

fn insert(node: &mut Value, path: &[&str], value: &str) {
    let [first, rest @ ..] = path else {
        *node = Value::String(value.to_owned());
        return;
    };
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    if let Value::Object(members) = node {
        insert(members.entry((*first).to_owned()).or_insert(Value::Null), rest, value);
    }
}

fn lists(node: Value) -> Value {
    let Value::Object(members) = node else { return node };
    let numbered = !members.is_empty() && members.keys().all(|key| key.parse::<u32>().is_ok());
    if !numbered {
        return Value::Object(members.into_iter().map(|(key, value)| (key, lists(value))).collect());
    }
    let mut items: Vec<(u32, Value)> = members
        .into_iter()
        .map(|(key, value)| (key.parse().unwrap_or_default(), lists(value)))
        .collect();
    items.sort_by_key(|(number, _)| *number);
    Value::Array(items.into_iter().map(|(_, value)| value).collect())
}

/// The answer of an operation.
pub(crate) fn answer(operation: &str, namespace: &str, result: &Value, request_id: &str) -> String {
    let mut xml = format!("<{operation}Response xmlns=\"{namespace}\"><{operation}Result>");
    write(&mut xml, result);
    xml.push_str(&format!(
        "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ));
    xml
}

/// The answer of an operation of EC2, whose dialect has no element around the result.
pub(crate) fn ec2_answer(operation: &str, namespace: &str, result: &Value, request_id: &str) -> String {
    let mut xml = format!("<{operation}Response xmlns=\"{namespace}\"><requestId>{request_id}</requestId>");
    write(&mut xml, result);
    xml.push_str(&format!("</{operation}Response>"));
    xml
}

/// A refusal of EC2.
pub(crate) fn ec2_refusal(code: &str, message: &str, request_id: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>",
        escape(code),
        escape(message)
    )
}

/// A refusal.
pub(crate) fn refusal(code: &str, message: &str, request_id: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(message)
    )
}

/// A structure, a list or a text as XML.
pub(crate) fn write(xml: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.strip_prefix('$'), value) {
                    (Some(name), Value::Array(list)) => list.iter().for_each(|item| element(xml, name, item)),
                    _ => element(xml, key, value),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                element(xml, "member", item);
            }
        }
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Null => {}
        other => xml.push_str(&other.to_string()),
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
    xml.push_str(&format!("<{name}>"));
    write(xml, value);
    xml.push_str(&format!("</{name}>"));
}

/// Text within XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotted_fields_become_structures_and_lists() {
        let form = [
            ("Action", "X"),
            ("AlarmNames.member.2", "b"),
            ("AlarmNames.member.1", "a"),
            ("Tags.member.1.Key", "k"),
            ("RoleArn", "r"),
        ];
        let form: Vec<_> = form
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(
            arguments(&form),
            json!({"AlarmNames": ["a", "b"], "Tags": [{"Key": "k"}], "RoleArn": "r"})
        );
    }

    #[test]
    fn text_cannot_break_out_of_the_answer() {
        let xml = answer("Op", "ns", &json!({"A": "</A><B>&"}), "id");
        assert!(xml.contains("<A>&lt;/A&gt;&lt;B&gt;&amp;</A>"), "{xml}");
    }
}

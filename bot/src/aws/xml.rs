//! The XML that older AWS services answer with, as JSON values; and texts within the XML that they are sent.
//!
//! An element with children becomes an object, one without becomes a text; children of the same name become a list, so whoever expects a list asks
//! for it with [`list`].

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// More elements than any answer within the door's limit has.
const NODES: u32 = 1_000_000;
/// Deeper structures than any answer has.
const DEPTH: usize = 32;

/// The name of a document's root and what is in it; `None`: it is no XML, or no answer of AWS's.
pub(crate) fn read(text: &str) -> Option<(String, Value)> {
    let options = ParsingOptions {
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).ok()?;
    let root = document.root_element();
    Some((root.tag_name().name().to_owned(), content(root, DEPTH)?))
}

fn content(node: Node<'_, '_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut members = Map::new();
    for child in node.children().filter(Node::is_element) {
        let value = content(child, depth)?;
        match members.get_mut(child.tag_name().name()) {
            None => drop(members.insert(child.tag_name().name().to_owned(), value)),
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    if members.is_empty() {
        return Some(Value::String(node.text().unwrap_or_default().to_owned()));
    }
    Some(Value::Object(members))
}

/// What stands in `<name>` within an element: none, one or several.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(one) => vec![one],
    }
}

/// A text as it stands within XML. A carriage return would be read as a line feed.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#13;")
}

/// The code and the words of a refusal, wherever they stand: `<ErrorResponse><Error>`, `<Response><Errors><Error>`, `<Error>`, or, for a batch that
/// Route 53 does not take, the document itself.
pub(crate) fn refusal((root, body): &(String, Value)) -> (String, String) {
    let error = [body.get("Error"), body.pointer("/Errors/Error")];
    let error = error.into_iter().flatten().next().unwrap_or(body);
    let error = error.get(0).unwrap_or(error);
    let code = error.get("Code").and_then(Value::as_str).unwrap_or(root);
    let message = error.get("Message").or_else(|| error.get("message"));
    let words = match message.and_then(Value::as_str) {
        Some(words) => words.to_owned(),
        None => body
            .get("Messages")
            .map(|messages| list(messages, "Message"))
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
    };
    (code.to_owned(), words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_become_members_and_those_of_one_name_a_list() {
        let text = "<?xml version=\"1.0\"?>\n<A xmlns=\"x\"><B>1 &amp; 2</B>\n <C><D>x</D><D/></C></A>";
        let (root, value) = read(text).unwrap();
        assert_eq!(
            (root.as_str(), &value),
            ("A", &json!({ "B": "1 & 2", "C": { "D": ["x", ""] } }))
        );
        assert_eq!(list(&value["C"], "D").len(), 2);
        assert_eq!(list(&value, "B"), [&json!("1 & 2")]);
        assert!(list(&value, "E").is_empty());
    }

    #[test]
    fn a_text_comes_back_as_it_was() {
        let text = "</A>&amp;\r\n\"'ü";
        let (_, value) = read(&format!("<A>{}</A>", escaped(text))).unwrap();
        assert_eq!(value, json!(text));
    }

    #[test]
    fn what_is_broken_endless_or_refers_to_something_is_no_answer() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        let entity = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>";
        for bad in ["", "{}", "<a>", "<a></b>", "<a/><b/>", entity, &deep] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn refusals_are_found_wherever_they_stand() {
        let of = |text: &str| refusal(&read(text).unwrap());
        let told = ("Throttling".to_owned(), "Rate exceeded".to_owned());
        let error = "<Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>";
        for text in [
            error.to_owned(),
            format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"),
            format!("<Response><Errors>{error}</Errors></Response>"),
        ] {
            assert_eq!(of(&text), told, "{text}");
        }
        let batch =
            "<InvalidChangeBatch><Messages><Message>a</Message><Message>b</Message></Messages></InvalidChangeBatch>";
        assert_eq!(of(batch), ("InvalidChangeBatch".to_owned(), "a b".to_owned()));
    }
}

//! Reading the little XML that clients send: elements and text, no namespaces, no documents about documents.

use serde_json::{Map, Value};

/// Deeper structures than any operation has.
const DEPTH: usize = 16;

/// The content of a document's only element: its children by name (a list when a name comes several times), or its text.
pub(crate) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    reader.skip_prologue()?;
    let (_, value) = reader.element(DEPTH)?;
    reader.rest.trim().is_empty().then_some(value)
}

/// The children of one name, of which there may be none, one or several.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(one) => vec![one],
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_prologue(&mut self) -> Option<()> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with("<?") {
            self.rest = self.rest.split_once("?>")?.1.trim_start();
        }
        Some(())
    }

    /// An element's name and content.
    fn element(&mut self, depth: usize) -> Option<(&'a str, Value)> {
        let depth = depth.checked_sub(1)?;
        let (tag, rest) = self.rest.strip_prefix('<')?.split_once('>')?;
        self.rest = rest;
        let empty = tag.ends_with('/');
        let name = tag.trim_end_matches('/').split_whitespace().next()?;
        if name.starts_with(['!', '?', '/']) {
            return None;
        }
        let mut members = Map::new();
        let mut text = String::new();
        loop {
            if empty {
                break;
            }
            let (before, after) = self.rest.split_at(self.rest.find('<')?);
            text.push_str(before);
            self.rest = after;
            if let Some(rest) = after.strip_prefix("</") {
                let (closed, rest) = rest.split_once('>')?;
                self.rest = rest;
                if closed.trim() != name {
                    return None;
                }
                break;
            }
            let (child, value) = self.element(depth)?;
            match members.get_mut(child) {
                None => drop(members.insert(child.to_owned(), value)),
                Some(Value::Array(several)) => several.push(value),
                Some(one) => *one = Value::Array(vec![one.take(), value]),
            }
        }
        let content = if members.is_empty() {
            Value::String(plain(&text)?)
        } else {
            Value::Object(members)
        };
        Some((name, content))
    }
}

/// A text without entities.
fn plain(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut parts = text.split('&');
    plain.push_str(parts.next()?);
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => {
                let code = other.strip_prefix('#')?;
                let number = match code.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => code.parse().ok()?,
                };
                char::from_u32(number)?
            }
        });
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_members_and_repeated_ones_lists() {
        let text = "<?xml version=\"1.0\"?>\n<A xmlns=\"x\"><B>1</B><C><D>a&amp;b&#33;</D><D/></C><B>2</B></A>";
        let value = read(text).unwrap();
        assert_eq!(value, json!({"B": ["1", "2"], "C": {"D": ["a&b!", ""]}}));
        assert_eq!(list(&value, "B").len(), 2);
        assert_eq!(list(&value["C"], "E").len(), 0);
        assert_eq!(list(&json!({"B": "1"}), "B").len(), 1);
    }

    #[test]
    fn what_is_broken_or_endless_is_refused() {
        let nested = "<a>".repeat(1000);
        for bad in [
            "",
            "<a>",
            "<a></b>",
            "<a>&nope;</a>",
            "<a/><b/>",
            "<!DOCTYPE a><a/>",
            &nested,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

//! Jenkins's `tree=`: an answer holds the members that are named, and no others.

use serde_json::{Map, Value};

/// The members of a value that `number,actions[parameters[name,value]]{0,5}` names; `None` when it cannot be read.
pub(super) fn pick(value: &Value, tree: &str) -> Option<Value> {
    let mut rest = tree;
    let picked = members(value, &mut rest)?;
    rest.is_empty().then_some(picked)
}

fn members(value: &Value, rest: &mut &str) -> Option<Value> {
    let mut picked = Map::new();
    loop {
        let end = rest.find([',', '[', ']', '{']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        *rest = after;
        let member = value.get(name);
        let mut found = member.cloned();
        if let Some(inner) = rest.strip_prefix('[') {
            found = each(member, inner, rest)?;
            *rest = rest.strip_prefix(']')?;
        }
        if let Some(range) = rest.strip_prefix('{') {
            let (range, after) = range.split_once('}')?;
            let (from, to) = range.split_once(',')?;
            let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
            if let Some(Value::Array(items)) = &mut found {
                *items = items.iter().skip(from).take(to.saturating_sub(from)).cloned().collect();
            }
            *rest = after;
        }
        if let Some(found) = found {
            picked.insert(name.to_owned(), found);
        }
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(Value::Object(picked)),
        }
    }
}

/// Picks inside of a member: of each item, when it is a list. Leaves `rest` behind what was named.
fn each<'t>(member: Option<&Value>, inner: &'t str, rest: &mut &'t str) -> Option<Option<Value>> {
    match member {
        Some(Value::Array(items)) if !items.is_empty() => {
            let mut picked = Vec::new();
            for item in items {
                let mut behind = inner;
                picked.push(members(item, &mut behind)?);
                *rest = &inner[inner.len() - behind.len()..];
            }
            Some(Some(Value::Array(picked)))
        }
        other => {
            let mut behind = inner;
            let picked = members(other.unwrap_or(&Value::Null), &mut behind)?;
            *rest = &inner[inner.len() - behind.len()..];
            Some(other.map(|other| if other.is_object() { picked } else { other.clone() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::pick;

    #[test]
    fn only_what_is_named_is_there() {
        let value = json!({ "a": 1, "b": [{ "c": 1, "d": [{ "e": 2, "f": 3 }] }, { "c": 2 }, { "c": 3 }], "g": { "h": 1, "i": 2 } });
        let picked = |tree| pick(&value, tree).unwrap();
        assert_eq!(picked("a"), json!({ "a": 1 }));
        assert_eq!(picked("b[c]{0,2}"), json!({ "b": [{ "c": 1 }, { "c": 2 }] }));
        assert_eq!(
            picked("a,b[d[e]],g[i]"),
            json!({ "a": 1, "b": [{ "d": [{ "e": 2 }] }, {}, {}], "g": { "i": 2 } })
        );
        assert_eq!(picked("z,y[x[w]]"), json!({}));
        for odd in ["", "a,", "b[c", "b[c]{0", "a]"] {
            assert_eq!(pick(&value, odd), None, "{odd}");
        }
    }
}

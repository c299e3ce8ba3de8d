//! Paths into an item: `address.lines[0]`.

use serde_json::{Value, json};

use super::super::Item;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws::dynamodb) enum Step {
    Name(String),
    Index(usize),
}

/// A path into an item; it begins with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws::dynamodb) struct Path(pub(in crate::aws::dynamodb) Vec<Step>);

impl Path {
    /// The attribute of the item that the path begins with.
    pub(in crate::aws::dynamodb) fn top(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// What is there.
    pub(in crate::aws::dynamodb) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        let first = item.get(self.top())?;
        self.0[1..].iter().try_fold(first, |value, step| match step {
            Step::Name(name) => value.get("M")?.get(name),
            Step::Index(index) => value.get("L")?.get(index),
        })
    }

    /// Puts a value there. `None`: what would hold it is not there, or is of another kind.
    pub(super) fn set(&self, item: &mut Item, value: Value) -> Option<()> {
        let (last, before) = self.0.split_last()?;
        match (holder(item, before)?, last) {
            (Holder::Map(map), Step::Name(name)) => drop(map.insert(name.clone(), value)),
            // Behind the end of a list there are no gaps: the value becomes its last.
            (Holder::List(list), Step::Index(index)) => match list.get_mut(*index) {
                Some(slot) => *slot = value,
                None => list.push(value),
            },
            _ => return None,
        }
        Some(())
    }

    /// Takes away what is there. `None`: what would hold it is not there, or is of another kind.
    pub(super) fn remove(&self, item: &mut Item) -> Option<()> {
        let (last, before) = self.0.split_last()?;
        match (holder(item, before)?, last) {
            (Holder::Map(map), Step::Name(name)) => drop(map.remove(name)),
            (Holder::List(list), Step::Index(index)) => {
                if *index < list.len() {
                    list.remove(*index);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// An item with only what is there.
    pub(in crate::aws::dynamodb) fn project(&self, item: &Item, into: &mut Item) {
        let Some(value) = self.get(item) else { return };
        // A member of a map comes within its map; a member of a list comes as the only one.
        let mut wrapped = value.clone();
        for step in self.0[1..].iter().rev() {
            wrapped = match step {
                Step::Name(name) => json!({"M": { name: wrapped }}),
                Step::Index(_) => json!({ "L": [wrapped] }),
            };
        }
        match into.get_mut(self.top()) {
            Some(known) => merge(known, wrapped),
            None => drop(into.insert(self.top().to_owned(), wrapped)),
        }
    }

    /// Whether one of the two is the other or leads to it.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(left, right)| left == right)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: Vec<String> = self
            .0
            .iter()
            .map(|step| match step {
                Step::Name(name) => name.clone(),
                Step::Index(index) => format!("[{index}]"),
            })
            .collect();
        write!(formatter, "[{}]", steps.join(", "))
    }
}

enum Holder<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<Value>),
}

fn holder<'a>(item: &'a mut Item, steps: &[Step]) -> Option<Holder<'a>> {
    let mut holder = Holder::Map(item);
    for step in steps {
        let value = match (holder, step) {
            (Holder::Map(map), Step::Name(name)) => map.get_mut(name)?,
            (Holder::List(list), Step::Index(index)) => list.get_mut(*index)?,
            _ => return None,
        };
        let inner = value.as_object_mut()?;
        holder = if inner.contains_key("M") {
            Holder::Map(inner.get_mut("M")?.as_object_mut()?)
        } else {
            Holder::List(inner.get_mut("L")?.as_array_mut()?)
        };
    }
    Some(holder)
}

fn merge(known: &mut Value, more: Value) {
    match (known, more) {
        (Value::Object(known), Value::Object(more)) => {
            for (key, value) in more {
                match known.get_mut(&key) {
                    Some(inner) => merge(inner, value),
                    None => drop(known.insert(key, value)),
                }
            }
        }
        (Value::Array(known), Value::Array(more)) => known.extend(more),
        (known, more) => *known = more,
    }
}

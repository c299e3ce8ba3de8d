//! Updates: SET, REMOVE, ADD, DELETE.

use serde_json::{Value, json};

use super::super::number::Number;
use super::super::{Item, attribute, invalid};
use super::{Parser, Path, Token};
use crate::aws::error::AwsError;

/// What SET puts somewhere.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Source>),
    Append(Box<Source>, Box<Source>),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Set(Source),
    Remove,
    Add(Value),
    Delete(Value),
}

/// An update, clause by clause.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aws::dynamodb) struct Update(Vec<(Path, Action)>);

/// Reads an update.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Update, AwsError> {
    let mut actions: Vec<(Path, Action)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    while let Some(clause) = ["SET", "REMOVE", "ADD", "DELETE"]
        .into_iter()
        .find(|word| parser.keyword(word))
    {
        if seen.contains(&clause) {
            let message = format!("The \"{clause}\" section can only be used once in an update expression;");
            return Err(parser.refuse(message));
        }
        seen.push(clause);
        loop {
            let path = parser.path()?;
            let action = action(parser, clause)?;
            if let Some((other, _)) = actions.iter().find(|(other, _)| other.overlaps(&path)) {
                let message = format!(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {other}, path two: {path}"
                );
                return Err(parser.refuse(message));
            }
            actions.push((path, action));
            if !parser.eat(&Token::Symbol(",")) {
                break;
            }
        }
    }
    if actions.is_empty() {
        return Err(parser.unexpected());
    }
    Ok(Update(actions))
}

fn action(parser: &mut Parser<'_>, clause: &str) -> Result<Action, AwsError> {
    let value = |parser: &mut Parser<'_>| parser.value()?.ok_or_else(|| parser.unexpected());
    let wrong = |parser: &Parser<'_>, kind: &str| {
        parser.refuse(format!(
            "Incorrect operand type for operator or function; operator: {clause}, operand type: {kind}"
        ))
    };
    match clause {
        "SET" => {
            parser.need(&Token::Symbol("="))?;
            let left = source(parser)?;
            let join = if parser.eat(&Token::Symbol("+")) {
                Source::Plus
            } else if parser.eat(&Token::Symbol("-")) {
                Source::Minus
            } else {
                return Ok(Action::Set(left));
            };
            Ok(Action::Set(join(Box::new(left), Box::new(source(parser)?))))
        }
        "REMOVE" => Ok(Action::Remove),
        "ADD" => {
            let value = value(parser)?;
            match attribute::parts(&value) {
                Some(("N" | "SS" | "NS" | "BS", _)) => Ok(Action::Add(value)),
                found => Err(wrong(parser, found.map_or("", |(kind, _)| kind))),
            }
        }
        _ => {
            let value = value(parser)?;
            match attribute::parts(&value) {
                Some(("SS" | "NS" | "BS", _)) => Ok(Action::Delete(value)),
                found => Err(wrong(parser, found.map_or("", |(kind, _)| kind))),
            }
        }
    }
}

fn source(parser: &mut Parser<'_>) -> Result<Source, AwsError> {
    if parser.eat(&Token::Symbol("(")) {
        let inner = source(parser)?;
        parser.need(&Token::Symbol(")"))?;
        return Ok(inner);
    }
    if let Some(value) = parser.value()? {
        return Ok(Source::Value(value));
    }
    let source = match parser.function().as_deref() {
        Some("if_not_exists") => {
            let path = parser.path()?;
            parser.need(&Token::Symbol(","))?;
            Source::IfNotExists(path, Box::new(source(parser)?))
        }
        Some("list_append") => {
            let left = source(parser)?;
            parser.need(&Token::Symbol(","))?;
            Source::Append(Box::new(left), Box::new(source(parser)?))
        }
        Some(name) => return Err(parser.refuse(format!("Invalid function name; function: {name}"))),
        None => return Ok(Source::Path(parser.path()?)),
    };
    parser.need(&Token::Symbol(")"))?;
    Ok(source)
}

impl Source {
    /// The value, read from the item as it was before the update.
    fn value(&self, item: &Item) -> Result<Value, AwsError> {
        let missing = || invalid("The provided expression refers to an attribute that does not exist in the item");
        match self {
            Self::Path(path) => path.get(item).cloned().ok_or_else(missing),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, other) => path
                .get(item)
                .map_or_else(|| other.value(item), |value| Ok(value.clone())),
            Self::Append(left, right) => {
                let (left, right) = (left.value(item)?, right.value(item)?);
                match (left["L"].as_array(), right["L"].as_array()) {
                    (Some(left), Some(right)) => {
                        let both = [left.as_slice(), right.as_slice()].concat();
                        Ok(json!({ "L": both }))
                    }
                    _ => Err(wrong_type()),
                }
            }
            Self::Plus(left, right) => sum(&left.value(item)?, &right.value(item)?, false),
            Self::Minus(left, right) => sum(&left.value(item)?, &right.value(item)?, true),
        }
    }
}

fn wrong_type() -> AwsError {
    invalid("An operand in the update expression has an incorrect data type")
}

fn number(value: &Value) -> Result<Number, AwsError> {
    let text = value["N"].as_str().ok_or_else(wrong_type)?;
    Number::parse(text).map_err(invalid)
}

fn sum(left: &Value, right: &Value, minus: bool) -> Result<Value, AwsError> {
    let (left, right) = (number(left)?, number(right)?);
    let sum = left
        .plus(&if minus { right.negated() } else { right })
        .map_err(invalid)?;
    Ok(json!({"N": sum.to_string()}))
}

impl Update {
    /// The attributes that it touches.
    pub(in crate::aws::dynamodb) fn tops(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.top())
    }

    /// Carries it out on an item.
    pub(in crate::aws::dynamodb) fn apply(&self, item: &Item) -> Result<Item, AwsError> {
        let mut changed = item.clone();
        let bad_path = || invalid("The document path provided in the update expression is invalid for update");
        // Members of lists are taken away from the last to the first, so that none moves under another.
        let removals = self.0.iter().filter(|(_, action)| *action == Action::Remove);
        let mut removals: Vec<&Path> = removals.map(|(path, _)| path).collect();
        removals.sort_by_key(|path| {
            std::cmp::Reverse(match path.0.last() {
                Some(super::Step::Index(index)) => *index,
                _ => 0,
            })
        });
        for (path, action) in &self.0 {
            let value = match action {
                Action::Set(source) => Some(source.value(item)?),
                Action::Add(value) => Some(added(path.get(item), value)?),
                Action::Delete(value) => {
                    let left = deleted(path.get(item), value)?;
                    if left.is_none() && path.get(item).is_some() {
                        path.remove(&mut changed).ok_or_else(bad_path)?;
                    }
                    left
                }
                Action::Remove => None,
            };
            if let Some(value) = value {
                path.set(&mut changed, value).ok_or_else(bad_path)?;
            }
        }
        for path in removals {
            path.remove(&mut changed).ok_or_else(bad_path)?;
        }
        Ok(changed)
    }
}

fn added(known: Option<&Value>, value: &Value) -> Result<Value, AwsError> {
    let Some(known) = known else {
        return Ok(value.clone());
    };
    let (Some((kind, content)), Some((value_kind, more))) = (attribute::parts(known), attribute::parts(value)) else {
        return Err(wrong_type());
    };
    if kind != value_kind {
        return Err(wrong_type());
    }
    if kind == "N" {
        return sum(known, value, false);
    }
    let mut members: Vec<Value> = content.as_array().cloned().unwrap_or_default();
    for member in more.as_array().into_iter().flatten() {
        if !members.contains(member) {
            members.push(member.clone());
        }
    }
    attribute::normalized(&json!({ kind: members }))
}

/// What is left of a set; `None` when nothing is: there are no empty sets.
fn deleted(known: Option<&Value>, value: &Value) -> Result<Option<Value>, AwsError> {
    let Some(known) = known else { return Ok(None) };
    let (Some((kind, content)), Some((value_kind, less))) = (attribute::parts(known), attribute::parts(value)) else {
        return Err(wrong_type());
    };
    if kind != value_kind {
        return Err(wrong_type());
    }
    let gone = less.as_array().cloned().unwrap_or_default();
    let left: Vec<&Value> = content
        .as_array()
        .into_iter()
        .flatten()
        .filter(|member| !gone.contains(member))
        .collect();
    Ok((!left.is_empty()).then(|| json!({ kind: left })))
}

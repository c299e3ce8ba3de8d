//! Conditions: comparisons, functions, and what joins them.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::Item;
use super::super::attribute::{order, parts, size};
use super::{Parser, Path, Token};
use crate::aws::error::AwsError;

/// A value, or where to find one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aws::dynamodb) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aws::dynamodb) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What an item must be like.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aws::dynamodb) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    Type(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

/// Reads a condition: OR binds weakest, then AND, then NOT.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Condition, AwsError> {
    let mut parts = vec![both(parser)?];
    while parser.keyword("OR") {
        parts.push(both(parser)?);
    }
    Ok(joined(parts, Condition::Any))
}

fn both(parser: &mut Parser<'_>) -> Result<Condition, AwsError> {
    let mut parts = vec![one(parser)?];
    while parser.keyword("AND") {
        parts.push(one(parser)?);
    }
    Ok(joined(parts, Condition::All))
}

fn joined(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

fn one(parser: &mut Parser<'_>) -> Result<Condition, AwsError> {
    if parser.keyword("NOT") {
        return Ok(Condition::Not(Box::new(one(parser)?)));
    }
    if parser.eat(&Token::Symbol("(")) {
        let inner = parse(parser)?;
        parser.need(&Token::Symbol(")"))?;
        return Ok(inner);
    }
    if !matches!(parser.peek(), Some(Token::Word(word)) if word == "size")
        && let Some(name) = parser.function()
    {
        return function(parser, &name);
    }
    let left = operand(parser)?;
    if parser.keyword("BETWEEN") {
        let low = operand(parser)?;
        if !parser.keyword("AND") {
            return Err(parser.unexpected());
        }
        let high = operand(parser)?;
        check_bounds(parser, &low, &high)?;
        return Ok(Condition::Between(left, low, high));
    }
    if parser.keyword("IN") {
        parser.need(&Token::Symbol("("))?;
        let mut list = vec![operand(parser)?];
        while parser.eat(&Token::Symbol(",")) {
            list.push(operand(parser)?);
        }
        parser.need(&Token::Symbol(")"))?;
        return Ok(Condition::In(left, list));
    }
    let comparison = match parser.peek() {
        Some(Token::Symbol("=")) => Comparison::Equal,
        Some(Token::Symbol("<>")) => Comparison::NotEqual,
        Some(Token::Symbol("<")) => Comparison::Less,
        Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
        Some(Token::Symbol(">")) => Comparison::Greater,
        Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
        _ => return Err(parser.unexpected()),
    };
    let Some(Token::Symbol(symbol)) = parser.peek().cloned() else {
        return Err(parser.unexpected());
    };
    parser.lexer.skip();
    let right = operand(parser)?;
    if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        for side in [&left, &right] {
            check_ordered(parser, symbol, side, &["S", "N", "B"])?;
        }
    }
    Ok(Condition::Compare(left, comparison, right))
}

/// A value of the request must be of a type that an operator can order; what the item holds may be anything.
fn check_ordered(parser: &Parser<'_>, operator: &str, operand: &Operand, kinds: &[&str]) -> Result<(), AwsError> {
    let Operand::Value(value) = operand else { return Ok(()) };
    match parts(value) {
        Some((kind, _)) if !kinds.contains(&kind) => Err(parser.refuse(format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
        ))),
        _ => Ok(()),
    }
}

/// Two bounds of the request must be of one type, and in their order.
fn check_bounds(parser: &Parser<'_>, low: &Operand, high: &Operand) -> Result<(), AwsError> {
    let (Operand::Value(low), Operand::Value(high)) = (low, high) else {
        return Ok(());
    };
    match order(low, high) {
        Some(Ordering::Greater) => Err(parser.refuse(format!(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}"
        ))),
        Some(_) => Ok(()),
        None => Err(parser.refuse(format!(
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}"
        ))),
    }
}

fn function(parser: &mut Parser<'_>, name: &str) -> Result<Condition, AwsError> {
    let condition = match name {
        "attribute_exists" => Condition::Exists(parser.path()?),
        "attribute_not_exists" => Condition::NotExists(parser.path()?),
        "attribute_type" => {
            let path = parser.path()?;
            parser.need(&Token::Symbol(","))?;
            let kind = parser
                .value()?
                .and_then(|value| Some(value.get("S")?.as_str()?.to_owned()));
            let known = kind
                .filter(|kind| ["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"].contains(&kind.as_str()));
            let wrong = "Invalid attribute type name found; type: the second operand of attribute_type, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}";
            Condition::Type(path, known.ok_or_else(|| parser.refuse(wrong))?)
        }
        "begins_with" | "contains" => {
            let left = operand(parser)?;
            parser.need(&Token::Symbol(","))?;
            let right = operand(parser)?;
            if name == "contains" {
                Condition::Contains(left, right)
            } else {
                check_ordered(parser, "begins_with", &right, &["S", "B"])?;
                Condition::BeginsWith(left, right)
            }
        }
        _ => return Err(parser.refuse(format!("Invalid function name; function: {name}"))),
    };
    parser.need(&Token::Symbol(")"))?;
    Ok(condition)
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, AwsError> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    if let Some(name) = parser.function() {
        if name != "size" {
            return Err(parser.refuse(format!(
                "The function is not allowed to be used this way in an expression; function: {name}"
            )));
        }
        let path = parser.path()?;
        parser.need(&Token::Symbol(")"))?;
        return Ok(Operand::Size(path));
    }
    Ok(Operand::Path(parser.path()?))
}

impl Operand {
    fn value(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Path(path) => path.get(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => {
                let size = size(path.get(item)?)?;
                Some(serde_json::json!({"N": size.to_string()}))
            }
        }
    }
}

impl Condition {
    /// Whether an item fits.
    pub(in crate::aws::dynamodb) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Not(inner) => !inner.holds(item),
            Self::Compare(left, comparison, right) => {
                compare(left.value(item).as_ref(), *comparison, right.value(item).as_ref())
            }
            Self::Between(value, low, high) => {
                let (value, low, high) = (value.value(item), low.value(item), high.value(item));
                compare(value.as_ref(), Comparison::GreaterOrEqual, low.as_ref())
                    && compare(value.as_ref(), Comparison::LessOrEqual, high.as_ref())
            }
            Self::In(value, list) => {
                let value = value.value(item);
                value.is_some() && list.iter().any(|one| one.value(item) == value)
            }
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::Type(path, kind) => path.get(item).and_then(parts).is_some_and(|(found, _)| found == kind),
            Self::BeginsWith(value, start) => {
                let (value, start) = (value.value(item), start.value(item));
                let text = |value: &Option<Value>| Some(value.as_ref()?.get("S")?.as_str()?.to_owned());
                matches!((text(&value), text(&start)), (Some(value), Some(start)) if value.starts_with(&start))
            }
            Self::Contains(value, part) => {
                let (value, part) = (value.value(item), part.value(item));
                matches!((value, part), (Some(value), Some(part)) if contains(&value, &part))
            }
        }
    }
}

/// A missing value is equal to nothing, and so not equal to anything: that is what the service says of it.
fn compare(left: Option<&Value>, comparison: Comparison, right: Option<&Value>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return comparison == Comparison::NotEqual;
    };
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => order(left, right) == Some(Ordering::Less),
        Comparison::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right) == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    let (Some((kind, content)), Some((part_kind, part_content))) = (parts(value), parts(part)) else {
        return false;
    };
    match kind {
        "S" => {
            part_kind == "S"
                && content
                    .as_str()
                    .unwrap_or_default()
                    .contains(part_content.as_str().unwrap_or_default())
        }
        "SS" | "NS" | "BS" => {
            kind.starts_with(part_kind) && content.as_array().is_some_and(|list| list.contains(part_content))
        }
        "L" => content.as_array().is_some_and(|list| list.contains(part)),
        _ => false,
    }
}

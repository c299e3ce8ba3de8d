//! Expressions: conditions, filters, key conditions, projections and updates, read as the service reads them.

mod condition;
mod lexer;
mod path;
mod reserved;
mod update;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{attribute, invalid};
use crate::aws::args::{Args, Rule};
use crate::aws::error::AwsError;

pub(super) use condition::{Comparison, Condition, Operand};
use lexer::{Lexer, Token};
pub(super) use path::{Path, Step};
pub(super) use update::Update;

/// The most bytes of an expression.
const LENGTH: usize = 4096;

/// The placeholders of a request, and which of them its expressions have used.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: Map<String, Value>,
    values: Map<String, Value>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads `ExpressionAttributeNames` and `ExpressionAttributeValues`.
    pub(super) fn of(args: Args<'_>) -> Result<Self, AwsError> {
        let map = |member| -> Result<Option<&Map<String, Value>>, AwsError> {
            let found = args.structure(member)?.and_then(|map| map.0.as_object());
            if found.is_some_and(Map::is_empty) {
                return Err(invalid(format!("{member} must not be empty")));
            }
            Ok(found)
        };
        let names = map("ExpressionAttributeNames")?.cloned().unwrap_or_default();
        let mut values = Map::new();
        for (name, value) in map("ExpressionAttributeValues")?.into_iter().flatten() {
            let value = attribute::normalized(value).map_err(|mut error| {
                error.message = format!(
                    "ExpressionAttributeValues contains invalid value: {} for key {name}",
                    error.message
                );
                error
            })?;
            values.insert(name.clone(), value);
        }
        Ok(Self {
            names,
            values,
            used: BTreeSet::new(),
        })
    }

    /// A condition, if the request has one in this member.
    pub(super) fn condition(&mut self, args: Args<'_>, member: &'static str) -> Result<Option<Condition>, AwsError> {
        self.parse(args, member, condition::parse)
    }

    /// An update, if the request has one.
    pub(super) fn update(&mut self, args: Args<'_>) -> Result<Option<Update>, AwsError> {
        self.parse(args, "UpdateExpression", update::parse)
    }

    /// The attributes that are asked for, if the request names some.
    pub(super) fn projection(&mut self, args: Args<'_>) -> Result<Option<Vec<Path>>, AwsError> {
        self.parse(args, "ProjectionExpression", |parser| {
            let mut paths = vec![parser.path()?];
            while parser.eat(&Token::Symbol(",")) {
                paths.push(parser.path()?);
            }
            Ok(paths)
        })
    }

    fn parse<T>(
        &mut self,
        args: Args<'_>,
        member: &'static str,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, AwsError>,
    ) -> Result<Option<T>, AwsError> {
        let Some(text) = args.text(member, &Rule::length(0, usize::MAX))? else {
            return Ok(None);
        };
        let refuse = |what: String| invalid(format!("Invalid {member}: {what}"));
        if text.trim().is_empty() {
            return Err(refuse("The expression cannot be empty;".to_owned()));
        }
        if text.len() > LENGTH {
            return Err(refuse(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let mut parser = Parser {
            member,
            text,
            lexer: Lexer::new(text).map_err(refuse)?,
            placeholders: self,
        };
        let read = read(&mut parser)?;
        parser.end()?;
        Ok(Some(read))
    }

    /// Every placeholder must have been used.
    pub(super) fn finish(&self) -> Result<(), AwsError> {
        for (member, map) in [
            ("ExpressionAttributeNames", &self.names),
            ("ExpressionAttributeValues", &self.values),
        ] {
            let unused: Vec<&str> = map
                .keys()
                .filter(|name| !self.used.contains(*name))
                .map(String::as_str)
                .collect();
            if !unused.is_empty() {
                return Err(invalid(format!(
                    "Value provided in {member} unused in expressions: keys: {{{}}}",
                    unused.join(", ")
                )));
            }
        }
        Ok(())
    }
}

/// Reads one expression.
pub(super) struct Parser<'a> {
    member: &'static str,
    text: &'a str,
    lexer: Lexer,
    placeholders: &'a mut Placeholders,
}

impl Parser<'_> {
    fn refuse(&self, what: impl std::fmt::Display) -> AwsError {
        invalid(format!("Invalid {}: {what}", self.member))
    }

    /// What stands here is not what may stand here.
    fn unexpected(&self) -> AwsError {
        let (token, near) = self.lexer.place(self.text);
        self.refuse(format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }

    fn peek(&self) -> Option<&Token> {
        self.lexer.peek()
    }

    fn eat(&mut self, token: &Token) -> bool {
        self.lexer.eat(token)
    }

    fn need(&mut self, token: &Token) -> Result<(), AwsError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Eats a keyword, whatever its case.
    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        if found {
            self.lexer.skip();
        }
        found
    }

    fn end(&self) -> Result<(), AwsError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// A function's name, if a parenthesis follows it.
    fn function(&mut self) -> Option<String> {
        let Some(Token::Word(name)) = self.peek() else {
            return None;
        };
        let name = name.clone();
        if self.lexer.second() != Some(&Token::Symbol("(")) {
            return None;
        }
        self.lexer.skip();
        self.lexer.skip();
        Some(name)
    }

    /// A value's placeholder, if one stands here.
    fn value(&mut self) -> Result<Option<Value>, AwsError> {
        let Some(Token::Value(name)) = self.peek() else {
            return Ok(None);
        };
        let name = name.clone();
        self.lexer.skip();
        let undefined =
            || format!("An expression attribute value used in expression is not defined; attribute value: {name}");
        let found = self.placeholders.values.get(&name).cloned();
        let found = found.ok_or_else(|| self.refuse(undefined()))?;
        self.placeholders.used.insert(name);
        Ok(Some(found))
    }

    /// `attribute.member[0]`.
    fn path(&mut self) -> Result<Path, AwsError> {
        let mut steps = vec![Step::Name(self.name()?)];
        loop {
            if self.eat(&Token::Symbol(".")) {
                steps.push(Step::Name(self.name()?));
            } else if self.eat(&Token::Symbol("[")) {
                let Some(Token::Index(index)) = self.peek() else {
                    return Err(self.unexpected());
                };
                steps.push(Step::Index(*index));
                self.lexer.skip();
                self.need(&Token::Symbol("]"))?;
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn name(&mut self) -> Result<String, AwsError> {
        let token = self.peek().cloned();
        let name = match token {
            Some(Token::Word(word)) => {
                if reserved::is_reserved(&word) {
                    return Err(self.refuse(format!(
                        "Attribute name is a reserved keyword; reserved keyword: {word}"
                    )));
                }
                word
            }
            Some(Token::Name(placeholder)) => {
                let undefined = || {
                    format!(
                        "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
                    )
                };
                let found = self.placeholders.names.get(&placeholder).and_then(Value::as_str);
                let name = found.ok_or_else(|| self.refuse(undefined()))?.to_owned();
                self.placeholders.used.insert(placeholder);
                name
            }
            _ => return Err(self.unexpected()),
        };
        self.lexer.skip();
        Ok(name)
    }
}

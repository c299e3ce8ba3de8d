//! Filter patterns: words that a line must, may or must not have, and conditions on lines that are JSON.
//!
//! Regular expressions (`%…%`) and patterns for fields between blanks (`[ip, user, …]`) are refused, not misread.

use serde_json::Value;

/// What a line must be like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    /// Every line fits.
    Any,
    Words {
        must: Vec<String>,
        may: Vec<String>,
        must_not: Vec<String>,
    },
    Json(Condition),
}

/// A condition on a line that is JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Some(Vec<Condition>),
    Compare {
        path: Vec<String>,
        operator: String,
        literal: Value,
    },
}

impl Pattern {
    /// Reads a pattern; the error is a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Any);
        }
        if text.starts_with('[') || text.starts_with('%') {
            return Err(format!("the sandbox does not read patterns such as {text}"));
        }
        let Some(inner) = text.strip_prefix('{') else {
            return words(text);
        };
        let inner = inner.strip_suffix('}').ok_or("Invalid filter pattern")?;
        let mut reader = Reader {
            tokens: tokens(inner)?,
            at: 0,
        };
        let condition = reader.either()?;
        if reader.at == reader.tokens.len() {
            Ok(Self::Json(condition))
        } else {
            Err("Invalid filter pattern".to_owned())
        }
    }

    /// Whether a line fits.
    pub(crate) fn fits(&self, line: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Words { must, may, must_not } => {
                let has = |word: &String| line.contains(word.as_str());
                // Beside words that must or must not be there, those that may be there say nothing.
                let alone = must.is_empty() && must_not.is_empty();
                must.iter().all(has) && !must_not.iter().any(has) && (!alone || may.iter().any(has))
            }
            Self::Json(condition) => {
                serde_json::from_str(line).is_ok_and(|value: Value| value.is_object() && condition.holds(&value))
            }
        }
    }
}

fn words(text: &str) -> Result<Pattern, String> {
    let (mut must, mut may, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (list, after) = match rest.as_bytes()[0] {
            b'?' => (&mut may, &rest[1..]),
            b'-' => (&mut must_not, &rest[1..]),
            _ => (&mut must, rest),
        };
        let (word, after) = if let Some(quoted) = after.strip_prefix('"') {
            quoted
                .split_once('"')
                .ok_or("Invalid filter pattern: a quote is not closed")?
        } else {
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            let (word, after) = after.split_at(end);
            if !word.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                return Err(format!("Invalid filter pattern: put quotes around {word}"));
            }
            (word, after)
        };
        list.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(Pattern::Words { must, may, must_not })
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' => {
                2 + rest[1..]
                    .find('"')
                    .ok_or("Invalid filter pattern: a quote is not closed")?
            }
            '&' | '|' | '=' | '!' | '<' | '>' => rest.find(|letter| !"&|=!<>".contains(letter)).unwrap_or(rest.len()),
            _ => rest
                .find(|letter: char| letter.is_whitespace() || "()&|=!<>\"".contains(letter))
                .unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Result<String, String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token.ok_or_else(|| "Invalid filter pattern: it ends too early".to_owned())
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.both()?];
        while self.eat("||") {
            parts.push(self.both()?);
        }
        Ok(Condition::Some(parts))
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.eat("&&") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.eat("(") {
            let inner = self.either()?;
            return if self.eat(")") {
                Ok(inner)
            } else {
                Err("Invalid filter pattern: a parenthesis is not closed".to_owned())
            };
        }
        let path = self.next()?;
        let path = path
            .strip_prefix("$.")
            .ok_or("Invalid filter pattern: a selector begins with $.")?;
        let operator = self.next()?;
        let literal = self.next()?;
        if !["=", "!=", "<", ">", "<=", ">=", "IS", "NOT"].contains(&operator.as_str()) {
            return Err(format!("Invalid filter pattern: {operator} is no operator"));
        }
        let quoted = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let literal = match (quoted, literal.parse::<f64>()) {
            (Some(text), _) => Value::from(text),
            (None, Ok(number)) => Value::from(number),
            (None, Err(_)) => Value::from(literal),
        };
        Ok(Condition::Compare {
            path: path.split('.').map(str::to_owned).collect(),
            operator,
            literal,
        })
    }
}

impl Condition {
    fn holds(&self, line: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(line)),
            Self::Some(parts) => parts.iter().any(|part| part.holds(line)),
            Self::Compare {
                path,
                operator,
                literal,
            } => {
                let found = path.iter().try_fold(line, |value, name| value.get(name));
                compare(found, operator, literal)
            }
        }
    }
}

fn compare(found: Option<&Value>, operator: &str, literal: &Value) -> bool {
    let word = literal.as_str().unwrap_or_default();
    match (operator, found) {
        ("NOT", found) => word == "EXISTS" && found.is_none(),
        (_, None) => false,
        ("IS", Some(found)) => match word {
            "NULL" => found.is_null(),
            "TRUE" => found == true,
            "FALSE" => found == false,
            _ => false,
        },
        (operator, Some(found)) => match (literal.as_f64(), found.as_f64()) {
            (Some(wanted), Some(number)) => match operator {
                "=" => (number - wanted).abs() < f64::EPSILON,
                "!=" => (number - wanted).abs() >= f64::EPSILON,
                "<" => number < wanted,
                ">" => number > wanted,
                "<=" => number <= wanted,
                _ => number >= wanted,
            },
            (None, None) => match operator {
                "=" => found.as_str().is_some_and(|text| like(text, word)),
                "!=" => found.as_str().is_some_and(|text| !like(text, word)),
                _ => false,
            },
            _ => operator == "!=",
        },
    }
}

/// Whether a text is like a literal, in which a star stands for anything.
fn like(text: &str, literal: &str) -> bool {
    let mut parts = literal.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, line: &str) -> bool {
        Pattern::parse(pattern).unwrap().fits(line)
    }

    #[test]
    fn words_must_may_and_must_not_be_there() {
        assert!(fits("", "anything"));
        assert!(fits("ERROR timeout", "timeout: ERROR 7"));
        assert!(!fits("ERROR timeout", "ERROR 7"));
        assert!(!fits("error", "ERROR"), "case counts");
        assert!(fits("?ERROR ?WARN", "WARN 1") && !fits("?ERROR ?WARN", "INFO"));
        assert!(fits("ERROR -retry", "ERROR 1") && !fits("ERROR -retry", "ERROR retry"));
        assert!(fits("\"[INFO] GET\"", "x [INFO] GET /") && !fits("\"[INFO] GET\"", "[INFO] x GET"));
    }

    #[test]
    fn lines_of_json_are_compared_by_their_members() {
        let line = r#"{"level": "error", "status": 503, "user": {"name": "ann"}, "gone": null}"#;
        for good in [
            "{ $.level = \"error\" }",
            "{ $.level = err* }",
            "{ $.status >= 500 && $.user.name = \"a*n\" }",
            "{ ($.status = 200) || ($.level != \"info\") }",
            "{ $.gone IS NULL }",
            "{ $.nothing NOT EXISTS }",
        ] {
            assert!(fits(good, line), "{good}");
        }
        for bad in ["{ $.status < 500 }", "{ $.nothing = 1 }", "{ $.level = \"err\" }"] {
            assert!(!fits(bad, line), "{bad}");
        }
        assert!(!fits("{ $.level = * }", "no JSON"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            "[INFO]",
            "%re%",
            "a-b:c",
            "\"open",
            "{ $.a = }",
            "{ a = 1 }",
            "{ $.a ~ 1 }",
            "{ ($.a = 1 }",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}

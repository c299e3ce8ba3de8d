//! Reading arguments as strictly as the services do: what their model refuses is refused here with the same error.

use serde_json::Value;

use super::error::AwsError;
use super::ids;

/// A pattern: as the service's model writes it, for the message, and how to check it.
type Pattern = (&'static str, fn(&str) -> bool);

/// What a string must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// At least so many characters.
    pub min: usize,
    /// At most so many characters.
    pub max: usize,
    /// What its characters must be.
    pub pattern: Option<Pattern>,
    /// The only values, when it is an enumeration.
    pub one_of: &'static [&'static str],
}

impl Rule {
    /// Only a length.
    pub(crate) const fn length(min: usize, max: usize) -> Self {
        Self {
            min,
            max,
            pattern: None,
            one_of: &[],
        }
    }

    /// An enumeration.
    pub(crate) const fn one_of(values: &'static [&'static str]) -> Self {
        Self {
            min: 0,
            max: usize::MAX,
            pattern: None,
            one_of: values,
        }
    }

    const fn pattern(mut self, text: &'static str, check: fn(&str) -> bool) -> Self {
        self.pattern = Some((text, check));
        self
    }
}

/// A pipeline, stage or action.
pub(crate) const NAME: Rule = Rule::length(1, 100).pattern("[A-Za-z0-9.@\\-_]+", |text| chars_in(text, ".@-_"));
/// An execution id or an approval token.
pub(crate) const UUID: Rule = Rule::length(0, usize::MAX).pattern(
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ids::is_uuid,
);
/// Why a stage transition is disabled.
pub(crate) const TRANSITION_REASON: Rule =
    Rule::length(1, 300).pattern("[a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+", |text| chars_in(text, "!@ ().*?-"));
/// `clientRequestToken`.
pub(crate) const REQUEST_TOKEN: Rule = Rule::length(1, 128).pattern("^[a-zA-Z0-9-]+$", |text| chars_in(text, "-"));
/// A role session's name or source identity.
pub(crate) const SESSION_NAME: Rule = Rule::length(2, 64).pattern("[\\w+=,.@-]*", |text| chars_in(text, "_+=,.@-"));
/// The shared secret word of a role's trust policy.
pub(crate) const EXTERNAL_ID: Rule =
    Rule::length(2, 1224).pattern("[\\w+=,.@:\\/-]*", |text| chars_in(text, "_+=,.@:/-"));

fn chars_in(text: &str, also: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_alphanumeric() || also.contains(letter))
}

/// The arguments of one call, or one structure within them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Args<'a>(pub &'a Value);

impl<'a> Args<'a> {
    /// A string that may be left out.
    pub(crate) fn text(self, member: &str, rule: &Rule) -> Result<Option<&'a str>, AwsError> {
        let text = match self.0.get(member) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.as_str(),
            Some(_) => return Err(wrong_type(member, "STRING_VALUE")),
        };
        let length = text.chars().count();
        let refuse = |constraint: String| Err(AwsError::validation(&format!("'{text}'"), member, &constraint));
        if !rule.one_of.is_empty() && !rule.one_of.contains(&text) {
            return refuse(format!("satisfy enum value set: [{}]", rule.one_of.join(", ")));
        }
        if length < rule.min {
            return refuse(format!("have length greater than or equal to {}", rule.min));
        }
        if length > rule.max {
            return refuse(format!("have length less than or equal to {}", rule.max));
        }
        match rule.pattern {
            Some((pattern, check)) if !check(text) => refuse(format!("satisfy regular expression pattern: {pattern}")),
            _ => Ok(Some(text)),
        }
    }

    /// A string that must be there.
    pub(crate) fn need(self, member: &str, rule: &Rule) -> Result<&'a str, AwsError> {
        self.text(member, rule)?
            .ok_or_else(|| AwsError::validation("null", member, "not be null"))
    }

    /// A whole number within bounds that may be left out. The Query protocol sends numbers as text.
    pub(crate) fn number(self, member: &str, min: i64, max: i64) -> Result<Option<i64>, AwsError> {
        let number = match self.0.get(member) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.parse().map_err(|_| wrong_type(member, "STRING_VALUE"))?,
            Some(value) => value.as_i64().ok_or_else(|| wrong_type(member, "NUMBER_VALUE"))?,
        };
        if number < min {
            return Err(AwsError::validation(
                &number.to_string(),
                member,
                &format!("have value greater than or equal to {min}"),
            ));
        }
        if number > max {
            return Err(AwsError::validation(
                &number.to_string(),
                member,
                &format!("have value less than or equal to {max}"),
            ));
        }
        Ok(Some(number))
    }

    /// A truth value; left out is false.
    pub(crate) fn flag(self, member: &str) -> Result<bool, AwsError> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(wrong_type(member, "TRUE_VALUE")),
        }
    }

    /// An instant that may be left out, in milliseconds: seconds in JSON and CBOR, a date in forms.
    pub(crate) fn instant(self, member: &str) -> Result<Option<i64>, AwsError> {
        let wrong = || wrong_type(member, "a value");
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                let at = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
                Ok(Some(at.timestamp_millis()))
            }
            Some(value) => {
                let seconds = value
                    .as_f64()
                    .filter(|seconds| seconds.abs() < 1e11)
                    .ok_or_else(wrong)?;
                #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
                Ok(Some((seconds * 1000.0).round() as i64))
            }
        }
    }

    /// A structure that may be left out.
    pub(crate) fn structure(self, member: &str) -> Result<Option<Args<'a>>, AwsError> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ Value::Object(_)) => Ok(Some(Args(value))),
            Some(_) => Err(wrong_type(member, "structure")),
        }
    }

    /// A list; left out is empty.
    pub(crate) fn list(self, member: &str) -> Result<&'a [Value], AwsError> {
        match self.0.get(member) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(wrong_type(member, "list")),
        }
    }

    /// A list of strings; left out is empty.
    pub(crate) fn texts(self, member: &str) -> Result<Vec<&'a str>, AwsError> {
        self.list(member)?
            .iter()
            .map(|value| value.as_str().ok_or_else(|| wrong_type(member, "list of strings")))
            .collect()
    }
}

fn wrong_type(member: &str, what: &str) -> AwsError {
    AwsError::new(
        "SerializationException",
        format!("{what} cannot be converted to the type of {member}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_model_refuses_is_a_validation_error_that_names_the_member() {
        let args = json!({"name": "a/b", "long": "x".repeat(101), "n": 0, "kind": "Maybe", "id": "nope", "number": 5});
        let args = Args(&args);
        for error in [
            args.need("absent", &NAME).unwrap_err(),
            args.need("name", &NAME).unwrap_err(),
            args.need("long", &NAME).unwrap_err(),
            args.need("id", &UUID).unwrap_err(),
            args.need("kind", &Rule::one_of(&["Approved", "Rejected"])).unwrap_err(),
            args.number("n", 1, 100).unwrap_err(),
        ] {
            assert_eq!(error.code, "ValidationException", "{error:?}");
        }
        assert!(args.need("name", &NAME).unwrap_err().message.contains("at 'name'"));
        assert_eq!(args.need("number", &NAME).unwrap_err().code, "SerializationException");
    }

    #[test]
    fn a_transition_reason_may_not_hold_a_link() {
        let check = |text: &str| {
            Args(&json!({ "reason": text }))
                .need("reason", &TRANSITION_REASON)
                .is_ok()
        };
        assert!(check("Frozen by ann (release) - back Monday!"));
        for bad in ["see https://example.org", "a,b", "it's", "a_b", "größer", "", "C#"] {
            assert!(!check(bad), "{bad} must be refused");
        }
    }
}

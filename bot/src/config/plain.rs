//! A table as plain data, for what is read whole: a step of a runbook, and the text that its runs pin.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// The value without its places.
pub(super) fn value(from: &DeValue<'_>) -> Value {
    match from {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.as_str().to_owned()), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or_else(|_| Value::String(number.as_str().to_owned()), Value::Float),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => Value::Datetime(*date),
        DeValue::Array(values) => Value::Array(values.iter().map(|one| value(one.get_ref())).collect()),
        DeValue::Table(table) => Value::Table(self::table(table)),
    }
}

/// The table without its places.
pub(super) fn table(from: &DeTable<'_>) -> Table {
    from.iter()
        .map(|(name, one)| (name.get_ref().to_string(), value(one.get_ref())))
        .collect()
}

//! Instants and spans. There is no `now` here: it is an argument of everything that needs it.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// An instant, in milliseconds since the Unix epoch (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A span of time, in milliseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Timestamp {
    /// Seconds since the epoch, as Slack's dates want them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long `self` lies behind `now`; never negative.
    #[must_use]
    pub fn age(self, now: Self) -> Span {
        Span((now.0 - self.0).max(0))
    }

    /// Reads an instant as AWS writes it, RFC 3339: `2026-11-21T14:00:00.123Z`.
    #[must_use]
    pub fn parse_utc(text: &str) -> Option<Self> {
        let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(at.timestamp_millis()))
    }

    /// In UTC, as `chrono` sees it; instants out of its range become the epoch.
    #[must_use]
    pub fn utc(self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl Span {
    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours * 60)
    }

    /// A span of whole days of 24 hours.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self::hours(days * 24)
    }

    /// Reads `90s`, `30m`, `2h`, `1h30m`, `3d`, `1w`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut total: i64 = 0;
        let mut digits = String::new();
        let mut units = 0;
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let unit = match c {
                's' => Self::seconds(1),
                'm' => Self::minutes(1),
                'h' => Self::hours(1),
                'd' => Self::days(1),
                'w' => Self::days(7),
                _ => return None,
            };
            total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit.0)?)?;
            digits.clear();
            units += 1;
        }
        (digits.is_empty() && units > 0 && total > 0 && total <= Self::days(366).0).then_some(Self(total))
    }
}

/// The two largest units that say something: `6 d 3 h`, `4 min 10 s`, `0 s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0) / 1000;
        let units = [
            (seconds / 86_400, "d"),
            (seconds / 3600 % 24, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ];
        let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
        write!(f, "{} {}", units[first].0, units[first].1)?;
        match units.get(first + 1) {
            Some((count, unit)) if *count > 0 => write!(f, " {count} {unit}"),
            _ => Ok(()),
        }
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Timestamp> for Timestamp {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_aws_writes_them() {
        assert_eq!(Timestamp::parse_utc("1970-01-01T00:00:01.5Z"), Some(Timestamp(1500)));
        assert_eq!(Timestamp::parse_utc("1970-01-01T01:00:00+01:00"), Some(Timestamp(0)));
        assert_eq!(Timestamp::parse_utc("yesterday"), None);
    }

    #[test]
    fn spans_read_and_print() {
        assert_eq!(Span::parse("1h30m"), Some(Span::minutes(90)));
        assert_eq!(Span::parse("2d"), Some(Span::days(2)));
        for bad in ["", "h", "10", "0m", "-1h", "5y", "999999999999999999w"] {
            assert_eq!(Span::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Span(Span::days(6).0 + Span::hours(3).0 + 59_000).to_string(), "6 d 3 h");
        assert_eq!(Span::seconds(250).to_string(), "4 min 10 s");
        assert_eq!(Span(0).to_string(), "0 s");
        assert_eq!(Span::days(2).to_string(), "2 d");
    }
}

//! DynamoDB's numbers: up to 38 decimal digits, compared and added exactly.

use std::cmp::Ordering;

/// The most digits that a number may have.
const DIGITS: usize = 38;

/// A decimal number: `0.d₁d₂d₃… × 10^exponent`, without zeros at either end of the digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Number {
    /// Reads a number; the error is the service's sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let broken = || format!("The parameter cannot be converted to a numeric value: {text}");
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| broken())?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || all.len() > 1_000 {
            return Err(broken());
        }
        let digits = all.bytes().map(|byte| byte - b'0').collect();
        let exponent = i32::try_from(whole.len()).unwrap_or(i32::MAX).saturating_add(power);
        Self::of(text.starts_with('-'), digits, exponent)
    }

    fn of(negative: bool, mut digits: Vec<u8>, mut exponent: i32) -> Result<Self, String> {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        exponent = exponent.saturating_sub(i32::try_from(zeros).unwrap_or(i32::MAX));
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Ok(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        if digits.len() > DIGITS {
            return Err("Attempting to store more than 38 significant digits in a Number".to_owned());
        }
        if exponent > 126 {
            return Err(
                "Number overflow. Attempting to store a number with magnitude larger than supported range".to_owned(),
            );
        }
        if exponent < -129 {
            return Err(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range".to_owned(),
            );
        }
        Ok(Self {
            negative,
            digits,
            exponent,
        })
    }

    /// The number with the other sign.
    pub(crate) fn negated(&self) -> Self {
        Self {
            negative: !self.negative && !self.digits.is_empty(),
            ..self.clone()
        }
    }

    /// The exact sum.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, String> {
        let point = self.exponent.max(other.exponent);
        let (left, right) = (self.aligned(point), other.aligned(point));
        let width = left.len().max(right.len());
        let digit = |list: &[u8], at: usize| i16::from(list.get(at).copied().unwrap_or_default());
        let sign = |negative: bool| if negative { -1 } else { 1 };
        // The larger magnitude first, so that no borrow is left over.
        let (big, small, negative) = if left.iter().copied().chain(std::iter::repeat(0)).take(width).ge(right
            .iter()
            .copied()
            .chain(std::iter::repeat(0))
            .take(width))
        {
            (&left, &right, self.negative)
        } else {
            (&right, &left, other.negative)
        };
        let factor = sign(self.negative) * sign(other.negative);
        let mut carry = 0;
        let mut sum: Vec<u8> = (0..width)
            .rev()
            .map(|at| {
                let value = digit(big, at) + factor * digit(small, at) + carry;
                carry = value.div_euclid(10);
                u8::try_from(value.rem_euclid(10)).unwrap_or_default()
            })
            .collect();
        sum.push(u8::try_from(carry).unwrap_or_default());
        sum.reverse();
        Self::of(negative, sum, point + 1)
    }

    /// The digits, led by zeros as if the exponent were `point`.
    fn aligned(&self, point: i32) -> Vec<u8> {
        if self.digits.is_empty() {
            return Vec::new();
        }
        let zeros = usize::try_from(point - self.exponent).unwrap_or_default();
        std::iter::repeat_n(0, zeros)
            .chain(self.digits.iter().copied())
            .collect()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl std::fmt::Display for Number {
    /// As the service writes it: without exponent and without zeros that say nothing.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.digits.is_empty() {
            return formatter.write_str("0");
        }
        let mut text: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let whole = usize::try_from(self.exponent).unwrap_or_default();
        if self.exponent <= 0 {
            let zeros = usize::try_from(-self.exponent).unwrap_or_default();
            text = format!("0.{}{text}", "0".repeat(zeros));
        } else if whole >= text.len() {
            text.push_str(&"0".repeat(whole - text.len()));
        } else {
            text.insert(whole, '.');
        }
        write!(formatter, "{}{text}", if self.negative { "-" } else { "" })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_written_without_what_says_nothing() {
        for (text, written) in [
            ("1.0", "1"),
            ("-00.50", "-0.5"),
            ("1e3", "1000"),
            ("-0", "0"),
            ("12E-4", "0.0012"),
            (
                "99999999999999999999999999999999999999",
                "99999999999999999999999999999999999999",
            ),
        ] {
            assert_eq!(number(text).to_string(), written);
        }
        for bad in ["", "x", "1.2.3", "--1", "1e", &"9".repeat(39), "1e126", "NaN"] {
            assert!(Number::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sums_are_exact() {
        for (left, right, sum) in [
            ("1", "2", "3"),
            ("0.1", "0.2", "0.3"),
            ("999", "1", "1000"),
            ("5", "-7", "-2"),
            ("-5", "7", "2"),
            ("-5", "-7", "-12"),
            ("100", "-99.99", "0.01"),
            ("7", "-7", "0"),
            ("0", "4", "4"),
        ] {
            assert_eq!(
                number(left).plus(&number(right)).unwrap().to_string(),
                sum,
                "{left} + {right}"
            );
        }
    }

    #[test]
    fn numbers_are_in_order() {
        let sorted = ["-100", "-1.5", "-1", "0", "0.001", "1", "1.5", "9", "10", "100.01"];
        for pair in sorted.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        assert_eq!(number("1.50").cmp(&number("1.5")), Ordering::Equal);
    }
}

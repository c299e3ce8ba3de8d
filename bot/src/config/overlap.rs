//! Whether two patterns fit a common text. Used to warn, so it may err only where no ref is.

use commands::catalog::Pattern;

/// Whether some ref fits both.
pub(super) fn overlap(one: &Pattern, other: &Pattern) -> bool {
    let ((kind, one), (other_kind, other)) = (split(&one.0), split(&other.0));
    let same_kind = kind.is_none() || other_kind.is_none() || kind == other_kind;
    same_kind && common(&tokens(one), &tokens(other))
}

/// `refs/tags/v1` is a tag; `v1` may be a branch or a tag.
fn split(pattern: &str) -> (Option<&str>, &str) {
    for kind in ["refs/heads/", "refs/tags/"] {
        if let Some(rest) = pattern.strip_prefix(kind) {
            return (Some(kind), rest);
        }
    }
    (None, pattern)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character.
    One(char),
    /// Any run without a slash.
    Star,
    /// Any run.
    DoubleStar,
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => Token::DoubleStar,
            '*' => Token::Star,
            c => Token::One(c),
        });
    }
    tokens
}

/// Fills the table of "from here on, is there a common text" from its end.
fn common(one: &[Token], other: &[Token]) -> bool {
    let width = other.len() + 1;
    let mut table = vec![false; (one.len() + 1) * width];
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            let at = |i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
            let found = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(Token::One(a)), Some(Token::One(b))) => a == b && at(i + 1, j + 1),
                (a, b) => {
                    // A star ends here, or takes what the other side has next.
                    let ends = is_star(a) && at(i + 1, j) || is_star(b) && at(i, j + 1);
                    let eats = takes(a, b) && at(i, j + 1) || takes(b, a) && at(i + 1, j);
                    ends || eats
                }
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = found;
            }
        }
    }
    table.first().copied().unwrap_or_default()
}

const fn is_star(token: Option<&Token>) -> bool {
    matches!(token, Some(Token::Star | Token::DoubleStar))
}

/// Whether a star takes the other side's next character.
fn takes(star: Option<&Token>, next: Option<&Token>) -> bool {
    match (star, next) {
        (Some(Token::DoubleStar), Some(Token::One(_))) => true,
        (Some(Token::Star), Some(Token::One(c))) => *c != '/',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_when_one_text_fits_both() {
        let overlap = |one: &str, other: &str| {
            let (one, other) = (Pattern(one.to_owned()), Pattern(other.to_owned()));
            let found = overlap(&one, &other);
            assert_eq!(
                found,
                super::overlap(&other, &one),
                "{one} and {other} are not symmetrical"
            );
            found
        };
        for (one, other) in [
            ("master", "master"),
            ("v*", "v1.*"),
            ("*-rc", "v*"),
            ("*", "v*"),
            ("**", "release/1"),
            ("release/*", "**/1"),
            ("refs/tags/v*", "v1"),
            ("a*b*c", "*bc"),
        ] {
            assert!(overlap(one, other), "{one} and {other}");
        }
        for (one, other) in [
            ("master", "v*"),
            ("v*", "release/*"),
            ("*", "release/1"),
            ("refs/tags/v*", "refs/heads/v*"),
            ("v1*", "v2*"),
            ("*a", "*b"),
        ] {
            assert!(!overlap(one, other), "{one} and {other}");
        }
    }
}

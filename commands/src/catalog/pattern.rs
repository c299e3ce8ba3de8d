//! Patterns over refs and paths: `*` stands for any run of characters within one path segment, `**` for any run at all.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern such as `v*`, `release/*` or `db/migrations/**`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether the pattern fits the whole text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        glob(self.0.as_bytes(), text.as_bytes())
    }

    /// The pattern behind a `!`: what fits that is left out.
    #[must_use]
    pub fn leaves_out(&self) -> Option<Self> {
        self.0.strip_prefix('!').map(|but| Self(but.to_owned()))
    }

    /// Whether it fits a git ref, in its short form (`master`, `v1.4.2`) or its full one.
    #[must_use]
    pub fn fits_ref(&self, git_ref: &str) -> bool {
        self.fits(git_ref) || self.fits(short_ref(git_ref))
    }
}

/// `refs/heads/master` and `refs/tags/v1` are `master` and `v1` to people.
pub(crate) fn short_ref(git_ref: &str) -> &str {
    git_ref
        .strip_prefix("refs/heads/")
        .or_else(|| git_ref.strip_prefix("refs/tags/"))
        .unwrap_or(git_ref)
}

/// Linear in the product of both lengths: it steps back to the last star only.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize, bool)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            let deep = pattern.get(p + 1) == Some(&b'*');
            p += if deep { 2 } else { 1 };
            back = Some((p, t, deep));
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else {
            match back {
                Some((star, at, deep)) if deep || text[at] != b'/' => {
                    p = star;
                    t = at + 1;
                    back = Some((star, at + 1, deep));
                }
                _ => return false,
            }
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_segment_unless_doubled() {
        let fits = |pattern: &str, text: &str| Pattern(pattern.to_owned()).fits(text);
        assert!(fits("v*", "v1.4.2"));
        assert!(!fits("v*", "dev"));
        assert!(!fits("v*", "v1/x"));
        assert!(fits("db/migrations/**", "db/migrations/2026/a.sql"));
        assert!(!fits("db/migrations/*", "db/migrations/2026/a.sql"));
        assert!(fits("**/migrations/*.sql", "svc/a/migrations/1.sql"));
        assert!(fits("*", "") && fits("a*c", "abbc") && !fits("a*c", "abb"));
    }

    #[test]
    fn refs_fit_in_both_forms() {
        let tags = Pattern("v*".to_owned());
        assert!(tags.fits_ref("refs/tags/v2") && tags.fits_ref("v2") && !tags.fits_ref("refs/heads/dev"));
    }

    #[test]
    fn an_exclamation_mark_leaves_out() {
        let pattern = |text: &str| Pattern(text.to_owned());
        assert_eq!(pattern("!v*-rc*").leaves_out(), Some(pattern("v*-rc*")));
        assert_eq!(pattern("v*").leaves_out(), None);
    }
}

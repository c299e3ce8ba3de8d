//! Slack's text, as the parser wants it.

/// Takes Slack's escapes off a text that people typed.
///
/// Entities become the characters they stand for. Mentions keep their ids and lose their labels, which are not unique: `<@U0ANN|ann>` becomes `<@U0ANN>`, and
/// likewise `<#C0DEPLOYS>` and `<!subteam^S0OPS>`. Links become their addresses, `<mailto:a@b|a@b>` the address, `<!here>` the plain `@here`.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&entities(&rest[..start]));
        let tail = &rest[start + 1..];
        let Some(end) = tail.find('>') else {
            plain.push_str(&entities(&rest[start..]));
            return plain;
        };
        plain.push_str(&reference(&tail[..end]));
        rest = &tail[end + 1..];
    }
    plain.push_str(&entities(rest));
    plain
}

fn reference(inner: &str) -> String {
    let (target, _label) = inner.split_once('|').unwrap_or((inner, ""));
    if target.starts_with('@') || target.starts_with('#') || target.starts_with("!subteam^") {
        return format!("<{target}>");
    }
    if let Some(broadcast) = target.strip_prefix('!') {
        return format!("@{broadcast}");
    }
    entities(target.strip_prefix("mailto:").unwrap_or(target))
}

/// The ampersand comes last: `&amp;lt;` is the text `&lt;`.
fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_come_off_and_ids_stay() {
        for (slack, plain) in [
            ("approve mainnet a1b2c3d", "approve mainnet a1b2c3d"),
            ("lock prod R&amp;D &lt;now&gt;", "lock prod R&D <now>"),
            ("tell <@U0ANN|ann> and <@W9>", "tell <@U0ANN> and <@W9>"),
            (
                "<!subteam^S0OPS|@ops> in <#C0DEPLOYS|deploys>",
                "<!subteam^S0OPS> in <#C0DEPLOYS>",
            ),
            (
                "see <https://x.example/a?b=1&amp;c=2|x.example>",
                "see https://x.example/a?b=1&c=2",
            ),
            ("<mailto:ann@example.org|ann@example.org>", "ann@example.org"),
            ("<!here> now", "@here now"),
            ("&amp;lt;", "&lt;"),
            ("a < b", "a < b"),
            ("", ""),
        ] {
            assert_eq!(unescape(slack), plain);
        }
    }
}

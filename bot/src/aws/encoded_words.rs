//! Encoded words (RFC 2047): how S3 hands back metadata that is not ASCII.

use base64::Engine as _;

/// The text with its encoded words decoded. What is not one, or is in a character set that is not known, stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, tail) = rest.split_at(start);
        let Some((word, length)) = word(tail) else {
            out.push_str(before);
            out.push_str("=?");
            rest = &tail[2..];
            after_word = false;
            continue;
        };
        // White space between two encoded words belongs to the encoding.
        if !(after_word && before.chars().all(char::is_whitespace)) {
            out.push_str(before);
        }
        out.push_str(&word);
        rest = &tail[length..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// The encoded word at the start of a text, decoded, and how long it is there.
fn word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.find("?=")?;
    let encoded = &rest[..end];
    let bytes = match encoding {
        "B" | "b" => base64::engine::general_purpose::STANDARD.decode(encoded).ok()?,
        "Q" | "q" => quoted(encoded)?,
        _ => return None,
    };
    let decoded = match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    let length = "=?".len() + charset.len() + "?".len() + encoding.len() + "?".len() + end + "?=".len();
    Some((decoded, length))
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                let digits = digits.map(char::from).map(|digit| digit.to_digit(16));
                u8::try_from(digits[0]? * 16 + digits[1]?).ok()?
            }
            plain => plain,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_as_they_were_written() {
        for (encoded, plain) in [
            ("plain words", "plain words"),
            ("=?UTF-8?B?w4TEiA==?=", "ÄĈ"),
            ("fix =?utf-8?Q?caf=C3=A9_menu?= now", "fix café menu now"),
            ("=?UTF-8?Q?a?= =?UTF-8?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?=E9t=E9?=", "été"),
            // Not what they seem.
            ("1 =? 2", "1 =? 2"),
            ("=?koi8-r?B?w4TEiA==?=", "=?koi8-r?B?w4TEiA==?="),
            ("=?UTF-8?B?!!?=", "=?UTF-8?B?!!?="),
            ("=?UTF-8?Q?=C3?=", "=?UTF-8?Q?=C3?="),
            ("=?UTF-8?Q?=+1?=", "=?UTF-8?Q?=+1?="),
            ("=?UTF-8?Q?cut", "=?UTF-8?Q?cut"),
            ("", ""),
        ] {
            assert_eq!(decode(encoded), plain, "{encoded}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_it(text in "(=\\?|\\?=|UTF-8|\\?B\\?|\\?Q\\?|=C3|.){0,12}") {
            decode(&text);
        }
    }
}

//! Identifiers in the forms that AWS gives them.

use sha2::{Digest, Sha256};

/// A random UUID (version 4), as execution ids and approval tokens are.
pub(crate) fn uuid() -> String {
    uuid_from(rand::random())
}

fn uuid_from(bits: u128) -> String {
    let text = format!("{bits:032x}");
    let variant = ['8', '9', 'a', 'b'][usize::try_from(bits >> 60 & 3).unwrap_or_default()];
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &text[..8],
        &text[8..12],
        &text[13..16],
        &text[17..20],
        &text[20..]
    )
}

/// An S3 version id: 32 characters that mean nothing.
pub(crate) fn version_id() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    let bytes: [u8; 32] = rand::random();
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte & 63)]))
        .collect()
}

/// `prefix` and 16 characters of A-Z and 2-7: an access key id.
pub(crate) fn access_key(prefix: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes: [u8; 16] = rand::random();
    prefix
        .chars()
        .chain(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])))
        .collect()
}

/// What a log may show of a secret: enough to tell two apart, too little to use one.
pub(crate) fn fingerprint(secret: &str) -> String {
    let digest = hex::encode(Sha256::digest(secret.as_bytes()));
    format!("sha256:{}", &digest[..12])
}

/// Whether `text` is a UUID in lower case, as CodePipeline wants its ids and tokens.
pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_the_form_that_the_service_checks() {
        for bits in [0, u128::MAX, rand::random()] {
            let id = uuid_from(bits);
            assert!(is_uuid(&id), "{id}");
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
        assert!(
            !is_uuid("0F000000-0000-4000-8000-000000000000"),
            "upper case is refused"
        );
        assert!(!is_uuid("0f000000-0000-4000-8000"), "too short");
    }

    #[test]
    fn a_fingerprint_does_not_contain_the_secret() {
        let secret = uuid();
        assert!(!fingerprint(&secret).contains(&secret[..8]));
        assert_eq!(fingerprint(&secret), fingerprint(&secret));
    }
}

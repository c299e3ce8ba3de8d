//! Hashes of things that must be recognized later but not stored.

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes`, as 64 hex digits.
#[must_use]
pub fn full(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The first 48 bits of the SHA-256, as 12 hex digits: enough to tell the runs of one service apart, short enough to type.
#[must_use]
pub fn short(bytes: &[u8]) -> String {
    full(bytes).chars().take(12).collect()
}

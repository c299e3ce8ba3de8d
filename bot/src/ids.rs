//! Randomness, as an argument: a simulation wants the same ids for the same seed.

use std::fmt;

/// Where random ids come from.
pub trait Ids: Send + Sync + 'static {
    /// Sixteen random bytes.
    fn random(&self) -> [u8; 16];

    /// A short id for logs and references: 16 hex digits.
    fn reference(&self) -> String {
        let bytes = self.random();
        hex::encode(&bytes[..8])
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

impl fmt::Debug for SystemIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemIds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_differ() {
        let (one, two) = (SystemIds.reference(), SystemIds.reference());
        assert_eq!(one.len(), 16);
        assert_ne!(one, two);
    }
}

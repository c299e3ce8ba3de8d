//! Seals: a count and a hash of the ledger, signed, and kept where the store's owner cannot reach.

use commands::ids::ServiceId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Key, LedgerRow};
use crate::store::{Store, StoreError};

/// How many ledger rows are read at once.
const PAGE: usize = 1000;

/// What the ledger of a service was: the rows `from` to `to`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The service.
    pub slot: ServiceId,
    /// The first row.
    pub from: u64,
    /// The last row; `from - 1` when nothing was added.
    pub to: u64,
    /// How many rows.
    pub count: u64,
    /// SHA-256 over the rows, in hex.
    pub root: String,
    /// HMAC-SHA256 over all of the above, in hex.
    pub mac: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    seal: Seal,
}

impl Seal {
    fn new(key: &Key, slot: &ServiceId, from: u64, hash: Root) -> Self {
        let (count, root) = (hash.count, hash.end());
        let mut seal = Self {
            slot: slot.clone(),
            from,
            to: from + count - 1,
            count,
            root,
            mac: String::new(),
        };
        seal.mac = seal.expected(key);
        seal
    }

    fn expected(&self, key: &Key) -> String {
        let [from, to, count] = [self.from, self.to, self.count].map(u64::to_be_bytes);
        key.sign(&[
            b"signalbox seal 1",
            self.slot.as_str().as_bytes(),
            &from,
            &to,
            &count,
            self.root.as_bytes(),
        ])
    }

    /// Whether it was made with this key and its numbers agree.
    #[must_use]
    pub fn is_genuine(&self, key: &Key) -> bool {
        self.from > 0
            && self.to.checked_add(1).and_then(|end| end.checked_sub(self.from)) == Some(self.count)
            && self.mac == self.expected(key)
    }

    /// The line that goes to standard output.
    #[must_use]
    pub fn line(&self) -> String {
        // Numbers and names only: this cannot fail, and an empty line would be no seal.
        serde_json::to_string(&Line { seal: self.clone() }).unwrap_or_default()
    }

    /// Reads a line of a log: `None` when there is no seal in it.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn parse(line: &str) -> Option<Result<Self, serde_json::Error>> {
        let start = line.find("{\"seal\":")?;
        let mut values = serde_json::Deserializer::from_str(&line[start..]).into_iter::<Line>();
        values.next().map(|found| found.map(|line| line.seal))
    }
}

/// The hash over a range of ledger rows, taken in order.
#[derive(Debug, Default)]
pub(super) struct Root {
    hash: Sha256,
    pub(super) count: u64,
}

impl Root {
    pub(super) fn push(&mut self, row: &LedgerRow) {
        let numbers = [row.seq, row.version].map(u64::to_be_bytes);
        // A refusal's content is covered by its own MAC.
        for field in [
            &numbers[0][..],
            &numbers[1],
            row.record.as_str().as_bytes(),
            row.mac.as_bytes(),
        ] {
            self.hash.update((field.len() as u64).to_be_bytes());
            self.hash.update(field);
        }
        self.count += 1;
    }

    pub(super) fn end(self) -> String {
        hex::encode(self.hash.finalize())
    }
}

/// Makes the seals of one service, each over the rows that came since the one before.
#[derive(Debug)]
pub struct Sealer {
    key: Key,
    slot: ServiceId,
    sealed: u64,
}

impl Sealer {
    /// Begins after the row `sealed`; 0 makes the first seal cover the whole ledger, which is the safe choice at every start: the rows that a
    /// former process wrote after its last seal are covered too.
    #[must_use]
    pub const fn new(key: Key, slot: ServiceId, sealed: u64) -> Self {
        Self { key, slot, sealed }
    }

    /// The next seal; `None` when no row came since the last.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn next(&mut self, store: &dyn Store) -> Result<Option<Seal>, StoreError> {
        let (from, mut root) = (self.sealed + 1, Root::default());
        loop {
            let page = store.ledger(&self.slot, self.sealed + root.count, PAGE).await?;
            page.iter().for_each(|row| root.push(row));
            if page.len() < PAGE {
                break;
            }
        }
        if root.count == 0 {
            return Ok(None);
        }
        self.sealed += root.count;
        Ok(Some(Seal::new(&self.key, &self.slot, from, root)))
    }
}

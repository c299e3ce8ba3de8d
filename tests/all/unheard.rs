//! A store that is away for a while when a worker has something to report: it hears of it when it is back, and nobody is asked about what is known.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use demo::Options;
use state::{Commit, Committed, Store, StoreError};
use tests::kinds::Everything;
use tests::layer::{self, Layer};
use tests::operations::play;

/// How often the store is asked in vain: more often than one report asks.
const TIMES: u32 = 7;

/// In which way it is away.
#[derive(Debug, Clone, Copy)]
enum Away {
    /// It cannot be reached.
    Refused,
    /// Nothing of what it is sent gets there, and nobody knows.
    Before,
    /// It does what it is asked, and nobody hears so.
    After,
}

/// Does not answer to the report of the call that tells the function.
struct Deaf {
    away: Away,
    asked: AtomicU32,
}

#[async_trait]
impl Layer for Deaf {
    async fn commit(&self, store: &dyn Store, commit: Commit) -> Result<Committed, StoreError> {
        let told = commit.finish.as_ref().is_some_and(|finish| {
            let key = finish.key.as_str();
            key.contains(":tell:") && key.contains(":act:")
        });
        if !told || self.asked.fetch_add(1, Ordering::Relaxed) >= TIMES {
            return store.commit(commit).await;
        }
        match self.away {
            Away::Refused => Err(StoreError::Refused("it cannot be reached".to_owned())),
            Away::Before => Err(StoreError::Unknown),
            Away::After => {
                store.commit(commit).await?;
                Err(StoreError::Unknown)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_reported_until_the_store_hears_of_it() {
    let mut some = Everything::of(|kind| ["lambda", "announce"].contains(&kind)).await;
    some.play.answer = |_, headline| panic!("somebody is asked: {headline}");
    let (whole, seen) = play(&some.play, None, None, |_| {}).await;
    assert_eq!((whole.violations, seen.end.as_str()), (vec![], "done,"));
    let without = async |away| {
        let asked = AtomicU32::new(0);
        let deaf = |options: &mut Options| layer::put(options, Deaf { away, asked });
        play(&some.play, None, Some(&seen), deaf).await.0.violations
    };
    for away in [Away::Refused, Away::Before, Away::After] {
        assert_eq!(without(away).await, [""; 0], "{away:?}");
    }
}

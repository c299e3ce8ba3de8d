//! `bucket_parity`: two lists in the same order, compared like two sorted decks of cards, a few pages at each look.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::{BucketParity, Side};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

use super::buckets::{self, Object, Page, Place};
use super::{Answer, At, Executor, StepError, found, pending_at};

/// Pages of each side that one look reads: a lease has to last for them.
const PAGES: usize = 5;
/// So many differences are named.
const NAMED: usize = 10;

/// How far the comparison is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The last key that both sides were compared up to, without their prefixes.
    after: String,
    compared: u64,
    different: u64,
    named: Vec<String>,
}

#[async_trait]
impl Executor for BucketParity {
    async fn prepare(&self, at: At<'_>) -> Answer {
        let mut evidence = Vec::new();
        for side in [&self.left, &self.right] {
            let page = buckets::page(at, place(side, at), "").await?;
            let more = if page.more { " or more" } else { "" };
            evidence.push(format!("{} holds {} objects{more}", side.place(), page.objects.len()));
        }
        Ok(found(json!(Seen::default()), evidence))
    }

    async fn watch(&self, at: At<'_>) -> Answer {
        let mut seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        for _ in 0..PAGES {
            let mut pages = Vec::new();
            for side in [&self.left, &self.right] {
                let after = if seen.after.is_empty() {
                    String::new()
                } else {
                    format!("{}{}", side.prefix, seen.after)
                };
                let page = buckets::page(at, place(side, at), &after).await?;
                pages.push(below(page, &side.prefix)?);
            }
            let whole = compare(&mut seen, &pages);
            if whole {
                return judge(&seen);
            }
            if seen.compared >= self.most {
                let why = format!(
                    "{}, and there are more: nobody can tell about the rest. Raise `most`, or compare by prefix",
                    words(&seen)
                );
                return Err(StepError::failed("too_many_keys", why));
            }
        }
        let words = words(&seen);
        Ok(pending_at(json!(seen), words, None))
    }
}

fn place<'a>(side: &'a Side, at: At<'a>) -> Place<'a> {
    Place {
        bucket: &side.bucket,
        prefix: &side.prefix,
        region: side.region.as_deref().unwrap_or(&at.call.aws.region),
    }
}

/// A page whose keys are without the prefix.
fn below(mut page: Page, prefix: &str) -> Result<Page, StepError> {
    for object in &mut page.objects {
        let Some(rest) = object.key.strip_prefix(prefix) else {
            return Err(StepError::Later("S3 listed a key that was not asked for".to_owned()));
        };
        object.key = rest.to_owned();
    }
    Ok(page)
}

/// Compares what both pages reach to. Says whether that is everything.
fn compare(seen: &mut Seen, pages: &[Page]) -> bool {
    // Behind the last key of a page that is not the last one, nothing is known.
    let reach = pages
        .iter()
        .filter(|page| page.more)
        .filter_map(|page| page.objects.last());
    let reach = reach.map(|object| object.key.clone()).min();
    let within = |object: &&Object| reach.as_ref().is_none_or(|reach| object.key <= *reach);
    let sides: Vec<BTreeMap<&str, u64>> = pages
        .iter()
        .map(|page| {
            page.objects
                .iter()
                .filter(within)
                .map(|object| (object.key.as_str(), object.size))
                .collect()
        })
        .collect();
    let keys: BTreeSet<&str> = sides.iter().flat_map(BTreeMap::keys).copied().collect();
    for key in keys {
        seen.compared += 1;
        let sizes: Vec<Option<&u64>> = sides.iter().map(|side| side.get(key)).collect();
        let difference = match sizes.as_slice() {
            [Some(left), Some(right)] if left == right => continue,
            [Some(left), Some(right)] => format!("{key} ({left} and {right} bytes)"),
            [Some(_), _] => format!("{key} (left only)"),
            _ => format!("{key} (right only)"),
        };
        seen.different += 1;
        if seen.named.len() < NAMED {
            seen.named.push(difference);
        }
    }
    match reach {
        Some(reach) => seen.after = reach,
        None => return true,
    }
    false
}

fn words(seen: &Seen) -> String {
    format!("{} keys compared, {} different", seen.compared, seen.different)
}

fn judge(seen: &Seen) -> Answer {
    if seen.different == 0 {
        return Ok(StepOutcome::Finished {
            outputs: BTreeMap::from([("compared".to_owned(), seen.compared.to_string())]),
            evidence: vec![format!("the same on both sides, keys compared: {}", seen.compared)],
        });
    }
    let more = seen.different - u64::try_from(seen.named.len()).unwrap_or(seen.different);
    let mut list = seen.named.join(", ");
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    Err(StepError::failed("different", format!("{}: {list}", words(seen))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(keys: &[(&str, u64)], more: bool) -> Page {
        let objects = keys.iter().map(|(key, size)| Object {
            key: (*key).to_owned(),
            size: *size,
            modified: None,
        });
        Page {
            objects: objects.collect(),
            more,
        }
    }

    #[test]
    fn pages_that_end_at_different_keys_are_compared_as_far_as_both_are_known() {
        let mut seen = Seen::default();
        let left = page(&[("a", 1), ("b", 1), ("c", 1)], true);
        let right = page(&[("a", 1), ("b", 2)], true);
        assert!(!compare(&mut seen, &[left, right]));
        assert_eq!((seen.after.as_str(), seen.compared, seen.different), ("b", 2, 1));
        let left = page(&[("c", 1), ("e", 1)], false);
        let right = page(&[("c", 1), ("d", 1)], false);
        assert!(compare(&mut seen, &[left, right]));
        assert_eq!((seen.compared, seen.different), (5, 3));
        assert_eq!(seen.named, ["b (1 and 2 bytes)", "d (right only)", "e (left only)"]);
        let StepError::Failed { code, message } = judge(&seen).unwrap_err() else {
            panic!("they differ")
        };
        assert_eq!(code, "different");
        assert!(
            message.starts_with("5 keys compared, 3 different: b (1 and"),
            "{message}"
        );
    }

    #[test]
    fn ten_differences_are_named_and_the_others_counted() {
        let keys: Vec<String> = (0..13).map(|number| format!("k{number:02}")).collect();
        let left: Vec<(&str, u64)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
        let mut seen = Seen::default();
        assert!(compare(&mut seen, &[page(&left, false), page(&[], false)]));
        let StepError::Failed { message, .. } = judge(&seen).unwrap_err() else {
            panic!("they differ")
        };
        assert!(message.ends_with("k09 (left only) and 3 more"), "{message}");
    }

    #[test]
    fn equal_sides_are_done_and_say_how_much_was_compared() {
        let mut seen = Seen::default();
        assert!(compare(
            &mut seen,
            &[page(&[("a", 1)], false), page(&[("a", 1)], false)]
        ));
        let StepOutcome::Finished { outputs, evidence } = judge(&seen).unwrap() else {
            panic!("they are the same")
        };
        assert_eq!(
            (outputs["compared"].as_str(), evidence[0].as_str()),
            ("1", "the same on both sides, keys compared: 1")
        );
    }
}

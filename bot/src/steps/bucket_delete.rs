//! `bucket_delete`: everything that a person was shown, a thousand objects at a time, then the bucket.
//!
//! What came in after it was shown is not deleted: it ends the step, and whoever tries again is shown what is there then. A try that was cut off goes
//! on where it was, for what is deleted is not listed any more.

use async_trait::async_trait;
use commands::effect::StepOutcome;
use commands::step::BucketDelete;
use commands::time::Timestamp;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

use super::buckets::{self, Object, Page, Place, bytes};
use super::{Answer, At, Executor, Probe, StepError, found, pending_at};
use crate::aws::api::S3;
use crate::aws::signed::Ask;
use crate::aws::xml;

/// Pages that are counted before a person is asked; of more than that they are told that it is more.
const COUNTED: usize = 10;
/// Pages that are deleted in one call: a lease has to last for them.
const PORTION: usize = 5;
/// How many of the newest objects are named.
const NAMED: usize = 3;

/// What a person was shown, and what has been deleted since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// When it was shown, or when the newest object of it came in: what is newer was not shown.
    until: Timestamp,
    /// How many objects there were; less than there are when not all were counted.
    count: u64,
    deleted: u64,
}

#[async_trait]
impl Executor for BucketDelete {
    async fn prepare(&self, at: At<'_>) -> Answer {
        unversioned(self, at).await?;
        let (mut objects, mut more) = (Vec::new(), true);
        for _ in 0..COUNTED {
            let after = objects
                .last()
                .map(|object: &Object| object.key.clone())
                .unwrap_or_default();
            let page = buckets::page(at, place(self, at), &after).await?;
            objects.extend(page.objects);
            more = page.more;
            if !more {
                break;
            }
        }
        let newest = objects.iter().filter_map(|object| object.modified).max();
        let seen = Seen {
            until: newest.unwrap_or_default().max(at.now),
            count: u64::try_from(objects.len()).unwrap_or(u64::MAX),
            deleted: 0,
        };
        let evidence = shown(&self.bucket, objects, more);
        Ok(found(json!(seen), evidence))
    }

    async fn act(&self, at: At<'_>) -> Answer {
        let mut seen: Seen = serde_json::from_value(at.call.memo.clone()).unwrap_or_default();
        unversioned(self, at).await?;
        let mut last: Option<Object> = None;
        for _ in 0..PORTION {
            let page = buckets::page(at, place(self, at), "").await?;
            let Some(first) = page.objects.first() else {
                return delete_bucket(self, at, &seen).await;
            };
            if last.as_ref() == Some(first) {
                let why = format!("{} is still listed after S3 said that it was deleted", first.key);
                return Err(StepError::failed("not_deleted", why));
            }
            known(&page, &seen)?;
            delete(self, at, &page).await?;
            last = Some(first.clone());
            seen.deleted += u64::try_from(page.objects.len()).unwrap_or_default();
        }
        let percent = seen
            .deleted
            .saturating_mul(100)
            .checked_div(seen.count)
            .filter(|percent| *percent < 100);
        let words = format!("{} objects of {} are deleted", seen.deleted, self.bucket);
        Ok(pending_at(
            json!(seen),
            words,
            percent.and_then(|percent| u8::try_from(percent).ok()),
        ))
    }

    async fn probe(&self, at: At<'_>) -> Result<Probe, StepError> {
        let head = Ask::rest("HeadBucket", Method::HEAD, vec![&self.bucket], None);
        match at.aws(S3, head).await {
            // A person has typed its name, and nobody else's bucket has it: it was there, and is not.
            Err(error) if error.code() == Some("NotFound") => Ok(Probe::Done(gone(self, &at.call.memo["deleted"]))),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Probe::NotDone),
        }
    }
}

fn place<'a>(step: &'a BucketDelete, at: At<'a>) -> Place<'a> {
    Place {
        bucket: &step.bucket,
        prefix: "",
        region: &at.call.aws.region,
    }
}

/// A bucket that has, or had, versions keeps what is deleted: that is not what a person who types its name expects.
async fn unversioned(step: &BucketDelete, at: At<'_>) -> Result<(), StepError> {
    let mut ask = Ask::rest("GetBucketVersioning", Method::GET, vec![&step.bucket], None);
    ask.query = vec![("versioning", "")];
    let told = at.aws(S3, ask).await?;
    match told.body["Status"].as_str().filter(|status| !status.is_empty()) {
        None => Ok(()),
        Some(status) => Err(StepError::failed(
            "versioned_bucket",
            format!(
                "{} keeps versions ({status}), and those are not deleted from here: give it a lifecycle rule that expires all versions, and delete it when it is empty",
                step.bucket
            ),
        )),
    }
}

/// What a person sees before they type the name.
fn shown(bucket: &str, mut objects: Vec<Object>, more: bool) -> Vec<String> {
    let size = objects.iter().map(|object| object.size).fold(0, u64::saturating_add);
    let or_more = if more { " or more" } else { "" };
    let mut lines = vec![format!(
        "{bucket} holds {} objects, {}{or_more}",
        objects.len(),
        bytes(size)
    )];
    objects.sort_by_key(|object| std::cmp::Reverse(object.modified));
    let newest = objects.iter().take(NAMED).map(|object| {
        let when = object
            .modified
            .map(|at| at.utc().format(" of %Y-%m-%d %H:%M UTC").to_string());
        format!(
            "newest: {}{} ({})",
            object.key,
            when.unwrap_or_default(),
            bytes(object.size)
        )
    });
    lines.extend(newest);
    lines
}

/// Nothing is deleted that came in after it was shown.
fn known(page: &Page, seen: &Seen) -> Result<(), StepError> {
    let new = page
        .objects
        .iter()
        .find(|object| object.modified.is_none_or(|at| at > seen.until));
    new.map_or(Ok(()), |object| {
        Err(StepError::failed(
            "changed_since",
            format!(
                "{} came in after the list was shown, so it stays, and so does what is left; {} were deleted before",
                object.key, seen.deleted
            ),
        ))
    })
}

async fn delete(step: &BucketDelete, at: At<'_>, page: &Page) -> Result<(), StepError> {
    let objects = page
        .objects
        .iter()
        .map(|object| format!("<Object><Key>{}</Key></Object>", xml::escaped(&object.key)));
    let document = format!(
        "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}<Quiet>true</Quiet></Delete>",
        objects.collect::<String>()
    );
    let mut ask = Ask::rest("DeleteObjects", Method::POST, vec![&step.bucket], Some(json!(document)));
    ask.query = vec![("delete", "")];
    let told = at.aws(S3, ask).await?;
    let errors = xml::list(&told.body, "Error");
    let Some(first) = errors.first() else { return Ok(()) };
    let text = |member: &str| first[member].as_str().unwrap_or_default();
    let (code, why) = (text("Code"), text("Message"));
    Err(match code {
        "InternalError" | "SlowDown" => StepError::Later(format!("{code}: {why}")),
        _ => StepError::failed(
            code,
            format!("{} objects stay, such as {}: {why}", errors.len(), text("Key")),
        ),
    })
}

async fn delete_bucket(step: &BucketDelete, at: At<'_>, seen: &Seen) -> Answer {
    let ask = Ask::rest("DeleteBucket", Method::DELETE, vec![&step.bucket], None);
    match at.aws(S3, ask).await {
        Ok(_) => Ok(gone(step, &json!(seen.deleted))),
        Err(error) if error.code() == Some("BucketNotEmpty") => Err(StepError::failed(
            "changed_since",
            format!("something came into {} at the last moment, so it stays", step.bucket),
        )),
        Err(error) => Err(error.into()),
    }
}

fn gone(step: &BucketDelete, deleted: &serde_json::Value) -> StepOutcome {
    let deleted = deleted.as_u64().unwrap_or_default();
    StepOutcome::Finished {
        outputs: BTreeMap::from([("deleted".to_owned(), deleted.to_string())]),
        evidence: vec![format!("{} is gone, with {deleted} objects", step.bucket)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, seconds: i64) -> Object {
        Object {
            key: key.to_owned(),
            size: 1024,
            modified: Some(Timestamp(seconds * 1000)),
        }
    }

    #[test]
    fn a_person_sees_how_much_goes_and_what_is_newest() {
        let lines = shown("b", vec![object("old", 0), object("new", 86_400)], true);
        assert_eq!(lines[0], "b holds 2 objects, 2.0 KiB or more");
        assert_eq!(lines[1], "newest: new of 1970-01-02 00:00 UTC (1.0 KiB)");
        assert_eq!(shown("b", vec![], false), ["b holds 0 objects, 0 bytes"]);
    }

    #[test]
    fn what_came_in_later_ends_it() {
        let seen = Seen {
            until: Timestamp(5000),
            ..Seen::default()
        };
        let page = |objects| Page { objects, more: false };
        assert!(known(&page(vec![object("a", 5)]), &seen).is_ok());
        let error = known(&page(vec![object("a", 5), object("b", 6)]), &seen).unwrap_err();
        assert!(
            matches!(&error, StepError::Failed { message, .. } if message.starts_with("b came in")),
            "{error:?}"
        );
        let undated = Object {
            modified: None,
            ..object("c", 0)
        };
        assert!(
            known(&page(vec![undated]), &seen).is_err(),
            "what has no date may be new"
        );
    }
}

//! S3's lists, as `bucket_parity` and `bucket_delete` read them: in the order of the keys' bytes, page by page.

use commands::time::Timestamp;
use http::Method;
use serde_json::Value;

use super::At;
use crate::aws::AwsError;
use crate::aws::api::S3;
use crate::aws::signed::Ask;
use crate::aws::xml;

/// A bucket and what its keys begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) region: &'a str,
}

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// Whether there is more behind it.
    pub(super) more: bool,
}

/// The objects behind a key, a thousand at most; an empty key begins at the beginning.
pub(super) async fn page(at: At<'_>, place: Place<'_>, after: &str) -> Result<Page, AwsError> {
    let mut ask = Ask::rest("ListObjectsV2", Method::GET, vec![place.bucket], None);
    // Keys may hold characters that XML has no way to write.
    ask.query = vec![("encoding-type", "url"), ("list-type", "2")];
    if !place.prefix.is_empty() {
        ask.query.push(("prefix", place.prefix));
    }
    if !after.is_empty() {
        ask.query.push(("start-after", after));
    }
    let told = at.aws_in(place.region, S3, ask).await?;
    read(&told.body)
}

fn read(body: &Value) -> Result<Page, AwsError> {
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    let objects = xml::list(body, "Contents").into_iter().map(|one| {
        let size = text(one, "Size").parse().ok();
        Some(Object {
            key: decoded(&text(one, "Key")),
            size: size?,
            modified: Timestamp::parse_utc(&text(one, "LastModified")),
        })
    });
    let objects: Option<Vec<Object>> = objects.collect();
    match (objects, body["IsTruncated"].as_str()) {
        (Some(objects), Some(more)) => Ok(Page {
            objects,
            more: more == "true",
        }),
        _ => Err(AwsError::retryable("NoList", "S3's list cannot be read")),
    }
}

/// A key as it was meant.
fn decoded(text: &str) -> String {
    let form = format!("k={text}");
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.next().map(|(_, key)| key.into_owned()).unwrap_or_default()
}

/// Bytes as people read them.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = UNITS.into_iter().find(|(_, unit)| number >= *unit);
    fitting.map_or_else(
        || format!("{number} bytes"),
        |(name, unit)| format!("{}.{} {name}", number / unit, number % unit * 10 / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_keys_as_they_were_meant() {
        let text = "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a+b%2Bc%26%C3%BC</Key><Size>7</Size>\
                    <LastModified>1970-01-01T00:00:01.000Z</LastModified></Contents></ListBucketResult>";
        let page = read(&xml::read(text).unwrap().1).unwrap();
        let object = Object {
            key: "a b+c&ü".into(),
            size: 7,
            modified: Some(Timestamp(1000)),
        };
        assert_eq!((page.objects, page.more), (vec![object], true));
        let empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        assert!(read(&xml::read(empty).unwrap().1).unwrap().objects.is_empty());
        for bad in [
            "<A><B/></A>",
            "<A><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></A>",
        ] {
            assert!(
                read(&xml::read(bad).unwrap().1).is_err(),
                "{bad}: no size is not nothing"
            );
        }
    }

    #[test]
    fn bytes_are_rounded_down() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 40), "5.0 TiB");
    }
}

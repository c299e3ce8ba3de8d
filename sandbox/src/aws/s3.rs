//! S3: objects with their versions; among them the one that a pipeline ships.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::error::AwsError;
use super::events::iso;
use super::ids;
use super::pipeline::{REGION, Revision};
use super::s3_buckets::{Settings, missing};
use super::zip;

/// The bucket of the demo.
pub const BUCKET: &str = "wallet-releases";
/// The object of the demo.
pub const KEY: &str = "wallet-service.zip";

/// What an upload brings.
#[derive(Debug, Clone)]
pub(crate) struct NewVersion {
    pub(crate) git_ref: String,
    pub(crate) git_commit: String,
    pub(crate) summary: String,
    /// Whether the object says what it was made from.
    pub(crate) metadata: bool,
}

/// One version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) etag: String,
    pub(crate) modified_ms: i64,
    /// `x-amz-meta-*`, without the prefix.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// What lists say, which for a backup is more than the sandbox holds.
    pub(super) size: u64,
    pub(super) storage_class: String,
    /// Whether this is the mark of a deletion.
    pub(super) deleted: bool,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) git_ref: String,
    pub(super) git_commit: String,
}

impl Version {
    /// What CodePipeline's source action makes of it.
    pub(crate) fn revision(&self) -> Revision {
        let told = self.metadata.get("codepipeline-artifact-revision-summary").cloned();
        let variables = [
            ("BucketName", &self.bucket),
            ("ETag", &self.etag),
            ("ObjectKey", &self.key),
            ("VersionId", &self.id),
        ];
        let console = format!("https://{REGION}.console.aws.amazon.com/s3/object");
        Revision {
            id: self.id.clone(),
            summary: Some(told.unwrap_or_else(|| format!("Amazon S3 version id: {}", self.id))),
            url: format!(
                "{console}/{}?region={REGION}&prefix={}&versionId={}",
                self.bucket, self.key, self.id
            ),
            created_ms: self.modified_ms,
            git_ref: Some(self.git_ref.clone()).filter(|_| !self.metadata.is_empty()),
            git_commit: Some(self.git_commit.clone()).filter(|_| !self.metadata.is_empty()),
            variables: variables
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.clone()))
                .collect(),
        }
    }

    /// The headers of `HeadObject` and `GetObject`.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("etag".to_owned(), format!("\"{}\"", self.etag)),
            ("last-modified".to_owned(), http_date(self.modified_ms)),
            ("content-type".to_owned(), "application/zip".to_owned()),
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            ("x-amz-version-id".to_owned(), self.id.clone()),
            ("x-amz-server-side-encryption".to_owned(), "AES256".to_owned()),
        ];
        headers.extend(
            self.metadata
                .iter()
                .map(|(key, value)| (format!("x-amz-meta-{key}"), header_text(value))),
        );
        headers
    }
}

/// The versions of every object, oldest first, and the settings of every bucket.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<(String, String), Vec<Version>>,
    /// What is said of the buckets that were made by name.
    pub(super) settings: BTreeMap<String, Settings>,
}

impl Bucket {
    /// Uploads a version.
    pub(crate) fn put(&mut self, bucket: &str, key: &str, new: NewVersion, now_ms: i64) {
        let body = if new.metadata {
            zip::stored("git_ref_to_deploy", new.git_ref.as_bytes())
        } else {
            zip::stored("README.md", b"Built by hand.\n")
        };
        let told = [
            ("git-ref", new.git_ref.clone()),
            ("git-commit", new.git_commit.clone()),
            ("codepipeline-artifact-revision-summary", new.summary),
        ];
        let metadata = told
            .into_iter()
            .filter(|_| new.metadata)
            .map(|(key, value)| (key.to_owned(), value));
        let version = Version {
            id: ids::version_id(),
            etag: hex::encode(Md5::digest(&body)),
            modified_ms: now_ms,
            metadata: metadata.collect(),
            size: body.len() as u64,
            storage_class: "STANDARD".to_owned(),
            deleted: false,
            body: Bytes::from(body),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            git_ref: new.git_ref,
            git_commit: new.git_commit,
        };
        self.objects
            .entry((bucket.to_owned(), key.to_owned()))
            .or_default()
            .push(version);
    }

    /// The newest version of an object.
    pub(crate) fn newest(&self, bucket: &str, key: &str) -> Option<&Version> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))?.last()
    }

    /// A version of an object: the one asked for, else the newest.
    pub(crate) fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<&Version, AwsError> {
        self.check(bucket)?;
        let versions = self.objects.get(&(bucket.to_owned(), key.to_owned()));
        let no_key = || missing("NoSuchKey", "The specified key does not exist.");
        let versions = versions.ok_or_else(no_key)?;
        match version {
            None => versions.last().filter(|version| !version.deleted).ok_or_else(no_key),
            Some(id) => versions
                .iter()
                .find(|version| version.id == id)
                .ok_or_else(|| missing("NoSuchVersion", "The specified version does not exist.")),
        }
    }
}

/// `Sat, 21 Nov 2026 14:00:00 GMT`.
fn http_date(at_ms: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at_ms);
    at.map_or_else(|| iso(at_ms), |at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// A value as S3 puts it into a header: what is not ASCII is encoded as RFC 2047 says.
fn header_text(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    let encoded = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("={byte:02X}")
        }
    });
    format!("=?UTF-8?Q?{}?=", encoded.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(bucket: &mut Bucket, metadata: bool) -> Version {
        let new = NewVersion {
            git_ref: "v1.4.2".into(),
            git_commit: "4f2c".into(),
            summary: "Retry txs, größer".into(),
            metadata,
        };
        bucket.put(BUCKET, KEY, new, 1_795_269_600_000);
        bucket.newest(BUCKET, KEY).unwrap().clone()
    }

    #[test]
    fn an_object_without_metadata_tells_nobody_what_it_was_made_from() {
        let mut bucket = Bucket::default();
        let known = upload(&mut bucket, true);
        let unknown = upload(&mut bucket, false);
        assert_eq!(known.revision().git_ref.as_deref(), Some("v1.4.2"));
        assert_eq!(unknown.revision().git_ref, None);
        assert_eq!(
            unknown.revision().summary,
            Some(format!("Amazon S3 version id: {}", unknown.id))
        );
        assert!(
            !unknown
                .headers()
                .iter()
                .any(|(name, _)| name.starts_with("x-amz-meta-"))
        );
        assert_ne!(known.id, unknown.id);
        assert_eq!(bucket.get(BUCKET, KEY, Some(&known.id)).unwrap().etag, known.etag);
        assert_eq!(bucket.get(BUCKET, KEY, Some("x")).unwrap_err().code, "NoSuchVersion");
        assert_eq!(bucket.get("other", KEY, None).unwrap_err().code, "NoSuchBucket");
    }

    #[test]
    fn headers_are_ascii() {
        let headers = upload(&mut Bucket::default(), true).headers();
        let summary = headers
            .iter()
            .find(|(name, _)| name.ends_with("revision-summary"))
            .unwrap();
        assert_eq!(summary.1, "=?UTF-8?Q?Retry=20txs=2C=20gr=C3=B6=C3=9Fer?=");
        assert!(headers.contains(&("last-modified".into(), "Sat, 21 Nov 2026 14:00:00 GMT".into())));
    }
}

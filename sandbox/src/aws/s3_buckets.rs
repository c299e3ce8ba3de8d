//! Buckets as a whole: their settings, and emptying and deleting them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::AwsError;
use super::ids;
use super::s3::{BUCKET, Bucket, Version};
use super::xml;

/// The most keys of a deletion.
const KEYS: usize = 1000;

/// A bucket's settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    versioned: bool,
    encryption: String,
    /// Whether all four kinds of public access are blocked; `None`: nobody said.
    public_access_block: Option<bool>,
}

/// An object that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectSeed {
    key: String,
    #[serde(default)]
    body: String,
    /// Its size in bytes, when that is to be more than the body's.
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    hours_ago: i64,
    #[serde(default = "standard")]
    storage_class: String,
}

fn standard() -> String {
    "STANDARD".to_owned()
}

/// A bucket that is there from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BucketSeed {
    name: String,
    #[serde(default)]
    versioned: bool,
    #[serde(default = "encryption")]
    encryption: String,
    #[serde(default = "blocked")]
    public_access_block: Option<bool>,
    #[serde(default)]
    object: Vec<ObjectSeed>,
    /// How many more objects there are whose content does not matter.
    #[serde(default)]
    fill: usize,
}

fn encryption() -> String {
    "AES256".to_owned()
}

#[expect(clippy::unnecessary_wraps, reason = "what serde asks of a default")]
const fn blocked() -> Option<bool> {
    Some(true)
}

/// What can be done to buckets.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// Somebody uploads an object.
    Put { bucket: String, object: ObjectSeed },
    /// Somebody deletes one.
    Remove { bucket: String, key: String },
    /// Somebody changes how public a bucket may be; without a value nobody has said anything.
    Block {
        bucket: String,
        #[serde(default)]
        public_access_block: Option<bool>,
    },
}

pub(super) fn missing(code: &str, message: &str) -> AwsError {
    AwsError::missing(code, message)
}

impl Bucket {
    /// Adds a bucket, or replaces the one of the same name.
    pub(crate) fn plant(&mut self, seed: &BucketSeed, now_ms: i64) {
        self.objects.retain(|(bucket, _), _| *bucket != seed.name);
        let settings = Settings {
            versioned: seed.versioned,
            encryption: seed.encryption.clone(),
            public_access_block: seed.public_access_block,
        };
        self.settings.insert(seed.name.clone(), settings);
        for object in &seed.object {
            self.plant_object(&seed.name, object, now_ms);
        }
        for number in 0..seed.fill {
            let object = ObjectSeed {
                key: format!("object-{number:08}"),
                body: String::new(),
                size: Some(1024),
                hours_ago: 0,
                storage_class: standard(),
            };
            self.plant_object(&seed.name, &object, now_ms);
        }
    }

    fn plant_object(&mut self, bucket: &str, seed: &ObjectSeed, now_ms: i64) {
        let body = Bytes::from(seed.body.clone());
        let size = seed.size.unwrap_or(body.len() as u64);
        let version = Version::plain(bucket, &seed.key, body, now_ms - seed.hours_ago * 3_600_000);
        let version = Version {
            size,
            storage_class: seed.storage_class.clone(),
            ..version
        };
        self.push(bucket, &seed.key, version);
    }

    /// Puts a version of an object; without versions it replaces the one before.
    fn push(&mut self, bucket: &str, key: &str, version: Version) {
        let versioned = self.versioned(bucket);
        let versions = self.objects.entry((bucket.to_owned(), key.to_owned())).or_default();
        if !versioned {
            versions.clear();
        }
        versions.push(version);
    }

    fn versioned(&self, bucket: &str) -> bool {
        self.settings
            .get(bucket)
            .map_or(bucket == BUCKET, |settings| settings.versioned)
    }

    /// A bucket must be there to be asked anything.
    pub(super) fn check(&self, bucket: &str) -> Result<(), AwsError> {
        let known = bucket == BUCKET
            || self.settings.contains_key(bucket)
            || self.objects.keys().any(|(known, _)| known == bucket);
        if known {
            Ok(())
        } else {
            Err(missing("NoSuchBucket", "The specified bucket does not exist"))
        }
    }

    /// `GetBucketVersioning`: nothing is said of a bucket that never had versions.
    pub(super) fn versioning(&self, bucket: &str) -> Result<Value, AwsError> {
        self.check(bucket)?;
        Ok(if self.versioned(bucket) {
            json!({"Status": "Enabled"})
        } else {
            json!({})
        })
    }

    /// `GetBucketEncryption`.
    pub(super) fn encryption(&self, bucket: &str) -> Result<Value, AwsError> {
        self.check(bucket)?;
        let settings = self.settings.get(bucket);
        let algorithm = settings.map_or("AES256", |settings| settings.encryption.as_str());
        if algorithm.is_empty() {
            let message = "The server side encryption configuration was not found";
            return Err(missing("ServerSideEncryptionConfigurationNotFoundError", message));
        }
        Ok(
            json!({"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, "BucketKeyEnabled": false}}),
        )
    }

    /// `GetPublicAccessBlock`.
    pub(super) fn public_access_block(&self, bucket: &str) -> Result<Value, AwsError> {
        self.check(bucket)?;
        let block = self
            .settings
            .get(bucket)
            .map_or(Some(true), |settings| settings.public_access_block);
        let none = || {
            let message = "The public access block configuration was not found";
            missing("NoSuchPublicAccessBlockConfiguration", message)
        };
        let block = block.ok_or_else(none)?;
        Ok(
            json!({"BlockPublicAcls": block, "IgnorePublicAcls": block, "BlockPublicPolicy": block, "RestrictPublicBuckets": block}),
        )
    }

    /// `DeleteBucket`: only an empty one.
    pub(super) fn delete_bucket(&mut self, bucket: &str) -> Result<(), AwsError> {
        self.check(bucket)?;
        if self
            .objects
            .iter()
            .any(|((known, _), versions)| known == bucket && !versions.is_empty())
        {
            let error = AwsError::new("BucketNotEmpty", "The bucket you tried to delete is not empty");
            return Err(error.with_status(StatusCode::CONFLICT));
        }
        self.objects.retain(|(known, _), _| known != bucket);
        self.settings.remove(bucket);
        Ok(())
    }

    /// Deletes an object; where there are versions, they stay behind a marker. What is not there is deleted as well.
    pub(super) fn delete_object(&mut self, bucket: &str, key: &str, now_ms: i64) {
        let at = (bucket.to_owned(), key.to_owned());
        if !self.versioned(bucket) {
            self.objects.remove(&at);
        } else if let Some(versions) = self.objects.get_mut(&at) {
            versions.push(Version {
                deleted: true,
                ..Version::plain(bucket, key, Bytes::new(), now_ms)
            });
        }
    }

    /// `DeleteObjects`.
    pub(super) fn delete_objects(&mut self, bucket: &str, body: &[u8], now_ms: i64) -> Result<Value, AwsError> {
        self.check(bucket)?;
        let malformed = || {
            let message = "The XML you provided was not well-formed or did not validate against our published schema";
            AwsError::new("MalformedXML", message)
        };
        let request = xml::read(&String::from_utf8_lossy(body)).ok_or_else(malformed)?;
        let keys: Option<Vec<&str>> = xml::list(&request, "Object")
            .into_iter()
            .map(|object| object.get("Key")?.as_str())
            .collect();
        let keys = keys
            .filter(|keys| !keys.is_empty() && keys.len() <= KEYS)
            .ok_or_else(malformed)?;
        for key in &keys {
            self.delete_object(bucket, key, now_ms);
        }
        let quiet = request.get("Quiet").and_then(Value::as_str) == Some("true");
        let deleted: Vec<Value> = keys
            .iter()
            .filter(|_| !quiet)
            .map(|key| json!({ "Key": key }))
            .collect();
        Ok(json!({ "$Deleted": deleted }))
    }

    /// Does a deed.
    pub(crate) fn act(&mut self, deed: &Deed, now_ms: i64) -> Result<Value, AwsError> {
        let (Deed::Put { bucket, .. } | Deed::Remove { bucket, .. } | Deed::Block { bucket, .. }) = deed;
        self.check(bucket)?;
        match deed {
            Deed::Put { object, .. } => self.plant_object(bucket, object, now_ms),
            Deed::Remove { key, .. } => self.delete_object(bucket, key, now_ms),
            Deed::Block {
                public_access_block, ..
            } => {
                if let Some(settings) = self.settings.get_mut(bucket) {
                    settings.public_access_block = *public_access_block;
                }
            }
        }
        Ok(json!({}))
    }
}

impl Version {
    /// A version of an object that no pipeline made.
    fn plain(bucket: &str, key: &str, body: Bytes, modified_ms: i64) -> Self {
        Self {
            id: ids::version_id(),
            etag: hex::encode(Md5::digest(&body)),
            modified_ms,
            metadata: BTreeMap::new(),
            size: body.len() as u64,
            storage_class: standard(),
            deleted: false,
            body,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            git_ref: String::new(),
            git_commit: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets() -> Bucket {
        let mut buckets = Bucket::default();
        let objects: Vec<Value> = ["a/1", "a/2", "b c", "d/e/3", "z"]
            .iter()
            .map(|key| json!({ "key": key }))
            .collect();
        for seed in [
            json!({"name": "backups", "object": objects}),
            json!({"name": "kept", "versioned": true, "object": [{"key": "k"}], "public_access_block": null}),
        ] {
            buckets.plant(&serde_json::from_value(seed).unwrap(), 0);
        }
        buckets
    }

    fn list(buckets: &Bucket, pairs: &[(&str, &str)]) -> (Vec<String>, Vec<String>, Option<String>) {
        let query = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let listed = buckets.list("backups", &query).unwrap();
        let texts = |list: &Value, name: &str| {
            list.as_array()
                .unwrap()
                .iter()
                .map(|one| one[name].as_str().unwrap().to_owned())
                .collect()
        };
        let token = listed["NextContinuationToken"].as_str().map(str::to_owned);
        (
            texts(&listed["$Contents"], "Key"),
            texts(&listed["$CommonPrefixes"], "Prefix"),
            token,
        )
    }

    #[test]
    fn a_list_has_pages_and_folders() {
        let buckets = buckets();
        assert_eq!(list(&buckets, &[("prefix", "a/")]).0, ["a/1", "a/2"]);
        let (keys, folders, none) = list(&buckets, &[("delimiter", "/"), ("encoding-type", "url")]);
        assert_eq!(
            (keys, folders, none),
            (vec!["b%20c".into(), "z".into()], vec!["a/".into(), "d/".into()], None)
        );
        let mut seen = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut pairs = vec![("max-keys", "1"), ("delimiter", "/")];
            if let Some(token) = &token {
                pairs.push(("continuation-token", token));
            }
            let (keys, folders, next): (Vec<String>, Vec<String>, Option<String>) = list(&buckets, &pairs);
            seen.extend(keys.into_iter().chain(folders));
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["a/", "b c", "d/", "z"], "no folder comes twice");
    }

    #[test]
    fn only_an_empty_bucket_is_deleted_and_versions_are_no_emptiness() {
        let mut buckets = buckets();
        assert_eq!(buckets.delete_bucket("backups").unwrap_err().code, "BucketNotEmpty");
        let body = b"<Delete><Object><Key>a/1</Key></Object><Object><Key>a/2</Key></Object><Object><Key>b c</Key></Object><Object><Key>d/e/3</Key></Object><Object><Key>z</Key></Object></Delete>";
        assert_eq!(
            buckets.delete_objects("backups", body, 0).unwrap()["$Deleted"]
                .as_array()
                .unwrap()
                .len(),
            5
        );
        buckets.delete_bucket("backups").unwrap();
        assert_eq!(buckets.check("backups").unwrap_err().code, "NoSuchBucket");
        buckets
            .delete_objects("kept", b"<Delete><Object><Key>k</Key></Object></Delete>", 0)
            .unwrap();
        assert_eq!(buckets.get("kept", "k", None).unwrap_err().code, "NoSuchKey");
        assert_eq!(buckets.delete_bucket("kept").unwrap_err().code, "BucketNotEmpty");
        assert_eq!(
            buckets.delete_objects("kept", b"<Delete/>", 0).unwrap_err().code,
            "MalformedXML"
        );
        assert_eq!(
            buckets.public_access_block("kept").unwrap_err().code,
            "NoSuchPublicAccessBlockConfiguration"
        );
    }
}

//! Lists of a bucket's objects, in pages and by folders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::AwsError;
use super::events::iso;
use super::s3::{Bucket, Version};
use super::value::structure;

/// The most keys of a page.
const KEYS: usize = 1000;

/// What a list is asked for.
struct Wanted<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    /// The key behind which the page begins.
    after: String,
    most: usize,
    /// Whether keys are to be written as in a URL.
    url: bool,
}

impl<'a> Wanted<'a> {
    fn of(query: &'a BTreeMap<String, String>) -> Result<Self, AwsError> {
        let text = |name: &str| query.get(name).map_or("", String::as_str);
        let bad = |name: &str| AwsError::new("InvalidArgument", format!("Invalid value for {name}"));
        let most = match text("max-keys") {
            "" => KEYS,
            number => number.parse::<usize>().map_err(|_| bad("max-keys"))?.min(KEYS),
        };
        let after = match text("continuation-token") {
            "" => text("start-after").to_owned(),
            token => {
                let bytes = hex::decode(token).map_err(|_| bad("continuation-token"))?;
                String::from_utf8(bytes).map_err(|_| bad("continuation-token"))?
            }
        };
        Ok(Self {
            prefix: text("prefix"),
            delimiter: text("delimiter"),
            after,
            most,
            url: text("encoding-type") == "url",
        })
    }

    /// The folder that a key is shown as, if it is.
    fn folder(&self, rest: &str) -> Option<String> {
        let at = rest.find(self.delimiter).filter(|_| !self.delimiter.is_empty())?;
        Some(format!("{}{}", self.prefix, &rest[..at + self.delimiter.len()]))
    }

    fn written(&self, key: &str) -> String {
        if self.url { percent_encoded(key) } else { key.to_owned() }
    }
}

impl Bucket {
    /// `ListObjectsV2`: in the order of the keys' bytes.
    pub(super) fn list(&self, bucket: &str, query: &BTreeMap<String, String>) -> Result<Value, AwsError> {
        self.check(bucket)?;
        let wanted = Wanted::of(query)?;
        let (mut contents, mut folders, mut last) = (Vec::new(), BTreeSet::new(), String::new());
        let mut truncated = false;
        for (key, version) in self.present(bucket) {
            let Some(rest) = key.strip_prefix(wanted.prefix).filter(|_| *key > wanted.after) else {
                continue;
            };
            let folder = wanted.folder(rest);
            let seen = |folder: &String| folders.contains(folder) || wanted.after.starts_with(folder.as_str());
            if folder.as_ref().is_some_and(seen) {
                continue;
            }
            if contents.len() + folders.len() == wanted.most {
                truncated = true;
                break;
            }
            match folder {
                Some(folder) => {
                    last.clone_from(&folder);
                    folders.insert(folder);
                }
                None => {
                    last.clone_from(key);
                    contents.push(json!({"Key": wanted.written(key), "LastModified": iso(version.modified_ms),
                        "ETag": format!("\"{}\"", version.etag), "Size": version.size, "StorageClass": version.storage_class}));
                }
            }
        }
        let count = contents.len() + folders.len();
        let folders = folders.iter().map(|folder| json!({"Prefix": wanted.written(folder)}));
        Ok(structure([
            ("Name", Some(json!(bucket))),
            ("Prefix", Some(json!(wanted.written(wanted.prefix)))),
            (
                "Delimiter",
                (!wanted.delimiter.is_empty()).then(|| json!(wanted.delimiter)),
            ),
            ("EncodingType", wanted.url.then(|| json!("url"))),
            ("KeyCount", Some(json!(count))),
            ("MaxKeys", Some(json!(wanted.most))),
            ("IsTruncated", Some(json!(truncated))),
            ("NextContinuationToken", truncated.then(|| json!(hex::encode(last)))),
            ("$Contents", Some(json!(contents))),
            ("$CommonPrefixes", Some(folders.collect())),
        ]))
    }

    /// A bucket's objects with their newest versions.
    fn present(&self, bucket: &str) -> impl Iterator<Item = (&String, &Version)> {
        let objects = self.objects.iter().filter(move |((known, _), _)| known == bucket);
        objects.filter_map(|((_, key), versions)| Some((key, versions.last().filter(|version| !version.deleted)?)))
    }
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}

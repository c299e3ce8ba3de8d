//! `posture`: what has to be true of an account's resources, every expectation told with its evidence. One that cannot be read is never green.

use serde::{Deserialize, Serialize};

use super::{Calls, Conduct, Kind, Spec};

/// Expectations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posture {
    /// All of them have to hold.
    pub wants: Vec<Want>,
}

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// This bucket encrypts what is put into it.
    BucketEncrypted(String),
    /// Public access to this bucket is blocked, in all four ways.
    BucketPrivate(String),
    /// This RDS instance has no public address.
    DatabasePrivate(String),
    /// A port of a security group is closed.
    PortClosed(PortClosed),
    /// This IAM user does not exist.
    UserAbsent(String),
    /// The ACM certificate with this ARN is issued and has not run out.
    CertificateIssued(String),
}

/// A port that has to be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortClosed {
    /// The security group, by id.
    pub group: String,
    /// The port.
    pub port: u16,
    /// To everybody but these: networks such as `10.0.0.0/8`, security groups, prefix lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub but: Vec<String>,
}

impl Want {
    /// It in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::BucketEncrypted(bucket) => format!("bucket {bucket} encrypts what is put into it"),
            Self::BucketPrivate(bucket) => format!("bucket {bucket} blocks public access in all four ways"),
            Self::DatabasePrivate(instance) => format!("database {instance} has no public address"),
            Self::PortClosed(closed) if closed.but.is_empty() => {
                format!("port {} of {} is closed to everybody", closed.port, closed.group)
            }
            Self::PortClosed(closed) => format!(
                "port {} of {} is closed to everybody but {}",
                closed.port,
                closed.group,
                closed.but.join(", ")
            ),
            Self::UserAbsent(user) => format!("there is no IAM user {user}"),
            Self::CertificateIssued(arn) => format!("certificate {arn} is issued"),
        }
    }
}

impl Kind for Posture {
    const SPEC: Spec = Spec {
        kind: "posture",
        summary: "Looks whether buckets, databases, ports, users and certificates are as they have to be",
        undo: "Nothing to undo: it only reads",
    };

    fn conduct(&self) -> Conduct {
        Conduct::Calls(Calls::READS)
    }

    fn plan(&self) -> Vec<String> {
        self.wants
            .iter()
            .map(|want| format!("looks whether {}", want.words()))
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        if self.wants.is_empty() {
            return Err("`wants` is empty: write at least one, such as `{ bucket_private = \"…\" }`".to_owned());
        }
        Ok(())
    }

    fn samples() -> Vec<Self> {
        let group = PortClosed {
            group: "sg-0db".to_owned(),
            port: 5432,
            but: vec!["10.0.0.0/8".to_owned()],
        };
        vec![Self {
            wants: vec![
                Want::BucketEncrypted("wallet-backups".to_owned()),
                Want::BucketPrivate("wallet-backups".to_owned()),
                Want::DatabasePrivate("wallet-mainnet".to_owned()),
                Want::PortClosed(group),
                Want::UserAbsent("old-deployer".to_owned()),
                Want::CertificateIssued("arn:aws:acm:eu-central-1:111122223333:certificate/1".to_owned()),
            ],
        }]
    }
}

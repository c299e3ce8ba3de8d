//! STS: roles that may be assumed, and the sessions that were. A session's calls are attributed to it everywhere.

use std::collections::HashMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::account::Account;
use super::args::{Args, EXTERNAL_ID, Rule, SESSION_NAME};
use super::error::AwsError;
use super::ids;
use super::pipeline::ACCOUNT;
use super::service::{QueryDialect, Request, Service};
use super::value::{structure, timestamp};

/// STS on the wire.
pub(crate) const SERVICE: Service = Service {
    target: "",
    query: Some(QueryDialect {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        ec2: false,
    }),
    rest: None,
    call,
};

fn call(account: &mut Account, request: &Request<'_>) -> Option<Result<Value, AwsError>> {
    Some(match request.operation {
        "AssumeRole" => assume_role(account, request.args, request.caller),
        "GetCallerIdentity" => Ok(get_caller_identity(request.caller)),
        _ => return None,
    })
}

/// A role and what its trust policy asks for.
#[derive(Debug)]
struct Role {
    account: &'static str,
    name: &'static str,
    external_id: Option<&'static str>,
    id: &'static str,
}

const ROLES: &[Role] = &[
    Role {
        account: ACCOUNT,
        name: "signalbox",
        external_id: None,
        id: "AROASANDBOXSIGNALBOX1",
    },
    Role {
        account: "444455556666",
        name: "signalbox",
        external_id: Some("wallet-7"),
        id: "AROASANDBOXSIGNALBOX2",
    },
];

/// The longest session that the roles allow, in seconds.
const MAX_SESSION_S: i64 = 3600;

/// Who makes a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) user_id: String,
    /// The time on the caller's own clock, Unix milliseconds: sessions are measured by it, as the vendor's client libraries do.
    pub(crate) at_ms: i64,
}

/// A session of a role.
#[derive(Debug)]
struct Session {
    arn: String,
    account: &'static str,
    user_id: String,
    token: String,
    expires_ms: i64,
}

/// The sessions that were handed out, by access key.
#[derive(Debug, Default)]
pub(crate) struct Sessions(HashMap<String, Session>);

/// What a signed request says of its sender.
#[derive(Debug, Default)]
pub(crate) struct Signature<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
    pub(crate) at_ms: i64,
}

impl Sessions {
    /// Who stands behind an access key. Keys that were never handed out are those of the account's user `signalbox`: the sandbox knows
    /// no secrets, so it checks no signatures.
    pub(crate) fn caller(&self, signature: &Signature<'_>) -> Result<Caller, AwsError> {
        let at_ms = signature.at_ms;
        let refuse = |code: &str, message: &str| Err(AwsError::new(code, message).with_status(StatusCode::FORBIDDEN));
        let Some(session) = self.0.get(signature.access_key) else {
            if signature.access_key.starts_with("ASIA") {
                return refuse(
                    "UnrecognizedClientException",
                    "The security token included in the request is invalid.",
                );
            }
            let arn = format!("arn:aws:iam::{ACCOUNT}:user/signalbox");
            return Ok(Caller {
                arn,
                account: ACCOUNT.to_owned(),
                user_id: "AIDASANDBOXSIGNALBOX0".to_owned(),
                at_ms,
            });
        };
        if signature.session_token != Some(session.token.as_str()) {
            return refuse(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            );
        }
        if at_ms >= session.expires_ms {
            return refuse(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            );
        }
        let Session {
            arn, account, user_id, ..
        } = session;
        Ok(Caller {
            arn: arn.clone(),
            account: (*account).to_owned(),
            user_id: user_id.clone(),
            at_ms,
        })
    }

    /// Ends every session now: the next call with it is told that its token is expired.
    pub(crate) fn expire_all(&mut self) {
        for session in self.0.values_mut() {
            session.expires_ms = i64::MIN;
        }
    }
}

/// `AssumeRole`.
fn assume_role(account: &mut Account, args: Args<'_>, caller: &Caller) -> Result<Value, AwsError> {
    let arn = args.need("RoleArn", &Rule::length(20, 2048))?;
    let name = args.need("RoleSessionName", &SESSION_NAME)?;
    let external_id = args.text("ExternalId", &EXTERNAL_ID)?;
    let source_identity = args.text("SourceIdentity", &SESSION_NAME)?;
    let seconds = args.number("DurationSeconds", 900, 43_200)?.unwrap_or(MAX_SESSION_S);
    if seconds > MAX_SESSION_S {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(AwsError::new("ValidationException", message));
    }
    let role = ROLES
        .iter()
        .find(|role| arn == format!("arn:aws:iam::{}:role/{}", role.account, role.name));
    let trusted = role.filter(|role| role.external_id.is_none() || role.external_id == external_id);
    let denied = || {
        format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.arn
        )
    };
    let role = trusted.ok_or_else(|| AwsError::denied(denied()))?;
    let access_key = ids::access_key("ASIA");
    let session = Session {
        arn: format!("arn:aws:sts::{}:assumed-role/{}/{name}", role.account, role.name),
        account: role.account,
        user_id: format!("{}:{name}", role.id),
        token: format!("sandbox-{}{}", ids::uuid(), ids::uuid()),
        expires_ms: caller.at_ms + seconds * 1000,
    };
    let answer = structure([
        (
            "Credentials",
            Some(json!({
                "AccessKeyId": access_key,
                "SecretAccessKey": ids::version_id(),
                "SessionToken": session.token,
                "Expiration": timestamp(session.expires_ms),
            })),
        ),
        (
            "AssumedRoleUser",
            Some(json!({"AssumedRoleId": session.user_id, "Arn": session.arn})),
        ),
        ("SourceIdentity", source_identity.map(|identity| json!(identity))),
    ]);
    account.sessions.0.insert(access_key, session);
    Ok(answer)
}

/// `GetCallerIdentity`.
fn get_caller_identity(caller: &Caller) -> Value {
    json!({"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account})
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::444455556666:role/signalbox";

    fn assume(account: &mut Account, args: Value) -> Result<Value, AwsError> {
        let user = account
            .sessions
            .caller(&Signature {
                access_key: "test",
                ..Signature::default()
            })
            .unwrap();
        assume_role(account, Args(&args), &user)
    }

    #[test]
    fn a_role_is_assumed_only_as_its_trust_policy_says() {
        let mut account = Account::empty(0);
        for (args, code) in [
            (json!({"RoleArn": ROLE, "RoleSessionName": "slack-U1"}), "AccessDenied"),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "slack-U1", "ExternalId": "wallet-8"}),
                "AccessDenied",
            ),
            (
                json!({"RoleArn": "arn:aws:iam::111122223333:role/none", "RoleSessionName": "s1"}),
                "AccessDenied",
            ),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "slack U1", "ExternalId": "wallet-7"}),
                "ValidationException",
            ),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "s", "ExternalId": "wallet-7"}),
                "ValidationException",
            ),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "s1", "DurationSeconds": 60}),
                "ValidationException",
            ),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "s1", "DurationSeconds": 7200}),
                "ValidationException",
            ),
            (
                json!({"RoleArn": ROLE, "RoleSessionName": "s1", "SourceIdentity": "a b"}),
                "ValidationException",
            ),
        ] {
            assert_eq!(assume(&mut account, args.clone()).unwrap_err().code, code, "{args}");
        }
    }

    #[test]
    fn a_session_names_its_caller_until_it_expires_on_the_callers_clock() {
        let mut account = Account::empty(0);
        let args =
            json!({"RoleArn": ROLE, "RoleSessionName": "slack-U1", "ExternalId": "wallet-7", "DurationSeconds": 900});
        let answer = assume(&mut account, args).unwrap();
        let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        let token = answer["Credentials"]["SessionToken"].as_str();
        let ask = |at_ms, session_token| {
            account.sessions.caller(&Signature {
                access_key: key,
                session_token,
                at_ms,
            })
        };
        assert_eq!(
            ask(899_999, token).unwrap().arn,
            "arn:aws:sts::444455556666:assumed-role/signalbox/slack-U1"
        );
        assert_eq!(ask(900_000, token).unwrap_err().code, "ExpiredTokenException");
        assert_eq!(ask(0, Some("forged")).unwrap_err().code, "UnrecognizedClientException");
    }
}

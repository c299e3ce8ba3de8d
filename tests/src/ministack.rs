//! An AWS that others wrote (ministack), beside the sandbox: what it serves is asked there, everything else here. The bot does not know of it: its calls are
//! led there on their way out, as they are, and only their address is another.
//!
//! Each test that wants one starts it; `scripts/test` has put it into the cache.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bot::door::{Call, DoorError, Outgoing};
use bytes::Bytes;
use demo::Options;
use http::{Method, Response};
use serde_json::{Value, json};

/// Where the bot believes AWS to be, below the sandbox's address.
const AWS: &str = "/aws";
/// What functions run: they answer with what they were told, and write a flag down where their variables say so.
const FUNCTION: &str = r#"
import json, os, urllib.request

def handler(event, context):
    if "maintenanceMode" in event and "FLAGS" in os.environ:
        key = {"S": "maintenance-mode"}
        item = {"pk": key, "sk": key, "current": {"BOOL": event["maintenanceMode"]}}
        body = json.dumps({"TableName": os.environ["FLAGS"], "Item": item}).encode()
        scope = "test/20261121/%s/dynamodb/aws4_request" % os.environ["FLAGS_REGION"]
        headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0",
                   "Authorization": "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=0" % scope}
        urllib.request.urlopen(urllib.request.Request(os.environ["MINISTACK"], body, headers)).read()
    return {"told": event}
"#;

/// One that runs; it ends with the last of its clones.
#[derive(Clone)]
pub struct Ministack {
    base: String,
    http: reqwest::Client,
    /// How often the bots asked for each operation.
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
    _server: Arc<Server>,
}

/// Its process, and the folder that it takes for the machine's.
struct Server {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that has ended cannot be killed, which is fine here.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Where `scripts/test` put it.
fn program() -> PathBuf {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    cache.unwrap_or_default().join("signalbox/ministack/bin/ministack")
}

/// A service in a region.
#[derive(Debug, Clone, Copy)]
pub struct At(pub &'static str, pub &'static str);

impl Ministack {
    /// Starts one, and waits until it listens.
    ///
    /// # Panics
    /// When it is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        // Whoever was first has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let program = program();
        let process = Command::new(&program)
            .env("GATEWAY_PORT", port.to_string())
            // It listens to everybody unless it is told otherwise.
            .env("BIND_HOST", "127.0.0.1")
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process =
            process.unwrap_or_else(|_| panic!("{} is missing: run scripts/test, which installs it", program.display()));
        let mut said = BufReader::new(process.stderr.take().expect("its log"))
            .lines()
            .map_while(Result::ok);
        assert!(said.any(|line| line.contains("Running on")), "ministack did not start");
        // The log is read to its end, so that it never waits for a full pipe.
        std::thread::spawn(move || said.for_each(drop));
        Self {
            base: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::new(),
            asked: Arc::default(),
            _server: Arc::new(Server {
                process,
                _folder: folder,
            }),
        }
    }

    /// How often the bots asked it for an operation: `sqs.GetQueueAttributes`.
    #[must_use]
    pub fn asked(&self, operation: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(operation).copied().unwrap_or_default()
    }

    /// From now on the bots of these options ask it for these services, by the names that their calls have.
    pub fn serves(&self, options: &mut Options, services: &'static [&'static str]) {
        let there = self.clone();
        options.door = Some(Arc::new(move |door| {
            let there = there.clone();
            Arc::new(Led { door, there, services })
        }));
    }

    /// An operation that is named by its target.
    pub async fn target(&self, at: At, target: &str, body: Value) -> Value {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
        let told = self.send((Method::POST, "/"), at, &headers, body.to_string()).await;
        serde_json::from_str(&told).unwrap_or_default()
    }

    /// An operation of a REST API with JSON.
    pub async fn rest(&self, method: Method, path: &str, at: At, body: Value) -> Value {
        let headers = [("content-type", "application/json")];
        let told = self.send((method, path), at, &headers, body.to_string()).await;
        serde_json::from_str(&told).unwrap_or_default()
    }

    /// An operation of a REST API with XML, or an object.
    pub async fn put(&self, method: Method, path: &str, at: At, body: &str) -> String {
        self.send((method, path), at, &[], body.to_owned()).await
    }

    /// An operation that is named in its form.
    pub async fn form(&self, at: At, fields: &[(&str, &str)]) -> String {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send((Method::POST, "/"), at, &headers, body).await
    }

    async fn send(
        &self,
        (method, path): (Method, &str),
        At(service, region): At,
        headers: &[(&str, &str)],
        body: String,
    ) -> String {
        let scope = format!("Credential=test/20261121/{region}/{service}/aws4_request");
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
            );
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await.expect("ministack answers");
        let (status, told) = (answer.status(), answer.text().await.expect("a body"));
        assert!(
            status.is_success(),
            "{service} {method} {path} {headers:?}: {status} {told}"
        );
        told
    }

    /// Makes a table with these items.
    pub async fn table(&self, region: &'static str, name: &str, items: &[Value]) {
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let typed = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let at = At("dynamodb", region);
        let table = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [typed("pk"), typed("sk")],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        self.target(at, "DynamoDB_20120810.CreateTable", table).await;
        for item in items {
            let put = json!({ "TableName": name, "Item": item });
            self.target(at, "DynamoDB_20120810.PutItem", put).await;
        }
    }

    /// An item whose key says the same twice, as flags have it; only its attribute `current`.
    pub async fn flag(&self, region: &'static str, table: &str, name: &str) -> Value {
        let key = json!({ "pk": { "S": name }, "sk": { "S": name } });
        let get = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let told = self
            .target(At("dynamodb", region), "DynamoDB_20120810.GetItem", get)
            .await;
        told["Item"]["current"].clone()
    }

    /// Makes a queue; its URL.
    pub async fn queue(&self, region: &'static str, name: &str, attributes: Value) -> String {
        let create = json!({ "QueueName": name, "Attributes": attributes });
        let told = self.target(At("sqs", region), "AmazonSQS.CreateQueue", create).await;
        told["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    /// Makes a function with these variables.
    pub async fn function(&self, region: &'static str, name: &str, mut variables: Value) {
        variables["MINISTACK"] = json!(self.base);
        let code = STANDARD.encode(sandbox::aws::archived("index.py", FUNCTION.as_bytes()));
        let function = json!({
            "FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::000000000000:role/function",
            "Code": { "ZipFile": code }, "Environment": { "Variables": variables },
        });
        self.rest(Method::POST, "/2015-03-31/functions", At("lambda", region), function)
            .await;
    }

    /// A function's variables.
    pub async fn variables(&self, region: &'static str, name: &str) -> Value {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let told = self.rest(Method::GET, &path, At("lambda", region), Value::Null).await;
        told["Environment"]["Variables"].clone()
    }

    /// Lets a queue or a stream feed a function.
    pub async fn mapping(&self, region: &'static str, function: &str, source: &str) {
        let mut mapping = json!({ "FunctionName": function, "EventSourceArn": source });
        if source.contains(":dynamodb:") {
            mapping["StartingPosition"] = json!("LATEST");
        }
        let path = "/2015-03-31/event-source-mappings/";
        self.rest(Method::POST, path, At("lambda", region), mapping).await;
    }

    /// The states of what feeds a function.
    pub async fn feeds(&self, region: &'static str, function: &str) -> Vec<String> {
        let path = format!("/2015-03-31/event-source-mappings/?FunctionName={function}");
        let told = self.rest(Method::GET, &path, At("lambda", region), Value::Null).await;
        let mappings = told["EventSourceMappings"].as_array().cloned().unwrap_or_default();
        mappings
            .iter()
            .filter_map(|one| Some(one["State"].as_str()?.to_owned()))
            .collect()
    }
}

/// The way out of a bot, part of which leads elsewhere.
struct Led {
    door: Arc<dyn Outgoing>,
    there: Ministack,
    services: &'static [&'static str],
}

#[async_trait]
impl Outgoing for Led {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, DoorError> {
        let service = call.name.split('.').next().unwrap_or_default();
        if !self.services.contains(&service) {
            return self.door.send(call).await;
        }
        {
            let mut asked = self.there.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked.entry(call.name.clone()).or_default() += 1;
        }
        let (parts, body) = call.request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let url = format!("{}{}", self.there.base, path.strip_prefix(AWS).unwrap_or(path));
        let mut headers = parts.headers;
        headers.remove("host");
        let request = self.there.http.request(parts.method, url).headers(headers).body(body);
        let lost = |error: reqwest::Error| DoorError::Unknown(error.to_string());
        let answer = request.send().await.map_err(lost)?;
        let mut told = Response::builder().status(answer.status());
        if let Some(headers) = told.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let body = answer.bytes().await.map_err(lost)?;
        told.body(body)
            .map_err(|_| DoorError::Unknown("an answer that is not HTTP".to_owned()))
    }
}

//! Slack's and AWS's side of the calls that a server makes by itself. Both servers that are compared call it; it answers at once and knows just enough
//! that they get on with their work, so that what is measured is theirs.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// For how long cards are not drawn, in seconds: longer than any visit.
const NO_DRAWING: u32 = 3600;

/// What was posted to `response_url`s.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// How many said that a vote is recorded.
    pub recorded: usize,
    /// How many said something else.
    pub other: usize,
    /// The newest, as it came.
    pub last: Vec<u8>,
}

impl Replies {
    /// How many there were.
    pub(crate) fn all(&self) -> usize {
        self.recorded + self.other
    }
}

/// A running stub; it ends with this.
#[derive(Debug)]
pub(crate) struct Stub {
    /// Where it listens.
    pub address: SocketAddr,
    replies: Arc<Mutex<Replies>>,
    _tasks: JoinSet<()>,
}

impl Stub {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let replies: Arc<Mutex<Replies>> = Arc::default();
        let heard = Arc::clone(&replies);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&heard)));
                while open.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            address,
            replies,
            _tasks: tasks,
        })
    }

    /// What was posted to `response_url`s so far.
    pub(crate) fn replies(&self) -> MutexGuard<'_, Replies> {
        lock(&self.replies)
    }
}

fn lock(replies: &Mutex<Replies>) -> MutexGuard<'_, Replies> {
    replies.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, replies: Arc<Mutex<Replies>>) {
    let mut unread: Vec<u8> = Vec::with_capacity(8 << 10);
    loop {
        let Some(request) = request(&mut stream, &mut unread).await else {
            return;
        };
        let (status, answer) = answer(request, &replies);
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nx-oauth-scopes: chat:write,commands\r\nRetry-After: {NO_DRAWING}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

struct Request {
    path: String,
    body: Vec<u8>,
}

async fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread.drain(..end).collect()).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0);
    while unread.len() < length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request {
        path,
        body: unread.drain(..length).collect(),
    })
}

/// What matters here of a reply.
#[derive(Deserialize, Default)]
struct Reply<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

fn answer(request: Request, replies: &Mutex<Replies>) -> (&'static str, Value) {
    let path = request.path.split('?').next().unwrap_or_default();
    if path.starts_with("/response/") {
        let reply: Reply<'_> = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut replies = lock(replies);
        if reply.text.starts_with("Your approval is recorded") {
            replies.recorded += 1;
        } else {
            replies.other += 1;
        }
        replies.last = request.body;
        return ("200 OK", json!({"ok": true}));
    }
    let Some(method) = path.strip_prefix("/api/") else {
        // AWS: no pipeline of the bench exists, so that nothing but the clicks moves its runs.
        return (
            "400 Bad Request",
            json!({"__type": "PipelineNotFoundException", "message": "The bench has no pipelines."}),
        );
    };
    let argument = |name: &str| argument(&request, name);
    let answer = match method {
        "auth.test" => {
            json!({"ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "signalbox", "team_id": "T0SIGNAL", "user_id": "U0SIGNAL",
            "bot_id": "B0SIGNAL", "app_id": "A0SIGNAL", "is_enterprise_install": false})
        }
        "users.info" => json!({"ok": true, "user": person(&argument("user").unwrap_or_default())}),
        "usergroups.users.list" => json!({"ok": true, "users": ["U0ANN", "U0BRUNO"]}),
        "conversations.info" => {
            json!({"ok": true, "channel": {"id": argument("channel"), "name": "general", "is_channel": true, "is_member": true,
            "is_archived": false, "is_ext_shared": false}})
        }
        // Slack takes 50 edits a minute and there are thousands of votes: that both draw no cards keeps Slack's pace out of the figures.
        "chat.postMessage" | "chat.update" => {
            return ("429 Too Many Requests", json!({"ok": false, "error": "ratelimited"}));
        }
        "conversations.history" | "conversations.replies" => json!({"ok": true, "messages": [], "has_more": false}),
        _ => json!({"ok": true}),
    };
    ("200 OK", answer)
}

/// An argument of a call, wherever the caller put it.
fn argument(request: &Request, name: &str) -> Option<String> {
    if let Ok(body) = serde_json::from_slice::<Value>(&request.body) {
        return body.get(name)?.as_str().map(str::to_owned);
    }
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let query = request
        .path
        .split_once('?')
        .map(|(_, query)| query.to_owned())
        .unwrap_or_default();
    [body, query]
        .iter()
        .flat_map(|text| text.split('&'))
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

fn person(id: &str) -> Value {
    let name = match id {
        "U0ANN" => "Ann Ferreira",
        "U0BRUNO" => "Bruno Lima",
        _ => "Dana Okafor",
    };
    json!({"id": id, "team_id": "T0SIGNAL", "name": name.to_lowercase(), "real_name": name, "deleted": false, "is_bot": false, "is_restricted": false,
        "is_ultra_restricted": false, "is_stranger": false, "tz": "Europe/Berlin", "profile": {"real_name": name, "display_name": name, "email": "someone@example.org"}})
}

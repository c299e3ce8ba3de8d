//! What lies between Slack and several bots: every delivery goes to the next of them that answers, and to others too when the network is told to repeat.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::scenario::Scenario;

/// A network that is running; it ends with this.
pub struct Network {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    bots: Vec<SocketAddr>,
    copies: usize,
    next: AtomicUsize,
    /// The path of each copy that was delivered, and the status of its answer.
    answers: Mutex<Vec<(String, u16)>>,
}

impl Network {
    /// From now on Slack's deliveries to this town's bots go through here: to each in turn, and `copies` times.
    pub async fn between(town: &Scenario, copies: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let urls = town.rig.bot_urls();
        let bots = urls.iter().map(|url| url.trim_start_matches("http://").parse());
        let shared = Arc::new(Shared {
            bots: bots.collect::<Result<_, _>>().expect("addresses"),
            copies,
            next: AtomicUsize::new(0),
            answers: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&accepting)));
                while open.try_join_next().is_some() {}
            }
        });
        town.rig.sandbox().world().slack().link.bot_url = format!("http://{address}");
        Self { shared, _tasks: tasks }
    }

    /// How many copies of deliveries to a path were answered with a status.
    #[must_use]
    pub fn answered(&self, path: &str, status: u16) -> usize {
        let answers = self.shared.answers();
        answers
            .iter()
            .filter(|(to, with)| to == path && *with == status)
            .count()
    }
}

impl Shared {
    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<(String, u16)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers to the next bot, or to the one after that if it is dead.
    async fn deliver(&self, request: &[u8]) -> Vec<u8> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for number in 0..self.bots.len() {
            let bot = self.bots[(first + number) % self.bots.len()];
            let answer = exchange(bot, request).await.unwrap_or_default();
            if let Some(status) = second_word(&answer).and_then(|status| status.parse().ok()) {
                let path = second_word(request).unwrap_or_default().to_owned();
                self.answers().push((path, status));
                return answer;
            }
        }
        Vec::new()
    }
}

/// A request's path, an answer's status.
fn second_word(message: &[u8]) -> Option<&str> {
    let line = message.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(1)
}

/// Reads one request, delivers all of its copies, and passes on what the first was answered.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let Some(request) = read(&mut stream).await else { return };
    let copies = (0..shared.copies).map(|number| {
        let request = marked(&request, number);
        let shared = &shared;
        async move { shared.deliver(&request).await }
    });
    let answer = join_all(copies).await.into_iter().next().unwrap_or_default();
    // A caller that has hung up needs no answer.
    let _ = stream.write_all(&answer).await;
}

/// A whole request: its head, and the body that the head announces.
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|length| length.trim().parse().ok())?;
            if request.len() >= end + 4 + length {
                return Some(request);
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// A copy says that it is the last on its connection and, from the second on, that it is a retry, as Slack's do.
fn marked(request: &[u8], number: usize) -> Vec<u8> {
    let line = request
        .windows(2)
        .position(|two| two == b"\r\n")
        .map_or(0, |end| end + 2);
    let mut headers = "connection: close\r\n".to_owned();
    if number > 0 {
        headers += &format!("x-slack-retry-num: {number}\r\nx-slack-retry-reason: http_timeout\r\n");
    }
    [&request[..line], headers.as_bytes(), &request[line..]].concat()
}

async fn exchange(bot: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(bot).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

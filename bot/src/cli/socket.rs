//! The Unix socket beside an embedded store: one question per connection, a line of JSON; the answer is a line of JSON for each of its lines, and one for
//! its end. The kernel says who asks.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::ask::{Ask, answer};
use super::{LINES, users};
use crate::runner::Engine;

/// A question is a command and perhaps a file of seals.
const LARGEST: u64 = 64 << 20;

/// A part of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// A line to print.
    Line(String),
    /// The end, and whether all is well.
    End(bool),
}

/// Answers questions until the bot stops. `confined` says whether production is out of reach of whoever asks; `None`: nobody may speak here at all.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(path: &Path, engine: Arc<Engine>, confined: Option<bool>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::remove_file(path) {
        // The store's file is locked by this process: whoever made the socket is gone.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    let tasks = engine.tasks.clone();
    tasks.spawn(async move {
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "the command line's socket");
                        continue;
                    }
                },
                () = engine.stop.cancelled() => return,
            };
            let asked = Arc::clone(&engine);
            engine.tasks.spawn(async move {
                if let Err(error) = serve(stream, &asked, confined).await {
                    tracing::warn!(%error, "a question of the command line was not answered");
                }
            });
        }
    });
    Ok(())
}

async fn serve(stream: UnixStream, engine: &Arc<Engine>, confined: Option<bool>) -> io::Result<()> {
    let name = users::name_of(stream.peer_cred()?.uid());
    let mut stream = BufReader::new(stream.take(LARGEST));
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let ask: Ask = serde_json::from_str(&line)?;
    let stream = stream.get_mut().get_mut();
    let (out, mut lines) = mpsc::channel(LINES);
    // Whoever hangs up ends this, and with it the lines: the answer finds that nobody takes them any more.
    let tells = async move {
        while let Some(line) = lines.recv().await {
            tell(stream, &Said::Line(line)).await?;
        }
        Ok::<_, io::Error>(stream)
    };
    let (good, told) = tokio::join!(answer(engine, ask, (&name, confined), out), tells);
    let stream = told?;
    tell(stream, &Said::End(good)).await?;
    stream.shutdown().await
}

async fn tell(stream: &mut UnixStream, said: &Said) -> io::Result<()> {
    let line = format!("{}\n", serde_json::to_string(said)?);
    stream.write_all(line.as_bytes()).await
}

/// Asks the server that listens there, hands on line after line of what it says, and tells whether all is well.
///
/// # Errors
/// When nobody listens, or the answer cannot be read or does not come to its end.
pub async fn ask(path: &Path, ask: &Ask, mut heard: impl FnMut(String)) -> io::Result<bool> {
    let mut stream = UnixStream::connect(path).await?;
    stream
        .write_all(format!("{}\n", serde_json::to_string(ask)?).as_bytes())
        .await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            Said::Line(line) => heard(line),
            Said::End(good) => return Ok(good),
        }
    }
    let why = "the server hung up before the end of its answer";
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, why))
}

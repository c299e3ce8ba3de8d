//! The Unix socket beside an embedded store: one question per connection, one line of JSON each way. The kernel says who asks.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::ask::{Answer, Ask, answer};
use super::users;
use crate::runner::Engine;

/// A question is a command and perhaps a file of seals.
const LARGEST: u64 = 64 << 20;

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
    let said = serde_json::to_string(&answer(engine, ask, &name, confined).await)?;
    let stream = stream.get_mut().get_mut();
    stream.write_all(said.as_bytes()).await?;
    stream.shutdown().await
}

/// Asks the server that listens there.
///
/// # Errors
/// When nobody does, or the answer cannot be read.
pub async fn ask(path: &Path, ask: &Ask) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path).await?;
    stream
        .write_all(format!("{}\n", serde_json::to_string(ask)?).as_bytes())
        .await?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    Ok(serde_json::from_str(&said)?)
}

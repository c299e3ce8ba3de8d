//! The Redis of a team's service, as far as maintenance mode speaks to it: a key is read, and set where it still is what was read. With it the demo shows
//! `/maintenance` without a server beside it.

use std::collections::HashMap;
use std::io::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// No text of a command is longer.
const LONGEST: usize = 64 << 10;
/// What a command has at most: its name, a script, and what that is given.
const MOST: usize = 16;

type Keys = Arc<Mutex<HashMap<String, String>>>;

/// Serves for as long as the program runs, and says where.
///
/// # Errors
/// When no port can be had.
pub async fn serve() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("redis://{}/", listener.local_addr()?);
    let keys = Keys::default();
    let accepts = async move {
        while let Ok((stream, _)) = listener.accept().await {
            begin(converse(stream, Arc::clone(&keys)));
        }
    };
    begin(accepts);
    Ok(url)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo's own server; it ends with the program"
)]
fn begin(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

/// Answers one command after the other until the other side goes away, or says what cannot be understood.
async fn converse(stream: TcpStream, keys: Keys) {
    let mut stream = BufReader::new(stream);
    while let Ok(command) = heard(&mut stream).await {
        let answer = answer(&command, &keys);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads a command: a list of texts, each after its length.
async fn heard(stream: &mut BufReader<TcpStream>) -> Result<Vec<String>> {
    let texts = number(stream, '*', MOST).await?;
    let mut command = Vec::with_capacity(texts);
    for _ in 0..texts {
        let length = number(stream, '$', LONGEST).await?;
        let mut text = vec![0; length + 2];
        stream.read_exact(&mut text).await?;
        text.truncate(length);
        command.push(String::from_utf8(text).map_err(Error::other)?);
    }
    Ok(command)
}

async fn number(stream: &mut BufReader<TcpStream>, sign: char, most: usize) -> Result<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let number = line
        .trim_end()
        .strip_prefix(sign)
        .and_then(|digits| digits.parse().ok());
    number
        .filter(|number| *number <= most)
        .ok_or_else(|| Error::other("no command"))
}

fn answer(command: &[String], keys: &Keys) -> String {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    match words.as_slice() {
        ["CLIENT", ..] => "+OK\r\n".to_owned(),
        ["GET", key] => bulk(keys.get(*key)),
        // The one script that is sent here: from one value to another. A key that is to end by itself is taken away by the bot.
        ["EVAL", _, "1", key, was, from, is, to, _] => {
            let now = keys.get(*key).cloned();
            if now.as_deref() != Some(*from).filter(|_| *was == "1") {
                return format!("*2\r\n:0\r\n{}", bulk(now.as_ref()));
            }
            match *is {
                "1" => drop(keys.insert((*key).to_owned(), (*to).to_owned())),
                _ => drop(keys.remove(*key)),
            }
            "*1\r\n:1\r\n".to_owned()
        }
        _ => "-ERR unknown command\r\n".to_owned(),
    }
}

fn bulk(text: Option<&String>) -> String {
    text.map_or_else(|| "$-1\r\n".to_owned(), |text| format!("${}\r\n{text}\r\n", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use state::redis::foreign::{Foreign, Swapped};

    #[tokio::test]
    async fn a_key_is_set_where_it_still_is_what_was_read() {
        let redis = Foreign::open(&serve().await.unwrap()).unwrap();
        assert_eq!(redis.get("k").await.unwrap(), None);
        let set = redis.swap("k", (None, Some("on\r\n")), None).await.unwrap();
        assert_eq!(
            (set, redis.get("k").await.unwrap().as_deref()),
            (Swapped::Done, Some("on\r\n"))
        );
        let other = Swapped::Other(Some("on\r\n".to_owned()));
        assert_eq!(redis.swap("k", (None, Some("x")), None).await.unwrap(), other);
        assert_eq!(
            redis.swap("k", (Some("on\r\n"), None), None).await.unwrap(),
            Swapped::Done
        );
        assert_eq!(redis.get("k").await.unwrap(), None);
    }
}

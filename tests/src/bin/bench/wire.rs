//! The smallest HTTP/1.1 client that can keep a connection: the driver shares two cores with what it measures, so it must cost little.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, put together when it came in chunks.
    pub body: Vec<u8>,
}

/// One kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not HTTP.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        let head = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8(head).map_err(|_| garbled("a head that is not text"))?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| garbled("no status"))?;
        let field = |name: &str| {
            let line = head.lines().find(|line| {
                line.get(..name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
            })?;
            Some(line[name.len()..].trim().to_owned())
        };
        let body = if let Some(length) = field("content-length:") {
            self.exactly(length.parse().map_err(|_| garbled("a length that is no number"))?)
                .await?
        } else if field("transfer-encoding:").is_some_and(|kind| kind.eq_ignore_ascii_case("chunked")) {
            self.chunks().await?
        } else {
            return Err(garbled("a body without a length"));
        };
        Ok(Answer { status, body })
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let text = std::str::from_utf8(&line).map_err(|_| garbled("a chunk without a size"))?;
            let size = usize::from_str_radix(text.trim(), 16).map_err(|_| garbled("a chunk without a size"))?;
            body.extend(self.exactly(size).await?);
            self.exactly(2).await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.unread).await? {
            0 => Err(Error::from(ErrorKind::UnexpectedEof)),
            _ => Ok(()),
        }
    }

    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Ok(self.unread.drain(..at + end.len()).collect());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.unread.len() < length {
            self.more().await?;
        }
        Ok(self.unread.drain(..length).collect())
    }
}

fn garbled(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What the client makes of these bytes, in the order of two requests on one connection.
    async fn heard(bytes: &'static [u8]) -> [Result<Answer>; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let (connection, stream) = tokio::join!(Connection::open(address), server);
        let mut connection = connection.unwrap();
        let answers = [connection.ask(b"").await, connection.ask(b"").await];
        drop(stream);
        answers
    }

    #[tokio::test]
    async fn bodies_come_by_length_or_in_chunks() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let [first, second] = heard(bytes).await.map(Result::unwrap);
        assert_eq!((first.status, first.body.as_slice()), (200, b"ok".as_slice()));
        assert_eq!((second.status, second.body.as_slice()), (503, b"abcde".as_slice()));
    }

    #[tokio::test]
    async fn what_is_cut_off_is_an_error() {
        let [first, second] = heard(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok").await;
        assert_eq!(first.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert!(second.is_err());
    }
}

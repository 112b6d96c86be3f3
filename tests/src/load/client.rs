//! A client that costs little: one connection, one request at a time, made again when it was closed.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// One connection at a time.
pub struct Client {
    server: SocketAddr,
    stream: Option<TcpStream>,
    read: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// Bytes of the content.
    pub bytes: usize,
}

impl Client {
    /// Not yet connected.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, stream: None, read: Vec::new() }
    }

    /// Sends a request as it stands, and reads the answer to its end.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answered> {
        let answered = match timeout(PATIENCE, self.exchange(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        if answered.is_err() {
            self.stream = None;
        }
        answered
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answered> {
        // A server may close a connection between two requests: that is no failure of the next.
        let kept = self.stream.is_some();
        match self.once(request).await {
            Err(error) if kept && error.kind() != io::ErrorKind::InvalidData => {
                self.stream = None;
                self.once(request).await
            }
            answered => answered,
        }
    }

    async fn once(&mut self, request: &[u8]) -> io::Result<Answered> {
        let (server, read) = (self.server, &mut self.read);
        read.clear();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(server).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        stream.write_all(request).await?;
        let end = loop {
            if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            more(stream, read).await?;
        };
        let head = String::from_utf8_lossy(read.get(..end).unwrap_or_default()).to_lowercase();
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        let bytes = match (status, field("content-length:"), field("transfer-encoding:")) {
            (204 | 304, ..) => 0,
            (_, Some(length), _) => {
                let length = length.parse::<usize>().map_err(|_| io::ErrorKind::InvalidData)?;
                while read.len() < end + length {
                    more(stream, read).await?;
                }
                length
            }
            (_, None, Some(_)) => {
                while !read.ends_with(b"\r\n0\r\n\r\n") {
                    more(stream, read).await?;
                }
                read.len() - end
            }
            _ => 0,
        };
        if field("connection:").is_some_and(|value| value == "close") {
            self.stream = None;
        }
        Ok(Answered { status, bytes })
    }
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    if read.len() > ANSWER_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    match stream.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

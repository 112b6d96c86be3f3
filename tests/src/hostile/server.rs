//! The server of all trials: each node below a path of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tlog::hash::Hash;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use super::served::{Said, Served};
use super::{Answer, Play, Then, Trial};

/// Below it nobody may be led.
const INSIDE: &str = "/inside/";
/// The head of a request is shorter.
const HEAD_BYTES: usize = 64 << 10;
/// How often a trickle drops.
const DROP: Duration = Duration::from_millis(5);

/// The hostile nodes of some trials, served until it is dropped.
pub struct Hostile {
    address: SocketAddr,
    stage: Arc<Stage>,
    task: JoinHandle<()>,
}

struct Stage {
    /// By the number of the trial.
    nodes: Vec<Option<(Trial, Served)>>,
    inside: String,
    led_inside: AtomicU64,
}

impl Hostile {
    /// Serves them on a port of loopback.
    ///
    /// # Errors
    /// When there is no port, or a feed cannot be made.
    pub async fn start(trials: &[Trial]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut nodes = Vec::new();
        nodes.resize_with(trials.iter().map(|trial| trial.number + 1).max().unwrap_or(0), || None);
        for trial in trials {
            if let Some(node) = nodes.get_mut(trial.number) {
                *node = Some((*trial, Served::of(trial)?));
            }
        }
        let inside = format!("http://{address}{INSIDE}");
        let stage = Arc::new(Stage { nodes, inside, led_inside: AtomicU64::new(0) });
        let serving = Arc::clone(&stage);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stage = Arc::clone(&serving);
                tokio::spawn(async move {
                    // The client going away is the end that every fault hopes for.
                    let _ = stage.converse(stream).await;
                });
            }
        });
        Ok(Self { address, stage, task })
    }

    /// Where all of them are.
    pub fn place(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of the node of a trial.
    pub fn url(&self, trial: &Trial) -> String {
        Self::url_below(&self.place(), trial)
    }

    /// The base URL of the node of a trial that is served at `place`.
    pub fn url_below(place: &str, trial: &Trial) -> String {
        format!("{place}/{}/", trial.number)
    }

    /// How often somebody went where only a redirect led.
    pub fn led_inside(&self) -> u64 {
        self.stage.led_inside.load(Ordering::Relaxed)
    }

    /// The root of the feed that the owner of a trial's node signed.
    ///
    /// # Errors
    /// When the trial is not served.
    pub fn root(&self, trial: &Trial) -> Result<Hash> {
        let node = self.stage.nodes.get(trial.number).and_then(Option::as_ref);
        Ok(node.context("not served")?.1.root)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stage {
    /// Answers one request after the other, until a fault ends it.
    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut read = Vec::new();
        while let Some(request) = Request::read(&mut stream, &mut read).await? {
            if request.path.starts_with(INSIDE) {
                self.led_inside.fetch_add(1, Ordering::Relaxed);
            }
            let Some((trial, served, path)) = self.node(&request.path) else {
                return stream.write_all(&head(404, "")).await;
            };
            let said = served.answer(&request.method, path);
            if trial.exchange.is(&request.method, path) {
                return act(stream, trial.fault.play(&self.honest(trial, said))).await;
            }
            match said {
                Said::Status(status) => stream.write_all(&head(status, "")).await?,
                Said::Content(media, bytes) => {
                    stream.write_all(&[head_of(media, &bytes), bytes.to_vec()].concat()).await?;
                }
                Said::NoNews => {
                    let mut more = [0; 1];
                    match timeout(request.wait, stream.read(&mut more)).await {
                        Ok(_) => return Ok(()),
                        Err(_) => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?,
                    }
                }
            }
        }
        Ok(())
    }

    fn node<'a>(&self, path: &'a str) -> Option<(&Trial, &Served, &'a str)> {
        let (number, _) = path.strip_prefix('/')?.split_once('/')?;
        let (trial, served) = self.nodes.get(number.parse::<usize>().ok()?)?.as_ref()?;
        Some((trial, served, path.get(1 + number.len()..)?))
    }

    fn honest(&self, trial: &Trial, said: Said) -> Answer {
        let bytes = match said {
            Said::Content(_, bytes) => bytes,
            _ => Bytes::from_static(b"{\"there is\": \"nothing to say\"}"),
        };
        Answer { media: trial.exchange.media, bytes, inside: self.inside.clone() }
    }
}

struct Request {
    method: String,
    path: String,
    wait: Duration,
}

impl Request {
    /// The next request, its content read and dropped; `None` at the end.
    async fn read(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let end = loop {
            if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if read.len() > HEAD_BYTES || stream.read_buf(read).await? == 0 {
                return Ok(None);
            }
        };
        let head: Vec<u8> = read.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let field = |name: &str| {
            let after = head.split(name).nth(1)?;
            let digits = after.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<u64>().ok()
        };
        let mut rest = usize::try_from(field("content-length:").unwrap_or(0)).unwrap_or(0);
        while rest > 0 {
            let taken = rest.min(read.len());
            read.drain(..taken);
            rest -= taken;
            if rest > 0 && stream.read_buf(read).await? == 0 {
                return Ok(None);
            }
        }
        let mut words = head.split_whitespace();
        let method = words.next().unwrap_or_default().to_uppercase();
        let path = words.next().unwrap_or_default().to_owned();
        let wait = Duration::from_secs(field("wait=").unwrap_or(0));
        Ok(Some(Self { method, path, wait }))
    }
}

async fn act(mut stream: TcpStream, play: Play) -> io::Result<()> {
    stream.write_all(&play.first).await?;
    match play.then {
        Then::Close => {
            stream.shutdown().await?;
            drained(&mut stream).await
        }
        Then::Reset => stream.set_zero_linger(),
        Then::Hold => drained(&mut stream).await,
        Then::Repeat(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
        Then::Trickle(bytes) => {
            let mut drops = interval(DROP);
            loop {
                drops.tick().await;
                stream.write_all(bytes).await?;
            }
        }
    }
}

/// Waits until the client has closed, so that what was sent is not taken back.
async fn drained(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 4_096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

fn head(status: u16, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} So\r\n{more}Content-Length: 0\r\n\r\n").into_bytes()
}

fn head_of(media: &str, bytes: &[u8]) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", bytes.len())
        .into_bytes()
}

//! Small servers that misbehave, on loopback.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use peer::limits::Limits;
use peer::outbound::{Lookup, SystemLookup};
use peer::{HttpCarrier, Outbound, PeerSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How often a trickle drops.
const DROP: Duration = Duration::from_millis(5);

/// What a server does once it has read a request.
#[derive(Clone)]
pub(crate) struct Play {
    /// It says this.
    pub(crate) first: Vec<u8>,
    /// And goes on like this.
    pub(crate) then: Then,
}

/// How a play goes on.
#[derive(Clone)]
pub(crate) enum Then {
    /// The connection ends.
    Close,
    /// Nothing more comes, and the connection stays open.
    Hold,
    /// So many bytes come now and then.
    Trickle(usize),
}

/// A server and what it was asked.
pub(crate) struct Evil {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Evil {
    /// Starts a server that answers the first request with the first play and so on; the last play goes
    /// on for ever.
    pub(crate) async fn playing(plays: Vec<Play>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ears, turn) = (Arc::clone(&heard), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let at = turn.fetch_add(1, Ordering::Relaxed).min(plays.len() - 1);
                if let Some(play) = plays.get(at) {
                    tokio::spawn(perform(stream, play.clone(), Arc::clone(&ears)));
                }
            }
        });
        Ok(Self { address, heard })
    }

    /// A server that says this and closes.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> anyhow::Result<Self> {
        Self::playing(vec![Play { first: answer.into(), then: Then::Close }]).await
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The heads of all requests so far, in lower case.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A carrier for this server alone.
    pub(crate) fn carrier(&self, limits: Limits) -> anyhow::Result<HttpCarrier> {
        Ok(HttpCarrier::new(&loopback(limits)?, &[self.url()])?)
    }
}

/// A 200 with these headers (each with its line end) and this body.
pub(crate) fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A way out that allows loopback.
pub(crate) fn loopback(limits: Limits) -> anyhow::Result<Arc<Outbound>> {
    Ok(Outbound::with(&allowing_loopback()?, limits, Arc::new(SystemLookup))?)
}

/// Settings that allow loopback.
pub(crate) fn allowing_loopback() -> anyhow::Result<PeerSettings> {
    Ok(PeerSettings { allow_networks: vec!["127.0.0.0/8".parse()?], ..PeerSettings::default() })
}

/// Limits that a test reaches soon.
pub(crate) fn tight() -> Limits {
    Limits {
        connect: Duration::from_millis(500),
        idle: Duration::from_millis(100),
        rate_window: Duration::from_millis(200),
        minimum_rate: 100_000,
        head: 1 << 20,
        segment: 1 << 20,
        ..Limits::default()
    }
}

/// A resolver that knows one answer to everything, and counts how often it was asked.
pub(crate) struct Fixed {
    /// The answer.
    pub(crate) addresses: Vec<IpAddr>,
    /// How often.
    pub(crate) asked: AtomicUsize,
}

impl Fixed {
    /// Answers with these.
    pub(crate) fn answering(addresses: &[&str]) -> anyhow::Result<Arc<Self>> {
        let addresses = addresses.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { addresses, asked: AtomicUsize::new(0) }))
    }
}

#[async_trait]
impl Lookup for Fixed {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.addresses.clone())
    }
}

async fn perform(mut stream: TcpStream, play: Play, ears: Arc<Mutex<Vec<String>>>) {
    // The client going away is the end every play hopes for.
    let _ = act(&mut stream, play, &ears).await;
}

async fn act(stream: &mut TcpStream, play: Play, ears: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(());
        }
        request.extend_from_slice(&byte);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    ears.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    stream.write_all(&play.first).await?;
    match play.then {
        Then::Close => stream.shutdown().await,
        Then::Hold => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.map(drop)
        }
        Then::Trickle(bytes) => {
            let mut drops = tokio::time::interval(DROP);
            loop {
                drops.tick().await;
                stream.write_all(&vec![7; bytes]).await?;
            }
        }
    }
}

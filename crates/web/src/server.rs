//! Accepting connections and handing each to the router, with a limit on everything a stranger could
//! hold on to: connections, headers, idle time, requests, age, a write that is not taken.
//!
//! The same code serves TCP, TLS and the operator's Unix socket. What is asked and answered is the
//! business of [`routes`](crate::routes).
//!
//! **Invariant:** no client can keep a connection slot for longer than its limits without being served,
//! and none that another wants while it asks for nothing or takes an answer slowly.

mod answers;
mod connection;
mod room;
mod timed;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tracing::{debug, warn};

use crate::tls::Certificate;

/// Where connections come from.
#[derive(Debug)]
pub enum Listener {
    /// Plain HTTP, for loopback or behind a proxy that speaks TLS.
    Tcp(TcpListener),
    /// HTTPS with certificate files that may change while the server runs.
    Tls(TcpListener, Arc<Certificate>),
    /// The operator's socket; the mode of the file decides who may open it.
    Unix(UnixListener),
}

/// What one client may hold on to, and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections served at a time; more wait in the system's queue.
    pub connections: usize,
    /// A TLS handshake, and then the first bytes that tell HTTP/1 from HTTP/2.
    pub first_bytes: Duration,
    /// All headers of one request; also how long HTTP/1 may idle between two requests.
    pub headers: Duration,
    /// An HTTP/2 connection without any request.
    pub idle: Duration,
    /// Requests on one connection, so that a load balancer can spread them again.
    pub requests: u64,
    /// Age of a connection: certificates, limits and addresses change.
    pub age: Duration,
    /// The stretch of time over which a client that takes its answers slowly must keep up the minimum
    /// rate of [`wire::limits`].
    pub write: Duration,
    /// A connection on which an answer to a stranger has been under way for longer than this makes room when
    /// every place is taken, or the memory for answers: a page is over by then on a slow line, and a follower goes on where it was cut off.
    pub slow: Duration,
    /// One request from its headers to the headers of its answer; beyond the longest wait.
    pub request: Duration,
    /// How long requests under way may take to end after a shutdown was asked for.
    pub drain: Duration,
}

impl Limits {
    /// The head of one request: its address and all headers. Browsers send headers of at most about 8 KiB; a
    /// text of 10 KB that somebody pastes into the search takes three times as much in the address, and is
    /// to get a page, not a closed door. A power of two, for hyper reads a head in such steps.
    pub const HEADER_BYTES: usize = 64 << 10;
    /// Streams of one HTTP/2 connection: a page with its assets fits, and each may hold an answer.
    pub const STREAMS: u32 = 16;
    /// What one HTTP/2 request may send ahead of being read: a body of most requests.
    pub const STREAM_WINDOW_BYTES: u32 = 64 << 10;
    /// What all requests of one HTTP/2 connection may: 128 MiB with the default connections.
    pub const CONNECTION_WINDOW_BYTES: u32 = 128 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            first_bytes: Duration::from_secs(10),
            headers: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            requests: 10_000,
            age: Duration::from_secs(3_600),
            write: Duration::from_secs(60),
            slow: Duration::from_secs(30),
            request: Duration::from_secs(120),
            drain: Duration::from_secs(10),
        }
    }
}

/// How far the server has come on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Serving.
    Open,
    /// No new connection, no new request; those under way may end.
    Draining,
    /// The deadline has passed: connections are dropped.
    Closed,
}

/// Serves `router` until `shutdown` completes, then lets requests under way end for at most
/// [`Limits::drain`].
pub async fn serve(
    listener: Listener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    // A semaphore is acquired with a u32; more connections than that are no limit at all.
    let most = u32::try_from(limits.connections).unwrap_or(u32::MAX).max(1);
    let slots = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(limits.connections)));
    let (stage, _) = watch::channel(Stage::Open);
    let room = Arc::new(room::Room::new(limits.slow));
    let limits = Arc::new(limits);
    let mut shutdown = pin!(shutdown);
    loop {
        let slot = tokio::select! {
            () = &mut shutdown => break,
            slot = room.slot(&slots) => slot,
        };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        // The semaphore is never closed.
        let Some(slot) = slot else { break };
        match accepted {
            Ok(stream) => {
                let connection = Connection {
                    router: router.clone(),
                    limits: Arc::clone(&limits),
                    stage: stage.subscribe(),
                    place: room.enter(slot),
                };
                tokio::spawn(connection.run(stream));
            }
            Err(error) => after_failed_accept(&error).await,
        }
    }
    drop(listener);
    stage.send_replace(Stage::Draining);
    if tokio::time::timeout(limits.drain, slots.acquire_many(most)).await.is_err() {
        let open = limits.connections.saturating_sub(slots.available_permits());
        warn!(
            event = "server.closed-connections",
            connections.open = open,
            "closed {open} connections whose requests did not end"
        );
        stage.send_replace(Stage::Closed);
    }
}

/// Tells a handler that holds a reader back for news that the server is on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<Stage>);

impl Stopping {
    /// Completes when no more waiting should be done.
    pub(crate) async fn asked(&self) {
        let mut stage = self.0.clone();
        // An error means that the server is gone, which is stopping as well.
        drop(stage.wait_for(|stage| *stage != Stage::Open).await);
    }
}

/// Marks an answer to somebody whose signature holds: strangers do not make it end early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known;

/// Everybody who is connected: so that a handler without room for an answer asks those for some who take
/// theirs slowly.
#[derive(Clone, Debug)]
pub(crate) struct Crowd(Arc<room::Room>);

impl Crowd {
    pub(crate) fn lets_a_slow_one_go(&self) {
        self.0.let_a_slow_one_go();
    }
}

/// Where a request comes from, as far as its connection tells: it may be a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteAddress(pub(crate) IpAddr);

/// What `accept` brings.
enum Stream {
    Tcp(TcpStream),
    Tls(TcpStream, tokio_rustls::TlsAcceptor),
    Unix(UnixStream),
}

impl Listener {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => Ok(Stream::Tcp(prompt(listener.accept().await?.0))),
            Self::Tls(listener, certificate) => {
                let stream = prompt(listener.accept().await?.0);
                Ok(Stream::Tls(stream, certificate.acceptor().await))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// Small answers leave at once. A socket that refuses the option works all the same.
fn prompt(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        debug!("a connection keeps delaying small packets: {error}");
    }
    stream
}

/// A connection that broke before it was accepted is nothing; out of file descriptors is worth a pause.
async fn after_failed_accept(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    ) {
        warn!(event = "server.cannot-accept", "cannot accept connections for a moment: {error}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// One connection with what it needs to be served.
struct Connection {
    router: Router,
    limits: Arc<Limits>,
    stage: watch::Receiver<Stage>,
    place: room::Place,
}

impl Connection {
    async fn run(self, stream: Stream) {
        let usage = Arc::clone(&self.place.usage);
        tokio::select! {
            () = usage.leave() => {}
            () = self.served(stream) => {}
        }
    }

    async fn served(self, stream: Stream) {
        match stream {
            Stream::Tcp(stream) => {
                let remote = remote(&stream);
                self.serve(stream, remote).await;
            }
            Stream::Unix(stream) => self.serve(stream, None).await,
            Stream::Tls(stream, acceptor) => {
                let remote = remote(&stream);
                let handshake = acceptor.accept(stream);
                match tokio::time::timeout(self.limits.first_bytes, handshake).await {
                    Ok(Ok(stream)) => self.serve(stream, remote).await,
                    Ok(Err(error)) => debug!("a TLS handshake failed: {error}"),
                    Err(_) => debug!("a TLS handshake was not finished in time"),
                }
            }
        }
    }

    async fn serve<S>(self, stream: S, remote: Option<RemoteAddress>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (limits, usage) = (&self.limits, &self.place.usage);
        let stream = timed::Timed::new(stream, limits.first_bytes, limits.write);
        let told = connection::Told {
            stopping: Stopping(self.stage.clone()),
            crowd: Crowd(Arc::clone(&self.place.room)),
            remote,
        };
        connection::serve(stream, told, self.router, limits, self.stage, usage).await;
    }
}

fn remote(stream: &TcpStream) -> Option<RemoteAddress> {
    stream.peer_addr().ok().map(|address| RemoteAddress(address.ip()))
}

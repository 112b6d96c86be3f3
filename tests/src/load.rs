//! Clients of a server under load: those that want nothing, those that dawdle, those that want everything at
//! once, and honest ones, whose time is taken.

mod client;
mod routes;

pub use client::{Answered, Client};
pub use routes::{Routes, get};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, interval, timeout};

use crate::figures::Latencies;

/// An answer that has not come after this is none.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often a slow client does a little.
const SLOWLY: Duration = Duration::from_secs(1);
/// What a slow client lets the system take in ahead.
const NARROW_BYTES: u32 = 4_096;
/// Who was sent away, or found no place, tries again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// What all of a kind did.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections that stand now.
    pub open: AtomicU64,
    /// Connections made.
    pub made: AtomicU64,
    /// Requests answered, and how many of them with 5xx.
    pub answered: AtomicU64,
    /// See above.
    pub refused: AtomicU64,
    /// Answers that did not come.
    pub failed: AtomicU64,
}

impl Tally {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn of(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// Connects and says nothing, or asks once and stays; and comes back when it is sent away.
pub async fn idle(server: SocketAddr, number: usize, tally: Arc<Tally>) {
    let mut pauses = interval(AGAIN);
    loop {
        pauses.tick().await;
        let Ok(Ok(mut stream)) = timeout(PATIENCE, TcpStream::connect(server)).await else {
            continue;
        };
        Tally::add(&tally.made);
        Tally::add(&tally.open);
        if number.is_multiple_of(2) {
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: load\r\n\r\n").await;
        }
        let mut sink = [0; 1_024];
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        tally.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends its headers byte by byte, or takes a long answer byte by byte.
pub async fn slow(server: SocketAddr, number: usize, long: String, tally: Arc<Tally>) {
    let mut drops = interval(SLOWLY);
    loop {
        drops.tick().await;
        let Ok(Ok(mut stream)) = timeout(PATIENCE, narrow(server)).await else {
            continue;
        };
        Tally::add(&tally.made);
        Tally::add(&tally.open);
        let takes = number.is_multiple_of(2);
        let begun = match takes {
            true => format!("GET {long} HTTP/1.1\r\nHost: load\r\n\r\n"),
            false => "GET / HTTP/1.1\r\nHost: load\r\nX-Slow: ".to_owned(),
        };
        let mut stands = stream.write_all(begun.as_bytes()).await.is_ok();
        let mut byte = [0; 1];
        while stands {
            drops.tick().await;
            stands = match takes {
                true => stream.read(&mut byte).await.is_ok_and(|read| read > 0),
                false => stream.write_all(b"x").await.is_ok(),
            };
        }
        tally.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that takes in so little ahead that a long answer stays where it comes from.
async fn narrow(server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(NARROW_BYTES)?;
    socket.connect(server).await
}

/// Asks for one route after the other, as fast as it is answered.
pub async fn flood(server: SocketAddr, number: usize, routes: Arc<Routes>, tally: Arc<Tally>) {
    let mut client = Client::new(server);
    for request in routes.from(number) {
        match client.ask(request).await {
            Ok(answered) => {
                Tally::add(&tally.answered);
                if answered.status >= 500 {
                    Tally::add(&tally.refused);
                }
            }
            Err(_) => Tally::add(&tally.failed),
        }
    }
}

/// Asks for `requests` in turn at a steady pace until `until`; each time counts from when it was due, so that a
/// stall is not left out.
pub async fn steady(
    server: SocketAddr,
    requests: Vec<Vec<u8>>,
    every: Duration,
    until: Instant,
    tally: Arc<Tally>,
) -> Latencies {
    let (mut client, mut latencies) = (Client::new(server), Latencies::default());
    let mut ticks = interval(every);
    for request in requests.iter().cycle() {
        // Ticks that were missed come at once, and say when they were due.
        let due = ticks.tick().await;
        if due >= until {
            break;
        }
        match client.ask(request).await {
            Ok(answered) if answered.status < 500 => {
                Tally::add(&tally.answered);
                latencies.add(due.elapsed());
            }
            Ok(_) => Tally::add(&tally.refused),
            Err(_) => Tally::add(&tally.failed),
        }
    }
    latencies
}

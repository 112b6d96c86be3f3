//! Work C: ask a node that has nothing new.
//!
//! The client is a thread with sockets and no HTTP library, so that the server has a core of its own:
//! all its connections ask, then all are answered. Bytes are whole answers, headers included.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use wire::paths;

use crate::Bench;
use crate::host::AUTHOR;
use crate::meter::{Measured, Meter};
use crate::side::Side;

/// Followers of one node that ask at the same time.
const CONNECTIONS: usize = 32;
/// Requests of each in a round.
const REQUESTS: u64 = 4_000;
/// Entries of the feed: some of it sealed.
const ENTRIES: u64 = 2_000;
/// The longest answer to a poll that is still one.
const ANSWER_BYTES_MAX: usize = 4_096;
const GROUP: &str = "C: poll with nothing new";

/// What is asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    /// What follows the newest entry of one feed.
    Since,
    /// The heads of all feeds, unless they are those of the last answer.
    Heads,
}

/// Measures both questions once.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let requests = (REQUESTS / bench.options.divide).max(1);
    let dir = bench.dir.path().join("polled");
    if !dir.exists() {
        Side::Author { dir: dir.clone(), entries: ENTRIES }.done()?;
    }
    for (name, question) in [
        ("one feed (`since`, 204)", Question::Since),
        ("all feeds (`/heads`, 304)", Question::Heads),
    ] {
        let mut server = Side::Serve { dir: dir.clone() }.start()?;
        let address = server.address()?.url;
        let asked = Side::Poll { address, question, requests }.done()?;
        let served = server.end()?;
        let polls = asked.done as f64;
        let mut add = |what: &str, unit, value| {
            bench.results.add(GROUP, &format!("{name}{what}"), unit, value);
        };
        add("", "/s", asked.rate());
        add(", CPU of the server for a poll", "us", served.cpu_seconds * 1e6 / polls);
        add(", CPU of the client for a poll", "us", asked.cpu_seconds * 1e6 / polls);
        add(", bytes of an answer", "B", asked.bytes as f64 / polls);
        add(", answer with 32 under way, p50", "us", asked.p50_us);
        add(", answer with 32 under way, p99", "us", asked.p99_us);
        add(", peak memory of the server", "MiB", served.peak_mib);
    }
    Ok(())
}

/// The side that asks.
pub(crate) fn ask(url: &str, question: Question, requests: u64) -> anyhow::Result<Measured> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = TcpStream::connect(host)?;
        connection.set_nodelay(true)?;
        connections.push(connection);
    }
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    let (request, status) = match question {
        Question::Since => {
            let path = paths::since(&AUTHOR.origin()?, ENTRIES);
            (format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"), "HTTP/1.1 204 ")
        }
        Question::Heads => {
            let heads = format!("GET {} HTTP/1.1\r\nhost: {host}\r\n", paths::HEADS);
            let first = connections.first_mut().context("no connections")?;
            first.write_all(format!("{heads}\r\n").as_bytes())?;
            let (head, _) = answer(first, &mut buffer)?;
            let tag = head.lines().find_map(|line| line.strip_prefix("etag: "));
            let tag = tag.context("the heads have no tag")?;
            (format!("{heads}if-none-match: {tag}\r\n\r\n"), "HTTP/1.1 304 ")
        }
    };
    let mut latencies = Vec::new();
    let mut bytes = 0;
    let meter = Meter::start()?;
    for _ in 0..requests {
        let asked = Instant::now();
        for connection in &mut connections {
            connection.write_all(request.as_bytes())?;
        }
        for connection in &mut connections {
            let (head, length) = answer(connection, &mut buffer)?;
            ensure!(head.starts_with(status), "a poll was answered with {head}");
            bytes += length as u64;
            latencies.push(asked.elapsed().as_secs_f64() * 1e6);
        }
    }
    let measured = meter.stop(requests * CONNECTIONS as u64)?;
    Ok(Measured { bytes, ..measured }.with_latencies(latencies))
}

/// The head of the next answer, and how long the answer was as far as it came with it.
fn answer<'a>(
    connection: &mut TcpStream,
    buffer: &'a mut [u8],
) -> anyhow::Result<(&'a str, usize)> {
    let mut length = 0;
    loop {
        let room = buffer.get_mut(length..).filter(|room| !room.is_empty());
        let read = connection.read(room.context("an answer is too long to be one to a poll")?)?;
        if read == 0 {
            bail!("the server closed a connection");
        }
        length += read;
        let read = buffer.get(..length).unwrap_or_default();
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = buffer.get(..end).unwrap_or_default();
            return Ok((std::str::from_utf8(head)?, length));
        }
    }
}

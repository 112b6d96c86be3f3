//! Work B: follow a feed from nothing, until all of it is verified, durable and can be queried.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{BodyRead, Feeds, Page, Pin};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Progress, Since};
use feed::row::{BodyState, Validity};
use tlog::name::Origin;
use tlog::tile::TilePath;

use crate::host::{AUTHOR, FOLLOWER};
use crate::meter::{Measured, Meter};
use crate::side::{Side, Source};
use crate::{Bench, http};

/// The row that is compared with a limit.
pub(crate) const RECORDS: &str = "records synced";

/// What the rows stand under.
pub(crate) fn group(core: bool) -> &'static str {
    if core {
        "B: cold sync, on the core, both nodes in one process"
    } else {
        "B: cold sync, all verified, durable, queryable"
    }
}

/// Measures it once. The feed is made in the first round and kept.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let entries = bench.options.records;
    let source = bench.dir.path().join("author");
    if !source.exists() {
        Side::Author { dir: source.clone(), entries }.done()?;
    }
    let dir = tempfile::TempDir::new_in(bench.dir.path())?;
    let data = dir.path().join("data");
    if bench.options.core {
        let from = Source::Directory(source);
        let measured = Side::Follow { dir: data, from, entries }.done()?;
        report(bench, &measured);
        return Ok(());
    }
    let mut server = Side::Serve { dir: source }.start()?;
    let from = Source::Url(server.address()?.url);
    let measured = Side::Follow { dir: data, from, entries }.done()?;
    let served = server.end()?;
    report(bench, &measured);
    bench.results.add(
        group(false),
        "CPU of the server for 100,000",
        "s",
        per_100k(&served, entries),
    );
    bench.results.add(group(false), "peak memory of the server", "MiB", served.peak_mib);
    Ok(())
}

fn report(bench: &mut Bench, measured: &Measured) {
    let group = group(bench.options.core);
    let records = measured.done as f64;
    let mut add = |what: &str, unit, value| bench.results.add(group, what, unit, value);
    add(RECORDS, "/s", measured.rate());
    add("seconds until all was fetched, hashed and stored", "s", measured.fetched_seconds);
    add("seconds", "s", measured.seconds);
    add("bytes received for a record", "B", measured.bytes as f64 / records);
    add("requests for 100,000", "", measured.requests as f64 * 100_000.0 / records);
    add("CPU of the follower for 100,000", "s", per_100k(measured, measured.done));
    add("peak memory of the follower", "MiB", measured.peak_mib);
}

fn per_100k(measured: &Measured, records: u64) -> f64 {
    measured.cpu_seconds * 100_000.0 / records as f64
}

/// The side that follows.
pub(crate) async fn run(dir: &Path, from: &Source, entries: u64) -> anyhow::Result<Measured> {
    let feeds = FOLLOWER.open(dir).await?;
    feeds.follow(Pin::new(AUTHOR.node()?, AUTHOR.root()?.public(), Vec::new(), 0)).await?;
    let carrier: Box<dyn Carrier> = match from {
        Source::Url(url) => Box::new(http::carrier(url)?),
        Source::Directory(dir) => Box::new(Direct { feeds: AUTHOR.open(dir).await? }),
    };
    let carrier = Counting { carrier, bytes: AtomicU64::new(0), requests: AtomicU64::new(0) };
    let fetched = Fetched(Mutex::new(Instant::now()));
    let (meter, started) = (Meter::start()?, Instant::now());
    feeds.sync_feed(&carrier, &AUTHOR.origin()?, None, &fetched).await?;
    let measured = meter.stop(entries)?;
    let fetched = fetched.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    check(&feeds, entries)?;
    Ok(Measured {
        bytes: carrier.bytes.into_inner(),
        requests: carrier.requests.into_inner(),
        fetched_seconds: fetched.duration_since(started).as_secs_f64(),
        ..measured
    })
}

/// Requires that every entry counts, that every body is held and verified, and that a page is answered.
fn check(feeds: &Feeds, entries: u64) -> anyhow::Result<()> {
    let origin = AUTHOR.origin()?;
    let view = feeds.view(&origin).context("nothing was synced")?;
    ensure!(view.size() == entries, "{} entries of {entries} were synced", view.size());
    for index in 0..entries {
        let row = feeds.catalog().row(&origin, index)?.context("an entry has no row")?;
        ensure!(
            row.validity == Validity::Valid && row.body == BodyState::Held,
            "entry {index}: {}, {}",
            row.validity.words(),
            row.body.words()
        );
    }
    let page = feeds.records(&origin, &Page { before: None, limit: 200, kind: None })?;
    ensure!(page.records.len() as u64 == (entries - 1).min(200), "a page is not full");
    Ok(())
}

/// When the last segment was stored.
struct Fetched(Mutex<Instant>);

impl Progress for Fetched {
    fn step(&self, _what: &str, _done: u64, _total: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A carrier straight into another node's core.
pub(crate) struct Direct {
    pub(crate) feeds: Arc<Feeds>,
}

/// Counts what a carrier brings.
struct Counting {
    carrier: Box<dyn Carrier>,
    bytes: AtomicU64,
    requests: AtomicU64,
}

impl Counting {
    fn count(&self, bytes: &[u8]) {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn counted(&self, answer: Result<Bytes, CarrierError>) -> Result<Bytes, CarrierError> {
        self.count(answer.as_deref().unwrap_or_default());
        answer
    }
}

#[async_trait]
impl Carrier for Counting {
    fn describe(&self) -> String {
        self.carrier.describe()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        self.counted(self.carrier.node_record().await)
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.counted(self.carrier.checkpoint(origin).await)
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        let since = self.carrier.since(origin, size, wait).await?;
        match &since {
            Since::Nothing => self.count(&[]),
            Since::Shorter(bytes) | Since::Commits(bytes) | Since::Head(bytes) => self.count(bytes),
        }
        Ok(since)
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        self.counted(self.carrier.tile(origin, tile).await)
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.counted(self.carrier.segment(origin, number).await)
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        self.carrier.body(origin, index).await
    }
}

impl Direct {
    fn failed(&self, what: &str, reason: &dyn std::fmt::Display) -> CarrierError {
        let (carrier, what) = (self.describe(), what.to_owned());
        CarrierError::Improper { carrier, what, reason: reason.to_string() }
    }
}

#[async_trait]
impl Carrier for Direct {
    fn describe(&self) -> String {
        "the node beside".to_owned()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        let record = self.feeds.node_record(self.feeds.node());
        record.ok_or_else(|| self.failed("node record", &"there is none"))
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let note = self.feeds.checkpoint(origin).await;
        note.map_err(|error| self.failed("checkpoint", &error))
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        let since = self.feeds.since(origin, size, wait).await;
        since.map_err(|error| self.failed("since", &error))
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        let bytes = self.feeds.tile(origin, tile).await;
        bytes.map_err(|error| self.failed("tile", &error))
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        let bytes = self.feeds.segment(origin, number).await;
        bytes.map_err(|error| self.failed("segment", &error))
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        let entry = self.feeds.entry(origin, index).await;
        Ok(match entry.map_err(|error| self.failed("body", &error))?.body {
            BodyRead::Held(bytes) => BodyAnswer::Body(bytes),
            BodyRead::Erased { .. } => BodyAnswer::Gone,
            BodyRead::None | BodyRead::Missing => BodyAnswer::Missing,
        })
    }
}

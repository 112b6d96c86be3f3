//! Work A: publish; a request is answered when its records are durable, in the catalog and shown.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use feed::feeds::{Feeds, Publication};
use serde::{Deserialize, Serialize};
use tlog::name::FeedName;
use tokio::task::JoinSet;

use crate::Bench;
use crate::host::AUTHOR;
use crate::meter::{Measured, Meter};
use crate::records::Records;
use crate::side::Side;

/// Records in a request while a feed to follow is made.
const AUTHOR_BATCH: u64 = 512;

/// The rows that are compared with limits.
pub(crate) const ONE: &str = "one publisher";
pub(crate) const MANY: &str = "32 publishers";
pub(crate) const BULK: &str = "requests of 256";

const WORKS: [(&str, Shape); 3] = [
    (ONE, Shape { publishers: 1, batch: 1, requests: 3_000 }),
    (MANY, Shape { publishers: 32, batch: 1, requests: 600 }),
    (BULK, Shape { publishers: 1, batch: 256, requests: 60 }),
];

/// Who publishes how much.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// At the same time.
    pub(crate) publishers: u64,
    /// Records in one request.
    pub(crate) batch: u64,
    /// Of each publisher, one after the other.
    pub(crate) requests: u64,
}

impl Shape {
    /// All records published.
    pub(crate) fn records(self) -> u64 {
        self.publishers * self.requests * self.batch
    }

    /// The number of the first record of a request.
    pub(crate) fn first(self, publisher: u64, request: u64) -> u64 {
        (publisher * self.requests + request) * self.batch
    }
}

/// Measures all shapes once.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    for (name, shape) in WORKS {
        let requests = (shape.requests / bench.options.divide).max(1);
        let shape = Shape { requests, ..shape };
        let dir = tempfile::TempDir::new_in(bench.dir.path())?;
        let data = dir.path().join("data");
        let (measured, server) = if bench.options.core {
            let measured = Side::Publish { dir: data, shape }.done()?;
            (measured, measured)
        } else {
            let mut server = Side::Serve { dir: data }.start()?;
            let socket = server.address()?.socket;
            (Side::Post { socket, shape }.done()?, server.end()?)
        };
        let group = group(bench.options.core);
        let records = measured.done as f64;
        bench.results.add(group, name, "/s", measured.rate());
        let mut add = |what: &str, unit, value| {
            bench.results.add(group, &format!("{name}, {what}"), unit, value);
        };
        add("answer, p50", "us", measured.p50_us);
        add("answer, p99", "us", measured.p99_us);
        add("CPU of the node for a record", "us", server.cpu_seconds * 1e6 / records);
        add("peak memory of the node", "MiB", server.peak_mib);
    }
    Ok(())
}

/// What the rows stand under.
pub(crate) fn group(core: bool) -> &'static str {
    if core { "A: publish, on the core" } else { "A: publish, durably acknowledged" }
}

/// Publishes straight on the core.
pub(crate) async fn on_core(dir: &Path, shape: Shape) -> anyhow::Result<Measured> {
    let feeds = AUTHOR.begin(dir).await?;
    let records = Records::new();
    let mut queues: Vec<Vec<Vec<Publication>>> = Vec::new();
    for publisher in 0..shape.publishers {
        let request = |request: u64| {
            let first = shape.first(publisher, request);
            (first..first + shape.batch).map(|number| records.publication(number)).collect()
        };
        queues.push((0..shape.requests).map(request).collect());
    }
    let meter = Meter::start()?;
    let mut publishers = JoinSet::new();
    for queue in queues {
        publishers.spawn(publish_all(Arc::clone(&feeds), queue));
    }
    let mut latencies = Vec::new();
    while let Some(of_one) = publishers.join_next().await {
        latencies.extend(of_one??);
    }
    let measured = meter.stop(shape.records())?.with_latencies(latencies);
    ensure_size(&feeds, shape.records() + 1)?;
    Ok(measured)
}

async fn publish_all(feeds: Arc<Feeds>, queue: Vec<Vec<Publication>>) -> anyhow::Result<Vec<f64>> {
    let mut latencies = Vec::with_capacity(queue.len());
    for publications in queue {
        let asked = Instant::now();
        feeds.publish(&FeedName::public(), publications).await?;
        latencies.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    Ok(latencies)
}

/// Makes a feed of `entries` entries, the node record among them.
pub(crate) async fn author(dir: &Path, entries: u64) -> anyhow::Result<Measured> {
    let feeds = AUTHOR.begin(dir).await?;
    let records = Records::new();
    let meter = Meter::start()?;
    let mut next = 1;
    while next < entries {
        let end = (next + AUTHOR_BATCH).min(entries);
        let publications = (next..end).map(|number| records.publication(number)).collect();
        feeds.publish(&FeedName::public(), publications).await?;
        next = end;
    }
    ensure_size(&feeds, entries)?;
    meter.stop(entries)
}

fn ensure_size(feeds: &Feeds, entries: u64) -> anyhow::Result<()> {
    let held = feeds.view(&AUTHOR.origin()?).map_or(0, |view| view.size());
    ensure!(held == entries, "the feed has {held} entries, and {entries} were published");
    Ok(())
}

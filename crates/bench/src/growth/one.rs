//! One feed that grows.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use feed::feeds::Feeds;
use serde::{Deserialize, Serialize};
use tlog::name::FeedName;

use super::{Node, Part};
use crate::host::{AUTHOR, FOLLOWER};
use crate::meter::{Measured, Meter};
use crate::records::Records;
use crate::side::{self, Side, Source};

/// Records in one request.
const BATCH: u64 = 256;
/// The last so many records before a point tell what one costs there.
const STRETCH: u64 = 25_600;

/// What was measured at one size.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Point {
    /// Entries of the feed.
    pub(super) records: u64,
    /// Published in requests of 256, on the core: time and CPU time of one record.
    pub(super) publish_us: f64,
    pub(super) publish_cpu_us: f64,
    /// Followed from nothing over HTTP: time, and CPU time of the follower, of one record.
    pub(super) sync_us: f64,
    pub(super) sync_cpu_us: f64,
    /// Until the node is up, after a kill and after an orderly end.
    pub(super) killed_start_s: f64,
    pub(super) start_s: f64,
    /// The most memory that each process took.
    pub(super) publish_mib: f64,
    pub(super) start_mib: f64,
    pub(super) serve_mib: f64,
    pub(super) follow_mib: f64,
}

/// Grows the feed below `dir` to so many entries, and measures there.
pub(super) fn point(dir: &Path, entries: u64) -> anyhow::Result<Point> {
    let author = dir.join("author");
    let published = Side::Growth(Part::Grow { dir: author.clone(), entries }).done()?;
    let start = |killed| {
        let dir = author.clone();
        Side::Growth(Part::Start { dir, node: Node::Author, killed }).done()
    };
    // The first follows a kill and is killed itself; the third follows an orderly end.
    let (first, _, third) = (start(true)?, start(false)?, start(false)?);
    let mut server = Side::Serve { dir: author }.start()?;
    let from = Source::Url(server.address()?.url);
    let room = tempfile::TempDir::new_in(dir)?;
    let synced = Side::Follow { dir: room.path().join("data"), from, entries }.done()?;
    let served = server.end()?;
    Ok(Point {
        records: entries,
        publish_us: published.us_each(),
        publish_cpu_us: published.cpu_us_each(),
        sync_us: synced.us_each(),
        sync_cpu_us: synced.cpu_us_each(),
        killed_start_s: first.seconds,
        start_s: third.seconds,
        publish_mib: published.peak_mib,
        start_mib: first.peak_mib.max(third.peak_mib),
        serve_mib: served.peak_mib,
        follow_mib: synced.peak_mib,
    })
}

/// The side that publishes. It is killed, so that the next start finds what a kill leaves.
pub(super) async fn grow(dir: &Path, entries: u64) -> anyhow::Result<Measured> {
    let feeds = if dir.exists() { AUTHOR.open(dir).await? } else { AUTHOR.begin(dir).await? };
    let origin = AUTHOR.origin()?;
    let held = feeds.view(&origin).context("the feed is closed")?.size();
    ensure!(held < entries, "the feed has {held} entries already");
    let records = Records::new();
    let begins = entries.saturating_sub(STRETCH).max(held);
    publish_until(&feeds, &records, held, begins).await?;
    let meter = Meter::start()?;
    publish_until(&feeds, &records, begins, entries).await?;
    let measured = meter.stop(entries - begins)?;
    let size = feeds.view(&origin).map_or(0, |view| view.size());
    ensure!(size == entries, "the feed has {size} entries and not {entries}");
    killed_after(&measured)
}

/// Publishes records of these numbers.
pub(super) async fn publish_until(
    feeds: &Arc<Feeds>,
    records: &Records,
    mut next: u64,
    entries: u64,
) -> anyhow::Result<()> {
    while next < entries {
        let end = (next + BATCH).min(entries);
        let publications = (next..end).map(|number| records.publication(number)).collect();
        feeds.publish(&FeedName::public(), publications).await?;
        next = end;
    }
    Ok(())
}

/// The side that starts.
pub(super) async fn start(dir: &Path, node: Node, killed: bool) -> anyhow::Result<Measured> {
    let who = match node {
        Node::Author => AUTHOR,
        Node::Follower => FOLLOWER,
    };
    let meter = Meter::start()?;
    let feeds = who.open(dir).await?;
    let origins = feeds.origins();
    ensure!(!origins.is_empty(), "there is no feed");
    for origin in origins {
        feeds.view(&origin).with_context(|| format!("`{origin}` stays closed"))?;
    }
    let measured = meter.stop(1)?;
    if killed { killed_after(&measured) } else { Ok(measured) }
}

/// Says what was measured, and ends this process without closing anything.
fn killed_after(measured: &Measured) -> anyhow::Result<Measured> {
    side::say(measured)?;
    std::process::exit(0)
}

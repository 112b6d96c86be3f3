//! Many feeds of one length in one node.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use feed::feeds::{Feeds, Pin};
use feed::ports::{Carrier, Quiet};
use serde::{Deserialize, Serialize};
use tlog::name::FeedName;
use tokio::task::JoinSet;

use super::one::publish_until;
use super::{Node, Part};
use crate::follow::Direct;
use crate::host::{AUTHOR, FOLLOWER, Identity};
use crate::http;
use crate::meter::{Measured, Meter};
use crate::records::Records;
use crate::side::Side;

/// Entries of each feed.
const ENTRIES: u64 = 200;
/// Feeds that are followed at the same time, as the schedule of a node does.
const AT_ONCE: u32 = 8;
/// Published beside them in requests of 256, and then one by one.
const IN_BULK: u64 = 5_120;
const ONE_BY_ONE: u64 = 500;

/// What was measured with so many feeds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) feeds: u32,
    /// In all feeds.
    pub(super) records: u64,
    /// All followed from nothing, from one mirror over HTTP: time and CPU time of one record.
    pub(super) sync_us: f64,
    pub(super) sync_cpu_us: f64,
    /// Published in a feed of the follower's own: in requests of 256, and the median of one.
    pub(super) publish_us: f64,
    pub(super) one_us: f64,
    /// Until the follower is up again.
    pub(super) start_s: f64,
    /// The most memory that each process took.
    pub(super) follow_mib: f64,
    pub(super) serve_mib: f64,
    pub(super) start_mib: f64,
}

/// Lets the mirror below `dir` hold so many feeds, and measures there.
pub(super) fn point(dir: &Path, feeds: u32) -> anyhow::Result<Point> {
    let mirror = dir.join("mirror");
    Side::Growth(Part::Mirror { dir: mirror.clone(), feeds }).done()?;
    let mut server = Side::Serve { dir: mirror }.start()?;
    let url = server.address()?.url;
    let room = tempfile::TempDir::new_in(dir)?;
    let data = room.path().join("data");
    let synced = Side::Growth(Part::Follow { dir: data.clone(), url, feeds }).done()?;
    let served = server.end()?;
    let start = Part::Start { dir: data.clone(), node: Node::Follower, killed: false };
    let started = Side::Growth(start).done()?;
    let published = Side::Growth(Part::Publish { dir: data }).done()?;
    Ok(Point {
        feeds,
        records: synced.done,
        sync_us: synced.us_each(),
        sync_cpu_us: synced.cpu_us_each(),
        publish_us: published.us_each(),
        one_us: published.p50_us,
        start_s: started.seconds,
        follow_mib: synced.peak_mib,
        serve_mib: served.peak_mib,
        start_mib: started.peak_mib,
    })
}

/// The side that makes feeds and mirrors them; feeds it has already stay.
pub(super) async fn mirror(dir: &Path, feeds: u32) -> anyhow::Result<Measured> {
    let mirror = if dir.exists() { AUTHOR.open(dir).await? } else { AUTHOR.begin(dir).await? };
    let records = Records::new();
    let meter = Meter::start()?;
    for number in 1..=feeds {
        let member = Identity::member(number);
        let origin = member.origin()?;
        if mirror.view(&origin).is_some() {
            continue;
        }
        let feeds = member.begin_in_memory().await?;
        publish_until(&feeds, &records, 1, ENTRIES).await?;
        mirror.follow(pin(member)?).await?;
        mirror.sync_feed(&Direct { feeds }, &origin, None, &Quiet).await?;
    }
    meter.stop(u64::from(feeds) * ENTRIES)
}

/// The side that follows them all.
pub(super) async fn follow(dir: &Path, url: &str, feeds: u32) -> anyhow::Result<Measured> {
    let follower = FOLLOWER.open(dir).await?;
    for number in 1..=feeds {
        follower.follow(pin(Identity::member(number))?).await?;
    }
    let carrier: Arc<dyn Carrier> = Arc::new(http::carrier(url)?);
    let meter = Meter::start()?;
    let mut turns = JoinSet::new();
    for turn in 1..=AT_ONCE {
        turns.spawn(sync_each(Arc::clone(&follower), Arc::clone(&carrier), turn, feeds));
    }
    while let Some(turn) = turns.join_next().await {
        turn??;
    }
    meter.stop(u64::from(feeds) * ENTRIES)
}

/// Every eighth feed.
async fn sync_each(
    follower: Arc<Feeds>,
    carrier: Arc<dyn Carrier>,
    first: u32,
    feeds: u32,
) -> anyhow::Result<()> {
    let mut number = first;
    while number <= feeds {
        let origin = Identity::member(number).origin()?;
        let synced = follower.sync_feed(carrier.as_ref(), &origin, None, &Quiet).await?;
        let size = follower.view(&origin).map_or(0, |view| view.size());
        ensure!(size == ENTRIES && synced.missing.is_empty(), "{size} entries of `{origin}`");
        number += AT_ONCE;
    }
    Ok(())
}

/// The side that publishes beside what it follows.
pub(super) async fn publish(dir: &Path) -> anyhow::Result<Measured> {
    let feeds = FOLLOWER.begin(dir).await?;
    let records = Records::new();
    let meter = Meter::start()?;
    publish_until(&feeds, &records, 0, IN_BULK).await?;
    let measured = meter.stop(IN_BULK)?;
    let mut latencies = Vec::new();
    for number in IN_BULK..IN_BULK + ONE_BY_ONE {
        let one = vec![records.publication(number)];
        let asked = Instant::now();
        feeds.publish(&FeedName::public(), one).await?;
        latencies.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    Ok(measured.with_latencies(latencies))
}

fn pin(member: Identity) -> anyhow::Result<Pin> {
    Ok(Pin::new(member.node()?, member.root()?.public(), Vec::new(), 0))
}

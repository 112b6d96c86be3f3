//! Reading everything back, slowly and by itself: what a disk loses is noticed while mirrors still have it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feed::feeds::{Feeds, Pace, Scrubbed};
use tokio::time::sleep;
use tracing::info;
use wire::api::guard::{DamagedObject, ScrubAnswer};

/// What a scrub that runs by itself reads in a second: the records of 200 mechanisms within an hour, and
/// nobody notices.
pub const KIB_PER_SECOND: u64 = 256;

/// A scrub begins so long after the one before it.
const EVERY_S: u64 = 7 * 24 * 3_600;

/// After a start the disk belongs to others first.
const FIRST: Duration = Duration::from_secs(600);

/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(3_600);

/// The memo with what the last one found; lost with the catalog, and then the next one is due.
const MEMO: &str = "scrub";

/// So many KiB in a second; without end, if 0.
struct Rate(u64);

#[async_trait]
impl Pace for Rate {
    async fn read(&self, bytes: usize) {
        let micros = (bytes as u64).saturating_mul(1_000_000) / 1_024;
        if let Some(micros) = micros.checked_div(self.0) {
            sleep(Duration::from_micros(micros)).await;
        }
    }
}

/// Reads everything back that is held, one feed after the other.
pub async fn scrub(feeds: &Arc<Feeds>, kib_per_second: u64) -> ScrubAnswer {
    let began = feeds.clock().now();
    let mut found = Scrubbed::default();
    let origins = feeds.store().origins().await.unwrap_or_default();
    for origin in &origins {
        found.add(feeds.scrub(origin, &Rate(kib_per_second)).await);
    }
    found.add(feeds.scrub_node(&Rate(kib_per_second)).await);
    let told = found.told.into_iter().map(|damage| DamagedObject {
        origin: damage.origin,
        what: damage.what,
        still: damage.still,
    });
    let answer = ScrubAnswer {
        began,
        ended: feeds.clock().now(),
        feeds: origins.len() as u64,
        objects: found.objects,
        kinds: found.kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
        bytes: found.bytes,
        damaged: found.damaged,
        healed: found.healed,
        told: told.collect(),
    };
    let kept = serde_json::to_vec(&answer).unwrap_or_default();
    if let Err(error) = feeds.catalog().set_memo(MEMO, Some(&kept)) {
        tracing::debug!("what the scrub found was not kept: {error}");
    }
    let ScrubAnswer { objects, damaged, healed, .. } = &answer;
    info!(
        event = "scrub.ended",
        scrub.objects = objects,
        scrub.damaged = damaged,
        scrub.healed = healed,
        "read {objects} objects back: {damaged} were damaged, {healed} of them are whole again"
    );
    answer
}

/// Which object is damaged, in words.
pub fn name_of(damage: &DamagedObject) -> String {
    let of = damage.origin.as_ref().map(|origin| format!(" of {origin}")).unwrap_or_default();
    format!("{}{of}", damage.what)
}

/// What the last one found, if one ever ended here.
pub fn last(feeds: &Feeds) -> Option<ScrubAnswer> {
    let memo = feeds.catalog().memo(MEMO).ok().flatten()?;
    serde_json::from_slice(&memo).ok()
}

/// Scrubs for ever, slowly, once in a week.
pub async fn keep_scrubbing(feeds: Arc<Feeds>) {
    sleep(FIRST).await;
    loop {
        let now = feeds.clock().now();
        if last(&feeds).is_none_or(|last| now.saturating_sub(last.began.min(now)) >= EVERY_S) {
            scrub(&feeds, KIB_PER_SECOND).await;
        }
        sleep(LOOK).await;
    }
}

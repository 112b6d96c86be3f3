//! Keys, dates and health of one node, for its operator: what stands behind `jopoi keys`, `jopoi doctor`
//! and the calendar.
//!
//! [`change`] makes and publishes node records, [`calendar`] tells what ends, [`doctor`] looks at the
//! node from inside and asks its peers, [`readiness`] answers those who ask every few seconds.

pub mod calendar;
pub mod certificate;
pub mod change;
pub mod doctor;
pub mod outside;
pub mod readiness;
mod reinstated;
pub mod restricted;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use feed::feeds::Feeds;
use feed::ports::Clock;
use network::KeyHistory;
use practice::node_record::{NodeKey, USES};
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;
use web::upkeep::{Unready, Upkeep, UpkeepError};
use wire::api::ProbeResult;
use wire::api::keys::{
    Calendar, DisownedLine, DoctorAnswer, Finding, FormerKey, KeyLine, KeysStatus,
    NodeRecordAnswer, NodeRecordRequest, PrepareAnswer, PrepareRequest, RecoveryLine,
    UnlockRequest,
};

use crate::keys::fingerprint;
use crate::keys::passphrase::Passphrase;
use crate::keys::ring::{Ring, Standing, in_use};
use crate::outward::Outward;
use crate::place::Place;

/// Keys are changed once a year, and when people leave.
pub const KEY_YEAR_S: u64 = 365 * 24 * 3_600;

/// How often the files of the secret are looked at: a day more or less does not matter to a former key.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// What may stand in the way of a node, in the order in which it is looked at.
pub const UNREADY: [&str; 4] = ["store", "disk", "keys", "clock"];

/// Who keeps the keys of one node.
pub struct Keeper {
    place: Place,
    feeds: Arc<Feeds>,
    outward: Arc<Outward>,
    clock: Arc<dyn Clock>,
    ring: Mutex<Ring>,
    /// One change of keys at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Keeper {
    /// Over an open node; takes into use the keys that its node record names.
    pub fn new(
        place: Place,
        feeds: Arc<Feeds>,
        outward: Arc<Outward>,
        clock: Arc<dyn Clock>,
        ring: Ring,
    ) -> Self {
        let changing = tokio::sync::Mutex::new(());
        let keeper = Self { place, feeds, outward, clock, ring: Mutex::new(ring), changing };
        match keeper.settle() {
            Err(error) => {
                tracing::error!(event = "keys.disorder", "the keys are not in order: {error:#}");
            }
            Ok(Standing::Open) => {}
            Ok(Standing::Locked) => tracing::warn!(
                event = "keys.locked",
                "the online secret is locked: this node serves and verifies, and does not publish; \
                 `jopoi keys unlock` opens it"
            ),
            Ok(Standing::Lost) => tracing::error!(
                event = "keys.lost",
                "no secret in {}/keys has the keys of the node record: this node serves and verifies, and \
                 does not publish; bring the secret back from a backup, or make a new one with `jopoi keys \
                 rotate --root FILE`",
                keeper.place.data.display()
            ),
        }
        keeper
    }

    /// Looks at the files once an hour, as long as a server runs: a former secret whose time is over is
    /// deleted.
    pub async fn keep_in_order(&self) {
        let mut hours = tokio::time::interval(LOOK_EVERY);
        loop {
            hours.tick().await;
            let _turn = self.changing.lock().await;
            if let Err(error) = self.settle() {
                tracing::error!(event = "keys.disorder", "the keys are not in order: {error:#}");
            }
        }
    }

    /// Puts the files in order and takes the keys of the node record in force into use.
    fn settle(&self) -> anyhow::Result<Standing> {
        // A node whose first feed is yet to begin.
        let Some(keys) = own_keys(&self.feeds) else { return Ok(Standing::Open) };
        let mut ring = self.ring();
        ring.settle(&keys, self.clock.now())?;
        self.feeds.set_signer(ring.signer(&keys, Arc::clone(&self.clock))?);
        Ok(keys.newest().map_or(Standing::Open, |newest| ring.standing(&newest.record)))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.place.data
    }

    fn node(&self) -> &NodeName {
        &self.place.node
    }

    fn recoveries(&self) -> Vec<RecoveryLine> {
        let lines = self.feeds.recoveries().into_iter().map(|recovery| RecoveryLine {
            node: recovery.node,
            new_root: recovery.new_root.to_did(),
            first_seen: recovery.first_seen,
            effective_at: recovery.effective_at,
            contested: recovery.contested,
        });
        lines.collect()
    }

    fn disowned(&self) -> Vec<DisownedLine> {
        let own = self.feeds.own().into_iter();
        let lines = own.flat_map(|origin| {
            let disowned = self.feeds.disowned(&origin).unwrap_or_default();
            disowned.into_iter().map(move |entry| DisownedLine {
                origin: origin.clone(),
                index: entry.index,
                id: entry.id.to_string(),
                kind: entry.kind.to_string(),
                version: entry.version,
            })
        });
        lines.collect()
    }

    fn status(&self) -> anyhow::Result<KeysStatus> {
        let keys = own_keys(&self.feeds).ok_or_else(|| anyhow::anyhow!("this node has no feed"))?;
        let newest =
            keys.newest().ok_or_else(|| anyhow::anyhow!("this node has no node record"))?;
        let record = &newest.record;
        let ring = self.ring();
        let state = match ring.standing(record) {
            Standing::Open => "open",
            Standing::Locked => "locked",
            Standing::Lost => "lost",
        };
        let former = ring.former(&keys).map(|(key, until)| FormerKey { key: key.to_did(), until });
        Ok(KeysStatus {
            node: self.node().clone(),
            version: record.version(),
            root: record.root.to_did(),
            root_fingerprint: fingerprint(&record.root),
            recovery: record.recovery.map(|key| key.to_did()),
            recovery_fingerprint: record.recovery.as_ref().map(fingerprint),
            keys: USES.iter().filter_map(|usage| key_line(&keys, usage)).collect(),
            state: state.to_owned(),
            encrypted: ring.is_encrypted(),
            open_step: ring.open_step(record),
            former,
            recoveries: self.recoveries(),
            disowned: self.disowned(),
        })
    }

    async fn open_with(&self, passphrase: &Passphrase) -> anyhow::Result<()> {
        let _turn = self.changing.lock().await;
        let (data, passphrase) = (self.place.data.clone(), passphrase.clone());
        // scrypt takes a while on purpose.
        let opened =
            tokio::task::spawn_blocking(move || Ring::open(&data, Some(&passphrase))).await??;
        *self.ring() = opened;
        self.settle()?;
        Ok(())
    }
}

#[async_trait]
impl Upkeep for Keeper {
    fn keys(&self) -> Result<KeysStatus, UpkeepError> {
        self.status().map_err(|error| failed(&error))
    }

    async fn prepare(&self, request: PrepareRequest) -> Result<PrepareAnswer, UpkeepError> {
        self.prepare_change(request).await.map_err(|error| refused(&error))
    }

    async fn publish(&self, request: NodeRecordRequest) -> Result<NodeRecordAnswer, UpkeepError> {
        self.publish_record(request).await.map_err(|error| refused(&error))
    }

    async fn unlock(&self, request: UnlockRequest) -> Result<KeysStatus, UpkeepError> {
        let passphrase = Passphrase::new(request.passphrase.0).map_err(|error| refused(&error))?;
        self.open_with(&passphrase).await.map_err(|error| refused(&error))?;
        self.keys()
    }

    fn calendar(&self) -> Calendar {
        self.dates()
    }

    fn look(&self) -> Vec<Finding> {
        let fine = [ProbeResult::Ok, ProbeResult::Skipped];
        self.at_a_glance().into_iter().filter(|finding| !fine.contains(&finding.result)).collect()
    }

    fn unready(&self) -> Vec<Unready> {
        self.in_the_way()
    }

    async fn doctor(&self) -> DoctorAnswer {
        self.examine().await
    }
}

/// The keys of this node: those of its feed with the newest node record.
pub fn own_keys(feeds: &Feeds) -> Option<Arc<KeyHistory>> {
    let views = feeds.own().into_iter().filter_map(|origin| feeds.view(&origin));
    let keys = views.map(|view| Arc::clone(&view.keys)).filter(|keys| keys.newest().is_some());
    keys.max_by_key(|keys| keys.newest().map(|keyed| keyed.record.version()))
}

fn key_line(keys: &KeyHistory, usage: &str) -> Option<KeyLine> {
    let NodeKey { generation, key, .. } = keys.newest()?.record.active(usage)?.clone();
    let (_, since): (PublicKey, u64) = in_use(keys, usage)?;
    Some(KeyLine {
        usage: usage.to_owned(),
        generation,
        key: key.to_did(),
        since,
        due: since.saturating_add(KEY_YEAR_S),
    })
}

fn refused(error: &anyhow::Error) -> UpkeepError {
    UpkeepError::Refused { reason: format!("{error:#}") }
}

fn failed(error: &anyhow::Error) -> UpkeepError {
    UpkeepError::Internal { reason: format!("{error:#}") }
}

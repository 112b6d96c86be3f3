//! What is known of a feed's cosigners: who has received it, how far, and when it was seen last.
//!
//! How lines come here, and what is checked before, is the business of [`exchange`](super::exchange).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use network::times;
use tlog::checkpoint::CHECKPOINT_LINES_MAX;
use tlog::hash::Hash;
use tlog::name::{KeyName, NodeName, Origin};
use tlog::note::NOTE_BYTES_MAX;
use tracing::warn;

use super::{Feeds, Handle, View};
use crate::advance::VerifiedFact;
use crate::cosignatures::{Cosignatures, Cosigned};
use crate::ports::{Fact, StoreError};
use crate::verify;

/// A cosigner signs again after this time, in seconds, even if nothing changed (design 6).
pub const RENEW_S: u64 = 8 * 3_600;

/// The newest line of one cosigner of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name of its key.
    pub cosigner: KeyName,
    /// The node that lists the key; none for a witness that the configuration names.
    pub node: Option<NodeName>,
    /// Entries of the feed that it has seen.
    pub size: u64,
    /// When it said so, in seconds since 1970.
    pub time: u64,
}

impl Receipt {
    /// The node that has received, verified and stored what it signed, and has erased as asked. A
    /// witness only says that it saw no fork.
    pub fn receiver(&self) -> Option<&NodeName> {
        self.node.as_ref().filter(|node| self.cosigner == KeyName::receipt_of(node))
    }
}

/// Who has received an entry, and who is yet to. By name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// They hold it, verified; a withdrawal they have carried out.
    pub received: Vec<NodeName>,
    /// No receipt of theirs covers it yet.
    pub waiting: Vec<NodeName>,
}

/// How fresh what is known of a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The median of the cosigners' newest times, in seconds since 1970; none without cosigners.
    pub median: Option<u64>,
    /// Whether that is more than 72 hours ago. Shown; it stops nothing.
    pub stale: bool,
}

/// A time that is not known exactly, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// When a wait that begins now begins.
    pub(super) latest: u64,
    /// The time that a wait has reached for certain.
    pub(super) surely: u64,
}

impl Feeds {
    /// The newest line of each cosigner of a feed whose key counts here, by key name.
    pub fn receipts(&self, origin: &Origin) -> Arc<Vec<Receipt>> {
        let Some(handle) = self.handle(origin) else { return Arc::default() };
        let (known, lines) = (self.cosigners(), handle.lines());
        let mut receipts: Vec<Receipt> = Vec::new();
        for line in lines.lines() {
            let Some(cosigner) = known.of(line.line()) else { continue };
            let receipt = Receipt {
                cosigner: line.name().clone(),
                node: cosigner.node.clone(),
                size: line.size(),
                time: line.time(),
            };
            receipts.push(receipt);
        }
        Arc::new(receipts)
    }

    /// The lines known for a feed, as they are served (`JPC1`).
    pub fn cosignatures(&self, origin: &Origin) -> Bytes {
        self.handle(origin).map(|handle| handle.lines()).unwrap_or_default().encode()
    }

    /// The median of the times at which the cosigners of a feed saw it last, each node once, in seconds
    /// since 1970. None if it has none.
    pub fn median_time(&self, origin: &Origin) -> Option<u64> {
        let now = self.parts.clock.now();
        let mut times: BTreeMap<String, u64> = BTreeMap::new();
        for receipt in self.receipts(origin).iter().filter(|one| !times::is_ahead(one.time, now)) {
            let who = receipt.node.as_ref().map_or(receipt.cosigner.as_str(), NodeName::as_str);
            let time = times.entry(who.to_owned()).or_default();
            *time = receipt.time.max(*time);
        }
        let times: Vec<u64> = times.into_values().collect();
        times::median(&times)
    }

    /// What time it is for somebody who waits for others to notice something in a feed: between the
    /// median of its cosigners, which is old after a sleep and jumps at waking, and our own clock, which
    /// one person can set.
    pub(super) fn moment(&self, origin: &Origin) -> Moment {
        let now = self.parts.clock.now();
        let median = self.median_time(origin).unwrap_or(now);
        Moment { latest: median.max(now), surely: median.min(now) }
    }

    /// How fresh what is known of a feed is.
    pub fn freshness(&self, origin: &Origin) -> Freshness {
        let median = self.median_time(origin);
        let now = self.parts.clock.now();
        // Without cosigners nothing is known, and a warning on every page would tell nothing.
        let stale = median.is_some() && times::is_stale(median, now);
        Freshness { median, stale }
    }

    /// Who has received the entry at `index`, of all who are expected to: the participants of the
    /// owner's networks, and whoever ever gave a receipt for this feed.
    pub fn delivery(&self, origin: &Origin, index: u64) -> Delivery {
        let receipts = self.receipts(origin);
        let of =
            |receipt: &Receipt| receipt.receiver().filter(|node| *node != origin.node()).cloned();
        let covers = |receipt: &&Receipt| receipt.size > index;
        let received: BTreeSet<NodeName> = receipts.iter().filter(covers).filter_map(of).collect();
        let mut expected: BTreeSet<NodeName> = receipts.iter().filter_map(of).collect();
        expected.extend(self.expected_receivers(origin));
        let waiting = expected.difference(&received).cloned().collect();
        Delivery { received: received.into_iter().collect(), waiting }
    }

    /// The nodes that take part in a network of the owner, but itself; of a restricted feed those that
    /// may read it.
    fn expected_receivers(&self, origin: &Origin) -> Vec<NodeName> {
        let networks = self.networks();
        let ours = networks.iter().filter(|network| network.is_participating(origin.node()));
        let nodes = ours.flat_map(|network| {
            let nodes = network.participants().map(|participant| participant.node.clone());
            nodes.filter(|node| network.is_participating(node)).collect::<Vec<_>>()
        });
        let mut nodes: Vec<NodeName> = nodes.collect();
        if origin.feed().is_restricted() {
            nodes.extend(self.pins().into_iter().map(|pin| pin.node));
            let view = self.view(origin);
            nodes.retain(|node| view.as_ref().is_some_and(|view| self.may_read(view, node)));
        }
        nodes.retain(|node| node != origin.node());
        nodes
    }

    /// Our own root at a smaller size, or at this one.
    pub(super) async fn root_at(&self, view: &View, size: u64) -> Option<Hash> {
        match size {
            0 => Some(Hash::EMPTY_ROOT),
            _ if size == view.size() => Some(view.root()),
            _ => self.own_prefix(view, size).await.map(|(root, _)| root),
        }
    }

    /// Stores lines that were checked. Runs to its end even if the caller goes away.
    pub(super) async fn keep_lines(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        lines: Vec<Cosigned>,
    ) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let (feeds, handle) = (Arc::clone(self), Arc::clone(handle));
        let work = async move {
            let _merging = handle.merging.lock().await;
            if handle.view.load().is_none() {
                return Ok(());
            }
            let mut all = Cosignatures::clone(&handle.lines());
            let mut changed = false;
            for line in lines {
                let (name, id, age) = (line.name().clone(), line.line().id, line.age());
                if all.insert(line) {
                    changed = true;
                    // A key that took the place of an older one speaks for it.
                    all.retain(|other| {
                        *other.name() != name || other.line().id == id || other.age() > age
                    });
                }
            }
            if !changed {
                return Ok(());
            }
            let fact = VerifiedFact::new(handle.origin.clone(), Fact::Cosignatures, all.encode());
            feeds.parts.store.keep(&fact).await?;
            handle.set_lines(all);
            feeds.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
            Ok(())
        };
        tokio::spawn(work).await.unwrap_or_else(|stopped| Err(super::witness::stopped(&stopped)))
    }

    /// Reads the lines of all feeds back. Those by keys that count are checked again: what rots on a
    /// disk must not poison a note.
    pub(super) async fn load_lines(&self) -> Result<(), StoreError> {
        let known = self.cosigners();
        for origin in self.origins() {
            let Some(handle) = self.handle(&origin) else { continue };
            let Some(bytes) = self.parts.store.fact(&origin, &Fact::Cosignatures).await? else {
                continue;
            };
            match Cosignatures::decode(&bytes) {
                Ok(mut lines) => {
                    lines.retain(|line| {
                        line.checkpoint().origin.as_str() == origin.as_str()
                            && known.of(line.line()).is_none_or(|by| line.verify(&by.key).is_ok())
                    });
                    handle.set_lines(lines);
                }
                Err(error) => {
                    warn!(event = "receipt.damaged", feed.origin = %origin, "the cosignatures of `{origin}` are damaged ({error}); they are collected anew");
                }
            }
        }
        Ok(())
    }

    /// The note of a view with the lines known over its very text: those of outside witnesses first,
    /// which strangers' policies name.
    pub(super) fn note_to_serve(&self, view: &View) -> Bytes {
        let Some(handle) = self.handle(&view.origin) else { return view.note.clone() };
        let Ok(mut note) = verify::read_note(&view.origin, &view.note) else {
            return view.note.clone();
        };
        let known = self.cosigners();
        let lines = handle.lines();
        let fits = |line: &&Cosigned| *line.checkpoint() == note.checkpoint;
        let mut fitting: Vec<&Cosigned> = lines.lines().iter().filter(fits).collect();
        fitting.retain(|line| known.of(line.line()).is_some());
        fitting.sort_by_key(|line| known.node_of(line).is_some());
        for line in fitting {
            let room = note.note.signatures.len() < CHECKPOINT_LINES_MAX
                && note.note.to_bytes().len() + line.line().to_string().len() < NOTE_BYTES_MAX;
            if !room || note.add(line.line().clone()).is_err() {
                break;
            }
        }
        note.note.to_bytes().into()
    }
}

impl Handle {
    /// The cosigner lines known for the feed.
    pub(super) fn lines(&self) -> Arc<Cosignatures> {
        Arc::clone(&self.lines.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_lines(&self, lines: Cosignatures) {
        *self.lines.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lines);
    }
}

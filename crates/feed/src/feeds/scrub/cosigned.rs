//! What our own keys cosigned, read back: each line by a key of ours, each size one that is accounted for.
//!
//! Nobody may put back an older state than the last one: a key would sign what contradicts it. So what rotted
//! is replaced by what this process read or wrote itself, and by nothing else; where it did neither, it is told,
//! and nothing is signed for that log. A file that is gone is made anew from our own lines among the feed's
//! cosignatures, which is more than is known to a witness that finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};

use super::{COSIGNED, Pace, Scrubbed};
use crate::cosignatures::{Cosignatures, Cosigned};
use crate::feeds::witness::{SIGNED_IS_LOST, newest_of};
use crate::feeds::{FeedState, Feeds, View};
use crate::ports::{KeyUse, Quiet};

/// The keys with which this node cosigns, or did.
type OwnKeys = BTreeMap<(KeyName, u32), VerifierKey>;

impl Feeds {
    /// Reads back what was cosigned last of every log.
    pub(super) async fn scrub_cosigned(self: &Arc<Self>, found: &mut Scrubbed, pace: &dyn Pace) {
        let mut places: BTreeSet<Hash> = match self.parts.store.witnessed_logs().await {
            Ok(logs) => logs.into_iter().collect(),
            Err(error) => {
                let why = format!("{error}; nothing was changed, and the next walk reads it again");
                return found.enter(None, "witness".to_owned(), Err(why));
            }
        };
        places.extend(self.cosigning.lock().await.keys());
        let (keys, mut feeds) = (self.own_cosigners(), BTreeMap::new());
        for origin in self.origins().into_iter().filter(|origin| origin.node() != self.node()) {
            let (place, lines) = (Hash::of(origin.as_str()), self.own_lines(&origin, &keys));
            if !lines.is_empty() {
                places.insert(place);
            }
            feeds.insert(place, (origin, lines));
        }
        for place in places {
            let feed = feeds.get(&place);
            let lines = feed.map_or(&[][..], |(_, lines)| lines);
            let read = self.scrub_cosigned_of(&place, feed.map(|(of, _)| of), &keys, found).await;
            let Some((signed, bytes)) = read else { continue };
            self.scrub_older(&place, &signed, lines, found).await;
            if let Some((origin, _)) = feed {
                self.scrub_received(origin, &signed, found).await;
            }
            pace.read(bytes).await;
        }
    }

    /// Reads back what was cosigned of one log: what it says, if that can be believed, and its bytes.
    async fn scrub_cosigned_of(
        &self,
        place: &Hash,
        origin: Option<&Origin>,
        keys: &OwnKeys,
        found: &mut Scrubbed,
    ) -> Option<(Cosignatures, usize)> {
        // Nothing is signed between reading and comparing.
        let mut known = self.cosigning.lock().await;
        let what = name(place);
        let read = match self.parts.store.witnessed(place).await {
            Ok(read) => read,
            Err(error) => {
                let why = format!("{error}; nothing was changed, and the next walk reads it again");
                found.enter(None, what, Err(why));
                return None;
            }
        };
        let length = read.as_ref().map_or(0, Bytes::len);
        found.read(COSIGNED, length);
        if let Some(kept) = known.get(place).filter(|kept| Some(*kept) != read.as_ref()) {
            let healed = self.parts.store.set_witnessed(place, kept.clone()).await;
            found.enter(None, what, healed.map_err(|error| error.to_string()));
            return Some((Cosignatures::decode(kept).ok()?, length));
        }
        let Some(bytes) = read else { return Some((Cosignatures::default(), 0)) };
        match self.cosigned_by_us(place, origin, &bytes, keys) {
            Ok(signed) => {
                known.insert(*place, bytes);
                Some((signed, length))
            }
            Err(why) => {
                found.enter(None, what, Err(format!("{why}; {SIGNED_IS_LOST}")));
                None
            }
        }
    }

    /// Our own lines among the cosignatures of a feed may be over more entries than what is on disk.
    async fn scrub_older(
        &self,
        place: &Hash,
        signed: &Cosignatures,
        lines: &[Cosigned],
        found: &mut Scrubbed,
    ) {
        let signed_to = |name| newest_of(signed, name).map_or(0, Cosigned::size);
        let newer: Vec<_> =
            lines.iter().filter(|line| line.size() > signed_to(line.name())).cloned().collect();
        if newer.is_empty() {
            return;
        }
        let mut healed = Ok(());
        for line in newer {
            healed = healed.and(self.recall(line).await.map_err(|error| error.to_string()));
        }
        found.enter(None, name(place), healed);
    }

    /// Whoever signed a receipt held all of it: a copy that is shorter has lost something, and those who
    /// have it too are asked.
    async fn scrub_received(
        self: &Arc<Self>,
        origin: &Origin,
        signed: &Cosignatures,
        found: &mut Scrubbed,
    ) {
        let receipt = newest_of(signed, &KeyName::receipt_of(self.node())).map(Cosigned::size);
        let held = || self.view(origin).map_or(0, |view| view.size());
        let is_open = self.view(origin).is_some_and(|view| view.state == FeedState::Open);
        let Some(received) = receipt.filter(|size| is_open && *size > held()) else { return };
        if self.settlement(origin).is_some() {
            // Another history was begun since, by decision.
            return;
        }
        let mut tried = "no mirror of it is known here".to_owned();
        for carrier in self.mirrors(origin) {
            let synced = self.sync_feed(&*carrier, origin, None, &Quiet).await;
            if held() >= received {
                return found.enter(Some(origin), "head".to_owned(), Ok(()));
            }
            tried = match synced {
                Ok(_) => format!("{} has no more either", carrier.describe()),
                Err(error) => format!("{}: {error}", carrier.describe()),
            };
        }
        let held = held();
        let why = format!("{received} entries were received once, and {held} are here: {tried}");
        found.enter(Some(origin), "head".to_owned(), Err(why));
    }

    /// Reads what was cosigned of a log. Every line must be by a key of ours, and of a feed that
    /// is held the line of its log by a key of it.
    fn cosigned_by_us(
        &self,
        place: &Hash,
        origin: Option<&Origin>,
        bytes: &[u8],
        keys: &OwnKeys,
    ) -> Result<Cosignatures, String> {
        let signed = Cosignatures::decode(bytes).map_err(|error| error.to_string())?;
        for line in signed.lines() {
            let log = &line.checkpoint().origin;
            if Hash::of(log.as_str()) != *place {
                return Err(format!("it is about another log, `{log}`"));
            }
            let by = keys.get(&(line.name().clone(), line.line().id));
            let by = by.ok_or_else(|| format!("a line of `{}` in it is not ours", line.name()))?;
            line.verify(by).map_err(|error| error.to_string())?;
            let note = line.log_note().map_err(|error| error.to_string())?;
            // The keys are those of the entries that are held: what is beyond them may be by a later one.
            let view = origin.and_then(|origin| self.view(origin));
            if let Some(view) = view.filter(|view| line.size() <= view.size())
                && !log_keys(&view).iter().any(|key| note.verify(key).is_ok())
            {
                return Err(format!("the signature of `{log}` in it is false"));
            }
        }
        Ok(signed)
    }

    /// The keys with which we cosign now, and those that our node records ever listed.
    fn own_cosigners(&self) -> OwnKeys {
        let node = self.node();
        let names = [
            (KeyUse::Witness, KeyName::witness_of(node)),
            (KeyUse::Receipt, KeyName::receipt_of(node)),
        ];
        let views: Vec<_> = self.own().iter().filter_map(|origin| self.view(origin)).collect();
        let mut keys = OwnKeys::new();
        for (key_use, name) in names {
            let records = views.iter().flat_map(|view| view.keys.records());
            let listed = records.flat_map(|keyed| &keyed.record.keys);
            let listed = listed.filter(|key| key.usage == key_use.as_str()).map(|key| key.key);
            for key in listed.chain(self.signer().public(key_use).ok()) {
                let key = VerifierKey::cosignature(name.clone(), key);
                keys.insert((key.name.clone(), key.id), key);
            }
        }
        keys
    }

    /// Our own lines among the cosignatures of a feed.
    fn own_lines(&self, origin: &Origin, keys: &OwnKeys) -> Vec<Cosigned> {
        let Some(handle) = self.handle(origin) else { return Vec::new() };
        let lines = handle.lines();
        let ours = |line: &&Cosigned| {
            let key = keys.get(&(line.name().clone(), line.line().id));
            key.is_some_and(|key| line.verify(key).is_ok())
        };
        lines.lines().iter().filter(ours).cloned().collect()
    }
}

/// The keys that ever signed a feed that is held.
fn log_keys(view: &View) -> Vec<VerifierKey> {
    let keys = view.keys.records().iter().flat_map(|keyed| &keyed.record.keys);
    let keys = keys.filter(|key| key.usage == KeyUse::Log.as_str());
    keys.map(|key| VerifierKey::note(KeyName::from(&view.origin), key.key)).collect()
}

/// How it is called on disk.
fn name(place: &Hash) -> String {
    format!("witness/{}", place.to_hex())
}

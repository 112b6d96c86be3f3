//! Folding a network: its records, the approvals in the committee's feeds and in the anchors, the times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use network::approval::{About, Evidence};
use network::file::NetworkFile;
use network::fold::{Decided, Network, committee_roots};
use practice::body::Body;
use practice::kind::Kind;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tracing::{error, warn};

use super::super::anchors::{self, Anchors};
use super::super::{BodyRead, Feeds, ReadError, View};
use super::Known;
use crate::advance::VerifiedFact;
use crate::bundle::BundleError;
use crate::ports::{Fact, StoreError};
use crate::row::{BodyState, Row, RowOp, Validity};

/// When a reinstated root was first seen, by network; JSON from entry to seconds since 1970.
const SEEN_PREFIX: &str = "seen/";

/// The records of which a network is made.
const KINDS: [Kind; 3] = [Kind::PARTICIPANT, Kind::GROUP, Kind::POLICY];

/// What was gathered of one network, so that little is read twice.
#[derive(Default)]
pub(super) struct Gathering {
    loaded: bool,
    /// Whether nothing is known to be missing in `anchors`: what lay on disk could be read.
    pub(super) whole: bool,
    records: BTreeMap<u64, Body>,
    pub(super) anchors: Anchors,
    /// Up to which entry each feed of the committee was looked through.
    looked: BTreeMap<Origin, u64>,
    seen: BTreeMap<u64, u64>,
    pub(super) anchors_asked: u64,
}

/// What became of approvals that were handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalsTaken {
    /// New here.
    pub new: u64,
    /// Known already.
    pub known: u64,
    /// Why others were not taken, in words.
    pub refused: Vec<String>,
}

/// Why approvals could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The file is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No such network is known here.
    #[error("the network `{origin}` is not known here: pin its file first")]
    Unknown {
        /// Its feed.
        origin: Origin,
    },
    /// The store did not take them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A network of which nothing but the file is known.
pub(super) fn nothing_yet(file: &NetworkFile, now: u64) -> Network {
    Network::fold(file, &[], &[], &|_| None, now)
}

impl Feeds {
    /// Takes approvals from a bundle: anchors, or a file that came by mail. Only those below a root of
    /// the network's file or policies are kept; they take effect at once.
    pub async fn take_approvals(
        self: &Arc<Self>,
        origin: &Origin,
        bundle: &Bytes,
    ) -> Result<ApprovalsTaken, ApprovalError> {
        let evidence = anchors::read(bundle)?;
        let known = self.known_networks().remove(origin);
        let known = known.ok_or_else(|| ApprovalError::Unknown { origin: origin.clone() })?;
        let mut all = self.networks.gathering.lock().await;
        let gathering = all.entry(origin.clone()).or_default();
        self.load(origin, gathering).await?;
        let roots = self.roots(&known.file, gathering);
        let taken = gathering.take(&known.fold, &evidence, &roots);
        if taken.new > 0 {
            self.keep_anchors(origin, gathering).await?;
            self.fold_from(&known, gathering).await?;
            drop(all);
            self.derive();
            self.tick();
        }
        Ok(ApprovalsTaken { new: taken.new, known: taken.known, refused: taken.refused })
    }

    /// The approvals of one version of a record, as a bundle for mail.
    pub async fn approvals_of(&self, origin: &Origin, body: &Hash) -> Vec<Evidence> {
        let all = self.networks.gathering.lock().await;
        all.get(origin).map(|gathering| gathering.anchors.evidence_of(body)).unwrap_or_default()
    }

    /// What proves that an attestation stands in a feed: complete in itself.
    pub async fn evidence(&self, origin: &Origin, index: u64) -> Result<Evidence, ReadError> {
        let BodyRead::Held(body) = self.entry(origin, index).await?.body else {
            return Err(ReadError::NotFound { what: format!("body at entry {index} of {origin}") });
        };
        let proof = self.proof(origin, index).await?;
        let view = self.known(origin)?;
        let record = view.keys.newest();
        let record = record
            .ok_or_else(|| ReadError::NotFound { what: format!("node record of {origin}") })?;
        Ok(Evidence { node_record: record.body.clone(), body, proof: Bytes::from(proof) })
    }

    /// Folds a network anew from what is held. A failure is logged: what was known stays.
    pub(super) async fn refold(self: &Arc<Self>, origin: &Origin) {
        let Some(known) = self.known_networks().remove(origin) else { return };
        let folded = {
            let mut all = self.networks.gathering.lock().await;
            let gathering = all.entry(origin.clone()).or_default();
            self.gather(&known, gathering).await
        };
        match folded {
            Ok(()) => self.derive(),
            Err(reason) => {
                error!(event = "network.not-folded", feed.origin = %origin, "the network `{origin}` stays as it was known: {reason}");
            }
        }
    }

    /// The roots that ever spoke in the public feeds held of a node.
    pub(super) fn roots_of_feeds(&self, node: &NodeName) -> BTreeSet<PublicKey> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        let views = handles.values().filter(|handle| handle.origin.node() == node);
        let views: Vec<_> = views.filter_map(|handle| handle.view.load_full()).collect();
        let records = views.iter().flat_map(|view| view.keys.records());
        records.map(|keyed| keyed.record.root).collect()
    }

    async fn gather(&self, known: &Known, gathering: &mut Gathering) -> Result<(), ApprovalError> {
        let origin = &known.file.origin;
        self.load(origin, gathering).await?;
        let roots = self.roots(&known.file, gathering);
        let mut evidence = Vec::new();
        for feed in self.origins().into_iter().filter(|feed| !feed.feed().is_restricted()) {
            if self.roots_of_feeds(feed.node()).is_disjoint(&roots) {
                continue;
            }
            let from = gathering.looked.get(&feed).copied().unwrap_or(0);
            let (found, to) = self.approvals_in(&feed, from, origin).await?;
            evidence.extend(found);
            gathering.looked.insert(feed, to);
        }
        let taken = gathering.take(&known.fold, &evidence, &roots);
        for why in taken.refused {
            warn!(event = "network.approval-refused", feed.origin = %origin, "an approval for `{origin}` does not count: {why}");
        }
        if taken.new > 0 {
            self.keep_anchors(origin, gathering).await?;
        }
        self.fold_from(known, gathering).await
    }

    /// Reads what is new: the records of the network's feed; once, the anchors and the times.
    async fn load(&self, origin: &Origin, gathering: &mut Gathering) -> Result<(), ApprovalError> {
        let held = self.rows_of_network(origin)?;
        gathering.records.retain(|index, body| held.get(index) == Some(&body.hash()));
        for (index, hash) in held {
            if gathering.records.contains_key(&index) {
                continue;
            }
            if let BodyRead::Held(bytes) = self.entry(origin, index).await?.body
                && let Ok(body) = Body::open(bytes)
                && body.hash() == hash
            {
                gathering.records.insert(index, body);
            }
        }
        if !gathering.loaded {
            (gathering.loaded, gathering.whole) = (true, true);
            gathering.seen = self.times_seen(origin).await?;
            if let Some(bytes) = self.parts.store.fact(origin, &Fact::Anchors).await? {
                let known = self.known_networks().remove(origin);
                match (anchors::read(&bytes), known) {
                    (Ok(evidence), Some(known)) => {
                        let roots = self.roots(&known.file, gathering);
                        gathering.take(&known.fold, &evidence, &roots);
                    }
                    (Err(reason), _) => {
                        gathering.whole = false;
                        warn!(event = "network.anchors-damaged", feed.origin = %origin, "the anchors of `{origin}` are gathered again: {reason}");
                    }
                    (Ok(_), None) => {}
                }
            }
        }
        Ok(())
    }

    /// The entries of a network's feed that can count, with the hashes of their bodies.
    fn rows_of_network(&self, origin: &Origin) -> Result<BTreeMap<u64, Hash>, ApprovalError> {
        let mut found = BTreeMap::new();
        let Some(view) = self.view(origin) else { return Ok(found) };
        for index in 0..view.size() {
            if let Some(hash) = self.held_publish(origin, index, &KINDS)? {
                found.insert(index, hash);
            }
        }
        Ok(found)
    }

    /// The body of a valid publish of one of these kinds, if it is held and holds.
    fn held_publish(
        &self,
        origin: &Origin,
        index: u64,
        kinds: &[Kind],
    ) -> Result<Option<Hash>, ReadError> {
        let row = self.parts.catalog.row(origin, index)?;
        let Some(Row {
            op: RowOp::Publish { kind, body, .. },
            validity: Validity::Valid,
            body: BodyState::Held,
        }) = row
        else {
            return Ok(None);
        };
        Ok(kinds.contains(&kind).then_some(body))
    }

    /// The approvals for a network among the entries of a feed from `from` on, and where it ends.
    async fn approvals_in(
        &self,
        feed: &Origin,
        from: u64,
        network: &Origin,
    ) -> Result<(Vec<Evidence>, u64), ApprovalError> {
        let Some(view) = self.view(feed) else { return Ok((Vec::new(), from)) };
        let from = if from > view.size() { 0 } else { from };
        let mut found = Vec::new();
        for index in from..view.size() {
            if self.held_publish(feed, index, &[Kind::ATTESTATION])?.is_none() {
                continue;
            }
            let BodyRead::Held(bytes) = self.entry(feed, index).await?.body else { continue };
            let Ok(body) = Body::open(bytes) else { continue };
            let subject = body.subject();
            let about = subject.get("about").and_then(About::parse);
            if about.is_some_and(|about| about.feed == *network)
                && is_proved_by_todays_record(&view, &body)
            {
                found.push(self.evidence(feed, index).await?);
            }
        }
        Ok((found, view.size()))
    }

    fn roots(&self, file: &NetworkFile, gathering: &Gathering) -> BTreeSet<PublicKey> {
        committee_roots(file, &decided(gathering))
    }

    async fn fold_from(
        &self,
        known: &Known,
        gathering: &mut Gathering,
    ) -> Result<(), ApprovalError> {
        let origin = &known.file.origin;
        self.note_times(origin, gathering).await?;
        let seen = gathering.seen.clone();
        let now = self.moment(origin).surely;
        let records = decided(gathering);
        let approvals = gathering.anchors.approvals();
        let fold = Network::fold(
            &known.file,
            &records,
            &approvals,
            &|index| seen.get(&index).copied(),
            now,
        );
        let mut all = self.networks.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(origin) {
            known.fold = Arc::new(fold);
            known.roots = committee_roots(&known.file, &records);
        }
        Ok(())
    }

    /// Writes down when reinstated roots were first seen: their seven days begin here.
    async fn note_times(
        &self,
        origin: &Origin,
        gathering: &mut Gathering,
    ) -> Result<(), StoreError> {
        let now = self.moment(origin).latest;
        let before = gathering.seen.clone();
        for (index, body) in &gathering.records {
            let reinstated =
                body.subject().get("reinstated").and_then(practice::json::Value::as_bool);
            if reinstated == Some(true) {
                let seen = gathering.seen.entry(*index).or_insert(now);
                // A clock that ran ahead and was set back must not stretch the wait.
                *seen = now.min(*seen);
            }
        }
        if gathering.seen != before {
            let bytes = serde_json::to_vec(&gathering.seen).unwrap_or_default();
            self.set_decision(&seen_name(origin), Some(bytes.into())).await?;
        }
        Ok(())
    }

    async fn times_seen(&self, origin: &Origin) -> Result<BTreeMap<u64, u64>, StoreError> {
        let name = seen_name(origin);
        let decisions = self.known_decisions().await;
        let found = decisions.into_iter().find(|(of, _)| *of == name);
        Ok(found.and_then(|(_, bytes)| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub(super) async fn keep_anchors(
        &self,
        origin: &Origin,
        gathering: &Gathering,
    ) -> Result<(), StoreError> {
        let bytes = gathering.anchors.to_bytes();
        self.parts.store.keep(&VerifiedFact::new(origin.clone(), Fact::Anchors, bytes)).await
    }
}

impl Gathering {
    /// Takes approvals; `fold` is the network as it was known before.
    fn take(
        &mut self,
        fold: &Network,
        evidence: &[Evidence],
        roots: &BTreeSet<PublicKey>,
    ) -> anchors::Taken {
        let bodies = |wanted: &dyn Fn(&Body) -> bool| {
            let bodies = self.records.values().filter(|body| wanted(body));
            bodies.map(Body::hash).collect()
        };
        let members = fold.policies().iter().flat_map(|policy| &policy.committee);
        let wanted = anchors::Wanted {
            bodies: bodies(&|_| true),
            policies: bodies(&|body| *body.kind() == Kind::POLICY),
            roots: members.map(|member| member.root).collect(),
        };
        self.anchors.take(fold.origin(), evidence, roots, &wanted)
    }
}

/// Whether the newest node record of a feed lists the key that proved an approval in it. After a change of
/// keys no evidence can be made anew: it comes with the network's anchors, from those who saw it in time.
fn is_proved_by_todays_record(view: &View, body: &Body) -> bool {
    let record = view.keys.newest().map(|keyed| &keyed.record);
    record.is_some_and(|record| record.keys.iter().any(|own| own.key == body.issuer_key()))
}

fn decided(gathering: &Gathering) -> Vec<Decided> {
    let records = gathering.records.iter();
    records.map(|(index, body)| Decided { index: *index, body: body.clone() }).collect()
}

fn seen_name(origin: &Origin) -> String {
    format!("{SEEN_PREFIX}{}", origin.node())
}

//! Anchors: the approvals behind the records of a network, each complete in itself, as one bundle.
//!
//! A node record, then the approvals that rest on it, each an attestation with its `.tlog-proof`.
//! Approvals are added and never taken away, so that whoever comes later can follow every decision from
//! the network file to today without the feeds of committees that are long gone.
//!
//! **Invariant:** every approval in [`Anchors`] was verified below a root that the network's file or one
//! of its policies names.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use network::approval::{About, Approval, Evidence, gather};
use practice::body::Body;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::bundle::{self, BundleError, Item, ItemKind};
use crate::statement::Said;

/// Approvals kept of one network: two members for each of six thousand decisions.
const APPROVALS_MAX: usize = 12_000;

/// Bytes of all of them, below what a bundle that is handled whole may have.
const BYTES_MAX: usize = 15 << 20;

/// What one member may fill of either: whoever wants more of it is not deciding.
const SHARE_OF_ALL: usize = 2;

/// The approvals of one network.
#[derive(Clone, Debug, Default)]
pub(super) struct Anchors {
    held: BTreeMap<(About, PublicKey), (Evidence, Approval)>,
    /// Node records, each counted once as it is written once.
    records: BTreeSet<Bytes>,
    bytes: usize,
    /// What is kept of each root: how many, and their bytes.
    shares: BTreeMap<PublicKey, (usize, usize)>,
}

/// Which approvals can count, as far as is known: what is kept where there is no room for all. Somebody
/// who sits on a committee, or was only proposed for one, can approve what does not exist without end.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The bodies of the network's records.
    pub(super) bodies: BTreeSet<Hash>,
    /// Those of them that propose a committee, which approves itself too.
    pub(super) policies: BTreeSet<Hash>,
    /// The roots of the committees in force and before.
    pub(super) roots: BTreeSet<PublicKey>,
}

impl Wanted {
    fn wants(&self, approval: &Approval) -> bool {
        let body = &approval.about.body;
        self.bodies.contains(body)
            && (self.roots.contains(&approval.root) || self.policies.contains(body))
    }
}

/// What became of evidence that was handed in.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// Approvals that are new.
    pub(super) new: u64,
    /// Approvals that were there.
    pub(super) known: u64,
    /// Why the others are none, in words.
    pub(super) refused: Vec<String>,
}

impl Anchors {
    /// Takes what holds of `evidence` below `roots`, and is about the feed of `network`.
    pub(super) fn take(
        &mut self,
        network: &Origin,
        evidence: &[Evidence],
        roots: &BTreeSet<PublicKey>,
        wanted: &Wanted,
    ) -> Taken {
        let mut taken = Taken::default();
        let fresh: Vec<Evidence> =
            evidence.iter().filter(|one| !self.holds(one)).cloned().collect();
        taken.known = (evidence.len() - fresh.len()) as u64;
        let gathered = gather(&fresh, roots);
        taken.refused = gathered.refused.iter().map(|(_, why)| why.to_string()).collect();
        let refused: BTreeSet<usize> = gathered.refused.iter().map(|(at, _)| *at).collect();
        let good = fresh.iter().enumerate().filter(|(at, _)| !refused.contains(at));
        // An approval is made from one of these; its entry tells from which.
        let by_body: BTreeMap<Hash, &Evidence> =
            good.map(|(_, one)| (Hash::of(&one.body), one)).collect();
        for approval in gathered.approvals {
            let body = Said::read(&approval.entry).body();
            let Some(one) = body.and_then(|hash| by_body.get(&hash)) else { continue };
            match self.keep(network, (*one).clone(), approval, wanted) {
                Ok(true) => taken.new += 1,
                Ok(false) => taken.known += 1,
                Err(why) => taken.refused.push(why),
            }
        }
        taken
    }

    /// All approvals, for the fold.
    pub(super) fn approvals(&self) -> Vec<Approval> {
        self.held.values().map(|(_, approval)| approval.clone()).collect()
    }

    /// The evidence of the approvals of one version of a record.
    pub(super) fn evidence_of(&self, body: &Hash) -> Vec<Evidence> {
        let of = self.held.iter().filter(|((about, _), _)| about.body == *body);
        of.map(|(_, (evidence, _))| evidence.clone()).collect()
    }

    /// How many of these approvals are not among `evidence`.
    pub(super) fn missing_in(&self, evidence: &[Evidence]) -> usize {
        let there: BTreeSet<&Bytes> = evidence.iter().map(|one| &one.body).collect();
        self.held.values().filter(|(one, _)| !there.contains(&one.body)).count()
    }

    /// The bundle.
    pub(super) fn to_bytes(&self) -> Bytes {
        let evidence: Vec<Evidence> = self.held.values().map(|(one, _)| one.clone()).collect();
        approvals_bundle(&evidence)
    }

    fn holds(&self, evidence: &Evidence) -> bool {
        self.held.values().any(|(held, _)| held.body == evidence.body)
    }

    fn keep(
        &mut self,
        network: &Origin,
        evidence: Evidence,
        approval: Approval,
        wanted: &Wanted,
    ) -> Result<bool, String> {
        if approval.about.feed != *network {
            return Err(format!(
                "`{}` approves a record of `{}`, not of `{network}`",
                approval.node, approval.about.feed
            ));
        }
        let key = (approval.about.clone(), approval.root);
        if self.held.contains_key(&key) {
            return Ok(false);
        }
        let (count, bytes) = self.shares.get(&approval.root).copied().unwrap_or_default();
        if count >= APPROVALS_MAX / SHARE_OF_ALL || bytes >= BYTES_MAX / SHARE_OF_ALL {
            return Err(format!("`{}` has approved more than is kept of one node", approval.node));
        }
        if !self.has_room(&evidence) && wanted.wants(&approval) {
            let held = std::mem::take(self).held;
            for (key, (evidence, one)) in held.into_iter().filter(|(_, (_, one))| wanted.wants(one))
            {
                self.insert(key, evidence, one);
            }
        }
        if !self.has_room(&evidence) {
            return Err(format!("`{network}` has more approvals than are kept"));
        }
        self.insert(key, evidence, approval);
        Ok(true)
    }

    fn has_room(&self, evidence: &Evidence) -> bool {
        self.held.len() < APPROVALS_MAX && self.bytes + self.new_bytes(evidence) <= BYTES_MAX
    }

    fn new_bytes(&self, evidence: &Evidence) -> usize {
        let record = &evidence.node_record;
        let record = if self.records.contains(record) { 0 } else { record.len() };
        record + evidence.body.len() + evidence.proof.len()
    }

    fn insert(&mut self, key: (About, PublicKey), evidence: Evidence, approval: Approval) {
        let bytes = self.new_bytes(&evidence);
        self.bytes += bytes;
        self.records.insert(evidence.node_record.clone());
        let share = self.shares.entry(approval.root).or_default();
        *share = (share.0 + 1, share.1 + bytes);
        self.held.insert(key, (evidence, approval));
    }
}

/// Approvals as a bundle, by the feeds they stand in; each node record once. What is no attestation is
/// left out.
pub fn approvals_bundle(all: &[Evidence]) -> Bytes {
    let mut by_record: BTreeMap<(Origin, &Bytes), Vec<&Evidence>> = BTreeMap::new();
    for evidence in all {
        let body = Body::open(evidence.body.clone()).ok();
        if let Some(origin) = body.and_then(|body| body.feed().cloned()) {
            by_record.entry((origin, &evidence.node_record)).or_default().push(evidence);
        }
    }
    let mut items = Vec::new();
    for ((origin, node_record), approvals) in by_record {
        let item = |kind, bytes| Item { kind, origin: origin.clone(), number: 0, bytes };
        items.push(item(ItemKind::NodeRecord, node_record.clone()));
        for one in approvals {
            let bytes = bundle::body_with_proof(&one.body, &one.proof);
            items.push(item(ItemKind::BodyWithProof, bytes));
        }
    }
    bundle::write(&items).into()
}

/// The approvals in a bundle: each rests on the node record of its feed that stands before it. Nothing
/// in them is verified.
pub(crate) fn read(bytes: &Bytes) -> Result<Vec<Evidence>, BundleError> {
    let mut records: BTreeMap<Origin, Bytes> = BTreeMap::new();
    let mut evidence = Vec::new();
    for item in bundle::read(bytes)? {
        match item.kind {
            ItemKind::NodeRecord => {
                records.insert(item.origin, item.bytes);
            }
            ItemKind::BodyWithProof => {
                let Some(node_record) = records.get(&item.origin).cloned() else { continue };
                let (body, proof) = bundle::split_body_with_proof(&item.bytes)?;
                evidence.push(Evidence { node_record, body, proof });
            }
            _ => {}
        }
    }
    Ok(evidence)
}

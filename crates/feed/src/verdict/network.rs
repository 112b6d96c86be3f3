//! The links of a network: its policies, and what it says of one node.

use std::collections::BTreeSet;

use bytes::Bytes;
use network::approval::gather;
use network::file::NetworkFile;
use network::fold::{Decided, Network, committee_roots};
use network::subject::{ParticipantSubject, Status};
use practice::body::Body;
use practice::node_record::{NodeRecord, USE_RECEIPT, USE_WITNESS};
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::PublicKey;
use tlog::key::{KeyKind, VerifierKey};
use tlog::name::{KeyName, NodeName};
use tlog::proof_file::TlogProof;

use super::{NetworkEvidence, Placed, check_signature, node_record, node_records};
use crate::feeds::read_approvals;

/// Records of a network in one piece of evidence: its policies, its node records, and those of one node.
const RECORDS_MAX: usize = 4_000;

/// A network, as far as it was judged.
pub(super) struct Judged {
    pub(super) file: NetworkFile,
    evidence: NetworkEvidence,
    checkpoint: Option<SignedCheckpoint>,
    network: Option<Network>,
}

impl NetworkEvidence {
    /// The same without records that nobody, or too few, approved: for whoever gathers evidence, since a
    /// record that waits is no reason to doubt what stands.
    #[must_use]
    pub fn decided_only(mut self) -> Self {
        let Ok(file) = NetworkFile::parse(&self.file) else { return self };
        let judged = Judged::new(file, &self);
        let index_of = |one: &Placed| Some(TlogProof::parse(&one.proof).ok()?.index);
        let decided: Vec<Decided> = self
            .records
            .iter()
            .filter(|one| kind_of(&one.body).is_some_and(|kind| kind != "node"))
            .filter_map(|one| {
                Some(Decided { index: index_of(one)?, body: Body::open(one.body.clone()).ok()? })
            })
            .collect();
        let Ok(network) = judged.fold(&decided) else { return self };
        let waiting = network.pending().iter().map(|one| one.index);
        let refused = network.refused().iter().map(|one| one.index);
        let without: BTreeSet<u64> = waiting.chain(refused).collect();
        self.records.retain(|one| index_of(one).is_none_or(|index| !without.contains(&index)));
        self
    }
}

impl Judged {
    pub(super) fn new(file: NetworkFile, evidence: &NetworkEvidence) -> Self {
        Self { file, evidence: evidence.clone(), checkpoint: None, network: None }
    }

    /// The policies: the network's node, its log, and that each was approved.
    pub(super) fn policy(&mut self) -> Result<String, String> {
        if self.evidence.records.len() > RECORDS_MAX {
            return Err(format!("there are {} records", self.evidence.records.len()));
        }
        let checkpoint = self.log()?;
        let decided = self.decided(&checkpoint, "policy")?;
        let network = self.fold(&decided)?;
        if let Some(pending) = network.pending_policy() {
            return Err(format!(
                "the policy at entry {} is approved by {} nodes, and {} more are needed",
                pending.index,
                pending.approved_by.len(),
                pending.needed
            ));
        }
        let refused = network.refused().first();
        if let Some(refused) = refused {
            return Err(format!(
                "the policy at entry {} cannot count: {}",
                refused.index, refused.reason
            ));
        }
        let policy = network.policy().ok_or("there is no policy")?;
        let from = match policy.index {
            Some(index) => format!("by the policy at entry {index}"),
            None => "by the network file".to_owned(),
        };
        let found = format!(
            "{} of {} committee nodes decide, {from} ({} entries of `{}`)",
            policy.threshold,
            policy.committee.len(),
            checkpoint.checkpoint.size,
            self.file.origin
        );
        self.checkpoint = Some(checkpoint);
        Ok(found)
    }

    /// What the network says of a node: its root, and the words.
    pub(super) fn participant(&mut self, node: &NodeName) -> Result<(PublicKey, String), String> {
        let checkpoint = self.checkpoint.clone().ok_or("there is no checkpoint of the network")?;
        let mut decided = self.decided(&checkpoint, "policy")?;
        let own = self.decided(&checkpoint, "participant")?;
        let about_others = own.iter().any(|one| {
            ParticipantSubject::from_body(&one.body).is_ok_and(|subject| subject.node != *node)
        });
        if about_others {
            return Err(format!("a participant record is not of `{node}`"));
        }
        decided.extend(own);
        decided.sort_by_key(|one| one.index);
        let network = self.fold(&decided)?;
        let waiting = network.pending().iter().find(|one| one.node.as_ref() == Some(node));
        if let Some(waiting) = waiting {
            return Err(format!(
                "the participant record at entry {} is approved by {} nodes, and {} more are needed",
                waiting.index,
                waiting.approved_by.len(),
                waiting.needed
            ));
        }
        if let Some(refused) = network.refused().first() {
            return Err(format!(
                "the record at entry {} cannot count: {}",
                refused.index, refused.reason
            ));
        }
        let found = network.participant(node);
        let found =
            found.ok_or_else(|| format!("`{node}` is no participant of `{}`", self.file.origin))?;
        let mut words = match found.status {
            Status::Participating => format!("`{node}` takes part since entry {}", found.since),
            Status::Paused => format!("the participation of `{node}` is paused"),
            Status::Ended => format!("`{node}` took part until entry {}", found.index),
        };
        if !found.reinstated.is_empty() {
            words.push_str("; its root was put in place by the committee itself");
        }
        words.push_str(&format!(", with the root {}", found.root.to_did()));
        let root = found.root;
        self.network = Some(network);
        Ok((root, words))
    }

    /// Keys whose lines count: those of the participants that are known, and of the policy.
    pub(super) fn cosigners(&self) -> Vec<VerifierKey> {
        let Some(network) = &self.network else { return Vec::new() };
        let mut keys = Vec::new();
        for participant in network.participants() {
            let active = |usage: &str| participant.record.active(usage).map(|key| key.key);
            let receipt = active(USE_RECEIPT)
                .map(|key| VerifierKey::cosignature(KeyName::receipt_of(&participant.node), key));
            let witness = active(USE_WITNESS)
                .map(|key| VerifierKey::cosignature(KeyName::witness_of(&participant.node), key));
            keys.extend(receipt.into_iter().chain(witness));
        }
        let policy = network.policy().map(|policy| &policy.cosigners);
        let witnesses = policy.into_iter().chain([&self.file.policy]);
        let witnesses = witnesses.flat_map(tlog::policy::Policy::witnesses);
        keys.extend(
            witnesses
                .map(|witness| witness.key.clone())
                .filter(|key| key.kind == KeyKind::Cosignature),
        );
        keys
    }

    /// The checkpoint of the network's log to which everything is proved, signed by the key in force.
    fn log(&self) -> Result<SignedCheckpoint, String> {
        let records: Vec<Placed> = self.of_kind("node");
        let vouched = |record: &NodeRecord| self.file.vouches_for(record);
        let all: Result<Vec<_>, String> =
            records.iter().map(|one| node_record(&one.body)).collect();
        let own = all?.into_iter().filter(vouched).max_by_key(|record| record.version());
        let own = own.ok_or("no node record in it is of the network that the file names")?;
        let keys = node_records::fold(self.file.origin.node(), own.root, &records)?;
        let first = records.first().ok_or("there is no node record of the network")?;
        let proof = TlogProof::parse(&first.proof).map_err(|error| error.to_string())?;
        if proof.checkpoint.checkpoint.origin.as_str() != self.file.origin.as_str() {
            return Err(format!("its checkpoint is of `{}`", proof.checkpoint.checkpoint.origin));
        }
        check_signature(&self.file.origin, &proof.checkpoint, &keys)?;
        node_records::check_places(&records, &proof.checkpoint)?;
        Ok(proof.checkpoint)
    }

    fn decided(&self, checkpoint: &SignedCheckpoint, kind: &str) -> Result<Vec<Decided>, String> {
        let of_kind = self.of_kind(kind);
        let mut decided = Vec::with_capacity(of_kind.len());
        for one in &of_kind {
            let (index, body) = node_records::check_place(one, checkpoint)?;
            decided.push(Decided { index, body });
        }
        decided.sort_by_key(|one| one.index);
        Ok(decided)
    }

    fn fold(&self, decided: &[Decided]) -> Result<Network, String> {
        let roots = committee_roots(&self.file, decided);
        let evidence = read_approvals(&self.evidence.anchors).map_err(|error| error.to_string())?;
        let gathered = gather(&evidence, &roots);
        // Offline nobody knows when a record was first seen; that a committee put a root in place is told.
        Ok(Network::fold(&self.file, decided, &gathered.approvals, &|_| Some(0), u64::MAX))
    }

    /// The records of a kind; those that cannot be read count as policies, so that they are named.
    fn of_kind(&self, kind: &str) -> Vec<Placed> {
        let records = self.evidence.records.iter();
        records
            .filter(|one| kind_of(&one.body).as_deref().unwrap_or("policy") == kind)
            .cloned()
            .collect()
    }
}

fn kind_of(body: &Bytes) -> Option<String> {
    match Body::open(body.clone()) {
        Ok(body) => Some(body.kind().as_str().to_owned()),
        // What cannot be read is still named by the link that it was brought for.
        Err(_) => {
            let says = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
            says(b"\"Participant\"").then(|| "participant".to_owned())
        }
    }
}

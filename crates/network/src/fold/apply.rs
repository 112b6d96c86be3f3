//! What the approved records come to: participants, their roots, groups.

use std::sync::Arc;

use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;

use super::{Conflict, Group, Network, Participant, Proposal, Subject};
use crate::subject::{ParticipantSubject, Participation};
use crate::times;

/// When entries were first seen, and what time it is.
struct Clock<'a> {
    times: &'a dyn Fn(u64) -> Option<u64>,
    now: u64,
}

/// How a record that names another root than the bound one is to be taken.
enum NewRoot {
    /// The old root or the recovery key says so.
    Proved,
    /// The committee says so, and the time is over.
    Reinstated,
    /// The committee says so, and takes effect then.
    Waiting(Option<u64>),
    /// The committee said so and named the old root again in time.
    TakenBack,
    /// Nobody who could says so.
    Claimed,
}

impl Network {
    pub(super) fn apply(
        &mut self,
        passed: &[Proposal],
        times: &dyn Fn(u64) -> Option<u64>,
        now: u64,
    ) {
        let clock = Clock { times, now };
        for (place, proposal) in passed.iter().enumerate() {
            let later = passed.get(place + 1..).unwrap_or_default();
            match &proposal.subject {
                Subject::Participant(said) => {
                    self.apply_participant(proposal, said, later, &clock);
                }
                Subject::Group(subject) => {
                    let (id, version) = (proposal.body.id(), proposal.body.version());
                    let subject = subject.clone();
                    let index = proposal.index;
                    self.groups.insert(id, Group { id, version, index, subject });
                }
                Subject::Policy(_) => {}
            }
        }
        self.link_successions();
        self.pending.sort_by_key(|pending| pending.index);
        self.refused.sort_by_key(|refused| refused.index);
    }

    fn apply_participant(
        &mut self,
        proposal: &Proposal,
        said: &Participation,
        later: &[Proposal],
        clock: &Clock<'_>,
    ) {
        let Participation { subject, record, .. } = said;
        let Some(bound) = self.participants.get(&subject.node) else {
            match record {
                Some(record) => self.bind_first(proposal, subject, Arc::clone(record)),
                None => {
                    let reason = "the first record of a node must hold its `node_record`";
                    self.refuse(proposal.index, &proposal.body, reason.to_owned());
                }
            }
            return;
        };
        let mut updated = bound.clone();
        if let Some(record) = record {
            if record.root != bound.root {
                match new_root(bound, proposal.index, said, record.root, later, clock) {
                    NewRoot::Proved => {}
                    NewRoot::Reinstated => updated.reinstated.push(proposal.index),
                    NewRoot::Waiting(at) => return self.pending.push(proposal.waiting(at)),
                    NewRoot::TakenBack => return,
                    NewRoot::Claimed => {
                        let (index, node) = (proposal.index, subject.node.clone());
                        let (held, claimed) = (bound.root, record.root);
                        return self.conflicts.push(Conflict::Root { index, node, held, claimed });
                    }
                }
                updated.former.push(bound.root);
                updated.root = record.root;
                updated.record = Arc::clone(record);
            } else if record.id() != bound.record.id() || record.version() >= bound.record.version()
            {
                updated.record = Arc::clone(record);
            }
            self.bind_keys(proposal.index, record);
        }
        state(&mut updated, proposal, subject);
        self.participants.insert(subject.node.clone(), updated);
    }

    fn bind_first(
        &mut self,
        proposal: &Proposal,
        subject: &ParticipantSubject,
        record: Arc<NodeRecord>,
    ) {
        self.bind_keys(proposal.index, &record);
        let mut participant = Participant {
            node: subject.node.clone(),
            status: subject.status,
            status_reason: None,
            root: record.root,
            former: Vec::new(),
            record,
            id: proposal.body.id(),
            version: proposal.body.version(),
            index: proposal.index,
            since: proposal.index,
            reinstated: Vec::new(),
            succeeds: None,
            succeeded_by: None,
        };
        state(&mut participant, proposal, subject);
        self.participants.insert(subject.node.clone(), participant);
    }

    /// Each key belongs to the node that listed it first. The recovery key has proved nothing, so anybody
    /// can list any key as theirs: it binds nothing.
    fn bind_keys(&mut self, index: u64, record: &NodeRecord) {
        for key in record.keys.iter().map(|key| key.key).chain([record.root]) {
            let holder = self.holders.entry(key).or_insert_with(|| record.node.clone());
            if *holder != record.node {
                let (holder, node) = (holder.clone(), record.node.clone());
                self.conflicts.push(Conflict::Key { index, key, holder, node });
            }
        }
    }

    fn link_successions(&mut self) {
        let links: Vec<_> = self
            .participants
            .values()
            .filter_map(|one| Some((one.since, one.succeeds.clone()?, one.node.clone())))
            .collect();
        // By name, so that the first by name stands where two claim the same.
        for (_, earlier, later) in links {
            if let Some(earlier) = self.participants.get_mut(&earlier) {
                earlier.succeeded_by.get_or_insert(later);
            }
        }
    }
}

fn state(participant: &mut Participant, proposal: &Proposal, subject: &ParticipantSubject) {
    participant.status = subject.status;
    participant.status_reason.clone_from(&subject.status_reason);
    participant.id = proposal.body.id();
    participant.version = proposal.body.version();
    participant.index = proposal.index;
    if subject.succeeds.is_some() {
        participant.succeeds.clone_from(&subject.succeeds);
    }
}

fn new_root(
    bound: &Participant,
    index: u64,
    said: &Participation,
    root: PublicKey,
    later: &[Proposal],
    clock: &Clock<'_>,
) -> NewRoot {
    let proof = said.succession.as_ref().filter(|proof| proof.root == root);
    let by_old = |proof: &Arc<NodeRecord>| {
        let signer = proof.body().issuer_key();
        signer == bound.root || Some(signer) == bound.record.recovery
    };
    if proof.is_some_and(by_old) {
        return NewRoot::Proved;
    }
    if !said.subject.reinstated {
        return NewRoot::Claimed;
    }
    let Some(ends) = (clock.times)(index).map(times::reinstatement_ends) else {
        return NewRoot::Waiting(None);
    };
    let names_old_root = |later: &&Proposal| match &later.subject {
        Subject::Participant(one) if one.subject.node == said.subject.node => {
            one.record.as_ref().is_some_and(|record| record.root == bound.root)
        }
        _ => false,
    };
    let in_time = |later: &Proposal| (clock.times)(later.index).is_some_and(|seen| seen < ends);
    if later.iter().filter(names_old_root).any(in_time) {
        NewRoot::TakenBack
    } else if ends <= clock.now {
        NewRoot::Reinstated
    } else {
        NewRoot::Waiting(Some(ends))
    }
}

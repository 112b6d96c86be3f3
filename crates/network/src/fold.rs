//! A network today: what its records and the approvals of its committee come to (design 6).
//!
//! A record at an index is judged by the policy in force below that index: the highest effective one, and
//! before the first the roots of the network file. A policy needs the threshold of its own committee
//! besides, so nobody can be put on a committee unasked, nor take a network over.
//!
//! **Invariant:** the same file, records, approvals, times and now give the same network, in whatever
//! order they were handed in; a record without enough approvals, or one that contradicts what is bound
//! already, changes nothing and is shown.

mod apply;
mod ballot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

use crate::approval::Approval;
use crate::file::NetworkFile;
use crate::subject::{GroupSubject, Participation, PolicySubject, Status};

/// A valid publish of a `participant`, `group` or `policy` record in the network's feed, whose body is
/// held. Withdrawing one changes what is shown, not what was decided, so withdrawn ones are handed in too.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Where its entry stands.
    pub index: u64,
    /// The record.
    pub body: Body,
}

/// A network, folded.
#[derive(Clone, Debug)]
pub struct Network {
    origin: Origin,
    policies: Vec<Policy>,
    participants: BTreeMap<NodeName, Participant>,
    groups: BTreeMap<RecordId, Group>,
    pending: Vec<Pending>,
    conflicts: Vec<Conflict>,
    refused: Vec<Refused>,
    effective: BTreeSet<u64>,
    holders: BTreeMap<PublicKey, NodeName>,
}

/// Somebody who decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The node; a network file names roots alone.
    pub node: Option<NodeName>,
    /// Its root.
    pub root: PublicKey,
}

/// Who decides, and who witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Where its entry stands; the network file has none.
    pub index: Option<u64>,
    /// Who decides.
    pub committee: Vec<Member>,
    /// How many of them must approve.
    pub threshold: usize,
    /// Whose cosignatures make the quorum.
    pub cosigners: tlog::policy::Policy,
}

/// A node that takes part, or did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Participant {
    /// The node.
    pub node: NodeName,
    /// Where it stands.
    pub status: Status,
    /// Why, as a code of the vocabulary `participation-reasons`.
    pub status_reason: Option<String>,
    /// The root that speaks for it.
    pub root: PublicKey,
    /// Earlier roots, oldest first.
    pub former: Vec<PublicKey>,
    /// The newest of its node records that the network embeds.
    pub record: Arc<NodeRecord>,
    /// The participant record in force.
    pub id: RecordId,
    /// Its version.
    pub version: u64,
    /// Where its entry stands.
    pub index: u64,
    /// Where the entry stands that made it a participant.
    pub since: u64,
    /// Entries by which the committee itself put another root in place of a lost one. Shown for ever.
    pub reinstated: Vec<u64>,
    /// The node it took the place of.
    pub succeeds: Option<NodeName>,
    /// The node that took its place.
    pub succeeded_by: Option<NodeName>,
}

impl Participant {
    /// Whether its feeds are followed: not after its participation has ended.
    pub fn is_followed(&self) -> bool {
        self.status != Status::Ended
    }
}

/// Participants that share a feed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Its record.
    pub id: RecordId,
    /// The record's version.
    pub version: u64,
    /// Where its entry stands.
    pub index: u64,
    /// What it says.
    pub subject: GroupSubject,
}

/// A record that has no effect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// Where its entry stands.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its version.
    pub version: u64,
    /// The hash of its body.
    pub body: Hash,
    /// When it was proposed, as its author says: `YYYY-MM-DDTHH:MM:SSZ`.
    pub proposed: String,
    /// The node that a `participant` record is about.
    pub node: Option<NodeName>,
    /// Which committee nodes have approved exactly this version.
    pub approved_by: Vec<NodeName>,
    /// Which have not.
    pub missing: Vec<Member>,
    /// How many of the missing must still approve, at least.
    pub needed: usize,
    /// When enough have approved a reinstatement: when it takes effect, in seconds since 1970, unless the
    /// network names the old root again before; `None` too as long as nobody knows when it was first seen.
    pub effective_at: Option<u64>,
    /// Whether something later was decided in its place, or a newer version waits too. It can still take
    /// effect, at its own index, so it is shown as long as it can.
    pub superseded: bool,
}

/// What contradicts an earlier decision; the earlier one holds. Shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A record names another root for a node, without a proof by the old one.
    Root {
        /// Where its entry stands.
        index: u64,
        /// The node.
        node: NodeName,
        /// The root that holds.
        held: PublicKey,
        /// The other one.
        claimed: PublicKey,
    },
    /// A node lists a key that another has bound earlier.
    Key {
        /// Where the later record stands.
        index: u64,
        /// The key.
        key: PublicKey,
        /// Whose key it stays.
        holder: NodeName,
        /// Who lists it too.
        node: NodeName,
    },
}

/// A record of the network that cannot take effect, whoever approves it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Where its entry stands.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Why, for the operator of the network.
    pub reason: String,
    /// Whether a newer record took its place, whatever became of that one: then nobody need act.
    pub replaced: bool,
}

impl Network {
    /// Folds the records of a network.
    ///
    /// `times` says when the entry at an index was first seen: the median time of the cosigners then, in
    /// seconds since 1970; `now` is today's. `approvals` may hold any, several times, of other networks too.
    pub fn fold(
        file: &NetworkFile,
        records: &[Decided],
        approvals: &[Approval],
        times: &dyn Fn(u64) -> Option<u64>,
        now: u64,
    ) -> Self {
        let mut network = Self {
            origin: file.origin.clone(),
            policies: vec![Policy::of_file(file)],
            participants: BTreeMap::new(),
            groups: BTreeMap::new(),
            pending: Vec::new(),
            conflicts: Vec::new(),
            refused: Vec::new(),
            effective: BTreeSet::new(),
            holders: BTreeMap::new(),
        };
        let proposals = network.read(records);
        let passed = network.judge(proposals, approvals);
        network.apply(&passed, times, now);
        network.mark_replaced(records);
        network
    }

    /// The network's feed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The policy by which the next record will be judged.
    pub fn policy(&self) -> Option<&Policy> {
        self.policies.last()
    }

    /// All effective policies, the network file's first.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy that judges the record at `index`.
    pub fn policy_at(&self, index: u64) -> Option<&Policy> {
        let below = |policy: &&Policy| policy.index.is_none_or(|own| own < index);
        self.policies.iter().rfind(below)
    }

    /// All nodes that take part or did, by name.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    /// What the network says of `node`.
    pub fn participant(&self, node: &NodeName) -> Option<&Participant> {
        self.participants.get(node)
    }

    /// Whether `node` takes part today.
    pub fn is_participating(&self, node: &NodeName) -> bool {
        self.participant(node).is_some_and(|one| one.status == Status::Participating)
    }

    /// All groups, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The group of this record.
    pub fn group(&self, id: &RecordId) -> Option<&Group> {
        self.groups.get(id)
    }

    /// Whether `node` is in the group and takes part today.
    pub fn in_group(&self, id: &RecordId, node: &NodeName) -> bool {
        self.is_participating(node)
            && self.group(id).is_some_and(|group| group.subject.members.contains(node))
    }

    /// What waits for approvals or for its time, by index.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// A policy that waits. Until it is decided, or another one is, nothing else should be proposed: what
    /// stands above it will be judged by its committee once it takes effect.
    pub fn pending_policy(&self) -> Option<&Pending> {
        self.pending.iter().find(|pending| pending.kind == Kind::POLICY && !pending.superseded)
    }

    /// What contradicts an earlier decision, by index.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Records that cannot take effect, by index.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Whether the record at `index` has been approved by all who must. It may still wait for its time, or
    /// contradict an earlier one.
    pub fn is_approved(&self, index: u64) -> bool {
        self.effective.contains(&index)
    }

    /// The node that bound `key` first, as its root or in its node record; a quorum counts it for no other.
    pub fn holder(&self, key: &PublicKey) -> Option<&NodeName> {
        self.holders.get(key)
    }
}

impl Policy {
    fn of_file(file: &NetworkFile) -> Self {
        let member = |root: &PublicKey| Member { node: None, root: *root };
        Self {
            index: None,
            committee: file.roots.iter().map(member).collect(),
            threshold: file.threshold,
            cosigners: file.policy.clone(),
        }
    }
}

/// Every root whose approvals may count in the network: those of the file and of all its policies, the
/// pending ones too. For [`gather`](crate::approval::gather).
pub fn committee_roots(file: &NetworkFile, records: &[Decided]) -> BTreeSet<PublicKey> {
    let policies = records.iter().filter_map(|one| PolicySubject::from_body(&one.body).ok());
    let named = policies.flat_map(|policy| policy.committee.into_iter().map(|one| one.root));
    file.roots.iter().copied().chain(named).collect()
}

/// What a record proposes.
enum Subject {
    Participant(Box<Participation>),
    Group(GroupSubject),
    Policy(Policy),
}

/// A record that could take effect.
struct Proposal {
    index: u64,
    body: Body,
    subject: Subject,
}

//! What is counted of other nodes: rounds that failed, and why; bytes; how long rounds take.
//!
//! Only what happens and leaves no trace in the state is counted here. How a node stands is told by
//! [`Peers::status`](crate::follow::Peers::status).
//!
//! **Invariant:** however many nodes there are, at most [`NODES_MAX`] have lines of their own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feed::feeds::SyncError;
use feed::ports::{CarrierError, StoreError};
use feed::verify::VerifyError;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tlog::name::NodeName;

/// Nodes that are told apart: more than twice the States there are.
pub const NODES_MAX: usize = 512;

/// The name under which all other nodes are counted together. No node is called so: it has no dot.
pub const OTHERS: &str = "others";

/// Seconds, from one small answer nearby to a first copy over a bad line.
const ROUND_BUCKETS: [f64; 12] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0];

/// What is counted for one node of this process. Copies count together.
#[derive(Clone, Debug)]
pub struct Tally {
    failures: Family<Failed, Counter>,
    refusals: Family<Refused, Counter>,
    bytes: Family<Carried, Counter>,
    rounds: Histogram,
    /// The nodes with lines of their own.
    named: Arc<Mutex<BTreeSet<NodeName>>>,
}

/// The bytes of the exchanges with one node: contents, without headers.
#[derive(Clone, Debug)]
pub(crate) struct Exchanged {
    pub(crate) received: Counter,
    pub(crate) sent: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    peer: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Carried {
    peer: String,
    direction: &'static str,
}

impl Default for Tally {
    fn default() -> Self {
        let refusals = Family::<Refused, Counter>::default();
        // They begin at 0, so that the first one is a change.
        for why in Why::ALL.into_iter().filter(|why| why.is_refusal()) {
            drop(refusals.get_or_create(&Refused { reason: why.as_str() }));
        }
        Self {
            failures: Family::default(),
            refusals,
            bytes: Family::default(),
            rounds: Histogram::new(ROUND_BUCKETS),
            named: Arc::default(),
        }
    }
}

impl Tally {
    /// Puts everything counted here into what is exported.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("peer_failures", "Rounds with a node that failed", self.failures.clone());
        registry.register(
            "verify_failures",
            "Rounds in which something was sent that did not verify; it was not stored",
            self.refusals.clone(),
        );
        registry.register_with_unit(
            "sync",
            "Contents exchanged with a node that is followed, without headers",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register_with_unit(
            "sync_duration",
            "How long rounds took, what was waited for news apart",
            Unit::Seconds,
            self.rounds.clone(),
        );
    }

    /// A round failed. `refused` says that something did not verify.
    pub(crate) fn failed(&self, node: &NodeName, why: Why) {
        self.failures.get_or_create(&Failed { peer: self.label(node), reason: why.as_str() }).inc();
        if why.is_refusal() {
            self.refusals.get_or_create(&Refused { reason: why.as_str() }).inc();
        }
    }

    /// A round is over that had something to do for so long.
    pub(crate) fn took(&self, time: Duration) {
        self.rounds.observe(time.as_secs_f64());
    }

    /// Where the bytes of a node are counted.
    pub(crate) fn bytes(&self, node: &NodeName) -> Exchanged {
        let of = |direction| Carried { peer: self.label(node), direction };
        Exchanged {
            received: self.bytes.get_or_create_owned(&of("received")),
            sent: self.bytes.get_or_create_owned(&of("sent")),
        }
    }

    /// Drops the lines of a node that is no longer followed.
    pub(crate) fn forget(&self, node: &NodeName) {
        if !self.named().remove(node) {
            return;
        }
        for reason in Why::ALL.map(Why::as_str) {
            self.failures.remove(&Failed { peer: node.to_string(), reason });
        }
        for direction in ["received", "sent"] {
            self.bytes.remove(&Carried { peer: node.to_string(), direction });
        }
    }

    /// The name under which a node is counted.
    fn label(&self, node: &NodeName) -> String {
        let mut named = self.named();
        if named.contains(node) || named.len() < NODES_MAX {
            named.insert(node.clone());
            return node.to_string();
        }
        OTHERS.to_owned()
    }

    fn named(&self) -> std::sync::MutexGuard<'_, BTreeSet<NodeName>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a round failed, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No address, refused, a time-out, a broken certificate.
    Unreachable,
    /// An answer broke off, and what came is kept.
    Interrupted,
    /// It says it has no such thing.
    Absent,
    /// It answered something that is no answer.
    Improper,
    /// A signature that does not hold, or a key that is not of this node.
    Signature,
    /// Entries that are not those that were signed.
    Entries,
    /// Bytes that have not the form of what was asked.
    Form,
    /// Fewer entries than it showed before.
    Rollback,
    /// Two histories, proven or not.
    Fork,
    /// The copy waits for an operator.
    Held,
    /// Our own disk, catalog or configuration.
    Here,
    /// What is free on our own disk is kept for what we publish ourselves.
    NoRoom,
}

impl Why {
    const ALL: [Self; 12] = [
        Self::Unreachable,
        Self::Interrupted,
        Self::Absent,
        Self::Improper,
        Self::Signature,
        Self::Entries,
        Self::Form,
        Self::Rollback,
        Self::Fork,
        Self::Held,
        Self::Here,
        Self::NoRoom,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Absent => "absent",
            Self::Improper => "improper",
            Self::Signature => "signature",
            Self::Entries => "entries",
            Self::Form => "form",
            Self::Rollback => "rollback",
            Self::Fork => "fork",
            Self::Held => "held",
            Self::Here => "here",
            Self::NoRoom => "no-room",
        }
    }

    /// Whether something was sent that does not verify.
    fn is_refusal(self) -> bool {
        use Why::{Entries, Fork, Form, Rollback, Signature};
        matches!(self, Signature | Entries | Form | Rollback | Fork)
    }
}

impl From<&CarrierError> for Why {
    fn from(error: &CarrierError) -> Self {
        match error {
            CarrierError::NotFound { .. } => Self::Absent,
            CarrierError::Improper { .. } => Self::Improper,
            CarrierError::Interrupted { .. } => Self::Interrupted,
            CarrierError::Unreachable { .. } | CarrierError::Busy { .. } => Self::Unreachable,
        }
    }
}

impl From<&SyncError> for Why {
    fn from(error: &SyncError) -> Self {
        match error {
            SyncError::Carrier(error) => Self::from(error),
            SyncError::Invalid(error) => Self::from(error),
            SyncError::NodeRecord { .. } => Self::Form,
            SyncError::Rollback { .. } => Self::Rollback,
            SyncError::Fork { .. } | SyncError::Unproven { .. } => Self::Fork,
            SyncError::Held { .. } => Self::Held,
            SyncError::Empty { .. } => Self::Absent,
            SyncError::Store(StoreError::Reserved { .. }) => Self::NoRoom,
            SyncError::NotPinned { .. }
            | SyncError::Network(_)
            | SyncError::Stopped { .. }
            | SyncError::Store(_)
            | SyncError::Catalog(_)
            | SyncError::Read(_)
            | SyncError::Open(_) => Self::Here,
        }
    }
}

impl From<&VerifyError> for Why {
    fn from(error: &VerifyError) -> Self {
        match error {
            VerifyError::Signature { .. }
            | VerifyError::ForeignLine { .. }
            | VerifyError::NoKey { .. }
            | VerifyError::Key(_) => Self::Signature,
            VerifyError::Root { .. }
            | VerifyError::Segment { .. }
            | VerifyError::Differs { .. }
            | VerifyError::Gap { .. }
            | VerifyError::Size { .. }
            | VerifyError::NothingNew { .. } => Self::Entries,
            VerifyError::Head(_)
            | VerifyError::Block(_)
            | VerifyError::TailTooLarge
            | VerifyError::Note { .. }
            | VerifyError::OtherFeed { .. }
            | VerifyError::NoNodeRecord => Self::Form,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(tally: &Tally) -> String {
        let mut registry = Registry::with_prefix("jopoi");
        tally.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    fn node(number: usize) -> NodeName {
        NodeName::parse(&format!("n{number}.example")).unwrap()
    }

    #[test]
    fn what_does_not_verify_is_counted_twice_and_what_cannot_be_reached_once() {
        let tally = Tally::default();
        tally.failed(&node(1), Why::Unreachable);
        tally.failed(&node(1), Why::Signature);
        tally.bytes(&node(1)).received.inc_by(7);
        let text = exported(&tally);
        for line in [
            "jopoi_peer_failures_total{peer=\"n1.example\",reason=\"unreachable\"} 1",
            "jopoi_peer_failures_total{peer=\"n1.example\",reason=\"signature\"} 1",
            "jopoi_verify_failures_total{reason=\"signature\"} 1",
            "jopoi_sync_bytes_total{peer=\"n1.example\",direction=\"received\"} 7",
        ] {
            assert!(text.contains(line), "`{line}` is missing in:\n{text}");
        }
        assert!(!text.contains("jopoi_verify_failures_total{reason=\"unreachable\"}"));
    }

    #[test]
    fn more_nodes_than_are_told_apart_are_counted_together() {
        let tally = Tally::default();
        for number in 0..NODES_MAX + 3 {
            tally.failed(&node(number), Why::Absent);
        }
        let text = exported(&tally);
        let line = "jopoi_peer_failures_total{peer=\"others\",reason=\"absent\"} 3";
        assert!(text.contains(line), "{text}");
        let lines = text.lines().filter(|line| line.starts_with("jopoi_peer_failures_total"));
        assert_eq!(lines.count(), NODES_MAX + 1);
    }

    #[test]
    fn a_node_that_is_no_longer_followed_leaves_its_place_to_another() {
        let tally = Tally::default();
        tally.failed(&node(1), Why::Absent);
        tally.forget(&node(1));
        assert!(!exported(&tally).contains("n1.example"));
    }
}

//! Keys by index: which keys spoke for a node at an index of its feed (design 4.5, 4.7).
//!
//! A feed explains itself to whoever holds the root key: entry 0 is a node record, and each later
//! version of it stands in the feed too. What counts at an index is decided by the node records
//! below that index, never by a date; how a root gives way to another is the [`walk`].
//!
//! **Invariant:** every record in a [`KeyHistory`] is valid alone, has the id of entry 0, a version
//! above all earlier statements of that id, and was signed by the root in force there.

mod disowning;
mod roots;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use practice::body::Body;
use practice::id::RecordId;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::name::{NodeName, Origin};

pub use disowning::Disowning;
pub use roots::{Roots, Standing};
use walk::Walk;

/// Bytes of the node records of one feed that are kept, which all who hold it have in memory: thousands of
/// usual ones, where an honest node writes a few in a year.
pub const RECORDS_BYTES_MAX: usize = 8 << 20;

/// The node records of one feed, by index.
#[derive(Clone, Debug)]
pub struct KeyHistory {
    node: NodeName,
    roots: Roots,
    id: Option<RecordId>,
    highest_version: u64,
    /// All that are valid alone, until they lead to the pinned root.
    unrooted: Vec<Keyed>,
    /// Of the bodies of all that are kept.
    bytes: usize,
    walk: Walk,
    feed_records: disowning::FeedRecords,
}

/// A node record and where it stands.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// Index of its entry.
    pub index: u64,
    /// What it says.
    pub record: Arc<NodeRecord>,
    /// Its bytes, the same in every feed of the node.
    pub body: Bytes,
}

impl KeyHistory {
    /// No records yet; `root` is the key that was pinned for `node`.
    pub fn new(node: NodeName, root: PublicKey) -> Self {
        Self::of(node, Roots::pinned(root))
    }

    /// No records yet; `roots` is what the reader holds of `node`.
    pub fn of(node: NodeName, roots: Roots) -> Self {
        Self {
            node,
            roots,
            id: None,
            highest_version: 0,
            unrooted: Vec::new(),
            bytes: 0,
            walk: Walk::default(),
            feed_records: disowning::FeedRecords::default(),
        }
    }

    /// What the reader holds of the node.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The root in force at the newest size; before the first record, the pinned one.
    pub fn root(&self) -> Option<PublicKey> {
        self.newest().map(|keyed| keyed.record.root).or(self.roots.root())
    }

    /// The root in force, where the pinned one handed its place on to it: the pin moves there.
    pub fn handed_on(&self) -> Option<PublicKey> {
        let root = self.newest()?.record.root;
        let moved = self.walk.is_of_pinned() && self.roots.root().is_some_and(|held| held != root);
        moved.then_some(root)
    }

    /// Takes note of a publish of kind `node` at `index`; call it for each, in order.
    ///
    /// A record that does not count (another id, a version not above the earlier ones, a body that
    /// breaks a rule, a root that is not in force) changes no key. Whether the records lead to the
    /// pinned root is known when all are there: [`vouched`](Self::vouched).
    ///
    /// # Errors
    /// When entry 0 is no valid node record of this node, or when the body of a record that may
    /// count is absent: without it nobody can say which keys follow.
    pub fn observe(
        &mut self,
        index: u64,
        id: RecordId,
        version: u64,
        body: Option<&Bytes>,
    ) -> Result<(), KeyError> {
        if index == 0 {
            self.id = Some(id);
        } else if self.id != Some(id) || version <= self.highest_version {
            return Ok(());
        }
        self.highest_version = version;
        let body = body.ok_or(KeyError::Absent { index })?;
        // Bytes of its own: as a part of its segment it would keep all of that in memory for as long as it counts.
        let body = Bytes::copy_from_slice(body);
        match self.check(id, version, &body) {
            Ok(record) => {
                let record = Arc::new(record);
                self.take(Keyed { index, record, body })
            }
            Err(reason) if index == 0 => Err(self.first_entry(reason)),
            Err(_) => Ok(()),
        }
    }

    fn take(&mut self, keyed: Keyed) -> Result<(), KeyError> {
        let (index, bytes, before) = (keyed.index, keyed.body.len(), self.records().len());
        self.walk.step(&self.roots, &keyed);
        let is_rooted = self.walk.is_rooted();
        if !is_rooted || self.records().len() > before {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        if self.bytes > RECORDS_BYTES_MAX {
            return Err(KeyError::TooMany { index });
        }
        if is_rooted {
            self.unrooted = Vec::new();
            return Ok(());
        }
        let arrives = Some(keyed.record.body().issuer_key()) == self.roots.root();
        self.unrooted.push(keyed);
        if arrives {
            // Who holds the pinned root vouches for what stands before its first record.
            let walk = Walk::arriving(&self.roots, &self.unrooted);
            if walk.is_rooted() {
                (self.walk, self.unrooted) = (walk, Vec::new());
            }
        }
        Ok(())
    }

    /// Requires that the records lead to a root that the reader holds; asked when all entries up to
    /// a signed checkpoint are there.
    pub fn vouched(&self) -> Result<(), KeyError> {
        if self.walk.is_vouched(&self.roots) {
            return Ok(());
        }
        let signer = self.newest().map(|keyed| keyed.record.body().issuer_key().to_did());
        let (signer, pinned) = (signer.unwrap_or_default(), self.roots.root());
        let pinned = pinned.map(|root| root.to_did()).unwrap_or_default();
        Err(self.first_entry(format!("it is signed by {signer}, and {pinned} was pinned")))
    }

    fn first_entry(&self, reason: String) -> KeyError {
        KeyError::FirstEntry { node: self.node.clone(), reason }
    }

    /// Whether `body` is a node record of this node that is valid alone; the reason if not.
    pub fn check(&self, id: RecordId, version: u64, body: &Bytes) -> Result<NodeRecord, String> {
        let body = Body::open(body.clone()).map_err(|error| error.to_string())?;
        if body.id() != id || body.version() != version || body.kind().as_str() != "node" {
            return Err("the document is of another id, version or kind than its entry".to_owned());
        }
        valid_alone(&body, &self.node)
    }

    /// Takes note of a publish of kind `feed` at `index`: what a restricted feed says of its keys.
    pub fn observe_feed(&mut self, index: u64, id: RecordId, version: u64, body: Option<&Bytes>) {
        let root = self.in_force(index).map(|keyed| keyed.record.root);
        self.feed_records.observe(index, id, version, body, root);
    }

    /// What counts no more in `origin`, as its own records say and as `newest`, a node record
    /// learnt elsewhere, says if it is newer.
    pub fn disowning(&self, origin: &Origin, newest: Option<&NodeRecord>) -> Disowning {
        let held = self.newest().map(|keyed| keyed.record.as_ref());
        let newest = newest
            .filter(|other| held.is_none_or(|held| other.version() > held.version()))
            .or(held);
        self.feed_records.disowning(origin, newest)
    }

    /// The node record in force at `index`: the newest one below it.
    pub fn in_force(&self, index: u64) -> Option<&Keyed> {
        let below = self.records().partition_point(|keyed| keyed.index < index);
        self.records().get(below.checked_sub(1)?)
    }

    /// The newest record of all.
    pub fn newest(&self) -> Option<&Keyed> {
        self.records().last()
    }

    /// The root that spoke for the node at `index`.
    pub fn root_at(&self, index: u64) -> Option<PublicKey> {
        Some(self.in_force(index)?.record.root)
    }

    /// The key whose signature makes a checkpoint of `size` entries count.
    pub fn log_key(&self, size: u64) -> Option<PublicKey> {
        Some(self.in_force(size)?.record.active("log")?.key)
    }

    /// The key that proves the record at `index`.
    pub fn record_key(&self, index: u64) -> Option<PublicKey> {
        Some(self.in_force(index)?.record.active("record")?.key)
    }

    /// The id of the node record, once entry 0 was seen.
    pub fn id(&self) -> Option<RecordId> {
        self.id
    }

    /// The highest version of the node record that any entry states, valid or not.
    pub fn highest_version(&self) -> u64 {
        self.highest_version
    }

    /// All records that count, by index.
    pub fn records(&self) -> &[Keyed] {
        self.walk.records()
    }

    /// Node records in the log by which a recovery key announced a root that is not in force, by
    /// index; those that a later root made pointless are left out.
    pub fn announcements(&self) -> &[Keyed] {
        self.walk.announcements()
    }

    /// The newest record in the log by which the root in force objects to an announced one.
    pub fn objection(&self) -> Option<&Keyed> {
        self.walk.objection()
    }

    /// From here on, records of `root` above a version are objections: a recovery was announced.
    pub fn freeze(&mut self, frozen: Option<(PublicKey, u64)>) {
        self.roots.frozen = frozen;
    }

    /// What a node record that is valid alone is to whoever holds this log.
    pub fn standing(&self, record: &NodeRecord) -> Standing {
        self.walk.standing(&self.roots, record)
    }

    /// Whether a body of kind `node` that stands at `index` is one that keys come from, or may come
    /// from after a recovery.
    pub fn is_of_lineage(&self, index: u64) -> bool {
        let found = |all: &[Keyed]| all.binary_search_by_key(&index, |keyed| keyed.index).is_ok();
        let objects = self.objection().is_some_and(|keyed| keyed.index == index);
        found(self.records()) || found(self.announcements()) || objects
    }
}

/// Reads a node record that is valid alone and speaks for `node`; the reason if there is none.
pub fn valid_alone(body: &Body, node: &NodeName) -> Result<NodeRecord, String> {
    let record = NodeRecord::from_body(body).map_err(|error| error.to_string())?;
    if record.node != *node || body.node() != node {
        return Err(format!("it speaks for `{}`", record.node));
    }
    Ok(record)
}

/// Reads the node record of `node` from a body and requires that `root` signed it.
pub fn read_node_record(
    body: &Body,
    node: &NodeName,
    root: PublicKey,
) -> Result<NodeRecord, String> {
    let record = valid_alone(body, node)?;
    if body.issuer_key() != root {
        return Err(format!(
            "it is signed by {}, and {} was pinned",
            body.issuer_key().to_did(),
            root.to_did()
        ));
    }
    Ok(record)
}

/// Why a feed's keys cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Entry 0 does not count.
    #[error(
        "the first entry is no node record of `{node}` by the root that was pinned: {reason}; \
             if the mechanism has a new root, confirm it with them and `follow` again with `--root`"
    )]
    FirstEntry {
        /// The node.
        node: NodeName,
        /// The rule it breaks.
        reason: String,
    },
    /// More than anybody keeps in memory.
    #[error(
        "with the node record at entry {index} the feed has more than 8 MiB of them, and no more are taken: \
         its node goes on in a new feed"
    )]
    TooMany {
        /// Its entry.
        index: u64,
    },
    /// A node record's body is not there.
    #[error("the node record at entry {index} was not delivered; another source may have it")]
    Absent {
        /// Its entry.
        index: u64,
    },
}

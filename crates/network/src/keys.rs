//! Keys by index: which keys spoke for a node at an index of its feed (design 4.5, 4.7).
//!
//! A feed explains itself to whoever holds the root key: entry 0 is the node record signed by that
//! root, and each later version of it stands in the feed too. What counts at an index is decided by
//! the node records below that index, never by a date.
//!
//! **Invariant:** every record in a [`KeyHistory`] was signed by its root, has the id of entry 0 and
//! a version above all earlier statements of that id.

use std::sync::Arc;

use bytes::Bytes;
use practice::body::Body;
use practice::id::RecordId;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

/// The node records of one feed, by index.
#[derive(Clone, Debug)]
pub struct KeyHistory {
    node: NodeName,
    root: PublicKey,
    id: Option<RecordId>,
    highest_version: u64,
    records: Vec<Keyed>,
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
        Self { node, root, id: None, highest_version: 0, records: Vec::new() }
    }

    /// The root that must sign every record.
    pub fn root(&self) -> PublicKey {
        self.root
    }

    /// Takes note of a publish of kind `node` at `index`; call it for each, in order.
    ///
    /// A record that does not count (another id, a version not above the earlier ones, a body that
    /// breaks a rule) changes no key; entry 0 must count.
    ///
    /// # Errors
    /// When entry 0 is no valid node record of this node by the pinned root, or when the body of a
    /// record that may count is absent: without it nobody can say which keys follow.
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
        match self.check(id, version, body) {
            Ok(record) => {
                let record = Arc::new(record);
                self.records.push(Keyed { index, record, body: body.clone() });
                Ok(())
            }
            Err(reason) if index == 0 => {
                Err(KeyError::FirstEntry { node: self.node.clone(), reason })
            }
            Err(_) => Ok(()),
        }
    }

    /// Whether `body` is a node record that this root signed for this node; the reason if not.
    pub fn check(&self, id: RecordId, version: u64, body: &Bytes) -> Result<NodeRecord, String> {
        let body = Body::open(body.clone()).map_err(|error| error.to_string())?;
        if body.id() != id || body.version() != version || body.kind().as_str() != "node" {
            return Err("the document is of another id, version or kind than its entry".to_owned());
        }
        read_node_record(&body, &self.node, self.root)
    }

    /// The node record in force at `index`: the newest one below it.
    pub fn in_force(&self, index: u64) -> Option<&Keyed> {
        let below = self.records.partition_point(|keyed| keyed.index < index);
        self.records.get(below.checked_sub(1)?)
    }

    /// The newest record of all.
    pub fn newest(&self) -> Option<&Keyed> {
        self.records.last()
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

    /// All records that count, by index.
    pub fn records(&self) -> &[Keyed] {
        &self.records
    }
}

/// Reads the node record of `node` from a body and requires that `root` signed it.
pub fn read_node_record(
    body: &Body,
    node: &NodeName,
    root: PublicKey,
) -> Result<NodeRecord, String> {
    let record = NodeRecord::from_body(body).map_err(|error| error.to_string())?;
    if body.issuer_key() != root || record.root != root {
        return Err(format!(
            "it is signed by {}, and {} was pinned",
            body.issuer_key().to_did(),
            root.to_did()
        ));
    }
    if record.node != *node || body.node() != node {
        return Err(format!("it speaks for `{}`", record.node));
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
    /// A node record's body is not there.
    #[error("the node record at entry {index} was not delivered; another source may have it")]
    Absent {
        /// Its entry.
        index: u64,
    },
}

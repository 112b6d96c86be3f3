//! What counts no more in a feed: from a size on, what a revoked key proved, and everything that
//! stands beyond the point where the feed continues elsewhere. Nothing is truncated.

use bytes::Bytes;
use practice::body::Body;
use practice::id::RecordId;
use practice::node_record::{Continuation, LIST_MAX, NodeRecord, Revocation};
use serde::Deserialize;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, Origin};

/// What counts no more in one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disowning {
    revoked: Vec<(PublicKey, u64)>,
    continued: Option<Continuation>,
}

impl Disowning {
    /// Whether a body that `key` proved at `index` counts no more.
    pub fn covers(&self, index: u64, key: &PublicKey) -> bool {
        self.continued.as_ref().is_some_and(|goes_on| index >= goes_on.size)
            || self.revoked.iter().any(|(revoked, size)| revoked == key && index >= *size)
    }

    /// Nothing in this copy counts: it is another branch than the one that goes on.
    pub fn disown_all(&mut self) {
        if let Some(goes_on) = &mut self.continued {
            goes_on.size = 0;
        }
    }

    /// Whether nothing in this copy counts.
    pub fn is_all(&self) -> bool {
        self.continued.as_ref().is_some_and(|goes_on| goes_on.size == 0)
    }

    /// Whether a checkpoint of `size` by `key` shows nothing any more: the key was revoked before.
    pub fn revokes(&self, key: &PublicKey, size: u64) -> bool {
        self.revoked.iter().any(|(revoked, from)| revoked == key && size > *from)
    }

    /// Whether a key was revoked in this feed, from whatever size on.
    pub fn is_revoked(&self, key: &PublicKey) -> bool {
        self.revoked.iter().any(|(revoked, _)| revoked == key)
    }

    /// Where the feed goes on.
    pub fn continued(&self) -> Option<&Continuation> {
        self.continued.as_ref()
    }

    /// The first entry that something may disown; `None` if nothing does.
    pub fn first(&self) -> Option<u64> {
        let sizes = self.revoked.iter().map(|(_, size)| *size);
        sizes.chain(self.continued.as_ref().map(|goes_on| goes_on.size)).min()
    }

    /// A line that is the same exactly for what disowns the same; empty if nothing is disowned.
    pub fn line(&self) -> String {
        let revoked = self.revoked.iter().map(|(key, size)| format!("{} {size};", key.to_did()));
        let continued = self.continued.iter().map(|goes_on| format!("continued {};", goes_on.size));
        revoked.chain(continued).collect()
    }
}

/// The later versions of a restricted feed's `feed` record, signed by the root.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedRecords {
    id: Option<RecordId>,
    highest_version: u64,
    newest: Option<Said>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    continues: Vec<Continuation>,
    #[serde(default)]
    revoked: Vec<Revocation>,
}

impl FeedRecords {
    /// Entry 1 gives the id; its later versions count if the root in force signed them.
    pub(super) fn observe(
        &mut self,
        index: u64,
        id: RecordId,
        version: u64,
        body: Option<&Bytes>,
        root: Option<PublicKey>,
    ) {
        if index == 1 {
            self.id = Some(id);
        }
        if self.id != Some(id) || version <= self.highest_version {
            return;
        }
        self.highest_version = version;
        let said = body.filter(|_| index > 1).and_then(|bytes| {
            let body = Body::open(bytes.clone()).ok()?;
            let of_root = Some(body.issuer_key()) == root && body.verify().is_ok();
            let as_said = body.id() == id && body.version() == version;
            let said: Said = serde_json::from_slice(body.subject_bytes()).ok()?;
            let bounded = said.continues.len() <= LIST_MAX && said.revoked.len() <= LIST_MAX;
            (of_root && as_said && bounded).then_some(said)
        });
        self.newest = said.or(self.newest.take());
    }

    /// Of a restricted feed its own record speaks, of any other the node record.
    pub(super) fn disowning(&self, origin: &Origin, node: Option<&NodeRecord>) -> Disowning {
        let feed = origin.feed();
        match (feed.is_restricted(), &self.newest, node) {
            (true, Some(said), _) => of_feed(feed, &said.revoked, &said.continues),
            (false, _, Some(node)) => of_feed(feed, &node.revoked, &node.continues),
            _ => Disowning::default(),
        }
    }
}

fn of_feed(feed: &FeedName, revoked: &[Revocation], continues: &[Continuation]) -> Disowning {
    let of_feed = revoked.iter().filter(|revocation| revocation.feed == *feed);
    let mut revoked: Vec<(PublicKey, u64)> =
        of_feed.map(|revocation| (revocation.key, revocation.size)).collect();
    revoked.sort_unstable_by_key(|(key, size)| (key.to_did(), *size));
    revoked.dedup();
    let continued = continues.iter().find(|goes_on| goes_on.of == *feed && goes_on.feed != *feed);
    Disowning { revoked, continued: continued.cloned() }
}

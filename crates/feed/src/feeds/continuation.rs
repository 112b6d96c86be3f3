//! What its owner disowns: what a revoked key proved from a size on, and what stands beyond the
//! point from which a feed goes on under another name. Nothing is truncated; the catalog of the feed
//! is made anew, and says which entries count no more.

use std::sync::Arc;

use bytes::Bytes;
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{Continuation, NodeRecord};
use serde_json::Value;
use tlog::name::{FeedName, NodeName, Origin};
use tracing::warn;

use super::audience::prepared;
use super::{FeedState, Feeds, Handle, OpenError, PublishError, Published, ReadError, View};
use crate::ports::CatalogError;
use crate::row::{BodyState, Row, RowOp};

/// An entry that counts no more: its key was revoked, or its feed continues elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disowned {
    /// The entry.
    pub index: u64,
    /// Its record.
    pub id: RecordId,
    /// The record's kind.
    pub kind: Kind,
    /// The version it published.
    pub version: u64,
}

/// What a restricted feed says of itself, for its next version.
#[derive(Clone, Debug)]
pub struct FeedRecord {
    /// The record.
    pub id: RecordId,
    /// The highest version that stands in the feed, whether it counts or not.
    pub highest_version: u64,
    /// What the newest version that counts says: the first one, or a later one that the root signed.
    pub subject: Value,
}

impl Feeds {
    /// The `feed` record of a restricted feed.
    pub async fn feed_record(&self, origin: &Origin) -> Result<FeedRecord, ReadError> {
        let view = self.known(origin)?;
        let nothing = || ReadError::UnknownFeed { origin: origin.clone() };
        let first = Body::open(self.item(&view, 1).await?.body.ok_or_else(nothing)?);
        let first = first.ok().filter(|body| body.kind() == &Kind::FEED).ok_or_else(nothing)?;
        let mut record = FeedRecord {
            id: first.id(),
            highest_version: first.version(),
            subject: first.subject().clone(),
        };
        for (index, row) in self.parts.catalog.rows_of(origin, &record.id)? {
            let RowOp::Publish { version, .. } = row.op else { continue };
            let is_later = index > 1 && version > record.highest_version;
            record.highest_version = record.highest_version.max(version);
            let body = if is_later { self.item(&view, index).await?.body } else { None };
            let body = body.and_then(|bytes| Body::open(bytes).ok());
            let by_root = |body: &Body| view.keys.root_at(index) == Some(body.issuer_key());
            if let Some(body) = body.filter(by_root) {
                record.subject = body.subject().clone();
            }
        }
        Ok(record)
    }

    /// Publishes a later version of the `feed` record of one of our restricted feeds, signed by the
    /// root: which keys count no more there, and where it goes on (design 4.5).
    ///
    /// # Errors
    /// When it is of no restricted feed of ours, is no newer version of its record, or the root did not
    /// sign it.
    pub async fn publish_feed_record(
        self: &Arc<Self>,
        bytes: Bytes,
    ) -> Result<Published, PublishError> {
        let refused = |reason: &str| PublishError::Body { reason: reason.to_owned() };
        let body = Body::open(bytes).map_err(|error| refused(&error.to_string()))?;
        let origin = body.feed().filter(|_| *body.kind() == Kind::FEED);
        let origin = origin.ok_or_else(|| refused("it is no `feed` record"))?.clone();
        let known = self.feed_record(&origin).await;
        let known = known.map_err(|error| refused(&error.to_string()))?;
        let handle = self.handle(&origin).filter(|_| origin.node() == self.node());
        let handle = handle.ok_or_else(|| refused("it is of no feed of this node"))?;
        if body.id() != known.id || body.version() <= known.highest_version {
            return Err(refused("it is no newer version of the record that began the feed"));
        }
        let root = self.newest_record(self.node()).map(|record| record.root);
        if root != Some(body.issuer_key()) || body.verify().is_err() {
            return Err(refused("the root key in force did not sign it"));
        }
        let audience = |subject: &Value| subject.get("audience").cloned();
        if audience(body.subject()) != audience(&known.subject) {
            return Err(refused("the audience of a feed never changes"));
        }
        let published = self.submit(&handle, vec![prepared(&body)?]).await?;
        self.refresh(self.node()).await?;
        published.into_iter().next().ok_or(PublishError::Nothing)
    }

    /// Records of a feed that count no more because a key was revoked or the feed continues
    /// elsewhere; of our own, those to look at and publish again.
    pub fn disowned(&self, origin: &Origin) -> Result<Vec<Disowned>, ReadError> {
        let view = self.known(origin)?;
        let mut disowned = Vec::new();
        let Some(first) = view.disowning.first() else { return Ok(disowned) };
        for index in first..view.size() {
            if let Some(Row { op: RowOp::Publish { id, kind, version, .. }, body, .. }) =
                self.parts.catalog.row(origin, index)?
                && body == BodyState::Disowned
            {
                disowned.push(Disowned { index, id, kind, version });
            }
        }
        Ok(disowned)
    }

    /// Begins the feed in which `of` goes on, with the node record, signed by the root, whose
    /// `continues` says so: for entries that are here below its size, with the root it names.
    ///
    /// # Errors
    /// When the record may not be published, names no such continuation, or names entries that are
    /// not here.
    pub async fn begin_continuation(
        self: &Arc<Self>,
        of: &FeedName,
        node_record: Bytes,
    ) -> Result<Published, PublishError> {
        let refused = |reason: String| PublishError::NodeRecord { reason };
        let body = Body::open(node_record.clone()).map_err(|error| refused(error.to_string()))?;
        let record = NodeRecord::from_body(&body).map_err(|error| refused(error.to_string()))?;
        let goes_on = record.continues.iter().find(|goes_on| goes_on.of == *of);
        let goes_on =
            goes_on.ok_or_else(|| refused(format!("it does not say where `{of}` goes on")))?;
        let origin = Origin::new(self.node().clone(), of.clone());
        if let Some(view) = self.view(&origin) {
            let (size, held) = (goes_on.size, view.size());
            if held < size {
                return Err(refused(format!("it continues {size} entries, and {held} are here")));
            }
            if !self.is_branch(&view, goes_on).await {
                return Err(refused(format!("the root of the {size} entries here is another one")));
            }
        }
        self.admit(&node_record).await?;
        let published = self.begin(&goes_on.feed, node_record.clone()).await?;
        self.refresh(self.node()).await?;
        // Every other feed of this node gets the record too.
        self.spread(&node_record).await?;
        Ok(published)
    }

    /// Whether our copy has, at the size from which a feed goes on, the root that its owner names.
    async fn is_branch(&self, view: &View, goes_on: &Continuation) -> bool {
        if view.size() == goes_on.size {
            return view.root() == goes_on.root;
        }
        let ours = self.own_prefix(view, goes_on.size).await;
        ours.is_none_or(|(root, _)| root == goes_on.root)
    }

    /// Brings the feeds of a node up to what its newest record disowns.
    pub(super) async fn refresh(self: &Arc<Self>, node: &NodeName) -> Result<(), OpenError> {
        for handle in self.handles_of(node) {
            let differs = |view: &View| {
                let newest = self.newest_record(node);
                let now = view.keys.disowning(&view.origin, newest.as_deref());
                now.line() != view.disowning.line() && !view.disowning.is_all()
            };
            if handle.view.load_full().is_none_or(|view| !differs(&view)) {
                continue;
            }
            let _writer = handle.writer.lock().await;
            if let Some(view) = handle.view.load_full() {
                self.settle(&handle, View::clone(&view), None).await?;
            }
        }
        Ok(())
    }

    /// Finds what counts no more in a view, and drops the catalog if it was made under another
    /// answer.
    pub(super) async fn disown(
        &self,
        handle: &Handle,
        view: &mut View,
    ) -> Result<(), CatalogError> {
        let origin = &handle.origin;
        let newest = self.newest_record(origin.node());
        let mut disowning = view.keys.disowning(origin, newest.as_deref());
        if let Some(goes_on) = disowning.continued().cloned() {
            let by = Origin::new(origin.node().clone(), goes_on.feed.clone());
            let mut size = goes_on.size;
            if view.size() >= size && !self.is_branch(view, &goes_on).await {
                warn!(event = "feed.other-branch", feed.origin = %origin, "this copy of `{origin}` is another branch than the one that `{by}` continues: \
                       nothing in it counts");
                size = 0;
                disowning.disown_all();
            }
            view.state = FeedState::Continued { by, size };
        }
        view.disowning = Arc::new(disowning);
        let memo = format!("disowned/{origin}");
        let made = self.parts.catalog.memo(&memo)?.unwrap_or_default();
        let line = view.disowning.line();
        if made != line.as_bytes() {
            self.parts.catalog.forget(origin)?;
            let line = (!line.is_empty()).then_some(line.as_bytes());
            self.parts.catalog.set_memo(&memo, line)?;
        }
        Ok(())
    }
}

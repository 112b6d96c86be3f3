//! What a revocation says in each feed of this node: of a public feed the node record speaks, of a
//! restricted one its own `feed` record (design 4.5), so that its name stands nowhere else.

use anyhow::Context as _;
use bytes::Bytes;
use feed::feeds::{FeedState, Published};
use practice::body::Body;
use practice::node_record::Revocation;
use serde_json::{Value, json};
use tlog::ed25519::PublicKey;
use tlog::name::Origin;
use wire::api::keys::FeedRecordToSign;

use super::Keeper;

/// What becomes of keys that are no longer to count.
pub(super) struct Revoked<'a> {
    /// The keys.
    pub(super) keys: &'a [PublicKey],
    /// The feed in which entries are disowned, and how many of it still count.
    pub(super) from: (&'a Origin, u64),
    /// `stolen`, `lost` or `ended`.
    pub(super) reason: &'a str,
}

impl Keeper {
    /// How many entries of each feed still count: of the named one as was said, of the others all that
    /// are there, so that a thief can add nothing.
    pub(super) fn sizes(&self, revoked: &Revoked<'_>) -> Vec<(Origin, u64)> {
        let own = self.feeds.own().into_iter().filter_map(|origin| {
            let view = self.feeds.view(&origin)?;
            let goes_on = !matches!(view.state, FeedState::Continued { .. });
            let size = if origin == *revoked.from.0 { revoked.from.1 } else { view.size() };
            (goes_on || origin == *revoked.from.0).then_some((origin, size))
        });
        own.collect()
    }

    /// The record of a restricted feed that says it, to be signed by the root.
    pub(super) async fn feed_record_revoking(
        &self,
        origin: &Origin,
        size: u64,
        revoked: &Revoked<'_>,
    ) -> anyhow::Result<FeedRecordToSign> {
        let known = self.feeds.feed_record(origin).await?;
        let mut subject = known.subject;
        let before = subject.get("revoked").cloned().unwrap_or_else(|| json!([]));
        let mut all: Vec<Revocation> =
            serde_json::from_value(before).context("its earlier revocations cannot be read")?;
        add(&mut all, origin, size, revoked);
        subject
            .as_object_mut()
            .context("its record is no object")?
            .insert("revoked".to_owned(), serde_json::to_value(&all)?);
        Ok(FeedRecordToSign {
            origin: origin.clone(),
            id: known.id.to_string(),
            version: known.highest_version.saturating_add(1),
            subject,
        })
    }

    /// Publishes the records of restricted feeds, once the node record stands.
    pub(super) async fn publish_feed_records(
        &self,
        records: Vec<Body>,
    ) -> anyhow::Result<Vec<Published>> {
        let mut published = Vec::new();
        for body in records {
            let shown = body.feed().map(ToString::to_string).unwrap_or_default();
            let done = self.feeds.publish_feed_record(body.bytes().clone()).await;
            published.push(done.with_context(|| {
                format!("the node record is published, and the record of `{shown}` is not")
            })?);
        }
        Ok(published)
    }
}

/// Adds what is not yet said of a feed.
pub(super) fn add(all: &mut Vec<Revocation>, origin: &Origin, size: u64, revoked: &Revoked<'_>) {
    for key in revoked.keys {
        if all.iter().any(|said| said.key == *key && said.feed == *origin.feed()) {
            continue;
        }
        let (feed, reason) = (origin.feed().clone(), revoked.reason.to_owned());
        all.push(Revocation { key: *key, feed, size, reason });
    }
}

/// The documents, before anything is published.
pub(super) fn opened(records: Vec<String>) -> anyhow::Result<Vec<Body>> {
    let open = |text: String| Body::open(Bytes::from(text)).context("this is no `feed` record");
    records.into_iter().map(open).collect()
}

/// Whether a record to sign says that it is of `origin`.
pub fn is_of(subject: &Value, origin: &Origin) -> bool {
    subject.get("feed").and_then(Value::as_str) == Some(origin.to_string().as_str())
}

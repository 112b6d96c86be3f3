//! Restricted feeds: who may read one, and whose key signed a request.
//!
//! What is asked here is answered from verified state, at the moment of asking.

use std::sync::{Arc, PoisonError};

use network::audience::Audience;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{NodeRecord, USE_HTTP};
use serde_json::json;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use tracing::warn;

use super::publish::{Prepared, publish_item, timestamp};
use super::{Feeds, PublishError, View};
use crate::bodies;
use crate::ports::KeyUse;

/// The index of the `feed` record in a restricted feed, after the node record.
const FEED_RECORD: u64 = 1;
/// Characters of the name of a restricted feed: 130 bits that nobody guesses.
const NAME_CHARACTERS: usize = 26;
/// What they are taken from.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Feeds {
    /// Begins a feed of this node that only `audience` may read, now and for ever. Its name is new and
    /// cannot be guessed.
    ///
    /// # Errors
    /// When the node has no node record yet, its keys are locked, or it could not be stored.
    pub async fn begin_restricted(
        self: &Arc<Self>,
        audience: &Audience,
    ) -> Result<Origin, PublishError> {
        let node = self.node().clone();
        let bytes = self.node_record(&node).ok_or(PublishError::Nothing)?;
        let unreadable =
            |error: &dyn std::fmt::Display| PublishError::Body { reason: error.to_string() };
        let node_record = Body::open(bytes).map_err(|error| unreadable(&error))?;
        let origin = Origin::new(node.clone(), self.new_name()?);
        let (mut id, mut salt) = ([0; 16], [0; 32]);
        self.parts.random.fill(&mut id);
        self.parts.random.fill(&mut salt);
        let key = self.signer().public(KeyUse::Record)?;
        let unsigned = Unsigned {
            kind: Kind::FEED,
            id: RecordId::from_random_bytes(id),
            feed: Some(origin.clone()),
            version: 1,
            issuer: Issuer { key, node, state: node_record.state().map(str::to_owned) },
            valid_from: timestamp(self.parts.clock.now()),
            salt,
            subject: json!({ "feed": origin, "audience": audience.to_value() }),
        };
        let sign = |message: &[u8]| self.signer().sign(KeyUse::Record, message);
        let feed_record = Body::sign(unsigned, &sign).map_err(|error| unreadable(&error))?;
        let handle = self.handle_or_new(&origin);
        let entries = [prepared(&node_record)?, prepared(&feed_record)?];
        self.submit(&handle, entries.to_vec()).await?;
        Ok(origin)
    }

    /// Whether `node` may read a restricted feed, as its audience and the network stand now.
    pub fn may_read(&self, view: &View, node: &NodeName) -> bool {
        let admits = |audience: &Audience| {
            let network = audience.network().and_then(|origin| self.network(origin));
            audience.admits(node, network.as_deref())
        };
        view.origin.node() == node || view.audience.as_deref().is_some_and(admits)
    }

    /// The audience of a restricted feed, from its entry 1; `None` admits nobody.
    pub(super) async fn audience_of(&self, view: &View) -> Option<Arc<Audience>> {
        if !view.origin.feed().is_restricted() || view.size() <= FEED_RECORD {
            return None;
        }
        if let Some(known) = self.view(&view.origin).and_then(|before| before.audience.clone()) {
            return Some(known);
        }
        let item = self.item(view, FEED_RECORD).await.ok()?;
        let body = Body::open(item.body?).ok()?;
        let speaks = view.keys.record_key(FEED_RECORD) == Some(body.issuer_key());
        if !speaks || !bodies::agrees(&view.origin, &item.said, &body) || body.verify().is_err() {
            return None;
        }
        let audience = Audience::from_body(&body);
        if let Err(reason) = &audience {
            warn!(event = "feed.no-audience", feed.origin = %view.origin, "`{}` is shown to nobody: {reason}", view.origin);
        }
        audience.ok().map(Arc::new)
    }

    fn new_name(&self) -> Result<FeedName, PublishError> {
        let mut bytes = [0; NAME_CHARACTERS];
        self.parts.random.fill(&mut bytes);
        let letter = |byte: &u8| ALPHABET.get(usize::from(*byte % 32)).copied().map(char::from);
        let name: String = "r-".chars().chain(bytes.iter().filter_map(letter)).collect();
        FeedName::parse(&name).map_err(|error| PublishError::Body { reason: error.to_string() })
    }

    /// Whether a network's file was pinned here, so that its participants are known.
    pub fn knows_network(&self, origin: &Origin) -> bool {
        self.network(origin).is_some()
    }

    /// The node whose requests `key` signs: ours, or one that is followed, whose newest node record has it
    /// as the active key of this use and revokes it nowhere. A key that two nodes claim is nobody's.
    pub fn node_of_http_key(&self, key: &PublicKey) -> Option<NodeName> {
        let mut claimed: Vec<NodeName> = Vec::new();
        let mut claim = |node: &NodeName, record: &NodeRecord| {
            if is_http_key(record, key) && !claimed.contains(node) {
                claimed.push(node.clone());
            }
        };
        {
            let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
            for handle in handles.values() {
                if let Some(record) = handle.view.load_full().and_then(|view| newest(&view)) {
                    claim(handle.origin.node(), &record);
                }
            }
        }
        // A record that is seen before its feed brings it counts as well: the root signed it.
        for (node, record) in self.seen_records() {
            claim(&node, &record);
        }
        for network in self.networks() {
            network.participants().for_each(|one| claim(&one.node, &one.record));
        }
        // One source may be behind another: the newest record of all decides.
        claimed.retain(|node| {
            let record = self.record_in_force(node);
            self.speaks_still(node) && record.is_some_and(|record| is_http_key(&record, key))
        });
        match claimed.as_slice() {
            [node] => Some(node.clone()),
            _ => None,
        }
    }

    /// The newest node record of a node in its feeds, or in a network under the root that is pinned: a
    /// participant may ask before its first feed has arrived.
    fn record_in_force(&self, node: &NodeName) -> Option<Arc<NodeRecord>> {
        let root = self.pin(node).map(|pin| pin.root);
        let networks = self.networks();
        let embedded = networks.iter().filter_map(|network| {
            let participant = network.participant(node)?;
            (Some(participant.root) == root).then(|| Arc::clone(&participant.record))
        });
        embedded.chain(self.newest_record(node)).max_by_key(|record| record.version())
    }

    /// Whether news of a node reach us, so that a key it no longer has does not count for ever.
    fn speaks_still(&self, node: &NodeName) -> bool {
        node == self.node() || self.pin(node).is_some_and(|pin| pin.following)
    }
}

/// An entry that no online key of this node has to have signed.
pub(super) fn prepared(body: &Body) -> Result<Prepared, PublishError> {
    let item = publish_item(body)?;
    Ok(Prepared {
        item,
        id: body.id(),
        kind: body.kind().clone(),
        version: body.version(),
        key: None,
    })
}

fn newest(view: &View) -> Option<Arc<NodeRecord>> {
    view.keys.newest().map(|keyed| Arc::clone(&keyed.record))
}

fn is_http_key(record: &NodeRecord, key: &PublicKey) -> bool {
    record.active(USE_HTTP).is_some_and(|active| active.key == *key)
        && !record.revoked.iter().any(|revoked| revoked.key == *key)
}

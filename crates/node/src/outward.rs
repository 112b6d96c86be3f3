//! What this program does with other nodes when an operator asks: the pages' and commands' view of
//! the `peer` crate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{Feeds, FollowError, Pin};
use feed::ports::{BodyAnswer, Carrier as _};
use peer::follow::Peers;
use peer::outbound::Outbound;
use peer::receipts::{Submissions, Witness};
use peer::relay::{RelayStatus, Relays};
use peer::settings::PeerSettings;
use peer::sight::Sight;
use peer::tally::Tally;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use web::app::{PeersError, PeersView};
use wire::api;

use crate::copies::BundleFile;

/// How long a command waits for a round to end; a long first copy goes on without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The peers of one node. Following begins when a server starts, or with the first command that is
/// about peers: any other command reaches nobody.
pub struct Outward {
    feeds: Arc<Feeds>,
    outbound: Arc<Outbound>,
    settings: PeerSettings,
    peers: OnceLock<Arc<Peers>>,
    witnesses: Vec<Witness>,
    submissions: OnceLock<Submissions>,
    relays: OnceLock<Relays>,
}

impl Outward {
    /// Not yet following.
    pub fn new(
        feeds: Arc<Feeds>,
        outbound: Arc<Outbound>,
        settings: PeerSettings,
        witnesses: Vec<Witness>,
    ) -> Self {
        let (peers, submissions, relays) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { feeds, outbound, settings, peers, witnesses, submissions, relays }
    }

    /// Begins to ask the witnesses of the configuration to cosign.
    pub fn submit(&self) {
        self.submissions
            .get_or_init(|| Submissions::start(&self.feeds, &self.outbound, &self.witnesses));
    }

    /// Begins to send our feeds to the relays of the configuration.
    pub fn relay(&self) {
        self.relays.get_or_init(|| Relays::start(&self.feeds, &self.outbound, &self.settings));
    }

    /// How it goes with the relays, once it has begun; without that, nothing.
    pub fn relayed(&self) -> Vec<RelayStatus> {
        self.relays.get().map(Relays::status).unwrap_or_default()
    }

    /// The peers; begins to follow them.
    pub fn peers(&self) -> &Arc<Peers> {
        self.peers
            .get_or_init(|| Peers::start(&self.feeds, Arc::clone(&self.outbound), &self.settings))
    }

    /// Ends following, if it has begun.
    pub async fn stop(&self) {
        if let Some(peers) = self.peers.get() {
            peers.stop().await;
        }
        if let Some(submissions) = self.submissions.get() {
            submissions.stop().await;
        }
        if let Some(relays) = self.relays.get() {
            relays.stop().await;
        }
    }

    /// How it goes with the nodes that are followed.
    pub fn known(&self) -> Vec<api::Peer> {
        PeersView::status(self)
    }

    /// What was counted of them, once following has begun.
    pub fn tally(&self) -> Option<&Tally> {
        self.peers.get().map(|peers| peers.tally())
    }

    /// How many entries each of them says its public feeds have and we do not, once following has begun.
    pub fn lags(&self) -> BTreeMap<NodeName, u64> {
        self.peers.get().map(|peers| peers.lags()).unwrap_or_default()
    }

    /// Seconds by which the clocks of peers are ahead of ours, of those that told.
    pub fn clocks(&self) -> Vec<i64> {
        self.known().into_iter().filter_map(|peer| peer.clock_delta).collect()
    }

    /// What a peer says of this node; its name only, where it is not asked by its addresses.
    pub async fn sight(&self, pin: &Pin) -> Result<Sight, PeersError> {
        let record = self.feeds.node_record(&pin.node);
        let record = record.and_then(|bytes| Body::open(bytes).ok());
        let record = record.and_then(|body| NodeRecord::from_body(&body).ok());
        let mut urls = pin.urls.clone();
        urls.extend(record.map(|record| record.urls.clone()).unwrap_or_default());
        let signs: Arc<dyn peer::signing::Signs> = Arc::clone(&self.feeds) as _;
        let carrier = peer::HttpCarrier::new(&self.outbound, &urls)
            .map_err(|error| PeersError::Unreachable { reason: words(&error) })?
            .signed_by(Some(signs));
        let sight = peer::sight::of(&carrier, self.feeds.node()).await;
        sight.map_err(|error| PeersError::Unreachable { reason: words(&error) })
    }

    /// Every step of reaching an address.
    pub async fn reach(&self, url: &str) -> api::ProbeAnswer {
        peer::probe::probe(&self.outbound, url, self.feeds.clock().now()).await
    }

    /// Follows a node whose root is known.
    pub async fn pin(&self, pin: Pin) -> Result<(), FollowError> {
        self.feeds.follow(pin).await?;
        self.peers().refresh();
        Ok(())
    }

    /// The node record of whoever answers at `url`, or of `node` as it is relayed there or stands in the
    /// file of this absolute path.
    async fn look(&self, url: &str, node: Option<&NodeName>) -> Result<NodeRecord, PeersError> {
        let bytes = match node {
            _ if url.starts_with('/') => record_in_file(url, node).await,
            Some(node) => self.relayed_record(url, node).await,
            None => peer::probe::fetch_node_record(&self.outbound, url)
                .await
                .map_err(|error| words(&error)),
        };
        let bytes = bytes.map_err(|reason| PeersError::Unreachable { reason })?;
        let record = record_of(url, bytes)?;
        if node.is_some() || url.starts_with('/') || !record.is_recovery() {
            return Ok(record);
        }
        // A recovery is under way: the root that it announces, maybe a thief's, is not in force.
        let first = self.relayed_record(url, &record.node).await;
        record_of(url, first.map_err(|reason| PeersError::Unreachable { reason })?)
    }
}

impl Outward {
    /// The first node record of a node that another one serves: it names the root to be pinned, and the log
    /// tells what came after.
    async fn relayed_record(&self, url: &str, node: &NodeName) -> Result<Bytes, String> {
        let carrier = peer::HttpCarrier::new(&self.outbound, &[url.to_owned()]);
        let carrier = carrier.map_err(|error| words(&error))?;
        let origin = Origin::new(node.clone(), FeedName::public());
        match carrier.body(&origin, 0).await.map_err(|error| words(&error))? {
            BodyAnswer::Body(bytes) => Ok(bytes),
            _ => Err(format!("{url} does not have the feed {origin}")),
        }
    }
}

/// What was sent as a node record.
fn record_of(url: &str, bytes: Bytes) -> Result<NodeRecord, PeersError> {
    Body::open(bytes)
        .map_err(|error| words(&error))
        .and_then(|body| NodeRecord::from_body(&body).map_err(|error| words(&error)))
        .map_err(|reason| PeersError::Unreachable {
            reason: format!("what {url} says of itself is no valid node record: {reason}"),
        })
}

/// The newest node record of a node in a bundle: of the one named, or of the only one that has any.
async fn record_in_file(path: &str, node: Option<&NodeName>) -> Result<Bytes, String> {
    let opened = PathBuf::from(path);
    let opened = tokio::task::spawn_blocking(move || BundleFile::open(&opened)).await;
    let file = opened.map_err(|error| words(&error))?.map_err(|error| format!("{error:#}"))?;
    let mut nodes = file.nodes();
    nodes.retain(|one| node.is_none_or(|node| one == node));
    match nodes.as_slice() {
        [node] => file.carrier(node).node_record().await.map_err(|error| words(&error)),
        [] => Err("it holds no node record of that node".to_owned()),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(format!("it holds several nodes: name one with --node ({})", names.join(", ")))
        }
    }
}

#[async_trait]
impl PeersView for Outward {
    fn status(&self) -> Vec<api::Peer> {
        if let Some(peers) = self.peers.get() {
            return peers.status();
        }
        // Looking reaches nobody and changes nothing.
        let at_rest = PeerSettings { rounds: 0, ..self.settings.clone() };
        Peers::start(&self.feeds, Arc::clone(&self.outbound), &at_rest).status()
    }

    async fn follow(&self, request: api::FollowRequest) -> Result<api::FollowAnswer, PeersError> {
        let wanted = request.root.as_deref().map(PublicKey::from_did).transpose();
        let wanted = wanted.map_err(|error| PeersError::Refused { reason: words(&error) })?;
        let record = self.look(&request.url, request.node.as_ref()).await?;
        if request.node.as_ref().is_some_and(|node| *node != record.node) {
            let reason = format!("{} shows a node record of {}", request.url, record.node);
            return Err(PeersError::Conflict { reason });
        }
        if let Some(wanted) = wanted.filter(|wanted| *wanted != record.root) {
            return Err(PeersError::Conflict {
                reason: format!(
                    "{} shows the root {}, not {}: it is not the node you mean, or it does not tell the \
                     truth; confirm the root key with the mechanism by telephone",
                    request.url,
                    record.root.to_did(),
                    wanted.to_did()
                ),
            });
        }
        let followed = wanted.is_some() || request.confirm;
        if followed {
            let now = self.feeds.clock().now();
            let from_file = request.url.starts_with('/');
            let urls = if from_file { record.urls.clone() } else { vec![request.url] };
            let pin = Pin::new(record.node.clone(), record.root, urls, now);
            self.pin(pin).await.map_err(follow_error)?;
            // Whoever is known by a file may be reached by files alone: the command imports it.
            if !from_file {
                self.peers().sync_now(&record.node, PATIENCE).await;
            }
        }
        let public = record.feeds.iter().filter(|feed| !feed.is_restricted());
        Ok(api::FollowAnswer {
            node: record.node.clone(),
            names: record.names.clone(),
            state: record.state.clone(),
            root: record.root.to_did(),
            urls: record.urls.clone(),
            feeds: public.map(|feed| Origin::new(record.node.clone(), feed.clone())).collect(),
            followed,
        })
    }

    async fn unfollow(&self, request: api::UnfollowRequest) -> Result<(), PeersError> {
        // First the round under way is ended: it may be waiting for news, and nothing is deleted under it.
        self.feeds.unfollow(&request.node, false).await.map_err(follow_error)?;
        if let Some(peers) = self.peers.get() {
            peers.refresh();
        }
        if request.forget {
            self.feeds.unfollow(&request.node, true).await.map_err(follow_error)?;
        }
        Ok(())
    }

    async fn sync(&self, node: &NodeName) -> Result<api::Peer, PeersError> {
        let peer = self.peers().sync_now(node, PATIENCE).await;
        peer.ok_or_else(|| PeersError::NotFollowed { node: node.clone() })
    }

    async fn probe(&self, request: api::ProbeRequest) -> Result<api::ProbeAnswer, PeersError> {
        Ok(peer::probe::probe(&self.outbound, &request.url, self.feeds.clock().now()).await)
    }
}

fn follow_error(error: FollowError) -> PeersError {
    match error {
        FollowError::NotFollowed { node } => PeersError::NotFollowed { node },
        FollowError::Ourselves => PeersError::Refused { reason: words(&error) },
        FollowError::AnotherRoot { .. } => PeersError::Conflict { reason: words(&error) },
        other => PeersError::Internal { reason: words(&other) },
    }
}

/// An error with its causes on one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    words
}

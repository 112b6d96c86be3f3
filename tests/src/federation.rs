//! Real nodes on loopback in one process: sled and files in a temporary directory, the web crate's
//! server, the peer crate's client and schedule. Only keys, time and chance are fixed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use axum::Router;
use feed::feeds::{Feeds, Parts, Pin, Published, SyncError, Synced};
use feed::ports::{Carrier, Quiet};
use feed::row::Standing;
use peer::carrier::HttpCarrier;
use peer::follow::Peers;
use peer::outbound::Outbound;
use peer::relay::{RelayStatus, Relays};
use peer::settings::PeerSettings;
use practice::id::RecordId;
use search::{Index, Indexer};
use store::catalog::SledCatalog;
use store::facts::Directory;
use tempfile::TempDir;
use tlog::name::{FeedName, NodeName, Origin};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use web::app::{App, PeersError, PeersView, Site};
use web::server::{Limits, Listener};
use wire::api;

use crate::chance::{BEGINNING, TestChance, TestClock};
use crate::member::{Member, practice};

/// What a test waits for comes within milliseconds; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody asks for news by himself within a test: what arrives was told.
const NEVER_S: u64 = 86_400;

/// Nodes that can reach each other.
pub struct Federation {
    directory: TempDir,
    nodes: Vec<Node>,
}

/// One node that runs.
pub struct Node {
    member: Member,
    data: PathBuf,
    feeds: Arc<Feeds>,
    clock: Arc<TestClock>,
    outbound: Arc<Outbound>,
    peers: Arc<Peers>,
    relays: Relays,
    indexer: Indexer,
    router: Router,
    operator: Router,
    server: Server,
}

impl Federation {
    /// Honest nodes of these names, none of which follows another yet.
    pub async fn of<const N: usize>(names: [&str; N]) -> Result<Self> {
        let mut federation = Self { directory: tempfile::tempdir()?, nodes: Vec::new() };
        for name in names {
            federation.add(Member::of(name)?).await?;
        }
        Ok(federation)
    }

    /// One more node.
    pub async fn add(&mut self, member: Member) -> Result<&Node> {
        let data = self.directory.path().join(self.nodes.len().to_string());
        self.nodes.push(Node::start(member, data, Way::default()).await?);
        self.nodes.last().context("no node")
    }

    /// One more node, whose node record names these addresses, not its own: nobody finds it. It sends its
    /// feeds to `relays`.
    pub async fn add_hidden(
        &mut self,
        member: Member,
        urls: &[String],
        relays: &[&str],
    ) -> Result<&Node> {
        let data = self.directory.path().join(self.nodes.len().to_string());
        let relays: Result<Vec<NodeName>, _> =
            relays.iter().map(|relay| NodeName::parse(relay)).collect();
        let way = Way { address: None, urls: urls.to_vec(), relays: relays? };
        self.nodes.push(Node::start(member, data, way).await?);
        self.nodes.last().context("no node")
    }

    /// All nodes, in the order in which they were added.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of this name; the first one, if an impostor uses it too.
    pub fn node(&self, name: &str) -> Result<&Node> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|node| node.member.name().as_str() == name)
            .with_context(|| format!("no node {name}"))
    }

    /// Stops a node and starts it again from what is on disk, at the same address. Meanwhile `change`
    /// may do to its directory what befalls directories.
    pub async fn restart(
        &mut self,
        name: &str,
        change: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let at = self.nodes.iter().position(|node| node.member.name().as_str() == name);
        let node = self.nodes.remove(at.with_context(|| format!("no node {name}"))?);
        let (member, data, address) = (node.member.clone(), node.data.clone(), node.server.address);
        node.stop().await;
        change(&data)?;
        let way = Way { address: Some(address), ..Way::default() };
        self.nodes.push(Node::start(member, data, way).await?);
        Ok(())
    }
}

/// How a node is reached.
#[derive(Default)]
struct Way {
    /// Where it listens; any free port, without.
    address: Option<SocketAddr>,
    /// What its node record says; its own address, if nothing.
    urls: Vec<String>,
    relays: Vec<NodeName>,
}

impl Node {
    async fn start(member: Member, data: PathBuf, way: Way) -> Result<Self> {
        let clock = Arc::new(TestClock::new());
        let parts = Parts {
            node: member.name().clone(),
            store: Arc::new(Directory::open(&data)?),
            catalog: Arc::new(SledCatalog::open(data.join("catalog"))?),
            signer: Arc::new(member.secret().signer(1)?),
            clock: clock.clone(),
            random: Arc::new(TestChance::new(data.display().to_string())),
        };
        let feeds = Feeds::open(parts).await?;
        let outbound = outbound()?;
        let relays = way.relays.clone();
        let settings = PeerSettings { interval_s: NEVER_S, relays, ..loopback() };
        let peers = Peers::start(&feeds, Arc::clone(&outbound), &settings);
        let view = Arc::new(Peered(Arc::clone(&peers)));
        let index = Index::in_memory()?;
        let indexer = Indexer::new(Arc::clone(&feeds), index.clone());
        let mut app = App::new(Arc::clone(&feeds), view, Site::default(), None);
        app.search = Some(Arc::new(index));
        app.relays = way.relays;
        let (router, operator) = (web::routes::public(app.clone()), web::routes::operator(app));
        let server = Server::start(router.clone(), way.address).await?;
        let urls = if way.urls.is_empty() { vec![server.url()] } else { way.urls };
        if feeds.own().is_empty() {
            feeds.begin(&FeedName::public(), member.node_record(&urls)?).await?;
        }
        let relays = Relays::start(&feeds, &outbound, &settings);
        Ok(Self {
            member,
            data,
            feeds,
            clock,
            outbound,
            peers,
            relays,
            indexer,
            router,
            operator,
            server,
        })
    }

    /// How it goes with its relays, now and later.
    pub fn relayed(&self) -> watch::Receiver<Vec<RelayStatus>> {
        self.relays.watch()
    }

    /// Ends its tasks and frees its directory.
    async fn stop(self) {
        self.peers.stop().await;
        self.relays.stop().await;
        self.server.stop().await;
        drop((self.peers, self.relays, self.outbound, self.indexer, self.router, self.operator));
        // Commits that were under way hold the feeds a moment longer, and they the lock.
        let feeds = Arc::downgrade(&self.feeds);
        drop(self.feeds);
        while feeds.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Who it is.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// Its feeds and those it follows.
    pub fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// Its clock.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What it serves, for a server that lies to stand in front of.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Brings its search index to where its feeds are.
    pub async fn index(&self) -> Result<()> {
        Ok(self.indexer.catch_up().await?)
    }

    /// What it answers its operator.
    pub fn operator(&self) -> Router {
        self.operator.clone()
    }

    /// One round with all that is followed of `other`, which is looked for new feeds too.
    pub async fn sync_now(&self, other: &Self) -> Option<api::Peer> {
        self.peers.sync_now(other.member.name(), PATIENCE).await
    }

    /// Publishes a good practice with this title.
    pub async fn publish(&self, title: &str) -> Result<Published> {
        self.publish_as(None, title).await
    }

    /// Publishes a good practice, as a new version of `id` if there is one.
    pub async fn publish_as(&self, id: Option<RecordId>, title: &str) -> Result<Published> {
        let published = self.feeds.publish(&FeedName::public(), vec![practice(id, title)]).await?;
        published.into_iter().next().context("nothing was published")
    }

    /// Pins `other` by its true root and its URL, and begins to follow it in the background.
    pub async fn follow(&self, other: &Self) -> Result<()> {
        self.follow_at(&other.member, &other.url()).await
    }

    /// Pins `member`, to be reached at `url`.
    pub async fn follow_at(&self, member: &Member, url: &str) -> Result<()> {
        let root = member.root()?.public();
        let urls = vec![url.to_owned()];
        let node = member.name().clone();
        self.feeds.follow(Pin::new(node, root, urls, BEGINNING)).await?;
        self.peers.refresh();
        Ok(())
    }

    /// Pins `member` and syncs its public feed once from `url`, without the schedule.
    pub async fn sync(&self, member: &Member, url: &str) -> Result<Synced, SyncError> {
        let carrier = HttpCarrier::new(&self.outbound, &[url.to_owned()]);
        let carrier = carrier.map_err(|refused| SyncError::from(unreachable(url, &refused)))?;
        self.sync_by(member, &carrier).await
    }

    /// Syncs a member's public feed once from any carrier.
    pub async fn sync_by(
        &self,
        member: &Member,
        carrier: &dyn Carrier,
    ) -> Result<Synced, SyncError> {
        self.feeds.sync_feed(carrier, &member.origin(), None, &Quiet).await
    }

    /// Pins `member` without anything that would follow it by itself.
    pub async fn pin(&self, member: &Member) -> Result<()> {
        let root = member.root()?.public();
        let node = member.name().clone();
        self.feeds.follow(Pin::new(node, root, Vec::new(), BEGINNING)).await?;
        Ok(())
    }

    /// Waits until `origin` has `size` entries here, and the catalog too.
    pub async fn until(&self, origin: &Origin, size: u64) -> Result<()> {
        let mut changed = self.feeds.changed();
        let arrived = async {
            while self.feeds.view(origin).is_none_or(|view| view.size() < size) {
                changed.changed().await?;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(PATIENCE, arrived).await {
            Ok(done) => done,
            Err(_) => bail!("`{origin}` did not reach {size} entries; {:?}", self.peers.status()),
        }
    }

    /// The title of a record here, if it has a current version whose body is held.
    pub async fn title(&self, origin: &Origin, id: &RecordId) -> Result<Option<String>> {
        let record = self.feeds.record(origin, id).await?;
        let Standing::Current { .. } = record.standing else { return Ok(None) };
        let Some(body) = record.body else { return Ok(None) };
        let subject: serde_json::Value = serde_json::from_slice(body.subject_bytes())?;
        Ok(subject.pointer("/title/en").and_then(|title| title.as_str()).map(str::to_owned))
    }

    /// Ends what it does by itself: from now on it asks whom a test has it ask, when a test does.
    pub async fn rest(&self) {
        self.peers.stop().await;
    }

    /// What the schedule says of a followed node.
    pub fn status_of(&self, node: &NodeName) -> Option<api::Peer> {
        self.peers.status().into_iter().find(|peer| peer.node == *node)
    }
}

/// A way out that may reach this machine and nothing else.
pub fn outbound() -> Result<Arc<Outbound>> {
    Ok(Outbound::new(&loopback())?)
}

fn loopback() -> PeerSettings {
    let networks = "127.0.0.0/8".parse().ok();
    PeerSettings { allow_networks: networks.into_iter().collect(), ..PeerSettings::default() }
}

fn unreachable(url: &str, refused: &peer::outbound::RefusedUrl) -> feed::ports::CarrierError {
    feed::ports::CarrierError::Unreachable { carrier: url.to_owned(), reason: refused.to_string() }
}

/// A router on a port of loopback.
pub struct Server {
    address: SocketAddr,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves on `address`, or any free port.
    pub async fn start(router: Router, address: Option<SocketAddr>) -> Result<Self> {
        let address = address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits { drain: Duration::ZERO, ..Limits::default() };
        let task =
            tokio::spawn(web::server::serve(Listener::Tcp(listener), router, limits, async {
                let _ = stopped.await;
            }));
        Ok(Self { address, stop: Mutex::new(Some(stop)), task })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    async fn stop(mut self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pages ask how the peers are; nobody in a test follows by a form.
struct Peered(Arc<Peers>);

#[async_trait]
impl PeersView for Peered {
    fn status(&self) -> Vec<api::Peer> {
        self.0.status()
    }

    async fn follow(&self, _: api::FollowRequest) -> Result<api::FollowAnswer, PeersError> {
        Err(refused())
    }

    async fn unfollow(&self, _: api::UnfollowRequest) -> Result<(), PeersError> {
        Err(refused())
    }

    async fn sync(&self, _: &NodeName) -> Result<api::Peer, PeersError> {
        Err(refused())
    }

    async fn probe(&self, _: api::ProbeRequest) -> Result<api::ProbeAnswer, PeersError> {
        Err(refused())
    }
}

fn refused() -> PeersError {
    PeersError::Refused { reason: "this node is a test's".to_owned() }
}

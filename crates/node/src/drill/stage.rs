//! Where a drill is played: a node with the texts of the real one, and two peers that follow it, each in
//! a directory of its own below one that is removed in the end; one clock that can be moved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use feed::feeds::{Pin, Publication, Published};
use feed::ports::{Clock, Quiet};
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use serde_json::json;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use web::upkeep::Upkeep as _;
use wire::api::keys::{KeyChange, NodeRecordAnswer, NodeRecordRequest, PrepareRequest};

use super::Text;
use super::carrier::InProcess;
use crate::config::Config;
use crate::keys::Root;
use crate::keys::offline::{Role, beside};
use crate::place::Place;
use crate::setup::{self, NewNode, sign_version};
use crate::wiring::{Node, Shared, SystemClock};

/// The node of the drill.
const NODE: &str = "drill.example";

/// The peers that follow it.
const PEERS: [&str; 2] = ["first-peer.example", "second-peer.example"];

/// The clock of a drill: the machine's, and what was added.
pub(super) struct DrillClock {
    added: AtomicU64,
}

impl Clock for DrillClock {
    fn now(&self) -> u64 {
        SystemClock.now().saturating_add(self.added.load(Ordering::Relaxed))
    }
}

/// The stage.
pub(super) struct Stage {
    clock: Arc<DrillClock>,
    shared: Shared,
    node: Option<Arc<Node>>,
    pub(super) peers: Vec<Arc<Node>>,
    /// Last: what lies in it is closed before it is removed.
    directory: tempfile::TempDir,
}

impl Stage {
    /// A node with `texts` that two peers follow and hold.
    pub(super) async fn new(texts: &[Text]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("jopoi-drill-").tempdir()?;
        let clock = Arc::new(DrillClock { added: AtomicU64::new(0) });
        let shared = Shared::with_clock(Arc::clone(&clock) as _);
        let node = make(directory.path(), NODE, &shared).await?;
        let mut peers = Vec::new();
        for name in PEERS {
            peers.push(make(directory.path(), name, &shared).await?);
        }
        let stage = Self { clock, shared, node: Some(node), peers, directory };
        stage.publish(texts).await?;
        let root = Root::read(&stage.root())?.public();
        for peer in &stage.peers {
            let pin = Pin::new(stage.name()?, root, Vec::new(), stage.clock.now());
            peer.feeds().follow(pin).await?;
        }
        stage.sync().await?;
        Ok(stage)
    }

    pub(super) fn name(&self) -> anyhow::Result<NodeName> {
        Ok(NodeName::parse(NODE)?)
    }

    pub(super) fn public(&self) -> anyhow::Result<Origin> {
        Ok(Origin::new(self.name()?, FeedName::public()))
    }

    /// The node; an error while its server is away.
    pub(super) fn node(&self) -> anyhow::Result<&Arc<Node>> {
        self.node.as_ref().context("the server is away")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join(NODE)
    }

    pub(super) fn root(&self) -> PathBuf {
        key_file(self.directory.path(), Role::Root)
    }

    pub(super) fn recovery(&self) -> PathBuf {
        key_file(self.directory.path(), Role::Recovery)
    }

    /// A file of the drill, such as a second root key.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Time passes.
    pub(super) fn wait(&self, seconds: u64) {
        self.clock.added.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Publishes texts, at least one.
    pub(super) async fn publish(&self, texts: &[Text]) -> anyhow::Result<Vec<Published>> {
        let mut publications: Vec<Publication> = texts
            .iter()
            .map(|text| Publication {
                kind: text.kind.clone(),
                id: None,
                subject: text.subject.clone(),
                expected: None,
            })
            .collect();
        if publications.is_empty() {
            publications.push(sample()?);
        }
        Ok(self.node()?.feeds().publish(&FeedName::public(), publications).await?)
    }

    /// One round of every peer; each must end with what the node has.
    pub(super) async fn sync(&self) -> anyhow::Result<()> {
        let (node, origin) = (self.node()?, self.public()?);
        for peer in &self.peers {
            let carrier = InProcess { feeds: Arc::clone(node.feeds()), of: self.name()? };
            let synced = peer.feeds().sync_feed(&carrier, &origin, None, &Quiet).await;
            synced.with_context(|| format!("{} does not follow", peer.feeds().node()))?;
        }
        self.agree()
    }

    /// Requires that the peers hold what the node has.
    pub(super) fn agree(&self) -> anyhow::Result<()> {
        let origin = self.public()?;
        let ours = self.node()?.feeds().view(&origin).context("the node has no feed")?;
        for peer in &self.peers {
            let held = peer.feeds().view(&origin).context("a peer has no copy")?;
            if (held.size(), held.root()) != (ours.size(), ours.root()) {
                bail!("{} holds {} entries of {}", peer.feeds().node(), held.size(), ours.size());
            }
        }
        Ok(())
    }

    /// What the commands do: the node says what is to be signed, a key signs it, the node publishes.
    pub(super) async fn change(
        &self,
        change: KeyChange,
        key: &Path,
    ) -> anyhow::Result<NodeRecordAnswer> {
        let keeper = self.node()?.keeper();
        let reinstated = matches!(change, KeyChange::Reinstated { .. });
        let prepared = keeper.prepare(PrepareRequest::of(change)).await?;
        let key = Root::read(key)?;
        if key.did() != prepared.signer {
            bail!("the {} key must sign, which this is not", prepared.role);
        }
        let subject: NodeSubject = serde_json::from_value(prepared.subject)?;
        let id = practice::id::RecordId::parse(&prepared.id)?;
        let record = sign_version(&subject, &key, id, prepared.version)?;
        let record = String::from_utf8(record.to_vec())?;
        Ok(keeper
            .publish(NodeRecordRequest { record, feed_records: Vec::new(), reinstated })
            .await?)
    }

    /// Requires that the peers believe `root`.
    pub(super) fn believed(&self, root: &PublicKey) -> anyhow::Result<()> {
        for peer in &self.peers {
            let pin = peer.feeds().pin(&self.name()?).context("a peer forgot the node")?;
            if pin.root != *root {
                bail!("{} still believes {}", peer.feeds().node(), pin.root.to_did());
            }
        }
        Ok(())
    }

    /// The server stops.
    pub(super) fn stop(&mut self) {
        self.node = None;
    }

    /// It starts again, on whatever lies in its directory.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let place = place(self.directory.path(), NODE)?;
        self.node = Some(Node::open_new(&place, &self.shared).await?);
        Ok(())
    }
}

/// A throw-away node of this name below `directory`.
pub(super) async fn make(
    directory: &Path,
    name: &str,
    shared: &Shared,
) -> anyhow::Result<Arc<Node>> {
    let names = BTreeMap::from([("en".to_owned(), format!("Drill: {name}"))]);
    let new = NewNode {
        names: names.clone(),
        state: None,
        organization: Some(names),
        contact: None,
        config: place(directory, name)?.config,
        recovery: true,
        ceremony: None,
    };
    Ok(setup::create(&directory.join(name), &new, shared).await?.node)
}

fn place(directory: &Path, name: &str) -> anyhow::Result<Place> {
    let config = Config { node: name.to_owned(), ..Config::default() };
    let node = NodeName::parse(name)?;
    Ok(Place { data: directory.join(name), config, node, passphrase: Default::default() })
}

fn key_file(directory: &Path, role: Role) -> PathBuf {
    let node = NodeName::parse(NODE).ok();
    node.map(|node| beside(&directory.join(NODE), &node, role)).unwrap_or_default()
}

fn sample() -> anyhow::Result<Publication> {
    let subject = json!({
        "title": {"en": "A text of the drill"}, "summary": {"en": "It stands for a record."},
        "language": "en", "states": ["XA"], "basis": "own-statement", "reuse": "CC-BY-4.0",
        "capacities": ["coordination"],
    });
    Ok(Publication { kind: Kind::parse("good-practice")?, id: None, subject, expected: None })
}

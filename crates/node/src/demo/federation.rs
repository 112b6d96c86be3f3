//! Making, starting and telling of the nodes of a demonstration.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use feed::feeds::{Page, Pin};
use futures_util::future::try_join_all;
use practice::body::Body;
use practice::language::INTERFACE;
use practice::node_record::NodeRecord;
use serde::Serialize;
use tlog::name::{NodeName, Origin};
use tokio::sync::watch;
use wire::api::{Draft, PublishAnswer, PublishOutcome, PublishRequest};
use wire::paths;

use super::samples::{Group, REUSE, groups};
use crate::config::Config;
use crate::control::Control;
use crate::keys::{self, Root};
use crate::place::Place;
use crate::server::Server;
use crate::setup::{self, NewNode};
use crate::wiring::{Node, Shared};

/// The name of the node that follows the others.
const HUB: &str = "hub.example";

/// Peers on this machine are meant.
const LOOPBACK: &str = "127.0.0.0/8";

/// All nodes of a demonstration, running.
pub struct Federation {
    hub: Member,
    nodes: Vec<Member>,
}

struct Member {
    node: Arc<Node>,
    server: Server,
}

/// One node, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// `hub` or `node`.
    pub role: &'static str,
    /// Its name.
    pub name: NodeName,
    /// Where it is.
    pub url: String,
    /// The feeds it serves, its own first.
    pub feeds: Vec<ShownFeed>,
}

/// One feed, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct ShownFeed {
    /// Its name.
    pub origin: Origin,
    /// The key that signs its checkpoints, as C2SP tools take it.
    pub vkey: String,
}

impl Federation {
    /// Makes the nodes in `directory`, or starts those already there with the same keys; returns once
    /// everything is published, followed and verified.
    pub async fn start(directory: &Path, shutdown: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let groups = groups()?;
        let shared = &Shared::default();
        let nodes = groups
            .iter()
            .map(|group| documentation_node(directory, group, shared, shutdown.clone()));
        let hub = start_node(directory, HUB, hub_names(), shared, shutdown.clone());
        let (nodes, hub) = tokio::try_join!(try_join_all(nodes), hub)?;
        for node in &nodes {
            hub.node.outward().pin(pin(&node.node)?).await?;
        }
        let federation = Self { hub, nodes };
        federation.followed().await?;
        Ok(federation)
    }

    /// What there is to see, the hub first.
    pub fn shown(&self) -> Vec<Shown> {
        let nodes = self.nodes.iter().map(|member| shown("node", &member.node));
        std::iter::once(shown("hub", &self.hub.node)).chain(nodes).collect()
    }

    /// The address of the page of one record, at the hub.
    pub fn a_record(&self) -> Option<String> {
        let hub = &self.hub.node;
        let page = Page { before: None, limit: 1, kind: None };
        let newest = |origin: &Origin| hub.feeds().records(origin, &page).ok()?.records.pop();
        let record = hub.feeds().origins().iter().rev().find_map(newest)?;
        let base = hub.place().config.base_urls.first()?;
        Some(paths::below(base, &paths::record(&record.origin, &record.id)))
    }

    /// Waits until every server has ended.
    pub async fn ended(self) {
        for member in self.nodes.into_iter().chain([self.hub]) {
            member.server.ended().await;
        }
    }

    /// Waits until the hub holds, verified, what each node has published.
    async fn followed(&self) -> anyhow::Result<()> {
        let hub = self.hub.node.feeds();
        let mut changed = hub.changed();
        loop {
            let waiting = self.nodes.iter().flat_map(|member| {
                let feeds = member.node.feeds();
                feeds.own().into_iter().filter_map(move |origin| feeds.view(&origin))
            });
            let behind = waiting
                .filter(|own| hub.view(&own.origin).is_none_or(|copy| copy.root() != own.root()))
                .count();
            if behind == 0 {
                return Ok(());
            }
            changed.changed().await?;
        }
    }
}

async fn documentation_node(
    directory: &Path,
    group: &Group,
    shared: &Shared,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<Member> {
    let member = start_node(directory, &group.node, group.names.clone(), shared, shutdown).await?;
    let node = &member.node;
    let begun = node.feeds().own().into_iter().filter_map(|origin| node.feeds().view(&origin));
    if begun.map(|view| view.size()).max().unwrap_or_default() <= 1 {
        publish(&Control::Here(node.operator_router()), group.drafts.clone()).await?;
    }
    Ok(member)
}

/// All in one commit, by the call that `jopoi publish` makes.
async fn publish(control: &Control, drafts: Vec<Draft>) -> anyhow::Result<()> {
    let request = PublishRequest {
        feed: "public".to_owned(),
        drafts,
        dry_run: false,
        match_local_id: false,
        warnings_seen: true,
    };
    let answer: PublishAnswer = control.post_judged(paths::API_PUBLISH, &request).await?;
    if answer.outcome == PublishOutcome::Refused {
        let faults = crate::commands::publish::located(&answer, |draft| &draft.faults);
        bail!("the sample records were refused{faults}");
    }
    Ok(())
}

/// Makes or opens one node on a loopback port of its own, and serves it.
async fn start_node(
    directory: &Path,
    name: &str,
    names: BTreeMap<String, String>,
    shared: &Shared,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<Member> {
    let data = directory.join(name);
    let (node, listener) = if data.join(crate::config::FILE_NAME).exists() {
        open_again(&data, shared).await?
    } else {
        let listener = free_port()?;
        let mut config =
            Config { node: name.to_owned(), reuse: Some(REUSE.to_owned()), ..Config::default() };
        set_address(&mut config, listener.local_addr()?);
        config.peers.allow_networks = vec![LOOPBACK.parse()?];
        config.site.sample = true;
        let organization = Some(names.clone());
        let new = NewNode {
            names,
            state: None,
            organization,
            contact: None,
            config,
            recovery: false,
            ceremony: None,
        };
        (setup::create(&data, &new, shared).await?.node, listener)
    };
    let server = Server::on(vec![Arc::clone(&node)], listener, &shutdown)?;
    Ok(Member { node, server })
}

async fn open_again(data: &Path, shared: &Shared) -> anyhow::Result<(Arc<Node>, TcpListener)> {
    let mut place = Place::at(data)?;
    let (listener, moved) = port_again(&mut place.config)?;
    let node = Node::open(&place, shared).await?;
    if moved {
        tell_new_address(&node).await?;
    }
    Ok((node, listener))
}

/// The port of the last time, or a free one if somebody else has it now.
fn port_again(config: &mut Config) -> anyhow::Result<(TcpListener, bool)> {
    if let Ok(listener) = TcpListener::bind(config.listen) {
        return Ok((listener, false));
    }
    let listener = free_port()?;
    set_address(config, listener.local_addr()?);
    Ok((listener, true))
}

fn free_port() -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")
}

fn set_address(config: &mut Config, address: SocketAddr) {
    config.listen = address;
    config.base_urls = vec![format!("http://{address}/")];
}

/// A node that moved publishes its description again, signed by its root.
async fn tell_new_address(node: &Node) -> anyhow::Result<()> {
    let place = node.place();
    let root = Root::read(&keys::root_path(&place.data, &place.node))?;
    let before = own_record(node)?;
    let mut subject = (*before).clone();
    subject.urls.clone_from(&place.config.base_urls);
    let record = setup::sign_node_record(&subject, &root, Some(&before))?;
    node.feeds().publish_node_record(record).await?;
    setup::save_config(&place.data, &place.config)
}

fn pin(node: &Node) -> anyhow::Result<Pin> {
    let record = own_record(node)?;
    let now = node.feeds().clock().now();
    Ok(Pin::new(record.node.clone(), record.root, record.urls.clone(), now))
}

fn own_record(node: &Node) -> anyhow::Result<NodeRecord> {
    let held = node.feeds().node_record(&node.place().node);
    let held = held.context("the node has no description of itself")?;
    Ok(NodeRecord::from_body(&Body::open(held)?)?)
}

fn shown(role: &'static str, node: &Node) -> Shown {
    let feeds = node.feeds();
    let views = feeds.origins().into_iter().filter_map(|origin| feeds.view(&origin));
    let feeds = views.filter_map(|view| {
        Some(ShownFeed { origin: view.origin.clone(), vkey: view.log_vkey()?.to_string() })
    });
    let Place { node, config, .. } = node.place();
    let url = config.base_urls.first().cloned().unwrap_or_default();
    Shown { role, name: node.clone(), url, feeds: feeds.collect() }
}

fn hub_names() -> BTreeMap<String, String> {
    let name = |language| match language {
        "fr" => "Nœud central de démonstration",
        "es" => "Nodo central de demostración",
        "pt" => "Nó central de demonstração",
        "ru" => "Демонстрационный центральный узел",
        "zh" => "演示中心节点",
        "ar" => "العقدة المركزية للعرض",
        _ => "Demonstration hub",
    };
    INTERFACE.into_iter().map(|language| (language.to_owned(), name(language).to_owned())).collect()
}

/// Where a demonstration that is kept says that it is one, so that `--reset` deletes nothing else.
pub fn marker(directory: &Path) -> PathBuf {
    directory.join("demo")
}

//! Serving: public listeners, each for one node or several told apart by their addresses, and for every
//! node its control socket and its peers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use serde_json::{Value, json};
use tlog::name::NodeName;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use web::server::{Limits, Listener};
use web::tls::Certificate;

use crate::config::Config;
use crate::control;
use crate::place::Place;
use crate::process;
use crate::wiring::{Node, Shared};

/// A rebuild of a large hub takes minutes, and the operator is no stranger to be limited.
const OPERATOR_REQUEST: Duration = Duration::from_secs(3_600);

/// The nodes of one listener, served until the process is asked to end.
pub struct Server {
    nodes: Vec<Served>,
    tasks: JoinSet<()>,
}

/// One node and where it is reached from this machine.
pub struct Served {
    /// The node.
    pub node: Arc<Node>,
    /// Ends with `/`.
    pub url: String,
    /// Where a monitoring system reads it, if anywhere.
    pub monitored: Option<SocketAddr>,
}

impl Server {
    /// Opens the nodes in `places` and serves each where its configuration says; those with the same
    /// address share a listener.
    pub async fn start(
        places: &[Place],
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Self>> {
        let connections = places.iter().map(|place| place.config.limits.connections).sum();
        process::allow_files(connections);
        let shared = Shared::default();
        let mut groups: BTreeMap<(SocketAddr, usize), Vec<Arc<Node>>> = BTreeMap::new();
        for (number, place) in places.iter().enumerate() {
            let address = place.config.listen;
            // Port 0 is another port for each.
            let group = if address.port() == 0 { number } else { usize::MAX };
            let node = Node::open(place, &shared).await?;
            groups.entry((address, group)).or_default().push(node);
        }
        let mut servers = Vec::with_capacity(groups.len());
        for ((address, _), nodes) in groups {
            let listener = TcpListener::bind(address).with_context(|| {
                format!("cannot listen on {address}; change `listen` in the configuration")
            })?;
            servers.push(Self::on(nodes, listener, shutdown)?);
        }
        Ok(servers)
    }

    /// Serves open nodes on one listener.
    pub fn on(
        nodes: Vec<Arc<Node>>,
        listener: TcpListener,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let config = nodes.first().map(|node| node.place().config.clone()).context("no node")?;
        let limits = Limits { connections: config.limits.connections, ..Limits::default() };
        let router = public_router(&nodes)?;
        let public = public_listener(&config, listener)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(web::server::serve(
            public,
            router,
            limits.clone(),
            process::asked(shutdown.clone()),
        ));
        let mut served = Vec::with_capacity(nodes.len());
        for node in nodes {
            let url = own_url(&node.place().config, address);
            let monitored = attend(&node, &mut tasks, &limits, shutdown)?;
            info!(event = "server.serving", node.name = %node.feeds().node(), "serving {} at {url}", node.feeds().node());
            served.push(Served { node, url, monitored });
        }
        Ok(Self { nodes: served, tasks })
    }

    /// What is served here.
    pub fn nodes(&self) -> &[Served] {
        &self.nodes
    }

    /// Waits until the process was asked to end and every request under way has.
    pub async fn ended(mut self) {
        while self.tasks.join_next().await.is_some() {}
        for served in &self.nodes {
            // A socket nobody answers would only make the next command try it in vain.
            let _ = std::fs::remove_file(served.node.place().socket());
        }
    }
}

impl Served {
    /// The node's name.
    pub fn name(&self) -> &NodeName {
        self.node.feeds().node()
    }

    /// What is told of it to programs.
    pub fn line(&self) -> Value {
        let mut line =
            json!({"node": self.name(), "url": self.url, "control": self.node.place().socket()});
        if let (Some(address), Some(line)) = (self.monitored, line.as_object_mut()) {
            line.insert("metrics".to_owned(), format!("http://{address}/metrics").into());
        }
        line
    }
}

/// What a node has besides the public listener: its peers, its control socket, and the port for monitoring,
/// whose address is the answer.
fn attend(
    node: &Arc<Node>,
    tasks: &mut JoinSet<()>,
    limits: &Limits,
    shutdown: &watch::Receiver<bool>,
) -> anyhow::Result<Option<SocketAddr>> {
    let asked = || process::asked(shutdown.clone());
    tasks.spawn(follow(Arc::clone(node), shutdown.clone()));
    match control::listen(node.place()) {
        Ok(socket) => {
            let limits = Limits { request: OPERATOR_REQUEST, ..limits.clone() };
            let (socket, router) = (Listener::Unix(socket), node.operator_router());
            tasks.spawn(web::server::serve(socket, router, limits, asked()));
        }
        Err(error) => warn!(
            event = "server.no-control-socket",
            "commands cannot reach this server: {error:#}"
        ),
    }
    let Some(listener) = monitor_listener(&node.place().config)? else { return Ok(None) };
    let address = listener.local_addr()?;
    let (listener, router) = (Listener::Tcp(listener), node.monitor_router());
    tasks.spawn(web::server::serve(listener, router, limits.clone(), asked()));
    Ok(Some(address))
}

async fn follow(node: Arc<Node>, shutdown: watch::Receiver<bool>) {
    node.outward().peers();
    node.outward().submit();
    node.outward().relay();
    let asking = tokio::spawn(peer::guard::keep_asking(Arc::clone(node.feeds())));
    let scrubbing = tokio::spawn(crate::scrub::keep_scrubbing(Arc::clone(node.feeds())));
    let indexer = Arc::clone(node.indexer());
    let indexing = tokio::spawn(async move { indexer.run().await });
    tokio::select! {
        () = process::asked(shutdown) => {}
        () = node.keeper().keep_in_order() => {}
    }
    asking.abort();
    indexing.abort();
    scrubbing.abort();
    node.outward().stop().await;
}

/// One node without a public address answers whoever asks; all others by the host that is asked for.
fn public_router(nodes: &[Arc<Node>]) -> anyhow::Result<Router> {
    let bases = |node: &Arc<Node>| node.place().config.base_urls.clone();
    if let [only] = nodes
        && bases(only).is_empty()
    {
        return Ok(only.public_router());
    }
    let mut hosts = Vec::new();
    for node in nodes {
        let (name, config) = (node.feeds().node(), &node.place().config);
        if bases(node).is_empty() {
            bail!("{name} shares {} with another node: each needs `base_urls`", config.listen);
        }
        if nodes.iter().any(|other| other.place().config.tls != config.tls) {
            bail!(
                "{name} shares {} with a node of another `tls`: give both the same",
                config.listen
            );
        }
        hosts.extend(bases(node).into_iter().map(|base| (base, node.public_router())));
    }
    Ok(web::hosts::dispatch(hosts))
}

/// The port for monitoring, if the configuration names one.
fn monitor_listener(config: &Config) -> anyhow::Result<Option<tokio::net::TcpListener>> {
    let Some(address) = config.operator.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}; change `operator.listen` in the configuration")
    })?;
    listener.set_nonblocking(true)?;
    Ok(Some(tokio::net::TcpListener::from_std(listener)?))
}

fn public_listener(config: &Config, listener: TcpListener) -> anyhow::Result<Listener> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    match (&config.tls.certificate, &config.tls.key) {
        (Some(chain), Some(key)) => Ok(Listener::Tls(listener, Certificate::load(chain, key)?)),
        _ => Ok(Listener::Tcp(listener)),
    }
}

/// With the port that was taken, if any would do.
fn own_url(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.certificate.is_some() { "https" } else { "http" };
    config.base_urls.first().cloned().unwrap_or_else(|| format!("{scheme}://{address}/"))
}

//! The same works over HTTP: a node as it is served, its operator's socket, a follower's carrier.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use peer::{HttpCarrier, Outbound, PeerSettings};
use tlog::name::NodeName;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use web::{App, Limits, Listener, PeersError, PeersView, Site, routes};
use wire::api::{self, PublishAnswer, PublishOutcome, PublishRequest};
use wire::paths;

use crate::host::AUTHOR;
use crate::meter::{Measured, Meter};
use crate::publish::Shape;
use crate::records::Records;
use crate::side::{self, Address};

/// A follower's way to a server on this machine.
pub(crate) fn carrier(url: &str) -> anyhow::Result<HttpCarrier> {
    let allow_networks = vec!["127.0.0.0/8".parse()?];
    let settings = PeerSettings { allow_networks, ..PeerSettings::default() };
    let outbound = Outbound::new(&settings)?;
    Ok(HttpCarrier::new(&outbound, &[url.to_owned()])?)
}

/// The side that serves, until its input ends.
pub(crate) async fn serve(dir: &Path) -> anyhow::Result<Measured> {
    let is_new = !dir.exists();
    let feeds = if is_new { AUTHOR.begin(dir).await? } else { AUTHOR.open(dir).await? };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let socket = dir.join("control.sock");
    // Left there by an earlier round.
    drop(std::fs::remove_file(&socket));
    let operator = UnixListener::bind(&socket)?;
    let app = App::new(feeds, Arc::new(NoPeers), Site::default(), Some(url.clone()));
    let (stop, _) = tokio::sync::watch::channel(false);
    let mut servers = JoinSet::new();
    let listeners = [
        (Listener::Tcp(listener), routes::public(app.clone())),
        (Listener::Unix(operator), routes::operator(app)),
    ];
    for (listener, router) in listeners {
        let mut stopped = stop.subscribe();
        servers.spawn(web::serve(listener, router, Limits::default(), async move {
            drop(stopped.wait_for(|stopped| *stopped).await);
        }));
    }
    let meter = Meter::start()?;
    side::say(&Address { url, socket })?;
    side::told_to_end().await?;
    let measured = meter.stop(0)?;
    stop.send_replace(true);
    servers.join_all().await;
    Ok(measured)
}

/// The side that publishes: drafts as JSON, written before the clock starts.
pub(crate) async fn post(socket: &Path, shape: Shape) -> anyhow::Result<Measured> {
    let records = Records::new();
    let mut queues = Vec::new();
    for publisher in 0..shape.publishers {
        let bodies: anyhow::Result<Vec<Vec<u8>>> = (0..shape.requests)
            .map(|request| request_body(&records, shape, shape.first(publisher, request)))
            .collect();
        queues.push(bodies?);
    }
    let client = reqwest::Client::builder().unix_socket(socket).build()?;
    let meter = Meter::start()?;
    let mut publishers = JoinSet::new();
    for queue in queues {
        publishers.spawn(post_all(client.clone(), queue));
    }
    let mut latencies = Vec::new();
    while let Some(of_one) = publishers.join_next().await {
        latencies.extend(of_one??);
    }
    Ok(meter.stop(shape.records())?.with_latencies(latencies))
}

fn request_body(records: &Records, shape: Shape, first: u64) -> anyhow::Result<Vec<u8>> {
    let draft = |number: u64| api::Draft {
        kind: "good-practice".to_owned(),
        id: None,
        expected: None,
        subject: records.subject(number),
        source: None,
    };
    let request = PublishRequest {
        feed: "public".to_owned(),
        drafts: (first..first + shape.batch).map(draft).collect(),
        dry_run: false,
        match_local_id: false,
        warnings_seen: true,
    };
    Ok(serde_json::to_vec(&request)?)
}

async fn post_all(client: reqwest::Client, queue: Vec<Vec<u8>>) -> anyhow::Result<Vec<f64>> {
    let mut latencies = Vec::with_capacity(queue.len());
    for body in queue {
        let asked = Instant::now();
        let answer = post_one(&client, body).await?;
        latencies.push(asked.elapsed().as_secs_f64() * 1e6);
        ensure_published(&answer)?;
    }
    Ok(latencies)
}

async fn post_one(client: &reqwest::Client, body: Vec<u8>) -> anyhow::Result<Bytes> {
    let url = format!("http://localhost{}", paths::API_PUBLISH);
    let request = client.post(&url).header("content-type", "application/json").body(body);
    Ok(request.send().await?.bytes().await?)
}

fn ensure_published(answer: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(answer);
    let answer: PublishAnswer = serde_json::from_slice(answer)
        .with_context(|| format!("publishing was answered with {text}"))?;
    ensure!(answer.outcome == PublishOutcome::Published, "not published: {text}");
    Ok(())
}

/// An author with one record at a time.
pub(crate) struct Publisher {
    client: reqwest::Client,
    records: Records,
}

impl Publisher {
    pub(crate) fn new(socket: &Path) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().unix_socket(socket).build()?;
        Ok(Self { client, records: Records::new() })
    }

    /// Record `number` as it is sent.
    pub(crate) fn draft(&self, number: u64) -> anyhow::Result<Vec<u8>> {
        request_body(&self.records, Shape { publishers: 1, batch: 1, requests: 1 }, number)
    }

    /// Publishes a draft; it is acknowledged when this returns.
    pub(crate) async fn publish(&self, draft: Vec<u8>) -> anyhow::Result<()> {
        ensure_published(&post_one(&self.client, draft).await?)
    }
}

/// A node that follows nobody.
pub(crate) struct NoPeers;

impl NoPeers {
    fn refused<T>() -> Result<T, PeersError> {
        Err(PeersError::Refused { reason: "the yardstick follows nobody".to_owned() })
    }
}

#[async_trait]
impl PeersView for NoPeers {
    fn status(&self) -> Vec<api::Peer> {
        Vec::new()
    }

    async fn follow(&self, _: api::FollowRequest) -> Result<api::FollowAnswer, PeersError> {
        Self::refused()
    }

    async fn unfollow(&self, _: api::UnfollowRequest) -> Result<(), PeersError> {
        Self::refused()
    }

    async fn sync(&self, _: &NodeName) -> Result<api::Peer, PeersError> {
        Self::refused()
    }

    async fn probe(&self, _: api::ProbeRequest) -> Result<api::ProbeAnswer, PeersError> {
        Self::refused()
    }
}

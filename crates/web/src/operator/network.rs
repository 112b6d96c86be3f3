//! `/api/v1/network…`: a network's file, its decisions, approvals, and what travels by mail.

mod approve;
mod decide;
mod mail;
pub(crate) mod status;

use std::collections::BTreeSet;
use std::sync::Arc;

use ::network::file::{NetworkFile, same_fingerprint};
use ::network::fold::Network;
use ::network::subject::{CommitteeNode, PolicySubject};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use feed::feeds::{Publication, Published};
use http::HeaderMap;
use practice::body::Body;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use serde_json::Value;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use tlog::policy::{Log, Policy, Word};
use wire::api::network::{
    InitRequest, Member, NetworkFileAnswer, NetworkFileRequest, PinNetworkRequest,
};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

pub(crate) use approve::{approvals, approve};
pub(crate) use decide::decide;
pub(crate) use mail::{answer, join, take};
pub(crate) use status::networks;

/// `POST /api/v1/network/init`
pub(crate) async fn init(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: InitRequest = params::json(request).await?;
    let origin = own_origin(&app);
    if app.feeds.network(&origin).is_some() {
        return Err(Answer::bad(
            "this node is a network's own node already; `jopoi network policy` changes who decides",
        ));
    }
    let alone = CommitteeNode { node: app.feeds.node().clone(), root: own_record(&app)?.root };
    let committee = match request.committee.is_empty() {
        true => vec![alone.clone()],
        false => committee(&request.committee)?,
    };
    let names: BTreeSet<&NodeName> = committee.iter().map(|one| &one.node).collect();
    if names.len() != committee.len() {
        return Err(Answer::bad("the nodes of a committee are different ones: one is named twice"));
    }
    let default = if committee.len() > 2 { 2 } else { 1 };
    let threshold = request.threshold.unwrap_or(default);
    let roots: Vec<PublicKey> = committee.iter().map(|one| one.root).collect();
    let log = own_log(&app, &origin)?;
    let policy = Policy::some_of(vec![log], &[], 0).map_err(|error| bad(&error))?;
    let threshold_of_file = usize::try_from(threshold).unwrap_or(usize::MAX);
    let file = NetworkFile::new(&origin, &roots, threshold_of_file, &policy)
        .map_err(|error| bad(&error))?;
    let mut answer = describe(&app, &file, None);
    answer.committee = committee.iter().map(member).collect();
    if !request.dry_run {
        app.feeds.pin_network(file).await?;
        let subject = PolicySubject {
            committee: committee.clone(),
            threshold,
            witnesses: Vec::new(),
            quorum: 0,
            decision: None,
            reason: None,
        };
        let published = publish(&app, Kind::POLICY, None, subject.to_value()).await?;
        if committee == [alone] {
            approve::in_own_feed(&app, &published).await?;
        }
        answer.pinned = true;
    }
    Ok(json(&answer, &HeaderMap::new()))
}

/// `POST /api/v1/network/file`
pub(crate) async fn file(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: NetworkFileRequest = params::json(request).await?;
    let origin = match request.network {
        Some(node) => Origin::new(node, FeedName::public()),
        None => only_network(&app)?.origin().clone(),
    };
    let file = todays_file(&app, &origin).await?;
    let mut answer = describe(&app, &file, None);
    answer.pinned = true;
    Ok(json(&answer, &HeaderMap::new()))
}

/// `POST /api/v1/network/pin`
pub(crate) async fn pin(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: PinNetworkRequest = params::json(request).await?;
    let file = NetworkFile::parse(request.file.as_bytes()).map_err(|error| bad(&error))?;
    let mut answer = describe(&app, &file, app.feeds.network_file(&file.origin).as_deref());
    // What is compared is the file: those who founded the network, whoever decides in it today.
    (answer.committee, answer.threshold) = (founders(&file), file.threshold as u64);
    if let Some(fingerprint) = &request.fingerprint {
        if !same_fingerprint(fingerprint, &answer.fingerprint) {
            return Err(Answer::bad(format!(
                "the fingerprint of this file is {}, not {fingerprint}: it is not the file that the network gave \
                 out; ask for it again, and compare by telephone",
                answer.fingerprint
            )));
        }
        app.feeds.pin_network(file).await?;
        answer.pinned = true;
    }
    Ok(json(&answer, &HeaderMap::new()))
}

/// The network file as newcomers need it now: of our own network with the keys and addresses of today.
async fn todays_file(app: &App, origin: &Origin) -> Result<Arc<NetworkFile>, Answer> {
    let unknown = || Answer::not_found(format!("network `{}`", origin.node()));
    let held = app.feeds.network_file(origin).ok_or_else(unknown)?;
    if *origin != own_origin(app) {
        return Ok(held);
    }
    let network = app.feeds.network(origin).ok_or_else(unknown)?;
    let index = network.policy().and_then(|policy| policy.index);
    let subject = match index {
        Some(index) => PolicySubject::from_body(&body_at(app, origin, index).await?).ok(),
        None => None,
    };
    let (witnesses, quorum) =
        subject.map(|subject| (subject.witnesses, subject.quorum)).unwrap_or_default();
    let quorum = usize::try_from(quorum).unwrap_or(usize::MAX);
    let policy = Policy::some_of(vec![own_log(app, origin)?], &witnesses, quorum);
    let policy = policy.map_err(|error| bad(&error))?;
    let file = held.with_policy(&policy).map_err(|error| bad(&error))?;
    if file.bytes() != held.bytes() {
        app.feeds.pin_network(file.clone()).await?;
    }
    Ok(Arc::new(file))
}

fn describe(app: &App, file: &NetworkFile, held: Option<&NetworkFile>) -> NetworkFileAnswer {
    let policy = app.feeds.network(&file.origin);
    let policy = policy.as_deref().and_then(Network::policy);
    let (committee, threshold) = match policy {
        Some(policy) => (policy.committee.iter().map(status::member).collect(), policy.threshold),
        None => (founders(file), file.threshold),
    };
    let replaces = held.filter(|held| held.bytes() != file.bytes());
    NetworkFileAnswer {
        origin: file.origin.clone(),
        file: file.text(),
        fingerprint: file.fingerprint(),
        committee,
        threshold: threshold as u64,
        pinned: false,
        replaces: replaces.map(NetworkFile::fingerprint),
    }
}

/// Those whom a network file names.
fn founders(file: &NetworkFile) -> Vec<Member> {
    file.roots.iter().map(|root| Member { node: None, root: root.to_did() }).collect()
}

/// The feed of this node that a network's decisions stand in.
fn own_origin(app: &App) -> Origin {
    Origin::new(app.feeds.node().clone(), FeedName::public())
}

/// This node as a network's own.
fn own_network(app: &App) -> Result<Arc<Network>, Answer> {
    app.feeds.network(&own_origin(app)).ok_or_else(|| {
        Answer::bad("this node is no network's own node; `jopoi network init` makes it one")
    })
}

fn only_network(app: &App) -> Result<Arc<Network>, Answer> {
    let mut all = app.feeds.networks();
    match (all.pop(), all.is_empty()) {
        (Some(network), true) => Ok(network),
        (Some(_), false) => Err(Answer::bad(
            "this node knows several networks: say which with --network NODE; `jopoi network status` \
             lists them",
        )),
        (None, _) => Err(Answer::bad("this node knows no network; `jopoi join FILE` begins")),
    }
}

fn own_log(app: &App, origin: &Origin) -> Result<Log, Answer> {
    let view =
        app.feeds.view(origin).ok_or_else(|| Answer::not_found(format!("feed `{origin}`")))?;
    let key = view.log_vkey().ok_or_else(|| Answer::not_found("log key"))?;
    let base = own_record(app)?.urls.first().cloned();
    let url = base.map(|base| Word::new(format!("{base}feeds/{origin}").as_bytes()));
    let url = url.transpose().map_err(|error| bad(&error))?;
    Ok(Log { key, url })
}

fn own_record(app: &App) -> Result<NodeRecord, Answer> {
    let bytes = app.feeds.node_record(app.feeds.node());
    let record = bytes.and_then(|bytes| node_record(bytes).ok());
    record.ok_or_else(|| Answer::not_found("node record of this node"))
}

fn node_record(bytes: Bytes) -> Result<NodeRecord, Answer> {
    let body = Body::open(bytes).map_err(|error| bad(&error))?;
    NodeRecord::from_body(&body).map_err(|error| bad(&error))
}

async fn body_at(app: &App, origin: &Origin, index: u64) -> Result<Body, Answer> {
    match app.feeds.entry(origin, index).await?.body {
        feed::feeds::BodyRead::Held(bytes) => Body::open(bytes).map_err(|error| bad(&error)),
        _ => Err(Answer::not_found(format!("document at entry {index} of `{origin}`"))),
    }
}

/// Publishes one record in this node's public feed.
async fn publish(
    app: &App,
    kind: Kind,
    id: Option<practice::id::RecordId>,
    subject: Value,
) -> Result<Published, Answer> {
    let one = Publication { kind, id, subject, expected: None };
    let published = app.feeds.publish(&FeedName::public(), vec![one]).await?;
    published.into_iter().next().ok_or_else(|| Answer::not_found("published record"))
}

fn committee(members: &[Member]) -> Result<Vec<CommitteeNode>, Answer> {
    let one = |member: &Member| {
        let node: Option<NodeName> = member.node.clone();
        let node = node.ok_or_else(|| Answer::bad("name each node of the committee"))?;
        let root = PublicKey::from_did(&member.root).map_err(|error| bad(&error))?;
        Ok(CommitteeNode { node, root })
    };
    members.iter().map(one).collect()
}

fn member(one: &CommitteeNode) -> Member {
    Member { node: Some(one.node.clone()), root: one.root.to_did() }
}

fn decode(text: &str) -> Result<Bytes, Answer> {
    let bytes = STANDARD.decode(text);
    bytes.map(Bytes::from).map_err(|_| Answer::bad("the file did not arrive as base64"))
}

fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn bad(error: &dyn std::error::Error) -> Answer {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    Answer::bad(words)
}

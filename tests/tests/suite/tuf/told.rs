//! What one node says of itself and hands over: every object beside those of its feed, as bytes.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use feed::bundle::{self, Item, ItemKind};
use feed::cosignatures::Cosignatures;
use feed::fault::{Fault, ForkKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::ask::{Answered, ask};
use tests::federation::Node;
use tests::forge::Forge;
use tests::member::Member;
use tlog::name::{KeyName, Origin};
use wire::paths;

use super::OTHER;

/// Whose keys the follower of every cell has.
pub(crate) const VICTIM: &str = "victim.example";
/// Whose keys have signed two histories.
pub(crate) const CROOK: &str = "crook.example";
/// Where a member is found of whom only the name counts.
const NOWHERE: &str = "http://127.0.0.1:1/";

/// What is fetched, or handed over by hand or by request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    /// `/.well-known/jopoi`
    NodeRecord,
    /// `/heads`: what others hold, and which restricted feeds there are.
    Heads,
    /// `GET …/cosignatures`
    Cosignatures,
    /// `POST …/cosignatures`
    Cosignature,
    /// `…/anchors` of a network.
    Anchors,
    /// A feed on a stick.
    Bundle,
    /// Evidence that somebody signed two histories.
    Fault,
    /// `POST /add-checkpoint`
    AddCheckpoint,
    /// What a newcomer pins.
    NetworkFile,
    /// What a node mails to a network.
    JoinRequest,
    /// What the network mails back.
    JoinAnswer,
}

/// All of them.
pub(crate) const OBJECTS: [Object; 11] = [
    Object::NodeRecord,
    Object::Heads,
    Object::Cosignatures,
    Object::Cosignature,
    Object::Anchors,
    Object::Bundle,
    Object::Fault,
    Object::AddCheckpoint,
    Object::NetworkFile,
    Object::JoinRequest,
    Object::JoinAnswer,
];

/// What one node tells, at one time.
pub(crate) type Told = BTreeMap<Object, Bytes>;

impl Object {
    /// A part of the path where it is fetched; none for what is handed over.
    pub(crate) fn fetched_at(self) -> Option<&'static str> {
        match self {
            Self::NodeRecord => Some("/.well-known/jopoi"),
            Self::Heads => Some("/heads"),
            Self::Cosignatures => Some("/cosignatures"),
            Self::Anchors => Some("/anchors"),
            _ => None,
        }
    }
}

/// Asks a node's operator for something to be done.
pub(crate) async fn operate(node: &Node, path: &str, what: &Value) -> Result<Answered> {
    let json = [("content-type", "application/json".to_owned())];
    ask(node.operator(), Method::POST, path, &json, Some(serde_json::to_vec(what)?)).await
}

/// The same, where it must be done.
async fn done(node: &Node, path: &str, what: &Value) -> Result<Value> {
    let answered = operate(node, path, what).await?;
    anyhow::ensure!(answered.status == StatusCode::OK, "{}", answered.text());
    Ok(serde_json::from_slice(&answered.bytes)?)
}

async fn get(node: &Node, path: &str) -> Result<Bytes> {
    let answered = ask(node.router(), Method::GET, path, &[], None).await?;
    anyhow::ensure!(answered.status == StatusCode::OK, "{path}: {}", answered.text());
    Ok(answered.bytes)
}

/// What a member mails to take part: its node record.
pub(crate) fn request(member: &Member, node_record: Bytes) -> Bytes {
    let kind = ItemKind::NodeRecord;
    bundle::write(&[Item { kind, origin: member.origin(), number: 0, bytes: node_record }]).into()
}

/// `node` becomes a network.
pub(crate) async fn begin_network(node: &Node) -> Result<()> {
    done(node, paths::API_NETWORK_INIT, &json!({})).await.map(drop)
}

/// What a network is asked to decide about a request.
pub(crate) fn registering(request: &[u8]) -> Value {
    json!({ "change": { "what": "register", "request": STANDARD.encode(request) } })
}

/// A network registers a member.
pub(crate) async fn register(network: &Node, member: &Member) -> Result<()> {
    let origin = network.member().origin();
    let record = member.taking_part(&[NOWHERE.to_owned()], &origin)?;
    let what = registering(&request(member, record));
    done(network, paths::API_NETWORK_DECIDE, &what).await.map(drop)
}

/// A friend of a node follows it, and gives it a receipt.
pub(crate) async fn receive(friend: &Node, node: &Node) -> Result<()> {
    let (member, origin) = (node.member(), node.member().origin());
    friend.pin(member).await?;
    friend.sync(member, &node.url()).await?;
    let receipt = friend.feeds().own_receipt(&origin).await?.context("no receipt")?;
    Ok(node.feeds().accept_cosignature(&origin, &receipt.to_bytes()).await?)
}

/// A node becomes a network with one participant, and its friend follows it.
pub(crate) async fn begin(node: &Node, friend: &Node) -> Result<()> {
    begin_network(node).await?;
    register(node, &Member::of(VICTIM)?).await?;
    node.pin(friend.member()).await?;
    node.sync(friend.member(), &friend.url()).await?;
    node.publish(&format!("First words of {}", node.url())).await?;
    receive(friend, node).await
}

/// It goes on: another participant, a new node record, another record.
pub(crate) async fn go_on(node: &Node, friend: &Node) -> Result<()> {
    register(node, &Member::of(OTHER)?).await?;
    let (member, origin) = (node.member(), node.member().origin());
    node.feeds().publish_node_record(member.taking_part(&[node.url()], &origin)?).await?;
    node.publish(&format!("Later words of {}", node.url())).await?;
    receive(friend, node).await
}

/// Everything a node tells now, whose friend received it; `asking` is the node record with which it asks
/// to take part elsewhere.
pub(crate) async fn all(node: &Node, friend: &Node, asking: Bytes) -> Result<Told> {
    let (member, origin) = (node.member(), node.member().origin());
    let base = format!("/feeds/{origin}");
    let mut items = Vec::new();
    let mut put = |item| {
        items.push(item);
        Ok(())
    };
    node.feeds().pack(&origin, 0, &mut put).await?;
    let name = KeyName::receipt_of(friend.member().name());
    let lines = Cosignatures::decode(&node.feeds().cosignatures(&origin))?;
    let receipt = lines.lines().iter().find(|line| *line.name() == name).context("no receipt")?;
    let receipt = receipt.to_bytes().into();
    let file = done(node, paths::API_NETWORK_FILE, &json!({})).await?;
    let file = file["file"].as_str().context("no file")?.to_owned();
    let answer = done(node, paths::API_NETWORK_ANSWER, &json!({ "node": VICTIM })).await?;
    let answer = STANDARD.decode(answer["bundle"].as_str().context("no answer")?)?;
    Ok(Told::from([
        (Object::NodeRecord, get(node, "/.well-known/jopoi").await?),
        (Object::Heads, get(node, "/heads").await?),
        (Object::Cosignatures, get(node, &format!("{base}/cosignatures")).await?),
        (Object::Cosignature, receipt),
        (Object::Anchors, get(node, &format!("{base}/anchors")).await?),
        (Object::Bundle, bundle::write(&items).into()),
        (Object::AddCheckpoint, node.feeds().submission(&origin, 0).await?.request),
        (Object::NetworkFile, file.into()),
        (Object::JoinRequest, request(member, asking)),
        (Object::JoinAnswer, answer.into()),
    ]))
}

/// Two histories of one size, and the evidence that a member signed both. The first is true.
pub(crate) fn two_histories(member: &Member, origin: &Origin) -> Result<(Forge, Bytes)> {
    let (mut first, mut second) = (Forge::begin(member)?, Forge::begin(member)?);
    first.record("Told to some")?;
    second.record("Told to others")?;
    let fault = Fault {
        fault: ForkKind::SameSize,
        origin: origin.clone(),
        cosigner: None,
        first: String::from_utf8(first.note()?)?,
        second: String::from_utf8(second.note()?)?,
        prefix_root: None,
        proof: Vec::new(),
        node_records: vec![String::from_utf8(member.node_record(&[])?.to_vec())?],
    };
    Ok((first, fault.to_bytes().into()))
}

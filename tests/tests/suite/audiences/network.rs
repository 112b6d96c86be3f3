//! A network whose node decides alone: its file, its participants, its groups.

use ::network::approval::About;
use ::network::file::NetworkFile;
use ::network::subject::{GroupSubject, ParticipantSubject, Status, embedded};
use anyhow::{Context as _, Result};
use feed::feeds::{Publication, Published};
use http::Method;
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::{Value, json};
use tests::ask::ask;
use tests::federation::Node;
use tlog::name::{FeedName, NodeName};
use wire::paths;

/// `node` becomes a network's own node, and its committee of one.
pub(crate) async fn begin(node: &Node) -> Result<NetworkFile> {
    let json = [("content-type", "application/json".to_owned())];
    let body = Some(b"{}".to_vec());
    let told = ask(node.operator(), Method::POST, paths::API_NETWORK_INIT, &json, body).await?;
    let told: Value = serde_json::from_slice(&told.bytes)?;
    let file = told["file"].as_str().with_context(|| told.to_string())?;
    Ok(NetworkFile::parse(file.as_bytes())?)
}

/// The network records where a node stands; `id` is that of its earlier record.
pub(crate) async fn state(
    network: &Node,
    node: &Node,
    status: Status,
    id: Option<RecordId>,
) -> Result<RecordId> {
    let origin = network.member().origin();
    let record = node.member().taking_part(&[node.url()], &origin)?;
    let record: Value = serde_json::from_slice(&record)?;
    embedded(&record).map_err(anyhow::Error::msg)?;
    let subject = ParticipantSubject {
        node: node.member().name().clone(),
        status,
        network: origin,
        status_reason: None,
        node_record: Some(record),
        succeeds: None,
        reinstated: false,
        succession: None,
        decision: None,
        reason: None,
    };
    decide(network, Kind::PARTICIPANT, id, subject.to_value()).await
}

/// The network makes a group of these nodes.
pub(crate) async fn group(network: &Node, members: &[&Node]) -> Result<RecordId> {
    let members =
        members.iter().map(|node| node.member().name().clone()).collect::<Vec<NodeName>>();
    let names = [("en".to_owned(), format!("Group of {}", members.len()))].into();
    let subject = GroupSubject { names, members, decision: None, reason: None };
    decide(network, Kind::GROUP, None, subject.to_value()).await
}

/// Records a decision and approves it.
async fn decide(
    network: &Node,
    kind: Kind,
    id: Option<RecordId>,
    subject: Value,
) -> Result<RecordId> {
    let decided = publish(network, kind, id, subject).await?;
    let entry = network.feeds().entry(&decided.origin, decided.index).await?;
    let feed::feeds::BodyRead::Held(bytes) = entry.body else { anyhow::bail!("not held") };
    let about = About::of(&Body::open(bytes)?).context("of no feed")?;
    let mut approving = about.approving();
    approving["note"] = json!({ "en": "By decision of one" });
    publish(network, Kind::ATTESTATION, None, approving).await?;
    Ok(decided.id)
}

async fn publish(
    network: &Node,
    kind: Kind,
    id: Option<RecordId>,
    subject: Value,
) -> Result<Published> {
    let publication = Publication { kind, id, subject, expected: None };
    let published = network.feeds().publish(&FeedName::public(), vec![publication]).await?;
    published.into_iter().next().context("nothing was published")
}

/// Follows a network and waits until all it decided is known here.
pub(crate) async fn meet(host: &Node, network: &Node, file: &NetworkFile) -> Result<()> {
    host.feeds().pin_network(NetworkFile::parse(file.bytes())?).await?;
    if host.member().name() != network.member().name() {
        host.follow(network).await?;
    }
    same_as(host, network).await
}

/// Waits until a network stands here as at its own node.
pub(crate) async fn same_as(host: &Node, network: &Node) -> Result<()> {
    let origin = network.member().origin();
    let size = network.feeds().view(&origin).context("not begun")?.size();
    host.until(&origin, size).await?;
    let mut changed = host.feeds().changed();
    let stands = |node: &Node| {
        let network = node.feeds().network(&origin)?;
        let participants = network.participants().map(|one| (one.node.clone(), one.status));
        let groups = network.groups().map(|group| group.id);
        Some((participants.collect::<Vec<_>>(), groups.collect::<Vec<_>>()))
    };
    let arrived = async {
        while stands(host) != stands(network) {
            changed.changed().await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), arrived)
        .await
        .context("it never stood so")?
}

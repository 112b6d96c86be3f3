//! The keys of a node of the committee are stolen: below the threshold the thief decides nothing, and the
//! others make a policy without that node. What was decided before stays.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use feed::feeds::Publication;
use network::approval::{About, Approval};
use network::file::NetworkFile;
use network::fold::{Decided, Network};
use network::subject::{CommitteeNode, PolicySubject};
use practice::body::Body;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use serde_json::{Value, json};
use tlog::name::{FeedName, Origin};
use tlog::policy::Policy;

use super::stage::make;
use crate::wiring::{Node, Shared};

/// Who decides, and who comes in for the one whose keys were stolen.
const COMMITTEE: [&str; 4] =
    ["first.example", "second.example", "robbed.example", "successor.example"];

/// How many must agree.
const THRESHOLD: usize = 2;

/// A network of throw-away nodes.
struct Stage {
    network: Arc<Node>,
    committee: Vec<Arc<Node>>,
    file: NetworkFile,
    decided: Vec<Decided>,
    approvals: Vec<Approval>,
    _directory: tempfile::TempDir,
}

/// Rehearses it.
pub(super) async fn rehearse() -> anyhow::Result<String> {
    let mut stage = Stage::new().await?;
    let [first, second, robbed, successor] = [0, 1, 2, 3];
    let before = stage.decide("group", group("Before", "first.example")).await?;
    stage.approve(first, &before).await?;
    stage.approve(second, &before).await?;
    ensure!(stage.groups() == 1, "two of three do not decide");
    // The thief approves what he likes.
    let stolen = stage.decide("group", group("Of the thief", "thief.example")).await?;
    stage.approve(robbed, &stolen).await?;
    ensure!(stage.groups() == 1, "one of three decides");
    let policy = stage.policy_of(&[first, second, successor])?;
    let policy = stage.decide("policy", policy).await?;
    stage.approve(first, &policy).await?;
    ensure!(stage.fold().pending_policy().is_some(), "a policy is in force with one approval");
    stage.approve(second, &policy).await?;
    ensure!(stage.fold().pending_policy().is_none(), "the new policy is not in force");
    let after = stage.decide("group", group("After", "second.example")).await?;
    stage.approve(robbed, &after).await?;
    stage.approve(first, &after).await?;
    ensure!(stage.groups() == 1, "the stolen key still counts");
    stage.approve(successor, &after).await?;
    ensure!(stage.groups() == 2, "the new committee cannot decide");
    Ok("one stolen key of three decided nothing; a new policy without it; what was decided stays"
        .to_owned())
}

impl Stage {
    async fn new() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("jopoi-drill-").tempdir()?;
        let shared = Shared::default();
        let network = make(directory.path(), "network.example", &shared).await?;
        let mut committee = Vec::new();
        for name in COMMITTEE {
            committee.push(make(directory.path(), name, &shared).await?);
        }
        let origin = origin(&network);
        let view = network.feeds().view(&origin).context("the network has no feed")?;
        let log = view.log_vkey().context("the network has no log key")?;
        let policy = Policy::parse(format!("log {log}\nquorum none\n").as_bytes())?;
        let roots: anyhow::Result<Vec<_>> =
            committee.iter().take(3).map(|node| Ok(record(node)?.root)).collect();
        let file = NetworkFile::new(&origin, &roots?, THRESHOLD, &policy)?;
        let (decided, approvals) = (Vec::new(), Vec::new());
        Ok(Self { network, committee, file, decided, approvals, _directory: directory })
    }

    /// A record in the network's feed.
    async fn decide(&mut self, kind: &str, subject: Value) -> anyhow::Result<About> {
        let (index, body) = publish(&self.network, kind, subject).await?;
        let about = About::of(&body).context("it stands in no feed")?;
        self.decided.push(Decided { index, body });
        Ok(about)
    }

    /// What a node of the committee does with `jopoi approve`.
    async fn approve(&mut self, member: usize, about: &About) -> anyhow::Result<()> {
        let node = self.committee.get(member).context("no such member")?;
        let (index, _) = publish(node, "attestation", about.approving()).await?;
        let evidence = node.feeds().evidence(&origin(node), index).await?;
        self.approvals.push(evidence.verify(record(node)?.root)?);
        Ok(())
    }

    fn policy_of(&self, members: &[usize]) -> anyhow::Result<Value> {
        let nodes = members.iter().filter_map(|member| self.committee.get(*member));
        let committee: anyhow::Result<Vec<CommitteeNode>> = nodes
            .map(|node| {
                let record = record(node)?;
                Ok(CommitteeNode { node: record.node.clone(), root: record.root })
            })
            .collect();
        let subject = PolicySubject {
            committee: committee?,
            threshold: THRESHOLD as u64,
            witnesses: Vec::new(),
            quorum: 0,
            decision: None,
            reason: None,
        };
        Ok(subject.to_value())
    }

    fn fold(&self) -> Network {
        let now = self.network.feeds().clock().now();
        Network::fold(&self.file, &self.decided, &self.approvals, &|_| Some(now), now)
    }

    fn groups(&self) -> usize {
        self.fold().groups().count()
    }
}

fn group(name: &str, member: &str) -> Value {
    json!({"names": {"en": name}, "members": [member]})
}

fn origin(node: &Node) -> Origin {
    Origin::new(node.place().node.clone(), FeedName::public())
}

fn record(node: &Node) -> anyhow::Result<NodeRecord> {
    let bytes =
        node.feeds().node_record(&node.place().node).context("a node says nothing of itself")?;
    Ok(NodeRecord::from_body(&Body::open(bytes)?)?)
}

async fn publish(node: &Node, kind: &str, subject: Value) -> anyhow::Result<(u64, Body)> {
    let publication = Publication { kind: Kind::parse(kind)?, id: None, subject, expected: None };
    let published = node.feeds().publish(&FeedName::public(), vec![publication]).await?;
    let entry = published.first().context("nothing was published")?;
    let read = node.feeds().entry(&origin(node), entry.index).await?;
    match read.body {
        feed::feeds::BodyRead::Held(bytes) => Ok((entry.index, Body::open(bytes)?)),
        _ => anyhow::bail!("what was published is not held"),
    }
}

//! The decisions of a network: each is one record in the network's own feed, which takes effect when
//! enough of the committee have approved it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tlog::name::NodeName;
use wire::api::network::{Change, DecideAnswer, DecideRequest};
use wire::paths;

use super::{read_mailed, tell_pending};
use crate::cli::Global;
use crate::commands::init::by_language;
use crate::output::{Done, Output, Usage, visible};
use crate::text;

/// What every decision says of itself.
#[derive(Args)]
pub struct Decision {
    /// Who decided it, such as "Second meeting of the network".
    #[arg(long, value_name = "[LANG=]TEXT")]
    decision_body: Vec<String>,
    /// When.
    #[arg(long, value_name = "YYYY-MM-DD")]
    decision_date: Option<String>,
    /// The document that says so.
    #[arg(long, value_name = "TEXT")]
    decision_document: Option<String>,
    /// Why.
    #[arg(long, value_name = "[LANG=]TEXT")]
    reason: Vec<String>,
    /// Show it, and publish nothing.
    #[arg(long)]
    dry_run: bool,
    /// Publish it without asking.
    #[arg(long)]
    yes: bool,
}

/// Let a node take part, from the request it mailed. Also for a new root key that its old one or its
/// recovery key signed.
#[derive(Args)]
pub struct Register {
    /// The file that `jopoi join` wrote on its side.
    request: PathBuf,
    #[command(flatten)]
    decision: Decision,
}

/// Pause a node's participation.
#[derive(Args)]
pub struct Pause {
    #[command(flatten)]
    status: StatusChange,
}

/// Resume a paused participation.
#[derive(Args)]
pub struct Resume {
    #[command(flatten)]
    status: StatusChange,
}

/// End a node's participation. What it published stays readable.
#[derive(Args)]
pub struct End {
    #[command(flatten)]
    status: StatusChange,
}

#[derive(Args)]
struct StatusChange {
    /// The node.
    node: NodeName,
    /// A code of the vocabulary: own-request, key-compromised, mechanism-changed, network-decision.
    #[arg(long, value_name = "CODE")]
    status_reason: Option<String>,
    #[command(flatten)]
    decision: Decision,
}

/// Another node takes over from one that ends. The history of both stays, and the succession is shown.
#[derive(Args)]
pub struct Succeed {
    /// The node that ends.
    old: NodeName,
    /// The node that begins.
    new: NodeName,
    /// The file that `jopoi join` wrote on the new one's side.
    request: PathBuf,
    #[command(flatten)]
    decision: Decision,
}

/// Give a participant that lost all its keys a new root, after it was identified outside the system.
/// Shown for ever; effective seven days after it was seen.
#[derive(Args)]
pub struct Reinstate {
    /// The node.
    node: NodeName,
    /// The file that `jopoi join` wrote on its side, signed by the new root key.
    request: PathBuf,
    #[command(flatten)]
    decision: Decision,
}

/// Make a group of participants, or change its members.
#[derive(Args)]
pub struct Group {
    /// Its name; once for each language.
    #[arg(required = true, value_name = "[LANG=]NAME")]
    name: Vec<String>,
    /// Its members from now on.
    #[arg(long, value_delimiter = ',', required = true)]
    members: Vec<NodeName>,
    #[command(flatten)]
    decision: Decision,
}

/// Change who decides. The old and the new committee must both approve it.
#[derive(Args)]
pub struct Policy {
    /// The nodes that decide from then on, with their root keys.
    #[arg(long, value_name = "NODE=did:key:…", value_delimiter = ',', required = true)]
    committee: Vec<String>,
    /// How many of them must approve.
    #[arg(long, value_name = "N")]
    threshold: u64,
    /// A witness, as a C2SP verifier key.
    #[arg(long, value_name = "VKEY")]
    witnesses: Vec<String>,
    /// How many witnesses make a quorum.
    #[arg(long, value_name = "N")]
    quorum: Option<u64>,
    #[command(flatten)]
    decision: Decision,
}

impl Register {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let change = Change::Register { request: read_mailed(&self.request)? };
        self.decision.take(change, global, output).await
    }
}

impl Pause {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        self.status.take("paused", global, output).await
    }
}

impl Resume {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        self.status.take("participating", global, output).await
    }
}

impl End {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        self.status.take("ended", global, output).await
    }
}

impl StatusChange {
    async fn take(self, status: &str, global: &Global, output: Output) -> anyhow::Result<Done> {
        let change = Change::Status {
            node: self.node,
            status: status.to_owned(),
            status_reason: self.status_reason,
        };
        self.decision.take(change, global, output).await
    }
}

impl Succeed {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let request = read_mailed(&self.request)?;
        let change = Change::Succeed { old: self.old, new: self.new, request };
        self.decision.take(change, global, output).await
    }
}

impl Reinstate {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let change = Change::Reinstate { node: self.node, request: read_mailed(&self.request)? };
        self.decision.take(change, global, output).await
    }
}

impl Group {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let fallback = language(global)?;
        let names = by_language(&self.name, Some(&fallback))?;
        let change = Change::Group { names, members: self.members };
        self.decision.take(change, global, output).await
    }
}

impl Policy {
    /// Publishes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let change = Change::Policy {
            committee: super::committee(&self.committee)?,
            threshold: self.threshold,
            witnesses: self.witnesses,
            quorum: self.quorum,
        };
        self.decision.take(change, global, output).await
    }
}

impl Decision {
    async fn take(self, change: Change, global: &Global, output: Output) -> anyhow::Result<Done> {
        let fallback = language(global)?;
        let reason = by_language(&self.reason, Some(&fallback))?;
        let decision = self.describe(&fallback)?;
        let control = global.control().await?;
        let shown = DecideRequest { change, decision, reason, dry_run: true };
        if self.dry_run || !self.yes {
            let answer: DecideAnswer = control.post(paths::API_NETWORK_DECIDE, &shown).await?;
            if self.dry_run {
                output.json(&answer)?;
            }
            tell_what(&answer, &output)?;
            if self.dry_run {
                output.say("Nothing was published: this was a dry run.")?;
                return Ok(Done::Fully);
            }
            if !output.confirm("Do you publish this decision in the network's feed?", "--yes")? {
                anyhow::bail!("nothing was published: you did not confirm it");
            }
        }
        let request = DecideRequest { dry_run: false, ..shown };
        let answer: DecideAnswer = control.post(paths::API_NETWORK_DECIDE, &request).await?;
        output.json(&answer)?;
        for (what, entry) in answer.what.iter().zip(&answer.published) {
            output.say(format!(
                "Published as entry {} of {}: {}",
                entry.index,
                entry.origin,
                visible(what)
            ))?;
        }
        if answer.approved_here {
            output.say("This node is of the committee, and has approved it in its own feed.")?;
        }
        if answer.pending.is_empty() {
            output.say("It is in effect.")?;
        }
        tell_pending(&answer.pending, &output)?;
        Ok(Done::Fully)
    }

    fn describe(&self, fallback: &str) -> anyhow::Result<Option<Value>> {
        let body = by_language(&self.decision_body, Some(fallback))?;
        if body.is_empty() {
            if self.decision_date.is_some() || self.decision_document.is_some() {
                return Err(
                    Usage("a decision is somebody's: add --decision-body".to_owned()).into()
                );
            }
            return Ok(None);
        }
        let mut decision = serde_json::Map::from_iter([("deciding_body".to_owned(), json!(body))]);
        for (name, text) in [("date", &self.decision_date), ("document", &self.decision_document)] {
            if let Some(text) = text {
                decision.insert(name.to_owned(), Value::from(text.as_str()));
            }
        }
        Ok(Some(Value::Object(decision)))
    }
}

/// The language of a text that does not say its own.
fn language(global: &Global) -> anyhow::Result<String> {
    Ok(global.place()?.config.language.unwrap_or_else(|| "en".to_owned()))
}

fn tell_what(answer: &DecideAnswer, output: &Output) -> anyhow::Result<()> {
    for (what, subject) in answer.what.iter().zip(&answer.subjects) {
        output.say(visible(what))?;
        let mut shown = subject.clone();
        // The whole node record would hide the decision; its root key stands in the words.
        if let Some(members) = shown.as_object_mut() {
            members.remove("node_record");
            members.remove("succession");
        }
        for line in text::lines(&shown) {
            output.say(format!("  {line}"))?;
        }
    }
    Ok(())
}

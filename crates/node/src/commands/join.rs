//! `jopoi join`: taking part in a network, by files that can be mailed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::Method;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::name::Origin;
use wire::api::network::{
    JoinRequest, MailAnswer, NetworkFileAnswer, Networks, PinNetworkRequest, TakeAnswerRequest,
};
use wire::paths;

use super::keys::change;
use super::network::{encode, read_mailed, tell_committee, tell_network, write_mailed};
use crate::cli::Global;
use crate::control::Control;
use crate::keys::Root;
use crate::output::{Done, Output, Usage, visible};
use crate::setup;

/// A network file is some lines of text.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Take part in a network: compare its fingerprint, follow it, write the request to mail.
#[derive(Args)]
pub struct Join {
    /// The network file that the network's secretariat gave you.
    #[arg(required_unless_present_any = ["answer", "status"])]
    file: Option<PathBuf>,
    /// The fingerprint they told you by telephone or on paper: pins the network without asking.
    #[arg(long, value_name = "30 DIGITS")]
    fingerprint: Option<String>,
    /// Your root key file: the node record is signed again, so that it names the network. With a new root
    /// key, after the old one was lost: the request asks the committee to reinstate this node with it.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Where the request to mail is written [default: NODE.join-request].
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Follow the network without asking to take part.
    #[arg(long, conflicts_with_all = ["root", "request"])]
    only_follow: bool,
    /// Take the answer that the network mailed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "status"])]
    answer: Option<PathBuf>,
    /// Show what this node waits for.
    #[arg(long)]
    status: bool,
}

impl Join {
    /// Does it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        if self.status {
            return status(&control, output).await;
        }
        if let Some(answer) = &self.answer {
            return take(&control, answer, output).await;
        }
        let path = self.file.clone().context("give the network file")?;
        let Some(pinned) = self.pin(&control, &path, &output).await? else {
            bail!("not joined: you did not confirm the fingerprint");
        };
        output.say(format!("Following the network {} from now on.", pinned.origin.node()))?;
        if self.only_follow {
            output.json(&pinned)?;
            return Ok(Done::Fully);
        }
        let mailed = self.ask(&control, &pinned.origin, global).await?;
        output.json(&mailed)?;
        let node = global.place()?.node;
        let request = self.request.unwrap_or_else(|| PathBuf::from(format!("{node}.join-request")));
        write_mailed(&request, &mailed.bundle)?;
        output.say(&mailed.what)?;
        output.say(format!(
            "Mail {} to the network's secretariat, and tell them your root key by telephone.",
            request.display()
        ))?;
        output.say("They register you; `jopoi join --status` shows what you wait for.")?;
        Ok(Done::Fully)
    }

    /// Shows the fingerprint, asks, pins.
    async fn pin(
        &self,
        control: &Control,
        path: &Path,
        output: &Output,
    ) -> anyhow::Result<Option<NetworkFileAnswer>> {
        let file = read_file(path)?;
        let request = PinNetworkRequest { file, fingerprint: self.fingerprint.clone() };
        let answer: NetworkFileAnswer = control.post(paths::API_NETWORK_PIN, &request).await?;
        if answer.pinned {
            return Ok(Some(answer));
        }
        output.say(format!("network      {}", answer.origin.node()))?;
        output.say(format!("founded by   {} of", answer.threshold))?;
        tell_committee(&answer, output)?;
        output.say(format!("fingerprint  {}", answer.fingerprint))?;
        if let Some(before) = &answer.replaces {
            output.say(format!(
                "Another file of this network is pinned here, with the fingerprint {before}."
            ))?;
        }
        output.say(
            "Compare the fingerprint with what the network tells you by telephone or on paper.",
        )?;
        if !output.confirm(
            "Is it the same, digit by digit?",
            // Not the digits of the file: whoever pastes them has compared nothing.
            "--fingerprint \"THE 30 DIGITS THEY TOLD YOU\"",
        )? {
            return Ok(None);
        }
        let shown = PinNetworkRequest { fingerprint: Some(answer.fingerprint), ..request };
        Ok(Some(control.post(paths::API_NETWORK_PIN, &shown).await?))
    }

    /// The request to mail; signs the node record again where it does not name the network yet. Signed by
    /// another root key it asks to be reinstated, and nothing is published.
    async fn ask(
        &self,
        control: &Control,
        network: &Origin,
        global: &Global,
    ) -> anyhow::Result<MailAnswer> {
        let record = newest_record(control).await?;
        let given = self.root.as_deref().map(Root::read).transpose()?;
        let in_force = given.is_none_or(|root| root.signing_key().public() == record.root);
        let node_record = match &self.root {
            Some(path) if !in_force => {
                Some(encode(&change::ask_for_root(global, path, network).await?))
            }
            _ if record.networks.contains(network) => None,
            _ => Some(encode(&self.sign(&record, network)?)),
        };
        let request = JoinRequest { network: network.clone(), node_record };
        control.post(paths::API_NETWORK_JOIN, &request).await
    }

    fn sign(&self, record: &NodeRecord, network: &Origin) -> anyhow::Result<Bytes> {
        let Some(path) = &self.root else {
            return Err(Usage(format!(
                "the node record does not name the network {} yet: bring the root key and add --root FILE (or \
                 --only-follow)",
                network.node()
            ))
            .into());
        };
        let root = Root::read(path)?;
        let mut subject = (**record).clone();
        subject.networks.push(network.clone());
        setup::sign_node_record(&subject, &root, Some(record))
    }
}

/// What this node says of itself today.
pub(super) async fn newest_record(control: &Control) -> anyhow::Result<NodeRecord> {
    let bytes = control.bytes(Method::GET, paths::WELL_KNOWN).await?;
    Ok(NodeRecord::from_body(&Body::open(bytes)?)?)
}

async fn status(control: &Control, output: Output) -> anyhow::Result<Done> {
    let answer: Networks = control.get(paths::API_NETWORKS).await?;
    output.json(&answer)?;
    if answer.networks.is_empty() {
        output.say(
            "This node knows no network: jopoi join FILE, with the file that the network gave you.",
        )?;
    }
    for network in &answer.networks {
        tell_network(network, &output)?;
        if network.waiting.is_empty() {
            output.say("This node waits for nothing.")?;
        }
    }
    Ok(Done::Fully)
}

async fn take(control: &Control, path: &Path, output: Output) -> anyhow::Result<Done> {
    let request = TakeAnswerRequest { bundle: read_mailed(path)? };
    let answer: MailAnswer = control.post(paths::API_NETWORK_TAKE, &request).await?;
    output.json(&answer)?;
    output.say(visible(&answer.what))?;
    Ok(Done::Fully)
}

fn read_file(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if length > FILE_BYTES_MAX {
        bail!("{shown} has {length} bytes: that is no network file");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

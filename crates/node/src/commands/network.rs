//! `jopoi network …`: a network of nodes, its committee and its participants.

pub mod begin;
pub mod decide;
pub mod handover;
pub mod mail;
pub mod status;

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;
use wire::api::network::Member;

use crate::cli::Global;
use crate::output::{Done, Output, Usage};

pub(super) use begin::tell_committee;
pub(super) use status::{tell_network, tell_pending};

/// A file that travels by mail: far more than a request or the approvals of a network need.
const MAILED_BYTES_MAX: u64 = 16 << 20;

/// How such a file begins: it is a bundle.
const MAILED_MAGIC: &[u8] = b"JPB1";

/// Run a network: who takes part, and who decides about it.
#[derive(Args)]
pub struct Network {
    #[command(subcommand)]
    command: NetworkCommand,
}

/// What there is to do with a network.
#[derive(Subcommand)]
pub enum NetworkCommand {
    /// Make this node a network's own node.
    Init(begin::Init),
    /// Write the network file that newcomers need, and print its fingerprint.
    File(begin::File),
    /// Show who takes part, and what waits for whom.
    Status(status::Status),
    /// Let a node take part, from the request it mailed.
    Register(decide::Register),
    /// Pause a node's participation.
    Pause(decide::Pause),
    /// Resume a paused participation.
    Resume(decide::Resume),
    /// End a node's participation. What it published stays readable.
    End(decide::End),
    /// Another node takes over from one that ends, such as after a change of mechanism.
    Succeed(decide::Succeed),
    /// Give a participant that lost all its keys a new root, after it was identified.
    Reinstate(decide::Reinstate),
    /// Make a group of participants, or change its members.
    Group(decide::Group),
    /// Change who decides.
    Policy(decide::Policy),
    /// Take approvals that came by mail.
    Approvals(mail::Approvals),
    /// Write the answer to mail to a node that asked to take part.
    Answer(mail::Answer),
    /// Take over as the secretariat: new online keys and a new address, by the network's root key.
    Handover(handover::Handover),
}

impl Network {
    /// Does it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        match self.command {
            NetworkCommand::Init(command) => command.run(global, output).await,
            NetworkCommand::File(command) => command.run(global, output).await,
            NetworkCommand::Status(command) => command.run(global, output).await,
            NetworkCommand::Register(command) => command.run(global, output).await,
            NetworkCommand::Pause(command) => command.run(global, output).await,
            NetworkCommand::Resume(command) => command.run(global, output).await,
            NetworkCommand::End(command) => command.run(global, output).await,
            NetworkCommand::Succeed(command) => command.run(global, output).await,
            NetworkCommand::Reinstate(command) => command.run(global, output).await,
            NetworkCommand::Group(command) => command.run(global, output).await,
            NetworkCommand::Policy(command) => command.run(global, output).await,
            NetworkCommand::Approvals(command) => command.run(global, output).await,
            NetworkCommand::Answer(command) => command.run(global, output).await,
            NetworkCommand::Handover(command) => command.run(global, output).await,
        }
    }
}

/// A file that came by mail, as the API takes it.
pub(super) fn read_mailed(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let length = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if length > MAILED_BYTES_MAX {
        anyhow::bail!("{shown} has {length} bytes: that is no request, answer or approval");
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    if !bytes.starts_with(MAILED_MAGIC) {
        anyhow::bail!(
            "{shown} is no file that jopoi wrote for mail: a request (`jopoi join`), an answer (`jopoi network \
             answer`) or an approval (`jopoi approve --save`)"
        );
    }
    Ok(STANDARD.encode(bytes))
}

/// Writes a file for mail that the API made.
pub(super) fn write_mailed(path: &Path, bundle: &str) -> anyhow::Result<()> {
    let bytes = STANDARD.decode(bundle).context("the answer holds no file")?;
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// `NODE=did:key:…` each.
pub(super) fn committee(texts: &[String]) -> anyhow::Result<Vec<Member>> {
    texts.iter().map(|text| member(text).map_err(|error| Usage(error.to_string()).into())).collect()
}

fn member(text: &str) -> anyhow::Result<Member> {
    let (node, root) = text
        .split_once('=')
        .with_context(|| format!("`{text}` needs the node and its root key: NODE=did:key:z6Mk…"))?;
    let root = PublicKey::from_did(root)
        .with_context(|| format!("`{root}` is no root key: `{node}` needs did:key:z6Mk…, whole"))?;
    Ok(Member { node: Some(NodeName::parse(node)?), root: root.to_did() })
}

/// Bytes as the API takes them.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

//! `jopoi network init` and `network file`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wire::api::network::{InitRequest, NetworkFileAnswer, NetworkFileRequest};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};

/// Make this node a network's own node: its feed says who takes part, its committee decides it.
#[derive(Args)]
pub struct Init {
    /// The nodes that decide, with their root keys; without, this node decides alone.
    #[arg(long, value_name = "NODE=did:key:…", value_delimiter = ',')]
    committee: Vec<String>,
    /// How many of them must approve [default: one, or two where there are three or more].
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where the network file is written.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Write the network file that newcomers need, and print its fingerprint.
#[derive(Args)]
pub struct File {
    /// The network's node, where this node knows several networks.
    #[arg(long, value_name = "NODE")]
    network: Option<tlog::name::NodeName>,
    /// Where it is written; without, it is printed.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Init {
    /// Begins.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = InitRequest {
            committee: super::committee(&self.committee)?,
            threshold: self.threshold,
            dry_run: self.dry_run,
        };
        let answer: NetworkFileAnswer = control.post(paths::API_NETWORK_INIT, &request).await?;
        output.json(&answer)?;
        let verb = if answer.pinned { "is a network now" } else { "would be a network" };
        output.say(format!("{} {verb}; {} of", answer.origin.node(), answer.threshold))?;
        tell_committee(&answer, &output)?;
        output.say("must approve what it decides.")?;
        save(&self.output, &answer, &output)?;
        output.say("Next:")?;
        let file = "Give the network file to those who take part, and its fingerprint by telephone or on paper.";
        output.say(format!("  1. {file}"))?;
        if self.output.is_none() {
            output.say("     (jopoi network file -o FILE writes it)")?;
        }
        if self.committee.is_empty() {
            return next_registers(2, &output);
        }
        output.say("  2. Each of the committee, on its own node: jopoi join FILE, then jopoi approve --list")?;
        output.say("     and jopoi approve RECORD. Until enough have approved, nothing else can be decided.")?;
        output.say("  3. Hear of it: jopoi follow URL for each of them, or by mail: they add --save FILE, and")?;
        output.say("     you jopoi network approvals import FILE. jopoi network status says who is missing.")?;
        next_registers(4, &output)
    }
}

impl File {
    /// Writes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = NetworkFileRequest { network: self.network };
        let answer: NetworkFileAnswer = control.post(paths::API_NETWORK_FILE, &request).await?;
        output.json(&answer)?;
        if self.output.is_none() && !output.is_json() {
            return output.raw(&answer.file).map(|()| Done::Fully);
        }
        save(&self.output, &answer, &output)?;
        output.say("Read the fingerprint to newcomers by telephone, or hand it over on paper: it is what they\nmust get right, and the same in every language.")?;
        Ok(Done::Fully)
    }
}

fn next_registers(step: u8, output: &Output) -> anyhow::Result<Done> {
    let words = "jopoi network register REQUEST   with what `jopoi join` wrote for them";
    output.say(format!("  {step}. {words}")).map(|()| Done::Fully)
}

fn save(path: &Option<PathBuf>, answer: &NetworkFileAnswer, output: &Output) -> anyhow::Result<()> {
    if let Some(path) = path {
        std::fs::write(path, &answer.file)
            .with_context(|| format!("cannot write {}", path.display()))?;
        output.say(format!("  network file  {}", path.display()))?;
    }
    output.say(format!("  fingerprint   {}", answer.fingerprint))
}

/// The committee, a line each.
pub(in crate::commands) fn tell_committee(
    answer: &NetworkFileAnswer,
    output: &Output,
) -> anyhow::Result<()> {
    for member in &answer.committee {
        match &member.node {
            Some(node) => output.say(format!("  {node}  {}", member.root))?,
            None => output.say(format!("  {}", member.root))?,
        }
    }
    Ok(())
}

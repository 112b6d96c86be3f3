//! `jopoi follow`, `unfollow`, `peers` and `probe`.

use std::path::Path;

use anyhow::bail;
use clap::Args;
use feed::ports::Clock as _;
use tlog::name::NodeName;
use wire::api::guard::{ImportAnswer, ImportRequest};
use wire::api::{
    self, FollowAnswer, FollowRequest, ProbeAnswer, ProbeRequest, ProbeResult, UnfollowRequest,
};
use wire::paths;

use crate::cli::Global;
use crate::commands::bundle::absolute;
use crate::config::FILE_NAME;
use crate::output::{Done, Output, visible};
use crate::place::DATA_DEFAULT;
use crate::text::ago;
use crate::wiring::{Shared, SystemClock};

/// Keep a verified copy of another node's feeds.
#[derive(Args)]
pub struct Follow {
    /// Where the node is, such as https://practices.example.org/, or a bundle of its feeds that came as a
    /// file.
    url: String,
    /// Which node, where the address is that of its relay or the file holds several.
    #[arg(long, value_name = "NODE")]
    node: Option<NodeName>,
    /// Its root key, learned from its people another way: pins it without asking.
    #[arg(long, value_name = "did:key:…")]
    root: Option<String>,
    /// Pin the root key it shows, without asking.
    #[arg(long)]
    yes: bool,
}

/// Stop following a node. What it published is kept, unless you say otherwise.
#[derive(Args)]
pub struct Unfollow {
    /// The node's name.
    node: NodeName,
    /// Delete the copies of its feeds too.
    #[arg(long)]
    forget: bool,
}

/// Show how it goes with the nodes that are followed.
#[derive(Args)]
pub struct Peers {}

/// Try each step of reaching a node, and say which fails. Changes nothing.
#[derive(Args)]
pub struct Probe {
    /// Where the node is.
    url: String,
}

impl Follow {
    /// Looks, shows, asks, pins.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let file = Path::new(&self.url);
        let file = if file.is_file() { Some(absolute(file)?) } else { None };
        let url = file.clone().unwrap_or(self.url);
        let request = FollowRequest { url, root: self.root, confirm: self.yes, node: self.node };
        let mut answer: FollowAnswer = control.post(paths::API_FOLLOW, &request).await?;
        if !answer.followed {
            tell(&answer, &output)?;
            if !output.confirm(
                "Do you follow this node, having compared its root key?",
                "--root KEY or --yes",
            )? {
                bail!("not followed: you did not confirm the root key");
            }
            let shown = FollowRequest { root: Some(answer.root), confirm: true, ..request };
            answer = control.post(paths::API_FOLLOW, &shown).await?;
        }
        if let Some(file) = file {
            let request = ImportRequest { file };
            let _: ImportAnswer = control.post(paths::API_BUNDLE_IMPORT, &request).await?;
        }
        output.json(&answer)?;
        output.say(format!("Following {}, pinned to {}.", answer.node, answer.root))?;
        output.say("`jopoi peers` shows how far the copy is.")?;
        Ok(Done::Fully)
    }
}

fn tell(answer: &FollowAnswer, output: &Output) -> anyhow::Result<()> {
    output.say(format!("node   {}", answer.node))?;
    for (language, name) in &answer.names {
        output.say(format!("name   {} ({})", visible(name), visible(language)))?;
    }
    match &answer.state {
        Some(state) => output.say(format!("State  {}", visible(state)))?,
        None => output.say("State  none: an organization")?,
    }
    output.say(format!("root   {}", answer.root))?;
    for origin in &answer.feeds {
        output.say(format!("feed   {origin}"))?;
    }
    output.say("Compare the root key with what the mechanism tells you by telephone or on paper.")
}

impl Unfollow {
    /// Stops.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = UnfollowRequest { node: self.node, forget: self.forget };
        let left: api::Peers = control.post(paths::API_UNFOLLOW, &request).await?;
        output.json(&left)?;
        let copies = if self.forget { "its copies are deleted" } else { "its copies are kept" };
        output.say(format!("No longer following {}; {copies}.", request.node))?;
        Ok(Done::Fully)
    }
}

impl Peers {
    /// Lists them.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let answer: api::Peers = control.get(paths::API_PEERS).await?;
        output.json(&answer)?;
        if answer.peers.is_empty() {
            output.say("No node is followed. `jopoi follow URL` begins.")?;
            return Ok(Done::Fully);
        }
        let rows = answer.peers.iter().map(|peer| {
            let entries: u64 = peer.feeds.iter().map(|feed| feed.size).sum();
            [
                peer.node.to_string(),
                peer.state.as_str().to_owned(),
                peer.last_success.map_or_else(|| "never".to_owned(), ago),
                peer.feeds.len().to_string(),
                entries.to_string(),
                peer.receipt.as_ref().map_or_else(
                    || "no receipt".to_owned(),
                    |receipt| format!("{} of {}, {}", receipt.size, receipt.of, ago(receipt.time)),
                ),
                peer.reason.clone(),
            ]
        });
        output.table(
            ["NODE", "STATE", "LAST SUCCESS", "FEEDS", "ENTRIES", "HAS OF OURS", "REASON"],
            rows,
        )?;
        Ok(Done::Fully)
    }
}

impl Probe {
    /// By the node of this machine, whose settings may know a proxy or a private network; where there is none,
    /// as anybody would.
    async fn probe(&self, global: &Global) -> anyhow::Result<ProbeAnswer> {
        let is_named = !global.data.is_empty() || global.config.is_some();
        if is_named || Path::new(DATA_DEFAULT).join(FILE_NAME).exists() {
            let request = ProbeRequest { url: self.url.clone() };
            return global.control().await?.post(paths::API_PROBE, &request).await;
        }
        let outbound = Shared::default().anybodys_outbound()?;
        Ok(peer::probe::probe(&outbound, &self.url, SystemClock.now()).await)
    }

    /// Tries.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let answer = self.probe(global).await?;
        output.json(&answer)?;
        for step in &answer.steps {
            let (good, word) = match step.result {
                ProbeResult::Ok => (true, "ok"),
                ProbeResult::Warning => (false, "warning"),
                ProbeResult::Failed => (false, "failed"),
                ProbeResult::Skipped => (true, "skipped"),
            };
            let mark = output.mark(good, &format!("{word:<8}"));
            output.say(format!("{mark} {}: {}", visible(&step.step), visible(&step.words)))?;
        }
        let failed = answer.steps.iter().any(|step| step.result == ProbeResult::Failed);
        Ok(if failed { Done::Refuted } else { Done::Fully })
    }
}

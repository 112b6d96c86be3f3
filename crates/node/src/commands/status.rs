//! `jopoi status`.

use clap::Args;
use wire::api::keys::KeysStatus;
use wire::api::status::{NetworkLine, NodeStatus, OwnFeed};
use wire::paths;

use super::keys::status::dates;
use crate::cli::Global;
use crate::output::{Done, Output, visible};
use crate::text::ago;

/// Show at a glance how this node stands: its feeds and who has received them, what is due when, networks
/// and what waits, peers that fail. Shows what is known; `jopoi doctor` asks.
#[derive(Args)]
pub struct Status {}

impl Status {
    /// Shows it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let status: NodeStatus = control.get(paths::API_STATUS).await?;
        output.json(&status)?;
        let well = status.is_well();
        let words =
            if well { "nothing waits and nothing fails" } else { "somebody should look at this" };
        output.say(format!("{}: {}", status.node, output.mark(well, words)))?;
        for finding in &status.findings {
            output.say(format!("  {}: {}", visible(&finding.area), visible(&finding.words)))?;
            if !finding.todo.is_empty() {
                output.say(format!("    do: {}", visible(&finding.todo)))?;
            }
        }
        for origin in &status.faults {
            output.say(format!(
                "  two versions of {origin} were signed, and the copy stands still"
            ))?;
            output.say("    do: telephone the mechanism, then `jopoi faults`")?;
        }
        output.say("\nOwn feeds")?;
        for own in &status.feeds {
            feed(own, &output)?;
        }
        output.say("\nKeys and dates")?;
        if let Some(keys) = &status.keys {
            keys_line(keys, &output)?;
        }
        dates(&status.calendar, &output)?;
        output.say("\nNetworks")?;
        if status.networks.is_empty() {
            output.say("none")?;
        }
        for one in &status.networks {
            network(one, &output)?;
        }
        output.say(format!("\nNodes followed: {}", status.followed))?;
        for peer in &status.failing {
            let since = peer.last_success.map_or_else(|| "never reached".to_owned(), ago);
            output.say(format!("  {}: fails ({since}): {}", peer.node, visible(&peer.reason)))?;
            output.say("    do: `jopoi probe URL` tries each step of reaching it")?;
        }
        Ok(Done::Fully)
    }
}

fn feed(own: &OwnFeed, output: &Output) -> anyhow::Result<()> {
    let received = own.delivery.as_ref().map_or_else(String::new, |delivery| {
        let waiting: Vec<String> = delivery.waiting.iter().map(ToString::to_string).collect();
        let not_yet = if waiting.is_empty() {
            String::new()
        } else {
            format!(" (not yet: {})", waiting.join(", "))
        };
        format!(", received by {} of {}{not_yet}", delivery.count, delivery.of)
    });
    let seen = own.feed.seen.map_or_else(String::new, |time| {
        let stale = if own.feed.stale { ", more than three days ago" } else { "" };
        format!(", last seen by others {}{stale}", ago(time))
    });
    output.say(format!("{}: {} entries{received}{seen}", own.feed.origin, own.feed.size))?;
    if own.guard.state != "open" {
        let reason = own.guard.reason.as_deref().unwrap_or_default();
        output.say(format!("  signing: {} ({})", own.guard.state, visible(reason)))?;
    }
    if own.feed.state != "open" {
        output.say(format!("  {}: {}", own.feed.state, visible(&own.feed.words)))?;
    }
    Ok(())
}

fn keys_line(keys: &KeysStatus, output: &Output) -> anyhow::Result<()> {
    output.say(format!(
        "node record version {}, root fingerprint {}, secret {}",
        keys.version, keys.root_fingerprint, keys.state
    ))?;
    if let Some(step) = &keys.open_step {
        output.say(format!("  open: {}", visible(step)))?;
    }
    if !keys.disowned.is_empty() {
        output.say(format!(
            "  {} records count no more; `jopoi keys status` lists them",
            keys.disowned.len()
        ))?;
    }
    Ok(())
}

fn network(one: &NetworkLine, output: &Output) -> anyhow::Result<()> {
    let as_of = one.as_of.map_or_else(|| "nothing received yet".to_owned(), ago);
    output.say(format!(
        "{}: {} nodes take part, as of {as_of}{}",
        one.origin.node(),
        one.participating,
        if one.stale { ", older than three days" } else { "" }
    ))?;
    for pending in &one.pending {
        let missing: Vec<String> = pending.missing.iter().map(ToString::to_string).collect();
        output.say(format!(
            "  pending: {} (missing: {})",
            visible(&pending.what),
            missing.join(", ")
        ))?;
    }
    for conflict in &one.conflicts {
        output.say(format!(
            "  conflict: {} is pinned here to another root than the network says (`jopoi network status`)",
            conflict.node
        ))?;
    }
    for line in &one.waiting {
        output.say(format!("  waiting: {}", visible(line)))?;
    }
    Ok(())
}

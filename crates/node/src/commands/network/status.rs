//! `jopoi network status`.

use clap::Args;
use practice::vocabulary::Vocabulary;
use wire::api::network::{Network, Networks, Pending};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output, visible};
use crate::text::{ago, by_language};

/// Show who takes part, and what waits for whom.
#[derive(Args)]
pub struct Status {}

impl Status {
    /// Shows it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let answer: Networks = control.get(paths::API_NETWORKS).await?;
        output.json(&answer)?;
        if answer.networks.is_empty() {
            output.say("This node knows no network. `jopoi join FILE` begins, with the file that the network gave you; `jopoi network init` makes this node a network's own.")?;
        }
        for network in &answer.networks {
            tell_network(network, &output)?;
        }
        Ok(Done::Fully)
    }
}

/// One network in lines.
pub(in crate::commands) fn tell_network(network: &Network, output: &Output) -> anyhow::Result<()> {
    output.say(format!("network      {}", network.origin.node()))?;
    output.say(format!("fingerprint  {}", network.fingerprint))?;
    let as_of = network.as_of.map_or_else(|| "nothing received yet".to_owned(), ago);
    let stale = if network.stale && network.as_of.is_some() {
        ", older than three days: it may have changed"
    } else {
        ""
    };
    output.say(format!("as of        {as_of}{stale}"))?;
    let names = network.committee.iter().map(|member| match &member.node {
        Some(node) => node.to_string(),
        None => member.root.clone(),
    });
    let names: Vec<String> = names.collect();
    output.say(format!("committee    {} of {}", network.threshold, names.join(", ")))?;
    if network.participants.is_empty() {
        output.say("No node takes part yet.")?;
    } else {
        output.table(
            ["NODE", "NAME", "STATUS", "SINCE ENTRY"],
            network.participants.iter().map(row),
        )?;
    }
    for group in &network.groups {
        let members: Vec<String> = group.members.iter().map(ToString::to_string).collect();
        let name = by_language(&group.names, None).unwrap_or_default();
        // `jopoi feed new --group` asks for the id.
        output.say(format!("group {} ({}): {}", visible(name), group.id, members.join(", ")))?;
    }
    tell_pending(&network.pending, output)?;
    for conflict in &network.conflicts {
        output.say(format!(
            "conflict: {} is pinned here to {}, and the network states {}; what is pinned here holds. Telephone \
             them; then `jopoi unfollow {} --forget` leaves it to the network.",
            conflict.node, conflict.pinned, conflict.stated, conflict.node
        ))?;
    }
    for line in &network.waiting {
        output.say(format!("waiting: {}", visible(line)))?;
    }
    Ok(())
}

/// What is not decided yet: who has approved, who has not.
pub(in crate::commands) fn tell_pending(
    pending: &[Pending],
    output: &Output,
) -> anyhow::Result<()> {
    for one in pending {
        let approved: Vec<String> = one.approved_by.iter().map(ToString::to_string).collect();
        let missing: Vec<String> = one.missing.iter().map(ToString::to_string).collect();
        output.say(format!("pending: {}", visible(&one.what)))?;
        output
            .say(format!("  record    {} version {}, entry {}", one.id, one.version, one.index))?;
        // What waits for its time alone has been approved; its note says so.
        if one.needed > 0 {
            let by =
                if approved.is_empty() { "nobody yet".to_owned() } else { approved.join(", ") };
            output.say(format!(
                "  approved  {by} ({} of {} needed)",
                approved.len(),
                one.needed
            ))?;
        }
        if !missing.is_empty() {
            output.say(format!(
                "  missing   {}: `jopoi approve {}` on their own node",
                missing.join(", "),
                one.id
            ))?;
        }
        if let Some(note) = &one.note {
            output.say(format!("  note      {}", visible(note)))?;
        }
    }
    Ok(())
}

fn row(participant: &wire::api::network::Participant) -> [String; 4] {
    let name = by_language(&participant.names, None).unwrap_or_default();
    let statuses = Vocabulary::get("participation-statuses");
    let status = statuses.map(|terms| terms.label(&participant.status, "en").to_owned());
    let mut status = status.unwrap_or_else(|| participant.status.clone());
    if let Some(by) = &participant.succeeded_by {
        status = format!("{status}, succeeded by {by}");
    }
    if let Some(of) = &participant.succeeds {
        status = format!("{status}, successor of {of}");
    }
    if participant.reinstated {
        status = format!("{status}, reinstated by the committee");
    }
    [participant.node.to_string(), name.to_owned(), status, participant.index.to_string()]
}

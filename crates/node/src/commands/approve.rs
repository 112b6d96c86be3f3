//! `jopoi approve`: a node of a committee says yes to one record of its network, in its own feed.

use std::path::{Path, PathBuf};

use clap::Args;
use wire::api::network::{ApproveAnswer, ApproveRequest, Networks};
use wire::paths;

use super::network::{tell_pending, write_mailed};
use crate::cli::Global;
use crate::output::{Done, Output, Usage, visible};
use crate::text;

/// Approve a record of a network, as one of the nodes that decide. Shows exactly what is approved.
#[derive(Args)]
pub struct Approve {
    /// The record's id, or how it begins.
    #[arg(required_unless_present = "list")]
    record: Option<String>,
    /// List what waits for approval.
    #[arg(long)]
    list: bool,
    /// Approve what is shown, without asking.
    #[arg(long)]
    yes: bool,
    /// Show it, and approve nothing.
    #[arg(long)]
    dry_run: bool,
    /// Save the approval for mail too, for a network that does not follow this node.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Approve {
    /// Shows, asks, approves.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let Some(record) = self.record.filter(|_| !self.list) else {
            let answer: Networks = control.get(paths::API_NETWORKS).await?;
            output.json(&answer)?;
            if answer.networks.iter().all(|network| network.pending.is_empty()) {
                output.say("Nothing waits for approval.")?;
            }
            for network in &answer.networks {
                tell_pending(&network.pending, &output)?;
            }
            return Ok(Done::Fully);
        };
        let look = ApproveRequest { record, body: None };
        let shown: ApproveAnswer = control.post(paths::API_NETWORK_APPROVE, &look).await?;
        tell(&shown, &output)?;
        if shown.evidence.is_some() {
            output.json(&shown)?;
            output.say("This node has approved it already.")?;
            return mail(&shown, self.save.as_deref(), &output).map(|()| Done::Fully);
        }
        if self.dry_run {
            output.json(&shown)?;
            output.say("Nothing was approved: this was a dry run.")?;
            return Ok(Done::Fully);
        }
        if !self.yes && !output.confirm("Do you approve exactly this?", "--yes")? {
            return Err(Usage("nothing was approved: you did not confirm it".to_owned()).into());
        }
        let request =
            ApproveRequest { record: shown.pending.id.to_string(), body: Some(shown.pending.body) };
        let answer: ApproveAnswer = control.post(paths::API_NETWORK_APPROVE, &request).await?;
        output.json(&answer)?;
        if let Some(entry) = &answer.approved {
            output.say(format!("Approved, as entry {} of {}.", entry.index, entry.origin))?;
        }
        mail(&answer, self.save.as_deref(), &output).map(|()| Done::Fully)
    }
}

/// How the approval comes to the network: by a file, or by the feed.
fn mail(answer: &ApproveAnswer, save: Option<&Path>, output: &Output) -> anyhow::Result<()> {
    let Some(path) = save else {
        let (node, id) = (answer.network.node(), answer.pending.id);
        return output.say(format!(
            "{node} finds it in this node's feed, if it follows this node. If not, mail it:\n  jopoi \
             approve {id} --save FILE"
        ));
    };
    if let Some(evidence) = &answer.evidence {
        write_mailed(path, evidence)?;
        output.say(format!(
            "Mail {} to the network's secretariat, where it is taken with:",
            path.display()
        ))?;
        output.say("  jopoi network approvals import FILE")?;
    }
    Ok(())
}

fn tell(answer: &ApproveAnswer, output: &Output) -> anyhow::Result<()> {
    output.say(format!("{} decides: {}", answer.network.node(), visible(&answer.pending.what)))?;
    for line in text::lines(&answer.subject) {
        output.say(format!("  {line}"))?;
    }
    if let Some(before) = &answer.before {
        output.say("In effect until then:")?;
        for line in text::lines(before) {
            output.say(format!("  {line}"))?;
        }
    }
    output.say(format!("document     sha256:{}", answer.pending.body.to_hex()))
}

//! `jopoi network approvals import` and `network answer`: what travels by mail.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tlog::name::NodeName;
use wire::api::network::{
    AnswerRequest, ImportApprovalsAnswer, ImportApprovalsRequest, MailAnswer,
};
use wire::paths;

use super::{read_mailed, tell_pending, write_mailed};
use crate::cli::Global;
use crate::output::{Done, Output, visible};

/// Take approvals that came by mail.
#[derive(Args)]
pub struct Approvals {
    #[command(subcommand)]
    command: ApprovalsCommand,
}

/// What there is to do with approvals.
#[derive(Subcommand)]
pub enum ApprovalsCommand {
    /// Take the approvals in a file that `jopoi approve --save` wrote.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// Write the answer to mail to a node that asked to take part.
#[derive(Args)]
pub struct Answer {
    /// The node that asked.
    node: NodeName,
    /// Where the answer is written.
    file: PathBuf,
}

impl Approvals {
    /// Takes them.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let ApprovalsCommand::Import { file } = self.command;
        let bundle = read_mailed(&file)?;
        let control = global.control().await?;
        let request = ImportApprovalsRequest { bundle };
        let answer: ImportApprovalsAnswer =
            control.post(paths::API_NETWORK_APPROVALS, &request).await?;
        output.json(&answer)?;
        if answer.taken + answer.known == 0 && answer.refused.is_empty() {
            anyhow::bail!(
                "{} holds no approval: it must be what `jopoi approve RECORD --save FILE` wrote",
                file.display()
            );
        }
        output.say(format!("{} taken, {} known already.", answer.taken, answer.known))?;
        for reason in &answer.refused {
            output.warn(format!("not taken: {}", visible(reason)));
        }
        tell_pending(&answer.pending, &output)?;
        Ok(match (answer.refused.is_empty(), answer.taken + answer.known) {
            (true, _) => Done::Fully,
            (false, 0) => Done::Refuted,
            (false, _) => Done::Partly,
        })
    }
}

impl Answer {
    /// Writes it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = AnswerRequest { node: self.node };
        let answer: MailAnswer = control.post(paths::API_NETWORK_ANSWER, &request).await?;
        output.json(&answer)?;
        write_mailed(&self.file, &answer.bundle)?;
        output.say(&answer.what)?;
        output.say(format!(
            "Mail {} to them; on their node: jopoi join --answer FILE",
            self.file.display()
        ))?;
        Ok(Done::Fully)
    }
}

//! `jopoi rebuild`.

use clap::Args;
use wire::api::RebuildAnswer;
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};

/// Make the catalog anew from the facts. Nothing in it can be lost: it holds nothing else.
#[derive(Args)]
pub struct Rebuild {}

impl Rebuild {
    /// Does it, and tells how much there was.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let answer: RebuildAnswer = control.post(paths::API_REBUILD, &()).await?;
        output.json(&answer)?;
        output.say(format!("Rebuilt: {} entries of {} feeds.", answer.entries, answer.feeds))?;
        Ok(Done::Fully)
    }
}

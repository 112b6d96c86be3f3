//! `jopoi keys drill`.

use clap::Args;

use crate::cli::Global;
use crate::drill;
use crate::output::{Done, Output};

/// Rehearse every loss of the operating guide: the online secret, the server, the root key, both keys, a
/// theft. On a throw-away copy of this node, with throw-away keys and peers in this process; nothing of
/// the real node is touched.
#[derive(Args)]
pub struct Drill {
    /// Only this loss; once for each.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// List the losses, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Drill {
    /// Does them, one after the other.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let wanted = drill::wanted(&self.only)?;
        if self.dry_run {
            for loss in &wanted {
                output.say(format!("{:<22} {}", loss.name(), loss.title()))?;
            }
            output.json(&serde_json::json!({"losses": wanted.iter().map(|loss| loss.name()).collect::<Vec<_>>()}))?;
            return Ok(Done::Fully);
        }
        let texts = drill::texts_of(global).await?;
        let mut told = Vec::new();
        for loss in wanted {
            let outcome = drill::rehearse(loss, &texts).await;
            let mark =
                output.mark(outcome.passed, if outcome.passed { "ok    " } else { "failed" });
            output.say(format!(
                "{mark} {:<22} {:>6.2} min  {}",
                outcome.loss, outcome.minutes, outcome.words
            ))?;
            told.push(outcome);
        }
        let passed = told.iter().all(|outcome| outcome.passed);
        output.json(&told)?;
        output.say(
            "Nothing of the real node was touched. What people do besides is in docs/losses.md.",
        )?;
        Ok(if passed { Done::Fully } else { Done::Refuted })
    }
}

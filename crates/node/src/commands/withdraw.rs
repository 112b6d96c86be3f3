//! `jopoi withdraw`.

use anyhow::bail;
use clap::Args;
use wire::api::{PublishedEntry, WithdrawRequest};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};
use crate::record_name::RecordName;

/// Say that a record no longer stands. Everybody who follows learns it; the entries stay.
#[derive(Args)]
pub struct Withdraw {
    /// The record: urn:uuid:…, or the address of its page.
    id: String,
    /// Why: not-stated, published-in-error, superseded, outdated, consent-withdrawn, data-protection.
    #[arg(long)]
    reason: Option<String>,
    /// Destroy the text of every version, here and at all who follow. It cannot be brought back.
    #[arg(long)]
    erase: bool,
    /// The feed, if the record is not named with it.
    #[arg(long)]
    feed: Option<String>,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

impl Withdraw {
    /// Asks, then withdraws.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let name = RecordName::parse(&self.id)?;
        let place = global.place()?;
        if let Some(origin) = name.origin.as_ref().filter(|origin| *origin.node() != place.node) {
            bail!(
                "{origin} is a feed of another node: only {} can withdraw its records",
                origin.node()
            );
        }
        let feed = name.origin.as_ref().map(|origin| origin.feed().to_string());
        let request = WithdrawRequest {
            feed: self.feed.or(feed).unwrap_or_else(|| "public".to_owned()),
            id: name.id.to_string(),
            reason: self.reason,
            erase: self.erase,
        };
        let question = if self.erase {
            format!("Withdraw {} and destroy its text everywhere, for ever?", request.id)
        } else {
            format!("Withdraw {}?", request.id)
        };
        if !self.yes && !output.confirm(&question, "--yes")? {
            bail!("nothing was withdrawn: you did not confirm");
        }
        let control = global.control().await?;
        let entry: PublishedEntry = control.post(paths::API_WITHDRAW, &request).await?;
        output.json(&entry)?;
        output.say(format!(
            "Withdrew {} with entry {} of {}.",
            entry.id, entry.index, entry.origin
        ))?;
        Ok(Done::Fully)
    }
}

//! `jopoi list`.

use clap::Args;
use practice::kind::Kind;
use tlog::name::Origin;
use wire::api::{Feeds, RecordSummary, Records};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::output::{Done, Output};
use crate::text::by_language;

/// List the current records of the feeds held here, newest first.
#[derive(Args)]
pub struct List {
    /// Only this feed, such as simore.gov.py/public.
    #[arg(long)]
    feed: Option<Origin>,
    /// Only this kind, such as good-practice. Attestations, which are mostly approvals, are listed only if
    /// they are asked for.
    #[arg(long)]
    kind: Option<Kind>,
    /// The language of the titles, where they have it.
    #[arg(long)]
    language: Option<String>,
}

impl List {
    /// Lists every page of every feed asked for.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let origins = match self.feed {
            Some(origin) => vec![origin],
            None => {
                let held: Feeds = control.get(paths::API_FEEDS).await?;
                held.feeds.into_iter().map(|feed| feed.origin).collect()
            }
        };
        let mut records = Vec::new();
        for origin in &origins {
            records.extend(records_of(&control, origin, self.kind.as_ref()).await?);
        }
        if self.kind.is_none() {
            records.retain(|record| record.kind != Kind::ATTESTATION);
        }
        output.json(&Records { records: records.clone(), next: None })?;
        if records.is_empty() {
            output.say("No records. `jopoi publish FILE` adds one.")?;
            return Ok(Done::Fully);
        }
        let language = self.language.as_deref();
        let rows = records.into_iter().map(|record| {
            let title = by_language(&record.title, language.or(record.language.as_deref()));
            [
                record.id.to_string(),
                record.kind.to_string(),
                record.version.to_string(),
                record.states.join(" "),
                record.origin.to_string(),
                title.unwrap_or("(no title)").to_owned(),
            ]
        });
        output.table(["ID", "KIND", "VERSION", "STATES", "FEED", "TITLE"], rows)?;
        Ok(Done::Fully)
    }
}

/// Every current record of a feed, newest first, of one kind or of all.
pub async fn records_of(
    control: &Control,
    origin: &Origin,
    kind: Option<&Kind>,
) -> anyhow::Result<Vec<RecordSummary>> {
    let mut records = Vec::new();
    let mut before = None;
    loop {
        let mut path = paths::api_records(origin, before);
        if let Some(kind) = kind {
            path.push_str(&format!("&kind={kind}"));
        }
        let page: Records = control.get(&path).await?;
        records.extend(page.records);
        before = page.next;
        if before.is_none() {
            return Ok(records);
        }
    }
}

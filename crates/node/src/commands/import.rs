//! `jopoi form` and `jopoi import`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::{FeedName, Origin};
use wire::api::{PublishAnswer, PublishRequest, Record};
use wire::paths;

use crate::cli::Global;
use crate::commands::gateway::GatewayPage;
use crate::control::Control;
use crate::draft_file::read_bytes;
use crate::output::{Done, Output, Usage, visible};
use crate::sheet::{self, Defaults, Existing, Planned, Preview};

/// Make a sheet to fill in for one kind of record, in the author's language.
#[derive(Args)]
pub struct Form {
    /// The kind, such as good-practice.
    kind: Kind,
    /// The language of the questions.
    #[arg(long, default_value = "en")]
    language: String,
    /// The file to write, such as practices.xlsx.
    #[arg(short, long, value_name = "FILE.xlsx")]
    output: PathBuf,
}

/// Publish the rows of a sheet (XLSX, ODS, CSV, JSON Lines), or a page of the Knowledge Gateway, after showing
/// what is new, changed and refused.
#[derive(Args)]
pub struct Import {
    /// The sheet, or the page.
    file: PathBuf,
    #[command(flatten)]
    page: GatewayPage,
    /// The kind of the rows, where the sheet does not say.
    #[arg(long)]
    kind: Option<Kind>,
    /// The language of the rows, where the sheet does not say.
    #[arg(long)]
    language: Option<String>,
    /// The feed.
    #[arg(long, default_value = "public")]
    feed: String,
    /// Show what would happen, and write nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Publish nothing if a single row is refused.
    #[arg(long)]
    all_or_nothing: bool,
    /// Publish without asking.
    #[arg(long)]
    yes: bool,
}

impl Form {
    /// Writes it.
    pub fn run(self, output: Output) -> anyhow::Result<Done> {
        let file = self.output.display();
        let sheet =
            sheet::form(&self.kind, &self.language).map_err(|error| Usage(error.to_string()))?;
        // A sheet somebody is filling in must not be lost.
        std::fs::File::create_new(&self.output)
            .and_then(|mut created| std::io::Write::write_all(&mut created, &sheet))
            .with_context(|| format!("cannot write {file}"))?;
        output.json(&serde_json::json!({"file": self.output, "kind": self.kind}))?;
        output.say(format!("Wrote {file}. Fill it in, then: jopoi import {file}"))?;
        Ok(Done::Fully)
    }
}

impl Import {
    /// Reads, shows, asks, publishes.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let defaults = Defaults {
            kind: self.kind.clone(),
            language: self.language.clone().or(place.config.language),
            basis: None,
            reuse: place.config.reuse,
        };
        let limit = u64::try_from(sheet::limits::FILE_BYTES_MAX).unwrap_or(u64::MAX);
        let bytes = read_bytes(&self.file, limit)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let file = self.file.display().to_string();
        let import = if self.page.gateway {
            let language = self.language.as_deref();
            match self.page.read(&bytes, &file, language, &defaults, &output)? {
                Some(import) => import,
                None => return Ok(Done::Fully),
            }
        } else {
            sheet::read(&bytes, &file, &defaults)?
        };
        let control = global.control().await?;
        let origin = Origin::new(place.node, FeedName::parse(&self.feed)?);
        let held = held(&control, &origin, &import).await?;
        let preview = sheet::preview(&import, &|reference| held.get(reference).cloned());
        show(&import, &preview, &output)?;
        let drafts = sheet::publications(&preview);
        if self.all_or_nothing && !preview.refused.is_empty() {
            output.json(&summary(&preview, None))?;
            bail!(
                "nothing was published: {} rows were refused, and all or nothing was asked",
                preview.refused.len()
            );
        }
        if self.dry_run || drafts.is_empty() {
            output.json(&summary(&preview, None))?;
            return Ok(ended(&preview));
        }
        let (new, changed) = (preview.new.len(), preview.changed.len());
        let question = format!("Publish {new} new and {changed} changed records?");
        if !self.yes && !output.confirm(&question, "--yes")? {
            bail!("nothing was published: you did not confirm");
        }
        let request = PublishRequest {
            feed: self.feed,
            drafts,
            dry_run: false,
            match_local_id: false,
            // They stand in the preview, which was confirmed.
            warnings_seen: true,
        };
        let answer = super::publish::publish(&control, request, &output).await?;
        output.json(&summary(&preview, Some(&answer)))?;
        output.say(format!(
            "Published {} records; {} rows were refused.",
            answer.drafts.len(),
            preview.refused.len()
        ))?;
        Ok(ended(&preview))
    }
}

fn ended(preview: &Preview) -> Done {
    let nothing_good =
        preview.new.is_empty() && preview.changed.is_empty() && preview.unchanged.is_empty();
    match (preview.refused.is_empty(), nothing_good) {
        (true, _) => Done::Fully,
        (false, true) => Done::Refuted,
        (false, false) => Done::Partly,
    }
}

/// The current records of the feed that rows of the sheet may revise, by their author's reference.
async fn held(
    control: &Control,
    origin: &Origin,
    import: &sheet::Import,
) -> anyhow::Result<BTreeMap<String, Existing>> {
    let wanted: BTreeSet<&str> =
        import.rows.iter().filter_map(|row| row.local_id.as_deref()).collect();
    let mut held = BTreeMap::new();
    for summary in super::list::records_of(control, origin, None).await? {
        let Some(reference) = summary.local_id.filter(|own| wanted.contains(own.as_str())) else {
            continue;
        };
        let record: Record = control.get(&paths::api_record(origin, &summary.id)).await?;
        let subject = record.body.as_ref().and_then(|body| body.get("credentialSubject"));
        let subject = subject.cloned().unwrap_or_default();
        held.insert(reference, Existing { id: record.id, version: record.version, subject });
    }
    Ok(held)
}

fn show(import: &sheet::Import, preview: &Preview, output: &Output) -> anyhow::Result<()> {
    let planned =
        [("new", &preview.new), ("changed", &preview.changed), ("unchanged", &preview.unchanged)];
    for (word, rows) in planned {
        for row in rows {
            output.say(format!("{word:<9}  {}  {}", visible(&row.place), visible(&row.title)))?;
            if !row.fields.is_empty() {
                output.say(format!("           changes {}", visible(&row.fields.join(", "))))?;
            }
            for warning in &row.warnings {
                output.say(format!(
                    "           look at this once more: {}",
                    visible(&warning.to_string())
                ))?;
            }
        }
    }
    for row in &preview.refused {
        output.say(format!("refused    {}  {}", visible(&row.place), visible(&row.title)))?;
        for fault in &row.faults {
            output.say(format!("           {}", visible(&fault.to_string())))?;
        }
    }
    for warning in &import.warnings {
        output.say(format!("note: {}", visible(&warning.to_string())))?;
    }
    Ok(())
}

/// For programs: each row with what becomes of it.
fn summary(preview: &Preview, answer: Option<&PublishAnswer>) -> Value {
    let planned = |rows: &[Planned]| -> Vec<Value> {
        rows.iter()
            .map(|row| json!({"place": row.place, "title": row.title, "local_id": row.local_id, "fields": row.fields, "warnings": row.warnings}))
            .collect()
    };
    let refused = preview.refused.iter();
    let refused =
        refused.map(|row| json!({"place": row.place, "title": row.title, "faults": row.faults}));
    json!({
        "new": planned(&preview.new),
        "changed": planned(&preview.changed),
        "unchanged": planned(&preview.unchanged),
        "refused": refused.collect::<Vec<_>>(),
        "published": answer.map(|answer| &answer.drafts),
    })
}

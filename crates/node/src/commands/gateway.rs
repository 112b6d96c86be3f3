//! `jopoi import --gateway`: a State's page of the Knowledge Gateway as a draft of a profile.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use practice::gateway::{GatewayDraft, NotPlaced, Told};
use serde_json::{Value, json};

use crate::output::{Output, visible};
use crate::sheet::{self, Defaults, Import};

/// Characters of a paragraph without a place that are shown; the file of them has all.
const SHOWN_CHARS: usize = 200;

/// What is said of a page that is imported.
#[derive(Args)]
pub struct GatewayPage {
    /// The file is a State's page of the UN Human Rights Knowledge Gateway: saved (HTML), pasted as text,
    /// or a profile exported as profile.json.
    #[arg(long)]
    pub gateway: bool,
    /// The State, where the page does not say; such as PY.
    #[arg(long, requires = "gateway", value_name = "CODE")]
    state: Option<String>,
    /// The address of the page, for the source, where the page does not say.
    #[arg(long, requires = "gateway", value_name = "URL")]
    address: Option<String>,
    /// The day on which the page was read, such as 2026-11-24.
    #[arg(long, requires = "gateway", value_name = "DATE")]
    retrieved: Option<String>,
    /// Write the draft to a file to correct, and publish nothing.
    #[arg(long, requires = "gateway", value_name = "FILE.json", conflicts_with_all = ["yes", "dry_run"])]
    draft: Option<PathBuf>,
}

impl GatewayPage {
    /// Reads the page and tells what became of each part. `None` if the draft was written to a file.
    pub fn read(
        &self,
        bytes: &[u8],
        file: &str,
        language: Option<&str>,
        defaults: &Defaults,
        output: &Output,
    ) -> anyhow::Result<Option<Import>> {
        let told = Told {
            state: self.state.clone(),
            language: language.map(str::to_owned),
            language_otherwise: defaults.language.clone(),
            address: self.address.clone(),
            retrieved: self.retrieved.clone(),
        };
        let (import, drafts) = sheet::gateway(bytes, file, &told, defaults)
            .with_context(|| format!("nothing was imported from {file}"))?;
        for draft in &drafts {
            tell(draft, output)?;
        }
        match &self.draft {
            None => {
                hint(&drafts, output)?;
                Ok(Some(import))
            }
            Some(path) => {
                write(path, &drafts, defaults, output)?;
                Ok(None)
            }
        }
    }
}

fn tell(draft: &GatewayDraft, output: &Output) -> anyhow::Result<()> {
    for placed in &draft.placed {
        output.say(format!("placed     {} -> {}", visible(&placed.heading), placed.field))?;
    }
    for part in &draft.not_placed {
        output.say(format!("no place   {}", visible(heading(part))))?;
        for text in &part.texts {
            let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            output.say(format!("           {}", visible(&shown)))?;
        }
    }
    Ok(())
}

fn hint(drafts: &[GatewayDraft], output: &Output) -> anyhow::Result<()> {
    if drafts.iter().any(|draft| !draft.not_placed.is_empty()) {
        output.say("What has no place is not in the draft; `--draft FILE.json` keeps it in a file beside it.")?;
    }
    Ok(())
}

/// The drafts, and beside them what has no place. A file somebody is correcting must not be lost.
fn write(
    path: &Path,
    drafts: &[GatewayDraft],
    defaults: &Defaults,
    output: &Output,
) -> anyhow::Result<()> {
    let records: Vec<Value> = drafts.iter().map(|draft| record(draft, defaults)).collect();
    create(path, &format!("{}\n", serde_json::to_string_pretty(&records)?))?;
    let mut left = String::new();
    for part in drafts.iter().flat_map(|draft| &draft.not_placed) {
        let texts = part.texts.join("\n\n");
        left.push_str(&format!("# {}\n\n{texts}\n\n", heading(part)));
    }
    let beside = path.with_extension("no-place.txt");
    if !left.is_empty() {
        create(&beside, &left)?;
    }
    let beside = (!left.is_empty()).then_some(beside);
    output.json(&json!({"draft": path, "no_place": beside}))?;
    let path = path.display();
    output.say(format!("Wrote {path}."))?;
    if let Some(beside) = &beside {
        output
            .say(format!("Wrote {}: move from it what belongs in the draft.", beside.display()))?;
    }
    output.say(format!("Correct it, then: jopoi preview {path}, and jopoi publish {path}"))
}

fn heading(part: &NotPlaced) -> &str {
    if part.heading.is_empty() { "(no heading)" } else { &part.heading }
}

fn record(draft: &GatewayDraft, defaults: &Defaults) -> Value {
    let mut record = draft.subject.clone();
    if let Some(reuse) = &defaults.reuse {
        record.entry("reuse").or_insert_with(|| reuse.as_str().into());
    }
    record.shift_insert(0, "kind".to_owned(), "mechanism-profile".into());
    Value::Object(record)
}

fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

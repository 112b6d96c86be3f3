//! `jopoi publish` and `jopoi preview`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use wire::api::{
    Draft, DraftAction, DraftAnswer, Fault, PublishAnswer, PublishOutcome, PublishRequest,
};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::draft_file;
use crate::output::{Done, Output, visible};
use crate::text::by_language;

/// Sign records and append them to this node's feed. All of them, or none.
#[derive(Args)]
pub struct Publish {
    /// The records, as JSON: `kind` and the members of the record; `id` of the one it revises.
    #[arg(required = true, value_name = "FILE")]
    drafts: Vec<PathBuf>,
    /// The feed.
    #[arg(long, default_value = "public")]
    feed: String,
    /// Publish even what looks like personal data, without asking.
    #[arg(long)]
    yes: bool,
}

/// Show what would be published: faults, warnings, and questions about what is not described yet.
#[derive(Args)]
pub struct Preview {
    /// The records, as JSON.
    #[arg(required = true, value_name = "FILE")]
    drafts: Vec<PathBuf>,
    /// The feed.
    #[arg(long, default_value = "public")]
    feed: String,
    /// The language of the questions.
    #[arg(long, default_value = "en")]
    language: String,
}

impl Publish {
    /// Publishes; asks about warnings first.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let request = PublishRequest {
            feed: self.feed,
            drafts: draft_file::read_all(&self.drafts, &place.defaults())?,
            dry_run: false,
            match_local_id: false,
            warnings_seen: self.yes,
        };
        let control = global.control().await?;
        let answer = publish(&control, request, &output).await?;
        output.json(&answer)?;
        for draft in &answer.drafts {
            if let Some(entry) = &draft.published {
                output.say(format!(
                    "Published {} as version {}, entry {} of {}.",
                    entry.id, entry.version, entry.index, entry.origin
                ))?;
            }
        }
        Ok(Done::Fully)
    }
}

impl Preview {
    /// A dry run, told in full.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let place = global.place()?;
        let request = PublishRequest {
            feed: self.feed,
            drafts: draft_file::read_all(&self.drafts, &place.defaults())?,
            dry_run: true,
            match_local_id: false,
            warnings_seen: true,
        };
        let control = global.control().await?;
        let answer: PublishAnswer = control.post_judged(paths::API_PUBLISH, &request).await?;
        output.json(&answer)?;
        for (asked, draft) in request.drafts.iter().zip(&answer.drafts) {
            preview(asked, draft, &self.language, &output)?;
        }
        output.say("Nothing was written.")?;
        Ok(if answer.outcome == PublishOutcome::Refused { Done::Refuted } else { Done::Fully })
    }
}

/// Publishes; where only warnings stand against it, shows them, asks, and publishes then.
pub async fn publish(
    control: &Control,
    mut request: PublishRequest,
    output: &Output,
) -> anyhow::Result<PublishAnswer> {
    let answer: PublishAnswer = control.post_judged(paths::API_PUBLISH, &request).await?;
    if answer.outcome != PublishOutcome::Refused {
        return Ok(answer);
    }
    let faults: usize = answer.drafts.iter().map(|draft| draft.faults.len()).sum();
    if faults > 0 {
        bail!(
            "nothing was published: {faults} to be put right{}",
            located(&answer, |draft| &draft.faults)
        );
    }
    output.warn(format!(
        "Please look at this once more:{}",
        located(&answer, |draft| &draft.warnings)
    ));
    if !output.confirm("Publish it as it is?", "--yes")? {
        bail!("nothing was published: you did not confirm the warnings");
    }
    request.warnings_seen = true;
    let answer: PublishAnswer = control.post_judged(paths::API_PUBLISH, &request).await?;
    if answer.outcome == PublishOutcome::Refused {
        bail!("nothing was published{}", located(&answer, |draft| &draft.faults));
    }
    Ok(answer)
}

/// One line for each fault or warning: the draft, the place in it, the words.
pub fn located(answer: &PublishAnswer, which: impl Fn(&DraftAnswer) -> &Vec<Fault>) -> String {
    let mut text = String::new();
    for draft in &answer.drafts {
        for fault in which(draft) {
            let place = [draft.source.as_deref().unwrap_or_default(), &fault.path];
            let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
            text.push_str(&format!(
                "\n  {}: {}",
                visible(&place.join(" ")),
                visible(&fault.reason)
            ));
        }
    }
    text
}

fn preview(
    asked: &Draft,
    told: &DraftAnswer,
    language: &str,
    output: &Output,
) -> anyhow::Result<()> {
    let action = match told.action {
        DraftAction::New => "new",
        DraftAction::Changed => "a new version",
        DraftAction::Unchanged => "unchanged: nothing would be published for it",
        DraftAction::Refused => "refused",
    };
    output.say(format!(
        "{} ({}): {action}",
        visible(told.source.as_deref().unwrap_or("draft")),
        asked.kind
    ))?;
    for fault in &told.faults {
        output.say(format!("  fault    {}: {}", visible(&fault.path), visible(&fault.reason)))?;
    }
    for warning in &told.warnings {
        output.say(format!(
            "  warning  {}: {}",
            visible(&warning.path),
            visible(&warning.reason)
        ))?;
    }
    if told.faults.is_empty() {
        for line in crate::text::lines(&asked.subject) {
            output.say(format!("  {line}"))?;
        }
    }
    for question in &told.questions {
        let text = by_language(&question.text, Some(language)).unwrap_or_default();
        output.say(format!("  question {}: {}", visible(&question.path), visible(text)))?;
    }
    Ok(())
}

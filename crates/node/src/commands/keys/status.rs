//! `jopoi keys status`.

use clap::Args;
use feed::feeds::timestamp;
use feed::ports::Clock as _;
use wire::api::keys::{Calendar, KeysStatus};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};
use crate::wiring::SystemClock;

/// Seconds of a day.
const DAY_S: u64 = 24 * 3_600;

/// Show every key: its age, when it is to be changed, what is open.
#[derive(Args)]
pub struct Status {}

impl Status {
    /// Shows them, then what ends or is due.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let status: KeysStatus = control.get(paths::API_KEYS).await?;
        let calendar: Calendar = control.get(paths::API_CALENDAR).await?;
        output.json(&serde_json::json!({"keys": status, "calendar": calendar}))?;
        tell(&status, &output)?;
        dates(&calendar, &output)?;
        Ok(Done::Fully)
    }
}

fn tell(status: &KeysStatus, output: &Output) -> anyhow::Result<()> {
    output.say(format!("{}, node record version {}", status.node, status.version))?;
    output.say(format!("root      {}", status.root))?;
    output.say(format!("          fingerprint {}", status.root_fingerprint))?;
    match (&status.recovery, &status.recovery_fingerprint) {
        (Some(key), Some(fingerprint)) => {
            output.say(format!("recovery  {key}"))?;
            output.say(format!("          fingerprint {fingerprint}"))?;
        }
        _ => output.say("recovery  none: a lost root key can be replaced by a committee alone")?,
    }
    let now = SystemClock.now();
    let rows = status.keys.iter().map(|key| {
        [
            key.usage.clone(),
            key.generation.to_string(),
            day(key.since),
            (now.saturating_sub(key.since) / DAY_S).to_string(),
            day(key.due),
            key.key.clone(),
        ]
    });
    output.table(["USE", "GENERATION", "SINCE", "DAYS", "CHANGE BY", "KEY"], rows)?;
    output.say(match (status.state.as_str(), status.encrypted) {
        ("locked", _) => "The online secret is encrypted and locked: nothing can be published; `jopoi keys unlock` opens it.",
        ("lost", _) => "No secret here has these keys: nothing can be published; bring keys/ back from a backup, or `jopoi keys rotate`.",
        (_, true) => "The online secret is encrypted, and unlocked.",
        (_, false) => "The online secret is not encrypted; `jopoi keys encrypt` changes that.",
    })?;
    if let Some(step) = &status.open_step {
        output.say(format!("Open: {step}."))?;
    }
    if let Some(former) = &status.former {
        output
            .say(format!("The log key before signs a second line until {}.", day(former.until)))?;
    }
    for recovery in &status.recoveries {
        let ends = timestamp(recovery.effective_at);
        let how = if recovery.contested {
            "contested; the committee decides"
        } else {
            "nobody objected so far"
        };
        output.say(format!(
            "Recovery of {}: the root becomes {} at {ends} ({how}).",
            recovery.node, recovery.new_root
        ))?;
    }
    for line in &status.disowned {
        output.say(format!(
            "Counts no more: entry {} of {}, {} {}.",
            line.index, line.origin, line.kind, line.id
        ))?;
    }
    Ok(())
}

/// What ends or is due, a line each.
pub fn dates(calendar: &Calendar, output: &Output) -> anyhow::Result<()> {
    for date in &calendar.dates {
        let mark = output.mark(date.state == "fine", &format!("{:<5}", date.state));
        output.say(format!("{mark} {}  {} {}", day(date.at), date.what, date.about))?;
        if date.state != "fine" {
            output.say(format!("                  {}", date.words))?;
        }
    }
    Ok(())
}

/// `2026-11-23`.
pub fn day(seconds: u64) -> String {
    timestamp(seconds).chars().take(10).collect()
}

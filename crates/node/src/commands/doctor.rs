//! `jopoi doctor`.

use std::path::{Path, PathBuf};

use clap::Args;
use wire::api::ProbeResult;
use wire::api::keys::{DoctorAnswer, Finding};
use wire::paths;

use crate::cli::Global;
use crate::config::FILE_NAME;
use crate::output::{Done, Output, visible};
use crate::place::DATA_DEFAULT;
use crate::upkeep::doctor::{failed, room, secrets};

/// Look at this node from inside (configuration, secrets, disk, clock, certificate, feeds, dates) and ask
/// its peers how it looks from outside. Each line that is not fine says what to do. Changes nothing.
#[derive(Args)]
pub struct Doctor {}

impl Doctor {
    /// Looks, asks, tells.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let answer = match examine(global).await {
            Ok(answer) => answer,
            Err(findings) => DoctorAnswer { findings },
        };
        output.json(&answer)?;
        for finding in &answer.findings {
            let (good, word) = match finding.result {
                ProbeResult::Ok => (true, "ok"),
                ProbeResult::Warning => (false, "warning"),
                ProbeResult::Failed => (false, "failed"),
                ProbeResult::Skipped => (true, "skipped"),
            };
            let mark = output.mark(good, &format!("{word:<8}"));
            output.say(format!(
                "{mark} {}: {}",
                visible(&finding.area),
                visible(&finding.words)
            ))?;
            if !finding.todo.is_empty() {
                output.say(format!("           do: {}", visible(&finding.todo)))?;
            }
        }
        let bad = |result| answer.findings.iter().any(|finding| finding.result == result);
        Ok(match (bad(ProbeResult::Failed), bad(ProbeResult::Warning)) {
            (true, _) => Done::Refuted,
            (false, true) => Done::Partly,
            (false, false) => Done::Fully,
        })
    }
}

/// What the node says of itself; or, where it cannot be opened, what can be seen from here.
async fn examine(global: &Global) -> Result<DoctorAnswer, Vec<Finding>> {
    let place = global.place().map_err(|error| {
        // Where no node is, the words say already what to do.
        let here = global.data.first().map_or(Path::new(DATA_DEFAULT), PathBuf::as_path);
        let todo = match global.config.is_some() || here.join(FILE_NAME).exists() {
            true => "put it right; `jopoi config` explains every field",
            false => "do what it says, then run this again",
        };
        vec![failed("configuration", format!("{error:#}"), todo)]
    })?;
    let asked = async {
        let control = global.control().await?;
        control.post::<DoctorAnswer>(paths::API_DOCTOR, &serde_json::json!({})).await
    };
    asked.await.map_err(|error| {
        let mut findings =
            vec![failed("node", format!("{error:#}"), "do what it says, then run this again")];
        findings.push(room(&place.data));
        findings.extend(secrets(&place.data));
        findings
    })
}

//! `jopoi demo`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cli::Global;
use crate::demo::{Federation, marker};
use crate::output::{Done, Output, Usage};
use crate::process;

/// Show a federation on this machine: documentation nodes publish sample records about many States,
/// compiled from public sources, and a hub follows and verifies all of them.
#[derive(Args)]
pub struct Demo {
    /// Delete what an earlier demonstration left in --data, and begin anew.
    #[arg(long, requires = "data")]
    reset: bool,
    /// End once everything is published, followed and verified.
    #[arg(long)]
    exit: bool,
}

impl Demo {
    /// Starts all nodes, tells where they are, and serves until the process is asked to end.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let begun = Instant::now();
        // Dropped, and so deleted, after the servers have ended.
        let temporary = tempfile::tempdir().context("no temporary directory")?;
        let directory = match global.data.as_slice() {
            [] => temporary.path().to_owned(),
            [directory] => kept(directory, self.reset)?,
            _ => return Err(Usage("give one --data".to_owned()).into()),
        };
        let (end, mut stop) = process::shutdown()?;
        let federation = tokio::select! {
            started = Federation::start(&directory, stop.clone()) => started?,
            _ = stop.wait_for(|&asked| asked) => return Ok(Done::Fully),
        };
        tell(&federation, begun, &output)?;
        if self.exit {
            end.send_replace(true);
        }
        federation.ended().await;
        Ok(Done::Fully)
    }
}

/// The directory of a demonstration that is kept: a new one, or one of an earlier demonstration.
fn kept(directory: &Path, reset: bool) -> anyhow::Result<PathBuf> {
    let shown = directory.display();
    let marked = marker(directory).exists();
    if reset && marked {
        std::fs::remove_dir_all(directory).with_context(|| format!("cannot delete {shown}"))?;
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {shown}"))?;
    let empty = std::fs::read_dir(directory)?.next().is_none();
    if !empty && !marked {
        bail!("{shown} is not empty and holds no demonstration: choose another directory");
    }
    std::fs::write(
        marker(directory),
        "a demonstration of jopoi: `jopoi demo --reset` deletes all of it\n",
    )?;
    Ok(directory.to_owned())
}

fn tell(federation: &Federation, begun: Instant, output: &Output) -> anyhow::Result<()> {
    let nodes = federation.shown();
    for node in &nodes {
        output.json(node)?;
    }
    let rows = nodes.iter().map(|node| {
        [
            node.role.to_owned(),
            node.name.to_string(),
            node.url.clone(),
            node.feeds.len().to_string(),
        ]
    });
    output.table(["ROLE", "NODE", "ADDRESS", "FEEDS"], rows)?;
    let hub = nodes.first().and_then(|hub| Some((hub, hub.feeds.last()?)));
    let (Some((hub, feed)), Some(record)) = (hub, federation.a_record()) else { return Ok(()) };
    // As it was called, so that what is shown can be typed: `cargo run` leaves no `jopoi` on the path.
    let program = std::env::args().next().unwrap_or_else(|| "jopoi".to_owned());
    let (seconds, url, origin) = (begun.elapsed().as_secs_f32(), &hub.url, &feed.origin);
    output.say(format!(
        "\nPublished, followed and verified in {seconds:.1} s. The records are samples, compiled from public\n\
         sources: no State speaks here. Now try:\n\
         \n  open {url} in a browser\n  \
         curl {url}feeds/{origin}/checkpoint\n  \
         {program} verify {record}\n\
         \nCtrl-C ends it.",
    ))
}

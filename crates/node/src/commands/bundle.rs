//! `jopoi bundle export` and `jopoi bundle import`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tlog::name::Origin;
use wire::api::guard::{ImportAnswer, ImportRequest, PackAnswer, PackRequest};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};

/// Carry feeds as a file: on a USB stick, by mail.
#[derive(Subcommand)]
pub enum Bundle {
    /// Write feeds held here into a file, for somebody who cannot reach this node.
    Export(Export),
    /// Take feeds of nodes that are followed out of a file, and receipts for our own.
    Import(Import),
}

/// Write feeds into a file.
#[derive(Args)]
pub struct Export {
    /// The file; it must not exist.
    file: PathBuf,
    /// Only this feed; may be given several times. Without it: all that anybody may read.
    #[arg(long, value_name = "NODE/FEED")]
    feed: Vec<Origin>,
    /// Leave out the entries before this one, for somebody who has them.
    #[arg(long, value_name = "ENTRY", default_value_t = 0)]
    from: u64,
}

/// Take a file in.
#[derive(Args)]
pub struct Import {
    /// The file.
    file: PathBuf,
}

impl Bundle {
    /// Exports or imports.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        match self {
            Self::Export(command) => command.run(global, output).await,
            Self::Import(command) => command.run(global, output).await,
        }
    }
}

impl Export {
    async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let request = PackRequest {
            file: absolute(&self.file)?,
            feeds: self.feed,
            own: false,
            from: self.from,
            backup: false,
        };
        let control = global.control().await?;
        let answer: PackAnswer =
            control.post_watched(paths::API_BUNDLE_EXPORT, &request, &output).await?;
        tell_packed(&self.file, &answer, &output)?;
        output.say("Whoever gets it runs `jopoi bundle import FILE`, and sends receipts back the same way.")?;
        Ok(Done::Fully)
    }
}

impl Import {
    async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let request = ImportRequest { file: absolute(&self.file)? };
        let control = global.control().await?;
        let answer: ImportAnswer =
            control.post_watched(paths::API_BUNDLE_IMPORT, &request, &output).await?;
        output.json(&answer)?;
        let mut done = Done::Fully;
        for feed in &answer.feeds {
            let origin = &feed.origin;
            match (&feed.refused, &feed.not_followed) {
                (Some(reason), _) => {
                    done = Done::Partly;
                    output.warn(format!("{origin}: {reason}"));
                }
                (None, Some(node)) => {
                    done = Done::Partly;
                    output.warn(format!("{origin}: nothing taken; follow {node} first"));
                }
                (None, None) if feed.from == feed.size => {
                    output.say(format!("{origin}: nothing new, {} entries", feed.size))?;
                }
                (None, None) => {
                    output.say(format!("{origin}: {} entries, {} before", feed.size, feed.from))?;
                }
            }
            if feed.receipts > 0 {
                output.say(format!("  {} new receipts", feed.receipts))?;
            }
        }
        Ok(done)
    }
}

/// The path as a server with another working directory must be told it.
pub(crate) fn absolute(file: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(file)
        .with_context(|| format!("{} is no place for a file", file.display()))?;
    let text = path.to_str().with_context(|| format!("{} is no text", path.display()))?;
    Ok(text.to_owned())
}

pub(crate) fn tell_packed(file: &Path, answer: &PackAnswer, output: &Output) -> anyhow::Result<()> {
    output.json(answer)?;
    output.say(format!("Wrote {} ({} bytes), and read it back.", file.display(), answer.bytes))?;
    for feed in &answer.feeds {
        output.say(format!("  {}  {} entries, root {}", feed.origin, feed.size, feed.root))?;
    }
    Ok(())
}

//! Growth: what a record costs, how much memory a node takes and how soon it is up, over the number of
//! records in one feed and over the number of feeds.
//!
//! One feed is grown from point to point; at each it is started twice, served, and followed from nothing.
//! Then one node mirrors more and more feeds of the same length, and another follows them all from it. Each
//! step is a process of its own. With `--keep` the feeds and the figures stay, and a later run goes on.

mod figures;
mod many;
mod one;
mod picture;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::meter::Measured;
use figures::Figures;

/// Entries of the one feed.
const RECORDS: [u64; 5] = [1_000, 10_000, 100_000, 300_000, 1_000_000];
/// Feeds of the mirror.
const FEEDS: [u32; 5] = [1, 10, 50, 200, 500];

/// How far to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Growth {
    /// The most records in the one feed; 0 to leave it out.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// The most feeds; 0 to leave them out.
    #[arg(long, default_value_t = 500)]
    feeds: u32,
    /// Where the measured nodes keep their data: a disk that counts, not one in memory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keeps feeds and figures in a directory, and measures what is not among them yet.
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    keep: Option<PathBuf>,
    /// Draws the pictures into a directory.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// One side of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// Publishes until the feed has so many entries, and is killed.
    Grow { dir: PathBuf, entries: u64 },
    /// Starts a node, is killed or ends as it should.
    Start { dir: PathBuf, node: Node, killed: bool },
    /// Mirrors so many feeds.
    Mirror { dir: PathBuf, feeds: u32 },
    /// Follows so many feeds from a mirror.
    Follow { dir: PathBuf, url: String, feeds: u32 },
    /// Publishes in a feed of its own beside those it follows.
    Publish { dir: PathBuf },
}

/// Which node is started.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Node {
    Author,
    Follower,
}

impl Part {
    /// Does it, in this process.
    pub(crate) async fn run(self) -> anyhow::Result<Measured> {
        match self {
            Self::Grow { dir, entries } => one::grow(&dir, entries).await,
            Self::Start { dir, node, killed } => one::start(&dir, node, killed).await,
            Self::Mirror { dir, feeds } => many::mirror(&dir, feeds).await,
            Self::Follow { dir, url, feeds } => many::follow(&dir, &url, feeds).await,
            Self::Publish { dir } => many::publish(&dir).await,
        }
    }
}

/// Measures every point that is not measured yet, and shows all of them.
pub(crate) fn measure(options: &Growth) -> anyhow::Result<()> {
    let temporary = match (&options.keep, &options.dir) {
        (Some(_), _) => None,
        (None, Some(dir)) => Some(tempfile::TempDir::new_in(dir)),
        (None, None) => Some(tempfile::TempDir::new()),
    };
    let temporary = temporary.transpose().context("no place to measure in")?;
    let kept = options.keep.as_deref();
    let dir = kept.or(temporary.as_ref().map(tempfile::TempDir::path)).context("no place")?;
    let mut figures = Figures::read(dir)?;
    for entries in RECORDS.into_iter().filter(|entries| *entries <= options.records) {
        if !figures.one.iter().any(|point| point.records == entries) {
            figures.one.push(one::point(dir, entries)?);
            figures.write(dir)?;
        }
    }
    for feeds in FEEDS.into_iter().filter(|feeds| *feeds <= options.feeds) {
        if !figures.many.iter().any(|point| point.feeds == feeds) {
            figures.many.push(many::point(dir, feeds)?);
            figures.write(dir)?;
        }
    }
    if let Some(pictures) = &options.pictures {
        draw(&figures, pictures)?;
    }
    figures.print(options.json)
}

fn draw(figures: &Figures, directory: &Path) -> anyhow::Result<()> {
    for (name, svg) in figures.pictures() {
        std::fs::write(directory.join(format!("growth-{name}.svg")), svg)
            .with_context(|| format!("the picture of {name} cannot be written"))?;
    }
    Ok(())
}

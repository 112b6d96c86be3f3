//! One side of a work: a process of this same program, so that what it uses is told apart.
//!
//! A side that serves says first where it is, in one line, and ends when its input ends. Every side ends
//! with one line, what it measured of itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::growth::Part;
use crate::meter::Measured;
use crate::poll::Question;
use crate::publish::Shape;
use crate::{follow, http, news, poll, publish};

/// What a side does.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Side {
    /// Makes a feed of so many entries in an empty directory.
    Author { dir: PathBuf, entries: u64 },
    /// Begins a feed and publishes, straight on the core.
    Publish { dir: PathBuf, shape: Shape },
    /// Begins a feed if there is none, and serves it: to anybody, and to the operator.
    Serve { dir: PathBuf },
    /// Publishes over the operator's socket.
    Post { socket: PathBuf, shape: Shape },
    /// Follows a feed of so many entries in an empty directory.
    Follow { dir: PathBuf, from: Source, entries: u64 },
    /// Asks a server that has nothing new.
    Poll { address: String, question: Question, requests: u64 },
    /// Follows a feed and stays with it; says in a line how many entries it holds, whenever there are more.
    Stay { dir: PathBuf, url: String },
    /// One step of growing.
    Growth(Part),
}

/// Where a feed is followed from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Source {
    /// A server.
    Url(String),
    /// The directory of another node, opened in the same process.
    Directory(PathBuf),
}

/// Where a serving side is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    /// For anybody.
    pub(crate) url: String,
    /// For the operator.
    pub(crate) socket: PathBuf,
}

/// A side that runs.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Side {
    /// Does it, in this process.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let measured = runtime.block_on(async {
            match self {
                Self::Author { dir, entries } => publish::author(&dir, entries).await,
                Self::Publish { dir, shape } => publish::on_core(&dir, shape).await,
                Self::Serve { dir } => http::serve(&dir).await,
                Self::Post { socket, shape } => http::post(&socket, shape).await,
                Self::Follow { dir, from, entries } => follow::run(&dir, &from, entries).await,
                Self::Poll { address, question, requests } => {
                    poll::ask(&address, question, requests)
                }
                Self::Stay { dir, url } => news::stay(&dir, &url).await,
                Self::Growth(part) => part.run().await,
            }
        })?;
        say(&measured)
    }

    /// Starts it as a process of its own.
    pub(crate) fn start(&self) -> anyhow::Result<Running> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.arg("side").arg(serde_json::to_string(self)?);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Running { child, lines })
    }

    /// Does it as a process of its own, to its end.
    pub(crate) fn done(&self) -> anyhow::Result<Measured> {
        self.start()?.end()
    }
}

impl Running {
    /// Where it serves.
    pub(crate) fn address(&mut self) -> anyhow::Result<Address> {
        self.line()
    }

    /// How many entries it holds by now, as a side that stays says it.
    pub(crate) fn size(&mut self) -> anyhow::Result<u64> {
        self.line()
    }

    /// Lets it end, and answers with what it measured.
    pub(crate) fn end(mut self) -> anyhow::Result<Measured> {
        drop(self.child.stdin.take());
        let measured = self.line();
        let status = self.child.wait()?;
        if !status.success() {
            bail!("one side of the work failed: {status}");
        }
        measured
    }

    fn line<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        serde_json::from_str(&line).context("one side of the work did not say what it should")
    }
}

/// Waits until whoever started this side lets it end.
pub(crate) async fn told_to_end() -> anyhow::Result<()> {
    let ended = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(ended).await??;
    Ok(())
}

/// Writes one line for the process that started this one.
pub(crate) fn say(what: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

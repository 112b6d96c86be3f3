//! THE YARDSTICK: the measurements of `docs/performance.md`.
//!
//! `bench all` measures what the machine can do (`cpu`, `disk`) and what a node does with it (work `a`:
//! publish; `b`: cold sync; `c`: poll; `d`: one new record) in interleaved rounds of one run, so that ratios mean something on a
//! machine that others use too. Each side of a work is a process of its own: its CPU seconds and its
//! peak memory are its own.

mod audiences;
mod cpu;
mod disk;
mod follow;
mod growth;
mod host;
mod http;
mod meter;
mod news;
mod poll;
mod publish;
mod records;
mod results;
mod search;
mod side;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use results::Results;
use side::Side;

/// Measures a node against the limits of the machine it runs on.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything below, and how works and limits compare.
    All(Options),
    /// Publish: one record at a time, by 32 publishers, in requests of 256; acknowledged when durable.
    A(Options),
    /// Follow a feed from nothing: everything verified, durable and queryable.
    B(Options),
    /// Ask a node that has nothing new: requests a second, CPU and bytes of each.
    C(Options),
    /// One new record, until a follower that waits has it verified and durable: time and bytes.
    D(Options),
    /// Search: words, phrases and facets over an index; how soon a new record is found.
    E(Options),
    /// How cost, memory and start grow: to 1,000,000 records in a feed, to 500 feeds; with pictures.
    Growth(growth::Growth),
    /// What one core and all cores can sign, verify, hash, scan and compress.
    Cpu(Options),
    /// What the disk can sync.
    Disk(Options),
    /// Whether the time of a 404 tells a restricted feed from one that is not there.
    Audiences(Options),
    /// One side of a work, started by the commands above.
    #[command(hide = true)]
    Side {
        /// What to do, as JSON.
        side: String,
    },
}

/// How to measure.
#[derive(Args, Clone, Debug)]
struct Options {
    /// Rounds; cells are the median and the range over them.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Records of the feed that is followed in work `b` and searched in work `e`.
    #[arg(long, default_value_t = 100_000)]
    records: u64,
    /// Makes works `a`, `c`, `d`, `e` and `audiences` shorter: their requests are divided by this.
    #[arg(long, default_value_t = 1)]
    divide: u64,
    /// Straight on the core, in one process, without HTTP: what a profiler should look at.
    #[arg(long)]
    core: bool,
    /// Where the measured nodes keep their data: a disk that counts, not one in memory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Work `e` keeps its feed and its index in this directory, and goes on from what is there (also from the
    /// feed of `growth --keep`).
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Side { side } => {
            serde_json::from_str::<Side>(&side).context("no side of a work")?.run()
        }
        What::All(options) => {
            let rounds = [
                cpu::round,
                disk::round,
                publish::round,
                follow::round,
                poll::round,
                news::round,
                compare,
            ];
            measure(&options, &rounds)
        }
        What::A(options) => measure(&options, &[publish::round]),
        What::B(options) => measure(&options, &[follow::round]),
        What::C(options) => measure(&options, &[poll::round]),
        What::D(options) => measure(&options, &[news::round]),
        What::E(options) => measure(&options, &[search::round]),
        What::Growth(options) => growth::measure(&options),
        What::Cpu(options) => measure(&options, &[cpu::round]),
        What::Disk(options) => measure(&options, &[disk::round]),
        What::Audiences(options) => measure(&options, &[audiences::round]),
    }
}

/// Where one run of the program measures.
struct Bench {
    options: Options,
    dir: tempfile::TempDir,
    results: Results,
}

type Round = fn(&mut Bench) -> anyhow::Result<()>;

fn measure(options: &Options, rounds: &[Round]) -> anyhow::Result<()> {
    let dir = match &options.dir {
        Some(dir) => tempfile::TempDir::new_in(dir),
        None => tempfile::TempDir::new(),
    };
    let dir = dir.context("no place to measure in")?;
    let mut bench = Bench { options: options.clone(), dir, results: Results::new() };
    for _ in 0..options.rounds {
        for round in rounds {
            round(&mut bench)?;
        }
    }
    bench.results.print(options.json)
}

/// How the works of this round compare with its limits.
fn compare(bench: &mut Bench) -> anyhow::Result<()> {
    let (core, results) = (bench.options.core, &mut bench.results);
    let of = |results: &Results, group: &str, what: &str, unit: &str| {
        results.newest(group, what, unit).context("a figure to compare with was not measured")
    };
    let sync = |results: &Results, what: &str| of(results, disk::GROUP, what, "us p50");
    let syncs = 1e6 / (sync(results, disk::APPEND)? + sync(results, disk::OVERWRITE)?);
    let signed = of(results, cpu::GROUP, cpu::PUBLISH, "/s")?;
    let verified = of(results, cpu::GROUP, cpu::FOLLOW, "/s")?;
    let limits = [
        (publish::group(core), publish::ONE, "two syncs of the disk", syncs),
        (publish::group(core), publish::MANY, "signing, all cores", signed),
        (publish::group(core), publish::BULK, "signing, all cores", signed),
        (follow::group(core), follow::RECORDS, "verifying, all cores", verified),
    ];
    for (group, what, limit, rate) in limits {
        let share = of(results, group, what, "/s")? / rate;
        results.add(
            "Works against limits of the same round",
            &format!("{what} : {limit}"),
            "",
            share,
        );
    }
    Ok(())
}

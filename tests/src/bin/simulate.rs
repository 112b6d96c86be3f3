//! Plays simulations, and says what they found.
//!
//! ```text
//! simulate [--seeds N] [--from SEED] [--nodes K | --small] [--liars L | --most-liars] [--minutes M]
//!          [--jobs J] [--trace] [--twice]
//! ```
//!
//! Ends with status 1 if anything was found. `--small` plays the federations of three to six nodes of which
//! the tests play some; `--jobs` plays so many at the same time; `--trace` prints what happened; `--twice`
//! plays each seed twice and compares.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use tests::simulation::{Plan, Report, play};

struct Wanted {
    seeds: u64,
    from: u64,
    nodes: usize,
    small: bool,
    liars: Option<usize>,
    most_liars: bool,
    minutes: Option<u64>,
    jobs: u64,
    trace: bool,
    twice: bool,
}

/// What came of one seed, and whether it went two ways when played twice.
struct Played {
    report: Report,
    parted: bool,
}

fn main() -> Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let (sender, played) = channel();
    let failed = thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            let (wanted, next, sender) = (&wanted, &next, sender.clone());
            scope.spawn(move || wanted.play_all(next, &sender));
        }
        // The threads have one each: the channel ends with them.
        drop(sender);
        told(&played)
    })?;
    let (seeds, seconds) = (wanted.seeds, begun.elapsed().as_secs());
    writeln!(stdout(), "{seeds} seeds in {seconds} s, {failed} with problems")?;
    if failed > 0 {
        bail!("{failed} of {seeds} seeds found something");
    }
    Ok(())
}

/// Prints what comes, and how often what happened in all of it; answers with how many found something.
fn told(played: &Receiver<Result<Played>>) -> Result<u64> {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = 0;
    let mut out = stdout().lock();
    for played in played {
        let Played { report, parted } = played?;
        for line in &report.lines {
            writeln!(out, "{line}")?;
        }
        for (what, times) in &report.counts {
            *counts.entry(what).or_default() += times;
        }
        writeln!(out, "{report}")?;
        if parted {
            writeln!(out, "  played twice, it went two ways")?;
        }
        if parted || !report.problems.is_empty() {
            failed += 1;
        }
    }
    for (what, times) in &counts {
        writeln!(out, "{times:>12}  {what}")?;
    }
    Ok(failed)
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut wanted = Self {
            seeds: 20,
            from: 0,
            nodes: 10,
            small: false,
            liars: None,
            most_liars: false,
            minutes: None,
            jobs: 1,
            trace: false,
            twice: false,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u64> {
                let text =
                    arguments.next().with_context(|| format!("{argument} needs a number"))?;
                text.parse().with_context(|| format!("`{text}` is no number"))
            };
            match argument.as_str() {
                "--seeds" => wanted.seeds = number()?,
                "--from" => wanted.from = number()?,
                "--nodes" => wanted.nodes = usize::try_from(number()?)?,
                "--small" => wanted.small = true,
                "--liars" => wanted.liars = Some(usize::try_from(number()?)?),
                "--most-liars" => wanted.most_liars = true,
                "--minutes" => wanted.minutes = Some(number()?),
                "--jobs" => wanted.jobs = number()?.max(1),
                "--trace" => wanted.trace = true,
                "--twice" => wanted.twice = true,
                _ => bail!("`{argument}` is not known; see the head of tests/src/bin/simulate.rs"),
            }
        }
        Ok(wanted)
    }

    /// Plays one seed after the other, as long as there are any.
    fn play_all(&self, next: &AtomicU64, sender: &Sender<Result<Played>>) {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.seeds || sender.send(self.play_one(self.from + number)).is_err() {
                return;
            }
        }
    }

    fn play_one(&self, seed: u64) -> Result<Played> {
        let plan = self.plan(seed);
        let report = play(&plan)?;
        let parted = self.twice && play(&plan)?.trace != report.trace;
        Ok(Played { report, parted })
    }

    fn plan(&self, seed: u64) -> Plan {
        let plan = if self.small { Plan::small(seed) } else { Plan::of(seed, self.nodes) };
        let plan = if self.most_liars { plan.with_most_liars() } else { plan };
        Plan {
            liars: self.liars.unwrap_or(plan.liars),
            minutes: self.minutes.unwrap_or(plan.minutes),
            verbose: self.trace,
            ..plan
        }
    }
}

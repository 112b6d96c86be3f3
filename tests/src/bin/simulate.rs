//! Plays simulations, and says what they found.
//!
//! ```text
//! simulate [--seeds N] [--from SEED] [--nodes K] [--liars L | --most-liars] [--minutes M] [--trace] [--twice]
//! ```
//!
//! Ends with status 1 if anything was found. `--trace` prints what happened, `--twice` plays each seed twice and
//! compares.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use tests::simulation::{Plan, play};

struct Wanted {
    seeds: u64,
    from: u64,
    nodes: usize,
    liars: Option<usize>,
    most_liars: bool,
    minutes: Option<u64>,
    trace: bool,
    twice: bool,
}

fn main() -> Result<()> {
    let wanted = Wanted::read(std::env::args().skip(1))?;
    let begun = Instant::now();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = 0;
    let mut out = stdout().lock();
    for seed in (wanted.from..).take(usize::try_from(wanted.seeds)?) {
        let plan = wanted.plan(seed);
        let report = play(&plan)?;
        for line in &report.lines {
            writeln!(out, "{line}")?;
        }
        for (what, times) in &report.counts {
            *counts.entry(what).or_default() += times;
        }
        if !report.problems.is_empty() {
            failed += 1;
        }
        writeln!(out, "{report}")?;
        if wanted.twice && play(&plan)?.trace != report.trace {
            failed += 1;
            writeln!(out, "  played twice, it went two ways")?;
        }
    }
    for (what, times) in &counts {
        writeln!(out, "{times:>12}  {what}")?;
    }
    let (seeds, seconds) = (wanted.seeds, begun.elapsed().as_secs());
    writeln!(out, "{seeds} seeds in {seconds} s, {failed} with problems")?;
    if failed > 0 {
        bail!("{failed} of {seeds} seeds found something");
    }
    Ok(())
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut wanted = Self {
            seeds: 20,
            from: 0,
            nodes: 10,
            liars: None,
            most_liars: false,
            minutes: None,
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
                "--liars" => wanted.liars = Some(usize::try_from(number()?)?),
                "--most-liars" => wanted.most_liars = true,
                "--minutes" => wanted.minutes = Some(number()?),
                "--trace" => wanted.trace = true,
                "--twice" => wanted.twice = true,
                _ => bail!("`{argument}` is not known; see the head of tests/src/bin/simulate.rs"),
            }
        }
        Ok(wanted)
    }

    fn plan(&self, seed: u64) -> Plan {
        let plan = Plan::of(seed, self.nodes);
        let plan = if self.most_liars { plan.with_most_liars() } else { plan };
        Plan {
            liars: self.liars.unwrap_or(plan.liars),
            minutes: self.minutes.unwrap_or(plan.minutes),
            verbose: self.trace,
            ..plan
        }
    }
}

//! Federations in one thread, by seed: what must always hold, however the lines, the disks, the clocks and
//! some of the members behave. A seed that fails is printed with the command that plays it again; then it
//! gets a test of its own here.

use anyhow::{Result, ensure};
use tests::simulation::{Plan, Sabotage, play};

fn all_hold(plans: impl Iterator<Item = Plan>) -> Result<()> {
    let mut failed = Vec::new();
    for plan in plans {
        let report = play(&plan)?;
        if !report.problems.is_empty() {
            failed.push(report.to_string());
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// The play finds, with one of a few seeds, what was broken on purpose, and says so in these words.
fn finds(sabotage: Sabotage, words: &str) -> Result<()> {
    for seed in [0, 8, 16, 24] {
        let plan = Plan { liars: 2, minutes: 10, ..Plan::of(seed, 6) }.with(sabotage);
        let problems = play(&plan)?.problems;
        if problems.iter().any(|problem| problem.contains(words)) {
            return Ok(());
        }
    }
    anyhow::bail!("{sabotage:?} was not found")
}

#[test]
fn whatever_goes_wrong_small_federations_hold_together() -> Result<()> {
    // `.ci/run simulation` plays 200 others.
    all_hold((0..24).map(Plan::small))
}

#[test]
fn a_federation_of_twenty_with_six_liars_holds_together() -> Result<()> {
    let twenty = |seed| Plan { minutes: 4, ..Plan::of(seed, 20).with_most_liars() };
    all_hold((1_000..1_001).map(twenty))
}

#[test]
fn one_seed_has_one_trace() -> Result<()> {
    for seed in 0..4 {
        let (one, other) = (play(&Plan::small(seed))?, play(&Plan::small(seed))?);
        ensure!(one.trace == other.trace, "seed {seed} went two ways");
        let next = play(&Plan::small(seed + 4))?;
        ensure!(one.trace != next.trace, "seeds {seed} and {} went one way", seed + 4);
    }
    Ok(())
}

#[test]
fn signatures_that_prove_nothing_would_be_noticed() -> Result<()> {
    finds(Sabotage::WorthlessSignatures, "honest")
}

#[test]
fn disks_that_forget_what_they_acknowledged_would_be_noticed() -> Result<()> {
    finds(Sabotage::ForgetfulDisks, "after a crash")
}

#[test]
fn two_histories_that_nobody_compares_would_be_noticed() -> Result<()> {
    finds(Sabotage::NoComparison, "two histories")
}

#[test]
fn a_pair_that_does_not_come_together_would_be_noticed() -> Result<()> {
    finds(Sabotage::OneStaysCutOff, "after 2 rounds")
}

#[test]
fn a_body_that_was_changed_would_be_noticed() -> Result<()> {
    finds(Sabotage::ChangedBodies, "denies")
}

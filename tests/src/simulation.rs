//! A federation in one thread under a virtual clock: the code that publishes, asks, verifies, judges, stores
//! and schedules is that of a node; network, disks, clocks and chance follow from a seed.
//!
//! While it plays, lines are cut (both ways or one way), are slow or change a bit; processes end between
//! any two writes and within one, and lose what was not on disk; clocks are years off; and some of the nodes
//! lie. Then all is healed but the liars, and every node has two rounds.
//!
//! Checked always: nobody holds or shows a state that its owner did not sign, nor less than before; an
//! honest node is accused of nothing; what was acknowledged is there after every restart. Checked at the end:
//! every honest node holds all of every honest feed it follows, byte for byte; what was erased is erased;
//! who signed two histories is known to all who hold one of them.
//!
//! **Invariant:** one plan, one trace. Every wait ends at a millisecond of its own, so that no two tasks
//! are ever awake at once but by waking each other.

mod actor;
mod audit;
mod direction;
mod disk;
mod ledger;
mod liar;
mod road;
mod world;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use tlog::hash::Hash;

/// Up to so many nodes everybody follows everybody; beyond, three hubs do.
pub const ALL_FOLLOW_ALL: usize = 24;

/// What is played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All chance follows from it.
    pub seed: u64,
    /// How many nodes, liars among them; at least 3.
    pub nodes: usize,
    /// How many of them lie; at most half of them.
    pub liars: usize,
    /// How long things go wrong, in virtual minutes.
    pub minutes: u64,
    /// What is broken on purpose, to see that it is found.
    pub sabotage: Option<Sabotage>,
    /// Whether the lines of the trace are kept, and not only their hash.
    pub verbose: bool,
}

/// A fault of the program itself, put in by a double in its place: what the checks must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The signatures of one honest feed can be made by a liar, as if nobody checked them.
    WorthlessSignatures,
    /// After a crash a disk has an earlier state than it acknowledged.
    ForgetfulDisks,
    /// Nobody compares what others hold.
    NoComparison,
    /// One node stays cut off while another publishes once more.
    OneStaysCutOff,
    /// A node shows a body that is not the one that was signed.
    ChangedBodies,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was played.
    pub plan: Plan,
    /// The hash of the trace.
    pub trace: Hash,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// What must not have happened, in words; empty if all is well.
    pub problems: Vec<String>,
    /// The trace in words, if the plan is verbose.
    pub lines: Vec<String>,
}

impl Plan {
    /// The play of a seed with so many nodes, up to a third of them liars, and never more than 64.
    pub fn of(seed: u64, nodes: usize) -> Self {
        let most = (nodes / 3).min(64);
        let liars = usize::try_from(seed % (most as u64 + 1)).unwrap_or(0);
        let minutes = if nodes > ALL_FOLLOW_ALL { 20 } else { 30 };
        Self { seed, nodes, liars, minutes, sabotage: None, verbose: false }
    }

    /// A small federation: three to six nodes for six minutes.
    pub fn small(seed: u64) -> Self {
        let nodes = 3 + usize::try_from(seed % 4).unwrap_or(0);
        Self { minutes: 6, ..Self::of(seed, nodes) }
    }

    /// As many liars as may be: a third, and never more than 64.
    #[must_use]
    pub fn with_most_liars(self) -> Self {
        Self { liars: (self.nodes / 3).min(64), ..self }
    }

    /// The same with a fault of the program itself.
    #[must_use]
    pub fn with(self, sabotage: Sabotage) -> Self {
        Self { sabotage: Some(sabotage), ..self }
    }

    /// The command that plays it again.
    pub fn command(&self) -> String {
        let Self { seed, nodes, liars, minutes, .. } = self;
        format!(
            "cargo run -p tests --bin simulate -- --from {seed} --seeds 1 --nodes {nodes} --liars {liars} --minutes {minutes} --trace"
        )
    }
}

/// Plays it.
///
/// # Errors
/// When the stage cannot be set; what goes wrong in the play is in the report.
pub fn play(plan: &Plan) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()?;
    runtime.block_on(direction::play(plan.clone()))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, nodes, liars, minutes, .. } = self.plan;
        let trace = self.trace.to_hex();
        let trace = trace.get(..16).unwrap_or(&trace);
        write!(f, "seed {seed}: {nodes} nodes, {liars} liars, {minutes} min, trace {trace}")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        match self.problems.is_empty() {
            true => Ok(()),
            false => write!(f, "\n  again: {}", self.plan.command()),
        }
    }
}

//! What was measured, over all rounds: medians with their range, as text or as JSON.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::meter;

/// All rows in the order they were first measured.
pub(crate) struct Results {
    rows: Vec<Row>,
    load_before: f64,
}

/// One figure, once for each round.
struct Row {
    group: &'static str,
    what: String,
    unit: &'static str,
    values: Vec<f64>,
}

/// One figure over all rounds.
#[derive(Clone, Copy)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Results {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), load_before: meter::load() }
    }

    /// Adds one figure of the round.
    pub(crate) fn add(&mut self, group: &'static str, what: &str, unit: &'static str, value: f64) {
        let same = |row: &&mut Row| row.group == group && row.what == what && row.unit == unit;
        match self.rows.iter_mut().find(same) {
            Some(row) => row.values.push(value),
            None => {
                let row = Row { group, what: what.to_owned(), unit, values: vec![value] };
                self.rows.push(row);
            }
        }
    }

    /// The newest figure of a row, for figures that follow from others of the same round.
    pub(crate) fn newest(&self, group: &str, what: &str, unit: &str) -> Option<f64> {
        let row =
            self.rows.iter().find(|row| row.group == group && row.what == what && row.unit == unit);
        row?.values.last().copied()
    }

    /// Prints all rows.
    pub(crate) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            serde_json::to_writer_pretty(&mut out, &self.json())?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(out, "{}", machine())?;
        writeln!(out, "load {:.2} before, {:.2} after", self.load_before, meter::load())?;
        let mut group = "";
        for row in &self.rows {
            if row.group != group {
                group = row.group;
                writeln!(out, "\n{group}")?;
            }
            let Spread { median, least, most } = row.spread();
            let (median, least, most) = (shown(median), shown(least), shown(most));
            writeln!(out, "  {:<58} {median:>10} [{least}..{most}] {}", row.what, row.unit)?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({
            "machine": machine(), "load_before": self.load_before, "load_after": meter::load(),
            "rows": rows,
        })
    }
}

impl Row {
    fn spread(&self) -> Spread {
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        let median = (at(last / 2) + at(last.div_ceil(2))) / 2.0;
        Spread { median, least: at(0), most: at(last) }
    }

    fn json(&self) -> Value {
        let Spread { median, least, most } = self.spread();
        json!({
            "group": self.group, "what": self.what, "unit": self.unit,
            "median": median, "min": least, "max": most, "rounds": self.values,
        })
    }
}

/// Three digits that count, and no more than the whole number of what is large.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The processor and how many cores of it there are.
pub(crate) fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores")
}

//! All points: kept in a file, as tables, as pictures.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::picture::{Line, Picture, grouped};
use super::{many, one};
use crate::results::machine;

/// What a node may take whatever it holds, and for each record.
const FIXED_MIB: f64 = 128.0;
const RECORD_BYTES: f64 = 32.0;
/// A node is up after so long.
const START_S: f64 = 5.0;

/// Every point measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Figures {
    pub(super) one: Vec<one::Point>,
    pub(super) many: Vec<many::Point>,
}

/// Which figures of a point stand in a line.
type Of<P> = (&'static str, fn(&P) -> f64);

impl Figures {
    /// Those of an earlier run, if it kept any in `dir`.
    pub(super) fn read(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        match std::fs::read(dir.join("figures.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("the figures kept are damaged"),
            Err(_) => Ok(Self::default()),
        }
    }

    pub(super) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(dir.join("figures.json"), serde_json::to_vec_pretty(self)?)?)
    }

    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            let all =
                serde_json::json!({ "machine": machine(), "one": self.one, "many": self.many });
            serde_json::to_writer_pretty(&mut out, &all)?;
            return Ok(writeln!(out)?);
        }
        writeln!(out, "{}\n", machine())?;
        table(&mut out, "records", &ONE, &self.one, |point| point.records as f64)?;
        writeln!(out)?;
        table(&mut out, "feeds", &MANY, &self.many, |point| f64::from(point.feeds))
    }

    /// Each with its name.
    pub(super) fn pictures(&self) -> Vec<(&'static str, String)> {
        let mut pictures = Vec::new();
        let records = "records in one feed";
        if self.one.len() > 1 {
            let costs: [Of<one::Point>; 4] = [
                ("published in bulk", |point| point.publish_us),
                ("the same, CPU", |point| point.publish_cpu_us),
                ("cold sync", |point| point.sync_us),
                ("the same, CPU", |point| point.sync_cpu_us),
            ];
            let lines = self.of_one(&costs);
            pictures.push(("cost", picture("What a record costs", records, "microseconds", lines)));
            let starts: [Of<one::Point>; 3] = [
                ("after a kill", |point| point.killed_start_s),
                ("after an orderly end", |point| point.start_s),
                ("the most allowed", |_| START_S),
            ];
            let lines = self.of_one(&starts);
            pictures.push(("start", picture("Until a node is up", records, "seconds", lines)));
            let memory: [Of<one::Point>; 5] = [
                ("publishing", |point| point.publish_mib),
                ("following", |point| point.follow_mib),
                ("serving", |point| point.serve_mib),
                ("starting", |point| point.start_mib),
                ("the most allowed", |point| allowed_mib(point.records)),
            ];
            let lines = self.of_one(&memory);
            pictures.push(("memory", picture("Memory at its peak", records, "MiB", lines)));
        }
        if self.many.len() > 1 {
            let costs: [Of<many::Point>; 3] = [
                ("cold sync", |point| point.sync_us),
                ("the same, CPU", |point| point.sync_cpu_us),
                ("published in bulk", |point| point.publish_us),
            ];
            let lines = lines(&self.many, |point| f64::from(point.feeds), &costs);
            let title = "What a record costs a node with many feeds";
            pictures.push(("feeds", picture(title, "feeds of 200 records", "microseconds", lines)));
        }
        pictures
    }

    fn of_one<'a>(&self, wanted: &[Of<one::Point>]) -> Vec<Line<'a>> {
        lines(&self.one, |point| point.records as f64, wanted)
    }
}

/// The columns of the tables.
const ONE: [Of<one::Point>; 11] = [
    ("published us", |point| point.publish_us),
    ("CPU us", |point| point.publish_cpu_us),
    ("synced us", |point| point.sync_us),
    ("CPU us", |point| point.sync_cpu_us),
    ("start after kill s", |point| point.killed_start_s),
    ("start s", |point| point.start_s),
    ("MiB publishing", |point| point.publish_mib),
    ("following", |point| point.follow_mib),
    ("serving", |point| point.serve_mib),
    ("starting", |point| point.start_mib),
    ("allowed", |point| allowed_mib(point.records)),
];
const MANY: [Of<many::Point>; 9] = [
    ("synced us", |point| point.sync_us),
    ("CPU us", |point| point.sync_cpu_us),
    ("published us", |point| point.publish_us),
    ("one record, p50 us", |point| point.one_us),
    ("start s", |point| point.start_s),
    ("MiB following", |point| point.follow_mib),
    ("serving", |point| point.serve_mib),
    ("starting", |point| point.start_mib),
    ("allowed", |point| allowed_mib(point.records)),
];

fn allowed_mib(records: u64) -> f64 {
    FIXED_MIB + RECORD_BYTES * records as f64 / f64::from(1 << 20)
}

fn picture(title: &str, across: &str, up: &str, lines: Vec<Line<'_>>) -> String {
    Picture { title, across, up, lines }.svg()
}

fn lines<'a, P>(points: &[P], across: fn(&P) -> f64, wanted: &[Of<P>]) -> Vec<Line<'a>> {
    let line = |(name, up): &Of<P>| Line {
        name,
        points: points.iter().map(|point| (across(point), up(point))).collect(),
        is_limit: name.ends_with("allowed"),
    };
    wanted.iter().map(line).collect()
}

/// As the documentation has it.
fn table<P>(
    out: &mut impl std::io::Write,
    first: &str,
    columns: &[Of<P>],
    points: &[P],
    across: fn(&P) -> f64,
) -> anyhow::Result<()> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    writeln!(out, "| {first} | {} |", names.join(" | "))?;
    writeln!(out, "|--:|{}", "--:|".repeat(columns.len()))?;
    for point in points {
        let cells: Vec<String> = columns.iter().map(|(_, of)| shown(of(point))).collect();
        writeln!(out, "| {} | {} |", grouped(across(point)), cells.join(" | "))?;
    }
    Ok(())
}

fn shown(value: f64) -> String {
    if value >= 10.0 { grouped(value) } else { format!("{value:.2}") }
}

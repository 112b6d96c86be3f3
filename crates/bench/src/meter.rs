//! Time, CPU seconds and memory of this process; latencies.

use std::time::Instant;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The kernel counts CPU time for `/proc` in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one side of a work used and did.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// By the clock on the wall.
    pub(crate) seconds: f64,
    /// User and system time of all threads.
    pub(crate) cpu_seconds: f64,
    /// The most memory the process ever had resident.
    pub(crate) peak_mib: f64,
    /// Units of work done.
    pub(crate) done: u64,
    /// Bytes received, without HTTP headers.
    pub(crate) bytes: u64,
    /// Of a sync: until the last segment was stored.
    pub(crate) fetched_seconds: f64,
    /// Requests made.
    pub(crate) requests: u64,
    /// Median and 99th percentile of the latencies, in microseconds.
    pub(crate) p50_us: f64,
    /// See [`p50_us`](Self::p50_us).
    pub(crate) p99_us: f64,
}

/// Runs from its making to [`Meter::stop`].
pub(crate) struct Meter {
    started: Instant,
    cpu: f64,
}

impl Meter {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self { cpu: cpu_seconds()?, started: Instant::now() })
    }

    pub(crate) fn stop(self, done: u64) -> anyhow::Result<Measured> {
        Ok(Measured {
            seconds: self.started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds()? - self.cpu,
            peak_mib: peak_mib()?,
            done,
            ..Measured::default()
        })
    }
}

impl Measured {
    /// Units of work a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// Time of one unit of work, in microseconds.
    pub(crate) fn us_each(&self) -> f64 {
        self.seconds * 1e6 / self.done as f64
    }

    /// CPU time of one unit of work, in microseconds.
    pub(crate) fn cpu_us_each(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.done as f64
    }

    /// Fills in the percentiles of `latencies`, in microseconds.
    pub(crate) fn with_latencies(mut self, mut latencies: Vec<f64>) -> Self {
        latencies.sort_unstable_by(f64::total_cmp);
        let at = |share: usize| latencies.get(latencies.len() * share / 100).copied();
        self.p50_us = at(50).unwrap_or_default();
        self.p99_us = at(99).unwrap_or_default();
        self
    }
}

/// Load of the machine over the last minute: others may be at work.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold spaces; what follows does not.
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat has another form")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| -> anyhow::Result<f64> {
        Ok(fields.get(at).context("/proc/self/stat is too short")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

fn peak_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|rest| rest.split_whitespace().next()).context("no VmHWM")?;
    Ok(kib.parse::<f64>()? / 1_024.0)
}

//! Figures of a run: percentiles, and whether targets were met.

use std::fmt::Write as _;

/// Latencies, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, elapsed: std::time::Duration) {
        self.0.push(elapsed.as_secs_f64() * 1e3);
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What `share` of a hundred are not above.
    pub fn percentile(&self, share: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// What a run measured, and which targets it missed.
#[derive(Debug, Default)]
pub struct Figures {
    text: String,
    missed: Vec<String>,
}

impl Figures {
    /// A figure without a target.
    pub fn say(&mut self, what: &str, figure: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{what:<58} {figure}");
    }

    /// A figure with its target, in words, and whether it was met.
    pub fn hold(&mut self, what: &str, figure: impl std::fmt::Display, target: &str, met: bool) {
        let verdict = if met { "" } else { "  MISSED" };
        let _ = writeln!(self.text, "{what:<58} {figure}  ({target}){verdict}");
        if !met {
            self.missed.push(what.to_owned());
        }
    }

    /// A target of a full run on a quiet machine: in a smoke test (`SMOKE` is set) the figure is told and not held.
    pub fn hold_in_full(
        &mut self,
        what: &str,
        figure: impl std::fmt::Display,
        target: &str,
        met: bool,
    ) {
        if std::env::var_os("SMOKE").is_some() {
            self.say(what, format_args!("{figure}  (on a quiet machine {target})"));
        } else {
            self.hold(what, figure, target, met);
        }
    }

    /// Prints them; an error if a target was missed.
    ///
    /// # Errors
    /// When a target was missed, or nobody reads.
    pub fn print(&self) -> anyhow::Result<()> {
        std::io::Write::write_all(&mut std::io::stdout(), self.text.as_bytes())?;
        anyhow::ensure!(self.missed.is_empty(), "missed: {}", self.missed.join("; "));
        Ok(())
    }
}

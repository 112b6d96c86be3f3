//! `jopoi config`.

use clap::Args;

use crate::cli::Global;
use crate::config::{self, Config};
use crate::output::{Done, Output};

/// The name in the sample: a documentation name, so that nobody runs a node under it by mistake.
const SAMPLE_NODE: &str = "mechanism.example";

/// Print the configuration with every field explained: its meaning, its default, its value.
#[derive(Args)]
pub struct ShowConfig {
    /// Print a sample instead of the configuration of a node.
    #[arg(long)]
    sample: bool,
}

impl ShowConfig {
    /// Prints it.
    pub fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let config = if self.sample {
            Config { node: SAMPLE_NODE.to_owned(), ..Config::default() }
        } else {
            global.place()?.config
        };
        if output.is_json() {
            output.json(&config)?;
        } else {
            output.raw(&config::document(&config)?)?;
        }
        Ok(Done::Fully)
    }
}

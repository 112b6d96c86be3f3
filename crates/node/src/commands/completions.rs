//! `jopoi completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::output::{Done, Output};

/// Print the completions for a shell.
#[derive(Args)]
pub struct Completions {
    /// Which shell: put the text where it looks for completions.
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(self, output: Output) -> anyhow::Result<Done> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "jopoi", &mut script);
        output.raw(&String::from_utf8_lossy(&script))?;
        Ok(Done::Fully)
    }
}

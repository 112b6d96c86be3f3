//! The command line: what can be asked, and the exit code of how it ended.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::control::Control;
use crate::keys::passphrase::Ways;
use crate::output::{Done, Output};
use crate::place::Place;

/// The heading of the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// Good practices of national mechanisms, published by themselves, verifiable by anybody.
#[derive(Parser)]
#[command(name = "jopoi", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 called wrongly, 3 partly done.\n\
    New here? `jopoi demo` shows a federation on this machine.")]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Answer in JSON, for programs.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// The data directory of the node [default: ./jopoi-data].
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub data: Vec<PathBuf>,
    /// The configuration, when it does not lie in the data directory.
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,
    /// The passphrase of the online secret, if it is encrypted: the first line of a file of mode 0600.
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub passphrase_file: Option<PathBuf>,
    /// Tell more of what happens; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    pub verbose: u8,
}

/// What can be asked.
#[derive(Subcommand)]
pub enum Command {
    /// Show a federation on this machine: sample records, published, followed and verified.
    Demo(commands::demo::Demo),
    /// Make a node: its keys, its first entry, its configuration.
    Init(commands::init::Init),
    /// Run one node, or several.
    Serve(commands::serve::Serve),
    /// Sign records and append them to this node's feed.
    Publish(commands::publish::Publish),
    /// Say that a record no longer stands, and destroy its text if wanted.
    Withdraw(commands::withdraw::Withdraw),
    /// Show what would be published, and what is not described yet. Writes nothing.
    Preview(commands::publish::Preview),
    /// Make a sheet to fill in for one kind of record.
    Form(commands::import::Form),
    /// Publish the rows of a sheet, after showing what is new, changed and refused.
    Import(commands::import::Import),
    /// List the current records of the feeds held here.
    List(commands::list::List),
    /// Find records by words and filters, in every language.
    Search(commands::search::Search),
    /// Show one record in all its languages.
    Show(commands::show::Show),
    /// Check a record from the root key to its last byte, and say which link fails.
    Verify(commands::verify::Verify),
    /// Begin a feed that only some may read, or list the feeds held here.
    Feed(commands::feed::Feed),
    /// Show where two versions of a feed were signed, save the evidence, decide.
    Faults(commands::faults::Faults),
    /// Keep a verified copy of another node's feeds.
    Follow(commands::follow::Follow),
    /// Stop following a node.
    Unfollow(commands::follow::Unfollow),
    /// Show how it goes with the nodes that are followed.
    Peers(commands::follow::Peers),
    /// Try each step of reaching a node, and say which fails.
    Probe(commands::follow::Probe),
    /// Keys: make, show, change, revoke, recover, lock, rehearse.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Show at a glance how this node stands, and what is due.
    Status(commands::status::Status),
    /// Look at this node from inside, and ask its peers how it looks from outside.
    Doctor(commands::doctor::Doctor),
    /// Take part in a network: compare its fingerprint, follow it, write the request to mail.
    Join(commands::join::Join),
    /// Run a network: who takes part, and who decides about it.
    Network(commands::network::Network),
    /// Approve a record of a network, as one of the nodes that decide.
    Approve(commands::approve::Approve),
    /// Write everything this node holds into one file.
    Backup(commands::backup::Backup),
    /// Get this node's feeds back: out of a backup, or from those who follow it.
    Restore(commands::restore::Restore),
    /// Carry feeds as a file.
    #[command(subcommand)]
    Bundle(commands::bundle::Bundle),
    /// Make the catalog anew from the facts.
    Rebuild(commands::rebuild::Rebuild),
    /// Read everything back that is held, and heal what is damaged.
    Scrub(commands::scrub::Scrub),
    /// Print the configuration with every field explained.
    Config(commands::config::ShowConfig),
    /// Print the completions for a shell.
    Completions(commands::completions::Completions),
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // One provider for all that speaks TLS; a second call finds the first and changes nothing.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let output = Output::new(cli.global.json);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| {
            let ended = runtime.block_on(cli.command.run(&cli.global, output));
            // A read from a peer that never ends must not keep the program from ending.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(done) => ExitCode::from(done.code()),
        Err(error) => ExitCode::from(output.error(&error)),
    }
}

impl Command {
    async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        // What throw-away nodes say of their staged losses would alarm somebody for nothing.
        let rehearsal = matches!(self, Self::Keys(commands::keys::Keys::Drill(_)));
        if !rehearsal || global.verbose > 0 {
            crate::log::to_stderr(global.verbose, matches!(self, Self::Serve(_)), global.json);
        }
        match self {
            Self::Demo(command) => command.run(global, output).await,
            Self::Init(command) => command.run(global, output).await,
            Self::Serve(command) => command.run(global, output).await,
            Self::Publish(command) => command.run(global, output).await,
            Self::Withdraw(command) => command.run(global, output).await,
            Self::Preview(command) => command.run(global, output).await,
            Self::Form(command) => command.run(output),
            Self::Import(command) => command.run(global, output).await,
            Self::List(command) => command.run(global, output).await,
            Self::Search(command) => command.run(global, output).await,
            Self::Show(command) => command.run(global, output).await,
            Self::Verify(command) => command.run(global, output).await,
            Self::Feed(command) => command.run(global, output).await,
            Self::Faults(command) => command.run(global, output).await,
            Self::Follow(command) => command.run(global, output).await,
            Self::Unfollow(command) => command.run(global, output).await,
            Self::Peers(command) => command.run(global, output).await,
            Self::Probe(command) => command.run(global, output).await,
            Self::Keys(command) => command.run(global, output).await,
            Self::Status(command) => command.run(global, output).await,
            Self::Doctor(command) => command.run(global, output).await,
            Self::Join(command) => command.run(global, output).await,
            Self::Network(command) => command.run(global, output).await,
            Self::Approve(command) => command.run(global, output).await,
            Self::Backup(command) => command.run(global, output).await,
            Self::Restore(command) => command.run(global, output).await,
            Self::Bundle(command) => command.run(global, output).await,
            Self::Rebuild(command) => command.run(global, output).await,
            Self::Scrub(command) => command.run(global, output).await,
            Self::Config(command) => command.run(global, output),
            Self::Completions(command) => command.run(output),
        }
    }
}

impl Global {
    /// The one node a command is about.
    pub fn place(&self) -> anyhow::Result<Place> {
        if self.data.len() > 1 {
            return Err(
                crate::output::Usage("give one --data: only `serve` takes several".into()).into()
            );
        }
        let place = Place::find(self.data.first().map(PathBuf::as_path), self.config.as_deref())?;
        Ok(Place { passphrase: self.passphrase(), ..place })
    }

    /// How the passphrase of an encrypted secret may be learned.
    pub fn passphrase(&self) -> Ways {
        Ways { file: self.passphrase_file.clone(), ask: true }
    }

    /// The way to that node.
    pub async fn control(&self) -> anyhow::Result<Control> {
        Control::reach(&self.place()?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}

//! `jopoi keys …`.

pub mod ceremony;
pub mod change;
pub mod drill;
pub mod lock;
pub mod protocol;
pub mod status;

use clap::Subcommand;

use crate::cli::Global;
use crate::output::{Done, Output};

/// Keys: make, show, change, revoke, recover, lock, rehearse.
#[derive(Subcommand)]
pub enum Keys {
    /// Make root and recovery key on a machine without a network, for a node that begins.
    // What the machine with the server needs says nothing here.
    #[command(mut_args(|argument| {
        let idle = ["listen", "language", "allow_network", "from_ceremony", "recovery"];
        let is_idle = idle.contains(&argument.get_id().as_str());
        argument.hide(is_idle)
    }))]
    Ceremony(Box<ceremony::MakeKeys>),
    /// Show every key: its age, when it is to be changed, what is open.
    Status(status::Status),
    /// Make new online keys: once a year, and when somebody leaves who could read the old ones.
    Rotate(change::Rotate),
    /// Declare keys void from an entry on, and make new ones.
    Revoke(change::Revoke),
    /// Replace a root key that was lost or stolen, by the recovery key, after 72 hours.
    Recover(change::Recover),
    /// Object to a recovery, or to what a thief of the root key published.
    Object(change::Object),
    /// Publish a node record that was signed on another machine.
    Publish(change::Publish),
    /// Sign on another machine what `--request` wrote.
    Sign(change::Sign),
    /// Encrypt the online secret with a passphrase.
    Encrypt(lock::Encrypt),
    /// Store the online secret unencrypted again.
    Decrypt(lock::Decrypt),
    /// Give a running server the passphrase of its online secret.
    Unlock(lock::Unlock),
    /// Rehearse every loss on a throw-away copy of this node. Touches nothing of the real one.
    Drill(drill::Drill),
}

impl Keys {
    /// Does it.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        match self {
            Self::Ceremony(command) => command.run(output),
            Self::Status(command) => command.run(global, output).await,
            Self::Rotate(command) => command.run(global, output).await,
            Self::Revoke(command) => command.run(global, output).await,
            Self::Recover(command) => command.run(global, output).await,
            Self::Object(command) => command.run(global, output).await,
            Self::Publish(command) => command.run(global, output).await,
            Self::Sign(command) => command.run(output),
            Self::Encrypt(command) => command.run(global, output),
            Self::Decrypt(command) => command.run(global, output),
            Self::Unlock(command) => command.run(global, output).await,
            Self::Drill(command) => command.run(global, output).await,
        }
    }
}

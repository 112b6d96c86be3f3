//! `jopoi faults`: two versions of one feed, and what to do about them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tlog::name::{NodeName, Origin};
use wire::api::faults::{Faults as Known, KnownFault, SettleRequest};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::output::{Done, Output, Usage, visible};

/// Show where two versions of a feed were signed, save the evidence, decide.
#[derive(Args)]
pub struct Faults {
    /// What to do.
    #[command(subcommand)]
    what: What,
}

/// What can be done.
#[derive(Subcommand)]
enum What {
    /// List what is known.
    List,
    /// Tell what was found about a node, and what can be done.
    Show {
        /// The node, or one of its feeds.
        node: String,
    },
    /// Save the evidence as a file that convinces anybody who knows the root key.
    Save {
        /// Where to.
        file: PathBuf,
        /// About which node or feed, if there is more than one.
        #[arg(long, value_name = "NODE")]
        of: Option<String>,
    },
    /// Decide what becomes of the copy that stands still.
    Clear {
        /// The node, or one of its feeds.
        node: String,
        /// What the copy here says is true: go on from it.
        #[arg(long, group = "how")]
        keep_ours: bool,
        /// Forget the copy here, and follow what the node serves now.
        #[arg(long, group = "how")]
        anew: bool,
        /// Take an earlier decision back: stand still and wait for a continuation.
        #[arg(long, group = "how")]
        wait: bool,
    },
}

impl Faults {
    /// Asks the node of this machine, tells.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let known: Known = control.get(paths::API_FAULTS).await?;
        match self.what {
            What::List => list(&known, &output)?,
            What::Show { node } => show(about(&known, &node)?, &output)?,
            What::Save { file, of } => {
                let fault = match (&of, known.faults.as_slice()) {
                    (Some(of), _) => about(&known, of)?,
                    (None, [only]) => only,
                    (None, []) => bail!("there is nothing to save: no two versions are known"),
                    (None, _) => {
                        return Err(Usage("there are several: say --of NODE".to_owned()).into());
                    }
                };
                let bytes = serde_json::to_vec_pretty(&fault.evidence)?;
                std::fs::write(&file, bytes)
                    .with_context(|| format!("cannot write {}", file.display()))?;
                output.json(&fault)?;
                output.say(format!(
                    "Saved. Anybody can check it: jopoi verify {} --root ROOT-KEY",
                    file.display()
                ))?;
            }
            What::Clear { node, keep_ours, anew, wait } => {
                let how = match (keep_ours, anew, wait) {
                    (true, _, _) => Some("keep-ours"),
                    (_, true, _) => Some("anew"),
                    (_, _, true) => None,
                    _ => {
                        return Err(Usage(
                            "say --keep-ours, --anew or --wait: `faults show` explains them".into(),
                        )
                        .into());
                    }
                };
                clear(&control, about(&known, &node)?, how, &output).await?;
            }
        }
        Ok(Done::Fully)
    }
}

async fn clear(
    control: &Control,
    fault: &KnownFault,
    how: Option<&str>,
    output: &Output,
) -> anyhow::Result<()> {
    let request = SettleRequest { origin: fault.origin.clone(), how: how.map(str::to_owned) };
    let known: Known = control.post(paths::API_FAULTS_SETTLE, &request).await?;
    output.json(&known)?;
    let origin = &fault.origin;
    output.say(match how {
        Some("keep-ours") => format!(
            "`{origin}` goes on from the copy held here. The evidence stays; further evidence about this feed changes nothing."
        ),
        Some(_) => format!("The copy of `{origin}` was forgotten; what its node serves now is followed."),
        None => format!("`{origin}` stands still, and waits for a continuation or another decision."),
    })
}

fn list(known: &Known, output: &Output) -> anyhow::Result<()> {
    output.json(known)?;
    if known.faults.is_empty() {
        return output.say("No feed is known to have two versions.");
    }
    let rows = known.faults.iter().map(|fault| {
        let [first, second] = &fault.versions;
        let signer = fault.cosigner.clone().unwrap_or_else(|| "the feed's own key".to_owned());
        [
            fault.origin.to_string(),
            format!("{} and {} entries", first.size, second.size),
            signer,
            fault.held.map_or_else(|| "none".to_owned(), |held| held.to_string()),
            decision(fault).to_owned(),
        ]
    });
    output.table(["FEED", "VERSIONS", "SIGNED BY", "HELD", "DECISION"], rows)
}

fn show(fault: &KnownFault, output: &Output) -> anyhow::Result<()> {
    output.json(fault)?;
    let origin = &fault.origin;
    match &fault.cosigner {
        None => output.say(format!("Two versions of `{origin}` were signed with its own key:"))?,
        Some(vkey) => output.say(format!(
            "The cosigner {} vouched for two versions of `{origin}`; its lines count no more:",
            visible(vkey)
        ))?,
    }
    for version in &fault.versions {
        output.say(format!("  {} entries, root {}", version.size, version.root))?;
    }
    if fault.cosigner.is_some() {
        return output
            .say("Tell whoever runs that cosigner, and send the evidence (`faults save FILE`).");
    }
    let held =
        fault.held.map_or_else(|| "no copy is".to_owned(), |held| format!("{held} entries are"));
    output.say(format!("Here {held} held. Decision: {}.", decision(fault)))?;
    output.say(format!(
        "\nThis needs no ill will: a server restored from an old backup, or two servers with one key, do it too. \
         Ask the mechanism by telephone which version is right, and send it the evidence.\n\
         \n  jopoi faults save FILE               the evidence, for anybody\
         \n  (nothing)                            wait: if the mechanism continues its feed, its words count on\
         \n  jopoi faults clear {origin} --keep-ours   the copy here is the true one\
         \n  jopoi faults clear {origin} --anew        the version it serves now is the true one"
    ))
}

fn decision(fault: &KnownFault) -> &'static str {
    match (fault.settled.as_deref(), &fault.cosigner) {
        (Some("keep-ours"), _) => "the copy here goes on",
        (Some(_), _) => "followed anew",
        (None, Some(_)) => "its lines count no more",
        (None, None) => "none yet, the copy stands still",
    }
}

/// The fault about a node or a feed; about its feed rather than its cosigner.
fn about<'a>(known: &'a Known, name: &str) -> anyhow::Result<&'a KnownFault> {
    let origin = Origin::parse(name).ok();
    let node = NodeName::parse(name).ok();
    let is_about = |fault: &&KnownFault| match (&origin, &node) {
        (Some(origin), _) => fault.origin == *origin,
        (None, Some(node)) => fault.node.as_ref() == Some(node),
        (None, None) => false,
    };
    let mut found: Vec<&KnownFault> = known.faults.iter().filter(is_about).collect();
    found.sort_by_key(|fault| fault.cosigner.is_some());
    match found.first() {
        Some(fault) => Ok(fault),
        None => bail!("nothing is known of two versions by `{name}`; `faults list` shows what is"),
    }
}

//! `jopoi keys ceremony`.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use feed::feeds::timestamp;
use feed::ports::Clock as _;
use serde_json::json;
use tlog::name::NodeName;

use crate::commands::init::{Init, show_key};
use crate::keys::ceremony::{qr_code, write_for_server};
use crate::keys::protocol::{Protocol, Sheet};
use crate::keys::{Role, fingerprint};
use crate::output::{Done, Output, Usage};
use crate::setup::Paper;
use crate::wiring::SystemClock;

/// Make root and recovery key on a machine without a network, for a node that begins. Two persons do it
/// where there are two; the server gets a file in which the root key is not.
#[derive(Args)]
pub struct MakeKeys {
    /// What the node is, as for `jopoi init`.
    #[command(flatten)]
    node: Init,
    /// Make no recovery key. A lost root key can then be replaced by a committee alone.
    #[arg(long)]
    no_recovery: bool,
    /// The directory for the keys and the protocol; it must not exist.
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Show what would be made, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Where everything goes.
struct Files {
    root: PathBuf,
    recovery: PathBuf,
    server: PathBuf,
    text: PathBuf,
    html: PathBuf,
}

impl MakeKeys {
    /// Makes them, shows them once, writes the protocol.
    pub fn run(self, output: Output) -> anyhow::Result<Done> {
        let new = self.node.into_node().map_err(|error| Usage(format!("{error:#}")))?;
        if new.ceremony.is_some() || new.recovery {
            return Err(Usage(
                "a ceremony makes both keys: leave --recovery and --from-ceremony out".into(),
            )
            .into());
        }
        let name = NodeName::parse(&new.config.node)?;
        let files = Files::in_directory(&self.output, &name);
        if self.output.exists() {
            bail!(
                "{} is there already, and keys are never overwritten: name another directory with -o",
                self.output.display()
            );
        }
        if self.dry_run {
            output.json(&json!({"node": name, "dry_run": true, "directory": self.output}))?;
            output.say(format!("Would make the keys of {name} in {}:", self.output.display()))?;
            for (file, place) in files.places(!self.no_recovery) {
                output.say(format!("  {file}: {place}"))?;
            }
            output.say("Nothing was written.")?;
            return Ok(Done::Fully);
        }
        let new = crate::setup::NewNode { recovery: !self.no_recovery, ..new };
        let paper = Paper::make(&name, &new)?;
        let written = write(&self.output, &files, &name, &paper);
        if written.is_err() {
            // It did not exist before.
            let _ = std::fs::remove_dir_all(&self.output);
        }
        written?;
        tell(&files, &name, &paper, &output)?;
        Ok(Done::Fully)
    }
}

impl Files {
    fn in_directory(directory: &Path, node: &NodeName) -> Self {
        Self {
            root: directory.join(format!("{node}.root-key")),
            recovery: directory.join(format!("{node}.recovery-key")),
            server: directory.join(format!("{node}.server-keys")),
            text: directory.join("protocol.txt"),
            html: directory.join("protocol.html"),
        }
    }

    fn places(&self, recovery: bool) -> Vec<(String, String)> {
        let name = |path: &Path| {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let mut places = vec![(
            name(&self.root),
            "two copies on paper or on sticks, in two safes; never on the server".to_owned(),
        )];
        if recovery {
            let place = "a safe in another office, with other people";
            places.push((name(&self.recovery), place.to_owned()));
        }
        let place = "to the server; destroyed once `jopoi init --from-ceremony` has read it";
        places.push((name(&self.server), place.to_owned()));
        places
    }
}

fn write(directory: &Path, files: &Files, node: &NodeName, paper: &Paper) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let keys = [
        (Role::Root, &paper.root, &files.root),
        (Role::Recovery, &paper.recovery, &files.recovery),
    ];
    let mut public = Vec::new();
    for (role, key, path) in keys {
        if let Some(key) = key {
            key.save(path, node, role)?;
            public.push((format!("{} key", role.as_str()), key.public()));
        }
    }
    write_for_server(&files.server, node, paper)?;
    let protocol = Protocol {
        node: node.clone(),
        title: "Keys made for the first time".to_owned(),
        time: timestamp(SystemClock.now()),
        keys: public,
        done: vec![format!("the keys of {node} were made on this machine")],
        files: files.places(paper.recovery.is_some()),
        steps: steps(node),
    };
    for path in [&files.text, &files.html] {
        Sheet::take(path)?.write(&protocol)?;
    }
    Ok(())
}

fn steps(node: &NodeName) -> Vec<String> {
    [
        "The machine has no network, and nobody else sees its screen.".to_owned(),
        "Both persons saw the fingerprints on the screen and found the same ones on this page.".to_owned(),
        "Each key file was copied, and each copy was read back: `jopoi keys sign --check FILE`.".to_owned(),
        "The copies are in the places named above; the envelopes are sealed and signed.".to_owned(),
        format!("On the server: jopoi init {node} --from-ceremony FILE --reuse LICENCE"),
        "The file for the server and this directory are destroyed.".to_owned(),
        "The fingerprint of the root key was given to the network and to peers by telephone or on paper.".to_owned(),
    ]
    .to_vec()
}

fn tell(files: &Files, node: &NodeName, paper: &Paper, output: &Output) -> anyhow::Result<()> {
    let root = paper.root.as_ref().context("a ceremony makes a root key")?;
    output.json(&json!({
        "node": node,
        "root": root.did(),
        "root_fingerprint": fingerprint(&root.public()),
        "root_key_file": files.root,
        "recovery": paper.recovery.as_ref().map(crate::keys::Root::did),
        "recovery_key_file": paper.recovery.as_ref().map(|_| &files.recovery),
        "server_file": files.server,
        "protocol": [&files.text, &files.html],
    }))?;
    output.say(format!("Made the keys of {node}."))?;
    show_key(Role::Root, root, &files.root, output)?;
    if let Some(recovery) = &paper.recovery {
        show_key(Role::Recovery, recovery, &files.recovery, output)?;
    }
    output.say("\nThe root key's public part, for the telephone of whoever pins it:")?;
    output.say(qr_code(&root.did())?)?;
    output
        .say("Shown this once. What to do with each file stands in the protocol; print it now:")?;
    output.say(format!("  {}\n  {}", files.text.display(), files.html.display()))
}

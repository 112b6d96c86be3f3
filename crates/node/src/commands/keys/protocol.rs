//! `--protocol FILE` of the commands that do something with keys.

use std::path::{Path, PathBuf};

use clap::Args;
use feed::feeds::timestamp;
use feed::ports::Clock as _;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use wire::api::keys::{DisownedLine, KeyChange, NodeRecordAnswer, PrepareAnswer};

use crate::keys::fingerprint;
use crate::keys::protocol::{Protocol, Sheet};
use crate::output::Output;
use crate::wiring::SystemClock;

/// The paper that stays when the command has ended.
#[derive(Args)]
pub struct Paper {
    /// Write a protocol of what was done, to print, tick off and sign: plain text, or a page if FILE ends
    /// in .html. No secret is in it.
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
}

impl Paper {
    /// Whether a protocol is wanted.
    pub fn is_wanted(&self) -> bool {
        self.protocol.is_some()
    }

    /// Its file, before anything is done.
    pub fn take(&self) -> anyhow::Result<Option<Sheet>> {
        self.protocol.as_deref().map(Sheet::take).transpose()
    }
}

/// Writes it, if it is wanted, and says where.
pub fn write(sheet: Option<Sheet>, protocol: &Protocol, output: &Output) -> anyhow::Result<()> {
    let Some(sheet) = sheet else { return Ok(()) };
    let path = sheet.path().to_owned();
    sheet.write(protocol)?;
    output.say(format!("Protocol, to print, tick off and sign: {}", path.display()))
}

/// Of a change of keys that was published: what the request asked for, if it was asked for here.
pub fn of_published(
    record: &NodeRecord,
    asked: Option<(&KeyChange, &PrepareAnswer)>,
    new_root: Option<&Path>,
    answer: &NodeRecordAnswer,
) -> Protocol {
    let title = asked.map_or("Node record published", |(change, _)| title(change));
    let prepared = asked.map(|(_, prepared)| prepared);
    let mut done: Vec<String> = prepared.map(|prepared| prepared.words.clone()).unwrap_or_default();
    let issuer = record.body().issuer_key();
    let role = role(record, &issuer);
    done.push(signed(record.version(), role, &issuer));
    for (origin, index) in &answer.entries {
        done.push(format!("published as entry {index} of {origin}"));
    }
    let mut steps = answer.next.clone();
    let again: &[DisownedLine] = prepared.map_or(&[], |prepared| &prepared.publish_again);
    steps.extend(again.iter().map(|line| {
        format!(
            "looked at entry {} of {} ({} {}, version {}), and published it again if it is ours",
            line.index, line.origin, line.kind, line.id, line.version
        )
    }));
    steps.push("`jopoi status` was read, and shows nothing that waits or fails".to_owned());
    if is_new_root(asked) {
        steps.push("the fingerprint of the root key above was given to the network and to peers by telephone or on paper".to_owned());
    }
    steps.push(back_in_its_safe(role));
    let place = "two copies on paper or on sticks, in two safes; never on the server".to_owned();
    Protocol {
        node: record.node.clone(),
        title: title.to_owned(),
        time: now(),
        keys: keys_of(record),
        done,
        files: new_root.map(|path| (path.display().to_string(), place)).into_iter().collect(),
        steps,
    }
}

/// Of a node record that was signed on a machine of its own.
pub fn of_signed(record: &NodeRecord, prepared: &PrepareAnswer, file: &Path) -> Protocol {
    let issuer = record.body().issuer_key();
    let mut done = prepared.words.clone();
    done.push(signed(record.version(), &prepared.role, &issuer));
    let file = (
        file.display().to_string(),
        "to the node, where `jopoi keys publish FILE` publishes it; it holds no secret".to_owned(),
    );
    Protocol {
        node: record.node.clone(),
        title: "Node record signed".to_owned(),
        time: now(),
        keys: keys_of(record),
        done,
        files: vec![file],
        steps: vec![
            "both persons read what is done above before it was signed".to_owned(),
            back_in_its_safe(&prepared.role),
            "`jopoi keys publish` was run at the node, and said where the record stands".to_owned(),
        ],
    }
}

fn title(change: &KeyChange) -> &'static str {
    match change {
        KeyChange::Rotate => "Online keys changed",
        KeyChange::Revoke { .. } => "Online keys revoked, and new ones made",
        KeyChange::Recover { .. } => "Recovery of the root key announced",
        KeyChange::Finish { .. } => "New root key taken into use",
        KeyChange::Reinstated { .. } => "Root key reinstated by the committee, taken into use",
        KeyChange::Reinstatement { .. } => "Another root key asked for",
        KeyChange::Object { .. } => "Objection to another root key",
    }
}

fn is_new_root(asked: Option<(&KeyChange, &PrepareAnswer)>) -> bool {
    use KeyChange::{Finish, Recover, Reinstated};
    matches!(asked, Some((Recover { .. } | Finish { .. } | Reinstated { .. }, _)))
}

fn role(record: &NodeRecord, issuer: &PublicKey) -> &'static str {
    if *issuer == record.root { "root" } else { "recovery" }
}

fn keys_of(record: &NodeRecord) -> Vec<(String, PublicKey)> {
    let root = if record.is_recovery() { "announced root key" } else { "root key" };
    let mut keys = vec![(root.to_owned(), record.root)];
    keys.extend(record.recovery.map(|key| ("recovery key".to_owned(), key)));
    keys
}

fn signed(version: u64, role: &str, key: &PublicKey) -> String {
    format!(
        "node record version {version}, signed by the {role} key with the fingerprint {}",
        fingerprint(key)
    )
}

fn back_in_its_safe(role: &str) -> String {
    format!("the file of the {role} key is back in its safe, and no copy of it is on this machine")
}

fn now() -> String {
    timestamp(SystemClock.now())
}

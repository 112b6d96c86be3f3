//! `jopoi keys rotate`, `revoke`, `recover`, `object`, and signing on another machine.
//!
//! A root or recovery key is read here, in the command's own process, and never reaches the server: the
//! node says what is to be signed, the command signs, the node publishes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use practice::body::Body;
use practice::id::RecordId;
use practice::node_record::{NodeRecord, NodeSubject};
use serde_json::json;
use tlog::name::Origin;
use wire::api::keys::{
    KeyChange, NodeRecordAnswer, NodeRecordRequest, PrepareAnswer, PrepareRequest, SecretText,
};
use wire::paths;

use super::protocol::{self, Paper};
use crate::cli::Global;
use crate::control::Control;
use crate::keys::offline::beside;
use crate::keys::{Role, Root, fingerprint};
use crate::output::{Done, Output, Usage, visible};
use crate::setup::{sign_feed_record, sign_version};
use crate::upkeep::restricted::is_of;

/// How a change is signed and carried out.
#[derive(Args)]
pub struct How {
    /// Write what is to be signed to FILE, for `jopoi keys sign` on a machine without a network.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Tell what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    paper: Paper,
}

/// Make new online keys, and publish them in a node record signed by the root key. The old log key signs
/// a second line for 30 days.
#[derive(Args)]
pub struct Rotate {
    /// The file of the root key.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["request", "dry_run"])]
    root: Option<PathBuf>,
    /// The addresses from now on, the preferred one first; all of them.
    #[arg(long)]
    url: Vec<String>,
    /// The unit that runs it. No personal names.
    #[arg(long, value_name = "TEXT")]
    contact_unit: Option<String>,
    /// The unit's mailbox.
    #[arg(long, value_name = "ADDRESS")]
    contact_email: Option<String>,
    #[command(flatten)]
    how: How,
}

/// Declare the online keys void from an entry on: they were stolen, lost, or are no longer wanted. New
/// keys are made; what counts no more is listed.
#[derive(Args)]
pub struct Revoke {
    /// The file of the root key.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["request", "dry_run"])]
    root: Option<PathBuf>,
    /// Which keys.
    #[arg(long = "use", value_parser = ["log", "all"], default_value = "all")]
    usage: String,
    /// How many entries you still vouch for; what follows counts no more.
    #[arg(long, value_name = "N")]
    from_size: u64,
    /// The feed.
    #[arg(long, default_value = "public")]
    feed: String,
    /// Why.
    #[arg(long, value_parser = ["stolen", "lost", "ended"])]
    reason: String,
    #[command(flatten)]
    how: How,
}

/// Replace a root key that was lost or stolen. First with --recovery: makes a new root key and announces
/// it. After 72 hours with --finish --root: takes it into use.
#[derive(Args)]
pub struct Recover {
    /// The file of the recovery key.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["finish", "reinstated", "request", "dry_run"], conflicts_with = "finish")]
    recovery: Option<PathBuf>,
    /// Where the new root key is written [default: NODE.root-key.new beside the data directory].
    #[arg(long, value_name = "FILE", conflicts_with = "finish")]
    new_root: Option<PathBuf>,
    /// The 72 hours are over: take the new root key into use.
    #[arg(long, requires = "root")]
    finish: bool,
    /// The committee of the network reinstated this node with the root key given by --root.
    #[arg(long, requires = "root", conflicts_with_all = ["finish", "recovery", "new_root"])]
    reinstated: bool,
    /// The file of the new root key.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Object to a recovery with the root key, or with the recovery key to what a thief of the root
/// published: neither counts until the committee of the network decided.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("key").required(true).args(["root", "recovery"]))]
pub struct Object {
    /// The file of the root key.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// The file of the recovery key.
    #[arg(long, value_name = "FILE")]
    recovery: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Sign on another machine what `--request` wrote, or check that a key file can be read.
#[derive(Args)]
pub struct Sign {
    /// The file that `--request` wrote.
    #[arg(required_unless_present = "check")]
    request: Option<PathBuf>,
    /// The file of the root or recovery key.
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    key: Option<PathBuf>,
    /// Where the signed node record goes.
    #[arg(long, short, value_name = "FILE", required_unless_present = "check")]
    output: Option<PathBuf>,
    /// Only read this key file back, and show its fingerprint.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "key", "output"])]
    check: Option<PathBuf>,
    #[command(flatten)]
    paper: Paper,
}

/// Publish a node record that was signed on another machine.
#[derive(Args)]
pub struct Publish {
    /// The file that `jopoi keys sign` wrote.
    file: PathBuf,
    /// Its root key was reinstated by the committee of the network.
    #[arg(long)]
    reinstated: bool,
    #[command(flatten)]
    paper: Paper,
}

impl Rotate {
    /// New keys.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let request = PrepareRequest {
            urls: (!self.url.is_empty()).then_some(self.url),
            contact_unit: self.contact_unit,
            contact_email: self.contact_email,
            ..PrepareRequest::of(KeyChange::Rotate)
        };
        carry_out(global, request, (self.root.as_deref(), None), self.how, &output).await
    }
}

impl Revoke {
    /// New keys, and the old ones void.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let request = PrepareRequest::of(KeyChange::Revoke {
            usage: self.usage,
            feed: self.feed,
            from_size: self.from_size,
            reason: self.reason,
        });
        carry_out(global, request, (self.root.as_deref(), None), self.how, &output).await
    }
}

impl Recover {
    /// Announces, or finishes.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        if let (true, Some(root)) = (self.finish, &self.root) {
            let new_root = Root::read(root)?.did();
            let request = PrepareRequest::of(KeyChange::Finish { new_root });
            return carry_out(global, request, (Some(root), None), self.how, &output).await;
        }
        if let (true, Some(root)) = (self.reinstated, &self.root) {
            let new_root = Root::read(root)?.did();
            let request = PrepareRequest::of(KeyChange::Reinstated { new_root });
            return carry_out(global, request, (Some(root), None), self.how, &output).await;
        }
        self.may_begin(global).await?;
        let place = global.place()?;
        let path = self.new_root.unwrap_or_else(|| {
            let mut path = beside(&place.data, &place.node, Role::Root).into_os_string();
            path.push(".new");
            path.into()
        });
        // Made by an earlier try that failed.
        let is_here = path.exists();
        let new_root = if is_here { Root::read(&path)? } else { Root::create()? };
        if !is_here && !self.how.dry_run {
            new_root.save(&path, &place.node, Role::Root)?;
        }
        if is_here || !self.how.dry_run {
            output.say(format!("The new root key is in {}: move it to a safe.", path.display()))?;
        }
        output.say(format!(
            "  root key  {}\n            fingerprint {}",
            new_root.did(),
            fingerprint(&new_root.public())
        ))?;
        let request = PrepareRequest::of(KeyChange::Recover { new_root: new_root.did() });
        carry_out(global, request, (self.recovery.as_deref(), Some(&path)), self.how, &output).await
    }
}

impl Recover {
    /// Looks whether a root can be announced, and by this key, before a new one is made that then lies about.
    async fn may_begin(&self, global: &Global) -> anyhow::Result<()> {
        let key = self.recovery.as_deref().map(Root::read).transpose()?;
        let any = KeyChange::Recover { new_root: Root::create()?.did() };
        let look = PrepareRequest { dry_run: true, ..PrepareRequest::of(any) };
        let would: PrepareAnswer =
            global.control().await?.post(paths::API_KEYS_PREPARE, &look).await?;
        match (&key, self.recovery.as_deref()) {
            (Some(key), Some(path)) => check_signer(&would, key, path),
            _ => Ok(()),
        }
    }
}

impl Object {
    /// Says again what stood before.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let (by, key) = match (&self.root, &self.recovery) {
            (Some(root), _) => ("root", root),
            (None, Some(recovery)) => ("recovery", recovery),
            (None, None) => return Err(Usage("give --root FILE or --recovery FILE".into()).into()),
        };
        let request = PrepareRequest::of(KeyChange::Object { by: by.to_owned() });
        carry_out(global, request, (Some(key), None), self.how, &output).await
    }
}

impl Sign {
    /// Signs; reaches nobody.
    pub fn run(self, output: Output) -> anyhow::Result<Done> {
        if let Some(path) = self.check {
            let key = Root::read(&path)?;
            output.json(&json!({"key": key.did(), "fingerprint": fingerprint(&key.public())}))?;
            output.say(format!("{}\nfingerprint {}", key.did(), fingerprint(&key.public())))?;
            return Ok(Done::Fully);
        }
        let (Some(request), Some(key), Some(file)) = (self.request, self.key, self.output) else {
            return Err(Usage("give a request, --key FILE and --output FILE".into()).into());
        };
        let text = std::fs::read_to_string(&request)
            .with_context(|| format!("cannot read {}", request.display()))?;
        let prepared: PrepareAnswer = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what `--request` wrote", request.display()))?;
        let sheet = self.paper.take()?;
        show(&prepared, &output)?;
        let signed = sign(&prepared, &key)?;
        let (node_record, _) = documents(&signed, false)?;
        std::fs::write(&file, signed)
            .with_context(|| format!("cannot write {}", file.display()))?;
        output.json(&json!({"signed": file, "version": prepared.version}))?;
        output.say(format!(
            "Signed. Carry {} to the node and run `jopoi keys publish` there.",
            file.display()
        ))?;
        protocol::write(sheet, &protocol::of_signed(&node_record, &prepared, &file), &output)?;
        Ok(Done::Fully)
    }
}

impl Publish {
    /// Publishes.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let record = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let (node_record, request) = documents(&record, self.reinstated)
            .with_context(|| format!("{} cannot be published", self.file.display()))?;
        let sheet = self.paper.take()?;
        let answer = publish(&global.control().await?, request, &output).await?;
        let protocol = protocol::of_published(&node_record, None, None, &answer);
        protocol::write(sheet, &protocol, &output)?;
        Ok(Done::Fully)
    }
}

/// Asks what is to be signed, signs it, and has it published; or stops after the asking.
async fn carry_out(
    global: &Global,
    mut request: PrepareRequest,
    (key, new_root): (Option<&Path>, Option<&Path>),
    how: How,
    output: &Output,
) -> anyhow::Result<Done> {
    if how.paper.is_wanted() && how.request.is_some() {
        let words = "with --request nothing is done yet: give --protocol to `jopoi keys sign` and `jopoi keys publish`";
        return Err(Usage(words.into()).into());
    }
    let sheet = if how.dry_run { None } else { how.paper.take()? };
    // Read before anything is made: a key that cannot be read changes nothing.
    let readable = key.map(Root::read).transpose()?;
    if how.dry_run {
        request.dry_run = true;
    } else if let Some(passphrase) = passphrase(global)? {
        request.passphrase = Some(passphrase);
    }
    let control = global.control().await?;
    if let (Some(readable), Some(path), false) = (&readable, key, how.dry_run) {
        // Another key than the one that must sign is told before a secret is made that then waits.
        let look = PrepareRequest { dry_run: true, passphrase: None, ..request.clone() };
        let would: PrepareAnswer = control.post(paths::API_KEYS_PREPARE, &look).await?;
        check_signer(&would, readable, path)?;
    }
    let prepared: PrepareAnswer = control.post(paths::API_KEYS_PREPARE, &request).await?;
    show(&prepared, output)?;
    if how.dry_run {
        output.json(&prepared)?;
        output.say("Nothing was written.")?;
        return Ok(Done::Fully);
    }
    if let Some(file) = how.request {
        std::fs::write(&file, serde_json::to_vec_pretty(&prepared)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        output.json(&json!({"request": file, "version": prepared.version}))?;
        output.say(format!(
            "Carry {} to the machine with the {} key, run `jopoi keys sign` there, and `jopoi keys publish` here.",
            file.display(),
            prepared.role
        ))?;
        return Ok(Done::Fully);
    }
    let (Some(_), Some(path)) = (readable, key) else {
        return Err(Usage(format!("give the file of the {} key", prepared.role)).into());
    };
    let signed = sign(&prepared, path)?;
    let reinstated = matches!(request.change, KeyChange::Reinstated { .. });
    let (node_record, request_to_publish) = documents(&signed, reinstated)?;
    let answer = publish(&control, request_to_publish, output).await?;
    let asked = Some((&request.change, &prepared));
    let protocol = protocol::of_published(&node_record, asked, new_root, &answer);
    protocol::write(sheet, &protocol, output)?;
    Ok(Done::Fully)
}

/// For the new secret, where the old one is encrypted. Asked for only then.
fn passphrase(global: &Global) -> anyhow::Result<Option<SecretText>> {
    use crate::keys::online::{Slot, Stored};
    let place = global.place()?;
    let Ok(Some(stored @ Stored::Encrypted(_))) = Slot::InUse.read(&place.data) else {
        return Ok(None);
    };
    let found = global.passphrase().find("Passphrase of the online secret, old and new")?;
    let Some(found) = found else { return Ok(None) };
    // A mistyped one would encrypt the new secret, and no passphrase would open both files.
    stored.open(Slot::InUse, Some(&found)).context("nothing was changed")?;
    Ok(Some(SecretText(found.reveal().to_owned())))
}

fn show(prepared: &PrepareAnswer, output: &Output) -> anyhow::Result<()> {
    output.say(format!(
        "Node record of {}, version {}, to be signed by the {} key:",
        prepared.node, prepared.version, prepared.role
    ))?;
    for line in &prepared.words {
        output.say(format!("  {}", visible(line)))?;
    }
    if !prepared.publish_again.is_empty() {
        output.say("  to be looked at, and published again where it is yours:")?;
        for line in &prepared.publish_again {
            output.say(format!(
                "    entry {} of {}: {} {}, version {}",
                line.index, line.origin, line.kind, line.id, line.version
            ))?;
        }
    }
    Ok(())
}

/// Refuses another key than the one that must sign.
fn check_signer(prepared: &PrepareAnswer, key: &Root, path: &Path) -> anyhow::Result<()> {
    if key.did() != prepared.signer {
        bail!(
            "{} holds {}, and the {} key of {} is {}: give the file of that key",
            path.display(),
            key.did(),
            prepared.role,
            prepared.node,
            prepared.signer
        );
    }
    Ok(())
}

/// A request to be reinstated under the root key of this file: a node record that it signs, and that is
/// published nowhere.
pub(in crate::commands) async fn ask_for_root(
    global: &Global,
    path: &Path,
    network: &Origin,
) -> anyhow::Result<Bytes> {
    let new_root = Root::read(path)?.did();
    let change = KeyChange::Reinstatement { new_root, network: network.clone() };
    let request = PrepareRequest { passphrase: passphrase(global)?, ..PrepareRequest::of(change) };
    let control = global.control().await?;
    let prepared: PrepareAnswer = control.post(paths::API_KEYS_PREPARE, &request).await?;
    Ok(Bytes::from(sign(&prepared, path)?))
}

/// The signed documents, a line each: the node record, then those of restricted feeds. Refuses to sign
/// with another key than the one that must.
fn sign(prepared: &PrepareAnswer, path: &Path) -> anyhow::Result<String> {
    let key = Root::read(path)?;
    check_signer(prepared, &key, path)?;
    let subject: NodeSubject = serde_json::from_value(prepared.subject.clone())
        .context("what is to be signed cannot be read: is the node of another version?")?;
    if subject.node != prepared.node {
        bail!("what is to be signed is about `{}`, not `{}`", subject.node, prepared.node);
    }
    let id = RecordId::parse(&prepared.id)?;
    let mut lines = vec![sign_version(&subject, &key, id, prepared.version)?];
    for record in &prepared.feed_records {
        let origin = &record.origin;
        if *origin.node() != prepared.node || !is_of(&record.subject, origin) {
            bail!(
                "what is to be signed is about `{origin}`, and not of a feed of {}",
                prepared.node
            );
        }
        lines.push(sign_feed_record(record, &key, subject.state.as_deref())?);
    }
    let lines: Result<Vec<_>, _> = lines.iter().map(|line| std::str::from_utf8(line)).collect();
    Ok(lines?.join("\n"))
}

async fn publish(
    control: &Control,
    request: NodeRecordRequest,
    output: &Output,
) -> anyhow::Result<NodeRecordAnswer> {
    let answer: NodeRecordAnswer = control.post(paths::API_KEYS_PUBLISH, &request).await?;
    output.json(&answer)?;
    for (origin, index) in &answer.entries {
        output.say(format!("Published as entry {index} of {origin}."))?;
    }
    for line in &answer.next {
        output.say(format!("  {}", visible(line)))?;
    }
    Ok(answer)
}

/// What [`sign`] wrote: the node record, and all of it as it is published. No document has a line break.
fn documents(signed: &str, reinstated: bool) -> anyhow::Result<(NodeRecord, NodeRecordRequest)> {
    let mut lines = signed.lines();
    let record = lines.next().unwrap_or_default().to_owned();
    let body = Body::open(Bytes::from(record.clone()))
        .context("this is no node record: give the file that `jopoi keys sign` wrote")?;
    let node_record = NodeRecord::from_body(&body).context("this node record is not valid")?;
    let feed_records = lines.map(str::to_owned).collect();
    Ok((node_record, NodeRecordRequest { record, feed_records, reinstated }))
}

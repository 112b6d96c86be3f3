//! Making a node: its directory, its keys, its node record signed by the root, entry 0 of its public
//! feed, its configuration.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use feed::ports::{Clock as _, Random as _};
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{Contact, NodeRecord, NodeSubject};
use tlog::name::{FeedName, NodeName};
use wire::api::keys::FeedRecordToSign;

use crate::config::{Config, FILE_NAME, document};
use crate::keys::ceremony::Ceremony;
use crate::keys::online::{Online, Slot};
use crate::keys::passphrase::Ways;
use crate::keys::{self, Role, Root};
use crate::place::Place;
use crate::wiring::{Node, Shared, SystemClock, SystemRandom};

/// What a new node says of itself.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// What people call it, by language.
    pub names: BTreeMap<String, String>,
    /// The State whose node it is.
    pub state: Option<String>,
    /// The organization whose node it is, by language.
    pub organization: Option<BTreeMap<String, String>>,
    /// How people reach the unit that runs it.
    pub contact: Option<Contact>,
    /// Its configuration; `base_urls` go into the node record too.
    pub config: Config,
    /// Make a recovery key besides.
    pub recovery: bool,
    /// What a ceremony made on another machine.
    pub ceremony: Option<Ceremony>,
}

/// What a node begins with, made here or at a ceremony.
pub struct Paper {
    /// Signs the node record.
    pub root: Option<Root>,
    /// Can replace it.
    pub recovery: Option<Root>,
    /// The online secret.
    pub online: Online,
    /// The node record, signed.
    pub record: Bytes,
}

impl Paper {
    /// Fresh keys, and the node record that names them.
    pub fn make(name: &NodeName, new: &NewNode) -> anyhow::Result<Self> {
        let root = Root::create()?;
        let recovery = new.recovery.then(Root::create).transpose()?;
        let online = Online::create(1)?;
        let mut subject = NodeSubject::new(name.clone(), new.names.clone(), root.public());
        subject.recovery = recovery.as_ref().map(Root::public);
        subject.state.clone_from(&new.state);
        subject.organization.clone_from(&new.organization);
        subject.contact.clone_from(&new.contact);
        subject.urls = new.config.base_urls.clone();
        subject.keys = online.node_keys(name, &root.public())?;
        let record = sign_node_record(&subject, &root, None)?;
        Ok(Self { root: Some(root), recovery, online, record })
    }
}

/// A node just made.
pub struct Made {
    /// The node, open.
    pub node: Arc<Node>,
    /// Its root key; none where a ceremony made it, which keeps it away from here.
    pub root: Option<Root>,
    /// Its recovery key, if one was asked for.
    pub recovery: Option<Root>,
    /// Where the root key was saved.
    pub root_path: PathBuf,
}

/// Makes a node in `data`, which must not exist or be empty. What was begun is removed if it fails.
pub async fn create(data: &Path, new: &NewNode, shared: &Shared) -> anyhow::Result<Made> {
    let node = NodeName::parse(&new.config.node)?;
    let root_path = keys::root_path(data, &node);
    refuse_to_overwrite(data, &root_path)?;
    let made = make(data, &node, &root_path, new, shared).await;
    if made.is_err() {
        // Both were checked not to be there before; what cannot be removed is named by the next try.
        let _ = std::fs::remove_dir_all(data);
        let _ = std::fs::remove_file(&root_path);
    }
    made
}

/// The signed bytes of a node record: the first one, or with `before` the next version of it.
pub fn sign_node_record(
    subject: &NodeSubject,
    root: &Root,
    before: Option<&NodeRecord>,
) -> anyhow::Result<Bytes> {
    let mut id = [0; 16];
    SystemRandom.fill(&mut id);
    let id = before.map_or_else(|| RecordId::from_random_bytes(id), NodeRecord::id);
    sign_version(subject, root, id, before.map_or(1, |record| record.version() + 1))
}

/// The signed bytes of one version of a node record.
pub fn sign_version(
    subject: &NodeSubject,
    root: &Root,
    id: RecordId,
    version: u64,
) -> anyhow::Result<Bytes> {
    let mut salt = [0; 32];
    SystemRandom.fill(&mut salt);
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id,
        feed: None,
        version,
        issuer: Issuer {
            key: root.signing_key().public(),
            node: subject.node.clone(),
            state: subject.state.clone(),
        },
        valid_from: time_text(SystemClock.now())?,
        salt,
        subject: subject.subject(),
    };
    let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>(root.signing_key().sign(message));
    let body = Body::sign(unsigned, &sign).context("the node record cannot be signed")?;
    NodeRecord::from_body(&body).context("this node cannot be described so")?;
    Ok(body.bytes().clone())
}

/// The signed bytes of a later version of a restricted feed's own record.
pub fn sign_feed_record(
    to_sign: &FeedRecordToSign,
    root: &Root,
    state: Option<&str>,
) -> anyhow::Result<Bytes> {
    let mut salt = [0; 32];
    SystemRandom.fill(&mut salt);
    let key = root.signing_key();
    let unsigned = Unsigned {
        kind: Kind::FEED,
        id: RecordId::parse(&to_sign.id)?,
        feed: Some(to_sign.origin.clone()),
        version: to_sign.version,
        issuer: Issuer {
            key: key.public(),
            node: to_sign.origin.node().clone(),
            state: state.map(str::to_owned),
        },
        valid_from: time_text(SystemClock.now())?,
        salt,
        subject: to_sign.subject.clone(),
    };
    let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>(key.sign(message));
    let body = Body::sign(unsigned, &sign).context("the record of a feed cannot be signed")?;
    Ok(body.bytes().clone())
}

fn refuse_to_overwrite(data: &Path, root_path: &Path) -> anyhow::Result<()> {
    let shown = data.display();
    match std::fs::read_dir(data) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                bail!(
                    "{shown} is not empty, and a node is never overwritten; \
                     choose another directory with --data"
                );
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot look into {shown}")),
    }
    if root_path.exists() {
        bail!(
            "{} is there already: it is the root key of a node of this name; move it away first",
            root_path.display()
        );
    }
    Ok(())
}

async fn make(
    data: &Path,
    name: &NodeName,
    root_path: &Path,
    new: &NewNode,
    shared: &Shared,
) -> anyhow::Result<Made> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot make {}", data.display()))?;
    let Paper { root, recovery, online, record } = match &new.ceremony {
        Some(ceremony) => ceremony.read(name)?,
        None => Paper::make(name, new)?,
    };
    Slot::InUse.write(data, &online, None)?;
    if let Some(root) = &root {
        root.save(root_path, name, Role::Root)?;
    }
    if let Some(recovery) = &recovery {
        recovery.save(&keys::offline::beside(data, name, Role::Recovery), name, Role::Recovery)?;
    }
    let place = Place {
        data: data.to_owned(),
        config: new.config.clone(),
        node: name.clone(),
        passphrase: Ways::default(),
    };
    let node = Node::open_new(&place, shared).await?;
    node.feeds().begin(&FeedName::public(), record).await?;
    // Last, for what has no configuration is no node yet.
    save_config(data, &new.config)?;
    Ok(Made { node, root, recovery, root_path: root_path.to_owned() })
}

/// Writes `jopoi.toml`, old or new whatever happens meanwhile.
pub fn save_config(data: &Path, config: &Config) -> anyhow::Result<()> {
    let file = data.join(FILE_NAME);
    let staged = data.join(format!("{FILE_NAME}#0"));
    std::fs::write(&staged, document(config)?)
        .and_then(|()| std::fs::File::open(&staged)?.sync_all())
        .and_then(|()| std::fs::rename(&staged, &file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
fn time_text(seconds: u64) -> anyhow::Result<String> {
    Ok(jiff::Timestamp::from_second(i64::try_from(seconds)?)?.to_string())
}

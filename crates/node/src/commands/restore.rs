//! `jopoi restore`: own feeds out of a backup, from the network, or on without what is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use feed::ports::{FeedStore as _, KeyUse};
use practice::body::Body;
use practice::node_record::{Continuation, NodeKey, NodeRecord};
use serde_json::json;
use store::facts::Directory;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use wire::api::guard::{ImportedFeed, RestoreAnswer, RestoreRequest, RestoredFeed};
use wire::paths;

use crate::cli::Global;
use crate::config::{Config, FILE_NAME, check_base_url};
use crate::control::Control;
use crate::copies::BundleFile;
use crate::keys::Root;
use crate::keys::online::{Online, Slot};
use crate::keys::ring::Ring;
use crate::output::{Done, Output, Usage};
use crate::place::{DATA_DEFAULT, Place};
use crate::setup::{save_config, sign_node_record};
use crate::wiring::{Node, Shared, SystemClock};

/// Get this node's feeds back: out of a backup, from those who follow it, or go on without what nobody
/// has any more. Nothing is signed before those who cosigned last have said what they hold.
#[derive(Args)]
pub struct Restore {
    /// The backup. Into an empty directory, or into that of the same node.
    #[arg(required_unless_present_any = ["from_network", "accept_loss"])]
    file: Option<PathBuf>,
    /// Fetch the own feeds from those who follow them.
    #[arg(long, conflicts_with_all = ["file", "accept_loss"])]
    from_network: bool,
    /// The address of a node that follows this one; may be given several times, and two are better
    /// than one.
    #[arg(long, value_name = "URL", requires = "from_network")]
    url: Vec<String>,
    /// The name of the node, where its directory is gone.
    #[arg(long, value_name = "NODE", requires = "from_network")]
    node: Option<NodeName>,
    /// The root key (did:key:…), where its directory is gone.
    #[arg(long, value_name = "did:key:…", conflicts_with = "accept_loss")]
    root: Option<PublicKey>,
    /// Peers may live in this private network.
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<ipnet::IpNet>,
    /// Go on in a new feed with what is here; what is lost or forked counts no more. For good.
    #[arg(long, conflicts_with = "file", requires = "root_file")]
    accept_loss: bool,
    /// The file of the root key, which signs the continuation.
    #[arg(long, value_name = "FILE", requires = "accept_loss")]
    root_file: Option<PathBuf>,
    /// The feed that is continued.
    #[arg(long, value_name = "FEED", default_value = "public", requires = "accept_loss")]
    feed: FeedName,
}

impl Restore {
    /// Restores, and says what came back and what to do next.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        if let Some(file) = self.file.clone() {
            return self.take_backup(&file, global, &output).await;
        }
        if let Some(root_file) = self.root_file.as_deref().filter(|_| self.accept_loss) {
            return accept_loss(&global.place()?, &self.feed, root_file, &output).await;
        }
        self.over_network(global, &output).await
    }

    async fn take_backup(
        &self,
        file: &Path,
        global: &Global,
        output: &Output,
    ) -> anyhow::Result<Done> {
        let bundle = BundleFile::open(file)?;
        let node = bundle.backup_of()?.with_context(|| {
            format!(
                "{} is no backup but a bundle of feeds: `jopoi bundle import` takes it",
                file.display()
            )
        })?;
        let named = bundle.root_of(&node).await.ok();
        let root = match (self.root, named) {
            (Some(given), Some(named)) if given != named => bail!(
                "the backup names the root key {} and {} was given: it is not the backup of this node",
                named.to_did(),
                given.to_did()
            ),
            (given, named) => given.or(named),
        };
        let place = self.make_place(global, &node)?;
        write_decisions(&place, bundle.decisions(&node)?).await?;
        let open = open(&place).await?;
        let (own, others) = open.vault().from_backup(&bundle, root).await?;
        open.feeds().decide_guards().await;
        tell(&open, own, &others, output)
    }

    async fn over_network(&self, global: &Global, output: &Output) -> anyhow::Result<Done> {
        let here = data_of(global);
        if let (None, true) = (&self.node, here.join(FILE_NAME).exists() || global.config.is_some())
        {
            let request = RestoreRequest { urls: self.url.clone() };
            let control: Control = global.control().await?;
            let answer: RestoreAnswer =
                control.post_watched(paths::API_RESTORE, &request, output).await?;
            output.json(&answer)?;
            return say_feeds(&answer.feeds, output);
        }
        let (Some(node), Some(root)) = (&self.node, self.root) else {
            return Err(Usage(
                "nothing is here yet: say which node it is with --node, --root did:key:… and at least one --url \
                 of a node that follows it"
                    .to_owned(),
            )
            .into());
        };
        let place = self.make_place(global, node)?;
        let open = open(&place).await?;
        let feeds = open.vault().from_network(&self.url, Some(root)).await?;
        let done = tell(&open, feeds, &[], output)?;
        if let [one] = self.url.as_slice() {
            output.warn(format!(
                "only {one} was asked: if another node holds more, what is signed next makes two versions of \
                 your feed; before you publish, run this again with the --url of every node that follows you"
            ));
        }
        Ok(done)
    }

    /// The place of the node: the one that is there, or a new one with a configuration of defaults.
    fn make_place(&self, global: &Global, node: &NodeName) -> anyhow::Result<Place> {
        let data = data_of(global);
        if data.join(FILE_NAME).exists() || global.config.is_some() {
            let place = global.place()?;
            if place.node != *node {
                bail!(
                    "{} is the directory of {}, and this is of {node}: choose another with --data",
                    place.data.display(),
                    place.node
                );
            }
            return Ok(place);
        }
        let mut config = Config { node: node.to_string(), ..Config::default() };
        config.peers.allow_networks.clone_from(&self.allow_network);
        for url in &self.url {
            check_base_url(url)?;
        }
        std::fs::create_dir_all(&data)
            .with_context(|| format!("cannot make {}", data.display()))?;
        save_config(&data, &config)?;
        Ok(Place { passphrase: global.passphrase(), ..Place::at(&data)? })
    }
}

fn data_of(global: &Global) -> PathBuf {
    global.data.first().map_or_else(|| PathBuf::from(DATA_DEFAULT), Clone::clone)
}

async fn open(place: &Place) -> anyhow::Result<Arc<Node>> {
    Node::open_new(place, &Shared::default()).await.context("nothing was restored")
}

/// What was decided comes back where nothing else was decided since.
async fn write_decisions(
    place: &Place,
    decisions: Vec<(String, bytes::Bytes)>,
) -> anyhow::Result<()> {
    let directory = Directory::open(&place.data).context("nothing was restored")?;
    let here = directory.decisions().await?;
    for (name, bytes) in decisions {
        if !here.iter().any(|(known, _)| *known == name) {
            directory.set_decision(&name, Some(bytes)).await?;
        }
    }
    Ok(())
}

fn tell(
    node: &Node,
    mut own: Vec<RestoredFeed>,
    others: &[ImportedFeed],
    output: &Output,
) -> anyhow::Result<Done> {
    for feed in &mut own {
        if feed.state != "failed" {
            let (state, reason) = web::copies::said(node.feeds().guard(&feed.origin));
            (feed.state, feed.reason) = (state.to_owned(), reason);
        }
    }
    output.json(&json!({"feeds": own, "others": others}))?;
    let mut done = say_feeds(&own, output)?;
    for feed in others {
        match &feed.refused {
            None if feed.not_followed.is_none() => {
                output.say(format!("{}  {} entries", feed.origin, feed.size))?;
            }
            None => output.say(format!(
                "{}  not taken from this file: nobody decided here to follow its node by hand; if a network lets it \
                 take part, it is fetched by itself once the server runs",
                feed.origin
            ))?,
            Some(reason) => {
                done = Done::Partly;
                output.warn(format!("{}: {reason}", feed.origin));
            }
        }
    }
    if node.feeds().signer().public(KeyUse::Log).is_err() {
        output.say(
            "This directory has no keys that may sign: jopoi keys rotate --root FILE --url https://… makes new ones.",
        )?;
    }
    Ok(done)
}

fn say_feeds(feeds: &[RestoredFeed], output: &Output) -> anyhow::Result<Done> {
    let mut done = Done::Fully;
    for feed in feeds {
        if feed.state == "failed" {
            done = Done::Partly;
            output.warn(format!("{}: {}", feed.origin, feed.reason.as_deref().unwrap_or_default()));
            continue;
        }
        output.say(format!("{}  {} entries, {} before", feed.origin, feed.size, feed.from))?;
        if let Some(root) = feed.root {
            output.say(format!("  root {root}"))?;
        }
        if !feed.agree.is_empty() {
            output.say(format!("  as shown by {}", feed.agree.join(", ")))?;
        }
        match (feed.state.as_str(), &feed.reason) {
            ("open", _) => output.say("  It may be signed.")?,
            (_, Some(reason)) => {
                done = Done::Partly;
                output.warn(format!("  Not signed yet: {reason}"));
            }
            _ => {}
        }
    }
    if feeds.iter().all(|feed| feed.state == "failed") {
        bail!("nothing came back");
    }
    Ok(done)
}

/// Ends a feed at what is here, and begins the one in which it goes on.
async fn accept_loss(
    place: &Place,
    of: &FeedName,
    root_file: &Path,
    output: &Output,
) -> anyhow::Result<Done> {
    let root = Root::read(root_file)?;
    let node = Node::open(place, &Shared::default()).await?;
    let feeds = node.feeds();
    let origin = Origin::new(place.node.clone(), of.clone());
    let view = feeds.view(&origin).with_context(|| format!("{origin} is not held here"))?;
    let newest = feeds.node_record(&place.node).context("this node has no node record")?;
    let before = NodeRecord::from_body(&Body::open(newest)?)?;
    let feed = next_name(&before, &feeds.origins())?;
    let mut subject = (*before).clone();
    subject.continues.retain(|goes_on| goes_on.of != *of);
    subject.continues.push(Continuation {
        feed: feed.clone(),
        of: of.clone(),
        size: view.size(),
        root: view.root(),
    });
    subject.feeds.push(feed.clone());
    if root.public() != before.root {
        bail!("{} is not the root key of {}", root_file.display(), place.node);
    }
    let locked = feeds.signer().public(KeyUse::Log).is_err();
    if locked && !Ring::open(&place.data, None)?.is_encrypted() {
        subject.keys = new_keys(place, &node, &before)?;
        output.say("There were no keys that may sign: new ones were made.")?;
    }
    let record = sign_node_record(&subject, &root, Some(&before))?;
    let published = feeds.begin_continuation(of, record).await?;
    output.json(&json!({"continues": origin, "size": view.size(), "feed": published.origin}))?;
    output.say(format!(
        "{origin} ends at {} entries and goes on as {}. What came after is disowned everywhere; what is below keeps its \
         identity. Publish there with --feed {feed}.",
        view.size(),
        published.origin
    ))?;
    Ok(Done::Fully)
}

/// A new online secret, in use from now on: the node record about to be published names its keys, and the
/// next start puts it in its place.
fn new_keys(place: &Place, node: &Node, before: &NodeRecord) -> anyhow::Result<Vec<NodeKey>> {
    let generation = before.keys.iter().map(|key| key.generation).max().unwrap_or(0) + 1;
    Slot::Next.write(&place.data, &Online::create(generation)?, None)?;
    let ring = Ring::open(&place.data, None)?;
    let next = ring.get(Slot::Next).context("the new secret cannot be read back")?;
    node.feeds().set_signer(ring.signer_of(next, 0, Arc::new(SystemClock), &[])?);
    next.node_keys(&place.node, &before.root)
}

/// `public-2`, `public-3`…: the first that nobody has used.
fn next_name(record: &NodeRecord, held: &[Origin]) -> anyhow::Result<FeedName> {
    for number in 2..1_000 {
        let name = FeedName::parse(&format!("public-{number}"))?;
        let used = record.feeds.contains(&name)
            || held.iter().any(|origin| origin.node() == &record.node && *origin.feed() == name);
        if !used {
            return Ok(name);
        }
    }
    bail!("this node has been continued a thousand times");
}

//! What is erased is nowhere any more after two rounds: not in any file below the directory of any node
//! that held it, packed or plain. And nothing that still has it brings it back.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents, Item};
use feed::feeds::{BodyRead, Published, Source, Withdrawal};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Quiet, Since};
use network::audience::Audience;
use peer::carrier::HttpCarrier;
use std::sync::Arc;
use tests::federation::{Federation, Node, outbound};
use tests::member::{Member, practice};
use tlog::name::{FeedName, NodeName, Origin};
use tlog::tile::TilePath;

const OWNER: &str = "owner.example";
/// Follows the owner.
const MIRROR: &str = "mirror.example";
/// Follows the owner, and asks the mirror for it.
const HUB: &str = "hub.example";
/// May read the owner's restricted feed.
const READER: &str = "reader.example";
/// A tail is sealed at 1,024 entries.
const LONG: usize = 1_024;

/// In a sealed segment, in a tail, in a restricted feed.
const MARKERS: [&str; 3] =
    ["quokka-7193-sealed", "quokka-2846-in-the-tail", "quokka-5507-reserved"];

/// The magic number of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

struct Scene {
    federation: Federation,
    public: Origin,
    restricted: Origin,
    /// The records that hold the markers.
    records: [Published; 3],
    /// Both feeds as a bundle, and the owner's facts, as they were before the erasure.
    stick: Bytes,
    backup: tempfile::TempDir,
}

/// All files below a directory.
fn files(below: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

/// The markers in a file, as it is or in any zstd frame that begins anywhere in it.
fn markers_in(bytes: &[u8]) -> BTreeSet<&'static str> {
    let has = |bytes: &[u8], marker: &str| {
        bytes.windows(marker.len()).any(|window| window == marker.as_bytes())
    };
    let of = |bytes: &[u8]| MARKERS.into_iter().filter(|marker| has(bytes, marker)).collect();
    let mut found: BTreeSet<&'static str> = of(bytes);
    let starts = bytes.windows(ZSTD.len()).enumerate().filter(|(_, window)| *window == ZSTD);
    for (start, _) in starts {
        let frame = bytes.get(start..).unwrap_or_default();
        let Ok(decoder) = zstd::stream::read::Decoder::with_buffer(frame) else {
            continue;
        };
        let mut plain = Vec::new();
        // What cannot be read to its end is read as far as it goes.
        let _ = decoder.single_frame().read_to_end(&mut plain);
        found.extend(of(&plain));
    }
    found
}

/// Where on the disk of a node which marker stands.
fn on_disk(node: &Node) -> Result<BTreeSet<(&'static str, PathBuf)>> {
    let mut found = BTreeSet::new();
    for path in files(node.data())? {
        // What is renamed or removed meanwhile is no longer there.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let below = path.strip_prefix(node.data())?.to_owned();
        found.extend(markers_in(&bytes).into_iter().map(|marker| (marker, below.clone())));
    }
    Ok(found)
}

/// The markers that stand anywhere on the disk of a node.
fn held(node: &Node) -> Result<BTreeSet<&'static str>> {
    Ok(on_disk(node)?.into_iter().map(|(marker, _)| marker).collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for path in files(from)? {
        let to = to.join(path.strip_prefix(from)?);
        std::fs::create_dir_all(to.parent().context("a root")?)?;
        std::fs::copy(&path, to)?;
    }
    Ok(())
}

async fn publish(node: &Node, feed: &FeedName, title: &str) -> Result<Published> {
    let published = node.feeds().publish(feed, vec![practice(None, title)]).await?;
    published.into_iter().next().context("nothing was published")
}

impl Scene {
    /// Everybody holds what it may hold.
    async fn new() -> Result<Self> {
        let federation = Federation::of([OWNER, MIRROR, HUB, READER]).await?;
        let node = |name: &str| federation.node(name);
        let owner = node(OWNER)?;
        let public = owner.member().origin();
        let sealed = publish(owner, &FeedName::public(), MARKERS[0]).await?;
        let many = (0..LONG).map(|number| practice(None, &format!("Practice {number}")));
        owner.feeds().publish(&FeedName::public(), many.collect()).await?;
        let tail = publish(owner, &FeedName::public(), MARKERS[1]).await?;
        let mut changed = owner.feeds().changed();
        while owner.feeds().view(&public).context("no feed")?.sealed() < LONG as u64 {
            changed.changed().await?;
        }
        let audience = Audience::Nodes(vec![NodeName::parse(READER)?]);
        let restricted = owner.feeds().begin_restricted(&audience).await?;
        let reserved = publish(owner, restricted.feed(), MARKERS[2]).await?;
        for name in [MIRROR, HUB, READER] {
            owner.follow(node(name)?).await?;
            owner.until(&node(name)?.member().origin(), 1).await?;
        }
        node(MIRROR)?.follow(node(HUB)?).await?;
        node(MIRROR)?.follow(owner).await?;
        node(READER)?.follow(owner).await?;
        node(HUB)?.follow_at(owner.member(), &node(MIRROR)?.url()).await?;
        let size = |origin| anyhow::Ok(owner.feeds().view(origin).context("no feed")?.size());
        for name in [MIRROR, HUB, READER] {
            node(name)?.sync_now(owner).await.context("not followed")?;
            node(name)?.until(&public, size(&public)?).await?;
        }
        node(READER)?.until(&restricted, size(&restricted)?).await?;
        let mut items: Vec<Item> = Vec::new();
        for origin in [&public, &restricted] {
            let mut put = |item| {
                items.push(item);
                Ok(())
            };
            owner.feeds().pack(origin, 0, &mut put).await?;
        }
        let backup = tempfile::tempdir()?;
        copy(&owner.data().join("facts"), backup.path())?;
        let (records, stick) = ([sealed, tail, reserved], bundle::write(&items).into());
        Ok(Self { federation, public, restricted, records, stick, backup })
    }

    fn node(&self, name: &str) -> Result<&Node> {
        self.federation.node(name)
    }

    /// The owner erases all three; then the others have two rounds. The withdrawals.
    async fn erase(&self) -> Result<Vec<Published>> {
        let owner = self.node(OWNER)?;
        let erasing = Withdrawal { reason: "data-protection".to_owned(), erase: true };
        let mut withdrawals = Vec::new();
        for record in &self.records {
            let feed = record.origin.feed();
            withdrawals.push(owner.feeds().withdraw(feed, &record.id, &erasing).await?);
        }
        for _ in 0..2 {
            for name in [MIRROR, HUB, READER] {
                self.node(name)?.sync_now(owner).await.context("not followed")?;
            }
        }
        Ok(withdrawals)
    }

    /// Nothing is left on any disk, and every copy says why.
    async fn is_gone(&self, from: &[&str]) -> Result<()> {
        for name in from {
            let node = self.node(name)?;
            let found = on_disk(node)?;
            ensure!(found.is_empty(), "{name} still has {found:?}");
            for record in &self.records {
                if node.feeds().view(&record.origin).is_none() {
                    ensure!(record.origin == self.restricted && *name != OWNER && *name != READER);
                    continue;
                }
                let body = node.feeds().entry(&record.origin, record.index).await?.body;
                ensure!(matches!(body, BodyRead::Erased { .. }), "{name}: {body:?}");
            }
        }
        Ok(())
    }
}

const ALL: [&str; 4] = [OWNER, MIRROR, HUB, READER];

#[tokio::test]
async fn after_two_rounds_no_file_of_any_node_holds_what_was_erased_and_receipts_say_so()
-> Result<()> {
    let scene = Scene::new().await?;
    // What is looked for would be found.
    assert_eq!(held(scene.node(OWNER)?)?, BTreeSet::from(MARKERS));
    assert_eq!(held(scene.node(READER)?)?, BTreeSet::from(MARKERS));
    for name in [MIRROR, HUB] {
        assert_eq!(held(scene.node(name)?)?, BTreeSet::from([MARKERS[0], MARKERS[1]]), "{name}");
    }
    let withdrawals = scene.erase().await?;
    scene.is_gone(&ALL).await?;
    let node = |name: &str| NodeName::parse(name);
    let owner = scene.node(OWNER)?.feeds();
    for withdrawal in &withdrawals {
        let delivery = owner.delivery(&withdrawal.origin, withdrawal.index);
        assert_eq!(delivery.waiting, [], "of {}", withdrawal.origin);
        let expected = match withdrawal.origin == scene.public {
            true => vec![node(MIRROR)?, node(READER)?],
            false => vec![node(READER)?],
        };
        assert_eq!(delivery.received, expected, "of {}", withdrawal.origin);
    }
    // The hub gives its receipt to whom it asked.
    let size = owner.view(&scene.public).context("no feed")?.size();
    let receipts = scene.node(MIRROR)?.feeds().receipts(&scene.public);
    let (hub, told) = (node(HUB)?, |hub: &NodeName| {
        receipts.iter().any(|one| one.receiver() == Some(hub) && one.size == size)
    });
    assert!(told(&hub), "{receipts:?}");
    Ok(())
}

#[tokio::test]
async fn who_still_has_an_erased_body_brings_it_back_to_nobody() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.erase().await?;
    let stick = scene.stick.clone();
    let contents = Contents::of(&*stick)?;
    let owner = scene.node(OWNER)?.member().clone();
    let stale = BundleCarrier::new("an old stick", owner.name().clone(), &contents, &stick);
    // Imported, and mixed with the truth by a mirror that never erased.
    for name in [MIRROR, HUB, READER] {
        let node = scene.node(name)?;
        let size = node.feeds().view(&scene.public).context("no copy")?.size();
        for origin in [&scene.public, &scene.restricted] {
            // Whoever was never shown the restricted feed cannot know; the newcomer below is such a one.
            if node.feeds().view(origin).is_some() {
                let imported = node.feeds().sync_feed(&stale, origin, None, &Quiet).await;
                ensure!(imported.is_err(), "{name} took {origin} as it was");
            }
        }
        let url = scene.node(OWNER)?.url();
        let mixed = Mixed { true_one: HttpCarrier::new(&outbound()?, &[url])?, stale: &stale };
        node.feeds().sync_feed(&mixed, &scene.public, None, &Quiet).await?;
        ensure!(node.feeds().view(&scene.public).context("no copy")?.size() == size);
    }
    scene.is_gone(&ALL).await?;
    // Healed from such a mirror: a segment that held it, and was damaged since.
    damage_segments(&mut scene, HUB).await?;
    let hub = scene.node(HUB)?;
    let lost = hub.feeds().entry(&scene.public, scene.records[0].index).await;
    ensure!(lost.is_err(), "nothing was damaged");
    let url = scene.node(OWNER)?.url();
    let mixed = Mixed { true_one: HttpCarrier::new(&outbound()?, &[url])?, stale: &stale };
    hub.feeds().sync_feed(&mixed, &scene.public, None, &Quiet).await?;
    scene.is_gone(&ALL).await?;
    // A newcomer that was handed an old stick has it until it hears of the withdrawal.
    scene.federation.add(Member::of("newcomer.example")?).await?;
    let newcomer = scene.node("newcomer.example")?;
    newcomer.pin(&owner).await?;
    newcomer.feeds().sync_feed(&stale, &scene.public, None, &Quiet).await?;
    ensure!(held(newcomer)?.len() == 2);
    newcomer.sync(&owner, &scene.node(HUB)?.url()).await?;
    scene.is_gone(&["newcomer.example"]).await
}

#[tokio::test]
async fn a_restored_owner_erases_again_before_it_goes_on() -> Result<()> {
    let mut scene = Scene::new().await?;
    scene.erase().await?;
    let backup = scene.backup.path().to_owned();
    let from_backup = move |data: &Path| {
        std::fs::remove_dir_all(data.join("facts"))?;
        std::fs::remove_dir_all(data.join("catalog"))?;
        copy(&backup, &data.join("facts"))
    };
    scene.federation.restart(OWNER, from_backup).await?;
    let owner = scene.node(OWNER)?;
    ensure!(held(owner)? == BTreeSet::from(MARKERS), "the backup lacks something");
    for (origin, name) in [(&scene.public, MIRROR), (&scene.restricted, READER)] {
        let url = scene.node(name)?.url();
        let signs = Some(Arc::clone(owner.feeds()) as _);
        let carrier = HttpCarrier::new(&outbound()?, &[url])?.signed_by(signs);
        let sources = [Source { node: Some(NodeName::parse(name)?), carrier: &carrier }];
        owner.feeds().restore_feed(origin, None, &sources, &Quiet).await?;
    }
    scene.is_gone(&ALL).await
}

/// Cuts the sealed segments of a node's copy to half of what they were, while it is stopped.
async fn damage_segments(scene: &mut Scene, name: &str) -> Result<()> {
    let cut = |data: &Path| {
        let of_owner = data.join("facts").join(OWNER).join("public/segment");
        for path in files(&of_owner)? {
            let mut bytes = std::fs::read(&path)?;
            bytes.truncate(bytes.len() / 2);
            std::fs::write(&path, bytes)?;
        }
        Ok(())
    };
    scene.federation.restart(name, cut).await
}

/// Says what is so of a feed, and brings segments, commits and bodies from before the erasure.
struct Mixed<'a> {
    true_one: HttpCarrier,
    stale: &'a BundleCarrier<'a>,
}

#[async_trait]
impl Carrier for Mixed<'_> {
    fn describe(&self) -> String {
        "a mirror that never erased".to_owned()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        self.true_one.node_record().await
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.true_one.checkpoint(origin).await
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        self.true_one.since(origin, size, wait).await
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        self.true_one.tile(origin, tile).await
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.stale.segment(origin, number).await
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        self.stale.body(origin, index).await
    }
}

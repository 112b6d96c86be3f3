//! A revocation reaches every node that can be reached within one round, however it gets the feed, and
//! then nobody believes the stolen keys any more.

use anyhow::{Context as _, Result, ensure};
use feed::feeds::{RefusedCosignature, SyncError};
use feed::ports::KeyUse;
use std::sync::Arc;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::forge::Forge;
use tests::member::Member;
use tlog::cosignature;
use tlog::key::VerifierKey;
use tlog::name::KeyName;

const OWNER: &str = "owner.example";
/// Nodes that ask the owner itself, and as many that ask one of those.
const NEAR: usize = 8;
const FAR: usize = 6;

/// The nodes, and the URL of whom each asks.
struct Scene {
    federation: Federation,
    asks: Vec<(String, String)>,
    /// One that asks the owner and is cut off while the owner revokes.
    cut_off: String,
}

impl Scene {
    /// All of them hold the owner's feed.
    async fn new() -> Result<Self> {
        let mut federation = Federation::of([OWNER]).await?;
        federation.node(OWNER)?.publish("Before the theft").await?;
        let mut asks = Vec::new();
        for number in 0..=NEAR + FAR {
            let name = format!("node-{number}.example");
            let carrier = match number {
                number if number > NEAR => format!("node-{}.example", number - NEAR),
                _ => OWNER.to_owned(),
            };
            federation.add(Member::of(&name)?).await?.rest().await;
            asks.push((name, federation.node(&carrier)?.url()));
        }
        let owner = federation.node(OWNER)?;
        for (name, url) in &asks {
            let node = federation.node(name)?;
            node.pin(owner.member()).await?;
            node.sync(owner.member(), url).await?;
        }
        let (cut_off, _) = asks.remove(0);
        Ok(Self { federation, asks, cut_off })
    }

    fn owner(&self) -> Result<&Node> {
        self.federation.node(OWNER)
    }

    fn nodes(&self) -> Result<Vec<&Node>> {
        self.asks.iter().map(|(name, _)| self.federation.node(name)).collect()
    }

    /// The owner's root revokes all online keys from this size on, and lists new ones.
    async fn revoke(&self, size: u64) -> Result<()> {
        let owner = self.owner()?;
        let signer = owner.member().second_secret().signer(2)?;
        owner.feeds().set_signer(Arc::new(signer));
        let record = owner.member().after_theft(&[owner.url()], size)?;
        let published = owner.feeds().publish_node_record(record).await?;
        ensure!(published.len() == 1, "in {} feeds", published.len());
        Ok(())
    }

    /// One round of every node that can be reached, each once.
    async fn round(&self) -> Result<()> {
        for (name, url) in &self.asks {
            let node = self.federation.node(name)?;
            node.sync(self.owner()?.member(), url).await.with_context(|| name.clone())?;
        }
        Ok(())
    }
}

/// Whether the node takes a request signed by the stolen key for one of the owner.
fn believes_requests(node: &Node, owner: &Member) -> Result<bool> {
    let key = owner.secret().key(KeyUse::Http, 1)?.public();
    Ok(node.feeds().node_of_http_key(&key).is_some())
}

/// Whether the node counts a receipt that the stolen key signs for its own feed.
async fn believes_receipts(node: &Node, owner: &Member) -> Result<bool> {
    let key = owner.secret().key(KeyUse::Receipt, 1)?;
    let vkey = VerifierKey::cosignature(KeyName::receipt_of(owner.name()), key.public());
    let origin = node.member().origin();
    let note = node.feeds().checkpoint(&origin).await?;
    let mut note = tlog::checkpoint::SignedCheckpoint::parse(&note)?.note;
    note.signatures.truncate(1);
    let line = cosignature::cosign(&note.text, BEGINNING, &vkey, &|message| key.sign(message))?;
    note.signatures.push(line);
    match node.feeds().accept_cosignature(&origin, &note.to_bytes()).await {
        Ok(()) | Err(RefusedCosignature::NotNewer { .. }) => Ok(true),
        Err(RefusedCosignature::UnknownKey { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn every_node_that_can_be_reached_refuses_the_stolen_keys_after_one_round() -> Result<()> {
    let scene = Scene::new().await?;
    let owner = scene.owner()?.member().clone();
    let origin = owner.origin();
    let size = scene.owner()?.feeds().view(&origin).context("no feed")?.size();
    // What the thief signs on top of the feed as it was, and, once it is revoked, of what it has become.
    let mut earlier = Forge::copy_of(&owner, scene.owner()?.feeds()).await?;
    earlier.record("Signed by the thief")?;
    for node in scene.nodes()? {
        ensure!(believes_requests(node, &owner)? && believes_receipts(node, &owner).await?);
    }
    scene.revoke(size).await?;
    scene.round().await?;
    let mut later = Forge::copy_of(&owner, scene.owner()?.feeds()).await?;
    later.record("Signed by the thief")?;
    let mut longer = earlier.clone();
    longer.record("And once more")?;
    let held = scene.owner()?.feeds().view(&origin).context("no feed")?;
    let mut refused = 0;
    for node in scene.nodes()? {
        let name = node.member().name();
        ensure!(!believes_requests(node, &owner)?, "{name} takes a thief's requests");
        ensure!(!believes_receipts(node, &owner).await?, "{name} counts a thief's receipts");
        for thief in [&earlier, &longer, &later] {
            for from in [0, usize::try_from(size)?, usize::try_from(held.size())?] {
                let carrier = thief.carrier_of(from, thief.note()?)?;
                let answer = node.sync_by(&owner, &carrier).await;
                let error = answer.err().with_context(|| format!("{name} believes the thief"))?;
                let blames = matches!(error, SyncError::Fork { .. });
                ensure!(!blames, "{name} blames the owner: {error}");
                refused += 1;
            }
        }
        let view = node.feeds().view(&origin).context("forgotten")?;
        ensure!(view.size() == held.size() && view.root() == held.root(), "{name} was moved");
        ensure!(node.feeds().faults().is_empty(), "{name} keeps evidence against the owner");
    }
    assert_eq!(refused, 9 * scene.nodes()?.len());
    assert!(scene.nodes()?.len() >= 12);
    // The owner goes on with its new keys, and everybody with it.
    scene.owner()?.publish("After the theft").await?;
    scene.round().await?;
    for node in scene.nodes()? {
        assert_eq!(node.feeds().view(&origin).context("forgotten")?.size(), held.size() + 1);
    }
    Ok(())
}

#[tokio::test]
async fn who_was_cut_off_refuses_the_stolen_keys_after_its_first_round() -> Result<()> {
    let scene = Scene::new().await?;
    let owner = scene.owner()?.member().clone();
    let size = scene.owner()?.feeds().view(&owner.origin()).context("no feed")?.size();
    let mut thief = Forge::copy_of(&owner, scene.owner()?.feeds()).await?;
    thief.record("Signed by the thief")?;
    scene.revoke(size).await?;
    scene.round().await?;
    // It cannot know, and believes the thief, whose history is not the owner's.
    let node = scene.federation.node(&scene.cut_off)?;
    let carrier = thief.carrier_of(usize::try_from(size)?, thief.note()?)?;
    node.sync_by(&owner, &carrier).await?;
    ensure!(believes_requests(node, &owner)?);
    // The first word of the owner ends that, although its feed goes on from another history.
    drop(node.sync(&owner, &scene.owner()?.url()).await);
    ensure!(!believes_requests(node, &owner)?, "it takes a thief's requests");
    ensure!(!believes_receipts(node, &owner).await?, "it counts a thief's receipts");
    thief.record("And once more")?;
    let carrier = thief.carrier_of(usize::try_from(size)? + 1, thief.note()?)?;
    ensure!(node.sync_by(&owner, &carrier).await.is_err(), "it believes the thief again");
    Ok(())
}

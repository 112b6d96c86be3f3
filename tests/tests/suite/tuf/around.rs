//! The owner as it was and as it is, three who lie about it, and what must be true of whoever was lied
//! to: nothing is shown, kept or counted that its owner did not sign.

use std::collections::{BTreeMap, BTreeSet};

use ::network::audience::Audience;
use ::network::file::NetworkFile;
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents};
use feed::cosignatures::Cosignatures;
use feed::feeds::BodyRead;
use feed::ports::Quiet;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::forge::Forge;
use tests::member::{Member, practice};
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::{KeyName, NodeName, Origin};

use super::told::{self, CROOK, Object, Told, VICTIM};
use super::{Attack, OTHER, OWNER};

/// Receives the owner's feed, and says so.
const FRIEND: &str = "friend.example";
/// The same for the thief.
const ACCOMPLICE: &str = "accomplice.example";

/// What the liar has in its hands.
pub(crate) struct Loot {
    pub(crate) before: Told,
    pub(crate) now: Told,
    pub(crate) impostor: Told,
    pub(crate) other: Told,
    pub(crate) thief: Told,
}

/// Who takes part, by what the network says of it.
type Participants = BTreeSet<(NodeName, PublicKey)>;

pub(crate) struct World {
    pub(crate) federation: Federation,
    pub(crate) loot: Loot,
    pub(crate) restricted: Origin,
    pub(crate) crook: Forge,
    /// The node record of the thief's server, which the owner's root signed in this test: a thief who has
    /// the root as well is another matter (`docs/losses.md`).
    beside: Bytes,
    roots: BTreeMap<u64, Hash>,
    participants: Participants,
}

async fn story(
    federation: &mut Federation,
    member: Member,
    friend: &str,
    asking: Bytes,
) -> Result<Told> {
    federation.add(member).await?.rest().await;
    federation.add(Member::of(friend)?).await?.rest().await;
    let [.., node, friend] = federation.nodes() else { anyhow::bail!("nobody") };
    told::begin(node, friend).await?;
    told::go_on(node, friend).await?;
    told::all(node, friend, asking).await
}

fn participants(node: &Node, network: &Origin) -> Participants {
    let network = node.feeds().network(network);
    let all = network.iter().flat_map(|network| network.participants());
    all.map(|one| (one.node.clone(), one.root)).collect()
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let mut federation = Federation::of([OWNER, FRIEND, VICTIM]).await?;
        for node in federation.nodes() {
            node.rest().await;
        }
        let member = Member::of(OWNER)?;
        let (origin, asked) = (member.origin(), Member::of(VICTIM)?.origin());
        let mut roots = BTreeMap::new();
        let (owner, friend) = (federation.node(OWNER)?, federation.node(FRIEND)?);
        // Whoever has the victim's keys may read the restricted feed.
        let victim = federation.node(VICTIM)?;
        owner.pin(victim.member()).await?;
        owner.sync(victim.member(), &victim.url()).await?;
        told::begin(owner, friend).await?;
        let audience = Audience::Nodes(vec![NodeName::parse(VICTIM)?]);
        let restricted = owner.feeds().begin_restricted(&audience).await?;
        owner.feeds().publish(restricted.feed(), vec![practice(None, "Reserved")]).await?;
        let view = owner.feeds().view(&origin).context("no feed")?;
        roots.insert(view.size(), view.root());
        let urls = [owner.url()];
        let before = told::all(owner, friend, member.taking_part(&urls, &asked)?).await?;
        told::go_on(owner, friend).await?;
        let view = owner.feeds().view(&origin).context("no feed")?;
        roots.insert(view.size(), view.root());
        let mut now = told::all(owner, friend, member.taking_part_still(&urls, &asked)?).await?;
        let participants = participants(owner, &origin);
        let impostor = Member::impostor_of(OWNER)?;
        let asking = impostor.taking_part(&urls, &asked)?;
        let mut impostor_s = story(&mut federation, impostor.clone(), FRIEND, asking).await?;
        let other = Member::of(OTHER)?;
        let asking = other.taking_part(&urls, &asked)?;
        let mut other_s = story(&mut federation, other.clone(), FRIEND, asking).await?;
        let by_thief = member.node_record_by_a_thief(&urls, &asked)?;
        let mut thief = story(&mut federation, member.clone(), ACCOMPLICE, by_thief).await?;
        let of_own = member.node_record_by_a_thief(&urls, &origin)?;
        let beside = thief.insert(Object::NodeRecord, of_own).context("no node record")?;
        let crook = Member::of(CROOK)?;
        let (history, evidence) = told::two_histories(&crook, &crook.origin())?;
        now.insert(Object::Fault, evidence);
        impostor_s.insert(Object::Fault, told::two_histories(&impostor, &origin)?.1);
        other_s.insert(Object::Fault, told::two_histories(&crook, &origin)?.1);
        thief.insert(Object::Fault, told::two_histories(&member, &origin)?.1);
        let loot = Loot { before, now, impostor: impostor_s, other: other_s, thief };
        Ok(Self { federation, loot, restricted, crook: history, beside, roots, participants })
    }

    pub(crate) fn owner(&self) -> Result<&Node> {
        self.federation.node(OWNER)
    }

    pub(crate) fn origin(&self) -> Result<Origin> {
        Ok(Member::of(OWNER)?.origin())
    }

    /// The greatest size that the owner signed.
    pub(crate) fn newest(&self) -> u64 {
        self.roots.keys().max().copied().unwrap_or_default()
    }

    /// A follower who knows the owner's root, and those who say that they received its feed.
    pub(crate) async fn victim(&self) -> Result<Federation> {
        let federation = Federation::of([VICTIM]).await?;
        let victim = federation.node(VICTIM)?;
        victim.rest().await;
        victim.pin(self.owner()?.member()).await?;
        for name in [FRIEND, ACCOMPLICE] {
            let friend = self.federation.node(name)?;
            victim.pin(friend.member()).await?;
            victim.sync(friend.member(), &friend.url()).await?;
        }
        Ok(federation)
    }

    /// The victim pins the network of the owner, whose fingerprint it compared.
    pub(crate) async fn pin_network(&self, victim: &Node) -> Result<()> {
        let file = self.loot.now.get(&Object::NetworkFile).context("no file")?;
        Ok(victim.feeds().pin_network(NetworkFile::parse(file)?).await?)
    }

    /// The victim takes the owner's feed from a stick, as it was or as it is.
    pub(crate) async fn bring(&self, victim: &Node, told: &Told) -> Result<()> {
        let stick = told.get(&Object::Bundle).context("no bundle")?;
        let contents = Contents::of(&**stick)?;
        let node = NodeName::parse(OWNER)?;
        let carrier = BundleCarrier::new("a stick", node, &contents, stick);
        victim.feeds().sync_feed(&carrier, &self.origin()?, None, &Quiet).await?;
        Ok(())
    }

    /// Nothing is shown, kept or counted here that its owner did not sign. Whether a fork of the owner's
    /// feed is known here, for which only the thief can be the reason.
    pub(crate) async fn is_true(&self, victim: &Node, attack: Attack) -> Result<bool> {
        let origin = self.origin()?;
        let feeds = victim.feeds();
        for held in feeds.origins().into_iter().filter(|held| held.node() == origin.node()) {
            self.is_held_truly(victim, &held).await?;
        }
        if let Some(pin) = feeds.pin(origin.node()) {
            ensure!(pin.root == Member::of(OWNER)?.root()?.public(), "another root");
        }
        if let Some(record) = feeds.node_record(origin.node()) {
            ensure!(self.node_records()?.contains(&record), "another node record");
        }
        self.is_counted_truly(victim)?;
        let mut known = participants(victim, &origin);
        known.extend(participants(victim, &victim.member().origin()));
        for (node, root) in known {
            let member = Member::of(node.as_str())?;
            ensure!(root == member.root()?.public(), "`{node}` takes part with another root");
        }
        if let Some(signed) = feeds.store().witnessed(&Hash::of(origin.as_str())).await? {
            for line in Cosignatures::decode(&signed)?.lines() {
                let true_one = self.roots.get(&line.size()) == Some(&line.checkpoint().root);
                ensure!(true_one, "cosigned what the owner never signed");
            }
        }
        let mut forked = false;
        for known in feeds.faults() {
            ensure!(known.fault.cosigner.is_none(), "a cosigner was accused");
            let member = Member::of(known.fault.origin.node().as_str())?;
            known.fault.verify(member.root()?.public())?;
            if known.fault.origin == origin {
                ensure!(attack == Attack::KeyCompromise, "an honest owner was accused");
                forked = true;
            } else {
                // The owner knows the victim of another cell, which has the same keys at another address.
                let forked = [Member::of(CROOK)?.origin(), victim.member().origin()];
                ensure!(forked.contains(&known.fault.origin), "an honest node was accused");
            }
        }
        Ok(forked)
    }

    /// What the owner's root signed.
    fn node_records(&self) -> Result<Vec<Bytes>> {
        let mut records = vec![self.beside.clone()];
        for told in [&self.loot.before, &self.loot.now] {
            records.extend(told.get(&Object::NodeRecord).cloned());
            let request = told.get(&Object::JoinRequest).context("no request")?;
            records.extend(bundle::read(request)?.into_iter().map(|item| item.bytes));
        }
        Ok(records)
    }

    /// A copy of a feed of the owner is what the owner signed, at a size it signed.
    async fn is_held_truly(&self, victim: &Node, origin: &Origin) -> Result<()> {
        let (copy, owner) = (victim.feeds(), self.owner()?.feeds());
        let held = copy.view(origin).context("not held")?;
        let truth = owner.view(origin).with_context(|| format!("there is no `{origin}`"))?;
        let root = match *origin == self.restricted {
            true => (held.size() == truth.size()).then_some(truth.root()),
            false => self.roots.get(&held.size()).copied(),
        };
        ensure!(root == Some(held.root()), "`{origin}` of {} entries", held.size());
        for index in 0..held.size() {
            let (one, true_one) =
                (copy.entry(origin, index).await?, owner.entry(origin, index).await?);
            ensure!(one.entry == true_one.entry, "entry {index} was changed");
            let same = one.body == true_one.body || one.body == BodyRead::Missing;
            ensure!(same, "the body of entry {index} was changed");
        }
        Ok(())
    }

    /// Receipts are those that the friend and the victim itself gave.
    fn is_counted_truly(&self, victim: &Node) -> Result<()> {
        let names = [FRIEND, VICTIM].map(NodeName::parse);
        let names: BTreeSet<KeyName> =
            names.into_iter().map(|name| Ok(KeyName::receipt_of(&name?))).collect::<Result<_>>()?;
        let witness = KeyName::witness_of(&NodeName::parse(VICTIM)?);
        for receipt in victim.feeds().receipts(&self.origin()?).iter() {
            let known = names.contains(&receipt.cosigner) || receipt.cosigner == witness;
            ensure!(known, "a receipt of {}", receipt.cosigner);
            let said = self.roots.contains_key(&receipt.size) && receipt.time == BEGINNING;
            ensure!(said, "a receipt that was never given: {receipt:?}");
        }
        Ok(())
    }

    /// The truth arrived: the newest state, all participants, the friend's receipt.
    pub(crate) async fn has_arrived(&self, victim: &Node) -> Result<()> {
        let origin = self.origin()?;
        let view = victim.feeds().view(&origin).context("nothing is held")?;
        ensure!(view.size() == self.newest(), "stopped at {}", view.size());
        ensure!(view.missing.is_empty(), "entries stay without bodies");
        if victim.feeds().network_file(&origin).is_some() {
            let here = participants(victim, &origin);
            ensure!(here == self.participants, "participants: {here:?}");
        }
        let friend = KeyName::receipt_of(&NodeName::parse(FRIEND)?);
        let receipts = victim.feeds().receipts(&origin);
        let received =
            receipts.iter().any(|one| one.cosigner == friend && one.size == self.newest());
        ensure!(received, "the friend's receipt is not known: {receipts:?}");
        Ok(())
    }
}

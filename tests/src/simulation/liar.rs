//! Nodes that lie: with their own good signatures, with false ones, and about others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use feed::feeds::{Feeds, Heard, Parts};
use feed::ports::{Carrier as _, Since};
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::hash::Hash;
use tlog::name::{FeedName, Origin};

use super::Sabotage;
use super::actor::{Actor, WorldClock};
use super::ledger::Scribe;
use super::road::{self, Question, Reply};
use super::world::World;
use crate::chance::TestChance;
use crate::forge::Forge;
use crate::member::{Member, practice};

/// False lines in one list of heads: a flood is longer than what anybody looks into.
const FLOOD_HEADS: usize = 300;
/// Bytes of an answer that is none.
const GARBAGE_BYTES: usize = 1 << 16;
/// Records at once in a flood.
const FLOOD_RECORDS: u64 = 12;

/// How a node lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// Its checkpoints are signed by another key from some time on, and it invents states of others.
    Forged,
    /// It tells its followers a history, and later another.
    Rewritten,
    /// It tells some followers one history and some another.
    Equivocating,
    /// It cuts its answers short.
    Truncated,
    /// It repeats old answers.
    Replayed,
    /// It tells some followers no news.
    Frozen,
    /// It signs records that are none.
    Poison,
    /// It claims and sends more than anybody can use.
    Flood,
}

impl Lie {
    pub(super) const ALL: [Self; 8] = [
        Self::Equivocating,
        Self::Forged,
        Self::Rewritten,
        Self::Poison,
        Self::Truncated,
        Self::Flood,
        Self::Replayed,
        Self::Frozen,
    ];

    /// Whether it signs two histories.
    pub(super) fn forks(self) -> bool {
        matches!(self, Self::Rewritten | Self::Equivocating)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Forged => "lies: forged",
            Self::Rewritten => "lies: rewritten",
            Self::Equivocating => "lies: another history",
            Self::Truncated => "lies: truncated",
            Self::Replayed => "lies: replayed",
            Self::Frozen => "lies: frozen",
            Self::Poison => "lies: poison records",
            Self::Flood => "lies: floods",
        }
    }
}

/// What a liar has to show.
pub(super) struct Faces {
    lie: Lie,
    faces: Vec<(Arc<Feeds>, Arc<MemoryStore>)>,
    /// Another node's feed as it would have it.
    invented: (Origin, Arc<Feeds>),
    forge: Mutex<Forge>,
    old: Mutex<BTreeMap<String, Reply>>,
    /// Face, size and root.
    states: Mutex<BTreeSet<(usize, u64, Hash)>>,
    /// From this millisecond on it lies.
    from_ms: u64,
}

impl Faces {
    pub(super) async fn set_up(world: &Arc<World>, liar: &Actor, lie: Lie) -> Result<Self> {
        let mut faces = Vec::new();
        for face in 0..2 {
            let another = face == 1 && lie == Lie::Forged;
            let member = match another {
                true => Member::impostor_of(liar.member.name().as_str())?,
                false => liar.member.clone(),
            };
            let store = Arc::new(MemoryStore::new());
            let opened = open(world, &member, &store, format!("face {face}"), !another).await?;
            opened.begin(&FeedName::public(), member.node_record(&[])?).await?;
            faces.push((opened, store));
        }
        let victim = world.honest().next().context("nobody is honest")?;
        let member = match world.plan.sabotage {
            Some(Sabotage::WorthlessSignatures) => victim.member.clone(),
            _ => Member::impostor_of(victim.member.name().as_str())?,
        };
        let store = Arc::new(MemoryStore::new());
        let invented = open(world, &member, &store, format!("by {}", liar.index), false).await?;
        invented.begin(&FeedName::public(), member.node_record(&[])?).await?;
        let forge = Forge::begin(&liar.member)?;
        world.ledger.sign(liar.origin.as_str(), forge.size(), forge.root()?);
        let from_ms = world.below(world.plan.minutes * 60_000 / 2) + 60_000;
        let (forge, invented) = (Mutex::new(forge), (victim.origin.clone(), invented));
        let (old, states) = (Mutex::default(), Mutex::default());
        let faces = Self { lie, faces, invented, forge, old, states, from_ms };
        faces.note_states();
        Ok(faces)
    }

    pub(super) async fn answer(
        &self,
        world: &World,
        from: usize,
        origin: &Origin,
        question: &Question,
    ) -> Option<Reply> {
        let lying = world.now_ms() >= self.from_ms;
        if lying && *origin == self.invented.0 {
            world.count("lies: about another's feed");
            return road::answer(&self.invented.1, origin, question).await;
        }
        if self.lie == Lie::Poison {
            return self.poison(origin, question).await;
        }
        let other = match self.lie {
            Lie::Equivocating | Lie::Frozen => from % 2 == 1,
            Lie::Forged | Lie::Rewritten => lying,
            _ => false,
        };
        let (face, _) = self.faces.get(usize::from(other))?;
        let reply = road::answer(face, origin, question).await?;
        if other {
            world.count(self.lie.word());
        }
        Some(if lying { self.changed(world, question, reply) } else { reply })
    }

    /// Publishes what it wants to be seen, for ever.
    pub(super) async fn live(&self, world: &Arc<World>, liar: &Actor) -> Result<()> {
        for number in 0_u64.. {
            world.pass(30_000 + world.below(150_000)).await;
            if world.is_healed() {
                return Ok(());
            }
            let lying = world.now_ms() >= self.from_ms;
            let flood = self.lie == Lie::Flood && lying;
            let many = if flood { FLOOD_RECORDS } else { 1 };
            for (at, (face, _)) in self.faces.iter().enumerate() {
                if at == 1 && !matches!(self.lie, Lie::Equivocating | Lie::Rewritten | Lie::Forged)
                {
                    continue;
                }
                let titles = (0..many).map(|one| format!("Face {at}, record {number}.{one}"));
                let all = titles.map(|title| practice(None, &title)).collect();
                face.publish(&FeedName::public(), all).await?;
            }
            if self.lie == Lie::Rewritten
                && !lying
                && let Some((ahead, _)) = self.faces.get(1)
            {
                // The later history is the longer one: else it is only an older copy.
                let more = vec![practice(None, &format!("Instead {number}"))];
                ahead.publish(&FeedName::public(), more).await?;
            }
            let invented = vec![practice(None, &format!("Invented {number}"))];
            self.invented.1.publish(&FeedName::public(), invented).await?;
            self.forge_on(world, liar, number)?;
            self.note_states();
            world.news(&liar.origin);
        }
        Ok(())
    }

    /// The number of entries that an honest follower of a poisoner comes to hold.
    pub(super) fn forged_size(&self) -> Option<u64> {
        (self.lie == Lie::Poison).then(|| self.forge().size())
    }

    /// Which of its histories a state belongs to, by number; what both begin with belongs to none.
    pub(super) fn of(&self, size: u64, root: Hash) -> Option<usize> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faces = (0..2).filter(|face| states.contains(&(*face, size, root)));
        faces.next().filter(|_| faces.next().is_none())
    }

    /// Notes which states each history had.
    fn note_states(&self) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, (face, _)) in self.faces.iter().enumerate() {
            for view in face.own().iter().filter_map(|origin| face.view(origin)) {
                states.insert((at, view.size(), view.root()));
            }
        }
    }

    fn forge_on(&self, world: &World, liar: &Actor, number: u64) -> Result<()> {
        if self.lie != Lie::Poison {
            return Ok(());
        }
        let mut forge = self.forge();
        match number % 5 {
            0 => drop(forge.body("null")?),
            1 => drop(forge.body(&b"\xff\xfe"[..])?),
            2 => drop(forge.entry("")),
            3 => drop(forge.body(format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)))?),
            _ => drop(forge.entry(r#"{"op":"publish","v":2}"#)),
        }
        forge.record(&format!("Between poison {number}"))?;
        world.count_many("lies: poison records", 1);
        world.ledger.sign(liar.origin.as_str(), forge.size(), forge.root()?);
        Ok(())
    }

    async fn poison(&self, origin: &Origin, question: &Question) -> Option<Reply> {
        let forge = self.forge().clone();
        let note = forge.note().ok()?;
        let first = match question {
            Question::Since(size, _) if *size == forge.size() => {
                return Some(Reply::Since(Since::Nothing));
            }
            Question::Since(size, _) if *size > forge.size() => return None,
            Question::Since(size, _) => usize::try_from(*size).ok()?,
            _ => 0,
        };
        let script = forge.carrier_of(first, note).ok()?;
        let bytes = match question {
            Question::NodeRecord => script.node_record,
            Question::Checkpoint => script.checkpoint,
            Question::Since(..) => return Some(Reply::Since(script.since)),
            Question::Tile(tile) => script.tile(origin, tile).await.ok()?,
            _ => return None,
        };
        Some(Reply::Bytes(bytes))
    }

    fn changed(&self, world: &World, question: &Question, reply: Reply) -> Reply {
        if let Reply::Heads(heads) = reply {
            return Reply::Heads(self.false_heads(world, heads));
        }
        let half = world.once_in(2);
        match self.lie {
            Lie::Truncated if half => {
                world.count(self.lie.word());
                let part = world.below(1_000);
                reply.map(|bytes| {
                    let keep = bytes.len() as u64 * part / 1_000;
                    bytes.slice(..usize::try_from(keep).unwrap_or(0))
                })
            }
            Lie::Replayed => {
                let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
                let first = old.entry(question.word()).or_insert_with(|| reply.clone()).clone();
                if !half {
                    return reply;
                }
                world.count(self.lie.word());
                first
            }
            Lie::Flood if half => {
                world.count(self.lie.word());
                let letter = u8::try_from(world.below(256)).unwrap_or(0);
                reply.map(|_| Bytes::from(vec![letter; GARBAGE_BYTES]))
            }
            _ => reply,
        }
    }

    /// Claims about feeds of others that nobody made.
    fn false_heads(&self, world: &World, mut heads: Vec<Heard>) -> Vec<Heard> {
        let many = match self.lie {
            Lie::Flood => FLOOD_HEADS,
            Lie::Forged => 8,
            _ => return heads,
        };
        let mut invented = Vec::new();
        for number in 0..many {
            let Some(actor) = world.actor(world.pick(world.actors.len())) else { continue };
            let root = Hash::of(format!("{number} {}", world.now_ms()));
            let size = 1 + world.below(40);
            let evidence = world.once_in(4).then(|| Hash::of(format!("evidence {number}")));
            invented.push(Heard { origin: actor.origin.clone(), size, root, evidence });
        }
        let (victim, feeds) = &self.invented;
        if let Some(view) = feeds.view(victim) {
            let (size, root) = (view.size(), view.root());
            invented.push(Heard { origin: victim.clone(), size, root, evidence: None });
        }
        world.count_many("lies: false heads", invented.len() as u64);
        // The false ones first, so that the true ones come late.
        invented.append(&mut heads);
        invented
    }

    fn forge(&self) -> std::sync::MutexGuard<'_, Forge> {
        self.forge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(
    world: &Arc<World>,
    member: &Member,
    store: &Arc<MemoryStore>,
    salt: String,
    noted: bool,
) -> Result<Arc<Feeds>> {
    let keys = member.secret().signer(1)?;
    let ledger = Arc::clone(&world.ledger);
    let seed = format!("{} {} {salt}", world.plan.seed, member.name());
    let clock = Arc::new(WorldClock::of(world));
    let parts = Parts {
        node: member.name().clone(),
        store: store.clone(),
        catalog: Arc::new(MemoryCatalog::with_clock(clock.clone())),
        signer: if noted { Arc::new(Scribe { keys, ledger }) } else { Arc::new(keys) },
        clock,
        random: Arc::new(TestChance::new(seed)),
    };
    Ok(Feeds::open(parts).await?)
}

//! One node: its lives, what it does by itself, what it answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use anyhow::{Context as _, Result};
use feed::feeds::{Feeds, Parts, Pin, Withdrawal};
use feed::ports::Clock;
use peer::follower::Follower;
use peer::settings::PeerSettings;
use peer::turns::Turns;
use practice::id::RecordId;
use store::memory::{Fault, Faults, MemoryCatalog, MemoryStore};
use tlog::name::{FeedName, Origin};
use tokio::task::AbortHandle;

use super::audit;
use super::disk::Disk;
use super::ledger::Scribe;
use super::liar::{Faces, Lie};
use super::road::{self, Question, Reply, Road};
use super::world::World;
use super::{ALL_FOLLOW_ALL, Sabotage};
use crate::chance::{BEGINNING, TestChance};
use crate::member::{Member, practice};

/// The hubs of a large federation: everybody follows them, and they everybody.
const HUBS: usize = 3;
/// Whom else a node of a large federation follows.
const OTHERS: usize = 10;
/// What others hold is compared once a minute; in a large federation less often.
const COMPARED_EVERY_MS: (u64, u64) = (60_000, 300_000);
/// In a large federation, servers hold no requests open: fewer rounds an hour.
const WAIT_MS: u64 = 30_000;

pub(super) struct Actor {
    pub(super) index: usize,
    pub(super) member: Member,
    pub(super) origin: Origin,
    pub(super) lie: Option<Lie>,
    pub(super) faces: OnceLock<Faces>,
    pub(super) follows: Vec<usize>,
    /// The greatest size that was shown of each feed, and the state that was looked at last.
    pub(super) seen: Mutex<BTreeMap<Origin, u64>>,
    /// Seconds that its clock is off.
    pub(super) skew: AtomicI64,
    /// Whether its disk was ever full: then its own feed may be read-only until a person starts it again.
    pub(super) was_full: AtomicBool,
    life: Mutex<Life>,
}

#[derive(Default)]
struct Life {
    number: u64,
    store: Option<Arc<MemoryStore>>,
    /// What the disk had before, for one that forgets.
    earlier: Option<Arc<MemoryStore>>,
    catalog: Option<Arc<MemoryCatalog>>,
    /// A catalog is not synced: after a crash this one may be there instead.
    earlier_catalog: Option<Arc<MemoryCatalog>>,
    feeds: Option<Arc<Feeds>>,
    lines: Vec<Arc<Follower>>,
    tasks: Vec<AbortHandle>,
}

/// The node is not up.
pub(super) struct Down;

impl Actor {
    pub(super) fn new(index: usize, lie: Option<Lie>, follows: Vec<usize>) -> Result<Self> {
        let member = Member::of(&format!("n{index:03}.example"))?;
        let origin = member.origin();
        Ok(Self {
            index,
            member,
            origin,
            lie,
            faces: OnceLock::new(),
            follows,
            seen: Mutex::default(),
            skew: AtomicI64::new(0),
            was_full: AtomicBool::new(false),
            life: Mutex::default(),
        })
    }

    /// Its feeds, while it is up.
    pub(super) fn feeds(&self) -> Option<Arc<Feeds>> {
        self.lock().feeds.clone()
    }

    pub(super) async fn answer(
        &self,
        world: &Arc<World>,
        from: usize,
        origin: &Origin,
        question: &Question,
    ) -> Result<Option<Reply>, Down> {
        if let Some(faces) = self.faces.get() {
            return Ok(faces.answer(world, from, origin, question).await);
        }
        let feeds = self.feeds().ok_or(Down)?;
        let reply = road::answer(&feeds, origin, question).await;
        let nothing = matches!(&reply, Some(Reply::Since(feed::ports::Since::Nothing)));
        let waits = matches!(question, Question::Since(_, Some(_)));
        if !(nothing && waits) || world.plan.nodes > ALL_FOLLOW_ALL {
            return Ok(reply);
        }
        drop(feeds);
        world.await_news(origin, WAIT_MS).await;
        let feeds = self.feeds().ok_or(Down)?;
        Ok(road::answer(&feeds, origin, question).await)
    }

    /// Orders the process to end at a write to come.
    pub(super) fn order(&self, faults: Faults) {
        if let Some(store) = self.lock().store.as_ref().filter(|store| !store.has_ended()) {
            store.expect(faults);
        }
    }

    /// Remembers the state of its disks, for what is lost later.
    pub(super) fn remember(&self) {
        let mut life = self.lock();
        life.earlier_catalog = life.catalog.as_ref().map(|catalog| Arc::new(catalog.restarted()));
        life.earlier = life.store.as_ref().map(|store| Arc::new(store.restarted()));
    }

    /// Ends a life; whether it was this one and it was not over yet.
    pub(super) fn fall(&self, number: u64) -> bool {
        let mut life = self.lock();
        if life.number != number || life.feeds.is_none() {
            return false;
        }
        life.feeds = None;
        life.lines.clear();
        for task in life.tasks.drain(..) {
            task.abort();
        }
        // What is under way in its last moment no longer reaches the disk.
        life.store = life.store.as_ref().map(|store| Arc::new(store.restarted()));
        true
    }

    /// Puts the disk into a new process.
    fn plug_in(&self) {
        let mut life = self.lock();
        life.store = life.store.as_ref().map(|store| Arc::new(store.restarted()));
    }

    pub(super) fn life_number(&self) -> u64 {
        self.lock().number
    }

    /// One round with everybody it follows, and a look at what they hold.
    pub(super) async fn round(&self, world: &Arc<World>) {
        let lines = self.lock().lines.clone();
        let rounds = lines.iter().map(|line| line.round());
        let looks = self.follows.iter().map(|other| self.compare(world, *other));
        let (rounds, looks) =
            (futures_util::future::join_all(rounds), futures_util::future::join_all(looks));
        futures_util::future::join(rounds, looks).await;
    }

    async fn compare(&self, world: &Arc<World>, other: usize) {
        let Some(feeds) = self.feeds() else { return };
        let Some(actor) = world.actor(other) else { return };
        if world.plan.sabotage == Some(Sabotage::NoComparison) {
            return;
        }
        let road = Road { world: Arc::clone(world), from: self.index, to: other };
        if let Ok(heads) = road.heads(&actor.origin).await
            && let Ok(found) = feeds.compare_heads(&road, &heads).await
        {
            world.count_many("forks found by comparing", found.len() as u64);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom a node follows.
pub(super) fn follows(index: usize, nodes: usize, chance: &TestChance) -> Vec<usize> {
    let others = (0..nodes).filter(|other| *other != index);
    if nodes <= ALL_FOLLOW_ALL || index < HUBS {
        return others.collect();
    }
    let once_in = (nodes / OTHERS).max(1) as u64;
    others.filter(|other| *other < HUBS || chance.below(once_in) == 0).collect()
}

/// Begins the first life of an honest node.
pub(super) async fn begin(world: &Arc<World>, index: usize) -> Result<()> {
    open(world, index).await?;
    let actor = world.actor(index).context("no such node")?;
    let feeds = actor.feeds().context("not up")?;
    feeds.begin(&FeedName::public(), actor.member.node_record(&[])?).await?;
    for other in actor.follows.iter().filter_map(|other| world.actor(*other)) {
        let root = other.member.root()?.public();
        let name = other.member.name().clone();
        feeds.follow(Pin::new(name, root, Vec::new(), BEGINNING)).await?;
    }
    actor.remember();
    Ok(())
}

/// Starts a node again some time after its process ended, as often as it takes.
pub(super) async fn revive(world: Arc<World>, index: usize) {
    world.pass(1_000 + world.below(90_000)).await;
    let Some(actor) = world.actor(index) else { return };
    if world.plan.sabotage == Some(Sabotage::ForgetfulDisks) {
        let mut life = actor.lock();
        life.store = life.earlier.as_ref().map(|store| Arc::new(store.restarted()));
    }
    {
        let mut life = actor.lock();
        life.catalog = match world.below(3) {
            0 => None,
            1 => life.earlier_catalog.as_ref().map(|catalog| Arc::new(catalog.restarted())),
            _ => life.catalog.take(),
        };
    }
    loop {
        if !world.is_healed() && world.once_in(4) {
            actor.order(Faults::at(1 + world.below(3), Fault::CrashBefore));
        }
        match open(&world, index).await {
            Ok(()) => break,
            Err(error) => world.tell(|| format!("{index} does not start: {error:#}")),
        }
        world.count("starts cut off by a crash");
        actor.plug_in();
        world.pass(5_000).await;
    }
    world.count("starts after a crash");
    audit::after_start(&world, actor).await;
    run(&world, index);
}

async fn open(world: &Arc<World>, index: usize) -> Result<()> {
    let actor = world.actor(index).context("no such node")?;
    let clock = Arc::new(WorldClock { world: Arc::downgrade(world), node: Some(index) });
    let (store, catalog, life) = {
        let mut life = actor.lock();
        life.number += 1;
        let fresh = || Arc::new(MemoryCatalog::with_clock(clock.clone()));
        let store = life.store.get_or_insert_with(|| Arc::new(MemoryStore::new())).clone();
        (store, life.catalog.get_or_insert_with(fresh).clone(), life.number)
    };
    let (keys, ledger) = (actor.member.secret().signer(1)?, Arc::clone(&world.ledger));
    let parts = Parts {
        node: actor.member.name().clone(),
        store: Arc::new(Disk { inner: store.clone(), world: Arc::clone(world), node: index, life }),
        catalog,
        signer: Arc::new(Scribe { keys, ledger }),
        clock,
        random: Arc::new(TestChance::new(format!("{} {index} {life}", world.plan.seed))),
    };
    let feeds = Feeds::open(parts).await?;
    anyhow::ensure!(!store.has_ended(), "the process ended");
    actor.lock().feeds = Some(feeds);
    world.tell(|| format!("{index} is up, life {life}"));
    Ok(())
}

/// Begins what a node does by itself.
pub(super) fn run(world: &Arc<World>, index: usize) {
    let Some(actor) = world.actor(index) else { return };
    let Some(feeds) = actor.feeds() else { return };
    let turns = Turns::new(PeerSettings::ROUNDS);
    let mut lines = Vec::new();
    let mut tasks = Vec::new();
    for to in actor.follows.iter().copied() {
        let Some(other) = world.actor(to) else { continue };
        let (origin, interval) = (other.origin.clone(), PeerSettings::INTERVAL_S);
        let line = Arc::new(Follower::new(&feeds, origin, turns.clone(), interval));
        let road = Road { world: Arc::clone(world), from: index, to };
        let in_task = Arc::clone(&line);
        let first = world.below(20_000);
        let task = tokio::spawn(async move {
            road.world.pass(first).await;
            in_task.run(&road).await;
        });
        tasks.push(task.abort_handle());
        lines.push(line);
    }
    tasks.push(tokio::spawn(watch(Arc::clone(world), index)).abort_handle());
    tasks.push(tokio::spawn(compare(Arc::clone(world), index)).abort_handle());
    tasks.push(tokio::spawn(publish(Arc::clone(world), index)).abort_handle());
    let mut life = actor.lock();
    (life.lines, life.tasks) = (lines, tasks);
}

/// Looks at every state that is shown.
async fn watch(world: Arc<World>, index: usize) {
    let Some(actor) = world.actor(index) else { return };
    let Some(mut changed) = actor.feeds().map(|feeds| feeds.changed()) else { return };
    while changed.changed().await.is_ok() {
        audit::shown(&world, actor);
    }
}

/// Compares what others hold, for ever.
async fn compare(world: Arc<World>, index: usize) {
    let Some(actor) = world.actor(index) else { return };
    let (often, seldom) = COMPARED_EVERY_MS;
    let every = if world.plan.nodes > ALL_FOLLOW_ALL { seldom } else { often };
    loop {
        world.pass(every / 2 + world.below(every)).await;
        for other in &actor.follows {
            actor.compare(&world, *other).await;
        }
    }
}

/// Publishes, revises, withdraws and erases until all is healed.
async fn publish(world: Arc<World>, index: usize) {
    let Some(actor) = world.actor(index) else { return };
    let public = FeedName::public();
    let mut kept: Vec<RecordId> = Vec::new();
    loop {
        world.pass(20_000 + world.below(240_000)).await;
        let Some(feeds) = actor.feeds().filter(|_| !world.is_healed()) else { return };
        let title = format!("Record of {index} at {}", world.now_ms());
        let told = match (world.below(20), kept.is_empty()) {
            (0..3, false) => {
                let id = kept.swap_remove(world.pick(kept.len()));
                world.ledger.erasing(&id);
                let reason = "data-protection".to_owned();
                let erased =
                    feeds.withdraw(&public, &id, &Withdrawal { reason, erase: true }).await;
                if erased.is_ok() {
                    world.ledger.erased(&id);
                    world.count("erasures");
                }
                erased.map(|one| vec![one])
            }
            (3..8, false) => {
                let id = kept.get(world.pick(kept.len())).copied();
                feeds.publish(&public, vec![practice(id, &title)]).await
            }
            (many, _) => {
                // Now and then so many at once that the feed is sealed.
                let small = world.plan.nodes <= 6 && many == 19;
                let many = if small { 150 } else { 1 + many % 3 };
                let titles = (0..many).map(|one| practice(None, &format!("{title} {one}")));
                let told = feeds.publish(&public, titles.collect()).await;
                kept.extend(told.iter().flatten().take(3).map(|published| published.id));
                told
            }
        };
        if let Ok(told) = told {
            world.count_many("records acknowledged", told.len() as u64);
            told.iter().for_each(|published| world.ledger.ack(published));
            world.news(&actor.origin);
        }
    }
}

/// The clock of a node: the world's, and what it is off.
pub(super) struct WorldClock {
    world: Weak<World>,
    node: Option<usize>,
}

impl WorldClock {
    /// One that is right.
    pub(super) fn of(world: &Arc<World>) -> Self {
        Self { world: Arc::downgrade(world), node: None }
    }
}

impl Clock for WorldClock {
    fn now(&self) -> u64 {
        let Some(world) = self.world.upgrade() else { return BEGINNING };
        let now = BEGINNING + world.now_ms() / 1_000;
        let actor = self.node.and_then(|node| world.actor(node));
        now.saturating_add_signed(actor.map_or(0, |actor| actor.skew.load(Ordering::Relaxed)))
    }
}

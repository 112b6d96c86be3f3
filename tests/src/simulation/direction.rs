//! The course of a play: setting the stage, what goes wrong, healing, the last two rounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use store::memory::{Fault, Faults};
use tlog::name::FeedName;

use super::actor::{self, Actor};
use super::ledger::Ledger;
use super::liar::{Faces, Lie};
use super::world::World;
use super::{ALL_FOLLOW_ALL, Plan, Report, Sabotage, audit};
use crate::chance::TestChance;
use crate::member::practice;

/// Rounds after healing within which all must be well.
const ROUNDS: usize = 2;
/// A crash comes at the latest with this write.
const WRITES_AHEAD: u64 = 12;
/// Clocks are off by up to ten years.
const TEN_YEARS_S: u64 = 315_360_000;

pub(super) async fn play(plan: Plan) -> Result<Report> {
    ensure!(plan.nodes >= 3 && plan.liars * 2 <= plan.nodes, "too few honest nodes");
    let world = set(plan).await?;
    for actor in world.honest() {
        actor::run(&world, actor.index);
    }
    for actor in world.actors.iter().filter(|actor| actor.lie.is_some()) {
        tokio::spawn(lie(Arc::clone(&world), actor.index));
    }
    let end = world.plan.minutes * 60_000;
    let calm = 40_000_u64 / (world.plan.nodes as u64).clamp(4, 40);
    while world.now_ms() < end {
        world.pass(1_000 + world.below(8 * calm)).await;
        go_wrong(&world);
    }
    heal(&world).await;
    last_rounds(&world).await;
    audit::everything(&world).await;
    world.count_many("virtual node minutes", world.now_ms() / 60_000 * world.plan.nodes as u64);
    Ok(world.report())
}

async fn set(plan: Plan) -> Result<Arc<World>> {
    let chance = TestChance::new(format!("cast {}", plan.seed));
    let mut lies = vec![None; plan.nodes];
    // The hubs of a large federation are honest; which of the others lie is chance.
    let least = if plan.nodes > ALL_FOLLOW_ALL { 3 } else { 0 };
    let mut left = (0..plan.liars).map(|number| {
        let turn = usize::try_from(plan.seed % 8).unwrap_or(0);
        Lie::ALL.get((number + turn) % Lie::ALL.len()).copied()
    });
    let mut next = left.next();
    while let Some(lie) = next {
        let among = (plan.nodes - least) as u64;
        let at = least + usize::try_from(chance.below(among))?;
        if let Some(place) = lies.get_mut(at).filter(|place| place.is_none()) {
            *place = lie;
            next = left.next();
        }
    }
    let actors = lies
        .into_iter()
        .enumerate()
        .map(|(index, lie)| Actor::new(index, lie, actor::follows(index, plan.nodes, &chance)));
    let actors = actors.collect::<Result<_>>()?;
    let world = World::new(plan, actors, Arc::new(Ledger::default()));
    for actor in &world.actors {
        match actor.lie {
            Some(lie) => {
                let faces = Faces::set_up(&world, actor, lie).await?;
                ensure!(actor.faces.set(faces).is_ok(), "it has faces already");
            }
            None => actor::begin(&world, actor.index).await?,
        }
    }
    Ok(world)
}

async fn lie(world: Arc<World>, index: usize) {
    let Some(actor) = world.actor(index) else { return };
    let Some(faces) = actor.faces.get() else { return };
    if let Err(error) = faces.live(&world, actor).await {
        world.problem(&format!("the liar {index} fell out of its part: {error:#}"));
    }
}

/// One thing that goes wrong.
fn go_wrong(world: &Arc<World>) {
    let honest: Vec<&Actor> = world.honest().collect();
    let Some(actor) = honest.get(world.pick(honest.len())) else { return };
    match world.below(10) {
        0..4 => crash(world, actor),
        4..7 => cut(world),
        7 => slow(world, actor.index),
        8 => set_clock(world, actor),
        _ => {
            world.count("states of disks remembered");
            actor.remember();
        }
    }
}

fn crash(world: &Arc<World>, actor: &Actor) {
    let at = 1 + world.below(WRITES_AHEAD);
    let (word, fault) = match world.below(10) {
        0..3 => ("crashes before a write", Fault::CrashBefore),
        3..6 => {
            let bytes = usize::try_from(world.below(900)).unwrap_or(0);
            ("crashes amid a write, its end lost", Fault::CrashAmid { bytes })
        }
        6..8 => ("crashes after a write, before its answer", Fault::CrashAfter),
        8 => {
            actor.was_full.store(true, Ordering::Relaxed);
            ("disks that were full at a write", Fault::Full)
        }
        _ => {
            world.count("kills between writes");
            world.fell(actor.index, actor.life_number());
            return;
        }
    };
    world.count(word);
    world.tell(|| format!("{} is to have {word} at {at}", actor.index));
    actor.order(Faults::at(at, fault));
}

/// Cuts some nodes off from the others for a while, both ways or one way.
fn cut(world: &Arc<World>) {
    let nodes = world.actors.len();
    let alone = world.once_in(2);
    let some: Vec<bool> = match alone {
        true => {
            let one = world.pick(nodes);
            (0..nodes).map(|index| index == one).collect()
        }
        false => (0..nodes).map(|_| world.once_in(2)).collect(),
    };
    let one_way = world.once_in(3);
    let mut pairs = Vec::new();
    for (from, inside) in some.iter().enumerate() {
        for (to, _) in some.iter().enumerate().filter(|(_, other)| *other != inside) {
            if !one_way || *inside {
                pairs.push((from, to));
            }
        }
    }
    world.count(if one_way { "one-way partitions" } else { "partitions" });
    let ms = 5_000 + world.below(if world.once_in(3) { 600_000 } else { 60_000 });
    world.tell(|| format!("{} ways are cut for {ms} ms", pairs.len()));
    pairs.iter().for_each(|(from, to)| world.cut(*from, *to, true));
    let world = Arc::clone(world);
    tokio::spawn(async move {
        world.pass(ms).await;
        if !world.is_healed() {
            pairs.iter().for_each(|(from, to)| world.cut(*from, *to, false));
        }
    });
}

fn slow(world: &Arc<World>, node: usize) {
    world.count("slow lines");
    world.set_slow(node, true);
    let (world, ms) = (Arc::clone(world), 10_000 + world.below(300_000));
    tokio::spawn(async move {
        world.pass(ms).await;
        world.set_slow(node, false);
    });
}

fn set_clock(world: &Arc<World>, actor: &Actor) {
    let most = if world.once_in(3) { TEN_YEARS_S } else { 900 };
    let off = i64::try_from(world.below(2 * most)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
    world.count("clocks set wrong");
    world.tell(|| format!("the clock of {} is {off} s off", actor.index));
    actor.skew.store(off, Ordering::Relaxed);
}

/// Lines are mended and nodes started; clocks stay wrong, and liars lie on.
async fn heal(world: &Arc<World>) {
    world.heal();
    for actor in world.honest() {
        actor.order(Faults::none());
        if actor.was_full.swap(false, Ordering::Relaxed) {
            world.fell(actor.index, actor.life_number());
        }
    }
    // A disk that was full has room now, and whoever is down is started.
    while world.honest().any(|actor| actor.feeds().is_none()) {
        world.pass(1_000).await;
    }
    if world.plan.sabotage == Some(Sabotage::OneStaysCutOff) {
        cut_off_for_good(world).await;
    }
}

async fn cut_off_for_good(world: &World) {
    let Some([one, other]) = two_honest(world) else { return };
    (0..world.actors.len()).for_each(|to| world.cut(one, to, true));
    if let Some(feeds) = world.actor(other).and_then(Actor::feeds) {
        let more = vec![practice(None, "What one never hears of")];
        if let Err(error) = feeds.publish(&FeedName::public(), more).await {
            world.problem(&format!("{other} cannot publish after healing: {error:#}"));
        }
    }
}

fn two_honest(world: &World) -> Option<[usize; 2]> {
    let mut honest = world.honest().map(|actor| actor.index);
    let first = honest.next()?;
    let follows =
        |other: &usize| world.actor(first).is_some_and(|actor| actor.follows.contains(other));
    Some([first, honest.find(follows)?])
}

async fn last_rounds(world: &Arc<World>) {
    for round in 1..=ROUNDS {
        join_all(world.honest().map(|actor| actor.round(world))).await;
        let apart = audit::apart(world);
        let deceived = audit::deceived(world);
        world.tell(|| format!("round {round}: {} apart, {} deceived", apart.len(), deceived.len()));
        if apart.is_empty() && deceived.is_empty() {
            let word = if round == 1 { "well after one round" } else { "well after two rounds" };
            world.count(word);
            return;
        }
        if round == ROUNDS {
            let all = apart.into_iter().chain(deceived);
            all.for_each(|words| world.problem(&format!("after {ROUNDS} rounds {words}")));
        }
    }
}

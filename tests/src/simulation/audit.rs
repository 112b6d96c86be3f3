//! What must hold, checked against the ledger and by hashes that are computed here.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use feed::feeds::{BodyRead, FeedState, Feeds};
use feed::row::Standing;
use feed::statement::Said;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::name::Origin;

use super::Sabotage;
use super::actor::Actor;
use super::liar::Lie;
use super::world::World;

/// Whenever something changed: no state that nobody signed, none shorter than before, nobody honest accused.
pub(super) fn shown(world: &World, actor: &Actor) {
    let Some(feeds) = actor.feeds() else { return };
    let mut seen = actor.seen.lock().unwrap_or_else(PoisonError::into_inner);
    for origin in feeds.origins() {
        let Some(view) = feeds.view(&origin) else { continue };
        let (size, index) = (view.size(), actor.index);
        let most = seen.entry(origin.clone()).or_default();
        if size < *most {
            world.problem(&format!("{index} shows {size} entries of `{origin}`, and had {most}"));
        }
        if size != *most {
            world.count("states looked at");
            if !world.ledger.is_signed(&origin, size, view.root()) {
                world.problem(&format!(
                    "{index} shows {size} entries of `{origin}` that its owner never signed"
                ));
            }
        }
        *most = size.max(*most);
        let no_room = origin == actor.origin
            && matches!(view.state, FeedState::ReadOnly { .. })
            && actor.was_full.load(Ordering::Relaxed);
        if is_honest(world, &origin) && view.state != FeedState::Open && !no_room {
            world.problem(&format!("{index} shows `{origin}` as {:?}", view.state));
        }
        if is_honest(world, &origin) && feeds.evidence_of(&origin).is_some() {
            world.problem(&format!("{index} accuses the honest `{origin}`"));
        }
    }
}

/// After a crash: what was acknowledged is there, and what was shown is not shorter.
pub(super) async fn after_start(world: &World, actor: &Actor) {
    let Some(feeds) = actor.feeds() else { return };
    shown(world, actor);
    let seen = actor.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (origin, most) in seen {
        let size = feeds.view(&origin).map_or(0, |view| view.size());
        if size < most {
            let index = actor.index;
            world.problem(&format!(
                "after a crash {index} has {size} of `{origin}`, and had {most}"
            ));
        }
    }
    if let Err(error) = acknowledged(world, actor, &feeds).await {
        world.problem(&format!("after a crash of {}: {error:#}", actor.index));
    }
}

async fn acknowledged(world: &World, owner: &Actor, feeds: &Arc<Feeds>) -> Result<()> {
    let origin = &owner.origin;
    for ack in world.ledger.acks(origin) {
        let index = ack.index;
        let read = feeds.entry(origin, index).await;
        let read = read.with_context(|| format!("entry {index}, acknowledged, is gone"))?;
        let text = std::str::from_utf8(&read.entry)?;
        ensure!(text.contains(&ack.id.to_string()), "entry {index} is not the acknowledged one");
        match (read.body, ack.body) {
            (BodyRead::None, None) => {}
            (BodyRead::Held(bytes), Some(hash)) => {
                ensure!(Hash::of(&bytes) == hash, "the body of entry {index} is another one");
                let erased = world.ledger.must_be_erased(&ack.id);
                ensure!(!erased, "the body of entry {index} is back after its erasure");
            }
            (BodyRead::Erased { .. }, Some(_)) if world.ledger.may_be_erased(&ack.id) => {}
            (found, _) => bail!("of entry {index} there is {found:?}"),
        }
    }
    Ok(())
}

/// At the end: every byte that everybody holds.
pub(super) async fn everything(world: &World) {
    for actor in world.honest() {
        let Some(feeds) = actor.feeds() else {
            world.problem(&format!("{} is not up at the end", actor.index));
            continue;
        };
        shown(world, actor);
        if let Err(error) = acknowledged(world, actor, &feeds).await {
            world.problem(&format!("at the end, of {}: {error:#}", actor.index));
        }
        for origin in feeds.origins() {
            if let Err(error) = copy(world, &feeds, &origin).await {
                world.problem(&format!("{} and its copy of `{origin}`: {error:#}", actor.index));
            }
        }
    }
}

/// One copy: its entries hash to a root that was signed, its bodies to its entries.
async fn copy(world: &World, feeds: &Arc<Feeds>, origin: &Origin) -> Result<()> {
    let view = feeds.view(origin).context("no view")?;
    let mut frontier = Frontier::new();
    for entry in 0..view.size() {
        let read = feeds.entry(origin, entry).await.with_context(|| format!("entry {entry}"))?;
        frontier.push(Hash::leaf(&read.entry))?;
        world.count("entries hashed again");
        let BodyRead::Held(body) = read.body else { continue };
        let spoilt = world.plan.sabotage == Some(Sabotage::ChangedBodies);
        let hash = if spoilt { Hash::of("changed") } else { Hash::of(&body) };
        ensure!(Said::read(&read.entry).body() == Some(hash), "a body that entry {entry} denies");
    }
    ensure!(frontier.root() == view.root(), "the entries give another root");
    let signed = world.ledger.is_signed(origin, view.size(), frontier.root());
    ensure!(signed, "a root that was never signed");
    if !is_honest(world, origin) {
        return Ok(());
    }
    for ack in world.ledger.acks(origin).into_iter().filter(|ack| ack.index < view.size()) {
        let read = feeds.entry(origin, ack.index).await?;
        let held = matches!(read.body, BodyRead::Held(_));
        let gone = world.ledger.must_be_erased(&ack.id);
        ensure!(!(held && gone), "the erased body of entry {} is held", ack.index);
        if gone {
            let standing = feeds.standing(origin, &ack.id)?;
            ensure!(matches!(standing, Standing::Withdrawn { .. }), "{} is {standing:?}", ack.id);
        }
    }
    Ok(())
}

/// Pairs of honest nodes, one following the other, that are not in step.
pub(super) fn apart(world: &World) -> Vec<String> {
    let mut apart = Vec::new();
    for actor in world.honest() {
        let Some(feeds) = actor.feeds() else {
            apart.push(format!("{} is not up", actor.index));
            continue;
        };
        for other in actor.follows.iter().filter_map(|other| world.actor(*other)) {
            let here = feeds.view(&other.origin);
            let held = here.as_ref().map(|view| (view.size(), view.root()));
            let complete = here.is_some_and(|view| view.missing.is_empty());
            let there = match other.lie {
                None => other.feeds().and_then(|feeds| feeds.view(&other.origin)),
                Some(Lie::Poison) => {
                    let size = other.faces.get().and_then(super::liar::Faces::forged_size);
                    if held.map(|(size, _)| size) != size {
                        let pair = (actor.index, other.index);
                        apart.push(format!("{pair:?} is poisoned: {held:?} of {size:?}"));
                    }
                    continue;
                }
                Some(_) => continue,
            };
            let there = there.map(|view| (view.size(), view.root()));
            if held != there || !complete {
                apart.push(format!(
                    "{} has {:?} of {}, which has {:?}",
                    actor.index,
                    held.map(|(size, _)| size),
                    other.index,
                    there.map(|(size, _)| size)
                ));
            }
        }
    }
    apart
}

/// Honest nodes that hold a feed with two histories and do not know of it.
pub(super) fn deceived(world: &World) -> Vec<String> {
    let mut deceived = Vec::new();
    for liar in world.actors.iter().filter(|actor| actor.lie.is_some_and(Lie::forks)) {
        let mut states = std::collections::BTreeSet::new();
        let mut without = Vec::new();
        let mut proven = false;
        for actor in world.honest() {
            let Some(feeds) = actor.feeds() else { continue };
            let Some(view) = feeds.view(&liar.origin) else { continue };
            if feeds.evidence_of(&liar.origin).is_some() {
                proven = true;
            } else {
                without.push(actor.index);
            }
            let faces = liar.faces.get();
            states.extend(faces.and_then(|faces| faces.of(view.size(), view.root())));
        }
        // One history was shown to all, or none at all: nobody is deceived.
        let both = states.len() > 1 || proven;
        if both && !without.is_empty() {
            deceived.push(format!("{without:?} do not know that {} has two histories", liar.index));
        }
        if both && proven {
            world.count("forks known at the end, looked at");
        }
    }
    deceived
}

fn is_honest(world: &World, origin: &Origin) -> bool {
    world.honest().any(|actor| actor.origin == *origin)
}

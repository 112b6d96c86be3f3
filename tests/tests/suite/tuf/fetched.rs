//! What a follower fetches of a feed: checkpoint, commits, tiles, segments, bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use feed::feeds::SyncError;
use tests::liar;

use super::lies::lie;
use super::scene::{Scene, carrier};
use super::{ATTACKS, Attack, OTHER, OWNER, Stage};

/// A tail is sealed at 1,024 entries: a newcomer then fetches a head, tiles and segments.
const LONG: usize = 1_030;

/// What is fetched, as a part of its path, and by whom.
const OBJECTS: [(&str, Stage); 8] = [
    ("/checkpoint", Stage::Newcomer),
    ("/since/", Stage::Newcomer),
    ("/tile/", Stage::Newcomer),
    ("/segment/", Stage::Newcomer),
    ("/checkpoint", Stage::Behind),
    ("/since/", Stage::Behind),
    ("/body/", Stage::Incomplete),
    ("/since/", Stage::Incomplete),
];

/// One cell of the table. Answers how often the liar lied.
async fn attempt(
    scene: &mut Scene,
    number: usize,
    attack: Attack,
    (object, stage): (&'static str, Stage),
) -> Result<u64> {
    let follower = scene.follower(number, stage).await?;
    let hub = scene.federation.node(follower.name().as_str())?;
    let (owner, other) = (scene.federation.node(OWNER)?, scene.federation.node(OTHER)?);
    if attack == Attack::Rollback {
        // There is nothing to roll back from before it is up to date.
        hub.sync_by(owner.member(), &carrier(&owner.url())?).await?;
    }
    let lies = Arc::new(AtomicU64::new(0));
    let (counted, loot) = (Arc::clone(&lies), Arc::clone(&scene.loot));
    let server = liar::before(owner.router(), move |path, answer| {
        if !path.contains(object) && attack != Attack::Rollback {
            return liar::honest(answer);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        lie(attack, path, answer, &loot)
    });
    let server = server.await?;
    let liar = carrier(&server.url())?;
    let outcome = hub.sync_by(owner.member(), &liar).await;
    if let Err(error) = &outcome {
        ensure!(error.to_string().len() > 20, "what is `{error}` to tell an operator?");
    }
    scene.is_true(hub).await?;
    hub.pin(other.member()).await?;
    hub.sync_by(other.member(), &carrier(&other.url())?).await?;
    if matches!(outcome, Err(SyncError::Fork { .. })) {
        // Two histories signed by one key: the copy stays as it was until a person decides.
        ensure!(attack == Attack::KeyCompromise, "an honest owner was accused");
        return Ok(lies.load(Ordering::Relaxed));
    }
    let synced = hub.sync_by(owner.member(), &carrier(&owner.url())?).await?;
    ensure!(synced.missing.is_empty(), "entries stay without bodies: {synced:?}");
    let size = hub.feeds().view(&owner.member().origin()).context("nothing is held")?.size();
    ensure!(Some(size) == scene.roots.keys().max().copied(), "stopped at {size}");
    scene.is_true(hub).await?;
    Ok(lies.load(Ordering::Relaxed))
}

/// Every attack on the objects of these stages, with an owner of `count` entries; how many there were.
async fn all_of(count: usize, stages: &[Stage]) -> Result<usize> {
    let mut scene = Scene::of(count).await?;
    let objects = OBJECTS.into_iter().filter(|(_, stage)| stages.contains(stage));
    let cells = objects.flat_map(|object| ATTACKS.map(|attack| (attack, object)));
    let mut tried = 0;
    for (attack, object) in cells {
        let cell = format!("{attack:?} on {} for a follower {:?}", object.0, object.1);
        let lies =
            attempt(&mut scene, tried, attack, object).await.with_context(|| cell.clone())?;
        ensure!(lies > 0, "{cell}: nobody asked for it");
        tried += 1;
    }
    Ok(tried)
}

#[tokio::test]
async fn a_newcomer_is_deceived_by_none_of_the_eleven_attacks_on_any_object() -> Result<()> {
    let tried = all_of(LONG, &[Stage::Newcomer]).await?;
    assert_eq!(tried, 4 * ATTACKS.len());
    println!("{tried} attacks on a newcomer");
    Ok(())
}

#[tokio::test]
async fn a_follower_is_deceived_by_none_of_the_eleven_attacks_on_any_object() -> Result<()> {
    let tried = all_of(6, &[Stage::Behind, Stage::Incomplete]).await?;
    assert_eq!(tried, 4 * ATTACKS.len());
    println!("{tried} attacks on a follower");
    Ok(())
}

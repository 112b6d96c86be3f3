//! The table of what is fetched or handed over beside the feeds themselves.

use anyhow::{Context as _, Result};

use super::around::World;
use super::deliver::attempt;
use super::told::{OBJECTS, Object};
use super::{ATTACKS, Attack};

/// Cells in which there is no attack, and why.
const NONE: &[(&[Object], &[Attack], &str)] = &[
    (
        &[
            Object::Cosignature,
            Object::Bundle,
            Object::Fault,
            Object::AddCheckpoint,
            Object::NetworkFile,
            Object::JoinRequest,
            Object::JoinAnswer,
        ],
        &[Attack::MirrorPreventsUpdates],
        "nobody is asked for it: who hands nothing over prevents nothing that a round with a carrier, or a \
         telephone call, does not bring",
    ),
    (
        &[
            Object::Bundle,
            Object::Fault,
            Object::NetworkFile,
            Object::JoinRequest,
            Object::JoinAnswer,
        ],
        &[Attack::SlowRetrieval],
        "it is a file that lies there whole",
    ),
    (
        &[Object::Cosignature, Object::AddCheckpoint],
        &[Attack::SlowRetrieval],
        "who sends slowly holds up its own request alone, and how long is a matter of the server, whatever is \
         sent: tested in `crates/web/tests/web/connections.rs`",
    ),
    (
        &[Object::Fault],
        &[Attack::IndefiniteFreeze, Attack::Rollback],
        "evidence does not age, and is never taken back: the first that convinces is kept",
    ),
    (
        &[Object::NetworkFile],
        &[Attack::IndefiniteFreeze, Attack::Rollback, Attack::MixAndMatch],
        "it says who founded the network, which does not change; what a person compares is its fingerprint",
    ),
    (
        &[Object::NetworkFile],
        &[Attack::KeyCompromise],
        "no key signs it: what a person compares is its fingerprint",
    ),
];

fn reason(object: Object, attack: Attack) -> Option<&'static str> {
    let of = |(objects, attacks, _): &&(&[Object], &[Attack], &str)| {
        objects.contains(&object) && attacks.contains(&attack)
    };
    NONE.iter().find(of).map(|(_, _, why)| *why)
}

/// Every attack on these objects; how many there were, and how many cells are none.
async fn all_of(objects: &[Object]) -> Result<(usize, usize)> {
    let world = World::new().await?;
    let (mut tried, mut none, mut failed) = (0, 0, Vec::new());
    for object in objects {
        for attack in ATTACKS {
            if reason(*object, attack).is_some() {
                none += 1;
                continue;
            }
            let cell = || format!("{attack:?} on {object:?}");
            if let Err(error) = attempt(&world, *object, attack).await.with_context(cell) {
                failed.push(format!("{error:#}"));
            }
            tried += 1;
        }
    }
    anyhow::ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok((tried, none))
}

#[tokio::test]
async fn nobody_is_deceived_by_an_attack_on_what_is_fetched_beside_a_feed() -> Result<()> {
    let fetched: Vec<Object> =
        OBJECTS.into_iter().filter(|object| object.fetched_at().is_some()).collect();
    let (tried, none) = all_of(&fetched).await?;
    println!("{tried} attacks on what is fetched beside a feed, {none} cells without one");
    assert_eq!((tried, none), (44, 0));
    Ok(())
}

#[tokio::test]
async fn nobody_is_deceived_by_an_attack_on_what_is_handed_over() -> Result<()> {
    let handed: Vec<Object> =
        OBJECTS.into_iter().filter(|object| object.fetched_at().is_none()).collect();
    let (tried, none) = all_of(&handed).await?;
    println!("{tried} attacks on what is handed over, {none} cells without one");
    assert_eq!((tried, none), (57, 20));
    Ok(())
}

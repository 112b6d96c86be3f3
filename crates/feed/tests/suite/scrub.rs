//! Reading back what belongs to the node and to no feed: what was decided, and what its keys cosigned.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{Damage, Pace, Scrubbed, SyncError};
use feed::ports::{Fact, FeedStore as _};
use tlog::hash::Hash;

use crate::guard::Around;
use crate::receipts::{acquainted, round};
use crate::refusals::twins;
use crate::world::{Direct, Node};

/// As fast as the disk.
pub(crate) struct Fast;

#[async_trait]
impl Pace for Fast {
    async fn read(&self, _bytes: usize) {}
}

async fn scrub(node: &Node) -> Scrubbed {
    node.feeds.scrub_node(&Fast).await
}

/// The one damaged object that was told.
fn told(found: &Scrubbed) -> &Damage {
    let [damage] = &found.told[..] else { panic!("not one: {found:?}") };
    damage
}

/// Tells `one` the way to another node.
pub(crate) fn introduce(one: &Node, other: &Node) {
    let carrier: Arc<dyn feed::ports::Carrier> = Arc::new(Direct::new(other));
    one.feeds.set_others(Arc::new(Around(BTreeMap::from([(other.name.clone(), carrier)]))));
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes.into()
}

async fn decision(node: &Node, name: &str) -> Option<Bytes> {
    let all = node.store.decisions().await.unwrap();
    all.into_iter().find(|(of, _)| of == name).map(|(_, bytes)| bytes)
}

#[tokio::test]
async fn a_decision_that_rotted_or_vanished_is_put_back_as_it_was() {
    let (node, other) = (Node::new("node.example", 1).await, Node::new("other.example", 2).await);
    node.follow(&other).await;
    let name = "follow/other.example";
    let whole = decision(&node, name).await.unwrap();
    let first = scrub(&node).await;
    assert_eq!((first.damaged, first.kinds.get("decisions")), (0, Some(&1)), "{first:?}");
    for damage in [Some(flipped(&whole)), Some(whole.slice(..9)), Some(Bytes::new()), None] {
        node.store.set_decision(name, damage).await.unwrap();
        let found = scrub(&node).await;
        assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
        assert_eq!(told(&found).what, "decisions/follow/other.example");
        assert_eq!(decision(&node, name).await.as_ref(), Some(&whole));
        assert_eq!(scrub(&node).await.damaged, 0);
    }
    // What was decided otherwise is not put back.
    node.feeds.unfollow(&other.name, true).await.unwrap();
    assert_eq!(scrub(&node).await.damaged, 0);
    assert_eq!(decision(&node, name).await, None);
}

#[tokio::test]
async fn evidence_that_convinces_nobody_any_more_is_told_with_what_to_do() {
    let (node, twin, hub) = twins().await;
    node.publish(&["One story"]).await;
    twin.publish(&["Another", "story"]).await;
    hub.sync(&node).await.unwrap();
    assert!(matches!(hub.sync(&twin).await, Err(SyncError::Fork { .. })));
    assert_eq!(scrub(&hub).await.damaged, 0);
    let all = hub.store.decisions().await.unwrap();
    let (name, bytes) = all.into_iter().find(|(name, _)| name.starts_with("fault/")).unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    // It rotted while the node was off: no process knows what stood there.
    hub.store.set_decision("seen/net.example", Some("{".into())).await.unwrap();
    hub.store
        .set_decision(&name, Some(text.replacen("prefix", "same-size", 1).into()))
        .await
        .unwrap();
    let hub = hub.restarted(true).await;
    let found = scrub(&hub).await;
    assert_eq!((found.damaged, found.healed), (2, 0), "{found:?}");
    let names: Vec<_> = found.told.iter().map(|damage| damage.what.clone()).collect();
    assert_eq!(names, [format!("decisions/{name}"), "decisions/seen/net.example".to_owned()]);
    for damage in &found.told {
        assert!(damage.still.as_ref().unwrap().contains("from a backup"), "{damage:?}");
    }
}

#[tokio::test]
async fn what_was_cosigned_is_put_back_as_this_process_knows_it() {
    let (owner, [node]) = acquainted().await;
    round(&node, &owner).await;
    let log = Hash::of(owner.origin().as_str());
    let whole = node.store.witnessed(&log).await.unwrap().unwrap();
    let first = scrub(&node).await;
    assert_eq!((first.damaged, first.kinds.get("cosigned")), (0, Some(&1)), "{first:?}");
    for damage in [Some(flipped(&whole)), Some(whole.slice(..20)), None] {
        match damage {
            Some(bytes) => node.store.set_witnessed(&log, bytes).await.unwrap(),
            None => node.store.lose_cosigned(&log),
        }
        let found = scrub(&node).await;
        assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
        assert_eq!(told(&found).what, format!("witness/{}", log.to_hex()));
        assert_eq!(node.store.witnessed(&log).await.unwrap().as_ref(), Some(&whole));
    }
    // Whatever the disk says, the next line follows the last one.
    node.store.lose_cosigned(&log);
    owner.publish(&["Two"]).await;
    round(&node, &owner).await;
    assert_eq!(scrub(&node).await.damaged, 0);
}

#[tokio::test]
async fn no_changed_byte_of_what_was_cosigned_is_believed_after_a_start() {
    let (owner, [node]) = acquainted().await;
    round(&node, &owner).await;
    let log = Hash::of(owner.origin().as_str());
    let whole = node.store.witnessed(&log).await.unwrap().unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 1;
        let off = node.store.restarted();
        off.set_witnessed(&log, bytes.into()).await.unwrap();
        let catalog = Arc::clone(&node.catalog);
        let again = Node::over("follower-2.example", 2, Arc::new(off), catalog).await;
        let found = scrub(&again).await;
        assert_eq!((found.damaged, found.healed), (1, 0), "byte {at}: {found:?}");
        let still = told(&found).still.clone().unwrap();
        assert!(still.contains("jopoi keys rotate"), "byte {at}: {still}");
    }
}

#[tokio::test]
async fn a_file_of_what_was_cosigned_that_is_gone_is_made_anew_from_our_own_lines() {
    let (owner, [node]) = acquainted().await;
    round(&node, &owner).await;
    let log = Hash::of(owner.origin().as_str());
    let whole = node.store.witnessed(&log).await.unwrap();
    node.store.lose_cosigned(&log);
    let node = node.restarted(true).await;
    let found = scrub(&node).await;
    assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
    assert_eq!(node.store.witnessed(&log).await.unwrap(), whole);
    assert_eq!(scrub(&node).await.damaged, 0);
}

#[tokio::test]
async fn a_copy_shorter_than_what_was_received_is_told_and_fetched_again() {
    let (owner, [node]) = acquainted().await;
    round(&node, &owner).await;
    let origin = owner.origin();
    let before = node.store.fact(&origin, &Fact::Head).await.unwrap().unwrap();
    owner.publish(&["Two"]).await;
    round(&node, &owner).await;
    node.store.damage(&origin, &Fact::Head, |head| *head = before.to_vec());
    let node = node.restarted(true).await;
    let found = scrub(&node).await;
    assert_eq!((found.damaged, found.healed), (1, 0), "{found:?}");
    let still = told(&found).still.clone().unwrap();
    assert!(still.contains("3 entries were received once, and 2 are here"), "{still}");
    introduce(&node, &owner);
    let found = scrub(&node).await;
    assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
    assert_eq!(node.feeds.view(&origin).unwrap().size(), 3);
    assert_eq!(scrub(&node).await.damaged, 0);
}

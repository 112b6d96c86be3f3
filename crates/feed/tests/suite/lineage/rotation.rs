//! Keys that are rotated and revoked, and feeds that go on elsewhere.

use std::sync::Arc;

use feed::feeds::{FeedState, PublishError, SyncError};
use feed::ports::KeyUse;
use feed::row::BodyState;
use feed::secret::OnlineSecret;
use practice::node_record::{Continuation, Revocation};
use store::memory::MemoryCatalog;
use tlog::name::{FeedName, Origin};

use super::{Draft, later, meet, pair, rotated};
use crate::world::{Direct, NOW, Node, publication};

#[tokio::test]
async fn who_slept_through_two_rotations_wakes_to_the_newest_keys() {
    let (node, hub) = pair().await;
    for generation in 2..4 {
        node.feeds.set_signer(rotated(&node, generation));
        let record = Draft::of(&node, generation).generation(generation).sign();
        node.feeds.publish_node_record(record).await.unwrap();
        let note = node.feeds.checkpoint(&node.origin()).await.unwrap();
        let lines = std::str::from_utf8(&note).unwrap().matches('\u{2014}').count();
        assert_eq!(lines, 2, "the former log key signs along");
        node.publish(&[&format!("Generation {generation}")]).await;
    }
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Generation 3", "Generation 2", "Before"]);
    let late = node.later(30 * 24 * 60 * 60).await;
    late.feeds.set_signer(rotated(&late, 3));
    late.publish(&["A month later"]).await;
    let note = late.feeds.checkpoint(&late.origin()).await.unwrap();
    assert_eq!(std::str::from_utf8(&note).unwrap().matches('\u{2014}').count(), 1);
    hub.sync(&late).await.unwrap();
}

#[tokio::test]
async fn a_revocation_reaches_a_follower_in_one_round_and_what_the_thief_signed_vanishes() {
    let (node, hub) = pair().await;
    let stolen = OnlineSecret::from_bytes([node.seed(); 32]);
    let thief = node.publish(&["By a thief", "By a thief too"]).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await.len(), 3);
    node.feeds.set_signer(rotated(&node, 2));
    let mut record = Draft::of(&node, 2).generation(2);
    for key_use in [KeyUse::Log, KeyUse::Record] {
        record.revoked.push(Revocation {
            key: stolen.key(key_use, 1).unwrap().public(),
            feed: FeedName::public(),
            size: thief[0].index,
            reason: "stolen".to_owned(),
        });
    }
    node.feeds.publish_node_record(record.sign()).await.unwrap();
    let note = node.feeds.checkpoint(&node.origin()).await.unwrap();
    assert_eq!(std::str::from_utf8(&note).unwrap().matches('\u{2014}').count(), 1);
    node.publish(&["By its owner"]).await;
    hub.sync(&node).await.unwrap();
    let (node, hub) = (later(node, 0).await, later(hub, 0).await);
    for holder in [&node, &hub] {
        assert_eq!(holder.titles(&node.origin()).await, ["By its owner", "Before"]);
        let disowned = holder.feeds.disowned(&node.origin()).unwrap();
        let ids: Vec<_> = disowned.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [thief[0].id, thief[1].id]);
        let row = holder.feeds.catalog().row(&node.origin(), thief[0].index).unwrap().unwrap();
        assert_eq!(row.body, BodyState::Disowned);
    }
    // The log itself is whole.
    assert_eq!(hub.feeds.view(&node.origin()).unwrap().size(), 6);
}

#[tokio::test]
async fn a_thief_of_a_revoked_log_key_stops_no_mirror_with_a_fork_of_his_own() {
    let (node, hub) = pair().await;
    let store = Arc::new(node.store.restarted());
    let catalog = Arc::new(MemoryCatalog::new());
    let thief = Node::at("node.example", 1, store, catalog, NOW + 9).await;
    node.feeds.set_signer(rotated(&node, 2));
    let mut record = Draft::of(&node, 2).generation(2);
    record.revoked.push(Revocation {
        key: OnlineSecret::from_bytes([node.seed(); 32]).key(KeyUse::Log, 1).unwrap().public(),
        feed: FeedName::public(),
        size: 2,
        reason: "stolen".to_owned(),
    });
    node.feeds.publish_node_record(record.sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    for title in ["One", "Two"] {
        thief.publish(&[title]).await;
        let refused = hub.sync(&thief).await;
        assert!(matches!(refused, Err(SyncError::Invalid(_))), "{refused:?}");
        assert_eq!(hub.feeds.view(&node.origin()).unwrap().state, FeedState::Open);
    }
    node.publish(&["After"]).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["After", "Before"]);
}

/// The node record by which `public-2` continues what `node` holds.
fn continued(node: &Node, version: u64, size: Option<u64>) -> Draft<'_> {
    let view = node.feeds.view(&node.origin()).unwrap();
    let mut draft = Draft::of(node, version).generation(2);
    draft.continues.push(Continuation {
        feed: FeedName::parse("public-2").unwrap(),
        of: FeedName::public(),
        size: size.unwrap_or(view.size()),
        root: view.root(),
    });
    draft
}

#[tokio::test]
async fn a_feed_goes_on_elsewhere_after_a_loss_and_followers_find_it() {
    let (node, hub) = pair().await;
    // The disk of the node is an old copy: what was published since is lost to it.
    let store = Arc::new(node.store.restarted());
    let old = Node::over("node.example", 1, store, Arc::new(MemoryCatalog::new())).await;
    node.publish(&["Lost at home"]).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Lost at home", "Before"]);
    let wrong = continued(&old, 2, Some(9)).sign();
    assert!(old.feeds.begin_continuation(&FeedName::public(), wrong).await.is_err());
    old.feeds.set_signer(rotated(&old, 2));
    let record = continued(&old, 2, None).sign();
    old.feeds.begin_continuation(&FeedName::public(), record.clone()).await.unwrap();
    let (public, next) = (old.origin(), Origin::parse("node.example/public-2").unwrap());
    let state = FeedState::Continued { by: next.clone(), size: 2 };
    assert_eq!(old.feeds.view(&public).unwrap().state, state);
    assert!(matches!(
        old.feeds.publish(&FeedName::public(), Vec::new()).await,
        Err(PublishError::Count { .. } | PublishError::ReadOnly { .. })
    ));
    let next_name = FeedName::parse("public-2").unwrap();
    old.feeds.publish(&next_name, vec![publication("Goes on", None)]).await.unwrap();
    meet(&hub, &old, record).await.unwrap();
    assert_eq!(hub.feeds.view(&public).unwrap().state, state);
    assert_eq!(hub.titles(&public).await, ["Before"]);
    assert_eq!(hub.feeds.disowned(&public).unwrap().len(), 1);
    assert!(hub.feeds.feeds_of(&node.name).contains(&next));
    hub.sync_through(&Direct::new(&old), &next).await.unwrap();
    assert_eq!(hub.titles(&next).await, ["Goes on"]);
    let hub = later(hub, 0).await;
    assert_eq!(hub.feeds.view(&public).unwrap().state, state);
    assert_eq!(hub.titles(&public).await, ["Before"]);
}

#[tokio::test]
async fn after_a_fork_the_branch_that_goes_on_stays_and_the_other_is_disowned() {
    let (node, hub) = pair().await;
    let store = Arc::new(node.store.restarted());
    let thief = Node::at("node.example", 1, store, Arc::new(MemoryCatalog::new()), NOW + 9).await;
    node.publish(&["Of the owner"]).await;
    thief.publish(&["Of the thief"]).await;
    let deceived = Node::new("deceived.example", 3).await;
    deceived.follow(&node).await;
    deceived.sync(&thief).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert!(matches!(hub.sync(&thief).await, Err(SyncError::Fork { .. })));
    node.feeds.set_signer(rotated(&node, 2));
    let record = continued(&node, 2, None).sign();
    node.feeds.begin_continuation(&FeedName::public(), record.clone()).await.unwrap();
    let _ = meet(&hub, &node, record.clone()).await;
    let _ = meet(&deceived, &node, record).await;
    let state = |holder: &Node| holder.feeds.view(&node.origin()).unwrap().state.clone();
    assert!(matches!(state(&hub), FeedState::Continued { size: 3, .. }), "{:?}", state(&hub));
    assert_eq!(hub.titles(&node.origin()).await, ["Of the owner", "Before"]);
    assert!(matches!(state(&deceived), FeedState::Continued { size: 0, .. }));
    assert!(deceived.titles(&node.origin()).await.is_empty());
}

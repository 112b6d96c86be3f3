//! Keys that are rotated and revoked, and feeds that go on elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use feed::feeds::{FeedState, PublishError, SyncError};
use feed::ports::KeyUse;
use feed::row::BodyState;
use feed::secret::OnlineSecret;
use network::audience::Audience;
use practice::body::{Body, Issuer, Unsigned};
use practice::kind::Kind;
use practice::node_record::{Continuation, Revocation};
use serde_json::{Value, json};
use store::memory::MemoryCatalog;
use tlog::ed25519::Signature;
use tlog::name::{FeedName, Origin};

use super::{Draft, key, later, meet, pair, rotated};
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

/// The next version of a restricted feed's record with `said` in it, signed by `seed`.
async fn feed_record(node: &Node, origin: &Origin, said: Value, seed: u8) -> Bytes {
    let known = node.feeds.feed_record(origin).await.unwrap();
    let mut subject = known.subject;
    for (name, value) in said.as_object().unwrap() {
        subject[name] = value.clone();
    }
    let issuer = key(seed);
    let unsigned = Unsigned {
        kind: Kind::FEED,
        id: known.id,
        feed: Some(origin.clone()),
        version: known.highest_version + 1,
        issuer: Issuer { key: issuer.public(), node: node.name.clone(), state: None },
        valid_from: "2026-11-23T10:00:00Z".to_owned(),
        salt: [u8::try_from(known.highest_version).unwrap(); 32],
        subject,
    };
    let sign = |message: &[u8]| Ok::<Signature, std::convert::Infallible>(issuer.sign(message));
    Body::sign(unsigned, &sign).unwrap().bytes().clone()
}

#[tokio::test]
async fn a_restricted_feed_revokes_and_goes_on_by_its_own_record_signed_by_the_root() {
    let (node, hub) = pair().await;
    let root = node.seed().wrapping_add(100);
    let audience = Audience::Nodes(vec![hub.name.clone()]);
    let origin = node.feeds.begin_restricted(&audience).await.unwrap();
    let publish = async |title: &str| {
        let published = node.feeds.publish(origin.feed(), vec![publication(title, None)]).await;
        published.unwrap()[0].index
    };
    publish("Before").await;
    let from = publish("By a thief").await;
    let stolen = OnlineSecret::from_bytes([node.seed(); 32]);
    node.feeds.set_signer(rotated(&node, 2));
    let mut record = Draft::of(&node, 2).generation(2);
    let revoked = [KeyUse::Log, KeyUse::Record].map(|key_use| Revocation {
        key: stolen.key(key_use, 1).unwrap().public(),
        feed: origin.feed().clone(),
        size: from,
        reason: "stolen".to_owned(),
    });
    record.revoked = revoked.to_vec();
    node.feeds.publish_node_record(record.sign()).await.unwrap();
    assert!(node.feeds.disowned(&origin).unwrap().is_empty(), "the feed speaks for itself");
    let revoking = json!({ "revoked": revoked });
    for (said, seed) in [(revoking.clone(), 9), (json!({ "audience": {"nodes": []} }), root)] {
        let refused = feed_record(&node, &origin, said, seed).await;
        assert!(node.feeds.publish_feed_record(refused).await.is_err());
    }
    let signed = feed_record(&node, &origin, revoking, root).await;
    node.feeds.publish_feed_record(signed.clone()).await.unwrap();
    assert!(node.feeds.publish_feed_record(signed).await.is_err(), "twice");
    publish("By its owner").await;
    hub.sync_through(&Direct::new(&node), &origin).await.unwrap();
    for holder in [&node, &hub] {
        assert_eq!(holder.titles(&origin).await, ["By its owner", "Before"]);
    }
    let next = node.feeds.begin_restricted(&audience).await.unwrap();
    let view = node.feeds.view(&origin).unwrap();
    let goes_on = Continuation {
        feed: next.feed().clone(),
        of: origin.feed().clone(),
        size: view.size(),
        root: view.root(),
    };
    let continuing = json!({ "continues": [goes_on] });
    let signed = feed_record(&node, &origin, continuing, root).await;
    node.feeds.publish_feed_record(signed).await.unwrap();
    hub.sync_through(&Direct::new(&node), &origin).await.unwrap();
    for holder in [node, later(hub, 0).await] {
        let state = holder.feeds.view(&origin).unwrap().state.clone();
        assert_eq!(state, FeedState::Continued { by: next.clone(), size: view.size() });
        assert_eq!(holder.titles(&origin).await, ["By its owner", "Before"]);
    }
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

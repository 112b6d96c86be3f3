//! A disk that is nearly full: nothing of others is taken in, and what is our own is published.

use std::sync::Arc;

use feed::feeds::SyncError;
use feed::ports::{Room, StoreError};
use tlog::name::FeedName;

use crate::world::{Direct, Node, advanced, publication};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn room(free: u64, all: u64) -> Option<Room> {
    Some(Room { free, all })
}

fn is_reserved(result: &Result<feed::feeds::Synced, SyncError>) -> bool {
    matches!(result, Err(SyncError::Store(StoreError::Reserved { .. })))
}

/// An owner with one record that a hub holds, and with a second one that it does not.
async fn behind() -> (Node, Node) {
    let (owner, hub) = (Node::new("owner.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&owner).await;
    owner.publish(&["One"]).await;
    hub.sync(&owner).await.unwrap();
    owner.publish(&["Two"]).await;
    (owner, hub)
}

#[tokio::test]
async fn while_the_disk_is_nearly_full_what_is_ours_is_published_and_what_is_of_others_waits() {
    let (owner, hub) = behind().await;
    hub.store.set_room(room(1_023 * MIB, 100 * GIB));
    let refused = hub.sync(&owner).await;
    assert!(is_reserved(&refused), "{refused:?}");
    let words = refused.unwrap_err().to_string();
    for part in ["1023 MiB are free", "1024 MiB are kept", "`limits.reserve_mib`"] {
        assert!(words.contains(part), "{words}");
    }
    // What is held stays readable, and the node goes on by itself.
    assert_eq!(hub.titles(&owner.origin()).await, ["One"]);
    hub.publish(&["Ours"]).await;
    assert_eq!(hub.titles(&hub.origin()).await, ["Ours"]);
    hub.store.set_room(room(1_024 * MIB, 100 * GIB));
    assert_eq!(advanced(&hub.sync(&owner).await.unwrap()), (2, 3));
}

#[tokio::test]
async fn of_a_small_disk_a_twentieth_is_kept_and_what_an_operator_says_counts() {
    let (owner, hub) = behind().await;
    for (reserve, free, all, waits) in [
        (None, 49, 1_000, true),
        (None, 50, 1_000, false),
        (Some(10 * MIB), 9, 1_000, true),
        (Some(10 * MIB), 10, 1_000, false),
        (Some(0), 0, 1_000, false),
    ] {
        hub.feeds.keep_free(reserve);
        hub.store.set_room(room(free * MIB, all * MIB));
        let waited = is_reserved(&hub.sync(&owner).await);
        assert_eq!(waited, waits, "{reserve:?}: {free} of {all} MiB");
    }
    hub.feeds.keep_free(None);
    hub.store.set_room(None);
    assert!(hub.sync(&owner).await.is_ok(), "nobody knows how much room there is");
}

#[tokio::test]
async fn a_long_feed_stops_where_the_reserve_begins_and_goes_on_from_there() {
    let (owner, hub) = (Node::new("owner.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&owner).await;
    // Eight segments, of which four are asked for at a time.
    for part in 0..2 {
        let many = (0..1_100).map(|number| publication(&format!("Practice {part} {number}"), None));
        owner.feeds.publish(&FeedName::public(), many.collect()).await.unwrap();
    }
    hub.store.set_room(room(2 * GIB, 100 * GIB));
    let mut carrier = Direct::new(&owner);
    let disk = Arc::clone(&hub.store);
    carrier.segment = Some(Box::new(move |bytes| {
        disk.set_room(room(GIB / 2, 100 * GIB));
        bytes
    }));
    let refused = hub.sync_through(&carrier, &owner.origin()).await;
    assert!(is_reserved(&refused), "{refused:?}");
    assert!(hub.feeds.view(&owner.origin()).is_none());
    let fetched = carrier.segments_asked.lock().unwrap().clone();
    assert!(!fetched.is_empty() && fetched.len() < 8, "{fetched:?}");
    hub.store.set_room(room(2 * GIB, 100 * GIB));
    let again = Direct::new(&owner);
    hub.sync_through(&again, &owner.origin()).await.unwrap();
    assert_eq!(hub.feeds.view(&owner.origin()).unwrap().size(), 2_201);
    assert!(again.segments_asked.lock().unwrap().len() < 8, "what was verified is kept");
}

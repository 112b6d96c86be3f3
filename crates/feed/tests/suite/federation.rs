//! The honest path.

use feed::feeds::{BodyRead, Outcome, PublishError, Withdrawal};
use feed::row::Standing;
use tlog::name::FeedName;
use tlog::proof_file::TlogProof;

use crate::world::{Direct, Node, advanced, publication};

fn erasing() -> Withdrawal {
    Withdrawal { reason: "not-stated".to_owned(), erase: true }
}

#[tokio::test]
async fn a_record_published_on_one_node_is_verified_on_another() {
    let (asuncion, hub) =
        (Node::new("asuncion.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&asuncion).await;
    asuncion.publish(&["One", "Two"]).await;
    let synced = hub.sync(&asuncion).await.unwrap();
    assert_eq!(advanced(&synced), (0, 3));
    assert_eq!(hub.titles(&asuncion.origin()).await, ["Two", "One"]);
    let (ours, theirs) = (
        asuncion.feeds.view(&asuncion.origin()).unwrap(),
        hub.feeds.view(&asuncion.origin()).unwrap(),
    );
    assert_eq!((ours.size(), ours.root()), (theirs.size(), theirs.root()));
    assert_eq!(hub.sync(&asuncion).await.unwrap().outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn revising_and_withdrawing_arrive_and_the_history_stays() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    let first = node.publish(&["First"]).await.remove(0);
    hub.sync(&node).await.unwrap();
    let second = node.revise(first.id, "Second").await;
    assert_eq!(second.version, 2);
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Second"]);
    let plain = Withdrawal { reason: "superseded".to_owned(), erase: false };
    node.feeds.withdraw(&FeedName::public(), &first.id, &plain).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert!(hub.titles(&node.origin()).await.is_empty());
    assert!(matches!(
        hub.feeds.standing(&node.origin(), &first.id).unwrap(),
        Standing::Withdrawn { by: 3 }
    ));
    assert!(matches!(hub.feeds.entry(&node.origin(), 1).await.unwrap().body, BodyRead::Held(_)));
    node.revise(first.id, "Third").await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Third"]);
}

#[tokio::test]
async fn an_erasure_leaves_no_copy_and_the_log_still_verifies() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    let marker = "the words that must go";
    let record = node.publish(&[marker, "Stays"]).await.remove(0);
    hub.sync(&node).await.unwrap();
    node.feeds.withdraw(&FeedName::public(), &record.id, &erasing()).await.unwrap();
    hub.sync(&node).await.unwrap();
    for holder in [&node, &hub] {
        let read = holder.feeds.entry(&node.origin(), record.index).await.unwrap();
        assert_eq!(read.body, BodyRead::Erased { withdrawal: 3 });
        assert_eq!(holder.titles(&node.origin()).await, ["Stays"]);
    }
    let late = Node::new("late.example", 3).await;
    late.follow(&node).await;
    late.sync_through(&Direct::of(hub.feeds.clone(), node.node_record(1)), &node.origin())
        .await
        .unwrap();
    let read = late.feeds.entry(&node.origin(), record.index).await.unwrap();
    assert_eq!(read.body, BodyRead::Erased { withdrawal: 3 });
    let (node, hub) = (node.restarted(false).await, hub.restarted(false).await);
    for holder in [&node, &hub] {
        let read = holder.feeds.entry(&node.origin(), record.index).await.unwrap();
        assert_eq!(read.body, BodyRead::Erased { withdrawal: 3 });
    }
}

#[tokio::test]
async fn a_long_feed_is_sealed_synced_by_segments_and_every_entry_is_proved() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    let titles: Vec<String> = (0..1_100).map(|n| format!("Practice {n}")).collect();
    node.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let view = node.feeds.view(&node.origin()).unwrap();
    assert_eq!((view.size(), view.sealed()), (1_101, 1_024));
    let carrier = Direct::new(&node);
    hub.sync_through(&carrier, &node.origin()).await.unwrap();
    assert_eq!(*carrier.segments_asked.lock().unwrap(), [0, 1, 2, 3]);
    let held = hub.feeds.view(&node.origin()).unwrap();
    assert_eq!((held.root(), held.sealed()), (view.root(), 1_024));
    for index in [0, 1, 255, 256, 1_023, 1_024, 1_100] {
        let text = hub.feeds.proof(&node.origin(), index).await.unwrap();
        let proof = TlogProof::parse(text.as_bytes()).unwrap();
        let entry = hub.feeds.entry(&node.origin(), index).await.unwrap().entry;
        proof.verify_entry(&entry, &view.log_vkey().unwrap()).unwrap();
    }
    // What follows is a tail on both sides, across the sealed part.
    node.publish(&["After"]).await;
    assert_eq!(advanced(&hub.sync(&node).await.unwrap()), (1_101, 1_102));
    // Both come back from disk alone.
    let (node, hub) = (node.restarted(false).await, hub.restarted(true).await);
    let root = node.feeds.view(&node.origin()).unwrap().root();
    assert_eq!(hub.feeds.view(&node.origin()).unwrap().root(), root);
    assert_eq!(hub.titles(&node.origin()).await[0], "After");
}

#[tokio::test]
async fn an_erasure_in_a_sealed_segment_arrives_everywhere() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    let titles: Vec<String> = (0..1_100).map(|n| format!("Practice {n}")).collect();
    let published = node.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    hub.sync(&node).await.unwrap();
    for at in [3, 1_099] {
        node.feeds.withdraw(&FeedName::public(), &published[at].id, &erasing()).await.unwrap();
        hub.sync(&node).await.unwrap();
        for holder in [&node, &hub] {
            let read = holder.feeds.entry(&node.origin(), published[at].index).await.unwrap();
            assert!(matches!(read.body, BodyRead::Erased { .. }), "{at}: {:?}", read.body);
        }
    }
    let late = Node::new("late.example", 3).await;
    late.follow(&node).await;
    assert!(late.sync(&node).await.unwrap().missing.is_empty());
}

#[tokio::test]
async fn a_new_node_record_changes_the_keys_from_the_next_entry_on() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    hub.sync(&node).await.unwrap();
    node.feeds.publish_node_record(node.node_record(2)).await.unwrap();
    node.publish(&["Under the second record"]).await;
    hub.sync(&node).await.unwrap();
    let record = hub.feeds.node_record(&node.name).unwrap();
    assert_eq!(record, node.node_record(2));
    assert_eq!(hub.titles(&node.origin()).await, ["Under the second record"]);
}

#[tokio::test]
async fn many_publishers_at_once_lose_nothing() {
    let node = Node::new("node.example", 1).await;
    let tasks = (0..50).map(|n| {
        let feeds = node.feeds.clone();
        tokio::spawn(async move {
            let one = vec![publication(&format!("Practice {n}"), None)];
            feeds.publish(&FeedName::public(), one).await.unwrap().remove(0).index
        })
    });
    let mut indices = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        indices.push(task.await.unwrap());
    }
    indices.sort_unstable();
    assert_eq!(indices, (1..=50).collect::<Vec<_>>());
    assert_eq!(node.titles(&node.origin()).await.len(), 50);
}

#[tokio::test]
async fn who_revises_what_somebody_else_revised_first_is_told() {
    let node = Node::new("node.example", 1).await;
    let record = node.publish(&["First"]).await.remove(0);
    node.revise(record.id, "Second").await;
    let mut late = publication("Also second", Some(record.id));
    late.expected = Some(1);
    let error = node.feeds.publish(&FeedName::public(), vec![late]).await.unwrap_err();
    assert!(matches!(error, PublishError::Changed { current: 2, .. }), "{error}");
}

#[tokio::test]
async fn news_wakes_a_reader_that_waits() {
    let node = Node::new("node.example", 1).await;
    let (feeds, origin) = (node.feeds.clone(), node.origin());
    let waiting = tokio::spawn(async move {
        feeds.since(&origin, 1, Some(std::time::Duration::from_secs(60))).await
    });
    tokio::task::yield_now().await;
    node.publish(&["News"]).await;
    assert!(matches!(waiting.await.unwrap().unwrap(), feed::ports::Since::Commits(_)));
}

#[tokio::test]
async fn a_clock_years_off_on_either_side_refuses_nothing() {
    const TEN_YEARS: u64 = 10 * 365 * 86_400;
    for now in [crate::world::NOW - TEN_YEARS, crate::world::NOW + TEN_YEARS, 0] {
        let node = Node::new("node.example", 1).await;
        let (store, catalog) = Default::default();
        let hub = Node::at("hub.example", 2, store, catalog, now).await;
        hub.follow(&node).await;
        node.publish(&["Whatever the clock says"]).await;
        hub.sync(&node).await.unwrap();
        assert_eq!(hub.titles(&node.origin()).await, ["Whatever the clock says"]);
        hub.feeds.begin(&FeedName::public(), hub.node_record(1)).await.unwrap();
        hub.publish(&["Said at another time"]).await;
        node.follow(&hub).await;
        node.sync(&hub).await.unwrap();
        assert_eq!(node.titles(&hub.origin()).await, ["Said at another time"]);
    }
}

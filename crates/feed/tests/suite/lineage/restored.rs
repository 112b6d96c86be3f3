//! A node that comes back from its followers in the midst of a recovery.

use std::sync::Arc;

use feed::feeds::Source;
use feed::ports::Quiet;
use store::memory::{MemoryCatalog, MemoryStore};

use super::{Draft, announcement, key, later, pair, rotated};
use crate::world::{Direct, NOW, Node};

/// The node anew on an empty disk, from what the hub holds of it.
async fn restored(burnt: Node, hub: &Node) -> Node {
    // Later, so that other ids are drawn.
    let (store, catalog) = (Arc::new(MemoryStore::new()), Arc::new(MemoryCatalog::new()));
    let node = Node::at(burnt.name.as_str(), burnt.seed(), store, catalog, NOW + 1).await;
    let record = hub.feeds.node_record(&node.name).unwrap();
    let carrier = Direct::of(Arc::clone(&hub.feeds), record);
    let source = Source { node: Some(hub.name.clone()), carrier: &carrier };
    let (origin, root) = (node.origin(), Some(node.root.public()));
    node.feeds.restore_feed(&origin, root, &[source], &Quiet).await.unwrap();
    node
}

#[tokio::test]
async fn a_node_that_was_restored_knows_of_the_recovery_that_its_followers_know_of() {
    for objected in [false, true] {
        let (node, hub) = pair().await;
        node.feeds.publish_node_record(announcement(&node, 2)).await.unwrap();
        if objected {
            node.feeds.publish_node_record(Draft::of(&node, 3).sign()).await.unwrap();
        }
        node.publish(&["Still here"]).await;
        hub.sync(&node).await.unwrap();
        let node = restored(node, &hub).await;
        let (here, there) = (node.feeds.recoveries(), hub.feeds.recoveries());
        assert_eq!(
            (here[0].new_root, here[0].contested),
            (key(super::NEW_ROOT).public(), objected)
        );
        assert_eq!(here[0].contested, there[0].contested);
        let origin = node.origin();
        let newest = |holder: &Node| {
            let view = holder.feeds.view(&origin).unwrap();
            view.keys.newest().unwrap().record.version()
        };
        assert_eq!(newest(&node), newest(&hub));
        // A key change by the old root is an objection here as it is there, and the log stays readable.
        node.feeds.publish_node_record(Draft::of(&node, 4).generation(2).sign()).await.unwrap();
        let node = later(node, 1).await;
        node.publish(&["After the fire"]).await;
        hub.sync(&node).await.unwrap();
        assert_eq!(newest(&node), 1);
        let titles = hub.titles(&node.origin()).await;
        assert_eq!(titles, ["After the fire", "Still here", "Before"]);
    }
}

#[tokio::test]
async fn a_recovery_that_was_decided_before_the_fire_does_not_come_back() {
    let (node, hub) = pair().await;
    node.feeds.publish_node_record(announcement(&node, 2)).await.unwrap();
    hub.sync(&node).await.unwrap();
    for holder in [&node, &hub] {
        let root = node.root.public();
        holder.feeds.change_root(&node.name, root, "reinstated").await.unwrap();
    }
    node.feeds.set_signer(rotated(&node, 2));
    node.feeds.publish_node_record(Draft::of(&node, 3).generation(2).sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    let node = restored(node, &hub).await;
    assert!(node.feeds.recoveries().is_empty());
    assert_eq!(node.feeds.view(&node.origin()).unwrap().keys.newest().unwrap().record.version(), 3);
}

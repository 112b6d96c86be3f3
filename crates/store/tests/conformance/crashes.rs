//! A node that ends at any write, or finds any write refused, loses nothing that it told its author.

use std::sync::Arc;

use feed::ports::{Fact, FeedStore as _};
use store::memory::{Fault, Faults, MemoryCatalog, MemoryStore};

use crate::node::{Node, Told};

/// A node before its story begins.
struct Before {
    store: MemoryStore,
    catalog: MemoryCatalog,
    told: Told,
}

impl Before {
    /// A feed of so many entries.
    async fn with(entries: u64) -> Self {
        let (store, catalog) = (Arc::new(MemoryStore::new()), Arc::new(MemoryCatalog::new()));
        let node = Node::start(store.clone(), catalog.clone(), 0).await;
        let mut told = Told::default();
        if entries > 0 {
            node.begin(&mut told).await.unwrap();
        }
        if entries > 1 {
            node.publish(entries - 1, &mut told).await.unwrap();
        }
        drop(node);
        Self { store: store.restarted(), catalog: catalog.restarted(), told }
    }
}

/// The story: a feed begins if there is none, grows past the length at which its tail is sealed, erases a
/// body, grows again. It goes on whatever fails, as people do.
async fn tell(node: &Node, told: &mut Told) {
    if node.size() == 0 {
        let _ = node.begin(told).await;
    }
    for count in [1, 2] {
        let _ = node.publish(count, told).await;
    }
    let _ = node.erase(told).await;
    let _ = node.publish(1, told).await;
}

/// Tells the story with one fault, then starts again as another process would, with the catalog as it was,
/// and after a crash also with an empty one. Returns how many writes were begun.
async fn survives(before: &Before, faults: Faults, faulty: Fault) -> u64 {
    let store = Arc::new(before.store.restarted());
    let catalog = Arc::new(before.catalog.restarted());
    let mut told = before.told.clone();
    let node = Node::start(store.clone(), catalog.clone(), 1).await;
    store.expect(faults);
    tell(&node, &mut told).await;
    let writes = store.writes();
    drop(node);
    let mut catalogs = vec![catalog.restarted()];
    if faulty == Fault::CrashAfter {
        catalogs.push(MemoryCatalog::new());
    }
    for catalog in catalogs {
        let mut told = told.clone();
        let store = Arc::new(store.restarted());
        let node = Node::start(store.clone(), Arc::new(catalog), 2).await;
        assert!(node.is_open(), "{faulty:?}");
        node.holds(&told).await;
        assert_head_is_whole(&store, &node).await;
        tell(&node, &mut told).await;
        assert!(told.published.len() >= before.told.published.len() + 4, "{faulty:?}");
        node.holds(&told).await;
    }
    writes
}

async fn assert_head_is_whole(store: &MemoryStore, node: &Node) {
    if let Some(head) = store.fact(&node.origin, &Fact::Head).await.unwrap() {
        feed::head::Head::decode(&head).unwrap();
    }
}

/// Tries each fault at the first write, the second and so on, until none of the story's writes is left.
async fn at_every_write(before: &Before, faults: &[Fault]) -> u32 {
    let mut trials = 0;
    for fault in faults {
        for at in 1.. {
            let writes = survives(before, Faults::at(at, *fault), *fault).await;
            trials += 1;
            if writes < at {
                break;
            }
        }
    }
    trials
}

const ALL: [Fault; 6] = [
    Fault::CrashBefore,
    Fault::CrashAmid { bytes: 100 },
    Fault::CrashAfter,
    Fault::Full,
    Fault::Broken,
    Fault::Unsynced,
];

#[tokio::test]
async fn a_young_feed_survives_every_fault_at_every_write() {
    let trials = at_every_write(&Before::with(0).await, &ALL).await;
    println!("{trials} faults in a young feed");
}

#[tokio::test]
async fn a_feed_about_to_be_sealed_survives_faults_at_every_write() {
    // A crash before a write is one after the write before; what else is left out needs no seal to be seen.
    let faults = [Fault::CrashAmid { bytes: 100 }, Fault::CrashAfter, Fault::Full];
    let trials = at_every_write(&Before::with(1_021).await, &faults).await;
    println!("{trials} faults around a seal and an erasure");
}

#[tokio::test]
async fn an_append_torn_at_any_byte_loses_nothing_that_was_told() {
    let before = Before::with(2).await;
    let mut bytes = 0;
    loop {
        let store = Arc::new(before.store.restarted());
        let catalog = Arc::new(before.catalog.restarted());
        let mut told = before.told.clone();
        let node = Node::start(store.clone(), catalog.clone(), 1).await;
        store.expect(Faults::at(1, Fault::CrashAmid { bytes }));
        node.publish(1, &mut told).await.unwrap_err();
        let store = Arc::new(store.restarted());
        let node = Node::start(store.clone(), catalog, 2).await;
        node.holds(&told).await;
        let complete = node.size() == 3;
        assert!(complete || node.size() == 2, "torn after {bytes}");
        node.publish(1, &mut told).await.unwrap();
        node.holds(&told).await;
        assert_head_is_whole(&store, &node).await;
        if complete {
            break;
        }
        bytes += 1;
    }
    println!("{bytes} torn appends");
}

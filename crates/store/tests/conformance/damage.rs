//! Whatever bit of a store flips, and wherever an object is cut short: what is read is right, or an error.

use std::sync::Arc;

use bytes::Bytes;
use feed::feeds::BodyRead;
use feed::ports::{Fact, FeedStore as _};
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::hash::Hash;
use tlog::tile::{Tile, TilePath};

use crate::node::{Node, Told};

/// Segments with their tiles, and a tail of two entries.
struct Original {
    store: MemoryStore,
    catalog: MemoryCatalog,
    sealed: u64,
    entries: Vec<(Bytes, BodyRead)>,
    segment_roots: Vec<Hash>,
    tiles: Vec<Bytes>,
}

impl Original {
    async fn with(sealed: u64) -> Self {
        let (store, catalog) = (Arc::new(MemoryStore::new()), Arc::new(MemoryCatalog::new()));
        let node = Node::start(store.clone(), catalog.clone(), 0).await;
        let mut told = Told::default();
        node.begin(&mut told).await.unwrap();
        if sealed > 0 {
            node.publish(sealed - 1, &mut told).await.unwrap();
        }
        node.publish(2 - u64::from(sealed == 0), &mut told).await.unwrap();
        let view = node.feeds.view(&node.origin).unwrap();
        assert_eq!((view.size(), view.sealed()), (sealed + 2, sealed));
        let mut tiles = Vec::new();
        for number in 0..sealed / 256 {
            tiles.push(node.feeds.tile(&node.origin, &tile(number)).await.unwrap());
        }
        Self {
            store: store.restarted(),
            catalog: catalog.restarted(),
            sealed,
            entries: node.read_all().await,
            segment_roots: view.tree.segments().to_vec(),
            tiles,
        }
    }

    /// Starts on a damaged copy and reads around the damage. Says whether anything was noticed.
    async fn is_noticed(&self, fact: &Fact, change: impl Fn(&mut Vec<u8>)) -> bool {
        let store = self.store.restarted();
        let origin = self.store.objects()[0].0.clone();
        store.damage(&origin, fact, change);
        let store = Arc::new(store);
        let node = Node::start(store.clone(), Arc::new(self.catalog.restarted()), 1).await;
        let Some(view) = node.feeds.view(&node.origin) else { return true };
        let mut noticed = !node.is_open() || view.size() != self.sealed + 2;
        assert!(view.size() <= self.sealed + 2);
        noticed |= self.entries_differ(&node, [self.sealed, self.sealed + 1]).await;
        let near = match fact {
            Fact::Segment(number) => *number,
            Fact::Tile(tile) => tile.index(),
            _ => return noticed,
        };
        noticed |= self.entries_differ(&node, [near * 256, near * 256 + 255]).await;
        let number = usize::try_from(near).unwrap();
        match node.feeds.tile(&node.origin, &tile(near)).await {
            Ok(bytes) => assert_eq!(bytes, self.tiles[number]),
            Err(_) => noticed = true,
        }
        // A segment is given as it is stored; whoever gets it checks it against the tree.
        let segment = store.fact(&node.origin, &Fact::Segment(near)).await.unwrap().unwrap();
        match feed::verify::segment(&segment, near, &self.segment_roots[number]) {
            Ok(block) => {
                let first = number * 256;
                for (item, (entry, body)) in block.items.iter().zip(&self.entries[first..]) {
                    assert_eq!(&item.entry, entry);
                    assert!(
                        matches!((&item.body, body), (Some(one), BodyRead::Held(other)) if one == other)
                    );
                }
            }
            Err(_) => noticed = true,
        }
        noticed
    }

    /// Asserts that entries are the original ones or errors; says whether there was an error.
    async fn entries_differ(&self, node: &Node, indices: [u64; 2]) -> bool {
        let mut noticed = false;
        for index in indices {
            match node.feeds.entry(&node.origin, index).await {
                Ok(read) => {
                    let (entry, body) = &self.entries[usize::try_from(index).unwrap()];
                    assert_eq!(&read.entry, entry);
                    // A body that cannot be read is missing, never another.
                    assert!(read.body == *body || read.body == BodyRead::Missing);
                    noticed |= read.body != *body;
                }
                Err(_) => noticed = true,
            }
        }
        noticed
    }
}

fn tile(number: u64) -> TilePath {
    TilePath::Hashes(Tile::new(0, number, 256).unwrap())
}

/// Damages every `1/parts` of each object and returns what happened, in words.
async fn damage_all(original: &Original, parts: usize) -> String {
    let (mut flips, mut cuts, mut noticed) = (0, 0, 0);
    for (_, fact, length) in original.store.objects() {
        for at in (0..length).step_by((length / parts).max(1)) {
            flips += 1;
            noticed +=
                u32::from(original.is_noticed(&fact, |bytes| bytes[at] ^= 1 << (at % 8)).await);
            cuts += 1;
            noticed += u32::from(original.is_noticed(&fact, |bytes| bytes.truncate(at)).await);
        }
    }
    format!(
        "{flips} flipped bits and {cuts} lost ends: {noticed} noticed, the others harmless, none believed"
    )
}

#[tokio::test]
async fn at_every_byte_of_a_young_feed_damage_is_noticed_or_harmless() {
    println!("{}", damage_all(&Original::with(0).await, usize::MAX).await);
}

#[tokio::test]
async fn in_every_object_of_a_sealed_feed_damage_is_noticed_or_harmless() {
    println!("{}", damage_all(&Original::with(1_024).await, 16).await);
}

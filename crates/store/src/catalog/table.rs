//! From the hash of a thing to the entries where it may stand, in 12 bytes an entry.
//!
//! Keeps 32 bits of a keyed hash and the place; whoever asks confirms each candidate against its row. The
//! key is drawn anew for each table, so that nobody can choose ids that fall together. Two tables, by id
//! and by body, take about 26 bytes a record.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// A bucket is searched from end to end: 1.5 KiB at most on average, while its 24 bytes of overhead
/// spread over many entries.
const BUCKET_ENTRIES_MEAN: usize = 128;

/// Grown in small steps: doubling would leave half of the memory unused.
const BUCKET_STEP: usize = 8;

/// Feeds a table can tell apart; numbers of forgotten feeds are not used again.
pub(super) const FEEDS_MAX: u32 = 1 << 24;

/// Entries of one feed a table can tell apart.
pub(super) const INDEX_MAX: u64 = 1 << 40;

/// An entry of a feed: the feed's number in the catalog, and the index.
pub(super) type Place = (u32, u64);

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    keys: RandomState,
    /// 2^bits buckets, chosen by the highest bits of the hash; each holds its places as they came.
    buckets: Vec<Vec<Slot>>,
    bits: u32,
    count: usize,
}

/// 32 bits of the hash, and the place packed into 24 and 40 bits.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    high: u32,
    low: u32,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { keys: RandomState::new(), buckets: vec![Vec::new()], bits: 0, count: 0 }
    }

    /// Notes that `key` stands at `place`, which is below [`FEEDS_MAX`] and [`INDEX_MAX`].
    pub(super) fn insert(&mut self, key: impl Hash, place: Place) {
        if self.count >= self.buckets.len() * BUCKET_ENTRIES_MEAN && self.bits < 24 {
            self.split();
        }
        let slot = Slot::new(self.hash(key), place);
        let bucket = self.bucket(slot.hash);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            push(bucket, slot);
            self.count += 1;
        }
    }

    /// The places where `key` may stand, oldest first.
    pub(super) fn candidates(&self, key: impl Hash) -> impl Iterator<Item = Place> {
        let hash = self.hash(key);
        let bucket = self.buckets.get(self.bucket(hash)).map(Vec::as_slice).unwrap_or_default();
        bucket.iter().filter(move |slot| slot.hash == hash).map(Slot::place)
    }

    /// Drops all places of one feed.
    pub(super) fn forget(&mut self, feed: u32) {
        self.count = 0;
        for bucket in &mut self.buckets {
            bucket.retain(|slot| slot.place().0 != feed);
            self.count += bucket.len();
        }
    }

    fn hash(&self, key: impl Hash) -> u32 {
        // The highest half of a 64-bit SipHash.
        u32::try_from(self.keys.hash_one(key) >> 32).unwrap_or_default()
    }

    fn bucket(&self, hash: u32) -> usize {
        hash.checked_shr(32 - self.bits).unwrap_or(0) as usize
    }

    /// Doubles the buckets; each gives its upper half to a new one beside it.
    fn split(&mut self) {
        self.bits += 1;
        let mut buckets = Vec::with_capacity(self.buckets.len() * 2);
        for bucket in std::mem::take(&mut self.buckets) {
            let upper = |slot: &Slot| slot.hash >> (32 - self.bits) & 1 == 1;
            for half in [false, true] {
                let mut part = Vec::new();
                bucket
                    .iter()
                    .filter(|slot| upper(slot) == half)
                    .for_each(|slot| push(&mut part, *slot));
                buckets.push(part);
            }
        }
        self.buckets = buckets;
    }
}

impl Slot {
    fn new(hash: u32, (feed, index): Place) -> Self {
        let packed = u64::from(feed) << 40 | index;
        let [a, b, c, d, e, f, g, h] = packed.to_be_bytes();
        Self { hash, high: u32::from_be_bytes([a, b, c, d]), low: u32::from_be_bytes([e, f, g, h]) }
    }

    fn place(&self) -> Place {
        (self.high >> 8, u64::from(self.high & 0xff) << 32 | u64::from(self.low))
    }
}

fn push(bucket: &mut Vec<Slot>, slot: Slot) {
    if bucket.len() == bucket.capacity() {
        // A feed that names one id without end fills one bucket: then by eighths, or all would be copied each time.
        bucket.reserve_exact(BUCKET_STEP.max(bucket.len() / 8));
    }
    bucket.push(slot);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_inserted_is_found_oldest_first_until_its_feed_is_forgotten() {
        let mut table = Table::new();
        let places = |key: u64| [(1, key), (FEEDS_MAX - 1, INDEX_MAX - 1 - key)];
        for turn in 0..2 {
            for key in 0..20_000u64 {
                table.insert(key, places(key)[turn]);
            }
        }
        for key in 0..20_000u64 {
            let found: Vec<_> = table.candidates(key).collect();
            let positions =
                places(key).map(|place| found.iter().position(|other| *other == place).unwrap());
            assert!(positions.is_sorted());
        }
        table.forget(1);
        assert_eq!(table.count, 20_000);
        for key in 0..20_000u64 {
            // Another key's place may be among them: they are candidates.
            let left: Vec<_> = table.candidates(key).collect();
            assert!(left.contains(&places(key)[1]) && left.iter().all(|(feed, _)| *feed != 1));
        }
    }

    #[test]
    fn a_record_takes_about_26_bytes_in_two_tables() {
        let mut table = Table::new();
        (0..200_000u64).for_each(|key| table.insert(key, (1, key)));
        let slots: usize =
            table.buckets.iter().map(|bucket| bucket.capacity() * size_of::<Slot>() + 24).sum();
        let bytes = 2.0 * slots as f64 / 200_000.0;
        println!("{bytes:.1} bytes a record");
        assert!(bytes < 28.0, "{bytes}");
    }
}

//! What each entry says, on sled: a view that can be dropped and rebuilt from the facts at any time.
//!
//! One tree, keys in append order, rows and their cursor in one batch, never flushed by us while open.
//! Small batches are gathered in memory (`pending`), where readers see them like any other. Look-ups by id
//! and by body are a table in memory, filled by a scan at open. What becomes of a catalog after a power cut
//! is told in `opening`; keys and values are laid out in `code`.
//!
//! **Invariant:** a catalog that opens holds, for every feed, exactly the rows below its cursor in their
//! newest state, or it is empty.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use feed::ports::{Catalog, CatalogError};
use feed::row::{CatalogBatch, Row, first_sequence_of};
use practice::id::RecordId;
use tlog::hash::Hash;
use tlog::name::Origin;

mod code;
mod opening;
mod pending;
mod table;

use code::{FeedValue, RowValue};
use opening::Unopened;
use pending::Pending;
use table::{Place, Table};

/// Rows removed in one batch: forgetting a large feed takes little memory.
const FORGET_BATCH: usize = 4_096;

/// The catalog of one node.
pub struct SledCatalog {
    path: PathBuf,
    /// `None` only while it is dropped.
    database: Option<sled::Db>,
    index: RwLock<Index>,
}

impl SledCatalog {
    /// Opens the catalog in a directory of its own, or begins one; repairs what a crash damaged, and
    /// starts empty where that cannot be done. Blocks for the scan: about a second for a million entries.
    ///
    /// Fails only for reasons outside: a full or read-only disk, or another process that has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let scanned = |database: sled::Db| Ok((Index::scan(&database)?, database));
        let (index, database) = opening::open(path, scanned)?;
        Ok(Self { path: path.to_owned(), database: Some(database), index: RwLock::new(index) })
    }

    fn tree(&self) -> Result<&sled::Tree, CatalogError> {
        let closed = || CatalogError::Backend { reason: "it is closed".to_owned() };
        self.database.as_deref().ok_or_else(closed)
    }

    fn reading(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn row_at(&self, held: &Index, (feed, index): Place) -> Result<Row, CatalogError> {
        if let Some(row) = held.pending.row((feed, index)) {
            return Ok(row.clone());
        }
        let key = code::row_key(feed, index);
        let tree = self.tree()?;
        let damaged =
            || backend(format!("the row of entry {index} of feed number {feed} is damaged"));
        let value = guarded(|| tree.get(key))?.ok_or_else(damaged)?;
        RowValue::read(&key, &value).map(|(row, _)| row).ok_or_else(damaged)
    }

    /// The places whose row `matches`, out of those where the table says it may.
    fn confirmed(
        &self,
        held: &Index,
        places: impl Iterator<Item = Place>,
        matches: impl Fn(&Row) -> bool,
    ) -> Result<Vec<(Place, Row)>, CatalogError> {
        let mut found = Vec::new();
        for place in places {
            let row = self.row_at(held, place)?;
            if matches(&row) {
                found.push((place, row));
            }
        }
        // Places come in the order of their rows already, but for those of a catalog just opened.
        found.sort_unstable_by_key(|(place, _)| *place);
        Ok(found)
    }

    /// Takes in everything that a batch changes.
    fn take(&self, index: &mut Index, batch: &CatalogBatch) -> Result<(), CatalogError> {
        let number = index.number_for(&batch.origin)?;
        let known = index.feed(number);
        let cursor = known.map_or(0, |feed| feed.cursor);
        let mut sum = known.map_or(0, |feed| feed.sum);
        let mut rows: HashMap<u64, Row> = (cursor..).zip(batch.rows.iter().cloned()).collect();
        let end = cursor + batch.rows.len() as u64;
        if end > table::INDEX_MAX {
            return Err(backend(format!("a feed of {end} entries is more than it can hold")));
        }
        let mut changed: Vec<u64> = (cursor..end).collect();
        for (at, state) in &batch.states {
            let row = match rows.get(at) {
                Some(row) => row.clone(),
                None if *at < cursor => {
                    let row = self.row_at(index, (number, *at))?;
                    sum = sum.wrapping_sub(
                        RowValue::new(&code::row_key(number, *at), &row).check.into(),
                    );
                    changed.push(*at);
                    row
                }
                None => {
                    return Err(backend(format!(
                        "a state for entry {at} of `{}`, which ends at {end}",
                        batch.origin
                    )));
                }
            };
            rows.insert(*at, Row { body: *state, ..row });
        }
        let mut sequence = index.next_sequence;
        if !changed.is_empty() {
            sequence = sequence.max(sequence_of_now());
        }
        for at in changed {
            let Some(row) = rows.remove(&at) else { continue };
            let key = code::row_key(number, at);
            let value = RowValue::new(&key, &row);
            sum = sum.wrapping_add(value.check.into());
            index.pending.insert_row((number, at), row, &key, value.bytes);
            index.pending.insert(&code::change_key(sequence), code::change(number, at));
            sequence += 1;
        }
        let feed = FeedValue {
            origin: batch.origin.clone(),
            cursor: end,
            sum,
            sequence: sequence.saturating_sub(1),
        };
        index.pending.insert(&code::feed_key(number), feed.encode());
        for (at, row) in (cursor..).zip(&batch.rows) {
            index.note((number, at), row);
        }
        index.next_sequence = sequence;
        index.set_feed(number, feed);
        Ok(())
    }

    /// Writes what waits.
    fn write(&self, index: &mut Index) -> Result<(), CatalogError> {
        let tree = self.tree()?;
        guarded(|| index.pending.write_to(tree))
    }
}

impl Catalog for SledCatalog {
    fn cursor(&self, origin: &Origin) -> Result<u64, CatalogError> {
        let index = self.reading();
        Ok(index.held(origin).map_or(0, |(_, feed)| feed.cursor))
    }

    fn apply(&self, batch: &CatalogBatch) -> Result<(), CatalogError> {
        let mut index = self.writing();
        let cursor = index.held(&batch.origin).map_or(0, |(_, feed)| feed.cursor);
        if batch.from != cursor {
            return Err(CatalogError::OutOfStep {
                origin: batch.origin.clone(),
                cursor,
                from: batch.from,
            });
        }
        if index.pending.len() + batch.rows.len() > pending::ROWS_MAX {
            self.write(&mut index)?;
        }
        self.take(&mut index, batch)?;
        // A changed state of an earlier entry follows from no entry that would be judged again.
        if batch.states.is_empty() { Ok(()) } else { self.write(&mut index) }
    }

    fn row(&self, origin: &Origin, index: u64) -> Result<Option<Row>, CatalogError> {
        let held = self.reading();
        match held.held(origin) {
            Some((number, feed)) if index < feed.cursor => {
                self.row_at(&held, (number, index)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn rows_of(&self, origin: &Origin, id: &RecordId) -> Result<Vec<(u64, Row)>, CatalogError> {
        let index = self.reading();
        let Some((number, _)) = index.held(origin) else { return Ok(Vec::new()) };
        let places = index.ids.candidates(id).filter(|(feed, _)| *feed == number);
        let found = self.confirmed(&index, places, |row| row.id() == Some(*id))?;
        Ok(found.into_iter().map(|((_, at), row)| (at, row)).collect())
    }

    fn rows_with_body(&self, origin: &Origin, body: &Hash) -> Result<Vec<u64>, CatalogError> {
        let index = self.reading();
        let Some((number, _)) = index.held(origin) else { return Ok(Vec::new()) };
        let places = index.bodies.candidates(body).filter(|(feed, _)| *feed == number);
        let found = self.confirmed(&index, places, |row| row.body_hash() == Some(*body))?;
        Ok(found.into_iter().map(|((_, at), _)| at).collect())
    }

    fn feeds_of(&self, id: &RecordId) -> Result<Vec<Origin>, CatalogError> {
        let index = self.reading();
        let found =
            self.confirmed(&index, index.ids.candidates(id), |row| row.id() == Some(*id))?;
        let mut origins: Vec<_> =
            found.iter().filter_map(|((feed, _), _)| index.origin(*feed)).collect();
        origins.sort_unstable();
        origins.dedup();
        Ok(origins)
    }

    fn entries_with_body(&self, body: &Hash) -> Result<Vec<(Origin, u64)>, CatalogError> {
        let index = self.reading();
        let found = self.confirmed(&index, index.bodies.candidates(body), |row| {
            row.body_hash() == Some(*body)
        })?;
        let mut entries: Vec<_> =
            found.iter().filter_map(|((feed, at), _)| Some((index.origin(*feed)?, *at))).collect();
        entries.sort_unstable();
        Ok(entries)
    }

    fn changes(&self, after: u64, limit: usize) -> Result<Vec<(u64, Origin, u64)>, CatalogError> {
        let mut index = self.writing();
        // sled has what is told: after a crash its number is not given to something else.
        self.write(&mut index)?;
        let index = RwLockWriteGuard::downgrade(index);
        let tree = self.tree()?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        guarded(|| {
            let mut changes = Vec::new();
            for entry in tree.range(code::change_key(first)..=code::change_key(u64::MAX)) {
                let (key, value) = entry?;
                let (Some(sequence), Some((feed, at))) =
                    (code::sequence_of_key(&key), code::place(&value))
                else {
                    continue;
                };
                if changes.len() >= limit {
                    break;
                }
                // Changes of a forgotten feed stay and mean nothing.
                changes.extend(index.origin(feed).map(|origin| (sequence, origin, at)));
            }
            Ok(changes)
        })
    }

    fn last_change(&self) -> Result<u64, CatalogError> {
        Ok(self.reading().next_sequence.saturating_sub(1))
    }

    fn memo(&self, key: &str) -> Result<Option<Bytes>, CatalogError> {
        let tree = self.tree()?;
        let found = guarded(|| tree.get(code::memo_key(key)))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn set_memo(&self, key: &str, value: Option<&[u8]>) -> Result<(), CatalogError> {
        let tree = self.tree()?;
        guarded(|| match value {
            Some(value) => tree.insert(code::memo_key(key), value),
            None => tree.remove(code::memo_key(key)),
        })?;
        Ok(())
    }

    fn forget(&self, origin: &Origin) -> Result<(), CatalogError> {
        let mut index = self.writing();
        let Some((number, _)) = index.held(origin) else { return Ok(()) };
        self.write(&mut index)?;
        let tree = self.tree()?;
        // The number stays taken, so that changes of this feed are never read as another's.
        guarded(|| tree.insert(code::feed_key(number), &[]))?;
        index.forget(number);
        guarded(|| remove_rows(tree, number))
    }
}

impl Drop for SledCatalog {
    fn drop(&mut self) {
        let database = self.database.take();
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner);
        let closed = guarded(|| {
            if let Some(tree) = &database {
                index.pending.write_to(tree)?;
            }
            // Dropping the last handle flushes.
            drop(database);
            Ok(opening::close(&self.path)?)
        });
        if let Err(error) = closed {
            tracing::warn!(event = "catalog.not-closed", catalog.path = %self.path.display(), "the catalog could not be closed cleanly: {error}");
        }
    }
}

impl std::fmt::Debug for SledCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledCatalog").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is in memory: the feeds, and where ids and bodies stand.
struct Index {
    numbers: HashMap<Origin, u32>,
    /// By number; `None` for a forgotten feed.
    feeds: Vec<Option<FeedValue>>,
    next_sequence: u64,
    ids: Table,
    bodies: Table,
    pending: Pending,
}

impl Index {
    /// Reads all feeds and rows; whatever does not fit together means that something was lost.
    fn scan(tree: &sled::Tree) -> Result<Self, Unopened> {
        let damaged = |what: &str| Unopened::Damaged(what.to_owned());
        let mut index = Self {
            numbers: HashMap::new(),
            feeds: Vec::new(),
            next_sequence: 0,
            ids: Table::new(),
            bodies: Table::new(),
            pending: Pending::default(),
        };
        for entry in tree.scan_prefix([code::FEEDS]) {
            let (key, value) = opening::guarded(|| entry)?;
            if code::feed_of_key(&key) != u32::try_from(index.feeds.len()).ok() {
                return Err(damaged("a feed is missing"));
            }
            index.feeds.push(None);
            if !value.is_empty() {
                let feed =
                    FeedValue::decode(&value).ok_or_else(|| damaged("what it says of a feed"))?;
                index.next_sequence = index.next_sequence.max(feed.sequence + 1);
                let number = u32::try_from(index.feeds.len() - 1).unwrap_or(u32::MAX);
                index.set_feed(number, feed);
            }
        }
        let mut sums: Vec<(u64, u64)> = vec![(0, 0); index.feeds.len()];
        for entry in tree.scan_prefix([code::ROWS]) {
            let (key, value) = opening::guarded(|| entry)?;
            let place = key.get(1..).and_then(code::place).ok_or_else(|| damaged("a key"))?;
            if index.feed(place.0).is_none() {
                // Left by a crash while a feed was being forgotten.
                opening::guarded(|| tree.remove(&key))?;
                continue;
            }
            let (row, check) = RowValue::read(&key, &value).ok_or_else(|| damaged("a row"))?;
            match sums.get_mut(place.0 as usize) {
                Some((next, sum)) if *next == place.1 => {
                    *next += 1;
                    *sum = sum.wrapping_add(check.into());
                }
                _ => return Err(damaged("a row is missing")),
            }
            index.note(place, &row);
        }
        let complete = |(feed, sums): (&Option<FeedValue>, &(u64, u64))| match feed {
            Some(feed) => (feed.cursor, feed.sum) == *sums,
            None => true,
        };
        if !index.feeds.iter().zip(&sums).all(complete) {
            return Err(damaged("rows and cursor do not agree"));
        }
        for feed in index.feeds.iter().flatten().filter(|feed| feed.cursor > 0) {
            if opening::guarded(|| tree.get(code::change_key(feed.sequence)))?.is_none() {
                return Err(damaged("a change is missing"));
            }
        }
        let last = opening::guarded(|| tree.scan_prefix([code::CHANGES]).next_back().transpose())?;
        let last = last.and_then(|(key, _)| code::sequence_of_key(&key)).map_or(0, |last| last + 1);
        index.next_sequence = index.next_sequence.max(last).max(1);
        Ok(index)
    }

    fn held(&self, origin: &Origin) -> Option<(u32, &FeedValue)> {
        let number = *self.numbers.get(origin)?;
        Some((number, self.feed(number)?))
    }

    fn feed(&self, number: u32) -> Option<&FeedValue> {
        self.feeds.get(number as usize)?.as_ref()
    }

    fn origin(&self, number: u32) -> Option<Origin> {
        Some(self.feed(number)?.origin.clone())
    }

    /// The number of a feed, the next free one for a new feed.
    fn number_for(&self, origin: &Origin) -> Result<u32, CatalogError> {
        if let Some(number) = self.numbers.get(origin) {
            return Ok(*number);
        }
        let number =
            u32::try_from(self.feeds.len()).ok().filter(|number| *number < table::FEEDS_MAX);
        number.ok_or_else(|| {
            backend(format!("it has held {} feeds, more than it can number", self.feeds.len()))
        })
    }

    fn set_feed(&mut self, number: u32, feed: FeedValue) {
        let place = number as usize;
        if self.feeds.len() <= place {
            self.feeds.resize(place + 1, None);
        }
        if let Some(slot) = self.feeds.get_mut(place) {
            self.numbers.insert(feed.origin.clone(), number);
            *slot = Some(feed);
        }
    }

    fn note(&mut self, place: Place, row: &Row) {
        if let Some(id) = row.id() {
            self.ids.insert(id, place);
        }
        if let Some(body) = row.body_hash() {
            self.bodies.insert(body, place);
        }
    }

    fn forget(&mut self, number: u32) {
        if let Some(feed) = self.feeds.get_mut(number as usize).and_then(Option::take) {
            self.numbers.remove(&feed.origin);
        }
        self.ids.forget(number);
        self.bodies.forget(number);
    }
}

/// Changes are numbered from the time of day on, a million for each second: the number tells when, and
/// whoever has followed an earlier catalog sees all of a new one.
pub(crate) fn sequence_of_now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    first_sequence_of(since_1970.as_secs()).max(1)
}

fn remove_rows(tree: &sled::Tree, number: u32) -> sled::Result<()> {
    loop {
        let mut removals = sled::Batch::default();
        let mut count = 0;
        for key in tree
            .range(code::row_key(number, 0)..=code::row_key(number, u64::MAX))
            .keys()
            .take(FORGET_BATCH)
        {
            removals.remove(key?);
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        tree.apply_batch(removals)?;
    }
}

fn backend(reason: String) -> CatalogError {
    CatalogError::Backend { reason }
}

fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, CatalogError> {
    opening::guarded(work).map_err(|unopened| match unopened {
        Unopened::Damaged(reason) | Unopened::Hindered(reason) => backend(reason),
    })
}

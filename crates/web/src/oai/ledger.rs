//! When each record last changed at this node: the catalog's changes, folded to the newest of each record.
//!
//! A change is dated by the catalog when it is applied, with the clock of this machine, never with the
//! time in a statement: what arrives late from a mirror is new here today, whatever its author wrote.
//!
//! **Invariant:** a record that changes after a list was begun is dated at or after the time of that list,
//! so that whoever asks again from that time on gets it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use feed::ports::{Catalog, CatalogError};
use feed::row::{Row, RowOp};
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::name::Origin;

use super::item::Sets;

/// Changes read from the catalog at a time: some hundred kilobytes.
const CHANGES_AT_ONCE: usize = 4_096;

/// Records whose sets are kept in memory, at about 200 bytes.
const SETS_MAX: usize = 1 << 17;

/// Kinds that are about other records and have no title: part of a record's page, no records of a library.
const WITHOUT_TITLE: [Kind; 2] = [Kind::ATTESTATION, Kind::TRANSLATION];

/// The records of all public feeds, by their newest change. About 60 bytes a record.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The newest change taken in.
    after: u64,
    feeds: Vec<Arc<Origin>>,
    numbers: HashMap<Arc<Origin>, u32>,
    newest: HashMap<Key, u64>,
    order: BTreeMap<u64, Key>,
    /// Of records that were read since their newest change.
    sets: HashMap<Key, Sets>,
}

/// The number of a feed, and the first entry in it that speaks of the record.
type Key = (u32, u64);

/// A record and its newest change.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The number of the change.
    pub(super) sequence: u64,
    /// The feed.
    pub(super) origin: Arc<Origin>,
    /// The first entry that speaks of the record.
    pub(super) first: u64,
}

impl Ledger {
    /// Takes in what changed since the last call. May take seconds for a million records, the first time.
    pub(super) fn catch_up(&self, catalog: &dyn Catalog) -> Result<(), CatalogError> {
        loop {
            let mut state = self.state();
            let changes = catalog.changes(state.after, CHANGES_AT_ONCE)?;
            let more = changes.len() == CHANGES_AT_ONCE;
            for (sequence, origin, index) in changes {
                if !origin.feed().is_restricted()
                    && let Some(first) = first_of(catalog, &origin, index)?
                {
                    state.note(sequence, &origin, first);
                }
                state.after = sequence;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The records whose newest change is after `sequence`, oldest first, at most `limit`.
    pub(super) fn after(&self, sequence: u64, limit: usize) -> Vec<Place> {
        let state = self.state();
        let later = state.order.range((Bound::Excluded(sequence), Bound::Unbounded));
        later.take(limit).filter_map(|(sequence, key)| state.place(*sequence, *key)).collect()
    }

    /// The sets of the record at `place`, if they were read since its newest change.
    pub(super) fn sets(&self, place: &Place) -> Option<Sets> {
        let state = self.state();
        state.sets.get(&state.key(place)?).cloned()
    }

    /// Keeps them, so that whoever harvests a small set need not have every record read each time.
    pub(super) fn keep_sets(&self, place: &Place, sets: &Sets) {
        let state = &mut *self.state();
        if let Some(key) = state.key(place) {
            if state.sets.len() >= SETS_MAX {
                state.sets.clear();
            }
            state.sets.insert(key, sets.clone());
        }
    }

    /// One record.
    pub(super) fn find(
        &self,
        catalog: &dyn Catalog,
        origin: &Origin,
        id: &RecordId,
    ) -> Result<Option<Place>, CatalogError> {
        let rows = catalog.rows_of(origin, id)?;
        let state = self.state();
        let key =
            rows.first().zip(state.numbers.get(origin)).map(|((first, _), feed)| (*feed, *first));
        Ok(key.and_then(|key| state.place(*state.newest.get(&key)?, key)))
    }

    /// The oldest change that is the newest of a record.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.state().order.keys().next().copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, sequence: u64, origin: &Origin, first: u64) {
        let feed = match self.numbers.get(origin) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.feeds.len()).unwrap_or(u32::MAX);
                let origin = Arc::new(origin.clone());
                self.feeds.push(Arc::clone(&origin));
                self.numbers.insert(origin, number);
                number
            }
        };
        self.sets.remove(&(feed, first));
        if let Some(before) = self.newest.insert((feed, first), sequence) {
            self.order.remove(&before);
        }
        self.order.insert(sequence, (feed, first));
    }

    /// The key of a place, as long as it is of the newest change.
    fn key(&self, place: &Place) -> Option<Key> {
        let key = (*self.numbers.get(&place.origin)?, place.first);
        (self.newest.get(&key) == Some(&place.sequence)).then_some(key)
    }

    fn place(&self, sequence: u64, (feed, first): Key) -> Option<Place> {
        let origin = Arc::clone(self.feeds.get(usize::try_from(feed).ok()?)?);
        Some(Place { sequence, origin, first })
    }
}

/// The first entry that speaks of the record of this one, if it is a record that is listed.
fn first_of(
    catalog: &dyn Catalog,
    origin: &Origin,
    index: u64,
) -> Result<Option<u64>, CatalogError> {
    let Some(id) = catalog.row(origin, index)?.and_then(|row| row.id()) else { return Ok(None) };
    let rows = catalog.rows_of(origin, &id)?;
    let listed =
        kind_of(&rows).is_some_and(|kind| !kind.is_trust() && !WITHOUT_TITLE.contains(kind));
    Ok(rows.first().map(|(first, _)| *first).filter(|_| listed))
}

/// The kind of a record: that of its first valid version.
pub(super) fn kind_of(rows: &[(u64, Row)]) -> Option<&Kind> {
    let valid = rows.iter().find(|(_, row)| row.valid_version().is_some());
    valid.and_then(|(_, row)| match &row.op {
        RowOp::Publish { kind, .. } => Some(kind),
        _ => None,
    })
}

//! The catalog in memory: what a node falls back to when the disk is full, and what tests compare with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use feed::ports::{Catalog, CatalogError, Clock};
use feed::row::{CatalogBatch, Row, first_sequence_of};
use practice::id::RecordId;
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::catalog::sequence_of_now;

/// A catalog that is gone when it is dropped.
#[derive(Default)]
pub struct MemoryCatalog {
    state: RwLock<State>,
    /// In place of the machine's.
    clock: Option<Arc<dyn Clock>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    feeds: HashMap<Origin, Vec<Row>>,
    /// By ascending sequence.
    changes: Vec<(u64, Origin, u64)>,
    ids: HashMap<RecordId, Vec<(Origin, u64)>>,
    bodies: HashMap<Hash, Vec<(Origin, u64)>>,
    memos: BTreeMap<String, Bytes>,
}

impl MemoryCatalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// What another process would find if this one kept its catalog.
    pub fn restarted(&self) -> Self {
        Self { state: RwLock::new(self.read().clone()), clock: self.clock.clone() }
    }

    /// An empty catalog that takes the time of its changes from `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { state: RwLock::default(), clock: Some(clock) }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for MemoryCatalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryCatalog").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Catalog for MemoryCatalog {
    fn cursor(&self, origin: &Origin) -> Result<u64, CatalogError> {
        Ok(self.read().feeds.get(origin).map_or(0, |rows| rows.len() as u64))
    }

    fn apply(&self, batch: &CatalogBatch) -> Result<(), CatalogError> {
        let state = &mut *self.write();
        let origin = &batch.origin;
        let cursor = state.feeds.get(origin).map_or(0, |rows| rows.len() as u64);
        if batch.from != cursor {
            return Err(CatalogError::OutOfStep {
                origin: origin.clone(),
                cursor,
                from: batch.from,
            });
        }
        let end = cursor + batch.rows.len() as u64;
        if let Some((at, _)) = batch.states.iter().find(|(at, _)| *at >= end) {
            let reason = format!("a state for entry {at} of `{origin}`, which ends at {end}");
            return Err(CatalogError::Backend { reason });
        }
        let now = match &self.clock {
            Some(clock) => first_sequence_of(clock.now()),
            None => sequence_of_now(),
        };
        let last = state.changes.last().map_or(0, |(sequence, ..)| *sequence);
        let mut sequences = now.max(last.saturating_add(1))..;
        let mut note = |at| {
            let sequence = sequences.next().unwrap_or(u64::MAX);
            state.changes.push((sequence, origin.clone(), at));
        };
        let rows = state.feeds.entry(origin.clone()).or_default();
        for (at, row) in (cursor..).zip(&batch.rows) {
            row.id()
                .into_iter()
                .for_each(|id| state.ids.entry(id).or_default().push((origin.clone(), at)));
            row.body_hash()
                .into_iter()
                .for_each(|body| state.bodies.entry(body).or_default().push((origin.clone(), at)));
            note(at);
            rows.push(row.clone());
        }
        for (at, body) in &batch.states {
            if let Some(row) = usize::try_from(*at).ok().and_then(|at| rows.get_mut(at)) {
                row.body = *body;
                if *at < cursor {
                    note(*at);
                }
            }
        }
        Ok(())
    }

    fn row(&self, origin: &Origin, index: u64) -> Result<Option<Row>, CatalogError> {
        Ok(self.read().row(origin, index).cloned())
    }

    fn rows_of(&self, origin: &Origin, id: &RecordId) -> Result<Vec<(u64, Row)>, CatalogError> {
        let state = self.read();
        let places = state.ids.get(id).into_iter().flatten().filter(|(held, _)| held == origin);
        Ok(places.filter_map(|(held, at)| Some((*at, state.row(held, *at)?.clone()))).collect())
    }

    fn rows_with_body(&self, origin: &Origin, body: &Hash) -> Result<Vec<u64>, CatalogError> {
        let state = self.read();
        let places = state.bodies.get(body).into_iter().flatten();
        Ok(places.filter(|(held, _)| held == origin).map(|(_, at)| *at).collect())
    }

    fn feeds_of(&self, id: &RecordId) -> Result<Vec<Origin>, CatalogError> {
        let state = self.read();
        let mut origins: Vec<_> =
            state.ids.get(id).into_iter().flatten().map(|(origin, _)| origin.clone()).collect();
        origins.sort_unstable();
        origins.dedup();
        Ok(origins)
    }

    fn entries_with_body(&self, body: &Hash) -> Result<Vec<(Origin, u64)>, CatalogError> {
        let mut entries = self.read().bodies.get(body).cloned().unwrap_or_default();
        entries.sort_unstable();
        Ok(entries)
    }

    fn changes(&self, after: u64, limit: usize) -> Result<Vec<(u64, Origin, u64)>, CatalogError> {
        let state = self.read();
        let first = state.changes.partition_point(|(sequence, ..)| *sequence <= after);
        Ok(state.changes.iter().skip(first).take(limit).cloned().collect())
    }

    fn last_change(&self) -> Result<u64, CatalogError> {
        Ok(self.read().changes.last().map_or(0, |(sequence, ..)| *sequence))
    }

    fn memo(&self, key: &str) -> Result<Option<Bytes>, CatalogError> {
        Ok(self.read().memos.get(key).cloned())
    }

    fn set_memo(&self, key: &str, value: Option<&[u8]>) -> Result<(), CatalogError> {
        let memos = &mut self.write().memos;
        match value {
            Some(value) => memos.insert(key.to_owned(), Bytes::copy_from_slice(value)),
            None => memos.remove(key),
        };
        Ok(())
    }

    fn forget(&self, origin: &Origin) -> Result<(), CatalogError> {
        let state = &mut *self.write();
        state.feeds.remove(origin);
        state.changes.retain(|(_, of, _)| of != origin);
        state.ids.values_mut().for_each(|places| places.retain(|(of, _)| of != origin));
        state.bodies.values_mut().for_each(|places| places.retain(|(of, _)| of != origin));
        Ok(())
    }
}

impl State {
    fn row(&self, origin: &Origin, index: u64) -> Option<&Row> {
        self.feeds.get(origin)?.get(usize::try_from(index).ok()?)
    }
}

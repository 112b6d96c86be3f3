//! Statement validity: whether an entry has an effect (design 4.2, the first of its two layers).
//!
//! It depends on the earlier entries of the feed and nothing else, so every reader comes to the same
//! answer whatever became of the bodies.

use std::collections::HashMap;

use practice::id::RecordId;
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::ports::{Catalog, CatalogError};
use crate::row::{BodyState, CatalogBatch, Row, RowOp, Validity};
use crate::statement::{Said, Statement};

/// Judges entries in order, over the rows of a catalog and those judged since.
pub struct Judge<'a> {
    catalog: &'a dyn Catalog,
    origin: Origin,
    from: u64,
    rows: Vec<Row>,
    by_id: HashMap<RecordId, Vec<u64>>,
    by_body: HashMap<Hash, Vec<u64>>,
}

impl<'a> Judge<'a> {
    /// Starts where the catalog stands.
    pub fn new(catalog: &'a dyn Catalog, origin: Origin) -> Result<Self, CatalogError> {
        let from = catalog.cursor(&origin)?;
        Ok(Self {
            catalog,
            origin,
            from,
            rows: Vec::new(),
            by_id: HashMap::new(),
            by_body: HashMap::new(),
        })
    }

    /// Index of the next entry.
    pub fn next(&self) -> u64 {
        self.from.saturating_add(self.rows.len() as u64)
    }

    /// Whether `said`, as the next entry, would have an effect.
    pub fn judge(&self, said: &Said) -> Result<Validity, CatalogError> {
        match said {
            Said::Opaque { .. } => Ok(Validity::Opaque),
            Said::Malformed { .. } => Ok(Validity::Malformed),
            Said::Statement(Statement::Publish { id, kind, version, body, .. }) => {
                self.judge_publish(*id, kind.as_str(), *version, body)
            }
            Said::Statement(Statement::Withdraw { id, erase, .. }) => {
                self.judge_withdraw(*id, erase)
            }
        }
    }

    fn judge_publish(
        &self,
        id: RecordId,
        new_kind: &str,
        new_version: u64,
        new_body: &Hash,
    ) -> Result<Validity, CatalogError> {
        for (_, row) in self.rows_of(&id)? {
            if let (RowOp::Publish { kind, version, .. }, Validity::Valid) = (&row.op, row.validity)
            {
                if kind.as_str() != new_kind {
                    return Ok(Validity::KindChanged);
                }
                if *version >= new_version {
                    return Ok(Validity::VersionNotGreater);
                }
            }
        }
        if self.body_was_published(new_body)? {
            Ok(Validity::BodyNotNew)
        } else {
            Ok(Validity::Valid)
        }
    }

    fn judge_withdraw(&self, id: RecordId, erase: &[u64]) -> Result<Validity, CatalogError> {
        let rows = self.rows_of(&id)?;
        if !rows.iter().any(|(_, row)| matches!(row.op, RowOp::Publish { .. })) {
            return Ok(Validity::NothingToWithdraw);
        }
        for index in erase {
            let of_this_id = rows.iter().any(|(at, row)| {
                at == index && matches!(&row.op, RowOp::Publish { kind, .. } if !kind.is_trust())
            });
            if !of_this_id {
                return Ok(Validity::EraseNotAllowed);
            }
        }
        Ok(Validity::Valid)
    }

    /// Adds the next entry, judged, with what became of its body.
    pub fn push(&mut self, said: &Said, body: BodyState) -> Result<Validity, CatalogError> {
        let validity = self.judge(said)?;
        let row = Row { op: row_op(said), validity, body };
        let index = self.next();
        if let Some(id) = row.id() {
            self.by_id.entry(id).or_default().push(index);
        }
        if let Some(body) = row.body_hash() {
            self.by_body.entry(body).or_default().push(index);
        }
        self.rows.push(row);
        Ok(validity)
    }

    /// Where it stands, for [`rewind`](Self::rewind).
    pub fn mark(&self) -> usize {
        self.rows.len()
    }

    /// Forgets what was pushed after `mark`.
    pub fn rewind(&mut self, mark: usize) {
        while self.rows.len() > mark {
            let Some(row) = self.rows.pop() else { return };
            if let Some(indices) = row.id().and_then(|id| self.by_id.get_mut(&id)) {
                indices.pop();
            }
            if let Some(indices) = row.body_hash().and_then(|body| self.by_body.get_mut(&body)) {
                indices.pop();
            }
        }
    }

    /// All rows of an id so far, by index.
    pub fn rows_of(&self, id: &RecordId) -> Result<Vec<(u64, Row)>, CatalogError> {
        let mut rows = self.catalog.rows_of(&self.origin, id)?;
        for index in self.by_id.get(id).into_iter().flatten() {
            if let Some(row) = self.pending(*index) {
                rows.push((*index, row.clone()));
            }
        }
        Ok(rows)
    }

    /// Every entry so far whose body has one of the hashes of the bodies at `indices`: what an
    /// erasure of those destroys. Records of trust stay: a feed could not explain itself without.
    pub fn same_bodies(&self, indices: &[u64]) -> Result<Vec<u64>, CatalogError> {
        let mut all = Vec::new();
        for index in indices {
            let Some(hash) = self.row(*index)?.and_then(|row| row.body_hash()) else { continue };
            let same = self.with_body(&hash)?;
            for at in same {
                let row = self.row(at)?;
                let trust = row.is_some_and(
                    |row| matches!(row.op, RowOp::Publish { kind, .. } if kind.is_trust()),
                );
                if !trust {
                    all.push(at);
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Whether the last entry names a body that was destroyed before (or is about to be: `erased`), and
    /// so must not come back with it. A record of trust may.
    pub fn revives_erased(&self, erased: &[u64]) -> Result<bool, CatalogError> {
        let Some(last) = self.next().checked_sub(1) else { return Ok(false) };
        let Some(hash) = self.pending(last).and_then(Row::body_hash) else { return Ok(false) };
        let mut found = false;
        for at in self.with_body(&hash)? {
            let row = self.row(at)?;
            found |= erased.contains(&at) || row.is_some_and(|row| row.body == BodyState::Erased);
        }
        Ok(found && self.same_bodies(&[last])?.contains(&last))
    }

    /// The batch for the catalog, with the states that changed.
    pub fn into_batch(self, states: Vec<(u64, BodyState)>) -> CatalogBatch {
        CatalogBatch { origin: self.origin, from: self.from, rows: self.rows, states }
    }

    fn row(&self, index: u64) -> Result<Option<Row>, CatalogError> {
        match self.pending(index) {
            Some(row) => Ok(Some(row.clone())),
            None => self.catalog.row(&self.origin, index),
        }
    }

    fn pending(&self, index: u64) -> Option<&Row> {
        self.rows.get(usize::try_from(index.checked_sub(self.from)?).ok()?)
    }

    /// Every entry so far that names this body.
    fn with_body(&self, body: &Hash) -> Result<Vec<u64>, CatalogError> {
        let mut indices = self.catalog.rows_with_body(&self.origin, body)?;
        indices.extend(self.by_body.get(body).into_iter().flatten());
        Ok(indices)
    }

    fn body_was_published(&self, body: &Hash) -> Result<bool, CatalogError> {
        for index in self.with_body(body)? {
            if matches!(self.row(index)?, Some(Row { op: RowOp::Publish { .. }, .. })) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn row_op(said: &Said) -> RowOp {
    match said {
        Said::Statement(Statement::Publish { id, kind, version, body, .. }) => {
            RowOp::Publish { id: *id, kind: kind.clone(), version: *version, body: *body }
        }
        Said::Statement(Statement::Withdraw { id, erase, .. }) => {
            RowOp::Withdraw { id: *id, erases: !erase.is_empty() }
        }
        Said::Opaque { body } => RowOp::Opaque { body: *body },
        Said::Malformed { body } => RowOp::Unreadable { body: *body },
    }
}

//! Statement validity: whether an entry has an effect (design 4.2, the first of its two layers).
//!
//! It depends on the earlier entries of the feed and nothing else, so every reader comes to the same
//! answer whatever became of the bodies.

use std::collections::{HashMap, HashSet};

use practice::id::RecordId;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::ports::{Catalog, CatalogError};
use crate::row::{BodyState, CatalogBatch, Row, RowOp, Validity};
use crate::statement::{Said, Statement};

/// Judges entries in order, over the rows of a catalog and those judged since. The catalog is asked once for each
/// id and each body: a feed may name the same a hundred thousand times.
pub struct Judge<'a> {
    catalog: &'a dyn Catalog,
    origin: Origin,
    from: u64,
    rows: Vec<Row>,
    by_id: HashMap<RecordId, Vec<u64>>,
    by_body: HashMap<Hash, Vec<u64>>,
    /// What the catalog says.
    ids: HashMap<RecordId, OfId>,
    bodies: HashMap<Hash, OfBody>,
    /// Bodies that withdrawals among those judged here destroy.
    erased: HashSet<Hash>,
}

/// What earlier entries say of an id.
#[derive(Clone, Default)]
struct OfId {
    /// Whether any entry published it, valid or not.
    published: bool,
    /// Kind and version of the newest valid entry: each valid version is greater than all before.
    newest: Option<(Kind, u64)>,
}

/// What earlier entries say of a body.
#[derive(Clone, Copy, Default)]
struct OfBody {
    published: bool,
    erased: bool,
}

impl OfId {
    fn with(mut self, row: &Row) -> Self {
        if let RowOp::Publish { kind, version, .. } = &row.op {
            self.published = true;
            if row.validity == Validity::Valid {
                self.newest = Some((kind.clone(), *version));
            }
        }
        self
    }
}

impl OfBody {
    fn with(self, row: &Row) -> Self {
        Self {
            published: self.published || matches!(row.op, RowOp::Publish { .. }),
            erased: self.erased || row.body == BodyState::Erased,
        }
    }
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
            ids: HashMap::new(),
            bodies: HashMap::new(),
            erased: HashSet::new(),
        })
    }

    /// Index of the next entry.
    pub fn next(&self) -> u64 {
        self.from.saturating_add(self.rows.len() as u64)
    }

    /// Whether `said`, as the next entry, would have an effect.
    pub fn judge(&mut self, said: &Said) -> Result<Validity, CatalogError> {
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
        &mut self,
        id: RecordId,
        new_kind: &str,
        new_version: u64,
        new_body: &Hash,
    ) -> Result<Validity, CatalogError> {
        match self.of_id(&id)?.newest {
            Some((kind, _)) if kind.as_str() != new_kind => Ok(Validity::KindChanged),
            Some((_, version)) if version >= new_version => Ok(Validity::VersionNotGreater),
            _ if self.of_body(new_body)?.published => Ok(Validity::BodyNotNew),
            _ => Ok(Validity::Valid),
        }
    }

    fn judge_withdraw(&mut self, id: RecordId, erase: &[u64]) -> Result<Validity, CatalogError> {
        if !self.of_id(&id)?.published {
            return Ok(Validity::NothingToWithdraw);
        }
        for index in erase {
            let of_this_id = self.row(*index)?.is_some_and(|row| {
                let may = matches!(&row.op, RowOp::Publish { kind, .. } if !kind.is_trust());
                may && row.id() == Some(id)
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

    fn of_id(&mut self, id: &RecordId) -> Result<OfId, CatalogError> {
        let held = match self.ids.get(id) {
            Some(held) => held.clone(),
            None => {
                let rows = self.catalog.rows_of(&self.origin, id)?;
                let held = rows.iter().fold(OfId::default(), |of, (_, row)| of.with(row));
                self.ids.insert(*id, held.clone());
                held
            }
        };
        let since = self.by_id.get(id).into_iter().flatten();
        Ok(since.filter_map(|index| self.pending(*index)).fold(held, OfId::with))
    }

    fn of_body(&mut self, body: &Hash) -> Result<OfBody, CatalogError> {
        let held = match self.bodies.get(body) {
            Some(held) => *held,
            None => {
                let mut held = OfBody::default();
                for index in self.catalog.rows_with_body(&self.origin, body)? {
                    held =
                        self.catalog.row(&self.origin, index)?.map_or(held, |row| held.with(&row));
                }
                self.bodies.insert(*body, held);
                held
            }
        };
        let since = self.by_body.get(body).into_iter().flatten();
        Ok(since.filter_map(|index| self.pending(*index)).fold(held, OfBody::with))
    }

    /// Every entry so far whose body has one of the hashes of the bodies at `indices`, which a withdrawal
    /// destroys. Records of trust stay: a feed could not explain itself without.
    pub fn erase(&mut self, indices: &[u64]) -> Result<Vec<u64>, CatalogError> {
        let mut all = Vec::new();
        for index in indices {
            let Some(hash) = self.row(*index)?.and_then(|row| row.body_hash()) else { continue };
            if self.erased.contains(&hash) {
                continue;
            }
            let same = self.with_body(&hash)?;
            for at in same {
                if !self.row(at)?.is_some_and(|row| is_trust(&row)) {
                    self.erased.insert(hash);
                    all.push(at);
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Whether the last entry names a body that was destroyed before, or is about to be, and so must not come
    /// back with it. A record of trust may.
    pub fn revives_erased(&mut self) -> Result<bool, CatalogError> {
        let Some(last) = self.rows.last().filter(|row| !is_trust(row)) else { return Ok(false) };
        let Some(hash) = last.body_hash() else { return Ok(false) };
        Ok(self.erased.contains(&hash) || self.of_body(&hash)?.erased)
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
}

fn is_trust(row: &Row) -> bool {
    matches!(&row.op, RowOp::Publish { kind, .. } if kind.is_trust())
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

//! What was applied and is not written to sled yet.
//!
//! sled writes its log out twice for every batch, however small, so commits of one record each are gathered
//! here. A crash forgets them, and the core applies them again from the heads, for the cursor that sled
//! has is as old as its rows.

use std::collections::HashMap;

use feed::row::Row;

use super::table::Place;

/// Rows that are gathered: a page of them is written in about the time of one, and applied again in
/// milliseconds after a crash. With their changes some 100 KiB.
pub(super) const ROWS_MAX: usize = 256;

/// Writes that wait for each other.
#[derive(Debug, Default)]
pub(super) struct Pending {
    writes: sled::Batch,
    waits: bool,
    rows: HashMap<Place, Row>,
}

impl Pending {
    /// How many rows wait.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of an entry, if it waits.
    pub(super) fn row(&self, place: Place) -> Option<&Row> {
        self.rows.get(&place)
    }

    /// Takes the row of an entry in, with its key and value.
    pub(super) fn insert_row(&mut self, place: Place, row: Row, key: &[u8], value: Vec<u8>) {
        self.rows.insert(place, row);
        self.insert(key, value);
    }

    /// Takes anything else in: what is said of a feed, a change.
    pub(super) fn insert(&mut self, key: &[u8], value: Vec<u8>) {
        self.writes.insert(key, value);
        self.waits = true;
    }

    /// Writes all of it at once. What could not be written still waits.
    pub(super) fn write_to(&mut self, tree: &sled::Tree) -> sled::Result<()> {
        if self.waits {
            tree.apply_batch(self.writes.clone())?;
            *self = Self::default();
        }
        Ok(())
    }
}

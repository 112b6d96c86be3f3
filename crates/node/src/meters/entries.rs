//! What kinds of entries the public feeds have: counted on from where the last scrape ended.

use std::collections::BTreeMap;

use feed::feeds::Feeds;
use feed::row::{Row, RowOp, Validity};
use practice::kind::Kind;
use tlog::name::Origin;

use super::feeds::public;
use super::figure::Figure;

/// Rows read for one scrape, so that it takes no longer than some tens of milliseconds: a million entries are
/// counted after some 50 scrapes of a node that has just started.
const ROWS_MAX: u64 = 20_000;

/// The word for kinds that this release does not know; anybody may make such up.
const OTHER: &str = "other";

/// The word for withdrawals.
const WITHDRAWAL: &str = "withdrawal";

/// The word for what has no effect: no statement, an invalid one, or one of a later release.
const WITHOUT_EFFECT: &str = "without-effect";

/// How far each feed was counted, and what was found.
#[derive(Debug, Default)]
pub(super) struct Entries {
    feeds: BTreeMap<Origin, Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    next: u64,
    kinds: BTreeMap<String, u64>,
    set_apart: u64,
}

impl Entries {
    /// Goes on counting.
    pub(super) fn count(&mut self, feeds: &Feeds) {
        let held: Vec<Origin> = public(feeds).collect();
        self.feeds.retain(|origin, _| held.contains(origin));
        let mut left = ROWS_MAX;
        for origin in held {
            let Ok(end) = feeds.catalog().cursor(&origin) else { continue };
            let counted = self.feeds.entry(origin.clone()).or_default();
            if counted.next > end {
                // Forgotten and begun anew since.
                *counted = Counted::default();
            }
            let until = end.min(counted.next.saturating_add(left));
            left = left.saturating_sub(until.saturating_sub(counted.next));
            for index in counted.next..until {
                // A row that cannot be read is counted once it can.
                let Ok(Some(row)) = feeds.catalog().row(&origin, index) else { break };
                counted.add(&row);
                counted.next = index.saturating_add(1);
            }
        }
    }

    pub(super) fn figures(&self) -> [Figure; 2] {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for (kind, count) in self.feeds.values().flat_map(|counted| &counted.kinds) {
            let sum = kinds.entry(kind).or_default();
            *sum = sum.saturating_add(*count);
        }
        let set_apart = self.feeds.values().map(|counted| counted.set_apart).sum::<u64>();
        let lines = kinds.into_iter().map(|(kind, count)| (vec![("kind", kind.to_owned())], count));
        [
            Figure::counter("entries", "Entries of public feeds by the kind of record").lines(lines),
            Figure::counter(
                "quarantine_entries",
                "Entries of public feeds set apart as they came: no effect, or a body that is invalid",
            )
            .value(set_apart),
        ]
    }
}

impl Counted {
    fn add(&mut self, row: &Row) {
        let kind = match &row.op {
            RowOp::Publish { kind, .. } if Kind::ALL.contains(kind) => kind.as_str(),
            RowOp::Publish { .. } => OTHER,
            RowOp::Withdraw { .. } => WITHDRAWAL,
            RowOp::Opaque { .. } | RowOp::Unreadable { .. } => WITHOUT_EFFECT,
        };
        match self.kinds.get_mut(kind) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.kinds.insert(kind.to_owned(), 1)),
        }
        if row.validity != Validity::Valid || row.body.is_invalid() {
            self.set_apart = self.set_apart.saturating_add(1);
        }
    }
}

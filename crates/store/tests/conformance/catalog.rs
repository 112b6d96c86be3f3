//! What a `Catalog` promises.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use feed::ports::{Catalog, CatalogError, Clock};
use feed::row::{BodyState, CatalogBatch, Row, RowOp, Validity, first_sequence_of, second_of};
use practice::id::RecordId;
use practice::kind::Kind;
use store::catalog::SledCatalog;
use store::memory::MemoryCatalog;
use tempfile::TempDir;
use tlog::hash::Hash;
use tlog::name::Origin;

/// Each line of the suite, once for each catalog.
macro_rules! judged {
    ($($name:ident)+) => {
        mod on_sled {
            $(#[test] fn $name() {
                let directory = super::TempDir::new().unwrap();
                super::$name(&super::SledCatalog::open(directory.path().join("catalog")).unwrap());
            })+
        }
        mod in_memory {
            $(#[test] fn $name() { super::$name(&super::MemoryCatalog::new()); })+
        }
    };
}

judged! {
    rows_come_back_by_place_id_and_body
    a_batch_that_does_not_start_at_the_cursor_has_no_effect
    states_change_below_the_cursor_and_within_a_batch
    changes_come_in_order_and_in_parts
    a_change_tells_the_second_in_which_it_was_applied
    memos_are_set_and_removed
    a_forgotten_feed_starts_again_and_leaves_others_alone
    many_callers_are_served_at_once
}

pub(crate) fn origin(name: &str) -> Origin {
    Origin::parse(name).unwrap()
}

pub(crate) fn id(number: u64) -> RecordId {
    RecordId::from_random_bytes(*Hash::of(number.to_be_bytes()).as_bytes().first_chunk().unwrap())
}

pub(crate) fn body(number: u64) -> Hash {
    Hash::of(format!("body {number}"))
}

/// A version of record `record` with body `of`.
pub(crate) fn publish(record: u64, version: u64, of: u64) -> Row {
    let op = RowOp::Publish { id: id(record), kind: Kind::GOOD_PRACTICE, version, body: body(of) };
    Row { op, validity: Validity::Valid, body: BodyState::Held }
}

pub(crate) fn withdraw(record: u64) -> Row {
    let op = RowOp::Withdraw { id: id(record), erases: true };
    Row { op, validity: Validity::Valid, body: BodyState::None }
}

pub(crate) fn batch(
    feed: &str,
    from: u64,
    rows: Vec<Row>,
    states: Vec<(u64, BodyState)>,
) -> CatalogBatch {
    CatalogBatch { origin: origin(feed), from, rows, states }
}

const ONE: &str = "one.example/public";
const TWO: &str = "two.example/public";

fn rows_come_back_by_place_id_and_body(catalog: &dyn Catalog) {
    let opaque = Row {
        op: RowOp::Opaque { body: Some(body(9)) },
        validity: Validity::Opaque,
        body: BodyState::Missing,
    };
    let unreadable = Row {
        op: RowOp::Unreadable { body: None },
        validity: Validity::Malformed,
        body: BodyState::None,
    };
    let rows =
        vec![publish(1, 1, 1), publish(2, 1, 2), withdraw(1), opaque, unreadable, publish(1, 4, 9)];
    assert_eq!(catalog.cursor(&origin(ONE)).unwrap(), 0);
    catalog.apply(&batch(ONE, 0, rows[..2].to_vec(), vec![])).unwrap();
    catalog.apply(&batch(TWO, 0, vec![publish(1, 7, 1)], vec![])).unwrap();
    catalog.apply(&batch(ONE, 2, rows[2..].to_vec(), vec![])).unwrap();
    catalog.apply(&batch(ONE, 6, vec![], vec![])).unwrap();
    assert_eq!(catalog.cursor(&origin(ONE)).unwrap(), 6);
    for (index, row) in (0..).zip(&rows) {
        assert_eq!(catalog.row(&origin(ONE), index).unwrap().as_ref(), Some(row));
    }
    for beyond in [6, 7, 1 << 40, u64::MAX] {
        assert_eq!(catalog.row(&origin(ONE), beyond).unwrap(), None);
    }
    assert_eq!(catalog.row(&origin("three.example/public"), 0).unwrap(), None);
    let of_one = catalog.rows_of(&origin(ONE), &id(1)).unwrap();
    assert_eq!(of_one, [(0, rows[0].clone()), (2, rows[2].clone()), (5, rows[5].clone())]);
    assert_eq!(catalog.rows_of(&origin(TWO), &id(2)).unwrap(), []);
    assert_eq!(catalog.rows_with_body(&origin(ONE), &body(9)).unwrap(), [3, 5]);
    assert!(catalog.rows_with_body(&origin(TWO), &body(9)).unwrap().is_empty());
    assert_eq!(catalog.feeds_of(&id(1)).unwrap(), [origin(ONE), origin(TWO)]);
    assert_eq!(catalog.feeds_of(&id(3)).unwrap(), []);
    assert_eq!(catalog.entries_with_body(&body(1)).unwrap(), [(origin(ONE), 0), (origin(TWO), 0)]);
}

fn a_batch_that_does_not_start_at_the_cursor_has_no_effect(catalog: &dyn Catalog) {
    catalog.apply(&batch(ONE, 0, vec![publish(1, 1, 1), publish(2, 1, 2)], vec![])).unwrap();
    for from in [0, 1, 3, u64::MAX] {
        let refused =
            catalog.apply(&batch(ONE, from, vec![publish(3, 1, 3)], vec![(0, BodyState::Erased)]));
        assert!(matches!(refused, Err(CatalogError::OutOfStep { cursor: 2, .. })));
    }
    let beyond =
        catalog.apply(&batch(ONE, 2, vec![publish(3, 1, 3)], vec![(3, BodyState::Erased)]));
    assert!(beyond.is_err());
    assert!(catalog.apply(&batch(TWO, 1, vec![], vec![])).is_err());
    assert_eq!(catalog.cursor(&origin(ONE)).unwrap(), 2);
    assert_eq!(catalog.feeds_of(&id(3)).unwrap(), []);
    assert_eq!(catalog.row(&origin(ONE), 0).unwrap(), Some(publish(1, 1, 1)));
    assert_eq!(catalog.changes(0, 100).unwrap().len(), 2);
}

fn states_change_below_the_cursor_and_within_a_batch(catalog: &dyn Catalog) {
    catalog
        .apply(&batch(
            ONE,
            0,
            vec![publish(1, 1, 1), publish(1, 2, 2)],
            vec![(1, BodyState::Missing)],
        ))
        .unwrap();
    let newest = catalog.changes(0, 100).unwrap().pop().unwrap().0;
    let states = vec![(0, BodyState::Erased), (1, BodyState::Held), (2, BodyState::InvalidKey)];
    catalog.apply(&batch(ONE, 2, vec![publish(1, 3, 3)], states)).unwrap();
    let states: Vec<_> = catalog
        .rows_of(&origin(ONE), &id(1))
        .unwrap()
        .into_iter()
        .map(|(_, row)| row.body)
        .collect();
    assert_eq!(states, [BodyState::Erased, BodyState::Held, BodyState::InvalidKey]);
    let mut changed: Vec<_> =
        catalog.changes(newest, 100).unwrap().into_iter().map(|(_, _, index)| index).collect();
    changed.sort_unstable();
    assert_eq!(changed, [0, 1, 2]);
}

fn changes_come_in_order_and_in_parts(catalog: &dyn Catalog) {
    for from in 0..10 {
        let feed = if from % 2 == 0 { ONE } else { TWO };
        catalog.apply(&batch(feed, from / 2, vec![publish(from, 1, from)], vec![])).unwrap();
    }
    let all = catalog.changes(0, 100).unwrap();
    assert!(all.is_sorted_by(|one, other| one.0 < other.0));
    let places: Vec<_> = all.iter().map(|(_, origin, index)| (origin.clone(), *index)).collect();
    assert_eq!(
        places,
        (0..10).map(|n| (origin(if n % 2 == 0 { ONE } else { TWO }), n / 2)).collect::<Vec<_>>()
    );
    let mut parts = Vec::new();
    while let Some(part) =
        Some(catalog.changes(parts.last().map_or(0, |(last, ..): &(u64, _, _)| *last), 3).unwrap())
    {
        if part.is_empty() {
            break;
        }
        parts.extend(part);
    }
    assert_eq!(parts, all);
    assert_eq!(catalog.changes(u64::MAX, 3).unwrap(), []);
}

fn a_change_tells_the_second_in_which_it_was_applied(catalog: &dyn Catalog) {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    catalog.apply(&batch(ONE, 0, vec![publish(1, 1, 1), publish(2, 1, 2)], vec![])).unwrap();
    // Nothing changes, and nothing is numbered.
    catalog.apply(&batch(ONE, 2, vec![], vec![])).unwrap();
    catalog.apply(&batch(ONE, 2, vec![], vec![(0, BodyState::Erased)])).unwrap();
    let changes = catalog.changes(0, 100).unwrap();
    let places: Vec<u64> = changes.iter().map(|(_, _, index)| *index).collect();
    assert_eq!(places, [0, 1, 0]);
    let after = now();
    for (sequence, ..) in changes {
        let second = second_of(sequence);
        assert!((before..=after).contains(&second), "{second} is not in {before} to {after}");
        assert!(first_sequence_of(second) <= sequence && sequence < first_sequence_of(second + 1));
    }
}

#[test]
fn a_clock_that_goes_back_takes_no_number_back() {
    let clock = Arc::new(SetClock(AtomicU64::new(1_000)));
    let catalog = MemoryCatalog::with_clock(clock.clone());
    catalog.apply(&batch(ONE, 0, vec![publish(1, 1, 1)], vec![])).unwrap();
    clock.0.store(900, Ordering::Relaxed);
    catalog.apply(&batch(ONE, 1, vec![publish(2, 1, 2)], vec![])).unwrap();
    clock.0.store(2_000, Ordering::Relaxed);
    catalog.apply(&batch(ONE, 2, vec![publish(3, 1, 3)], vec![])).unwrap();
    let changes = catalog.changes(0, 100).unwrap();
    assert!(changes.is_sorted_by(|one, other| one.0 < other.0));
    let seconds: Vec<u64> = changes.iter().map(|(sequence, ..)| second_of(*sequence)).collect();
    assert_eq!(seconds, [1_000, 1_000, 2_000]);
}

struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn memos_are_set_and_removed(catalog: &dyn Catalog) {
    assert_eq!(catalog.memo("peer/one").unwrap(), None);
    catalog.set_memo("peer/one", Some(b"a")).unwrap();
    catalog.set_memo("peer/one", Some(b"b")).unwrap();
    catalog.set_memo("", Some(b"")).unwrap();
    assert_eq!(catalog.memo("peer/one").unwrap().as_deref(), Some(&b"b"[..]));
    assert_eq!(catalog.memo("").unwrap().as_deref(), Some(&b""[..]));
    catalog.set_memo("peer/one", None).unwrap();
    catalog.set_memo("never", None).unwrap();
    assert_eq!(catalog.memo("peer/one").unwrap(), None);
}

fn a_forgotten_feed_starts_again_and_leaves_others_alone(catalog: &dyn Catalog) {
    catalog.apply(&batch(ONE, 0, (0..10).map(|n| publish(n, 1, n)).collect(), vec![])).unwrap();
    catalog.apply(&batch(TWO, 0, (0..10).map(|n| publish(n, 1, n)).collect(), vec![])).unwrap();
    let newest = catalog.changes(0, 100).unwrap().pop().unwrap().0;
    for _ in 0..2 {
        catalog.forget(&origin(ONE)).unwrap();
        assert_eq!(catalog.cursor(&origin(ONE)).unwrap(), 0);
        assert_eq!(catalog.row(&origin(ONE), 3).unwrap(), None);
    }
    assert_eq!(catalog.feeds_of(&id(3)).unwrap(), [origin(TWO)]);
    assert_eq!(catalog.entries_with_body(&body(3)).unwrap(), [(origin(TWO), 3)]);
    assert!(catalog.changes(0, 100).unwrap().iter().all(|(_, feed, _)| *feed == origin(TWO)));
    catalog.apply(&batch(ONE, 0, vec![publish(3, 5, 5)], vec![])).unwrap();
    assert_eq!(catalog.rows_of(&origin(ONE), &id(3)).unwrap(), [(0, publish(3, 5, 5))]);
    let changes = catalog.changes(newest, 100).unwrap();
    assert_eq!(
        changes.iter().map(|(_, feed, index)| (feed.clone(), *index)).collect::<Vec<_>>(),
        [(origin(ONE), 0)]
    );
}

fn many_callers_are_served_at_once(catalog: &dyn Catalog) {
    std::thread::scope(|scope| {
        for node in 0..4 {
            scope.spawn(move || {
                let feed = format!("node-{node}.example/public");
                for from in 0..100 {
                    catalog
                        .apply(&batch(&feed, from, vec![publish(from, 1, from)], vec![]))
                        .unwrap();
                    assert_eq!(catalog.rows_of(&origin(&feed), &id(from)).unwrap().len(), 1);
                    assert!(!catalog.feeds_of(&id(from / 2)).unwrap().is_empty());
                }
            });
        }
    });
    assert_eq!(catalog.feeds_of(&id(50)).unwrap().len(), 4);
    assert_eq!(catalog.changes(0, 1_000).unwrap().len(), 400);
}

/// Fills a catalog with `rounds` of everything, the same every time.
pub(crate) fn fill(catalog: &dyn Catalog, rounds: u64) {
    for round in 0..rounds {
        let feed = format!("node-{}.example/public", round % 3);
        let from = catalog.cursor(&origin(&feed)).unwrap();
        let rows: Vec<_> = (0..round % 7)
            .map(|n| {
                if n == 5 {
                    withdraw(round % 11)
                } else {
                    publish((round + n) % 23, round, round * 7 + n)
                }
            })
            .collect();
        let states = if from > 2 {
            vec![(round % from, BodyState::Erased), (from - 1, BodyState::Missing)]
        } else {
            vec![]
        };
        let states = if from > 2 && round % from == from - 1 { vec![] } else { states };
        catalog.apply(&batch(&feed, from, rows, states)).unwrap();
        if round % 40 == 39 {
            catalog.forget(&origin("node-2.example/public")).unwrap();
        }
    }
}

/// Whether two catalogs say the same of a feed, in everything that `fill` could have written.
pub(crate) fn same_feed(one: &dyn Catalog, other: &dyn Catalog, origin: &Origin) -> bool {
    let cursor = one.cursor(origin).unwrap();
    cursor == other.cursor(origin).unwrap()
        && (0..=cursor)
            .all(|index| one.row(origin, index).unwrap() == other.row(origin, index).unwrap())
        && (0..24)
            .map(id)
            .all(|id| one.rows_of(origin, &id).unwrap() == other.rows_of(origin, &id).unwrap())
}

/// Asserts that two catalogs answer the same.
pub(crate) fn agree(one: &dyn Catalog, other: &dyn Catalog) {
    for node in 0..3 {
        assert!(same_feed(one, other, &origin(&format!("node-{node}.example/public"))));
    }
    for record in 0..24 {
        assert_eq!(one.feeds_of(&id(record)).unwrap(), other.feeds_of(&id(record)).unwrap());
    }
    let places = |catalog: &dyn Catalog| {
        let changes = catalog.changes(0, usize::MAX).unwrap();
        let mut places: Vec<_> =
            changes.into_iter().map(|(_, origin, index)| (origin, index)).collect();
        places.sort();
        places
    };
    assert_eq!(places(one), places(other));
}

#[test]
fn sled_and_memory_agree_before_and_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let open = |path: &Path| Arc::new(SledCatalog::open(path.join("catalog")).unwrap());
    let memory = MemoryCatalog::new();
    fill(&memory, 300);
    let sled = open(directory.path());
    fill(&*sled, 300);
    agree(&*sled, &memory);
    drop(sled);
    let sled = open(directory.path());
    agree(&*sled, &memory);
    sled.apply(&batch(ONE, 0, vec![publish(1, 1, 1)], vec![])).unwrap();
    let changes = sled.changes(0, usize::MAX).unwrap();
    assert_eq!(changes.last().map(|(_, feed, _)| feed.clone()), Some(origin(ONE)));
}

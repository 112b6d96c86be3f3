//! A catalog opens after everything that can happen to its files: as it was, as it had been, or empty.

use std::fs;
use std::path::{Path, PathBuf};

use feed::ports::Catalog as _;
use feed::row::BodyState;
use store::catalog::SledCatalog;
use store::memory::MemoryCatalog;
use tempfile::TempDir;

use crate::catalog::{agree, batch, fill, id, origin, publish, same_feed};

const ROUNDS: u64 = 60;

fn filled(path: &Path) {
    fill(&SledCatalog::open(path).unwrap(), ROUNDS);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What a filled catalog was after each round.
fn history() -> Vec<MemoryCatalog> {
    let filled_to = |rounds| {
        let memory = MemoryCatalog::new();
        fill(&memory, rounds);
        memory
    };
    (0..=ROUNDS).map(filled_to).collect()
}

/// Opens it and requires of each feed that it is as it was after some round, so that the core can go on from
/// its cursor; then fills it up. Says whether nothing was lost.
fn whole_or_earlier(path: &Path, history: &[MemoryCatalog]) -> bool {
    let catalog = SledCatalog::open(path).unwrap();
    let whole = history.last().unwrap();
    let lost = (0..3).filter(|node| {
        let origin = origin(&format!("node-{node}.example/public"));
        assert!(history.iter().any(|earlier| same_feed(&catalog, earlier, &origin)), "{origin}");
        !same_feed(&catalog, whole, &origin)
    });
    let lost = lost.count();
    for node in 0..3 {
        catalog.forget(&origin(&format!("node-{node}.example/public"))).unwrap();
    }
    fill(&catalog, ROUNDS);
    agree(&catalog, whole);
    lost == 0
}

#[test]
fn a_catalog_that_was_open_when_the_machine_stopped_is_begun_anew() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("catalog");
    filled(&path);
    assert!(whole_or_earlier(&path, &history()));
    let state = fs::read_to_string(path.join("state")).unwrap();
    let [version, boot, left] = state.lines().collect::<Vec<_>>()[..] else { panic!("{state}") };
    assert_eq!(left, "closed");
    for (state, whole) in [
        (format!("{version}\nanother boot\nclosed\n"), true),
        (format!("{version}\n{boot}\nopen\n"), true),
        (format!("{version}\nanother boot\nopen\n"), false),
        (format!("{version}0\n{boot}\nclosed\n"), false),
        (format!("{version}\n{boot}\n"), false),
        (String::new(), false),
    ] {
        fs::write(path.join("state"), &state).unwrap();
        assert_eq!(whole_or_earlier(&path, &history()), whole, "{state}");
    }
    fs::remove_file(path.join("state")).unwrap();
    assert!(!whole_or_earlier(&path, &history()));
}

#[test]
fn rows_that_wait_are_seen_at_once_and_only_a_crash_loses_them() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("catalog");
    let crashed = |name: &str| {
        let place = directory.path().join(name);
        copy(&path, &place);
        SledCatalog::open(place).unwrap()
    };
    let (one, two) = (origin("one.example/public"), origin("two.example/public"));
    let catalog = SledCatalog::open(&path).unwrap();
    catalog.apply(&batch(one.as_str(), 0, vec![publish(1, 1, 1)], vec![])).unwrap();
    catalog.apply(&batch(two.as_str(), 0, vec![publish(1, 1, 2)], vec![])).unwrap();
    assert_eq!(catalog.row(&one, 0).unwrap(), Some(publish(1, 1, 1)));
    assert_eq!(catalog.feeds_of(&id(1)).unwrap(), [one.clone(), two.clone()]);
    assert_eq!(crashed("at first").cursor(&one).unwrap(), 0);
    assert_eq!(catalog.changes(0, 9).unwrap().len(), 2);
    catalog.apply(&batch(one.as_str(), 1, vec![], vec![(0, BodyState::Missing)])).unwrap();
    assert_eq!(catalog.row(&one, 0).unwrap().unwrap().body, BodyState::Missing);
    for version in 2..=300 {
        let row = publish(1, version, version * 7);
        catalog.apply(&batch(one.as_str(), version - 1, vec![row], vec![])).unwrap();
    }
    let held = crashed("after many").cursor(&one).unwrap();
    assert!(held < 300, "{held}");
    drop(catalog);
    let catalog = SledCatalog::open(&path).unwrap();
    assert_eq!(catalog.cursor(&one).unwrap(), 300);
    assert_eq!(catalog.rows_of(&one, &id(1)).unwrap().len(), 300);
    // A feed that was forgotten takes nothing that waits with it.
    catalog.apply(&batch(two.as_str(), 1, vec![publish(2, 1, 3)], vec![])).unwrap();
    catalog.apply(&batch("six.example/public", 0, vec![publish(2, 1, 4)], vec![])).unwrap();
    catalog.forget(&two).unwrap();
    drop(catalog);
    let catalog = SledCatalog::open(&path).unwrap();
    assert_eq!(catalog.feeds_of(&id(2)).unwrap(), [origin("six.example/public")]);
}

#[test]
fn a_half_written_snapshot_does_not_stop_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("catalog");
    filled(&path);
    fs::write(path.join("snap.00000000000000FF.generating"), "half of it").unwrap();
    fs::write(path.join("snap.00000000000000FE"), "half of it").unwrap();
    whole_or_earlier(&path, &history());
}

#[test]
fn a_new_catalog_counts_its_changes_from_beyond_the_old_one() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("catalog");
    filled(&path);
    let newest = SledCatalog::open(&path).unwrap().changes(0, usize::MAX).unwrap().pop().unwrap().0;
    fs::remove_file(path.join("state")).unwrap();
    let catalog = SledCatalog::open(&path).unwrap();
    catalog.apply(&batch("one.example/public", 0, vec![publish(1, 1, 1)], vec![])).unwrap();
    // Both begin at the second in which they were made; this one may be the same second.
    assert!(catalog.changes(0, 1).unwrap()[0].0 + (1 << 20) > newest);
}

/// Every 97th byte of every file flipped, and every file cut short at many places.
#[test]
fn whatever_is_damaged_it_opens_whole_or_earlier() {
    let directory = TempDir::new().unwrap();
    let original = directory.path().join("original");
    filled(&original);
    let history = history();
    let files: Vec<PathBuf> =
        fs::read_dir(&original).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<_> = files.into_iter().filter(|path| path.is_file()).collect();
    let mut trials = (0, 0);
    for file in &files {
        let bytes = fs::read(file).unwrap();
        // What sled reserved and never wrote is zero to the end.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let flips = (0..used).step_by((used / 24).max(1)).map(|at| {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            damaged
        });
        let cuts = (0..used).step_by((used / 6).max(1)).map(|end| bytes[..end].to_vec());
        for damaged in flips.chain(cuts) {
            let path = directory.path().join("damaged");
            let _ = fs::remove_dir_all(&path);
            copy(&original, &path);
            fs::write(path.join(file.file_name().unwrap()), damaged).unwrap();
            trials.0 += 1;
            trials.1 += u32::from(whole_or_earlier(&path, &history));
        }
    }
    println!("{} damaged catalogs, {} opened whole", trials.0, trials.1);
}

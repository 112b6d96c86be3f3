//! What only a directory can do wrong: foreign contents, leftovers of a kill, torn appends, no room.

use std::fs;
use std::path::{Path, PathBuf};

use feed::ports::{CommitError, Fact, FeedStore, HighWater, StoreError};
use store::facts::{Directory, OpenError};
use tempfile::TempDir;
use tlog::hash::Hash;

use crate::author::Author;
use crate::facts::{publish, seal};

const HEAD: &str = "facts/one.example/public/head";

fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_directory_of_another_format_is_refused_and_left_alone() {
    let data = TempDir::new().unwrap();
    for found in ["jopoi 2\n", "jopoi 1", "jopoi 1\n\n", "", "\u{1b}[31m"] {
        fs::write(data.path().join("format"), found).unwrap();
        let error = Directory::open(data.path()).unwrap_err();
        assert!(matches!(error, OpenError::Format { .. }), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
        assert_eq!(files_below(data.path()).len(), 1);
    }
}

#[test]
fn a_directory_full_of_other_things_is_refused() {
    let data = TempDir::new().unwrap();
    fs::create_dir_all(data.path().join("facts/one.example/public")).unwrap();
    assert!(matches!(Directory::open(data.path()), Err(OpenError::Foreign { .. })));
    assert!(!Directory::exists(data.path()));
}

#[test]
fn settings_and_keys_may_be_there_before_the_first_start() {
    let data = TempDir::new().unwrap();
    fs::create_dir(data.path().join("keys")).unwrap();
    fs::write(data.path().join("jopoi.toml"), "").unwrap();
    drop(Directory::open(data.path()).unwrap());
    assert!(Directory::exists(data.path()));
    Directory::open(data.path()).unwrap();
}

#[test]
fn nobody_else_may_read_what_a_node_keeps() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("a/b");
    let _store = Directory::open(&data).unwrap();
    for name in ["", "facts", "keys", "decisions", "high-water", "witness"] {
        assert_eq!(
            fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777,
            0o700,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_a_kill_left_staged_is_deleted_at_open_and_nothing_else() {
    let data = TempDir::new().unwrap();
    let mut author = Author::of("one.example/public");
    let store = Directory::open(data.path()).unwrap();
    publish(&store, &mut author, 300).await;
    seal(&store, &mut author).await;
    drop(store);
    let files = files_below(data.path());
    let feed = data.path().join("facts/one.example/public");
    for leftover in ["head#0", "head#12", "segment/001#1", "segment/000#3"] {
        fs::write(feed.join(leftover), "half of it").unwrap();
    }
    fs::create_dir_all(data.path().join("facts/two.example/public#0/segment")).unwrap();
    fs::write(data.path().join("decisions/network#0"), "half of it").unwrap();
    let store = Directory::open(data.path()).unwrap();
    assert_eq!(files_below(data.path()), files);
    publish(&store, &mut author, 1).await;
}

#[tokio::test]
async fn an_append_torn_at_any_byte_leaves_the_commit_before_it() {
    let data = TempDir::new().unwrap();
    let mut author = Author::of("one.example/public");
    let store = Directory::open(data.path()).unwrap();
    publish(&store, &mut author, 2).await;
    let before = author.mark.unwrap();
    publish(&store, &mut author, 3).await;
    drop(store);
    let whole = fs::read(data.path().join(HEAD)).unwrap();
    let first = usize::try_from(before.bytes).unwrap();
    for end in first..whole.len() {
        fs::write(data.path().join(HEAD), &whole[..end]).unwrap();
        let store = Directory::open(data.path()).unwrap();
        let head = store.fact(&author.origin, &Fact::Head).await.unwrap().unwrap();
        assert_eq!(feed::head::mark(&head), Some(before));
        // Nothing is appended to what was not judged.
        if end > first {
            let mut other = Author::of("one.example/public");
            other.take(other.stage(2));
            let step = other.stage(1).advance;
            assert!(matches!(store.commit(&step).await, Err(CommitError::Conflict { .. })));
            assert_eq!(fs::metadata(data.path().join(HEAD)).unwrap().len(), end as u64);
        }
        store.cut(&author.origin, before.bytes).await.unwrap();
        assert_eq!(fs::metadata(data.path().join(HEAD)).unwrap().len(), before.bytes);
    }
    println!("{} torn appends", whole.len() - first);
}

#[tokio::test]
async fn no_room_for_a_new_head_is_a_refusal_and_the_old_head_stays() {
    let data = TempDir::new().unwrap();
    let mut author = Author::of("one.example/public");
    let store = Directory::open(data.path()).unwrap();
    publish(&store, &mut author, 300).await;
    let held = fs::read(data.path().join(HEAD)).unwrap();
    // Whatever is written there finds the disk full.
    std::os::unix::fs::symlink("/dev/full", data.path().join(format!("{HEAD}#0"))).unwrap();
    let sealed = author.seal().unwrap();
    match store.commit(&sealed.advance).await {
        Err(CommitError::Refused(StoreError::Full { what, .. })) => assert_eq!(what, HEAD),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(data.path().join(HEAD)).unwrap(), held);
    // There is room again.
    store.commit(&sealed.advance).await.unwrap();
}

#[tokio::test]
async fn a_high_water_file_that_is_copied_or_damaged_is_noticed() {
    let data = TempDir::new().unwrap();
    let origin = Author::of("one.example/public").origin;
    let store = Directory::open(data.path()).unwrap();
    assert_eq!(store.high_water_is_at_home(&origin).await.unwrap(), None);
    store.set_high_water(&origin, HighWater { size: 5, root: Hash::EMPTY_ROOT }).await.unwrap();
    assert_eq!(store.high_water_is_at_home(&origin).await.unwrap(), Some(true));
    let path = files_below(&data.path().join("high-water")).remove(0);
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    assert_eq!(store.high_water_is_at_home(&origin).await.unwrap(), Some(false));
    assert_eq!(store.high_water(&origin).await.unwrap().unwrap().size, 5);
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(store.high_water(&origin).await.is_err());
        fs::write(&path, &bytes[..at]).unwrap();
        assert!(store.high_water(&origin).await.is_err());
    }
}

#[tokio::test]
async fn something_endless_in_place_of_an_object_is_not_read_into_memory() {
    let data = TempDir::new().unwrap();
    let mut author = Author::of("one.example/public");
    let store = Directory::open(data.path()).unwrap();
    publish(&store, &mut author, 300).await;
    seal(&store, &mut author).await;
    for name in ["head", "segment/000"] {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(data.path().join("facts/one.example/public").join(name));
        file.unwrap().set_len(1 << 40).unwrap();
    }
    for fact in [Fact::Head, Fact::Segment(0)] {
        let error = store.fact(&author.origin, &fact).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
}

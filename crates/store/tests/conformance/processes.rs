//! Two processes: this test program runs itself again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use feed::ports::{CommitError, Fact, FeedStore, StoreError};
use store::facts::{Directory, OpenError};
use tempfile::TempDir;

use crate::author::Author;
use crate::facts::publish;

/// Where a child finds the directory to work in.
const DATA: &str = "STORE_CONFORMANCE_DATA";

/// Runs one of the tests below in another process, with a largest file size in KiB if one is given.
fn child(test: &str, data: &Path, limit: Option<u64>) -> Output {
    // Over the limit a process gets a signal first; one that ignores it gets an error.
    let limit = limit.map_or_else(String::new, |limit| format!("trap '' XFSZ; ulimit -f {limit};"));
    let script = format!("{limit} exec \"$0\" --exact processes::{test} --nocapture");
    let program = std::env::current_exe().unwrap();
    // `ulimit -f` of a plain `sh` counts 512 bytes, that of bash 1,024.
    Command::new("bash").arg("-c").arg(script).arg(program).env(DATA, data).output().unwrap()
}

fn data_of_a_child() -> Option<std::path::PathBuf> {
    std::env::var_os(DATA).map(Into::into)
}

#[test]
fn a_second_process_is_told_which_one_holds_the_directory() {
    if let Some(data) = data_of_a_child() {
        let error = Directory::open(&data).unwrap_err();
        assert!(matches!(error, OpenError::Locked { .. }), "{error}");
        println!("{error}");
        return;
    }
    let data = TempDir::new().unwrap();
    let store = Directory::open(data.path()).unwrap();
    let output = child("a_second_process_is_told_which_one_holds_the_directory", data.path(), None);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("in use by the process {}", std::process::id())), "{said}");
    assert!(said.contains(&data.path().display().to_string()), "{said}");
    // In this process too.
    assert!(matches!(Directory::open(data.path()), Err(OpenError::Locked { .. })));
    drop(store);
    Directory::open(data.path()).unwrap();
}

#[tokio::test]
async fn an_append_that_finds_no_room_is_refused_and_leaves_no_torn_bytes() {
    if let Some(data) = data_of_a_child() {
        let mut author = Author::of("one.example/public");
        let store = Directory::open(&data).unwrap();
        publish(&store, &mut author, 1).await;
        let refusal = loop {
            let staged = author.stage(7);
            match store.commit(&staged.advance).await {
                Ok(()) => author.take(staged),
                Err(error) => break error,
            }
        };
        assert!(matches!(refusal, CommitError::Refused(StoreError::Full { .. })), "{refusal:?}");
        let head = store.fact(&author.origin, &Fact::Head).await.unwrap().unwrap();
        assert_eq!(feed::head::mark(&head), author.mark);
        assert_eq!(head.len() as u64, author.mark.unwrap().bytes);
        let decided = store.set_decision("network", Some(vec![b' '; 100_000].into())).await;
        assert!(matches!(decided, Err(StoreError::Full { .. })), "{decided:?}");
        assert!(store.decisions().await.unwrap().is_empty());
        println!("stopped at {} entries", author.size());
        return;
    }
    let data = TempDir::new().unwrap();
    let output = child(
        "an_append_that_finds_no_room_is_refused_and_leaves_no_torn_bytes",
        data.path(),
        Some(32),
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    let size: u64 = said
        .lines()
        .find_map(|line| line.strip_prefix("stopped at ")?.split(' ').next()?.parse().ok())
        .unwrap();
    // With room it goes on from there.
    let mut author = Author::of("one.example/public");
    author.take(author.stage(1));
    while author.size() < size {
        author.take(author.stage(7));
    }
    let store = Directory::open(data.path()).unwrap();
    publish(&store, &mut author, 7).await;
    let length = fs::metadata(data.path().join("facts/one.example/public/head")).unwrap().len();
    assert_eq!(length, author.mark.unwrap().bytes);
}

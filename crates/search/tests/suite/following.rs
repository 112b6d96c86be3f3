//! The index follows the catalog, through restarts and rebuilds.

use feed::search::{Progress, Search as _};
use search::{Index, Indexer};
use serde_json::json;
use std::sync::Arc;

use crate::stand::{Stand, practice};

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_old_one() {
    let stand = Stand::new().await;
    let first = stand.publish(practice(&[("en", "Before", "Old words")], json!({}))).await;
    let again = practice(&[("en", "After", "New words")], json!({}));
    stand.publish_as(Some(first.id), first.kind.clone(), again).await;
    assert_eq!(stand.titles("words"), ["After"]);
    stand.withdraw(&first.id, false).await;
    assert!(stand.titles("words").is_empty());
    let revived = practice(&[("en", "Again", "Words")], json!({}));
    stand.publish_as(Some(first.id), first.kind, revived).await;
    assert_eq!(stand.titles("words"), ["Again"]);
    let Progress { sequence, of } = stand.index.progress();
    assert!(sequence > 0 && sequence == of);
}

#[tokio::test]
async fn an_index_opened_again_goes_on_and_a_damaged_one_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let stand = Stand::in_directory(directory.path()).await;
    stand.publish(practice(&[("en", "One", "Words")], json!({}))).await;
    let reached = stand.index.progress().sequence;
    let Stand { feeds, index, indexer, .. } = stand;
    // The feeds keep the first index alive, and with it its lock: what it wrote is copied elsewhere.
    drop((index, indexer));
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let opened = Index::open(copy.path()).unwrap();
    assert_eq!(opened.progress().sequence, reached);
    drop(opened);
    std::fs::write(copy.path().join("meta.json"), "{}").unwrap();
    let anew = Index::open(copy.path()).unwrap();
    assert_eq!(anew.progress().sequence, 0);
    Indexer::new(Arc::clone(&feeds), anew.clone()).catch_up().await.unwrap();
    assert_eq!(anew.search(&crate::stand::words_of("words")).unwrap().total, 1);
}

#[tokio::test]
async fn a_feed_that_was_forgotten_is_found_no_more() {
    let stand = Stand::new().await;
    stand.publish(practice(&[("en", "One", "Words")], json!({}))).await;
    stand.feeds.catalog().forget(&stand.origin).unwrap();
    let again = Indexer::new(Arc::clone(&stand.feeds), stand.index.clone());
    again.catch_up().await.unwrap();
    assert!(stand.titles("words").is_empty());
}

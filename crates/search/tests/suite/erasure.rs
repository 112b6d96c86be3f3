//! What is withdrawn, restricted or erased.

use std::path::Path;

use feed::search::{Facet, Query, Withdrawn};
use serde_json::json;

use crate::stand::{Stand, practice, titles, words_of};

/// A word that stands in no other file.
const SECRET: &str = "zzyzxquartermain";

/// Whether a word stands in any file below `directory`.
fn stands_in(directory: &Path, word: &str) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

#[tokio::test]
async fn a_withdrawn_record_is_found_by_its_facets_when_asked_for_and_without_its_words() {
    let stand = Stand::new().await;
    let gone = stand
        .publish(practice(&[("en", "Gone", "Words")], json!({"topics": ["tracking-tools"]})))
        .await;
    stand.publish(practice(&[("en", "Here", "Words")], json!({}))).await;
    stand.withdraw(&gone.id, false).await;
    assert_eq!(stand.titles("words"), ["Here"]);
    let only = Query {
        withdrawn: Withdrawn::Only,
        limit: 9,
        count: vec![Facet::Topic],
        ..Query::default()
    };
    let hits = stand.search(&only);
    assert_eq!((hits.total, hits.hits[0].id, hits.hits[0].withdrawn), (1, gone.id, true));
    assert!(hits.hits[0].title.is_empty() && hits.hits[0].excerpt.is_empty());
    assert_eq!(hits.counts[&Facet::Topic], [("tracking-tools".to_owned(), 1)]);
    assert_eq!(
        stand.search(&Query { withdrawn: Withdrawn::With, limit: 9, ..Query::default() }).total,
        2
    );
}

#[tokio::test]
async fn after_an_erasure_no_word_stands_in_any_file_of_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let stand = Stand::in_directory(directory.path()).await;
    let topic = json!({"topics": ["tracking-tools"]});
    let text = practice(&[("en", SECRET, "Summary")], topic);
    let erased = stand.publish(text).await;
    stand.publish(practice(&[("en", "Here", "Words")], json!({}))).await;
    assert!(stands_in(directory.path(), SECRET));
    // Before the index has followed: the erasure itself waits for it.
    let withdrawal = feed::feeds::Withdrawal { reason: "data-protection".to_owned(), erase: true };
    let public = tlog::name::FeedName::public();
    stand.feeds.withdraw(&public, &erased.id, &withdrawal).await.unwrap();
    assert!(!stands_in(directory.path(), SECRET));
    stand.indexer.catch_up().await.unwrap();
    assert!(!stands_in(directory.path(), SECRET));
    let counts = vec![Facet::Topic, Facet::State, Facet::Kind];
    let hits = stand.search(&Query {
        withdrawn: Withdrawn::Only,
        limit: 9,
        count: counts,
        ..Query::default()
    });
    assert_eq!(hits.total, 1);
    assert!(hits.counts[&Facet::Topic].is_empty());
    assert_eq!(hits.counts[&Facet::State], [("PY".to_owned(), 1)]);
    assert_eq!(hits.counts[&Facet::Kind], [("good-practice".to_owned(), 1)]);
    assert_eq!(stand.titles("words"), ["Here"]);
}

#[tokio::test]
async fn who_asks_for_erased_records_finds_them_by_every_filter_they_may_have_had() {
    let stand = Stand::new().await;
    // About another State than that of its node.
    let about = json!({"states": ["PT"], "topics": ["tracking-tools"]});
    let erased = stand.publish(practice(&[("pt", "Apagada", "Texto")], about)).await;
    let withdrawn = stand.publish(practice(&[("en", "Gone", "Words")], json!({}))).await;
    stand.publish(practice(&[("en", "Here", "Words")], json!({}))).await;
    stand.withdraw(&erased.id, true).await;
    stand.withdraw(&withdrawn.id, false).await;
    let found = |facet: Facet, value: &str, erased| {
        let facets = vec![(facet, value.to_owned())];
        let query =
            Query { facets, erased, withdrawn: Withdrawn::With, limit: 9, ..Query::default() };
        stand.search(&query).hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    for (facet, value) in [
        (Facet::State, "PT"),
        (Facet::Region, "weog"),
        (Facet::Topic, "tracking-tools"),
        (Facet::Language, "pt"),
        (Facet::Kind, "good-practice"),
        (Facet::Feed, stand.origin.as_ref()),
    ] {
        assert!(found(facet, value, true).contains(&erased.id), "{facet:?}");
    }
    // What is still known of it decides, and of a record that was not erased everything is.
    assert_eq!(found(Facet::Kind, "resource", true), []);
    assert_eq!(found(Facet::Node, "other.test", true), []);
    assert_eq!(found(Facet::Topic, "legal-basis", true), [erased.id]);
    assert_eq!(found(Facet::State, "PT", false), []);
}

#[tokio::test]
async fn a_restricted_feed_is_found_by_those_alone_who_may_read_it() {
    let stand = Stand::new().await;
    let origin =
        stand.publish_restricted(practice(&[("en", "Among us", "Confidential")], json!({}))).await;
    let mut query = words_of("confidential");
    query.count = Facet::ALL.to_vec();
    let hits = stand.search(&query);
    assert_eq!(hits.total, 0);
    assert!(hits.counts.values().all(Vec::is_empty), "{:?}", hits.counts);
    query.facets = vec![(Facet::Feed, origin.to_string())];
    let hits = stand.search(&query);
    assert!(hits.total == 0 && hits.without.is_empty());
    query.readable = vec![origin];
    assert_eq!(titles(&stand.search(&query)), ["Among us"]);
}

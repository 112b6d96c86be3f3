//! What readers type in seven languages, over the sample records and a set in all seven.

use feed::feeds::Publication;
use feed::search::Query;
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::FeedName;

use crate::stand::{Stand, practice, titles};

/// Records in all seven languages, invented: `key`, `states`, and a title and a summary for each language.
const RECORDS: &str = include_str!("records.jsonl");
/// The sample records, each in its own language.
const CORPUS: &str = include_str!("../../../practice/corpus/practices.jsonl");
/// Hits among which the expected one must be.
const FIRST: usize = 3;
/// Queries that each language has at least.
const QUERIES_MIN: usize = 40;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn invented(record: &Value) -> Value {
    let texts: Vec<_> = record["texts"].as_object().unwrap().iter().collect();
    let texts: Vec<_> = texts
        .iter()
        .map(|(tag, texts)| (tag.as_str(), texts[0].as_str().unwrap(), texts[1].as_str().unwrap()))
        .collect();
    practice(&texts, json!({"states": record["states"]}))
}

fn of_corpus(record: &Value) -> Value {
    let texts = [(text(record, "language"), text(record, "title"), text(record, "summary"))];
    practice(&texts, json!({"states": record["states"]}))
}

/// A node with all of them.
async fn stand() -> Stand {
    let stand = Stand::new().await;
    let (records, corpus) = (lines(RECORDS), lines(CORPUS));
    let subjects = records.iter().map(invented).chain(corpus.iter().map(of_corpus));
    let publications = subjects
        .map(|subject| Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None })
        .collect();
    stand.feeds.publish(&FeedName::public(), publications).await.unwrap();
    stand.indexer.catch_up().await.unwrap();
    stand
}

/// The title that is expected, in the reader's language.
fn expected<'a>(records: &'a [Value], language: &str, name: &'a str) -> &'a str {
    let known = records.iter().find(|record| text(record, "key") == name);
    known.and_then(|record| record["texts"][language][0].as_str()).unwrap_or(name)
}

async fn all_are_found(language: &str, queries: &str) {
    let stand = stand().await;
    let records = lines(RECORDS);
    let queries: Vec<_> = queries
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(" => ").unwrap())
        .collect();
    assert!(queries.len() >= QUERIES_MIN, "only {} queries", queries.len());
    let mut missed = Vec::new();
    for (words, name) in &queries {
        let query = Query {
            text: (*words).to_owned(),
            reader: language.to_owned(),
            limit: FIRST,
            ..Query::default()
        };
        let found = titles(&stand.search(&query));
        let wanted = expected(&records, language, name);
        if !found.iter().any(|title| title == wanted) {
            missed.push(format!("{words}: `{wanted}` is not among {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), queries.len(), missed.join("\n"));
}

#[tokio::test]
async fn readers_of_english_find_what_they_look_for() {
    all_are_found("en", include_str!("en.txt")).await;
}

#[tokio::test]
async fn readers_of_french_find_what_they_look_for() {
    all_are_found("fr", include_str!("fr.txt")).await;
}

#[tokio::test]
async fn readers_of_spanish_find_what_they_look_for() {
    all_are_found("es", include_str!("es.txt")).await;
}

#[tokio::test]
async fn readers_of_portuguese_find_what_they_look_for() {
    all_are_found("pt", include_str!("pt.txt")).await;
}

#[tokio::test]
async fn readers_of_russian_find_what_they_look_for() {
    all_are_found("ru", include_str!("ru.txt")).await;
}

#[tokio::test]
async fn readers_of_arabic_find_what_they_look_for() {
    all_are_found("ar", include_str!("ar.txt")).await;
}

#[tokio::test]
async fn readers_of_chinese_find_what_they_look_for() {
    all_are_found("zh", include_str!("zh.txt")).await;
}

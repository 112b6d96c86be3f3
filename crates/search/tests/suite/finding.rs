//! What a query finds, and how it is shown.

use feed::search::{Facet, Order, Part, Query, Search as _, SearchError};
use practice::kind::Kind;
use serde_json::json;

use crate::stand::{Stand, practice, titles, words_of};

async fn three() -> Stand {
    let stand = Stand::new().await;
    let spanish =
        ("es", "Plataforma SIMORE", "Seguimiento de las recomendaciones en una plataforma abierta");
    let english = ("en", "SIMORE platform", "Follow-up to recommendations on an open platform");
    stand
        .publish(practice(
            &[spanish, english],
            json!({"topics": ["tracking-tools"], "sdgs": ["16.6"]}),
        ))
        .await;
    let french = ("fr", "Comité interministériel", "Le comité coordonne la rédaction des rapports");
    stand
        .publish(practice(&[french], json!({"states": ["MA"], "period": {"from": "2019-05"}})))
        .await;
    let only_english = ("en", "Open data", "An open list of recommendations");
    stand
        .publish(practice(&[only_english], json!({"states": ["MV"], "capacities": ["engagement"]})))
        .await;
    stand
}

#[tokio::test]
async fn every_word_must_be_found_and_a_record_is_one_hit_in_however_many_languages() {
    let stand = three().await;
    assert_eq!(stand.titles("simore"), ["SIMORE platform"]);
    assert_eq!(stand.titles("recommendations open platform"), ["SIMORE platform"]);
    assert_eq!(stand.titles("open -platform"), ["Open data"]);
    assert_eq!(stand.titles("\"open platform\""), ["SIMORE platform"]);
    assert_eq!(stand.titles("coord*"), ["Comité interministériel"]);
    assert!(stand.titles("!!!").is_empty());
}

#[tokio::test]
async fn the_readers_language_stands_first_and_the_language_found_is_named() {
    let stand = three().await;
    let mut query = words_of("simore");
    query.reader = "es".to_owned();
    let hits = stand.search(&query);
    assert_eq!(titles(&hits), ["Plataforma SIMORE"]);
    assert_eq!(hits.hits[0].language, "es");
    assert_eq!(hits.hits[0].title[1], Part::Marked("SIMORE".to_owned()));
    query.text = "comité".to_owned();
    assert_eq!(stand.search(&query).hits[0].language, "fr");
}

#[tokio::test]
async fn the_name_of_a_state_in_any_language_finds_its_records() {
    let stand = three().await;
    assert_eq!(stand.titles("Парагвай"), ["SIMORE platform"]);
    assert_eq!(stand.titles("المغرب"), ["Comité interministériel"]);
}

#[tokio::test]
async fn facets_narrow_and_are_counted_without_their_own_choice() {
    let stand = three().await;
    let query = Query {
        facets: vec![(Facet::State, "PY".to_owned()), (Facet::State, "MA".to_owned())],
        count: vec![
            Facet::State,
            Facet::Region,
            Facet::Situation,
            Facet::Sdg,
            Facet::Year,
            Facet::Language,
        ],
        limit: 10,
        ..Query::default()
    };
    let hits = stand.search(&query);
    assert_eq!(hits.total, 2);
    let counts = |facet| {
        let counts = hits.counts[&facet].iter();
        counts.map(|(value, count)| format!("{value} {count}")).collect::<Vec<_>>()
    };
    assert_eq!(counts(Facet::State), ["MA 1", "MV 1", "PY 1"]);
    assert_eq!(counts(Facet::Region), ["african 1", "grulac 1"]);
    assert_eq!(counts(Facet::Situation), ["lldc 1"]);
    assert_eq!(counts(Facet::Sdg), ["16 1", "16.6 1"]);
    assert_eq!(counts(Facet::Year), ["2019 1", "2026 1"]);
    assert_eq!(counts(Facet::Language), ["en 1", "es 1", "fr 1"]);
}

#[tokio::test]
async fn nothing_found_says_which_filter_to_drop() {
    let stand = three().await;
    let mut query = words_of("platform");
    query.facets =
        vec![(Facet::State, "MV".to_owned()), (Facet::Capacity, "coordination".to_owned())];
    let hits = stand.search(&query);
    assert_eq!(hits.total, 0);
    assert_eq!(hits.without, [(Facet::State, "MV".to_owned(), 1)]);
}

#[tokio::test]
async fn without_words_the_newest_stands_first_and_pages_follow_each_other() {
    let stand = three().await;
    let mut query = Query { limit: 2, reader: "en".to_owned(), ..Query::default() };
    assert_eq!(titles(&stand.search(&query)), ["Open data", "Comité interministériel"]);
    query.offset = 2;
    assert_eq!(titles(&stand.search(&query)), ["SIMORE platform"]);
    let newest = Query { order: Order::Newest, ..words_of("open") };
    assert_eq!(titles(&stand.search(&newest)), ["Open data", "SIMORE platform"]);
}

#[tokio::test]
async fn the_practices_that_answer_a_recommendation_are_found_by_what_was_pasted() {
    let stand = three().await;
    let answers =
        json!({"recommendations": [{"symbol": "A/HRC/46/17", "paragraph": "122.35, 122.36"}]});
    stand.publish(practice(&[("en", "It answers", "Something else entirely")], answers)).await;
    assert_eq!(stand.titles("a/hrc/46/17"), ["It answers"]);
    assert_eq!(stand.titles("A/HRC/46/17 para. 122.36"), ["It answers"]);
    let pasted = "122.35 Continue publishing recommendations on an open platform (A/HRC/46/17, para. 122.35)";
    assert_eq!(stand.titles(pasted), ["It answers"]);
    // Nobody answers this one: what it speaks of is looked for.
    assert_eq!(stand.titles(&pasted.replace("46/17", "99/1"))[0], "SIMORE platform");
}

#[tokio::test]
async fn what_speaks_of_a_record_is_found_by_it() {
    let stand = three().await;
    let about = stand.publish(practice(&[("en", "Asked", "About")], json!({}))).await;
    let note = json!({"about": {"feed": stand.origin, "id": about.id}, "relation": "comments",
        "note": {"en": "A remark about it"}, "states": ["PY"]});
    let attested = stand.publish_as(None, Kind::ATTESTATION, note).await;
    assert!(stand.titles("remark").is_empty(), "attestations are in the way of what they speak of");
    let mentions = Some((stand.origin.clone(), about.id));
    let hits = stand.search(&Query { mentions, limit: 10, ..Query::default() });
    assert_eq!(hits.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [attested.id]);
}

#[tokio::test]
async fn a_query_over_a_limit_is_refused_and_an_absurd_one_is_answered() {
    let stand = three().await;
    let long = words_of(&"x".repeat(Query::BYTES_MAX + 1));
    assert!(matches!(stand.index.search(&long), Err(SearchError::TooLong { .. })));
    let absurd = [
        "\u{202e}simore",
        "AND OR NOT",
        "title:simore",
        "[a TO z]",
        "\"",
        "*",
        "-",
        "a\0b",
        "<b>x</b>",
        "((((",
        "~1^2",
    ];
    for words in absurd {
        stand.search(&words_of(words));
    }
    let full = words_of(&"recommendations ".repeat(Query::BYTES_MAX / 16));
    assert_eq!(stand.search(&full).total, 2);
    let mut unknown = words_of("");
    unknown.facets = vec![(Facet::State, "<script>".to_owned()), (Facet::Group, "x".to_owned())];
    assert_eq!(stand.search(&unknown).total, 0);
}

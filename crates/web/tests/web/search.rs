//! Searching: the page, JSON, the table, and the whole collection as one file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use feed::search::{
    Facet, Hit, Hits, Order, Part, Progress, Query, Search, SearchError, Withdrawn,
};
use http::StatusCode;
use practice::id::RecordId;
use serde_json::json;
use tlog::name::Origin;
use wire::paths;

use crate::stand::{Answered, Stand, practice};

/// An index that answers what it was given, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Given {
    hits: Hits,
    asked: Mutex<Vec<Query>>,
}

impl Search for Given {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        if query.offset > Query::OFFSET_MAX {
            let (given, most) = (query.offset, Query::OFFSET_MAX);
            return Err(SearchError::TooLong { what: "the offset", given, most });
        }
        self.asked.lock().unwrap().push(query.clone());
        Ok(self.hits.clone())
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

impl Given {
    fn last(&self) -> Query {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }
}

fn hit(origin: &Origin, id: RecordId, index: u64) -> Hit {
    Hit {
        origin: origin.clone(),
        index,
        id,
        language: "ar".to_owned(),
        title: vec![Part::Plain("آلية ".to_owned()), Part::Marked("<b>وطنية".to_owned())],
        excerpt: vec![Part::Marked("=cmd".to_owned()), Part::Plain(", \"x\"".to_owned())],
        states: vec!["XA".to_owned()],
        withdrawn: false,
        changed: 1_795_435_200,
        score: 1.0,
    }
}

/// A node with one record, an index that finds it, and what that index was asked.
async fn found_one() -> (Stand, Arc<Given>, RecordId) {
    let mut stand = Stand::new().await;
    let mut subject = practice("Uno");
    subject["recommendations"] = json!([{ "symbol": "A/HRC/47/9", "paragraph": "123.45" }]);
    let published = stand.publish(subject).await;
    let counts = BTreeMap::from([
        (Facet::State, vec![("PY".to_owned(), 9), ("AR".to_owned(), 3), ("BO".to_owned(), 5)]),
        (Facet::Topic, vec![("legal-basis".to_owned(), 2), ("unlisted".to_owned(), 1)]),
        (Facet::Year, vec![("2019".to_owned(), 2), ("2024".to_owned(), 1)]),
    ]);
    let hits = vec![hit(&stand.origin, published.id, published.index)];
    let given =
        Given { hits: Hits { total: 45, hits, counts, without: Vec::new() }, ..Given::default() };
    let given = Arc::new(given);
    stand.app.search = Some(Arc::clone(&given) as Arc<dyn Search>);
    (stand, given, published.id)
}

fn holds(page: &Answered, parts: &[&str]) {
    for part in parts {
        assert!(page.text().contains(part), "no `{part}` in {}", page.text());
    }
}

#[tokio::test]
async fn what_was_found_is_shown_in_its_own_language_and_escaped() {
    let (stand, given, id) = found_one().await;
    let page = stand.get("/search?q=hello&topic=legal-basis&lang=fr").await;
    assert_eq!(page.status, StatusCode::OK);
    let href =
        format!("href=\"{}?lang=fr\" lang=\"ar\" dir=\"rtl\"", paths::record(&stand.origin, &id));
    holds(
        &page,
        &[&href, "<mark>&#60;b&#62;وطنية</mark>", "Trouvé en arabe", "45 fiches", "Bonne pratique"],
    );
    let query = given.last();
    assert_eq!((query.text.as_str(), query.reader.as_str()), ("hello", "fr"));
    assert_eq!(query.facets, [(Facet::Topic, "legal-basis".to_owned())]);
    assert!(query.readable.is_empty() && query.withdrawn == Withdrawn::Without);
    assert_eq!((query.offset, query.limit, query.order), (0, 20, Order::Relevance));
}

#[tokio::test]
async fn filters_are_links_with_counts_and_can_be_dropped() {
    let (stand, _, _) = found_one().await;
    let page = stand.get("/search?q=hello&topic=legal-basis&page=2").await;
    holds(
        &page,
        &[
            // Chosen: as a chip, and in its list.
            "href=\"/search?q=hello\" rel=\"nofollow\"><span class=\"unseen\">Drop the filter",
            "<span>Topics: \u{2068}Legal basis and mandate\u{2069}</span>",
            "href=\"/search?q=hello\" rel=\"nofollow\" aria-current=\"true\"><bdi>Legal basis and mandate",
            // Not chosen.
            "href=\"/search?q=hello&#38;topic=legal-basis&#38;state=PY\" rel=\"nofollow\"><bdi>Paraguay</bdi></a> <span class=\"count\">(9)",
            "<bdi>unlisted</bdi>",
            // Two ways to turn the page.
            "href=\"/search?q=hello&#38;topic=legal-basis\" rel=\"prev\"",
            "href=\"/search?q=hello&#38;topic=legal-basis&#38;page=3\" rel=\"next\"",
            "Page 2 of 3",
            "href=\"/search.csv?q=hello&#38;topic=legal-basis\"",
            // The form keeps the filter, not the page.
            "<input type=\"hidden\" name=\"topic\" value=\"legal-basis\">",
        ],
    );
    assert!(!page.text().contains("name=\"page\""));
    // States by the alphabet, never by their numbers; years from the newest.
    let place = |name: &str| page.text().find(name).unwrap();
    assert!(
        place("<bdi>Argentina") < place("<bdi>Bolivia")
            && place("<bdi>Bolivia") < place("<bdi>Paraguay")
    );
    assert!(place("<bdi>2024") < place("<bdi>2019"));
}

#[tokio::test]
async fn nothing_found_says_what_to_drop() {
    let mut stand = Stand::new().await;
    let without = vec![(Facet::State, "PY".to_owned(), 12)];
    let given = Given { hits: Hits { without, ..Hits::default() }, ..Given::default() };
    stand.app.search = Some(Arc::new(given));
    let page = stand.get("/search?q=hello&state=PY&year=1999").await;
    holds(
        &page,
        &[
            "No record matches all of this.",
            "href=\"/search?q=hello&#38;year=1999\" rel=\"nofollow\">Without “State: Paraguay”</a> <span class=\"count\">(12)",
            "href=\"/search\">All records",
        ],
    );
    let bare = stand.get("/search?q=hello").await;
    assert_eq!(bare.status, StatusCode::OK);
}

#[tokio::test]
async fn of_several_values_in_one_filter_all_can_be_dropped_at_once() {
    /// Finds something only where no State is chosen.
    struct NoState;
    impl Search for NoState {
        fn search(&self, query: &Query) -> Result<Hits, SearchError> {
            let chosen = query.facets.iter().any(|(facet, _)| *facet == Facet::State);
            Ok(Hits { total: if chosen { 0 } else { 7 }, ..Hits::default() })
        }
        fn progress(&self) -> Progress {
            Progress::default()
        }
    }
    let mut stand = Stand::new().await;
    stand.app.search = Some(Arc::new(NoState));
    let page = stand.get("/search?q=hello&state=PY&state=PT&year=1999").await;
    holds(
        &page,
        &[
            "href=\"/search?q=hello&#38;year=1999\" rel=\"nofollow\">Without “State”</a> <span class=\"count\">(7)",
        ],
    );
}

#[tokio::test]
async fn a_recommendation_is_recognised_and_who_answers_it_says_so() {
    let (stand, _, _) = found_one().await;
    let page = stand.get("/search?q=A/HRC/47/9,+para.+123.45").await;
    holds(
        &page,
        &[
            "Looking for records that answer \u{2068}A/HRC/47/9\u{2069}, paragraph \u{2068}123.45\u{2069}.",
            "Answers this recommendation, as the record says.",
        ],
    );
    let other = stand.get("/search?q=A/HRC/47/9,+para.+123.46").await;
    assert!(!other.text().contains("Answers this recommendation"));
    let json = stand.get("/api/v1/search?q=A/HRC/47/9+123.45").await.json();
    assert_eq!(json["recommendation"], json!({ "symbol": "A/HRC/47/9", "paragraph": "123.45" }));
    assert_eq!(json["hits"][0]["answers"], true);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_on_a_clear_page_and_refused_to_programs() {
    let (stand, given, _) = found_one().await;
    for (query, words) in [
        ("state=ZZ&q=a", "The filter “State” has no value “\u{2068}ZZ\u{2069}”."),
        ("topic=%22%3E%3Cscript%3E", "&#62;&#60;script&#62;"),
        ("page=-1", "This part of the address cannot be read"),
        ("order=best", "order=best"),
        ("withdrawn=%E2%80%AEgnp", "gnp"),
        ("kind=%FF%FE", "Kind of record"),
    ] {
        let page = stand.get(&format!("/search?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        holds(&page, &[words, "Search without what cannot be read", "<form class=\"search\""]);
        assert!(!page.text().contains("<script"), "{query}");
        for path in [paths::site::API_SEARCH, paths::site::SEARCH_CSV] {
            let refused = stand.get(&format!("{path}?{query}")).await;
            assert_eq!(refused.json()["type"], "/problems/bad-request", "{path}?{query}");
        }
    }
    assert!(given.asked.lock().unwrap().is_empty());
    assert_eq!(stand.get("/search?utm_source=x").await.status, StatusCode::OK);
    assert_eq!(stand.get("/api/v1/search?stat=PY").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_page_beyond_the_last_one_is_not_there_rather_than_unreadable() {
    let (stand, ..) = found_one().await;
    // 45 records are three pages; the last one asks for more than the index counts.
    for page in ["4", "9999", "18446744073709551615"] {
        let answer = stand.get(&format!("/search?q=hello&page={page}&lang=fr")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{page}");
        let first = "href=\"/search?q=hello&#38;lang=fr\">Vers la première page";
        holds(&answer, &["Cette page de résultats n’existe pas.", first, "<form class=\"search\""]);
        assert!(!answer.text().contains("ne peut être lue"), "{page}");
    }
    assert_eq!(stand.get("/search?q=hello&page=3").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_absurd_text_is_searched_by_its_beginning_and_shown_without_harm() {
    let (stand, given, _) = found_one().await;
    let long = stand.get(&format!("/search?q={}", "ten+bytes+".repeat(1_024))).await;
    assert_eq!(long.status, StatusCode::OK);
    holds(&long, &["The text is very long: only its beginning was looked for."]);
    assert!(given.last().text.len() <= Query::BYTES_MAX);
    let refused = stand.get(&format!("/api/v1/search?q={}", "ten+bytes+".repeat(1_024))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    for text in [
        "%E2%80%AEevil%E2%81%A6",
        "%00%1b%5B31m",
        "%22%22%22((((**-%5C",
        "%FF%FE",
        "%",
        "%E2%80%8F",
    ] {
        let page = stand.get(&format!("/search?q={text}")).await;
        assert_eq!(page.status, StatusCode::OK, "{text}");
        let harmful = |c| matches!(c, '\u{202e}' | '\u{2066}' | '\u{1b}' | '\0');
        assert!(!page.text().contains(harmful) && !given.last().text.contains(harmful), "{text}");
    }
}

#[tokio::test]
async fn programs_get_every_part_and_the_way_on() {
    let (stand, given, id) = found_one().await;
    let answer = stand.get("/api/v1/search?q=hello&limit=10&page=2&lang=es").await;
    assert_eq!(
        (answer.header("content-type"), answer.header("content-language")),
        ("application/json", "es")
    );
    let json = answer.json();
    assert_eq!(json["total"], 45);
    assert_eq!(json["next"], "/api/v1/search?q=hello&limit=10&page=3&lang=es");
    assert_eq!(
        json["facets"]["topic"][0],
        json!({ "value": "legal-basis", "name": "Base jurídica y mandato", "count": 2 })
    );
    // States by the alphabet of the reader, never by their numbers, as on the page.
    let states = json["facets"]["state"].as_array().unwrap();
    let states: Vec<&str> = states.iter().filter_map(|state| state["value"].as_str()).collect();
    assert_eq!(states, ["AR", "BO", "PY"]);
    let hit = &json["hits"][0];
    assert_eq!(hit["id"], id.to_string());
    assert_eq!((&hit["kind"], &hit["states"]), (&json!("good-practice"), &json!(["XA"])));
    assert_eq!(hit["title"], json!([{ "text": "آلية " }, { "text": "<b>وطنية", "mark": true }]));
    assert_eq!((given.last().offset, given.last().limit), (10, 10));
    assert!(stand.get("/api/v1/search?limit=50").await.json().get("next").is_none());
}

#[tokio::test]
async fn a_table_holds_no_formula() {
    let mut stand = Stand::new().await;
    let published = stand.publish(practice("Uno")).await;
    let mut found = hit(&stand.origin, published.id, published.index);
    found.title = vec![Part::Plain("=cmd|' /C calc'!A0, \"x\"\r\n".to_owned())];
    let given =
        Given { hits: Hits { total: 1, hits: vec![found], ..Hits::default() }, ..Given::default() };
    stand.app.search = Some(Arc::new(given));
    let table = stand.get("/search.csv?q=x").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.header("content-disposition").contains("search.csv"));
    let text = table.text().strip_prefix('\u{feff}').unwrap();
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(
        rows[1].contains(
            ",good-practice,XA,ar,\"'=cmd|' /C calc'!A0, \"\"x\"\"  \",2026-11-23T12:00:00Z,no,"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn of_a_record_that_was_withdrawn_a_moment_ago_no_word_is_shown() {
    let (stand, _, id) = found_one().await;
    stand.withdraw(&id, true).await;
    for path in ["/search?q=hello", "/api/v1/search?q=hello", "/search.csv?q=hello"] {
        let answer = stand.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.text().contains("وطنية") && !answer.text().contains("cmd"), "{path}");
    }
    holds(&stand.get("/search").await, &["Good practice · withdrawn", "Record without a text"]);
}

#[tokio::test]
async fn without_an_index_a_reader_is_asked_to_come_back() {
    let mut stand = Stand::new().await;
    stand.app.search = None;
    let page = stand.get("/search?q=a").await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    holds(&page, &["The index for searching is being made.", "value=\"a\""]);
    let json = stand.get("/api/v1/search?q=a").await;
    assert_eq!((json.status, json.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
}

#[tokio::test]
async fn every_page_has_a_box_to_search_in_that_keeps_the_language() {
    let stand = Stand::new().await;
    for path in ["/states", "/about", "/peers", "/download"] {
        let page = stand.get(&format!("{path}?lang=ru")).await;
        holds(
            &page,
            &[
                "<form class=\"find\" action=\"/search\"",
                "<input type=\"hidden\" name=\"lang\" value=\"ru\">",
            ],
        );
    }
    // One box is enough where the page has its own.
    for path in ["/", "/search"] {
        let page = stand.get(&format!("{path}?lang=ru")).await;
        holds(&page, &["<form class=\"search\" action=\"/search\"", "name=\"lang\" value=\"ru\""]);
        assert!(!page.text().contains("class=\"find\""), "{path}");
    }
}

#[tokio::test]
async fn the_collection_is_a_bundle_of_all_public_feeds_that_verifies() {
    let stand = Stand::new().await;
    for number in 0..300 {
        stand.publish(practice(&format!("Number {number}"))).await;
    }
    holds(
        &stand.get("/download").await,
        &["href=\"/download/collection.jpb\"", "mechanism.test/public"],
    );
    let file = stand.get(paths::site::DOWNLOAD_COLLECTION).await;
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"mechanism.test.jpb\"");
    let contents = feed::bundle::Contents::of(&*file.bytes).unwrap();
    assert_eq!(contents.origins().collect::<Vec<_>>(), [&stand.origin]);
    assert_eq!(contents.bytes(), file.bytes.len() as u64);
    let items = feed::bundle::read(&file.bytes).unwrap();
    let head = items.iter().find(|item| item.kind == feed::bundle::ItemKind::Head).unwrap();
    let head = feed::head::Head::decode(&head.bytes).unwrap();
    let note = &head.commits.last().unwrap().note;
    assert!(String::from_utf8_lossy(note).starts_with("mechanism.test/public\n301\n"));
}

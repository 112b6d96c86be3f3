//! The home page.

use std::collections::BTreeMap;
use std::sync::Arc;

use feed::search::{Facet, Hits, Progress, Query, Search, SearchError};
use http::StatusCode;

use crate::stand::{Stand, practice};

/// An index that only counts.
struct Counted;

impl Search for Counted {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        let of = |codes: &[(&str, usize)]| -> Vec<(String, usize)> {
            codes.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
        };
        let mut counts = BTreeMap::from([
            (Facet::Kind, of(&[("good-practice", 1_200), ("resource", 34)])),
            (Facet::State, of(&[("PY", 700), ("AR", 500), ("not-a-state", 1)])),
            (Facet::Region, of(&[("grulac", 1_200)])),
            (Facet::Topic, of(&[("legal-basis", 3), ("unlisted", 9)])),
            (Facet::Sdg, of(&[("5", 1), ("16", 2), ("16.3", 2)])),
            (Facet::Node, of(&[("a.example", 1_233), ("b.example", 1)])),
        ]);
        counts.retain(|facet, _| query.count.contains(facet));
        Ok(Hits { total: 12_345, counts, ..Hits::default() })
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

/// An index that is broken.
struct Broken;

impl Search for Broken {
    fn search(&self, _query: &Query) -> Result<Hits, SearchError> {
        Err(SearchError::Index { reason: "it is gone".to_owned() })
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

#[tokio::test]
async fn the_home_page_searches_and_leads_into_what_is_there() {
    let mut stand = Stand::new().await;
    stand.publish(practice("Seguimiento")).await;
    stand.app.search = Some(Arc::new(Counted));
    let page = stand.get("/?lang=es").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "<form class=\"search\" action=\"/search\" method=\"get\" role=\"search\">",
        "<input type=\"hidden\" name=\"lang\" value=\"es\">",
        "<li>12.345 fichas</li><li>sobre 2 Estados</li><li>publicadas por 2 nodos</li>",
        "href=\"/search?kind=good-practice&#38;lang=es\"",
        "href=\"/states?lang=es#grulac\"",
        "href=\"/topics/legal-basis?lang=es\"",
        "href=\"/sdgs/16?lang=es\"",
        "Seguimiento",
        "href=\"/cost?lang=es\"",
    ] {
        assert!(page.text().contains(part), "no `{part}` in {}", page.text());
    }
    for absent in ["unlisted", "/sdgs/16.3", "700", "500"] {
        assert!(!page.text().contains(absent), "`{absent}`: nothing is counted beside a State");
    }
}

#[tokio::test]
async fn the_home_page_stands_without_an_index() {
    let mut stand = Stand::new().await;
    stand.publish(practice("Seguimiento")).await;
    for search in [None, Some(Arc::new(Broken) as Arc<dyn Search>)] {
        stand.app.search = search;
        let page = stand.get("/").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("Seguimiento") && page.text().contains("id=\"q\""));
        assert!(!page.text().contains("class=\"figures\""));
    }
}

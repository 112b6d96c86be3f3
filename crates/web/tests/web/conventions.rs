//! What other people's programs expect: feeds of news with tombstones, maps for search engines, linked data,
//! and a description of the API that leaves nothing out.

use std::collections::BTreeMap;
use std::sync::Arc;

use feed::search::{
    Facet, Hit, Hits, Order, Part, Progress, Query, Search, SearchError, Withdrawn,
};
use http::{Method, StatusCode};
use practice::id::RecordId;
use serde_json::{Value, json};
use web::Audience;
use web::routes::ROUTES;
use wire::paths;

use crate::stand::{Stand, practice};

/// Finds what it was given, if it is asked for news as it should be.
struct News(Vec<Hit>);

impl Search for News {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        // A page; news are asked for with what was withdrawn or erased.
        if query.withdrawn == Withdrawn::Without || !query.erased {
            let of = |codes: &[&str]| codes.iter().map(|code| ((*code).to_owned(), 1)).collect();
            let mut counts = BTreeMap::from([
                (Facet::State, of(&["PY", "AR", "XA"])),
                (Facet::Topic, of(&["legal-basis", "<unlisted>"])),
                (Facet::Sdg, of(&["16", "16.6"])),
                (Facet::HumanRightsMechanism, of(&["upr"])),
            ]);
            counts.retain(|facet, _| query.count.contains(facet));
            return Ok(Hits { counts, ..Hits::default() });
        }
        assert!(query.order == Order::Newest && query.readable.is_empty());
        Ok(Hits { total: 120, hits: self.0.clone(), ..Hits::default() })
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

fn hit(stand: &Stand, id: RecordId, index: u64, changed: i64) -> Hit {
    Hit {
        origin: stand.origin.clone(),
        index,
        id,
        language: "ar".to_owned(),
        title: vec![Part::Plain("آلية ".to_owned()), Part::Marked("<b>&\u{202e}".to_owned())],
        excerpt: vec![Part::Plain("ملخص".to_owned())],
        states: Vec::new(),
        withdrawn: false,
        changed,
        score: 0.0,
    }
}

/// A node with a record and one that was withdrawn, which the index still holds as if it were not.
async fn with_news() -> (Stand, RecordId, RecordId) {
    let mut stand = Stand::new().await;
    stand.app.base_url = Some("https://practices.test".to_owned());
    let (kept, gone) = (stand.publish(practice("Uno")).await, stand.publish(practice("Dos")).await);
    let entry = stand.withdraw(&gone.id, true).await;
    let hits = vec![
        hit(&stand, gone.id, entry.index, 1_795_435_260),
        hit(&stand, kept.id, kept.index, 1_795_435_200),
    ];
    stand.app.search = Some(Arc::new(News(hits)));
    (stand, kept.id, gone.id)
}

fn uuid(id: &RecordId) -> String {
    id.to_string().replace("urn:uuid:", "")
}

#[tokio::test]
async fn atom_tells_what_is_new_and_what_was_withdrawn() {
    let (stand, kept, gone) = with_news().await;
    let answer = stand.get("/search.atom?state=PY&topic=legal-basis&limit=40&page=2").await;
    assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
    let text = answer.text();
    for part in [
        &format!("<id>tag:mechanism.test,2026:public/{}</id>", uuid(&kept)),
        "<title xml:lang=\"ar\">آلية &lt;b&gt;&amp;</title>",
        "<updated>2026-11-23T12:01:00Z</updated>",
        &format!(
            "<at:deleted-entry ref=\"tag:mechanism.test,2026:public/{}\" when=\"2026-11-23T12:01:00Z\">",
            uuid(&gone)
        ),
        "rel=\"self\" type=\"application/atom+xml\" href=\"https://practices.test/search.atom?state=PY&amp;topic=legal-basis&amp;limit=40&amp;page=2\"",
        "rel=\"previous\" type=\"application/atom+xml\" href=\"https://practices.test/search.atom?state=PY&amp;topic=legal-basis&amp;limit=40\"",
        "&amp;page=3\"",
        "<category term=\"good-practice\" label=\"Good practice\">",
        "Mechanism of Xanadu – Paraguay, Legal basis",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains('\u{202e}') && text.matches("<entry>").count() == 1, "{text}");
    let tag = answer.header("etag").to_owned();
    let again = stand
        .get_with(
            "/search.atom?state=PY&topic=legal-basis&limit=40&page=2",
            &[("if-none-match", &tag)],
        )
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn json_feed_keeps_what_was_withdrawn_apart() {
    let (stand, kept, gone) = with_news().await;
    let answer = stand.get("/search.json-feed?lang=fr").await;
    assert_eq!(answer.header("content-type"), "application/feed+json");
    let feed = answer.json();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    let [item] = feed["items"].as_array().unwrap().as_slice() else { panic!("{feed}") };
    assert!(item["id"].as_str().unwrap().ends_with(&uuid(&kept)), "{item}");
    assert_eq!(item["tags"][0], "Bonne pratique");
    assert!(feed["_jopoi"]["withdrawn"][0]["id"].as_str().unwrap().ends_with(&uuid(&gone)));
    assert_eq!(feed["next_url"], "https://practices.test/search.json-feed?page=2&lang=fr");
    for path in ["/search.atom?state=ZZ", "/search.json-feed?nothing=1"] {
        assert_eq!(stand.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn news_keep_the_language_they_were_asked_for_in() {
    let (stand, kept, gone) = with_news().await;
    let here = "https://practices.test";
    let query = "state=PY&withdrawn=only&lang=pt";
    let atom = stand.get(&format!("/search.atom?{query}")).await;
    let (escaped, record) = (query.replace('&', "&amp;"), paths::record(&stand.origin, &kept));
    for part in [
        format!("rel=\"self\" type=\"application/atom+xml\" href=\"{here}/search.atom?{escaped}\""),
        format!(
            "rel=\"first\" type=\"application/atom+xml\" href=\"{here}/search.atom?{escaped}\""
        ),
        format!("rel=\"alternate\" type=\"text/html\" href=\"{here}/search?{escaped}\""),
        format!("href=\"{here}/search.atom?state=PY&amp;withdrawn=only&amp;page=2&amp;lang=pt\""),
        format!("<id>tag:mechanism.test,2026:/search.atom?{escaped}</id>"),
        format!("href=\"{here}{record}?lang=pt\""),
        format!("href=\"{here}{}?lang=pt\"", paths::record(&stand.origin, &gone)),
    ] {
        assert!(atom.text().contains(&part), "no `{part}` in {}", atom.text());
    }
    let feed = stand.get(&format!("/search.json-feed?{query}")).await.json();
    assert_eq!(feed["feed_url"], format!("{here}/search.json-feed?{query}"));
    assert_eq!(feed["home_page_url"], format!("{here}/search?{query}"));
    assert_eq!(feed["items"][0]["url"], format!("{here}{record}?lang=pt"));
    // Who did not choose one is not held to the one that was preferred.
    let headers = [("accept-language", "pt")];
    let feed = stand.get_with("/search.json-feed?state=PY", &headers).await.json();
    assert_eq!(
        (&feed["language"], feed["feed_url"].as_str().unwrap()),
        (&json!("pt"), "https://practices.test/search.json-feed?state=PY")
    );
}

#[tokio::test]
async fn the_map_leads_to_every_record_and_to_no_restricted_feed() {
    let (stand, kept, gone) = with_news().await;
    let record = stand.feeds.node_record(stand.feeds.node()).unwrap();
    let name = tlog::name::FeedName::parse("r-aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    stand.feeds.begin(&name, record).await.unwrap();
    let index = stand.get(paths::site::SITEMAP).await;
    let here = "https://practices.test/sitemap.xml?";
    for part in ["part=pages", "feed=mechanism.test/public&amp;from=0"] {
        assert!(index.text().contains(&format!("<loc>{here}{part}</loc>")), "{}", index.text());
    }
    assert!(!index.text().contains("r-aaa"));
    let map = stand.get("/sitemap.xml?feed=mechanism.test/public&from=0").await;
    assert!(map.text().contains(&uuid(&kept)) && !map.text().contains(&uuid(&gone)));
    let pages = stand.get("/sitemap.xml?part=pages").await;
    for address in pages.text().split("<loc>https://practices.test").skip(1) {
        let path = address.split('<').next().unwrap();
        assert_eq!(stand.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in [
        "/states/AR",
        "/states/PY",
        "/topics/legal-basis",
        "/sdgs/16.6",
        "/human-rights-mechanisms/upr",
        "/nodes/mechanism.test",
    ] {
        let listed = format!("<loc>https://practices.test{path}</loc>");
        assert!(pages.text().contains(&listed), "no {path} in {}", pages.text());
    }
    // Crawlers are asked to leave its one address alone.
    assert!(!pages.text().contains("/search<") && !pages.text().contains("unlisted"));
    for (path, status) in [
        ("/sitemap.xml?feed=mechanism.test/public&from=4096", 404),
        ("/sitemap.xml?feed=mechanism.test/r-aaaaaaaaaaaaaaaaaaaaaaaaaa&from=0", 404),
        ("/sitemap.xml?from=x", 400),
        ("/sitemap.xml?nothing", 400),
    ] {
        assert_eq!(stand.get(path).await.status.as_u16(), status, "{path}");
    }
    let robots = stand.get("/robots.txt").await;
    assert!(robots.text().contains("\nSitemap: https://practices.test/sitemap.xml\n"));
}

#[tokio::test]
async fn a_weakness_can_be_reported_where_the_operator_says() {
    let mut stand = Stand::new().await;
    assert_eq!(stand.get(paths::site::SECURITY).await.status, StatusCode::NOT_FOUND);
    let contact = Some("office@mechanism.test".to_owned());
    stand.app.site = Arc::new(web::Site { contact, ..web::Site::default() });
    let text = stand.get(paths::site::SECURITY).await;
    assert!(
        text.text()
            .starts_with("Contact: mailto:office@mechanism.test\nExpires: 2027-05-22T00:00:00Z\n"),
        "{}",
        text.text()
    );
}

#[tokio::test]
async fn a_page_names_its_one_address_its_languages_and_its_news() {
    let (stand, ..) = with_news().await;
    let page = stand.get("/states/PY?lang=fr").await;
    for part in [
        "<link rel=\"canonical\" href=\"https://practices.test/states/PY?lang=fr\">",
        "hreflang=\"x-default\" href=\"https://practices.test/states/PY\"",
        "hreflang=\"ar\" href=\"https://practices.test/states/PY?lang=ar\"",
        "type=\"application/atom+xml\" href=\"/search.atom?state=PY&#38;lang=fr\"",
    ] {
        assert!(page.text().contains(part), "no `{part}` in {}", page.text());
    }
}

#[tokio::test]
async fn what_is_not_there_has_no_address_to_be_found_at() {
    let (stand, ..) = with_news().await;
    for (path, status) in [
        ("/states/ZZ?lang=fr", StatusCode::NOT_FOUND),
        ("/withdrawals?page=x", StatusCode::BAD_REQUEST),
        ("/search?state=ZZ", StatusCode::BAD_REQUEST),
        ("/search?page=9999", StatusCode::NOT_FOUND),
    ] {
        let page = stand.get_with(path, &[("accept", "text/html")]).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.text().contains("<!doctype html>"), "{path}: {}", page.text());
        let head = page.text().split("</head>").next().unwrap();
        assert!(!head.contains("canonical") && !head.contains("hreflang"), "{path}: {head}");
    }
    // What a problem means is a page.
    let page = stand.get("/problems/not-found").await;
    assert!(page.text().contains("<link rel=\"canonical\""), "{}", page.text());
}

#[tokio::test]
async fn a_record_is_told_in_the_words_of_schema_org_and_cannot_end_its_block() {
    let stand = Stand::new().await;
    let mut subject = practice("</script><b>&");
    subject["recommendations"] = json!([{ "symbol": "A/HRC/47/9", "paragraph": "123.45" }]);
    let published = stand.publish(subject).await;
    let page = stand.get(&paths::record(&stand.origin, &published.id)).await;
    let block = page.text().split("<script type=\"application/ld+json\">").nth(1).unwrap();
    let data: Value = serde_json::from_str(block.split("</script>").next().unwrap()).unwrap();
    assert_eq!(data["@context"]["@vocab"], "https://schema.org/");
    assert_eq!(data["identifier"], published.id.to_string());
    assert_eq!(data["name"][0], json!({ "@language": "ar", "@value": "آلية" }));
    assert_eq!(data["license"]["@id"], "https://creativecommons.org/licenses/by/4.0/");
    assert_eq!(data["citation"][0]["pagination"], "123.45");
    assert_eq!(data["publisher"]["identifier"], "mechanism.test");
}

#[tokio::test]
async fn every_answer_has_a_media_type_that_the_description_names() {
    let stand = Stand::new().await;
    let described = stand.get("/openapi.json").await.json();
    let open = |pattern: &&str| !pattern.contains('{');
    let read = ROUTES.iter().filter(|route| route.audience == Audience::Everyone);
    let read = read.filter(|route| route.method == Method::GET && !route.summary.is_empty());
    for pattern in read.map(|route| route.pattern).filter(open) {
        let got = stand.get(pattern).await;
        let status = if got.status == StatusCode::OK { "200" } else { "4XX" };
        let answer = &described["paths"][pattern]["get"]["responses"][status];
        let answer = match answer["$ref"].as_str() {
            Some(_) => &described["components"]["responses"]["Problem"],
            None => answer,
        };
        let media = got.header("content-type");
        assert!(answer["content"].get(media).is_some(), "{pattern}: `{media}` in {answer}");
    }
    let origin = &stand.origin;
    for (path, pattern) in [
        (paths::checkpoint(origin), paths::CHECKPOINT),
        (paths::since(origin, 0), paths::SINCE),
        (paths::body(origin, 0), paths::BODY),
        (paths::proof(origin, 0), paths::PROOF),
        (paths::cosignatures(origin), paths::COSIGNATURES),
    ] {
        let got = stand.get(&path).await;
        let content = &described["paths"][pattern]["get"]["responses"]["200"]["content"];
        assert!(content.get(got.header("content-type")).is_some(), "{path}: {content}");
    }
}

#[tokio::test]
async fn what_it_costs_and_who_can_use_it_is_told_in_every_language() {
    let stand = Stand::new().await;
    for language in ["ar", "zh", "en", "fr", "ru", "es", "pt"] {
        for path in [paths::site::COST, paths::site::ACCESSIBILITY] {
            let page = stand.get(&format!("{path}?lang={language}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert_eq!(page.header("content-language"), language);
        }
    }
}

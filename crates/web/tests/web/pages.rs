//! Pages for people.

use http::StatusCode;
use serde_json::{Value, json};
use wire::paths;

use crate::stand::{Stand, practice};

/// What begins the one block of data on a page; browsers do not run it.
const LINKED_DATA: &str = "<script type=\"application/ld+json\">";
const CHECK: &str = "<script type=\"module\" id=\"browser-check\" src=\"/assets/check.js?v=";

/// What must never reach a browser as markup.
const PAYLOAD: &str =
    "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&\u{202e}\u{1b}\u{2067}\u{9b}";

#[tokio::test]
async fn nothing_that_a_stranger_wrote_becomes_markup() {
    let stand = Stand::new().await;
    let text = json!({ "es": PAYLOAD, "en": PAYLOAD });
    let items = json!([{ "text": text, PAYLOAD: PAYLOAD }, PAYLOAD]);
    let subject = json!({
        "title": text, "summary": text, "context": text, "objective": PAYLOAD, "actions": items,
        "results": [{ "text": text, "indicator": text, "value": PAYLOAD, "documents": [{ "title": PAYLOAD, "url": format!("https://a.example/{PAYLOAD}") }] }],
        "language": PAYLOAD, "basis": PAYLOAD, "reuse": PAYLOAD, "capacities": [PAYLOAD],
        "states": [PAYLOAD], "period": { "from": PAYLOAD }, "lessons": PAYLOAD,
        "sources": [{ "title": PAYLOAD, "url": "javascript:alert(3)" }],
        "links": [{ "relation": PAYLOAD, "url": "data:text/html,x" }],
        "reported_by": { "name": PAYLOAD, "level": PAYLOAD }, "retrieved": PAYLOAD, "local_id": PAYLOAD,
        "translations": { PAYLOAD: { "made_by": PAYLOAD } }, "contact": { "email": PAYLOAD, "url": PAYLOAD },
        PAYLOAD: { PAYLOAD: [PAYLOAD, { PAYLOAD: 1 }] },
    });
    let published = stand.publish(subject).await;
    let record = paths::record(&stand.origin, &published.id);
    for path in
        [record.clone(), paths::feed(&stand.origin), "/".to_owned(), format!("{record}?lang=ar")]
    {
        let page = stand.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let text = page.text().replacen(LINKED_DATA, "", 1).replacen(CHECK, "", 1);
        assert!(text.contains("alert(1)"), "{path} shows the text");
        for markup in ["<script", "<img", "\"javascript:", "\"data:", "onerror=alert(2)>"] {
            assert!(!text.contains(markup), "{path}: {markup}");
        }
        for control in ['\u{202e}', '\u{1b}', '\u{2067}', '\u{9b}'] {
            assert!(!text.contains(control), "{path}: {control:?}");
        }
    }
}

#[tokio::test]
async fn a_record_shows_every_language_the_readers_first_and_who_says_so() {
    let stand = Stand::new().await;
    let mut subject = practice("Seguimiento");
    subject["more"] = json!({ "en": "Something else" });
    let published = stand.publish(subject).await;
    let page = stand.get(&paths::record(&stand.origin, &published.id)).await;
    let text = page.text();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no `{part}` in {text}"));
    let own = place("<h1 lang=\"en\" dir=\"ltr\">Seguimiento (en)</h1>");
    assert!(own < place("<p class=\"subtitle\" lang=\"es\" dir=\"ltr\">Seguimiento</p>"));
    place("lang=\"ar\" dir=\"rtl\">ملخص");
    place("Authentic and unaltered since published by Mechanism of Xanadu on 23 November 2026.");
    place("Described by the mechanism itself; not assessed by the network.");
    place("Not described yet");
    place("Something else");
    // The whole chain, in its order, with the evidence of each link.
    let links = [
        "Node record, signed by the root key",
        "Signed checkpoint",
        "Entry in the log",
        "Record key",
    ];
    assert!(links.map(place).is_sorted(), "the links are out of order");
    place(" --save evidence.jpb");
    place("jopoi verify ");
    place("sha256sum");
    assert!(!text.contains("No State speaks here"));
    place(CHECK);
    assert!(!text.replacen(LINKED_DATA, "", 1).replacen(CHECK, "", 1).contains("<script"));
}

#[tokio::test]
async fn only_a_plain_host_becomes_part_of_a_command() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("Uno")).await;
    let path = paths::record(&stand.origin, &published.id);
    let plain = stand.get_with(&path, &[("host", "a.example:8080")]).await;
    assert!(plain.text().contains(&format!("jopoi verify http://a.example:8080{path}")));
    let hostile = stand.get_with(&path, &[("host", "a';reboot;'")]).await;
    assert!(!hostile.text().contains("reboot"), "{}", hostile.text());
}

#[tokio::test]
async fn a_documentation_node_says_that_no_state_speaks() {
    let stand = Stand::named("documentation-grulac.example").await;
    let published = stand.publish(practice("Uno")).await;
    for path in
        ["/".to_owned(), paths::feed(&stand.origin), paths::record(&stand.origin, &published.id)]
    {
        assert!(stand.get(&path).await.text().contains("No State speaks here"), "{path}");
    }
}

#[tokio::test]
async fn a_withdrawn_record_says_so_and_shows_no_text() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("Seguimiento")).await;
    stand.withdraw(&published.id, true).await;
    let page = stand.get(&paths::record(&stand.origin, &published.id)).await;
    assert_eq!(page.status, StatusCode::OK);
    for words in ["This record was withdrawn", "Reason: Outdated", "Its text was erased"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(!page.text().contains("Seguimiento"));
    // Without a title its kind is one, and stands there once.
    assert!(page.text().contains("<h1>Good practice</h1>"));
    assert!(!page.text().contains("<p class=\"kind\">Good practice"), "{}", page.text());
}

#[tokio::test]
async fn a_reader_is_served_in_the_language_asked_for() {
    let stand = Stand::new().await;
    let arabic = stand.get_with("/", &[("accept-language", "ar-EG, en;q=0.5")]).await;
    assert_eq!(arabic.header("content-language"), "ar");
    assert!(arabic.text().contains("<html lang=\"ar\" dir=\"rtl\">"));
    assert!(arabic.text().contains("آلية زانادو"));
    let chosen = stand.get_with("/?lang=zh", &[("accept-language", "ar")]).await;
    assert_eq!(chosen.header("content-language"), "zh");
    assert!(chosen.text().contains("href=\"/peers?lang=zh\""), "links carry the language on");
    assert_eq!(stand.get("/?lang=xx").await.header("content-language"), "en");
    assert!(chosen.header("vary").contains("accept-language"));
}

#[tokio::test]
async fn a_feed_is_paged_and_tells_how_to_read_it() {
    let stand = Stand::new().await;
    for number in 0..30 {
        stand.publish(practice(&format!("Number {number}."))).await;
    }
    let first = stand.get("/feeds/mechanism.test/public").await;
    assert!(first.text().contains("Number 29.") && !first.text().contains("Number 2. "));
    assert!(first.text().contains("href=\"/feeds/mechanism.test/public?before=6\""));
    assert!(first.text().contains("mechanism.test/public+"), "the verifier key");
    let second = stand.get("/feeds/mechanism.test/public?before=6").await;
    assert!(second.text().contains("Number 0.") && !second.text().contains("Number 29."));
}

#[tokio::test]
async fn a_page_is_whole_and_small() {
    let stand = Stand::new().await;
    for number in 0..20 {
        stand.publish(practice(&format!("Number {number}"))).await;
    }
    let page = stand.get("/").await;
    for landmark in [
        "<header",
        "<main id=\"content\"",
        "<footer",
        "<nav class=\"main\" aria-label",
        "class=\"skip\"",
        "<h1>",
    ] {
        assert!(page.text().contains(landmark), "{landmark}");
    }
    let packed = stand.get_with("/", &[("accept-encoding", "gzip")]).await.bytes.len();
    let style =
        stand.get_with("/assets/style.css", &[("accept-encoding", "gzip")]).await.bytes.len();
    assert!(packed + style < 60_000, "{packed} and {style} bytes");
    assert!(style < 12_000, "{style} bytes of style");
}

#[tokio::test]
async fn an_unknown_kind_is_named_and_not_rendered() {
    let stand = Stand::new().await;
    let kind = practice::kind::Kind::parse("later-kind").unwrap();
    let subject: Value = json!({ "title": { "en": "Later" } });
    let publication = feed::feeds::Publication { kind, id: None, subject, expected: None };
    let feed = stand.origin.feed().clone();
    let published = stand.feeds.publish(&feed, vec![publication]).await.unwrap();
    let page = stand.get(&paths::record(&stand.origin, &published[0].id)).await;
    assert!(page.text().contains("not known to this version"), "{}", page.text());
}

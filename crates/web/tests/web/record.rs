//! The page of a record: its languages, its history with differences, what others say of it, how to cite it.

use std::sync::Arc;

use feed::feeds::{Publication, Published};
use feed::search::{Hit, Hits, Progress, Query, Search, SearchError};
use http::StatusCode;
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::{FeedName, Origin};
use wire::paths;

use crate::stand::{Stand, practice};

/// An index that knows which records name which.
struct Mentions(Vec<(RecordId, Hit)>);

impl Search for Mentions {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        let named = query.mentions.as_ref().map(|(_, id)| *id);
        let hits = self.0.iter().filter(|(of, _)| Some(*of) == named);
        let hits: Vec<Hit> = hits.map(|(_, hit)| hit.clone()).collect();
        Ok(Hits { total: hits.len(), hits, ..Hits::default() })
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }
}

fn hit(origin: &Origin, published: &Published) -> Hit {
    Hit {
        origin: origin.clone(),
        index: published.index,
        id: published.id,
        language: "en".to_owned(),
        title: Vec::new(),
        excerpt: Vec::new(),
        states: Vec::new(),
        withdrawn: false,
        changed: 0,
        score: 1.0,
    }
}

async fn put(stand: &Stand, kind: Kind, id: Option<RecordId>, subject: Value) -> Published {
    let publication = Publication { kind, id, subject, expected: None };
    let published = stand.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap();
    published.into_iter().next().unwrap()
}

/// Another version of a practice, with this summary in English.
async fn version(stand: &Stand, id: Option<RecordId>, summary: &str) -> RecordId {
    let mut subject = practice("Seguimiento");
    subject["summary"]["en"] = json!(summary);
    put(stand, Kind::GOOD_PRACTICE, id, subject).await.id
}

async fn shown(stand: &Stand, id: &RecordId, query: &str) -> String {
    let page = stand.get(&format!("{}{query}", paths::record(&stand.origin, id))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.text().to_owned()
}

fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

const DELETED: &str = "<del><span class=\"unseen\" lang=\"en\">deleted: </span>";
const INSERTED: &str = "<ins><span class=\"unseen\" lang=\"en\">inserted: </span>";

#[tokio::test]
async fn what_changed_from_version_to_version_is_shown_word_by_word() {
    let stand = Stand::new().await;
    let id = version(&stand, None, "The unit meets twice a year.").await;
    version(&stand, Some(id), "The unit meets four times a year.").await;
    let text = shown(&stand, &id, "").await;
    holds(
        &text,
        &[
            "What changed since version 1",
            "<dt>Summary <span class=\"tongue-code\">(English)</span></dt>",
            &format!("The unit meets {DELETED}twice</del>{INSERTED}four times</ins> a year."),
        ],
    );
    assert_eq!(text.matches("<ins>").count(), 1, "only what changed is shown: {text}");
    let arabic = shown(&stand, &id, "?lang=ar").await;
    holds(
        &arabic,
        &[
            "<dd lang=\"en\" dir=\"ltr\">The unit meets <del><span class=\"unseen\" lang=\"ar\">حُذف: ",
        ],
    );
}

#[tokio::test]
async fn an_older_version_can_be_read_and_says_that_it_is_older() {
    let stand = Stand::new().await;
    let id = version(&stand, None, "The first words").await;
    version(&stand, Some(id), "The second words").await;
    let newest = shown(&stand, &id, "").await;
    let path = paths::record(&stand.origin, &id);
    holds(&newest, &[&format!("<a href=\"{path}?version=1\">Version 1</a>")]);
    assert!(!newest.contains("You are reading version"));
    let older = shown(&stand, &id, "?version=1").await;
    holds(
        &older,
        &["You are reading version 1.", "dir=\"ltr\">The first words</p>", "jopoi verify"],
    );
    assert!(!older.contains("The second words"));
    let current = shown(&stand, &id, "?version=2").await;
    assert!(!current.contains("You are reading version"));
    for wrong in ["3", "0", "x", "-1", "99999999999999999999999", ""] {
        let page = stand.get(&format!("{path}?version={wrong}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn withdrawn_and_erased_words_are_in_no_difference_and_no_older_version() {
    let stand = Stand::new().await;
    for erase in [false, true] {
        let id = version(&stand, None, "Secret words of the first version").await;
        version(&stand, Some(id), "Secret words of the second version").await;
        stand.withdraw(&id, erase).await;
        let path = paths::record(&stand.origin, &id);
        let withdrawn = shown(&stand, &id, "").await;
        assert!(!withdrawn.contains("Secret") && !withdrawn.contains("<del>"), "{withdrawn}");
        holds(&withdrawn, &["This record was withdrawn", "id=\"history\""]);
        let asked = stand.get(&format!("{path}?version=1")).await;
        assert!(!asked.text().contains("Secret"), "{}", asked.text());
        // Published again: what was withdrawn before stays apart.
        version(&stand, Some(id), "New words of the third version").await;
        version(&stand, Some(id), "New words of the fourth version").await;
        let revived = shown(&stand, &id, "").await;
        assert!(!revived.contains("Secret"), "{revived}");
        holds(&revived, &["What changed since version 3", &format!("{DELETED}third</del>")]);
        let old = stand.get(&format!("{path}?version=2")).await;
        assert_eq!(old.status, StatusCode::NOT_FOUND);
        assert!(!old.text().contains("Secret"));
    }
}

#[tokio::test]
async fn languages_stand_side_by_side_the_readers_first_and_marked() {
    let stand = Stand::new().await;
    let mut subject = practice("Seguimiento");
    subject["translations"] = json!({ "en": { "made_by": "machine" }, "ar": { "made_by": "person", "reviewed_by_person": true } });
    let id = put(&stand, Kind::GOOD_PRACTICE, None, subject).await.id;
    let order = |text: &str, parts: [&str; 3]| {
        let places =
            parts.map(|part| text.find(part).unwrap_or_else(|| panic!("no `{part}` in {text}")));
        assert!(places.is_sorted(), "{places:?} of {parts:?}");
    };
    let english = shown(&stand, &id, "").await;
    order(&english, [">Summary</p>", ">Resumen</p>", ">ملخص</p>"]);
    holds(
        &english,
        &[
            "English · machine translation</span><p lang=\"en\" dir=\"ltr\">Summary</p>",
            "Spanish · Original</span><p lang=\"es\" dir=\"ltr\">Resumen</p>",
            "Arabic · Translation</span><p lang=\"ar\" dir=\"rtl\">ملخص</p>",
        ],
    );
    let arabic = shown(&stand, &id, "?lang=ar").await;
    order(&arabic, [">ملخص</p>", ">Resumen</p>", ">Summary</p>"]);
    holds(&arabic, &["<h1 lang=\"ar\" dir=\"rtl\">آلية</h1>", "ترجمة آلية</span>"]);
    // One of them beside the reader's own.
    let path = paths::record(&stand.origin, &id);
    holds(&english, &[&format!("<a href=\"{path}?beside=es\" rel=\"nofollow\">Spanish</a>")]);
    let beside = shown(&stand, &id, "?beside=es").await;
    assert!(beside.contains(">Resumen</p>") && !beside.contains(">ملخص</p>"));
    assert!(shown(&stand, &id, "?beside=%3Cb%3E").await.contains(">ملخص</p>"));
}

#[tokio::test]
async fn what_others_say_is_linked_attestations_apart() {
    let mut stand = Stand::new().await;
    let id = version(&stand, None, "Words").await;
    let about = json!({ "feed": stand.origin.to_string(), "id": id.to_string(), "version": 1 });
    let attested = json!({ "about": about, "relation": "endorses-as-own", "note": { "en": "We did <b>the same</b>" } });
    let attestation = put(&stand, Kind::ATTESTATION, None, attested).await;
    let mut other = practice("Otra");
    other["links"] =
        json!([{ "relation": "adapts", "feed": stand.origin.to_string(), "id": id.to_string() }]);
    let other = put(&stand, Kind::GOOD_PRACTICE, None, other).await;
    // It mentions the record, and is about another.
    let elsewhere = json!({ "feed": stand.origin.to_string(), "id": other.id.to_string() });
    let unrelated = json!({ "about": elsewhere, "relation": "comments", "sources": about });
    let unrelated = put(&stand, Kind::ATTESTATION, None, unrelated).await;
    let gone = version(&stand, None, "Withdrawn words").await;
    let withdrawn = stand.withdraw(&gone, false).await;
    let hits = [&attestation, &other, &unrelated, &withdrawn];
    let mentions = hits.map(|published| (id, hit(&stand.origin, published)));
    stand.app.search = Some(Arc::new(Mentions(mentions.into())));
    let text = shown(&stand, &id, "").await;
    let attested = text.find("What others attest").unwrap();
    let mentioned = text.find("Records that refer to this one").unwrap();
    let apart = &text[attested..mentioned];
    holds(
        apart,
        &[
            &paths::record(&stand.origin, &attestation.id),
            "about version 1",
            "We did &#60;b&#62;the same",
        ],
    );
    assert!(!apart.contains(&paths::record(&stand.origin, &unrelated.id)), "{apart}");
    let others = &text[mentioned..text.find("id=\"history\"").unwrap()];
    holds(others, &[&paths::record(&stand.origin, &other.id)]);
    assert!(
        !others.contains("Withdrawn words")
            && !others.contains(&paths::record(&stand.origin, &gone))
    );
    // From the other side: the record it names is a link with its title; one that is not held is none.
    let from = shown(&stand, &other.id, "?lang=en").await;
    let href = paths::record(&stand.origin, &id);
    holds(
        &from,
        &[&format!(
            "<p class=\"named\"><a href=\"{href}?lang=en\" lang=\"en\" dir=\"ltr\">Seguimiento (en)</a>"
        )],
    );
    stand.withdraw(&id, false).await;
    assert!(!shown(&stand, &other.id, "").await.contains("class=\"named\""));
}

#[tokio::test]
async fn a_citation_is_fixed_to_a_version_and_its_hash() {
    let stand = Stand::new().await;
    let id = version(&stand, None, "Words").await;
    version(&stand, Some(id), "Other words").await;
    let text = shown(&stand, &id, "?version=1").await;
    let path = paths::record(&stand.origin, &id);
    let body = stand.get(&paths::body(&stand.origin, 1)).await;
    let hash = tlog::hash::Hash::of(&body.bytes).to_hex();
    let cited = &text[text.find("id=\"cite\"").unwrap()..text.find("id=\"report\"").unwrap()];
    holds(
        cited,
        &[
            "<cite lang=\"es\" dir=\"ltr\">Seguimiento</cite>",
            "Mechanism of Xanadu",
            "Version 1, 23 November 2026.",
            &format!("{path}?version=1"),
            &hash,
            &id.to_string(),
        ],
    );
}

#[tokio::test]
async fn an_error_is_reported_to_an_address_that_is_one() {
    let stand = Stand::new().await;
    let mut subject = practice("Seguimiento");
    subject["contact"] = json!({ "email": "unit@example.org?bcc=x@example.net" });
    let hostile = put(&stand, Kind::GOOD_PRACTICE, None, subject.clone()).await.id;
    let text = shown(&stand, &hostile, "").await;
    assert!(!text.contains("mailto:"), "{text}");
    holds(&text, &["Its publisher has named no address"]);
    subject["contact"] = json!({ "email": "unit@example.org" });
    let id = put(&stand, Kind::GOOD_PRACTICE, None, subject.clone()).await.id;
    let text = shown(&stand, &id, "").await;
    let address = paths::record(&stand.origin, &id).replace('/', "%2F");
    holds(
        &text,
        &["href=\"mailto:unit@example.org?subject=Error%20in%20a%20record%3A%20", &address],
    );
    // Nobody is written to over a record that only documents.
    let stand = Stand::named("documentation-grulac.example").await;
    let id = put(&stand, Kind::GOOD_PRACTICE, None, subject).await.id;
    assert!(!shown(&stand, &id, "").await.contains("mailto:"));
}

#[tokio::test]
async fn what_a_record_is_filed_under_leads_to_its_page() {
    let stand = Stand::new().await;
    let mut subject = practice("Seguimiento");
    subject["topics"] = json!(["legal-basis", "unlisted"]);
    subject["sdgs"] = json!(["16"]);
    subject["states"] = json!(["PY", "QQ"]);
    let id = put(&stand, Kind::GOOD_PRACTICE, None, subject).await.id;
    let text = shown(&stand, &id, "?lang=fr").await;
    holds(
        &text,
        &[
            "<a href=\"/topics/legal-basis?lang=fr\">",
            "<li>unlisted</li>",
            "<a href=\"/sdgs/16?lang=fr\">",
            "<a href=\"/search?capacity=coordination&#38;lang=fr\">",
            "<a href=\"/states/PY?lang=fr\">Paraguay</a>",
        ],
    );
    assert!(!text.contains("/states/QQ"));
}

#[tokio::test]
async fn nothing_in_a_difference_becomes_markup_or_turns_the_page_round() {
    let stand = Stand::new().await;
    let id = version(&stand, None, "one <script>alert(1)</script> \u{202e}two").await;
    version(&stand, Some(id), "one <img src=x onerror=alert(2)> \u{2067}two</ins></dd>").await;
    let text = shown(&stand, &id, "").await;
    holds(&text, &["alert", "<ins>", "&#60;"]);
    for bad in ["<script>alert", "<img", "\u{202e}", "\u{2067}"] {
        assert!(!text.contains(bad), "{bad:?}");
    }
}

#[tokio::test]
async fn a_record_of_many_versions_stays_a_page() {
    let stand = Stand::new().await;
    let id = version(&stand, None, "Words of version 1").await;
    for number in 2..=130 {
        version(&stand, Some(id), &format!("Words of version {number}")).await;
    }
    let text = shown(&stand, &id, "").await;
    assert_eq!(text.matches("What changed since version").count(), 5);
    holds(&text, &["What changed since version 129"]);
    assert!(text.len() < 120_000, "{} bytes", text.len());
    let older = shown(&stand, &id, "?version=3").await;
    holds(&older, &["What changed since version 2", "You are reading version 3."]);
}

#[tokio::test]
async fn fixed_words_and_open_periods_stand_in_the_language_of_the_page() {
    let stand = Stand::new().await;
    let mut subject = practice("Seguimiento");
    subject["period"] = json!({ "from": "2015" });
    subject["retrieved"] = json!("excerpt");
    subject["sdgs"] = json!(["16.6"]);
    let id = put(&stand, Kind::GOOD_PRACTICE, None, subject).await.id;
    // A year is no number of things.
    holds(&shown(&stand, &id, "?lang=en").await, &["from 2015", "in excerpts", ">16.6 "]);
    let arabic = shown(&stand, &id, "?lang=ar").await;
    holds(&arabic, &["منذ \u{2068}2015\u{2069}", "في مقتطفات"]);
    assert!(!arabic.contains("2,015"));
}

//! The profiles of a State, taken along and read again.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::Arc;

use feed::feeds::Publication;
use feed::search::{Hit, Hits, Progress, Query, Search, SearchError};
use http::StatusCode;
use practice::gateway::{self, GatewayDraft, Told};
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::FeedName;

use crate::stand::{Answered, Stand};

/// An index that finds one record.
struct One(Hit);

impl Search for One {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        let hits = if query.limit == 0 { Vec::new() } else { vec![self.0.clone()] };
        Ok(Hits { total: 1, hits, counts: BTreeMap::new(), without: Vec::new() })
    }

    fn progress(&self) -> Progress {
        Progress { sequence: 1, of: 1 }
    }
}

fn profile() -> Value {
    json!({
        "title": {"es": "Mecanismo de ejemplo", "ar": "آلية للمثال"},
        "summary": {"es": "Un mecanismo <permanente> & más.", "ar": "آلية دائمة."},
        "official_name": {"es": "Sistema \"S\"", "ar": "نظام"},
        "mechanism_status": "standing",
        "legal_bases": [{"text": {"es": "Decreto 1", "ar": "مرسوم 1"}, "date": "2015-11-09"}],
        "composition": [{"sector": "executive", "text": {"es": "Ministerios", "ar": "وزارات"}}],
        "secretariat": {"es": "En la cancillería.\n\nCon dos personas.", "ar": "في الوزارة."},
        "mandate": {"es": "Informar:\n- a la ONU\n- a la región", "ar": "الإبلاغ."},
        "challenges": [{"text": {"es": "Rotación.", "ar": "تغيير."}}],
        "topics": ["legal-basis"],
        "sources": [{"title": "Decreto", "url": "https://example.org/1"}],
        "states": ["PY"], "language": "es", "basis": "own-statement", "reuse": "CC-BY-4.0",
    })
}

async fn stand() -> Stand {
    stand_with(profile()).await
}

async fn stand_with(subject: Value) -> Stand {
    let mut stand = Stand::new().await;
    let publication =
        Publication { kind: Kind::MECHANISM_PROFILE, id: None, subject, expected: None };
    let published = stand.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap();
    stand.app.search = Some(Arc::new(One(Hit {
        origin: stand.origin.clone(),
        index: published[0].index,
        id: published[0].id,
        language: "es".to_owned(),
        title: Vec::new(),
        excerpt: Vec::new(),
        states: Vec::new(),
        withdrawn: false,
        changed: 1_795_435_200,
        score: 0.0,
    })));
    stand
}

fn part(answered: &Answered, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(&answered.bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// What a word processor copies: every paragraph a line, an item with its bullet.
fn copied(document: &str) -> String {
    let mut text = String::new();
    for paragraph in document.split("<w:p>").skip(1) {
        if paragraph.contains("\"ListBullet\"") {
            text.push_str("•\t");
        }
        for run in paragraph.split("<w:r>").skip(1) {
            text.push_str(if run.contains("<w:br/>") { "\n" } else { "" });
            let words = run.split("preserve\">").nth(1).unwrap();
            text.push_str(words.split("</w:t>").next().unwrap());
        }
        text.push('\n');
    }
    let marks = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    marks.iter().fold(text, |text, (mark, letter)| text.replace(mark, letter))
}

fn read(bytes: &[u8], language: &str) -> GatewayDraft {
    let told = Told { language: Some(language.into()), ..Told::default() };
    gateway::read(bytes, &told).unwrap().remove(0)
}

#[tokio::test]
async fn a_document_copied_into_a_text_file_is_the_same_profile() {
    let stand = stand().await;
    for language in ["es", "ar"] {
        let answered = stand.get(&format!("/states/PY/profile.docx?lang={language}")).await;
        assert_eq!(answered.status, StatusCode::OK);
        let back = read(copied(&part(&answered, "word/document.xml")).as_bytes(), language);
        for (name, value) in profile().as_object().unwrap() {
            if ["basis", "reuse", "language"].contains(&name.as_str()) {
                continue;
            }
            let mut wanted = value.clone();
            only(&mut wanted, language);
            assert_eq!(back.subject.get(name), Some(&wanted), "{language}: {name}");
        }
        // Whose words it is and how to check it is no part of the profile.
        assert_eq!(back.not_placed.len(), 1);
        let record = back.not_placed[0].texts.join("\n");
        for words in ["mechanism.test", "/records/mechanism.test/public/", "sha256:", "/proof/1"] {
            assert!(record.contains(words), "{words}: {record}");
        }
    }
}

/// Keeps one language of every text.
fn only(value: &mut Value, language: &str) {
    match value {
        Value::Object(map) if map.contains_key("es") => map.retain(|tag, _| tag == language),
        Value::Object(map) => map.values_mut().for_each(|value| only(value, language)),
        Value::Array(items) => items.iter_mut().for_each(|value| only(value, language)),
        _ => {}
    }
}

#[tokio::test]
async fn an_arabic_document_runs_from_right_to_left_and_names_its_languages() {
    let stand = stand().await;
    let arabic = part(&stand.get("/states/PY/profile.docx?lang=ar").await, "word/document.xml");
    assert!(
        arabic.contains("<w:bidi/></w:pPr>") && arabic.contains("<w:rtl/><w:lang w:bidi=\"ar\"/>")
    );
    assert!(arabic.contains("w:gutter=\"0\"/><w:bidi/></w:sectPr>"));
    // An address is set from left to right within it.
    assert!(arabic.contains(
        "<w:lang w:val=\"ar\" w:eastAsia=\"ar\"/></w:rPr><w:t xml:space=\"preserve\">http"
    ));
    let french = part(&stand.get("/states/PY/profile.docx?lang=fr").await, "word/document.xml");
    assert!(french.contains("w:val=\"fr\"") && french.contains("w:val=\"es\""));
    assert!(!french.contains("<w:rtl/>"));
}

#[tokio::test]
async fn a_document_says_that_nobody_assessed_what_others_compiled() {
    let mut compiled = profile();
    compiled["basis"] = json!("compiled-from-public-sources");
    for (profile, says_so) in [(compiled, true), (profile(), false)] {
        let stand = stand_with(profile).await;
        let answered = stand.get("/states/PY/profile.docx?lang=fr").await;
        let text = copied(&part(&answered, "word/document.xml"));
        assert_eq!(text.contains("Non évalué par le réseau."), says_so, "{text}");
        // The colon of the language.
        assert!(text.contains("Version\u{a0}: 1\n"), "{text}");
    }
}

#[tokio::test]
async fn the_same_profile_is_the_same_document() {
    let stand = stand().await;
    let first = stand.get("/states/PY/profile.docx").await;
    assert_eq!(first.bytes, stand.get("/states/PY/profile.docx").await.bytes);
    assert_eq!(
        first.headers["content-type"],
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    );
    assert_eq!(first.headers["content-disposition"], "attachment; filename=\"PY-profile-en.docx\"");
}

#[tokio::test]
async fn the_data_of_a_profile_say_where_its_record_is_and_come_back_whole() {
    let stand = stand().await;
    let answered = stand.get("/states/PY/profile.json").await;
    let file: Value = serde_json::from_slice(&answered.bytes).unwrap();
    assert_eq!(file["state"], "PY");
    let record = &file["profiles"][0]["record"];
    assert_eq!(record["feed"], "mechanism.test/public");
    assert!(record["proof"].as_str().unwrap().ends_with("/feeds/mechanism.test/public/proof/1"));
    let back = read(&answered.bytes, "es");
    for (name, value) in profile().as_object().unwrap() {
        if name != "basis" {
            assert_eq!(back.subject.get(name), Some(value), "{name}");
        }
    }
    assert_eq!(back.subject["basis"], "compiled-from-public-sources");
}

#[tokio::test]
async fn a_state_without_a_profile_has_no_document() {
    let stand = Stand::new().await;
    let answered = stand.get("/states/PY/profile.docx").await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    let answered = stand.get("/states/ZZ/profile.json").await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
}

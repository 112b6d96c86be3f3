//! A page of the Gateway becomes a draft, a profile becomes a document, and each comes back as the other.

use practice::draft::{Defaults, Draft};
use practice::gateway::{self, BlockKind, GatewayError, Told};
use practice::kind::Kind;
use serde_json::{Value, json};

/// Made after the form of the Gateway's pages, about an invented mechanism.
const PAGE: &str = r#"<!DOCTYPE html>
<!-- saved from url=(0071)https://knowledgegateway.example/nmirf/regions/9/174?name=Paraguay -->
<html lang="en"><head><title>Paraguay</title><style>p { color: red }</style></head><body>
<nav><ul><li>Home</li><li>Regions</li></ul></nav>
<h1>Paraguay</h1><span>Standing NMIRF</span>
<h2>Summary</h2><p>A standing mechanism with a tool for follow&#45;up.</p>
<h2>Institutional setup and mandates</h2>
<h3>INSTITUTIONAL SETUP</h3><p>Set up by decree&nbsp;4368 of 9 November 2015.</p><p>It has national reach.</p>
<p><strong>Composition</strong></p><p>The network includes:</p>
<ul><li>Ministry of Foreign Affairs</li><li><p>Ministry of Justice</p></li></ul>
<p>Focal points are named by each institution.</p>
<h3>Secretariat</h3><p>Kept by the <b>human rights</b> directorate.</p>
<h3>MANDATE</h3><p>The mandate includes:</p><ul><li>Reports;</li><li>Follow-up.</li></ul>
<h3>Something nobody knows</h3><p>Words that stay.</p>
<h3>Challenges</h3><p>Staff turnover.</p>
<p>Recommended resources:</p><p><a href="https://knowledgegateway.example/decree.pdf">Decree.pdf</a></p>
<p>Created 9/18/2025</p>
<script>alert("<h2>Mandate</h2>")</script><footer>Contact</footer></body></html>"#;

fn only(bytes: &[u8], told: &Told) -> gateway::GatewayDraft {
    gateway::read(bytes, told).ok().and_then(|mut drafts| drafts.pop()).unwrap_or_default()
}

fn valid(draft: &gateway::GatewayDraft) -> Value {
    let defaults = Defaults { reuse: Some("CC-BY-4.0".into()), ..Defaults::default() };
    let subject = Value::Object(draft.subject.clone());
    let draft = Draft::from_value(Kind::MECHANISM_PROFILE, subject, &defaults);
    draft.validate().map(|record| record.subject).unwrap_or_default()
}

#[test]
fn a_saved_page_becomes_a_draft_section_by_section() {
    let draft = only(PAGE.as_bytes(), &Told::default());
    let subject = valid(&draft);
    let address = "https://knowledgegateway.example/nmirf/regions/9/174?name=Paraguay";
    let wanted = json!({
        "title": {"en": "Paraguay"},
        "summary": {"en": "A standing mechanism with a tool for follow-up."},
        "mechanism_status": "standing",
        "context": {"en": "Set up by decree 4368 of 9 November 2015.\n\nIt has national reach."},
        "composition": [
            {"text": {"en": "The network includes:"}},
            {"text": {"en": "Ministry of Foreign Affairs"}},
            {"text": {"en": "Ministry of Justice\n\nFocal points are named by each institution."}},
        ],
        "secretariat": {"en": "Kept by the human rights directorate."},
        "mandate": {"en": "The mandate includes:\n- Reports;\n- Follow-up."},
        "challenges": [{"text": {"en": "Staff turnover."}}],
        "links": [{"relation": "see-also", "title": "Decree.pdf", "url": "https://knowledgegateway.example/decree.pdf"}],
        "states": ["PY"], "language": "en", "basis": "compiled-from-public-sources", "reuse": "CC-BY-4.0",
        "sources": [{"title": "UN Human Rights Knowledge Gateway: Paraguay", "url": address}],
        "local_id": "gateway-PY",
    });
    assert_eq!(subject, wanted);
}

#[test]
fn what_is_not_recognised_is_kept() {
    let draft = only(PAGE.as_bytes(), &Told::default());
    let kept: Vec<_> =
        draft.not_placed.iter().map(|part| (part.heading.as_str(), part.texts.join("|"))).collect();
    assert_eq!(
        kept,
        [
            ("Something nobody knows", "Words that stay.".to_owned()),
            ("", "Created 9/18/2025".to_owned())
        ]
    );
}

#[test]
fn every_word_of_a_page_is_in_the_draft_or_among_what_was_kept() {
    let draft = only(PAGE.as_bytes(), &Told::default());
    let mut all = Value::Object(draft.subject).to_string();
    for part in &draft.not_placed {
        all.push_str(&part.texts.join(" "));
    }
    for words in
        ["decree 4368", "national reach", "Justice", "Words that stay", "turnover", "9/18/2025"]
    {
        assert!(all.contains(words), "{words}: {all}");
    }
    assert!(!all.contains("alert") && !all.contains("Regions"));
}

#[test]
fn pasted_text_becomes_the_same_sections() {
    let text = "Kenya\nSummary\nA committee.\n\nInstitutional setup and mandates\nINSTITUTIONAL SETUP\n\
                Set up by a notice.\nComposition\n• Ministry of Health\n• Judiciary\nMANDATE\nReporting.\n";
    let told = Told { language: Some("en".into()), ..Told::default() };
    let subject = valid(&only(text.as_bytes(), &told));
    assert_eq!(subject["states"], json!(["KE"]));
    assert_eq!(subject["context"], json!({"en": "Set up by a notice."}));
    assert_eq!(subject["composition"][1], json!({"text": {"en": "Judiciary"}}));
    assert_eq!(subject["sources"], json!([{"title": "UN Human Rights Knowledge Gateway: Kenya"}]));
}

#[test]
fn a_menu_of_states_names_no_state_and_a_heading_does() {
    let told = Told { language: Some("en".into()), ..Told::default() };
    let menu = "Albania\nAlgeria\nKenya\nSummary\nText.";
    assert!(matches!(gateway::read(menu.as_bytes(), &told), Err(GatewayError::NoState)));
    let page = "<p>Albania</p><p>Algeria</p><h1>Kenya</h1><h2>Summary</h2><p>Text.</p>";
    let draft = only(page.as_bytes(), &told);
    assert_eq!(draft.subject["states"], json!(["KE"]));
    assert_eq!(draft.not_placed[0].texts, ["Albania", "Algeria"]);
}

fn full() -> Value {
    json!({
        "title": {"es": "Paraguay: el mecanismo", "ar": "باراغواي: الآلية"},
        "summary": {"es": "Un mecanismo permanente.", "ar": "آلية دائمة."},
        "official_name": {"es": "Sistema de seguimiento", "ar": "نظام المتابعة"},
        "mechanism_type": "interministerial", "mechanism_status": "standing",
        "legal_bases": [{"text": {"es": "Decreto 4368", "ar": "المرسوم 4368"}, "legal_basis": "decree",
            "date": "2015-11-09", "url": "https://example.org/4368"}, {"text": {"es": "Otro", "ar": "آخر"}}],
        "established": "2015-11-09", "context": {"es": "Uno.\n\nDos:\n- a\n- b", "ar": "واحد."},
        "period": {"from": "2015"},
        "composition": [{"sector": "executive", "count": 18}, {"sector": "judiciary", "text": {"es": "Corte", "ar": "محكمة"}}],
        "focal_points": {"count": 170, "text": {"es": "En 70 instituciones.", "ar": "في 70 مؤسسة."}},
        "secretariat": {"es": "En la cancillería.", "ar": "في الوزارة."},
        "mandate": {"es": "Informar.", "ar": "الإبلاغ."},
        "methods_of_work": [{"text": {"es": "Reuniones.\n\nCada mes.", "ar": "اجتماعات."}}],
        "capacities": ["coordination", "engagement"],
        "human_rights_mechanisms": ["upr"],
        "tools": [{"text": {"es": "SIMORE", "ar": "سيموري"}, "url": "https://example.org/simore"}],
        "challenges": [{"text": {"es": "Rotación.", "ar": "تغيير."}}],
        "topics": ["legal-basis", "tracking-tools"], "sdgs": ["16"],
        "contact": {"unit": {"es": "Dirección", "ar": "المديرية"}, "email": "unit@example.org"},
        "designated_contact": true,
        "sources": [{"title": "Decreto", "url": "https://example.org/4368", "date": "2015"}],
        "states": ["PY"], "language": "es", "basis": "own-statement", "reuse": "CC-BY-4.0",
    })
}

/// As a word processor copies it: every paragraph a line, an item with its bullet.
fn copied(subject: &Value, language: &str) -> String {
    let told = |name: &str| {
        let text = subject.pointer(&format!("/{name}/{language}")).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let summary = practice::kinds::field("summary").map_or("", |field| field.label(language));
    let mut lines = vec!["Paraguay".into(), told("title"), summary.into(), told("summary")];
    for section in gateway::outline(subject, language) {
        lines.push(section.name.to_owned());
        for field in section.fields {
            lines.push(field.name.to_owned());
            for block in field.blocks {
                let bullet = if block.kind == BlockKind::Item { "•\t" } else { "" };
                lines.push(format!("{bullet}{}", block.text));
            }
        }
    }
    lines.join("\n")
}

#[test]
fn a_profile_set_out_in_any_language_comes_back_with_the_same_sections() {
    for language in ["es", "ar"] {
        let told =
            Told { language: Some(language.into()), state: Some("PY".into()), ..Told::default() };
        let back = only(copied(&full(), language).as_bytes(), &told);
        assert_eq!(back.not_placed, [], "{language}");
        let mut wanted = full();
        reduce(&mut wanted, language);
        for (name, value) in wanted.as_object().unwrap() {
            if ["basis", "reuse", "language"].contains(&name.as_str()) {
                continue;
            }
            assert_eq!(back.subject.get(name), Some(value), "{language}: {name}");
        }
    }
}

#[test]
fn a_colon_and_a_period_without_end_are_those_of_the_language_and_read_again() {
    for language in practice::language::INTERFACE {
        let mut subject = full();
        reduce(&mut subject, "es");
        let of_language = subject.to_string().replace("{\"es\":", &format!("{{\"{language}\":"));
        let subject: Value = serde_json::from_str(&of_language).unwrap();
        let (text, told) = (
            copied(&subject, language),
            Told { language: Some(language.into()), state: Some("PY".into()), ..Told::default() },
        );
        let (colon, since) = match language {
            "fr" => ("\u{a0}: ", "depuis 2015"),
            "zh" => ("：", "自2015起"),
            "ar" => (": ", "منذ 2015"),
            "ru" => (": ", "с 2015"),
            "en" => (": ", "since 2015"),
            _ => (": ", "desde 2015"),
        };
        for words in [format!("{colon}unit@example.org"), format!("\n{since}\n")] {
            assert!(text.contains(&words), "{language}: no `{words}` in {text}");
        }
        let back = only(text.as_bytes(), &told);
        for name in ["period", "contact", "legal_bases", "designated_contact"] {
            assert_eq!(back.subject.get(name), subject.get(name), "{language}: {name}");
        }
    }
    let told = Told { language: Some("en".into()), state: Some("PY".into()), ..Told::default() };
    let before = copied(&full(), "en").replace("since 2015", "2015 –");
    assert_eq!(only(before.as_bytes(), &told).subject["period"], json!({"from": "2015"}));
}

/// Keeps one language of every text.
fn reduce(value: &mut Value, language: &str) {
    match value {
        Value::Object(map) if map.contains_key("es") => map.retain(|tag, _| tag == language),
        Value::Object(map) => map.values_mut().for_each(|value| reduce(value, language)),
        Value::Array(items) => items.iter_mut().for_each(|value| reduce(value, language)),
        _ => {}
    }
}

#[test]
fn an_exported_profile_comes_back_whole() {
    let file = json!({"profiles": [gateway::export(&full())]}).to_string();
    let back = only(file.as_bytes(), &Told::default());
    let mut wanted = full();
    wanted["basis"] = "compiled-from-public-sources".into();
    wanted["local_id"] = "gateway-PY".into();
    assert_eq!(Value::Object(back.subject), wanted);
}

#[test]
fn the_sections_of_an_export_stand_in_the_order_of_the_gateway() {
    let export = gateway::export(&full());
    let codes: Vec<_> = export["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["section"].as_str().unwrap())
        .collect();
    let wanted = [
        "establishment",
        "set-up",
        "mandate",
        "engagement",
        "tools",
        "experience",
        "subjects",
        "contact",
    ];
    assert_eq!(codes, wanted);
}

#[test]
fn every_file_that_is_no_page_is_refused_in_words() {
    let told = Told { language: Some("en".into()), state: Some("PY".into()), ..Told::default() };
    let refused = |bytes: &[u8]| gateway::read(bytes, &told).unwrap_err();
    assert!(matches!(refused(b"PK\x03\x04"), GatewayError::NotAPage { .. }));
    assert!(matches!(refused(b"%PDF-1.7"), GatewayError::NotAPage { .. }));
    assert!(matches!(refused(b"MIME-Version: 1.0\n"), GatewayError::NotAPage { .. }));
    assert!(matches!(refused(b"a\0b"), GatewayError::NotAPage { .. }));
    assert!(matches!(refused(b"Composition\n\xe9t\xe9"), GatewayError::Encoding { at: 12 }));
    assert!(matches!(refused(b""), GatewayError::NothingRecognised { .. }));
    assert!(matches!(refused(b"{\"a\": 1}"), GatewayError::NotAProfile { .. }));
    let large = vec![b'a'; gateway::PAGE_BYTES_MAX + 1];
    assert!(matches!(refused(&large), GatewayError::TooLarge { .. }));
    let long = format!("Summary\n{}", "a\n".repeat(gateway::BLOCKS_MAX));
    assert!(matches!(refused(long.as_bytes()), GatewayError::TooLong { .. }));
    let none =
        gateway::read(b"Summary\nText.", &Told { language: Some("en".into()), ..Told::default() });
    assert!(matches!(none, Err(GatewayError::NoState)));
    let none = gateway::read(b"Kenya\nSummary\nText.", &Told::default());
    assert!(matches!(none, Err(GatewayError::NoLanguage)));
}

#[test]
fn text_in_utf_16_is_read() {
    let told = Told { language: Some("en".into()), ..Told::default() };
    let units: Vec<u8> =
        "\u{feff}Kenya\r\nSummary\r\nÉtat".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(only(&units, &told).subject["summary"], json!({"en": "État"}));
}

#[test]
fn markup_that_is_nested_broken_or_endless_is_read_in_proportion() {
    let told = Told { language: Some("en".into()), state: Some("PY".into()), ..Told::default() };
    let half = gateway::PAGE_BYTES_MAX / 16;
    for hostile in [
        "<div>".repeat(half),
        "<nav>".repeat(half),
        "<script".repeat(half),
        "<!--".repeat(half),
        format!("<a {}", "b='' ".repeat(half)),
        "</nav".repeat(half),
        "&#".repeat(half),
        "<<<<".repeat(half),
        "<a href=\"".repeat(half / 2),
    ] {
        let page = format!("<h2>Summary</h2><p>Words.</p>{hostile}");
        if let Ok(drafts) = gateway::read(page.as_bytes(), &told) {
            assert!(Value::Object(drafts[0].subject.clone()).to_string().contains("Words."));
        }
    }
}

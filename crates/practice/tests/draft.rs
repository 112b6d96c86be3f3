//! Drafts: every fault at once, each with its place; and what is brought into form.

#![cfg(test)]

use practice::draft::{Defaults, Draft, Fault, FaultReason, WarningKind, normalise};
use practice::kind::Kind;
use practice::personal::PersonalShape;
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults {
        language: Some("es".into()),
        reuse: Some("CC-BY-4.0".into()),
        basis: Some("own-statement".into()),
        state: Some("PY".into()),
    }
}

fn draft(value: Value) -> Draft {
    Draft::from_value(Kind::GOOD_PRACTICE, value, &defaults())
}

fn minimal() -> Value {
    json!({"title": "Título", "summary": "Resumen", "capacities": ["coordination"]})
}

fn with(name: &str, value: Value) -> Value {
    let mut draft = minimal();
    draft[name] = value;
    draft
}

fn faults(value: Value) -> Vec<Fault> {
    draft(value).validate().unwrap_err()
}

#[test]
fn title_summary_and_capacities_are_enough_for_a_good_practice() {
    let record = draft(minimal()).validate().unwrap();
    assert_eq!(record.warnings, []);
    assert_eq!(
        record.subject,
        json!({"title": {"es": "Título"}, "summary": {"es": "Resumen"}, "capacities": ["coordination"],
               "language": "es", "reuse": "CC-BY-4.0", "basis": "own-statement"})
    );
}

#[test]
fn every_fault_is_reported_at_once_with_its_place() {
    let faults = faults(json!({
        "title": {},
        "language": "es",
        "capacities": ["coordination", "cordination", "coordination"],
        "actions": [{"text": {"es": "uno"}}, {"text": {"es": "dos"}}, {"text": {"es": "tres", "ar": 3}}, {}, 4],
        "period": {"from": "2020", "to": "2019-05"},
        "established": "x",
        "themes": "Z9",
        "context": {"español": "x"},
        "states": ["PY", "ZZ"],
        "sources": [{"url": "example.org"}],
        "results": [{"text": {"es": "x"}, "date": "30/06/2015", "documents": "x"}],
        "contact": {"unit": 1.5},
        "reviewed": "2026-02-30",
        "translations": {"EN": {"made_by": "robot"}},
    }));
    let told: Vec<String> =
        faults.iter().map(|fault| format!("{} {:?}", fault.path, fault.reason)).collect();
    let places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    for place in [
        "title",
        "summary",
        "capacities[1]",
        "capacities[2]",
        "actions[2].text.ar",
        "actions[3]",
        "actions[3].text",
        "actions[4]",
        "period",
        "themes[0]",
        "context.español",
        "states[1]",
        "sources[0].title",
        "sources[0].url",
        "results[0].date",
        "results[0].documents[0]",
        "contact.unit",
        "reviewed",
        "translations.EN",
        "translations.EN.made_by",
    ] {
        assert!(places.contains(&place), "{place} is not in {told:#?}");
    }
    let misspelt = faults.iter().find(|fault| fault.path == "capacities[1]").unwrap();
    let suggestion = Some("coordination".to_owned());
    assert_eq!(misspelt.reason, FaultReason::Code { vocabulary: "capacities", suggestion });
    assert_eq!(
        misspelt.to_string(),
        "`capacities[1]` is no code of `capacities`; did you mean `coordination`? (found `cordination`)"
    );
}

#[test]
fn a_draft_that_is_no_object_or_of_an_unknown_kind_is_refused() {
    assert!(draft(json!([1])).validate().is_err());
    let later = Draft::from_value(Kind::parse("peer-review").unwrap(), minimal(), &defaults());
    assert!(
        later.validate().unwrap_err().iter().any(|fault| fault.reason == FaultReason::UnknownKind)
    );
}

#[test]
fn numbers_that_not_everybody_can_read_and_long_records_are_refused() {
    let fractions = faults(with("cost", json!([1.5, {"x": 9_007_199_254_740_992_i64}, 3])));
    let told: Vec<_> = fractions.iter().map(|fault| (fault.path.as_str(), &fault.reason)).collect();
    assert_eq!(told, [("cost[0]", &FaultReason::Number), ("cost[1].x", &FaultReason::Number)]);
    let nul = faults(with("cost", json!("a\0b")));
    assert!(matches!(nul[0].reason, FaultReason::Json { .. }));
    let long = faults(with("context", json!("a".repeat(131_072))));
    assert!(matches!(long[0].reason, FaultReason::Size { .. }));
}

#[test]
fn unknown_fields_are_kept_with_a_warning() {
    let record = draft(with("weather", json!({"x": [1]}))).validate().unwrap();
    assert_eq!(record.subject["weather"], json!({"x": [1]}));
    assert_eq!(
        (record.warnings[0].path.as_str(), record.warnings[0].kind),
        ("weather", WarningKind::UnknownField)
    );
    let nested = draft(with("actions", json!([{"text": "x", "cost": 3}]))).validate().unwrap();
    assert_eq!(nested.warnings[0].path, "actions[0].cost");
}

#[test]
fn what_looks_like_personal_data_is_a_warning_with_its_place() {
    let value = json!({
        "title": "Título", "summary": "Escriba a ana@mre.gov.py", "capacities": ["coordination"],
        "actions": ["Véase A/HRC/RES/60/27", "Llamar al +595 21 414 8000"],
        "contact": {"unit": "Dirección", "email": "dgdh@mre.gov.py", "url": "https://mre.gov.py/?a=12345678"},
        "sources": [{"title": "Decreto 4368/2015", "url": "https://mre.gov.py/12345678"}],
    });
    let warnings = draft(value).validate().unwrap().warnings;
    let told: Vec<_> =
        warnings.iter().map(|warning| (warning.path.as_str(), warning.kind)).collect();
    assert_eq!(
        told,
        [
            ("summary.es", WarningKind::Personal(PersonalShape::Email)),
            ("actions[1].text.es", WarningKind::Personal(PersonalShape::Telephone)),
        ]
    );
}

#[test]
fn a_text_without_its_source_language_is_a_warning() {
    let record = draft(with("context", json!({"en": "x"}))).validate().unwrap();
    assert_eq!(
        (record.warnings[0].path.as_str(), record.warnings[0].kind),
        ("context", WarningKind::NotInSourceLanguage)
    );
}

#[test]
fn a_node_without_a_state_must_name_states() {
    let organization = Defaults { state: None, ..defaults() };
    let draft = |value| Draft::from_value(Kind::GOOD_PRACTICE, value, &organization).validate();
    let faults = draft(minimal()).unwrap_err();
    assert_eq!((faults.len(), faults[0].path.as_str()), (1, "states"));
    assert!(draft(with("states", json!(["XA"]))).is_ok());
}

#[test]
fn what_people_write_is_brought_into_the_form_of_records() {
    let brought = normalise(
        json!({
            "id": "py-7", "language": "ES_py", "title": "T", "summary": {"es_PY": "S", "EN": "E", "fr": " "},
            "actions": "una", "results": [{"text": "r", "value": 12}, "s", {"en": "t"}, ""], "lessons": [],
            "capacities": "Coordinación", "states": ["Paraguay", "ar"], "sdgs": [16, "16.6"], "period": 2015,
            "context": null, "reuse": "", "reported_by": {"name": " N ", "level": "Academia"}, "other": "x",
        }),
        &defaults(),
    );
    assert_eq!(
        brought,
        json!({
            "local_id": "py-7", "language": "es-PY", "title": {"es-PY": "T"}, "summary": {"es-PY": "S", "en": "E"},
            "actions": [{"text": {"es-PY": "una"}}],
            "results": [{"text": {"es-PY": "r"}, "value": "12"}, {"text": {"es-PY": "s"}}, {"text": {"en": "t"}}],
            "capacities": ["coordination"], "states": ["PY", "AR"], "sdgs": ["16", "16.6"], "period": {"from": "2015"},
            "reported_by": {"name": "N", "level": "academia"}, "other": "x",
            "reuse": "CC-BY-4.0", "basis": "own-statement",
        })
    );
}

#[test]
fn an_id_is_kept_if_it_is_one() {
    let id = "urn:uuid:abababab-abab-4bab-abab-abababababab";
    let record = draft(with("id", json!(id))).validate().unwrap();
    assert_eq!(record.id.unwrap().to_string(), id);
    let foreign = draft(with("id", json!("7")));
    assert_eq!(foreign.local_id(), Some("7"));
    assert_eq!(foreign.validate().unwrap().id, None);
}

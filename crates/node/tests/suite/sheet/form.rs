//! The form: what people get, and that what they fill in comes back as they meant it.

use std::io::Cursor;

use super::filling::{ANSWERS, TRANSLATIONS, fill, full_answers, kinds, row, rows};
use calamine::{Reader, Xlsx};
use node::sheet::{Defaults, LANGUAGES, form, read};
use practice::kind::Kind;
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults { reuse: Some("CC-BY-4.0".to_owned()), ..Defaults::default() }
}

fn subject(bytes: &[u8]) -> Value {
    let import = read(bytes, "form.xlsx", &defaults()).unwrap();
    assert!(import.warnings.is_empty(), "{:?}", import.warnings);
    match &import.rows[0].record {
        Ok(draft) => Value::Object(draft.subject.clone()),
        Err(faults) => {
            panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }
}

#[test]
fn every_question_of_every_kind_in_every_language_comes_back_as_a_valid_draft() {
    for kind in kinds() {
        for language in LANGUAGES {
            let empty = form(&kind, language).unwrap();
            let filled = fill(&empty, ANSWERS, &full_answers(&kind, language, &empty));
            let subject = subject(&filled);
            assert_eq!(subject["language"], language, "{kind}");
            assert_eq!(subject["title"][language], format!("title < & {language}"), "{kind}");
            let asked: std::collections::HashSet<String> = rows(&empty, ANSWERS)
                .1
                .iter()
                .map(|(_, path)| path.split(['.', '[']).next().unwrap().to_owned())
                .collect();
            for field in asked {
                assert!(subject.get(&field).is_some(), "{kind} in {language} lost {field}");
            }
        }
    }
}

#[test]
fn a_form_says_where_to_start_and_hides_only_its_machinery() {
    for (language, start, answers) in [
        ("en", "Start here", "Answers"),
        ("fr", "Commencer ici", "Réponses"),
        ("ar", "ابدأ هنا", "الإجابات"),
        ("zh", "从这里开始", "填写"),
    ] {
        let bytes = form(&Kind::GOOD_PRACTICE, language).unwrap();
        let workbook: Xlsx<_> = Xlsx::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(workbook.sheet_names()[..2], [start, answers]);
        let mut answers = String::new();
        let mut parts = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        std::io::Read::read_to_string(
            &mut parts.by_name("xl/worksheets/sheet2.xml").unwrap(),
            &mut answers,
        )
        .unwrap();
        assert_eq!(answers.contains("rightToLeft=\"1\""), language == "ar");
        assert!(answers.contains("<col min=\"1\" max=\"1\" width=\"0\" hidden=\"1\""));
        assert!(answers.contains("state=\"frozen\"") && answers.contains("<dataValidations"));
        // Rows grow with what is typed only while their height is not fixed.
        assert!(!answers.contains("customHeight"));
    }
}

#[test]
fn a_form_is_small_enough_for_a_slow_line() {
    for kind in kinds() {
        // Those that need most bytes.
        for language in ["ar", "ru"] {
            let bytes = form(&kind, language).unwrap().len();
            assert!(bytes < 60_000, "{kind} in {language}: {bytes}");
        }
    }
}

#[test]
fn there_is_no_form_for_what_a_machine_writes() {
    let error = form(&Kind::NODE, "en").unwrap_err().to_string();
    assert!(error.contains("no form for `node`") && error.contains("good-practice"), "{error}");
}

#[test]
fn an_unknown_language_gets_the_english_form() {
    let (name, _) = rows(&form(&Kind::EVENT, "gn").unwrap(), ANSWERS);
    assert_eq!(name, "Answers");
}

/// The least that a good practice needs, in one column of a form.
fn least(form: &[u8], column: &str, title: &str) -> Vec<(String, String)> {
    let at = |path: &str| format!("{column}{}", row(form, ANSWERS, path));
    vec![
        (at("title"), title.to_owned()),
        (at("summary"), "Un resumen".to_owned()),
        (at("capacities[]"), "Coordinación".to_owned()),
    ]
}

#[test]
fn each_column_is_a_record_and_a_blank_one_is_passed_over() {
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let answers = [least(&empty, "D", "Uno"), least(&empty, "F", "Dos")].concat();
    let import = read(&fill(&empty, ANSWERS, &answers), "form.xlsx", &defaults()).unwrap();
    let places: Vec<_> = import
        .rows
        .iter()
        .map(|row| (row.place.as_str(), row.title.as_str(), row.record.is_ok()))
        .collect();
    assert_eq!(places, [("Respuestas!D", "Uno", true), ("Respuestas!F", "Dos", true)]);
}

#[test]
fn a_form_whose_columns_were_moved_is_still_read() {
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let filled = fill(&empty, ANSWERS, &least(&empty, "E", "Uno"));
    // The help now stands in D, as after somebody put in a column before it.
    let moved = super::filling::edit(&filled, "xl/worksheets/sheet2.xml", |xml| {
        xml.replace("<c r=\"D", "<c r=\"Z").replace("<c r=\"C", "<c r=\"D")
    });
    let import = read(&moved, "form.xlsx", &defaults()).unwrap();
    assert_eq!(import.rows.len(), 1, "{:?}", import.rows);
    assert!(import.rows[0].place == "Respuestas!E" && import.rows[0].record.is_ok());
}

#[test]
fn a_fault_names_its_cell_its_value_and_what_was_meant() {
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let at = |path: &str| format!("D{}", row(&empty, ANSWERS, path));
    let answers = vec![
        (at("title"), "Un título".to_owned()),
        (at("capacities[]"), "Cordinación".to_owned()),
        (at("period.from"), "05/06/2020".to_owned()),
        (at("sdgs[]"), "16.6\n99".to_owned()),
    ];
    let import = read(&fill(&empty, ANSWERS, &answers), "form.xlsx", &defaults()).unwrap();
    let faults = import.rows[0].record.as_ref().unwrap_err();
    let found = |field: &str| {
        faults
            .iter()
            .find(|fault| fault.field.starts_with(field))
            .unwrap_or_else(|| panic!("{field}: {faults:?}"))
    };
    assert_eq!(found("summary").place, format!("Respuestas!{}", at("summary")));
    assert_eq!(found("summary").value, "");
    let capacity = found("capacities");
    assert_eq!(
        (capacity.place.clone(), capacity.value.as_str()),
        (format!("Respuestas!{}", at("capacities[]")), "Cordinación")
    );
    assert!(capacity.message.contains("Coordinación"), "{}", capacity.message);
    assert_eq!(found("period.from").value, "05/06/2020");
    assert_eq!((found("sdgs").field.as_str(), found("sdgs").value.as_str()), ("sdgs[1]", "99"));
    assert_eq!(faults.len(), 4, "{faults:?}");
}

#[test]
fn translations_join_their_record_line_by_line() {
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let mut answers = least(&empty, "D", "Uno");
    answers.push((
        format!("D{}", row(&empty, ANSWERS, "actions[]")),
        "- Compilar | 2024\n- Formar".to_owned(),
    ));
    let filled = fill(&empty, ANSWERS, &answers);
    let at = |path: &str| format!("D{}", row(&empty, TRANSLATIONS, path));
    let translation = |actions: &str| {
        let cells = [
            ("record", "1"),
            ("language", "inglés"),
            ("made_by", "Una persona"),
            ("title", "One"),
            ("actions[]", actions),
        ];
        fill(&filled, TRANSLATIONS, &cells.map(|(path, text)| (at(path), text.to_owned())))
    };
    let joined = subject(&translation("Compile\nTrain"));
    assert_eq!(joined["title"], json!({"es": "Uno", "en": "One"}));
    assert_eq!(
        joined["actions"],
        json!([{"text": {"es": "Compilar", "en": "Compile"}, "date": "2024"}, {"text": {"es": "Formar", "en": "Train"}}])
    );
    assert_eq!(joined["translations"], json!({"en": {"made_by": "person"}}));
    let import = read(&translation("Compile"), "form.xlsx", &defaults()).unwrap();
    let fault = &import.rows[0].record.as_ref().unwrap_err()[0];
    assert_eq!(fault.place, format!("Traducciones!{}", at("actions[]")));
    assert!(fault.message.contains("1 lines here and 2 in `es`"), "{fault}");
}

#[test]
fn a_translation_of_no_record_is_told_of() {
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let filled = fill(&empty, ANSWERS, &least(&empty, "D", "Uno"));
    let stray = (format!("D{}", row(&empty, TRANSLATIONS, "record")), "7".to_owned());
    let import = read(&fill(&filled, TRANSLATIONS, &[stray]), "form.xlsx", &defaults()).unwrap();
    assert_eq!(import.warnings[0].place, "Traducciones!D");
    assert!(import.rows[0].record.is_ok());
}

#[test]
fn a_list_shows_codes_that_are_read_back() {
    let empty = form(&Kind::GOOD_PRACTICE, "fr").unwrap();
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(&empty)).unwrap();
    let lists = workbook.worksheet_range("Listes").unwrap();
    let shown: Vec<String> = lists
        .cells()
        .map(|(_, _, cell)| cell.to_string())
        .filter(|text| text.starts_with("16.6 – ") || text.starts_with("A2 – "))
        .collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    let at = |path: &str| format!("D{}", row(&empty, ANSWERS, path));
    let mut answers = vec![
        (at("title"), "T".to_owned()),
        (at("summary"), "S".to_owned()),
        (at("capacities[]"), "coordination".to_owned()),
    ];
    for text in shown {
        answers.push((at(if text.starts_with("16") { "sdgs[]" } else { "themes[]" }), text));
    }
    let subject = subject(&fill(&empty, ANSWERS, &answers));
    assert_eq!((&subject["sdgs"], &subject["themes"]), (&json!(["16.6"]), &json!(["A2"])));
}

#[test]
fn an_empty_form_is_told_to_be_empty() {
    let error = read(&form(&Kind::EVENT, "en").unwrap(), "form.xlsx", &defaults()).unwrap_err();
    assert!(error.to_string().contains("holds no record"), "{error}");
}

#[test]
fn a_form_of_a_later_release_is_refused_with_what_to_do() {
    let later =
        super::filling::edit(&form(&Kind::EVENT, "en").unwrap(), "xl/sharedStrings.xml", |xml| {
            xml.replace("jopoi-form 1 ", "jopoi-form 2 ")
        });
    let error = read(&later, "form.xlsx", &defaults()).unwrap_err().to_string();
    assert!(error.contains("version 2") && error.contains("jopoi form"), "{error}");
}

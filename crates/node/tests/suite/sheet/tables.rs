//! Tables and lines that other programs wrote, and what an import would do to a feed.

use std::collections::HashMap;

use super::filling::{ANSWERS, archive, fill, row};
use node::sheet::{CellFault, Defaults, Existing, Import, form, preview, publications, read};
use practice::id::RecordId;
use practice::kind::Kind;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use serde_json::{Value, json};

fn defaults() -> Defaults {
    Defaults {
        kind: Some(Kind::GOOD_PRACTICE),
        language: Some("en".to_owned()),
        reuse: Some("CC-BY-4.0".to_owned()),
        basis: None,
    }
}

fn subject(import: &Import, row: usize) -> Value {
    match &import.rows[row].record {
        Ok(draft) => Value::Object(draft.subject.clone()),
        Err(faults) => panic!("{faults:?}"),
    }
}

fn faults(import: &Import, row: usize) -> &[CellFault] {
    import.rows[row].record.as_ref().expect_err("it is valid")
}

#[test]
fn a_plain_csv_is_read_with_lists_by_semicolon_or_line() {
    let csv = "title,summary,capacities,actions,Topics,sources,local_id\n\
               A,About A,coordination;Engagement,Do this; do that,focal-points,The page https://example.org/a,a-1\n\
               B,About B,coordination,\"1. First; well\n2. Second\",,,b-1\n";
    let import = read(csv.as_bytes(), "plain.csv", &defaults()).unwrap();
    let a = subject(&import, 0);
    assert_eq!(a["capacities"], json!(["coordination", "engagement"]));
    assert_eq!(a["actions"], json!([{"text": {"en": "Do this"}}, {"text": {"en": "do that"}}]));
    assert_eq!(a["sources"], json!([{"title": "The page", "url": "https://example.org/a"}]));
    assert_eq!(
        (&a["topics"], &a["basis"], &a["local_id"]),
        (&json!(["focal-points"]), &json!("own-statement"), &json!("a-1"))
    );
    assert_eq!(
        subject(&import, 1)["actions"],
        json!([{"text": {"en": "First; well"}}, {"text": {"en": "Second"}}])
    );
    assert_eq!(import.rows[1].place, "row 3");
}

#[test]
fn a_csv_may_name_paths_and_languages() {
    let csv = "kind;language;title.es;title.en;summary;capacities[];results[0].text.es;results[0].value;period.from\n\
               good-practice;es;Uno;One;Resumen;coordination;Menos demora;30 %;2020\n";
    let import = read(csv.as_bytes(), "paths.csv", &Defaults { kind: None, ..defaults() }).unwrap();
    let subject = subject(&import, 0);
    assert_eq!(subject["title"], json!({"es": "Uno", "en": "One"}));
    assert_eq!(subject["results"], json!([{"text": {"es": "Menos demora"}, "value": "30 %"}]));
    assert_eq!(subject["period"], json!({"from": "2020"}));
}

#[test]
fn a_header_in_any_language_and_an_unknown_column_are_understood() {
    let csv =
        "Titre,Résumé,Capacités,Colour,Langue de rédaction\nUn,Court,Coordination,blue,français\n";
    let import =
        read(csv.as_bytes(), "fr.csv", &Defaults { language: Some("fr".to_owned()), ..defaults() })
            .unwrap();
    assert_eq!(subject(&import, 0)["title"], json!({"fr": "Un"}));
    assert_eq!(
        (import.warnings[0].place.as_str(), import.warnings[0].value.as_str()),
        ("D1", "Colour")
    );
}

#[test]
fn what_a_file_does_not_say_is_asked_for() {
    let csv = b"title,summary\nA,B\n";
    let error = read(csv, "a.csv", &Defaults { kind: None, ..defaults() }).unwrap_err().to_string();
    assert!(error.contains("--kind good-practice"), "{error}");
    let import = read(csv, "a.csv", &Defaults { language: None, ..defaults() }).unwrap();
    assert!(faults(&import, 0)[0].message.contains("--language es"));
    let import = read(b"title,kind\nA,poem\n", "a.csv", &defaults()).unwrap();
    assert_eq!(
        (faults(&import, 0)[0].place.as_str(), faults(&import, 0)[0].value.as_str()),
        ("B2", "poem")
    );
}

#[test]
fn cells_of_a_workbook_are_read_as_dates_numbers_and_results_of_formulas() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(["Our list of practices", "", "", "", "", ""]) {
        sheet.write_string(0, column, name).unwrap();
    }
    for (column, name) in
        (0..).zip(["title", "summary", "capacities", "period.from", "sdgs", "reviewed"])
    {
        sheet.write_string(2, column, name).unwrap();
    }
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write_formula(3, 0, Formula::new("=\"A\"&\"B\"").set_result("AB")).unwrap();
    sheet.write_string(3, 1, "'=not a formula").unwrap();
    sheet.write_string(3, 2, "COORDINATION").unwrap();
    sheet
        .write_datetime_with_format(3, 3, ExcelDateTime::from_ymd(2015, 11, 9).unwrap(), &day)
        .unwrap();
    sheet.write_number(3, 4, 16.6).unwrap();
    sheet.write_number(3, 5, 2024).unwrap();
    sheet.write_string(4, 0, "Second").unwrap();
    sheet.write_number(4, 4, 16.1).unwrap();
    sheet.write_formula(4, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let import = read(&workbook.save_to_buffer().unwrap(), "table.xlsx", &defaults()).unwrap();
    let first = subject(&import, 0);
    assert_eq!(
        (&first["title"]["en"], &first["summary"]["en"]),
        (&json!("AB"), &json!("=not a formula"))
    );
    assert_eq!(
        (&first["period"]["from"], &first["sdgs"], &first["reviewed"]),
        (&json!("2015-11-09"), &json!(["16.6"]), &json!("2024"))
    );
    assert_eq!(
        (import.rows[0].place.as_str(), import.rows[1].place.as_str()),
        ("Sheet1!4", "Sheet1!5")
    );
    let goal = faults(&import, 1).iter().find(|fault| fault.field.starts_with("sdgs")).unwrap();
    assert!(goal.place == "Sheet1!E5" && goal.message.contains("`16.1` or `16.10`"), "{goal}");
}

#[test]
fn an_ods_table_is_read_like_any_other() {
    let cell = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content><office:body><office:spreadsheet><table:table table:name=\"Hoja 1\">\
         <table:table-row>{}{}{}{}{}</table:table-row>\
         <table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>\
         <table:table-row>{}<table:table-cell><office:annotation><text:p>a note</text:p></office:annotation></table:table-cell>{}{}\
         <table:table-cell office:value-type=\"date\" office:date-value=\"2020-08-24T00:00:00\"><text:p>24/08/20</text:p></table:table-cell></table:table-row>\
         <table:table-row table:number-rows-repeated=\"1048570\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>\
         </table:table></office:spreadsheet></office:body></office:document-content>",
        cell("title"),
        cell("context"),
        cell("summary"),
        cell("capacities"),
        cell("period.from"),
        cell("Uno &amp; dos"),
        cell("a</text:p><text:p>b<text:s text:c=\"2\"/>c"),
        cell("coordination"),
    );
    let ods = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    let import = read(&ods, "tabla.ods", &defaults()).unwrap();
    let subject = subject(&import, 0);
    assert_eq!(
        (&subject["title"]["en"], &subject["summary"]["en"]),
        (&json!("Uno & dos"), &json!("a\nb  c"))
    );
    assert_eq!((&subject["period"]["from"], subject.get("context")), (&json!("2020-08-24"), None));
    assert_eq!(import.rows[0].place, "Hoja 1!4");
}

#[test]
fn all_sample_records_are_valid() {
    let import = read(
        practice::corpus().as_bytes(),
        "practices.jsonl",
        &Defaults { kind: None, ..defaults() },
    )
    .unwrap();
    assert_eq!(import.rows.len(), 77);
    for row in &import.rows {
        assert!(row.record.is_ok() && row.local_id.is_some() && !row.title.is_empty(), "{row:?}");
    }
}

#[test]
fn a_bad_line_is_named_and_the_others_are_read() {
    let lines = "{\"kind\":\"good-practice\",\"title\":\"A\",\"summary\":\"B\",\"capacities\":[\"coordination\"]}\n\
                 \n{\"kind\":\"good-practice\",\n[1]\n{\"title\":\"A\",\"title\":\"B\"}\n{\"kind\":\"poem\"}\n{\"kind\":\"event\",\"title\":\"A\",\"from\":\"soon\"}\n";
    let import = read(lines.as_bytes(), "lines.jsonl", &defaults()).unwrap();
    let places: Vec<_> =
        import.rows.iter().map(|row| (row.place.as_str(), row.record.is_ok())).collect();
    assert_eq!(
        places,
        [
            ("line 1", true),
            ("line 3", false),
            ("line 4", false),
            ("line 5", false),
            ("line 6", false),
            ("line 7", false)
        ]
    );
    assert!(faults(&import, 3)[0].message.contains("stands twice"), "{:?}", faults(&import, 3));
    let dated = faults(&import, 5).iter().find(|fault| fault.field == "from").unwrap();
    assert_eq!((dated.place.as_str(), dated.value.as_str()), ("line 7", "soon"));
}

#[test]
fn a_reference_used_twice_is_refused_the_second_time() {
    let csv = "title,summary,capacities,local_id\nA,a,coordination,x\nB,b,coordination,x\n";
    let import = read(csv.as_bytes(), "twice.csv", &defaults()).unwrap();
    assert!(import.rows[0].record.is_ok());
    assert!(
        faults(&import, 1)[0].message.contains("row 2 has the same reference"),
        "{:?}",
        faults(&import, 1)
    );
}

/// The feed after everything planned was published.
fn published(import: &Import, held: HashMap<String, Existing>) -> HashMap<String, Existing> {
    let plan = preview(import, &|reference: &str| held.get(reference).cloned());
    let mut feed = held;
    for (number, draft) in (feed.len()..).zip(publications(&plan)) {
        let id = draft.id.as_deref().map_or_else(
            || RecordId::from_random_bytes([u8::try_from(number).unwrap(); 16]),
            |id| RecordId::parse(id).unwrap(),
        );
        let mut subject = draft.subject;
        subject["id"] = json!(id.to_string());
        let version = draft.expected.unwrap_or(0) + 1;
        feed.insert(
            subject["local_id"].as_str().unwrap().to_owned(),
            Existing { id, version: Some(version), subject },
        );
    }
    feed
}

#[test]
fn importing_the_same_file_twice_changes_nothing() {
    let sample = Defaults { kind: None, ..defaults() };
    let without_references = b"title,summary,capacities\nA,a,coordination\n";
    let empty = form(&Kind::GOOD_PRACTICE, "es").unwrap();
    let at = |path: &str| format!("D{}", row(&empty, ANSWERS, path));
    let filled = fill(
        &empty,
        ANSWERS,
        &[
            (at("title"), "T".into()),
            (at("summary"), "S".into()),
            (at("capacities[]"), "Coordinación".into()),
        ],
    );
    for (bytes, name, defaults) in [
        (practice::corpus().as_bytes(), "practices.jsonl", &sample),
        (without_references, "plain.csv", &defaults()),
        (filled.as_slice(), "form.xlsx", &defaults()),
    ] {
        let import = read(bytes, name, defaults).unwrap();
        let feed = published(&import, HashMap::new());
        assert_eq!(feed.len(), import.rows.len(), "{name}");
        let again = preview(&read(bytes, name, defaults).unwrap(), &|reference: &str| {
            feed.get(reference).cloned()
        });
        assert_eq!(
            (again.new.len(), again.changed.len(), again.unchanged.len(), again.refused.len()),
            (0, 0, import.rows.len(), 0),
            "{name}"
        );
        assert!(publications(&again).is_empty());
    }
}

#[test]
fn a_preview_tells_new_changed_and_refused_and_keeps_what_the_sheet_does_not_ask() {
    let first =
        read(b"title,summary,capacities,local_id\nA,a,coordination,x\n", "1.csv", &defaults())
            .unwrap();
    let mut feed = published(&first, HashMap::new());
    feed.get_mut("x").unwrap().subject["reviewed"] = json!("2026");
    let csv = b"title,summary,capacities,local_id\nA,changed,coordination,x\nB,b,coordination,y\nC,,coordination,z\n";
    let second = read(csv, "2.csv", &defaults()).unwrap();
    let plan = preview(&second, &|reference: &str| feed.get(reference).cloned());
    assert_eq!((plan.new.len(), plan.changed.len(), plan.refused.len()), (1, 1, 1));
    assert!(plan.is_partial());
    assert_eq!(plan.changed[0].fields, ["summary"]);
    assert_eq!(plan.refused[0].faults[0].place, "B4");
    let drafts = publications(&plan);
    assert_eq!(drafts.len(), 2);
    assert_eq!(
        (drafts[0].id.clone(), drafts[0].expected),
        (Some(feed["x"].id.to_string()), Some(1))
    );
    assert_eq!(
        (&drafts[0].subject["reviewed"], drafts[0].source.as_deref()),
        (&json!("2026"), Some("2.csv row 2"))
    );
    assert!(drafts[0].subject.get("id").is_none());
    assert_eq!((drafts[1].id.clone(), drafts[1].kind.as_str()), (None, "good-practice"));
}

#[test]
fn what_looks_like_personal_data_is_shown_with_its_cell() {
    let csv = b"title,summary,capacities\nA,Ask anna@example.org,coordination\n";
    let import = read(csv, "a.csv", &defaults()).unwrap();
    let warning = import.rows[0]
        .warnings
        .iter()
        .find(|warning| warning.field.starts_with("summary"))
        .unwrap();
    assert_eq!((warning.place.as_str(), warning.value.as_str()), ("B2", "anna@example.org"));
}

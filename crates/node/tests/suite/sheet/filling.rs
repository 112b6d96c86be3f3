//! Filling in a form as a person would: answers are put into the cells of the workbook itself.

use std::io::{Cursor, Read, Write};

use calamine::{Reader, Xlsx};
use practice::kind::Kind;
use practice::kinds::{Field, Shape, fields};
use practice::vocabulary::Vocabulary;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The sheets of a form, in their order.
pub(crate) const ANSWERS: usize = 1;
pub(crate) const TRANSLATIONS: usize = 2;

/// The kinds that people fill in.
pub(crate) fn kinds() -> Vec<Kind> {
    Kind::ALL.iter().filter(|kind| practice::kinds::has_common_fields(kind)).cloned().collect()
}

/// Name of the sheet and path of the field of every row (from 1) of one sheet of a form.
pub(crate) fn rows(form: &[u8], sheet: usize) -> (String, Vec<(usize, String)>) {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(form)).unwrap();
    let name = workbook.sheet_names()[sheet].clone();
    let range = workbook.worksheet_range(&name).unwrap();
    let paths = range.rows().enumerate().skip(1).filter_map(|(row, cells)| {
        let path = cells[0].to_string();
        (!path.is_empty()).then_some((row + 1, path))
    });
    (name, paths.collect())
}

/// The row of the first question at `path`.
pub(crate) fn row(form: &[u8], sheet: usize, path: &str) -> usize {
    rows(form, sheet)
        .1
        .into_iter()
        .find(|(_, found)| found == path)
        .unwrap_or_else(|| panic!("no question {path}"))
        .0
}

/// Writes `answers` (address and text) into one sheet of a form.
pub(crate) fn fill(form: &[u8], sheet: usize, answers: &[(String, String)]) -> Vec<u8> {
    edit(form, &format!("xl/worksheets/sheet{}.xml", sheet + 1), |xml| {
        let mut xml = xml;
        for (address, answer) in answers {
            let start = xml
                .find(&format!("<c r=\"{address}\" "))
                .unwrap_or_else(|| panic!("no cell {address}"));
            let end = start + xml[start..].find("/>").unwrap();
            let answer = answer.replace('&', "&amp;").replace('<', "&lt;");
            let cell = format!(
                "{} t=\"inlineStr\"><is><t xml:space=\"preserve\">{answer}</t></is></c>",
                &xml[start..end]
            );
            xml.replace_range(start..end + 2, &cell);
        }
        xml
    })
}

/// Changes the text of one part of a workbook.
pub(crate) fn edit(workbook: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut parts = ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..parts.len() {
        let mut entry = parts.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name != part {
            written.raw_copy_file(entry).unwrap();
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let bytes = change(text).into_bytes();
        written.start_file(name, SimpleFileOptions::default()).unwrap();
        written.write_all(&bytes).unwrap();
    }
    written.finish().unwrap().into_inner()
}

/// A zip archive of these parts.
pub(crate) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        written.start_file(*name, SimpleFileOptions::default()).unwrap();
        written.write_all(bytes).unwrap();
    }
    written.finish().unwrap().into_inner()
}

/// An answer to every question of a form of `kind`, in column D, as a person who writes `language`
/// would type or choose it.
pub(crate) fn full_answers(kind: &Kind, language: &str, form: &[u8]) -> Vec<(String, String)> {
    let mut asked = std::collections::HashMap::new();
    let mut answers = Vec::new();
    for (row, path) in rows(form, ANSWERS).1 {
        let number: usize =
            *asked.entry(path.clone()).and_modify(|number| *number += 1).or_insert(0);
        let known = fields(kind);
        let mut names = path.trim_end_matches("[]").split('.');
        let top = names.next().unwrap();
        let mut field: &Field = known
            .iter()
            .find(|field| field.field.name == top)
            .unwrap_or_else(|| panic!("{path}"))
            .field;
        for name in names {
            field = field.inner().iter().find(|inner| inner.name == name).unwrap();
        }
        answers.push((format!("D{row}"), answer(field, language, number)));
    }
    answers
}

fn answer(field: &Field, language: &str, number: usize) -> String {
    let label = |vocabulary: &str| {
        Vocabulary::get(vocabulary).unwrap().terms()[number].label(language).to_owned()
    };
    match (field.name, field.shape) {
        ("local_id", _) => "R-1".to_owned(),
        ("language", _) => {
            Vocabulary::get("languages").unwrap().label(language, language).to_owned()
        }
        ("email", _) => "unit@example.org".to_owned(),
        (_, Shape::Code(vocabulary) | Shape::Codes(vocabulary)) => label(vocabulary),
        (_, Shape::Languages) => label("languages"),
        (_, Shape::Word(words)) => words[number].to_owned(),
        (_, Shape::Date) => format!("202{}-05", if field.name == "to" { 4 } else { 3 }),
        (_, Shape::Integer) => "12".to_owned(),
        (_, Shape::Flag) => match language {
            "ar" => "نعم".to_owned(),
            _ => "yes".to_owned(),
        },
        (_, Shape::Url) => "https://example.org/a".to_owned(),
        (_, Shape::Items(inner) | Shape::Object(inner)) => {
            let line = |number| line(inner, language, number);
            if matches!(field.shape, Shape::Items(_)) {
                format!("{}\n{}", line(0), line(1))
            } else {
                line(0)
            }
        }
        _ => format!("{} < & {}", field.name, language),
    }
}

/// `first | second`, all simple members.
fn line(inner: &[Field], language: &str, number: usize) -> String {
    if inner.iter().any(|field| field.name == "organization") {
        return format!(
            "{} | {}",
            Vocabulary::get("states").unwrap().terms()[number].label(language),
            "provider"
        );
    }
    let simple = inner.iter().filter(|field| field.inner().is_empty());
    simple.map(|field| answer(field, language, number)).collect::<Vec<_>>().join(" | ")
}

//! Files that are broken, hostile or something else: each gets a clear error and does no harm.

use std::io::{Cursor, Write};

use super::filling::{ANSWERS, archive, fill, row};
use node::sheet::{Defaults, SheetError, form, limits, read};
use practice::kind::Kind;
use rust_xlsxwriter::Workbook;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn defaults() -> Defaults {
    Defaults {
        kind: Some(Kind::GOOD_PRACTICE),
        language: Some("en".to_owned()),
        reuse: Some("CC-BY-4.0".to_owned()),
        basis: None,
    }
}

fn refused(bytes: &[u8], name: &str) -> (SheetError, String) {
    let error = read(bytes, name, &defaults()).expect_err("it was read");
    let words = error.to_string();
    assert!(words.contains('`') || words.contains("cell") || words.contains('!'), "{words}");
    (error, words)
}

fn filled_form() -> Vec<u8> {
    let empty = form(&Kind::GOOD_PRACTICE, "en").unwrap();
    let at = |path: &str| format!("D{}", row(&empty, ANSWERS, path));
    let answers =
        [("title", "A title"), ("summary", "A summary"), ("capacities[]", "Coordination")];
    fill(&empty, ANSWERS, &answers.map(|(path, text)| (at(path), text.to_owned())))
}

#[test]
fn a_workbook_cut_short_anywhere_is_refused() {
    let whole = filled_form();
    assert!(read(&whole, "form.xlsx", &defaults()).is_ok());
    for part in 1..40 {
        let cut = &whole[..whole.len() * part / 40];
        let (error, words) = refused(cut, "form.xlsx");
        assert!(matches!(error, SheetError::Damaged { .. }), "{words}");
        assert!(words.contains("save it once more"), "{words}");
    }
}

#[test]
fn a_workbook_with_any_byte_changed_never_ends_the_program() {
    let whole = filled_form();
    for at in (0..whole.len()).step_by(397) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _read_or_refused = read(&changed, "form.xlsx", &defaults());
    }
}

#[test]
fn parts_that_contradict_each_other_never_end_the_program() {
    for (from, to) in [
        ("<c r=\"D", "<c r=\"ZZZZZZZ"),
        ("<c r=\"D", "<c r=\"D99999999999"),
        ("<v>0</v>", "<v>99999999</v>"),
        ("<v>1</v>", "<v>-1</v>"),
        ("t=\"s\"", "t=\"zz\""),
        ("<row r=\"5\"", "<row r=\"99999999999999999999\""),
        ("<sheetData>", "<sheetData"),
        ("</sheetData>", ""),
        ("s=\"1", "s=\"999999999"),
        ("<c r=\"A1\"", "<c r=\"A0\""),
    ] {
        for part in ["xl/worksheets/sheet2.xml", "xl/workbook.xml", "xl/styles.xml"] {
            let changed = super::filling::edit(&filled_form(), part, |xml| xml.replace(from, to));
            let _read_or_refused = read(&changed, "form.xlsx", &defaults());
        }
    }
}

/// A part of `mebibytes` spaces, which pack to almost nothing.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    written.start_file("xl/workbook.xml", SimpleFileOptions::default()).unwrap();
    written.write_all(b"<workbook/>").unwrap();
    let quick = SimpleFileOptions::default().compression_level(Some(1));
    written.start_file("xl/worksheets/sheet1.xml", quick).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..mebibytes {
        written.write_all(&block).unwrap();
    }
    written.finish().unwrap().into_inner()
}

#[test]
fn a_bomb_is_refused_by_what_it_declares_and_by_what_it_is() {
    let honest = bomb(129);
    assert!(honest.len() < 2 << 20);
    let (error, _) = refused(&honest, "form.xlsx");
    assert!(matches!(error, SheetError::Bomb { .. }));
    // The same with a declared size of 16 bytes in the local header and in the directory.
    let size = (129_u32 << 20).to_le_bytes();
    let mut lying = honest;
    while let Some(at) = lying.windows(4).position(|window| window == size) {
        lying[at..at + 4].copy_from_slice(&16_u32.to_le_bytes());
    }
    let (error, words) = refused(&lying, "form.xlsx");
    assert!(matches!(error, SheetError::Bomb { .. } | SheetError::Damaged { .. }), "{words}");
}

#[test]
fn a_table_that_claims_more_texts_than_it_has_room_for_is_refused() {
    for count in ["4000000000", "99999999999999999999999"] {
        let changed = super::filling::edit(&filled_form(), "xl/sharedStrings.xml", |xml| {
            xml.replacen("uniqueCount=\"", &format!("uniqueCount=\"{count}"), 1)
        });
        let (error, words) = refused(&changed, "form.xlsx");
        assert!(matches!(error, SheetError::Bomb { .. }), "{words}");
    }
}

#[test]
fn one_text_in_many_cells_stays_within_the_budget() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "title").unwrap();
    let long = "x".repeat(32_000);
    for row in 1..2_200 {
        sheet.write_string(row, 0, &long).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    assert!(bytes.len() < 1 << 20);
    assert!(matches!(refused(&bytes, "many.xlsx").0, SheetError::Bomb { .. }));
}

#[test]
fn far_cells_and_too_many_columns_take_no_memory() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "title").unwrap();
    sheet.write_string(1_048_575, 0, "far below").unwrap();
    let import = read(&workbook.save_to_buffer().unwrap(), "far.xlsx", &defaults()).unwrap();
    assert_eq!(import.rows[0].place, "Sheet1!1048576");
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(0, 16_383, "far right").unwrap();
    let (error, words) = refused(&workbook.save_to_buffer().unwrap(), "far.xlsx");
    assert!(
        matches!(error, SheetError::TooManyColumns { .. }) && words.contains("Sheet1!XFD1"),
        "{words}"
    );
}

#[test]
fn an_ods_cell_repeated_without_end_is_refused() {
    let ods = |cells: &str| {
        let content = format!(
            "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"S\">{cells}</table:table></office:spreadsheet></office:body></office:document-content>"
        );
        archive(&[
            ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", content.as_bytes()),
        ])
    };
    let cell = |repeated: &str| {
        format!(
            "<table:table-row {repeated}><table:table-cell table:number-columns-repeated=\"400\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>"
        )
    };
    let (error, words) = refused(&ods(&cell("table:number-rows-repeated=\"1048576\"")), "a.ods");
    assert!(
        matches!(error, SheetError::Bomb { .. } | SheetError::TooManyRecords { .. }),
        "{words}"
    );
    let wide = "<table:table-row><table:table-cell table:number-columns-repeated=\"4000000000\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>";
    assert!(matches!(refused(&ods(wide), "a.ods").0, SheetError::TooManyColumns { .. }));
}

#[test]
fn other_files_are_called_by_their_name() {
    for (bytes, name, words) in [
        (&b"%PDF-1.7"[..], "practice.pdf", "a PDF document"),
        (b"\x89PNG\r\n", "practice.xlsx", "a picture"),
        (b"<html><table>", "practice.xls", "a web page"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "practice.xls", "password or in the old .xls format"),
        (b"[{\"kind\":\"event\"}]", "practices.txt", "one object a line"),
        (b"hello", "practice.xlsx", "does not begin like a spreadsheet"),
        (b"", "practice.csv", "holds no record"),
        (b"\x1F\x8B\x08\x00", "practice.csv.gz", "a compressed file"),
    ] {
        let (_, found) = refused(bytes, name);
        assert!(found.contains(words) && found.contains(name), "{found}");
    }
    let (_, found) = refused(&archive(&[("word/document.xml", b"<w/>")]), "practice.docx");
    assert!(found.contains("a text document"), "{found}");
    let (_, found) = refused(&archive(&[("a.txt", b"a")]), "practice.zip");
    assert!(found.contains("an archive"), "{found}");
}

#[test]
fn a_file_over_the_limit_is_not_opened() {
    let large = vec![b'a'; limits::FILE_BYTES_MAX + 1];
    assert!(matches!(refused(&large, "large.csv").0, SheetError::FileTooLarge { .. }));
}

#[test]
fn a_workbook_of_something_else_says_what_was_looked_at() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(0, 0, "Budget 2026").unwrap();
    let (error, words) = refused(&workbook.save_to_buffer().unwrap(), "budget.xlsx");
    assert!(
        matches!(error, SheetError::NoFields { .. }) && words.contains("Sheet1: Budget 2026"),
        "{words}"
    );
}

#[test]
fn a_cell_that_excel_could_not_hold_is_named() {
    let text = format!("title\n{}", "x".repeat(limits::CELL_CHARS_MAX + 1));
    let (_, words) = refused(text.as_bytes(), "long.csv");
    assert!(words.contains("A2") && words.contains("32767"), "{words}");
}

#[test]
fn ten_thousand_and_one_records_are_too_many() {
    let csv = |rows: usize| format!("title\n{}", "x\n".repeat(rows));
    assert_eq!(read(csv(10_000).as_bytes(), "many.csv", &defaults()).unwrap().rows.len(), 10_000);
    let (error, words) = refused(csv(10_001).as_bytes(), "many.csv");
    assert!(
        matches!(error, SheetError::TooManyRecords { .. }) && words.contains("10000"),
        "{words}"
    );
    let lines = "{\"title\":\"x\"}\n".repeat(10_001);
    assert!(matches!(refused(lines.as_bytes(), "many.jsonl").0, SheetError::TooManyRecords { .. }));
}

#[test]
fn a_csv_in_another_encoding_is_refused_with_the_line() {
    let (_, words) = refused(b"title,summary\nok,ok\n\xC9tat,r\xE9sum\xE9\n", "latin.csv");
    assert!(words.contains("line 3") && words.contains("CSV UTF-8"), "{words}");
    let mut marked = vec![0xFE, 0xFF];
    marked.extend("title,summary\nÉtat,Да\n".encode_utf16().flat_map(u16::to_be_bytes));
    let import = read(&marked, "utf16.csv", &defaults()).unwrap();
    assert_eq!(import.rows[0].title, "État");
    let unmarked = &marked[2..];
    assert!(matches!(refused(unmarked, "utf16.csv").0, SheetError::NotUnicode { .. }));
}

//! Rows that are high enough for their text when the form is opened, and grow with the answers.
//!
//! A height in a workbook is either fixed (`customHeight`), and then a long answer is cut, or merely
//! the last known one, and then the program fits it anew when somebody types. The writer of workbooks
//! knows only the first, and without any height LibreOffice shows one line: so heights are written
//! and the mark is taken off.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Points of a line of text in the size of questions and answers.
pub(super) const LINE_POINTS: f64 = 15.0;

/// Points of a line in the size of the help.
pub(super) const SMALL_LINE_POINTS: f64 = 12.5;

/// Points of space left free in a row.
const SPACE_POINTS: f64 = 4.0;

/// The height, in points, of a row whose cells hold these texts: each with the characters that fit
/// a line of its column, and the height of a line. Never less than one line.
pub(super) fn height(cells: &[(&str, usize, f64)]) -> f64 {
    let points = |(text, width, line): &(&str, usize, f64)| {
        f64::from(u16::try_from(lines(text, (*width).max(1))).unwrap_or(u16::MAX)) * line
    };
    cells.iter().map(points).fold(LINE_POINTS, f64::max) + SPACE_POINTS
}

/// Takes the mark of a fixed height off all rows of `workbook`.
pub(super) fn unfix(workbook: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut parts = ZipArchive::new(Cursor::new(workbook))?;
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..parts.len() {
        let mut part = parts.by_index(index)?;
        let name = part.name()?.into_owned();
        if !name.starts_with("xl/worksheets/sheet") {
            written.raw_copy_file(part)?;
            continue;
        }
        let mut sheet = String::new();
        part.read_to_string(&mut sheet)?;
        written.start_file(name, SimpleFileOptions::default())?;
        written.write_all(sheet.replace(" customHeight=\"1\"", "").as_bytes())?;
    }
    Ok(written.finish()?.into_inner())
}

fn lines(text: &str, width: usize) -> usize {
    text.split('\n').map(|line| columns(line).div_ceil(width).max(1)).sum()
}

/// Width of a text in characters; those of Chinese take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{ff60}') { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_high_as_its_longest_cell_needs() {
        assert_eq!(height(&[("short", 10, 15.0), ("", 10, 15.0)]), 19.0);
        assert_eq!(height(&[("short", 10, 15.0), ("twelve chars", 10, 12.5)]), 29.0);
        assert_eq!(height(&[("一二三四五六", 10, 15.0)]), 34.0);
    }
}

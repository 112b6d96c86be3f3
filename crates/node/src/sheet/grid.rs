//! A sheet as read: sparse cells with their addresses, whatever program wrote it.

use std::collections::BTreeMap;

use super::fault::SheetError;
use super::limits::{
    CELL_CHARS_MAX, CELLS_MAX, COLUMNS_MAX, RECORDS_MAX, ROWS_BESIDE_RECORDS, TEXT_BYTES_MAX,
};

/// The value of a cell. Formulas are read as the value last computed for them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Text with line breaks as `\n`, not empty and without white space around it.
    Text(String),
    /// A number.
    Number(f64),
    /// A day (`2026-11-23`) of a cell that holds a date.
    Date(String),
    /// A truth value.
    Bool(bool),
    /// An error shown in the cell, such as `#REF!`.
    Error(String),
}

impl Cell {
    /// A text cell, or `None` if nothing but white space is left of `text`.
    pub(super) fn text(text: &str) -> Option<Self> {
        let text = text
            .replace("_x000D_", "")
            .replace("\r\n", "\n")
            .replace(['\r', '\u{2028}', '\u{2029}', '\u{b}'], "\n");
        let text = restored(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
        (!text.is_empty()).then(|| Self::Text(text.to_owned()))
    }

    /// What a person sees in the cell.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Date(text) | Self::Error(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        }
    }
}

/// Text that no spreadsheet takes for a formula: an apostrophe stands before `= + - @`, tab and CR.
/// [`Cell::text`] takes it off again.
pub(super) fn neutral(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn restored(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => text,
    }
}

/// One sheet of a workbook, or a whole CSV file. Rows and columns count from 0.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Name of the sheet; empty for CSV.
    pub(super) name: String,
    /// Rows that hold something, each with the cells that hold something.
    pub(super) rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
}

impl Grid {
    /// An empty sheet called `name`.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: BTreeMap::new() }
    }

    /// The cell at `row`, `column`.
    pub(super) fn get(&self, row: u32, column: u32) -> Option<&Cell> {
        self.rows.get(&row)?.get(&column)
    }

    /// How a person finds the cell: `Practices!D7`.
    pub(super) fn place(&self, row: u32, column: u32) -> String {
        let address = format!("{}{}", column_letters(column), u64::from(row) + 1);
        if self.name.is_empty() { address } else { format!("{}!{address}", self.name) }
    }
}

/// What all sheets of a file may take together; [`Budget::put`] is the only way into a [`Grid`].
#[derive(Debug)]
pub(super) struct Budget<'a> {
    file: &'a str,
    cells: usize,
    text_bytes: usize,
}

impl<'a> Budget<'a> {
    /// The whole budget, for `file`.
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, cells: CELLS_MAX, text_bytes: TEXT_BYTES_MAX }
    }

    /// Puts a cell that holds something into `grid`, or says which limit it passes.
    pub(super) fn put(
        &mut self,
        grid: &mut Grid,
        row: u32,
        column: u32,
        cell: Cell,
    ) -> Result<(), SheetError> {
        let bomb =
            |what: &str| SheetError::Bomb { file: self.file.to_owned(), what: what.to_owned() };
        let cell = match cell {
            Cell::Text(text) => {
                self.text_bytes =
                    self.text_bytes.checked_sub(text.len()).ok_or_else(|| bomb("too much text"))?;
                if text.chars().count() > CELL_CHARS_MAX {
                    return Err(SheetError::CellTooLong { place: grid.place(row, column) });
                }
                Cell::Text(text)
            }
            other => other,
        };
        self.cells = self.cells.checked_sub(1).ok_or_else(|| bomb("too many cells"))?;
        if column >= COLUMNS_MAX {
            return Err(SheetError::TooManyColumns { place: grid.place(row, column) });
        }
        if grid.rows.len() >= RECORDS_MAX + ROWS_BESIDE_RECORDS && !grid.rows.contains_key(&row) {
            return Err(SheetError::TooManyRecords { file: self.file.to_owned() });
        }
        grid.rows.entry(row).or_default().insert(column, cell);
        Ok(())
    }
}

/// `A` for 0, `Z` for 25, `AA` for 26.
pub(super) fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lettered_as_spreadsheets_do() {
        assert_eq!(
            [0, 25, 26, 27, 701, 702].map(column_letters),
            ["A", "Z", "AA", "AB", "ZZ", "AAA"]
        );
    }

    #[test]
    fn what_could_run_as_a_formula_is_neutralised_and_read_back() {
        for text in ["=1+1", "+595 21", "- first", "@home"] {
            let written = neutral(text);
            assert!(written.starts_with('\''), "{written}");
            assert_eq!(Cell::text(&written), Some(Cell::Text(text.to_owned())));
        }
        assert_eq!(neutral("'quoted'"), "'quoted'");
        assert_eq!(Cell::text("'quoted'"), Some(Cell::Text("'quoted'".to_owned())));
    }

    #[test]
    fn a_cell_of_white_space_is_empty() {
        assert_eq!(Cell::text(" \u{a0}\r\n\t"), None);
        assert_eq!(Cell::text(" a\r\nb_x000D_\nc "), Some(Cell::Text("a\nb\nc".to_owned())));
    }
}

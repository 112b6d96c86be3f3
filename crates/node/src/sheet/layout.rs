//! Where in a sheet the records are: in the columns of a form, or in the rows below a header.

use std::rc::Rc;

use practice::kind::Kind;

use super::fault::SheetError;
use super::grid::{Cell, Grid, column_letters};
use super::limits::RECORDS_MAX;
use super::texts;

/// Version of the form's layout, in its marker. A reader refuses a later one.
pub const FORM_VERSION: u32 = 1;

/// First word of the marker in the hidden first cell of a form's sheets.
const MARKER: &str = "jopoi-form";

/// Rows in which the header of a table is looked for; above it may stand a title and remarks.
const HEADER_ROWS_MAX: usize = 10;

/// The column of a form that holds the paths; it is hidden.
pub(super) const PATH_COLUMN: u32 = 0;

/// The first column of a form in which answers stand, after the question and its help.
pub(super) const FIRST_ANSWER_COLUMN: u32 = 3;

/// The row of a form with the headings of its columns.
pub(super) const HEAD_ROW: u32 = 2;

/// What a sheet of a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// One record a column.
    Answers,
    /// One translation a column.
    Translations,
}

/// What the hidden first cell of a form's sheet says: `jopoi-form 1 good-practice es answers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Kind of all records in it.
    pub(super) kind: Kind,
    /// Language of the form.
    pub(super) language: String,
    /// What the sheet is for.
    pub(super) part: Part,
}

/// One record as it stands in a sheet: its cells with the names of their columns.
#[derive(Debug)]
pub(super) struct RawRecord<'a> {
    /// `Answers!D` for a column of a form, `Sheet1!7` for a row.
    pub(super) place: String,
    /// The cells that hold something.
    pub(super) cells: Vec<RawCell<'a>>,
    sheet: &'a Grid,
    /// The fields of the sheet: row (of a form) or column (of a table), and name.
    fields: Rc<[(u32, &'a str)]>,
    /// The column (of a form) or row (of a table) of this record.
    at: u32,
    in_column: bool,
}

/// A cell and the name of the field it stands under.
#[derive(Debug)]
pub(super) struct RawCell<'a> {
    /// As written in the header or the hidden column.
    pub(super) heading: &'a str,
    /// `Answers!D7`.
    pub(super) place: String,
    /// What it holds.
    pub(super) cell: &'a Cell,
}

impl<'a> RawRecord<'a> {
    /// The fields of the sheet, each with the place at which this record answers it or would.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a str, String)> {
        let place = |line| {
            if self.in_column {
                self.sheet.place(line, self.at)
            } else {
                self.sheet.place(self.at, line)
            }
        };
        self.fields.iter().map(move |(line, name)| (*name, place(*line)))
    }
}

impl Marker {
    /// The text of the marker.
    pub(super) fn text(&self) -> String {
        let part = match self.part {
            Part::Answers => "answers",
            Part::Translations => "translations",
        };
        format!("{MARKER} {FORM_VERSION} {} {} {part}", self.kind, self.language)
    }

    /// The marker of `grid`, if it is a sheet of a form that holds answers.
    pub(super) fn of(grid: &Grid, file: &str) -> Result<Option<Self>, SheetError> {
        let Some(Cell::Text(text)) = grid.get(0, PATH_COLUMN) else { return Ok(None) };
        let mut words = text.split_whitespace();
        if words.next() != Some(MARKER) {
            return Ok(None);
        }
        let version = words.next().unwrap_or_default();
        if version != FORM_VERSION.to_string() {
            return Err(SheetError::FormVersion {
                file: file.to_owned(),
                version: version.chars().take(20).collect(),
            });
        }
        let (Some(kind), Some(language), Some(part)) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let part = match part {
            "answers" => Part::Answers,
            "translations" => Part::Translations,
            _ => return Ok(None),
        };
        Ok(Kind::parse(kind).ok().map(|kind| Self { kind, language: language.to_owned(), part }))
    }
}

/// The records in the columns of a sheet of a form.
pub(super) fn columns<'a>(grid: &'a Grid, file: &str) -> Result<Vec<RawRecord<'a>>, SheetError> {
    let fields: Rc<[(u32, &str)]> = grid
        .rows
        .keys()
        .filter(|row| **row > 0)
        .filter_map(|row| match grid.get(*row, PATH_COLUMN) {
            Some(Cell::Text(path)) => Some((*row, path.as_str())),
            _ => None,
        })
        .collect();
    let last = fields
        .iter()
        .filter_map(|(row, _)| grid.rows.get(row)?.keys().next_back())
        .max()
        .copied()
        .unwrap_or(0);
    let mut records = Vec::new();
    // People add a column for remarks or drop the help, and the columns move: so those that hold no
    // answers are known by their headings.
    for column in (PATH_COLUMN + 1..=last).filter(|column| !is_beside_answers(grid, *column)) {
        let cell = |(row, heading): &(u32, &'a str)| {
            Some(RawCell {
                heading,
                place: grid.place(*row, column),
                cell: grid.get(*row, column)?,
            })
        };
        let cells: Vec<_> = fields.iter().filter_map(cell).collect();
        if !cells.is_empty() {
            let place = format!("{}!{}", grid.name, column_letters(column));
            records.push(RawRecord {
                place,
                cells,
                sheet: grid,
                fields: Rc::clone(&fields),
                at: column,
                in_column: true,
            });
        }
    }
    limited(records, file)
}

fn is_beside_answers(grid: &Grid, column: u32) -> bool {
    let Some(Cell::Text(heading)) = grid.get(HEAD_ROW, column) else { return false };
    texts::all()
        .iter()
        .any(|texts| ["question", "how"].iter().any(|key| texts.word(key) == heading))
}

/// The records in the rows below a header: the first row in which `known` recognises `title`, or two
/// fields. `None` if there is no such row.
pub(super) fn rows<'a>(
    grid: &'a Grid,
    file: &str,
    known: &dyn Fn(&str) -> bool,
) -> Result<Option<Table<'a>>, SheetError> {
    let names = |row: u32| -> Vec<(u32, &'a str)> {
        let cells = grid.rows.get(&row).into_iter().flatten();
        cells
            .filter_map(|(column, cell)| {
                if let Cell::Text(text) = cell { Some((*column, text.as_str())) } else { None }
            })
            .collect()
    };
    let is_header = |row: &&u32| {
        let found: Vec<_> = names(**row).into_iter().filter(|(_, name)| known(name)).collect();
        found.len() >= 2 || found.iter().any(|(_, name)| name.trim() == "title")
    };
    let Some(header) = grid.rows.keys().take(HEADER_ROWS_MAX).find(is_header).copied() else {
        return Ok(None);
    };
    let fields: Rc<[(u32, &str)]> = names(header).into();
    let mut records = Vec::new();
    for (row, cells) in grid.rows.range(header.saturating_add(1)..) {
        let cell = |(column, heading): &(u32, &'a str)| {
            Some(RawCell { heading, place: grid.place(*row, *column), cell: cells.get(column)? })
        };
        let filled: Vec<_> = fields.iter().filter_map(cell).collect();
        if filled.is_empty() {
            continue;
        }
        let number = u64::from(*row) + 1;
        let place = if grid.name.is_empty() {
            format!("row {number}")
        } else {
            format!("{}!{number}", grid.name)
        };
        records.push(RawRecord {
            place,
            cells: filled,
            sheet: grid,
            fields: Rc::clone(&fields),
            at: *row,
            in_column: false,
        });
    }
    let headings =
        fields.iter().map(|(column, heading)| (grid.place(header, *column), *heading)).collect();
    Ok(Some(Table { headings, records: limited(records, file)? }))
}

/// A header and the records below it.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// The cells of the header with their places.
    pub(super) headings: Vec<(String, &'a str)>,
    /// The rows that hold something.
    pub(super) records: Vec<RawRecord<'a>>,
}

fn limited<'a>(records: Vec<RawRecord<'a>>, file: &str) -> Result<Vec<RawRecord<'a>>, SheetError> {
    if records.len() > RECORDS_MAX {
        Err(SheetError::TooManyRecords { file: file.to_owned() })
    } else {
        Ok(records)
    }
}

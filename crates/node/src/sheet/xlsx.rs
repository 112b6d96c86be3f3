//! Sheets of an XLSX workbook, read cell by cell.
//!
//! The whole-sheet reader of calamine allocates rows times columns, so that two far cells would take
//! all memory; its streaming reader does not, and [`Budget`] bounds what we keep.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{CellErrorType, DataRef, ExcelDateTime, Reader, SheetType, Xlsx, XlsxError};

use super::fault::SheetError;
use super::grid::{Budget, Cell, Grid};
use super::limits::SHEETS_MAX;

/// All worksheets of a workbook that [`identify`](super::archive::identify) has let through.
pub(super) fn sheets(bytes: &[u8], file: &str) -> Result<Vec<Grid>, SheetError> {
    // calamine 0.38 panics on some malformed addresses (`D99999999999`, for one); a file must not be
    // able to end the program.
    catch_unwind(AssertUnwindSafe(|| read(bytes, file)))
        .unwrap_or_else(|_| Err(damaged(file, "its parts contradict each other")))
}

fn read(bytes: &[u8], file: &str) -> Result<Vec<Grid>, SheetError> {
    let refused = |error: XlsxError| match error {
        XlsxError::Password => SheetError::Locked { file: file.to_owned() },
        other => damaged(file, &other.to_string()),
    };
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let names: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .take(SHEETS_MAX)
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut budget = Budget::new(file);
    let mut grids = Vec::with_capacity(names.len());
    for name in names {
        let mut grid = Grid::new(&name);
        let mut cells = workbook.worksheet_cells_reader(&name).map_err(refused)?;
        while let Some(cell) = cells.next_cell().map_err(refused)? {
            let (row, column) = cell.get_position();
            if let Some(value) = value(cell.get_value()) {
                budget.put(&mut grid, row, column, value)?;
            }
        }
        grids.push(grid);
    }
    Ok(grids)
}

fn value(data: &DataRef<'_>) -> Option<Cell> {
    match data {
        DataRef::Empty => None,
        DataRef::String(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(text),
        DataRef::Int(number) => Cell::text(&number.to_string()),
        DataRef::Float(number) => Some(Cell::Number(*number)),
        DataRef::Bool(truth) => Some(Cell::Bool(*truth)),
        DataRef::DateTime(moment) => Some(date(moment)),
        DataRef::DateTimeIso(text) => Some(Cell::Date(text.get(..10).unwrap_or(text).to_owned())),
        DataRef::DurationIso(text) => Cell::text(text),
        DataRef::Error(error) => Some(Cell::Error(error_text(error))),
    }
}

fn date(moment: &ExcelDateTime) -> Cell {
    if moment.is_duration() {
        return Cell::Number(moment.as_f64());
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    Cell::Date(format!("{year:04}-{month:02}-{day:02}"))
}

fn error_text(error: &CellErrorType) -> String {
    error.to_string()
}

fn damaged(file: &str, detail: &str) -> SheetError {
    SheetError::Damaged { file: file.to_owned(), detail: detail.to_owned() }
}

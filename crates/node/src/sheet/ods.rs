//! Sheets of an ODS workbook.
//!
//! Our own small reader: a repeated cell of an ODS file stands for up to 16 billion cells, and a
//! reader that builds them all cannot be given a file from outside. Here a repeated empty cell or
//! row only moves the position, and [`Budget`] bounds the others.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::archive;
use super::fault::SheetError;
use super::grid::{Budget, Cell, Grid};
use super::limits::{COLUMNS_MAX, RECORDS_MAX, ROWS_BESIDE_RECORDS, SHEETS_MAX};

/// All sheets of a workbook that [`identify`](super::archive::identify) has let through.
pub(super) fn sheets(bytes: &[u8], file: &str) -> Result<Vec<Grid>, SheetError> {
    let damaged = |detail: String| SheetError::Damaged { file: file.to_owned(), detail };
    let content = archive::part(bytes, "content.xml", file)?.unwrap_or_default();
    let content = String::from_utf8(content).map_err(|error| damaged(error.to_string()))?;
    let mut reader = Reader::from_str(&content);
    let mut walk = Walk {
        file,
        budget: Budget::new(file),
        grids: Vec::new(),
        row: 0,
        column: 0,
        row_repeats: 1,
        filled: Vec::new(),
        cell: None,
    };
    loop {
        match reader.read_event().map_err(|error| damaged(error.to_string()))? {
            Event::Start(tag) => walk.open(&tag)?,
            Event::Empty(tag) => {
                walk.open(&tag)?;
                walk.close(tag.name().as_ref())?;
            }
            Event::End(tag) => walk.close(tag.name().as_ref())?,
            Event::Text(text) => walk.text(&text.xml10_content()),
            Event::GeneralRef(entity) => walk.text(&resolved(&entity.xml10_content())),
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(walk.grids)
}

/// A cell while its element is open.
struct Open {
    repeats: u32,
    /// What the attributes say, for cells that are no text.
    value: Option<Cell>,
    paragraphs: u32,
    text: String,
    /// Depth of annotations, whose text is not the cell's.
    aside: u32,
}

struct Walk<'a> {
    file: &'a str,
    budget: Budget<'a>,
    grids: Vec<Grid>,
    row: u32,
    column: u32,
    row_repeats: u32,
    filled: Vec<(u32, Cell)>,
    cell: Option<Open>,
}

impl Walk<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), SheetError> {
        let name = tag.name();
        match name.as_ref() {
            "table:table" => {
                if self.grids.len() >= SHEETS_MAX {
                    return Err(SheetError::Bomb {
                        file: self.file.to_owned(),
                        what: "too many sheets".to_owned(),
                    });
                }
                self.grids.push(Grid::new(&attribute(tag, "table:name").unwrap_or_default()));
                self.row = 0;
            }
            "table:table-row" => {
                self.row_repeats = repeats(tag, "table:number-rows-repeated");
                self.column = 0;
                self.filled.clear();
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let repeats = repeats(tag, "table:number-columns-repeated");
                self.cell = Some(Open {
                    repeats,
                    value: typed(tag),
                    paragraphs: 0,
                    text: String::new(),
                    aside: 0,
                });
            }
            inner => self.inside(inner, tag),
        }
        Ok(())
    }

    fn inside(&mut self, name: &str, tag: &BytesStart<'_>) {
        let Some(cell) = self.cell.as_mut() else { return };
        match name {
            "office:annotation" => cell.aside += 1,
            "text:p" if cell.aside == 0 => {
                if cell.paragraphs > 0 {
                    cell.text.push('\n');
                }
                cell.paragraphs += 1;
            }
            "text:line-break" if cell.aside == 0 => cell.text.push('\n'),
            "text:tab" if cell.aside == 0 => cell.text.push('\t'),
            // The count of spaces is a claim: what a line could need is enough.
            "text:s" if cell.aside == 0 => {
                let spaces = repeats(tag, "text:c").min(100);
                cell.text.extend((0..spaces).map(|_| ' '));
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) -> Result<(), SheetError> {
        match name {
            "office:annotation" => {
                if let Some(cell) = self.cell.as_mut() {
                    cell.aside = cell.aside.saturating_sub(1);
                }
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let Some(cell) = self.cell.take() else { return Ok(()) };
                let value = cell.value.or_else(|| Cell::text(&cell.text));
                let after = self.column.saturating_add(cell.repeats);
                if let Some(value) = value {
                    for column in self.column..after.min(COLUMNS_MAX + 1) {
                        self.filled.push((column, value.clone()));
                    }
                }
                self.column = after;
            }
            "table:table-row" => self.close_row()?,
            _ => {}
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<(), SheetError> {
        let after = self.row.saturating_add(self.row_repeats);
        let most = u32::try_from(RECORDS_MAX + ROWS_BESIDE_RECORDS + 1).unwrap_or(u32::MAX);
        if let (Some(grid), false) = (self.grids.last_mut(), self.filled.is_empty()) {
            for row in self.row..after.min(self.row.saturating_add(most)) {
                for (column, cell) in &self.filled {
                    self.budget.put(grid, row, *column, cell.clone())?;
                }
            }
        }
        self.row = after;
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(cell) = self.cell.as_mut().filter(|cell| cell.aside == 0 && cell.paragraphs > 0)
        {
            cell.text.push_str(text);
        }
    }
}

fn typed(tag: &BytesStart<'_>) -> Option<Cell> {
    match attribute(tag, "office:value-type")?.as_str() {
        "float" | "percentage" | "currency" => {
            attribute(tag, "office:value")?.parse().ok().map(Cell::Number)
        }
        "date" => attribute(tag, "office:date-value")
            .map(|day| Cell::Date(day.get(..10).unwrap_or(&day).to_owned())),
        "boolean" => Some(Cell::Bool(attribute(tag, "office:boolean-value")? == "true")),
        _ => attribute(tag, "office:string-value").and_then(|text| Cell::text(&text)),
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

fn repeats(tag: &BytesStart<'_>, name: &str) -> u32 {
    attribute(tag, name).and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The five entities of XML and character references; others stand for nothing.
fn resolved(entity: &str) -> String {
    quick_xml::escape::unescape(&format!("&{entity};"))
        .map(|text| text.into_owned())
        .unwrap_or_default()
}

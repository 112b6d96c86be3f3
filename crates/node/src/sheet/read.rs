//! Reading a file: from its bytes to one draft or its faults for every record in it.

use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::{Map, Value};

use super::archive::{self, Container};
use super::fault::{CellFault, SheetError};
use super::fields;
use super::fill::Filling;
use super::form::questions::{MADE_BY, REVIEWED, TRANSLATED_INTO, TRANSLATED_RECORD};
use super::grid::{Cell, Grid};
use super::headings::{Heading, Headings};
use super::layout::{self, Marker, Part, RawRecord};
use super::path::Path;
use super::shape::{Shape, Slot};
use super::{check, comma, lines, ods, xlsx};

/// What a file does not say itself.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Kind of the records of a CSV or JSON Lines file that has no `kind` of its own.
    pub kind: Option<Kind>,
    /// Language of records that name none; a form has its own.
    pub language: Option<String>,
    /// Who says so, where a record does not: else `own-statement`.
    pub basis: Option<String>,
    /// Licence of the node's records (`reuse` in its configuration).
    pub reuse: Option<String>,
}

/// What a file holds.
#[derive(Debug)]
pub struct Import {
    /// Name of the file.
    pub file: String,
    /// Its records, in their order.
    pub rows: Vec<ImportRow>,
    /// What concerns no single record, such as a column that was ignored.
    pub warnings: Vec<CellFault>,
}

/// One record of a file.
#[derive(Debug)]
pub struct ImportRow {
    /// Where it stands: `Answers!D`, `Sheet1!7`, `row 7`, `line 7`.
    pub place: String,
    /// What identifies it for its author: its own reference, else one made of kind, language and title.
    pub local_id: Option<String>,
    /// A title to show.
    pub title: String,
    /// The draft, or every fault.
    pub record: Result<ReadDraft, Vec<CellFault>>,
    /// What its author should look at once more.
    pub warnings: Vec<CellFault>,
}

/// A record that can be published.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadDraft {
    /// Its kind.
    pub kind: Kind,
    /// The record it revises, if the file names it.
    pub id: Option<RecordId>,
    /// Its members, normalised and valid.
    pub subject: Map<String, Value>,
    /// The members that the file has a place for, filled or not; `None` if it has one for all of them.
    /// What a sheet does not ask for, it cannot take away.
    pub asked: Option<Vec<String>>,
}

/// Reads a form (XLSX or ODS), a table (the same, or CSV) or JSON Lines, judged by its bytes.
///
/// # Errors
/// If the file as a whole cannot be read; what is wrong with a record is kept with it.
pub fn read(bytes: &[u8], file_name: &str, defaults: &Defaults) -> Result<Import, SheetError> {
    let reading = Reading { file: file_name, defaults, headings: Headings::default() };
    let mut import = match archive::identify(bytes, file_name)? {
        Container::Xlsx => reading.workbook(&xlsx::sheets(bytes, file_name)?)?,
        Container::Ods => reading.workbook(&ods::sheets(bytes, file_name)?)?,
        Container::Csv => {
            let grid = comma::sheet(&comma::decode(bytes, file_name)?, file_name)?;
            reading.tables(std::slice::from_ref(&grid), true)?
        }
        Container::JsonLines => reading.lines(bytes)?,
    };
    if import.rows.is_empty() {
        return Err(SheetError::Empty { file: file_name.to_owned() });
    }
    refuse_duplicates(&mut import.rows);
    Ok(import)
}

struct Reading<'a> {
    file: &'a str,
    defaults: &'a Defaults,
    headings: Headings,
}

/// What the sheet says for all its records.
struct Sheet<'a> {
    kind: Option<&'a Kind>,
    language: Option<&'a str>,
    semicolons: bool,
}

impl Reading<'_> {
    fn workbook(&self, grids: &[Grid]) -> Result<Import, SheetError> {
        let mut answers = Vec::new();
        let mut translations = Vec::new();
        for grid in grids {
            match Marker::of(grid, self.file)? {
                Some(marker) if marker.part == Part::Answers => {
                    answers.push((marker, layout::columns(grid, self.file)?));
                }
                Some(_) => translations.extend(layout::columns(grid, self.file)?),
                None => {}
            }
        }
        if answers.is_empty() {
            return self.tables(grids, false);
        }
        let mut import = self.empty();
        let mut used = vec![false; translations.len()];
        for (marker, records) in &answers {
            let sheet = Sheet {
                kind: Some(&marker.kind),
                language: Some(&marker.language),
                semicolons: false,
            };
            for (number, record) in (1_usize..).zip(records) {
                let own: Vec<&RawRecord<'_>> = translations
                    .iter()
                    .zip(&mut used)
                    .filter(|(translation, _)| self.translates(translation, record, number))
                    .map(|(translation, used)| {
                        *used = true;
                        translation
                    })
                    .collect();
                import.rows.push(self.record(&sheet, record, &own));
            }
        }
        for (translation, _) in translations.iter().zip(used).filter(|(_, used)| !used) {
            let message = "this translation names no record of the other sheet; write the record's reference, or its number";
            let named = named(translation, TRANSLATED_RECORD)
                .map(|(_, cell)| cell.shown())
                .unwrap_or_default();
            import.warnings.push(CellFault::new(
                &translation.place,
                TRANSLATED_RECORD,
                &named,
                message,
            ));
        }
        Ok(import)
    }

    fn tables(&self, grids: &[Grid], semicolons: bool) -> Result<Import, SheetError> {
        let mut import = self.empty();
        let mut found = false;
        let language = self.defaults.language.as_deref();
        for grid in grids {
            let Some(table) = layout::rows(grid, self.file, &|text| self.headings.any(text))?
            else {
                continue;
            };
            found = true;
            let has_kind = table.headings.iter().any(|(_, heading)| heading.trim() == "kind");
            if self.defaults.kind.is_none() && !has_kind {
                return Err(SheetError::NoKind { file: self.file.to_owned() });
            }
            for (place, heading) in &table.headings {
                if !self.headings.any(heading) {
                    import.warnings.push(CellFault::new(
                        place,
                        "",
                        heading,
                        "no field has this name; the column is not read",
                    ));
                }
            }
            let sheet = Sheet { kind: self.defaults.kind.as_ref(), language, semicolons };
            import.rows.extend(table.records.iter().map(|record| self.record(&sheet, record, &[])));
        }
        if found {
            Ok(import)
        } else {
            Err(SheetError::NoFields { file: self.file.to_owned(), seen: seen(grids) })
        }
    }

    fn lines(&self, bytes: &[u8]) -> Result<Import, SheetError> {
        let mut import = self.empty();
        for line in lines::records(bytes, self.file)? {
            import.rows.push(match line.object {
                Ok(object) => check::line(&line.place, object, self.defaults),
                Err(fault) => check::refused(line.place, vec![fault]),
            });
        }
        Ok(import)
    }

    fn empty(&self) -> Import {
        Import { file: self.file.to_owned(), rows: Vec::new(), warnings: Vec::new() }
    }

    /// Whether a column of the sheet of translations names this record, by reference or by number.
    fn translates(
        &self,
        translation: &RawRecord<'_>,
        record: &RawRecord<'_>,
        number: usize,
    ) -> bool {
        let Some((_, named_as)) = named(translation, TRANSLATED_RECORD) else { return false };
        let wanted = named_as.shown();
        match named(record, "local_id") {
            Some((_, reference)) if reference.shown() == wanted => true,
            _ => wanted.rsplit(' ').next().and_then(|last| last.parse().ok()) == Some(number),
        }
    }

    fn record(
        &self,
        sheet: &Sheet<'_>,
        raw: &RawRecord<'_>,
        translations: &[&RawRecord<'_>],
    ) -> ImportRow {
        let reader = sheet.language.unwrap_or("en");
        let (kind, language) = match self.kind_and_language(sheet, raw, reader) {
            Ok(found) => found,
            Err(fault) => return check::refused(raw.place.clone(), vec![fault]),
        };
        let mut filling = Filling::new(&language, sheet.semicolons);
        let mut id = None;
        for cell in &raw.cells {
            match self.headings.of(&kind, cell.heading) {
                Some(Heading::Field(slot)) => filling.cell(&slot, &cell.place, cell.cell, None),
                Some(Heading::Id) => id = Some(cell.cell.shown()),
                Some(Heading::Kind) | None => {}
            }
        }
        for translation in translations {
            self.translation(&kind, translation, &mut filling, reader);
        }
        let places =
            raw.fields().filter_map(|(heading, place)| match self.headings.of(&kind, heading)? {
                Heading::Field(slot) => Some((slot.path.field().to_owned(), place)),
                Heading::Kind | Heading::Id => None,
            });
        let places = places.collect();
        check::sheet(
            check::Read { place: &raw.place, kind, id, language, filling, places },
            self.defaults,
        )
    }

    /// What decides how the other cells are read.
    fn kind_and_language(
        &self,
        sheet: &Sheet<'_>,
        raw: &RawRecord<'_>,
        reader: &str,
    ) -> Result<(Kind, String), CellFault> {
        let known = |text: &str| {
            let kind = Kind::parse(fields::kind_choices().code(text, reader)?).ok()?;
            fields::of(&kind).map(|_| kind)
        };
        let kind = match (named(raw, "kind"), sheet.kind) {
            (Some((place, cell)), _) => known(&cell.shown()).ok_or_else(|| {
                let kinds = fields::kinds_with_forms();
                let message = format!("no record of this kind can be imported; known are {kinds}");
                CellFault::new(place, "kind", &cell.shown(), message)
            })?,
            (None, Some(kind)) => kind.clone(),
            (None, None) => {
                let message = "the kind of this record is missing";
                return Err(CellFault::new(&raw.place, "kind", "", message));
            }
        };
        let own = raw.cells.iter().find(|cell| match self.headings.of(&kind, cell.heading) {
            Some(Heading::Field(slot)) => slot.path.to_string() == "language",
            _ => false,
        });
        let text = own.map(|own| own.cell.shown()).unwrap_or_default();
        let language = language(&text, reader).or_else(|| sheet.language.map(str::to_owned));
        let language = language.ok_or_else(|| {
            let message = "the language of this record is missing; add a `language` column, or name it with `--language es`";
            let place = own.map_or(&raw.place, |own| &own.place);
            CellFault::new(place, "language", &text, message)
        })?;
        Ok((kind, language))
    }

    fn translation(
        &self,
        kind: &Kind,
        raw: &RawRecord<'_>,
        filling: &mut Filling,
        form_language: &str,
    ) {
        let Some((place, cell)) = named(raw, TRANSLATED_INTO) else {
            let path = Path::parse("translations").unwrap_or_default();
            return filling.fault(
                &raw.place,
                &path,
                "",
                "the language of this translation is missing",
            );
        };
        let Some(into) = language(&cell.shown(), form_language) else {
            let path = Path::parse("translations").unwrap_or_default();
            return filling.fault(
                place,
                &path,
                &cell.shown(),
                "this is no language; choose one of the list, or write a code such as `es` or `gn`",
            );
        };
        let described = |path: &str, shape| {
            Path::parse(&format!("translations.{into}.{path}")).map(|path| Slot {
                path,
                language: None,
                shape,
            })
        };
        for cell in &raw.cells {
            match cell.heading {
                TRANSLATED_RECORD | TRANSLATED_INTO => {}
                MADE_BY => {
                    if let Some(slot) = described(MADE_BY, Shape::Code(fields::makers())) {
                        filling.cell(&slot, &cell.place, cell.cell, None);
                    }
                }
                REVIEWED => {
                    if let Some(slot) = described(REVIEWED, Shape::Flag) {
                        filling.cell(&slot, &cell.place, cell.cell, None);
                    }
                }
                heading => {
                    if let Some(Heading::Field(slot)) = self.headings.of(kind, heading) {
                        filling.cell(&slot, &cell.place, cell.cell, Some(&into));
                    }
                }
            }
        }
    }
}

/// The cell of `raw` under the field `name`, with its place.
fn named<'a>(raw: &'a RawRecord<'_>, name: &str) -> Option<(&'a str, &'a Cell)> {
    raw.cells
        .iter()
        .find(|cell| cell.heading.trim() == name)
        .map(|cell| (cell.place.as_str(), cell.cell))
}

fn language(text: &str, of_form: &str) -> Option<String> {
    let names = fields::languages();
    names.code(text, of_form).map(str::to_owned).or_else(|| practice::language::canonical(text))
}

/// What stands in the first row of each sheet, for an error.
fn seen(grids: &[Grid]) -> String {
    let first = |grid: &Grid| {
        let cells: Vec<String> = grid
            .rows
            .values()
            .next()
            .into_iter()
            .flatten()
            .take(5)
            .map(|(_, cell)| cell.shown().chars().take(30).collect())
            .collect();
        if grid.name.is_empty() {
            cells.join(", ")
        } else {
            format!("{}: {}", grid.name, cells.join(", "))
        }
    };
    grids.iter().take(5).map(first).collect::<Vec<_>>().join("; ")
}

/// A reference stands for one record: the second that has it is refused and names the first.
fn refuse_duplicates(rows: &mut [ImportRow]) {
    let mut first: std::collections::HashMap<String, String> = std::collections::HashMap::new();
    for row in rows {
        let Some(reference) = row.local_id.clone() else { continue };
        match first.get(&reference) {
            Some(other) => {
                let message = format!(
                    "{other} has the same reference or, where none is given, the same title; each record needs its own"
                );
                let fault = CellFault::new(&row.place, "local_id", &reference, message);
                match &mut row.record {
                    Ok(_) => row.record = Err(vec![fault]),
                    Err(faults) => faults.push(fault),
                }
            }
            None => {
                first.insert(reference, row.place.clone());
            }
        }
    }
}

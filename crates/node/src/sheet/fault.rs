//! What can be wrong with a file, and with a cell of it, in words that say what to do.

use super::limits;

/// Why a file could not be read at all. Nothing of it was imported.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// Larger than [`limits::FILE_BYTES_MAX`].
    #[error("`{file}` has {bytes} bytes, more than the {max} that are read; split it into several files", max = limits::FILE_BYTES_MAX)]
    FileTooLarge {
        /// Name of the file.
        file: String,
        /// Its size.
        bytes: usize,
    },

    /// Unpacks to more than [`limits::UNPACKED_BYTES_MAX`], or has too many parts or cells.
    #[error(
        "`{file}` unpacks to more than can be read ({what}); it was not made by a spreadsheet program for this form, \
             so ask its sender for another copy, or save it as CSV"
    )]
    Bomb {
        /// Name of the file.
        file: String,
        /// Which limit it passes.
        what: String,
    },

    /// More records than [`limits::RECORDS_MAX`].
    #[error("`{file}` has more than {max} records; split it into several files", max = limits::RECORDS_MAX)]
    TooManyRecords {
        /// Name of the file.
        file: String,
    },

    /// More columns than [`limits::COLUMNS_MAX`].
    #[error("{place} lies beyond the {max} columns that are read; remove what is there", max = limits::COLUMNS_MAX)]
    TooManyColumns {
        /// The first cell beyond.
        place: String,
    },

    /// A workbook that cannot be opened.
    #[error(
        "`{file}` cannot be opened as a spreadsheet ({detail}); it may be cut short: copy it again, \
             or open it in Excel or LibreOffice and save it once more as .xlsx"
    )]
    Damaged {
        /// Name of the file.
        file: String,
        /// What the reader found.
        detail: String,
    },

    /// A cell longer than [`limits::CELL_CHARS_MAX`].
    #[error("the cell {place} has more than {max} characters; shorten it, or attach the text as a document", max = limits::CELL_CHARS_MAX)]
    CellTooLong {
        /// The cell.
        place: String,
    },

    /// An encrypted workbook, or one in the format of Excel 97.
    #[error(
        "`{file}` is protected by a password or in the old .xls format; open it, remove the password and save it as .xlsx"
    )]
    Locked {
        /// Name of the file.
        file: String,
    },

    /// Some other kind of file.
    #[error(
        "`{file}` is {found}, not a form, a CSV or a JSON Lines file; make a form with `jopoi form`, fill it in and import that"
    )]
    NotASheet {
        /// Name of the file.
        file: String,
        /// What it looks like.
        found: &'static str,
    },

    /// No sheet of the workbook, or no header of the CSV, has fields in it.
    #[error(
        "no field was recognised in `{file}` (looked at: {seen}); the first row must name fields such as `title` and `summary`, \
             or use the form made by `jopoi form`"
    )]
    NoFields {
        /// Name of the file.
        file: String,
        /// The sheets, or the header, as found.
        seen: String,
    },

    /// A form of a later release.
    #[error("`{file}` was made with form version {version} and this program reads version {known}; make a new form with `jopoi form`, \
             or update the program", known = super::FORM_VERSION)]
    FormVersion {
        /// Name of the file.
        file: String,
        /// The version in the file.
        version: String,
    },

    /// Text that is not in a known encoding.
    #[error(
        "line {line} of `{file}` is not UTF-8 text; in Excel choose \"CSV UTF-8\" when you save, in LibreOffice the character set Unicode (UTF-8)"
    )]
    NotUnicode {
        /// Name of the file.
        file: String,
        /// The first line at fault.
        line: usize,
    },

    /// A CSV file that breaks the rules of quoting.
    #[error("`{file}` cannot be read as CSV: {detail}")]
    Csv {
        /// Name of the file.
        file: String,
        /// What the reader found.
        detail: String,
    },

    /// The kind of the records is neither in the file nor given.
    #[error(
        "`{file}` does not say what kind of record it holds; add a `kind` column, or name the kind with `--kind good-practice`"
    )]
    NoKind {
        /// Name of the file.
        file: String,
    },

    /// The file has a header and no record.
    #[error(
        "`{file}` holds no record; fill in at least one column of the form, or one row below the header"
    )]
    Empty {
        /// Name of the file.
        file: String,
    },
}

/// One thing to put right in one cell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CellFault {
    /// The cell (`Practices!D7`), or the line of a JSON Lines file (`line 12`).
    pub place: String,
    /// Path of the field in the record (`actions[2].text.ar`); empty for the record as a whole.
    pub field: String,
    /// The offending value, cut to [`limits::QUOTED_CHARS_MAX`] characters; empty if there is none.
    pub value: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl CellFault {
    /// A fault at `place`, with at most [`limits::QUOTED_CHARS_MAX`] characters of `value`.
    pub fn new(
        place: impl Into<String>,
        field: impl Into<String>,
        value: &str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            field: field.into(),
            value: quoted(value),
            message: message.into(),
        }
    }
}

impl std::fmt::Display for CellFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.place)?;
        if !self.field.is_empty() {
            write!(f, " ({})", self.field)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.value.is_empty() {
            write!(f, " [{}]", self.value)?;
        }
        Ok(())
    }
}

/// The beginning of `value` on one line, without control characters.
fn quoted(value: &str) -> String {
    let mut shown: String = value
        .chars()
        .take(limits::QUOTED_CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if value.chars().nth(limits::QUOTED_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

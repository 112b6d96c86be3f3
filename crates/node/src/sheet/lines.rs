//! JSON Lines: one record a line, in the form of a draft.

use serde_json::{Map, Value};

use super::comma;
use super::fault::{CellFault, SheetError};
use super::limits::RECORDS_MAX;

/// One line that holds something.
#[derive(Debug)]
pub(super) struct Line {
    /// `line 12`.
    pub(super) place: String,
    /// The object on it, or why there is none.
    pub(super) object: Result<Map<String, Value>, CellFault>,
}

/// The lines of a file; a line that is no JSON object is kept with its fault.
pub(super) fn records(bytes: &[u8], file: &str) -> Result<Vec<Line>, SheetError> {
    let text = comma::decode(bytes, file)?;
    let mut lines = Vec::new();
    for (number, line) in
        (1_usize..).zip(text.split('\n')).filter(|(_, line)| !line.trim().is_empty())
    {
        if lines.len() >= RECORDS_MAX {
            return Err(SheetError::TooManyRecords { file: file.to_owned() });
        }
        let place = format!("line {number}");
        let object = match practice::json::parse(line.trim().as_bytes()) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(CellFault::new(
                &place,
                "",
                line,
                "not a JSON object; each line is one record: {\"kind\": …, \"title\": …}",
            )),
            Err(error) => Err(CellFault::new(
                &place,
                "",
                line,
                format!("{error}; each line is one JSON object, without line breaks in it"),
            )),
        };
        lines.push(Line { place, object });
    }
    Ok(lines)
}

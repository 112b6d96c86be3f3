//! CSV: values separated by commas, semicolons or tabs, in UTF-8 or, with its mark, UTF-16.

use super::fault::SheetError;
use super::grid::{Budget, Cell, Grid};

/// The text of a file in UTF-8 (with or without its mark) or marked UTF-16.
///
/// Other encodings are refused rather than guessed: in a file by a ministry `é`, `й` and `ي` can be
/// the same byte, and a wrong guess would be signed and published.
pub(super) fn decode(bytes: &[u8], file: &str) -> Result<String, SheetError> {
    let not_unicode = |upto: &[u8]| SheetError::NotUnicode {
        file: file.to_owned(),
        line: upto.iter().filter(|b| **b == b'\n').count() + 1,
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => {
            utf16(rest, u16::from_le_bytes).ok_or_else(|| not_unicode(&[]))?
        }
        [0xFE, 0xFF, rest @ ..] => {
            utf16(rest, u16::from_be_bytes).ok_or_else(|| not_unicode(&[]))?
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => match std::str::from_utf8(rest) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                return Err(not_unicode(rest.get(..error.valid_up_to()).unwrap_or_default()));
            }
        },
    };
    match text.find('\0') {
        Some(at) => Err(not_unicode(text.as_bytes().get(..at).unwrap_or_default())),
        None => Ok(text),
    }
}

/// The rows of a CSV text, counted as a spreadsheet counts them: a line break within quotes begins
/// no row.
pub(super) fn sheet(text: &str, file: &str) -> Result<Grid, SheetError> {
    let (separator, text) = separator(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut grid = Grid::default();
    let mut budget = Budget::new(file);
    for (row, record) in (0_u32..).zip(reader.records()) {
        let record = record.map_err(|error| SheetError::Csv {
            file: file.to_owned(),
            detail: error.to_string(),
        })?;
        for (column, field) in (0_u32..).zip(record.iter()) {
            if let Some(cell) = Cell::text(field) {
                budget.put(&mut grid, row, column, cell)?;
            }
        }
    }
    Ok(grid)
}

/// Excel writes semicolons where the comma is the decimal sign, and may say so in a first line
/// `sep=;`. Otherwise the separator is the one most seen outside quotes in the first line.
fn separator(text: &str) -> (u8, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(sign) = first.trim_end().strip_prefix("sep=").and_then(|sign| sign.bytes().next()) {
        return (sign, rest);
    }
    let mut quoted = false;
    let mut seen = [0_usize; 3];
    for byte in first.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => seen[0] += 1,
            b';' if !quoted => seen[1] += 1,
            b'\t' if !quoted => seen[2] += 1,
            _ => {}
        }
    }
    let [commas, semicolons, tabs] = seen;
    let sign = if tabs > commas.max(semicolons) {
        b'\t'
    } else if semicolons > commas {
        b';'
    } else {
        b','
    };
    (sign, text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_found_in_the_first_line() {
        for (text, cells) in [
            ("a,b\n1,2", 2),
            ("a;b,c\n", 2),
            ("a;b;c,d\n", 3),
            ("a\tb\tc\n", 3),
            ("\"a;b\",c\n", 2),
        ] {
            assert_eq!(sheet(text, "x.csv").unwrap().rows[&0].len(), cells, "{text}");
        }
        assert_eq!(sheet("sep=;\na;b\n", "x.csv").unwrap().rows[&0].len(), 2);
    }

    #[test]
    fn marked_utf_16_is_read_and_latin_1_is_refused_with_the_line() {
        let text = "title\nÉtat";
        let mut utf16: Vec<u8> = vec![0xFF, 0xFE];
        utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decode(&utf16, "x.csv").unwrap(), text);
        let error = decode(b"title\n\xC9tat", "x.csv").unwrap_err();
        assert!(matches!(error, SheetError::NotUnicode { line: 2, .. }), "{error}");
    }
}

//! The outside of a file: what it is, and whether a workbook is safe to unpack.
//!
//! **Invariant:** no reader of a workbook runs before [`check`] has unpacked every part of it, one
//! after the other, and counted the bytes, for the sizes in a zip directory are only claims.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::fault::SheetError;
use super::limits::{FILE_BYTES_MAX, PARTS_MAX, UNPACKED_BYTES_MAX};

/// What a file is, judged by its bytes; its name decides only between kinds of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// Office Open XML, by Excel and most others.
    Xlsx,
    /// OpenDocument, by LibreOffice.
    Ods,
    /// Values separated by commas, semicolons or tabs.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Refuses what is too large, then says what `bytes` are.
pub(super) fn identify(bytes: &[u8], file: &str) -> Result<Container, SheetError> {
    let name = file.to_owned();
    if bytes.len() > FILE_BYTES_MAX {
        return Err(SheetError::FileTooLarge { file: name, bytes: bytes.len() });
    }
    let not = |found| Err(SheetError::NotASheet { file: name.clone(), found });
    match bytes {
        [] => return Err(SheetError::Empty { file: name }),
        [b'P', b'K', ..] => return check(bytes, file),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => return Err(SheetError::Locked { file: name }),
        [b'%', b'P', b'D', b'F', ..] => return not("a PDF document"),
        [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => return not("a picture"),
        [b'{', b'\\', b'r', b't', b'f', ..] => return not("a text document"),
        [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] => return not("a compressed file"),
        _ => {}
    }
    let lower = file.to_ascii_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| lower.ends_with(suffix));
    let start: String = String::from_utf8_lossy(bytes.get(..512).unwrap_or(bytes))
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    if start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml") {
        return not("a web page or an XML file");
    }
    if ends(&[".jsonl", ".ndjson", ".json"]) || start.starts_with('{') {
        return Ok(Container::JsonLines);
    }
    if start.starts_with('[') {
        return not("a JSON array (write one object a line instead)");
    }
    if ends(&[".xlsx", ".xlsm", ".ods"]) {
        return Err(SheetError::Damaged {
            file: name,
            detail: "it does not begin like a spreadsheet".into(),
        });
    }
    Ok(Container::Csv)
}

/// The text of one part of a workbook that [`identify`] has let through, or `None` if it is absent.
pub(super) fn part(bytes: &[u8], name: &str, file: &str) -> Result<Option<Vec<u8>>, SheetError> {
    let mut archive = open(bytes, file)?;
    let mut unpacked = Vec::new();
    match archive.by_name(name) {
        Ok(part) => part
            .take(UNPACKED_BYTES_MAX)
            .read_to_end(&mut unpacked)
            .map_err(|error| damaged(file, &error))?,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(damaged(file, &error)),
    };
    Ok(Some(unpacked))
}

fn check(bytes: &[u8], file: &str) -> Result<Container, SheetError> {
    let mut archive = open(bytes, file)?;
    let bomb = |what: String| SheetError::Bomb { file: file.to_owned(), what };
    if archive.len() > PARTS_MAX {
        return Err(bomb(format!("{} parts", archive.len())));
    }
    let mut declared = 0_u64;
    let mut names = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(|error| damaged(file, &error))?;
        if part.encrypted() {
            return Err(SheetError::Locked { file: file.to_owned() });
        }
        declared = declared.saturating_add(part.size());
        names.push(String::from_utf8_lossy(part.name_raw()).into_owned());
    }
    if declared > UNPACKED_BYTES_MAX {
        return Err(bomb(format!("{declared} bytes")));
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let container = match () {
        () if has("xl/workbook.xml") => Container::Xlsx,
        () if has("content.xml") && is_ods(bytes, file)? => Container::Ods,
        () if has("xl/workbook.bin") => {
            return Err(not_ours(file, "a binary workbook (.xlsb): save it as .xlsx; it"));
        }
        () if has("word/document.xml") || has("content.xml") => {
            return Err(not_ours(file, "a text document"));
        }
        () => return Err(not_ours(file, "an archive")),
    };
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| damaged(file, &error))?;
        let mut unpacked = Vec::new();
        part.take(left.saturating_add(1))
            .read_to_end(&mut unpacked)
            .map_err(|error| damaged(file, &error))?;
        left = left
            .checked_sub(unpacked.len() as u64)
            .ok_or_else(|| bomb(format!("over {UNPACKED_BYTES_MAX} bytes")))?;
        if let Some(count) = claimed(&unpacked).filter(|count| *count > unpacked.len() as u64) {
            return Err(bomb(format!("a table said to hold {count} texts")));
        }
    }
    Ok(container)
}

/// The greatest number of texts that a part says it holds. The reader makes room for as many before it
/// sees one, and the program ends where there is no such room.
fn claimed(part: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"uniqueCount";
    let found = part.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    let values = found.map(|(at, _)| {
        let rest = part.get(at + NAME.len()..).unwrap_or_default().iter();
        let digits = rest.skip_while(|mark| !mark.is_ascii_alphanumeric());
        digits.take_while(|digit| digit.is_ascii_digit()).fold(0_u64, |count, digit| {
            count.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    });
    values.max()
}

fn is_ods(bytes: &[u8], file: &str) -> Result<bool, SheetError> {
    let kind = part(bytes, "mimetype", file)?.unwrap_or_default();
    Ok(kind.starts_with(b"application/vnd.oasis.opendocument.spreadsheet"))
}

fn open<'a>(bytes: &'a [u8], file: &str) -> Result<ZipArchive<Cursor<&'a [u8]>>, SheetError> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(file, &error))
}

fn damaged(file: &str, error: &dyn std::error::Error) -> SheetError {
    SheetError::Damaged { file: file.to_owned(), detail: error.to_string() }
}

fn not_ours(file: &str, found: &'static str) -> SheetError {
    SheetError::NotASheet { file: file.to_owned(), found }
}

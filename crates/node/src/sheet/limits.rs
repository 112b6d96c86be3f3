//! The limits of a file to import. All are checked before what they bound is built in memory.

/// Largest file read, in bytes: a file of the form with hundreds of long records is under 1 MiB.
pub const FILE_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Most records in one file: they are published in one commit, and a person has to look at the preview.
pub const RECORDS_MAX: usize = 10_000;

/// Most columns of a sheet or a CSV file; the longest kind has fewer than a hundred fields.
pub const COLUMNS_MAX: u32 = 500;

/// Longest cell, in characters: what Excel itself can hold, so that nothing is lost on the way back.
pub const CELL_CHARS_MAX: usize = 32_767;

/// Most bytes that all parts of a workbook may unpack to, whatever their headers declare.
pub const UNPACKED_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Most parts in a workbook; one of ours has about fifteen.
pub const PARTS_MAX: usize = 1_000;

/// Most sheets looked at in a workbook; one of ours has four.
pub const SHEETS_MAX: usize = 50;

/// Most text kept of one workbook, in bytes. A shared string may be used by many cells, so that the
/// cells can hold far more text than the file unpacks to.
pub const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most cells kept of one workbook, for the same reason: a cell of an ODS file can declare that it
/// is repeated.
pub const CELLS_MAX: usize = 1_000_000;

/// Rows a sheet may have besides its records: a title, the field names, a help row and the like.
pub const ROWS_BESIDE_RECORDS: usize = 20;

/// Most faults kept for one record: more help nobody, and a hostile file could produce millions.
pub const FAULTS_PER_RECORD_MAX: usize = 100;

/// Longest part of an offending value that a message repeats, in characters.
pub const QUOTED_CHARS_MAX: usize = 60;

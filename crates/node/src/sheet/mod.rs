//! Sheets: a form to fill in, and what people send back.
//!
//! [`form`] makes a workbook for a kind, in the author's language. [`read`] takes that workbook as
//! Excel or LibreOffice saved it, a table with field names in its first row (XLSX, ODS, CSV), or JSON
//! Lines, and answers with one valid draft or all its faults for every record; each fault names its
//! cell. [`preview`] says what publishing them would do to a feed, and [`publications`] are the
//! drafts for one request to the operator's API, so that an import is one commit.
//!
//! Nothing here writes to a node: the command shows the preview and asks.
//!
//! **Invariant:** a file of any content is read within the [`limits`] and never ends the program.

mod archive;
mod check;
mod choices;
mod comma;
mod day;
mod fault;
mod fields;
mod fill;
mod form;
mod gateway;
mod grid;
mod headings;
mod layout;
pub mod limits;
mod lines;
mod ods;
mod path;
mod preview;
mod read;
mod shape;
mod subject;
mod texts;
mod xlsx;

pub use fault::{CellFault, SheetError};
pub use form::form;
pub use gateway::gateway;
pub use layout::FORM_VERSION;
pub use preview::{Existing, Planned, Preview, Refused, preview, publications};
pub use read::{Defaults, Import, ImportRow, ReadDraft, read};
pub use texts::LANGUAGES;

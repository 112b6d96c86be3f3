//! A State's page in the UN Human Rights Knowledge Gateway and a mechanism profile: each becomes the other.
//!
//! [`read`] takes a saved page (HTML), its pasted text, or a profile exported as JSON, and answers with drafts
//! of profiles; [`outline`] sets a profile out in the order of the Gateway's sections, for a document. The
//! sections and the headings that are recognised are data (`vocab/gateway-sections.json`).
//!
//! **Invariant:** the words of a page are moved, never changed and never added to. What has no place in a
//! profile is in [`GatewayDraft::not_placed`]. Reading any bytes takes time and memory in proportion to them.

mod blocks;
mod compile;
mod html;
mod opening;
mod outline;
mod parts;
mod values;

pub use blocks::{Block, BlockKind};
pub use compile::{GatewayDraft, Placed, Told, read};
pub use outline::{OutlineField, OutlineSection, export, outline, section_codes, section_fields};
pub use parts::NotPlaced;

/// Largest page read, in bytes: a page saved with its pictures inside has a few megabytes.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most text of a page, in bytes: a profile of 128 KiB comes from a page with a tenth of this.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Most paragraphs of a page. The longest known State page has under a hundred.
pub const BLOCKS_MAX: usize = 5_000;

/// Most profiles in one exported file: a State has a few mechanisms.
pub const PROFILES_MAX: usize = 32;

/// Why no draft could be made of a file. Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Larger than [`PAGE_BYTES_MAX`].
    #[error(
        "the page has {bytes} bytes, more than the {PAGE_BYTES_MAX} that are read; \
         select its text in the browser, copy it into a text file, and import that"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More text than [`TEXT_BYTES_MAX`], or more paragraphs than [`BLOCKS_MAX`].
    #[error(
        "the page holds more text than a State's page can ({what}); \
         copy the part about the mechanism into a text file, and import that"
    )]
    TooLong {
        /// Which limit it passes.
        what: String,
    },
    /// Not text in UTF-8 or UTF-16.
    #[error(
        "the page is not in UTF-8 (byte {at}); save it again as UTF-8, or copy its text into a text file \
         and choose the encoding UTF-8"
    )]
    Encoding {
        /// The first byte at fault.
        at: usize,
    },
    /// Another kind of file.
    #[error("this is {found}, not a saved page; {advice}")]
    NotAPage {
        /// What it looks like.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// JSON that is no exported profile.
    #[error(
        "this JSON is no exported profile: {reason}; export one from the page of a State as profile.json"
    )]
    NotAProfile {
        /// What is wrong.
        reason: String,
    },
    /// No heading of the Gateway in it.
    #[error(
        "no section of a State's page was recognised (it begins: {begins}); \
         the page must have headings such as Summary, Composition or Secretariat, each on a line of its own"
    )]
    NothingRecognised {
        /// Its first words.
        begins: String,
    },
    /// The State is neither on the page nor given.
    #[error("the page does not name a State; name it with `--state`, such as `--state PY`")]
    NoState,
    /// A State that is none.
    #[error("`{state}` is no code of a State; write two letters, such as `PY`")]
    UnknownState {
        /// What was given.
        state: String,
    },
    /// The language is neither on the page nor given.
    #[error(
        "the page does not say its language; name it with `--language`, such as `--language en`"
    )]
    NoLanguage,
}

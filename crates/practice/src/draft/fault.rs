//! What is wrong with a draft, and what its author should look at.

use crate::json::JsonFault;
use crate::personal::PersonalShape;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// As many characters of a wrong value as are shown.
const EXCERPT_CHARACTERS: usize = 80;

/// One thing that keeps a draft from being a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where, such as `actions[2].text.ar`; empty for the whole draft.
    pub path: String,
    /// The beginning of what stands there; empty if nothing does.
    pub found: String,
    /// Why it cannot stay, and what to do.
    pub reason: FaultReason,
}

/// Why a value cannot stay, and what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FaultReason {
    /// A required field is not there.
    #[error("is required; please fill it in")]
    Missing,
    /// A text, list or object without content.
    #[error("is empty; fill it in or leave it out")]
    Empty,
    /// Another form of value.
    #[error("must be {expected}")]
    Form {
        /// What it must be.
        expected: &'static str,
    },
    /// Not in the vocabulary.
    #[error("is no code of `{vocabulary}`{}", suggestion.as_ref().map(|code| format!("; did you mean `{code}`?")).unwrap_or_default())]
    Code {
        /// Which list of codes.
        vocabulary: &'static str,
        /// A code that may have been meant.
        suggestion: Option<String>,
    },
    /// Not one of a few words.
    #[error("must be one of {}", allowed.join(", "))]
    Word {
        /// The words.
        allowed: &'static [&'static str],
    },
    /// The same code twice.
    #[error("is there twice; keep one")]
    Twice,
    /// Not a language tag in canonical case.
    #[error("is no language tag such as `es` or `pt-BR`{}", suggestion.as_ref().map(|tag| format!("; write `{tag}`")).unwrap_or_default())]
    Language {
        /// The canonical spelling, if it is one otherwise.
        suggestion: Option<String>,
    },
    /// Not a date.
    #[error("is no date; write a year, a month or a day: `2015`, `2015-06`, `2015-06-30`")]
    Date,
    /// A period that ends before it begins.
    #[error("ends before it begins; exchange `from` and `to`")]
    Backwards,
    /// Not an address on the web.
    #[error("is no address on the web; it begins with `https://` or `http://`")]
    Url,
    /// A number that cannot be written exactly by everybody.
    #[error("must be a whole number from 0 to 9007199254740991; write other numbers as text")]
    Number,
    /// A node's, feed's or record's name that is none.
    #[error(
        "is no id of a record; leave `id` out for a new record, and use `local_id` for your own reference"
    )]
    Id,
    /// A kind this release does not know.
    #[error("is no kind this program knows")]
    UnknownKind,
    /// Cannot be written as canonical JSON.
    #[error("cannot be written: {fault}")]
    Json {
        /// Why.
        fault: JsonFault,
    },
    /// Too large for a body.
    #[error("has {bytes} bytes, more than fit a record; move long texts to attachments")]
    Size {
        /// Its size.
        bytes: usize,
    },
}

impl Fault {
    /// `found` as it stands at `path`.
    pub(super) fn new(path: &str, found: &Value, reason: FaultReason) -> Self {
        Self { path: path.to_owned(), found: excerpt(found), reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the draft" } else { &self.path };
        if self.found.is_empty() {
            return write!(f, "`{path}` {}", self.reason);
        }
        write!(f, "`{path}` {} (found `{}`)", self.reason, self.found)
    }
}

impl std::error::Error for Fault {}

/// Something that may stay and that the author should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where, such as `summary.es`.
    pub path: String,
    /// What it is.
    pub kind: WarningKind,
    /// The part of the text that is meant.
    pub excerpt: String,
}

/// What an author should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// A field that this kind does not have; it is kept and shown as "other".
    UnknownField,
    /// The source language has no text here.
    NotInSourceLanguage,
    /// It looks like personal data.
    Personal(PersonalShape),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, excerpt, .. } = self;
        match self.kind {
            WarningKind::UnknownField => {
                write!(f, "`{path}` is no field of this kind; it is kept and shown as other")
            }
            WarningKind::NotInSourceLanguage => {
                write!(f, "`{path}` has no text in the language of the record")
            }
            WarningKind::Personal(shape) => {
                write!(
                    f,
                    "`{path}` has what looks like {shape}: `{excerpt}`; do not publish personal data"
                )
            }
        }
    }
}

/// The beginning of a value as a person would write it.
pub(super) fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut excerpt: String = text.chars().take(EXCERPT_CHARACTERS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}

//! The parts of a page: a heading that is recognised, or not, and what stands below it.

use super::blocks::{Block, BlockKind};
use crate::kind::Kind;
use crate::kinds::{self, Field};
use crate::vocabulary::{Vocabulary, sort_key};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Longest paragraph that is taken for a heading because of its words alone, in bytes.
const HEADING_BYTES_MAX: usize = 120;

/// What a page holds that has no place in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPlaced {
    /// The heading above it; empty if there is none.
    pub heading: String,
    /// Its paragraphs.
    pub texts: Vec<String>,
}

/// A heading and what stands below it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) heading: String,
    pub(super) place: Place,
    pub(super) blocks: Vec<Block>,
}

/// What a heading announces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// A field of a profile.
    Field(&'static Field),
    /// A section that has nothing but fields.
    Section,
    /// Nothing that is known.
    Unknown,
}

/// The headings that are recognised, folded.
static HEADINGS: LazyLock<HashMap<String, Place>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    let labels = |vocabulary: &str| -> Vec<(String, Vec<String>)> {
        let terms = Vocabulary::get(vocabulary).map(Vocabulary::terms).unwrap_or_default();
        let words = |value: &Value| match value {
            Value::Array(words) => words.clone(),
            Value::Object(by_language) => by_language.values().cloned().collect(),
            _ => Vec::new(),
        };
        let term = |term: &crate::vocabulary::Term| {
            let written = term.get("written").or_else(|| term.get("label")).map(words);
            let written = written.unwrap_or_default();
            let written = written.iter().filter_map(Value::as_str).map(fold).collect();
            (term.code.clone(), written)
        };
        terms.iter().map(term).collect()
    };
    let profile = kinds::fields(&Kind::MECHANISM_PROFILE);
    for vocabulary in ["gateway-headings", "fields"] {
        for (code, written) in labels(vocabulary) {
            let Some(field) = profile.iter().find(|field| field.field.name == code) else {
                continue;
            };
            for word in written {
                known.entry(word).or_insert(Place::Field(field.field));
            }
        }
    }
    for (_, written) in labels("gateway-sections") {
        for word in written {
            known.entry(word).or_insert(Place::Section);
        }
    }
    known
});

/// The parts of a page, in their order; the first has no heading.
pub(super) fn parts(blocks: Vec<Block>) -> Vec<Part> {
    let mut parts =
        vec![Part { heading: String::new(), place: Place::Unknown, blocks: Vec::new() }];
    for block in blocks {
        let known = place(&block);
        if block.kind == BlockKind::Heading || known != Place::Unknown {
            parts.push(Part { heading: block.text, place: known, blocks: Vec::new() });
        } else if let Some(part) = parts.last_mut() {
            part.blocks.push(block);
        }
    }
    parts
}

/// Whether a paragraph says when the page was made, as the Gateway's do below everything else.
pub(super) fn is_date_of_page(block: &Block) -> bool {
    let words: Vec<_> = block.text.split_whitespace().collect();
    let (Some(day), true) = (words.last(), words.len() <= 3) else { return false };
    let begins = ["created", "updated", "last updated", "published"];
    let words = block.text.to_lowercase();
    let date = day.contains(|c: char| c.is_ascii_digit())
        && day.chars().all(|c| c.is_ascii_digit() || "/.-".contains(c));
    date && begins.iter().any(|begin| words.starts_with(begin))
}

fn place(block: &Block) -> Place {
    if block.kind == BlockKind::Item || block.text.len() > HEADING_BYTES_MAX {
        return Place::Unknown;
    }
    HEADINGS.get(&fold(&block.text)).copied().unwrap_or(Place::Unknown)
}

/// A heading as it is compared: without case, accents, a number before it or a colon after it.
fn fold(heading: &str) -> String {
    let numbered = |c: char| c.is_ascii_digit() || c == '.' || c == ')' || c.is_whitespace();
    sort_key(
        heading.trim().trim_start_matches(numbered).trim_end_matches([':', '：', ' ', '\u{a0}']),
    )
}

//! JSON as it is signed: the refusing scanner, the refusing parser and the canonical writer (RFC 8785).
//!
//! [`check_canonical`] reads received bytes once and accepts only their own canonical form, so that
//! hashes and proofs are computed over slices of what was received and nothing is serialised again.
//! [`parse`] reads what a person or a program typed: any sane JSON, but no duplicate members.
//! [`canonical`] writes.
//!
//! **Invariant:** for a value without fractions, `check_canonical(canonical(value))` succeeds, and two
//! different byte strings that `check_canonical` accepts never mean the same value.

mod read;
mod scan;
mod write;

pub use read::parse;
pub use scan::{Member, Scan, check_canonical};
pub use serde_json::Value;
pub use write::canonical;
pub(crate) use write::canonical_at;

use std::cmp::Ordering;

/// Nesting that is still read; the outermost object or array counts as one (design 4.3). Enough for
/// every kind, and little enough that reading by recursion cannot exhaust a stack.
pub const DEPTH_MAX: usize = 32;

/// The largest magnitude of an integer, 2^53-1: beyond it JavaScript rounds.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Why bytes are not the JSON that was asked for, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON at byte {at}: {fault}")]
pub struct InvalidJson {
    /// Offset in bytes from the start of the text.
    pub at: usize,
    /// The rule that is broken.
    pub fault: JsonFault,
}

/// The rule that a JSON text breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The bytes are no UTF-8.
    #[error("not UTF-8; save the text as UTF-8")]
    Utf8,
    /// Another byte was expected here.
    #[error("`{}` cannot stand here in canonical JSON (RFC 8785, no white space)", char::from(*.0).escape_default())]
    Unexpected(u8),
    /// The text ends too early.
    #[error("the text ends too early")]
    End,
    /// Something follows the value.
    #[error("something follows the end of the value")]
    Trailing,
    /// Nested more deeply than [`DEPTH_MAX`].
    #[error("nested more than {DEPTH_MAX} deep")]
    Depth,
    /// A member stands twice in one object.
    #[error("the member `{0}` stands twice in one object")]
    Duplicate(String),
    /// A member stands after one that sorts behind it.
    #[error("the member `{0}` is not in the order of UTF-16 code units")]
    Order(String),
    /// An escape that canonical JSON does not write this way.
    #[error("an escape that canonical JSON writes differently")]
    Escape,
    /// The character U+0000, which databases and shells cut strings at.
    #[error("the character U+0000 is not allowed")]
    Nul,
    /// A number that is no integer within ±(2^53-1), or not written as one.
    #[error("only integers within ±(2^53-1), without fraction, exponent or `-0`")]
    Number,
    /// Anything else a general JSON parser says.
    #[error("{0}")]
    Syntax(String),
}

/// Compares two strings, given as UTF-8, in the order of their UTF-16 code units.
///
/// That is the order of bytes but for one case: a surrogate pair (first byte 0xF0 and up) sorts before
/// U+E000 to U+FFFF (first byte 0xEE or 0xEF).
fn utf16_order(left: &[u8], right: &[u8]) -> Ordering {
    match left.iter().zip(right).find(|(l, r)| l != r) {
        None => left.len().cmp(&right.len()),
        Some((l, r)) if *l >= 0xEE && *r >= 0xEE && (*l >= 0xF0) != (*r >= 0xF0) => r.cmp(l),
        Some((l, r)) => l.cmp(r),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_compared_as_utf16(left in "\\PC{0,6}", right in "\\PC{0,6}") {
            let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
            prop_assert_eq!(utf16_order(left.as_bytes(), right.as_bytes()), units(&left).cmp(&units(&right)));
        }
    }

    #[test]
    fn a_surrogate_pair_sorts_before_the_private_use_area() {
        assert_eq!(utf16_order("😂".as_bytes(), "\u{fb33}".as_bytes()), Ordering::Less);
    }
}

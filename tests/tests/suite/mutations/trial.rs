//! One specimen, its verifier, and all that was done to it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tlog::hash::Hash;

/// Failures that are shown; more are counted.
const SHOWN_MAX: usize = 20;

/// A changed specimen.
pub(crate) struct Mutation {
    /// What was done, and where.
    pub(crate) what: String,
    /// The result.
    pub(crate) bytes: Vec<u8>,
}

impl Mutation {
    pub(crate) fn new(what: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { what: what.into(), bytes: bytes.into() }
    }
}

/// What a verifier says of something it accepts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Says {
    /// All that is believed because of it.
    words: String,
    /// Who vouches for it besides: leaving one out is everybody's right, adding one is not.
    vouchers: usize,
}

impl Says {
    pub(crate) fn that(words: impl Into<String>) -> Self {
        Self { words: words.into(), vouchers: 0 }
    }

    pub(crate) fn with_vouchers(self, vouchers: usize) -> Self {
        Self { vouchers, ..self }
    }
}

/// A change that may be accepted as if nothing had been changed: what it is (pieces joined by `*`), and why.
pub(crate) type Tolerated<'a> = (&'a str, &'a str);

/// Tries every mutation of `original`. Each must be refused, or be one of `tolerated` and say the same.
pub(crate) fn examine(
    object: &str,
    original: &[u8],
    verify: impl Fn(&[u8]) -> Option<Says>,
    tolerated: &[Tolerated<'_>],
    mutations: impl IntoIterator<Item = Mutation>,
) -> usize {
    let honest = verify(original).unwrap_or_else(|| panic!("{object}: the specimen is refused"));
    let mut seen = HashSet::from([Hash::of(original)]);
    let (mut tried, mut spared) = (0, 0);
    let mut needed: HashSet<&str> = HashSet::new();
    let mut failures: Vec<String> = Vec::new();
    for Mutation { what, bytes } in mutations {
        if !seen.insert(Hash::of(&bytes)) {
            continue;
        }
        tried += 1;
        let Ok(said) = catch_unwind(AssertUnwindSafe(|| verify(&bytes))) else {
            failures.push(format!("{what}: a panic"));
            continue;
        };
        let Some(said) = said else { continue };
        let reason = tolerated.iter().find(|(pattern, _)| matches(&what, pattern));
        if said.words != honest.words || said.vouchers > honest.vouchers {
            failures.push(format!("{what}: accepted as {said:?}"));
        } else if let Some((pattern, _)) = reason {
            needed.insert(pattern);
            spared += 1;
        } else {
            failures.push(format!("{what}: accepted"));
        }
    }
    println!("{object}: {tried} mutations, {spared} of them without a difference");
    let shown: Vec<&String> = failures.iter().take(SHOWN_MAX).collect();
    assert!(failures.is_empty(), "{object}: {} failures, as {shown:#?}", failures.len());
    for (pattern, why) in tolerated {
        assert!(needed.contains(pattern), "{object}: nothing needs `{pattern}` ({why})");
    }
    tried
}

/// Whether the pieces of a pattern stand in a text, in their order.
fn matches(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split('*').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = rest.get(at + piece.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

#[test]
fn a_verifier_that_looks_away_or_falls_over_is_found_out() {
    let mutations = || [Mutation::new("first", b"xb"), Mutation::new("last", b"ax")];
    let caught = |verify: fn(&[u8]) -> Option<Says>, tolerated: &[Tolerated<'_>]| {
        let tried = || examine("itself", b"ab", verify, tolerated, mutations());
        catch_unwind(AssertUnwindSafe(tried)).is_err()
    };
    let strict = |bytes: &[u8]| (bytes == b"ab").then(|| Says::that("ab"));
    assert!(!caught(strict, &[]));
    assert!(caught(strict, &[("last", "a reason that nothing needs")]));
    let half_blind = |bytes: &[u8]| bytes.starts_with(b"a").then(|| Says::that("ab"));
    assert!(caught(half_blind, &[]));
    assert!(caught(half_blind, &[("first", "another change than the one that is accepted")]));
    assert!(!caught(half_blind, &[("last", "the last byte says nothing")]));
    let other_words = |bytes: &[u8]| Some(Says::that(String::from_utf8_lossy(bytes)));
    assert!(caught(other_words, &[("first", "never"), ("last", "never")]));
    let more = |bytes: &[u8]| Some(Says::that("ab").with_vouchers(usize::from(bytes[1] == b'x')));
    assert!(caught(more, &[("first", "never"), ("last", "never")]));
    let falls =
        |bytes: &[u8]| (bytes[0] == b'a').then(|| Says::that("ab")).or_else(|| panic!("fell"));
    assert!(caught(falls, &[("last", "the last byte says nothing")]));
}

//! Everything that reads bytes from outside, as one table: a name, a reader that states what must hold of
//! whatever it accepts, and seeds to begin from.
//!
//! The test `tests/tests/suite/parsers.rs` gives each reader its seeds and thousands of changed ones; the fuzzer in
//! `tests/fuzz` goes on from there for as long as it is left running. A reader fails by a panic: its own
//! assertions, or one in the code it reads with.

mod formats;
mod seeds;
mod texts;

use anyhow::Result;

pub use seeds::Seeds;

/// Bytes of the longest input that the fuzzer makes; what is longer is refused by its length alone.
pub const INPUT_BYTES_MAX: usize = 64 << 10;

/// A reader of foreign bytes.
#[derive(Clone, Copy)]
pub struct Parser {
    /// What it reads, in one word; the name of its folder of seeds.
    pub name: &'static str,
    /// Reads, and tells whether it accepted; panics if what it accepted is not as it must be.
    pub read: fn(&[u8]) -> bool,
    /// Inputs that it accepts.
    pub seeds: fn(&Seeds) -> Vec<Vec<u8>>,
}

/// All of them.
pub const PARSERS: &[Parser] = &[
    Parser { name: "note", read: formats::note, seeds: |of| vec![of.note.clone()] },
    Parser { name: "checkpoint", read: formats::checkpoint, seeds: |of| vec![of.note.clone()] },
    Parser { name: "cosignatures", read: formats::cosignatures, seeds: |of| of.cosignatures() },
    Parser { name: "cosigned", read: formats::cosigned, seeds: |of| vec![of.cosigned.clone()] },
    Parser { name: "verifier-key", read: texts::verifier_key, seeds: |of| of.verifier_keys() },
    Parser { name: "policy", read: formats::policy, seeds: |of| of.policies() },
    Parser { name: "network-file", read: formats::network_file, seeds: |of| of.network_files() },
    Parser { name: "tlog-proof", read: formats::tlog_proof, seeds: |of| of.proofs() },
    Parser { name: "entries-tile", read: formats::entries_tile, seeds: |of| of.entries_tiles() },
    Parser { name: "path", read: texts::path, seeds: |of| of.paths() },
    Parser { name: "name", read: texts::name, seeds: |of| of.names() },
    Parser { name: "json", read: formats::json, seeds: |of| of.documents() },
    Parser { name: "entry", read: formats::entry, seeds: |of| of.entries() },
    Parser { name: "body", read: formats::body, seeds: |of| of.bodies.clone() },
    Parser { name: "block", read: formats::block, seeds: |of| of.blocks() },
    Parser { name: "segment", read: formats::segment, seeds: |of| of.segments() },
    Parser { name: "commits", read: formats::commits, seeds: |of| of.commits() },
    Parser { name: "bundle", read: formats::bundle, seeds: |of| of.bundles() },
    Parser { name: "evidence", read: formats::evidence, seeds: |of| of.evidence() },
    Parser { name: "fault", read: formats::fault, seeds: |of| of.faults() },
    Parser { name: "heads", read: formats::heads, seeds: |of| of.heads() },
    Parser { name: "signature", read: formats::signature, seeds: |of| of.signed_requests() },
    Parser { name: "draft", read: formats::draft, seeds: |of| of.documents() },
    Parser { name: "gateway", read: texts::gateway, seeds: |of| of.gateway_pages() },
    Parser {
        name: "recommendation",
        read: texts::recommendation,
        seeds: |of| of.recommendations(),
    },
    Parser { name: "words", read: texts::words, seeds: |of| of.sentences() },
];

/// The reader of this name.
pub fn named(name: &str) -> Option<&'static Parser> {
    PARSERS.iter().find(|parser| parser.name == name)
}

/// The seeds of a reader.
///
/// # Errors
/// Never with the keys of members.
pub fn seeds_of(parser: &Parser) -> Result<Vec<Vec<u8>>> {
    Ok((parser.seeds)(&Seeds::new()?))
}

//! The record: what is said, in which form, and by whose key.
//!
//! A practice, a mechanism's profile, an offer, but also a node's description of itself, is a record of a
//! [`kind`]. What somebody typed is a [`draft`]; once valid it becomes a record, and signed a [`body`]: the
//! canonical bytes of a W3C Verifiable Credential. Which fields a kind has is said once, in [`kinds`]; the
//! schema, the JSON-LD context, the form and the pages come from there. Codes and the names of States come
//! from [`vocabulary`].
//!
//! Pure: no input or output, no clock, no randomness. Where a record stands in a feed, and whether its key
//! spoke for its node at that place, is the `feed` crate's to say.

pub mod body;
pub mod completeness;
pub mod date;
pub mod draft;
pub mod entry;
pub mod exchange;
pub mod gateway;
pub mod id;
pub mod json;
pub mod kind;
pub mod kinds;
pub mod language;
pub mod node_record;
pub mod personal;
pub mod proof;
pub mod recommendation;
pub mod vocabulary;

/// The sample records, one JSON object a line, compiled from public sources: they are no State's statements,
/// and whoever loads them shows them as sample data issued by a documentation node.
pub fn corpus() -> &'static str {
    include_str!("../corpus/practices.jsonl")
}

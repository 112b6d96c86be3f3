//! THE INDEX: what readers find, a view over the catalog and the facts that can be made anew.
//!
//! One document for each record that is current or was withdrawn ([`document`]), with its texts in one pair of
//! fields for each language ([`fields`]), written as that language's analyser writes them ([`analyse`]). The
//! [`Indexer`] tails the catalog's changes; an [`Index`] answers what readers ask ([`words`], [`clause`],
//! [`marks`]).
//!
//! **Invariant:** whatever is taken from a body is in the document that bears the entry of this body, so that
//! [`Forget`](feed::search::Forget) finds all of it.

pub mod analyse;
mod clause;
mod counts;
mod document;
pub mod facets;
mod fields;
mod forget;
mod index;
mod indexer;
mod labels;
mod marks;
mod search;
mod texts;
mod tokens;
mod words;

pub use analyse::analyse;
pub use index::Index;
pub use indexer::Indexer;

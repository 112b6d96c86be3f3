//! A federation on this machine: documentation nodes publish the sample records, a hub follows them.
//!
//! No State speaks here: the records were compiled from public sources, so nodes of documentation
//! issue them, one for each UN regional group, and every record keeps saying on what basis
//! (design 9).

mod federation;
mod samples;

pub use federation::{Federation, Shown, ShownFeed, marker};
pub use samples::{Group, groups};

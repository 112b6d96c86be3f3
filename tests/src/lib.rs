//! What the tests of the whole share: real nodes on loopback with fixed keys, time and chance, a
//! server that lies, and feeds that no honest node would write. The tests stand in `tests/tests`.
//!
//! The fuzzer instruments all it is built of, so it takes this crate without the feature `nodes`: members,
//! what they sign, and the readers of bytes.

pub mod chance;
pub mod figures;
pub mod forge;
pub mod member;
pub mod parsers;
pub mod signed;

#[cfg(feature = "nodes")]
pub mod ask;
#[cfg(feature = "nodes")]
pub mod crash;
#[cfg(feature = "nodes")]
pub mod federation;
#[cfg(feature = "nodes")]
pub mod hostile;
#[cfg(feature = "nodes")]
pub mod liar;
#[cfg(feature = "nodes")]
pub mod line;
#[cfg(feature = "nodes")]
pub mod load;
#[cfg(feature = "nodes")]
pub mod program;
#[cfg(feature = "nodes")]
pub mod simulation;

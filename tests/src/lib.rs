//! What the tests of the whole share: real nodes on loopback with fixed keys, time and chance, a
//! server that lies, and feeds that no honest node would write. The tests stand in `tests/tests`.

pub mod chance;
pub mod crash;
pub mod federation;
pub mod figures;
pub mod forge;
pub mod hostile;
pub mod liar;
pub mod line;
pub mod load;
pub mod member;
pub mod parsers;
pub mod program;
pub mod signed;
pub mod simulation;

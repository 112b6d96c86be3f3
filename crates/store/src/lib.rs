//! THE MEMORY: where verified feeds are kept, and a disposable view over them.
//!
//! [`facts`] keeps feeds on a local directory in an order that survives a power cut, [`catalog`] answers
//! what each entry says, on sled, and [`memory`] is both for tests and simulations, with faults on order.
//! Which bytes may be stored is decided by `feed`: its `Advance` and `VerifiedFact` are all that is taken.
//!
//! **Invariant:** a write has happened when its call returns `Ok`, and has not when it returns a refusal;
//! the one case where nobody knows has a name of its own (`CommitError::Unknown`).

pub mod catalog;
pub mod facts;
pub mod memory;

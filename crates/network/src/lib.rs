//! THE TRUST: who speaks for whom, as folds over what feeds say. Pure.
//!
//! Today it answers which keys spoke for a node at an index of its feed ([`keys`]). The network
//! file, policies, participants, groups and approvals (design 6) are folds of the same kind and
//! belong here.

pub mod keys;

pub use keys::{KeyError, KeyHistory};

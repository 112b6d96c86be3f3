//! THE TRUST: who speaks for whom, as folds over what feeds say. Pure.
//!
//! [`keys`] answers which keys spoke for a node at an index of its feed. A newcomer gets a [`file`](mod@file),
//! the network's records are read as [`subject`]s, the committee's decisions as [`approval`]s, and
//! [`fold`] puts them together: who participates, in which groups, what waits for whom. [`audience`] says
//! who may read a feed, [`times`] what counts as now, [`join`] what is mailed between a node that wants
//! to take part and the network (design 6).

pub mod approval;
pub mod audience;
pub mod file;
pub mod fold;
pub mod join;
pub mod keys;
pub mod subject;
pub mod times;

pub use keys::{KeyError, KeyHistory};

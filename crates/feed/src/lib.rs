//! THE CORE: feeds, what may extend them, and what a node can do with them. No I/O: storage,
//! transport, keys, time and chance come through [`ports`].
//!
//! A statement ([`statement`]) stands in a block ([`block`]) in a commit of a head ([`head`]).
//! [`append`] extends our own feed, [`verify`] checks a peer's; both make the only values a store
//! takes ([`advance`]). [`judge`] and [`bodies`] tell what entries mean, which a catalog keeps as
//! [`row`]s. [`feeds::Feeds`] puts it all together.

pub mod advance;
pub mod append;
pub mod block;
pub mod bodies;
pub mod bundle;
pub mod cosignatures;
pub mod fault;
pub mod feeds;
pub mod frame;
pub mod head;
pub mod judge;
pub mod ports;
pub mod row;
pub mod search;
pub mod secret;
pub mod statement;
pub mod tree;
pub mod verdict;
pub mod verify;

//! Outward: getting the feeds of other nodes over HTTP, at the right time and within limits.
//!
//! [`carrier`] brings bytes and trusts nobody; what they are worth is decided in `feed`. [`schedule`]
//! says when a feed is tried next, [`follow`] runs one bounded task for each feed that is followed,
//! [`probe`] tells an operator step by step why a node cannot be reached, [`tally`] counts what happens.
//!
//! **Invariant:** every exchange has a byte limit, a deadline and checked addresses before its first
//! byte is read, and no fault of one peer changes what another one gets.

pub mod address;
pub mod carrier;
pub mod certificate;
pub mod follow;
pub mod follower;
pub mod guard;
pub mod limits;
pub mod outbound;
pub mod probe;
pub mod receipts;
pub mod relay;
pub mod schedule;
pub mod settings;
pub mod sight;
pub mod signing;
pub mod tally;
pub mod turns;

mod budget;
mod exchange;
mod gate;
mod gossip;
mod home;
mod line;
mod parts;
mod scout;
mod words;

pub use carrier::HttpCarrier;
pub use follow::Peers;
pub use outbound::Outbound;
pub use settings::PeerSettings;

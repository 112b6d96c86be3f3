//! Peers that misbehave over real sockets: a table of exchanges by faults, and the server that plays it.
//!
//! A [`Trial`] is one fault in one exchange of an otherwise honest node: what that node is asked for
//! besides it answers as it should, so that a follower comes as far as the fault.

mod exchange;
mod fault;
mod served;
mod server;

use tlog::name::NodeName;

pub use exchange::{EXCHANGES, Exchange, Place};
pub use fault::{Answer, FAULTS, Fault, Play, Then, Verdict};
pub use server::Hostile;

use crate::member::Member;

/// One fault in one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Its place in [`trials`], and in the address and the name of its node.
    pub number: usize,
    /// What is asked.
    pub exchange: &'static Exchange,
    /// What is done instead of answering.
    pub fault: &'static Fault,
}

impl Trial {
    /// The node that does it.
    ///
    /// # Errors
    /// Never: the name is well-formed.
    pub fn member(&self) -> anyhow::Result<Member> {
        Member::of(&format!("t{}.hostile.example", self.number))
    }

    /// The trial of a node of that name.
    pub fn number_of(node: &NodeName) -> Option<usize> {
        node.as_str().strip_suffix(".hostile.example")?.strip_prefix('t')?.parse().ok()
    }
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.exchange.name, self.fault.name)
    }
}

/// Every fault in every exchange.
pub fn trials() -> Vec<Trial> {
    let pairs =
        EXCHANGES.iter().flat_map(|exchange| FAULTS.iter().map(move |fault| (exchange, fault)));
    let pairs = pairs.filter(|(exchange, fault)| fault.applies_to(exchange));
    pairs.enumerate().map(|(number, (exchange, fault))| Trial { number, exchange, fault }).collect()
}

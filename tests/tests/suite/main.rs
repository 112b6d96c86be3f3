//! What several parts of the house do together, and the rules of the house itself.
//!
//! One program, so that a long test of one subject runs beside the others: `cargo test --workspace --test suite
//! tuf::` runs those of one.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod audiences;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod equivocation;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod federation;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod relays;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod scrub;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod tuf;

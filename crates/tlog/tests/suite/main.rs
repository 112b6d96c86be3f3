//! The vectors of others, properties of all small trees, hostile texts, and other implementations as
//! oracles.
//!
//! (`cfg(test)` on each module is for clippy, which allows `unwrap` only there.)

#[cfg(test)]
mod ed25519;
#[cfg(test)]
mod log600;
#[cfg(test)]
mod merkle;
#[cfg(test)]
mod names;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod oracles;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod tiles;
#[cfg(test)]
mod tree;

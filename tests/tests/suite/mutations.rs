//! Each field of each signed thing, changed: refused by whoever verifies it, or without a difference
//! where the specification says that it makes none.
//!
//! For every signed object there is a specimen with fixed keys, and the verifier that a node uses. Its
//! fields are found by machine, not by hand: every member of a JSON document at any depth ([`json`]), every
//! line and byte of a text ([`lines`]), every byte, length and cut of a binary format ([`binary`]). What is
//! tolerated stands with its reason beside each specimen ([`trial`]); a reason that nothing needs fails too.
//!
//! Where bytes times formats get many, a fixed stride takes every third, seventh…: each group prints what
//! it tried, and has a least number of distinct mutations.

#[cfg(test)]
mod binary;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod json;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod records;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod witness;
#[cfg(test)]
mod world;

//! Networks: files, approvals, and what they come to.
//!
//! (`cfg(test)` on each module is for clippy, which allows `unwrap` only there.)

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod chain;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod files;
#[cfg(test)]
mod mailed;
#[cfg(test)]
mod order;
#[cfg(test)]
mod roots;
#[cfg(test)]
mod world;

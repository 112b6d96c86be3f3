//! The index over a node in memory: what is found, what is hidden, what is forgotten.

#[cfg(test)]
mod erasure;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod following;
#[cfg(test)]
#[path = "../queries/queries.rs"]
mod queries;
#[cfg(test)]
mod stand;

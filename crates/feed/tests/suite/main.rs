//! Whole nodes in memory: published on one, followed and verified by another.

#[cfg(test)]
mod bundles;
#[cfg(test)]
mod equivocation;
#[cfg(test)]
mod federation;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod redteam;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod room;
#[cfg(test)]
mod scrub;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod verdict;
#[cfg(test)]
mod witness;
#[cfg(test)]
mod world;

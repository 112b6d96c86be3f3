//! One suite judges every store and every catalog; a backend is what passes it.
//!
//! [`facts`] and [`catalog`] say what a port promises, [`crashes`] and [`damage`] what must not be lost or
//! believed whatever happens to the process and to the disk, [`processes`] what a second process sees.

#[cfg(test)]
mod author;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod catalog_repair;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod node;
#[cfg(test)]
mod processes;

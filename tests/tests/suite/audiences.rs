//! Who may read what: every route, every kind of audience, every caller; and restricted feeds between
//! real nodes.

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod network;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod whoami;
#[cfg(test)]
mod world;

//! The routers of a node, driven in process, and its connections, over real sockets.

#[cfg(test)]
mod connections;
#[cfg(test)]
mod conventions;
#[cfg(test)]
mod directories;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod feed_objects;
#[cfg(test)]
mod health;
#[cfg(test)]
mod home;
#[cfg(test)]
mod oai;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod record;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod search;
#[cfg(test)]
mod stand;

//! The routers of a node, driven in process, and its connections, over real sockets.

mod connections;
mod feed_objects;
mod operator;
mod pages;
mod routes;
mod stand;

//! INWARD: what a node answers, to other nodes, to programs and to people.
//!
//! Start at [`routes`]: one table says what is answered where and for whom. [`server`] accepts connections
//! and limits what a stranger can hold; [`tls`] reads certificates; [`hosts`] tells several nodes of one
//! listener apart. [`app`] is what the handlers work with; [`traffic`] counts what they are asked.
//!
//! It leaves verification and storage to `feed`, the URLs and JSON to `wire`, and other nodes to the
//! program, which implements [`app::PeersView`].
//!
//! **Invariants:** a status is chosen in one place (`answer.rs`); what of a feed is served is served byte
//! for byte; nothing that a stranger wrote reaches a page unescaped; no request can make a handler panic.

pub mod app;
pub mod caller;
pub mod copies;
pub mod hosts;
pub mod routes;
pub mod server;
pub mod texts;
pub mod tls;
pub mod traffic;
pub mod upkeep;

mod answer;
mod api;
mod around;
mod bundles;
mod content;
mod crawlers;
mod descriptions;
mod document;
mod download;
mod feed_objects;
mod found;
mod linked_data;
mod memory;
mod news;
mod oai;
mod openapi;
mod operator;
mod pages;
mod params;
mod receipts;
mod search_api;
mod search_form;
mod waiting;
mod witness;

pub use app::{App, Audience, PeersError, PeersView, Site};
pub use caller::Caller;
pub use server::{Limits, Listener, serve};
pub use tls::Certificate;

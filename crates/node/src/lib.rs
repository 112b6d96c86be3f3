//! The program: configuration, command line, and the wiring of the other crates.
//!
//! Every command is one call of the API: [`control`] reaches it over the socket of a running server or
//! in this process, [`commands`] parse and print. [`wiring`] alone knows which store, which clock and
//! which carrier a node is made of.

pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod copies;
pub mod demo;
pub mod draft_file;
pub mod drill;
pub mod evidence;
pub mod keys;
pub mod log;
pub mod meters;
pub mod output;
pub mod outward;
pub mod place;
pub mod process;
pub mod record_name;
pub mod scrub;
pub mod server;
pub mod setup;
pub mod sheet;
pub mod text;
pub mod upkeep;
pub mod wiring;

//! One file per command: parse, one call of the API, print.

pub mod approve;
pub mod backup;
pub mod bundle;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod faults;
pub mod feed;
pub mod follow;
pub mod gateway;
pub mod import;
pub mod init;
pub mod join;
pub mod keys;
pub mod list;
pub mod network;
pub mod publish;
pub mod rebuild;
pub mod restore;
pub mod search;
pub mod serve;
pub mod show;
pub mod status;
pub mod verify;
pub mod withdraw;

//! The contract between nodes, programs and people: every URL as a function, media types, transfer
//! limits, problems and the JSON of the API (design 4.6, 4.7 and 9).
//!
//! The server (`web`) and the clients (`peer`, the command line) both use what stands here, so that
//! they cannot disagree. Pure: no socket is opened and no time is asked.

pub mod api;
pub mod heads;
pub mod limits;
pub mod media;
pub mod paths;
pub mod prefer;
pub mod problem;
pub mod signature;

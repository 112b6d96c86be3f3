//! The entry of a body: what the log says when a version of a record is published (design 4.2).
//!
//! A statement of version 1 repeats nothing but what the body says of itself, so whoever has the body has
//! the entry, and a proof that the entry is in a log is a proof about the body.

use crate::body::Body;

/// The bytes of the publish statement of `body`: canonical JSON.
pub fn publish(body: &Body) -> Vec<u8> {
    // None of the values needs an escape: each has been checked against its own grammar.
    format!(
        r#"{{"body":"sha256:{}","id":"{}","kind":"{}","op":"publish","time":"{}","v":1,"version":{}}}"#,
        body.hash().to_hex(),
        body.id(),
        body.kind(),
        body.valid_from(),
        body.version(),
    )
    .into_bytes()
}

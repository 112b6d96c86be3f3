//! Why a signed request does not count, in words for whoever looks after the node that signed it.

use tlog::ed25519::InvalidKey;

use super::{CLOCK_AHEAD_S, LABEL, LIFETIME_S, NONCE_BYTES_MAX};

/// Why a signature does not count. What is told here follows from the request and the clock alone, so
/// that whoever made the request may be told all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Half a signature.
    #[error(
        "the request has no header `{header}`: a signed one has `signature-input` and `signature`"
    )]
    Missing {
        /// Which.
        header: &'static str,
    },
    /// A header twice.
    #[error("the header `{header}` stands {count} times in the request: it may stand once")]
    Doubled {
        /// Which.
        header: &'static str,
        /// How often.
        count: usize,
    },
    /// Not a dictionary of structured fields, or not in its canonical spelling.
    #[error("the header `{header}` is not a dictionary in the canonical spelling of RFC 9651")]
    Form {
        /// Which.
        header: &'static str,
    },
    /// Another label, or several.
    #[error("the header `{header}` must have one label, `{LABEL}`; it has {found}")]
    Label {
        /// Which.
        header: &'static str,
        /// The labels found.
        found: String,
    },
    /// Other components than the profile's.
    #[error(
        "the signature must cover {expected}, in this order and nothing else; it covers {found}"
    )]
    Components {
        /// What the profile covers.
        expected: String,
        /// What is covered.
        found: String,
    },
    /// Other parameters than the profile's.
    #[error(
        "the signature must have the parameters created, expires, nonce, keyid and tag, and no other; \
         it has {found}"
    )]
    Parameters {
        /// Those found.
        found: String,
    },
    /// A parameter of another type or out of its bounds.
    #[error("the parameter `{name}` of the signature must be {rule}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The key cannot be read.
    #[error("the parameter `keyid` must be an Ed25519 key in the form `did:key:z6Mk…`: {source}")]
    Key {
        /// Why not.
        #[source]
        source: InvalidKey,
    },
    /// Valid for too long.
    #[error("the signature is valid for {seconds} s; {LIFETIME_S} s are the most")]
    Lifetime {
        /// From `created` to `expires`.
        seconds: i64,
    },
    /// From the future.
    #[error(
        "the signature was made at {created}, and the clock here says {now} (seconds since 1970): \
         the clock that made it is {} s ahead, and {CLOCK_AHEAD_S} s are the most; set it right", created - now
    )]
    Early {
        /// When it was made, by the signer's clock.
        created: u64,
        /// Now, by ours.
        now: u64,
    },
    /// Too old.
    #[error(
        "the signature ended at {expires}, and the clock here says {now} (seconds since 1970): it was held \
         up on its way, or the clock that made it is {} s or more behind; set it right", now - expires
    )]
    Expired {
        /// When it ended, by the signer's clock.
        expires: u64,
        /// Now, by ours.
        now: u64,
    },
    /// A signature of another length.
    #[error("the header `signature` must hold the 64 bytes of an Ed25519 signature")]
    Length,
    /// The signature is over something else.
    #[error(
        "the signature does not hold for `{method} {target_uri}` under the key in `keyid`: it was made for \
         another address or by another key, or something on the way changed the request"
    )]
    Signature {
        /// The method that was asked.
        method: String,
        /// The address that was asked, as this node names itself.
        target_uri: String,
    },
    /// A digest that is not SHA-256 alone.
    #[error("the header `content-digest` must hold `sha-256` and no other digest")]
    DigestForm,
    /// The body is another one.
    #[error(
        "the body of the request is not the one in `content-digest`: something on the way changed it"
    )]
    Digest,
}

impl Refused {
    pub(super) fn nonce() -> Self {
        let rule = format!("a text of 1 to {NONCE_BYTES_MAX} visible characters");
        Self::Parameter { name: "nonce", rule }
    }

    pub(super) fn time(name: &'static str) -> Self {
        Self::Parameter { name, rule: "a time in seconds since 1970".to_owned() }
    }

    pub(super) fn tag() -> Self {
        Self::Parameter { name: "tag", rule: format!("\"{LABEL}\"") }
    }
}

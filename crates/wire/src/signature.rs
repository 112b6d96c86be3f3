//! Signed requests between nodes: the one profile of RFC 9421 that is made and taken here (design 4.6).
//!
//! One signature, label and tag `jopoi`, Ed25519 by the key that `keyid` names as `did:key:…`. It covers
//! `@method` and `@target-uri`, and `content-digest` (RFC 9530, SHA-256) if and only if the request has a
//! body; it says when it was made, when it ends (at most 300 s later) and a nonce. Whatever is spelt
//! another way is refused: more labels, more or fewer components or parameters, another order of
//! components, `alg`, a header twice, a text that is not its own canonical form. There is no fallback.
//!
//! Pure: who the key belongs to, which time it is and whether a nonce was used are asked elsewhere.

mod read;
mod refused;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog::ed25519::{PublicKey, Signature};
use tlog::hash::Hash;

pub use read::{Fields, Presented};
pub use refused::Refused;

/// The label of the signature, and its tag.
pub const LABEL: &str = "jopoi";

/// The header that says what is signed.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The header with the signature.
pub const SIGNATURE: &str = "signature";
/// The header with the hash of the body.
pub const CONTENT_DIGEST: &str = "content-digest";

/// How long a signature may be good for, in seconds; ours always are: a clock that is five minutes slow
/// still makes good ones.
pub const LIFETIME_S: u64 = 300;
/// How far the signer's clock may be ahead, in seconds.
pub const CLOCK_AHEAD_S: u64 = 300;
/// Longest nonce that is read: a UUID, a hash in hexadecimal digits.
pub const NONCE_BYTES_MAX: usize = 64;
/// Bytes of chance in a nonce of ours.
pub const NONCE_BYTES: usize = 16;

/// What is covered in a request without a body.
const COVERED: [&str; 2] = ["@method", "@target-uri"];
/// What is covered in a request with one.
const COVERED_WITH_BODY: [&str; 3] = ["@method", "@target-uri", CONTENT_DIGEST];

/// When and by which key a request is signed.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The key that signs.
    pub key: PublicKey,
    /// Now, in Unix seconds.
    pub created: u64,
    /// Fresh chance.
    pub nonce: [u8; NONCE_BYTES],
}

/// The headers that make a request a signed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// [`SIGNATURE_INPUT`]
    pub signature_input: String,
    /// [`SIGNATURE`]
    pub signature: String,
    /// [`CONTENT_DIGEST`], for a request with a body.
    pub content_digest: Option<String>,
}

/// Signs a request to `target_uri`, the absolute URI that is asked.
///
/// # Errors
/// Those of `sign`.
pub fn sign<E>(
    method: &str,
    target_uri: &str,
    body: Option<&[u8]>,
    terms: &Terms,
    sign: impl FnOnce(&[u8]) -> Result<Signature, E>,
) -> Result<Headers, E> {
    let content_digest = body.map(digest);
    let Terms { key, created, nonce } = terms;
    let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let params = format!(
        "({});created={created};expires={};nonce=\"{nonce}\";keyid=\"{}\";tag=\"{LABEL}\"",
        covered(body.is_some()).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" "),
        created.saturating_add(LIFETIME_S),
        key.to_did(),
    );
    let lines = lines(method, target_uri, content_digest.as_deref());
    let signature = sign(base(&lines, &params).as_bytes())?;
    Ok(Headers {
        signature_input: format!("{LABEL}={params}"),
        signature: format!("{LABEL}=:{}:", STANDARD.encode(signature.as_bytes())),
        content_digest,
    })
}

/// The absolute URI of a request at a node: its base URL with scheme and host in lower case and without a
/// port that the scheme implies, then the path and query exactly as they were asked.
pub fn target_uri(base_url: &str, path_and_query: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let Some((scheme, rest)) = base.split_once("://") else {
        return format!("{base}{path_and_query}");
    };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let authority = authority.to_ascii_lowercase();
    let implied = match scheme.as_str() {
        "https" => ":443",
        _ => ":80",
    };
    let authority = authority.strip_suffix(implied).unwrap_or(&authority);
    format!("{scheme}://{authority}{path}{path_and_query}")
}

/// The text of [`CONTENT_DIGEST`] for a body.
fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Hash::of(body).as_bytes()))
}

fn covered(body: bool) -> impl Iterator<Item = &'static str> {
    let names: &[&str] = if body { &COVERED_WITH_BODY } else { &COVERED };
    names.iter().copied()
}

fn lines<'a>(
    method: &'a str,
    target_uri: &'a str,
    content_digest: Option<&'a str>,
) -> Vec<(&'static str, &'a str)> {
    let mut lines = vec![("@method", method), ("@target-uri", target_uri)];
    lines.extend(content_digest.map(|digest| (CONTENT_DIGEST, digest)));
    lines
}

/// The signature base of RFC 9421, section 2.5.
fn base(lines: &[(&str, &str)], params: &str) -> String {
    let covered: String =
        lines.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect();
    format!("{covered}\"@signature-params\": {params}")
}

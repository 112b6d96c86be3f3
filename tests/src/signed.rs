//! Requests signed by hand: whoever they are from, and however wrong.

use anyhow::Result;
use feed::ports::KeyUse;
use wire::signature::{self, Terms};

use crate::member::Member;

/// A header and its value.
pub type Header = (&'static str, String);

/// The headers by which `member` signs a request to `url` (with its `/` at the end) and `path`.
///
/// # Errors
/// Never with the keys of a member.
pub fn signed(
    member: &Member,
    (method, url, path): (&str, &str, &str),
    body: Option<&[u8]>,
    created: u64,
    nonce: u64,
) -> Result<Vec<Header>> {
    let key = member.secret().key(KeyUse::Http, 1)?;
    let mut chance = [0; signature::NONCE_BYTES];
    chance.iter_mut().zip(nonce.to_be_bytes()).for_each(|(to, from)| *to = from);
    let terms = Terms { key: key.public(), created, nonce: chance };
    let uri = signature::target_uri(url, path);
    let made = signature::sign(method, &uri, body, &terms, |message| {
        Ok::<_, std::convert::Infallible>(key.sign(message))
    })?;
    let digest = made.content_digest.map(|digest| (signature::CONTENT_DIGEST, digest));
    let headers = [
        (signature::SIGNATURE_INPUT, made.signature_input),
        (signature::SIGNATURE, made.signature),
    ];
    Ok(headers.into_iter().chain(digest).collect())
}

//! Requests signed by hand, in process: whoever they are from, and however wrong.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use feed::ports::KeyUse;
use http::{HeaderMap, Method, Request, StatusCode};
use tower::ServiceExt as _;
use wire::signature::{self, Terms};

use crate::member::Member;

/// No answer of a test is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A header and its value.
pub type Header = (&'static str, String);

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
}

impl Answered {
    /// The body as text, for what is text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

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

/// Asks a router.
///
/// # Errors
/// When the answer breaks off.
pub async fn ask(
    router: Router,
    method: Method,
    path: &str,
    headers: &[Header],
    body: Option<Vec<u8>>,
) -> Result<Answered> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let body = body.map_or_else(Body::empty, Body::from);
    let (parts, body) = router.oneshot(request.body(body)?).await?.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await?;
    Ok(Answered { status: parts.status, headers: parts.headers, bytes })
}

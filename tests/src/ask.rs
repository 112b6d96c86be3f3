//! A router asked in process, with any headers.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use tower::ServiceExt as _;

use crate::signed::Header;

/// No answer of a test is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

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

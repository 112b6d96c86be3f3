//! A server that stands in front of an honest node and changes what it says.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header;
use tower::ServiceExt as _;

use crate::federation::Server;

/// No honest answer in a test is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Starts a server that answers as `honest` does, after `change` was given the path and the answer.
pub async fn before(
    honest: Router,
    change: impl Fn(&str, Response<Bytes>) -> Response + Send + Sync + 'static,
) -> Result<Server> {
    let change = Arc::new(change);
    let lying = Router::new().fallback(move |request: Request| {
        let (honest, change) = (honest.clone(), Arc::clone(&change));
        async move {
            let path = request.uri().path().to_owned();
            let answer = honest.oneshot(request).await;
            let answer = answer.unwrap_or_else(|never: Infallible| match never {});
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
            change(&path, Response::from_parts(parts, bytes))
        }
    });
    Server::start(lying, None).await
}

/// The answer as it is.
pub fn honest(answer: Response<Bytes>) -> Response {
    answer.map(Body::from)
}

/// The answer with other bytes.
pub fn with(answer: Response<Bytes>, bytes: impl Into<Bytes>) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes.into()))
}

/// The head of the answer, and then bytes without end.
pub fn endless(answer: Response<Bytes>) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let chunk = Bytes::from(vec![0; 64 << 10]);
    let chunks = stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
    Response::from_parts(parts, Body::from_stream(chunks))
}

//! The parts of a path and of a request body, read without trust. A name that cannot be one is 404, like
//! one that is not here.

use std::collections::HashMap;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt as _, Limited};
use practice::id::RecordId;
use serde::de::DeserializeOwned;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tokio::time::timeout;
use wire::{limits, media, paths};

use crate::answer::Answer;

/// The named parts of the path.
#[derive(Debug)]
pub(crate) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        match Path::<HashMap<String, String>>::from_request_parts(parts, state).await {
            Ok(Path(params)) => Ok(Self(params)),
            Err(rejection) => Err(Answer::bad(format!("the path cannot be read: {rejection}"))),
        }
    }
}

impl Params {
    /// The part called `name`.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Answer> {
        self.0.get(name).map(String::as_str).ok_or_else(|| Answer::not_found("such path"))
    }

    /// `{node}/{feed}`.
    pub(crate) fn origin(&self) -> Result<Origin, Answer> {
        let name = format!("{}/{}", self.text("node")?, self.text("feed")?);
        Origin::parse(&name).map_err(|_| Answer::not_found(format!("feed `{name}`")))
    }

    /// `{node}`.
    pub(crate) fn node(&self) -> Result<NodeName, Answer> {
        let name = self.text("node")?;
        NodeName::parse(name).map_err(|_| Answer::not_found(format!("node `{name}`")))
    }

    /// A number, without leading zeros.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Answer> {
        let text = self.text(name)?;
        paths::number(text).ok_or_else(|| {
            Answer::bad(format!(
                "`{text}` is no {name}: write decimal digits without leading zeros"
            ))
        })
    }

    /// `{hash}`.
    pub(crate) fn hash(&self) -> Result<Hash, Answer> {
        let text = self.text("hash")?;
        paths::hash(text)
            .ok_or_else(|| Answer::bad("a hash has 64 lower-case hexadecimal digits".to_owned()))
    }

    /// `{uuid}`.
    pub(crate) fn record_id(&self) -> Result<RecordId, Answer> {
        let text = self.text("uuid")?;
        paths::record_id(text).ok_or_else(|| Answer::not_found(format!("record `{text}`")))
    }
}

/// Reads a JSON request body.
pub(crate) async fn json<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Answer> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| media::is(kind, media::JSON)) {
        return Err(Answer::NotJson);
    }
    let bytes = bytes(request, limits::API_REQUEST_BYTES).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Answer::bad(format!("the JSON of this request cannot be read: {error}")))
}

/// Reads a request body of at most `limit` bytes.
pub(crate) async fn bytes(request: Request<Body>, limit: usize) -> Result<Bytes, Answer> {
    bytes_within(request, limit, limits::DEADLINE_SMALL).await
}

/// Reads a request body of at most `limit` bytes that arrives within `patience`.
pub(crate) async fn bytes_within(
    request: Request<Body>,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Answer> {
    let body = Limited::new(request.into_body(), limit);
    match timeout(patience, body.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Answer::TooLong { limit })
        }
        Ok(Err(error)) => Err(Answer::bad(format!("the body of this request broke off: {error}"))),
        Err(_) => Err(Answer::bad("the body of this request did not arrive in time".to_owned())),
    }
}

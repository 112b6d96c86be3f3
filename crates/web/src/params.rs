//! The parts of a path and of a request body, read without trust. A name that cannot be one is 404, like
//! one that is not here.

use std::collections::HashMap;

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequestParts, Path};
use bytes::{Bytes, BytesMut};
use http::Request;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::BodyExt as _;
use practice::id::RecordId;
use serde::de::DeserializeOwned;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tokio::time::{Instant, timeout_at};
use wire::{limits, media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::memory::held;

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

/// Reads a JSON request body of the operator.
pub(crate) async fn json<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Answer> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| media::is(kind, media::JSON)) {
        return Err(Answer::NotJson);
    }
    let bytes = bytes_within(request, limits::API_REQUEST_BYTES, limits::DEADLINE_SMALL).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Answer::bad(format!("the JSON of this request cannot be read: {error}")))
}

/// Reads a request body of at most `limit` bytes; those of strangers have room for a few together.
pub(crate) async fn bytes(
    app: &App,
    request: Request<Body>,
    limit: usize,
) -> Result<Bytes, Answer> {
    let room = match app.caller(request.extensions()) {
        Caller::Stranger => Some(app.memory.unsigned_body(longest(request.body(), limit))?),
        // It was read when its signature was checked.
        Caller::Node(_) | Caller::Operator => None,
    };
    let bytes = bytes_within(request, limit, limits::DEADLINE_SMALL).await?;
    Ok(match room {
        Some(room) => held(bytes, room),
        None => bytes,
    })
}

/// How long a body is at most, of those that are read up to `limit`.
pub(crate) fn longest(body: &Body, limit: usize) -> usize {
    let said = body.size_hint().upper().and_then(|upper| usize::try_from(upper).ok());
    said.unwrap_or(limit).min(limit)
}

/// Reads a request body of at most `limit` bytes that arrives within `patience`. One that comes too slowly for
/// that is given up as soon as it shows, for others want its place.
pub(crate) async fn bytes_within(
    request: Request<Body>,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Answer> {
    let mut body = request.into_body();
    let said = body.size_hint();
    if said.lower() > limit as u64 {
        return Err(Answer::TooLong { limit });
    }
    let stretches = patience.as_secs() / limits::IDLE.as_secs().max(1);
    let pace = longest(&body, limit) / usize::try_from(stretches).unwrap_or(1).max(1);
    let room = said.upper().map_or(0, |_| longest(&body, limit));
    let (mut gathered, mut came) = (BytesMut::with_capacity(room), 0_usize);
    let (deadline, mut until) = (Instant::now() + patience, Instant::now() + limits::IDLE);
    loop {
        let data = match timeout_at(until.min(deadline), body.frame()).await {
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(None) => return Ok(gathered.freeze()),
            Ok(Some(Err(error))) => {
                return Err(Answer::bad(format!("the body of this request broke off: {error}")));
            }
            Err(_) if came >= pace.max(1) && until < deadline => {
                (came, until) = (0, until + limits::IDLE);
                continue;
            }
            Err(_) => {
                return Err(Answer::bad(format!(
                    "the body of this request did not arrive in time: send it within {} s, or less at once",
                    patience.as_secs()
                )));
            }
        };
        came = came.saturating_add(data.len());
        if gathered.len().saturating_add(data.len()) > limit {
            return Err(Answer::TooLong { limit });
        }
        // One that is here already.
        if gathered.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        gathered.extend_from_slice(&data);
    }
}

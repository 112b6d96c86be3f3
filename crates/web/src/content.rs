//! What is served with its bytes in hand: type, entity tag, how long it may be kept, 304, and the rest of what
//! somebody has the beginning of (206).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tlog::hash::Hash;
use tlog::name::Origin;
use tokio::task::spawn_blocking;

use crate::answer::Answer;

/// What is hashed within a millisecond.
const LONG_BYTES: usize = 256 << 10;

/// How long an answer may be kept by whoever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// For ever: nothing can change it, not even an erasure.
    Forever,
    /// For a day: an asset, whose address changes with it.
    Day,
    /// Ask each time whether it is still so.
    Ask,
    /// Not at all: of a restricted feed, or only for the operator.
    Not,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    bytes: Bytes,
    media: &'static str,
    keep: Keep,
    /// Whether it may be compressed on its way, so that other bytes may arrive under the same tag.
    weak: bool,
}

impl Content {
    /// Bytes that arrive exactly as they are.
    pub(crate) fn exact(bytes: impl Into<Bytes>, media: &'static str) -> Self {
        Self { bytes: bytes.into(), media, keep: Keep::Ask, weak: false }
    }

    /// A page or JSON, which may be compressed on its way.
    pub(crate) fn loose(bytes: impl Into<Bytes>, media: &'static str) -> Self {
        Self { bytes: bytes.into(), media, keep: Keep::Ask, weak: true }
    }

    /// Sets how long it may be kept.
    pub(crate) fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Not kept if it is of a restricted feed.
    pub(crate) fn of(self, origin: &Origin) -> Self {
        if origin.feed().is_restricted() { self.keep(Keep::Not) } else { self }
    }

    /// Its entity tag: half of the hash of the bytes, as short as it is written without commas or quotes.
    pub(crate) fn tag(&self) -> String {
        let hash = Hash::of(&self.bytes);
        let half = hash.as_bytes().first_chunk::<16>().copied().unwrap_or_default();
        let hash = BASE64_URL_SAFE_NO_PAD.encode(half);
        if self.weak { format!("W/\"{hash}\"") } else { format!("\"{hash}\"") }
    }

    /// Whether the caller has exactly this already.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        matches(headers, &self.tag())
    }

    /// The response of what may be long: the tag is the hash of many megabytes, made away from the
    /// runtime's threads.
    pub(crate) async fn answer_long(self, headers: HeaderMap) -> Result<Response, Answer> {
        match self.bytes.len() {
            0..=LONG_BYTES => Ok(self.answer(&headers)),
            _ => Ok(spawn_blocking(move || self.answer(&headers)).await?),
        }
    }

    /// The response, without its bytes if the caller has them already.
    pub(crate) fn answer(self, headers: &HeaderMap) -> Response {
        let tag = self.tag();
        let known = matches(headers, &tag);
        let rest = rest_asked_for(headers, &tag).filter(|first| *first < self.bytes.len());
        let mut response = match rest {
            _ if known => StatusCode::NOT_MODIFIED.into_response(),
            Some(first) => {
                let all = self.bytes.len();
                let range = format!("bytes {first}-{}/{all}", all - 1);
                let range = [(CONTENT_RANGE, range)];
                let rest = Body::from(self.bytes.slice(first..));
                (StatusCode::PARTIAL_CONTENT, range, rest).into_response()
            }
            None => Body::from(self.bytes).into_response(),
        };
        let head = response.headers_mut();
        if !known {
            head.insert(CONTENT_TYPE, HeaderValue::from_static(self.media));
        }
        // A tag is made of letters, digits, `-` and `_`.
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            head.insert(ETAG, tag);
        }
        let cache = match self.keep {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::Day => "public, max-age=86400",
            Keep::Ask => "no-cache",
            Keep::Not => "private, no-store",
        };
        head.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }
}

/// From which byte on somebody asks for the rest of what has this strong tag. Any other range, and one without
/// the tag, is answered with the whole, as RFC 9110 (14.2) lets a server do.
fn rest_asked_for(headers: &HeaderMap, tag: &str) -> Option<usize> {
    let one = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if tag.starts_with("W/") || one(IF_RANGE) != Some(tag) {
        return None;
    }
    one(RANGE)?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok().filter(|first| *first > 0)
}

/// `If-None-Match` compares weakly (RFC 9110, 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag);
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == tag)
}

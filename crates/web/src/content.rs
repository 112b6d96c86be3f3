//! What is served with its bytes in hand: type, entity tag, how long it may be kept, and 304.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use tlog::hash::Hash;
use tlog::name::Origin;

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

    /// Its entity tag: the hash of the bytes.
    pub(crate) fn tag(&self) -> String {
        let hash = Hash::of(&self.bytes).to_hex();
        let hash = hash.get(..32).unwrap_or(&hash);
        if self.weak { format!("W/\"{hash}\"") } else { format!("\"{hash}\"") }
    }

    /// Whether the caller has exactly this already.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        matches(headers, &self.tag())
    }

    /// The response, without its bytes if the caller has them already.
    pub(crate) fn answer(self, headers: &HeaderMap) -> Response {
        let tag = self.tag();
        let known = matches(headers, &tag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(self.bytes).into_response()
        };
        let head = response.headers_mut();
        if !known {
            head.insert(CONTENT_TYPE, HeaderValue::from_static(self.media));
        }
        // A tag is made of hexadecimal digits.
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

/// `If-None-Match` compares weakly (RFC 9110, 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag);
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == tag)
}

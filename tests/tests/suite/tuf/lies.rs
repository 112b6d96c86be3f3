//! What a liar answers in place of the truth, for each attack.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{StatusCode, header};
use tests::liar;

use super::Attack;
use super::scene::{Answers, Loot};

/// What the liar answers at a path it lies about.
pub(crate) fn lie(attack: Attack, path: &str, answer: Response<Bytes>, loot: &Loot) -> Response {
    let of = |answers: &Answers| answers.get(path).cloned().unwrap_or_default();
    let truth = answer.body().clone();
    match attack {
        Attack::ArbitraryInstallation => liar::with(answer, of(&loot.impostor)),
        Attack::EndlessData => liar::endless(answer),
        Attack::ExtraneousDependencies => {
            let more = [&truth[..], &of(&loot.other)[..], b"\n"].concat();
            liar::with(answer, more)
        }
        Attack::FastForward => liar::with(answer, far_ahead(path, &truth, loot)),
        Attack::IndefiniteFreeze | Attack::Rollback => liar::with(answer, of(&loot.before)),
        Attack::MirrorPreventsUpdates => {
            let mut answer = liar::with(answer, Bytes::new());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            answer
        }
        Attack::MixAndMatch => liar::with(answer, neighbour(path, &truth, loot)),
        Attack::SlowRetrieval => {
            let (mut parts, bytes) = answer.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let first = bytes.slice(..bytes.len().min(10));
            let slow = stream::iter([Ok::<_, Infallible>(first)]).chain(stream::pending());
            Response::from_parts(parts, Body::from_stream(slow))
        }
        Attack::KeyCompromise => liar::with(answer, of(&loot.thief)),
        Attack::WrongInstallation => liar::with(answer, of(&loot.other)),
    }
}

/// The answer with the greatest size that fits where its size stood; where none stands, what belongs
/// further on.
fn far_ahead(path: &str, truth: &Bytes, loot: &Loot) -> Bytes {
    let text = String::from_utf8_lossy(truth.get(..200.min(truth.len())).unwrap_or_default());
    let size = text.lines().nth(1).filter(|line| line.parse::<u64>().is_ok());
    match size {
        Some(size) => text.replacen(size, "9007199254740991", 1).into_bytes().into(),
        None => {
            loot.now.range(path.to_owned()..).nth(1).map_or_else(Bytes::new, |(_, b)| b.clone())
        }
    }
}

/// What belongs elsewhere in the same feed: the object before or after it; of what there is one, its
/// older state.
fn neighbour(path: &str, truth: &Bytes, loot: &Loot) -> Bytes {
    let (parent, _) = path.rsplit_once('/').unwrap_or_default();
    let mut kin = loot.now.iter().filter(|(other, _)| other.starts_with(parent) && *other != path);
    let found = kin.find(|(other, bytes)| {
        other.matches('/').count() == path.matches('/').count() && *bytes != truth
    });
    let older = loot.before.get(path).cloned().unwrap_or_default();
    found.map_or(older, |(_, bytes)| bytes.clone())
}

//! Asking the index, and what of an answer may be shown.
//!
//! The index is a view that comes after the facts: a record that was withdrawn a moment ago may still be
//! in it. How a hit stands is therefore looked up again; of a record that is withdrawn, or gone, no word
//! leaves here. The catalog tells it: to read the bodies would be to open a segment for each line.

use std::sync::Arc;

use feed::row::{BodyState, Row, RowOp, Standing, Validity, current};
use feed::search::{Hit, Hits, Part, Query, Search, SearchError};
use practice::kind::Kind;
use practice::recommendation::Recommendation;
use serde_json::Value;
use tlog::name::NodeName;

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;

/// A hit with what the facts say of it now.
pub(crate) struct Found {
    /// What the index said; without text, if the record is withdrawn.
    pub(crate) hit: Hit,
    /// The kind of record, if it still has a valid version.
    pub(crate) kind: Option<Kind>,
    /// Whether a withdrawal stands in the log, rather than its text being out of reach at present.
    pub(crate) withdrawn: bool,
    /// Whether it says that it answers the recommendation that was searched for.
    pub(crate) answers: bool,
}

/// Asks the index, where it may take its time.
pub(crate) async fn ask(app: &App, query: Query) -> Result<Hits, Answer> {
    let search: Arc<dyn Search> = app.search.clone().ok_or(Answer::NoIndex)?;
    let asked = tokio::task::spawn_blocking(move || search.search(&query)).await;
    let broken = |error: tokio::task::JoinError| SearchError::Index { reason: error.to_string() };
    Ok(asked.map_err(broken)??)
}

/// What may be shown of `hits` to `caller`; those whose feed is not held any longer are left out.
pub(crate) async fn look_up(
    app: &App,
    caller: &Caller,
    hits: Vec<Hit>,
    wanted: Option<&Recommendation>,
) -> Result<Vec<Found>, Answer> {
    let mut all = Vec::with_capacity(hits.len());
    for hit in hits {
        if app.view(&hit.origin, caller).is_none() {
            continue;
        }
        all.push(found(app, hit, wanted).await?);
    }
    Ok(all)
}

async fn found(app: &App, mut hit: Hit, wanted: Option<&Recommendation>) -> Result<Found, Answer> {
    let versions = app.feeds.catalog().rows_of(&hit.origin, &hit.id)?;
    let standing = current(&versions);
    let shown = match standing {
        Standing::Current { index, .. } => is_held(&versions, index),
        _ => false,
    };
    if !shown {
        hit.title = Vec::new();
        hit.excerpt = Vec::new();
        hit.states = state_of(app, hit.origin.node()).into_iter().collect();
        hit.withdrawn = true;
    }
    let answers = match wanted.filter(|_| shown) {
        Some(wanted) => {
            let read = app.feeds.record(&hit.origin, &hit.id).await?;
            read.body.is_some_and(|body| wanted.is_answered_by(body.subject()))
        }
        None => false,
    };
    let withdrawn = matches!(standing, Standing::Withdrawn { .. });
    Ok(Found { kind: kind(&versions), withdrawn, answers, hit })
}

fn is_held(versions: &[(u64, Row)], index: u64) -> bool {
    versions.iter().any(|(at, row)| *at == index && row.body == BodyState::Held)
}

/// The kind of the first valid version: it never changes.
fn kind(versions: &[(u64, Row)]) -> Option<Kind> {
    versions.iter().find_map(|(_, row)| match (&row.op, row.validity) {
        (RowOp::Publish { kind, .. }, Validity::Valid) => Some(kind.clone()),
        _ => None,
    })
}

/// The State a node speaks for, as its record says.
fn state_of(app: &App, node: &NodeName) -> Option<String> {
    let record = practice::body::Body::open(app.feeds.node_record(node)?).ok()?;
    record.subject().get("state").and_then(Value::as_str).map(str::to_owned)
}

/// The words of some parts.
pub(crate) fn words(parts: &[Part]) -> String {
    parts.iter().map(Part::text).collect()
}

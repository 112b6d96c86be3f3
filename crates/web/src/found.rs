//! Asking the index, and what of an answer may be shown.
//!
//! The index is a view that comes after the facts: a record that was withdrawn a moment ago may still be
//! in it. What is shown of a hit is therefore looked up again; of a record that is withdrawn, or gone, no
//! word leaves here.

use std::sync::Arc;

use feed::feeds::RecordRead;
use feed::row::{RowOp, Standing, Validity};
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
    /// The States it is about, by their codes: those it names, else its issuer's.
    pub(crate) states: Vec<String>,
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
        let read = app.feeds.record(&hit.origin, &hit.id).await?;
        all.push(found(app, hit, &read, wanted));
    }
    Ok(all)
}

fn found(app: &App, mut hit: Hit, read: &RecordRead, wanted: Option<&Recommendation>) -> Found {
    let current = matches!(read.standing, Standing::Current { .. });
    let body = read.body.as_ref().filter(|_| current);
    if body.is_none() {
        hit.title = Vec::new();
        hit.excerpt = Vec::new();
        hit.withdrawn = true;
    }
    let subject = body.map(|body| body.subject());
    let named = subject.and_then(|subject| subject.get("states")).and_then(Value::as_array);
    let states = match (named, body.and_then(|body| body.state())) {
        (Some(codes), _) => codes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        (None, Some(issuer)) => vec![issuer.to_owned()],
        (None, None) => state_of(app, hit.origin.node()).into_iter().collect(),
    };
    let answers = match (wanted, subject) {
        (Some(wanted), Some(subject)) => wanted.is_answered_by(subject),
        _ => false,
    };
    let withdrawn = matches!(read.standing, Standing::Withdrawn { .. });
    Found { kind: kind(read), states, withdrawn, answers, hit }
}

/// The kind of the first valid version: it never changes.
fn kind(read: &RecordRead) -> Option<Kind> {
    read.versions.iter().find_map(|(_, row)| match (&row.op, row.validity) {
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

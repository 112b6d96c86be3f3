//! The versions of a record that may be read: those that count, after its last withdrawal, and are held.

use bytes::Bytes;
use feed::feeds::{BodyRead, RecordRead};
use feed::row::{BodyState, Row, RowOp, Standing, Validity};
use practice::body::Body;
use practice::id::RecordId;
use tlog::name::Origin;
use wire::paths;

use crate::answer::Answer;
use crate::app::App;

/// One version with its text.
pub(crate) struct Version {
    /// Its entry.
    pub(crate) index: u64,
    pub(crate) body: Body,
    pub(crate) current: bool,
}

/// The entries whose texts may be shown, oldest first, with their versions. Of a record that is withdrawn
/// there are none, and of one that was revived only those since.
pub(crate) fn readable(read: &RecordRead) -> Vec<(u64, u64)> {
    let Standing::Current { version: newest, .. } = read.standing else { return Vec::new() };
    let withdrawal =
        |row: &Row| matches!(row.op, RowOp::Withdraw { .. }) && row.validity == Validity::Valid;
    let since = read.versions.iter().rposition(|(_, row)| withdrawal(row)).map_or(0, |at| at + 1);
    let rows = read.versions.iter().skip(since);
    let counts = rows.filter_map(|(index, row)| match (&row.op, row.validity, row.body) {
        (RowOp::Publish { version, .. }, Validity::Valid, BodyState::Held) => {
            Some((*index, *version))
        }
        _ => None,
    });
    counts.filter(|(_, version)| *version <= newest).collect()
}

/// The version that is asked for, or the current one; none if no text may be shown.
///
/// # Errors
/// When a version is asked for that cannot be read.
pub(crate) async fn asked_for(
    app: &App,
    read: &RecordRead,
    asked: Option<&str>,
) -> Result<Option<Version>, Answer> {
    let Standing::Current { index, version } = read.standing else { return Ok(None) };
    let asked = match asked.map(|text| text.parse::<u64>().map_err(|_| text)) {
        None => version,
        Some(Ok(asked)) => asked,
        Some(Err(text)) => return Err(gone(text)),
    };
    if asked == version {
        let body = read.body.clone();
        return Ok(body.map(|body| Version { index, body, current: true }));
    }
    let found = readable(read).into_iter().find(|(_, number)| *number == asked);
    let (index, _) = found.ok_or_else(|| gone(&asked.to_string()))?;
    let body = body(app, read, index).await?.ok_or_else(|| gone(&asked.to_string()))?;
    Ok(Some(Version { index, body, current: false }))
}

/// The address of the page of one version.
pub(crate) fn address(origin: &Origin, id: &RecordId, version: u64) -> String {
    format!("{}?version={version}", paths::record(origin, id))
}

/// The text at an entry, hashed again; none if it is not held any longer.
pub(crate) async fn body(app: &App, read: &RecordRead, index: u64) -> Result<Option<Body>, Answer> {
    let bytes: Bytes = match app.feeds.entry(&read.origin, index).await?.body {
        BodyRead::Held(bytes) => bytes,
        _ => return Ok(None),
    };
    Ok(Body::open(bytes).ok())
}

fn gone(version: &str) -> Answer {
    Answer::not_found(format!("text of version `{version}` of this record"))
}

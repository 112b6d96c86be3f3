//! What a record is now, in sentences, where it is not simply current and held.

use feed::feeds::{BodyRead, RecordRead};
use feed::row::{BodyState, Row, RowOp, Standing};
use practice::vocabulary::Vocabulary;
use serde_json::Value;

use super::super::{Reader, node_name};
use crate::answer::Answer;
use crate::app::App;

/// What the record is now; no sentences about one that is current and held.
pub(crate) async fn standing(
    app: &App,
    reader: &Reader,
    read: &RecordRead,
) -> Result<Vec<String>, Answer> {
    let texts = reader.texts;
    match read.standing {
        Standing::Current { .. } if read.body.is_some() => Ok(Vec::new()),
        Standing::Current { .. } => Ok(vec![texts.get("record-unavailable")]),
        Standing::NoCurrent if is_disowned(read) => {
            let node = node_name(app, read.origin.node(), texts);
            Ok(vec![texts.with("record-disowned", &[("node", &node)])])
        }
        Standing::NoCurrent | Standing::Absent => Ok(vec![texts.get("record-no-current")]),
        Standing::Withdrawn { by } => {
            let entry = app.feeds.entry(&read.origin, by).await?.entry;
            let said: Value = serde_json::from_slice(&entry).unwrap_or_default();
            let member = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
            let reason = member("reason");
            let reasons = Vocabulary::get("withdrawal-reasons");
            let reason = reasons.map_or(reason, |reasons| reasons.label(reason, texts.code()));
            let node = node_name(app, read.origin.node(), texts);
            let date = texts.date(member("time"));
            let values = [("node", node.as_str()), ("date", &date), ("reason", reason)];
            let mut words =
                vec![texts.get("record-withdrawn"), texts.with("record-withdrawn-text", &values)];
            if is_erased(app, read).await? {
                words.push(texts.get("record-withdrawn-erased"));
            }
            Ok(words)
        }
    }
}

/// Whether its node no longer stands by the newest entry about the record.
fn is_disowned(read: &RecordRead) -> bool {
    read.versions.last().is_some_and(|(_, row)| row.body == BodyState::Disowned)
}

/// Whether the newest text of the record was destroyed.
async fn is_erased(app: &App, read: &RecordRead) -> Result<bool, Answer> {
    let published = |row: &Row| matches!(row.op, RowOp::Publish { .. });
    let newest = read.versions.iter().rev().find(|(_, row)| published(row));
    let Some((index, _)) = newest else { return Ok(false) };
    let body = app.feeds.entry(&read.origin, *index).await?.body;
    Ok(matches!(body, BodyRead::Erased { .. }))
}

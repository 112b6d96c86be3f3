//! Every entry about a record, the newest first, and what changed from one version to the next.

use feed::feeds::{RecordRead, View};
use feed::row::{BodyState, Row, RowOp, Standing, Validity};
use practice::kinds;
use serde_json::Value;
use wire::api::Delivery;
use wire::paths;

use super::super::Reader;
use super::super::value::{Labelled, Shower};
use super::content::everything;
use super::difference::{Difference, between};
use super::versions;
use crate::answer::Answer;
use crate::app::App;
use crate::receipts;

/// Entries that a page lists; the log has all of them.
const EVENTS_MAX: usize = 100;
/// Versions that are compared with the one before: up to the one that is shown. The page of an older
/// version compares further back.
const COMPARED: usize = 5;

/// One entry about the record.
pub(crate) struct Event {
    pub(crate) what: String,
    pub(crate) notes: String,
    /// The page of that version.
    pub(crate) page: Option<String>,
    /// The signed file.
    pub(crate) file: Option<String>,
    /// For the operator: who has received it, and who not yet.
    pub(crate) who: Vec<String>,
    /// What changed since the version before.
    pub(crate) changed: Option<Changed>,
    /// Whether the page shows this version.
    pub(crate) shown: bool,
}

/// A version compared with the one before it.
pub(crate) struct Changed {
    /// Of which version it is the difference.
    pub(crate) title: String,
    pub(crate) difference: Difference,
}

/// All entries, the newest first; `shown` is the version that the page shows.
pub(crate) async fn history(
    app: &App,
    reader: &Reader,
    view: &View,
    read: &RecordRead,
    shown: Option<u64>,
) -> Result<Vec<Event>, Answer> {
    let readable = versions::readable(read);
    let mut changes = changes(app, reader, read, &readable, shown).await?;
    // The page of a version that is further back lists what came before it.
    let entry = readable.iter().find(|(_, version)| Some(*version) == shown);
    let back =
        read.versions.iter().rev().position(|(index, _)| Some(index) == entry.map(|(at, _)| at));
    let skipped = back.filter(|back| *back >= EVENTS_MAX).unwrap_or_default();
    let mut events = Vec::new();
    for (index, row) in read.versions.iter().rev().skip(skipped).take(EVENTS_MAX) {
        let delivery = receipts::delivery(app, view, &reader.caller, *index);
        let mut event = event(reader, read, *index, row, delivery);
        let version = readable.iter().find(|(known, _)| known == index);
        event.shown = version.is_some_and(|(_, version)| Some(*version) == shown);
        event.page = version
            .filter(|_| readable.len() > 1)
            .map(|(_, version)| versions::address(&read.origin, &read.id, *version));
        let at = changes.iter().position(|(of, _)| of == index);
        event.changed = at.map(|at| changes.swap_remove(at).1);
        events.push(event);
    }
    Ok(events)
}

/// The differences of the newest versions up to the one that is shown, by their entries. Only texts that
/// may be read as pages are compared: nothing that was withdrawn or erased.
async fn changes(
    app: &App,
    reader: &Reader,
    read: &RecordRead,
    readable: &[(u64, u64)],
    shown: Option<u64>,
) -> Result<Vec<(u64, Changed)>, Answer> {
    let Some(shown) = shown else { return Ok(Vec::new()) };
    let upto: Vec<(u64, u64)> =
        readable.iter().copied().filter(|(_, version)| *version <= shown).collect();
    let from = upto.len().saturating_sub(COMPARED + 1);
    let mut before: Option<(u64, Vec<Labelled>)> = None;
    let mut changes = Vec::new();
    let texts = reader.texts;
    let text_label = kinds::field("text").map_or("", |field| field.label(texts.code()));
    for (index, version) in upto.into_iter().skip(from) {
        let Some(body) = versions::body(app, read, index).await? else { continue };
        let source = body.subject().get("language").and_then(Value::as_str).unwrap_or("en");
        let fields = everything(Shower { texts, source }, &body);
        if let Some((former, old)) = &before {
            let title = texts.with("history-changes", &[("version", &former.to_string())]);
            let difference = between(old, &fields, text_label);
            changes.push((index, Changed { title, difference }));
        }
        before = Some((version, fields));
    }
    Ok(changes)
}

fn event(
    reader: &Reader,
    read: &RecordRead,
    index: u64,
    row: &Row,
    delivery: Option<Delivery>,
) -> Event {
    let texts = reader.texts;
    let what = match &row.op {
        RowOp::Publish { version, .. } => {
            texts.with("history-publish", &[("version", &version.to_string())])
        }
        _ => texts.get("history-withdraw"),
    };
    let mut notes = vec![texts.with("history-entry", &[("index", &index.to_string())])];
    if matches!(read.standing, Standing::Current { index: current, .. } if current == index) {
        notes.push(texts.get("history-current"));
    }
    if row.body == BodyState::Disowned {
        notes.push(texts.get("history-disowned"));
    } else if row.validity != Validity::Valid || row.body.is_invalid() {
        notes.push(texts.get("history-ineffective"));
    }
    match row.body {
        BodyState::Erased => notes.push(texts.get("history-erased")),
        BodyState::Missing => notes.push(texts.get("history-missing")),
        _ => {}
    }
    let held = matches!(row.op, RowOp::Publish { .. })
        && !matches!(row.body, BodyState::Erased | BodyState::Missing);
    let file = held.then(|| paths::body(&read.origin, index));
    let who = delivery.map(|delivery| told_by(reader, row, &delivery, &mut notes));
    Event {
        what,
        notes: texts.listed(&notes),
        page: None,
        file,
        who: who.unwrap_or_default(),
        changed: None,
        shown: false,
    }
}

/// How many nodes have received an entry or done its erasure, as a note; and which, for the operator.
fn told_by(
    reader: &Reader,
    row: &Row,
    delivery: &Delivery,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let texts = reader.texts;
    let (by, has) = match receipts::erases(row) {
        true => ("history-erased-by", "history-who-erased"),
        false => ("history-received", "history-who-received"),
    };
    let (count, of) = (delivery.count.to_string(), delivery.of.to_string());
    notes.push(texts.with(by, &[("count", &count), ("of", &of)]));
    let mut who = Vec::new();
    for (key, nodes) in [(has, &delivery.received), ("history-who-not", &delivery.waiting)] {
        let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        if !names.is_empty() {
            who.push(format!("{}: {}", texts.get(key), texts.listed(&names)));
        }
    }
    who
}

//! What an import would do to a feed: shown before anything is written.

use practice::id::RecordId;
use serde_json::{Map, Value};
use wire::api;

use super::fault::CellFault;
use super::read::{Import, ImportRow, ReadDraft};

/// The current version of a record that the feed already holds.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its id.
    pub id: RecordId,
    /// Its version, if known: a newer one published meanwhile is then a conflict.
    pub version: Option<u64>,
    /// Its `credentialSubject`.
    pub subject: Value,
}

/// What an import would do, each list in the order of the file.
#[derive(Debug, Default)]
pub struct Preview {
    /// Records the feed does not have.
    pub new: Vec<Planned>,
    /// New versions of records it has.
    pub changed: Vec<Planned>,
    /// Records that say what the feed says already.
    pub unchanged: Vec<Planned>,
    /// Records that cannot be published.
    pub refused: Vec<Refused>,
}

/// One record that could be published.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Number of the record in the file, from 0.
    pub number: usize,
    /// Where it stands.
    pub place: String,
    /// Its title.
    pub title: String,
    /// Its author's reference.
    pub local_id: Option<String>,
    /// The members that would change; empty for a new record.
    pub fields: Vec<String>,
    /// What its author should look at once more.
    pub warnings: Vec<CellFault>,
    /// What would be published.
    pub draft: api::Draft,
}

/// One record that cannot be published.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Where it stands.
    pub place: String,
    /// Its title, if it has one.
    pub title: String,
    /// Every fault.
    pub faults: Vec<CellFault>,
}

impl Preview {
    /// Whether any record of the file is refused: with `--all-or-nothing` nothing is published then,
    /// and otherwise the exit code is 3, partly done.
    pub fn is_partial(&self) -> bool {
        !self.refused.is_empty()
    }
}

/// Compares `import` with what the feed holds. `existing` finds a current record by its reference.
pub fn preview(import: &Import, existing: &dyn Fn(&str) -> Option<Existing>) -> Preview {
    let mut preview = Preview::default();
    for (number, row) in import.rows.iter().enumerate() {
        match &row.record {
            Ok(draft) => preview.plan(number, row, draft, existing, &import.file),
            Err(faults) => preview.refused.push(Refused {
                place: row.place.clone(),
                title: row.title.clone(),
                faults: faults.clone(),
            }),
        }
    }
    preview
}

/// The drafts to publish in one request, and so in one commit: new and changed, in the file's order.
pub fn publications(preview: &Preview) -> Vec<api::Draft> {
    let mut planned: Vec<&Planned> = preview.new.iter().chain(&preview.changed).collect();
    planned.sort_by_key(|planned| planned.number);
    planned.into_iter().map(|planned| planned.draft.clone()).collect()
}

impl Preview {
    fn plan(
        &mut self,
        number: usize,
        row: &ImportRow,
        read: &ReadDraft,
        existing: &dyn Fn(&str) -> Option<Existing>,
        file: &str,
    ) {
        let held = row
            .local_id
            .as_deref()
            .and_then(existing)
            .filter(|held| read.id.is_none_or(|id| id == held.id));
        let subject = match &held {
            Some(held) => with_what_was_not_asked(read, &held.subject),
            None => read.subject.clone(),
        };
        let fields =
            held.as_ref().map(|held| differing(&subject, &held.subject)).unwrap_or_default();
        let mut planned = Planned {
            number,
            place: row.place.clone(),
            title: row.title.clone(),
            local_id: row.local_id.clone(),
            fields,
            warnings: row.warnings.clone(),
            draft: api::Draft {
                kind: read.kind.to_string(),
                id: held.as_ref().map(|held| held.id).or(read.id).map(|id| id.to_string()),
                expected: held.as_ref().and_then(|held| held.version),
                subject: Value::Object(subject),
                source: Some(format!("{file} {}", row.place)),
            },
        };
        if let Some(members) = planned.draft.subject.as_object_mut() {
            members.shift_remove("id");
        }
        match held {
            None if read.id.is_none() => self.new.push(planned),
            Some(_) if planned.fields.is_empty() => self.unchanged.push(planned),
            _ => self.changed.push(planned),
        }
    }
}

/// The subject read, and what the record has beyond what the sheet asks for: attachments, say.
fn with_what_was_not_asked(read: &ReadDraft, held: &Value) -> Map<String, Value> {
    let mut subject = read.subject.clone();
    if let (Some(asked), Some(held)) = (&read.asked, held.as_object()) {
        for (name, value) in held {
            if !asked.contains(name) && name != "id" {
                subject.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    subject
}

/// The members that two subjects do not share, in alphabetical order.
fn differing(new: &Map<String, Value>, held: &Value) -> Vec<String> {
    let none = Map::new();
    let held = held.as_object().unwrap_or(&none);
    let mut names: Vec<&String> = new
        .keys()
        .chain(held.keys())
        .filter(|name| *name != "id" && new.get(*name) != held.get(*name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().cloned().collect()
}

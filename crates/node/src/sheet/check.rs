//! From what was read to a valid draft, or to faults that each name their cell.

use practice::draft::{self, Draft, Fault, FaultReason, Warning, WarningKind};
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::{Map, Value};
use tlog::hash::Hash;

use super::fault::CellFault;
use super::fields;
use super::fill::Filling;
use super::limits::FAULTS_PER_RECORD_MAX;
use super::read::{Defaults, ImportRow, ReadDraft};

/// A record of a sheet, its cells read.
pub(super) struct Read<'a> {
    /// Where the record stands.
    pub(super) place: &'a str,
    /// Its kind.
    pub(super) kind: Kind,
    /// What an `id` column says, and where.
    pub(super) id: Option<String>,
    /// The language of its text.
    pub(super) language: String,
    /// What its cells say.
    pub(super) filling: Filling,
    /// The fields of the sheet and the cells in which this record answers them.
    pub(super) places: Vec<(String, String)>,
}

/// Digits of the hash in a reference made of the title: enough for the records of a State.
const MADE_REFERENCE_DIGITS: usize = 12;

/// A record of a sheet.
pub(super) fn sheet(mut read: Read<'_>, defaults: &Defaults) -> ImportRow {
    let mut subject = read.filling.subject.finish();
    if let Some(id) = read.id.take() {
        subject.entry("id").or_insert_with(|| id.into());
    }
    subject.entry("language").or_insert_with(|| read.language.clone().into());
    let mut asked: Vec<String> = read.places.iter().map(|(field, _)| field.clone()).collect();
    asked.sort_unstable();
    asked.dedup();
    let locate = |path: &str| {
        let field = path.split(['.', '[']).next().unwrap_or_default();
        let written = read.filling.subject.place(path).map(|placed| placed.place.clone());
        written.or_else(|| {
            read.places.iter().find(|(name, _)| name == field).map(|(_, place)| place.clone())
        })
    };
    let faults = std::mem::take(&mut read.filling.faults);
    judge(read.place, &read.kind, subject, Some(asked), faults, &locate, defaults)
}

/// A line of a JSON Lines file.
pub(super) fn line(place: &str, mut object: Map<String, Value>, defaults: &Defaults) -> ImportRow {
    let named = object.shift_remove("kind");
    let kind = match (&named, &defaults.kind) {
        (Some(Value::String(name)), _) => {
            fields::kind_choices().code(name, "en").and_then(|code| Kind::parse(code).ok())
        }
        (None, Some(kind)) => Some(kind.clone()),
        _ => None,
    };
    let Some(kind) = kind.filter(|kind| fields::of(kind).is_some()) else {
        let message = format!("`kind` must name one of {}", fields::kinds_with_forms());
        let named = named.map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned));
        return refused(
            place.to_owned(),
            vec![CellFault::new(place, "kind", &named.unwrap_or_default(), message)],
        );
    };
    judge(place, &kind, object, None, Vec::new(), &|_| None, defaults)
}

/// A profile made of a page. What the page does not speak of, it cannot take away.
pub(super) fn page(place: &str, subject: Map<String, Value>, defaults: &Defaults) -> ImportRow {
    let asked = subject.keys().cloned().collect();
    judge(place, &Kind::MECHANISM_PROFILE, subject, Some(asked), Vec::new(), &|_| None, defaults)
}

/// A record that cannot even be tried.
pub(super) fn refused(place: String, faults: Vec<CellFault>) -> ImportRow {
    ImportRow {
        place,
        local_id: None,
        title: String::new(),
        record: Err(faults),
        warnings: Vec::new(),
    }
}

fn judge(
    place: &str,
    kind: &Kind,
    subject: Map<String, Value>,
    asked: Option<Vec<String>>,
    mut faults: Vec<CellFault>,
    locate: &dyn Fn(&str) -> Option<String>,
    defaults: &Defaults,
) -> ImportRow {
    let at = |path: &str| locate(path).unwrap_or_else(|| place.to_owned());
    let defaults = draft::Defaults {
        language: defaults.language.clone(),
        reuse: defaults.reuse.clone(),
        basis: Some(defaults.basis.clone().unwrap_or_else(|| "own-statement".to_owned())),
        // Whose node it is, and so whether `states` may be missing, is judged where it is published.
        state: Some(String::new()),
    };
    let mut draft = Draft::from_value(kind.clone(), Value::Object(subject), &defaults);
    let mut warnings = Vec::new();
    if draft.local_id().is_none()
        && let Some(reference) = reference(kind, draft.subject())
    {
        warnings.push(CellFault::new(at("local_id"), "local_id", &reference, "without a reference of its own the record is known by its title: another title makes another record"));
        let mut subject = draft.subject().clone();
        if let Some(members) = subject.as_object_mut() {
            members.insert("local_id".to_owned(), reference.into());
        }
        draft = Draft::from_value(kind.clone(), subject, &defaults);
    }
    let local_id = draft.local_id().map(str::to_owned);
    let title = title(draft.subject());
    let checked = draft.validate();
    if let Err(found) = &checked {
        faults.extend(new_faults(&faults, found, &at));
        faults.truncate(FAULTS_PER_RECORD_MAX);
    }
    let record = match checked {
        Ok(record) if faults.is_empty() => {
            let looked_at = |warning| looked_at(warning, at(&warning.path));
            warnings.extend(record.warnings.iter().map(looked_at));
            let subject = match record.subject {
                Value::Object(members) => members,
                _ => Map::new(),
            };
            Ok(ReadDraft { kind: kind.clone(), id: record.id, subject, asked })
        }
        _ => Err(faults),
    };
    ImportRow { place: place.to_owned(), local_id, title, record, warnings }
}

/// The faults of a draft with their cells. A field whose cell could not be read has its fault already.
fn new_faults(known: &[CellFault], found: &[Fault], at: &dyn Fn(&str) -> String) -> Vec<CellFault> {
    let top = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    let told: Vec<String> = known.iter().map(|fault| top(&fault.field)).collect();
    let news = found.iter().filter(|fault| !told.contains(&top(&fault.path)));
    let words = |fault: &Fault| {
        match (fault.path.as_str(), &fault.reason) {
        ("reuse", FaultReason::Missing) => {
            "no licence is named here or in the node's configuration; set `reuse` there once, such as \"CC-BY-4.0\"".to_owned()
        }
        (_, reason) => reason.to_string(),
    }
    };
    news.map(|fault| CellFault::new(at(&fault.path), &fault.path, &fault.found, words(fault)))
        .collect()
}

fn looked_at(warning: &Warning, place: String) -> CellFault {
    let message = match warning.kind {
        WarningKind::Personal(shape) => {
            format!("this looks like {shape}; do not publish personal data")
        }
        WarningKind::UnknownField => {
            "no field of this kind; it is kept and shown as other".to_owned()
        }
        WarningKind::NotInSourceLanguage => {
            "there is no text in the language of the record".to_owned()
        }
    };
    CellFault::new(place, &warning.path, &warning.excerpt, message)
}

/// What stands for a record that has no reference of its own, so that the same file is not imported
/// twice: made of its kind, language and title.
fn reference(kind: &Kind, subject: &Value) -> Option<String> {
    if subject.get("id").and_then(Value::as_str).is_some_and(|id| RecordId::parse(id).is_ok()) {
        return None;
    }
    let language = subject.get("language")?.as_str()?;
    let title = subject.get("title")?.get(language)?.as_str()?;
    let hash = Hash::of(format!("{kind}\n{language}\n{title}")).to_hex();
    Some(format!("title-{}", hash.get(..MADE_REFERENCE_DIGITS)?))
}

fn title(subject: &Value) -> String {
    let language = subject.get("language").and_then(Value::as_str).unwrap_or("en");
    let map = subject.get("title").and_then(Value::as_object);
    map.and_then(|map| practice::language::choose(map, language, language))
        .map(|(_, text)| text.to_owned())
        .unwrap_or_default()
}

//! What a record tells, field by field, in the order of its kind.

use std::collections::BTreeMap;

use practice::body::Body;
use practice::completeness;
use practice::kind::Kind;
use practice::kinds;
use serde_json::{Map, Value};

use super::super::Frame;
use super::super::value::{Labelled, Named, Passage, Shower, Shown};
use super::tongues::Tongues;
use crate::texts::Texts;

/// Fields that stand beside the text, not in it.
const ASIDE: [&str; 11] = [
    "id",
    "title",
    "language",
    "basis",
    "reuse",
    "translations",
    "states",
    "reported_by",
    "retrieved",
    "reviewed",
    "local_id",
];

/// The fields of a record, sorted by what they do.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) title: Vec<Passage>,
    /// What is told, in the order of the table.
    pub(crate) fields: Vec<Labelled>,
    /// What it is filed under.
    pub(crate) classes: Vec<Labelled>,
    /// What this version of the software does not know.
    pub(crate) others: Vec<Labelled>,
    /// What stands beside it.
    pub(crate) aside: Vec<Labelled>,
}

impl Content {
    /// What `body` tells.
    pub(crate) fn of(shower: Shower<'_>, body: &Body) -> Self {
        let empty = Map::new();
        let subject = body.subject().as_object().unwrap_or(&empty);
        let (known, others) = told(shower, body.kind(), subject);
        let (classes, fields) = known.into_iter().partition(|field| field.value.is_class());
        Self {
            title: title(shower, subject),
            fields,
            classes,
            others,
            aside: aside(shower, body, subject),
        }
    }

    /// Marks each text with what is known of its language, leaves out the languages that the reader did
    /// not ask for, and makes links of what is held here.
    pub(crate) fn finish(
        &mut self,
        frame: &Frame,
        tongues: &Tongues,
        held: &BTreeMap<(String, String), Passage>,
    ) {
        tongues.finish(&mut self.title);
        let mut finish = |shown: &mut Shown| match shown {
            Shown::Passages(passages) => tongues.finish(passages),
            Shown::Tags(tags) => {
                for href in tags.iter_mut().filter_map(|tag| tag.href.as_mut()) {
                    *href = frame.link(href);
                }
            }
            Shown::Record(named) => {
                let key = (named.origin.to_string(), named.id.to_string());
                if let Some(title) = held.get(&key) {
                    link(named, frame, title.clone());
                }
            }
            _ => {}
        };
        let all = [&mut self.fields, &mut self.classes, &mut self.others, &mut self.aside];
        for field in all.into_iter().flatten() {
            field.value.each(&mut finish);
        }
    }

    /// Every record that a value names.
    pub(crate) fn named(&mut self) -> Vec<(tlog::name::Origin, practice::id::RecordId)> {
        let mut named = Vec::new();
        let mut collect = |shown: &mut Shown| {
            if let Shown::Record(record) = shown {
                named.push((record.origin.clone(), record.id));
            }
        };
        let all = [&mut self.fields, &mut self.classes, &mut self.others];
        for field in all.into_iter().flatten() {
            field.value.each(&mut collect);
        }
        named
    }
}

/// What the author is asked for and has not described: questions, never a score.
pub(crate) fn questions(body: &Body, language: &str) -> Vec<String> {
    let open = completeness::questions(body.kind(), body.subject(), body.state(), language);
    open.into_iter().map(|question| question.text.to_owned()).collect()
}

/// All fields but the identifier, as a reader sees them.
pub(crate) fn everything(shower: Shower<'_>, body: &Body) -> Vec<Labelled> {
    let empty = Map::new();
    let subject = body.subject().as_object().unwrap_or(&empty);
    let known = kinds::fields(body.kind());
    let labelled = known.iter().filter_map(|field| {
        let label = field.field.label(shower.texts.code()).to_owned();
        Some(Labelled { label, value: shower.field(field.field, subject.get(field.field.name)?) })
    });
    let is_known = |name: &str| known.iter().any(|field| field.field.name == name);
    let others = subject.iter().filter(|(name, _)| *name != "id" && !is_known(name));
    let others =
        others.map(|(name, value)| Labelled { label: name.clone(), value: shower.any(value) });
    labelled.chain(others).collect()
}

/// The fields of the kind in the order of the table, then whatever else the record holds.
fn told(
    shower: Shower<'_>,
    kind: &Kind,
    subject: &Map<String, Value>,
) -> (Vec<Labelled>, Vec<Labelled>) {
    let known = kinds::fields(kind);
    let is_aside = |name: &str| ASIDE.contains(&name);
    let fields = known.iter().filter(|field| !is_aside(field.field.name)).filter_map(|field| {
        let value = subject.get(field.field.name)?;
        let label = field.field.label(shower.texts.code()).to_owned();
        Some(Labelled { label, value: shower.field(field.field, value) })
    });
    let is_known = |name: &str| known.iter().any(|field| field.field.name == name);
    let others = subject.iter().filter(|(name, _)| !is_aside(name) && !is_known(name));
    let others = others
        .map(|(name, value)| Labelled { label: name.clone(), value: shower.any(value) })
        .collect();
    (fields.collect(), others)
}

fn title(shower: Shower<'_>, subject: &Map<String, Value>) -> Vec<Passage> {
    let map = subject.get("title").and_then(Value::as_object);
    match map.map(|map| shower.passages(map)) {
        Some(Shown::Passages(passages)) => passages,
        _ => Vec::new(),
    }
}

fn aside(shower: Shower<'_>, body: &Body, subject: &Map<String, Value>) -> Vec<Labelled> {
    let texts = shower.texts;
    let plain =
        |key: &str, text: String| Labelled { label: texts.get(key), value: Shown::Plain(text) };
    let mut lines = vec![
        plain("record-published", texts.date(body.valid_from())),
        plain("record-version", body.version().to_string()),
    ];
    for name in ["reuse", "reported_by", "retrieved", "reviewed", "local_id"] {
        if let (Some(field), Some(value)) = (kinds::field(name), subject.get(name)) {
            let label = field.label(texts.code()).to_owned();
            let value = match (name, value.as_str()) {
                ("retrieved", Some(how)) => retrieved(texts, how),
                _ => shower.field(field, value),
            };
            lines.push(Labelled { label, value });
        }
    }
    lines
}

/// How or when the sources were read: the word that compilers use, a day, or whatever stands there.
fn retrieved(texts: &Texts, how: &str) -> Shown {
    match how {
        "excerpt" => Shown::Plain(texts.get("retrieved-excerpt")),
        day if practice::date::is_date(day) => Shown::Plain(texts.date(day)),
        other => Shown::Symbol(other.to_owned()),
    }
}

/// A record that is held is a link with its title; how it is called in the log is then left to its page.
fn link(named: &mut Named, frame: &Frame, title: Passage) {
    let code = frame.texts.code();
    let of_name = |name: &str| kinds::field(name).map(|field| field.label(code));
    let technical = ["feed", "id", "body"].map(of_name);
    named.members.retain(|member| !technical.contains(&Some(member.label.as_str())));
    let href = wire::paths::record(&named.origin, &named.id);
    named.held = Some((frame.link(&href), title));
}

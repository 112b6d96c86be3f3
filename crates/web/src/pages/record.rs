//! The page of a record: every language it has, who says so, what is not described yet, its history, and
//! how to check it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{BodyRead, RecordRead, View};
use feed::row::{BodyState, Row, RowOp, Standing, Validity};
use practice::body::Body;
use practice::completeness;
use practice::kind::Kind;
use practice::kinds;
use practice::vocabulary::Vocabulary;
use serde_json::{Map, Value};
use wire::api::Delivery;
use wire::paths;

use super::line::states;
use super::proof::Proof;
use super::value::{Labelled, Passage, Shower, Shown};
use super::{Frame, Reader, node_name, node_subject, speaks_for, two_versions};
use crate::answer::Answer;
use crate::app::App;
use crate::linked_data::{Place, linked_data};
use crate::params::Params;
use crate::receipts;

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

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    kind: String,
    title: Vec<Passage>,
    states: Vec<String>,
    /// One sentence about what the record is now, where it is not current.
    standing: Vec<String>,
    authentic: Option<String>,
    basis: Option<String>,
    /// The fixed sentence of a kind, such as that an arrangement is not legally binding.
    caveat: Option<String>,
    /// What is told, in the order of the table.
    fields: Vec<Labelled>,
    /// What it is filed under.
    classes: Vec<Labelled>,
    others: Vec<Labelled>,
    questions: Vec<String>,
    aside: Vec<Labelled>,
    publisher: Publisher,
    languages: Vec<String>,
    history: Vec<Event>,
    proof: Option<Proof>,
    verified: String,
    feed_href: String,
    feed: String,
    json: String,
    /// The record in the words of schema.org.
    linked: Option<String>,
    unknown_kind: bool,
}

/// The node that published it.
struct Publisher {
    href: String,
    node: String,
    name: String,
    speaks_for: Option<String>,
}

/// One entry about the record.
struct Event {
    what: String,
    notes: String,
    href: Option<String>,
    /// For the operator: who has received it, and who not yet.
    who: Vec<String>,
}

/// `GET /records/NODE/FEED/UUID`
pub(crate) async fn record(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let (origin, id) = (params.origin()?, params.record_id()?);
    let view = app
        .view(&origin, &reader.caller)
        .ok_or_else(|| Answer::not_found(format!("feed `{origin}`")))?;
    let read = app.feeds.record(&origin, &id).await?;
    let here = paths::record(&origin, &id);
    let proof = match (&read.body, read.standing) {
        (Some(body), Standing::Current { index, .. }) => {
            Some(Proof::of(&app, &view, index, body, &here, (&reader.base, reader.texts)).await?)
        }
        _ => None,
    };
    let mut standing = standing(&app, &reader, &read).await?;
    standing.extend(two_versions(&view, reader.texts));
    reader.page(&page(&app, &reader, &view, &read, standing, proof))
}

fn page(
    app: &App,
    reader: &Reader,
    view: &View,
    read: &RecordRead,
    standing: Vec<String>,
    proof: Option<Proof>,
) -> RecordPage {
    let texts = reader.texts;
    let empty = Map::new();
    let subject = read.body.as_ref().and_then(|body| body.subject().as_object()).unwrap_or(&empty);
    let source = subject.get("language").and_then(Value::as_str).unwrap_or("en");
    let shower = Shower { texts, source };
    let kind = kind_of(read);
    let publisher = publisher(app, reader, view);
    let authentic = read.body.as_ref().map(|body| {
        let date = texts.date(body.valid_from());
        texts.with("record-authentic", &[("node", &publisher.name), ("date", &date)])
    });
    let basis = subject.get("basis").and_then(Value::as_str);
    let (known, others) = content(shower, kind.as_ref(), subject);
    let (classes, fields) = known.into_iter().partition(|field| field.value.is_class());
    let index = proof.as_ref().map(|proof| proof.index.to_string()).unwrap_or_default();
    let issuer = read.body.as_ref().and_then(Body::state);
    RecordPage {
        linked: linked(reader, read, &publisher, proof.as_ref()),
        frame: reader.frame(app, Some(view.origin.node())),
        kind: kind
            .as_ref()
            .map_or_else(String::new, |kind| shower.label("record-kinds", kind.as_str())),
        title: title(shower, subject),
        states: states(read.body.as_ref().map(Body::subject), issuer, texts),
        standing,
        authentic,
        basis: basis.map(|basis| basis_words(shower, basis)),
        caveat: kind
            .as_ref()
            .filter(|kind| **kind == Kind::EXCHANGE_ARRANGEMENT)
            .map(|_| shower.label("terms", "not-legally-binding")),
        questions: questions(shower, kind.as_ref(), read.body.as_ref()),
        aside: aside(shower, read, subject),
        languages: languages(shower, subject),
        history: read
            .versions
            .iter()
            .rev()
            .map(|(at, row)| {
                let delivery = receipts::delivery(app, view, &reader.caller, *at);
                event(reader, read, *at, row, delivery)
            })
            .collect(),
        verified: texts.with("proof-verified", &[("node", &publisher.name), ("index", &index)]),
        feed_href: paths::feed(&view.origin),
        feed: view.origin.to_string(),
        unknown_kind: kind.as_ref().is_some_and(|kind| !Kind::ALL.contains(kind)),
        publisher,
        json: paths::api_record(&read.origin, &read.id),
        fields,
        classes,
        others,
        proof,
    }
}

/// The record as linked data, while its text is here.
fn linked(
    reader: &Reader,
    read: &RecordRead,
    publisher: &Publisher,
    proof: Option<&Proof>,
) -> Option<String> {
    let (body, proof) = (read.body.as_ref()?, proof?);
    let place = Place {
        page: reader.address(&paths::record(&read.origin, &read.id)),
        body: reader.address(&paths::body(&read.origin, proof.index)),
        publisher: &publisher.name,
        node: &publisher.node,
        of_a_state: body.state().is_some() && publisher.speaks_for.is_some(),
        texts: reader.texts,
    };
    Some(linked_data(body, &place))
}

/// The kind, which no version of a record can change.
fn kind_of(read: &RecordRead) -> Option<Kind> {
    read.versions.iter().find_map(|(_, row)| match (&row.op, row.validity) {
        (RowOp::Publish { kind, .. }, Validity::Valid) => Some(kind.clone()),
        _ => None,
    })
}

fn publisher(app: &App, reader: &Reader, view: &View) -> Publisher {
    let node = view.origin.node();
    let subject = node_subject(app, node);
    Publisher {
        href: paths::node(node),
        node: node.to_string(),
        name: node_name(app, node, reader.texts),
        speaks_for: subject.and_then(|subject| speaks_for(&subject, reader.texts)),
    }
}

/// Who says so, in the fixed words.
fn basis_words(shower: Shower<'_>, basis: &str) -> String {
    match basis {
        "own-statement" => shower.label("terms", "self-described"),
        other => shower.label("bases", other),
    }
}

fn title(shower: Shower<'_>, subject: &Map<String, Value>) -> Vec<Passage> {
    let map = subject.get("title").and_then(Value::as_object);
    match map.map(|map| shower.passages(map)) {
        Some(Shown::Passages(passages)) => passages,
        _ => Vec::new(),
    }
}

/// The fields of the kind in the order of the table, then whatever else the record holds.
fn content(
    shower: Shower<'_>,
    kind: Option<&Kind>,
    subject: &Map<String, Value>,
) -> (Vec<Labelled>, Vec<Labelled>) {
    let known = kind.map(kinds::fields).unwrap_or_default();
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

/// What the author is asked for and has not described: questions, never a score.
fn questions(shower: Shower<'_>, kind: Option<&Kind>, body: Option<&Body>) -> Vec<String> {
    let (Some(kind), Some(body)) = (kind, body) else { return Vec::new() };
    let language = shower.texts.code();
    let open = completeness::questions(kind, body.subject(), body.state(), language);
    open.into_iter().map(|question| question.text.to_owned()).collect()
}

fn aside(shower: Shower<'_>, read: &RecordRead, subject: &Map<String, Value>) -> Vec<Labelled> {
    let texts = shower.texts;
    let mut lines = Vec::new();
    if let Some(body) = &read.body {
        let plain =
            |key: &str, text: String| Labelled { label: texts.get(key), value: Shown::Plain(text) };
        lines.push(plain("record-published", texts.date(body.valid_from())));
        lines.push(plain("record-version", body.version().to_string()));
    }
    for name in ["reuse", "reported_by", "retrieved", "reviewed", "local_id"] {
        if let (Some(field), Some(value)) = (kinds::field(name), subject.get(name)) {
            let label = field.label(texts.code()).to_owned();
            lines.push(Labelled { label, value: shower.field(field, value) });
        }
    }
    lines
}

/// Each language of the record: the original, or by whom it was translated.
fn languages(shower: Shower<'_>, subject: &Map<String, Value>) -> Vec<String> {
    let Some(titles) = subject.get("title").and_then(Value::as_object) else { return Vec::new() };
    let texts = shower.texts;
    let mut lines = Vec::new();
    for tag in titles.keys() {
        let name = shower.language(tag);
        if tag == shower.source {
            lines.insert(0, format!("{name} — {}", texts.get("record-original")));
            continue;
        }
        let mut words = vec![texts.get("record-translation")];
        let made = subject.get("translations").and_then(|translations| translations.get(tag));
        let member = |name: &str| made.and_then(|made| made.get(name));
        match member("made_by").and_then(Value::as_str) {
            Some("person") => words.push(texts.get("record-by-person")),
            Some("machine") => words.push(texts.get("record-by-machine")),
            _ => {}
        }
        if member("reviewed_by_person").and_then(Value::as_bool) == Some(true) {
            words.push(texts.get("record-reviewed"));
        }
        if let Some(version) = member("of_version").and_then(Value::as_u64) {
            words.push(texts.with("record-older-version", &[("version", &version.to_string())]));
        }
        lines.push(format!("{name} — {}", texts.listed(&words)));
    }
    lines
}

/// What the record is now, in sentences, where it is not simply current and held.
async fn standing(app: &App, reader: &Reader, read: &RecordRead) -> Result<Vec<String>, Answer> {
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
    let href = held.then(|| paths::body(&read.origin, index));
    let mut who = Vec::new();
    if let Some(delivery) = delivery {
        let erases = receipts::erases(row);
        let (by, has) = match erases {
            true => ("history-erased-by", "history-who-erased"),
            false => ("history-received", "history-who-received"),
        };
        let (count, of) = (delivery.count.to_string(), delivery.of.to_string());
        notes.push(texts.with(by, &[("count", &count), ("of", &of)]));
        for (key, nodes) in [(has, &delivery.received), ("history-who-not", &delivery.waiting)] {
            let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            if !names.is_empty() {
                who.push(format!("{}: {}", texts.get(key), texts.listed(&names)));
            }
        }
    }
    Event { what, notes: texts.listed(&notes), href, who }
}

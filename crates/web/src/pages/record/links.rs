//! What other records say of a record, attestations and translations apart; and which of the records that
//! it names are held here.

use std::collections::BTreeMap;

use feed::feeds::RecordRead;
use feed::row::Standing;
use feed::search::Query;
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::Value;
use tlog::name::Origin;
use wire::paths;

use super::super::line::{self, RecordLine};
use super::super::value::{Passage, Shower};
use super::super::{Reader, node_name};
use crate::answer::Answer;
use crate::app::App;
use crate::found;

/// Records that name one, as many as a reader looks through; the search finds the rest.
const LINKS_MAX: usize = 50;
/// Records named by one that are looked up; no author names more.
const NAMED_MAX: usize = 50;

/// Records that name a record.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) attestations: Vec<Statement>,
    pub(crate) translations: Vec<Statement>,
    pub(crate) others: Vec<RecordLine>,
}

/// What another node states about a record: an attestation or a translation, a record of its own.
pub(crate) struct Statement {
    pub(crate) href: String,
    /// The relation, or the language it is translated to.
    pub(crate) what: String,
    pub(crate) node: String,
    pub(crate) name: String,
    pub(crate) date: String,
    /// The version it is about, if it names one.
    pub(crate) version: Option<String>,
    pub(crate) note: Option<Passage>,
}

/// What names the record `read`. Without an index the page stands all the same, with no links.
pub(crate) async fn links(app: &App, reader: &Reader, read: &RecordRead) -> Result<Links, Answer> {
    let mut links = Links::default();
    let query = Query {
        reader: reader.texts.code().to_owned(),
        mentions: Some((read.origin.clone(), read.id)),
        limit: LINKS_MAX,
        ..Query::default()
    };
    let Ok(found) = found::ask(app, query).await else { return Ok(links) };
    for hit in found.hits {
        let itself = hit.origin == read.origin && hit.id == read.id;
        if itself || app.view(&hit.origin, &reader.caller).is_none() {
            continue;
        }
        let other = app.feeds.record(&hit.origin, &hit.id).await?;
        let Some(body) = other.body.as_ref().filter(|_| is_current(&other)) else { continue };
        match body.kind() {
            kind if *kind == Kind::ATTESTATION => {
                links.attestations.extend(statement(app, reader, read, &other));
            }
            kind if *kind == Kind::TRANSLATION => {
                links.translations.extend(statement(app, reader, read, &other));
            }
            kind => links.others.push(line::of_read(&other, kind, reader.texts)),
        }
    }
    Ok(links)
}

/// The titles of those `named` records that are held here and current.
pub(crate) async fn held(
    app: &App,
    reader: &Reader,
    named: Vec<(Origin, RecordId)>,
) -> Result<BTreeMap<(String, String), Passage>, Answer> {
    let mut held = BTreeMap::new();
    for (origin, id) in named.into_iter().take(NAMED_MAX) {
        if app.view(&origin, &reader.caller).is_none() {
            continue;
        }
        let read = app.feeds.record(&origin, &id).await?;
        if let Some(body) = read.body.as_ref().filter(|_| is_current(&read)) {
            let line = line::of_read(&read, body.kind(), reader.texts);
            held.insert((origin.to_string(), id.to_string()), line.title);
        }
    }
    Ok(held)
}

fn is_current(read: &RecordRead) -> bool {
    matches!(read.standing, Standing::Current { .. })
}

/// What `other` states about `read`; none if it is about something else and only mentions it.
fn statement(
    app: &App,
    reader: &Reader,
    read: &RecordRead,
    other: &RecordRead,
) -> Option<Statement> {
    let (body, texts) = (other.body.as_ref()?, reader.texts);
    let subject = body.subject();
    let about = |name: &str| subject.get("about")?.get(name);
    let same = |name: &str, value: String| about(name)?.as_str().filter(|text| *text == value);
    same("feed", read.origin.to_string())?;
    same("id", read.id.to_string())?;
    let source = subject.get("language").and_then(Value::as_str).unwrap_or("en");
    let shower = Shower { texts, source };
    let word = |name: &str| subject.get(name).and_then(Value::as_str);
    let what = match word("target_language") {
        Some(language) => shower.language(language),
        None => shower.label("attestation-relations", word("relation").unwrap_or_default()),
    };
    let version = about("version").and_then(Value::as_u64);
    Some(Statement {
        href: paths::record(&other.origin, &other.id),
        what,
        node: other.origin.node().to_string(),
        name: node_name(app, other.origin.node(), texts),
        date: texts.date(body.valid_from()),
        version: version
            .map(|number| texts.with("record-about-version", &[("version", &number.to_string())])),
        note: subject.get("note").and_then(Value::as_object).and_then(|map| shower.best(map)),
    })
}

//! The page of a record: every language it has, who says so, what is not described yet, what others say of
//! it, its history with differences, how to cite it, and how to check it.

mod citation;
mod content;
mod difference;
mod history;
mod links;
mod standing;
mod tongues;
mod versions;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{RecordRead, View};
use feed::row::{RowOp, Validity};
use practice::kind::Kind;
use practice::vocabulary;
use serde_json::{Map, Value};
use wire::paths::{self, site};

use self::citation::{Citation, Report};
use self::content::Content;
use self::difference::Piece;
use self::history::Event;
use self::links::Links;
use self::tongues::{Choice, Tongues};
use self::versions::Version;
use super::profile::is_silent_on_assessment;
use super::proof::Proof;
use super::value::Shower;
use super::{Frame, Reader, node_name, node_subject, speaks_for, two_versions};
use crate::answer::Answer;
use crate::app::App;
use crate::linked_data::{Place, linked_data};
use crate::params::Params;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    kind: String,
    /// The States it is about, with their pages.
    states: Vec<(String, String)>,
    /// Sentences about what the record is now, where it is not current.
    standing: Vec<String>,
    /// Where the current version is, if this one is older.
    newer: Option<(String, String)>,
    authentic: Option<String>,
    basis: Option<String>,
    /// That nobody assessed it, where the basis does not say so.
    not_assessed: bool,
    /// The fixed sentence of a kind, such as that an arrangement is not legally binding.
    caveat: Option<String>,
    content: Content,
    questions: Vec<String>,
    publisher: Publisher,
    languages: Vec<String>,
    choices: Vec<Choice>,
    links: Links,
    history: Vec<Event>,
    citation: Option<Citation>,
    report: Option<Report>,
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

/// `GET /records/NODE/FEED/UUID`: the current version, or with `?version=N` an older one.
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
    let version = versions::asked_for(&app, &read, reader.parameter("version")).await?;
    let here = paths::record(&origin, &id);
    let proof = match &version {
        Some(Version { index, body, .. }) => {
            Some(Proof::of(&app, &view, *index, body, &here, (&reader.base, reader.texts)).await?)
        }
        None => None,
    };
    let mut page = page(&app, &reader, &view, &read, version.as_ref(), proof);
    page.standing = standing::standing(&app, &reader, &read).await?;
    page.standing.extend(two_versions(&view, reader.texts));
    page.links = links::links(&app, &reader, &read).await?;
    let shown = version.as_ref().map(|version| version.body.version());
    page.history = history::history(&app, &reader, &view, &read, shown).await?;
    let held = links::held(&app, &reader, page.content.named()).await?;
    let subject = version.as_ref().and_then(|version| version.body.subject().as_object());
    let tongues = Tongues::of(&reader, shower(reader.texts, subject), subject);
    page.languages = tongues.lines();
    page.choices = tongues.choices(&reader, &here);
    page.content.finish(&page.frame, &tongues, &held);
    reader.page(&page)
}

/// The page, but for what others and the history say.
fn page(
    app: &App,
    reader: &Reader,
    view: &View,
    read: &RecordRead,
    version: Option<&Version>,
    proof: Option<Proof>,
) -> RecordPage {
    let texts = reader.texts;
    let body = version.map(|version| &version.body);
    let subject = body.and_then(|body| body.subject().as_object());
    let shower = shower(texts, subject);
    let kind = kind_of(read);
    let publisher = publisher(app, reader, view);
    let basis = subject.and_then(|subject| subject.get("basis")).and_then(Value::as_str);
    let index = proof.as_ref().map(|proof| proof.index.to_string()).unwrap_or_default();
    let frame = reader.frame(app, Some(view.origin.node()));
    let authentic = body.map(|body| {
        let date = texts.date(body.valid_from());
        texts.with("record-authentic", &[("node", &publisher.name), ("date", &date)])
    });
    RecordPage {
        linked: linked(reader, read, version, &publisher),
        kind: kind
            .as_ref()
            .map(|kind| shower.label("record-kinds", kind.as_str()))
            .unwrap_or_default(),
        states: states(subject, body.and_then(|body| body.state()), texts),
        standing: Vec::new(),
        newer: version.filter(|version| !version.current).map(|version| {
            let number = version.body.version().to_string();
            (
                texts.with("record-older", &[("version", &number)]),
                paths::record(&read.origin, &read.id),
            )
        }),
        authentic,
        basis: basis.map(|basis| basis_words(shower, basis)),
        not_assessed: is_silent_on_assessment(basis),
        caveat: (kind == Some(Kind::EXCHANGE_ARRANGEMENT))
            .then(|| shower.label("terms", "not-legally-binding")),
        content: body.map(|body| Content::of(shower, body)).unwrap_or_default(),
        questions: body.map(|body| content::questions(body, texts.code())).unwrap_or_default(),
        languages: Vec::new(),
        choices: Vec::new(),
        links: Links::default(),
        history: Vec::new(),
        citation: body.map(|body| citation::citation(reader, shower, &view.origin, body)),
        report: body.and_then(|body| citation::report(app, reader, &frame, body)),
        verified: texts.with("proof-verified", &[("node", &publisher.name), ("index", &index)]),
        feed_href: paths::feed(&view.origin),
        feed: view.origin.to_string(),
        unknown_kind: kind.is_some_and(|kind| !Kind::ALL.contains(&kind)),
        publisher,
        json: paths::api_record(&read.origin, &read.id),
        proof,
        frame,
    }
}

fn shower<'a>(texts: &'static Texts, subject: Option<&'a Map<String, Value>>) -> Shower<'a> {
    let source = subject.and_then(|subject| subject.get("language")).and_then(Value::as_str);
    Shower { texts, source: source.unwrap_or("en") }
}

/// The current version as linked data, while its text is here.
fn linked(
    reader: &Reader,
    read: &RecordRead,
    version: Option<&Version>,
    publisher: &Publisher,
) -> Option<String> {
    let version = version.filter(|version| version.current)?;
    let place = Place {
        page: reader.address(&paths::record(&read.origin, &read.id)),
        body: reader.address(&paths::body(&read.origin, version.index)),
        publisher: &publisher.name,
        node: &publisher.node,
        of_a_state: version.body.state().is_some() && publisher.speaks_for.is_some(),
        texts: reader.texts,
    };
    Some(linked_data(&version.body, &place))
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

/// The States a record is about, by name, each with its page if its code is one.
fn states(
    subject: Option<&Map<String, Value>>,
    issuer: Option<&str>,
    texts: &Texts,
) -> Vec<(String, String)> {
    let named = subject.and_then(|subject| subject.get("states")).and_then(Value::as_array);
    let codes: Vec<&str> = match named {
        Some(codes) => codes.iter().filter_map(Value::as_str).collect(),
        None => issuer.into_iter().collect(),
    };
    let state = |code: &str| {
        let href = if vocabulary::is_state(code) { site::state(code) } else { String::new() };
        (vocabulary::states().label(code, texts.code()).to_owned(), href)
    };
    let mut states: Vec<(String, String)> = codes.into_iter().map(state).collect();
    texts.sort_by_name(&mut states, |(name, _)| name);
    states
}

/// Who says so, in the fixed words.
fn basis_words(shower: Shower<'_>, basis: &str) -> String {
    match basis {
        "own-statement" => shower.label("terms", "self-described"),
        other => shower.label("bases", other),
    }
}

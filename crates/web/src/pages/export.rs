//! The profiles of a State to take along: as a document and as data, in the order of sections of the UN Human
//! Rights Knowledge Gateway. Both are read again by `jopoi import --gateway`.

use axum::extract::State;
use axum::response::Response;
use feed::feeds::RecordRead;
use feed::row::Standing;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderValue};
use practice::body::Body;
use practice::gateway::{self, BlockKind};
use practice::{kinds, language, vocabulary};
use serde_json::{Map, Value, json};
use tlog::name::NodeName;
use wire::{media, paths};

use super::profile::is_silent_on_assessment;
use super::state::profile_records;
use super::{Reader, is_documentation, node_name, site_name};
use crate::answer::Answer;
use crate::app::App;
use crate::content::Content;
use crate::document::{Document, Style};
use crate::params::Params;

/// Section of the end of a profile: whose words these are, and how to check them.
const RECORD_SECTION: &str = "record";

/// `GET /states/CODE/profile.docx`
pub(crate) async fn profile_docx(
    State(app): State<App>,
    reader: Reader,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let (code, records) = profiles(&app, &reader, &params).await?;
    let tag = reader.texts.code();
    let name = vocabulary::states().label(&code, tag);
    let mut document = Document::new(tag);
    document.add(Style::Title, name, tag);
    for (read, body) in &records {
        write(&mut document, &app, &reader, read, body);
    }
    let (title, publisher) = (name.to_owned(), site_name(&app, reader.texts));
    let bytes = app.aside(move |_| document.to_bytes(&title, &publisher, tag)).await??;
    let mut response = Content::exact(bytes, media::DOCX).answer(&headers);
    let file = format!("attachment; filename=\"{code}-profile-{tag}.docx\"");
    if let Ok(file) = HeaderValue::from_str(&file) {
        response.headers_mut().insert(CONTENT_DISPOSITION, file);
    }
    reader.mark(response.headers_mut());
    Ok(response)
}

/// `GET /states/CODE/profile.json`
pub(crate) async fn profile_json(
    State(app): State<App>,
    reader: Reader,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let (code, records) = profiles(&app, &reader, &params).await?;
    let profile = |(read, body): &(RecordRead, Body)| {
        let mut profile = gateway::export(body.subject());
        if let Some(members) = profile.as_object_mut() {
            members.insert("record".to_owned(), record(&reader, read, body));
        }
        profile
    };
    let profiles: Vec<Value> = records.iter().map(profile).collect();
    let answer = json!({ "state": code, "profiles": profiles }).to_string();
    Ok(Content::loose(answer, media::JSON).answer(&headers))
}

/// The State asked for, and the profiles of its mechanisms, its own words first.
async fn profiles(
    app: &App,
    reader: &Reader,
    params: &Params,
) -> Result<(String, Vec<(RecordRead, Body)>), Answer> {
    let code = params.text("code")?.to_owned();
    let none = || Answer::not_found(format!("profile of a mechanism of the State `{code}`"));
    if !vocabulary::is_state(&code) {
        return Err(none());
    }
    let (read, _) = profile_records(app, reader, &code).await?;
    let with_body = |read: RecordRead| read.body.clone().map(|body| (read, body));
    let mut records: Vec<_> = read.into_iter().filter_map(with_body).collect();
    records.sort_by_key(|(_, body)| !is_own(body));
    if records.is_empty() {
        return Err(none());
    }
    Ok((code, records))
}

fn is_own(body: &Body) -> bool {
    let basis = body.subject().get("basis").and_then(Value::as_str);
    basis == Some("own-statement") && body.state().is_some() && !is_documentation(body.node())
}

/// The entry of the version that is shown.
fn entry(read: &RecordRead) -> Option<u64> {
    match read.standing {
        Standing::Current { index, .. } => Some(index),
        _ => None,
    }
}

/// Where the record is, and what proves it.
fn record(reader: &Reader, read: &RecordRead, body: &Body) -> Value {
    let mut record = Map::new();
    record.insert("feed".to_owned(), read.origin.to_string().into());
    record.insert("id".to_owned(), read.id.to_string().into());
    record.insert("version".to_owned(), body.version().into());
    record.insert("published".to_owned(), body.valid_from().into());
    record.insert("sha256".to_owned(), body.hash().to_hex().into());
    let page = reader.address(&paths::record(&read.origin, &read.id));
    record.insert("address".to_owned(), page.into());
    if let Some(index) = entry(read) {
        record.insert("body".to_owned(), reader.address(&paths::body(&read.origin, index)).into());
        record
            .insert("proof".to_owned(), reader.address(&paths::proof(&read.origin, index)).into());
    }
    Value::Object(record)
}

/// One profile.
fn write(document: &mut Document, app: &App, reader: &Reader, read: &RecordRead, body: &Body) {
    let (texts, subject) = (reader.texts, body.subject());
    let tag = texts.code();
    let source = subject.get("language").and_then(Value::as_str).unwrap_or(tag);
    let text = |name: &str| {
        let map = subject.get(name).and_then(Value::as_object)?;
        language::choose(map, tag, source).map(|(lang, text)| (lang.to_owned(), text.to_owned()))
    };
    if let Some((lang, title)) = text("title") {
        document.add(Style::First, &title, &lang);
    }
    if let Some((lang, summary)) = text("summary") {
        document.add(
            Style::Second,
            kinds::field("summary").map_or("", |field| field.label(tag)),
            tag,
        );
        document.add(Style::Text, &summary, &lang);
    }
    for section in gateway::outline(subject, tag) {
        document.add(Style::Second, section.name, tag);
        for field in section.fields {
            document.add(Style::Third, field.name, tag);
            for block in field.blocks {
                let style = if block.kind == BlockKind::Item { Style::Item } else { Style::Text };
                document.add(style, &block.text, block.language.as_deref().unwrap_or(tag));
            }
        }
    }
    let heading = vocabulary::Vocabulary::get("gateway-sections");
    let heading = heading.map_or(RECORD_SECTION, |list| list.label(RECORD_SECTION, tag));
    document.add(Style::Second, heading, tag);
    for line in provenance(app, reader, read, body) {
        document.add(Style::Text, &line, tag);
    }
}

/// Whose words these are, where the record is, and what proves it.
fn provenance(app: &App, reader: &Reader, read: &RecordRead, body: &Body) -> Vec<String> {
    let texts = reader.texts;
    let label = |vocabulary: &str, code: &str| {
        let list = vocabulary::Vocabulary::get(vocabulary);
        list.map_or(code, |list| list.label(code, texts.code())).to_owned()
    };
    let node: &NodeName = body.node();
    let published =
        [("node", &*node_name(app, node, texts)), ("date", &*texts.date(body.valid_from()))];
    let mut lines = vec![texts.with("record-authentic", &published)];
    let basis = body.subject().get("basis").and_then(Value::as_str);
    lines.push(match basis {
        Some("own-statement") => label("terms", "self-described"),
        Some(basis) => label("bases", basis),
        None => String::new(),
    });
    if is_silent_on_assessment(basis) {
        lines.push(texts.get("record-not-assessed"));
    }
    let page = reader.address(&paths::record(&read.origin, &read.id));
    let told = |name: &str, value: &str| texts.labelled(&label("fields", name), value);
    lines.push(told("url", &page));
    lines.push(told("version", &body.version().to_string()));
    lines.push(told("body", &format!("sha256:{}", body.hash().to_hex())));
    if let Some(index) = entry(read) {
        let proof = reader.address(&paths::proof(&read.origin, index));
        lines.push(texts.labelled(&texts.get("proof-file-proof"), &proof));
    }
    lines.push(format!("{} jopoi verify {page}", texts.get("proof-jopoi-text")));
    lines.retain(|line| !line.is_empty());
    lines
}

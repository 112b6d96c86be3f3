//! From a page to a draft that says where its words come from.

use super::blocks::{self, Block, Page};
use super::parts::{self, NotPlaced, Part, Place};
use super::{GatewayError, PAGE_BYTES_MAX, PROFILES_MAX, html, opening, values};
use crate::kinds::Field;
use crate::language;
use crate::vocabulary;
use serde_json::{Map, Value, json};

/// What the Gateway is called in a source.
const GATEWAY: &str = "UN Human Rights Knowledge Gateway";

/// What the page does not say itself, or says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The State it is about.
    pub state: Option<String>,
    /// Its language, BCP 47, whatever it says.
    pub language: Option<String>,
    /// The language of a page that names none.
    pub language_otherwise: Option<String>,
    /// Its address on the web.
    pub address: Option<String>,
    /// The day on which it was read.
    pub retrieved: Option<String>,
}

/// A draft of a profile, for the focal point to correct.
#[derive(Debug, Default)]
pub struct GatewayDraft {
    /// The members of the record; not validated.
    pub subject: Map<String, Value>,
    /// What became of each part that was recognised, in the order of the page.
    pub placed: Vec<Placed>,
    /// What has no place in a profile, in the order of the page.
    pub not_placed: Vec<NotPlaced>,
}

/// A part of the page and the field it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its heading, as the page has it.
    pub heading: String,
    /// The name of the field.
    pub field: &'static str,
}

/// Makes drafts of a saved page, of its text, or of exported profiles; judged by the bytes.
///
/// # Errors
/// If it is too large, not text, or no page about a State.
pub fn read(bytes: &[u8], told: &Told) -> Result<Vec<GatewayDraft>, GatewayError> {
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(GatewayError::TooLarge { bytes: bytes.len() });
    }
    refuse_other_files(bytes)?;
    let text = blocks::decode(bytes)?;
    if text.contains('\0') {
        return Err(not_a_page("a binary file"));
    }
    let begin: String = text.trim_start().chars().take(2_000).collect();
    let lower = begin.to_ascii_lowercase();
    if lower.contains("mime-version:") {
        return Err(not_a_page("a web archive (MHTML)"));
    }
    if begin.starts_with('{') {
        return profiles(&text, told);
    }
    // A text may speak of a <tag>; only a page ends one.
    let markup = ["<html", "<body", "</p>", "</div>", "</h1>", "</h2>"];
    let page = match begin.starts_with('<') || markup.iter().any(|tag| lower.contains(tag)) {
        true => html::read(&text)?,
        false => blocks::of_text(&text)?,
    };
    Ok(vec![draft(page, told)?])
}

fn refuse_other_files(bytes: &[u8]) -> Result<(), GatewayError> {
    let found = match bytes {
        [b'P', b'K', 3, 4, ..] => "a Word document or another archive",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an old Word document",
        _ => return Ok(()),
    };
    Err(not_a_page(found))
}

fn not_a_page(found: &'static str) -> GatewayError {
    let advice = match found {
        "a web archive (MHTML)" => "in the browser choose \"Web page, HTML only\" when you save",
        _ => "copy its text into a text file, and import that",
    };
    GatewayError::NotAPage { found, advice }
}

/// Exported profiles: the fields of each, as they were.
fn profiles(text: &str, told: &Told) -> Result<Vec<GatewayDraft>, GatewayError> {
    let wrong = |reason: &str| GatewayError::NotAProfile { reason: reason.to_owned() };
    let file: Value =
        crate::json::parse(text.as_bytes()).map_err(|error| wrong(&error.to_string()))?;
    let profiles = file.get("profiles").and_then(Value::as_array);
    let profiles = profiles.ok_or_else(|| wrong("it has no list `profiles`"))?;
    if profiles.is_empty() || profiles.len() > PROFILES_MAX {
        return Err(wrong(&format!(
            "it holds {} profiles, not 1 to {PROFILES_MAX}",
            profiles.len()
        )));
    }
    profiles.iter().map(|profile| exported(profile, told)).collect()
}

fn exported(profile: &Value, told: &Told) -> Result<GatewayDraft, GatewayError> {
    let wrong = |reason: &str| GatewayError::NotAProfile { reason: reason.to_owned() };
    let profile = profile.as_object().ok_or_else(|| wrong("a profile is no object"))?;
    let sections = profile.get("sections").and_then(Value::as_array);
    let sections = sections.ok_or_else(|| wrong("a profile has no list `sections`"))?;
    let (mut subject, mut placed) = (Map::new(), Vec::new());
    for name in ["title", "summary", "language", "states", "reuse"] {
        let value = profile.get(name).cloned();
        subject.extend(value.map(|value| (name.to_owned(), value)));
    }
    for section in sections {
        let heading = section.get("section").and_then(Value::as_str).unwrap_or_default();
        let fields = section.get("fields").and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            let known = crate::kinds::field(name)
                .ok_or_else(|| wrong(&format!("`{name}` is no field of a profile")))?;
            placed.push(Placed { heading: heading.to_owned(), field: known.name });
            subject.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in profile.get("other").and_then(Value::as_object).into_iter().flatten() {
        subject.entry(name.clone()).or_insert_with(|| value.clone());
    }
    subject.insert("basis".to_owned(), "compiled-from-public-sources".into());
    if let Some(state) = &told.state {
        subject.insert("states".to_owned(), json!([code(state)?]));
    }
    let first = subject.get("states").and_then(|states| states.get(0)).and_then(Value::as_str);
    let reference = format!("gateway-{}", first.ok_or(GatewayError::NoState)?);
    subject.entry("local_id").or_insert_with(|| reference.into());
    Ok(GatewayDraft { subject, placed, not_placed: Vec::new() })
}

fn draft(page: Page, told: &Told) -> Result<GatewayDraft, GatewayError> {
    let Page { blocks, language: own, address, .. } = page;
    let address = told.address.clone().or(address);
    let begins: String =
        blocks.first().map(|block| block.text.chars().take(60).collect()).unwrap_or_default();
    let parts = parts::parts(blocks);
    if !parts.iter().any(|part| matches!(part.place, Place::Field(_))) {
        return Err(GatewayError::NothingRecognised { begins });
    }
    let chosen = told.language.clone().or(own).or(told.language_otherwise.clone());
    let tag = chosen.and_then(|tag| language::canonical(&tag)).ok_or(GatewayError::NoLanguage)?;
    let mut making = Making { tag, ..Making::default() };
    let parts = making.opening(parts, told, address.as_deref())?;
    for part in parts {
        making.part(part);
    }
    Ok(making.finish(address.as_deref(), told))
}

#[derive(Default)]
struct Making {
    tag: String,
    state: String,
    title: Option<String>,
    standing: bool,
    /// The paragraphs of each field: a page may speak of one thing in two places.
    fields: Vec<(&'static Field, Vec<Block>)>,
    placed: Vec<Placed>,
    not_placed: Vec<NotPlaced>,
}

impl Making {
    /// What stands above the first part that is recognised: the State, the title, the badge.
    fn opening(
        &mut self,
        parts: Vec<Part>,
        told: &Told,
        address: Option<&str>,
    ) -> Result<Vec<Part>, GatewayError> {
        let known = |part: &Part| !matches!(part.place, Place::Unknown);
        let first = parts.iter().position(known).unwrap_or_default();
        let mut above = parts;
        let rest = above.split_off(first);
        let opening = opening::read(above);
        self.title = opening.title;
        self.standing = opening.standing;
        self.left(String::new(), opening.left, false);
        self.state = match (&told.state, address.and_then(name_in)) {
            (Some(state), _) => code(state)?,
            (None, in_address) => {
                let in_address = in_address.and_then(|name| opening::named(&name));
                in_address.or(opening.state).ok_or(GatewayError::NoState)?
            }
        };
        Ok(rest)
    }

    fn part(&mut self, part: Part) {
        let (date, blocks): (Vec<Block>, Vec<Block>) =
            part.blocks.into_iter().partition(parts::is_date_of_page);
        match part.place {
            Place::Field(field) if !blocks.is_empty() => {
                self.placed.push(Placed { heading: part.heading, field: field.name });
                match self.fields.iter_mut().find(|(known, _)| known.name == field.name) {
                    Some((_, held)) => held.extend(blocks),
                    None => self.fields.push((field, blocks)),
                }
            }
            Place::Unknown => self.left(part.heading, texts(blocks), true),
            _ => self.left(part.heading, texts(blocks), false),
        }
        self.left(String::new(), texts(date), false);
    }

    fn left(&mut self, heading: String, texts: Vec<String>, even_empty: bool) {
        if even_empty || !texts.is_empty() {
            self.not_placed.push(NotPlaced { heading, texts });
        }
    }

    fn finish(mut self, address: Option<&str>, told: &Told) -> GatewayDraft {
        let name = vocabulary::states().label(&self.state, &self.tag).to_owned();
        let title = self.title.take().unwrap_or_else(|| name.clone());
        let mut subject = Map::new();
        subject.insert("title".to_owned(), json!({ self.tag.as_str(): title }));
        if self.standing {
            subject.insert("mechanism_status".to_owned(), "standing".into());
        }
        for (field, blocks) in std::mem::take(&mut self.fields) {
            let (value, left) = values::value(field, blocks, &self.tag);
            subject.extend(value.map(|value| (field.name.to_owned(), value)));
            if !subject.contains_key(field.name) {
                self.placed.retain(|placed| placed.field != field.name);
            }
            self.left(field.label("en").to_owned(), left, false);
        }
        subject.insert("states".to_owned(), json!([self.state]));
        subject.insert("language".to_owned(), self.tag.as_str().into());
        subject.insert("basis".to_owned(), "compiled-from-public-sources".into());
        let retrieved = told.retrieved.clone().map(|day| ("retrieved".to_owned(), day.into()));
        subject.extend(retrieved);
        let sources = subject.entry("sources").or_insert_with(|| json!([]));
        if let Some(sources) = sources.as_array_mut() {
            let known = |source: &Value| {
                source.get("url").and_then(Value::as_str).is_some_and(|url| Some(url) == address)
            };
            if sources.is_empty() || address.is_some() && !sources.iter().any(known) {
                let mut source = json!({ "title": format!("{GATEWAY}: {name}") });
                if let (Some(source), Some(address)) = (source.as_object_mut(), address) {
                    source.insert("url".to_owned(), address.into());
                }
                sources.insert(0, source);
            }
        }
        subject.entry("local_id").or_insert_with(|| format!("gateway-{}", self.state).into());
        GatewayDraft { subject, placed: self.placed, not_placed: self.not_placed }
    }
}

fn texts(blocks: Vec<Block>) -> Vec<String> {
    blocks.into_iter().map(|block| block.text).collect()
}

fn code(state: &str) -> Result<String, GatewayError> {
    let code = vocabulary::states().find(state).map(|term| term.code.clone());
    let code = code.or_else(|| vocabulary::is_state(state).then(|| state.to_owned()));
    code.ok_or_else(|| GatewayError::UnknownState { state: state.to_owned() })
}

/// The State in an address of the Gateway: `…?name=Costa+Rica`.
fn name_in(address: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    let name = query.split(['&', '#']).find_map(|part| part.strip_prefix("name="))?;
    Some(name.replace('+', " ").replace("%20", " "))
}

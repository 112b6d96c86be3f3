//! A field of a record as something to show: texts with their languages, names of codes, links, lists.
//!
//! What a record holds was written by strangers. What does not have the shape of its field is shown as
//! plain text, and everything is escaped by the template.

use std::fmt;

use askama::Template;
use practice::id::RecordId;
use practice::kinds::{Field, Shape};
use practice::language;
use practice::vocabulary::Vocabulary;
use serde_json::{Map, Value};
use tlog::name::Origin;
use wire::paths::site;

use crate::texts::Texts;

/// Something to show; displayed as HTML, with everything in it escaped.
pub(crate) enum Shown {
    /// A human text in each of its languages.
    Passages(Vec<Passage>),
    /// A few words in the language of the page.
    Plain(String),
    /// Codes, keys, symbols: the same in every language.
    Symbol(String),
    /// An address.
    Link { url: String, text: String },
    /// Short things beside each other.
    Tags(Vec<Tag>),
    /// Things below each other.
    List(Vec<Shown>),
    /// Named things.
    Group(Vec<Labelled>),
    /// Another record.
    Record(Box<Named>),
}

/// A short thing, such as the name of a code.
pub(crate) struct Tag {
    /// In the language of the page.
    pub(crate) name: String,
    /// The page of what is filed under it.
    pub(crate) href: Option<String>,
}

/// A record that a value names.
pub(crate) struct Named {
    pub(crate) origin: Origin,
    pub(crate) id: RecordId,
    /// Its address and title, once it is known to be held.
    pub(crate) held: Option<(String, Passage)>,
    /// What the value says of it.
    pub(crate) members: Vec<Labelled>,
}

/// The template of a value.
#[derive(Template)]
#[template(path = "value.html")]
struct Rendered<'a> {
    value: &'a Shown,
}

/// A text in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// BCP 47.
    pub(crate) lang: String,
    /// `ltr` or `rtl`.
    pub(crate) dir: &'static str,
    /// The name of the language for a reader of the page; empty where there is only one text.
    pub(crate) language: String,
    /// The text.
    pub(crate) text: String,
}

/// A thing with its name.
pub(crate) struct Labelled {
    /// The name of the field, in the language of the page.
    pub(crate) label: String,
    /// What it holds.
    pub(crate) value: Shown,
}

/// Makes values of one record showable.
#[derive(Clone, Copy)]
pub(crate) struct Shower<'a> {
    /// The language of the page.
    pub(crate) texts: &'static Texts,
    /// The language the record was written in.
    pub(crate) source: &'a str,
}

impl Shown {
    /// Whether it files the record under something, rather than telling something.
    pub(crate) fn is_class(&self) -> bool {
        matches!(self, Self::Tags(_) | Self::Plain(_))
    }

    /// Does something with this and everything in it.
    pub(crate) fn each(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        visit(self);
        let members = match self {
            Self::List(items) => return items.iter_mut().for_each(|item| item.each(visit)),
            Self::Group(members) => members,
            Self::Record(named) => &mut named.members,
            _ => return,
        };
        members.iter_mut().for_each(|member| member.value.each(visit));
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Rendered { value: self }.render().map_err(|_| fmt::Error)?)
    }
}

impl Shower<'_> {
    /// `value`, which should have the shape of `field`.
    pub(crate) fn field(self, field: &Field, value: &Value) -> Shown {
        let shown = match (field.shape, value) {
            (Shape::Text, Value::Object(map)) if language::is_map(value) => self.passages(map),
            (Shape::Date, Value::String(date)) => Shown::Plain(self.texts.date(date)),
            (Shape::Code(name), Value::String(code)) => Shown::Plain(self.label(name, code)),
            (Shape::Codes(name), Value::Array(codes)) => self.codes(name, codes),
            (Shape::Language, Value::String(tag)) => Shown::Plain(self.language(tag)),
            (Shape::Languages, Value::Array(tags)) => Shown::Tags(
                tags.iter()
                    .filter_map(Value::as_str)
                    .map(|tag| plain_tag(self.language(tag)))
                    .collect(),
            ),
            (Shape::Url, Value::String(url)) => link(url, url),
            (Shape::Period, Value::Object(period)) => self.period(period),
            (Shape::Object(fields), Value::Object(object)) => self.object(fields, object),
            (Shape::Items(fields), Value::Array(items)) => {
                Shown::List(items.iter().map(|item| self.item(fields, item)).collect())
            }
            _ => self.any(value),
        };
        // A list or group without a name adds nothing around the one thing in it.
        match shown {
            Shown::List(mut items) if items.len() == 1 => {
                items.pop().unwrap_or_else(|| Shown::Plain(String::new()))
            }
            shown => shown,
        }
    }

    /// A value of which nothing is known.
    pub(crate) fn any(self, value: &Value) -> Shown {
        match value {
            Value::Object(map) if language::is_map(value) => self.passages(map),
            Value::Object(map) => {
                let member = |(name, value): (&String, &Value)| Labelled {
                    label: self.label("fields", name),
                    value: self.any(value),
                };
                Shown::Group(map.iter().map(member).collect())
            }
            Value::Array(items) => Shown::List(items.iter().map(|item| self.any(item)).collect()),
            Value::String(text) if is_link(text) => link(text, text),
            Value::String(text) => Shown::Symbol(text.clone()),
            other => Shown::Symbol(other.to_string()),
        }
    }

    /// A language map: the language of the page first, then the source language, then the others.
    pub(crate) fn passages(self, map: &Map<String, Value>) -> Shown {
        let rank = |tag: &str| match tag {
            tag if language::primary(tag) == self.texts.code() => 0,
            tag if tag == self.source => 1,
            _ => 2,
        };
        let mut passages: Vec<Passage> = map
            .iter()
            .filter_map(|(tag, text)| Some(self.passage(tag, text.as_str()?, map.len() > 1)))
            .collect();
        passages.sort_by_key(|passage| rank(&passage.lang));
        Shown::Passages(passages)
    }

    /// One text of a map, the best for the reader of the page.
    pub(crate) fn best(self, map: &Map<String, Value>) -> Option<Passage> {
        let (tag, text) = language::choose(map, self.texts.code(), self.source)?;
        Some(self.passage(tag, text, false))
    }

    /// The name of a language, in the language of the page: its own name may be in a script that the
    /// reader cannot read.
    pub(crate) fn language(self, tag: &str) -> String {
        self.label("languages", tag)
    }

    /// The name of a code of a vocabulary.
    pub(crate) fn label(self, vocabulary: &str, code: &str) -> String {
        let name = Vocabulary::get(vocabulary).map(|list| list.label(code, self.texts.code()));
        name.unwrap_or(code).to_owned()
    }

    fn passage(self, tag: &str, text: &str, named: bool) -> Passage {
        Passage {
            lang: tag.to_owned(),
            dir: language::direction(tag),
            language: if named { self.language(tag) } else { String::new() },
            text: text.to_owned(),
        }
    }

    fn codes(self, vocabulary: &str, codes: &[Value]) -> Shown {
        // Goals and targets are known by their numbers.
        let name = |code: &str| match vocabulary {
            "sdgs" => format!("{code} {}", self.label(vocabulary, code)),
            _ => self.label(vocabulary, code),
        };
        let tag = |code: &Value| match code.as_str() {
            Some(code) => Tag { name: name(code), href: filed(vocabulary, code) },
            None => plain_tag(code.to_string()),
        };
        Shown::Tags(codes.iter().map(tag).collect())
    }

    fn period(self, period: &Map<String, Value>) -> Shown {
        let date =
            |name: &str| period.get(name).and_then(Value::as_str).map(|date| self.texts.date(date));
        let open = |key: &str, date: &str| self.texts.with_words(key, &[("date", date)]);
        Shown::Plain(match (date("from"), date("to")) {
            (Some(from), Some(to)) => format!("{from} – {to}"),
            (Some(from), None) => open("period-from", &from),
            (None, Some(to)) => open("period-to", &to),
            (None, None) => String::new(),
        })
    }

    /// One item of a list: a document is a link with its date and symbol, the rest a group.
    fn item(self, fields: &'static [Field], item: &Value) -> Shown {
        let Value::Object(object) = item else { return self.any(item) };
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let (Some(title), Some(url)) = (text("title"), text("url")) else {
            return self.object(fields, object);
        };
        let mut rest = object.clone();
        rest.retain(|name, _| name != "title" && name != "url");
        match (link(url, title), self.object(fields, &rest)) {
            (document, Shown::Group(mut members)) => {
                let label = self.label("fields", "title");
                members.insert(0, Labelled { label, value: document });
                Shown::Group(members)
            }
            (document, _) => document,
        }
    }

    fn object(self, fields: &'static [Field], object: &Map<String, Value>) -> Shown {
        let known = fields.iter().filter_map(|field| Some((field, object.get(field.name)?)));
        let mut members: Vec<Labelled> = known
            .map(|(field, value)| Labelled {
                label: field.label(self.texts.code()).to_owned(),
                value: self.field(field, value),
            })
            .collect();
        let is_known = |name: &str| fields.iter().any(|field| field.name == name);
        for (name, value) in object.iter().filter(|(name, _)| !is_known(name)) {
            members.push(Labelled { label: name.clone(), value: self.any(value) });
        }
        // The name of the field around it says enough.
        let alone = object.len() == 1 && object.keys().all(|name| is_known(name));
        match members.pop() {
            Some(only) if alone => only.value,
            Some(last) => {
                members.push(last);
                match named(object) {
                    Some((origin, id)) => {
                        Shown::Record(Box::new(Named { origin, id, held: None, members }))
                    }
                    None => Shown::Group(members),
                }
            }
            None => Shown::Plain(String::new()),
        }
    }
}

/// The page of what is filed under a code, if the code is known.
fn filed(vocabulary: &str, code: &str) -> Option<String> {
    Vocabulary::get(vocabulary)?.term(code)?;
    let page = |path: &str| Some(format!("{path}/{code}"));
    let search = |facet: &str| Some(format!("{}?{facet}={code}", site::SEARCH));
    match vocabulary {
        "states" => Some(site::state(code)),
        "practice-topics" => page(site::TOPICS),
        "sdgs" => page(site::SDGS),
        "human-rights-mechanisms" => page(site::HUMAN_RIGHTS_MECHANISMS),
        "capacities" => search("capacity"),
        "themes" => search("theme"),
        "affected-persons" => search("persons"),
        "regional-groups" => search("region"),
        _ => None,
    }
}

fn plain_tag(name: String) -> Tag {
    Tag { name, href: None }
}

/// The record that an object names.
fn named(object: &Map<String, Value>) -> Option<(Origin, RecordId)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    Some((Origin::parse(text("feed")?).ok()?, text("id")?.parse().ok()?))
}

/// Only addresses of the web become links; anything else is text.
fn link(url: &str, text: &str) -> Shown {
    if is_link(url) {
        Shown::Link { url: url.to_owned(), text: text.to_owned() }
    } else {
        Shown::Symbol(text.to_owned())
    }
}

fn is_link(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    web && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

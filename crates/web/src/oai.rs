//! OAI-PMH 2.0: libraries and repositories harvest every public record held here, then what changed since,
//! withdrawals included.
//!
//! Faults of a harvester are answered as the protocol says, in XML with status 200; what fails here is a
//! problem like any other, and 503 asks to come back.

mod formats;
mod item;
mod ledger;
mod request;
mod token;
pub(crate) mod xml;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use feed::row::second_of;
use http::{HeaderMap, Request, Uri};
use practice::id::RecordId;
use practice::vocabulary::Vocabulary;
use tlog::name::Origin;
use wire::{media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::content::{Content, Keep};
use crate::pages;
use crate::params;
use crate::texts::Texts;

pub(crate) use ledger::Ledger;

use item::{Item, Sets};
use request::{Arguments, Asked, Code, Fault, Format, List, identifier_of, stamp};
use xml::Xml;

/// Records of one answer.
const RECORDS_MAX: usize = 100;
/// Headers of one answer.
const HEADERS_MAX: usize = 500;
/// An answer is ended after so many bytes, before the next record: one of the greatest length has 180 KiB.
const ANSWER_BYTES: usize = 4 << 20;
/// Records looked at together.
const LOOKED_AT: usize = 256;
/// A request by `POST`: seven arguments of a kilobyte.
const REQUEST_BYTES_MAX: usize = 8 << 10;

const NAMESPACE: &str = "http://www.openarchives.org/OAI/2.0/";
const SCHEMA: &str = "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The language of names in answers; the protocol has no place to choose one.
const LANGUAGE: &str = "en";

/// The XML Schema of our own format.
const PRACTICE_SCHEMA: &str = include_str!("../assets/practice.xsd");

/// `GET /oai`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Answer> {
    answer(&app, &headers, &arguments(&uri)).await
}

/// `POST /oai`: the same, with the arguments as a form.
pub(crate) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    request: Request<Body>,
) -> Result<Response, Answer> {
    let form = params::bytes(&app, request, REQUEST_BYTES_MAX).await?;
    let form = String::from_utf8_lossy(&form);
    // Both forms are written alike; what cannot stand in an address has no verb.
    let uri = format!("/?{}", form.trim_end()).parse().unwrap_or_default();
    answer(&app, &headers, &arguments(&uri)).await
}

/// `GET /oai/practice.xsd`
pub(crate) async fn schema(headers: HeaderMap) -> Response {
    Content::loose(PRACTICE_SCHEMA, media::XML).keep(Keep::Day).answer(&headers)
}

fn arguments(uri: &Uri) -> Arguments {
    Query::<Arguments>::try_from_uri(uri).map(|Query(arguments)| arguments).unwrap_or_default()
}

/// One request, while it is answered.
struct Reply<'a> {
    app: &'a App,
    base: String,
    xml: Xml,
}

async fn answer(app: &App, headers: &HeaderMap, given: &Arguments) -> Result<Response, Answer> {
    let base = app.base_url.clone().unwrap_or_else(|| pages::base_asked_for(headers));
    let here = paths::below(&base, paths::OAI);
    let location = format!("{NAMESPACE} {SCHEMA}");
    let root =
        [("xmlns", NAMESPACE), ("xmlns:xsi", INSTANCE), ("xsi:schemaLocation", location.as_str())];
    let mut xml = Xml::new();
    xml.open("OAI-PMH", &root);
    // Before the first look at what there is: whoever asks again from this time on misses nothing.
    xml.leaf("responseDate", &[], &stamp(app.feeds.clock().now()));
    let mut reply = Reply { app, base, xml: Xml::part() };
    let done = match request::read(given) {
        Ok(asked) => reply.write(asked).await?,
        Err(fault) => Err(fault),
    };
    let mut repeated: Vec<_> =
        given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    match done {
        Ok(()) => {
            xml.leaf("request", &repeated, &here);
            xml.append(reply.xml);
        }
        Err(fault) => {
            repeated.retain(|_| fault.code.is_about_a_sound_request());
            xml.leaf("request", &repeated, &here);
            xml.leaf("error", &[("code", fault.code.as_str())], &fault.words);
        }
    }
    Ok(Content::loose(xml.finish(), media::XML).answer(headers))
}

impl Reply<'_> {
    async fn write(&mut self, asked: Asked) -> Result<Result<(), Fault>, Answer> {
        match asked {
            Asked::Identify => self.identify().await?,
            Asked::Formats { of } => {
                if let Some((origin, id)) = of
                    && self.find(&origin, &id).await?.is_none()
                {
                    return Ok(Err(no_such_record()));
                }
                self.formats();
            }
            Asked::Sets => self.sets(),
            Asked::Record { of: (origin, id), format } => {
                let Some(item) = self.find(&origin, &id).await? else {
                    return Ok(Err(no_such_record()));
                };
                self.xml.open("GetRecord", &[]);
                self.record(&item, format);
                self.xml.close();
            }
            Asked::List { whole, list } => return self.list(whole, list).await,
        }
        Ok(Ok(()))
    }

    async fn identify(&mut self) -> Result<(), Answer> {
        self.catch_up().await?;
        let texts = Texts::of(LANGUAGE);
        let node = self.app.feeds.node();
        let name =
            texts.map_or_else(|| node.to_string(), |texts| pages::site_name(self.app, texts));
        let oldest = self.app.oai.oldest().map_or_else(|| self.app.feeds.clock().now(), second_of);
        self.xml.open("Identify", &[]);
        self.xml.leaf("repositoryName", &[], &name);
        self.xml.leaf("baseURL", &[], &paths::below(&self.base, paths::OAI));
        self.xml.leaf("protocolVersion", &[], "2.0");
        self.xml.leaf("adminEmail", &[], &self.address());
        self.xml.leaf("earliestDatestamp", &[], &stamp(oldest));
        self.xml.leaf("deletedRecord", &[], "persistent");
        self.xml.leaf("granularity", &[], "YYYY-MM-DDThh:mm:ssZ");
        self.xml.leaf("compression", &[], "gzip");
        self.xml.close();
        Ok(())
    }

    /// An address for the one element that must have one: of the site, of the node record, or one that says
    /// that none was given.
    fn address(&self) -> String {
        let node = self.app.feeds.node();
        let record = || pages::node_subject(self.app, node)?.contact?.email;
        let is_address = |text: &String| {
            let parts = text.split_once('@');
            let plain = !text.contains(|letter: char| letter.is_whitespace() || letter == ':');
            plain && parts.is_some_and(|(name, host)| !name.is_empty() && is_host(host))
        };
        let given = self.app.site.contact.clone().filter(is_address);
        given
            .or_else(|| record().filter(is_address))
            .unwrap_or_else(|| format!("no-address@{node}"))
    }

    fn formats(&mut self) {
        self.xml.open("ListMetadataFormats", &[]);
        for format in Format::ALL {
            self.xml.open("metadataFormat", &[]);
            self.xml.leaf("metadataPrefix", &[], format.prefix());
            self.xml.leaf("schema", &[], &format.schema(&self.base));
            self.xml.leaf("metadataNamespace", &[], format.namespace());
            self.xml.close();
        }
        self.xml.close();
    }

    fn sets(&mut self) {
        self.xml.open("ListSets", &[]);
        for (top, name, vocabulary) in [
            ("kind", "Kinds of record", "record-kinds"),
            ("region", "Regional groups of the United Nations", "regional-groups"),
            ("state", "States", "states"),
            ("topic", "Topics", "practice-topics"),
            ("language", "Languages", "languages"),
        ] {
            self.set(top, name);
            for term in
                Vocabulary::get(vocabulary).into_iter().flat_map(|list| list.sorted(LANGUAGE))
            {
                self.set(&format!("{top}:{}", term.code), term.label(LANGUAGE));
            }
        }
        self.xml.close();
    }

    fn set(&mut self, spec: &str, name: &str) {
        self.xml.open("set", &[]);
        self.xml.leaf("setSpec", &[], spec);
        self.xml.leaf("setName", &[], name);
        self.xml.close();
    }

    async fn list(&mut self, whole: bool, mut list: List) -> Result<Result<(), Fault>, Answer> {
        self.catch_up().await?;
        let begun = list.cursor;
        let (limit, name) =
            if whole { (RECORDS_MAX, "ListRecords") } else { (HEADERS_MAX, "ListIdentifiers") };
        let mut given = 0;
        // One record more than is given tells whether there are more.
        let mut more = false;
        let mut at = list.after;
        let from = list.from.map_or(0, feed::row::first_sequence_of);
        self.xml.open(name, &[]);
        'pages: loop {
            let places = self.app.oai.after(at.max(from.saturating_sub(1)), LOOKED_AT);
            if places.is_empty() {
                break;
            }
            // A large collection without a match must not hold up others.
            tokio::task::yield_now().await;
            for place in &places {
                at = place.sequence;
                if list.until.is_some_and(|until| second_of(place.sequence) > until) {
                    break 'pages;
                }
                let fits = |sets: &Sets| list.set.as_deref().is_none_or(|set| sets.meet(set));
                if self.app.oai.sets(place).is_some_and(|sets| !fits(&sets)) {
                    continue;
                }
                let Some(item) = Item::read(self.app, place).await? else { continue };
                self.app.oai.keep_sets(place, &item.sets);
                if !fits(&item.sets) {
                    continue;
                }
                if given == limit || (given > 0 && self.xml.bytes() > ANSWER_BYTES) {
                    more = true;
                    break 'pages;
                }
                if whole {
                    self.record(&item, list.format);
                } else {
                    self.header(&item);
                }
                given += 1;
                list.after = place.sequence;
            }
        }
        if given == 0 {
            return Ok(Err(Fault::new(Code::NoRecordsMatch, "no record matches")));
        }
        list.cursor += given as u64;
        let cursor = begun.to_string();
        if more {
            self.xml.leaf("resumptionToken", &[("cursor", &cursor)], &token::write(&list));
        } else if begun > 0 {
            self.xml.leaf("resumptionToken", &[("cursor", &cursor)], "");
        }
        self.xml.close();
        Ok(Ok(()))
    }

    fn record(&mut self, item: &Item, format: Format) {
        self.xml.open("record", &[]);
        self.header(item);
        if let Some(live) = &item.live {
            self.xml.open("metadata", &[]);
            format.write(&mut self.xml, self.app, &self.base, item, live);
            self.xml.close();
        }
        self.xml.close();
    }

    fn header(&mut self, item: &Item) {
        let gone = [("status", "deleted")];
        self.xml.open("header", if item.live.is_some() { &[] } else { &gone });
        self.xml.leaf("identifier", &[], &identifier_of(&item.origin, &item.id));
        self.xml.leaf("datestamp", &[], &stamp(second_of(item.sequence)));
        for name in item.sets.names() {
            self.xml.leaf("setSpec", &[], name);
        }
        self.xml.close();
    }

    /// One record, of a feed that everybody may read.
    async fn find(&self, origin: &Origin, id: &RecordId) -> Result<Option<Item>, Answer> {
        self.catch_up().await?;
        match self.app.oai.find(self.app.feeds.catalog().as_ref(), origin, id)? {
            Some(place) => Item::read(self.app, &place).await,
            None => Ok(None),
        }
    }

    async fn catch_up(&self) -> Result<(), Answer> {
        let (ledger, catalog) = (Arc::clone(&self.app.oai), Arc::clone(self.app.feeds.catalog()));
        let work = tokio::task::spawn_blocking(move || ledger.catch_up(catalog.as_ref()));
        Ok(work.await.map_err(|_| Answer::Busy)??)
    }
}

fn is_host(host: &str) -> bool {
    !host.contains('@')
        && host.split('.').count() > 1
        && host.split('.').all(|label| !label.is_empty())
}

fn no_such_record() -> Fault {
    Fault::new(Code::IdDoesNotExist, "there is no such record here")
}

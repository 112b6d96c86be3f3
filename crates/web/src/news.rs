//! What is new among the records of a search, as Atom (RFC 4287) and as JSON Feed 1.1.
//!
//! One mechanism for every feed of news: the address of a search, with its words and filters, gives the
//! news of a State, a topic, a language or a feed. What was withdrawn stands there as a tombstone
//! (RFC 6721), so that whoever showed a record takes it down. By which filters an erased record was found
//! nobody knows any more: its tombstone stands wherever it may have been.

use axum::extract::State;
use axum::response::Response;
use feed::search::{Order, Query, Withdrawn};
use http::HeaderMap;
use practice::vocabulary::{self, Vocabulary};
use serde_json::{Value, json};
use tlog::name::NodeName;
use wire::{media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::content::Content;
use crate::found::{self, Found};
use crate::oai::xml::Xml;
use crate::pages::{Reader, node_name, search_value, site_name, without_controls};
use crate::search_api::strict;
use crate::search_form::SearchForm;
use crate::texts::iso;

/// Records in a feed that is not asked for more or fewer.
const RECORDS: usize = 50;

/// The year of the first node names, for identifiers after RFC 4151 that no change of an address changes.
const TAG_YEAR: &str = "2026";

const ATOM: &str = "http://www.w3.org/2005/Atom";
const TOMBSTONES: &str = "http://purl.org/atompub/tombstones/1.0";
const JSON_FEED: &str = "https://jsonfeed.org/version/1.1";

/// A page of news.
struct News<'a> {
    app: &'a App,
    reader: &'a Reader,
    /// As it was asked for, but for what is the same in every feed of news.
    form: SearchForm,
    title: String,
    found: Vec<Found>,
    more: bool,
}

/// `GET /search.atom`
pub(crate) async fn atom(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let news = News::read(&app, &reader).await?;
    let mut response = Content::loose(news.atom(), media::ATOM).answer(&headers);
    reader.mark(response.headers_mut());
    Ok(response)
}

/// `GET /search.json-feed`
pub(crate) async fn json_feed(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let news = News::read(&app, &reader).await?;
    let text = format!("{:#}\n", news.json());
    let mut response = Content::loose(text, media::JSON_FEED).answer(&headers);
    reader.mark(response.headers_mut());
    Ok(response)
}

impl<'a> News<'a> {
    async fn read(app: &'a App, reader: &'a Reader) -> Result<Self, Answer> {
        let mut form = SearchForm { order: None, ..strict(reader.query())? };
        if form.withdrawn == Withdrawn::With {
            form.withdrawn = Withdrawn::Without;
        }
        let texts = reader.texts();
        let limit = form.limit.unwrap_or(RECORDS);
        let mut query = form.query(texts.code(), limit, &[]);
        (query.order, query.erased) = (Order::Newest, true);
        if query.withdrawn == Withdrawn::Without {
            query.withdrawn = Withdrawn::With;
        }
        let hits = found::ask(app, query).await?;
        let beyond = form.page().saturating_mul(limit);
        let more = hits.total > beyond && beyond <= Query::OFFSET_MAX;
        let found = found::look_up(app, reader.caller(), hits.hits, None).await?;
        let chosen =
            form.facets.iter().map(|(facet, value)| search_value(app, *facet, value, texts));
        let words = (!form.text.is_empty()).then(|| form.text.clone());
        let about: Vec<String> = words.into_iter().chain(chosen).collect();
        let site = site_name(app, texts);
        let title = match about.is_empty() {
            true => site,
            false => format!("{site} – {}", texts.listed(&about)),
        };
        Ok(Self { app, reader, form, title: without_controls(title), found, more })
    }

    /// The path of these news at `path`, on another page; in the language that was asked for, which the
    /// next reader of the address may prefer another to.
    fn path(&self, path: &str, page: usize) -> String {
        self.reader.link(&self.form.on_page(page).address(path))
    }

    /// The address of these news at `path`, on another page.
    fn address(&self, path: &str, page: usize) -> String {
        self.reader.address(&self.path(path, page))
    }

    /// The address of the page of a record.
    fn page_of(&self, found: &Found) -> String {
        let hit = &found.hit;
        self.reader.address(&self.reader.link(&paths::record(&hit.origin, &hit.id)))
    }

    /// When the newest of them changed; with none, the beginning of time.
    fn updated(&self) -> String {
        let newest = self.found.iter().map(|found| found.hit.changed).max().unwrap_or_default();
        time(newest)
    }

    fn atom(&self) -> String {
        let texts = self.reader.texts();
        let page = self.form.page();
        let mut xml = Xml::new();
        let root = [("xmlns", ATOM), ("xmlns:at", TOMBSTONES), ("xml:lang", texts.code())];
        xml.open("feed", &root);
        let id = tag(self.app.feeds.node(), &self.path(paths::site::SEARCH_ATOM, 1));
        xml.leaf("id", &[], &id);
        xml.leaf("title", &[], &self.title);
        xml.leaf("updated", &[], &self.updated());
        xml.open("author", &[]);
        xml.leaf("name", &[], &site_name(self.app, texts));
        xml.close();
        xml.leaf("generator", &[("version", env!("CARGO_PKG_VERSION"))], "jopoi");
        let mut links = vec![
            ("self", self.address(paths::site::SEARCH_ATOM, page)),
            ("first", self.address(paths::site::SEARCH_ATOM, 1)),
            ("alternate", self.address(paths::site::SEARCH, 1)),
        ];
        if page > 1 {
            links.push(("previous", self.address(paths::site::SEARCH_ATOM, page - 1)));
        }
        if self.more {
            links.push(("next", self.address(paths::site::SEARCH_ATOM, page + 1)));
        }
        for (relation, href) in &links {
            let media = if *relation == "alternate" { "text/html" } else { "application/atom+xml" };
            xml.leaf("link", &[("rel", relation), ("type", media), ("href", href)], "");
        }
        for found in &self.found {
            match (found.hit.withdrawn, found.withdrawn) {
                (_, true) => self.tombstone(&mut xml, found),
                (false, false) => self.entry(&mut xml, found),
                // Its text is not here at present: nothing is said, and nobody takes it down.
                (true, false) => {}
            }
        }
        xml.finish()
    }

    fn entry(&self, xml: &mut Xml, found: &Found) {
        let hit = &found.hit;
        let texts = self.reader.texts();
        let language: &[(&str, &str)] = &[("xml:lang", hit.language.as_str())];
        let language = if hit.language.is_empty() { &[] } else { language };
        xml.open("entry", &[]);
        xml.leaf("id", &[], &record_tag(found));
        xml.leaf("title", language, &self.name(found));
        xml.leaf("updated", &[], &time(hit.changed));
        xml.open("author", &[]);
        xml.leaf("name", &[], &node_name(self.app, hit.origin.node(), texts));
        xml.close();
        let page = self.page_of(found);
        let body = self.reader.address(&paths::body(&hit.origin, hit.index));
        for (media, href) in [("text/html", page), (media::VC, body)] {
            xml.leaf("link", &[("rel", "alternate"), ("type", media), ("href", &href)], "");
        }
        for (code, label) in self.categories(found) {
            xml.leaf("category", &[("term", &code), ("label", &label)], "");
        }
        xml.leaf("summary", language, &found::words(&hit.excerpt));
        xml.close();
    }

    fn tombstone(&self, xml: &mut Xml, found: &Found) {
        let hit = &found.hit;
        let when = time(hit.changed);
        xml.open("at:deleted-entry", &[("ref", &record_tag(found)), ("when", &when)]);
        let page = self.page_of(found);
        xml.leaf("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &page)], "");
        xml.close();
    }

    fn json(&self) -> Value {
        let texts = self.reader.texts();
        let items = self.found.iter().filter(|found| !found.hit.withdrawn && !found.withdrawn);
        let gone = self.found.iter().filter(|found| found.withdrawn);
        let item = |found: &Found| {
            let hit = &found.hit;
            let tags: Vec<String> =
                self.categories(found).into_iter().map(|(_, name)| name).collect();
            let mut item = json!({
                "id": record_tag(found),
                "url": self.page_of(found),
                "title": self.name(found),
                "content_text": without_controls(found::words(&hit.excerpt)),
                "date_modified": time(hit.changed),
                "authors": [{ "name": node_name(self.app, hit.origin.node(), texts) }],
                "tags": tags,
            });
            if let (Some(item), false) = (item.as_object_mut(), hit.language.is_empty()) {
                item.insert("language".to_owned(), Value::from(hit.language.as_str()));
            }
            item
        };
        let tombstone = |found: &Found| {
            let when = time(found.hit.changed);
            json!({ "id": record_tag(found), "url": self.page_of(found), "when": when })
        };
        let page = self.form.page();
        let mut feed = json!({
            "version": JSON_FEED,
            "title": self.title,
            "home_page_url": self.address(paths::site::SEARCH, 1),
            "feed_url": self.address(paths::site::SEARCH_JSON_FEED, page),
            "language": texts.code(),
            "items": items.map(item).collect::<Vec<_>>(),
            // JSON Feed has no word for what was withdrawn; names that begin so are for extensions.
            "_jopoi": { "withdrawn": gone.map(tombstone).collect::<Vec<_>>() },
        });
        if let (Some(feed), true) = (feed.as_object_mut(), self.more) {
            let next = self.address(paths::site::SEARCH_JSON_FEED, page + 1);
            feed.insert("next_url".to_owned(), Value::from(next));
        }
        feed
    }

    /// Its title; the name of its kind where it has none.
    fn name(&self, found: &Found) -> String {
        let title = found::words(&found.hit.title);
        let title = match (title.trim().is_empty(), &found.kind) {
            (true, Some(kind)) => {
                let kinds = Vocabulary::get("record-kinds");
                let code = self.reader.texts().code();
                kinds.map_or(kind.as_str(), |kinds| kinds.label(kind.as_str(), code)).to_owned()
            }
            _ => title,
        };
        without_controls(title)
    }

    /// Codes and names of its kind and of the States it is about.
    fn categories(&self, found: &Found) -> Vec<(String, String)> {
        let code = self.reader.texts().code();
        let kinds = Vocabulary::get("record-kinds");
        let kind = found.kind.iter().filter_map(|kind| {
            let label = kinds?.label(kind.as_str(), code);
            Some((kind.as_str().to_owned(), label.to_owned()))
        });
        let states = found
            .hit
            .states
            .iter()
            .map(|state| (state.clone(), vocabulary::states().label(state, code).to_owned()));
        kind.chain(states).collect()
    }
}

/// What a record is called in every feed of news, whatever the address it is read at. It holds the name of
/// its feed: equal ids in two feeds are two records, and no feed replaces a record of another.
fn record_tag(found: &Found) -> String {
    let hit = &found.hit;
    let id = hit.id.to_string();
    let id = id.strip_prefix("urn:uuid:").unwrap_or(&id);
    tag(hit.origin.node(), &format!("{}/{id}", hit.origin.feed().as_str()))
}

fn tag(node: &NodeName, specific: &str) -> String {
    format!("tag:{node},{TAG_YEAR}:{specific}")
}

fn time(seconds: i64) -> String {
    iso(u64::try_from(seconds).unwrap_or_default())
}

//! What search engines and those who report a weakness look for: `robots.txt`, the map of the site, and
//! `security.txt` (RFC 9116).

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use feed::feeds::Page;
use feed::search::{Facet, Query};
use http::{HeaderMap, Uri};
use practice::vocabulary::Vocabulary;
use tlog::name::{NodeName, Origin};
use url::form_urlencoded;
use wire::{media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::content::Content;
use crate::found;
use crate::oai::xml::Xml;
use crate::pages::base_asked_for;
use crate::texts::{Texts, iso};

const SITEMAPS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// Entries of a feed in one map: the most that one look at a feed scans, and far below the 50,000 addresses
/// of the protocol.
const ENTRIES: u64 = 4_096;

/// Maps in the index, as the protocol has it.
const MAPS_MAX: usize = 50_000;

/// How long `security.txt` says that it holds. It is made anew each day; RFC 9116 wants less than a year.
const SECURITY_DAYS: u64 = 180;

const DAY_SECONDS: u64 = 86_400;

/// Pages without a record of their own. The search is not among them: its one address in each language is a
/// search, of which there is no end.
const PAGES: [&str; 12] = [
    paths::HOME,
    paths::site::STATES,
    paths::site::TOPICS,
    paths::site::SDGS,
    paths::site::HUMAN_RIGHTS_MECHANISMS,
    paths::site::WITHDRAWALS,
    paths::site::NETWORK_STATUS,
    paths::site::DOWNLOAD,
    paths::PEERS,
    paths::ABOUT,
    paths::site::COST,
    paths::site::ACCESSIBILITY,
];

/// What has a page for each code under which something is filed: its vocabulary, and where the pages are.
const FILED: [(Facet, &str, &str); 4] = [
    (Facet::State, "states", paths::site::STATES),
    (Facet::Topic, "practice-topics", paths::site::TOPICS),
    (Facet::Sdg, "sdgs", paths::site::SDGS),
    (Facet::HumanRightsMechanism, "human-rights-mechanisms", paths::site::HUMAN_RIGHTS_MECHANISMS),
];

/// What a crawler finds elsewhere, or would follow without end.
const NOT_CRAWLED: [&str; 6] = ["/search?", "/search.", "/compare?", "/api/", "/oai", "/download/"];

/// `GET /robots.txt`: every page may be read; what only repeats them in other forms need not be.
pub(crate) async fn robots(State(app): State<App>, headers: HeaderMap) -> Response {
    let mut text = "User-agent: *\n".to_owned();
    for path in NOT_CRAWLED {
        text.push_str(&format!("Disallow: {path}\n"));
    }
    let map = paths::below(&base(&app, &headers), paths::site::SITEMAP);
    text.push_str(&format!("\nSitemap: {map}\n"));
    Content::loose(text, media::TEXT).answer(&headers)
}

/// `GET /.well-known/security.txt`: where to report a weakness, if the operator says where to write.
pub(crate) async fn security(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let contact = app.site.contact.as_deref().map(str::trim).filter(|contact| is_plain(contact));
    let contact = contact.ok_or_else(|| {
        Answer::not_found("contact for reports of a weakness (the operator sets `site.contact`)")
    })?;
    let contact = match contact.starts_with("https:") || contact.starts_with("mailto:") {
        true => contact.to_owned(),
        false => format!("mailto:{contact}"),
    };
    let today = app.feeds.clock().now() / DAY_SECONDS;
    let expires = iso((today + SECURITY_DAYS) * DAY_SECONDS);
    let languages: Vec<&str> = match app.site.languages.as_slice() {
        [] => Texts::all().iter().map(Texts::code).collect(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    let here = paths::below(&base(&app, &headers), paths::site::SECURITY);
    let text = format!(
        "Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {}\nCanonical: {here}\n",
        languages.join(", ")
    );
    Ok(Content::loose(text, media::TEXT).answer(&headers))
}

/// `GET /sitemap.xml`: the index of the maps; `?part=pages` and `?feed=ORIGIN&from=INDEX` are those.
pub(crate) async fn sitemap(
    State(app): State<App>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Answer> {
    let query = uri.query().unwrap_or_default();
    let (mut feed, mut from, mut pages) = (None, 0, false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("part", "pages") => pages = true,
            ("feed", origin) => feed = Origin::parse(origin).ok(),
            ("from", index) => from = paths::number(index).ok_or_else(unreadable)?,
            _ => return Err(unreadable()),
        }
    }
    let base = base(&app, &headers);
    let text = match (feed, pages) {
        (Some(origin), _) => app.aside(move |app| records(app, &base, &origin, from)).await??,
        (None, true) => {
            let fixed = PAGES.iter().map(|path| (*path).to_owned());
            let all = fixed.chain(filed(&app).await).chain(publishers(&app));
            listed("urlset", "url", all.map(|path| paths::below(&base, &path)))
        }
        (None, false) if query.is_empty() => index(&app, &base),
        (None, false) => return Err(unreadable()),
    };
    Ok(Content::loose(text, media::XML).answer(&headers))
}

fn unreadable() -> Answer {
    Answer::bad("a map of this site is asked for as `?part=pages` or `?feed=ORIGIN&from=INDEX`")
}

/// The pages of what something is filed under; none while there is no index to tell.
async fn filed(app: &App) -> Vec<String> {
    let query = Query { count: FILED.map(|(facet, ..)| facet).to_vec(), ..Query::default() };
    let Ok(hits) = found::ask(app, query).await else { return Vec::new() };
    let mut pages = Vec::new();
    for (facet, vocabulary, path) in FILED {
        let counts = hits.counts.get(&facet).map(Vec::as_slice).unwrap_or_default();
        let known =
            |code: &str| Vocabulary::get(vocabulary).is_some_and(|list| list.contains(code));
        let codes = counts.iter().map(|(code, _)| code).filter(|code| known(code));
        // By their codes: the order of the index is that of their numbers.
        let codes: BTreeSet<&String> = codes.collect();
        pages.extend(codes.into_iter().map(|code| format!("{path}/{code}")));
    }
    pages
}

/// The pages of the nodes whose public feeds are held, of the networks, and of their groups.
fn publishers(app: &App) -> Vec<String> {
    let public = app.feeds.origins().into_iter().filter(|origin| !origin.feed().is_restricted());
    let nodes: BTreeSet<NodeName> = public.map(|origin| origin.node().clone()).collect();
    let mut pages: Vec<String> = nodes.iter().map(paths::node).collect();
    for network in app.feeds.networks() {
        let node = network.origin().node();
        pages.push(paths::network(node));
        pages.extend(network.groups().map(|group| paths::site::group(node, &group.id)));
    }
    pages
}

/// One map for the pages, and one for each stretch of each public feed.
fn index(app: &App, base: &str) -> String {
    let own = format!("{}?part=pages", paths::site::SITEMAP);
    let feeds = app.feeds.origins().into_iter().filter(|origin| !origin.feed().is_restricted());
    let maps = feeds.filter_map(|origin| app.feeds.view(&origin)).flat_map(|view| {
        let stretches = view.size().div_ceil(ENTRIES);
        let origin = view.origin.clone();
        (0..stretches).map(move |stretch| {
            format!("{}?feed={origin}&from={}", paths::site::SITEMAP, stretch * ENTRIES)
        })
    });
    let all = std::iter::once(own).chain(maps).take(MAPS_MAX);
    listed("sitemapindex", "sitemap", all.map(|path| paths::below(base, &path)))
}

/// The records whose current version stands in a stretch of a feed.
fn records(app: &App, base: &str, origin: &Origin, from: u64) -> Result<String, Answer> {
    let public = app.feeds.view(origin).filter(|_| !origin.feed().is_restricted());
    let view = public.ok_or_else(|| Answer::not_found(format!("feed `{origin}`")))?;
    if from >= view.size() || !from.is_multiple_of(ENTRIES) {
        return Err(Answer::not_found(format!("map of `{origin}` from entry {from} on")));
    }
    let mut before = from.saturating_add(ENTRIES).min(view.size());
    let mut addresses = Vec::new();
    loop {
        let page = Page { before: Some(before), limit: usize::MAX, kind: None };
        let found = app.feeds.records(origin, &page)?;
        let within = found.records.iter().filter(|record| record.index >= from);
        addresses
            .extend(within.map(|record| paths::below(base, &paths::record(origin, &record.id))));
        match found.next {
            Some(next) if next > from && next < before => before = next,
            _ => break,
        }
    }
    Ok(listed("urlset", "url", addresses.into_iter()))
}

fn listed(
    root: &'static str,
    item: &'static str,
    addresses: impl Iterator<Item = String>,
) -> String {
    let mut xml = Xml::new();
    xml.open(root, &[("xmlns", SITEMAPS)]);
    for address in addresses {
        xml.open(item, &[]);
        xml.leaf("loc", &[], &address);
        xml.close();
    }
    xml.finish()
}

/// An address in one line, as a field of `security.txt` must be.
fn is_plain(contact: &str) -> bool {
    !contact.is_empty() && !contact.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn base(app: &App, headers: &HeaderMap) -> String {
    app.base_url.clone().unwrap_or_else(|| base_asked_for(headers))
}

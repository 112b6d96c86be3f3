//! Pages for people: one layout, complete without a script, in seven languages.
//!
//! A page says what was published and by whom, and never assesses. Names of States come from the
//! vocabulary; a record of a documentation node always says that no State speaks.

mod about;
mod compare;
mod download;
mod export;
mod feed;
mod group;
mod health;
mod home;
mod line;
mod network;
mod network_status;
mod nodes;
mod problem;
mod profile;
mod proof;
mod prose;
mod record;
mod search;
mod shelf;
mod state;
mod states;
mod subjects;
mod value;
mod withdrawals;

use std::collections::BTreeMap;

use ::feed::feeds::{FeedState, View};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, HOST, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Uri};
use practice::language;
use practice::node_record::NodeSubject;
use practice::vocabulary;
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::NodeName;
use wire::api::{Peer, PeerState};
use wire::{media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::content::{Content, Keep};
use crate::params::Params;
use crate::texts::Texts;

pub(crate) use about::about;
pub(crate) use compare::compare;
pub(crate) use download::download;
pub(crate) use export::{profile_docx, profile_json};
pub(crate) use feed::feed;
pub(crate) use group::group;
pub(crate) use health::health;
pub(crate) use home::home;
pub(crate) use network::network;
pub(crate) use network_status::network_status;
pub(crate) use nodes::{node, nodes};
pub(crate) use problem::{problem, problem_answer};
pub(crate) use prose::{accessibility, cost};
pub(crate) use record::record;
pub(crate) use search::{search, sort_values as sort_search_values, value_name as search_value};
pub(crate) use state::state;
pub(crate) use states::states;
pub(crate) use subjects::{goal, goals, mechanism, mechanisms, topic, topics};
pub(crate) use withdrawals::withdrawals;

/// The style sheet of all pages.
const STYLE: &str = include_str!("../assets/style.css");
/// What checks a record in the reader's browser.
const CHECK: &str = include_str!("../assets/check.js");
/// The icon of the site: two open hands, in one line each.
const ICON: &str = include_str!("../assets/icon.svg");

/// The last label of names that no State's node can have; documentation nodes have it (RFC 2606).
const DOCUMENTATION_SUFFIX: &str = ".example";

/// Who reads, in which language, and where.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    texts: &'static Texts,
    /// Whether the language was chosen in the address, so that links carry it on.
    chosen: bool,
    path: String,
    /// What the query holds besides the language.
    query: String,
    headers: HeaderMap,
    /// Who asks.
    caller: Caller,
    /// The address of the node, for commands to copy.
    base: String,
}

/// What the layout needs around every page.
pub(crate) struct Frame {
    texts: &'static Texts,
    chosen: bool,
    path: String,
    site: String,
    node: String,
    contact: Option<String>,
    sample: bool,
    languages: Vec<Choice>,
    /// Whether there is such a page, so that it has an address to be found at.
    exists: bool,
    /// The one address of this page in this language.
    canonical: String,
    /// Its address in whatever language the reader prefers.
    negotiated: String,
    /// The addresses of news about what this page is about.
    news: String,
    json_news: String,
    style: String,
    version: &'static str,
}

/// A language the reader may change to.
struct Choice {
    code: &'static str,
    name: &'static str,
    dir: &'static str,
    href: String,
    /// The same with the name of the server, as search engines want it.
    whole: String,
    current: bool,
}

impl Reader {
    /// The reader behind a request.
    pub(crate) fn of<B>(app: &App, request: &Request<B>) -> Self {
        Self::read(app, request.uri(), request.headers(), app.caller(request.extensions()))
    }

    fn read(app: &App, uri: &Uri, headers: &HeaderMap, caller: Caller) -> Self {
        let query = uri.query().unwrap_or_default();
        let asked = query.split('&').find_map(|part| part.strip_prefix("lang="));
        let chosen = asked.and_then(Texts::of);
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let rest = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("lang="));
        Self {
            texts: chosen.unwrap_or_else(|| Texts::for_reader(accepted, &app.site.languages)),
            chosen: chosen.is_some(),
            path: uri.path().to_owned(),
            query: rest.collect::<Vec<_>>().join("&"),
            headers: headers.clone(),
            caller,
            base: app.base_url.clone().unwrap_or_else(|| base_asked_for(headers)),
        }
    }

    /// The layout around a page about `node`'s records, or about none in particular.
    fn frame(&self, app: &App, about: Option<&NodeName>) -> Frame {
        let languages = Texts::all().iter().map(|texts| {
            let rest =
                if self.query.is_empty() { String::new() } else { format!("{}&", self.query) };
            Choice {
                code: texts.code(),
                name: texts.name(),
                dir: texts.direction(),
                href: format!("{}?{rest}lang={}", self.path, texts.code()),
                whole: self.address(&format!("{}?{rest}lang={}", self.path, texts.code())),
                current: texts.code() == self.texts.code(),
            }
        });
        Frame {
            texts: self.texts,
            chosen: self.chosen,
            path: self.path.clone(),
            site: site_name(app, self.texts),
            node: app.feeds.node().to_string(),
            contact: app.site.contact.clone(),
            sample: app.site.sample || about.is_some_and(is_documentation),
            languages: languages.collect(),
            exists: true,
            canonical: self.address(&self.here(Some(self.texts.code()))),
            negotiated: self.address(&self.here(None)),
            news: self.news(paths::site::SEARCH_ATOM),
            json_news: self.news(paths::site::SEARCH_JSON_FEED),
            style: style_path(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The address of this page, in a language or in the one that the reader prefers.
    fn here(&self, language: Option<&str>) -> String {
        let language = language.map(|code| format!("lang={code}"));
        let rest = (!self.query.is_empty()).then(|| self.query.clone());
        let query: Vec<String> = rest.into_iter().chain(language).collect();
        match query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, query.join("&")),
        }
    }

    /// The address of the news about what this page is about: of its search, State, topic … or feed; else
    /// of everything.
    fn news(&self, path: &str) -> String {
        let mut parts = self.path.split('/').skip(1);
        let filter = match (parts.next(), parts.next(), parts.next()) {
            (Some("search"), None, None) => self.query.clone(),
            (Some("states"), Some(code), None) => format!("state={code}"),
            (Some("topics"), Some(code), None) => format!("topic={code}"),
            (Some("sdgs"), Some(code), None) => format!("sdg={code}"),
            (Some("human-rights-mechanisms"), Some(code), None) => format!("mechanism={code}"),
            (Some("nodes"), Some(node), None) => format!("node={node}"),
            (Some("feeds"), Some(node), Some(feed)) => format!("feed={node}/{feed}"),
            _ => String::new(),
        };
        let language = self.chosen.then(|| format!("lang={}", self.texts.code()));
        let parts: Vec<String> =
            Some(filter).filter(|filter| !filter.is_empty()).into_iter().chain(language).collect();
        match parts.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", parts.join("&")),
        }
    }

    /// A page, as it is sent.
    fn page(&self, page: &impl Template) -> Result<Response, Answer> {
        let content = Content::loose(without_controls(page.render()?), media::HTML);
        let mut response = content.answer(&self.headers);
        set_language(response.headers_mut(), self.texts);
        Ok(response)
    }

    /// The texts of the language that is read.
    pub(crate) fn texts(&self) -> &'static Texts {
        self.texts
    }

    /// What the query holds besides the language.
    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    /// Who asks.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The address of a path of this node.
    pub(crate) fn address(&self, path: &str) -> String {
        paths::below(&self.base, path)
    }

    /// A path of this node, carrying a language that was chosen in the address on.
    pub(crate) fn link(&self, path: &str) -> String {
        carried_on(path, self.chosen.then_some(self.texts))
    }

    /// Says of an answer which language it is in, and on what that depends.
    pub(crate) fn mark(&self, head: &mut HeaderMap) {
        set_language(head, self.texts);
    }

    /// The value of a parameter in the query.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    }

    /// Every value of a parameter in the query.
    fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.split('&').filter_map(move |part| part.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A page without the characters by which a stranger's text could turn round or hide the words beside it:
/// controls, and marks that embed or override a direction.
pub(crate) fn without_controls(mut html: String) -> String {
    let harmful = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || turns_words(c);
    html.retain(|c| !harmful(c));
    html
}

/// Whether it turns round the words after it. Isolates of unknown direction do not: our texts use them.
pub(crate) fn turns_words(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}')
}

impl FromRequestParts<App> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::read(app, &parts.uri, &parts.headers, app.caller(&parts.extensions)))
    }
}

impl Frame {
    /// The text of `key` in the language of the page.
    fn text(&self, key: &str) -> String {
        self.texts.get(key)
    }

    /// Whether this page is the one at `path`, or stands below it.
    fn is_within(&self, path: &str) -> bool {
        let rest = self.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The name of a language, in that of the page.
    fn language(&self, tag: &str) -> String {
        let names = vocabulary::Vocabulary::get("languages");
        names.map_or(tag, |names| names.label(tag, self.texts.code())).to_owned()
    }

    /// A path of this node, carrying a chosen language on; what follows `#` stays at the end.
    fn link_part(&self, path: &str) -> String {
        match path.split_once('#') {
            Some((page, part)) => format!("{}#{part}", self.link(page)),
            None => self.link(path),
        }
    }

    /// A path of this node, carrying a chosen language on.
    fn link(&self, path: &str) -> String {
        carried_on(path, self.chosen.then_some(self.texts))
    }
}

/// A path with the language that was chosen, if one was.
fn carried_on(path: &str, chosen: Option<&Texts>) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    chosen.map_or_else(|| path.to_owned(), |texts| format!("{path}{mark}lang={}", texts.code()))
}

/// `GET /assets/…`: the style sheet, the script and the icon.
pub(crate) async fn asset(params: Params, headers: HeaderMap) -> Result<Response, Answer> {
    let content = match params.text("path")? {
        "style.css" => Content::loose(STYLE, media::CSS),
        "check.js" => Content::loose(CHECK, media::SCRIPT),
        "icon.svg" => Content::loose(ICON, media::SVG),
        other => return Err(Answer::not_found(format!("asset `{other}`"))),
    };
    Ok(content.keep(Keep::Day).answer(&headers))
}

/// Without a configured address, the one that was asked for: it is shown back to whoever asked it, as text.
pub(crate) fn base_asked_for(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // It becomes part of a command: nothing that means something to a shell.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".:-[]".contains(letter);
    let usable = !host.is_empty() && host.chars().all(plain);
    if usable { format!("http://{host}") } else { String::new() }
}

/// Whether this node only documents how things work, so that no State speaks through it.
pub(crate) fn is_documentation(node: &NodeName) -> bool {
    node.as_str().ends_with(DOCUMENTATION_SUFFIX)
}

/// The address of the style sheet, which changes with it.
fn style_path() -> String {
    static MARK: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        Hash::of(STYLE).to_hex().get(..8).unwrap_or_default().to_owned()
    });
    format!("{}?v={}", paths::ASSET.replace("{*path}", "style.css"), *MARK)
}

/// The address of the script, which changes with it.
fn script_path() -> &'static str {
    static PATH: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let mark = Hash::of(CHECK).to_hex().get(..8).unwrap_or_default().to_owned();
        format!("{}?v={mark}", paths::ASSET.replace("{*path}", "check.js"))
    });
    &PATH
}

fn set_language(head: &mut HeaderMap, texts: &Texts) {
    if let Ok(code) = HeaderValue::from_str(texts.code()) {
        head.insert(CONTENT_LANGUAGE, code);
    }
    head.append(VARY, HeaderValue::from_static("accept, accept-language"));
}

/// The title of the site: what the operator wrote, else the node's own name for itself.
pub(crate) fn site_name(app: &App, texts: &Texts) -> String {
    let configured = best_name(&app.site.name, texts);
    let own = || node_name(app, app.feeds.node(), texts);
    configured.unwrap_or_else(own)
}

/// A node's name for people, else its name.
pub(crate) fn node_name(app: &App, node: &NodeName, texts: &Texts) -> String {
    let subject = node_subject(app, node);
    subject.and_then(|subject| best_name(&subject.names, texts)).unwrap_or_else(|| node.to_string())
}

/// What a node says of itself, if it is known here.
pub(crate) fn node_subject(app: &App, node: &NodeName) -> Option<NodeSubject> {
    let body = practice::body::Body::open(app.feeds.node_record(node)?).ok()?;
    serde_json::from_value(body.subject().clone()).ok()
}

/// For whom a node speaks: the name of its State, or of its organization. A documentation node speaks
/// for nobody.
fn speaks_for(subject: &NodeSubject, texts: &Texts) -> Option<String> {
    if is_documentation(&subject.node) {
        return None;
    }
    match (&subject.state, &subject.organization) {
        (Some(state), _) => Some(vocabulary::states().label(state, texts.code()).to_owned()),
        (None, Some(organization)) => best_name(organization, texts),
        (None, None) => None,
    }
}

fn best_name(names: &BTreeMap<String, String>, texts: &Texts) -> Option<String> {
    let map = names.iter().map(|(tag, name)| (tag.clone(), Value::from(name.as_str()))).collect();
    let (_, name) = language::choose(&map, texts.code(), "en")?;
    Some(name.to_owned())
}

/// The words where two versions of a feed were received: what is shown, and that it is being cleared up.
/// Nothing is said of whose doing it is.
fn two_versions(view: &View, texts: &Texts) -> Option<String> {
    let entries = texts.count("entries", view.size());
    let stands_still = matches!(view.state, FeedState::Forked { .. });
    stands_still.then(|| texts.with("status-two-versions", &[("entries", &entries)]))
}

/// How a feed stands, in neutral words: what is wrong is for operators, never beside a State's name.
fn status(view: &View, peers: &[Peer], texts: &Texts) -> String {
    if let Some(words) = two_versions(view, texts) {
        return words;
    }
    if let FeedState::Continued { by, .. } = &view.state {
        return texts.with("status-continued", &[("feed", by.feed().as_str())]);
    }
    let peer = peers.iter().find(|peer| peer.node == *view.origin.node());
    let key = match (view.own, &view.state, peer.map(|peer| peer.state)) {
        (true, ..) => "status-own",
        (false, FeedState::Open, Some(PeerState::Healthy)) => "status-current",
        (false, FeedState::Open, Some(PeerState::New) | None) => "status-held",
        (false, FeedState::Open, Some(PeerState::Failing | PeerState::Dormant)) => "status-waiting",
        (false, ..) => "status-held",
    };
    texts.get(key)
}

//! The search page: a form, what was chosen, what was found, and by what to narrow it down.
//!
//! Everything is in the address, so that a search can be sent to a colleague; nothing needs a script.
//! States stand in the alphabetical order of the reader's language, never by their numbers.

mod facets;
mod hit;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::search::{Facet, Hits, Order, Query, Withdrawn};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use practice::recommendation::Recommendation;
use wire::paths;

use self::facets::{Chip, Drop, Group};
use self::hit::HitLine;
use super::{Frame, Reader};
use crate::answer::Answer;
use crate::app::App;
use crate::found;
use crate::routes::ROUTES;
use crate::search_form::{Fault, SearchForm};
use crate::texts::Texts;

/// Hits on a page: a screen or two on a telephone.
const HITS: usize = 20;

/// After how long a reader may come back while the index is being made.
const RETRY_SECONDS: &str = "30";

/// What else the same search is answered as; offered where this node serves it.
const FORMS: [(&str, &str); 4] = [
    ("CSV", paths::site::SEARCH_CSV),
    ("JSON", paths::site::API_SEARCH),
    ("Atom", paths::site::SEARCH_ATOM),
    ("JSON Feed", paths::site::SEARCH_JSON_FEED),
];

/// Changes that the index may be behind before a reader is told: what arrives in a moment is not missed.
const BEHIND_MAX: u64 = 1_000;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    title: String,
    text: String,
    /// What the form sends besides its text.
    kept: Vec<(&'static str, String)>,
    chips: Vec<Chip>,
    /// What of the address could not be read, and what was not found ready.
    notices: Vec<String>,
    /// The address without what could not be read or is not there, and what the link is called.
    way_out: Option<(String, String)>,
    /// The recommendation that was asked for.
    recommendation: Option<String>,
    found: Option<Results>,
}

struct Results {
    total: String,
    hits: Vec<HitLine>,
    drops: Vec<Drop>,
    all: String,
    groups: Vec<Group>,
    orders: Vec<Choice>,
    withdrawn: Vec<Choice>,
    previous: Option<String>,
    next: Option<String>,
    place: Option<String>,
    forms: Vec<(&'static str, String)>,
}

/// One of a few ways to look at the same.
struct Choice {
    text: String,
    href: String,
    current: bool,
}

/// `GET /search`
pub(crate) async fn search(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let form = SearchForm::read(&reader.query);
    let recommendation = Recommendation::find(&form.text);
    let mut page = page(&app, &reader, &form, recommendation.as_ref());
    if form.faults.iter().any(Fault::stops_a_page) {
        page.lead_out(&form, reader.texts.get("search-readable"));
        return refused(&reader, page, StatusCode::BAD_REQUEST);
    }
    let Some(index) = &app.search else {
        page.notices.push(reader.texts.get("search-no-index"));
        let mut response = refused(&reader, page, StatusCode::SERVICE_UNAVAILABLE)?;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        return Ok(response);
    };
    let progress = index.progress();
    if progress.sequence + BEHIND_MAX < progress.of {
        page.notices.push(reader.texts.get("search-behind"));
    }
    let query = form.query(reader.texts.code(), HITS, &facets::SHOWN);
    let offset = query.offset;
    let hits = match offset <= Query::OFFSET_MAX {
        true => Some(found::ask(&app, query).await?),
        false => None,
    };
    // The first page is there even if nothing is on it.
    let Some(hits) = hits.filter(|hits| offset == 0 || offset < hits.total) else {
        page.notices.push(reader.texts.get("search-no-page"));
        page.lead_out(&form, reader.texts.get("search-first-page"));
        return refused(&reader, page, StatusCode::NOT_FOUND);
    };
    page.found = Some(results(&app, &reader, &form, hits, recommendation.as_ref()).await?);
    reader.page(&page)
}

/// The page with a status that says there is no such one.
fn refused(reader: &Reader, mut page: SearchPage, status: StatusCode) -> Result<Response, Answer> {
    page.frame.exists = false;
    let mut response = reader.page(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

fn page(
    app: &App,
    reader: &Reader,
    form: &SearchForm,
    recommendation: Option<&Recommendation>,
) -> SearchPage {
    let texts = reader.texts;
    let heading = texts.get("search");
    SearchPage {
        frame: reader.frame(app, None),
        title: match form.text.is_empty() {
            true => heading,
            false => format!("{} – {heading}", beginning(&form.text)),
        },
        text: form.text.clone(),
        kept: form.on_page(1).parts().into_iter().filter(|(name, _)| *name != "q").collect(),
        chips: facets::chips(app, form, texts),
        notices: form.faults.iter().filter_map(|fault| fault_words(fault, texts)).collect(),
        way_out: None,
        recommendation: recommendation.map(|wanted| recommendation_words(wanted, texts)),
        found: None,
    }
}

async fn results(
    app: &App,
    reader: &Reader,
    form: &SearchForm,
    hits: Hits,
    recommendation: Option<&Recommendation>,
) -> Result<Results, Answer> {
    let texts = reader.texts;
    let here = |form: &SearchForm| form.address(paths::site::SEARCH);
    let (page, total) = (form.page(), hits.total);
    let reachable = total.min(Query::OFFSET_MAX + HITS).div_ceil(HITS);
    let drops = if total == 0 { drops(app, form, &hits, texts).await? } else { Vec::new() };
    let groups = facets::groups(app, form, hits.counts, texts);
    let found = found::look_up(app, &reader.caller, hits.hits, recommendation).await?;
    Ok(Results {
        total: texts.count("search-records", u64::try_from(total).unwrap_or(u64::MAX)),
        hits: found.iter().map(|found| hit::line(app, found, texts)).collect(),
        drops,
        all: here(&SearchForm::default()),
        groups,
        orders: orders(form, texts),
        withdrawn: withdrawn(form, texts),
        previous: (page > 1).then(|| here(&form.on_page(page - 1))),
        next: (page < reachable).then(|| here(&form.on_page(page + 1))),
        place: (reachable > 1).then(|| {
            let (count, of) = (page.to_string(), reachable.to_string());
            texts.with("search-page", &[("count", &count), ("of", &of)])
        }),
        forms: FORMS
            .into_iter()
            .filter(|(_, path)| ROUTES.iter().any(|route| route.pattern == *path))
            .map(|(name, path)| (name, form.on_page(1).address(path)))
            .collect(),
    })
}

/// What to drop where nothing was found: each filter that helps, and the words.
async fn drops(
    app: &App,
    form: &SearchForm,
    hits: &Hits,
    texts: &'static Texts,
) -> Result<Vec<Drop>, Answer> {
    let mut drops = facets::drops(app, form, hits, texts);
    let mut wider: Vec<(String, SearchForm)> = facets::chosen_twice(form)
        .into_iter()
        .map(|facet| (facets::without(facet, texts), form.without_facet(facet)))
        .collect();
    if !form.text.is_empty() && !form.facets.is_empty() {
        wider.push((texts.get("search-without-words"), form.without_text()));
    }
    for (text, wider) in wider {
        let count = found::ask(app, wider.query(texts.code(), 1, &[])).await?.total;
        if count > 0 {
            let href = wider.address(paths::site::SEARCH);
            drops.push(Drop { text, count: facets::count(count, texts), href });
        }
    }
    Ok(drops)
}

fn orders(form: &SearchForm, texts: &Texts) -> Vec<Choice> {
    // Without words nothing fits better than another.
    if form.text.is_empty() {
        return Vec::new();
    }
    let choice = |order: Order, key: &str| Choice {
        text: texts.get(key),
        href: form.ordered(order).address(paths::site::SEARCH),
        current: form.order() == order,
    };
    vec![
        choice(Order::Relevance, "search-order-relevance"),
        choice(Order::Newest, "search-order-newest"),
    ]
}

fn withdrawn(form: &SearchForm, texts: &Texts) -> Vec<Choice> {
    let choice = |withdrawn: Withdrawn, key: &str| Choice {
        text: texts.get(key),
        href: form.with_withdrawn(withdrawn).address(paths::site::SEARCH),
        current: form.withdrawn == withdrawn,
    };
    vec![
        choice(Withdrawn::Without, "search-withdrawn-without"),
        choice(Withdrawn::With, "search-withdrawn-with"),
        choice(Withdrawn::Only, "search-withdrawn-only"),
    ]
}

/// A fault in the language of the page; those that only programs are told are none.
fn fault_words(fault: &Fault, texts: &Texts) -> Option<String> {
    let quoted = |text: &str| format!("\u{2068}{text}\u{2069}");
    Some(match fault {
        Fault::TooLong { .. } => texts.get("search-too-long"),
        Fault::Choice { facet, value } => texts.with(
            "search-bad-choice",
            &[("group", &facets::name(*facet, texts)), ("reason", &quoted(value))],
        ),
        Fault::Word { name, value, .. } => {
            texts.with("search-bad-word", &[("reason", &quoted(&format!("{name}={value}")))])
        }
        Fault::Choices => {
            texts.with("search-bad-choices", &[("of", &Query::CHOICES_MAX.to_string())])
        }
        Fault::Parameter { .. } => return None,
    })
}

fn recommendation_words(wanted: &Recommendation, texts: &Texts) -> String {
    let symbol = format!("\u{2068}{}\u{2069}", wanted.symbol);
    match &wanted.paragraph {
        Some(paragraph) => {
            let paragraph = format!("\u{2068}{paragraph}\u{2069}");
            texts.with("search-answers-paragraph", &[("reason", &symbol), ("index", &paragraph)])
        }
        None => texts.with("search-answers", &[("reason", &symbol)]),
    }
}

/// The first words of a text, for the title of a window.
fn beginning(text: &str) -> String {
    const CHARS: usize = 60;
    match text.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl SearchPage {
    /// Links to the first page of what was asked for, by `words`.
    fn lead_out(&mut self, form: &SearchForm, words: String) {
        self.way_out = Some((form.on_page(1).address(paths::site::SEARCH), words));
    }
}

impl Results {
    fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }
}

/// Puts the values of a filter into the order of the page, for the API too.
pub(crate) fn sort_values(facet: Facet, values: &mut [(String, usize)], texts: &Texts) {
    facets::sort(facet, values, texts);
}

/// What a value of a filter is called, for the API too.
pub(crate) fn value_name(app: &App, facet: Facet, value: &str, texts: &Texts) -> String {
    facets::value(app, facet, value, texts)
}

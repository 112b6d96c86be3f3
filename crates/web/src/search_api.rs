//! What was found, for programs and for spreadsheets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use feed::search::{Facet, Part, Query};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderValue};
use practice::recommendation::Recommendation;
use tokio::sync::Semaphore;
use wire::api::search as answers;
use wire::{media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::content::Content;
use crate::found::{self, Found};
use crate::pages::{Reader, search_value, sort_search_values};
use crate::search_form::SearchForm;
use crate::texts::{Texts, iso};

/// Hits in an answer that is not asked for more or fewer.
const HITS: usize = 50;

/// Rows of a table: as far as the pages of a search go.
const ROWS_MAX: usize = Query::OFFSET_MAX;

/// Tables made at the same time. Each asks the index up to fifty times, while readers wait for pages.
static TABLES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// A spreadsheet that opens a file by double click takes it for another encoding without this mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const COLUMNS: [&str; 10] =
    ["feed", "id", "entry", "kind", "states", "language", "title", "changed", "withdrawn", "page"];

/// `GET /api/v1/search?q=&kind=&state=…&order=&withdrawn=&page=&limit=`
pub(crate) async fn json(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let form = strict(reader.query())?;
    let wanted = Recommendation::find(&form.text);
    let texts = reader.texts();
    let limit = form.limit.unwrap_or(HITS);
    let mut query = form.query(texts.code(), limit, &Facet::ALL);
    // Whoever may read a restricted feed finds in it too; the answer is then kept by nobody else.
    query.readable = app.origins(reader.caller());
    query.readable.retain(|origin| origin.feed().is_restricted());
    let mut hits = found::ask(&app, query).await?;
    let beyond = form.page().saturating_mul(limit);
    let more = hits.total > beyond && beyond <= Query::OFFSET_MAX;
    let answer = answers::SearchAnswer {
        total: wide(hits.total),
        facets: facets(&app, std::mem::take(&mut hits.counts), texts),
        without: hits.without.iter().map(without).collect(),
        recommendation: wanted.as_ref().map(|wanted| answers::Recommendation {
            symbol: wanted.symbol.clone(),
            paragraph: wanted.paragraph.clone(),
        }),
        next: more
            .then(|| reader.link(&form.on_page(form.page() + 1).address(paths::site::API_SEARCH))),
        hits: found::look_up(&app, reader.caller(), hits.hits, wanted.as_ref())
            .await?
            .iter()
            .map(hit)
            .collect(),
    };
    let mut response = crate::api::json(&answer, &headers);
    reader.mark(response.headers_mut());
    Ok(response)
}

/// `GET /search.csv`: every record found, a row each.
pub(crate) async fn csv(
    State(app): State<App>,
    reader: Reader,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let form = strict(reader.query())?;
    let _place = TABLES.try_acquire().map_err(|_| Answer::Busy)?;
    let mut table = format!("{BYTE_ORDER_MARK}{}\r\n", COLUMNS.join(","));
    let mut at = form.query(reader.texts().code(), Query::HITS_MAX, &[]);
    at.offset = 0;
    while at.offset < ROWS_MAX {
        let hits = found::ask(&app, at.clone()).await?;
        let total = hits.total;
        for found in found::look_up(&app, reader.caller(), hits.hits, None).await? {
            row(&mut table, &found, &reader);
        }
        at.offset += Query::HITS_MAX;
        if at.offset >= total {
            break;
        }
    }
    let mut response = Content::loose(table, media::CSV).answer(&headers);
    let name = HeaderValue::from_static("attachment; filename=\"search.csv\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    reader.mark(response.headers_mut());
    Ok(response)
}

/// A program is told of everything that cannot be read: a filter that is passed over in silence finds what
/// was not asked for.
pub(crate) fn strict(query: &str) -> Result<SearchForm, Answer> {
    let form = SearchForm::read(query);
    if form.faults.is_empty() {
        return Ok(form);
    }
    let words: Vec<String> = form.faults.iter().map(ToString::to_string).collect();
    Err(Answer::bad(words.join("; ")))
}

/// The values of each facet with their numbers, in the order of the search page: nobody is told which State
/// has most.
fn facets(
    app: &App,
    counts: BTreeMap<Facet, Vec<(String, usize)>>,
    texts: &Texts,
) -> BTreeMap<String, Vec<answers::FacetCount>> {
    let counts = counts.into_iter().map(|(facet, mut values)| {
        sort_search_values(facet, &mut values, texts);
        let value = |(value, count): (String, usize)| answers::FacetCount {
            name: search_value(app, facet, &value, texts),
            count: wide(count),
            value,
        };
        (facet.as_str().to_owned(), values.into_iter().map(value).collect())
    });
    counts.collect()
}

fn without((facet, value, count): &(Facet, String, usize)) -> answers::WithoutChoice {
    let (facet, value) = (facet.as_str().to_owned(), value.clone());
    answers::WithoutChoice { facet, value, count: wide(*count) }
}

fn hit(found: &Found) -> answers::SearchHit {
    let hit = &found.hit;
    let at = |path: String| (!hit.withdrawn).then_some(path);
    answers::SearchHit {
        origin: hit.origin.clone(),
        id: hit.id,
        index: hit.index,
        kind: kind(found),
        language: hit.language.clone(),
        title: parts(&hit.title),
        excerpt: parts(&hit.excerpt),
        states: found.hit.states.clone(),
        withdrawn: hit.withdrawn,
        changed: hit.changed,
        answers: found.answers,
        page: paths::record(&hit.origin, &hit.id),
        body: at(paths::body(&hit.origin, hit.index)),
        proof: at(paths::proof(&hit.origin, hit.index)),
    }
}

fn kind(found: &Found) -> String {
    found.kind.as_ref().map_or_else(String::new, |kind| kind.as_str().to_owned())
}

fn parts(parts: &[Part]) -> Vec<answers::TextPart> {
    let part = |part: &Part| answers::TextPart {
        text: part.text().to_owned(),
        mark: matches!(part, Part::Marked(_)),
    };
    parts.iter().map(part).collect()
}

fn row(table: &mut String, found: &Found, reader: &Reader) {
    let hit = &found.hit;
    let cells = [
        hit.origin.to_string(),
        hit.id.to_string(),
        hit.index.to_string(),
        kind(found),
        found.hit.states.join(" "),
        hit.language.clone(),
        found::words(&hit.title),
        iso(u64::try_from(hit.changed).unwrap_or_default()),
        if hit.withdrawn { "yes" } else { "no" }.to_owned(),
        reader.address(&paths::record(&hit.origin, &hit.id)),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    table.push_str(&cells.join(","));
    table.push_str("\r\n");
}

/// A cell after RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe, by which
/// it knows a text.
fn cell(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let formula = plain.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let safe = if formula { format!("'{plain}") } else { plain };
    if safe.contains([',', '"', ';']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_its_row() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+44", "'+44"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("＝1", "'＝1"),
            ("a, \"b\"\r\nc", "\"a, \"\"b\"\"  c\""),
            ("=cmd|' /C calc'!A0,x", "\"'=cmd|' /C calc'!A0,x\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}

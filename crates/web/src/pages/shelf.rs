//! Shelves: the newest records of each kind under one heading, on the pages of States, topics and groups.
//!
//! A shelf is a search with its answer cut short; the link below it goes on with the same search.

use feed::feeds::RecordRead;
use feed::search::{Facet, Hit, Order, Query};
use practice::kind::Kind;
use wire::paths::site;

use super::Reader;
use super::line::{self, RecordLine};
use crate::answer::Answer;
use crate::app::App;
use crate::found;

/// Records on one shelf: two rows of a wide page.
const SHELF: usize = 6;

/// What is put on shelves, in this order. Statements about other records stand with those.
const KINDS: [Kind; 9] = [
    Kind::MECHANISM_PROFILE,
    Kind::GOOD_PRACTICE,
    Kind::LESSON_LEARNED,
    Kind::EXCHANGE_OFFER,
    Kind::EXCHANGE_REQUEST,
    Kind::EXCHANGE_ARRANGEMENT,
    Kind::EXCHANGE_REPORT,
    Kind::RESOURCE,
    Kind::EVENT,
];

/// Some records of one kind.
pub(crate) struct Shelf {
    /// The kind, for addresses.
    pub(crate) kind: &'static str,
    /// The kind, in the plural.
    pub(crate) title: String,
    /// The newest.
    pub(crate) lines: Vec<RecordLine>,
    /// Where all of them are, and how many.
    pub(crate) all: (String, String),
}

/// The newest records with a value of a facet.
pub(crate) fn newest(reader: &Reader, facets: Vec<(Facet, String)>, limit: usize) -> Query {
    let language = reader.texts.code().to_owned();
    Query { facets, limit, reader: language, order: Order::Newest, ..Query::default() }
}

/// The shelves of the records with one value of a facet, but for the kinds in `but`.
pub(crate) async fn shelves(
    app: &App,
    reader: &Reader,
    (facet, value): (Facet, &str),
    but: &[Kind],
) -> Result<Vec<Shelf>, Answer> {
    let mut query = newest(reader, vec![(facet, value.to_owned())], 0);
    query.count = vec![Facet::Kind];
    let counts = found::ask(app, query).await?.counts.remove(&Facet::Kind).unwrap_or_default();
    let mut shelves = Vec::new();
    for kind in KINDS.iter().filter(|kind| !but.contains(kind)) {
        let count = counts.iter().find(|(name, count)| name == kind.as_str() && *count > 0);
        let Some((_, count)) = count else { continue };
        let facets = vec![(facet, value.to_owned()), (Facet::Kind, kind.as_str().to_owned())];
        let hits = found::ask(app, newest(reader, facets, SHELF)).await?.hits;
        let read = read(app, reader, &hits).await?;
        let lines = read.iter().map(|read| line::of_read(read, kind, reader.texts)).collect();
        let href = format!("{}?{}={value}&kind={}", site::SEARCH, facet.as_str(), kind.as_str());
        let count = u64::try_from(*count).unwrap_or(u64::MAX);
        shelves.push(Shelf {
            kind: kind.as_str(),
            title: reader.texts.get(&format!("kinds-{}", kind.as_str())),
            lines,
            all: (href, reader.texts.count("shelf-all", count)),
        });
    }
    shelves.retain(|shelf| !shelf.lines.is_empty());
    Ok(shelves)
}

/// The records that were found, as the facts say now: what is gone or was withdrawn since is left out.
pub(crate) async fn read(
    app: &App,
    reader: &Reader,
    hits: &[Hit],
) -> Result<Vec<RecordRead>, Answer> {
    let mut records = Vec::new();
    for hit in hits {
        if app.view(&hit.origin, &reader.caller).is_none() {
            continue;
        }
        let read = app.feeds.record(&hit.origin, &hit.id).await?;
        if read.body.is_some() {
            records.push(read);
        }
    }
    Ok(records)
}

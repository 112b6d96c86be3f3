//! Work E: search over many records of one feed, and how soon a new record is found.
//!
//! The library as a page calls it: titles, excerpts and marks are made, eight facets counted where the row
//! says so; then the same over HTTP. Words are those of the records, as seldom and as often as in prose.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use feed::feeds::Feeds;
use feed::search::{Facet, Query, Search as _};
use search::{Index, Indexer};
use tlog::name::FeedName;
use tokio::net::TcpListener;
use web::{App, Limits, Listener, Site, routes};
use wire::paths;

use crate::Bench;
use crate::host::AUTHOR;
use crate::http::NoPeers;
use crate::meter::{Measured, Meter};
use crate::records::Records;
use crate::side::Side;

/// Queries of each sort in a round.
const QUERIES: u64 = 1_000;
/// Records published one by one to see when each is found.
const NEWS: u64 = 20;
/// A record that is not found by then never will be.
const NEWS_WAIT: Duration = Duration::from_secs(30);
const GROUP: &str = "E: search";

/// What a page counts.
const COUNTED: [Facet; 8] = [
    Facet::Kind,
    Facet::State,
    Facet::Region,
    Facet::Capacity,
    Facet::Topic,
    Facet::Sdg,
    Facet::Language,
    Facet::Year,
];

/// Makes the query of this number.
type Ask = fn(&Records, u64) -> Query;

/// Makes a feed, indexes it, asks.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(of_round(bench))
}

async fn of_round(bench: &mut Bench) -> anyhow::Result<()> {
    let temporary = tempfile::TempDir::new_in(bench.dir.path())?;
    let place = bench.options.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    let (feeds, index) = made(bench, &place).await?;
    let records = Records::new();
    let queries = (QUERIES / bench.options.divide).max(1);
    let sorts: [(&str, Ask); 4] = [
        ("one to three words", words),
        ("the same with eight facets counted", counted),
        ("phrases of two words", phrase),
        ("no words, eight facets counted", browse),
    ];
    for (what, make) in sorts {
        let measured = asked(&index, (0..queries).map(|number| make(&records, number)))?;
        report(bench, what, &measured);
    }
    over_http(bench, &feeds, &index, &records).await?;
    news(bench, &feeds, &index, &records).await
}

/// A feed and its index below `place`: what is kept there, or new.
async fn made(bench: &mut Bench, place: &Path) -> anyhow::Result<(Arc<Feeds>, Index)> {
    let (data, directory) = (place.join("author"), place.join("index"));
    let wanted = bench.options.records;
    let was_there = directory.exists();
    if !data.exists() {
        // A process of its own: what it still does at its end holds the directory.
        Side::Author { dir: data.clone(), entries: wanted }.done()?;
    }
    let meter = Meter::start()?;
    let feeds = AUTHOR.open(&data).await?;
    let index = Index::open(&directory)?;
    let started = meter.stop(1)?;
    let size = feeds.view(&AUTHOR.origin()?).map_or(0, |view| view.size());
    ensure!(size >= wanted, "the feed that is kept has {size} entries, and {wanted} are wanted");
    let before = index.search(&newest())?.total;
    let meter = Meter::start()?;
    Indexer::new(Arc::clone(&feeds), index.clone()).catch_up().await?;
    let total = index.search(&newest())?.total;
    let measured = meter.stop(total.saturating_sub(before) as u64)?;
    let results = &mut bench.results;
    results.add(GROUP, "records", "", total as f64);
    if was_there {
        results.add(GROUP, "node started, with its index", "s", started.seconds);
    }
    if measured.done > 0 {
        results.add(GROUP, "records indexed", "/s", measured.rate());
    }
    results.add(GROUP, "index for a record", "B", bytes_in(&directory)? / total as f64);
    results.add(GROUP, "peak memory with the node", "MiB", measured.peak_mib);
    Ok((feeds, index))
}

/// The same over HTTP, every facet counted, one after the other; server and client in this process.
async fn over_http(
    bench: &mut Bench,
    feeds: &Arc<Feeds>,
    index: &Index,
    records: &Records,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}{}", listener.local_addr()?, paths::site::API_SEARCH);
    let mut app = App::new(Arc::clone(feeds), Arc::new(NoPeers), Site::default(), None);
    app.search = Some(Arc::new(index.clone()));
    let (router, limits) = (routes::public(app), Limits::default());
    let serving = web::serve(Listener::Tcp(listener), router, limits, std::future::pending());
    let serving = tokio::spawn(serving);
    let client = reqwest::Client::new();
    let sorts: [(&str, Ask); 2] = [("words", words), ("phrases", phrase)];
    for (what, make) in sorts {
        let mut latencies = Vec::new();
        for number in 0..(QUERIES / bench.options.divide).max(1) {
            let text = make(records, number).text;
            let url = reqwest::Url::parse_with_params(&address, [("q", text.as_str())])?;
            let begun = Instant::now();
            let answer = client.get(url).send().await?.error_for_status()?.bytes().await?;
            latencies.push(begun.elapsed().as_secs_f64() * 1e6);
            ensure!(!answer.is_empty(), "an empty answer");
        }
        let measured = Measured::default().with_latencies(latencies);
        report(bench, &format!("over HTTP, all facets counted, {what}"), &measured);
    }
    serving.abort();
    Ok(())
}

/// How soon a record is found while the index follows.
async fn news(
    bench: &mut Bench,
    feeds: &Arc<Feeds>,
    index: &Index,
    records: &Records,
) -> anyhow::Result<()> {
    let indexer = Indexer::new(Arc::clone(feeds), index.clone());
    let following = tokio::spawn(async move { indexer.run().await });
    let mut latencies = Vec::new();
    for number in 0..NEWS {
        let before = index.search(&newest())?.total;
        let record = records.publication(bench.options.records + number);
        feeds.publish(&FeedName::public(), vec![record]).await?;
        let begun = Instant::now();
        // All have one time, so that the newest is told by the total.
        while index.search(&newest())?.total <= before {
            ensure!(begun.elapsed() < NEWS_WAIT, "it was not found within {NEWS_WAIT:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        latencies.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    following.abort();
    let measured = Measured::default().with_latencies(latencies);
    report(bench, "a new record is found after", &measured);
    Ok(())
}

fn newest() -> Query {
    Query { limit: 1, ..Query::default() }
}

fn report(bench: &mut Bench, what: &str, measured: &Measured) {
    bench.results.add(GROUP, &format!("{what}, p50"), "us", measured.p50_us);
    bench.results.add(GROUP, &format!("{what}, p99"), "us", measured.p99_us);
}

fn asked(index: &Index, queries: impl Iterator<Item = Query>) -> anyhow::Result<Measured> {
    let mut latencies = Vec::new();
    for query in queries {
        let begun = Instant::now();
        index.search(&query)?;
        latencies.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Measured::default().with_latencies(latencies))
}

fn of_text(text: String) -> Query {
    Query { text, reader: "en".to_owned(), limit: 20, ..Query::default() }
}

fn words(records: &Records, number: u64) -> Query {
    of_text(records.some_words(number, number % 3 + 1))
}

fn counted(records: &Records, number: u64) -> Query {
    Query { count: COUNTED.to_vec(), ..words(records, number) }
}

fn phrase(records: &Records, number: u64) -> Query {
    of_text(format!("\"{}\"", records.some_words(number, 2)))
}

fn browse(_: &Records, _: u64) -> Query {
    Query { count: COUNTED.to_vec(), ..of_text(String::new()) }
}

fn bytes_in(directory: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64)
}

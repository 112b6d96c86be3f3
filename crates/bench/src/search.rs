//! Work E: search over many records of one feed, and how soon a new record is found.
//!
//! The library as a page calls it, without HTTP: titles, excerpts and marks are made, eight facets counted
//! where the row says so. Words are those of the records, as seldom and as often as in prose.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use feed::search::{Facet, Query, Search as _};
use search::{Index, Indexer};
use tlog::name::FeedName;

use crate::Bench;
use crate::host::AUTHOR;
use crate::meter::{Measured, Meter};
use crate::publish;
use crate::records::Records;

/// Queries of each sort in a round.
const QUERIES: u64 = 1_000;
/// Records published one by one to see when each is found.
const NEWS: u64 = 20;
/// A record that is not found by then never will be.
const NEWS_WAIT: Duration = Duration::from_secs(30);
const GROUP: &str = "E: search, on the library";

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
    let dir = tempfile::TempDir::new_in(bench.dir.path())?;
    let (data, place) = (dir.path().join("data"), dir.path().join("index"));
    let entries = bench.options.records + 1;
    publish::author(&data, entries).await?;
    let feeds = AUTHOR.open(&data).await?;
    let index = Index::open(&place)?;
    let indexer = Indexer::new(feeds.clone(), index.clone());
    let meter = Meter::start()?;
    indexer.catch_up().await?;
    let measured = meter.stop(bench.options.records)?;
    let results = &mut bench.results;
    results.add(GROUP, "records indexed", "/s", measured.rate());
    results.add(GROUP, "peak memory with the node", "MiB", measured.peak_mib);
    results.add(GROUP, "index for a record", "B", bytes_in(&place)? / bench.options.records as f64);
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
        results.add(GROUP, &format!("{what}, p50"), "us", measured.p50_us);
        results.add(GROUP, &format!("{what}, p99"), "us", measured.p99_us);
    }
    let following = tokio::spawn(async move { indexer.run().await });
    let mut latencies = Vec::new();
    for number in 0..NEWS {
        let published =
            feeds.publish(&FeedName::public(), vec![records.publication(entries + number)]).await?;
        let (begun, id) = (Instant::now(), published.first().context("nothing published")?.id);
        let newest = Query { limit: 1, ..Query::default() };
        // The newest stands first; all have one time, so that its place is told by the total.
        let expected = usize::try_from(bench.options.records + number + 1)?;
        while index.search(&newest)?.total < expected {
            ensure!(begun.elapsed() < NEWS_WAIT, "{id} was not found within {NEWS_WAIT:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        latencies.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    following.abort();
    let measured = Measured::default().with_latencies(latencies);
    results.add(GROUP, "a new record is found after, p50", "us", measured.p50_us);
    results.add(GROUP, "a new record is found after, p99", "us", measured.p99_us);
    Ok(())
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

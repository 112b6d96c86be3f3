//! A server under load, as a process of its own.
//!
//! ```text
//! load SECONDS IDLE SLOW               status 1 if a target is missed (in a smoke test, `SMOKE`: one of those
//!                                      that say something on a busy machine too)
//! load attack ADDRESS IDLE SLOW UUID BODY ORIGIN
//!                                      those who attack: started by the above, at the lowest priority, for in
//!                                      life they are other machines
//! ```

use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use feed::ports::{Carrier as _, Since};
use peer::HttpCarrier;
use rustix::process::{Resource, getrlimit};
use tests::federation::outbound;
use tests::figures::{Figures, Latencies};
use tests::load::{Routes, Tally, flood, get, idle, slow, steady};
use tests::program::Program;
use tlog::hash::Hash;
use tlog::name::Origin;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use wire::api::PublishedEntry;
use wire::paths;

/// Records of the node: one tail was sealed.
const RECORDS: u64 = 1_100;
/// Connections of the flood.
const FLOOD: usize = 32;
/// Honest connections, and what all of them ask in a second.
const HONEST: u32 = 64;
const RATE: u32 = 2_200;
/// Pages of records and of searches that people look at in a second.
const PAGES: u32 = 20;
/// Readers who wait for news.
const PARKED: usize = 100;
/// How often there are news.
const NEWS: Duration = Duration::from_secs(3);
/// File descriptors beside the connections of those who attack.
const SPARE: u64 = 1_000;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["attack", address, idle, slow, uuid, body, origin] => {
            let origin = Origin::parse(origin)?;
            let routes = Routes::of(&origin, uuid, &Hash::from_hex(body)?);
            let segment = paths::segment(&origin, 0);
            attack(address.parse()?, idle.parse()?, slow.parse()?, segment, routes).await
        }
        [seconds, idle, slow] => {
            measure(Duration::from_secs(seconds.parse()?), idle.parse()?, slow.parse()?).await
        }
        _ => anyhow::bail!("load SECONDS IDLE SLOW"),
    }
}

async fn measure(length: Duration, idle: u64, slow: u64) -> Result<()> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let idle_now = idle.min(files.saturating_sub(slow + SPARE));
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("node");
    Program::init(&data, "load.example", &["--listen", "127.0.0.1:0"])?;
    let program = Program::serve(&data, &[], &[])?;
    let last = program.publish(0..RECORDS).await?;
    let server: SocketAddr =
        program.url().trim_start_matches("http://").trim_end_matches('/').parse()?;
    let mut figures = Figures::default();
    figures.say(
        "idle, slow connections wanted",
        format!("{idle_now} of {idle}, {slow} (`ulimit -n` {files})"),
    );
    let calm = ask_honestly(server, &last, length / 4).await?;
    say(&mut figures, "alone", &calm);
    let before = program.memory()?.0;
    let attacker = Attacker::start(server, idle_now, slow, &last)?;
    let news = tokio::spawn(wait_for_news(program.url().to_owned(), last.origin.clone(), length));
    let publishing = publish_now_and_then(&program, length);
    let (under_load, publishing) = tokio::join!(ask_honestly(server, &last, length), publishing);
    let (under_load, published) = (under_load?, publishing?);
    let (now, most) = program.memory()?;
    let news = news.await??;
    say(&mut figures, "under load", &under_load);
    hold(&mut figures, &under_load, length);
    figures.say("memory before, at the end", format!("{before:.0}, {now:.0} MiB"));
    figures.hold("memory at most", format!("{most:.0} MiB"), "at most 256 MiB", most <= 256.0);
    figures.hold_in_full(
        "growth",
        format!("{:.0} MiB", most - before),
        "less than 64 MiB",
        most - before < 64.0,
    );
    let expected = published * PARKED as u64;
    figures.hold(
        "news that reached waiting readers",
        format!("{} of {expected}", news.count()),
        "all",
        news.count() as u64 >= expected,
    );
    figures.say(
        "until they had it, median, 99 %",
        format!("{:.0}, {:.0} ms", news.percentile(50), news.percentile(99)),
    );
    let ended = program.end()?;
    figures.hold(
        "asked to end under load, it ended in",
        format!("{:.1} s", ended.as_secs_f64()),
        "at most 12 s",
        ended.as_secs() < 12,
    );
    figures.say("those who attack", attacker.end()?);
    figures.print()
}

/// What honest clients met.
struct Honest {
    protocol: Latencies,
    records: Latencies,
    searches: Latencies,
    failed: u64,
    length: Duration,
}

async fn ask_honestly(
    server: SocketAddr,
    last: &PublishedEntry,
    length: Duration,
) -> Result<Honest> {
    let until = Instant::now() + length;
    let tally = Arc::new(Tally::default());
    let origin = &last.origin;
    let protocol: Vec<Vec<u8>> = [
        paths::checkpoint(origin),
        paths::since(origin, last.size - 1),
        paths::HEADS.to_owned(),
        paths::body(origin, 7),
        paths::proof(origin, 7),
        paths::WELL_KNOWN.to_owned(),
    ]
    .iter()
    .map(|path| get(path))
    .collect();
    let mut clients = JoinSet::new();
    for number in 0..HONEST {
        let mut requests = protocol.clone();
        requests.rotate_left(usize::try_from(number)? % protocol.len());
        clients.spawn(steady(
            server,
            requests,
            Duration::from_secs(1) * HONEST / RATE,
            until,
            Arc::clone(&tally),
        ));
    }
    let every = Duration::from_secs(1) * 2 / PAGES;
    let record =
        tokio::spawn(steady(server, vec![get(&last.page)], every, until, Arc::clone(&tally)));
    let search: Vec<Vec<u8>> = ["practice", "ma", "tion+re", "sdg", ""]
        .iter()
        .map(|words| get(&format!("{}?q={words}", paths::site::SEARCH)))
        .collect();
    let search = tokio::spawn(steady(server, search, every, until, Arc::clone(&tally)));
    let mut all = Latencies::default();
    while let Some(one) = clients.join_next().await {
        all.extend(one?);
    }
    let failed = Tally::of(&tally.failed) + Tally::of(&tally.refused);
    Ok(Honest { protocol: all, records: record.await?, searches: search.await?, failed, length })
}

fn say(figures: &mut Figures, when: &str, honest: &Honest) {
    let rate = honest.protocol.count() as f64 / honest.length.as_secs_f64();
    figures
        .say(&format!("{when}: honest requests"), format!("{rate:.0}/s, {} failed", honest.failed));
    for (what, of) in [
        ("answer", &honest.protocol),
        ("record page", &honest.records),
        ("search page", &honest.searches),
    ] {
        let [p50, p90, p99] = [50, 90, 99].map(|share| of.percentile(share));
        figures.say(
            &format!("{when}: {what}, median, 90 %, 99 %"),
            format!("{p50:.1}, {p90:.1}, {p99:.1} ms"),
        );
    }
}

fn hold(figures: &mut Figures, honest: &Honest, length: Duration) {
    let rate = honest.protocol.count() as f64 / length.as_secs_f64();
    figures.hold_in_full(
        "honest requests answered",
        format!("{rate:.0}/s"),
        "at least 2,000/s",
        rate >= 2_000.0,
    );
    figures.hold("honest requests not answered", honest.failed, "none", honest.failed == 0);
    let p99 = honest.protocol.percentile(99);
    figures.hold_in_full("answer, 99 %", format!("{p99:.1} ms"), "less than 100 ms", p99 < 100.0);
}

async fn publish_now_and_then(program: &Program, length: Duration) -> Result<u64> {
    let (until, mut ticks, mut published) = (Instant::now() + length, interval(NEWS), 0);
    // The first tick comes at once, before everybody waits.
    ticks.tick().await;
    while ticks.tick().await < until {
        program.publish(RECORDS + published..RECORDS + published + 1).await?;
        published += 1;
    }
    Ok(published)
}

/// Readers hold requests open; how long news take to reach each, from the first that has them.
async fn wait_for_news(url: String, origin: Origin, length: Duration) -> Result<Latencies> {
    let (out, until) = (outbound()?, Instant::now() + length + NEWS);
    let first = Arc::new(std::sync::Mutex::new(std::collections::BTreeMap::<u64, Instant>::new()));
    let mut readers = JoinSet::new();
    for _ in 0..PARKED {
        let carrier = HttpCarrier::new(&out, std::slice::from_ref(&url))?;
        let (origin, first) = (origin.clone(), Arc::clone(&first));
        readers.spawn(async move {
            let (mut size, mut lags) = (RECORDS + 1, Latencies::default());
            loop {
                let asked = carrier.since(&origin, size, Some(wire::limits::WAIT_FOLLOWER));
                let Ok(news) = tokio::time::timeout_at(until, asked).await else {
                    return anyhow::Ok(lags);
                };
                if news? != Since::Nothing {
                    size += 1;
                    let mut first = first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    lags.add(first.entry(size).or_insert_with(Instant::now).elapsed());
                }
            }
        });
    }
    let mut all = Latencies::default();
    while let Some(one) = readers.join_next().await {
        all.extend(one??);
    }
    Ok(all)
}

/// Attacks until its input ends.
async fn attack(
    server: SocketAddr,
    idlers: usize,
    slow_ones: usize,
    segment: String,
    routes: Routes,
) -> Result<()> {
    let kinds =
        [Arc::new(Tally::default()), Arc::new(Tally::default()), Arc::new(Tally::default())];
    let [idling, dawdling, flooding] = kinds.clone();
    let (routes, mut all) = (Arc::new(routes), JoinSet::new());
    for number in 0..idlers {
        all.spawn(idle(server, number, Arc::clone(&idling)));
    }
    for number in 0..slow_ones {
        all.spawn(slow(server, number, segment.clone(), Arc::clone(&dawdling)));
    }
    for number in 0..FLOOD {
        all.spawn(flood(server, number * 7, Arc::clone(&routes), Arc::clone(&flooding)));
    }
    let ended = || std::io::stdin().lock().read_line(&mut String::new());
    tokio::task::spawn_blocking(ended).await??;
    let [open, made] = [&idling.open, &idling.made].map(Tally::of);
    let [slow_open, slow_made] = [&dawdling.open, &dawdling.made].map(Tally::of);
    let [answered, refused, failed] =
        [&flooding.answered, &flooding.refused, &flooding.failed].map(Tally::of);
    writeln!(
        stdout(),
        "idle {open} open ({made} made), slow {slow_open} open ({slow_made} made), flood on {} routes {answered} answered, {refused} of them 5xx, {failed} not",
        routes.count()
    )?;
    Ok(())
}

/// The process of those who attack.
struct Attacker {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Attacker {
    fn start(server: SocketAddr, idle: u64, slow: u64, last: &PublishedEntry) -> Result<Self> {
        let uuid = last.id.to_string().replace("urn:uuid:", "");
        let body = last.body.context("no body")?.to_hex();
        let mut command = Command::new("nice");
        command
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .args(["attack", &server.to_string()]);
        command.args([idle.to_string(), slow.to_string(), uuid, body, last.origin.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, lines })
    }

    fn end(mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        self.child.wait()?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

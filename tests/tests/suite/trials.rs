//! Every fault in every exchange over real sockets: refused in words before it costs anything, and nobody
//! else is held up. `tests/hostile/run` plays the same trials to a whole program.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use feed::ports::{CarrierError, Quiet};
use futures_util::stream::{self, StreamExt as _};
use peer::limits::Limits;
use peer::outbound::SystemLookup;
use peer::{HttpCarrier, Outbound, PeerSettings};
use tests::federation::{Federation, Node};
use tests::hostile::{EXCHANGES, FAULTS, Hostile, Place, Trial, Verdict, trials};

/// It takes milliseconds; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(300);

/// Trials at a time.
const AT_ONCE: usize = 32;

/// Each of this many is played here: each fault in some exchanges, and each exchange with some faults. All of
/// them are for `tests/hostile/run`, for long headers are read slowly by what is not optimised.
const EACH: usize = 5;

const HUB: &str = "hub.example";
const OTHER: &str = "other.example";

/// A way out as usual, but patient enough for a machine with other things to do, and with a budget that lets no
/// trial wait for another.
fn usual() -> Result<Arc<Outbound>> {
    way_out(Limits {
        idle: Duration::from_secs(60),
        head: 1 << 20,
        segment: wire::limits::ANCHORS_BYTES,
        budget: 1 << 30,
        ..Limits::default()
    })
}

/// A way out whose patience ends soon.
fn tight() -> Result<Arc<Outbound>> {
    way_out(Limits {
        idle: Duration::from_secs(2),
        rate_window: Duration::from_millis(500),
        minimum_rate: 100_000,
        // Trials wait for themselves alone.
        budget: 1 << 30,
        ..Limits::default()
    })
}

fn way_out(limits: Limits) -> Result<Arc<Outbound>> {
    let allow_networks = vec!["127.0.0.0/8".parse()?];
    let settings = PeerSettings { allow_networks, ..PeerSettings::default() };
    Ok(Outbound::with(&settings, limits, Arc::new(SystemLookup))?)
}

/// What is wrong with the way a trial was answered.
async fn breach(
    trial: &Trial,
    hostile: &Hostile,
    [usual, tight]: &[Arc<Outbound>; 2],
) -> Option<String> {
    let outbound = if trial.fault.verdict.takes_patience() { tight } else { usual };
    let asked = async {
        let carrier = HttpCarrier::new(outbound, &[hostile.url(trial)])?;
        anyhow::Ok(trial.exchange.ask(&carrier, &trial.member()?.origin()).await)
    };
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Err(_) => return Some(format!("{trial}: no end to it")),
        Ok(Err(error)) => return Some(format!("{trial}: {error:#}")),
        Ok(Ok(answer)) => answer,
    };
    let words: &[&str] = match trial.fault.verdict {
        Verdict::Judged => return None,
        Verdict::WrongType => &["is this a node, or a page of something before it?"],
        Verdict::Refused(words) => words,
    };
    match answer {
        Ok(()) => Some(format!("{trial}: taken for an answer")),
        Err(error) => {
            let said = error.to_string();
            let told =
                words.iter().any(|words| said.contains(words)) && said.contains("http://127.0.0.1");
            (!told).then(|| format!("{trial}: {said}"))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_and_every_exchange_is_refused_in_words() -> Result<()> {
    let all = trials();
    let (exchanges, faults, count) = (EXCHANGES.len(), FAULTS.len(), all.len());
    let all: Vec<Trial> = all.into_iter().step_by(EACH).collect();
    println!("{exchanges} exchanges, {faults} faults: {count} trials, {} played", all.len());
    let (hostile, outbound) = (Hostile::start(&all).await?, [usual()?, tight()?]);
    let played = stream::iter(&all).map(|trial| breach(trial, &hostile, &outbound));
    let breaches: Vec<Option<String>> = played.buffer_unordered(AT_ONCE).collect().await;
    let breaches: Vec<String> = breaches.into_iter().flatten().collect();
    ensure!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
    ensure!(hostile.led_inside() == 0, "a redirect was followed");
    Ok(())
}

/// Syncs through a server that answers with something else; afterwards its feed is what its owner signed, or
/// not there.
async fn judged(hub: &Node, trial: &Trial, hostile: &Hostile) -> Result<()> {
    let member = trial.member()?;
    hub.pin(&member).await?;
    let carrier = HttpCarrier::new(&usual()?, &[hostile.url(trial)])?;
    let synced = hub.feeds().sync_feed(&carrier, &member.origin(), None, &Quiet).await;
    let view = hub.feeds().view(&member.origin());
    let root = view.map(|view| view.root());
    match &synced {
        Err(error) => ensure!(error.to_string().len() > 20, "what is `{error}` to tell anybody?"),
        Ok(_) => ensure!(root.is_some(), "nothing was taken, and nothing said"),
    }
    ensure!(root.is_none() || root == Some(hostile.root(trial)?), "what is held was never signed");
    // An answer that cannot be told from no answer would be retried for ever without a word.
    ensure!(!matches!(synced, Err(feed::feeds::SyncError::Carrier(CarrierError::Busy { .. }))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_answer_says_is_never_taken_for_what_was_signed() -> Result<()> {
    let federation = Federation::of([HUB, OTHER]).await?;
    let (hub, other) = (federation.node(HUB)?, federation.node(OTHER)?);
    let in_round = |trial: &Trial| matches!(trial.exchange.place, Place::Round | Place::InStep);
    let mut all = trials();
    all.retain(|trial| trial.fault.verdict == Verdict::Judged && in_round(trial));
    let hostile = Hostile::start(&all).await?;
    for trial in &all {
        judged(hub, trial, &hostile).await.with_context(|| trial.to_string())?;
    }
    let published = other.publish("Undisturbed").await?;
    hub.pin(other.member()).await?;
    hub.sync(other.member(), &other.url()).await?;
    let title = hub.title(&published.origin, &published.id).await?;
    ensure!(title.as_deref() == Some("Undisturbed"), "the truth was not accepted afterwards");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_that_misbehave_hold_up_nobody() -> Result<()> {
    let federation = Federation::of([HUB, OTHER]).await?;
    let (hub, other) = (federation.node(HUB)?, federation.node(OTHER)?);
    let mut all = trials();
    all.retain(|trial| trial.exchange.name == "checkpoint");
    hub.follow(other).await?;
    hub.until(&other.member().origin(), 1).await?;
    let hostile = Hostile::start(&all).await?;
    for trial in &all {
        hub.follow_at(&trial.member()?, &hostile.url(trial)).await?;
    }
    for size in 2..12 {
        let published = other.publish("Undisturbed").await?;
        hub.until(&published.origin, size).await?;
    }
    let ended = |trial: &&Trial| matches!(trial.fault.name, "500" | "closes without a word");
    for trial in all.iter().filter(ended) {
        told(hub, trial).await?;
    }
    Ok(())
}

/// The schedule says in words what is wrong with the node of a trial.
async fn told(hub: &Node, trial: &Trial) -> Result<()> {
    let member = trial.member()?;
    let told = async {
        loop {
            let peer = hub.status_of(member.name()).context("not followed")?;
            if peer.reason.contains("127.0.0.1") {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told)
        .await
        .with_context(|| format!("{trial}: nobody was told"))?
}

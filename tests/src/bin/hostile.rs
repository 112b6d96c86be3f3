//! A program that follows every hostile node of the table at once, and ten honest ones.
//!
//! ```text
//! hostile [SECONDS [NTH]]    plays each NTH trial (1) for so long (120); status 1 if a target is missed
//! hostile attack NTH         serves the hostile nodes: started by the above, at the lowest priority, for in
//!                            life they are other machines
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use feed::ports::{Carrier as _, KeyUse};
use futures_util::stream::{self, StreamExt as _};
use peer::{HttpCarrier, Outbound};
use tests::federation::{Federation, Node, outbound};
use tests::figures::{Figures, Latencies};
use tests::hostile::{EXCHANGES, FAULTS, Hostile, Place, Trial, Verdict, trials};
use tests::program::Program;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tokio::time::{interval, timeout};
use wire::api::{FollowAnswer, FollowRequest, Peers};
use wire::paths;

const HUB: &str = "hub.example";
const HONEST: [&str; 10] = [
    "h0.example",
    "h1.example",
    "h2.example",
    "h3.example",
    "h4.example",
    "h5.example",
    "h6.example",
    "h7.example",
    "h8.example",
    "h9.example",
];

/// How often an honest node publishes.
const EVERY: Duration = Duration::from_millis(250);
/// How long lags are measured before there is anybody hostile.
const CALM: Duration = Duration::from_secs(20);
/// Operators' commands at a time.
const FOLLOWING: usize = 128;
/// News that has not arrived after this is lost.
const PATIENCE: Duration = Duration::from_secs(60);

const MEMORY_MIB: f64 = 256.0;
/// What the others' lag may be, of what it was.
const LAG: f64 = 1.1;

#[tokio::main]
async fn main() -> Result<()> {
    let nth = std::env::args().nth(2).map_or(Ok(1), |nth| nth.parse())?;
    match std::env::args().nth(1).as_deref() {
        Some("attack") => attack(nth).await,
        seconds => play(Duration::from_secs(seconds.unwrap_or("120").parse()?), nth).await,
    }
}

/// Serves the hostile nodes until this process is ended.
async fn attack(nth: usize) -> Result<()> {
    let hostile = Hostile::start(&played(nth)).await?;
    writeln!(stdout(), "{}", hostile.place())?;
    stdout().flush()?;
    let ended = || std::io::stdin().lock().read_line(&mut String::new());
    tokio::task::spawn_blocking(ended).await??;
    writeln!(stdout(), "{}", hostile.led_inside())?;
    Ok(())
}

fn played(nth: usize) -> Vec<Trial> {
    let all = trials().into_iter().filter(|trial| trial.exchange.place != Place::Asked);
    all.step_by(nth.max(1)).collect()
}

async fn play(length: Duration, nth: usize) -> Result<()> {
    let all = played(nth);
    let mut attacker = Attacker::start(nth)?;
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("hub");
    Program::init(&data, HUB, &["--listen", "127.0.0.1:0"])?;
    configure(&data, &attacker.place, &all)?;
    let hub = Program::serve(&data, &[], &[])?;
    let federation = Federation::of(HONEST).await?;
    for node in federation.nodes() {
        follow(&hub, &node.url()).await.map_err(|words| anyhow::anyhow!(words))?;
    }
    let (out, mut figures) = (outbound()?, Figures::default());
    figures.say(
        "exchanges, faults, hostile nodes",
        format!("{}, {}, {}", EXCHANGES.len(), FAULTS.len(), all.len()),
    );
    let calm = lags(&federation, hub.url(), &out, CALM).await?;
    let before = hub.memory()?.1;
    let begun = Instant::now();
    let (under_fire, met) = tokio::join!(
        lags(&federation, hub.url(), &out, length),
        follow_all(&hub, &attacker.place, &all)
    );
    let under_fire = under_fire?;
    let (now, most) = hub.memory()?;
    figures.say("played for", format!("{} s", begun.elapsed().as_secs()));
    figures.say("memory before, at the end", format!("{before:.0}, {now:.0} MiB"));
    figures.hold("memory at most", format!("{most:.0} MiB"), "at most 256 MiB", most <= MEMORY_MIB);
    for (name, share) in [("median", 50), ("90 %", 90), ("99 %", 99)] {
        let (a, b) = (calm.percentile(share), under_fire.percentile(share));
        let figure = format!("{a:.1} ms before, {b:.1} ms meanwhile");
        let what = format!("from publishing to the hub's copy, {name}");
        match share {
            50 => figures.hold(&what, figure, "at most a tenth more", b <= a * LAG),
            _ => figures.say(&what, figure),
        }
    }
    figures.say(
        "records that arrived before, meanwhile",
        format!("{}, {}", calm.count(), under_fire.count()),
    );
    let status: Peers = hub.get(paths::API_PEERS).await?;
    judge(&mut figures, &all, &status, &hub.log()?, &met);
    let ended = hub.end()?;
    figures.hold(
        "asked to end, it ended in",
        format!("{} ms", ended.as_millis()),
        "at most 10 s",
        ended.as_secs() < 10,
    );
    let inside = attacker.end()?;
    figures.hold("redirects followed", inside, "none", inside == 0);
    figures.print()
}

/// The hub's configuration: relays and witnesses are hostile nodes too.
fn configure(data: &Path, place: &str, all: &[Trial]) -> Result<()> {
    let of = |wanted: Place| all.iter().filter(move |trial| trial.exchange.place == wanted);
    let relays: Result<Vec<String>> =
        of(Place::Relay).map(|trial| Ok(trial.member()?.name().to_string())).collect();
    let witnesses: Result<Vec<String>> = of(Place::Witness)
        .map(|trial| {
            let member = trial.member()?;
            let name = KeyName::witness_of(member.name());
            let public = member.secret().key(KeyUse::Witness, 1)?.public();
            let key = VerifierKey::cosignature(name, public);
            Ok(format!("{{ vkey = \"{key}\", url = \"{}\" }}", Hostile::url_below(place, trial)))
        })
        .collect();
    let text = format!(
        "node = \"{HUB}\"\nlisten = \"127.0.0.1:0\"\nwitnesses = [{}]\n[peers]\nallow_networks = [\"127.0.0.0/8\"]\nrelays = {:?}\n",
        witnesses?.join(", "),
        relays?
    );
    Ok(std::fs::write(data.join("jopoi.toml"), text)?)
}

/// Has the hub follow a node; the words of its refusal.
async fn follow(hub: &Program, url: &str) -> Result<FollowAnswer, String> {
    let request = FollowRequest { url: url.to_owned(), root: None, confirm: true, node: None };
    hub.post(paths::API_FOLLOW, &request).await.map_err(|error| error.to_string())
}

/// Has the hub follow all hostile nodes; what it said to those it did not.
async fn follow_all(hub: &Program, place: &str, all: &[Trial]) -> BTreeMap<usize, String> {
    let following =
        all.iter().filter(|trial| trial.exchange.place != Place::Witness).map(|trial| async move {
            let refused = follow(hub, &Hostile::url_below(place, trial)).await.err();
            refused.map(|words| (trial.number, words))
        });
    stream::iter(following)
        .buffer_unordered(FOLLOWING)
        .filter_map(|one| async { one })
        .collect()
        .await
}

/// Honest nodes publish, and look when the hub has it.
async fn lags(
    federation: &Federation,
    hub: &str,
    out: &Arc<Outbound>,
    length: Duration,
) -> Result<Latencies> {
    let until = Instant::now() + length;
    let one = |node: &'static str| async move {
        let node = federation.node(node)?;
        lags_of(node, &HttpCarrier::new(out, &[hub.to_owned()])?, until).await
    };
    let all = futures_util::future::join_all(HONEST.map(one)).await;
    let mut together = Latencies::default();
    for one in all {
        together.extend(one?);
    }
    Ok(together)
}

async fn lags_of(node: &Node, hub: &HttpCarrier, until: Instant) -> Result<Latencies> {
    let (mut lags, mut ticks) = (Latencies::default(), interval(EVERY));
    let origin = node.member().origin();
    while Instant::now() < until {
        ticks.tick().await;
        let published = node.publish("Undisturbed").await?;
        let begun = Instant::now();
        let arrived = async {
            // What the hub says is not looked at: it says it once it has settled what it holds.
            while hub.since(&origin, published.index, Some(PATIENCE)).await?
                == feed::ports::Since::Nothing
            {}
            anyhow::Ok(())
        };
        timeout(PATIENCE, arrived).await.with_context(|| format!("{origin} did not arrive"))??;
        lags.add(begun.elapsed());
    }
    Ok(lags)
}

/// What became of each trial, by what the hub holds, says and logged.
fn judge(
    figures: &mut Figures,
    all: &[Trial],
    status: &Peers,
    log: &str,
    met: &BTreeMap<usize, String>,
) {
    let (mut silent, mut repeated, mut wordless, mut lines) =
        (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut warned: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for line in log.lines().filter(|line| !line.contains("is in step")) {
        if let Some(number) = number_in(line) {
            warned.entry(number).or_default().push(line);
            lines += 1;
        }
    }
    for trial in all {
        let told = warned.get(&trial.number).map_or(0, Vec::len);
        let refusal = trial.fault.verdict != Verdict::Judged;
        if told > 1 {
            repeated.push(format!("{trial}: {told} times"));
            repeated.extend(
                warned
                    .get(&trial.number)
                    .into_iter()
                    .flatten()
                    .take(3)
                    .map(|line| format!("    {line}")),
            );
        }
        match trial.exchange.place {
            Place::Meeting
                if refusal && met.get(&trial.number).is_none_or(|words| words.len() < 20) =>
            {
                wordless.push(format!("{trial}: {:?}", met.get(&trial.number)));
            }
            Place::Meeting => {}
            _ if refusal && told == 0 => silent.push(trial.to_string()),
            _ => {}
        }
    }
    let held = status.peers.iter().filter(|peer| Trial::number_of(&peer.node).is_some());
    let taken = held.filter(|peer| peer.feeds.iter().any(|feed| feed.size > 0)).count();
    figures.say("hostile nodes of which a feed is held", taken);
    figures.say("warnings about hostile nodes", lines);
    for (what, found) in [
        ("refusals that nobody was told of", silent),
        ("refusals that were told more than once", repeated),
        ("refusals to an operator without words", wordless),
    ] {
        let count = found.iter().filter(|line| !line.starts_with(' ')).count();
        figures.hold(what, count, "none", found.is_empty());
        for one in found.iter().take(40) {
            figures.say("", one);
        }
    }
}

/// The number of the trial whose node a line of the log is about.
fn number_in(line: &str) -> Option<usize> {
    let (before, _) = line.split_once(".hostile.example")?;
    before.rsplit_once('t')?.1.parse().ok()
}

/// The process that serves the hostile nodes.
struct Attacker {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    place: String,
}

impl Attacker {
    fn start(nth: usize) -> Result<Self> {
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe()?).args(["attack", &nth.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?);
        let mut place = String::new();
        lines.read_line(&mut place)?;
        ensure!(place.starts_with("http://"), "the hostile nodes are not served");
        Ok(Self { child, lines, place: place.trim().to_owned() })
    }

    /// How often somebody was led where he should not go.
    fn end(&mut self) -> Result<u64> {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        self.child.wait()?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

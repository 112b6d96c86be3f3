//! A node that follows another over a bad line: 256 kbit/s, a round trip of 800 ms, 5 % of the packets lost.
//!
//! ```text
//! line NEAR FAR RECORDS SEED       between two network namespaces (tests/line/run makes them)
//! line proxy KIND DIRECTORY        the way out of NEAR, `asking` for a password or `inspecting` TLS, or TLS
//!                                  `serving` in FAR; started by the above
//! ```

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tests::figures::Figures;
use tests::line::{ASKED_FOR, Air, Authority, PROXY_PORT, TLS_PORT, asking, inspecting, serving};
use tests::program::Program;
use tokio::time::interval;
use wire::api::{FollowAnswer, FollowRequest, Peers};
use wire::paths;

const RATE_BITS: u32 = 256_000;
const DELAY_MS: u32 = 400;
const LOSS_PERCENT: u32 = 5;

const NEAR: &str = "10.77.0.1";
const FAR: &str = "10.77.0.2";
const PORT: u16 = 8_080;
const AUTHOR: &str = "author.example";
/// The name under which the author is reached by the proxies alone.
const HOST: &str = "practices.example";

/// The line is cut so often in a first sync, each time for so long.
const CUTS: u32 = 4;
const CUT: Duration = Duration::from_secs(8);
const BETWEEN: Duration = Duration::from_secs(12);
/// A first sync is looked at so often.
const LOOK: Duration = Duration::from_millis(250);
/// What is longer is no figure any more.
const PATIENCE: Duration = Duration::from_secs(900);
/// What follows a record on the line (receipt, next question) has passed after this.
const QUIET: Duration = Duration::from_secs(8);

const FIRST_SYNC_S: f64 = 300.0;
const RECORD_BYTES: u64 = 3_584;
/// Bytes on the line of a sync that was cut, of those of one that was not: lost packets are sent twice by TCP.
const TWICE: f64 = 1.1;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["proxy", "asking", _] => asking(&format!("{FAR}:{TLS_PORT}")).await,
        ["proxy", "inspecting", directory] => {
            inspecting(Path::new(directory), HOST, &format!("{FAR}:{TLS_PORT}")).await
        }
        ["proxy", "serving", directory] => {
            serving(Path::new(directory), FAR, &format!("{FAR}:{PORT}")).await
        }
        [near, far, records, seed] => measure(near, far, records.parse()?, seed).await,
        _ => anyhow::bail!("line NEAR FAR RECORDS SEED"),
    }
}

async fn measure(near: &str, far: &str, records: u64, seed: &str) -> Result<()> {
    let mut stage = Stage::set(near, far, seed)?;
    let mut figures = Figures::default();
    let kbit = RATE_BITS / 1_000;
    let line = format!("{kbit} kbit/s, round trip {} ms, {LOSS_PERCENT} % lost", 2 * DELAY_MS);
    figures.say("the line", format!("{line}, seed {seed}"));
    let author = stage.author().await?;
    author.publish(0..records).await?;
    let plain = format!("http://{FAR}:{PORT}/");
    let follower = stage.follower("whole", "direct")?;
    let whole = stage.first_sync(&follower, &plain, records, 0).await?;
    follower.end()?;
    let follower = stage.follower("cut", "direct")?;
    let cut = stage.first_sync(&follower, &plain, records, CUTS).await?;
    for (what, sync) in [("first sync", &whole), ("the same, cut", &cut)] {
        let figure = format!("{:.0} s, {} bytes, {} cuts", sync.seconds, sync.to_near, sync.cuts);
        let met = sync.seconds < FIRST_SYNC_S;
        figures.hold(&format!("{what}, {records} records"), figure, "less than 300 s", met);
    }
    let share = cut.to_near as f64 / whole.to_near as f64;
    let what = "bytes of the sync that was cut, of the other's";
    figures.hold(what, format!("{share:.2}"), "at most 1.10: nothing twice", share <= TWICE);
    let one = stage.one_record(&author, &follower, records).await?;
    let met = one.to_near < RECORD_BYTES;
    figures.hold("one new record, bytes to the follower", one.to_near, "less than 3,584", met);
    figures.say("one new record, bytes from the follower", one.to_far);
    figures.say("one new record, until it is there", format!("{:.1} s", one.seconds));
    follower.end()?;
    for kind in ["asking", "inspecting"] {
        let proxy = stage.helper(&stage.near, kind)?;
        let follower = stage.follower(kind, kind)?;
        let url = format!("https://{HOST}:{TLS_PORT}/");
        let sync = stage.first_sync(&follower, &url, records, 0).await?;
        let what = format!("behind a proxy ({kind}): first sync");
        figures.say(&what, format!("{:.0} s, {} bytes", sync.seconds, sync.to_near));
        let one = stage.one_record(&author, &follower, records).await?;
        let what = format!("behind a proxy ({kind}): one new record");
        figures.say(&what, format!("{:.1} s, {} bytes to the follower", one.seconds, one.to_near));
        follower.end()?;
        drop(proxy);
    }
    author.end()?;
    figures.print()
}

/// What a sync or a record took.
struct Took {
    seconds: f64,
    to_near: u64,
    to_far: u64,
    cuts: u32,
}

/// Two namespaces, the line between them, and where everything is kept.
struct Stage {
    near: String,
    far: String,
    directory: tempfile::TempDir,
    air: Air,
    /// Speaks TLS for the author.
    _tls: Option<Helper>,
}

impl Stage {
    fn set(near: &str, far: &str, seed: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        Authority::make(directory.path(), "server", HOST)?;
        Authority::make(directory.path(), "proxy", HOST)?;
        let shape = [
            RATE_BITS.to_string(),
            DELAY_MS.to_string(),
            LOSS_PERCENT.to_string(),
            seed.to_owned(),
        ];
        let air = Air::between([(near, NEAR), (far, FAR)], &shape)?;
        Ok(Self { near: near.to_owned(), far: far.to_owned(), directory, air, _tls: None })
    }

    /// The node that publishes, on the far side.
    async fn author(&mut self) -> Result<Program> {
        let data = self.directory.path().join("author");
        let (plain, secure) =
            (format!("http://{FAR}:{PORT}/"), format!("https://{HOST}:{TLS_PORT}/"));
        let listen = format!("{FAR}:{PORT}");
        Program::init(&data, AUTHOR, &["--listen", &listen, "--url", &plain, "--url", &secure])?;
        self._tls = Some(self.helper(&self.far, "serving")?);
        Program::serve(&data, &["ip", "netns", "exec", &self.far], &[])
    }

    /// A node that follows, on the near side; `way` is how it gets out.
    fn follower(&self, name: &str, way: &str) -> Result<Program> {
        let data = self.directory.path().join(name);
        let node = format!("{name}.example");
        let mut environment = Vec::new();
        let mut more = vec!["--listen", "127.0.0.1:0"];
        if way == "direct" {
            more.extend(["--allow-network", "10.77.0.0/24"]);
        } else {
            let proxy = format!("http://{ASKED_FOR}@127.0.0.1:{PROXY_PORT}");
            environment.push(("HTTPS_PROXY", proxy));
        }
        Program::init(&data, &node, &more)?;
        let authority = if way == "inspecting" { "proxy" } else { "server" };
        let file = Authority::of(self.directory.path(), authority).file("ca");
        let config = data.join("jopoi.toml");
        let text = std::fs::read_to_string(&config)?;
        let text = text.replacen("[peers]", &format!("[peers]\nextra_ca_file = {file:?}"), 1);
        std::fs::write(config, text)?;
        Program::serve(&data, &["ip", "netns", "exec", &self.near], &environment)
    }

    /// A process of this program in a namespace.
    fn helper(&self, namespace: &str, kind: &str) -> Result<Helper> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(std::env::current_exe()?);
        Ok(Helper(command.args(["proxy", kind]).arg(self.directory.path()).spawn()?))
    }

    /// Follows the author until all is there; the line is cut now and then.
    async fn first_sync(
        &mut self,
        follower: &Program,
        url: &str,
        records: u64,
        cuts: u32,
    ) -> Result<Took> {
        let (begun, before) = (Instant::now(), self.air.carried()?);
        let request = FollowRequest { url: url.to_owned(), root: None, confirm: true, node: None };
        let follow = async {
            // The operator tries again, if the line is too bad for an answer.
            while let Err(error) = follower.post::<FollowAnswer>(paths::API_FOLLOW, &request).await
            {
                ensure!(begun.elapsed() < PATIENCE, "not followed: {error}");
            }
            anyhow::Ok(())
        };
        let mut looks = interval(LOOK);
        let mut done = 0;
        let arrive = async {
            loop {
                looks.tick().await;
                ensure!(begun.elapsed() < PATIENCE, "not all arrived: {}", follower.log()?);
                if held(follower).await? > records {
                    self.air.say("mend")?;
                    return anyhow::Ok(begun.elapsed().as_secs_f64());
                }
                let (elapsed, period) = (begun.elapsed().as_millis(), (BETWEEN + CUT).as_millis());
                let turn = elapsed / period;
                let cut = turn < u128::from(cuts) && elapsed % period > BETWEEN.as_millis();
                done = done.max(u32::try_from(turn)?.min(cuts));
                self.air.say(if cut { "cut" } else { "mend" })?;
            }
        };
        let (followed, seconds) = tokio::join!(follow, arrive);
        followed?;
        let seconds = seconds?;
        let after = self.air.carried()?;
        Ok(Took {
            seconds,
            to_near: after.to_near - before.to_near,
            to_far: after.to_far - before.to_far,
            cuts: done,
        })
    }

    /// One more record, and what follows it on the line.
    async fn one_record(
        &mut self,
        author: &Program,
        follower: &Program,
        records: u64,
    ) -> Result<Took> {
        quiet().await;
        let (before, size) = (self.air.carried()?, held(follower).await?);
        author.publish(records + size..records + size + 1).await?;
        let (begun, mut looks) = (Instant::now(), interval(LOOK / 10));
        while held(follower).await? <= size {
            looks.tick().await;
            ensure!(begun.elapsed() < PATIENCE, "it did not arrive: {}", follower.log()?);
        }
        let seconds = begun.elapsed().as_secs_f64();
        quiet().await;
        let after = self.air.carried()?;
        Ok(Took {
            seconds,
            to_near: after.to_near - before.to_near,
            to_far: after.to_far - before.to_far,
            cuts: 0,
        })
    }
}

/// Entries that a follower holds of the author's feed.
async fn held(follower: &Program) -> Result<u64> {
    let status: Peers = follower.get(paths::API_PEERS).await?;
    let feeds = status.peers.iter().flat_map(|peer| &peer.feeds);
    Ok(feeds.map(|feed| feed.size).max().unwrap_or(0))
}

/// Until what is under way has passed.
async fn quiet() {
    let mut once = interval(QUIET);
    once.tick().await;
    once.tick().await;
}

struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! Work D: one new record, until a follower that waits for news has it verified and on disk.
//!
//! The author and the follower are processes of their own; this one publishes over the operator's
//! socket and reads from the follower what it holds. The clock starts when the draft is sent.
//! Bytes are counted by a relay between the two, in a run of its own: it takes time that no line takes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use feed::feeds::Pin;
use peer::follower::Follower;
use peer::turns::Turns;

use crate::host::{AUTHOR, FOLLOWER};
use crate::http::Publisher;
use crate::meter::{Measured, Meter};
use crate::side::{Running, Side};
use crate::{Bench, http, side};

/// Records in a round whose way is timed, and whose bytes are counted.
const TIMED: u64 = 500;
const COUNTED: u64 = 50;
/// Between two records, so that the follower waits again.
const PAUSE: Duration = Duration::from_millis(10);
/// Seconds between rounds of a follower whose peer holds no requests.
const INTERVAL_S: u64 = 300;
const GROUP: &str = "D: one new record, verified and durable at a follower";

/// Measures it once.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let dir = tempfile::TempDir::new_in(bench.dir.path())?;
    let [timed, counted] = [TIMED, COUNTED].map(|records| (records / bench.options.divide).max(1));
    let mut server = Side::Serve { dir: dir.path().join("author") }.start()?;
    let address = server.address()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let publisher = Publisher::new(&address.socket)?;
    let mut size = 1;

    let relay = Relay::start(&address.url)?;
    let dir_counted = dir.path().join("counted");
    let mut follower = Side::Stay { dir: dir_counted, url: relay.url.clone() }.start()?;
    reach(&mut follower, size)?;
    std::thread::sleep(PAUSE);
    let before = relay.bytes();
    for _ in 0..counted {
        runtime.block_on(publisher.publish(publisher.draft(size)?))?;
        size += 1;
        reach(&mut follower, size)?;
        std::thread::sleep(PAUSE);
    }
    let after = relay.bytes();
    follower.end()?;

    let dir_timed = dir.path().join("timed");
    let mut follower = Side::Stay { dir: dir_timed, url: address.url }.start()?;
    reach(&mut follower, size)?;
    let (mut acknowledged, mut arrived) = (Vec::new(), Vec::new());
    for _ in 0..timed {
        let draft = publisher.draft(size)?;
        std::thread::sleep(PAUSE);
        let sent = Instant::now();
        runtime.block_on(publisher.publish(draft))?;
        acknowledged.push(sent.elapsed().as_secs_f64() * 1e6);
        size += 1;
        reach(&mut follower, size)?;
        arrived.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    let (follower, server) = (follower.end()?, server.end()?);
    let mut add = |what: &str, unit, value| bench.results.add(GROUP, what, unit, value);
    let each = |bytes: [u64; 2], at: usize| bytes.get(at).copied().unwrap_or_default() as f64;
    let bytes = |at: usize| (each(after, at) - each(before, at)) / counted as f64;
    add("bytes to the follower, headers included", "B", bytes(0));
    add("bytes from the follower, headers included", "B", bytes(1));
    let acknowledged = Measured::default().with_latencies(acknowledged);
    let arrived = Measured::default().with_latencies(arrived);
    add("acknowledged to its author, p50", "us", acknowledged.p50_us);
    add("acknowledged to its author, p99", "us", acknowledged.p99_us);
    add("at the follower, p50", "us", arrived.p50_us);
    add("at the follower, p99", "us", arrived.p99_us);
    let published = (timed + counted) as f64;
    add("CPU of the node for a record", "us", server.cpu_seconds * 1e6 / published);
    add("CPU of the follower for a record", "us", follower.cpu_seconds * 1e6 / timed as f64);
    add("peak memory of the node", "MiB", server.peak_mib);
    add("peak memory of the follower", "MiB", follower.peak_mib);
    Ok(())
}

/// Reads what the follower holds until it is as much as `size`.
fn reach(follower: &mut Running, size: u64) -> anyhow::Result<()> {
    loop {
        let held = follower.size()?;
        ensure!(held <= size, "the follower holds {held} entries of {size}");
        if held == size {
            return Ok(());
        }
    }
}

/// The side that follows: says how many entries it holds, whenever there are more.
pub(crate) async fn stay(dir: &Path, url: &str) -> anyhow::Result<Measured> {
    let feeds = FOLLOWER.begin(dir).await?;
    feeds.follow(Pin::new(AUTHOR.node()?, AUTHOR.root()?.public(), Vec::new(), 0)).await?;
    let carrier = http::carrier(url)?.signed_by(Some(Arc::clone(&feeds) as _));
    let origin = AUTHOR.origin()?;
    let follower = Follower::new(&feeds, origin.clone(), Turns::new(1), INTERVAL_S);
    let meter = Meter::start()?;
    let mut changed = feeds.changed();
    let mut held = 0;
    let tell = async {
        while changed.changed().await.is_ok() {
            let size = feeds.view(&origin).map_or(0, |view| view.size());
            if size > held {
                held = size;
                side::say(&held)?;
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        () = follower.run(&carrier) => {}
        told = tell => told?,
        ended = side::told_to_end() => ended?,
    }
    meter.stop(held)
}

/// Passes bytes between a follower and a server, and counts them.
struct Relay {
    url: String,
    /// To the follower, and from it.
    bytes: Arc<[AtomicU64; 2]>,
}

impl Relay {
    /// Runs until the process ends.
    fn start(url: &str) -> anyhow::Result<Self> {
        let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let bytes = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let counters = Arc::clone(&bytes);
        std::thread::spawn(move || {
            for follower in listener.incoming() {
                // A connection that cannot be made is seen as broken by its follower.
                let Ok(follower) = follower else { continue };
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let counters = Arc::clone(&counters);
                std::thread::spawn(move || pass_both(&follower, &server, &counters));
            }
        });
        Ok(Self { url, bytes })
    }

    fn bytes(&self) -> [u64; 2] {
        self.bytes.each_ref().map(|bytes| bytes.load(Ordering::Relaxed))
    }
}

fn pass_both(follower: &TcpStream, server: &TcpStream, [to, from]: &[AtomicU64; 2]) {
    std::thread::scope(|scope| {
        scope.spawn(|| pass(server, follower, to));
        pass(follower, server, from);
    });
}

/// Until one end has no more to say.
fn pass(mut from: &TcpStream, mut to: &TcpStream, count: &AtomicU64) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer)
        && let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty())
        && to.write_all(bytes).is_ok()
    {
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
    let _ = to.shutdown(Shutdown::Both);
}

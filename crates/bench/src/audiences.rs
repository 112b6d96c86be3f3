//! Whether a restricted feed can be told from one that does not exist by how long the 404 takes.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use feed::feeds::{Feeds, Pin, Publication};
use feed::ports::{Carrier as _, CarrierError, Quiet};
use network::audience::Audience;
use peer::HttpCarrier;
use peer::signing::Signs;
use practice::kind::Kind;
use tlog::name::{FeedName, NodeName, Origin};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use web::{App, Limits, Listener, Site, routes};

use crate::Bench;
use crate::host::{AUTHOR, FOLLOWER};
use crate::http::{self, NoPeers};
use crate::records::Records;

/// Requests for each feed, caller and object of a round: the median of so many is steady within a few
/// percent on a machine that does other things too.
const REQUESTS: u64 = 2_000;
/// Requests before the clock starts: connections and caches.
const WARM: u64 = 50;
/// A name that no feed has, as long as that of every restricted feed.
const NOWHERE: &str = "r-nowherenowherenowherenow22";
const GROUP: &str =
    "404 for a restricted feed that one may not read, and for one that is not there";

/// A node that is served within this process, until it is dropped.
struct Served {
    feeds: Arc<Feeds>,
    url: String,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy)]
enum Object {
    Checkpoint,
    Since,
    Body,
}

/// One round: a stranger and a known node outside of the audience ask for three objects of both feeds.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(of_round(bench))
}

async fn of_round(bench: &mut Bench) -> anyhow::Result<()> {
    let dir = tempfile::TempDir::new_in(bench.dir.path())?;
    let author = serve(AUTHOR.begin(&dir.path().join("author")).await?).await?;
    let known = serve(FOLLOWER.begin(&dir.path().join("known")).await?).await?;
    let pin = Pin::new(FOLLOWER.node()?, FOLLOWER.root()?.public(), Vec::new(), 0);
    author.feeds.follow(pin).await?;
    let way = http::carrier(&known.url)?;
    author.feeds.sync_feed(&way, &FOLLOWER.origin()?, None, &Quiet).await?;
    let listed = NodeName::parse("listed.example")?;
    let forbidden = author.feeds.begin_restricted(&Audience::Nodes(vec![listed])).await?;
    let subject = Records::new().subject(0);
    let record = Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None };
    author.feeds.publish(forbidden.feed(), vec![record]).await?;
    let unknown = Origin::new(AUTHOR.node()?, FeedName::parse(NOWHERE)?);
    let requests = (REQUESTS / bench.options.divide).max(1);
    let signs: Arc<dyn Signs> = Arc::clone(&known.feeds) as _;
    for (caller, signs) in [("a stranger", None), ("a known node", Some(signs))] {
        let carrier = http::carrier(&author.url)?.signed_by(signs);
        for object in [Object::Checkpoint, Object::Since, Object::Body] {
            let [kept, absent] =
                medians(&carrier, object, [&forbidden, &unknown], requests).await?;
            let what = format!("{caller}, {}", object.name());
            bench.results.add(GROUP, &format!("{what}, not readable"), "us p50", kept);
            bench.results.add(GROUP, &format!("{what}, not there"), "us p50", absent);
            bench.results.add(GROUP, &format!("{what}, ratio"), "", kept / absent);
        }
    }
    Ok(())
}

/// The median time of each feed's answer, in microseconds. The feeds are asked in turn, each as often
/// first as second.
async fn medians(
    carrier: &HttpCarrier,
    object: Object,
    [one, other]: [&Origin; 2],
    requests: u64,
) -> anyhow::Result<[f64; 2]> {
    for _ in 0..WARM {
        object.refused(carrier, one).await?;
        object.refused(carrier, other).await?;
    }
    let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
    for turn in 0..requests {
        if turn % 2 == 0 {
            of_one.push(object.refused(carrier, one).await?);
            of_other.push(object.refused(carrier, other).await?);
        } else {
            of_other.push(object.refused(carrier, other).await?);
            of_one.push(object.refused(carrier, one).await?);
        }
    }
    Ok([median(of_one)?, median(of_other)?])
}

fn median(mut times: Vec<f64>) -> anyhow::Result<f64> {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("nothing was measured")
}

impl Object {
    fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Since => "since/0",
            Self::Body => "body/2",
        }
    }

    /// How long it took to be told that there is no such thing, in microseconds.
    async fn refused(self, carrier: &HttpCarrier, origin: &Origin) -> anyhow::Result<f64> {
        let asked = Instant::now();
        let refused = match self {
            Self::Checkpoint => {
                matches!(carrier.checkpoint(origin).await, Err(CarrierError::NotFound { .. }))
            }
            Self::Since => {
                matches!(carrier.since(origin, 0, None).await, Err(CarrierError::NotFound { .. }))
            }
            Self::Body => match carrier.body(origin, 2).await {
                Ok(feed::ports::BodyAnswer::Missing) | Err(CarrierError::NotFound { .. }) => true,
                Ok(_) => bail!("`{origin}` was shown to somebody who may not read it"),
                Err(_) => false,
            },
        };
        let took = asked.elapsed().as_secs_f64() * 1e6;
        ensure!(refused, "{} of `{origin}` was not answered with 404", self.name());
        Ok(took)
    }
}

async fn serve(feeds: Arc<Feeds>) -> anyhow::Result<Served> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = App::new(Arc::clone(&feeds), Arc::new(NoPeers), Site::default(), None);
    let router = routes::public(app);
    let serving =
        web::serve(Listener::Tcp(listener), router, Limits::default(), std::future::pending());
    Ok(Served { feeds, url, task: tokio::spawn(serving) })
}

//! A process that ends at a named point: before or after one of the writes that a node makes, whichever of
//! them it is. Between two writes nothing else can be on disk, so these are all the places there are.
//!
//! The work has everything in it that writes: publishing, sealing, erasing, taking a bundle in, receipts,
//! reading everything back.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use feed::advance::{Advance, HeadChange, VerifiedFact};
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents, Item};
use feed::feeds::{Feeds, Pace, Pin, Withdrawal};
use feed::ports::{CommitError, Fact, FeedStore, HighWater, Quiet, StoreError};
use store::facts::Directory;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::name::{FeedName, Origin};

use super::{Ack, Found, member, open_over};
use crate::chance::BEGINNING;
use crate::member::{Member, practice};

/// The writes of a node, by name.
pub const WRITES: &[&str] = &[
    "append to the head",
    "replace the head",
    "segment",
    "tile",
    "pending checkpoint",
    "cosignatures",
    "remove",
    "cut",
    "high-water mark",
    "decision",
    "what was cosigned",
];

/// Rounds of work in one process that is not ended before: its entries are sealed at the end.
const ROUNDS: u64 = 90;
/// Records published in a round.
const PUBLISHED: u64 = 12;
/// A record is erased, a bundle taken in, everything read back every so many rounds.
const ERASED_EVERY: u64 = 3;
const IMPORTED_EVERY: u64 = 5;
const SCRUBBED_EVERY: u64 = 20;

/// The directory of somebody who comes new, in the one that is worked in; emptied for each process.
pub const NEWCOMER: &str = "newcomer";

/// Where a process ends: at the `nth` write of this name, before or after it.
#[derive(Clone, Debug)]
pub struct Point {
    /// One of [`WRITES`].
    pub write: String,
    /// Whether the write is done.
    pub after: bool,
    /// Counted from 1.
    pub nth: u64,
}

/// A directory in which a process ends at a point.
struct Deadly {
    inner: Directory,
    point: Point,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
}

struct Fast;

#[async_trait]
impl Pace for Fast {
    async fn read(&self, _bytes: usize) {}
}

impl Deadly {
    /// Ends the process if this is the place. Nothing is run down and nothing flushed, as after `kill -9`.
    fn pass(&self, write: &str, after: bool) {
        if self.point.write != write || self.point.after != after {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(write.to_owned()).or_default();
        *count += 1;
        if *count == self.point.nth {
            std::process::abort();
        }
    }

    async fn at<T>(&self, write: &str, done: impl Future<Output = T> + Send) -> T {
        self.pass(write, false);
        let result = done.await;
        self.pass(write, true);
        result
    }
}

/// Works in `data` until the process ends at the point; says what was acknowledged. What is there from an
/// earlier run goes on.
pub async fn write(data: &Path, seed: &str, point: &Point, out: &mut dyn Write) -> Result<()> {
    let counts = Arc::default();
    let own = deadly(&data.join("own"), &member()?, seed, point, &counts).await?;
    if own.own().is_empty() {
        own.begin(&FeedName::public(), member()?.node_record(&[])?).await?;
    }
    let origin = member()?.origin();
    let reader = reader_in(&data.join("reader"), seed, point, &counts).await?;
    // Whoever comes new takes all of it in at once.
    let newcomer = reader_in(&data.join(NEWCOMER), seed, point, &counts).await?;
    import(&own, &newcomer, &origin).await?;
    for round in 1..=ROUNDS {
        let many = (0..PUBLISHED).map(|number| practice(None, &format!("{seed} {round} {number}")));
        let published = own.publish(origin.feed(), many.collect()).await?;
        for one in &published {
            out.write_all(Ack::of(&own, one)?.to_string().as_bytes())?;
        }
        if let (0, Some(last)) = (round % ERASED_EVERY, published.last()) {
            let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
            let erased = own.withdraw(origin.feed(), &last.id, &withdrawal).await?;
            out.write_all(Ack::of(&own, &erased)?.to_string().as_bytes())?;
        }
        if round % IMPORTED_EVERY == 0 {
            import(&own, &reader, &origin).await?;
            let view = reader.view(&origin).context("nothing was taken in")?;
            writeln!(out, "R {} {}", view.size(), view.root().to_hex())?;
        }
        if round % SCRUBBED_EVERY == 0 {
            for feeds in [&own, &reader] {
                let mut found = feeds.scrub(&origin, &Fast).await;
                found.add(feeds.scrub_node(&Fast).await);
                ensure!(found.damaged == 0, "{found:?}");
            }
        }
        out.flush()?;
    }
    Ok(())
}

/// Opens what is in `data`, without any help, holds `acks` against it, and goes on.
pub async fn check(data: &Path, acks: &str) -> Result<Found> {
    let (received, own): (Vec<&str>, Vec<&str>) =
        acks.split_inclusive('\n').partition(|line| line.starts_with("R "));
    let origin = member()?.origin();
    let folder = data.join("own");
    let store = Arc::new(Directory::open(&folder)?);
    let opened = open_over(store, folder, &member()?, "check").await;
    let (acks, own) = (own.concat(), opened.context("it cannot be opened")?);
    let found = super::hold_against(&own, &acks).await?;
    let roots = roots(&own, &origin).await?;
    for name in ["reader", NEWCOMER] {
        let received = if name == NEWCOMER { &[][..] } else { &received };
        if data.join(name).exists() {
            check_reader(&own, &roots, &data.join(name), received).await.context(name)?;
        }
    }
    Ok(found)
}

async fn check_reader(
    own: &Arc<Feeds>,
    roots: &[Hash],
    folder: &Path,
    received: &[&str],
) -> Result<()> {
    let origin = member()?.origin();
    let store = Arc::new(Directory::open(folder)?);
    let reader = open_over(store, folder.to_path_buf(), &reading()?, "check").await?;
    let root_at = |size: u64| roots.get(usize::try_from(size).unwrap_or(usize::MAX)).copied();
    let held = reader.view(&origin).map_or(0, |view| view.size());
    for line in received.iter().filter_map(|line| line.strip_prefix("R ")) {
        let (size, root) = line.trim_end().split_once(' ').context("a torn line")?;
        let size: u64 = size.parse()?;
        ensure!(held >= size, "{size} entries were taken in, {held} are here");
        ensure!(root_at(size) == Some(Hash::from_hex(root)?), "another tree was taken in");
    }
    if let Some(view) = reader.view(&origin) {
        ensure!(root_at(view.size()) == Some(view.root()), "the reader holds another tree");
    }
    if reader.pins().is_empty() {
        return Ok(());
    }
    import(own, &reader, &origin).await?;
    let (mine, theirs) = (own.view(&origin), reader.view(&origin));
    let same = mine.zip(theirs).is_some_and(|(mine, theirs)| mine.root() == theirs.root());
    ensure!(same, "a bundle does not bring the reader to where the owner is");
    let mut scrubbed = reader.scrub(&origin, &Fast).await;
    scrubbed.add(reader.scrub_node(&Fast).await);
    ensure!(scrubbed.damaged == scrubbed.healed, "{scrubbed:?}");
    Ok(())
}

async fn import(own: &Feeds, reader: &Arc<Feeds>, origin: &Origin) -> Result<()> {
    let mut items: Vec<Item> = Vec::new();
    let mut put = |item: Item| {
        items.push(item);
        Ok(())
    };
    own.pack(origin, 0, &mut put).await?;
    let bytes = Bytes::from(bundle::write(&items));
    let contents = Contents::of(&*bytes)?;
    let carrier = BundleCarrier::new("bundle", origin.node().clone(), &contents, &bytes);
    reader.sync_feed(&carrier, origin, None, &Quiet).await?;
    reader.exchange_receipts(&carrier, origin).await;
    Ok(())
}

/// The root at each size.
async fn roots(feeds: &Feeds, origin: &Origin) -> Result<Vec<Hash>> {
    let size = feeds.view(origin).map_or(0, |view| view.size());
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for index in 0..size {
        frontier.push(Hash::leaf(&feeds.entry(origin, index).await?.entry))?;
        roots.push(frontier.root());
    }
    Ok(roots)
}

async fn reader_in(
    data: &Path,
    seed: &str,
    point: &Point,
    counts: &Arc<Mutex<BTreeMap<String, u64>>>,
) -> Result<Arc<Feeds>> {
    let reader = deadly(data, &reading()?, seed, point, counts).await?;
    if reader.pins().is_empty() {
        let pin = Pin::new(member()?.name().clone(), member()?.root()?.public(), vec![], BEGINNING);
        reader.follow(pin).await?;
    }
    Ok(reader)
}

async fn deadly(
    data: &Path,
    member: &Member,
    seed: &str,
    point: &Point,
    counts: &Arc<Mutex<BTreeMap<String, u64>>>,
) -> Result<Arc<Feeds>> {
    let inner = Directory::open(data)?;
    let store = Deadly { inner, point: point.clone(), counts: Arc::clone(counts) };
    open_over(Arc::new(store), data.to_path_buf(), member, seed).await
}

fn reading() -> Result<Member> {
    Member::of("reader.example")
}

#[async_trait]
impl FeedStore for Deadly {
    async fn origins(&self) -> Result<Vec<Origin>, StoreError> {
        self.inner.origins().await
    }

    async fn fact(&self, origin: &Origin, fact: &Fact) -> Result<Option<Bytes>, StoreError> {
        self.inner.fact(origin, fact).await
    }

    async fn commit(&self, advance: &Advance) -> Result<(), CommitError> {
        let write = match advance.change() {
            HeadChange::Append(_) => "append to the head",
            HeadChange::Replace(_) => "replace the head",
        };
        self.at(write, self.inner.commit(advance)).await
    }

    async fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError> {
        self.at("cut", self.inner.cut(origin, bytes)).await
    }

    async fn keep(&self, verified: &VerifiedFact) -> Result<(), StoreError> {
        let write = match verified.fact() {
            Fact::Segment(_) => "segment",
            Fact::Tile(_) => "tile",
            Fact::Pending => "pending checkpoint",
            _ => "cosignatures",
        };
        self.at(write, self.inner.keep(verified)).await
    }

    async fn remove(&self, origin: &Origin, fact: &Fact) -> Result<(), StoreError> {
        self.at("remove", self.inner.remove(origin, fact)).await
    }

    async fn high_water(&self, origin: &Origin) -> Result<Option<HighWater>, StoreError> {
        self.inner.high_water(origin).await
    }

    async fn high_water_is_at_home(&self, origin: &Origin) -> Result<Option<bool>, StoreError> {
        self.inner.high_water_is_at_home(origin).await
    }

    async fn set_high_water(&self, origin: &Origin, mark: HighWater) -> Result<(), StoreError> {
        self.at("high-water mark", self.inner.set_high_water(origin, mark)).await
    }

    async fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.inner.decisions().await
    }

    async fn set_decision(&self, name: &str, bytes: Option<Bytes>) -> Result<(), StoreError> {
        self.at("decision", self.inner.set_decision(name, bytes)).await
    }

    async fn witnessed(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError> {
        self.inner.witnessed(origin).await
    }

    async fn set_witnessed(&self, origin: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        self.at("what was cosigned", self.inner.set_witnessed(origin, bytes)).await
    }

    async fn witnessed_logs(&self) -> Result<Vec<Hash>, StoreError> {
        self.inner.witnessed_logs().await
    }

    async fn forget(&self, origin: &Origin) -> Result<(), StoreError> {
        self.inner.forget(origin).await
    }
}

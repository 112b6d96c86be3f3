//! A publisher to be killed, and the check of what it left behind.
//!
//! [`write`] publishes, revises, withdraws and erases from several tasks at once and says on a pipe
//! what was acknowledged, one line each. [`check`] opens what is on disk as a node does after a crash
//! and holds every line against it.

pub mod points;

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use feed::feeds::{BodyRead, FeedState, Feeds, Parts, Published, Withdrawal};
use feed::ports::FeedStore;
use practice::id::RecordId;
use store::catalog::SledCatalog;
use store::facts::Directory;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::name::FeedName;
use tlog::proof_file::TlogProof;

use crate::chance::{TestChance, TestClock};
use crate::member::{Member, practice};

/// Publishers at once: their commits are shared, so a crash hits several acknowledgements together.
const PUBLISHERS: u64 = 8;

/// Records a publisher keeps revising, and at last withdraws.
const KEPT: usize = 16;

/// What is checked by its `.tlog-proof`, one in so many entries.
const PROVED_EVERY: u64 = 37;

/// One acknowledgement: an entry of ours, and the checkpoint that covered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    index: u64,
    id: RecordId,
    /// `None` for a withdrawal that erases the record's bodies.
    body: Option<Hash>,
    size: u64,
    root: Hash,
}

/// What a check found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Acknowledgements held against the disk.
    pub acks: u64,
    /// Entries in the feed.
    pub size: u64,
    /// Entries there that nobody had been told of: under way when the crash came.
    pub untold: u64,
    /// Bodies erased.
    pub erased: u64,
}

/// Publishes into `data` until killed, or until `limit` acknowledgements were written to `out`. What is
/// there from an earlier run goes on.
pub async fn write(data: &Path, seed: &str, limit: u64, out: Box<dyn Write + Send>) -> Result<()> {
    let feeds = open(data, seed).await?;
    if feeds.own().is_empty() {
        feeds.begin(&FeedName::public(), member()?.node_record(&[])?).await?;
    }
    let out = Arc::new(Mutex::new(out));
    let tasks = (0..PUBLISHERS).map(|publisher| {
        let chance = TestChance::new(format!("{seed} {publisher}"));
        tokio::spawn(publish(Arc::clone(&feeds), chance, limit / PUBLISHERS, Arc::clone(&out)))
    });
    let mut refused = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        if let Err(error) = task.await? {
            refused.push(format!("{error:#}"));
        }
    }
    ensure!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

/// Opens what is in `data`, without any help, and holds `acks` against it; then publishes once more.
pub async fn check(data: &Path, acks: &str) -> Result<Found> {
    let feeds = open(data, "check").await.context("it cannot be opened")?;
    hold_against(&feeds, acks).await
}

async fn hold_against(feeds: &Arc<Feeds>, acks: &str) -> Result<Found> {
    let origin = member()?.origin();
    let acks = read_acks(acks)?;
    let Some(view) = feeds.view(&origin) else {
        ensure!(acks.is_empty(), "there is no feed, and {} acknowledgements", acks.len());
        return Ok(Found::default());
    };
    ensure!(view.state == FeedState::Open, "the feed is not open: {:?}", view.state);
    let mut found = Found { acks: acks.len() as u64, size: view.size(), ..Found::default() };
    let roots: HashMap<u64, Hash> = acks.iter().map(|ack| (ack.size, ack.root)).collect();
    let told: HashMap<u64, &Ack> = acks.iter().map(|ack| (ack.index, ack)).collect();
    let ended: Vec<RecordId> =
        acks.iter().filter(|ack| ack.body.is_none()).map(|ack| ack.id).collect();
    let mut frontier = Frontier::new();
    for index in 0..view.size() {
        let read = feeds.entry(&origin, index).await.with_context(|| format!("entry {index}"))?;
        frontier.push(Hash::leaf(&read.entry))?;
        if let Some(root) = roots.get(&frontier.size()) {
            ensure!(
                *root == frontier.root(),
                "another tree than the one acknowledged at {}",
                frontier.size()
            );
        }
        found.erased += u64::from(matches!(read.body, BodyRead::Erased { .. }));
        match told.get(&index) {
            Some(ack) => ack.holds(&read.entry, &read.body, ended.contains(&ack.id))?,
            None => found.untold += 1,
        }
    }
    for ack in &acks {
        ensure!(
            ack.size <= view.size(),
            "lost: entry {} was acknowledged, {} are here",
            ack.index,
            view.size()
        );
    }
    ensure!(frontier.root() == view.root(), "the entries give another root than the checkpoint");
    prove(feeds, view.size()).await?;
    let more = feeds.publish(&FeedName::public(), vec![practice(None, "after the crash")]).await?;
    ensure!(
        more.iter().all(|more| more.index == view.size()),
        "publishing does not go on where it stood"
    );
    found.size += 1;
    Ok(found)
}

async fn open(data: &Path, seed: &str) -> Result<Arc<Feeds>> {
    open_over(Arc::new(Directory::open(data)?), data.to_path_buf(), &member()?, seed).await
}

async fn open_over(
    store: Arc<dyn FeedStore>,
    data: PathBuf,
    member: &Member,
    seed: &str,
) -> Result<Arc<Feeds>> {
    let parts = Parts {
        node: member.name().clone(),
        store,
        catalog: Arc::new(SledCatalog::open(data.join("catalog"))?),
        signer: Arc::new(member.secret().signer(1)?),
        clock: Arc::new(TestClock::new()),
        // Another run must not draw the ids and salts of the one before it.
        random: Arc::new(TestChance::new(format!("{seed} {}", std::process::id()))),
    };
    Ok(Feeds::open(parts).await?)
}

fn member() -> Result<Member> {
    Member::of("crash.example")
}

async fn publish(
    feeds: Arc<Feeds>,
    chance: TestChance,
    limit: u64,
    out: Arc<Mutex<Box<dyn Write + Send>>>,
) -> Result<()> {
    let mut kept: Vec<RecordId> = Vec::new();
    for _ in 0..limit {
        let published = if kept.len() == KEPT {
            let id = kept.swap_remove(usize::try_from(chance.below(KEPT as u64))?);
            let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
            feeds.withdraw(&FeedName::public(), &id, &withdrawal).await?
        } else {
            let id = kept.get(usize::try_from(chance.below(KEPT as u64))?).copied();
            // From a few hundred bytes to some that fill a page of the disk several times.
            let text = "words ".repeat(usize::try_from(chance.below(2_000))?);
            let all = feeds.publish(&FeedName::public(), vec![practice(id, &text)]).await?;
            let published = all.into_iter().next().context("nothing was published")?;
            if id.is_none() {
                kept.push(published.id);
            }
            published
        };
        let line = Ack::of(&feeds, &published)?.to_string();
        // One write a line: what reaches the pipe is whole.
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(line.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

async fn prove(feeds: &Arc<Feeds>, size: u64) -> Result<()> {
    let origin = member()?.origin();
    let vkey = feeds.view(&origin).and_then(|view| view.log_vkey()).context("no log key")?;
    for index in (0..size).step_by(usize::try_from(PROVED_EVERY)?) {
        let entry = feeds.entry(&origin, index).await?.entry;
        let proof = feeds.proof(&origin, index).await?;
        TlogProof::parse(proof.as_bytes())?.verify_entry(&entry, &vkey)?;
    }
    Ok(())
}

fn read_acks(text: &str) -> Result<Vec<Ack>> {
    // A last line without its end was torn with the writer: nobody was told.
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().filter(|line| !line.is_empty()).map(str::parse).collect()
}

impl Ack {
    fn of(feeds: &Feeds, published: &Published) -> Result<Self> {
        let view = feeds.view(&published.origin).context("no feed")?;
        ensure!(view.size() > published.index, "acknowledged before it was shown");
        let Published { index, id, body, .. } = *published;
        Ok(Self { index, id, body, size: view.size(), root: view.root() })
    }

    fn holds(&self, entry: &[u8], body: &BodyRead, ended: bool) -> Result<()> {
        let index = self.index;
        let entry = std::str::from_utf8(entry)?;
        ensure!(entry.contains(&self.id.to_string()), "entry {index} is another than acknowledged");
        match (body, self.body) {
            (BodyRead::None, None) => Ok(()),
            (BodyRead::Held(bytes), Some(hash)) if !ended => {
                ensure!(Hash::of(bytes) == hash, "the body of entry {index} is another one");
                Ok(())
            }
            (BodyRead::Held(_), Some(_)) => bail!("entry {index} was erased, and its body is back"),
            (BodyRead::Erased { .. }, Some(_)) => Ok(()),
            (BodyRead::Missing, _) => bail!("the body of entry {index} is lost"),
            _ => bail!("entry {index} is another than acknowledged"),
        }
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.map_or_else(|| "-".to_owned(), |body| body.to_hex());
        writeln!(f, "{} {} {body} {} {}", self.index, self.id, self.size, self.root.to_hex())
    }
}

impl FromStr for Ack {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[index, id, body, size, root] = fields.as_slice() else {
            bail!("`{line}` is no line of ours")
        };
        let body = if body == "-" { None } else { Some(Hash::from_hex(body)?) };
        let id = RecordId::parse(id)?;
        Ok(Self {
            index: index.parse()?,
            id,
            body,
            size: size.parse()?,
            root: Hash::from_hex(root)?,
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acks, size, untold, erased } = self;
        write!(f, "{acks} acknowledged, all here; {size} entries, {untold} untold, {erased} erased")
    }
}

//! Copies of feeds on this machine: bundles and backups as files, and own feeds that come back from
//! those who hold more of them.
//!
//! A bundle is written beside its place, synced, read back to its last byte, then renamed: a file that
//! is there is whole. What comes in through one goes through the same verification as what comes from
//! any peer.

mod written;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use bytes::Bytes;
use feed::bundle::carrier::{BundleCarrier, ReadAt};
use feed::bundle::{self, Contents, Item, ItemKind, Writer};
use feed::feeds::{Feeds, Packed, Restored, Source};
use feed::ports::{Carrier, Progress};
use peer::carrier::HttpCarrier;
use peer::outbound::Outbound;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tempfile::NamedTempFile;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use web::copies::{Copies, CopiesError, said};
use wire::api::guard::{
    CopiesStatus, ImportAnswer, ImportRequest, ImportedFeed, PackAnswer, PackRequest, PackedFeed,
    RestoreAnswer, RestoreRequest, RestoredFeed, ScrubAnswer, ScrubRequest, UnderWay,
};

/// The decision that makes a bundle a backup: it names whose.
const BACKUP_OF: &str = "backup";

/// The copies of one node.
pub struct Vault {
    feeds: Arc<Feeds>,
    outbound: Arc<Outbound>,
    under_way: Steps,
}

/// How far the work at hand has come, for whoever asks.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Option<UnderWay>>>);

/// The steps of one feed.
struct OfFeed<'a> {
    steps: &'a Steps,
    origin: &'a Origin,
}

/// Ends the telling when the work ends, however it does.
struct Work(Steps);

impl Steps {
    fn begin(&self, what: &str) -> Work {
        self.tell(what.to_owned(), 0, 0);
        Work(self.clone())
    }

    fn tell(&self, what: String, done: u64, total: u64) {
        *self.lock() = Some(UnderWay { what, done, total });
    }

    fn lock(&self) -> MutexGuard<'_, Option<UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

impl Progress for OfFeed<'_> {
    fn step(&self, what: &str, done: u64, total: u64) {
        self.steps.tell(format!("{what} of {}", self.origin), done, total);
    }
}

/// A bundle on disk, read through once.
pub struct BundleFile {
    name: String,
    file: File,
    contents: Contents,
}

impl BundleFile {
    /// Opens a bundle and checks its hash.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
        let contents = Contents::of(BufReader::with_capacity(1 << 20, &file))
            .with_context(|| format!("{shown} cannot be taken as a bundle"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, file, contents })
    }

    /// What stands in it.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Carries the feeds of one node out of it.
    pub fn carrier(&self, node: &NodeName) -> BundleCarrier<'_> {
        BundleCarrier::new(&self.name, node.clone(), &self.contents, self)
    }

    /// Whose backup it is; `None` for a bundle that is none.
    pub fn backup_of(&self) -> anyhow::Result<Option<NodeName>> {
        let decided =
            |origin: &&Origin| !self.contents.places(origin, ItemKind::Decision).is_empty();
        let mut nodes: Vec<NodeName> =
            self.contents.origins().filter(decided).map(|origin| origin.node().clone()).collect();
        nodes.dedup();
        match nodes.len() {
            0 => Ok(None),
            1 => Ok(nodes.pop()),
            _ => bail!(
                "{} holds decisions of several nodes: it is no backup of this program",
                self.name
            ),
        }
    }

    /// The decisions of a backup, by name.
    pub fn decisions(&self, node: &NodeName) -> anyhow::Result<Vec<(String, Bytes)>> {
        let mut decisions = Vec::new();
        for origin in self.contents.origins().filter(|origin| origin.node() == node) {
            for place in self.contents.places(origin, ItemKind::Decision) {
                let bytes = self.read_at(place.offset, place.length)?;
                let (name, bytes) = bundle::split_decision(&bytes)?;
                if name != BACKUP_OF {
                    decisions.push((name, bytes));
                }
            }
        }
        Ok(decisions)
    }

    /// The root key that the newest node record of `node` in it names. Nothing vouches for it but the
    /// bundle.
    pub async fn root_of(&self, node: &NodeName) -> anyhow::Result<PublicKey> {
        let record = self.carrier(node).node_record().await?;
        Ok(NodeRecord::from_body(&Body::open(record)?)?.root)
    }

    /// The nodes whose node records are in it.
    pub fn nodes(&self) -> Vec<NodeName> {
        let recorded =
            |origin: &&Origin| !self.contents.places(origin, ItemKind::NodeRecord).is_empty();
        let origins = self.contents.origins().filter(recorded);
        let mut nodes: Vec<NodeName> = origins.map(|origin| origin.node().clone()).collect();
        nodes.dedup();
        nodes
    }

    fn feeds_of(&self, node: &NodeName) -> Vec<Origin> {
        let carried = |origin: &&Origin| self.contents.carries(origin);
        let of_node = self.contents.origins().filter(|origin| origin.node() == node);
        of_node.filter(carried).cloned().collect()
    }
}

impl ReadAt for BundleFile {
    fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Bytes> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

impl Vault {
    /// The copies of the node with these feeds.
    pub fn new(feeds: &Arc<Feeds>, outbound: &Arc<Outbound>) -> Self {
        let (feeds, outbound) = (Arc::clone(feeds), Arc::clone(outbound));
        Self { feeds, outbound, under_way: Steps::default() }
    }

    /// Fetches own feeds from those who cosigned last, those who are followed, and `urls`. `root` is
    /// needed where nothing is here.
    pub async fn from_network(
        &self,
        urls: &[String],
        root: Option<PublicKey>,
    ) -> anyhow::Result<Vec<RestoredFeed>> {
        let mut given: Vec<(Option<NodeName>, Arc<dyn Carrier>)> = Vec::new();
        for url in urls {
            let carrier = HttpCarrier::new(&self.outbound, std::slice::from_ref(url))
                .with_context(|| format!("{url} cannot be asked"))?;
            let node = node_at(&carrier).await;
            given.push((node, Arc::new(carrier)));
        }
        let mut feeds = Vec::new();
        let mut wanted = self.own_feeds().await?;
        while let Some(origin) = wanted.pop() {
            let mut all = given.clone();
            for (node, carrier) in self.feeds.carriers_of_guardians(&origin) {
                if !all.iter().any(|(known, _)| known.as_ref() == Some(&node)) {
                    all.push((Some(node), carrier));
                }
            }
            let sources: Vec<Source<'_>> = all
                .iter()
                .map(|(node, carrier)| Source { node: node.clone(), carrier: carrier.as_ref() })
                .collect();
            feeds.push(self.restore_one(&origin, root, &sources).await);
            // The record that came back may name further feeds.
            let known = |origin: &Origin| feeds.iter().any(|feed| feed.origin == *origin);
            let more: Vec<Origin> = self.own_feeds().await?;
            wanted.extend(more.into_iter().filter(|origin| !known(origin)));
            wanted.sort_unstable();
            wanted.dedup();
        }
        Ok(feeds)
    }

    /// Takes own feeds out of a backup, and copies of others.
    pub async fn from_backup(
        &self,
        file: &BundleFile,
        root: Option<PublicKey>,
    ) -> anyhow::Result<(Vec<RestoredFeed>, Vec<ImportedFeed>)> {
        let node = self.feeds.node().clone();
        let carrier = file.carrier(&node);
        let mut own = Vec::new();
        for origin in file.feeds_of(&node) {
            let sources = [Source { node: None, carrier: &carrier }];
            own.push(self.restore_one(&origin, root, &sources).await);
            // Of a network's own feed. What cannot be taken is gathered from the committee again.
            if let Err(error) = self.feeds.sync_anchors(&carrier, &origin, true, true).await {
                tracing::debug!(feed.origin = %origin, "no approvals came with `{origin}`: {error}");
            }
        }
        let mut origins: Vec<&Origin> =
            file.contents.origins().filter(|origin| *origin.node() != node).collect();
        // Whom a network lets take part is followed by its word, so its feed comes first.
        origins.sort_by_key(|origin| self.feeds.network(origin).is_none());
        let mut others = Vec::new();
        for origin in origins {
            others.push(self.import_one(file, origin).await);
        }
        Ok((own, others))
    }

    async fn restore_one(
        &self,
        origin: &Origin,
        root: Option<PublicKey>,
        sources: &[Source<'_>],
    ) -> RestoredFeed {
        let progress = OfFeed { steps: &self.under_way, origin };
        match self.feeds.restore_feed(origin, root, sources, &progress).await {
            Ok(restored) => told(restored),
            Err(error) => {
                let view = self.feeds.view(origin);
                let size = view.as_ref().map_or(0, |view| view.size());
                RestoredFeed {
                    origin: origin.clone(),
                    from: size,
                    size,
                    root: view.map(|view| view.root()),
                    agree: Vec::new(),
                    cosigned: 0,
                    state: "failed".to_owned(),
                    reason: Some(error.to_string()),
                }
            }
        }
    }

    /// The public feed, what the newest node record names, and what lies in the store.
    async fn own_feeds(&self) -> anyhow::Result<Vec<Origin>> {
        let node = self.feeds.node();
        let mut feeds = vec![Origin::new(node.clone(), FeedName::public())];
        if let Some(record) = self.feeds.node_record(node) {
            let record = NodeRecord::from_body(&Body::open(record)?)?;
            feeds.extend(record.feeds.iter().map(|feed| Origin::new(node.clone(), feed.clone())));
        }
        let stored = self.feeds.store().origins().await?.into_iter();
        feeds.extend(stored.filter(|origin| origin.node() == node));
        feeds.sort_unstable();
        feeds.dedup();
        Ok(feeds)
    }

    async fn import_one(&self, file: &BundleFile, origin: &Origin) -> ImportedFeed {
        let size = |feeds: &Feeds| feeds.view(origin).map_or(0, |view| view.size());
        let from = size(&self.feeds);
        let carrier = file.carrier(origin.node());
        let (mut refused, mut not_followed) = (None, None);
        let lines = carrier.cosignatures(origin).await.ok();
        if origin.node() == self.feeds.node() {
            if let Ok(note) = carrier.checkpoint(origin).await {
                self.feeds.weigh_own(origin, &note, &file.name).await;
            }
        } else if self.feeds.pin(origin.node()).is_none() {
            not_followed = Some(origin.node().clone());
        } else if file.contents.carries(origin) {
            let progress = OfFeed { steps: &self.under_way, origin };
            match self.feeds.sync_feed(&carrier, origin, None, &progress).await {
                Ok(_) => {
                    self.feeds.exchange_receipts(&carrier, origin).await;
                    let anchors = self.feeds.sync_anchors(&carrier, origin, true, true).await;
                    refused = anchors.err().map(|error| error.to_string());
                }
                Err(error) => refused = Some(error.to_string()),
            }
        }
        let mut receipts = 0;
        if let Some(lines) = lines.filter(|_| not_followed.is_none()) {
            receipts = self.feeds.merge_cosignatures(origin, &lines, None).await;
        }
        let size = size(&self.feeds);
        ImportedFeed { origin: origin.clone(), from, size, receipts, refused, not_followed }
    }

    async fn write(&self, request: &PackRequest) -> anyhow::Result<PackAnswer> {
        let path = Path::new(&request.file);
        let folder = path.parent().filter(|folder| folder.is_absolute());
        let folder = folder.context("the file must be named by its absolute path")?;
        if path.exists() {
            bail!("{} is there already; it is not overwritten", path.display());
        }
        let staged = NamedTempFile::new_in(folder)
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, staged))?;
        let mut packed = Vec::new();
        for origin in self.wanted(request)? {
            let progress = OfFeed { steps: &self.under_way, origin: &origin };
            let mut bytes = 0;
            let mut put = |item: Item| {
                bytes += item.bytes.len() as u64;
                progress.step("KiB", bytes >> 10, 0);
                writer.item(&item)
            };
            packed.push(self.feeds.pack(&origin, request.from, &mut put).await?);
        }
        if request.backup {
            self.write_decisions(&mut writer).await?;
        }
        let to = path.to_path_buf();
        // Away from the runtime's threads: a disk takes its time with a long file.
        let placed = tokio::task::spawn_blocking(move || {
            anyhow::Ok((written::put_in_place(writer, &to, &packed)?, packed))
        });
        let (bytes, packed) = placed.await??;
        let feeds = packed.into_iter().map(|Packed { origin, size, root }| PackedFeed {
            origin,
            size,
            root,
        });
        Ok(PackAnswer { bytes, feeds: feeds.collect() })
    }

    async fn write_decisions(
        &self,
        writer: &mut Writer<impl std::io::Write>,
    ) -> anyhow::Result<()> {
        let origin = Origin::new(self.feeds.node().clone(), FeedName::public());
        let item = |name: &str, bytes: &Bytes| Item {
            kind: ItemKind::Decision,
            origin: origin.clone(),
            number: 0,
            bytes: bundle::decision(name, bytes),
        };
        let mark = serde_json::json!({
            "node": self.feeds.node(), "made_at": self.feeds.clock().now(),
        });
        writer.item(&item(BACKUP_OF, &serde_json::to_vec(&mark)?.into()))?;
        for (name, bytes) in self.feeds.store().decisions().await? {
            writer.item(&item(&name, &bytes))?;
        }
        Ok(())
    }

    /// The feeds named; else all of a backup, and of a bundle those that anybody may read.
    fn wanted(&self, request: &PackRequest) -> anyhow::Result<Vec<Origin>> {
        let held = self.feeds.origins();
        if let Some(missing) = request.feeds.iter().find(|origin| !held.contains(origin)) {
            bail!("{missing} is not held here; `jopoi feed list` shows what is");
        }
        let all = request.feeds.is_empty();
        let beyond = |origin: &&Origin| {
            self.feeds.view(origin).is_none_or(|view| view.size() <= request.from)
        };
        if let (true, Some(origin)) = (request.from > 0, request.feeds.iter().find(beyond)) {
            let size = self.feeds.view(origin).map_or(0, |view| view.size());
            bail!(
                "{origin} has {size} entries, none of which comes from entry {} on",
                request.from
            );
        }
        if request.from > 0 && all && !held.iter().any(|origin| !beyond(&origin)) {
            bail!("no feed held here has an entry from {} on", request.from);
        }
        let mut wanted = if all { held } else { request.feeds.clone() };
        wanted.retain(|origin| {
            let ours = origin.node() == self.feeds.node();
            (ours || !request.own) && (!all || request.backup || !origin.feed().is_restricted())
        });
        Ok(wanted)
    }
}

#[async_trait]
impl Copies for Vault {
    async fn restore(&self, request: RestoreRequest) -> Result<RestoreAnswer, CopiesError> {
        let _work = self.under_way.begin("asking others");
        let feeds =
            self.from_network(&request.urls, None).await.map_err(|error| refused(&error))?;
        Ok(RestoreAnswer { feeds })
    }

    async fn pack(&self, request: PackRequest) -> Result<PackAnswer, CopiesError> {
        let _work = self.under_way.begin("packing");
        self.write(&request).await.map_err(|error| refused(&error))
    }

    async fn scrub(&self, request: ScrubRequest) -> Result<ScrubAnswer, CopiesError> {
        let _work = self.under_way.begin("reading everything back");
        Ok(crate::scrub::scrub(&self.feeds, request.kib_per_second).await)
    }

    fn status(&self) -> CopiesStatus {
        let under_way = self.under_way.lock().clone();
        CopiesStatus { under_way, scrub: crate::scrub::last(&self.feeds) }
    }

    async fn import(&self, request: ImportRequest) -> Result<ImportAnswer, CopiesError> {
        let _work = self.under_way.begin("reading the file");
        let path = request.file.clone();
        let opened = tokio::task::spawn_blocking(move || BundleFile::open(Path::new(&path))).await;
        let opened = opened.map_err(anyhow::Error::from).and_then(|opened| opened);
        let file = opened.map_err(|error| refused(&error))?;
        if let Some(node) = file.backup_of().map_err(|error| refused(&error))? {
            return Err(CopiesError(format!(
                "{} is the backup of {node}, with what was decided there: `jopoi restore` takes it, at that node only",
                file.name
            )));
        }
        let mut feeds = Vec::new();
        for origin in file.contents.origins() {
            feeds.push(self.import_one(&file, origin).await);
        }
        Ok(ImportAnswer { feeds })
    }
}

/// Who answers at a URL, as it says itself: its answer counts for the guard, and only what our own key
/// signed counts in it.
async fn node_at(carrier: &HttpCarrier) -> Option<NodeName> {
    let record = Body::open(carrier.node_record().await.ok()?).ok()?;
    Some(NodeRecord::from_body(&record).ok()?.node.clone())
}

fn told(restored: Restored) -> RestoredFeed {
    let (state, reason) = said(restored.guard);
    RestoredFeed {
        origin: restored.origin,
        from: restored.from,
        size: restored.size,
        root: Some(restored.root),
        agree: restored.agree,
        cosigned: restored.cosigned,
        state: state.to_owned(),
        reason,
    }
}

fn refused(error: &anyhow::Error) -> CopiesError {
    let words: Vec<String> = error.chain().map(ToString::to_string).collect();
    CopiesError(words.join(": "))
}

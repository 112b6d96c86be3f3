//! Facts on a local directory, in the order of design 7.
//!
//! | | how | what a crash leaves |
//! |---|---|---|
//! | head, appended | written at the end, `fdatasync` | a torn end, cut by the core when it opens |
//! | head, decisions, witness, format | staged beside, synced, renamed, directory synced | old or new, perhaps `NAME#0` |
//! | high-water | overwritten in place within one sector, `fdatasync` | old or new |
//! | segments, tiles, pending, cosignatures, anchors, files | `object_store` with `fsync`: as for a replaced head | old or new, perhaps `NAME#1` |
//! | a forgotten feed | renamed, directory synced, removed | the feed, or none, perhaps `FEED#0` |
//!
//! What is left staged is deleted at the next open. Files are opened for each write and never kept open:
//! that costs a hundredth of the sync, and a mirror of many feeds runs out of no file handles.
//!
//! **Invariant:** after a sync that failed nothing is written until the directory was opened again, for
//! nobody knows what is on disk; reading goes on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use feed::advance::{Advance, HeadChange, HeadMark, VerifiedFact};
use feed::ports::{CommitError, Fact, FeedStore, HighWater, Room, StoreError};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use tlog::hash::Hash;
use tlog::name::Origin;

mod disk;
mod high_water;
mod layout;
mod objects;
mod opening;

pub use opening::OpenError;

use disk::Failure;

/// No object is longer: a segment has at most 33,818,126 bytes, a head 32 MiB, a file 20 MiB. What is
/// longer on disk is none of ours and is refused before it is read into memory.
const OBJECT_BYTES_MAX: u64 = 64 << 20;

/// A decision is a small file: the largest is a network file.
const DECISION_BYTES_MAX: u64 = 1 << 20;

/// A DATA directory, locked for this process as long as the value lives.
#[derive(Debug)]
pub struct Directory {
    shared: Arc<Shared>,
}

impl Directory {
    /// Opens a DATA directory, or makes one where there is nothing.
    ///
    /// Blocks for as long as it takes to list all objects. The catalog, the index and the control socket
    /// below it are others' business, and so is the content of `keys`.
    pub fn open(data: impl AsRef<Path>) -> Result<Self, OpenError> {
        let data = data.as_ref();
        let lock = opening::open(data)?;
        let objects = LocalFileSystem::new_with_prefix(data).map_err(|error| OpenError::Io {
            action: "open",
            path: data.to_owned(),
            source: std::io::Error::other(error),
        })?;
        let shared = Shared {
            data: data.to_owned(),
            objects: objects.with_fsync(true),
            machine: high_water::machine_id(),
            heads: Mutex::default(),
            changing: Mutex::default(),
            poisoned: AtomicBool::new(false),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether `data` is a DATA directory already (of this or another release). Makes nothing.
    pub fn exists(data: impl AsRef<Path>) -> bool {
        data.as_ref().join(layout::FORMAT_FILE).exists()
    }

    /// The DATA directory.
    pub fn path(&self) -> &Path {
        &self.shared.data
    }

    /// Runs file operations where they hold up no other task. They run to their end even if the caller
    /// is gone.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn_blocking(move || work(&shared)).await.unwrap_or_else(|stopped| {
                    let source = std::io::Error::other(stopped);
                    Err(StoreError::Io {
                        action: "finish the work on",
                        what: "the store".to_owned(),
                        source,
                    })
                })
            }
            Err(_) => work(&shared),
        }
    }
}

#[async_trait]
impl FeedStore for Directory {
    async fn origins(&self) -> Result<Vec<Origin>, StoreError> {
        self.blocking(Shared::origins).await
    }

    async fn fact(&self, origin: &Origin, fact: &Fact) -> Result<Option<Bytes>, StoreError> {
        let what = layout::fact(origin, fact);
        if *fact == Fact::Head {
            let origin = origin.clone();
            return self.blocking(move |shared| shared.read_head(&origin, &what)).await;
        }
        let failed = |error| objects::failure("read", &what, error);
        let found = match self.shared.objects.get(&objects::path(&what)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if found.meta.size > OBJECT_BYTES_MAX {
            return Err(disk::too_long(&what, found.meta.size, OBJECT_BYTES_MAX));
        }
        found.bytes().await.map(Some).map_err(failed)
    }

    async fn commit(&self, advance: &Advance) -> Result<(), CommitError> {
        let advance_owned = advance.clone();
        match self.blocking(move |shared| Ok(shared.commit(&advance_owned))).await {
            Ok(outcome) => outcome,
            Err(source) => Err(CommitError::Unknown { origin: advance.origin().clone(), source }),
        }
    }

    async fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError> {
        let origin = origin.clone();
        self.blocking(move |shared| shared.cut(&origin, bytes)).await
    }

    async fn keep(&self, verified: &VerifiedFact) -> Result<(), StoreError> {
        let what = layout::fact(verified.origin(), verified.fact());
        self.shared.may_write(&what)?;
        not_a_head(verified.fact(), &what)?;
        let bytes = u64::try_from(verified.bytes().len()).unwrap_or(u64::MAX);
        if bytes > OBJECT_BYTES_MAX {
            return Err(disk::too_long(&what, bytes, OBJECT_BYTES_MAX));
        }
        let path = objects::path(&what)?;
        match self.shared.objects.put(&path, verified.bytes().clone().into()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match objects::failure("write", &what, error) {
                StoreError::Io { source, .. } if objects::is_grave(&source) => {
                    self.shared.poison(&what, Some(&source))
                }
                refusal => refusal,
            }),
        }
    }

    async fn remove(&self, origin: &Origin, fact: &Fact) -> Result<(), StoreError> {
        let what = layout::fact(origin, fact);
        not_a_head(fact, &what)?;
        self.blocking(move |shared| shared.change("remove", &what, disk::remove)).await
    }

    async fn high_water(&self, origin: &Origin) -> Result<Option<HighWater>, StoreError> {
        let what = layout::high_water(origin);
        let read = self.blocking(move |shared| shared.read_high_water(&what)).await?;
        Ok(read.map(|(mark, _)| mark))
    }

    async fn high_water_is_at_home(&self, origin: &Origin) -> Result<Option<bool>, StoreError> {
        let what = layout::high_water(origin);
        let read = self.blocking(move |shared| shared.read_high_water(&what)).await?;
        Ok(read.map(|(_, here)| here))
    }

    async fn set_high_water(&self, origin: &Origin, mark: HighWater) -> Result<(), StoreError> {
        let what = layout::high_water(origin);
        let write = move |shared: &Shared| {
            shared.change("write", &what, |path| high_water::write(path, &shared.machine, mark))
        };
        self.blocking(write).await
    }

    async fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.blocking(Shared::decisions).await
    }

    async fn set_decision(&self, name: &str, bytes: Option<Bytes>) -> Result<(), StoreError> {
        let what = layout::decision(name)?;
        let write = move |shared: &Shared| match bytes {
            Some(bytes) if bytes.len() as u64 > DECISION_BYTES_MAX => {
                Err(disk::too_long(&what, bytes.len() as u64, DECISION_BYTES_MAX))
            }
            Some(bytes) => shared.change("write", &what, |path| disk::replace(path, &bytes)),
            None => shared.change("remove", &what, disk::remove),
        };
        self.blocking(write).await
    }

    async fn witnessed(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError> {
        let what = layout::witnessed(origin);
        let read =
            move |shared: &Shared| disk::read(&shared.data.join(&what), OBJECT_BYTES_MAX, &what);
        Ok(self.blocking(read).await?.map(Bytes::from))
    }

    async fn set_witnessed(&self, origin: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        let what = layout::witnessed(origin);
        let write = move |shared: &Shared| {
            shared.change("write", &what, |path| disk::replace(path, &bytes))
        };
        self.blocking(write).await
    }

    async fn witnessed_logs(&self) -> Result<Vec<Hash>, StoreError> {
        let list = |shared: &Shared| names(&shared.data.join(layout::WITNESS), layout::WITNESS);
        let names = self.blocking(list).await?;
        // What has another name is none of ours.
        Ok(names.iter().filter_map(|name| Hash::from_hex(name).ok()).collect())
    }

    fn writable(&self) -> Result<(), StoreError> {
        let what = "the data directory";
        self.shared.may_write(what)?;
        rustix::fs::access(&self.shared.data, rustix::fs::Access::WRITE_OK)
            .map_err(|error| disk::refusal("write to", what, error.into()))
    }

    fn room(&self) -> Option<Room> {
        disk::room(&self.shared.data)
    }

    async fn forget(&self, origin: &Origin) -> Result<(), StoreError> {
        let origin = origin.clone();
        self.blocking(move |shared| shared.forget(&origin)).await
    }
}

#[derive(Debug)]
struct Shared {
    data: PathBuf,
    objects: LocalFileSystem,
    machine: String,
    /// One mutex for each feed: its head is read and changed by one thread at a time.
    heads: Mutex<HashMap<Origin, Arc<Mutex<Head>>>>,
    /// Held during every other write, so that no two stage under one name.
    changing: Mutex<()>,
    poisoned: AtomicBool,
    _lock: File,
}

/// What is known of a head file without reading it.
#[derive(Debug, Default)]
enum Head {
    #[default]
    Unread,
    /// There is none, or it was cut to nothing.
    Absent,
    /// Good at least as far as this.
    Marked(HeadMark),
    /// Something is there and not one good commit: it is not overwritten, for it may be our own feed.
    Unreadable,
}

impl Shared {
    fn commit(&self, advance: &Advance) -> Result<(), CommitError> {
        let what = layout::fact(advance.origin(), &Fact::Head);
        let path = self.data.join(&what);
        let head = self.head(advance.origin());
        let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
        self.may_write(&what).map_err(CommitError::Refused)?;
        if let Head::Unread = *head {
            *head = read_mark(&path, &what).map_err(CommitError::Refused)?;
        }
        let conflict = || CommitError::Conflict { origin: advance.origin().clone() };
        match (&*head, advance.from()) {
            (Head::Absent, None) => {}
            (Head::Marked(mark), Some(from)) if *mark == from => {}
            _ => return Err(conflict()),
        }
        let outcome = match (advance.change(), advance.from()) {
            (HeadChange::Replace(bytes), _) => disk::replace(&path, bytes),
            (HeadChange::Append(bytes), Some(from)) => {
                // What follows the last good commit was not judged yet: the core cuts it first.
                if fs::metadata(&path).map(|metadata| metadata.len()).ok() != Some(from.bytes) {
                    *head = Head::Unread;
                    return Err(conflict());
                }
                disk::append(&path, from.bytes, bytes)
            }
            (HeadChange::Append(_), None) => return Err(conflict()),
        };
        match outcome {
            Ok(()) => {
                *head = Head::Marked(advance.to());
                Ok(())
            }
            Err(Failure::Unchanged(error)) => {
                Err(CommitError::Refused(disk::refusal("write", &what, error)))
            }
            Err(Failure::Unsynced) => Err(CommitError::Refused(self.poison(&what, None))),
            Err(Failure::Unknown(error)) => {
                *head = Head::Unread;
                let source = self.poison(&what, Some(&error));
                Err(CommitError::Unknown { origin: advance.origin().clone(), source })
            }
        }
    }

    fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError> {
        let what = layout::fact(origin, &Fact::Head);
        let head = self.head(origin);
        let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
        *head = Head::Unread;
        self.change("cut", &what, |path| {
            let file = fs::OpenOptions::new().write(true).open(path).map_err(Failure::Unchanged)?;
            let length = file.metadata().map_err(Failure::Unchanged)?.len();
            if length > bytes {
                file.set_len(bytes).map_err(Failure::Unchanged)?;
                file.sync_all().map_err(Failure::Unknown)?;
            }
            Ok(())
        })
    }

    fn read_head(&self, origin: &Origin, what: &str) -> Result<Option<Bytes>, StoreError> {
        let head = self.head(origin);
        // So that no reader sees half of an append.
        let _head = head.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = disk::read(&self.data.join(what), OBJECT_BYTES_MAX, what)?;
        Ok(bytes.map(Bytes::from))
    }

    fn origins(&self) -> Result<Vec<Origin>, StoreError> {
        let facts = self.data.join(layout::FACTS);
        let mut origins = Vec::new();
        for node in names(&facts, layout::FACTS)? {
            for feed in names(&facts.join(&node), &node)? {
                let Ok(origin) = Origin::parse(&format!("{node}/{feed}")) else { continue };
                let feed = self.data.join(layout::feed(&origin));
                if feed.join(layout::HEAD).exists() || feed.join(layout::PENDING).exists() {
                    origins.push(origin);
                }
            }
        }
        Ok(origins)
    }

    fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        let root = self.data.join(layout::DECISIONS);
        let mut found = Vec::new();
        for name in names(&root, layout::DECISIONS)? {
            let path = root.join(&name);
            if path.is_dir() {
                found.extend(
                    names(&path, &name)?.into_iter().map(|inner| format!("{name}/{inner}")),
                );
            } else {
                found.push(name);
            }
        }
        found.sort_unstable();
        let mut decisions = Vec::with_capacity(found.len());
        for name in found {
            // An editor's backup and the like are not decisions.
            let Ok(what) = layout::decision(&name) else { continue };
            if let Some(bytes) = disk::read(&self.data.join(&what), DECISION_BYTES_MAX, &what)? {
                decisions.push((name, bytes.into()));
            }
        }
        Ok(decisions)
    }

    fn read_high_water(&self, what: &str) -> Result<Option<(HighWater, bool)>, StoreError> {
        use std::os::unix::fs::MetadataExt as _;
        let path = self.data.join(what);
        let Some(bytes) = disk::read(&path, high_water::BYTES_MAX, what)? else { return Ok(None) };
        let failed = |source| StoreError::Io { action: "read", what: what.to_owned(), source };
        let inode = fs::metadata(&path).map_err(failed)?.ino();
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        match high_water::decode(text, &self.machine, inode) {
            Some(read) => Ok(Some(read)),
            None => {
                Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is damaged")))
            }
        }
    }

    fn forget(&self, origin: &Origin) -> Result<(), StoreError> {
        let head = self.head(origin);
        let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
        *head = Head::Unread;
        self.change("remove", &layout::feed(origin), disk::remove_tree)?;
        // The node's directory too, if this was its last feed; else it stays without a word.
        let _ = fs::remove_dir(self.data.join(layout::FACTS).join(origin.node().as_str()));
        Ok(())
    }

    fn head(&self, origin: &Origin) -> Arc<Mutex<Head>> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(heads.entry(origin.clone()).or_default())
    }

    /// One write that is not a commit, with its failure in the words of the port.
    fn change(
        &self,
        action: &'static str,
        what: &str,
        write: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<(), StoreError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.may_write(what)?;
        write(&self.data.join(what)).map_err(|failure| match failure {
            Failure::Unchanged(error) => disk::refusal(action, what, error),
            Failure::Unsynced => self.poison(what, None),
            Failure::Unknown(error) => self.poison(what, Some(&error)),
        })
    }

    fn may_write(&self, what: &str) -> Result<(), StoreError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::Poisoned { what: what.to_owned() });
        }
        Ok(())
    }

    fn poison(&self, what: &str, error: Option<&std::io::Error>) -> StoreError {
        if !self.poisoned.swap(true, Ordering::AcqRel) {
            tracing::error!(
                event = "store.stopped",
                store.object = what,
                "`{what}` could not be synced to disk ({}): nothing more is written until the node is restarted",
                error.map_or_else(|| "before it was put in place".to_owned(), ToString::to_string),
            );
        }
        StoreError::Poisoned { what: what.to_owned() }
    }
}

fn not_a_head(fact: &Fact, what: &str) -> Result<(), StoreError> {
    if *fact == Fact::Head {
        let why = "a head changes by commits alone".to_owned();
        return Err(StoreError::Refused { what: what.to_owned(), why });
    }
    Ok(())
}

fn read_mark(path: &Path, what: &str) -> Result<Head, StoreError> {
    let bytes = disk::read(path, OBJECT_BYTES_MAX, what)?.unwrap_or_default();
    if bytes.is_empty() {
        return Ok(Head::Absent);
    }
    Ok(feed::head::mark(&bytes.into()).map_or(Head::Unreadable, Head::Marked))
}

/// The names in a directory, none if it is not there.
fn names(path: &Path, what: &str) -> Result<Vec<String>, StoreError> {
    let failed = |source| StoreError::Io { action: "list", what: what.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if disk::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // What is not text is not ours.
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

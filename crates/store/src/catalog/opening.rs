//! Opening the catalog: may what lies there be trusted, and can sled read it?
//!
//! sled 0.34.7 does not sync what it writes, so after a power cut anything may be missing from it, and it
//! may refuse to open or panic. A small file beside it, `state`, says how it was left:
//!
//! ```text
//! jopoi-catalog 1                          version of the layout in `code`
//! 6f0c2f0e-…                               the boot of this machine in which it was opened
//! open | closed                            closed: everything was synced by us
//! ```
//! Another version, or `open` from another boot: it is set aside and begun anew. Otherwise sled opens it;
//! if it cannot, half-written snapshots are deleted and tried without, then it is set aside. The core fills
//! an empty catalog from the facts, so no human is needed.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use feed::ports::CatalogError;

/// Counted up with every change of `code`.
const VERSION: &str = "jopoi-catalog 1";

/// Memory for pages; the rest is read from disk. A node runs in 512 MB.
const CACHE_BYTES: u64 = 16 << 20;

/// How long sled may take to let go of a database that was just closed in this process.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Whether [`open`] may try again with less, or would fail for the same outside reason.
pub(super) enum Unopened {
    /// What is stored is damaged.
    Damaged(String),
    /// The disk is full, not writable, or the database is in use.
    Hindered(String),
}

/// Opens the database below `path` and reads it with `scan`, with less and less of what is there, until
/// one succeeds. The last attempt starts empty.
pub(super) fn open<T>(
    path: &Path,
    scan: impl Fn(sled::Db) -> Result<T, Unopened>,
) -> Result<T, CatalogError> {
    let hindered = |reason: String| CatalogError::Backend { reason };
    let failed =
        |error: io::Error| hindered(format!("{} cannot be prepared: {error}", path.display()));
    if let Some(reason) = reason_for_doubt(path) {
        tracing::warn!(event = "catalog.made-anew", catalog.path = %path.display(), "the catalog is built anew from the facts: {reason}");
        set_aside(path).map_err(failed)?;
    }
    type Repair = fn(&Path) -> io::Result<()>;
    let repairs: [Repair; 3] = [|_| Ok(()), without_snapshots, set_aside];
    let mut last = String::new();
    for repair in repairs {
        repair(path).map_err(failed)?;
        fs::create_dir_all(path).map_err(failed)?;
        write_state(path, "open").map_err(failed)?;
        match attempt(path, &scan) {
            Ok(opened) => return Ok(opened),
            Err(Unopened::Hindered(reason)) => return Err(hindered(reason)),
            Err(Unopened::Damaged(reason)) => {
                tracing::warn!(event = "catalog.repaired", catalog.path = %path.display(), "the catalog is damaged and being repaired: {reason}");
                last = reason;
            }
        }
    }
    Err(hindered(last))
}

/// Syncs all files of a database that was dropped, and notes that it may be trusted after a power cut.
pub(super) fn close(path: &Path) -> io::Result<()> {
    for directory in [path.to_owned(), path.join("blobs")] {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                File::open(entry.path())?.sync_all()?;
            }
        }
        File::open(&directory)?.sync_all()?;
    }
    write_state(path, "closed")
}

/// Runs something of sled's, which panics on data it does not expect.
pub(super) fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, Unopened> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if is_outside(&error) => {
            Err(Unopened::Hindered(error.to_string()))
        }
        Ok(Err(error)) => Err(Unopened::Damaged(error.to_string())),
        Err(_) => Err(Unopened::Damaged("sled panicked".to_owned())),
    }
}

fn attempt<T>(path: &Path, scan: &impl Fn(sled::Db) -> Result<T, Unopened>) -> Result<T, Unopened> {
    let config =
        sled::Config::new().path(path).mode(sled::Mode::HighThroughput).cache_capacity(CACHE_BYTES);
    let mut tries = 0;
    let database = loop {
        match guarded(|| config.open()) {
            Err(Unopened::Hindered(reason)) if is_locked(&reason) && tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            other => break other?,
        }
    };
    catch_unwind(AssertUnwindSafe(|| scan(database)))
        .unwrap_or_else(|_| Err(Unopened::Damaged("sled panicked while it was read".to_owned())))
}

/// Failures that no repair of ours would end.
fn is_outside(error: &io::Error) -> bool {
    let outside = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::PermissionDenied,
        ErrorKind::OutOfMemory,
    ];
    outside.contains(&error.kind()) || is_locked(&error.to_string())
}

fn is_locked(reason: &str) -> bool {
    reason.contains("could not acquire lock")
}

fn reason_for_doubt(path: &Path) -> Option<String> {
    let mut entries = fs::read_dir(path).ok()?;
    entries.next()?.ok()?;
    let Ok(state) = fs::read_to_string(path.join("state")) else {
        return Some("nothing says how it was left".to_owned());
    };
    match state.lines().collect::<Vec<_>>().as_slice() {
        [version, ..] if *version != VERSION => {
            Some(format!("its layout is `{version}`, ours is `{VERSION}`"))
        }
        [_, _, "closed"] => None,
        [_, boot, "open"] if *boot == boot_id() => None,
        [_, _, "open"] => Some("the machine stopped while it was open".to_owned()),
        _ => Some("what says how it was left is damaged".to_owned()),
    }
}

/// Empty where the system has no such thing: then a power cut is noticed only by what it damaged.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn write_state(path: &Path, left: &str) -> io::Result<()> {
    let (state, staged) = (path.join("state"), path.join("state.new"));
    fs::write(&staged, format!("{VERSION}\n{}\n{left}\n", boot_id()))?;
    File::open(&staged)?.sync_all()?;
    fs::rename(&staged, &state)?;
    File::open(path)?.sync_all()
}

/// Deletes snapshots that were being written, and renames finished ones: sled then reads its whole log.
fn without_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        } else if name.starts_with("snap.") {
            fs::rename(entry.path(), path.join(format!("aside.{name}")))?;
        }
    }
    Ok(())
}

/// Keeps one earlier catalog for whoever wants to know what went wrong.
fn set_aside(path: &Path) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".aside");
    let aside = PathBuf::from(aside);
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    if path.exists() {
        fs::rename(path, &aside)?;
    }
    Ok(())
}

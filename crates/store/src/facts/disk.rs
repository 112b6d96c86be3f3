//! Durable steps on a local file system: append, replace, remove, make a directory.
//!
//! Each says what a crash or a failure in the middle leaves behind. Nothing here knows what the bytes mean.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};

use feed::ports::{Room, StoreError};

/// Only the user who runs the node reads what it keeps: there are restricted feeds and keys in it.
const MODE: u32 = 0o700;

/// How a write failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was changed.
    Unchanged(io::Error),
    /// Nothing was changed, but a sync failed: what the file system says of its files is not to be trusted.
    Unsynced,
    /// The bytes may be on disk or not. As after [`Failure::Unsynced`], nothing more is written.
    Unknown(io::Error),
}

/// Writes `bytes` at the end of a file that is `at` bytes long, and waits until they are on disk.
///
/// A crash leaves the file with any part of `bytes`, which the head's format shows as torn. A failure
/// cuts it back to `at`.
pub(super) fn append(path: &Path, at: u64, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).open(path).map_err(Failure::Unchanged)?;
    if let Err(error) = file.write_all_at(bytes, at) {
        return Err(match file.set_len(at) {
            Ok(()) => Failure::Unchanged(error),
            Err(_) => Failure::Unknown(error),
        });
    }
    file.sync_data().map_err(Failure::Unknown)
}

/// Replaces a file, or makes it: staged beside it, synced, renamed, the directory synced.
///
/// A crash leaves the old file or the new one, and perhaps the staged one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace_with(path, |_| Ok(bytes.to_vec()))
}

/// The same, with bytes that depend on the new file itself.
pub(super) fn replace_with(
    path: &Path,
    bytes: impl Fn(&File) -> io::Result<Vec<u8>>,
) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    make_directories(parent)?;
    let staged = staged(path);
    let written = File::create(&staged).and_then(|mut file| {
        let bytes = bytes(&file)?;
        file.write_all(&bytes)?;
        Ok(file)
    });
    let undo = |failure| {
        // It is deleted at the next open, if not here.
        let _ = fs::remove_file(&staged);
        Err(failure)
    };
    let file = match written {
        Ok(file) => file,
        Err(error) => return undo(Failure::Unchanged(error)),
    };
    if file.sync_all().is_err() {
        return undo(Failure::Unsynced);
    }
    drop(file);
    if let Err(error) = fs::rename(&staged, path) {
        return undo(Failure::Unchanged(error));
    }
    sync_directory(parent).map_err(Failure::Unknown)
}

/// Removes a file for good; no error if it is not there.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(path.parent().unwrap_or(Path::new("."))).map_err(Failure::Unknown),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(Failure::Unchanged(error)),
    }
}

/// Removes a directory with all in it, at once for every reader: it is renamed first.
pub(super) fn remove_tree(path: &Path) -> Result<(), Failure> {
    let staged = staged(path);
    match fs::rename(path, &staged) {
        Ok(()) => {}
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(Failure::Unchanged(error)),
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    sync_directory(parent).map_err(Failure::Unknown)?;
    // What cannot be removed now is removed at the next open.
    fs::remove_dir_all(&staged).map_err(Failure::Unchanged)
}

/// Makes a directory and those above it, each on disk before the next, readable by nobody else.
pub(super) fn make_directories(path: &Path) -> Result<(), Failure> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    make_directories(parent)?;
    match DirBuilder::new().mode(MODE).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(Failure::Unchanged(error)),
    }
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    sync_directory(parent).map_err(|_| Failure::Unsynced)
}

/// Waits until the names in a directory are on disk.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The bytes of a file of at most `limit` bytes, `None` if there is none.
pub(super) fn read(path: &Path, limit: u64, what: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |source| StoreError::Io { action: "read", what: what.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > limit => Err(too_long(what, metadata.len(), limit)),
        Ok(_) => fs::read(path).map(Some).map_err(failed),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The error for an object that cannot be one of ours.
pub(super) fn too_long(what: &str, bytes: u64, limit: u64) -> StoreError {
    let why =
        format!("it has {bytes} bytes, and nothing the store keeps there has more than {limit}");
    StoreError::Refused { what: what.to_owned(), why }
}

/// Deletes what a kill left staged (`NAME#1`) anywhere below `path`.
pub(super) fn remove_staged(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        match (is_staged(&path), kind.is_dir()) {
            (true, true) => fs::remove_dir_all(&path)?,
            (true, false) => fs::remove_file(&path)?,
            (false, true) => remove_staged(&path)?,
            (false, false) => {}
        }
    }
    Ok(())
}

/// Whether there is nothing of that name; a file where a directory should be counts as nothing.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Room on the disk of a directory, as far as the system tells.
pub(super) fn room(directory: &Path) -> Option<Room> {
    let system = rustix::fs::statvfs(directory).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(system.f_frsize);
    Some(Room { free: bytes(system.f_bavail), all: bytes(system.f_blocks) })
}

/// A refused write, in the words of the port.
pub(super) fn refusal(action: &'static str, what: &str, source: io::Error) -> StoreError {
    let what = what.to_owned();
    match source.kind() {
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::FileTooLarge
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::PermissionDenied
            if action != "read" =>
        {
            StoreError::Full { what, source }
        }
        _ => StoreError::Io { action, what, source },
    }
}

/// The names `object_store` stages under, so that one rule deletes both.
fn staged(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("#0");
    name.into()
}

fn is_staged(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

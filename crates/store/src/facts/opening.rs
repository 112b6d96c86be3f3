//! Opening a DATA directory: its format, its lock, and what a kill left behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::disk::{self, Failure};
use super::layout;

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by another program or a later release.
    #[error("{} says `{found}`, and this release reads `jopoi 1`: use the release that wrote it, or another directory", path.display())]
    Format {
        /// The format file.
        path: PathBuf,
        /// The beginning of its content.
        found: String,
    },
    /// Something lies there, and no format file.
    #[error("{} is not empty and has no file `format`: it is not a data directory of this program; choose another", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("{} is in use by the process {pid}: one process works in a data directory; stop it first", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The process id as that process wrote it, or `?`.
        pid: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
}

/// Makes what is missing, checks the format, takes the lock, deletes what a kill left staged. The lock is
/// held as long as the file is open.
pub(super) fn open(data: &Path) -> Result<File, OpenError> {
    make(data)?;
    check_format(data)?;
    let lock = lock(data)?;
    for name in
        [layout::FACTS, layout::DECISIONS, layout::HIGH_WATER, layout::WITNESS, layout::KEYS]
    {
        let path = data.join(name);
        make(&path)?;
        disk::remove_staged(&path).map_err(|source| OpenError::Io {
            action: "clean up",
            path,
            source,
        })?;
    }
    Ok(lock)
}

fn check_format(data: &Path) -> Result<(), OpenError> {
    let path = data.join(layout::FORMAT_FILE);
    let failed = |action| {
        let path = path.clone();
        move |source| OpenError::Io { action, path, source }
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if disk::is_absent(&error) => {
            if holds_anything(data).map_err(failed("list"))? {
                return Err(OpenError::Foreign { path: data.to_owned() });
            }
            return disk::replace(&path, layout::FORMAT.as_bytes())
                .map_err(|failure| failed("write")(cause(failure)));
        }
        Err(error) => return Err(failed("read")(error)),
    };
    let mut found = Vec::new();
    // One byte more than the format, and a little for the error.
    file.take(64).read_to_end(&mut found).map_err(failed("read"))?;
    if found == layout::FORMAT.as_bytes() {
        return Ok(());
    }
    let found = String::from_utf8_lossy(&found).trim_end().escape_debug().to_string();
    Err(OpenError::Format { path, found })
}

/// Whether a directory holds more than a first start may find: the operator's settings and keys, a file
/// system's own, what an earlier first start left. Facts without a format file are not taken for nothing.
fn holds_anything(data: &Path) -> std::io::Result<bool> {
    const MAY_BE_THERE: [&str; 6] =
        ["jopoi.toml", layout::KEYS, layout::LOCK_FILE, "control.sock", "lost+found", "format#0"];
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name();
        if !MAY_BE_THERE.iter().any(|known| name == *known) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn lock(data: &Path) -> Result<File, OpenError> {
    let path = data.join(layout::LOCK_FILE);
    let failed = |action| {
        let path = path.clone();
        move |source| OpenError::Io { action, path, source }
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("open"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The other process may be about to write it.
            let read = file.take(20).read_to_string(&mut pid);
            let known = read.is_ok() && !pid.trim().is_empty();
            let pid = if known { pid.trim().to_owned() } else { "?".to_owned() };
            return Err(OpenError::Locked { path: data.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
    }
    file.set_len(0).map_err(failed("write"))?;
    file.rewind().map_err(failed("write"))?;
    // On a full disk the lock holds all the same, and reading must go on.
    if let Err(error) = writeln!(file, "{}", std::process::id()) {
        tracing::warn!(event = "store.lock-file", lock.path = %path.display(), "cannot write the process id into the lock file: {error}");
    }
    Ok(file)
}

fn make(path: &Path) -> Result<(), OpenError> {
    let failed = |failure| OpenError::Io {
        action: "make the directory",
        path: path.to_owned(),
        source: cause(failure),
    };
    disk::make_directories(path).map_err(failed)
}

fn cause(failure: Failure) -> std::io::Error {
    match failure {
        Failure::Unchanged(error) | Failure::Unknown(error) => error,
        Failure::Unsynced => std::io::Error::other("a sync to disk failed"),
    }
}

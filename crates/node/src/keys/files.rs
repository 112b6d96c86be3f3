//! Files that only their owner may read, and the secret bytes in them.
//!
//! A secret is created with mode 0600 in one step and is not read if others may read it: a key that a
//! backup or a colleague could copy is not used silently.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// Bytes of a secret, as Ed25519 and HKDF take them.
pub const SECRET_BYTES: usize = 32;

/// A key file is a few lines of text; more is another file.
const FILE_BYTES_MAX: u64 = 4096;

/// A body has at most 128 KiB, and some words stand around it.
const LARGE_FILE_BYTES_MAX: u64 = (128 << 10) + FILE_BYTES_MAX;

/// Read and written by the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; SECRET_BYTES]>;

/// Fresh ones.
pub fn random_secret() -> anyhow::Result<Secret> {
    let mut secret = Secret::default();
    getrandom::fill(secret.as_mut_slice())
        .map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    Ok(secret)
}

/// The bytes of 64 hexadecimal digits from the file at `path`, which is named if they are none.
pub(super) fn secret_of(hexadecimal: &str, path: &Path) -> anyhow::Result<Secret> {
    let mut secret = Secret::default();
    hex::decode_to_slice(hexadecimal, secret.as_mut_slice()).map_err(|_| {
        anyhow::anyhow!(
            "{} is damaged: it must hold {} hexadecimal digits; take it from a backup",
            path.display(),
            2 * SECRET_BYTES
        )
    })?;
    Ok(secret)
}

/// The directory of secrets in a data directory, made if it is not there.
pub(super) fn directory(data: &Path) -> anyhow::Result<PathBuf> {
    let directory = data.join("keys");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    Ok(directory)
}

/// Writes a new file that only its owner may read, durably; refuses to overwrite.
pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = path.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
        .with_context(|| format!("cannot make {shown} (a key is never overwritten)"))?;
    file.write_all(bytes).with_context(|| format!("cannot write {shown}"))?;
    file.sync_all().with_context(|| format!("cannot write {shown}"))?;
    sync_parent(path)
}

/// Replaces such a file, old or new whatever happens meanwhile.
pub(super) fn replace_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push("#0");
    let staged = PathBuf::from(staged);
    // Left behind by a try that was killed.
    remove(&staged)?;
    write_private(&staged, bytes)?;
    rename(&staged, path)
}

/// Moves a file within its directory, durably, over whatever is there.
pub(super) fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::rename(from, to).with_context(|| format!("cannot make {}", to.display()))?;
    sync_parent(to)
}

/// Removes a file, durably; no error if it is not there.
pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot remove {}", path.display())),
    }
}

/// Reads a file that only its owner may read, and refuses one that others can.
pub fn read_private(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// The same for a file that holds a node record too.
pub(super) fn read_large_private(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    read_up_to(path, LARGE_FILE_BYTES_MAX)
}

fn read_up_to(path: &Path, limit: u64) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("cannot open {shown}"))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        bail!(
            "{shown} has mode {mode:04o}: others on this machine can read it; \
             run `chmod 600 {shown}`, and if they may have read it, change what it holds"
        );
    }
    if metadata.len() > limit {
        bail!("{shown} is no key and no passphrase: it has {} bytes", metadata.len());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    Ok(bytes)
}

/// The text of bytes read with [`read_private`].
pub(super) fn text(bytes: &Zeroizing<Vec<u8>>, path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| anyhow::anyhow!("{} is no key file: it is no text", path.display()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn sync_parent(path: &Path) -> anyhow::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

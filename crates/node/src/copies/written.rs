//! A file that was packed, brought to disk: nobody finds half of it under its name.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use feed::bundle::{Contents, Writer};
use feed::feeds::Packed;
use tempfile::NamedTempFile;

/// Brings what was written to disk, reads it back, and gives it its name; how many bytes it has.
pub(super) fn put_in_place(
    writer: Writer<BufWriter<NamedTempFile>>,
    path: &Path,
    packed: &[Packed],
) -> anyhow::Result<u64> {
    let failed = || format!("cannot write {}", path.display());
    let mut staged = writer.finish()?.into_inner().with_context(failed)?;
    staged.flush()?;
    staged.as_file().sync_all().with_context(failed)?;
    let contents = read_back(staged.path(), packed)?;
    staged.persist_noclobber(path).with_context(failed)?;
    let folder = path.parent().with_context(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all())?;
    Ok(contents.bytes())
}

/// Everything that was written is there.
fn read_back(path: &Path, packed: &[Packed]) -> anyhow::Result<Contents> {
    let contents = Contents::of(BufReader::with_capacity(1 << 20, File::open(path)?))
        .context("what was written cannot be read back: is the disk failing?")?;
    for feed in packed {
        if !contents.carries(&feed.origin) {
            bail!("{} is missing in what was written: is the disk failing?", feed.origin);
        }
    }
    Ok(contents)
}

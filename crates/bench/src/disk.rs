//! What the disk can sync: the floor under every durable answer.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use crate::Bench;

/// About a record as it is committed, and as it is shown to be committed.
const RECORD_BYTES: usize = 3 << 10;
const MARK_BYTES: usize = 256;
/// 32 records committed together, compressed.
const GROUP_BYTES: usize = 32 << 10;
/// About a segment, compressed.
const SEGMENT_BYTES: usize = 256 << 10;
const TIMES: u64 = 300;

pub(crate) const GROUP: &str = "Disk: write and sync";
pub(crate) const APPEND: &str = "3 KiB appended, fdatasync";
pub(crate) const OVERWRITE: &str = "256 B overwritten, fdatasync";

/// Measures it once.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let dir = tempfile::TempDir::new_in(bench.dir.path())?;
    let place = dir.path().join("file");
    let file = File::create(&place)?;
    let appended = |bytes: usize| {
        move |file: &File, turn: u64| {
            file.write_all_at(&vec![7; bytes], turn * bytes as u64)?;
            file.sync_data()
        }
    };
    let mut add = |what: &str, seconds: Vec<f64>| {
        let measured = crate::meter::Measured::default().with_latencies(seconds);
        bench.results.add(GROUP, what, "us p50", measured.p50_us);
        bench.results.add(GROUP, what, "us p99", measured.p99_us);
    };
    add(APPEND, times(&file, appended(RECORD_BYTES))?);
    add("32 KiB appended, fdatasync", times(&file, appended(GROUP_BYTES))?);
    let overwrite = |file: &File, _: u64| {
        file.write_all_at(&[7; MARK_BYTES], 0)?;
        file.sync_data()
    };
    add(OVERWRITE, times(&file, overwrite)?);
    let replace = |_: &File, turn: u64| {
        let place = dir.path().join(turn.to_string());
        let new = OpenOptions::new().write(true).create_new(true).open(place)?;
        new.write_all_at(&vec![7; SEGMENT_BYTES], 0)?;
        new.sync_all()?;
        File::open(dir.path())?.sync_all()
    };
    add("256 KiB as a new file, fsync, directory fsync", times(&file, replace)?);
    Ok(())
}

fn times(
    file: &File,
    once: impl Fn(&File, u64) -> std::io::Result<()>,
) -> anyhow::Result<Vec<f64>> {
    let mut latencies = Vec::new();
    for turn in 0..TIMES {
        let started = Instant::now();
        once(file, turn)?;
        latencies.push(started.elapsed().as_secs_f64() * 1e6);
    }
    Ok(latencies)
}

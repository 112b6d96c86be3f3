//! The data directory: what lies in it, what room there is, what the last scrub found.

use std::path::Path;

use feed::feeds::Feeds;
use prometheus_client::registry::Unit;

use super::figure::Figure;

/// The parts of a data directory whose size is told.
const PARTS: [&str; 5] = ["facts", "catalog", "index", "decisions", "witness"];

/// Files looked at in one part; a million records are some 8,000.
const FILES_MAX: usize = 200_000;

/// Folders in folders; the deepest are those of tiles.
const DEPTH_MAX: usize = 16;

/// Everything about the disk.
pub(super) fn figures(data: &Path, feeds: &Feeds) -> Vec<Figure> {
    let sizes = PARTS.iter().map(|part| {
        let mut files = FILES_MAX;
        (vec![("part", (*part).to_owned())], size(&data.join(part), DEPTH_MAX, &mut files))
    });
    let room = rustix::fs::statvfs(data).ok();
    let bytes = |blocks: u64, of: u64| blocks.saturating_mul(of);
    let free = room.as_ref().map(|room| bytes(room.f_bavail, room.f_frsize));
    let all = room.as_ref().map(|room| bytes(room.f_blocks, room.f_frsize));
    // A file system without inodes says 0 of 0.
    let inodes = room.as_ref().filter(|room| room.f_files > 0).map(|room| room.f_favail);
    let last = crate::scrub::last(feeds);
    let open = last.as_ref().map(|last| last.damaged.saturating_sub(last.healed));
    vec![
        Figure::gauge("store", "Bytes of each part of the data directory")
            .in_unit(Unit::Bytes)
            .lines(sizes),
        Figure::gauge("disk_free", "Room on the disk of the data directory")
            .in_unit(Unit::Bytes)
            .value_if(free),
        Figure::gauge("disk_size", "The disk of the data directory")
            .in_unit(Unit::Bytes)
            .value_if(all),
        Figure::gauge("disk_free_files", "Files that this disk has room for").value_if(inodes),
        Figure::gauge("scrub_last_timestamp", "When everything was last read back")
            .in_seconds()
            .value_if(last.as_ref().map(|last| last.ended)),
        Figure::gauge("scrub_damaged_objects", "Objects that were damaged then and are still")
            .value_if(open),
    ]
}

/// Bytes of the files below a folder. What vanishes meanwhile is not counted.
fn size(folder: &Path, depth: usize, files: &mut usize) -> u64 {
    let Some(depth) = depth.checked_sub(1) else { return 0 };
    let mut sum = 0_u64;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(left) = files.checked_sub(1) else { break };
        *files = left;
        let bytes = match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path(), depth, files),
            Ok(found) => found.len(),
            Err(_) => 0,
        };
        sum = sum.saturating_add(bytes);
    }
    sum
}

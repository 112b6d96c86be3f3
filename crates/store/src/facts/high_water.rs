//! The high-water file of an own feed: what was ever shown to others, and where this file was made.
//!
//! ```text
//! 0000000000001234                                  size, 16 digits
//! 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=      root
//! 4b1f…                                             machine id, or `unknown`
//! 00000000000000123456                              inode of this file, 20 digits
//! 8d3f…                                             first 16 hex digits of the SHA-256 of the lines above
//! ```
//! Overwritten in place: its length never changes on one machine and it lies within one sector, so a power
//! cut leaves the old lines or the new ones. A copy or a restored file has another inode.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use feed::ports::HighWater;
use tlog::hash::Hash;

use super::disk::{self, Failure};

/// More than the five lines have.
pub(super) const BYTES_MAX: u64 = 512;

/// Overwrites the file, or makes it.
pub(super) fn write(path: &Path, machine: &str, mark: HighWater) -> Result<(), Failure> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if disk::is_absent(&error) => {
            return disk::replace_with(path, |file| {
                Ok(encode(mark, machine, file.metadata()?.ino()).into_bytes())
            });
        }
        Err(error) => return Err(Failure::Unchanged(error)),
    };
    overwrite(&file, machine, mark).map_err(Failure::Unknown)
}

/// Reads the lines; says also whether they were written on this machine into this very file.
pub(super) fn decode(text: &str, machine: &str, inode: u64) -> Option<(HighWater, bool)> {
    let (lines, check) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    if check != check_of(lines) {
        return None;
    }
    let mut lines = lines.split('\n');
    let size = lines.next()?.parse().ok()?;
    let root = Hash::from_base64(lines.next()?).ok()?;
    let here = lines.next()? == machine && lines.next()?.parse() == Ok(inode);
    Some((HighWater { size, root }, here))
}

/// This machine, as systemd and D-Bus know it.
pub(super) fn machine_id() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let id = id.trim();
    let plain = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { id.to_owned() } else { "unknown".to_owned() }
}

fn overwrite(file: &File, machine: &str, mark: HighWater) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    let text = encode(mark, machine, metadata.ino());
    let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
    file.write_all_at(text.as_bytes(), 0)?;
    if metadata.len() != bytes {
        file.set_len(bytes)?;
    }
    file.sync_data()
}

fn encode(mark: HighWater, machine: &str, inode: u64) -> String {
    let lines = format!("{:016}\n{}\n{machine}\n{inode:020}", mark.size, mark.root);
    let check = check_of(&lines);
    format!("{lines}\n{check}\n")
}

fn check_of(lines: &str) -> String {
    let mut check = Hash::of(lines).to_hex();
    check.truncate(16);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damaged_byte_is_noticed() {
        let mark = HighWater { size: 1234, root: Hash::of(b"root") };
        let text = encode(mark, "m", 7);
        assert_eq!(decode(&text, "m", 7), Some((mark, true)));
        assert_eq!(decode(&text, "m", 8), Some((mark, false)));
        assert_eq!(decode(&text, "n", 7), Some((mark, false)));
        for at in 0..text.len() {
            assert_eq!(decode(&text[..at], "m", 7), None);
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let text = String::from_utf8(bytes).unwrap();
                assert_eq!(decode(&text, "m", 7), None, "{text}");
            }
        }
    }
}

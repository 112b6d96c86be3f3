//! Tiles and entry bundles: the parts in which a log is served (C2SP tlog-tiles).
//!
//! A tile holds up to 256 consecutive hashes of every eighth level of the tree, an entry bundle up to 256
//! entries. A full one never changes; a partial one is a prefix of what follows.

use std::fmt;

use crate::hash::Hash;
use crate::{SIZE_MAX, decimal};

/// Levels of the tree in one tile.
pub const HEIGHT: u8 = 8;

/// Hashes in a full tile and entries in a full bundle: 2^[`HEIGHT`].
pub const WIDTH: u64 = 256;

/// C2SP allows levels up to here; a log of at most 2^53 entries ends at 6.
pub const LEVEL_MAX: u8 = 63;

/// No valid path is longer; refused before it is looked at.
pub const PATH_BYTES_MAX: usize = 64;

/// The length prefix of an entry in a bundle has two bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The name of a tile of hashes: its level in tiles, its index, and how many hashes it has (1 to 256).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at `level` and `index` with `width` hashes.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, InvalidTile> {
        if level > LEVEL_MAX {
            return Err(InvalidTile::Level { level });
        }
        check_place(index, width)?;
        Ok(Self { level, index, width })
    }

    /// The level, counted in tiles: its hashes are of subtrees of 256^level entries.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The position among the tiles of its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it has, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        usize::from(self.width) * Hash::BYTES
    }

    /// `tile/L/N` for a full tile, `tile/L/N.p/W` for a partial one.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, place_path(self.index, self.width))
    }

    /// Reads such a path.
    pub fn parse(path: &str) -> Result<Self, InvalidTile> {
        match TilePath::parse(path)? {
            TilePath::Hashes(tile) => Ok(tile),
            TilePath::Entries(_) => Err(InvalidTile::path(path)),
        }
    }

    /// Whether a log of `size` entries has all hashes of this tile. A log that has more serves it all the
    /// same, so that a reader of an older checkpoint is not left without (design 4.7).
    pub fn exists_at(&self, size: u64) -> bool {
        end_of(self.index, self.width).is_some_and(|end| end <= nodes_at(self.level, size))
    }

    /// How many full tiles a log of `size` has at `level`, and how wide the partial one after them is.
    pub fn count_at(level: u8, size: u64) -> (u64, u16) {
        let nodes = nodes_at(level, size);
        (nodes / WIDTH, u16::try_from(nodes % WIDTH).unwrap_or(0))
    }
}

/// The name of an entry bundle: its index, and how many entries it has (1 to 256).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntriesTile {
    index: u64,
    width: u16,
}

impl EntriesTile {
    /// The bundle at `index` with `width` entries.
    pub fn new(index: u64, width: u16) -> Result<Self, InvalidTile> {
        check_place(index, width)?;
        Ok(Self { index, width })
    }

    /// The position: it starts at entry 256 * index.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many entries it has, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// `tile/entries/N` for a full bundle, `tile/entries/N.p/W` for a partial one.
    pub fn path(&self) -> String {
        format!("tile/entries/{}", place_path(self.index, self.width))
    }

    /// Whether a log of `size` entries has all entries of this bundle.
    pub fn exists_at(&self, size: u64) -> bool {
        end_of(self.index, self.width).is_some_and(|end| end <= size)
    }
}

/// Either kind of path below `tile/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// `tile/L/N[.p/W]`.
    Hashes(Tile),
    /// `tile/entries/N[.p/W]`.
    Entries(EntriesTile),
}

impl TilePath {
    /// Reads a path that starts with `tile/`. There is one text for each tile: no leading zeros but those
    /// of the three-digit groups, and no `.p/256`.
    pub fn parse(path: &str) -> Result<Self, InvalidTile> {
        let invalid = || InvalidTile::path(path);
        if path.len() > PATH_BYTES_MAX {
            return Err(invalid());
        }
        let (kind, place) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(invalid)?;
        let (index, width) = match place.split_once(".p/") {
            Some((index, width)) => {
                let width = decimal::parse(width)
                    .filter(|width| (1..WIDTH).contains(width))
                    .ok_or_else(invalid)?;
                (index, u16::try_from(width).map_err(|_| invalid())?)
            }
            None => (place, FULL),
        };
        let index = parse_index_path(index).ok_or_else(invalid)?;
        if kind == "entries" {
            return EntriesTile::new(index, width).map(TilePath::Entries);
        }
        let level =
            decimal::parse(kind).and_then(|level| u8::try_from(level).ok()).ok_or_else(invalid)?;
        Tile::new(level, index, width).map(TilePath::Hashes)
    }

    /// The path.
    pub fn path(&self) -> String {
        match self {
            TilePath::Hashes(tile) => tile.path(),
            TilePath::Entries(tile) => tile.path(),
        }
    }

    /// Whether a log of `size` entries has it.
    pub fn exists_at(&self, size: u64) -> bool {
        match self {
            TilePath::Hashes(tile) => tile.exists_at(size),
            TilePath::Entries(tile) => tile.exists_at(size),
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// An index in groups of three digits, all but the last marked with `x`: 1234067 is `x001/x234/067`.
pub fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The bundle of these entries, each after its length in two big-endian bytes.
pub fn encode_entries(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, InvalidTile> {
    let mut bundle = Vec::with_capacity(entries.iter().map(|entry| entry.as_ref().len() + 2).sum());
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len())
            .map_err(|_| InvalidTile::EntryBytes { bytes: entry.len() })?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle, at most 256.
pub fn decode_entries(bundle: &[u8]) -> Result<Vec<&[u8]>, InvalidTile> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        if entries.len() >= usize::from(FULL) {
            return Err(InvalidTile::TooMany);
        }
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, next) =
            after.split_at_checked(length).ok_or(InvalidTile::Torn { entry: entries.len() })?;
        entries.push(entry);
        rest = next;
    }
    if rest.is_empty() { Ok(entries) } else { Err(InvalidTile::Torn { entry: entries.len() }) }
}

/// The hashes of a tile's bytes, 1 to 256.
pub fn hashes(bytes: &[u8]) -> Result<Vec<Hash>, InvalidTile> {
    let (chunks, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    if !rest.is_empty() || chunks.is_empty() || chunks.len() > usize::from(FULL) {
        return Err(InvalidTile::HashBytes { bytes: bytes.len() });
    }
    Ok(chunks.iter().map(|&chunk| Hash::from(chunk)).collect())
}

/// Why a path or some bytes are no tile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTile {
    /// Not a path of a tile.
    #[error(
        "`{path}` is no tile; expected `tile/L/N`, `tile/entries/N` or the same with `.p/W`, W from 1 to 255"
    )]
    Path {
        /// The beginning of the path.
        path: String,
    },
    /// A level that no log reaches.
    #[error("a tile has a level of at most 63, not {level}")]
    Level {
        /// The level asked for.
        level: u8,
    },
    /// An index that no log reaches, or a width that no tile has.
    #[error(
        "there is no tile {index} of width {width}; widths are 1 to 256 and a log has at most 2^53-1 entries"
    )]
    Place {
        /// The index asked for.
        index: u64,
        /// The width asked for.
        width: u16,
    },
    /// An entry that does not fit a bundle.
    #[error("an entry in a bundle has at most 65535 bytes, not {bytes}")]
    EntryBytes {
        /// How many it has.
        bytes: usize,
    },
    /// A bundle with more than 256 entries.
    #[error("the bundle has more than 256 entries")]
    TooMany,
    /// A bundle that ends inside of an entry.
    #[error("the bundle ends inside of its entry {entry}")]
    Torn {
        /// Counted from 0 within the bundle.
        entry: usize,
    },
    /// Not 1 to 256 hashes.
    #[error("a tile is 1 to 256 hashes of 32 bytes, which {bytes} bytes are not")]
    HashBytes {
        /// How many bytes there are.
        bytes: usize,
    },
}

impl InvalidTile {
    fn path(path: &str) -> Self {
        Self::Path { path: path.chars().take(PATH_BYTES_MAX).collect() }
    }
}

/// [`WIDTH`] in the type of a width.
const FULL: u16 = 256;

fn check_place(index: u64, width: u16) -> Result<(), InvalidTile> {
    let valid =
        (1..=FULL).contains(&width) && end_of(index, width).is_some_and(|end| end <= SIZE_MAX);
    if valid { Ok(()) } else { Err(InvalidTile::Place { index, width }) }
}

fn end_of(index: u64, width: u16) -> Option<u64> {
    index.checked_mul(WIDTH)?.checked_add(width.into())
}

fn nodes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
}

fn place_path(index: u64, width: u16) -> String {
    let path = index_path(index);
    if width == FULL { path } else { format!("{path}.p/{width}") }
}

fn parse_index_path(path: &str) -> Option<u64> {
    let digits: String = path.chars().filter(char::is_ascii_digit).collect();
    let index = digits.parse().ok()?;
    (index_path(index) == path).then_some(index)
}

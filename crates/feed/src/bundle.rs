//! Bundles: feeds, or parts of them, as one file for a USB stick, a mail, a backup (`JPB1`, design 4.4).
//!
//! ```text
//! "JPB1" | items × (u8 type | u16 n | origin | u64 number | u64 n | bytes) | u8 0 | 32 SHA-256 of all before
//! ```
//! There is one parser, [`Contents::of`]: it reads through once, hashes everything, the final type 0
//! included, and remembers where each item stands. So a bundle of any length costs little memory, and
//! [`read`] is the same for what fits in memory. Nothing in a bundle is verified here but its hash, which
//! only tells that it arrived as it was written: whoever uses an item verifies it.
//!
//! [`Writer`] writes one to anything; [`BundleCarrier`](carrier::BundleCarrier) carries feeds out of one,
//! and [`evidence`] keeps what proves a single record.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tlog::name::Origin;

pub mod carrier;
pub mod evidence;

/// A bundle that is handled whole: what is mailed, posted or saved as evidence.
pub const SMALL_BYTES_MAX: usize = 16 << 20;
/// Items of a bundle that is handled whole: a thousand times what evidence of a record needs.
pub const SMALL_ITEMS_MAX: usize = 1 << 16;
/// Items of any bundle: a million segments are 268 million entries.
pub const ITEMS_MAX: usize = 1 << 20;
/// Feeds in one bundle: fifty times what a network of all States has.
pub const ORIGINS_MAX: usize = 1 << 14;
/// The longest item: what a store takes as one object.
pub const ITEM_BYTES_MAX: u64 = 64 << 20;

const MAGIC: &[u8; 4] = b"JPB1";
const END: u8 = 0;
/// SHA-256, at the end.
const SUM_BYTES: usize = 32;
/// Read and hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ItemKind {
    /// A head, as `since` serves it.
    Head = 1,
    /// A segment, as it is stored; `number` is its number.
    Segment = 2,
    /// The cosigner lines known for a feed.
    Cosignatures = 3,
    /// A node record's bytes.
    NodeRecord = 4,
    /// The approvals behind a network's effective records.
    Anchors = 5,
    /// Evidence of a fork.
    Fault = 6,
    /// Hashes of a tile, `u8 level | hashes`; `number` is its index.
    Tile = 7,
    /// An attachment.
    File = 8,
    /// A body with its `.tlog-proof`; `number` is the entry.
    BodyWithProof = 9,
    /// What a person decided, `u16 n | name | bytes`; in a node's own backup only.
    Decision = 10,
    /// What follows a size, as `since` serves it: for whoever holds the first `number` entries.
    Since = 11,
}

impl ItemKind {
    const ALL: [Self; 11] = [
        Self::Head,
        Self::Segment,
        Self::Cosignatures,
        Self::NodeRecord,
        Self::Anchors,
        Self::Fault,
        Self::Tile,
        Self::File,
        Self::BodyWithProof,
        Self::Decision,
        Self::Since,
    ];

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }
}

/// One part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// The feed it belongs to.
    pub origin: Origin,
    /// Segment number, tile index or entry index; else 0.
    pub number: u64,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Where an item stands in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: ItemKind,
    /// Segment number, tile index or entry index; else 0.
    pub number: u64,
    /// Where its bytes begin.
    pub offset: u64,
    /// How many they are; at most [`ITEM_BYTES_MAX`].
    pub length: usize,
}

/// What stands in a bundle, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    feeds: BTreeMap<Origin, Vec<Place>>,
    bytes: u64,
}

impl Contents {
    /// Reads a bundle from its first byte to its last, once.
    ///
    /// # Errors
    /// When it is none, is cut or damaged, has something after its end, or is over a limit.
    pub fn of(from: impl Read) -> Result<Self, BundleError> {
        Self::within(from, ITEMS_MAX)
    }

    fn within(from: impl Read, items_max: usize) -> Result<Self, BundleError> {
        let mut reader = Reader { from, sum: Sha256::new(), at: 0 };
        if reader.array::<4>().ok().as_ref() != Some(MAGIC) {
            return Err(BundleError::Magic);
        }
        let mut contents = Self::default();
        let mut items = 0;
        loop {
            let [code] = reader.array()?;
            if code == END {
                break;
            }
            items += 1;
            if items > items_max {
                return Err(BundleError::TooMany { max: items_max });
            }
            let length = usize::from(u16::from_be_bytes(reader.array()?));
            let origin = reader.origin(length)?;
            let number = u64::from_be_bytes(reader.array()?);
            let bytes = u64::from_be_bytes(reader.array()?);
            let length = usize::try_from(bytes).ok().filter(|_| bytes <= ITEM_BYTES_MAX);
            let length = length.ok_or(BundleError::ItemTooLong { bytes })?;
            let offset = reader.at;
            reader.skip(length)?;
            if let Some(kind) = ItemKind::of(code) {
                contents.feeds.entry(origin).or_default().push(Place {
                    kind,
                    number,
                    offset,
                    length,
                });
                if contents.feeds.len() > ORIGINS_MAX {
                    return Err(BundleError::TooMany { max: ORIGINS_MAX });
                }
            }
        }
        contents.bytes = reader.end()?;
        // The first of two with one number counts, wherever they stand.
        for places in contents.feeds.values_mut() {
            places.sort_by_key(|place| (place.kind, place.number));
        }
        Ok(contents)
    }

    /// The feeds of which something is in it, by name.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.feeds.keys()
    }

    /// The items of one kind of one feed, by number.
    pub fn places(&self, origin: &Origin, kind: ItemKind) -> &[Place] {
        let places = self.feeds.get(origin).map_or(&[][..], Vec::as_slice);
        let from = places.partition_point(|place| place.kind < kind);
        let to = places.partition_point(|place| place.kind <= kind);
        places.get(from..to).unwrap_or_default()
    }

    /// The first item of one kind and number.
    pub fn find(&self, origin: &Origin, kind: ItemKind, number: u64) -> Option<&Place> {
        let places = self.places(origin, kind);
        let at = places.partition_point(|place| place.number < number);
        places.get(at).filter(|place| place.number == number)
    }

    /// Whether it brings entries of this feed: its head, or what follows a size.
    pub fn carries(&self, origin: &Origin) -> bool {
        let none = |kind| self.places(origin, kind).is_empty();
        !none(ItemKind::Head) || !none(ItemKind::Since)
    }

    /// Length of the bundle in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Writes a bundle, one item after the other.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    sum: Sha256,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub fn new(to: W) -> std::io::Result<Self> {
        let mut writer = Self { to, sum: Sha256::new() };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    /// Adds an item.
    pub fn item(&mut self, item: &Item) -> std::io::Result<()> {
        let front = front(item);
        self.put(&front)?;
        self.put(&item.bytes)
    }

    /// Ends it; what it was written to is not synced.
    pub fn finish(mut self) -> std::io::Result<W> {
        self.put(&[END])?;
        self.to.write_all(&self.sum.finalize())?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sum.update(bytes);
        self.to.write_all(bytes)
    }
}

/// A bundle of a few items.
pub fn write(items: &[Item]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for item in items {
        bytes.extend_from_slice(&front(item));
        bytes.extend_from_slice(&item.bytes);
    }
    bytes.push(END);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The items of a small bundle, in the order in which they stand; of those with a type that this
/// release does not know, none.
///
/// # Errors
/// As [`Contents::of`], and when it is longer than [`SMALL_BYTES_MAX`].
pub fn read(bytes: &Bytes) -> Result<Vec<Item>, BundleError> {
    if bytes.len() > SMALL_BYTES_MAX {
        return Err(BundleError::TooLong { bytes: bytes.len() });
    }
    let contents = Contents::within(&**bytes, SMALL_ITEMS_MAX)?;
    let mut items = Vec::new();
    for (origin, places) in &contents.feeds {
        for place in places {
            let from = usize::try_from(place.offset).map_err(|_| BundleError::Truncated)?;
            let bytes = bytes.slice(from..from + place.length);
            let (kind, number) = (place.kind, place.number);
            items.push((from, Item { kind, origin: origin.clone(), number, bytes }));
        }
    }
    items.sort_by_key(|(from, _)| *from);
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

/// The bytes of a [`ItemKind::BodyWithProof`]: `u32 n | body | .tlog-proof`.
pub fn body_with_proof(body: &Bytes, proof: &Bytes) -> Bytes {
    let mut bytes = BytesMut::with_capacity(4 + body.len() + proof.len());
    bytes.put_u32(crate::block::narrow32(body.len()));
    bytes.put_slice(body);
    bytes.put_slice(proof);
    bytes.freeze()
}

/// A body and its `.tlog-proof`.
pub fn split_body_with_proof(bytes: &Bytes) -> Result<(Bytes, Bytes), BundleError> {
    let mut rest = bytes.clone();
    let length = rest.try_get_u32().map_err(|_| BundleError::Truncated)? as usize;
    if length > rest.len() {
        return Err(BundleError::Truncated);
    }
    let body = rest.split_to(length);
    Ok((body, rest))
}

/// The bytes of a [`ItemKind::Decision`]: `u16 n | name | bytes`.
pub fn decision(name: &str, bytes: &Bytes) -> Bytes {
    let mut item = BytesMut::with_capacity(2 + name.len() + bytes.len());
    item.put_u16(crate::block::narrow16(name.len()));
    item.put_slice(name.as_bytes());
    item.put_slice(bytes);
    item.freeze()
}

/// A decision's name and content.
pub fn split_decision(bytes: &Bytes) -> Result<(String, Bytes), BundleError> {
    let mut rest = bytes.clone();
    let length = usize::from(rest.try_get_u16().map_err(|_| BundleError::Truncated)?);
    if length > rest.len() {
        return Err(BundleError::Truncated);
    }
    let name = String::from_utf8(rest.split_to(length).to_vec());
    Ok((name.map_err(|_| BundleError::Origin)?, rest))
}

fn front(item: &Item) -> BytesMut {
    let origin = item.origin.as_str();
    let mut front = BytesMut::with_capacity(19 + origin.len());
    front.put_u8(item.kind as u8);
    // An origin has at most 200 bytes.
    front.put_u16(crate::block::narrow16(origin.len()));
    front.put_slice(origin.as_bytes());
    front.put_u64(item.number);
    front.put_u64(item.bytes.len() as u64);
    front
}

struct Reader<R> {
    from: R,
    sum: Sha256,
    at: u64,
}

impl<R: Read> Reader<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        self.sum.update(bytes);
        Ok(bytes)
    }

    fn origin(&mut self, length: usize) -> Result<Origin, BundleError> {
        if length > Origin::BYTES_MAX {
            return Err(BundleError::Origin);
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        self.sum.update(&bytes);
        let text = std::str::from_utf8(&bytes).map_err(|_| BundleError::Origin)?;
        Origin::parse(text).map_err(|_| BundleError::Origin)
    }

    fn skip(&mut self, length: usize) -> Result<(), BundleError> {
        let mut chunk = vec![0; length.min(CHUNK_BYTES)];
        let mut left = length;
        while left > 0 {
            let part = chunk.get_mut(..left.min(CHUNK_BYTES)).unwrap_or_default();
            left -= part.len();
            self.from.read_exact(part).map_err(short)?;
            self.sum.update(&*part);
        }
        self.at += length as u64;
        Ok(())
    }

    /// Checks the hash, and that it is the end; the length of all.
    fn end(mut self) -> Result<u64, BundleError> {
        let sum: [u8; SUM_BYTES] = self.sum.clone().finalize().into();
        let mut said = [0; SUM_BYTES];
        self.fill(&mut said)?;
        if said != sum {
            return Err(BundleError::Damaged);
        }
        match self.from.read(&mut [0; 1]) {
            Ok(0) => Ok(self.at),
            Ok(_) => Err(BundleError::Trailing),
            Err(error) => Err(error.into()),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BundleError> {
        self.from.read_exact(bytes).map_err(short)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

fn short(error: std::io::Error) -> BundleError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return BundleError::Truncated;
    }
    error.into()
}

/// Why a file was not taken as a bundle. Nothing in it was used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not `JPB1`.
    #[error("it does not begin with JPB1: it is no bundle of this program")]
    Magic,
    /// It ends in the middle.
    #[error("it is cut short: fetch or copy it again")]
    Truncated,
    /// Another hash than the one at its end.
    #[error("it was damaged or cut on its way: its SHA-256 is another one; fetch or copy it again")]
    Damaged,
    /// Bytes after the hash.
    #[error("something follows after its end: fetch or copy it again")]
    Trailing,
    /// A name that is none.
    #[error("it names something that is no feed or decision: it is damaged, or was never a bundle")]
    Origin,
    /// An item over the limit.
    #[error("one of its parts would have {bytes} bytes, and 64 MiB are allowed")]
    ItemTooLong {
        /// What it says.
        bytes: u64,
    },
    /// Too much to be handled whole.
    #[error(
        "it has {bytes} bytes, and 16 MiB are allowed here; a longer one goes through `jopoi bundle import`"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Too many items.
    #[error("it has more than {max} parts")]
    TooMany {
        /// How many are allowed.
        max: usize,
    },
    /// It could not be read.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests;

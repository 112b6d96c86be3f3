//! Keys and values of the catalog's tree. Integers big-endian, so that keys sort as numbers do.
//!
//! ```text
//! 01 | u32 feed              -> u64 cursor | u64 sum | u64 sequence | origin       empty: a forgotten feed
//! 02 | u32 feed | u64 index  -> u32 CRC-32 of key and rest | u8 validity | u8 body state | u8 op | what the op says
//!                               op 0 publish: 16 id | u64 version | 32 body | kind
//!                               op 1 withdraw: 16 id | u8 erases
//!                               op 2 opaque, 3 unreadable: nothing, or 32 body
//! 03 | u64 sequence          -> u32 feed | u64 index
//! 04 | name                  -> a memo
//! ```
//! `sum` is the sum of the feed's rows' checks, so that a row that was lost, or is an older one than the
//! cursor knows, is noticed at the next open. `sequence` is the newest change of the feed.

use feed::row::{BodyState, Row, RowOp, Validity};
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::name::Origin;

pub(super) const FEEDS: u8 = 1;
pub(super) const ROWS: u8 = 2;
pub(super) const CHANGES: u8 = 3;
const MEMOS: u8 = 4;

/// What the tree says of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedValue {
    pub(super) origin: Origin,
    pub(super) cursor: u64,
    pub(super) sum: u64,
    pub(super) sequence: u64,
}

/// A row as it is stored, with its check.
#[derive(Debug)]
pub(super) struct RowValue {
    pub(super) bytes: Vec<u8>,
    pub(super) check: u32,
}

pub(super) fn feed_key(feed: u32) -> Vec<u8> {
    [&[FEEDS], feed.to_be_bytes().as_slice()].concat()
}

pub(super) fn feed_of_key(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.strip_prefix(&[FEEDS])?.try_into().ok()?))
}

pub(super) fn row_key(feed: u32, index: u64) -> [u8; 13] {
    let mut key = [ROWS; 13];
    let (_, rest) = key.split_at_mut(1);
    let (number, place) = rest.split_at_mut(4);
    number.copy_from_slice(&feed.to_be_bytes());
    place.copy_from_slice(&index.to_be_bytes());
    key
}

/// The feed and index of a row's key, or of a change's value after its tag.
pub(super) fn place(bytes: &[u8]) -> Option<(u32, u64)> {
    let (feed, index) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*feed), u64::from_be_bytes(index.try_into().ok()?)))
}

pub(super) fn change_key(sequence: u64) -> Vec<u8> {
    [&[CHANGES], sequence.to_be_bytes().as_slice()].concat()
}

pub(super) fn sequence_of_key(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(&[CHANGES])?.try_into().ok()?))
}

pub(super) fn change(feed: u32, index: u64) -> Vec<u8> {
    [feed.to_be_bytes().as_slice(), &index.to_be_bytes()].concat()
}

pub(super) fn memo_key(name: &str) -> Vec<u8> {
    [&[MEMOS], name.as_bytes()].concat()
}

impl FeedValue {
    pub(super) fn encode(&self) -> Vec<u8> {
        let numbers = [self.cursor, self.sum, self.sequence];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        bytes.extend_from_slice(self.origin.as_str().as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let (cursor, sum, sequence) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let origin = Origin::parse(std::str::from_utf8(rest).ok()?).ok()?;
        Some(Self { origin, cursor, sum, sequence })
    }
}

impl RowValue {
    pub(super) fn new(key: &[u8], row: &Row) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend([row.validity as u8, row.body as u8]);
        match &row.op {
            RowOp::Publish { id, kind, version, body } => {
                bytes.push(0);
                bytes.extend(id.as_u128().to_be_bytes());
                bytes.extend(version.to_be_bytes());
                bytes.extend(body.as_bytes());
                bytes.extend(kind.as_str().bytes());
            }
            RowOp::Withdraw { id, erases } => {
                bytes.push(1);
                bytes.extend(id.as_u128().to_be_bytes());
                bytes.push(u8::from(*erases));
            }
            RowOp::Opaque { body } => {
                bytes.push(2);
                bytes.extend(body.iter().flat_map(Hash::as_bytes));
            }
            RowOp::Unreadable { body } => {
                bytes.push(3);
                bytes.extend(body.iter().flat_map(Hash::as_bytes));
            }
        }
        let (head, rest) = bytes.split_at_mut(4);
        let check = check(key, rest);
        head.copy_from_slice(&check.to_be_bytes());
        Self { bytes, check }
    }

    /// The row and its check, `None` if it is damaged or stands at another key than it was written for.
    pub(super) fn read(key: &[u8], bytes: &[u8]) -> Option<(Row, u32)> {
        let (stored, mut rest) = bytes.split_first_chunk::<4>()?;
        let check = check(key, rest);
        if check != u32::from_be_bytes(*stored) {
            return None;
        }
        let [validity, body_state, op] = array(&mut rest)?;
        let op = match op {
            0 => RowOp::Publish {
                id: record_id(&mut rest)?,
                version: number(&mut rest)?,
                body: array::<32>(&mut rest)?.into(),
                kind: Kind::parse(std::str::from_utf8(rest).ok()?).ok()?,
            },
            1 => RowOp::Withdraw { id: record_id(&mut rest)?, erases: rest == [1] },
            2 => RowOp::Opaque { body: optional_hash(rest)? },
            3 => RowOp::Unreadable { body: optional_hash(rest)? },
            _ => return None,
        };
        let (validity, body) = (Validity::from_code(validity)?, BodyState::from_code(body_state)?);
        Some((Row { op, validity, body }, check))
    }
}

fn check(key: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(rest);
    hasher.finalize()
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    array(rest).map(u64::from_be_bytes)
}

fn record_id(rest: &mut &[u8]) -> Option<RecordId> {
    // An id is a version 4 UUID already, so its own bytes make it again.
    array(rest).map(RecordId::from_random_bytes)
}

fn optional_hash(rest: &[u8]) -> Option<Option<Hash>> {
    if rest.is_empty() { Some(None) } else { Hash::from_slice(rest).ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let (id, body) = (RecordId::from_random_bytes([7; 16]), Hash::of(b"body"));
        let row = |op, validity, body| Row { op, validity, body };
        let publish =
            |kind: &str| RowOp::Publish { id, kind: Kind::parse(kind).unwrap(), version: 3, body };
        vec![
            row(publish("good-practice"), Validity::Valid, BodyState::Held),
            row(publish("something-new"), Validity::BodyNotNew, BodyState::InvalidSignature),
            row(RowOp::Withdraw { id, erases: true }, Validity::Valid, BodyState::None),
            row(
                RowOp::Withdraw { id, erases: false },
                Validity::NothingToWithdraw,
                BodyState::None,
            ),
            row(RowOp::Opaque { body: Some(body) }, Validity::Opaque, BodyState::Missing),
            row(RowOp::Opaque { body: None }, Validity::Opaque, BodyState::None),
            row(RowOp::Unreadable { body: None }, Validity::Malformed, BodyState::None),
        ]
    }

    #[test]
    fn a_row_is_read_as_it_was_written_and_no_flipped_bit_passes() {
        let key = row_key(3, 1 << 40);
        for row in rows() {
            let value = RowValue::new(&key, &row);
            assert_eq!(RowValue::read(&key, &value.bytes), Some((row, value.check)));
            assert!(RowValue::read(&row_key(3, 1), &value.bytes).is_none());
            for at in 0..value.bytes.len() {
                assert!(RowValue::read(&key, &value.bytes[..at]).is_none());
                for bit in 0..8 {
                    let mut bytes = value.bytes.clone();
                    bytes[at] ^= 1 << bit;
                    assert!(RowValue::read(&key, &bytes).is_none());
                }
            }
        }
    }

    #[test]
    fn keys_and_feeds_are_read_as_they_were_written() {
        assert_eq!(place(&row_key(9, 77)[1..]), Some((9, 77)));
        assert_eq!(place(&change(9, 77)), Some((9, 77)));
        assert_eq!(feed_of_key(&feed_key(9)), Some(9));
        assert_eq!(sequence_of_key(&change_key(1 << 50)), Some(1 << 50));
        let origin = Origin::parse("simore.gov.py/public").unwrap();
        let feed = FeedValue { origin, cursor: 5, sum: u64::MAX, sequence: 1 << 51 };
        assert_eq!(FeedValue::decode(&feed.encode()), Some(feed));
        assert_eq!(FeedValue::decode(b""), None);
    }
}

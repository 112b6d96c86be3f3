//! Every byte of a binary format flipped, the whole cut at every byte, every length one more, one less,
//! nothing and the most.

use std::ops::Range;

use super::trial::Mutation;

/// A field: where it stands, and what it is called.
pub(crate) type Field = (Range<usize>, String);

/// Bytes flipped, every `stride`th, named by the field they are in.
pub(crate) fn flips(bytes: &[u8], fields: &[Field], stride: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for at in (0..bytes.len()).step_by(stride) {
        let field = fields.iter().find(|(range, _)| range.contains(&at));
        let field = field.map_or("all", |(_, name)| name.as_str());
        for mask in [0x01, 0x20, 0x80, 0xff] {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= mask;
            all.push(Mutation::new(format!("{field}: byte {at} flipped by {mask:#04x}"), flipped));
        }
    }
    all
}

/// The beginning only, of every `stride`th length; and more than all.
pub(crate) fn cuts(bytes: &[u8], stride: usize) -> Vec<Mutation> {
    let cut = |at: usize| Mutation::new(format!("cut after {at} bytes"), &bytes[..at]);
    let mut all: Vec<Mutation> = (0..bytes.len()).step_by(stride).map(cut).collect();
    for (name, more) in
        [("0", &[0][..]), ("a line end", b"\n"), ("a space", b" "), ("itself", bytes)]
    {
        let (after, before) =
            (format!("{name} after the end"), format!("{name} before the beginning"));
        all.push(Mutation::new(after, [bytes, more].concat()));
        all.push(Mutation::new(before, [more, bytes].concat()));
    }
    all
}

/// Each of the fields as a number: one more, one less, nothing, the most, half of it, in the other order
/// of bytes.
pub(crate) fn lengths(bytes: &[u8], fields: &[Field]) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (range, name) in fields.iter().filter(|(range, _)| (1..=8).contains(&range.len())) {
        let mut whole = [0; 8];
        whole[8 - range.len()..].copy_from_slice(&bytes[range.clone()]);
        let number = u64::from_be_bytes(whole);
        let most = u64::MAX >> (64 - 8 * range.len());
        let others = [
            ("one more", number.wrapping_add(1)),
            ("one less", number.wrapping_sub(1)),
            ("nothing", 0),
            ("the most", most),
            ("all but one bit", most >> 1),
            ("half", number / 2),
            ("twice", number.wrapping_mul(2)),
            ("turned round", number.swap_bytes() >> (64 - 8 * range.len())),
        ];
        for (what, other) in others {
            let mut changed = bytes.to_vec();
            changed[range.clone()].copy_from_slice(&other.to_be_bytes()[8 - range.len()..]);
            all.push(Mutation::new(format!("{name}: {what}"), changed));
        }
    }
    all
}

/// Names the fields of a format while reading over them.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    all: Vec<Field>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, all: Vec::new() }
    }

    /// The next `length` bytes.
    pub(crate) fn skip(&mut self, name: impl Into<String>, length: usize) -> &'a [u8] {
        let range = self.at..self.at + length;
        self.at = range.end;
        self.all.push((range.clone(), name.into()));
        &self.bytes[range]
    }

    /// The next number of `length` bytes.
    pub(crate) fn number(&mut self, name: impl Into<String>, length: usize) -> usize {
        self.skip(name, length).iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// All fields; together they are all bytes.
    pub(crate) fn finish(self) -> Vec<Field> {
        assert!(self.is_at_end(), "{} of {} bytes are named", self.at, self.bytes.len());
        self.all
    }
}

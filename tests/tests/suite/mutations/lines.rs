//! Every line of a text: dropped, doubled, swapped, spelt otherwise; every byte of it flipped; the text cut
//! at every byte.

use super::binary;
use super::trial::Mutation;

/// All mutations of a text. Lines are counted from 0.
pub(crate) fn mutations(text: &[u8]) -> Vec<Mutation> {
    let mut all = of_lines(text);
    all.extend(of_bytes(text, 1));
    all.extend(binary::cuts(text, 1));
    all
}

/// Whole lines only.
pub(crate) fn of_lines(text: &[u8]) -> Vec<Mutation> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut with = |what: &str, replacement: &[&[u8]]| {
            let (before, after) = (lines[..at].concat(), lines[at + 1..].concat());
            let bytes = [before, replacement.concat(), after].concat();
            all.push(Mutation::new(format!("line {at}: {what}"), bytes));
        };
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        with("dropped", &[]);
        with("doubled", &[line, line]);
        with("emptied", &[b"\n"]);
        with("an empty line before", &[b"\n", line]);
        with("an empty line after", &[line, b"\n"]);
        with("without its end", &[bare]);
        with("CR LF", &[bare, b"\r\n"]);
        with("a space before", &[b" ", line]);
        with("a space after", &[bare, b" \n"]);
        with("a zero before", &[b"0", line]);
        with("a plus sign before", &[b"+", line]);
        for (other_at, other) in lines.iter().enumerate() {
            if other_at > at {
                let mut swapped = lines.clone();
                swapped.swap(at, other_at);
                let what = format!("line {at}: swapped with line {other_at}");
                all.push(Mutation::new(what, swapped.concat()));
            }
            if other_at != at {
                let mut copied = lines.clone();
                copied[at] = other;
                let what = format!("line {at}: as line {other_at}");
                all.push(Mutation::new(what, copied.concat()));
            }
        }
    }
    all
}

/// Bytes flipped in three ways, every `stride`th.
pub(crate) fn of_bytes(text: &[u8], stride: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for at in (0..text.len()).step_by(stride) {
        let line = text[..at].iter().filter(|byte| **byte == b'\n').count();
        // A neighbour in the alphabet, the other case, what is no ASCII.
        for mask in [0x01, 0x20, 0x80] {
            let mut bytes = text.to_vec();
            bytes[at] ^= mask;
            all.push(Mutation::new(
                format!("line {line}: byte {at} flipped by {mask:#04x}"),
                bytes,
            ));
        }
    }
    all
}

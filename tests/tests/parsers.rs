//! Every reader of foreign bytes accepts its seeds' form and survives thousands of changed ones: the same
//! each time. The fuzzer in `tests/fuzz` goes further.

use tests::chance::TestChance;
use tests::parsers::{INPUT_BYTES_MAX, PARSERS, Seeds, named};

/// Changed inputs for each seed.
const CHANGED: u64 = 400;
/// Changes made one after the other to one input, at most.
const CHANGES_MAX: u64 = 6;
/// Bytes that formats give a meaning to.
const MEANING: &[u8] = b"\0\n\r\"\\{}[],:+-.0123456789eE/ \xff\xef\xbb\xbf\xe2\x80\xae";

#[test]
fn no_reader_is_upset_by_changed_bytes() {
    let seeds = Seeds::new().unwrap();
    let everything: Vec<Vec<u8>> =
        PARSERS.iter().flat_map(|parser| (parser.seeds)(&seeds)).collect();
    let mut read = 0;
    for parser in PARSERS {
        let chance = TestChance::new(parser.name);
        let own = (parser.seeds)(&seeds);
        assert!(!own.is_empty(), "{} has no seed", parser.name);
        for seed in &own {
            assert!((parser.read)(seed), "{}: {}", parser.name, String::from_utf8_lossy(seed));
            for _ in 0..CHANGED {
                (parser.read)(&changed(seed, &everything, &chance));
                read += 1;
            }
        }
        // What is well-formed for one reader is a stranger to the others.
        for other in everything.iter().chain([&Vec::new(), &vec![0; 4_096]]) {
            (parser.read)(other);
            read += 1;
        }
    }
    println!("{} readers, {read} inputs", PARSERS.len());
    assert!(PARSERS.len() >= 14 && read >= 20_000, "{read}");
}

#[test]
fn every_reader_has_a_name_of_its_own() {
    for parser in PARSERS {
        let found = named(parser.name).unwrap();
        assert!(std::ptr::fn_addr_eq(found.read, parser.read), "{}", parser.name);
    }
    assert!(named("nothing").is_none());
}

/// Some bytes flipped, cut out, put twice, put in, or exchanged with those of another format.
fn changed(seed: &[u8], others: &[Vec<u8>], chance: &TestChance) -> Vec<u8> {
    let below = |bound: usize| usize::try_from(chance.below(bound.max(1) as u64)).unwrap();
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(CHANGES_MAX) {
        let at = below(bytes.len());
        let length = below(33).min(bytes.len() - at);
        match chance.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let twice = bytes[at..at + length].to_vec();
                bytes.splice(at..at, twice);
            }
            3 => bytes.insert(at, MEANING[below(MEANING.len())]),
            4 => bytes.truncate(at),
            5 => {
                let other = &others[below(others.len())];
                let from = below(other.len());
                let piece = other[from..].iter().take(length + 1).copied();
                bytes.splice(at..at + length, piece);
            }
            _ if bytes.len() > at + 8 => {
                let number = [0, 1, u64::MAX, u64::MAX >> 1, 1 << 53][below(5)];
                bytes[at..at + 8].copy_from_slice(&number.to_be_bytes());
            }
            _ => bytes.push(0xff),
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

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
    let below =
        |bound: usize| usize::try_from(chance.below(bound.max(1) as u64)).unwrap_or_default();
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(CHANGES_MAX) {
        let at = below(bytes.len());
        let end = at + below(33).min(bytes.len() - at);
        let piece = |of: &[u8]| of.iter().skip(at).take(end - at).copied().collect::<Vec<_>>();
        match chance.below(7) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << chance.below(8)),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, piece(&bytes))),
            3 => drop(bytes.splice(at..at, MEANING.get(below(MEANING.len())).copied())),
            4 => bytes.truncate(at),
            5 => {
                let other = others.get(below(others.len())).map(Vec::as_slice);
                drop(bytes.splice(at..end, piece(other.unwrap_or_default())));
            }
            _ => {
                let number = [0, 1, u64::MAX, u64::MAX >> 1, 1 << 53].get(below(5)).copied();
                drop(bytes.splice(at..end, number.unwrap_or_default().to_be_bytes()));
            }
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

//! Parsers of foreign bytes: whatever comes, they answer; and what they accept they write back.

use bytes::Bytes;
use feed::block::{self, Block, Item};
use feed::head::{self, Commit, Head};
use feed::statement::Said;
use proptest::prelude::*;
use tlog::hash::Hash;

fn block(first: u64, count: u64) -> Block {
    let items = (first..first + count).map(|n| {
        let body = Bytes::from(format!("{{\"n\":{n}}}"));
        let entry = format!("{{\"body\":\"sha256:{}\",\"v\":2}}", Hash::of(&body).to_hex());
        Item::new(entry.into(), Some(body)).unwrap()
    });
    Block { first, items: items.collect() }
}

fn head() -> Head {
    let commits = [(256, 3), (259, 1)]
        .map(|(first, count)| Commit::write(b"a note", &[block(first, count)]).unwrap());
    Head { sealed: 256, subtrees: vec![Hash::of(b"root")], commits: commits.to_vec() }
}

fn samples() -> Vec<Bytes> {
    let head = head();
    vec![
        head.encode(),
        head::encode_since(head.commits.iter()),
        block(0, 4).encode().into(),
        block::pack_segment(&block(0, 256)).unwrap(),
        block(0, 1).items[0].entry.clone(),
    ]
}

/// Every parser, on the same bytes.
fn read(bytes: &Bytes) {
    if let Ok((read, good)) = Head::read(bytes) {
        assert_eq!(read.encode(), bytes.slice(..good));
        for frame in read.commits.iter().flat_map(|commit| &commit.frames) {
            let _ = frame.open();
        }
    }
    if let Ok(commits) = head::decode_since(bytes) {
        assert_eq!(head::encode_since(commits.iter()), bytes);
    }
    if let Ok(block) = Block::decode(bytes) {
        assert_eq!(block.encode(), bytes.as_ref());
    }
    let _ = block::open_segment(bytes, 0);
    let _ = feed::frame::unpack(bytes, 1 << 20);
    if let Said::Statement(statement) = Said::read(bytes) {
        assert_eq!(statement.to_bytes().unwrap(), bytes.as_ref());
    }
    let _ = feed::fault::Fault::parse(bytes);
    let _ =
        feed::verify::read_note(&tlog::name::Origin::parse("node.example/public").unwrap(), bytes);
}

#[test]
fn a_head_torn_anywhere_is_good_up_to_its_last_whole_commit() {
    let head = head();
    let bytes = head.encode();
    let first = head.front_bytes() + head.commits[0].bytes.len();
    for end in 0..bytes.len() {
        match Head::read(&bytes.slice(..end)) {
            Ok((read, good)) => assert_eq!((good, read.commits.len()), (first, 1), "cut at {end}"),
            Err(_) => assert!(end < first, "cut at {end}"),
        }
        assert!(Head::decode(&bytes.slice(..end)).is_err() || end == first, "cut at {end}");
    }
    assert_eq!(Head::decode(&bytes).unwrap(), head);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn random_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..600), magic in 0..5_usize) {
        let magics: [&[u8]; 5] = [b"", b"JPH1", b"JPT1", b"JPS1", &[0x28, 0xb5, 0x2f, 0xfd]];
        read(&[magics[magic], &bytes].concat().into());
    }

    #[test]
    fn changed_samples_are_answered(
        sample in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = samples()[sample].to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        read(&bytes.into());
    }
}

//! What a carrier brings of a log: entries with their proofs, commits with entries and documents,
//! segments.

use bytes::Bytes;
use feed::block::{Block, Item, pack_segment};
use feed::bodies::check_block;
use feed::frame;
use feed::head::{self, Commit};
use feed::ports::Since;
use feed::tree::Tree;
use feed::verify::{self, Fold};
use network::keys::KeyHistory;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::proof_file::TlogProof;

use super::binary::{self, Field, Fields};
use super::json;
use super::lines;
use super::trial::{Mutation, Says, Tolerated, examine};
use super::world::{Node, wait};

/// Commits have thousands of bytes, and segments ten thousand.
const STRIDE: usize = 3;
const SEGMENT_STRIDE: usize = 97;

const FRAME: Tolerated<'_> =
    ("packed", "a zstd frame is transport: what it unpacks to is what was signed");

fn log() -> Node {
    let node = Node::of("owner.example");
    node.practice("First");
    node.practice("Second");
    let group = serde_json::json!({"names": {"en": "Group"}, "members": ["a.example"]});
    node.say(Kind::GROUP, group);
    node
}

#[test]
fn an_entry_stands_in_its_log_as_it_is_only() {
    let node = log();
    let mut tried = 0;
    for index in 0..4 {
        let proof = TlogProof::parse(&node.placed(index).proof).unwrap();
        let (entry, neighbour) = (node.entry(index), node.entry((index + 1) % 4));
        let key = node.log_key();
        let stands = |entry: &[u8]| {
            let found = proof.verify_entry(entry, &key).ok()?;
            Some(Says::that(format!("{found:?}")))
        };
        let mut all = json::mutations(&entry, Some(&neighbour));
        all.extend(lines::mutations(&entry));
        tried += examine(&format!("entry {index}"), &entry, stands, &[], all);
    }
    assert!(tried >= 4_300, "{tried}");
}

/// All that is believed of commits that a carrier brings to somebody who holds nothing but the root.
fn believed(node: &Node, commits: &[Commit]) -> Option<Says> {
    let origin = node.origin();
    let root = node.member.root().unwrap().public();
    let keys = KeyHistory::new(node.member.name().clone(), root);
    let mut fold = Fold::new(origin.clone(), Tree::new(), keys);
    for commit in commits {
        fold.commit(commit).ok()?;
    }
    let folded = fold.finish().ok()?;
    // An earlier state was signed too; that it is not the newest is told by cosigners, not by itself.
    if folded.checkpoint.checkpoint.size < node.feeds.view(&origin)?.size() {
        return None;
    }
    let disowning = folded.keys.disowning(&origin, None);
    let mut words = format!("{:?} {}", folded.checkpoint.checkpoint, folded.tree.root());
    for block in &folded.blocks {
        let states = check_block(&origin, block, &folded.keys, &disowning);
        for (item, state) in block.items.iter().zip(states) {
            let body = item.body.as_ref().map(Hash::of);
            words.push_str(&format!("\n{} {body:?} {state:?}", item.leaf()));
        }
    }
    Some(Says::that(words))
}

fn commits(node: &Node) -> Bytes {
    match wait(node.feeds.since(&node.origin(), 0, None)).unwrap() {
        Since::Commits(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// The fields of commits: lengths, hashes, notes, frames.
fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Fields::of(bytes);
    fields.skip("magic", 4);
    while !fields.is_at_end() {
        fields.number("commit length", 4);
        fields.skip("commit hash", 32);
        payload(&mut fields);
    }
    fields.finish()
}

fn payload(fields: &mut Fields<'_>) {
    let note = fields.number("note length", 4);
    fields.skip("note", note);
    for _ in 0..fields.number("frame count", 2) {
        fields.number("frame first", 8);
        fields.number("frame entries", 2);
        fields.number("frame plain", 4);
        let packed = fields.number("frame length", 4);
        fields.skip("packed", packed);
    }
}

#[test]
fn commits_are_believed_as_they_were_signed_only() {
    let node = log();
    let bytes = commits(&node);
    let read = |bytes: &[u8]| {
        let commits = head::decode_since(&Bytes::copy_from_slice(bytes)).ok()?;
        believed(&node, &commits)
    };
    let fields = fields(&bytes);
    let mut all = binary::flips(&bytes, &fields, STRIDE);
    all.extend(binary::lengths(&bytes, &fields));
    all.extend(binary::cuts(&bytes, STRIDE));
    let tried = examine("commits", &bytes, read, &[], all);
    assert!(tried >= 7_500, "{tried}");
}

/// A commit whose hash is right whatever stands in it: the hash finds what tore, not who lied.
fn with_right_hash(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [b"JPT1", &length[..], Hash::of(payload).as_bytes(), payload].concat()
}

/// All of the log in one commit.
fn one_commit(node: &Node) -> (Bytes, Vec<Block>) {
    let mut items = Vec::new();
    for commit in head::decode_since(&commits(node)).unwrap() {
        for frame in &commit.frames {
            items.extend(frame.open().unwrap().items);
        }
    }
    (node.checkpoint(), vec![Block { first: 0, items }])
}

#[test]
fn a_commit_whose_hash_was_made_anew_is_believed_as_it_was_signed_only() {
    let node = log();
    let (note, blocks) = one_commit(&node);
    let commit = Commit::write(&note, &blocks).unwrap();
    let inside = &commit.bytes[36..];
    let read = |bytes: &[u8]| {
        let whole = Bytes::from(with_right_hash(bytes));
        believed(&node, &head::decode_since(&whole).ok()?)
    };
    let mut fields = Fields::of(inside);
    payload(&mut fields);
    let fields = fields.finish();
    let mut all = binary::flips(inside, &fields, STRIDE);
    all.extend(binary::lengths(inside, &fields));
    all.extend(binary::cuts(inside, 7 * STRIDE));
    let tried = examine("commit with a right hash", inside, read, &[FRAME], all);
    assert!(tried >= 3_200, "{tried}");
}

/// The fields of a block: numbers, entries, documents.
fn block_fields(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Fields::of(bytes);
    fields.number("first", 8);
    let count = fields.number("count", 2);
    for index in 0..count {
        let length = fields.number(format!("length of entry {index}"), 2);
        fields.skip(format!("entry {index}"), length);
    }
    for index in 0..count {
        let length = fields.number(format!("length of body {index}"), 4);
        fields.skip(format!("body {index}"), length);
    }
    fields.finish()
}

/// A commit over any block, packed and hashed as it should be.
fn over_plain(note: &[u8], plain: &[u8]) -> Option<Commit> {
    let first = u64::from_be_bytes(*plain.first_chunk()?);
    let count = u16::from_be_bytes(*plain.get(8..)?.first_chunk()?);
    let packed = frame::pack(plain).ok()?.into();
    let frame = head::Frame { first, count, plain: u32::try_from(plain.len()).ok()?, packed };
    Commit::from_frames(Bytes::copy_from_slice(note), vec![frame]).ok()
}

#[test]
fn entries_and_documents_packed_anew_are_believed_as_they_were_signed_only() {
    let node = log();
    let (note, blocks) = one_commit(&node);
    let plain = blocks[0].encode();
    let read = |bytes: &[u8]| believed(&node, &[over_plain(&note, bytes)?]);
    let fields = block_fields(&plain);
    let mut all = binary::flips(&plain, &fields, 2 * STRIDE);
    all.extend(binary::lengths(&plain, &fields));
    all.extend(binary::cuts(&plain, 7 * STRIDE));
    all.extend(other_orders(&blocks[0]));
    let tried = examine("block packed anew", &plain, read, &[], all);
    assert!(tried >= 4_500, "{tried}");
    // The note is under the log's own signature, and nobody else's line may stand there.
    let read = |note: &[u8]| believed(&node, &[over_plain(note, &plain)?]);
    let repeated = ("line *: doubled", "a signature is one however often it stands there");
    let tried = examine("note of a commit", &note, read, &[repeated], lines::mutations(&note));
    assert!(tried >= 800, "{tried}");
}

/// Entries exchanged, doubled and left out, with their documents.
fn other_orders(block: &Block) -> Vec<Mutation> {
    let mut all = Vec::new();
    let mut add = |what: String, items: Vec<Item>| {
        all.push(Mutation::new(what, Block { first: block.first, items }.encode()));
    };
    let items = &block.items;
    for at in 0..items.len() {
        add(format!("entry {at} left out"), [&items[..at], &items[at + 1..]].concat());
        add(format!("entry {at} doubled"), [&items[..=at], &items[at..]].concat());
        for other in 0..items.len() {
            let mut swapped = items.clone();
            swapped.swap(at, other);
            add(format!("entries {at} and {other} exchanged"), swapped);
            let mut bodies = items.clone();
            bodies[at].body.clone_from(&items[other].body);
            add(format!("body of {other} at {at}"), bodies);
            let mut copied = items.clone();
            copied[at] = items[other].clone();
            add(format!("entry {other} at {at}"), copied);
        }
    }
    all
}

#[test]
fn a_segment_is_the_one_whose_root_was_proved_only() {
    let entry = |number: u64| Item::new(format!("{{\"v\":{number}}}").into(), None).unwrap();
    let block = Block { first: 512, items: (0..256).map(entry).collect() };
    let root = block.segment_root().unwrap();
    let read = |bytes: &[u8]| {
        let block = verify::segment(&Bytes::copy_from_slice(bytes), 2, &root).ok()?;
        Some(Says::that(block.items.iter().map(|item| item.leaf().to_hex()).collect::<String>()))
    };
    let packed = pack_segment(&block).unwrap();
    let whole: Field = (0..packed.len(), "packed".to_owned());
    let mut all = binary::flips(&packed, std::slice::from_ref(&whole), STRIDE);
    all.extend(binary::cuts(&packed, STRIDE));
    let mut tried = examine("segment, packed", &packed, read, &[FRAME], all);
    let plain = [b"JPS1", &block.encode()[..]].concat();
    let inside: Vec<Field> = block_fields(&plain[4..])
        .into_iter()
        .map(|(range, name)| (range.start + 4..range.end + 4, name))
        .collect();
    let mut all = binary::flips(&plain, &inside, SEGMENT_STRIDE / 10);
    all.extend(binary::lengths(&plain, &inside).into_iter().step_by(7));
    all.extend(binary::cuts(&plain, SEGMENT_STRIDE));
    tried += examine("segment, plain", &plain, read, &[], all);
    assert!(tried >= 2_700, "{tried}");
}

//! Signed notes, checkpoints, cosignatures and proof files that are not as they should be.

use proptest::prelude::*;
use serde_json::Value;
use tlog::SIZE_MAX;
use tlog::checkpoint::{
    CHECKPOINT_LINES_MAX, Checkpoint, InvalidCheckpoint, SignedCheckpoint, UnverifiedCheckpoint,
};
use tlog::cosignature::{self, InvalidCosignature};
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{InvalidNote, Note, SignatureLine, UnverifiedNote, sign_note};
use tlog::proof_file::TlogProof;

fn signer(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32]).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn note_key(text: &str, number: u8) -> VerifierKey {
    VerifierKey::note(name(text), signer(number).public())
}

fn witness_line(text: &str, number: u8, time: u64) -> (VerifierKey, SignatureLine) {
    let key = VerifierKey::cosignature(
        name(&format!("w{number}.example/witness")),
        signer(number).public(),
    );
    let line =
        cosignature::cosign(text, time, &key, &|message| signer(number).sign(message)).unwrap();
    (key, line)
}

fn checkpoint(size: u64) -> SignedCheckpoint {
    let body = Checkpoint::new(name("a.example/public"), size, Hash::of(size.to_be_bytes()))
        .unwrap()
        .body();
    SignedCheckpoint::from_note(sign_note(&body, name("a.example/public"), &signer(1)).unwrap())
        .unwrap()
}

#[test]
fn the_example_of_the_specification_is_verified() {
    let file: Value =
        serde_json::from_str(include_str!("../vectors/note/c2sp-examples.json")).unwrap();
    let key = VerifierKey::parse(file["note"]["vkey"].as_str().unwrap()).unwrap();
    let signed = file["note"]["signed"].as_str().unwrap();
    let note = Note::parse(signed.as_bytes()).unwrap();
    assert_eq!(note.text_signed_by(&key).unwrap(), "This is an example message.\n");
    assert_eq!(note.to_string(), signed);
    let altered = Note::parse(signed.replace("message", "massage").as_bytes()).unwrap();
    assert!(matches!(altered.text_signed_by(&key), Err(UnverifiedNote::BadLine { .. })));
}

#[test]
fn what_is_not_a_note_is_refused() {
    let good = sign_note("text\n", name("a.example"), &signer(1)).unwrap().to_string();
    assert!(Note::parse(good.as_bytes()).is_ok());
    let line = good.strip_prefix("text\n\n").unwrap().to_owned();
    let bad = [
        String::new(),
        "\n\n".to_owned(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}"),
        format!("text\n\n{line}\n"),
        good.trim_end().to_owned(),
        good.replace('\u{2014}', "-"),
        good.replace('\u{2014}', "\u{2013}"),
        good.replace('\n', "\r\n"),
        good.replace("text", "te\txt"),
        good.replace("text", "te\u{0}xt"),
        good.replace("a.example ", "a.example  "),
        good.replace("a.example ", "a+example "),
        good.replace("a.example ", "cosignature/v1 "),
        good.replace("a.example ", ""),
        good.replace("=\n", "\n"),
        good.replace("=\n", "==\n"),
        format!("text\n\n{}", line.replace("\u{2014} ", "\u{2014}")),
        "text\n\n\u{2014} a.example AAAAAA==\n".to_owned(),
    ];
    for text in bad {
        assert!(Note::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert_eq!(Note::parse(b"te\xffxt\n\n\xe2\x80\x94 a AAAAAAA=\n"), Err(InvalidNote::NotUtf8));
}

#[test]
fn notes_have_limits() {
    let line = "\u{2014} a AAAAAAA=\n";
    assert!(Note::parse(format!("t\n\n{}", line.repeat(100)).as_bytes()).is_ok());
    let refused = Note::parse(format!("t\n\n{}", line.repeat(101)).as_bytes());
    assert_eq!(refused, Err(InvalidNote::TooManyLines));
    let of_bytes = |bytes: usize| format!("{}\n\n{line}", "t".repeat(bytes - line.len() - 2));
    assert!(Note::parse(of_bytes(4096).as_bytes()).is_ok());
    assert_eq!(Note::parse(of_bytes(4097).as_bytes()), Err(InvalidNote::Bytes { bytes: 4097 }));
    let mut full = Note::parse(of_bytes(4096).as_bytes()).unwrap();
    let before = full.clone();
    assert!(full.add(SignatureLine { name: name("b"), id: 1, bytes: vec![1] }).is_err());
    assert_eq!(full, before);
}

#[test]
fn only_a_text_that_can_be_read_back_is_signed() {
    for text in ["", "no newline", "tab\t\n", "return\r\n", "\u{0}\n"] {
        assert!(sign_note(text, name("a.example"), &signer(1)).is_err(), "{text:?}");
    }
    for text in
        ["\n", "\n\n", "a\n\nb\n", "a\n\n\n", "\u{2014} a AAAAAAA=\n", "a\n\n\u{2014} a AAAAAAA=\n"]
    {
        let note = sign_note(text, name("a.example"), &signer(1)).unwrap();
        assert_eq!(Note::parse(&note.to_bytes()).unwrap(), note);
        assert_eq!(note.text_signed_by(&note_key("a.example", 1)).unwrap(), text);
    }
}

#[test]
fn one_bad_line_by_a_known_key_poisons_the_note() {
    let (log, other) = (note_key("a.example/public", 1), note_key("b.example", 2));
    let mut note = sign_note("text\n", log.name.clone(), &signer(1)).unwrap();
    let keys = [log.clone(), other.clone()];
    assert_eq!(note.verify(&keys).unwrap().len(), 1);
    // A line by a key nobody knows changes nothing, even where the name or the id is a known one.
    note.add(SignatureLine { name: other.name.clone(), id: other.id ^ 1, bytes: vec![0; 64] })
        .unwrap();
    note.add(SignatureLine { name: name("c.example"), id: other.id, bytes: vec![0; 64] }).unwrap();
    assert_eq!(note.verify(&keys).unwrap().len(), 1);
    note.add(SignatureLine { name: other.name.clone(), id: other.id, bytes: vec![0; 64] }).unwrap();
    assert!(note.verify(std::slice::from_ref(&log)).is_ok());
    assert!(matches!(note.verify(&keys), Err(UnverifiedNote::BadLine { .. })));
    assert_eq!(note.verify(&[]), Err(UnverifiedNote::NoKnownKey));
    assert_eq!(note.verify(&[note_key("z.example", 3)]), Err(UnverifiedNote::NoKnownKey));
}

#[test]
fn a_second_line_by_the_same_key_must_verify_too_and_counts_once() {
    let log = note_key("a.example/public", 1);
    let mut note = sign_note("text\n", log.name.clone(), &signer(1)).unwrap();
    note.add(note.signatures[0].clone()).unwrap();
    assert_eq!(note.signatures.len(), 1);
    let mut twice = note.to_string();
    twice.push_str(&format!("{}\n", note.signatures[0]));
    assert_eq!(
        Note::parse(twice.as_bytes()).unwrap().verify(std::slice::from_ref(&log)).unwrap().len(),
        1
    );
    note.add(SignatureLine { name: log.name.clone(), id: log.id, bytes: vec![7; 64] }).unwrap();
    assert!(matches!(note.text_signed_by(&log), Err(UnverifiedNote::BadLine { .. })));
    note.signatures[1].bytes = vec![7; 63];
    assert!(matches!(note.text_signed_by(&log), Err(UnverifiedNote::BadLine { .. })));
}

#[test]
fn what_is_not_a_checkpoint_is_refused() {
    let good = checkpoint(600).checkpoint.body();
    assert_eq!(Checkpoint::parse(&good).unwrap().body(), good);
    let bad = [
        String::new(),
        good.trim_end().to_owned(),
        format!("{good}extension\n"),
        format!("{good}\n"),
        format!("\n{good}"),
        good.replace("600", "0600"),
        good.replace("600", "+600"),
        good.replace("600", " 600"),
        good.replace("600", "-1"),
        good.replace("600", ""),
        good.replace("600", "00"),
        good.replace("600", "6e2"),
        good.replace("600", "\u{666}"),
        good.replace("600", "9007199254740992"),
        good.replace("600", "18446744073709551616"),
        good.replace("600", "0"),
        good.replace("a.example/public", ""),
        good.replace("a.example/public", "a example"),
        good.replace("a.example/public", "cosignature/v1"),
        good.replace("=\n", "\n"),
        good.replace('\n', "\r\n"),
    ];
    for text in bad {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
    assert!(Checkpoint::parse(&good.replace("600", "9007199254740991")).is_ok());
    assert!(Checkpoint::new(name("a.example"), SIZE_MAX + 1, Hash::EMPTY_ROOT).is_err());
    let empty = format!("a.example/public\n0\n{}\n", Hash::EMPTY_ROOT);
    assert_eq!(Checkpoint::parse(&empty).unwrap().size, 0);
}

#[test]
fn a_checkpoint_counts_only_by_the_key_of_its_log() {
    let signed = checkpoint(600);
    assert_eq!(signed.verify(&note_key("a.example/public", 1)).unwrap().size, 600);
    let by_another = signed.verify(&note_key("a.example/public", 2));
    assert_eq!(by_another, Err(UnverifiedCheckpoint::Note(UnverifiedNote::NoKnownKey)));
    // Another log's good signature under this text is not the log's.
    let other = sign_note(&signed.note.text, name("b.example/public"), &signer(2)).unwrap();
    let other = SignedCheckpoint::from_note(other).unwrap();
    let verified = other.verify(&note_key("b.example/public", 2));
    assert!(matches!(verified, Err(UnverifiedCheckpoint::OtherLog { .. })));
}

#[test]
fn a_cosignature_says_when_and_fits_one_text() {
    let mut signed = checkpoint(600);
    let (key, line) = witness_line(&signed.note.text, 3, 1_700_000_000);
    assert_eq!(cosignature::verify(&line, &signed.note.text, &key), Ok(1_700_000_000));
    assert!(cosignature::verify(&line, &checkpoint(601).note.text, &key).is_err());
    let later = witness_line(&signed.note.text, 3, 1_800_000_000).1;
    signed.add(line.clone()).unwrap();
    signed.add(later).unwrap();
    let cosigners = [key.clone()];
    let cosigned = signed.verify_with(&note_key("a.example/public", 1), &cosigners).unwrap();
    assert_eq!(
        cosigned.iter().map(|signed| signed.time).collect::<Vec<_>>(),
        [Some(1_800_000_000)]
    );

    let mut altered = line;
    altered.bytes[7] ^= 1;
    assert!(matches!(
        cosignature::verify(&altered, &signed.note.text, &key),
        Err(InvalidCosignature::Signature { .. })
    ));
    altered.bytes[0] = 0x80;
    assert!(matches!(
        cosignature::verify(&altered, &signed.note.text, &key),
        Err(InvalidCosignature::Time { .. })
    ));
    altered.bytes.truncate(71);
    assert_eq!(
        cosignature::verify(&altered, &signed.note.text, &key),
        Err(InvalidCosignature::Bytes)
    );
    altered.bytes.clear();
    assert_eq!(
        cosignature::verify(&altered, &signed.note.text, &key),
        Err(InvalidCosignature::Bytes)
    );
    let sign = |message: &[u8]| signer(3).sign(message);
    assert!(cosignature::cosign("t\n", u64::MAX, &key, &sign).is_err());
    assert!(cosignature::cosign("t\n", 1, &note_key("a.example", 3), &sign).is_err());
}

#[test]
fn copies_of_a_checkpoint_are_merged_and_served_with_fourteen_lines() {
    let (mut mine, mut theirs) = (checkpoint(600), checkpoint(600));
    let text = mine.note.text.clone();
    for number in 10..20 {
        mine.add(witness_line(&text, number, 5).1).unwrap();
        theirs.add(witness_line(&text, number + 5, 5).1).unwrap();
    }
    mine.merge(&theirs).unwrap();
    assert_eq!(mine.note.signatures.len(), 16);
    assert_eq!(mine.merge(&checkpoint(601)), Err(InvalidCheckpoint::OtherText));
    // The log's line is kept wherever it stands.
    mine.note.signatures.rotate_left(1);
    let served = mine.to_serve();
    assert_eq!(served.signatures.len(), CHECKPOINT_LINES_MAX);
    assert_eq!(served.signatures[0].name, mine.checkpoint.origin);
    assert!(
        SignedCheckpoint::from_note(served)
            .unwrap()
            .verify(&note_key("a.example/public", 1))
            .is_ok()
    );
}

#[test]
fn what_is_not_a_proof_file_is_refused() {
    let good = include_str!("../vectors/log600/proofs/300.tlog-proof");
    let proof = TlogProof::parse(good.as_bytes()).unwrap();
    let with_extra = good.replace("index", "extra aGVsbG8=\nindex");
    let extra = TlogProof::parse(with_extra.as_bytes()).unwrap();
    assert_eq!(extra.extra.as_deref(), Some(b"hello".as_slice()));
    assert_eq!((extra.to_string(), extra.hashes), (with_extra, proof.hashes));
    let bad = [
        String::new(),
        good.replace("@v1", "@v2"),
        good.replace("index 300", "index 0300"),
        good.replace("index 300", "index -1"),
        good.replace("index 300", "index  300"),
        good.replace("index 300", "index 9007199254740992"),
        good.replace("index 300\n", ""),
        good.replace("index", "extra !\nindex"),
        good.replace("index", "extra aGVsbG8=\nextra aGVsbG8=\nindex"),
        good.replacen("=\n", "\n", 1),
        good.replacen("\n\n", "\n", 1),
        good.replacen("\n\n", "\n\n\n", 1),
        good.replace('\n', "\r\n"),
        good.replacen(
            "index 300\n",
            &format!("index 300\n{}", format!("{}\n", Hash::EMPTY_ROOT).repeat(56)),
            1,
        ),
        format!("{good}trailing"),
    ];
    for text in bad {
        assert!(TlogProof::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(TlogProof::parse(&vec![b'x'; 100_000]).is_err());
    assert!(TlogProof::parse(b"\xff").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_parser_panic_and_what_is_read_is_written_the_same(
        cut in 0_usize..1200, at in 0_usize..1200, byte in any::<u8>(),
    ) {
        let mut bytes = include_bytes!("../vectors/log600/proofs/300.tlog-proof").to_vec();
        let (cut, at) = (cut.min(bytes.len()), at.min(bytes.len() - 1));
        bytes[at] = byte;
        if let Ok(proof) = TlogProof::parse(&bytes) {
            prop_assert_eq!(proof.to_string().into_bytes(), bytes.clone());
        }
        if let Ok(note) = Note::parse(&bytes[cut..]) {
            prop_assert_eq!(note.to_bytes(), bytes[cut..].to_vec());
        }
    }
}

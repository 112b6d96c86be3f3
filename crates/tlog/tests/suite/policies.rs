//! Trust policies, as the specification has them.

use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::cosignature;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::sign_note;
use tlog::policy::{
    Group, Log, POLICY_BYTES_MAX, POLICY_ITEMS_MAX, Policy, PolicyDraft, PolicyFault, Unsatisfied,
    Witness, Word,
};

const WITNESSES: [&str; 6] = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn log(seed: u8) -> VerifierKey {
    VerifierKey::note(name("log.example/one"), key(seed).public())
}

fn witness(seed: u8) -> VerifierKey {
    VerifierKey::cosignature(name(&format!("w{seed}.example")), key(seed).public())
}

/// The example of the specification: two of X and one of Y.
fn example() -> String {
    let line = |(name, seed): (&&str, u8)| format!("witness {name} {}\n", witness(seed));
    let witnesses: Vec<String> = WITNESSES.iter().zip(1..).map(line).collect();
    format!(
        "log {}\n\n{}group X-witnesses 2 X1 X2 X3\n\n{}group Y-witnesses any Y1 Y2 Y3\n\n\
         group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n",
        log(100),
        witnesses[..3].concat(),
        witnesses[3..].concat(),
    )
}

fn fault(text: &str) -> PolicyFault {
    Policy::parse(text.as_bytes()).unwrap_err().fault
}

#[test]
fn the_quorum_of_the_specifications_example_is_met_by_two_of_x_and_one_of_y() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    assert_eq!(
        (policy.logs().len(), policy.witnesses().count(), policy.groups().count()),
        (1, 6, 3)
    );
    for chosen in 0..64_u32 {
        let cosigned = |key: &VerifierKey| {
            (0..6).any(|bit| chosen & (1 << bit) != 0 && *key == witness(bit + 1))
        };
        let expected = (chosen & 7).count_ones() >= 2 && chosen >> 3 != 0;
        assert_eq!(policy.is_met(&cosigned), expected, "{chosen:06b}");
    }
}

#[test]
fn a_policy_is_written_as_it_is_read() {
    let policy = Policy::parse(example().as_bytes()).unwrap();
    let written = policy.to_bytes();
    assert_eq!(Policy::parse(&written).unwrap(), policy);
    assert_eq!(Policy::parse(&written).unwrap().to_bytes(), written);
    let loose = example()
        .replace("quorum ", " \t quorum\t\t ")
        .replace("log ", "# a comment\n\t#\n \nlog ");
    assert_eq!(Policy::parse(loose.as_bytes()).unwrap(), policy);
    let none = Policy::parse(b"quorum none\n").unwrap();
    assert!(none.is_met(&|_| false) && none.logs().is_empty());
    let one = format!("witness A {} https://w.example/\nquorum A\n", witness(1));
    let one = Policy::parse(one.as_bytes()).unwrap();
    assert!(one.is_met(&|key| *key == witness(1)) && !one.is_met(&|key| *key == witness(2)));
    assert_eq!(
        one.witnesses().next().unwrap().url.as_ref().unwrap().as_bytes(),
        b"https://w.example/"
    );
}

#[test]
fn names_are_octets() {
    // K and the Kelvin sign are two names, and a name need not be UTF-8.
    for (first, second) in
        [(&b"K"[..], "\u{212a}".as_bytes()), (b"\xff", b"\xfe"), (b"all", b"any")]
    {
        let mut text = Vec::new();
        for (word, seed) in [(first, 1), (second, 2)] {
            text.extend_from_slice(b"witness ");
            text.extend_from_slice(word);
            text.extend_from_slice(format!(" {}\n", witness(seed)).as_bytes());
        }
        text.extend_from_slice(b"quorum ");
        text.extend_from_slice(second);
        text.push(b'\n');
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.to_bytes(), text);
        assert!(
            policy.is_met(&|key| *key == witness(2)) && !policy.is_met(&|key| *key == witness(1))
        );
    }
}

#[test]
fn every_rule_of_the_specification_is_asked() {
    let with = |from: &str, to: &str| {
        let text = example().replace(from, to);
        assert_ne!(text, example(), "{from}");
        fault(&text)
    };
    let again = format!("log {}\n\n", log(100));
    let renamed = VerifierKey::note(name("other.example"), key(100).public());
    assert!(matches!(with(&again, &format!("{again}{again}")), PolicyFault::KeyTwice { .. }));
    assert!(matches!(
        with(&again, &format!("{again}log {renamed}\n")),
        PolicyFault::KeyTwice { .. }
    ));
    assert!(matches!(with("log ", "witness L "), PolicyFault::WitnessKey { .. }));
    assert!(matches!(with(&again, &format!("log {}\n", witness(9))), PolicyFault::LogKey { .. }));
    let twice = format!("witness Z {}\ngroup X-w", witness(1));
    assert!(matches!(with("group X-w", &twice), PolicyFault::KeyTwice { .. }));
    assert!(matches!(with("witness X2", "witness X1"), PolicyFault::NameTwice { .. }));
    assert!(matches!(with("witness X1", "witness none"), PolicyFault::NameTwice { .. }));
    assert!(matches!(with("group X-and-Y", "group Y1"), PolicyFault::NameTwice { .. }));
    assert!(matches!(with("2 X1 X2 X3", "2 X1 X2 X4"), PolicyFault::Undefined { .. }));
    assert!(matches!(with("2 X1 X2 X3", "2 X1 X2 X-and-Y"), PolicyFault::Undefined { .. }));
    assert!(matches!(with("2 X1 X2 X3", "2 X1 X2 none"), PolicyFault::Undefined { .. }));
    assert!(matches!(with("2 X1 X2 X3", "2 X1 X2 X2"), PolicyFault::MemberTwice { .. }));
    assert!(matches!(with("any Y1", "any X1"), PolicyFault::MemberTwice { .. }));
    assert!(matches!(with("2 X1", "0 X1"), PolicyFault::Threshold { .. }));
    assert!(matches!(with("2 X1", "4 X1"), PolicyFault::Threshold { .. }));
    for number in ["02", "+2", "-2", "two", "99999999999999999999", ""] {
        assert!(matches!(with("2 X1 X2 X3", number), PolicyFault::Line { .. }), "{number}");
    }
    assert!(matches!(with("quorum X-and-Y\n", ""), PolicyFault::NoQuorum));
    assert!(matches!(
        with("quorum X-and-Y\n", "quorum none\nquorum none\n"),
        PolicyFault::QuorumTwice
    ));
    assert!(matches!(with("quorum X-and-Y", "quorum Z"), PolicyFault::Undefined { .. }));
    assert!(matches!(with("quorum X-and-Y", "quorum X1 Y1"), PolicyFault::Line { .. }));
    assert!(matches!(with("quorum X-and-Y", "Quorum X-and-Y"), PolicyFault::Line { .. }));
    assert!(matches!(with("quorum ", "quorum\u{b}"), PolicyFault::Control { octet: 0x0b }));
    assert!(matches!(with("X-and-Y\n", "X-and-Y\r\n"), PolicyFault::Control { octet: b'\r' }));
    assert!(matches!(with("log log", "log nokey"), PolicyFault::Key(_)));
    assert!(matches!(
        with("\n\nwitness X1", " https://a https://b\n\nwitness X1"),
        PolicyFault::Line { .. }
    ));
    assert!(matches!(fault(""), PolicyFault::NoQuorum));
    assert!(matches!(fault("quorum none"), PolicyFault::Unfinished));
    let error = Policy::parse(example().replace("any Y1", "any Y9").as_bytes()).unwrap_err();
    assert_eq!((error.line, error.fault), (11, PolicyFault::Undefined { name: "Y9".into() }));
}

#[test]
fn as_many_items_as_promised_are_taken_and_no_more() {
    let word = |text: String| Word::new(text.as_bytes()).unwrap();
    let mut draft = PolicyDraft::default();
    let mut last = Ok(());
    for number in 0..=POLICY_ITEMS_MAX {
        let seed: [u8; 32] =
            std::array::from_fn(|place| if place < 2 { number.to_le_bytes()[place] } else { 7 });
        let public = SigningKey::from_seed(&seed).unwrap().public();
        let key = VerifierKey::cosignature(name("w.example"), public);
        last = draft.witness(Witness { name: word(format!("w{number}")), key, url: None });
        if number < POLICY_ITEMS_MAX {
            assert_eq!(last, Ok(()));
            let group = Group {
                name: word(format!("g{number}")),
                threshold: 1,
                members: vec![word(format!("w{number}"))],
            };
            assert_eq!(draft.group(group), Ok(()));
        }
    }
    assert_eq!(last, Err(PolicyFault::TooMany { what: "witnesses" }));
    draft.quorum(word("g7".into())).unwrap();
    let policy = draft.finish().unwrap();
    assert_eq!(Policy::parse(&policy.to_bytes()).unwrap(), policy);
    assert!(matches!(fault(&"\n".repeat(POLICY_BYTES_MAX + 1)), PolicyFault::Bytes { .. }));
}

#[test]
fn some_of_several_witnesses_may_have_one_name() {
    let keys =
        [1, 2, 3].map(|seed| VerifierKey::cosignature(name("w.example"), key(seed).public()));
    let policy = Policy::some_of(Vec::new(), &keys, 2).unwrap();
    assert_eq!(Policy::parse(&policy.to_bytes()).unwrap(), policy);
    assert!(policy.is_met(&|key| *key != keys[1]) && !policy.is_met(&|key| *key == keys[1]));
    assert!(Policy::some_of(Vec::new(), &keys, 4).is_err());
    assert!(Policy::some_of(Vec::new(), &[], 0).unwrap().is_met(&|_| false));
}

#[test]
fn a_checkpoint_is_judged_by_its_log_and_its_witnesses() {
    let checkpoint = Checkpoint::new(name("log.example/one"), 1, Hash::leaf(b"a")).unwrap();
    let text = checkpoint.body();
    let signed = |seeds: &[u8], log: u8, false_line: bool| {
        let note = sign_note(&text, name("log.example/one"), &key(log)).unwrap();
        let mut signed = SignedCheckpoint::from_note(note).unwrap();
        for seed in seeds {
            let sign = |message: &[u8]| key(if false_line { 99 } else { *seed }).sign(message);
            signed.add(cosignature::cosign(&text, 1000, &witness(*seed), &sign).unwrap()).unwrap();
        }
        signed
    };
    let policy = Policy::parse(example().as_bytes()).unwrap();
    let cosigned = policy.verify(&signed(&[1, 3, 6, 50], 100, false)).unwrap();
    assert_eq!(cosigned.iter().map(|one| one.time).collect::<Vec<_>>(), [1000; 3]);
    let refused = |checkpoint| policy.verify(&checkpoint).unwrap_err();
    assert!(matches!(refused(signed(&[1, 2, 3], 100, false)), Unsatisfied::Quorum { .. }));
    assert!(matches!(refused(signed(&[1, 2, 4], 100, true)), Unsatisfied::Checkpoint(_)));
    assert!(matches!(refused(signed(&[1, 2, 4], 101, false)), Unsatisfied::Checkpoint(_)));
    // Either of two keys of one log will do.
    let both =
        Policy::some_of([101, 100].map(|seed| Log { key: log(seed), url: None }).to_vec(), &[], 0);
    assert_eq!(both.unwrap().verify(&signed(&[], 100, false)), Ok(Vec::new()));
    let other = Policy::parse(b"quorum none\n").unwrap();
    assert!(matches!(other.verify(&signed(&[], 100, false)), Err(Unsatisfied::UnknownLog { .. })));
}

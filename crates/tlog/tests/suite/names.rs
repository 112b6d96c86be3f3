//! The grammar of names (design 3), and verifier keys.

use tlog::ed25519::SigningKey;
use tlog::key::{InvalidVerifierKey, KeyKind, VerifierKey};
use tlog::name::{FeedName, KeyName, NodeName, Origin};

#[test]
fn node_names_follow_the_grammar() {
    let long = |bytes: usize| format!("{}.{}.py", "a".repeat(60), "b".repeat(bytes - 64));
    for name in
        ["simore.gov.py", "a.b", "1.a", "a--b.c-d", "xn--caf-dma.example", "a.b1", &long(100)]
    {
        assert_eq!(NodeName::parse(name).unwrap().as_str(), name);
    }
    let label = "a".repeat(64);
    let bad = [
        "",
        ".",
        "py",
        "simore.gov.py.",
        ".py",
        "a..b",
        "-a.py",
        "a-.py",
        "a.-b",
        "A.py",
        "a_b.py",
        "a.1",
        "a.1b",
        "192.168.0.1",
        "a b.py",
        "a.py/",
        "caf\u{e9}.example",
        "a.\u{440}\u{444}",
        "a.py\n",
        &format!("{label}.py"),
        &long(101),
    ];
    for name in bad {
        assert!(NodeName::parse(name).is_err(), "{name}");
    }
}

#[test]
fn feed_names_follow_the_grammar() {
    let restricted = "r-abcdefghijklmnopqrstuvwxy7";
    for name in ["public", "public-2", "public-10", "public-18446744073709551615", restricted] {
        assert_eq!(FeedName::parse(name).unwrap().as_str(), name);
    }
    assert!(FeedName::parse(restricted).unwrap().is_restricted());
    assert!(!FeedName::public().is_restricted());
    let bad = [
        "",
        "Public",
        "public-",
        "public-0",
        "public-1",
        "public-02",
        "public-2a",
        "public2",
        "witness",
        "receipt",
        "r-",
        "r-abcdefghijklmnopqrstuvwxy",
        "r-abcdefghijklmnopqrstuvwxy77",
        "r-abcdefghijklmnopqrstuvwxy1",
        "r-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "public-18446744073709551616",
    ];
    for name in bad {
        assert!(FeedName::parse(name).is_err(), "{name}");
    }
}

#[test]
fn an_origin_is_a_node_and_a_feed() {
    let origin = Origin::parse("simore.gov.py/public").unwrap();
    assert_eq!((origin.node().as_str(), origin.feed().as_str()), ("simore.gov.py", "public"));
    assert_eq!(Origin::new(origin.node().clone(), FeedName::public()), origin);
    assert_eq!(serde_json::to_string(&origin).unwrap(), "\"simore.gov.py/public\"");
    assert_eq!(serde_json::from_str::<Origin>("\"simore.gov.py/public\"").unwrap(), origin);
    assert!(serde_json::from_str::<Origin>("\"simore.gov.py/witness\"").is_err());
    let bad = [
        "",
        "/",
        "simore.gov.py",
        "simore.gov.py/",
        "/public",
        "simore.gov.py/public/",
        "a.b//public",
    ];
    for text in bad.into_iter().chain(["https://simore.gov.py/public", "simore.gov.py/public "]) {
        assert!(Origin::parse(text).is_err(), "{text}");
    }
    assert!(Origin::parse(&"a".repeat(100_000)).is_err());
}

#[test]
fn key_names_keep_to_the_signed_note_format() {
    let node = NodeName::parse("simore.gov.py").unwrap();
    assert_eq!(KeyName::witness_of(&node).as_str(), "simore.gov.py/witness");
    assert_eq!(KeyName::receipt_of(&node).as_str(), "simore.gov.py/receipt");
    let origin = Origin::new(node, FeedName::public());
    assert_eq!(KeyName::from(&origin).as_str(), origin.as_str());
    for name in ["x", "sum.golang.org", "\u{e9}cole.example/log", &"n".repeat(255)] {
        assert!(KeyName::parse(name).is_ok(), "{name}");
    }
    let bad = [
        "",
        "a b",
        "a+b",
        "a\tb",
        "a\nb",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\u{7f}",
        "a\u{85}b",
        "cosignature/v1",
    ];
    for name in bad.into_iter().chain([&*"n".repeat(256)]) {
        assert!(KeyName::parse(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_verifier_key_that_was_copied_wrongly_is_refused() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key = VerifierKey::parse(vkey).unwrap();
    assert_eq!((key.to_string().as_str(), key.id, key.kind), (vkey, 0x530d_903a, KeyKind::Ed25519));
    assert_eq!(VerifierKey::note(key.name.clone(), key.key), key);
    let altered = [
        vkey.replace("foo", "bar"),
        vkey.replace("530d903a", "530d903b"),
        vkey.replace("530d903a", "530D903A"),
        vkey.replace("530d903a", "0530d903a"),
        vkey.replace("+Ae", "+Be"),
        vkey.replace("+Ae", "+Ag"),
        vkey.replace("U2k", "U2l"),
        vkey.replace("U2k", "U2k="),
        vkey.replace("example.com/foo", ""),
        vkey.replacen('+', " ", 1),
        format!("{vkey}\n"),
        "example.com/foo".to_owned(),
        String::new(),
    ];
    for text in altered {
        assert!(VerifierKey::parse(&text).is_err(), "{text}");
    }
    let ecdsa = vkey.replace("+Ae", "+Au");
    assert_eq!(VerifierKey::parse(&ecdsa), Err(InvalidVerifierKey::Kind { kind: 2 }));
}

#[test]
fn one_key_under_two_kinds_has_two_ids() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap().public();
    let name = KeyName::parse("a.example/witness").unwrap();
    let (note, cosigner) =
        (VerifierKey::note(name.clone(), key), VerifierKey::cosignature(name, key));
    assert_ne!(note.id, cosigner.id);
    for vkey in [note, cosigner] {
        assert_eq!(VerifierKey::parse(&vkey.to_string()), Ok(vkey));
    }
}

//! Which signatures the project accepts, pinned by the edge cases of C2SP/CCTV.

use serde_json::Value;
use tlog::ed25519::{Batch, InvalidKey, PublicKey, Signature, SigningKey};

/// A key with one of these is refused before any signature is looked at.
const KEY_REFUSED: [&str; 3] = ["low_order_A", "low_order_component_A", "non_canonical_A"];

/// The strict rule refuses a signature with one of these. An R with a small-order component under a good
/// key leaves a residue, which the equation without cofactor does not forgive; `reencoded_k` is a hash
/// over other bytes than those signed.
const STRICT_REFUSED: [&str; 4] =
    ["low_order_R", "non_canonical_R", "low_order_residue", "reencoded_k"];

/// ZIP-215 refuses only this.
const ZIP215_REFUSED: [&str; 1] = ["reencoded_k"];

struct Case {
    number: u64,
    key: [u8; 32],
    signature: Signature,
    message: String,
    flags: Vec<String>,
}

impl Case {
    fn has(&self, flags: &[&str]) -> bool {
        self.flags.iter().any(|flag| flags.contains(&flag.as_str()))
    }
}

fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("../vectors/ed25519/cctv.json")).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let cases: Vec<Case> = file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| Case {
            number: case["number"].as_u64().unwrap(),
            key: bytes(&case["key"]).try_into().unwrap(),
            signature: Signature::from_slice(&bytes(&case["sig"])).unwrap(),
            message: case["msg"].as_str().unwrap().to_owned(),
            flags: case["flags"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|flag| flag.as_str().unwrap().to_owned())
                .collect(),
        })
        .collect();
    assert_eq!(cases.len(), 189);
    cases
}

fn signer(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32]).unwrap()
}

#[test]
fn keys_of_small_order_mixed_order_or_another_encoding_are_refused() {
    let mut accepted = 0;
    for case in cases() {
        let key = PublicKey::from_bytes(&case.key);
        assert_eq!(key.is_ok(), !case.has(&KEY_REFUSED), "case {}: {:?}", case.number, case.flags);
        assert_eq!(
            key == Err(InvalidKey::NotCanonical),
            case.has(&["non_canonical_A"]),
            "case {}",
            case.number
        );
        accepted += usize::from(key.is_ok());
    }
    assert_eq!(accepted, 20);
}

#[test]
fn the_strict_rule_and_zip_215_accept_what_their_flags_say() {
    let (mut strict_accepted, mut zip215_accepted) = (0, 0);
    for case in cases() {
        let Ok(key) = PublicKey::from_bytes(&case.key) else { continue };
        let strict = key.verify_strict(case.message.as_bytes(), &case.signature).is_ok();
        assert_eq!(strict, !case.has(&STRICT_REFUSED), "case {}: {:?}", case.number, case.flags);
        let zip215 = key.verify_zip215(case.message.as_bytes(), &case.signature).is_ok();
        assert_eq!(zip215, !case.has(&ZIP215_REFUSED), "case {}: {:?}", case.number, case.flags);
        assert!(zip215 || !strict);
        strict_accepted += usize::from(strict);
        zip215_accepted += usize::from(zip215);
    }
    assert_eq!((strict_accepted, zip215_accepted), (1, 14));
}

#[test]
fn a_batch_agrees_with_single_verification_in_every_case() {
    let good = signer(1);
    let mut together = Batch::new();
    let mut bad = Vec::new();
    for case in cases() {
        let Ok(key) = PublicKey::from_bytes(&case.key) else { continue };
        let message = case.message.as_bytes();
        let single = key.verify_zip215(message, &case.signature).is_ok();
        if !single {
            bad.push(together.len());
        }
        together.queue(key, message, case.signature);
        // Beside a good one and twice, so that terms of equal keys are folded.
        let mut batch = Batch::new();
        batch.queue(good.public(), b"good", good.sign(b"good"));
        batch.queue(key, message, case.signature);
        batch.queue(key, message, case.signature);
        assert_eq!(
            batch.verify_all(),
            if single { Ok(()) } else { Err(vec![1, 2]) },
            "case {}",
            case.number
        );
    }
    assert!(!bad.is_empty());
    assert_eq!(together.verify_all(), Err(bad));
}

#[test]
fn a_batch_names_the_bad_signatures() {
    let signers = [signer(1), signer(2), signer(3)];
    let mut batch = Batch::new();
    assert!(batch.is_empty());
    for number in 0..64_u8 {
        let signer = &signers[usize::from(number % 3)];
        let signed = if [7, 40].contains(&number) { [0xff] } else { [number] };
        batch.queue(signer.public(), &[number], signer.sign(&signed));
    }
    assert_eq!(batch.len(), 64);
    assert_eq!(batch.verify_all(), Err(vec![7, 40]));
    assert_eq!(Batch::new().verify_all(), Ok(()));
}

#[test]
fn our_signatures_are_accepted_by_both_rules_and_altered_ones_by_none() {
    let signer = signer(9);
    let (key, message) = (signer.public(), b"a message");
    let signature = signer.sign(message);
    assert_eq!(signature, signer.sign(message));
    key.verify_strict(message, &signature).unwrap();
    key.verify_zip215(message, &signature).unwrap();
    for bit in 0..512 {
        let mut bytes = *signature.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let altered = Signature::from_bytes(&bytes);
        assert!(key.verify_strict(message, &altered).is_err(), "bit {bit}");
        assert!(key.verify_zip215(message, &altered).is_err(), "bit {bit}");
    }
    assert!(key.verify_strict(b"another", &signature).is_err());
    assert!(key.verify_zip215(b"another", &signature).is_err());
}

#[test]
fn a_signature_with_s_beyond_the_order_is_refused() {
    let order =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let signer = signer(9);
    let mut bytes = *signer.sign(b"m").as_bytes();
    let mut carry = 0_u16;
    for (byte, added) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    let malleated = Signature::from_bytes(&bytes);
    assert!(signer.public().verify_strict(b"m", &malleated).is_err());
    assert!(signer.public().verify_zip215(b"m", &malleated).is_err());
}

#[test]
fn signing_follows_rfc_8032() {
    // Section 7.1, test 2.
    let seed =
        hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
    let signer = SigningKey::from_seed(seed.as_slice().try_into().unwrap()).unwrap();
    assert_eq!(
        hex::encode(signer.public().as_bytes()),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    assert_eq!(
        hex::encode(signer.sign(&[0x72]).as_bytes()),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
}

#[test]
fn a_did_key_is_read_and_written_in_one_form() {
    // The example of the did:key specification for Ed25519.
    let did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    let key = PublicKey::from_did(did).unwrap();
    assert_eq!(key.to_did(), did);
    let multibase = did.strip_prefix("did:key:").unwrap();
    assert_eq!(key.verification_method(), format!("{did}#{multibase}"));
    assert_eq!(
        serde_json::from_str::<PublicKey>(&serde_json::to_string(&key).unwrap()).unwrap(),
        key
    );
    let no_dids = [
        String::new(),
        did.to_uppercase(),
        format!("{did}1"),
        format!("{did}#{multibase}"),
        did.replace("z6Mk", "z6Ls"),
        did.replace(":z", ":m"),
        did.replace('W', "0"),
        did.replacen("ooWp", "ooé", 1),
    ];
    for text in no_dids {
        assert!(PublicKey::from_did(&text).is_err(), "{text}");
    }
}

#[test]
fn a_signature_is_read_back_from_base58() {
    let signature = signer(4).sign(b"x");
    assert_eq!(Signature::from_base58(&signature.to_base58()), Ok(signature));
    let zeros = Signature::from_bytes(&[0; 64]);
    assert_eq!(Signature::from_base58(&zeros.to_base58()), Ok(zeros));
    for text in ["", "0", "z", &"1".repeat(65), &"z".repeat(88), &"1".repeat(100_000)] {
        assert!(Signature::from_base58(text).is_err());
    }
}

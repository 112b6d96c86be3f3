//! Signed requests between nodes: the request line, every header and the body, as they arrive.

use std::convert::Infallible;

use feed::ports::KeyUse;
use tests::chance::BEGINNING;
use tests::member::Member;
use wire::signature::{self, Fields, Terms};

use super::lines;
use super::trial::{Mutation, Says, Tolerated, examine};

const URI: &str = "https://a.example/feeds/b.example/public/since/7?a=1&b=2";
const BODY: &[u8] = br#"{"hello":"world"}"#;

/// A request as text: method and address, the headers, an empty line, the body.
fn request(member: &Member, method: &str, body: &[u8], nonce: u8) -> Vec<u8> {
    let key = member.secret().key(KeyUse::Http, 1).unwrap();
    let terms = Terms { key: key.public(), created: BEGINNING, nonce: [nonce; 16] };
    let sent = (!body.is_empty()).then_some(body);
    let sign = |message: &[u8]| Ok::<_, Infallible>(key.sign(message));
    let made = signature::sign(method, URI, sent, &terms, sign).unwrap();
    let mut text = format!("{method} {URI}\n");
    text.push_str(&format!("{}: {}\n", signature::SIGNATURE_INPUT, made.signature_input));
    text.push_str(&format!("{}: {}\n", signature::SIGNATURE, made.signature));
    if let Some(digest) = made.content_digest {
        text.push_str(&format!("{}: {digest}\n", signature::CONTENT_DIGEST));
    }
    text.push('\n');
    [text.as_bytes(), body].concat()
}

/// Whose request it is, if it is anybody's.
fn verify(member: &Member, bytes: &[u8]) -> Option<Says> {
    let end = bytes.windows(2).position(|two| two == b"\n\n")?;
    let (head, body) = (&bytes[..end], &bytes[end + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, uri) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let mut fields = Fields::default();
    for line in lines {
        let at = line.windows(2).position(|two| two == b": ")?;
        let (name, value) = (line[..at].to_ascii_lowercase(), &line[at + 2..]);
        match std::str::from_utf8(&name).ok()? {
            signature::SIGNATURE_INPUT => fields.signature_input.push(value),
            signature::SIGNATURE => fields.signature.push(value),
            signature::CONTENT_DIGEST => fields.content_digest.push(value),
            // Any other header is not signed, and says nothing of who asks.
            _ => {}
        }
    }
    if !fields.is_signed() {
        return None;
    }
    let presented = fields.read(!body.is_empty()).ok()?;
    presented.check_time(BEGINNING).ok()?;
    presented.check_signature(method, uri).ok()?;
    presented.check_body(body).ok()?;
    // Who it is: the key of the node record in force.
    let key = member.secret().key(KeyUse::Http, 1).unwrap().public();
    (*presented.key() == key).then(|| Says::that(format!("{method} {uri} {}", presented.nonce())))
}

/// The lines and single bytes of a neighbour's request in the place of ours.
fn exchanged(ours: &[u8], theirs: &[u8]) -> Vec<Mutation> {
    let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let whole = theirs;
    let (ours, theirs) = (split(ours), split(theirs));
    let mut all = Vec::new();
    for at in 0..ours.len().min(theirs.len()) {
        let mut one = ours.clone();
        one[at].clone_from(&theirs[at]);
        all.push(Mutation::new(format!("line {at}: the neighbour's"), one.concat()));
        let mut rest = theirs.clone();
        rest[at].clone_from(&ours[at]);
        // The neighbour's request itself stands.
        if rest.concat() != whole {
            all.push(Mutation::new(format!("all but line {at}: the neighbour's"), rest.concat()));
        }
        let mut both = ours.clone();
        both.insert(at, theirs[at].clone());
        all.push(Mutation::new(format!("line {at}: the neighbour's too"), both.concat()));
    }
    all
}

#[test]
fn a_signed_request_is_its_signers_and_no_other() {
    let [member, other] = ["caller.example", "other.example"].map(|name| Member::of(name).unwrap());
    let tolerated: [Tolerated<'_>; 3] = [
        ("flipped by 0x20", "names of headers are read in either case"),
        ("swapped with line", "headers are in any order"),
        ("line 3: the neighbour's too", "a digest beside a request without a body is not read"),
    ];
    let mut tried = 0;
    for (method, body) in [("GET", &b""[..]), ("POST", BODY), ("DELETE", b""), ("PUT", b"\n\n\n")] {
        let good = request(&member, method, body, 1);
        let mut all = lines::mutations(&good);
        for theirs in [
            request(&other, method, body, 1),
            request(&member, method, body, 2),
            request(&member, "POST", b"another", 1),
            request(&member, "GET", b"", 3),
        ] {
            all.extend(exchanged(&good, &theirs));
        }
        let tolerated = &tolerated[..if body.is_empty() { 3 } else { 2 }];
        let object = format!("request, {method} with {} bytes", body.len());
        tried += examine(&object, &good, |bytes| verify(&member, bytes), tolerated, all);
    }
    assert!(tried >= 7_000, "{tried}");
}

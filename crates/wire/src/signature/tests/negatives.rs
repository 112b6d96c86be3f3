//! Requests that must be refused, a function for each way to be wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog::ed25519::SigningKey;

use super::{BODY, NOW, Refusals, Trial, Written, key, params};
use crate::signature::digest;

pub(super) fn other_components(refusals: &mut Refusals, good: &Trial) {
    let right = Written::good(good);
    let count = right.covered.len();
    for at in 0..count {
        let mut less = right.clone();
        less.covered.remove(at);
        refusals.refuse("component missing", &less.onto(good));
        for place in 0..=count {
            let mut twice = right.clone();
            twice.covered.insert(place, twice.covered[at].clone());
            refusals.refuse("component doubled", &twice.onto(good));
        }
        for other in (0..count).filter(|other| *other != at) {
            let mut swapped = right.clone();
            swapped.covered.swap(at, other);
            refusals.refuse("component reordered", &swapped.onto(good));
        }
        for parameter in ["sf", "bs", "req", "tr", "key=\"sha-256\"", "name=\"a\"", "x=1"] {
            let mut odd = right.clone();
            odd.covered[at].0.push_str(&format!(";{parameter}"));
            refusals.refuse("component with a parameter", &odd.onto(good));
        }
        let mut token = right.clone();
        token.covered[at].0 = token.covered[at].0.trim_matches('"').to_owned();
        refusals.refuse("component of another type", &token.onto(good));
        let mut capital = right.clone();
        capital.covered[at].0 = capital.covered[at].0.to_uppercase();
        refusals.refuse("component in capitals", &capital.onto(good));
    }
    for (name, value) in [
        ("@authority", "a.example"),
        ("@path", "/feeds/b.example/public/since/7"),
        ("@query", "?a=1&b=2"),
        ("@scheme", "https"),
        ("@request-target", "/feeds/b.example/public/since/7?a=1&b=2"),
        ("@status", "200"),
        ("host", "a.example"),
        ("date", "Mon, 23 Nov 2026 12:00:00 GMT"),
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("content-length", "18"),
        ("x-forwarded-host", "a.example"),
        ("@signature-params", ""),
        ("signature", "x"),
    ] {
        for place in 0..=count {
            let mut more = right.clone();
            more.covered.insert(place, (format!("\"{name}\""), value.to_owned()));
            refusals.refuse("component too many", &more.onto(good));
        }
    }
    let none = Written { covered: Vec::new(), ..right };
    refusals.refuse("nothing covered", &none.onto(good));
}

pub(super) fn other_parameters(refusals: &mut Refusals, good: &Trial) {
    let right = Written::good(good);
    let parts: Vec<&str> = right.params.split(';').collect();
    for (at, part) in parts.iter().enumerate() {
        let (name, value) = part.split_once('=').unwrap();
        let with = |put: &[String]| {
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts.splice(at..=at, put.iter().cloned());
            right.with_params(parts.join(";")).onto(good)
        };
        refusals.refuse("parameter missing", &with(&[]));
        let twice = [format!("{name}={value}"), format!("{name}={value}")];
        refusals.refuse("parameter doubled", &with(&twice));
        refusals.refuse("parameter under another name", &with(&[format!("x{name}={value}")]));
        for wrong in
            ["1.5", "?1", "?0", "token", ":AAAA:", "@1795435200", "%\"x\"", "\"\"", "-1", "()"]
        {
            refusals.refuse("parameter of another type", &with(&[format!("{name}={wrong}")]));
        }
        refusals.refuse("parameter without a value", &with(&[name.to_owned()]));
    }
    for alg in [
        "ed25519",
        "rsa-pss-sha512",
        "ecdsa-p256-sha256",
        "hmac-sha256",
        "rsa-v1_5-sha256",
        "none",
        "",
    ] {
        refusals.refuse(
            "alg",
            &right.with_params(format!("{};alg=\"{alg}\"", right.params)).onto(good),
        );
        refusals.refuse(
            "alg",
            &right.with_params(format!("alg=\"{alg}\";{}", right.params)).onto(good),
        );
    }
    for tag in ["Jopoi", "jopoi ", "jopo", "jopoii", "other", "jopoi-2", "sig1"] {
        let params = right.params.replace("tag=\"jopoi\"", &format!("tag=\"{tag}\""));
        refusals.refuse("another tag", &right.with_params(params).onto(good));
    }
    let keyid = key().public().to_did();
    let stranger = SigningKey::from_seed(&[4; 32]).unwrap().public().to_did();
    for other in [
        stranger.as_str(),
        "did:key:z6Mk",
        "did:web:a.example",
        "test-key-ed25519",
        &keyid[8..],
        &format!("{keyid}#{}", &keyid[8..]),
        &format!(" {keyid}"),
        &keyid.to_uppercase(),
        &keyid.replace("did:key:z", "did:key:u"),
    ] {
        let params = right.params.replace(&keyid, other);
        refusals.refuse("another key", &right.with_params(params).onto(good));
    }
    for nonce in ["", " ", "a b", &"x".repeat(65)] {
        let params = right.params.replace("n-1", nonce);
        refusals.refuse("no nonce", &right.with_params(params).onto(good));
    }
}

pub(super) fn other_times(refusals: &mut Refusals, good: &Trial) {
    let right = Written::good(good);
    let (near, far) = (NOW - 301, NOW + 301);
    for (created, expires) in [
        (near, NOW - 1),
        (NOW - 600, NOW - 300),
        (0, 300),
        (NOW - 86_400, NOW - 86_399),
        (NOW - 2, NOW - 1),
        (far, far + 1),
        (far, far + 300),
        (NOW + 86_400, NOW + 86_700),
        (NOW, NOW + 301),
        (NOW, NOW + 3_600),
        (near, NOW),
        (0, NOW),
        (NOW - 300, NOW + 300),
        (NOW, NOW),
        (NOW, NOW - 1),
        (NOW + 1, NOW),
        (NOW, 999_999_999_999_999),
        (0, 999_999_999_999_999),
        (999_999_999_999_998, 999_999_999_999_999),
    ] {
        refusals.refuse("another time", &right.with_params(params(created, expires)).onto(good));
    }
}

pub(super) fn other_requests(refusals: &mut Refusals, good: &Trial) {
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get", "post", "Get", "", "GET "] {
        refusals.refuse("another method", &Trial { method: method.to_owned(), ..good.clone() });
    }
    for uri in [
        "https://b.example/feeds/b.example/public/since/7?a=1&b=2",
        "http://a.example/feeds/b.example/public/since/7?a=1&b=2",
        "https://a.example:8443/feeds/b.example/public/since/7?a=1&b=2",
        "https://a.example.evil.example/feeds/b.example/public/since/7?a=1&b=2",
        "https://user@a.example/feeds/b.example/public/since/7?a=1&b=2",
        "https://a.example/feeds/b.example/public/since/7",
        "https://a.example/feeds/b.example/public/since/7?",
        "https://a.example/feeds/b.example/public/since/7?a=1",
        "https://a.example/feeds/b.example/public/since/7?b=2&a=1",
        "https://a.example/feeds/b.example/public/since/7?a=1&b=2&c=3",
        "https://a.example/feeds/b.example/public/since/7?a=1&b=2#x",
        "https://a.example/feeds/b.example/public/since/8?a=1&b=2",
        "https://a.example/feeds/b.example/public/since/7/?a=1&b=2",
        "https://a.example//feeds/b.example/public/since/7?a=1&b=2",
        "https://a.example/feeds/b.example/./public/since/7?a=1&b=2",
        "https://a.example/feeds/b%2Eexample/public/since/7?a=1&b=2",
        "https://a.example/feeds/B.example/public/since/7?a=1&b=2",
        "/feeds/b.example/public/since/7?a=1&b=2",
        "",
    ] {
        refusals.refuse("another address", &Trial { uri: uri.to_owned(), ..good.clone() });
    }
}

pub(super) fn other_spellings(refusals: &mut Refusals, good: &Trial) {
    let input = String::from_utf8(good.input[0].clone()).unwrap();
    let signature = String::from_utf8(good.signature[0].clone()).unwrap();
    let pairs = [
        (" \"@target-uri\"", "  \"@target-uri\""),
        ("(", "( "),
        (";created", "; created"),
        (";created", " ;created"),
        ("created=", "created=0"),
        ("jopoi=(", "jopoi= ("),
        ("jopoi=(", "jopoi =("),
        ("jopoi=(", "Jopoi=("),
        ("\"@method\"", "\"\\@method\""),
        (";tag", ";;tag"),
        ("tag=\"jopoi\"", "tag=\"jop\\oi\""),
        ("\"@method\" ", "\"@method\"\t"),
        ("\"@method\" ", "\"@method\","),
        (";nonce", ";Nonce"),
    ];
    for (from, to) in pairs {
        let changed = vec![input.replacen(from, to, 1).into_bytes()];
        assert_ne!(changed, good.input, "{from}");
        refusals.refuse("another spelling", &Trial { input: changed, ..good.clone() });
    }
    let text = signature.trim_start_matches("jopoi=:").trim_end_matches(':').to_owned();
    for other in [
        format!("jopoi=:{}:", text.trim_end_matches('=')),
        format!("jopoi=:{text}=:"),
        format!("jopoi=:{text} :"),
        format!("jopoi=: {text}:"),
        format!("jopoi=\"{text}\""),
        format!("jopoi={text}"),
        format!("jopoi=:{text}"),
        format!("jopoi=:{text}:;a"),
        format!("jopoi=(:{text}:)"),
        format!("jopoi=:{}:", text.replace('+', "-").replace('/', "_").replace('=', "")),
        format!("jopoi=:{text}:,"),
        format!(":{text}:"),
        text,
        String::new(),
    ] {
        refusals.refuse(
            "another spelling",
            &Trial { signature: vec![other.into_bytes()], ..good.clone() },
        );
    }
    for tail in [" ", "\t", ",", ", ", ";", "\0", "\u{e9}", " jopoi"] {
        for (in_input, in_signature) in [(true, false), (false, true)] {
            let mut changed = good.clone();
            if in_input {
                changed.input[0].extend(tail.bytes());
            }
            if in_signature {
                changed.signature[0].extend(tail.bytes());
            }
            // White space at the end is no part of a header; whoever leaves it there is refused.
            refusals.refuse("something after it", &changed);
        }
    }
}

pub(super) fn other_labels(refusals: &mut Refusals, good: &Trial) {
    let right = Written::good(good);
    for label in ["sig1", "jopoi2", "*", "a", "jopoi-", "j"] {
        let other = Written { label: label.to_owned(), ..right.clone() }.onto(good);
        refusals.refuse("another label", &other);
        for first in [true, false] {
            let both = |one: &[Vec<u8>], two: &[Vec<u8>]| {
                let (one, two) = if first { (&one[0], &two[0]) } else { (&two[0], &one[0]) };
                vec![[one.as_slice(), b", ", two.as_slice()].concat()]
            };
            let (input, signature) =
                (both(&good.input, &other.input), both(&good.signature, &other.signature));
            refusals.refuse("label too many", &Trial { input: input.clone(), ..good.clone() });
            refusals
                .refuse("label too many", &Trial { signature: signature.clone(), ..good.clone() });
            refusals.refuse("label too many", &Trial { input, signature, ..good.clone() });
        }
        let twice = |one: &[Vec<u8>], two: &[Vec<u8>]| vec![one[0].clone(), two[0].clone()];
        let input = twice(&good.input, &other.input);
        refusals.refuse("header twice", &Trial { input, ..good.clone() });
        let signature = twice(&good.signature, &other.signature);
        refusals.refuse("header twice", &Trial { signature, ..good.clone() });
    }
    let again =
        |values: &[Vec<u8>]| vec![[values[0].as_slice(), b", ", values[0].as_slice()].concat()];
    refusals.refuse("label twice", &Trial { input: again(&good.input), ..good.clone() });
    refusals.refuse("label twice", &Trial { signature: again(&good.signature), ..good.clone() });
    let (input, signature) =
        ([&good.input[..], &good.input].concat(), [&good.signature[..], &good.signature].concat());
    refusals.refuse("header twice", &Trial { input, ..good.clone() });
    refusals.refuse("header twice", &Trial { signature, ..good.clone() });
    refusals.refuse("header missing", &Trial { input: Vec::new(), ..good.clone() });
    refusals.refuse("header missing", &Trial { signature: Vec::new(), ..good.clone() });
}

pub(super) fn other_signatures(refusals: &mut Refusals, good: &Trial) {
    let with = |bytes: &[u8]| Trial {
        signature: vec![format!("jopoi=:{}:", STANDARD.encode(bytes)).into_bytes()],
        ..good.clone()
    };
    let stranger = SigningKey::from_seed(&[4; 32]).unwrap();
    for length in [0, 1, 32, 63, 65, 96, 128] {
        refusals.refuse("signature of another length", &with(&vec![1; length]));
    }
    for bytes in [[0; 64], [255; 64], *stranger.sign(b"x").as_bytes(), *key().sign(b"x").as_bytes()]
    {
        refusals.refuse("another signature", &with(&bytes));
    }
    let method = if good.method == "GET" { Trial::post() } else { Trial::get() };
    refusals.refuse(
        "signature of another request",
        &Trial { signature: method.signature, ..good.clone() },
    );
}

pub(super) fn other_bodies(refusals: &mut Refusals, good: &Trial) {
    for at in 0..BODY.len() {
        let mut body = BODY.to_vec();
        body[at] ^= 1;
        refusals.refuse("another body", &Trial { body, ..good.clone() });
        refusals.refuse("body cut short", &Trial { body: BODY[..at].to_vec(), ..good.clone() });
    }
    refusals.refuse("body added", &Trial { body: BODY.to_vec(), ..Trial::get() });
    refusals.refuse("body longer", &Trial { body: [BODY, b" "].concat(), ..good.clone() });
    let hash = digest(BODY);
    let sha256 = hash.trim_start_matches("sha-256=");
    let long = STANDARD.encode([7; 64]);
    for other in [
        format!("sha-512=:{long}:"),
        format!("sha-512={sha256}"),
        format!("sha={sha256}"),
        format!("md5={sha256}"),
        format!("SHA-256={sha256}"),
        format!("sha-256={sha256}, sha-512=:{long}:"),
        format!("sha-512=:{long}:, sha-256={sha256}"),
        format!("sha-256={sha256};x"),
        format!("sha-256=({sha256})"),
        format!("sha-256=\"{}\"", sha256.trim_matches(':')),
        format!("sha-256=:{}:", STANDARD.encode([7; 32])),
        format!("sha-256=:{}:", STANDARD.encode([7; 31])),
        format!("id-sha-256={sha256}"),
        format!("unixsum={sha256}"),
        format!("{hash}, {hash}"),
        String::new(),
        "sha-256".to_owned(),
    ] {
        let mut written = Written::good(good);
        written.covered[2].1.clone_from(&other);
        let trial = Trial { digest: vec![other.into_bytes()], ..good.clone() };
        refusals.refuse("another digest", &written.onto(&trial));
    }
    refusals.refuse("digest missing", &Trial { digest: Vec::new(), ..good.clone() });
    let twice = vec![good.digest[0].clone(); 2];
    refusals.refuse("digest twice", &Trial { digest: twice, ..good.clone() });
}

pub(super) fn mutated_bytes(refusals: &mut Refusals, good: &Trial) {
    for header in 0..3 {
        let length = match header {
            0 => good.input[0].len(),
            1 => good.signature[0].len(),
            _ => good.digest.first().map_or(0, Vec::len),
        };
        for at in 0..length {
            for flip in [1, 2, 32, 128] {
                let mut changed = good.clone();
                let values = match header {
                    0 => &mut changed.input,
                    1 => &mut changed.signature,
                    _ => &mut changed.digest,
                };
                values[0][at] ^= flip;
                refusals.refuse("one byte changed", &changed);
            }
        }
    }
}

//! What is answered to whoever hands over a receipt, and to a log that asks for a cosignature.

use axum::body::Body;
use feed::cosignatures::{Cosignatures, Cosigned};
use feed::ports::KeyUse;
use feed::secret::OnlineSecret;
use http::Method;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::sign_note;
use web::routes::public;
use wire::paths;

use crate::stand::{Answered, Stand, ask, practice};

const NOW: u64 = 1_795_435_200;

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(Hash::of(name).as_bytes()).unwrap()
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

/// A note with a line of the log and one of the witness `by`.
fn cosigned(log: &SigningKey, text: &Checkpoint, by: &str, time: u64) -> Vec<u8> {
    let (key, vkey) = (key(by), VerifierKey::cosignature(name(by), key(by).public()));
    let note = sign_note(&text.body(), text.origin.clone(), log).unwrap();
    let line = cosignature::cosign(&text.body(), time, &vkey, &|message| key.sign(message));
    let line = line.unwrap();
    Cosigned::new(text.clone(), note.signatures[0].clone(), line).unwrap().to_bytes()
}

async fn post(stand: &Stand, path: &str, body: impl Into<Body>) -> Answered {
    ask(public(stand.app.clone()), Method::POST, path, &[], body.into()).await
}

#[tokio::test]
async fn a_cosignature_is_taken_or_refused_for_a_reason_that_can_be_read() {
    let stand = Stand::new().await;
    stand.publish(practice("One")).await;
    let witness = VerifierKey::cosignature(name("witness.test/w"), key("witness.test/w").public());
    stand.feeds.trust_outside(vec![witness], Vec::new());
    let log = OnlineSecret::from_bytes(*Hash::of("online").as_bytes()).key(KeyUse::Log, 1).unwrap();
    let (path, view) =
        (paths::cosignatures(&stand.origin), stand.feeds.view(&stand.origin).unwrap());
    let state = |size, root| Checkpoint::new(KeyName::from(&stand.origin), size, root).unwrap();
    let ours = state(view.size(), view.root());
    let of = |text: &Checkpoint, time| cosigned(&log, text, "witness.test/w", time);
    let elsewhere = "/feeds/nobody.test/public/cosignatures";
    let other = state(1, Hash::leaf(b"another"));
    let longer = state(9, Hash::leaf(b"longer"));
    let cases = [
        ("no note", path.as_str(), b"no note".to_vec(), 400, "bad-request"),
        ("too long", &path, vec![b'x'; 5_000], 413, "too-long"),
        ("a time ahead", &path, of(&ours, NOW + 301), 400, "bad-request"),
        ("nobody known", &path, cosigned(&log, &ours, "other.test/w", NOW), 403, "unknown-key"),
        (
            "not the log",
            &path,
            cosigned(&key("x"), &ours, "witness.test/w", NOW),
            403,
            "unknown-key",
        ),
        ("no such feed", elsewhere, of(&ours, NOW), 404, "not-found"),
        ("longer", &path, of(&longer, NOW), 409, "shorter"),
        ("good", &path, of(&ours, NOW), 204, ""),
        ("again", &path, of(&ours, NOW), 409, "conflict"),
        ("older", &path, of(&ours, NOW - 1), 409, "conflict"),
        ("newer", &path, of(&ours, NOW + 1), 204, ""),
        ("another history", &path, of(&other, NOW + 2), 422, "refused"),
    ];
    for (case, path, body, status, problem) in cases {
        let answer = post(&stand, path, body).await;
        assert_eq!(answer.status, status, "{case}: {}", String::from_utf8_lossy(&answer.bytes));
        if status == 204 {
            assert!(answer.bytes.is_empty(), "{case}");
        } else {
            assert_eq!(answer.json()["type"], format!("/problems/{problem}"), "{case}");
        }
    }
}

#[tokio::test]
async fn the_lines_known_are_served_in_one_form_from_the_first_moment() {
    let stand = Stand::new().await;
    let path = paths::cosignatures(&stand.origin);
    let none = stand.get(&path).await;
    assert_eq!((none.status.as_u16(), none.bytes.as_ref()), (200, &b"JPC1\0\0"[..]));
    assert_eq!(none.header("content-type"), "application/octet-stream");
    let witness = VerifierKey::cosignature(name("witness.test/w"), key("witness.test/w").public());
    stand.feeds.trust_outside(vec![witness], Vec::new());
    let log = OnlineSecret::from_bytes(*Hash::of("online").as_bytes()).key(KeyUse::Log, 1).unwrap();
    let view = stand.feeds.view(&stand.origin).unwrap();
    let text = Checkpoint::new(KeyName::from(&stand.origin), view.size(), view.root()).unwrap();
    let note = cosigned(&log, &text, "witness.test/w", NOW);
    assert_eq!(post(&stand, &path, note.clone()).await.status, 204);
    let lines = Cosignatures::decode(&stand.get(&path).await.bytes).unwrap();
    assert_eq!(lines.lines()[0].to_bytes(), note);
    assert_eq!(stand.get(&paths::checkpoint(&stand.origin)).await.bytes.as_ref(), note);
}

#[tokio::test]
async fn a_log_is_answered_as_the_specification_of_witnesses_says() {
    let stand = Stand::new().await;
    let log = key("log.test/x");
    let origin = name("log.test/x");
    stand.feeds.trust_outside(Vec::new(), vec![VerifierKey::note(origin.clone(), log.public())]);
    let leaves = [Hash::leaf(b"0"), Hash::leaf(b"1")];
    let roots = [leaves[0], Hash::node(&leaves[0], &leaves[1])];
    let note = |key: &SigningKey, origin: &KeyName, size: u64| {
        let root = roots[usize::try_from(size - 1).unwrap()];
        let text = Checkpoint::new(origin.clone(), size, root).unwrap().body();
        sign_note(&text, origin.clone(), key).unwrap().to_string()
    };
    let good = |size| note(&log, &origin, size);
    let proof = leaves[1].to_base64();
    let wrong = leaves[0].to_base64();
    let elsewhere = note(&log, &name("log.test/y"), 1);
    let cases = [
        ("no request", "hello".to_owned(), 400, ""),
        ("old above new", format!("old 2\n\n{}", good(1)), 400, ""),
        ("too long", "x".repeat(9_000), 413, ""),
        ("nobody's log", format!("old 0\n\n{elsewhere}"), 404, ""),
        ("nobody's key", format!("old 0\n\n{}", note(&key("x"), &origin, 1)), 403, ""),
        ("never seen", format!("old 1\n{proof}\n\n{}", good(2)), 409, "0\n"),
        ("the beginning", format!("old 0\n\n{}", good(1)), 200, ""),
        ("behind", format!("old 0\n\n{}", good(2)), 409, "1\n"),
        ("no proof", format!("old 1\n\n{}", good(2)), 422, ""),
        ("a false proof", format!("old 1\n{wrong}\n\n{}", good(2)), 422, ""),
        ("a step", format!("old 1\n{proof}\n\n{}", good(2)), 200, ""),
        ("the same", format!("old 2\n\n{}", good(2)), 200, ""),
    ];
    let mut line = String::new();
    for (case, body, status, size) in cases {
        let answer = post(&stand, paths::ADD_CHECKPOINT, body).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, status, "{case}: {text}");
        if status == 409 {
            assert_eq!((answer.header("content-type"), text.as_str()), ("text/x.tlog.size", size));
        }
        if status == 200 {
            assert!(text.starts_with("\u{2014} mechanism.test/witness ") && text.ends_with('\n'));
            line = text;
        }
    }
    let shown = stand.get(&paths::witness_checkpoint(&Hash::of("log.test/x"))).await;
    assert_eq!(shown.bytes, format!("{}{line}", good(2)));
    let none = stand.get(&paths::witness_checkpoint(&Hash::of("log.test/y"))).await;
    assert_eq!(none.status, 404);
}

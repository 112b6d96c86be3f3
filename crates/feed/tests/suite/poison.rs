//! What an owner may sign and nobody has to believe: each such entry is kept with its reason, has no
//! effect, and the feed goes on.

use bytes::Bytes;
use feed::advance::HeadChange;
use feed::append;
use feed::block::Item;
use feed::feeds::BodyRead;
use feed::ports::{KeyUse, Since};
use feed::row::{BodyState, Row, Validity};
use feed::secret::OnlineSecret;
use feed::statement::Statement;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::json;
use tlog::ed25519::{Signature, SigningKey};
use tlog::hash::Hash;

use crate::world::{Direct, Node};

const TIME: &str = "2026-11-23T10:00:00Z";

fn id(number: u8) -> RecordId {
    RecordId::from_random_bytes([number ^ 0x80; 16])
}

/// Statement and body of a practice as the node itself would make them, with what a test changes.
struct Made {
    id: RecordId,
    kind: &'static str,
    version: u64,
    key: SigningKey,
    feed: Option<tlog::name::Origin>,
    salt: u8,
}

impl Made {
    fn by(node: &Node, number: u8) -> Self {
        let key = OnlineSecret::from_bytes([1; 32]).key(KeyUse::Record, 1).unwrap();
        Self {
            id: id(number),
            kind: "good-practice",
            version: 1,
            key,
            feed: Some(node.origin()),
            salt: number,
        }
    }

    fn body(&self, node: &Node) -> Body {
        let unsigned = Unsigned {
            kind: Kind::parse(self.kind).unwrap(),
            id: self.id,
            feed: self.feed.clone(),
            version: self.version,
            issuer: Issuer { key: self.key.public(), node: node.name.clone(), state: None },
            valid_from: TIME.to_owned(),
            salt: [self.salt; 32],
            subject: json!({"title": {"en": "Made"}, "states": ["XA"], "language": "en"}),
        };
        let sign =
            |message: &[u8]| Ok::<Signature, std::convert::Infallible>(self.key.sign(message));
        Body::sign(unsigned, &sign).unwrap()
    }

    fn item(&self, node: &Node) -> Item {
        item_of(self.id, self.kind, self.version, self.body(node).bytes())
    }
}

fn item_of(id: RecordId, kind: &str, version: u64, body: &Bytes) -> Item {
    let kind = Kind::parse(kind).unwrap();
    let statement =
        Statement::Publish { id, kind, version, body: Hash::of(body), time: TIME.to_owned() };
    Item::new(statement.to_bytes().unwrap().into(), Some(body.clone())).unwrap()
}

fn withdrawal(id: RecordId, erase: &[u64]) -> Item {
    let reason = "not-stated".to_owned();
    let statement =
        Statement::Withdraw { id, reason, erase: erase.to_vec(), time: TIME.to_owned() };
    Item::new(statement.to_bytes().unwrap().into(), None).unwrap()
}

/// Lets the owner sign `items` after its entry 0, and a hub take them; the hub's rows from 1 on.
async fn rows_of(items: Vec<Item>) -> (Vec<Row>, Node, Node) {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    hub.sync(&node).await.unwrap();
    let view = node.feeds.view(&node.origin()).unwrap();
    let signer = OnlineSecret::from_bytes([1; 32]).signer(1).unwrap();
    let count = items.len() as u64;
    let staged =
        append::stage(&node.origin(), Some(view.mark), &view.tree, &view.keys, items, &signer)
            .unwrap();
    let HeadChange::Append(bytes) = staged.advance.change().clone() else { panic!("no append") };
    let answer = Bytes::from([b"JPT1".to_vec(), bytes.to_vec()].concat());
    let mut carrier = Direct::new(&node);
    carrier.since = Some(Box::new(move |_| Since::Commits(answer.clone())));
    let note = Bytes::from(staged.note);
    carrier.checkpoint = Some(Box::new(move |_| note.clone()));
    hub.sync_through(&carrier, &node.origin()).await.unwrap();
    let catalog = hub.feeds.catalog();
    let rows =
        (1..=count).map(|index| catalog.row(&node.origin(), index).unwrap().unwrap()).collect();
    (rows, node, hub)
}

fn validities(rows: &[Row]) -> Vec<Validity> {
    rows.iter().map(|row| row.validity).collect()
}

#[tokio::test]
async fn validity_follows_from_the_earlier_entries_alone() {
    let node = Node::new("node.example", 1).await;
    let first = Made::by(&node, 1);
    let second = Made { version: 5, salt: 2, ..Made::by(&node, 1) };
    let lower = Made { version: 4, salt: 3, ..Made::by(&node, 1) };
    let other_kind = Made { version: 6, salt: 4, kind: "lesson-learned", ..Made::by(&node, 1) };
    let revived = Made { version: 7, salt: 5, ..Made::by(&node, 1) };
    let again = item_of(id(9), "good-practice", 1, first.body(&node).bytes());
    let unread = Item::new(Bytes::from_static(b"not even JSON"), None).unwrap();
    let later = Item::new(Bytes::from_static(br#"{"op":"pledge","v":2}"#), None).unwrap();
    let items = vec![
        first.item(&node),
        second.item(&node),
        lower.item(&node),
        other_kind.item(&node),
        again,
        withdrawal(id(8), &[]),
        withdrawal(id(1), &[]),
        revived.item(&node),
        unread,
        later,
    ];
    let (rows, node, hub) = rows_of(items).await;
    use Validity::*;
    let expected = [
        Valid,
        Valid,
        VersionNotGreater,
        KindChanged,
        BodyNotNew,
        NothingToWithdraw,
        Valid,
        Valid,
        Malformed,
        Opaque,
    ];
    assert_eq!(validities(&rows), expected);
    assert_eq!(rows[4].body, BodyState::InvalidMismatch);
    let record = hub.feeds.record(&node.origin(), &id(1)).await.unwrap();
    assert_eq!(record.body.unwrap().version(), 7);
}

#[tokio::test]
async fn an_erasure_names_earlier_publishes_of_its_own_record_or_has_no_effect() {
    let node = Node::new("node.example", 1).await;
    let (one, two) = (Made::by(&node, 1), Made::by(&node, 2));
    let node_record = RecordId::from_random_bytes([1; 16]);
    let items = vec![
        one.item(&node),
        two.item(&node),
        withdrawal(id(1), &[2]),
        withdrawal(id(1), &[1, 9]),
        withdrawal(node_record, &[0]),
        withdrawal(id(1), &[1]),
    ];
    let (rows, node, hub) = rows_of(items).await;
    use Validity::*;
    assert_eq!(
        validities(&rows),
        [Valid, Valid, EraseNotAllowed, EraseNotAllowed, EraseNotAllowed, Valid]
    );
    for (index, erased) in [(0, false), (1, true), (2, false)] {
        let body = hub.feeds.entry(&node.origin(), index).await.unwrap().body;
        assert_eq!(matches!(body, BodyRead::Erased { withdrawal: 6 }), erased, "{index}: {body:?}");
    }
}

#[tokio::test]
async fn an_erasure_destroys_the_same_body_wherever_it_stands_but_never_a_record_of_trust() {
    let node = Node::new("node.example", 1).await;
    let body = Made::by(&node, 1).body(&node);
    let planted = node.node_record(1);
    let items = vec![
        item_of(id(1), "good-practice", 1, body.bytes()),
        item_of(id(2), "good-practice", 1, body.bytes()),
        item_of(id(3), "good-practice", 1, &planted),
        withdrawal(id(2), &[2]),
        withdrawal(id(3), &[3]),
        item_of(id(4), "good-practice", 1, body.bytes()),
    ];
    let (_, node, hub) = rows_of(items).await;
    for index in [1, 2, 3, 6] {
        let body = hub.feeds.entry(&node.origin(), index).await.unwrap().body;
        assert!(matches!(body, BodyRead::Erased { .. }), "{index}: {body:?}");
    }
    assert_eq!(
        hub.feeds.entry(&node.origin(), 0).await.unwrap().body,
        BodyRead::Held(node.node_record(1))
    );
    hub.restarted(false).await.feeds.view(&node.origin()).unwrap();
}

#[tokio::test]
async fn a_body_nobody_has_to_believe_is_kept_with_its_reason() {
    let node = Node::new("node.example", 1).await;
    let good = Made::by(&node, 1).body(&node);
    let text = |from: &str, to: &str| {
        let text = String::from_utf8(good.bytes().to_vec()).unwrap();
        assert!(text.contains(from), "{from}");
        Bytes::from(text.replacen(from, to, 1))
    };
    let stranger = SigningKey::from_seed(&[77; 32]).unwrap();
    let elsewhere = tlog::name::Origin::parse("node.example/public-2").unwrap();
    let deep = Bytes::from("[".repeat(10_000) + &"]".repeat(10_000));
    let cases = [
        ("spaces", text("\"version\":1", "\"version\": 1"), BodyState::InvalidForm),
        (
            "doubled member",
            text("\"version\":1", "\"version\":1,\"version\":1"),
            BodyState::InvalidForm,
        ),
        (
            "beyond 2^53",
            text("\"version\":1", "\"version\":9007199254740993"),
            BodyState::InvalidForm,
        ),
        ("lone surrogate", text("Made", "\\ud800"), BodyState::InvalidForm),
        ("NUL", text("Made", "\\u0000"), BodyState::InvalidForm),
        ("10,000 deep", deep, BodyState::InvalidForm),
        ("no JSON", Bytes::from_static(b"\xff\xfe\x00"), BodyState::InvalidForm),
        ("forged text", text("Made", "Fake"), BodyState::InvalidSignature),
        (
            "another time",
            text("\"validFrom\":\"2026-11-23T10:00:00Z", "\"validFrom\":\"2026-11-23T10:00:01Z"),
            BodyState::InvalidMismatch,
        ),
        (
            "another version",
            Made { version: 2, ..Made::by(&node, 1) }.body(&node).bytes().clone(),
            BodyState::InvalidMismatch,
        ),
        ("another id", Made::by(&node, 99).body(&node).bytes().clone(), BodyState::InvalidMismatch),
        (
            "another feed",
            Made { feed: Some(elsewhere), ..Made::by(&node, 1) }.body(&node).bytes().clone(),
            BodyState::InvalidMismatch,
        ),
        (
            "a stranger's key",
            Made { key: stranger, ..Made::by(&node, 1) }.body(&node).bytes().clone(),
            BodyState::InvalidKey,
        ),
    ];
    for (name, body, expected) in cases {
        let last = Made::by(&node, 50);
        let items = vec![item_of(id(1), "good-practice", 1, &body), last.item(&node)];
        let (rows, node, hub) = rows_of(items).await;
        assert_eq!((rows[0].validity, rows[0].body), (Validity::Valid, expected), "{name}");
        assert_eq!((rows[1].validity, rows[1].body), (Validity::Valid, BodyState::Held), "{name}");
        assert_eq!(hub.titles(&node.origin()).await, ["Made"], "{name}");
    }
}

#[tokio::test]
async fn a_node_record_by_anybody_but_the_root_changes_no_key() {
    let node = Node::new("node.example", 1).await;
    let impostor = Node::new("node.example", 7).await;
    let own_id = RecordId::from_random_bytes([1; 16]);
    let other_root = item_of(own_id, "node", 2, &impostor.node_record(2));
    let other_id = item_of(id(5), "node", 1, &impostor.node_record(1));
    let items = vec![other_root, other_id, Made::by(&node, 50).item(&node)];
    let (rows, node, hub) = rows_of(items).await;
    assert!(rows[0].body.is_invalid() && rows[1].body.is_invalid(), "{rows:?}");
    assert_eq!(rows[2].body, BodyState::Held);
    assert_eq!(hub.feeds.node_record(&node.name).unwrap(), node.node_record(1));
}

//! Documents: every kind on which trust depends, and one on which none does; and what the signer of a
//! document cannot make others have said.

use feed::bodies;
use feed::ports::KeyUse;
use feed::statement::Said;
use network::audience::Audience;
use network::subject::{GroupSubject, Participation, PolicySubject};
use practice::body::Body;
use practice::entry;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use serde_json::{Value, json};
use tests::member::Member;
use tlog::name::Origin;

use super::binary;
use super::json;
use super::lines;
use super::trial::{Mutation, Says, examine};
use super::world::{Node, full_subject, sign, try_sign};

/// Documents have thousands of bytes, and all are under one signature.
const STRIDE: usize = 3;

/// All that is done to a document.
fn mutations(body: &[u8], neighbour: &[u8]) -> Vec<Mutation> {
    let mut all = json::mutations(body, Some(neighbour));
    all.extend(lines::of_bytes(body, STRIDE));
    all.extend(binary::cuts(body, 7 * STRIDE));
    all
}

/// A document as its reader takes it: well formed, signed by the key that speaks for the node, and saying
/// of itself what its entry says. `read` is what its kind asks besides.
fn examine_body(body: &Body, neighbour: &Body, read: impl Fn(&Body) -> bool) -> usize {
    let said = Said::read(&entry::publish(body));
    let origin: Origin = match body.feed() {
        Some(feed) => feed.clone(),
        None => format!("{}/public", body.node()).parse().unwrap(),
    };
    let (node, key) = (body.node().clone(), body.issuer_key());
    // What stands alone, as a stranger with a library for Verifiable Credentials reads it: a change cannot
    // be told by the hash in the entry.
    let alone = |bytes: &[u8]| {
        let body = Body::open(bytes.to_vec().into()).ok()?;
        let speaks = body.issuer_key() == key && *body.node() == node;
        let holds = speaks && body.verify().is_ok() && read(&body);
        holds.then(|| Says::that(body.hash().to_hex()))
    };
    // What stands in a feed: the entry is another's to change.
    let in_feed = |bytes: &[u8]| {
        let body = Body::open(bytes.to_vec().into()).ok()?;
        bodies::agrees(&origin, &said, &body).then(|| Says::that(body.hash().to_hex()))
    };
    let kind = body.kind();
    let all = mutations(body.bytes(), neighbour.bytes());
    let tried = examine(&format!("body, {kind}"), body.bytes(), alone, &[], all);
    let all = json::mutations(body.bytes(), Some(neighbour.bytes()));
    tried + examine(&format!("body beside its entry, {kind}"), body.bytes(), in_feed, &[], all)
}

/// What a node says of this kind.
fn subject(node: &Node, kind: &Kind, feed: &Origin) -> Value {
    let record: Value = serde_json::from_slice(&node.record_bytes()).unwrap();
    let committee =
        json!([{"node": node.member.name(), "root": node.member.root().unwrap().public()}]);
    match kind.as_str() {
        "participant" => json!({
            "node": node.member.name(), "status": "participating", "network": feed,
            "status_reason": "mechanism-changed", "node_record": record, "succession": record,
            "succeeds": "former.example", "reinstated": true,
            "decision": {"body": "Committee", "date": "2026-11-23"}, "reason": {"en": "Because"},
        }),
        "group" => json!({
            "names": {"en": "Group"}, "members": [node.member.name(), "another.example"],
            "decision": {"body": "Committee"}, "reason": {"en": "Because"},
        }),
        "policy" => json!({
            "committee": committee, "threshold": 1, "witnesses": [node.receipt_key()], "quorum": 1,
            "reason": {"en": "Because"},
        }),
        "attestation" => json!({
            "relation": "approves",
            "about": {
                "feed": feed, "id": format!("urn:uuid:00000000-0000-4000-8000-{:012}", 1),
                "version": 3, "body": format!("sha256:{:064}", 1),
            },
        }),
        "feed" => json!({
            "feed": feed,
            "audience": {"group": {
                "feed": "network.example/public",
                "id": format!("urn:uuid:00000000-0000-4000-8000-{:012}", 2),
            }},
        }),
        _ => tests::member::practice(None, node.member.name().as_str()).subject,
    }
}

fn reads(kind: &Kind, body: &Body) -> bool {
    match kind.as_str() {
        "participant" => Participation::from_body(body).is_ok(),
        "group" => GroupSubject::from_body(body).is_ok(),
        "policy" => PolicySubject::from_body(body).is_ok(),
        "feed" => Audience::from_body(body).is_ok(),
        _ => true,
    }
}

#[test]
fn a_document_of_each_kind_says_what_its_signer_said_or_nothing() {
    let nodes = ["owner.example", "other.example"].map(Node::of);
    let network: Origin = nodes[0].origin();
    nodes.iter().for_each(|node| node.joins(&network));
    let kinds = [
        Kind::GOOD_PRACTICE,
        Kind::ATTESTATION,
        Kind::PARTICIPANT,
        Kind::GROUP,
        Kind::POLICY,
        Kind::FEED,
    ];
    let mut tried = 0;
    for kind in kinds {
        let [body, neighbour] = nodes.each_ref().map(|node| {
            let restricted = format!("{}/r-{}", node.member.name(), "a".repeat(26));
            let feed = match kind == Kind::FEED {
                true => restricted.parse().unwrap(),
                false => node.origin(),
            };
            node.signs(kind.clone(), Some(feed.clone()), subject(node, &kind, &feed))
        });
        tried += examine_body(&body, &neighbour, |body| reads(&kind, body));
    }
    assert!(tried >= 29_000, "{tried}");
}

fn node_record(name: &str) -> (Member, Body) {
    let member = Member::of(name).unwrap();
    let subject = full_subject(&member).subject();
    let body = sign(&member, &member.root().unwrap(), (Kind::NODE, None), subject);
    (member, body)
}

#[test]
fn a_node_record_says_what_its_root_said_or_nothing() {
    let ((_, body), (_, neighbour)) = (node_record("owner.example"), node_record("other.example"));
    let tried = examine_body(&body, &neighbour, |body| NodeRecord::from_body(body).is_ok());
    assert!(tried >= 6_800, "{tried}");
}

/// A root that signs another text: it can list no key that does not want to be there.
#[test]
fn not_even_the_root_can_list_a_key_that_has_not_agreed_to_that_place() {
    let ((member, body), (_, neighbour)) =
        (node_record("owner.example"), node_record("other.example"));
    let (root, theirs) = (member.root().unwrap(), neighbour.subject_bytes());
    let verify = |bytes: &[u8]| {
        let subject: Value = serde_json::from_slice(bytes).ok()?;
        // What cannot be told apart once it was read cannot be signed apart.
        if subject == *body.subject() {
            return None;
        }
        let signed = try_sign(&member, &root, (Kind::NODE, None), subject)?;
        NodeRecord::from_body(&signed).ok().map(|record| keys(&record))
    };
    let honest = NodeRecord::from_body(&body).unwrap();
    let specimen = keys(&honest);
    let mut all = json::mutations_below(body.subject_bytes(), theirs, "/keys");
    all.extend(json::mutations_below(body.subject_bytes(), theirs, "/root"));
    all.extend(json::mutations_below(body.subject_bytes(), theirs, "/node"));
    let (mut tried, mut left) = (0, 0);
    for Mutation { what, bytes } in all {
        tried += 1;
        let Some(listed) = verify(&bytes) else { continue };
        left += 1;
        // A generation is the root's own word, and so is which keys are left out; but no key is listed
        // that did not agree to this use.
        let known = |line: &str| specimen.lines().any(|known| known == line);
        assert!(listed.lines().all(known), "{what}: {listed}");
    }
    println!("node record signed anew: {tried} mutations, {left} list fewer keys or the same");
    assert!(tried >= 800, "{tried}");
}

/// Use and key of each key that a record lists.
fn keys(record: &NodeRecord) -> String {
    record.keys.iter().map(|key| format!("{} {}\n", key.usage, key.key.to_did())).collect()
}

/// A network that signs another text: it cannot change what a node says of itself.
#[test]
fn not_even_the_network_can_change_the_node_record_that_it_shows() {
    let nodes = ["network.example", "other.example"].map(Node::of);
    let [network, _] = &nodes;
    nodes.iter().for_each(|node| node.joins(&network.origin()));
    let [honest, theirs] =
        nodes.each_ref().map(|node| subject(node, &Kind::PARTICIPANT, &network.origin()));
    let record_of = |bytes: &[u8]| {
        let subject: Value = serde_json::from_slice(bytes).ok()?;
        let about = (Kind::PARTICIPANT, Some(network.origin()));
        let body = try_sign(&network.member, &network.secret(KeyUse::Record), about, subject)?;
        let read = Participation::from_body(&body).ok()?;
        let shown = |record: Option<std::sync::Arc<NodeRecord>>| {
            record.map_or("none".to_owned(), |record| record.body().hash().to_hex())
        };
        Some(format!("{}\n{}", shown(read.record), shown(read.succession)))
    };
    let honest = serde_json::to_vec(&honest).unwrap();
    let shown = record_of(&honest).unwrap();
    let mut tried = 0;
    for member in ["/node_record", "/succession", "/network", "/node"] {
        let theirs = serde_json::to_vec(&theirs).unwrap();
        for Mutation { what, bytes } in json::mutations_below(&honest, &theirs, member) {
            tried += 1;
            let Some(found) = record_of(&bytes) else { continue };
            // Left out is allowed, and what a JSON reader takes for the same.
            let fair = found
                .lines()
                .zip(shown.lines())
                .all(|(found, shown)| found == shown || found == "none");
            assert!(fair, "{what}: {found}");
        }
    }
    println!("participant record signed anew: {tried} mutations");
    assert!(tried >= 5_200, "{tried}");
}

//! Approvals as they are handed in: several, twice, by strangers, revoked, too long.

use bytes::Bytes;
use network::approval::{Evidence, InvalidApproval, gather};
use network::fold::{Network, committee_roots};
use network::subject::Status::Participating;
use practice::body::BODY_BYTES_MAX;
use practice::kind::Kind;
use practice::node_record::{NodeSubject, Revocation};
use tlog::name::FeedName;
use tlog::proof_file::PROOF_FILE_BYTES_MAX;

use crate::world::{NOW, Node, Records, did, file, id, policy};

fn revoking(node: &Node, key: u8, size: u64, feed: &str) -> NodeSubject {
    let mut subject = node.subject();
    let feed = FeedName::parse(feed).unwrap();
    subject.revoked = vec![Revocation { key: did(key), feed, size, reason: "stolen".into() }];
    subject
}

#[test]
fn approvals_are_gathered_once_each_and_in_one_order() {
    let committee: Vec<Node> = (0..3).map(Node::new).collect();
    let mut records = Records::default();
    let one = records.publish(Kind::POLICY, id(50), policy(&committee[1..], 1), &[]);
    let two = records.register(&Node::new(9).participant(Participating), &[]);
    let file = file(&committee[..1], 1);
    let roots = committee_roots(&file, &records.decided);
    assert_eq!(roots.len(), 3);
    let mut evidence: Vec<Evidence> = Vec::new();
    for node in committee.iter().chain(&committee).chain(&[Node::new(5)]) {
        evidence.extend([node.evidence(&one), node.evidence(&two)]);
    }
    let gathered = gather(&evidence, &roots);
    assert_eq!(gathered.approvals.len(), 6);
    assert_eq!(gathered.refused.len(), 2);
    let strangers = |(_, error): &(usize, InvalidApproval)| matches!(error, InvalidApproval::Stranger { node } if *node == Node::new(5).name);
    assert!(gathered.refused.iter().all(strangers), "{:?}", gathered.refused);
    evidence.reverse();
    assert_eq!(gather(&evidence, &roots).approvals, gathered.approvals);
    let network = Network::fold(&file, &records.decided, &gathered.approvals, &|_| Some(NOW), NOW);
    assert!(network.is_participating(&Node::new(9).name));
}

#[test]
fn a_key_approves_nothing_from_where_it_is_revoked() {
    let node = Node::new(0);
    let mut records = Records::default();
    let body = records.register(&Node::new(9).participant(Participating), &[]);
    // The entry has index 3, the checkpoint size 5.
    let cases = [
        (node.log, 5, "public", false),
        (node.log, 4, "public", true),
        (node.record, 4, "public", false),
        (node.record, 3, "public", true),
        (node.log, 0, "public-2", false),
        (Node::new(1).log, 0, "public", false),
    ];
    for (key, size, feed, revoked) in cases {
        let newest = node.sign(&revoking(&node, key, size, feed), node.root, 2);
        let approval = node.approves(&body);
        assert_eq!(approval.is_revoked_by(&newest), revoked, "{key} {size} {feed}");
        let node_record = newest.body().bytes().clone();
        let evidence = Evidence { node_record, ..node.evidence(&body) };
        assert_eq!(evidence.verify(did(node.root)).is_err(), revoked, "{key} {size} {feed}");
    }
}

#[test]
fn an_older_generation_of_keys_still_proves_what_it_signed() {
    let node = Node::new(0);
    let mut records = Records::default();
    let body = records.register(&Node::new(9).participant(Participating), &[]);
    let rotated = node.subject().with_key("log", 2, &crate::world::key(80)).with_key(
        "record",
        2,
        &crate::world::key(81),
    );
    let node_record = node.sign(&rotated, node.root, 2).body().bytes().clone();
    let evidence = Evidence { node_record, ..node.evidence(&body) };
    assert!(evidence.verify(did(node.root)).is_ok());
}

#[test]
fn a_root_that_hands_over_can_still_vouch_for_its_node() {
    // The old root signs the record that names its successor: an approval under it counts for a committee
    // that knows the old root, and so can put the new one in its place.
    let node = Node::new(0);
    let mut subject = node.subject();
    let mut records = Records::default();
    let body = records.register(&Node::new(9).participant(Participating), &[]);
    let new = Node { root: 82, ..node.clone() };
    subject = NodeSubject { recovery: Some(did(node.root)), ..new_keys(&new, subject) };
    let node_record = node.sign(&subject, node.root, 2).body().bytes().clone();
    let evidence = Evidence { node_record, ..node.evidence(&body) };
    assert_eq!(evidence.verify(did(node.root)).unwrap().root, did(node.root));
    assert!(evidence.verify(did(82)).is_err());
}

fn new_keys(new: &Node, old: NodeSubject) -> NodeSubject {
    let NodeSubject { root, keys, .. } = new.subject();
    NodeSubject { root, keys, ..old }
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let node = Node::new(0);
    let mut records = Records::default();
    let body = records.register(&Node::new(9).participant(Participating), &[]);
    let good = node.evidence(&body);
    let long = |length: usize| Bytes::from(vec![b' '; length]);
    let cases = [
        Evidence { node_record: long(BODY_BYTES_MAX + 1), ..good.clone() },
        Evidence { body: long(BODY_BYTES_MAX + 1), ..good.clone() },
        Evidence { proof: long(PROOF_FILE_BYTES_MAX + 1), ..good.clone() },
        Evidence { node_record: Bytes::new(), ..good.clone() },
        Evidence { body: Bytes::new(), ..good.clone() },
        Evidence { proof: Bytes::new(), ..good.clone() },
    ];
    assert!(good.verify(did(node.root)).is_ok());
    for (place, case) in cases.into_iter().enumerate() {
        assert!(case.verify(did(node.root)).is_err(), "{place}");
    }
}

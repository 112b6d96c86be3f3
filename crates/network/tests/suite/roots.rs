//! Roots that change: proved, reinstated, claimed; and keys that two nodes list.

use bytes::Bytes;
use network::fold::{Conflict, Network};
use network::keys::KeyHistory;
use network::subject::Status::{self, Participating};
use network::subject::{ParticipantSubject, to_embed};

use crate::world::{DAY, NOW, Node, Records, did, file};

const RECOVERY: u8 = 90;

/// A node that has a recovery key.
fn mechanism() -> (Node, ParticipantSubject) {
    let node = Node::new(9);
    let mut subject = node.subject();
    subject.recovery = Some(did(RECOVERY));
    let mut said = node.participant(Participating);
    said.node_record = Some(to_embed(&node.sign(&subject, node.root, 1)));
    (node, said)
}

/// The same node with other keys.
fn renewed(node: &Node) -> Node {
    Node { name: node.name.clone(), ..Node::new(20) }
}

fn committee() -> Vec<Node> {
    vec![Node::new(0)]
}

fn fold(records: &Records) -> Network {
    records.fold(&file(&committee(), 1))
}

/// A record that names the renewed root, with a proof signed by `signer`.
fn proved_by(signer: u8) -> Records {
    let (node, said) = mechanism();
    let new = renewed(&node);
    let mut records = Records::default();
    records.register(&said, &committee());
    let mut subject = new.subject();
    subject.recovery = Some(did(signer));
    let mut changed = new.participant(Participating);
    changed.succession = Some(to_embed(&new.sign(&subject, signer, 2)));
    records.register(&changed, &committee());
    records
}

#[test]
fn the_old_root_and_the_recovery_key_prove_a_new_root_and_nobody_else() {
    let (node, _) = mechanism();
    let new = renewed(&node);
    for signer in [node.root, RECOVERY] {
        let network = fold(&proved_by(signer));
        let participant = network.participant(&node.name).unwrap();
        assert_eq!(participant.root, did(new.root));
        assert_eq!(participant.former, [did(node.root)]);
        assert!(participant.reinstated.is_empty() && network.conflicts().is_empty());
    }
    for signer in [Node::new(0).root, 91] {
        let network = fold(&proved_by(signer));
        assert_eq!(network.participant(&node.name).unwrap().root, did(node.root));
        let conflict = Conflict::Root {
            index: 2,
            node: node.name.clone(),
            held: did(node.root),
            claimed: did(new.root),
        };
        assert_eq!(network.conflicts(), [conflict]);
    }
}

#[test]
fn a_reinstated_root_waits_seven_days_and_is_marked_for_ever() {
    let (node, said) = mechanism();
    let new = renewed(&node);
    let mut records = Records::default();
    records.register(&said, &committee());
    let mut changed = new.participant(Participating);
    changed.reinstated = true;
    records.register(&changed, &committee());
    let file = file(&committee(), 1);
    let seen = NOW - 7 * DAY;
    for (first_seen, now, root, at) in [
        (Some(seen), NOW - 1, node.root, Some(NOW)),
        (Some(seen), NOW, new.root, None),
        (None, NOW, node.root, None),
    ] {
        let network = records.fold_at(&file, &|_| first_seen, now);
        let participant = network.participant(&node.name).unwrap();
        assert_eq!(participant.root, did(root), "{first_seen:?} {now}");
        let waits = root == node.root;
        assert_eq!(network.pending().len(), usize::from(waits));
        assert_eq!(network.pending().first().and_then(|pending| pending.effective_at), at);
        assert_eq!(participant.reinstated.len(), usize::from(!waits));
    }
    records.register(&new.participant(Status::Paused), &committee());
    let network = records.fold_at(&file, &|_| Some(seen), NOW);
    assert_eq!(network.participant(&node.name).unwrap().reinstated, [2]);
}

#[test]
fn a_reinstatement_is_taken_back_by_naming_the_old_root_in_time() {
    let (node, said) = mechanism();
    let new = renewed(&node);
    let mut records = Records::default();
    records.register(&said, &committee());
    let mut changed = new.participant(Participating);
    changed.reinstated = true;
    records.register(&changed, &committee());
    records.register(&said, &committee());
    let file = file(&committee(), 1);
    for (days, root) in [(6, node.root), (8, new.root)] {
        let times = |index| Some(NOW - 30 * DAY + if index == 3 { days * DAY } else { 0 });
        let network = records.fold_at(&file, &times, NOW);
        let participant = network.participant(&node.name).unwrap();
        assert_eq!(participant.root, did(root), "{days}");
        assert_eq!(network.conflicts().len(), usize::from(days == 8));
        assert!(network.pending().is_empty());
    }
}

#[test]
fn a_change_of_mechanism_keeps_the_history_and_shows_the_succession() {
    let (old, new) = (Node::new(8), Node::new(9));
    let mut records = Records::default();
    records.register(&old.participant(Participating), &committee());
    let mut successor = new.participant(Participating);
    successor.succeeds = Some(old.name.clone());
    records.register(&successor, &committee());
    let mut ended = old.participant(Status::Ended);
    ended.node_record = None;
    ended.status_reason = Some("mechanism-changed".into());
    records.register(&ended, &committee());
    let network = fold(&records);
    let (before, after) =
        (network.participant(&old.name).unwrap(), network.participant(&new.name).unwrap());
    assert_eq!(before.succeeded_by.as_ref(), Some(&new.name));
    assert_eq!(after.succeeds.as_ref(), Some(&old.name));
    assert!(!before.is_followed() && before.root == did(old.root) && before.since == 1);
    assert_eq!(before.status_reason.as_deref(), Some("mechanism-changed"));
}

#[test]
fn a_key_stays_with_the_node_that_bound_it_first() {
    let (first, second) = (Node::new(8), Node { record: Node::new(8).record, ..Node::new(9) });
    let mut records = Records::default();
    records.register(&first.participant(Participating), &committee());
    records.register(&second.participant(Participating), &committee());
    let network = fold(&records);
    let shared = did(first.record);
    let conflict = Conflict::Key {
        index: 2,
        key: shared,
        holder: first.name.clone(),
        node: second.name.clone(),
    };
    assert_eq!(network.conflicts(), [conflict]);
    assert_eq!(network.holder(&shared), Some(&first.name));
    assert!(network.is_participating(&second.name));
}

#[test]
fn an_older_node_record_of_the_same_root_replaces_none() {
    let node = Node::new(9);
    let embed = |version| {
        let mut said = node.participant(Participating);
        said.node_record = Some(to_embed(&node.sign(&node.subject(), node.root, version)));
        said
    };
    let mut records = Records::default();
    records.register(&embed(5), &committee());
    records.register(&embed(4), &committee());
    let network = fold(&records);
    assert_eq!(network.participant(&node.name).unwrap().record.version(), 5);
}

#[test]
fn a_node_record_keeps_nothing_of_its_segment_in_memory() {
    let node = Node::new(9);
    let record = node.node_record();
    let body = record.body().bytes();
    let segment = Bytes::from([body.as_ref(), &[0; 100_000]].concat());
    let mut keys = KeyHistory::new(node.name, did(node.root));
    keys.observe(0, record.id(), 1, Some(&segment.slice(..body.len()))).unwrap();
    assert_eq!(keys.newest().map(|keyed| keyed.body.as_ref()), Some(body.as_ref()));
    assert!(segment.is_unique());
}

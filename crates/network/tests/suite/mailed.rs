//! Requests and answers that are carried by hand.

use network::join::{Answer, InvalidJoin, Request};
use network::subject::Status::Participating;
use practice::node_record::NodeSubject;

use crate::world::{Node, Records, did, file, origin};

fn answer(candidate: &Node) -> Answer {
    let committee = [Node::new(0)];
    let network = Node::network();
    let mut records = Records::default();
    let body = records.register(&candidate.participant(Participating), &[]);
    Answer {
        network_file: file(&committee, 1).bytes().clone(),
        node_record: network.node_record().body().bytes().clone(),
        proof: network.prove(&body).to_string().into(),
        approvals: vec![committee[0].evidence(&body)],
        body: body.bytes().clone(),
    }
}

#[test]
fn a_request_is_a_node_record_that_names_the_network() {
    let node = Node::new(9);
    let request = |subject: &NodeSubject, signer| Request {
        network: origin(),
        node_record: node.sign(subject, signer, 1).body().bytes().clone(),
    };
    let mut subject = node.subject();
    assert_eq!(request(&subject, node.root).check().unwrap().node, node.name);
    subject.recovery = Some(did(90));
    let error = request(&subject, 90).check().unwrap_err();
    assert!(matches!(error, InvalidJoin::Root { .. }), "{error}");
    subject.networks.clear();
    let error = request(&subject, node.root).check().unwrap_err();
    assert!(matches!(error, InvalidJoin::NotNamed { .. }), "{error}");
    let torn = Request { network: origin(), node_record: b"{}".as_slice().into() };
    assert!(matches!(torn.check().unwrap_err(), InvalidJoin::NodeRecord { .. }));
}

#[test]
fn an_answer_is_checked_from_the_file_to_the_record() {
    let node = Node::new(9);
    let good = answer(&node);
    let answered = good.check(&node.name).unwrap();
    assert_eq!(answered.file.origin, origin());
    assert_eq!(answered.participant.node, node.name);
    let approval = good.approvals[0].verify(did(Node::new(0).root)).unwrap();
    assert_eq!(approval.about, answered.about);
    let error = good.check(&Node::new(8).name).unwrap_err();
    assert!(matches!(error, InvalidJoin::OtherNode { .. }), "{error}");
}

#[test]
fn an_answer_put_together_from_other_parts_is_refused() {
    let node = Node::new(9);
    let (good, other) = (answer(&node), answer(&Node::new(8)));
    let impostor = Node { name: Node::network().name, ..Node::new(4) };
    let forged = impostor.body(
        practice::kind::Kind::PARTICIPANT,
        crate::world::id(1),
        1,
        node.participant(Participating).to_value(),
    );
    let cases = [
        Answer { network_file: other.body.clone(), ..good.clone() },
        Answer { node_record: impostor.node_record().body().bytes().clone(), ..good.clone() },
        Answer { node_record: good.body.clone(), ..good.clone() },
        Answer { body: other.body.clone(), ..good.clone() },
        Answer { body: forged.bytes().clone(), ..good.clone() },
        Answer { proof: other.proof, ..good.clone() },
        Answer { proof: impostor.prove(&forged).to_string().into(), ..good.clone() },
        Answer { proof: good.body.clone(), ..good },
    ];
    for (place, case) in cases.into_iter().enumerate() {
        assert!(case.check(&node.name).is_err(), "{place}");
    }
}

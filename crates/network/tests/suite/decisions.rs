//! Who must approve: thresholds, policies, replays, takeovers.

use network::subject::GroupSubject;
use network::subject::Status::{self, Participating};
use practice::kind::Kind;
use serde_json::json;

use crate::world::{Node, Records, file, id, name, origin, policy};

fn nodes(count: u8) -> Vec<Node> {
    (0..count).map(Node::new).collect()
}

fn group(members: &[&Node]) -> GroupSubject {
    let members = members.iter().map(|node| node.name.clone()).collect();
    let names = [("en".to_owned(), "Small States".to_owned())].into();
    GroupSubject { names, members, decision: None, reason: None }
}

#[test]
fn a_record_takes_effect_when_as_many_approve_as_must() {
    let committee = nodes(5);
    let candidate = Node::new(9);
    let mut count = 0;
    for threshold in 1..=5 {
        for chosen in 0..32_u32 {
            let voters: Vec<Node> =
                (0..5).filter(|bit| chosen & (1 << bit) != 0).map(Node::new).collect();
            let mut records = Records::default();
            records.register(&candidate.participant(Participating), &voters);
            // Twice is once, and a stranger is nobody.
            let body = records.decided[0].body.clone();
            records.approvals.extend(voters.iter().map(|node| node.approves(&body)));
            records.approvals.push(Node::new(8).approves(&body));
            let network = records.fold(&file(&committee, threshold));
            let enough = voters.len() >= threshold;
            assert_eq!(network.is_participating(&candidate.name), enough, "{threshold} {chosen:b}");
            assert_eq!(network.is_approved(1), enough);
            if let [pending] = network.pending() {
                assert_eq!(pending.needed, threshold - voters.len());
                assert_eq!(pending.approved_by.len(), voters.len());
                assert_eq!(pending.missing.len(), 5 - voters.len());
            } else {
                assert!(enough);
            }
            count += 1;
        }
    }
    println!("{count} votes");
}

#[test]
fn a_policy_needs_the_old_and_the_new_committee() {
    let mut count = 0;
    for old in 0..8_u8 {
        for new in 0..8_u8 {
            let committee = nodes(3);
            let successors: Vec<Node> = (3..6).map(Node::new).collect();
            let chosen = |mask: u8, list: &[Node]| -> Vec<Node> {
                let bit = |(place, node): (usize, &Node)| {
                    (mask & (1 << place) != 0).then(|| node.clone())
                };
                list.iter().enumerate().filter_map(bit).collect()
            };
            let mut voters = chosen(old, &committee);
            voters.extend(chosen(new, &successors));
            let mut records = Records::default();
            records.publish(Kind::POLICY, id(50), policy(&successors, 2), &voters);
            records.register(&Node::new(9).participant(Participating), &successors);
            let network = records.fold(&file(&committee, 2));
            let takes_over = old.count_ones() >= 2 && new.count_ones() >= 2;
            assert_eq!(network.is_participating(&Node::new(9).name), takes_over, "{old:b} {new:b}");
            assert_eq!(network.policy().unwrap().index, takes_over.then_some(1));
            assert_eq!(network.pending_policy().is_none(), takes_over);
            let short =
                2_u32.saturating_sub(old.count_ones()) + 2_u32.saturating_sub(new.count_ones());
            let needed = network.pending_policy().map_or(0, |pending| pending.needed);
            assert_eq!(needed, short as usize);
            count += 1;
        }
    }
    println!("{count} changes of committee");
}

#[test]
fn who_left_the_committee_decides_no_more_and_what_they_decided_stays() {
    let (old, new) = (nodes(2), [Node::new(1), Node::new(2)]);
    let all = nodes(3);
    let mut records = Records::default();
    records.register(&Node::new(7).participant(Participating), &old);
    records.publish(Kind::POLICY, id(50), policy(&new, 2), &all);
    records.register(&Node::new(8).participant(Participating), &old);
    records.register(&Node::new(9).participant(Participating), &new);
    let network = records.fold(&file(&old, 2));
    let participating = |number| network.is_participating(&Node::new(number).name);
    assert!(participating(7) && !participating(8) && participating(9));
    assert_eq!(network.pending()[0].missing[0].node, Some(Node::new(2).name));
    assert_eq!(network.policy_at(2).unwrap().index, None);
    assert_eq!(network.policy_at(3).unwrap().index, Some(2));
}

#[test]
fn a_member_of_both_committees_is_needed_once() {
    let mut records = Records::default();
    records.publish(Kind::POLICY, id(50), policy(&[Node::new(1), Node::new(2)], 2), &[]);
    let network = records.fold(&file(&nodes(2), 2));
    let pending = network.pending_policy().unwrap();
    assert_eq!((pending.needed, pending.missing.len()), (3, 3));
}

#[test]
fn a_root_on_the_committee_speaks_for_the_node_it_was_chosen_for() {
    let mut records = Records::default();
    let founder = nodes(1);
    let mut disguised = Node::new(1);
    disguised.name = name("disguised.example");
    records.publish(Kind::POLICY, id(50), policy(&[Node::new(1)], 1), &nodes(2));
    records.register(&Node::new(9).participant(Participating), &[disguised]);
    assert!(records.fold(&file(&founder, 1)).participant(&Node::new(9).name).is_none());
}

#[test]
fn what_was_replaced_is_told_from_what_is_wanted() {
    let committee = nodes(1);
    let mut records = Records::default();
    records.publish(Kind::POLICY, id(50), policy(&nodes(2), 2), &[]);
    records.publish(Kind::POLICY, id(50), policy(&nodes(3), 2), &[]);
    let superseded = |records: &Records| {
        let network = records.fold(&file(&committee, 1));
        let wanted = network.pending_policy().map(|pending| pending.index);
        (network.pending().iter().map(|one| one.superseded).collect::<Vec<_>>(), wanted)
    };
    assert_eq!(superseded(&records), (vec![true, false], Some(2)));
    records.publish(Kind::POLICY, id(51), policy(&committee, 1), &committee);
    assert_eq!(superseded(&records), (vec![true, true], None));
}

#[test]
fn an_approval_of_one_version_feed_or_network_is_none_of_another() {
    let committee = nodes(1);
    let candidate = Node::new(9);
    let mut records = Records::default();
    records.register(&candidate.participant(Participating), &committee);
    let paused = records.register(&candidate.participant(Status::Paused), &[]);
    let network = records.fold(&file(&committee, 1));
    assert!(network.is_participating(&candidate.name));
    assert_eq!(network.pending()[0].version, 2);
    // The same words in another network's feed are another record.
    let mut elsewhere = Node::network();
    elsewhere.name = name("other.example");
    let subject = candidate.participant(Participating).to_value();
    let copied = elsewhere.body(Kind::PARTICIPANT, paused.id(), 3, subject);
    records.approvals.push(committee[0].approves(&copied));
    records.decided.push(network::fold::Decided { index: 3, body: copied });
    let network = records.fold(&file(&committee, 1));
    assert_eq!(network.participant(&candidate.name).unwrap().version, 1);
    records.approvals.push(committee[0].approves(&paused));
    let network = records.fold(&file(&committee, 1));
    assert_eq!(network.participant(&candidate.name).unwrap().status, Status::Paused);
    assert!(network.participant(&candidate.name).unwrap().is_followed());
}

#[test]
fn two_networks_of_the_same_committee_are_independent() {
    let committee = nodes(1);
    let candidate = Node::new(9);
    let mut records = Records::default();
    let mut subject = candidate.participant(Participating);
    subject.network = "other.example/public".parse().unwrap();
    records.register(&subject, &committee);
    let network = records.fold(&file(&committee, 1));
    assert!(network.participant(&candidate.name).is_none());
    assert!(
        network.refused()[0].reason.contains("other.example/public"),
        "{:?}",
        network.refused()
    );
}

#[test]
fn a_group_is_of_those_who_participate() {
    let committee = nodes(1);
    let (one, two, three) = (Node::new(7), Node::new(8), Node::new(9));
    let mut records = Records::default();
    for node in [&one, &two] {
        records.register(&node.participant(Participating), &committee);
    }
    let subject = group(&[&one, &two, &three]).to_value();
    records.publish(Kind::GROUP, id(60), subject, &committee);
    let within = |records: &Records| {
        let network = records.fold(&file(&committee, 1));
        [&one, &two, &three].map(|node| network.in_group(&id(60), &node.name))
    };
    assert_eq!(within(&records), [true, true, false]);
    records.register(&two.participant(Status::Ended), &committee);
    assert_eq!(within(&records), [true, false, false]);
    records.publish(Kind::GROUP, id(60), group(&[]).to_value(), &[]);
    assert_eq!(within(&records), [true, false, false]);
    let dissolved = records.decided.last().unwrap().body.clone();
    records.approvals.push(committee[0].approves(&dissolved));
    assert_eq!(within(&records), [false; 3]);
}

#[test]
fn what_breaks_a_rule_is_refused_whoever_approves() {
    let committee = nodes(1);
    let candidate = Node::new(9);
    let twice = json!({ "committee": [candidate.member(), candidate.member()], "threshold": 1 });
    let unreachable = json!({ "committee": [candidate.member()], "threshold": 2 });
    let nobody = json!({ "committee": [], "threshold": 0 });
    let mut first = candidate.participant(Participating);
    first.node_record = None;
    let mut foreign = candidate.participant(Participating);
    foreign.node = name("another.example");
    let mut stranger = candidate.subject();
    stranger.networks.clear();
    let mut unnamed = candidate.participant(Participating);
    let record = candidate.sign(&stranger, candidate.root, 1);
    unnamed.node_record = Some(network::subject::to_embed(&record));
    let mut forged = candidate.participant(Participating);
    forged.node_record.as_mut().unwrap()["version"] = 2.into();
    let mut self_made = candidate.participant(Participating);
    self_made.succeeds = Some(candidate.name);
    let cases = [
        (Kind::POLICY, twice),
        (Kind::POLICY, unreachable),
        (Kind::POLICY, nobody),
        (Kind::PARTICIPANT, first.to_value()),
        (Kind::PARTICIPANT, foreign.to_value()),
        (Kind::PARTICIPANT, unnamed.to_value()),
        (Kind::PARTICIPANT, forged.to_value()),
        (Kind::PARTICIPANT, self_made.to_value()),
        (Kind::PARTICIPANT, json!({ "node": "x.example", "status": "gone", "network": origin() })),
        (Kind::GROUP, json!({ "names": {}, "members": ["x.example", "x.example"] })),
    ];
    for (kind, subject) in cases {
        let mut records = Records::default();
        records.publish(kind, id(70), subject.clone(), &committee);
        let network = records.fold(&file(&committee, 1));
        assert_eq!(network.refused().len(), 1, "{subject}");
        assert_eq!(network.participants().count() + network.groups().count(), 0, "{subject}");
        assert_eq!(network.policies().len(), 1, "{subject}");
    }
}

#[test]
fn what_cannot_take_effect_is_wanted_until_it_is_said_anew() {
    let committee = nodes(1);
    let group = |members: &[&str]| json!({ "names": {"en": "G"}, "members": members });
    let mut records = Records::default();
    records.publish(Kind::GROUP, id(70), group(&["x.example", "x.example"]), &committee);
    let twice = json!({ "names": {}, "members": ["x.example", "x.example"] });
    records.publish(Kind::GROUP, id(71), twice, &committee);
    let replaced = |records: &Records| {
        let network = records.fold(&file(&committee, 1));
        network.refused().iter().map(|refused| refused.replaced).collect::<Vec<_>>()
    };
    assert_eq!(replaced(&records), [false, false]);
    records.publish(Kind::GROUP, id(70), group(&["x.example"]), &committee);
    assert_eq!(replaced(&records), [true, false]);
    // A node has one record, whatever id the one had that could not take effect.
    let node = json!({ "node": "node9.example", "status": "gone", "network": origin() });
    records.publish(Kind::PARTICIPANT, id(72), node.clone(), &committee);
    assert_eq!(replaced(&records), [true, false, false]);
    records.publish(Kind::PARTICIPANT, id(73), node, &committee);
    assert_eq!(replaced(&records), [true, false, true, false]);
}

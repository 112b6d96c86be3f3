//! A network does not depend on the order in which its parts arrive.

use std::sync::LazyLock;

use network::file::NetworkFile;
use network::subject::Status::{self, Participating};
use practice::kind::Kind;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{Node, Records, file, id, policy, shown};

/// Three committees in a row, participants between, some records without enough approvals.
static WORLD: LazyLock<(NetworkFile, Records)> = LazyLock::new(|| {
    let nodes: Vec<Node> = (0..5).map(Node::new).collect();
    let mut records = Records::default();
    records.publish(Kind::POLICY, id(50), policy(&nodes[..3], 2), &nodes[..2]);
    for (number, voters) in [(7, 0..2), (8, 1..3), (9, 0..1)] {
        records.register(&Node::new(number).participant(Participating), &nodes[voters]);
    }
    records.publish(Kind::POLICY, id(50), policy(&nodes[2..], 2), &nodes);
    records.register(&Node::new(7).participant(Status::Paused), &nodes[3..]);
    records.register(&Node::new(8).participant(Status::Ended), &nodes[..2]);
    let members =
        json!({ "names": { "en": "Both" }, "members": ["node-7.example", "node-8.example"] });
    records.publish(Kind::GROUP, id(60), members, &nodes[2..4]);
    (file(&nodes[..3], 2), records)
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn the_fold_is_the_same_for_every_order_and_repetition(seed in any::<u64>()) {
        let (file, records) = &*WORLD;
        let mut mixed = Records {
            decided: records.decided.clone(),
            approvals: records.approvals.clone(),
        };
        // A number decides the order: each is drawn from what is left, and some are drawn twice.
        let mut state = seed;
        let mut draw = |count: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % count
        };
        for place in 0..mixed.approvals.len() {
            let other = draw(mixed.approvals.len());
            mixed.approvals.swap(place, other);
            if draw(3) == 0 {
                let again = mixed.approvals[place].clone();
                mixed.approvals.push(again);
            }
        }
        for place in 0..mixed.decided.len() {
            let other = draw(mixed.decided.len());
            mixed.decided.swap(place, other);
        }
        prop_assert_eq!(shown(&mixed.fold(file)), shown(&records.fold(file)));
    }

    #[test]
    fn approvals_that_arrive_one_by_one_come_to_the_same(order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let (file, records) = &*WORLD;
        let mut arriving = Records { decided: records.decided.clone(), approvals: Vec::new() };
        let parts: Vec<_> = records.approvals.chunks(records.approvals.len().div_ceil(10)).collect();
        for place in order {
            arriving.approvals.extend(parts.get(place).copied().unwrap_or_default().iter().cloned());
            // What was known before leaves no trace.
            let _ = arriving.fold(file);
        }
        prop_assert_eq!(shown(&arriving.fold(file)), shown(&records.fold(file)));
    }
}

#[test]
fn the_world_of_these_tests_has_something_of_everything() {
    let (file, records) = &*WORLD;
    let network = records.fold(file);
    assert_eq!(network.policies().len(), 3);
    assert_eq!(network.pending().len(), 2);
    assert_eq!(network.participant(&Node::new(7).name).unwrap().status, Status::Paused);
    assert!(network.is_participating(&Node::new(8).name));
    assert!(network.in_group(&id(60), &Node::new(8).name));
    assert!(!network.in_group(&id(60), &Node::new(7).name));
}

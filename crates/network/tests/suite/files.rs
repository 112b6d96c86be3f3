//! The network file, its fingerprint, audiences and times.

use network::audience::Audience;
use network::file::{
    COMMITTEE_MAX, FILE_BYTES_MAX, InvalidNetworkFile, NetworkFile, fingerprint, same_fingerprint,
};
use network::times;
use practice::kind::Kind;
use serde_json::json;

use crate::world::{DAY, NOW, Node, Records, did, file, id, key, name, origin};
use network::subject::Status::Participating;

fn text(line: &str) -> String {
    let rest = file(&[Node::new(0)], 1).text();
    format!("{line}\n{}", rest.split_once('\n').unwrap().1)
}

#[test]
fn a_fingerprint_is_the_hash_modulo_ten_to_the_thirty() {
    // Computed with another language's big integers.
    assert_eq!(fingerprint(b""), "19803 49933 79397 00111 56650 86549");
    assert_eq!(fingerprint(b"jopoi"), "33843 43645 50868 62973 54548 60092");
    assert!(same_fingerprint(
        "19803 49933 79397 00111 56650 86549",
        "198034993379397001115665086549"
    ));
    assert!(!same_fingerprint("84852", "84852"));
    assert!(!same_fingerprint(&fingerprint(b""), &fingerprint(b"\n")));
}

#[test]
fn a_network_file_is_written_and_read_back() {
    let nodes = [Node::new(0), Node::new(1), Node::new(2)];
    let written = file(&nodes, 2);
    let read = NetworkFile::parse(written.bytes()).unwrap();
    assert_eq!(read, written);
    assert_eq!((read.threshold, read.roots.len(), &read.origin), (2, 3, &origin()));
    assert_eq!(read.fingerprint().len(), 35);
    // To an outsider's tool it is a policy with a comment.
    assert_eq!(tlog::policy::Policy::parse(written.bytes()).unwrap(), read.policy);
    let renewed = read.with_policy(&read.policy).unwrap();
    assert_eq!(renewed, read);
}

#[test]
fn a_first_line_of_another_form_is_refused() {
    let root = did(1).to_did();
    let many: Vec<String> = (0..=64).map(|seed| did(seed).to_did()).collect();
    assert!(many.len() > COMMITTEE_MAX);
    let good = format!("# jopoi network v1 network.example/public {root} 1");
    assert!(NetworkFile::parse(text(&good).as_bytes()).is_ok());
    let cases = [
        String::new(),
        good.replace("v1", "v2"),
        good.replace("# jopoi", "#jopoi"),
        good.replace(" 1", ""),
        format!("{good} "),
        format!("{good}\r"),
        format!(" {good}"),
        good.replace(&format!("{root} 1"), &format!("{root}  1")),
        good.replace(" 1", " 0"),
        good.replace(" 1", " 2"),
        good.replace(" 1", " 01"),
        good.replace(" 1", " +1"),
        good.replace(&root, &format!("{root},{root}")),
        good.replace(&root, &format!("{root},")),
        good.replace(&root, &many.join(",")),
        good.replace("/public", "/r-aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        good.replace("network.example/public", "other.example/public"),
        good.replace("network.example/public", "Network.example/public"),
    ];
    for case in cases {
        assert!(NetworkFile::parse(text(&case).as_bytes()).is_err(), "{case}");
    }
}

#[test]
fn what_follows_the_first_line_must_be_a_whole_policy() {
    let whole = file(&[Node::new(0)], 1).text();
    for end in 0..whole.len() {
        assert!(NetworkFile::parse(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    let long = format!("{whole}{}", "#\n".repeat(FILE_BYTES_MAX / 2));
    let error = NetworkFile::parse(long.as_bytes()).unwrap_err();
    assert!(matches!(error, InvalidNetworkFile::Bytes { .. }), "{error}");
    let error = NetworkFile::parse(format!("{whole}quorum none\n").as_bytes()).unwrap_err();
    assert!(error.to_string().starts_with("line 4 of the policy"), "{error}");
}

#[test]
fn the_file_vouches_for_the_network_node_by_a_founders_root_or_by_its_log_key() {
    let network = Node::network();
    let by_log = file(&[Node::new(0)], 1);
    assert!(by_log.vouches_for(&network.node_record()));
    assert!(file(std::slice::from_ref(&network), 1).vouches_for(&network.node_record()));
    // Another node, other keys, a key under another use, or a record by the recovery key: none will do.
    assert!(!by_log.vouches_for(&Node::new(0).node_record()));
    let impostor = Node { name: network.name.clone(), ..Node::new(4) };
    assert!(!by_log.vouches_for(&impostor.node_record()));
    let subject = impostor.subject().with_key("witness", 1, &key(network.log));
    assert!(!by_log.vouches_for(&impostor.sign(&subject, impostor.root, 1)));
    let mut subject = network.subject();
    subject.recovery = Some(did(77));
    assert!(!by_log.vouches_for(&network.sign(&subject, 77, 1)));
}

#[test]
fn an_audience_is_read_written_and_closed_to_everybody_else() {
    let group = json!({ "group": { "feed": origin(), "id": id(60) } });
    let participants = json!({ "participants": origin() });
    let nodes = json!({ "nodes": ["node-7.example", "node-8.example"] });
    for value in [&group, &participants, &nodes] {
        assert_eq!(Audience::parse(value).unwrap().to_value(), *value);
    }
    for value in [
        json!({}),
        json!("everyone"),
        json!({ "everyone": true }),
        json!({ "participants": "network.example" }),
        json!({ "participants": origin(), "nodes": ["a.example"] }),
        json!({ "nodes": [] }),
        json!({ "nodes": ["a.example", "a.example"] }),
        json!({ "nodes": ["A.example"] }),
        json!({ "group": { "feed": origin() } }),
        json!({ "group": { "feed": origin(), "id": id(60), "or": "everyone" } }),
    ] {
        assert!(Audience::parse(&value).is_err(), "{value}");
    }
    let committee = [Node::new(0)];
    let mut records = Records::default();
    records.register(&Node::new(7).participant(Participating), &committee);
    let members = json!({ "names": { "en": "One" }, "members": ["node-7.example"] });
    records.publish(Kind::GROUP, id(60), members, &committee);
    let network = records.fold(&file(&committee, 1));
    let admitted = |value, number| {
        let audience = Audience::parse(value).unwrap();
        let name = Node::new(number).name;
        (audience.admits(&name, Some(&network)), audience.admits(&name, None))
    };
    assert_eq!(admitted(&participants, 7), (true, false));
    assert_eq!(admitted(&participants, 8), (false, false));
    assert_eq!(admitted(&group, 7), (true, false));
    assert_eq!(admitted(&nodes, 8), (true, true));
    assert_eq!(admitted(&nodes, 9), (false, false));
    let elsewhere = json!({ "participants": "other.example/public" });
    assert_eq!(admitted(&elsewhere, 7), (false, false));
    assert_eq!(name("node-7.example"), Node::new(7).name);
}

#[test]
fn a_minority_of_clocks_moves_no_median() {
    assert_eq!(times::median(&[]), None);
    assert_eq!(times::median(&[5]), Some(5));
    assert_eq!(times::median(&[9, 1]), Some(1));
    assert_eq!(times::median(&[9, 1, 5]), Some(5));
    assert_eq!(times::median(&[0, 0, 5, 6, 7]), Some(5));
    assert_eq!(times::median_at(&[NOW + 300, NOW + 301, NOW], NOW), Some(NOW));
    assert_eq!(times::median_at(&[u64::MAX], NOW), None);
    assert!(
        !times::is_stale(Some(NOW - 3 * DAY), NOW) && times::is_stale(Some(NOW - 3 * DAY - 1), NOW)
    );
    assert!(times::is_stale(None, NOW));
    assert_eq!(
        (times::window_ends(NOW), times::reinstatement_ends(NOW)),
        (NOW + 3 * DAY, NOW + 7 * DAY)
    );
    assert_eq!(times::window_ends(u64::MAX), u64::MAX);
}

//! A network as people run it: commands, files by mail, and servers on loopback in between.

use crate::program::{Program, Server, draft, free_port, get};

const NODES: [(&str, &str); 4] =
    [("net", "net.example"), ("a", "a.example"), ("b", "b.example"), ("hub", "hub.example")];

const DECIDED: [&str; 5] = [
    "--decision-body",
    "en=First meeting of the network",
    "--decision-date",
    "2026-11-20",
    "--yes",
];

/// Four nodes that are made and served, none of which knows another.
struct World {
    program: Program,
    server: Server,
}

impl World {
    fn new() -> Self {
        let program = Program::fresh();
        for (data, node) in NODES {
            let url = format!("http://127.0.0.1:{}/", free_port());
            let listen = url.trim_start_matches("http://").trim_end_matches('/');
            let (name, data) = (format!("en=Node {data}"), format!("nodes/{data}"));
            program.ok(&[
                "init",
                node,
                "--organization",
                "en=A test",
                "--name",
                &name,
                "--reuse",
                "CC-BY-4.0",
                "--listen",
                listen,
                "--url",
                &url,
                "--allow-network",
                "127.0.0.0/8",
                "--data",
                &data,
            ]);
        }
        let server = program.serve_in("nodes");
        Self { program, server }
    }

    fn on(&self, node: &str, arguments: &[&str]) -> String {
        let data = format!("nodes/{node}");
        self.program.ok(&[arguments, &["--data", &data]].concat())
    }

    fn json(&self, node: &str, arguments: &[&str]) -> serde_json::Value {
        let data = format!("nodes/{node}");
        self.program.json(&[arguments, &["--data", &data]].concat())
    }

    fn until(&self, node: &str, arguments: &[&str], word: &str) -> String {
        let data = format!("nodes/{node}");
        self.program.wait_for(&[arguments, &["--data", &data]].concat(), word)
    }

    /// A decision of the network.
    fn decide(&self, arguments: &[&str]) -> serde_json::Value {
        self.json("net", &[&["network"], arguments, &DECIDED].concat())
    }

    /// A node asks by mail, is registered, and gets its answer by mail.
    fn register(&self, data: &str, node: &str, fingerprint: &str) {
        let (root, request, answer) =
            (format!("nodes/{node}.root-key"), format!("{data}.join"), format!("{data}.answer"));
        let joined = self.on(
            data,
            &[
                "join",
                "network",
                "--fingerprint",
                fingerprint,
                "--root",
                &root,
                "--request",
                &request,
            ],
        );
        assert!(joined.contains("asks to take part in net.example"), "{joined}");
        let decided = self.decide(&["register", &request]);
        assert_eq!(decided["approved_here"], true, "{decided}");
        assert_eq!(decided["pending"].as_array().unwrap().len(), 0, "{decided}");
        self.on("net", &["network", "answer", node, &answer]);
        let taken = self.on(data, &["join", "--answer", &answer]);
        assert!(taken.contains("participating"), "{taken}");
    }

    fn statuses(&self, node: &str) -> Vec<(String, String)> {
        let answer = self.json(node, &["network", "status"]);
        let participants = answer["networks"][0]["participants"].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        participants.iter().map(|one| (text(&one["node"]), text(&one["status"]))).collect()
    }
}

#[test]
fn a_network_begins_grows_changes_its_committee_and_is_handed_over() {
    let world = World::new();
    let begun = world.json("net", &["network", "init", "-o", "network"]);
    let fingerprint = begun["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.split(' ').count(), 6, "{fingerprint}");
    let wrong = fingerprint.replace(|digit: char| digit.is_ascii_digit(), "1");
    let refused = world.program.fails(
        1,
        &["join", "network", "--fingerprint", &wrong, "--only-follow", "--data", "nodes/a"],
    );
    assert!(refused.contains("not the file that the network gave out"), "{refused}");
    for (data, node) in NODES.into_iter().skip(1) {
        world.register(data, node, fingerprint);
    }
    let again = ["network", "register", "a.join", "--yes", "--data", "nodes/net"];
    let refused = world.program.fails(1, &again);
    assert!(refused.contains("nothing is left to register"), "{refused}");
    the_hub_follows_them_all(&world);
    participation_pauses_and_ends(&world);
    a_verdict_travels(&world, fingerprint);
    the_committee_changes(&world);
    a_verdict_travels(&world, fingerprint);
    the_secretariat_changes(&world, fingerprint);
    world.server.stop();
}

fn the_hub_follows_them_all(world: &World) {
    world.until("hub", &["network", "status"], "b.example");
    let mut one = draft("Uno");
    one["states"] = serde_json::json!(["XA"]);
    world.program.write("one.json", &one.to_string());
    world.on("a", &["publish", "one.json", "--yes"]);
    world.until("hub", &["list"], "Uno");
    let peers = world.on("hub", &["peers"]);
    assert!(peers.contains("a.example") && peers.contains("b.example"), "{peers}");
    let waiting = world.on("hub", &["join", "--status"]);
    assert!(waiting.contains("waits for nothing"), "{waiting}");
    let url = world.server.url("hub.example");
    let port: u16 = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let host = format!("127.0.0.1:{port}");
    let page = get(port, &host, "/networks/net.example?lang=es");
    assert!(page.contains("Node a") && page.contains("Participantes"), "{page}");
}

/// A record of one node, as the hub has it, checked by nothing but the network file; then from a file alone.
fn a_verdict_travels(world: &World, fingerprint: &str) {
    let records = world.json("hub", &["list", "--feed", "a.example/public"]);
    let id = records["records"][0]["id"].as_str().unwrap().replace("urn:uuid:", "");
    let page = format!("{}records/a.example/public/{id}", world.server.url("hub.example"));
    let (program, network) = (&world.program, ["--network", "network"]);
    let asked = ["verify", &page, "--save", "one.jpb"];
    for judged in [
        program.json(&[&asked[..], &network].concat()),
        program.json(&[&["verify", "one.jpb"][..], &network].concat()),
        // The hub knows the network by itself.
        world.json("hub", &["verify", &format!("a.example/public/{id}")]),
        world.json("hub", &["verify", "one.jpb"]),
    ] {
        assert_eq!(judged["fingerprint"], fingerprint, "{judged}");
        assert_eq!((&judged["verified"], &judged["independent"]), (&true.into(), &true.into()));
        let links = judged["steps"].as_array().unwrap().iter();
        let links: Vec<&str> = links.map(|step| step["link"].as_str().unwrap()).collect();
        assert_eq!(links.len(), 10, "{judged}");
        assert!(links.starts_with(&["network", "policy", "participant"]), "{judged}");
    }
    let mut bytes = std::fs::read(program.path("one.jpb")).unwrap();
    let middle = bytes.len() / 2;
    bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
    std::fs::write(program.path("changed.jpb"), bytes).unwrap();
    program.fails(1, &["verify", "changed.jpb"]);
}

fn participation_pauses_and_ends(world: &World) {
    let shown = world.on("net", &["network", "pause", "b.example", "--dry-run"]);
    assert!(shown.contains("Nothing was published"), "{shown}");
    world.decide(&["pause", "b.example", "--status-reason", "own-request"]);
    world.until("hub", &["network", "status"], "Paused");
    world.decide(&["resume", "b.example"]);
    world.decide(&["end", "b.example"]);
    world.until("hub", &["network", "status"], "Ended");
    let peers = world.until("hub", &["peers", "--json"], "a.example");
    assert!(!peers.contains("\"node\":\"b.example\""), "{peers}");
    world.decide(&["group", "en=Neighbours", "--members", "a.example,hub.example"]);
    world.until("hub", &["network", "status"], "): a.example, hub.example");
}

/// From one that decides alone to two that must agree, one of whom answers by mail.
fn the_committee_changes(world: &World) {
    let networks = world.json("net", &["network", "status"]);
    let participants = networks["networks"][0]["participants"].as_array().unwrap();
    let root = |node: &str| {
        let one = participants.iter().find(|one| one["node"] == node).unwrap();
        format!("{node}={}", one["root"].as_str().unwrap())
    };
    let committee = format!("{},{}", root("a.example"), root("hub.example"));
    let decided = world.decide(&["policy", "--committee", &committee, "--threshold", "2"]);
    let id = decided["published"][0]["id"].as_str().unwrap();
    assert_eq!(decided["pending"].as_array().unwrap().len(), 1, "{decided}");
    world.until("a", &["approve", "--list"], id);
    world.until("hub", &["approve", "--list"], id);
    // It is due in a week, and not overdue the minute it is proposed.
    let dates = world.json("hub", &["status"])["calendar"]["dates"].clone();
    let due = dates.as_array().unwrap().iter().find(|date| date["what"] == "decision").unwrap();
    assert_eq!(due["state"], "soon", "{due}");
    let shown = world.on("a", &["approve", id, "--dry-run"]);
    assert!(shown.contains("2 of a.example, hub.example decide"), "{shown}");
    world.on("a", &["approve", id, "--yes"]);
    // It forgot to save it: the same command again does, although enough have approved meanwhile.
    let said = world.on("hub", &["approve", id, "--yes"]);
    assert!(said.contains("--save"), "{said}");
    let again = world.on("hub", &["approve", id, "--save", "hub.approval"]);
    assert!(
        again.contains("approved it already") && again.contains("Mail hub.approval"),
        "{again}"
    );
    world.on("net", &["network", "approvals", "import", "hub.approval"]);
    let confused = ["network", "register", "hub.approval", "--yes", "--data", "nodes/net"];
    let refused = world.program.fails(1, &confused);
    assert!(refused.contains("this is no request"), "{refused}");
    let nothing = ["network", "approvals", "import", "a.join", "--data", "nodes/net"];
    let refused = world.program.fails(1, &nothing);
    assert!(refused.contains("holds no approval"), "{refused}");
    world.until("net", &["network", "status"], "2 of a.example, hub.example");
    let no_day =
        ["resume", "b.example", "--decision-body", "en=It", "--decision-date", "2026-13-20"];
    let no_day = [&["network"], &no_day[..], &["--yes", "--data", "nodes/net"]].concat();
    let refused = world.program.fails(1, &no_day);
    assert!(refused.contains("no day"), "{refused}");
    // Decided twice, the newer one counts and the older one bothers nobody.
    world.decide(&["resume", "b.example"]);
    let ended = world.decide(&["resume", "b.example"]);
    assert_eq!(ended["pending"].as_array().unwrap().len(), 1, "{ended}");
    assert_eq!(ended["approved_here"], false, "{ended}");
    let id = ended["published"][0]["id"].as_str().unwrap();
    // Both have the same id: they wait for the newer document.
    let document = ended["pending"][0]["body"].as_str().unwrap();
    for node in ["a", "hub"] {
        world.until(node, &["approve", "--list", "--json"], document);
        world.on(node, &["approve", id, "--yes"]);
    }
    world.until("net", &["network", "status", "--json"], "\"pending\":[]");
    assert!(world.statuses("net").contains(&("b.example".into(), "participating".into())));
}

fn the_secretariat_changes(world: &World, fingerprint: &str) {
    let url = world.server.url("net.example");
    let said = world.on(
        "net",
        &[
            "network",
            "handover",
            "--root",
            "nodes/net.example.root-key",
            "--url",
            &url,
            "-o",
            "network-2",
        ],
    );
    assert!(said.contains("Drill") && !said.contains(fingerprint), "{said}");
    world.decide(&["group", "en=Far away", "--members", "b.example"]);
    let id = world.json("net", &["network", "status"]);
    let id = id["networks"][0]["pending"][0]["id"].as_str().unwrap().to_owned();
    for node in ["a", "hub"] {
        world.until(node, &["approve", "--list"], &id);
        world.on(node, &["approve", &id, "--yes"]);
    }
    world.until("hub", &["network", "status"], "): b.example");
    assert_eq!(world.statuses("hub").len(), 3);
}

#[test]
fn a_secretariat_that_moved_is_found_by_those_who_know_its_old_address() {
    let world = World::new();
    let begun = world.json("net", &["network", "init", "-o", "network"]);
    world.register("a", "a.example", begun["fingerprint"].as_str().unwrap());
    world.until("a", &["network", "status"], "a.example");
    let old = world.server.url("net.example");
    let World { program, server } = world;
    server.stop();
    let new = format!("http://127.0.0.1:{}/", free_port());
    let place = |url: &str| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let config = std::fs::read_to_string(program.path("nodes/net/jopoi.toml")).unwrap();
    program.write("nodes/net/jopoi.toml", &config.replace(&place(&old), &place(&new)));
    let handover = ["network", "handover", "--root", "nodes/net.example.root-key", "--url", &new];
    program.ok(&[&handover[..], &["-o", "network-2", "--data", "nodes/net"]].concat());
    let server = program.serve_in("nodes");
    let world = World { program, server };
    assert_eq!(world.server.url("net.example"), new);
    world.until("a", &["peers", "--json"], &new);
    world.decide(&["group", "en=Moved", "--members", "a.example"]);
    world.until("a", &["network", "status"], "Moved (");
    world.server.stop();
}

#[test]
fn a_root_key_is_asked_for_by_mail_and_used_only_once_the_network_states_it() {
    let world = World::new();
    let begun = world.json("net", &["network", "init", "-o", "network"]);
    let fingerprint = begun["fingerprint"].as_str().unwrap();
    world.register("a", "a.example", fingerprint);
    world.until("a", &["network", "status"], "a.example");
    let program = &world.program;
    let made = "keys ceremony a.example --organization en=A --name en=A --reuse CC-BY-4.0 -o made";
    program.ok(&made.split(' ').collect::<Vec<_>>());
    let new = "made/a.example.root-key";
    let use_it = ["keys", "recover", "--reinstated", "--root", new, "--data", "nodes/a"];
    let refused = program.fails(1, &use_it);
    assert!(refused.contains("no network that is known here states"), "{refused}");
    let before = world.json("a", &["status"])["feeds"].clone();
    let ask =
        ["join", "network", "--fingerprint", fingerprint, "--root", new, "--request", "again"];
    let said = world.on("a", &ask);
    assert!(said.contains("asks to be reinstated by net.example"), "{said}");
    assert_eq!(world.json("a", &["status"])["feeds"][0]["size"], before[0]["size"]);
    let stranger = program.fails(1, &[&ask[..], &["--data", "nodes/hub"]].concat());
    assert!(stranger.contains("does not record this node"), "{stranger}");
    let decided = world.decide(&["reinstate", "a.example", "again"]);
    let note = decided["pending"][0]["note"].as_str().unwrap();
    assert!(note.contains("counts from"), "{decided}");
    world.until("a", &["network", "status"], "given back its place");
    // Its seven days are not over.
    let refused = program.fails(1, &use_it);
    assert!(refused.contains("seven days"), "{refused}");
    let told = world.on("a", &["network", "status"]);
    assert!(!told.contains("nobody yet"), "{told}");
    world.server.stop();
}

#[test]
fn a_network_that_is_restored_stands_as_before_and_alarms_nobody() {
    let world = World::new();
    let program = &world.program;
    let root = program.ok(&["keys", "sign", "--check", "nodes/a.example.root-key"]);
    let committee = format!("a.example={}", root.lines().next().unwrap());
    let begin = ["network", "init", "-o", "network", "--committee", &committee];
    let begun = world.json("net", &begin);
    let fingerprint = begun["fingerprint"].as_str().unwrap();
    let approved = |what: &str| {
        let listed = world.until("a", &["approve", "--list"], what);
        let id = listed.split_whitespace().find(|word| word.starts_with("urn:uuid:")).unwrap();
        world.on("a", &["approve", id, "--yes", "--save", "approval"]);
        world.on("net", &["network", "approvals", "import", "approval"]);
        std::fs::remove_file(program.path("approval")).unwrap();
    };
    let root = "nodes/a.example.root-key";
    let join = ["join", "network", "--fingerprint", fingerprint, "--root", root];
    world.on("a", &[&join[..], &["--request", "a.join"]].concat());
    approved("decide from then on");
    world.decide(&["register", "a.join"]);
    approved("takes part");
    // Approvals are listed where they are asked for.
    assert!(!world.on("a", &["list"]).contains("attestation"));
    assert!(world.on("a", &["list", "--kind", "attestation"]).contains("attestation"));
    world.on("a", &["keys", "rotate", "--root", root]);
    world.until("net", &["peers", "--json"], "\"size\":5");
    let before = world.statuses("net");
    world.on("net", &["backup", "whole.jpb"]);
    let restore = ["restore", "whole.jpb", "--allow-network", "127.0.0.0/8", "--data", "anew"];
    let told = program.ends_with(&restore);
    assert!(!told.1.contains("does not count"), "{}", told.1);
    assert!(told.0.contains("a.example/public  5 entries"), "{}", told.0);
    let after = program.json(&["network", "status", "--data", "anew"]);
    let participants = after["networks"][0]["participants"].as_array().unwrap().clone();
    assert_eq!((before.len(), participants[0]["status"].as_str()), (1, Some("participating")));
    world.server.stop();
}

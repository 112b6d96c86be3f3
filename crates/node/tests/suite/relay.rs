//! A node that nobody can reach, its relays, and somebody who follows it there: real processes on loopback.

use crate::program::{Program, Server, draft, free_port};

const HIDDEN: &str = "simore.gov.py";

/// A node with its server.
struct Running {
    data: &'static str,
    url: String,
    root: String,
    _server: Server,
}

fn began(program: &Program, node: &str, data: &'static str) -> Running {
    let port = free_port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/"));
    let rest = "--state PY --name es=Mecanismo --language es --reuse CC-BY-4.0 --allow-network 127.0.0.0/8";
    let mut arguments = vec!["init", node, "--data", data, "--listen", &listen, "--url", &url];
    arguments.extend(rest.split(' '));
    let root = program.json(&arguments)["root"].as_str().unwrap().to_owned();
    Running { data, url, root, _server: program.serve_in(data) }
}

fn publish(program: &Program, title: &str) {
    program.write("draft.json", &draft(title).to_string());
    program.ok(&["publish", "draft.json", "--data", "hidden"]);
}

/// Writes the line `relays` of the configuration.
fn relayed_by(program: &Program, relays: &str) {
    let file = program.path("hidden").join("jopoi.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text.lines().map(|line| match line.trim_start_matches("# ") {
        known if known.starts_with("relays = ") => format!("relays = {relays}"),
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(text.contains(relays), "{text}");
    std::fs::write(file, text).unwrap();
}

/// What the operators of both sides do: the relay is followed, and follows by a file.
fn acquainted(program: &Program, relay: &Running, root: &str) {
    program.ok(&["follow", &relay.url, "--root", &relay.root, "--data", "hidden"]);
    let file = format!("for-{}.jpb", relay.data);
    let feed = format!("{HIDDEN}/public");
    program.ok(&["bundle", "export", &file, "--feed", &feed, "--data", "hidden"]);
    let said = program.ok(&["follow", &file, "--root", root, "--data", relay.data]);
    assert!(said.contains(&format!("Following {HIDDEN}")), "{said}");
}

#[test]
fn a_node_that_nobody_can_reach_moves_from_one_relay_to_another_and_followers_notice_nothing() {
    let program = Program::fresh();
    let (one, two) = (began(&program, "one.example", "one"), began(&program, "two.example", "two"));
    let reader = began(&program, "reader.example", "reader");
    let made = program.json(&program.init_in("hidden", HIDDEN));
    let root = made["root"].as_str().unwrap().to_owned();
    let key = program.path(&format!("{HIDDEN}.root-key"));
    let key = key.to_str().unwrap();
    acquainted(&program, &one, &root);
    relayed_by(&program, r#"["one.example"]"#);
    program.ok(&["keys", "rotate", "--root", key, "--url", &one.url, "--data", "hidden"]);
    let hidden = program.serve_in("hidden");
    publish(&program, "Detrás del cortafuegos");
    program.wait_for(&["list", "--data", "one"], "Detrás del cortafuegos");

    let refused = program.fails(
        1,
        &["follow", &one.url, "--node", "nobody.example", "--root", &root, "--data", "reader"],
    );
    assert!(refused.contains("nobody.example"), "{refused}");
    program.ok(&["follow", &one.url, "--node", HIDDEN, "--root", &root, "--data", "reader"]);
    program.wait_for(&["list", "--data", "reader"], "Detrás del cortafuegos");
    let doctor = program.json_ending_in_any_way(&["doctor", "--data", "hidden"]);
    let findings = doctor["findings"].as_array().unwrap();
    let relay = findings.iter().find(|finding| finding["area"] == "relay one.example").unwrap();
    assert_eq!(relay["result"], "ok", "{relay}");
    let address = findings.iter().find(|finding| finding["area"] == "address").unwrap();
    assert_eq!(address["result"], "ok", "{address}");

    // A second relay, then the addresses of both, then the first one goes.
    acquainted(&program, &two, &root);
    hidden.stop();
    relayed_by(&program, r#"["one.example", "two.example"]"#);
    let urls = ["--url", &one.url, "--url", &two.url];
    let mut rotate = vec!["keys", "rotate", "--root", key, "--data", "hidden"];
    rotate.extend(urls);
    program.ok(&rotate);
    let _hidden = program.serve_in("hidden");
    publish(&program, "Por los dos");
    program.wait_for(&["list", "--data", "two"], "Por los dos");
    program.wait_for(&["list", "--data", "reader"], "Por los dos");
    drop(one);
    publish(&program, "Solo por el segundo");
    program.wait_for(&["list", "--data", "two"], "Solo por el segundo");
    program.wait_for(&["list", "--data", "reader"], "Solo por el segundo");

    let scrubbed = program.ok(&["scrub", "--data", "reader"]);
    assert!(scrubbed.contains("All of it is whole."), "{scrubbed}");
    let doctor = program.json_ending_in_any_way(&["doctor", "--data", "reader"]).to_string();
    assert!(doctor.contains("objects read back"), "{doctor}");
    drop((reader, two));
}

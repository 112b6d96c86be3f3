//! Copies, by commands alone and between real nodes on loopback: a hosted node goes home, a burnt one comes
//! back from its peers, an older copy signs nothing until it has caught up.

use crate::program::{Program, Server, draft, free_port};

const NODE: &str = "simore.gov.py";

/// A node that can be reached, with its server.
struct Running {
    data: &'static str,
    url: String,
    root: String,
    server: Option<Server>,
}

fn began(program: &Program, node: &str, data: &'static str) -> Running {
    began_with(program, node, data, &[])
}

fn began_with(program: &Program, node: &str, data: &'static str, more: &[&str]) -> Running {
    let port = free_port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/"));
    let rest = "--state PY --name es=Mecanismo --language es --reuse CC-BY-4.0 --allow-network 127.0.0.0/8";
    let mut arguments = vec!["init", node, "--data", data, "--listen", &listen, "--url", &url];
    arguments.extend(rest.split(' ').chain(more.iter().copied()));
    let root = program.json(&arguments)["root"].as_str().unwrap().to_owned();
    let server = Some(program.serve_in(data));
    Running { data, url, root, server }
}

fn follow(program: &Program, who: &Running, whom: &Running) {
    program.ok(&["follow", &whom.url, "--root", &whom.root, "--data", who.data]);
}

fn publish(program: &Program, data: &str, title: &str) {
    program.write("draft.json", &draft(title).to_string());
    program.ok(&["publish", "draft.json", "--data", data]);
}

fn has_it(program: &Program, data: &str, title: &str) {
    program.wait_for(&["list", "--data", data], title);
}

/// Each follows the other, and both hold what was published.
fn acquainted(program: &Program, one: &Running, other: &Running) {
    follow(program, other, one);
    follow(program, one, other);
    publish(program, one.data, "Antes de todo");
    has_it(program, other.data, "Antes de todo");
}

fn listen_at(program: &Program, data: &str, port: u16) {
    let file = program.path(data).join("jopoi.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = text.lines().map(|line| {
        if line.trim_start_matches("# ").starts_with("listen = \"127.0.0.1:8080\"") {
            return format!("listen = \"127.0.0.1:{port}\"");
        }
        line.to_owned()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(text.contains(&format!(":{port}\"")), "{text}");
    std::fs::write(file, text).unwrap();
}

fn root_key(program: &Program, data: &str) -> String {
    let folder = program.path(data);
    let beside = folder.parent().unwrap();
    let path = beside.join(format!("{NODE}.root-key"));
    assert!(path.exists(), "{}", path.display());
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_hosted_node_goes_home_and_its_followers_notice_a_new_address() {
    let program = Program::fresh();
    std::fs::create_dir(program.path("host")).unwrap();
    let mut hosted = began(&program, NODE, "host/simore.gov.py");
    let follower = began(&program, "b.example", "b");
    acquainted(&program, &hosted, &follower);
    let key = root_key(&program, hosted.data);

    let said = program.ok(&["backup", "home.jpb", "--node", NODE, "--data", "host"]);
    assert!(said.contains("read it back") && said.contains("simore.gov.py/public"), "{said}");
    program.fails(1, &["backup", "home.jpb", "--node", NODE, "--data", "host"]);
    // Nobody else takes it.
    let refused = program.fails(1, &["bundle", "import", "home.jpb", "--data", "b"]);
    assert!(refused.contains("is the backup of simore.gov.py"), "{refused}");
    let refused = program.fails(1, &["restore", "home.jpb", "--data", "b"]);
    assert!(refused.contains("choose another with --data"), "{refused}");
    hosted.server.take().map(Server::stop).unwrap();

    let loopback = ["--allow-network", "127.0.0.0/8"];
    let mut restore = vec!["restore", "home.jpb", "--data", "home", "--root", &hosted.root];
    restore.extend(loopback);
    let said = program.ok(&restore);
    assert!(said.contains("It may be signed"), "{said}");
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    listen_at(&program, "home", port);
    program.ok(&["keys", "rotate", "--root", &key, "--url", &url, "--data", "home"]);
    let _home = program.serve_in("home");
    publish(&program, "home", "En casa");
    // The old address is dead: a stick tells the new one.
    program.ok(&[
        "bundle",
        "export",
        "news.jpb",
        "--feed",
        "simore.gov.py/public",
        "--data",
        "home",
    ]);
    program.ok(&["bundle", "import", "news.jpb", "--data", "b"]);
    publish(&program, "home", "Por la red");
    has_it(&program, "b", "Por la red");
    let seen = program.json(&["list", "--data", "b"]).to_string();
    assert!(seen.contains("Antes de todo") && seen.contains("En casa"), "{seen}");
}

#[test]
fn after_a_fire_a_node_comes_back_from_two_peers_and_goes_on() {
    let program = Program::fresh();
    let mut burnt = began(&program, NODE, "a");
    let (one, two) = (began(&program, "b.example", "b"), began(&program, "c.example", "c"));
    acquainted(&program, &burnt, &one);
    follow(&program, &two, &burnt);
    publish(&program, "a", "Lo último");
    has_it(&program, "b", "Lo último");
    has_it(&program, "c", "Lo último");
    let key = root_key(&program, "a");
    let before = program.json(&["backup", "before.jpb", "--own", "--data", "a"]);
    burnt.server.take().map(Server::stop).unwrap();
    std::fs::remove_dir_all(program.path("a")).unwrap();

    let mut restore = vec!["restore", "--from-network", "--node", NODE, "--root", &burnt.root];
    restore.extend(["--url", &one.url, "--url", &two.url, "--data", "anew"]);
    restore.extend(["--allow-network", "127.0.0.0/8"]);
    let back = program.json(&restore);
    assert_eq!(back["feeds"][0]["root"], before["feeds"][0]["root"], "{back}");
    assert_eq!(back["feeds"][0]["state"], "open", "{back}");
    assert_eq!(back["feeds"][0]["agree"].as_array().unwrap().len(), 2, "{back}");
    program.write("draft.json", &draft("Sin llaves").to_string());
    program.fails(1, &["publish", "draft.json", "--data", "anew"]);
    program.ok(&["keys", "rotate", "--root", &key, "--data", "anew"]);
    publish(&program, "anew", "Otra vez");
}

#[test]
fn a_node_that_burnt_during_a_recovery_comes_back_with_it() {
    let program = Program::fresh();
    let mut burnt = began_with(&program, NODE, "a", &["--recovery"]);
    let peer = began(&program, "b.example", "b");
    acquainted(&program, &burnt, &peer);
    let key = root_key(&program, "a");
    let recovery = format!("{NODE}.recovery-key");
    program.ok(&["keys", "recover", "--recovery", &recovery, "--data", "a"]);
    program.ok(&["keys", "object", "--root", &key, "--data", "a"]);
    publish(&program, "a", "Lo último");
    has_it(&program, "b", "Lo último");
    let recoveries = |data: &str| {
        let status = program.json(&["keys", "status", "--data", data]);
        let one = status["keys"]["recoveries"][0].clone();
        (one["node"].to_string(), one["new_root"].to_string(), one["contested"].to_string())
    };
    let before = recoveries("a");
    assert_eq!(before.2, "true");
    burnt.server.take().map(Server::stop).unwrap();
    std::fs::remove_dir_all(program.path("a")).unwrap();
    let mut restore = vec!["restore", "--from-network", "--node", NODE, "--root", &burnt.root];
    restore.extend(["--url", &peer.url, "--data", "anew", "--allow-network", "127.0.0.0/8"]);
    program.ok(&restore);
    assert_eq!(recoveries("anew"), before);
    for change in [&["rotate"][..], &["revoke", "--from-size", "1", "--reason", "lost"]] {
        let change = [&["keys"], change, &["--root", &key, "--data", "anew"]].concat();
        let refused = program.fails(1, &change);
        assert!(refused.contains("is announced for this node"), "{refused}");
    }
    let new = format!("{NODE}.root-key.new");
    let anyway = ["keys", "recover", "--reinstated", "--root", &new, "--data", "anew"];
    let refused = program.fails(1, &anyway);
    assert!(refused.contains("no network that is known here"), "{refused}");
}

#[test]
fn an_older_copy_signs_nothing_until_it_has_caught_up() {
    let program = Program::fresh();
    let mut original = began(&program, NODE, "a");
    let peer = began(&program, "b.example", "b");
    acquainted(&program, &original, &peer);
    original.server.take().map(Server::stop).unwrap();
    let copied = std::process::Command::new("cp")
        .args(["-r"])
        .arg(program.path("a"))
        .arg(program.path("copy"))
        .status()
        .unwrap();
    assert!(copied.success());
    let again = program.serve_in("a");
    publish(&program, "a", "Después de la copia");
    // It was away for a moment: to follow it again is to ask at once.
    follow(&program, &peer, &original);
    has_it(&program, "b", "Después de la copia");
    again.stop();

    program.write("draft.json", &draft("Dos veces").to_string());
    let refused = program.fails(1, &["publish", "draft.json", "--data", "copy"]);
    assert!(refused.contains("jopoi restore --from-network"), "{refused}");
    let said = program.ok(&["restore", "--from-network", "--data", "copy"]);
    assert!(said.contains("It may be signed"), "{said}");
    publish(&program, "copy", "Una sola vez");
    drop(peer);
}

#[test]
fn what_is_lost_for_good_is_given_up_by_the_root_alone() {
    let program = Program::fresh();
    let mut original = began(&program, NODE, "a");
    let peer = began(&program, "b.example", "b");
    acquainted(&program, &original, &peer);
    let key = root_key(&program, "a");
    program.ok(&["backup", "old.jpb", "--data", "a"]);
    publish(&program, "a", "Perdido");
    has_it(&program, "b", "Perdido");
    original.server.take().map(Server::stop).unwrap();
    let mut restore = vec!["restore", "old.jpb", "--data", "anew", "--root", &original.root];
    restore.extend(["--allow-network", "127.0.0.0/8"]);
    let told = program.fails(3, &restore);
    assert!(told.contains("older copy") && told.contains("jopoi restore --from-network"), "{told}");
    let said = program.ok(&["restore", "--accept-loss", "--root-file", &key, "--data", "anew"]);
    assert!(said.contains("goes on as simore.gov.py/public-2"), "{said}");
    program.write("draft.json", &draft("Después").to_string());
    program.fails(1, &["publish", "draft.json", "--data", "anew"]);
    program.ok(&["publish", "draft.json", "--feed", "public-2", "--data", "anew"]);
    let kept = program.json(&["list", "--data", "anew"]).to_string();
    assert!(kept.contains("Antes de todo") && kept.contains("Después"), "{kept}");
    drop(peer);
}

#[test]
fn a_backup_brings_back_what_only_some_may_read_and_whom_the_node_followed() {
    let program = Program::fresh();
    let mut node = began(&program, NODE, "a");
    let peer = began(&program, "b.example", "b");
    acquainted(&program, &node, &peer);
    let made = program.json(&["feed", "new", "--nodes", "b.example", "--data", "a"]);
    let origin = made["origin"].as_str().unwrap().to_owned();
    let name = origin.split_once('/').unwrap().1.to_owned();
    program.write("draft.json", &draft("Entre nosotros").to_string());
    program.ok(&["publish", "draft.json", "--feed", &name, "--data", "a"]);
    // While the server serves, and after it is gone.
    program.ok(&["backup", "whole.jpb", "--data", "a"]);
    node.server.take().map(Server::stop).unwrap();
    drop(peer);
    let mut restore = vec!["restore", "whole.jpb", "--data", "anew", "--root", &node.root];
    restore.extend(["--allow-network", "127.0.0.0/8"]);
    // The only one who could say that this is the newest state cannot be reached: nothing is signed.
    program.ends(3, &restore);
    let listed = program.ok(&["list", "--feed", &origin, "--data", "anew"]);
    assert!(listed.contains("Entre nosotros"), "{listed}");
    let peers = program.ok(&["peers", "--data", "anew"]);
    assert!(peers.contains("b.example"), "{peers}");
    let scrubbed = program.ok(&["scrub", "--data", "anew"]);
    assert!(scrubbed.contains("All of it is whole."), "{scrubbed}");
}

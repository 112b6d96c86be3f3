//! The program as a person uses it: the built binary in a fresh directory, its words, its exit codes.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{self, Program, draft};

#[test]
fn a_node_is_made_and_says_what_to_do_next() {
    let program = Program::fresh();
    let made = program.init("simore.gov.py");
    for word in ["did:key:z6Mk", "simore.gov.py.root-key", "jopoi serve", "jopoi publish"] {
        assert!(made.contains(word), "`{word}` is missing in:\n{made}");
    }
    let mode = |path: &str| program.path(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("simore.gov.py.root-key"), 0o600);
    assert_eq!(mode("jopoi-data/keys/online"), 0o600);
    assert_eq!(mode("jopoi-data"), 0o700);
}

#[test]
fn a_record_is_published_listed_shown_verified_and_withdrawn() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    program::publish_to_withdrawal(&program);
}

#[test]
fn every_command_works_the_same_beside_a_running_server() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let server = program.serve();
    program::publish_to_withdrawal(&program);
    let page = program.ok(&["list", "--json"]);
    assert!(page.contains("\"records\""), "{page}");
    server.stop();
    // The record is there without the server too.
    assert!(program.ok(&["list", "--json"]).contains("\"records\""));
}

#[test]
fn every_fault_of_a_draft_is_named_with_its_place_and_nothing_is_published() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let mut faulty = draft("Uno");
    faulty["capacities"] = serde_json::json!(["flying"]);
    faulty["basis"] = "hearsay".into();
    program.write("faulty.json", &faulty.to_string());
    program.write("good.json", &draft("Dos").to_string());
    let refused = program.fails(1, &["publish", "good.json", "faulty.json"]);
    for word in ["nothing was published", "faulty.json", "capacities[0]", "basis"] {
        assert!(refused.contains(word), "`{word}` is missing in:\n{refused}");
    }
    assert!(!program.ok(&["list"]).contains("Dos"));
}

#[test]
fn what_looks_like_personal_data_is_published_only_when_a_person_says_so() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let mut personal = draft("Uno");
    personal["context"] = serde_json::json!({"es": "Escriba a maria.perez@example.org"});
    program.write("personal.json", &personal.to_string());
    let asked = program.fails(2, &["publish", "personal.json"]);
    assert!(asked.contains("context.es") && asked.contains("--yes"), "{asked}");
    program.ok(&["publish", "--yes", "personal.json"]);
}

#[test]
fn a_node_is_never_overwritten() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let key = std::fs::read(program.path("jopoi-data/keys/online")).unwrap();
    let refused = program.fails(1, &program.init_arguments("other.gov.py"));
    assert!(refused.contains("jopoi-data"), "{refused}");
    assert_eq!(std::fs::read(program.path("jopoi-data/keys/online")).unwrap(), key);
    assert!(!program.path("other.gov.py.root-key").exists());
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused_by_name() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let file = program.path("jopoi-data/jopoi.toml");
    let text = format!("listenn = \"127.0.0.1:1\"\n{}", std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, text).unwrap();
    let refused = program.fails(1, &["list"]);
    assert!(refused.contains("listenn") && refused.contains("jopoi config"), "{refused}");
}

#[test]
fn a_node_whose_name_was_changed_in_the_configuration_does_not_open() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let file = program.path("jopoi-data/jopoi.toml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace("\"simore.gov.py\"", "\"other.gov.py\"");
    std::fs::write(&file, text).unwrap();
    let refused = program.fails(1, &["list"]);
    assert!(refused.contains("no feed of `other.gov.py`"), "{refused}");
}

#[test]
fn a_key_that_others_can_read_stops_the_node_with_the_command_to_run() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let key = program.path("jopoi-data/keys/online");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = program.fails(1, &["list"]);
    assert!(refused.contains("chmod 600 ") && refused.contains("keys/online"), "{refused}");
}

#[test]
fn a_second_server_on_a_directory_names_the_process_that_has_it() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let server = program.serve();
    let refused = program.fails(1, &["serve"]);
    assert!(refused.contains(&server.id().to_string()), "{refused}");
    server.stop();
}

#[test]
fn a_directory_without_a_node_is_an_error_that_says_what_to_do() {
    let program = Program::fresh();
    let refused = program.fails(1, &["list"]);
    assert!(refused.contains("jopoi init"), "{refused}");
    program.fails(2, &["publish"]);
    program.fails(2, &["show", "practice-1"]);
    program.fails(2, &["no-such-command"]);
}

#[test]
fn two_nodes_follow_each_other_in_one_process() {
    let program = Program::fresh();
    program.ok(&program.init_in("nodes/a", "a.example"));
    program.ok(&program.init_in("nodes/b", "b.example"));
    let server = program.serve_in("nodes");
    let url = server.url("a.example");
    program.write("one.json", &draft("Uno").to_string());
    program.ok(&["publish", "--data", "nodes/a", "one.json"]);
    let asked = program.fails(2, &["follow", "--data", "nodes/b", &url]);
    assert!(asked.contains("--root"), "{asked}");
    let wrong = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    program.fails(1, &["follow", "--data", "nodes/b", &url, "--root", wrong]);
    program.ok(&["follow", "--data", "nodes/b", &url, "--yes"]);
    let copied = program.wait_for(&["list", "--data", "nodes/b", "--json"], "Uno");
    assert!(copied.contains("a.example/public"), "{copied}");
    let left = program.ok(&["unfollow", "--data", "nodes/b", "a.example", "--forget"]);
    assert!(left.contains("deleted"), "{left}");
    server.stop();
}

#[test]
fn nodes_that_share_an_address_are_told_apart_by_the_host_that_is_asked_for() {
    let program = Program::fresh();
    let port = program::free_port();
    let address = format!("127.0.0.1:{port}");
    for node in ["a.example", "b.example"] {
        let (data, url) = (format!("nodes/{node}"), format!("http://{node}:{port}/"));
        let made = [
            "init",
            node,
            "--state",
            "PY",
            "--name",
            "es=Nodo",
            "--reuse",
            "CC-BY-4.0",
            "--listen",
            &address,
        ];
        program.ok(&[&made[..], &["--data", &data, "--url", &url]].concat());
    }
    let server = program.serve_in("nodes");
    for node in ["a.example", "b.example"] {
        let answer = program::get(port, &format!("{node}:{port}"), "/.well-known/jopoi");
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("\"node\":\"{node}\"")),
            "{answer}"
        );
    }
    let stranger = program::get(port, "c.example", "/.well-known/jopoi");
    assert!(stranger.starts_with("HTTP/1.1 421"), "{stranger}");
    server.stop();
}

#[test]
fn a_sheet_is_imported_once_and_its_faulty_rows_are_told_by_cell() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let form = program.ok(&["form", "good-practice", "--language", "es", "-o", "form.xlsx"]);
    assert!(form.contains("jopoi import form.xlsx"), "{form}");
    program.fails(1, &["form", "good-practice", "-o", "form.xlsx"]);
    let sheet = "kind,id,title,summary,language,basis,capacities\n\
                 good-practice,p-1,Uno,Qué se hace,es,own-statement,coordination\n\
                 good-practice,p-2,Dos,Qué se hace,es,own-statement,flying\n";
    program.write("sheet.csv", sheet);
    let asked = program.fails(2, &["import", "sheet.csv"]);
    assert!(asked.contains("1 new and 0 changed"), "{asked}");
    assert!(!program.ok(&["list"]).contains("Uno"));
    let told = program.ends(3, &["import", "sheet.csv", "--yes"]);
    assert!(told.contains("refused") && told.contains("flying"), "{told}");
    assert!(program.ok(&["list"]).contains("Uno"));
    // The same sheet again, put right: one row is known, one is new.
    program.write("sheet.csv", &sheet.replace("flying", "consultation"));
    let told = program.ok(&["import", "sheet.csv", "--yes"]);
    assert!(told.contains("unchanged") && told.contains("Published 1 records"), "{told}");
    program
        .write("sheet.csv", &sheet.replace("flying", "consultation").replace("Uno", "Uno y medio"));
    let told = program.ok(&["import", "sheet.csv", "--yes"]);
    assert!(told.contains("changes title"), "{told}");
}

#[test]
fn the_sample_configuration_is_what_the_program_prints() {
    let program = Program::fresh();
    let kept = include_str!("../../../../deploy/jopoi.toml");
    assert_eq!(
        program.ok(&["config", "--sample"]),
        kept,
        "run `jopoi config --sample >deploy/jopoi.toml`"
    );
}

#[test]
fn the_demo_tells_its_nodes_once_everything_is_verified() {
    let program = Program::fresh();
    let lines = program.ok(&["demo", "--json", "--exit"]);
    let nodes: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hub: Vec<_> = nodes.iter().filter(|node| node["role"] == "hub").collect();
    assert_eq!(hub.len(), 1);
    assert_eq!(
        hub[0]["feeds"].as_array().unwrap().len(),
        nodes.len(),
        "its own feed and one of each"
    );
    for node in nodes.iter().filter(|node| node["role"] == "node") {
        assert!(node["name"].as_str().unwrap().starts_with("documentation-"), "{node}");
        assert!(node["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{node}");
        assert!(hub[0]["feeds"].as_array().unwrap().contains(&node["feeds"][0]), "{node}");
    }
}

#[test]
fn a_page_of_the_gateway_becomes_a_draft_a_record_and_a_new_version() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let page = |mandate: &str| {
        format!(
            "<html lang=\"en\"><h1>Paraguay</h1><h2>Summary</h2><p>A mechanism.</p>\
             <h3>MANDATE</h3><p>{mandate}</p><h3>Weather</h3><p>Sunny.</p></html>"
        )
    };
    program.write("page.html", &page("Reports."));
    let said = program.ok(&["import", "--gateway", "page.html", "--draft", "draft.json"]);
    assert!(said.contains("placed     MANDATE -> mandate"), "{said}");
    assert!(said.contains("no place   Weather") && said.contains("jopoi publish draft.json"));
    let draft = std::fs::read_to_string(program.path("draft.json")).unwrap();
    assert!(draft.contains("compiled-from-public-sources") && !draft.contains("Sunny"), "{draft}");
    let left = std::fs::read_to_string(program.path("draft.no-place.txt")).unwrap();
    assert!(left.contains("Sunny."), "{left}");
    // A draft that somebody corrects is not written over.
    program.fails(1, &["import", "--gateway", "page.html", "--draft", "draft.json"]);
    assert!(program.ok(&["preview", "draft.json"]).contains("Nothing was written"));

    program.ok(&["import", "--gateway", "page.html", "--yes"]);
    program.write("page.html", &page("Reports and follow-up."));
    let said = program.ok(&["import", "--gateway", "page.html", "--yes"]);
    assert!(said.contains("changed    profile 1") && said.contains("changes mandate"), "{said}");
    program.write("page.html", "%PDF-1.7");
    let refused = program.fails(1, &["import", "--gateway", "page.html"]);
    assert!(refused.contains("a PDF document"), "{refused}");
    program.fails(2, &["import", "page.html", "--state", "PY"]);
}

#[test]
fn what_is_not_there_is_told_as_such() {
    let program = Program::fresh();
    let nobody = program.ends(1, &["doctor", "--data", "nowhere"]);
    assert!(nobody.contains("no node in nowhere") && !nobody.contains("jopoi config"), "{nobody}");
    // To look at a node from outside needs no node.
    let url = format!("http://127.0.0.1:{}/", program::free_port());
    let looked = program.ends(1, &["probe", &url]);
    assert!(looked.contains("address"), "{looked}");
    program.init("simore.gov.py");
    program.write("one.json", &draft("Uno").to_string());
    program.ok(&["publish", "one.json"]);
    let verified = program.fails(2, &["verify", "nofile"]);
    assert!(verified.contains("no file `nofile`"), "{verified}");
    let feed = "simore.gov.py/public";
    for rest in [&["--feed", feed][..], &[]] {
        let export = [&["bundle", "export", "b.jpb", "--from", "99999"], rest].concat();
        let refused = program.fails(1, &export);
        assert!(refused.contains("99999"), "{refused}");
        assert!(!program.path("b.jpb").exists());
    }
    let help = program.ok(&["keys", "ceremony", "--help"]);
    assert!(help.contains("--no-recovery") && !help.contains("--listen"), "{help}");
}

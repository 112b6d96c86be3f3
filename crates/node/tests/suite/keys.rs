//! Keys as a person handles them: made, encrypted, changed, revoked, recovered, rehearsed.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{self, Program, draft};

const NODE: &str = "simore.gov.py";
const ROOT: &str = "simore.gov.py.root-key";
const PASSPHRASE: &str = "five words chosen by dice";

fn node() -> Program {
    let program = Program::fresh();
    let mut arguments = program.init_arguments(NODE);
    arguments.push("--recovery");
    program.ok(&arguments);
    program.write("one.json", &draft("Uno").to_string());
    private(&program, "passphrase", PASSPHRASE);
    program
}

/// A file of mode 0600.
fn private(program: &Program, name: &str, text: &str) {
    program.write(name, text);
    let path = program.path(name);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn encrypted() -> Program {
    let program = node();
    program.ok(&["keys", "encrypt", "--passphrase-file", "passphrase"]);
    program
}

fn online(program: &Program, slot: &str) -> Vec<u8> {
    std::fs::read(program.path(&format!("jopoi-data/keys/{slot}"))).unwrap_or_default()
}

fn read(program: &Program, name: &str) -> String {
    std::fs::read_to_string(program.path(name)).unwrap()
}

#[test]
fn an_encrypted_node_publishes_with_its_passphrase_alone() {
    let program = encrypted();
    assert!(online(&program, "online").starts_with(b"age-encryption.org/v1\n"));
    let locked = program.fails(1, &["publish", "one.json"]);
    assert!(locked.contains("locked"), "{locked}");
    assert_eq!(program.json(&["keys", "status"])["keys"]["state"], "locked");
    program.ok(&["publish", "one.json", "--passphrase-file", "passphrase"]);
    program.ok(&["keys", "decrypt", "--passphrase-file", "passphrase"]);
    program.ok(&["publish", "one.json"]);
}

#[test]
fn a_locked_server_serves_and_verifies_and_publishes_once_it_is_unlocked() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    program.ok(&["keys", "encrypt", "--passphrase-file", "passphrase"]);
    let server = program.serve();
    assert!(program.ok(&["list"]).contains("Uno"), "a locked node shows what it holds");
    let refused = program.fails(1, &["publish", "one.json"]);
    assert!(refused.contains("locked"), "{refused}");
    private(&program, "wrong", "five words chosen by chance");
    let wrong = program.fails(1, &["keys", "unlock", "--passphrase-file", "wrong"]);
    assert!(wrong.contains("passphrase is wrong"), "{wrong}");
    program.ok(&["keys", "unlock", "--passphrase-file", "passphrase"]);
    program.ok(&["publish", "one.json"]);
    server.stop();
}

#[test]
fn a_passphrase_others_can_read_or_guess_is_refused() {
    let program = node();
    program.write("open", PASSPHRASE);
    let path = program.path("open");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = program.fails(1, &["keys", "encrypt", "--passphrase-file", "open"]);
    assert!(refused.contains("chmod 600"), "{refused}");
    private(&program, "short", "secret");
    let refused = program.fails(1, &["keys", "encrypt", "--passphrase-file", "short"]);
    assert!(refused.contains("12 or more"), "{refused}");
    assert!(online(&program, "online").starts_with(b"jopoi online secret"));
}

#[test]
fn an_encrypted_secret_that_was_cut_short_is_told_as_damaged() {
    let program = encrypted();
    let path = program.path("jopoi-data/keys/online");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let refused = program.fails(1, &["publish", "one.json", "--passphrase-file", "passphrase"]);
    assert!(refused.contains("damaged") && refused.contains("backup"), "{refused}");
}

#[test]
fn a_systemd_credential_opens_an_encrypted_secret() {
    let program = encrypted();
    std::fs::create_dir(program.path("credentials")).unwrap();
    private(&program, "credentials/online-passphrase", PASSPHRASE);
    program.ok_with_credentials("credentials", &["publish", "one.json"]);
    // A credential of yesterday leaves the node locked, and serving.
    private(&program, "credentials/online-passphrase", "words of yesterday");
    let status = program.ok_with_credentials("credentials", &["keys", "status", "--json"]);
    assert!(status.contains("\"state\":\"locked\""), "{status}");
}

#[test]
fn a_systemd_credential_stands_in_for_the_secret_until_it_is_changed() {
    let program = node();
    std::fs::create_dir(program.path("credentials")).unwrap();
    let from = program.path("jopoi-data/keys/online");
    std::fs::rename(from, program.path("credentials/online-secret")).unwrap();
    program.ok_with_credentials("credentials", &["publish", "one.json"]);
    let said = program.ok_with_credentials("credentials", &["keys", "rotate", "--root", ROOT]);
    assert!(said.contains("credential online-secret still holds"), "{said}");
    program.ok_with_credentials("credentials", &["publish", "one.json"]);
    assert!(!online(&program, "online").is_empty());
}

#[test]
fn a_rotation_makes_new_keys_and_the_node_goes_on() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    let dry = program.ok(&["keys", "rotate", "--root", ROOT, "--dry-run"]);
    assert!(dry.contains("generation 2") && dry.contains("Nothing was written"), "{dry}");
    assert!(online(&program, "online.next").is_empty());
    let said = program.ok(&["keys", "rotate", "--root", ROOT, "--url", "https://new.example.org/"]);
    assert!(said.contains("Published as entry 2 of simore.gov.py/public"), "{said}");
    let status = program.json(&["keys", "status"]);
    assert_eq!(status["keys"]["keys"][0]["generation"], 2);
    assert!(status["keys"]["former"]["key"].is_string(), "{status}");
    program.ok(&["publish", "one.json"]);
    let description = program.json(&["keys", "rotate", "--root", ROOT, "--dry-run"]);
    assert_eq!(description["subject"]["urls"][0], "https://new.example.org/");
}

#[test]
fn a_key_that_is_not_the_root_changes_nothing() {
    let program = node();
    let refused = program.fails(1, &["keys", "rotate", "--root", "simore.gov.py.recovery-key"]);
    assert!(refused.contains("give the file of that key"), "{refused}");
    assert_eq!(program.json(&["keys", "status"])["keys"]["keys"][0]["generation"], 1);
}

#[test]
fn a_rotation_cut_off_before_its_record_was_published_is_told_and_finished() {
    let program = node();
    // The new secret is written, and nothing published: as if it had been killed there.
    program.ok(&["keys", "rotate", "--request", "request.json"]);
    let made = online(&program, "online.next");
    assert!(!made.is_empty());
    let status = program.json(&["keys", "status"]);
    assert_eq!(status["keys"]["keys"][0]["generation"], 1);
    let step = status["keys"]["open_step"].as_str().unwrap();
    assert!(step.contains("run the same") && step.contains("online.next"), "{step}");
    program.ok(&["publish", "one.json"]);
    program.ok(&["keys", "rotate", "--root", ROOT]);
    assert_eq!(online(&program, "online"), made, "the keys that were made are the ones in use");
    assert!(program.json(&["keys", "status"])["keys"]["open_step"].is_null());
}

#[test]
fn a_rotation_cut_off_after_its_record_was_published_is_finished_at_the_next_start() {
    let program = node();
    program.ok(&["keys", "rotate", "--root", ROOT]);
    let (now, before) = (online(&program, "online"), online(&program, "online.former"));
    let keys = program.path("jopoi-data/keys");
    std::fs::rename(keys.join("online"), keys.join("online.next")).unwrap();
    std::fs::rename(keys.join("online.former"), keys.join("online")).unwrap();
    program.ok(&["publish", "one.json"]);
    assert_eq!(online(&program, "online"), now);
    assert_eq!(online(&program, "online.former"), before);
    assert!(online(&program, "online.next").is_empty());
    // Killed between the two renames.
    std::fs::rename(keys.join("online"), keys.join("online.next")).unwrap();
    program.ok(&["publish", "one.json"]);
    assert_eq!(online(&program, "online"), now);
}

#[test]
fn an_encrypted_secret_is_rotated_encrypted() {
    let program = encrypted();
    let refused = program.fails(1, &["keys", "rotate", "--root", ROOT]);
    assert!(refused.contains("--passphrase-file"), "{refused}");
    program.ok(&["keys", "rotate", "--root", ROOT, "--passphrase-file", "passphrase"]);
    assert!(online(&program, "online").starts_with(b"age-encryption.org/v1\n"));
    program.ok(&["publish", "one.json", "--passphrase-file", "passphrase"]);
}

#[test]
fn a_secret_that_was_lost_is_replaced_by_the_root() {
    let program = node();
    std::fs::remove_file(program.path("jopoi-data/keys/online")).unwrap();
    let refused = program.fails(1, &["publish", "one.json"]);
    assert!(refused.contains("locked"), "{refused}");
    assert_eq!(program.json(&["keys", "status"])["keys"]["state"], "lost");
    program.ok(&["keys", "rotate", "--root", ROOT]);
    program.ok(&["publish", "one.json"]);
}

#[test]
fn a_revocation_lists_what_is_to_be_published_again() {
    let program = node();
    program.ok(&["publish", "one.json", "one.json"]);
    let arguments = ["keys", "revoke", "--root", ROOT, "--from-size", "2", "--reason", "stolen"];
    let dry = program.ok(&[&arguments[..], &["--dry-run"]].concat());
    assert!(dry.contains("entry 2 of simore.gov.py/public"), "{dry}");
    assert!(!dry.contains("entry 1 of"), "{dry}");
    program.ok(&arguments);
    assert!(online(&program, "online.former").is_empty(), "a stolen key signs nothing more");
    let disowned = program.json(&["keys", "status"])["keys"]["disowned"].clone();
    assert_eq!(disowned[0]["index"], 2, "{disowned}");
    program.ok(&["publish", "one.json"]);
    let beyond = ["keys", "revoke", "--root", ROOT, "--from-size", "99", "--reason", "lost"];
    let refused = program.fails(1, &beyond);
    assert!(refused.contains("entries"), "{refused}");
}

#[test]
fn a_revocation_never_uses_the_secret_that_lay_there_when_the_keys_were_stolen() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    program.ok(&["keys", "rotate", "--request", "never-signed.json"]);
    let copied = online(&program, "online.next");
    assert!(!copied.is_empty());
    program.ok(&["keys", "revoke", "--root", ROOT, "--from-size", "2", "--reason", "stolen"]);
    assert_ne!(online(&program, "online"), copied);
}

#[test]
fn a_revocation_in_a_restricted_feed_stands_in_its_own_record_also_when_signed_elsewhere() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    let made = program.json(&["feed", "new", "--nodes", "hub.example"]);
    let origin = made["origin"].as_str().unwrap().to_owned();
    let feed = origin.split('/').next_back().unwrap();
    program.ok(&["publish", "one.json", "one.json", "--feed", feed]);
    let mut revoke = vec!["keys", "revoke", "--reason", "stolen", "--feed", feed];
    revoke.extend(["--from-size", "3"]);
    program.ok(&[&revoke[..], &["--request", "request.json"]].concat());
    program.ok(&["keys", "sign", "request.json", "--key", ROOT, "-o", "signed.json"]);
    assert_eq!(read(&program, "signed.json").lines().count(), 2);
    let said = program.ok(&["keys", "publish", "signed.json"]);
    assert!(said.contains(&format!("Published as entry 5 of {origin}")), "{said}");
    let node_record = program.json(&["keys", "rotate", "--root", ROOT, "--dry-run"]);
    let node_record = node_record["subject"].to_string();
    assert!(node_record.contains("stolen") && !node_record.contains(feed), "{node_record}");
    let disowned = program.json(&["keys", "status"])["keys"]["disowned"].clone();
    assert_eq!(disowned.as_array().unwrap().len(), 1, "{disowned}");
    assert_eq!((&disowned[0]["index"], &disowned[0]["origin"]), (&3.into(), &made["origin"]));
    program.ok(&["publish", "one.json", "--feed", feed]);
    program.ok(&["publish", "one.json"]);
}

#[test]
fn a_recovery_is_announced_and_says_when_it_can_be_finished() {
    let program = node();
    let nothing = program.fails(1, &["keys", "object", "--root", ROOT]);
    assert!(nothing.contains("nothing to object to"), "{nothing}");
    let nothing = program.fails(1, &["keys", "recover", "--finish", "--root", ROOT]);
    assert!(nothing.contains("nothing is to be finished"), "{nothing}");
    let refused = program.fails(1, &["keys", "recover", "--recovery", ROOT]);
    assert!(refused.contains("give the file of that key"), "{refused}");
    assert!(!program.path("simore.gov.py.root-key.new").exists(), "a key that nobody announced");
    let said = program.ok(&["keys", "recover", "--recovery", "simore.gov.py.recovery-key"]);
    assert!(said.contains("72 hours") && said.contains("root-key.new"), "{said}");
    let status = program.json(&["keys", "status"]);
    assert_eq!(status["keys"]["recoveries"][0]["node"], NODE);
    let again = program.fails(1, &["keys", "recover", "--recovery", "simore.gov.py.recovery-key"]);
    assert!(again.contains("is announced since 2") && again.contains("--finish"), "{again}");
    let early =
        program.fails(1, &["keys", "recover", "--finish", "--root", "simore.gov.py.root-key.new"]);
    assert!(early.contains("72 hours end at"), "{early}");
    let refused = program.fails(1, &["keys", "rotate", "--root", ROOT]);
    assert!(refused.contains("is announced"), "{refused}");
    program.ok(&["publish", "one.json"]);
    program.ok(&["keys", "object", "--root", ROOT]);
    let status = program.json(&["keys", "status"]);
    assert_eq!(status["keys"]["recoveries"][0]["contested"], true, "{status}");
}

#[test]
fn after_a_ceremony_the_root_never_comes_to_the_server() {
    let program = Program::fresh();
    let made = "keys ceremony simore.gov.py --state PY --name es=Mecanismo --reuse CC-BY-4.0 \
                --url https://simore.example/ -o ceremony";
    let said = program.ok(&made.split_whitespace().collect::<Vec<_>>());
    for word in ["fingerprint", "secret 4:", "check", "█", "protocol.html"] {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
    for file in ["protocol.txt", "protocol.html"] {
        let protocol = std::fs::read_to_string(program.path(&format!("ceremony/{file}"))).unwrap();
        assert!(!protocol.contains("secret 1:") && protocol.contains("signature"), "{protocol}");
    }
    let init = "init simore.gov.py --from-ceremony ceremony/simore.gov.py.server-keys \
                --reuse CC-BY-4.0 --listen 127.0.0.1:0";
    let begun = program.ok(&init.split_whitespace().collect::<Vec<_>>());
    assert!(begun.contains("Destroy") && !begun.contains("secret"), "{begun}");
    assert!(!program.path(ROOT).exists());
    // A change is signed on the other machine.
    program.ok(&["keys", "rotate", "--request", "request.json"]);
    let key = "ceremony/simore.gov.py.root-key";
    let sign = ["keys", "sign", "request.json", "--key", key, "-o", "signed.json"];
    program.ok(&[&sign[..], &["--protocol", "signed.txt"]].concat());
    assert!(read(&program, "signed.txt").contains("all online keys become generation 2"));
    program.ok(&["keys", "publish", "signed.json", "--protocol", "published.txt"]);
    assert!(read(&program, "published.txt").contains("published as entry 1 of"));
    assert_eq!(program.json(&["keys", "status"])["keys"]["keys"][0]["generation"], 2);
}

#[test]
fn every_change_of_keys_leaves_a_protocol_to_sign_and_no_secret_in_it() {
    let program = node();
    program.ok(&["publish", "one.json", "one.json"]);
    let recovery = "simore.gov.py.recovery-key";
    let keys = [read(&program, ROOT), read(&program, recovery)];
    let line_of =
        |key: &str, word| key.lines().find_map(|line| line.strip_prefix(word)).unwrap().to_owned();
    let [by_root, by_recovery] = keys.each_ref().map(|key| line_of(key, "fingerprint "));
    let revoke = ["revoke", "--root", ROOT, "--from-size", "2", "--reason", "stolen"];
    let changes: [(&[&str], &str, &str, &str); 4] = [
        (&["rotate", "--root", ROOT], "rotated.txt", "published as entry 3 of", &by_root),
        (&revoke, "revoked.html", "looked at entry 2 of simore.gov.py/public", &by_root),
        (&["recover", "--recovery", recovery], "announced.txt", "root-key.new", &by_recovery),
        (&["object", "--root", ROOT], "objected.txt", "signed by the root key", &by_root),
    ];
    for (change, file, words, fingerprint) in changes {
        let said = program.ok(&[&["keys"], change, &["--protocol", file]].concat());
        assert!(said.contains(file), "{said}");
        let protocol = std::fs::read_to_string(program.path(file)).unwrap();
        for expected in ["Node   simore.gov.py", "Time   2", "[ ]", "signature", fingerprint, words]
        {
            assert!(protocol.contains(expected), "{file} lacks `{expected}`:\n{protocol}");
        }
        for key in &keys {
            assert!(!protocol.contains(&line_of(key, "secret 1: ")), "{file} shows a key");
        }
    }
}

#[test]
fn a_protocol_is_not_begun_where_nothing_is_done() {
    let program = node();
    program.ok(&["keys", "rotate", "--root", ROOT, "--dry-run", "--protocol", "dry.txt"]);
    let other =
        ["keys", "rotate", "--root", "simore.gov.py.recovery-key", "--protocol", "failed.txt"];
    program.fails(1, &other);
    let asked = ["keys", "rotate", "--request", "request.json", "--protocol", "asked.txt"];
    assert!(program.fails(2, &asked).contains("keys sign"));
    for file in ["dry.txt", "failed.txt", "asked.txt", "request.json"] {
        assert!(!program.path(file).exists(), "{file}");
    }
    program.write("old.txt", "of last year");
    let refused = program.fails(1, &["keys", "rotate", "--root", ROOT, "--protocol", "old.txt"]);
    assert!(refused.contains("nothing was done"), "{refused}");
    assert_eq!(program.json(&["keys", "status"])["keys"]["keys"][0]["generation"], 1);
}

#[test]
fn no_command_and_no_log_shows_a_secret() {
    let program = node();
    let text = String::from_utf8(online(&program, "online")).unwrap();
    let secret = text.lines().find_map(|line| line.strip_prefix("secret ")).unwrap().to_owned();
    let root = std::fs::read_to_string(program.path(ROOT)).unwrap();
    let line = root.lines().find_map(|line| line.strip_prefix("secret 2: ")).unwrap().to_owned();
    let mut told = String::new();
    let server = program.serve();
    told += &program.ok(&["keys", "encrypt", "--passphrase-file", "passphrase", "-vv"]);
    told += &program.ok(&["keys", "unlock", "--passphrase-file", "passphrase"]);
    let rotate = ["keys", "rotate", "--root", ROOT, "--passphrase-file", "passphrase"];
    told += &program.ok(&[&rotate[..], &["--dry-run", "--json"]].concat());
    told += &program.ok(&[&rotate[..], &["-vv"]].concat());
    for command in [&["keys", "status"][..], &["keys", "status", "--json"], &["list", "--json"]] {
        told += &program.ok(command);
    }
    told += &program.ends(3, &["doctor", "--json"]);
    server.stop();
    told += &std::fs::read_to_string(program.path("serve.log")).unwrap();
    for planted in [secret.as_str(), line.as_str(), PASSPHRASE] {
        assert!(!told.contains(planted), "a secret was shown");
    }
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let program = node();
    let said = program.ends(3, &["doctor"]);
    assert!(said.contains("no public address") && said.contains("do: "), "{said}");
    let key = program.path("jopoi-data/keys/online");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = program.ends(1, &["doctor"]);
    assert!(said.contains("failed") && said.contains("chmod 600"), "{said}");
}

#[test]
fn the_status_shows_at_a_glance_what_is_known_and_what_is_due() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    let said = program.ok(&["status"]);
    for words in
        ["simore.gov.py/public: 2 entries", "keys generation 1", "Networks\nnone", "followed: 0"]
    {
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }
    program.ok(&["keys", "recover", "--recovery", "simore.gov.py.recovery-key"]);
    let status = program.json(&["status"]);
    assert_eq!(status["calendar"]["dates"][0]["what"], "recovery", "{status}");
    assert_eq!(status["keys"]["recoveries"][0]["node"], NODE);
    let server = program.serve();
    assert!(program.control("/status?lang=es").contains("Otra clave raíz"));
    server.stop();
}

#[test]
fn figures_are_not_for_the_public() {
    let program = node();
    let server = program.serve();
    let metrics = program.control("/metrics");
    for words in ["jopoi_keys_state{state=\"open\"} 1", "# EOF"] {
        assert!(metrics.contains(words), "`{words}` is missing in:\n{metrics}");
    }
    let port = server.url(NODE).rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let public = program::get(port.parse().unwrap(), "127.0.0.1", "/metrics");
    assert!(public.contains("operator-only"), "{public}");
    server.stop();
}

#[test]
fn every_loss_is_rehearsed_and_the_real_node_is_not_touched() {
    let program = node();
    program.ok(&["publish", "one.json"]);
    let before = std::fs::read(program.path("jopoi-data/facts/simore.gov.py/public/head")).unwrap();
    let told = program.json_ending_in_any_way(&["keys", "drill"]);
    for outcome in told.as_array().unwrap() {
        assert_eq!(outcome["passed"], true, "{outcome}");
    }
    assert_eq!(told.as_array().unwrap().len(), 7);
    let after = std::fs::read(program.path("jopoi-data/facts/simore.gov.py/public/head")).unwrap();
    assert_eq!(before, after);
}

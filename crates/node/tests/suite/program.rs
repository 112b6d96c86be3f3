//! The binary in a directory of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What is waited for comes within seconds; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A fresh directory and the program in it.
pub(super) struct Program {
    directory: tempfile::TempDir,
}

/// A server that runs until it is stopped.
pub(super) struct Server {
    child: Child,
    lines: Vec<serde_json::Value>,
}

/// A draft that lacks nothing required.
pub(super) fn draft(title: &str) -> serde_json::Value {
    serde_json::json!({
        "kind": "good-practice",
        "title": {"es": title},
        "summary": {"es": "Qué se hace y para qué."},
        "language": "es",
        "basis": "own-statement",
        "reuse": "CC-BY-4.0",
        "capacities": ["coordination"],
    })
}

/// A port that nobody listens on at present.
pub(super) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The answer to a request for `path` of `host`, as it comes over the wire.
pub(super) fn get(port: u16, host: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The life of a record, by commands alone.
pub(super) fn publish_to_withdrawal(program: &Program) {
    program.write("one.json", &draft("Uno").to_string());
    program.write("two.json", &draft("Dos").to_string());
    let preview = program.ok(&["preview", "one.json"]);
    assert!(preview.contains("question") && preview.contains("Nothing was written"), "{preview}");
    let said = program.ok(&["publish", "one.json", "two.json"]);
    assert!(said.contains("version 1, entry 1 of simore.gov.py/public"), "{said}");
    assert!(said.contains("version 1, entry 2 of simore.gov.py/public"), "{said}");
    let listed = program.ok(&["list", "--kind", "good-practice"]);
    assert!(listed.contains("Uno") && listed.contains("Dos"), "{listed}");
    let records = program.json(&["list", "--kind", "good-practice"]);
    let id = records["records"][0]["id"].as_str().unwrap().to_owned();
    let shown = program.ok(&["show", &id]);
    assert!(shown.contains("es: Dos"), "{shown}");
    let verdict = program.ok(&["verify", &id, "--save", "evidence.jpb"]);
    assert!(verdict.contains("ok"), "{verdict}");
    program.ok(&["verify", "evidence.jpb"]);
    let stranger = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    program.fails(1, &["verify", "evidence.jpb", "--root", stranger]);

    let mut revised = draft("Dos y medio");
    revised["id"] = id.clone().into();
    program.write("revised.json", &revised.to_string());
    let said = program.ok(&["publish", "revised.json"]);
    assert!(said.contains("version 2"), "{said}");
    program.ok(&["withdraw", &id, "--reason", "outdated", "--yes"]);
    let standing = program.json(&["show", &id]);
    assert_eq!(standing["standing"], "withdrawn");
    let again = program.fails(1, &["withdraw", &id, "--reason", "outdated", "--yes"]);
    assert!(again.contains("withdrawn already"), "{again}");
    assert!(!program.ok(&["list"]).contains("Dos"));
    assert!(program.ok(&["rebuild"]).contains("5 entries of 1 feeds"));
    std::fs::remove_file(program.path("evidence.jpb")).unwrap();
}

impl Program {
    pub(super) fn fresh() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn init_arguments<'a>(&self, node: &'a str) -> Vec<&'a str> {
        let rest =
            "--state PY --name es=Mecanismo --language es --reuse CC-BY-4.0 --listen 127.0.0.1:0";
        ["init", node].into_iter().chain(rest.split(' ')).collect()
    }

    pub(super) fn init_in<'a>(&self, data: &'a str, node: &'a str) -> Vec<&'a str> {
        let more = ["--allow-network", "127.0.0.0/8", "--data", data];
        self.init_arguments(node).into_iter().chain(more).collect()
    }

    pub(super) fn init(&self, node: &str) -> String {
        self.ok(&self.init_arguments(node))
    }

    /// What a command that succeeds says.
    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "`jopoi {}`: {}\n{errors}",
            arguments.join(" "),
            output.status
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that succeeds with systemd credentials in `directory`.
    pub(super) fn ok_with_credentials(&self, directory: &str, arguments: &[&str]) -> String {
        let credentials = self.path(directory);
        let mut command = self.command(arguments);
        let output =
            command.env("CREDENTIALS_DIRECTORY", credentials).stdin(Stdio::null()).output();
        let output = output.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`jopoi {}`\n{errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The JSON of a command that succeeds.
    pub(super) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.ok(&arguments)).unwrap()
    }

    /// The JSON of a command, however it ends.
    pub(super) fn json_ending_in_any_way(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_slice(&self.run(&arguments).stdout).unwrap()
    }

    /// What a command says that ends with `code`.
    pub(super) fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "`jopoi {}`", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says on standard error that ends with `code`.
    pub(super) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "`jopoi {}`\n{errors}", arguments.join(" "));
        errors
    }

    /// What a command says on standard output and on standard error, however it ends.
    pub(super) fn ends_with(&self, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// The answer to a `GET` over the control socket.
    pub(super) fn control(&self, path: &str) -> String {
        let socket = self.path("jopoi-data/control.sock");
        let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Runs a command again and again until it says `word`; a server works on it meanwhile.
    pub(super) fn wait_for(&self, arguments: &[&str], word: &str) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let said = self.ok(arguments);
            if said.contains(word) {
                return said;
            }
        }
        panic!("`jopoi {}` never said `{word}`", arguments.join(" "));
    }

    pub(super) fn serve(&self) -> Server {
        self.serve_in("jopoi-data")
    }

    /// A server, once it has printed where each of its nodes is.
    pub(super) fn serve_in(&self, data: &str) -> Server {
        let log = self.path("serve.log");
        let mut child = self
            .command(&["serve", "--json", "--data", data])
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let nodes = std::fs::read_dir(self.path(data))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().join("jopoi.toml").exists());
        let nodes = nodes.count().max(1);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<serde_json::Value> = stdout
            .lines()
            .take(nodes)
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect();
        if lines.len() < nodes {
            child.wait().unwrap();
            panic!("the server did not begin:\n{}", std::fs::read_to_string(log).unwrap());
        }
        Server { child, lines }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_jopoi")));
        command.current_dir(self.directory.path()).args(arguments).env_remove("RUST_LOG");
        for proxy in
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
        {
            command.env_remove(proxy);
        }
        command
    }
}

impl Server {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it serves a node.
    pub(super) fn url(&self, node: &str) -> String {
        self.line(node)["url"].as_str().unwrap().to_owned()
    }

    /// What it said when it began to serve a node.
    pub(super) fn line(&self, node: &str) -> &serde_json::Value {
        self.lines.iter().find(|line| line["node"] == node).unwrap()
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended where a test has stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

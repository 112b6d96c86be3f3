//! What monitoring systems read, and that alarms and dashboard ask for nothing else.

mod events;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::program::{self, Program, draft, free_port};

const NODE: &str = "simore.gov.py";

/// What is exported: each name of a sample with its lines, and each family with its type.
struct Exported {
    text: String,
    samples: BTreeMap<String, Vec<String>>,
    families: BTreeMap<String, String>,
}

/// Sets a field of the configuration that is commented out.
fn configure(program: &Program, field: &str, value: &str) {
    let file = program.path("jopoi-data").join("jopoi.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // The first `listen` is that of the public; that of `[operator]` has no value yet.
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(known) if known.starts_with(&format!("{field} = ")) => format!("{field} = {value}"),
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(text.contains(value), "{text}");
    std::fs::write(file, text).unwrap();
}

/// What stands after the headers of an answer.
fn content(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Reads OpenMetrics text, and checks what its grammar demands: help and type before the lines of each
/// family, all lines of a family together, nothing twice, the end marked.
fn read(text: &str) -> Exported {
    let body = text.strip_suffix("# EOF\n").expect("the end is not marked");
    let mut exported =
        Exported { text: text.to_owned(), samples: BTreeMap::new(), families: BTreeMap::new() };
    let (mut seen, mut family, mut kind) = (BTreeSet::new(), String::new(), String::new());
    for line in body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let mut words = described.splitn(3, ' ');
            let (what, name) = (words.next().unwrap(), words.next().unwrap());
            match what {
                "HELP" => {
                    family = name.to_owned();
                    assert!(!exported.families.contains_key(&family), "{family} stands twice");
                }
                "TYPE" => {
                    assert_eq!(name, family, "{line}");
                    kind = words.next().unwrap().to_owned();
                    exported.families.insert(family.clone(), kind.clone());
                }
                "UNIT" => assert!(name.ends_with(words.next().unwrap()), "{line}"),
                _ => panic!("what is {line}?"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(sample.to_owned()), "{sample} stands twice");
        let name = sample.split('{').next().unwrap();
        let endings: &[&str] = match kind.as_str() {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        let of_family = |ending: &&str| name.strip_suffix(*ending) == Some(family.as_str());
        assert!(endings.iter().any(of_family), "{name} is not of {family}");
        exported.samples.entry(name.to_owned()).or_default().push(line.to_owned());
    }
    exported
}

impl Exported {
    fn has(&self, line: &str) {
        assert!(self.text.contains(line), "`{line}` is missing in:\n{}", self.text);
    }
}

/// A node that follows one that answers and one that does not.
fn followers(program: &Program) -> (String, program::Server) {
    let (one, other) = (free_port(), free_port());
    let url = |port: u16| format!("http://127.0.0.1:{port}/");
    let listen = |port: u16| format!("127.0.0.1:{port}");
    for (data, node, port) in [("one", "one.example", one), ("other", "other.example", other)] {
        let (listen, url) = (listen(port), url(port));
        let mut arguments = program.init_in(data, node);
        let at = arguments.iter().position(|argument| *argument == "127.0.0.1:0").unwrap();
        arguments[at] = &listen;
        arguments.extend(["--url", &url]);
        program.ok(&arguments);
    }
    let gone = program.serve_in("other");
    program.ok(&["follow", &url(other), "--yes"]);
    gone.stop();
    let server = program.serve_in("one");
    (url(one), server)
}

/// The figures of a node that has published, follows two nodes, and has been asked something.
fn scene() -> (Program, Exported) {
    let program = Program::fresh();
    program.ok(&program.init_in("jopoi-data", NODE));
    program.write("one.json", &draft("Uno").to_string());
    program.ok(&["publish", "one.json"]);
    let restricted = program.ok(&["feed", "new", "--nodes", "one.example"]);
    assert!(restricted.contains("/r-"), "{restricted}");
    configure(&program, "listen", "\"127.0.0.1:0\"");
    let (url, _one) = followers(&program);
    let server = program.serve();
    program.ok(&["follow", &url, "--yes"]);
    program.wait_for(&["peers"], "failing");
    let public: u16 =
        server.url(NODE).trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    program::get(public, "127.0.0.1", "/heads");
    let monitored = server.line(NODE)["metrics"].as_str().unwrap().to_owned();
    let port = monitored.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let answer = program::get(port, "127.0.0.1", "/metrics");
    assert!(program::get(port, "127.0.0.1", "/livez").contains("alive"));
    assert!(program::get(port, "127.0.0.1", "/readyz").contains("\"ready\":true"));
    assert!(program::get(port, "127.0.0.1", "/").contains("403"));
    let figures = read(content(&answer));
    server.stop();
    let log = std::fs::read_to_string(program.path("serve.log")).unwrap();
    assert!(log.lines().count() > 2, "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let target = line["target"].as_str().unwrap().split("::").next().unwrap().to_owned();
        let ours = ["feed", "peer", "web", "store", "search", "node"].contains(&target.as_str());
        assert!(!ours || line["fields"]["event"].is_string(), "{line}");
    }
    (program, figures)
}

#[test]
fn figures_are_open_metrics_and_tell_how_the_node_stands() {
    let (_program, figures) = scene();
    for line in [
        "jopoi_build_info{version=",
        "jopoi_feed_size{origin=\"simore.gov.py/public\"} 2",
        "jopoi_feed_signable{origin=\"simore.gov.py/public\"} 1",
        "jopoi_entries_total{kind=\"good-practice\"} 1",
        "jopoi_entries_total{kind=\"node\"} 3",
        "jopoi_peer_state{peer=\"one.example\",state=\"healthy\"} 1",
        "jopoi_peer_state{peer=\"other.example\",state=\"failing\"} 1",
        "jopoi_peer_failures_total{peer=\"other.example\",reason=\"unreachable\"}",
        "jopoi_sync_bytes_total{peer=\"one.example\",direction=\"received\"}",
        "jopoi_key_expiry_timestamp_seconds{use=\"log\"}",
        "jopoi_calendar_timestamp_seconds{what=\"keys\"}",
        "jopoi_keys_state{state=\"open\"} 1",
        "jopoi_unready{reason=\"disk\"} 0",
        "jopoi_http_requests_total{route=\"/heads\",method=\"GET\",code=\"200\"} 1",
        "jopoi_store_bytes{part=\"facts\"}",
        "process_resident_memory_bytes ",
    ] {
        figures.has(line);
    }
    // Whoever reads figures may pass them on: no restricted feed is named.
    assert!(!figures.text.contains("/r-"), "{}", figures.text);
    let counted = figures.families.values().filter(|kind| *kind == "counter").count();
    assert!(counted >= 8, "{:?}", figures.families);
}

/// The names of figures in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let figure = |word: &&str| word.starts_with("jopoi_") || word.starts_with("process_");
    words.filter(figure).map(str::to_owned).collect()
}

fn in_repository(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn alarms_dashboard_and_manual_name_figures_that_are_exported_and_the_manual_names_all() {
    let (_program, figures) = scene();
    let mut exported: BTreeSet<String> = figures.samples.keys().cloned().collect();
    // A figure without a line at this moment has its type all the same.
    exported.extend(figures.families.iter().map(|(family, kind)| match kind.as_str() {
        "counter" => format!("{family}_total"),
        "info" => format!("{family}_info"),
        _ => family.clone(),
    }));
    for file in [
        "deploy/prometheus/rules.yml",
        "deploy/prometheus/rules.test.yml",
        "deploy/grafana/jopoi.json",
        "docs/operating.md",
    ] {
        let names = named(&in_repository(file));
        let unknown: Vec<_> = names.difference(&exported).collect();
        assert!(names.len() > 10 && unknown.is_empty(), "{file} names {unknown:?}");
    }
    let manual = in_repository("docs/operating.md");
    let told = named(&manual);
    let parts = ["_bucket", "_sum", "_count"];
    let whole = exported.iter().filter(|name| !parts.iter().any(|part| name.ends_with(part)));
    let untold: Vec<_> = whole.filter(|name| !told.contains(*name)).collect();
    assert!(untold.is_empty(), "docs/operating.md does not explain {untold:?}");
}

#[test]
fn every_alarm_says_what_to_do_and_stands_in_the_manual_and_in_a_rehearsal() {
    let rules = in_repository("deploy/prometheus/rules.yml");
    let (manual, rehearsal) =
        (in_repository("docs/operating.md"), in_repository("deploy/prometheus/rules.test.yml"));
    let alarms: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alarms.len() > 20, "{}", alarms.len());
    for alarm in alarms {
        let name = alarm.lines().next().unwrap();
        for part in ["expr: ", "severity: ", "summary: ", "description: ", "runbook_url: "] {
            assert!(alarm.contains(part), "{name} has no {part}");
        }
        let link = alarm.split("runbook_url: ").nth(1).unwrap().split_whitespace().next().unwrap();
        assert_eq!(link, "docs/operating.md#alarms", "{name}");
        assert!(manual.contains(&format!("| `{name}` |")), "{name} is not in docs/operating.md");
        assert!(rehearsal.contains(&format!("- name: {name}\n")), "{name} is not rehearsed");
    }
    assert!(manual.contains("\n## Alarms\n"));
}

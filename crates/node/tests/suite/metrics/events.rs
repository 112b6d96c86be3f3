//! Each thing that is logged has one name, and the manual has all names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::in_repository;

/// Levels of the log whose lines have names.
const NAMED_LEVELS: [&str; 3] = ["info", "warn", "error"];

/// Every file of Rust below a folder of the repository, by its path.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}

/// `area.what`, of small letters and hyphens.
fn is_name(name: &str) -> bool {
    let word =
        |word: &str| word.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-');
    name.split_once('.').is_some_and(|(area, what)| word(area) && word(what))
}

/// What a file logs: line, level, and the name of the event if it has one.
fn events(text: &str) -> Vec<(usize, &'static str, Option<String>)> {
    let mut found = Vec::new();
    for level in NAMED_LEVELS {
        let call = format!("{level}!(");
        for (at, _) in text.match_indices(&call) {
            let (before, after) = text.split_at(at);
            if before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                continue;
            }
            let name = after[call.len()..].trim_start().strip_prefix("event = \"");
            let name = name.and_then(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned());
            found.push((before.lines().count(), level, name.filter(|name| is_name(name))));
        }
    }
    found
}

#[test]
fn every_event_of_the_log_has_one_name_and_the_manual_has_all_of_them() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut logged: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for name in
        ["tlog", "practice", "network", "feed", "wire", "store", "search", "peer", "web", "node"]
    {
        let mut files = Vec::new();
        sources(&crates.join(name).join("src"), &mut files);
        for (file, text) in files {
            for (line, level, event) in events(&text) {
                let Some(event) = event else {
                    panic!("{file}:{line}: {level}! begins with `event = \"area.what\"`");
                };
                let here = (level, file.clone());
                let first = logged.entry(event.clone()).or_insert_with(|| here.clone());
                assert_eq!(*first, here, "`{event}` stands for two things: {file}:{line}");
            }
        }
    }
    assert!(logged.len() > 50, "only {} events were found", logged.len());
    let manual = in_repository("docs/events.md");
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: BTreeSet<(String, String)> = rows
        .filter_map(|(event, rest)| Some((event.to_owned(), rest.split_once(" |")?.0.to_owned())))
        .collect();
    let logged: BTreeSet<(String, String)> =
        logged.into_iter().map(|(event, (level, _))| (event, level.to_owned())).collect();
    let differ: Vec<_> = logged.symmetric_difference(&told).collect();
    assert!(differ.is_empty(), "docs/events.md and the program differ in {differ:?}");
}

//! A protocol of what was done with keys, to print, tick off and sign: no secret is in it.
//!
//! Its file is taken before anything is changed, so that a change is never made that cannot be written
//! down; and it is gone again if nothing was changed.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

use super::offline::fingerprint;

/// What two persons fill in and sign.
pub struct Protocol {
    /// Whose keys.
    pub node: NodeName,
    /// What was done, such as `Keys made for the first time`.
    pub title: String,
    /// When, as the machine's clock says.
    pub time: String,
    /// The keys, with what they are, such as `root key`.
    pub keys: Vec<(String, PublicKey)>,
    /// What was done, a sentence each.
    pub done: Vec<String>,
    /// Files, and where each goes.
    pub files: Vec<(String, String)>,
    /// What is to be ticked off.
    pub steps: Vec<String>,
}

/// The file of a protocol that is yet to be written.
pub struct Sheet {
    path: PathBuf,
    file: File,
    written: bool,
}

impl Protocol {
    /// For a printer without anything.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}\n{}\n\nNode   {}\nTime   {} (clock of this machine)\nPlace  ____________________\n\n",
            self.title,
            "=".repeat(self.title.chars().count()),
            self.node,
            self.time
        );
        for (role, key) in &self.keys {
            text.push_str(&format!(
                "{role}  {}\n  fingerprint {}\n",
                key.to_did(),
                fingerprint(key)
            ));
        }
        if !self.done.is_empty() {
            text.push_str("\nDone\n");
        }
        for line in &self.done {
            text.push_str(&format!("  - {line}\n"));
        }
        if !self.files.is_empty() {
            text.push_str("\nFiles\n");
        }
        for (file, place) in &self.files {
            text.push_str(&format!("  [ ] {file}\n      {place}\n"));
        }
        text.push_str("\nSteps\n");
        for step in &self.steps {
            text.push_str(&format!("  [ ] {step}\n"));
        }
        text.push_str("\nFirst person   name ____________________ signature ____________________\n\nSecond person  name ____________________ signature ____________________\n");
        text
    }

    /// For a browser's printer.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>body{{font:11pt/1.5 monospace;max-width:48em;margin:2em auto;white-space:pre-wrap}}</style>\n\
             <body>{}</body></html>\n",
            escaped(&self.text())
        )
    }
}

impl Sheet {
    /// Takes the file at `path`; refuses one that is there.
    pub fn take(path: &Path) -> anyhow::Result<Self> {
        let file =
            OpenOptions::new().write(true).create_new(true).open(path).with_context(|| {
                format!(
                    "nothing was done: the protocol {} cannot be made (none is overwritten)",
                    path.display()
                )
            })?;
        Ok(Self { path: path.to_owned(), file, written: false })
    }

    /// Writes the protocol: HTML if the name ends so, else plain text.
    pub fn write(mut self, protocol: &Protocol) -> anyhow::Result<()> {
        let extension = self.path.extension().and_then(|extension| extension.to_str());
        let is_html = extension
            .is_some_and(|name| ["html", "htm"].iter().any(|html| name.eq_ignore_ascii_case(html)));
        let text = if is_html { protocol.html() } else { protocol.text() };
        // What it tells of is done: a half-written one is better than none.
        self.written = true;
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_all())
            .with_context(|| format!("it is done, and {} cannot be written", self.path.display()))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        if !self.written {
            // Empty, and nobody waits for it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol() -> Protocol {
        Protocol {
            node: NodeName::parse("simore.gov.py").unwrap(),
            title: "<script>".to_owned(),
            time: String::new(),
            keys: Vec::new(),
            done: vec!["keys & records".to_owned()],
            files: vec![("a&b".to_owned(), "\"c\"".to_owned())],
            steps: Vec::new(),
        }
    }

    #[test]
    fn text_of_a_protocol_cannot_act_in_a_page() {
        let html = protocol().html();
        assert!(!html.contains("<script>") && html.contains("a&amp;b"), "{html}");
    }

    #[test]
    fn the_name_of_the_file_says_whether_it_is_a_page() {
        let directory = tempfile::tempdir().unwrap();
        for (name, is_page) in [("p.txt", false), ("p.html", true), ("p.HTM", true), ("p", false)] {
            let path = directory.path().join(name);
            Sheet::take(&path).unwrap().write(&protocol()).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.starts_with("<!doctype html>"), is_page, "{name}");
        }
    }

    #[test]
    fn a_sheet_that_nothing_was_written_on_is_gone_and_an_old_one_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.txt");
        drop(Sheet::take(&path).unwrap());
        assert!(!path.exists());
        std::fs::write(&path, "of last year").unwrap();
        assert!(Sheet::take(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "of last year");
    }
}

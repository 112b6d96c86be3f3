//! A ceremony: keys made on a machine without a network, by two persons where there are two, so that
//! the server never sees the root.
//!
//! What the server needs is one file: the node record, signed by the root, and the online secret whose
//! keys it names. The root and recovery keys are files of their own; the protocol holds no secret.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use practice::body::Body;
use practice::node_record::{NodeRecord, USE_LOG};
use qrcodegen::{QrCode, QrCodeEcc};
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;
use zeroize::Zeroizing;

use feed::ports::KeyUse;

use super::files;
use super::offline::{Role, fingerprint};
use super::online::Online;
use crate::setup::Paper;

/// The first line of a file for the server.
const TITLE: &str = "jopoi keys for the server of ";

/// White modules around a code, without which it is not read.
const QUIET: i32 = 2;

/// A file that a ceremony made for the server.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// Where it lies.
    pub file: PathBuf,
}

impl Ceremony {
    /// What is in it, checked: the node record is of `name` and names the keys of the secret.
    pub fn read(&self, name: &NodeName) -> anyhow::Result<Paper> {
        let path = &self.file;
        let shown = path.display();
        let bytes = files::read_large_private(path)?;
        let text = files::text(&bytes, path)?;
        let record = text.lines().find_map(|line| line.strip_prefix("record "));
        let (Some(record), true) = (record, text.starts_with(TITLE)) else {
            bail!("{shown} is not the file that `jopoi keys ceremony` made for a server");
        };
        let online = Online::parse(&text, path)?;
        let record = Bytes::copy_from_slice(record.as_bytes());
        let body = Body::open(record.clone()).with_context(|| format!("{shown} is damaged"))?;
        let node = NodeRecord::from_body(&body).with_context(|| format!("{shown} is damaged"))?;
        if node.node != *name {
            bail!("{shown} is of `{}`, and `{name}` was asked for", node.node);
        }
        if node.active(USE_LOG).map(|active| active.key) != Some(online.public(KeyUse::Log)?) {
            bail!("{shown} is damaged: its secret has other keys than its node record");
        }
        Ok(Paper { root: None, recovery: None, online, record })
    }

    /// The node record in it, for what it says of names and addresses.
    pub fn node_record(&self) -> anyhow::Result<NodeRecord> {
        let bytes = files::read_large_private(&self.file)?;
        let text = files::text(&bytes, &self.file)?;
        let record = text.lines().find_map(|line| line.strip_prefix("record "));
        let record =
            record.with_context(|| format!("{} holds no node record", self.file.display()))?;
        let body = Body::open(Bytes::copy_from_slice(record.as_bytes()))?;
        Ok(NodeRecord::from_body(&body)?)
    }
}

/// Writes the file for the server; refuses to overwrite.
pub fn write_for_server(path: &Path, name: &NodeName, paper: &Paper) -> anyhow::Result<()> {
    let record = std::str::from_utf8(&paper.record)?;
    let secret = paper.online.text();
    let text = Zeroizing::new(format!(
        "{TITLE}{name}\n{}record {record}\n\
         \n\
         Carry this file to the server, run `jopoi init {name} --from-ceremony FILE …` there, and destroy it.\n\
         Whoever has it can publish as {name} until its keys are changed.\n",
        secret.as_str()
    ));
    files::write_private(path, text.as_bytes())
}

/// A public key as a QR code in half blocks, dark on light whatever the terminal's colours: for taking
/// it over with a telephone instead of typing.
pub fn qr_code(text: &str) -> anyhow::Result<String> {
    let code =
        QrCode::encode_text(text, QrCodeEcc::Medium).context("it is too long for a QR code")?;
    let size = code.size();
    let mut shown = String::new();
    for y in (-QUIET..size + QUIET).step_by(2) {
        for x in -QUIET..size + QUIET {
            // What is drawn is light: most terminals are dark.
            shown.push(match (!code.get_module(x, y), !code.get_module(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        shown.push('\n');
    }
    Ok(shown)
}

/// What two persons fill in and sign; no secret is in it.
pub struct Protocol {
    /// Whose keys.
    pub node: NodeName,
    /// What was done, such as `Keys made for the first time`.
    pub title: String,
    /// When, as the machine's clock says.
    pub time: String,
    /// The keys, with what they are.
    pub keys: Vec<(Role, PublicKey)>,
    /// Files, and where each goes.
    pub files: Vec<(String, String)>,
    /// What is to be ticked off.
    pub steps: Vec<String>,
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
                "{} key  {}\n  fingerprint {}\n",
                role.as_str(),
                key.to_did(),
                fingerprint(key)
            ));
        }
        text.push_str("\nFiles\n");
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_as_wide_as_it_is_high_and_framed_in_white() {
        let code = qr_code("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp").unwrap();
        let lines: Vec<&str> = code.lines().collect();
        let width = lines[0].chars().count();
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(lines[0].chars().all(|character| character == '█'));
    }

    #[test]
    fn text_of_a_protocol_cannot_act_in_a_page() {
        let protocol = Protocol {
            node: NodeName::parse("simore.gov.py").unwrap(),
            title: "<script>".to_owned(),
            time: String::new(),
            keys: Vec::new(),
            files: vec![("a&b".to_owned(), "\"c\"".to_owned())],
            steps: Vec::new(),
        };
        let html = protocol.html();
        assert!(!html.contains("<script>") && html.contains("a&amp;b"), "{html}");
    }
}

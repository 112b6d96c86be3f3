//! A ceremony: keys made on a machine without a network, by two persons where there are two, so that
//! the server never sees the root.
//!
//! What the server needs is one file: the node record, signed by the root, and the online secret whose
//! keys it names. The root and recovery keys are files of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use practice::body::Body;
use practice::node_record::{NodeRecord, USE_LOG};
use qrcodegen::{QrCode, QrCodeEcc};
use tlog::name::NodeName;
use zeroize::Zeroizing;

use feed::ports::KeyUse;

use super::files;
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
            record.with_context(|| {
                format!(
                    "{} holds no node record: give the file NODE.server-keys that `jopoi keys ceremony` wrote",
                    self.file.display()
                )
            })?;
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
}

//! The keys that lie in safes: the root, which signs node records and nothing else, and the recovery
//! key, which can replace it. As files they can be printed and typed in again: each line of the secret
//! carries a check, so that a slip is found with its line.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use tlog::ed25519::{PublicKey, SigningKey};
use tlog::name::NodeName;
use zeroize::Zeroizing;

use super::files::{self, SECRET_BYTES, Secret};

/// Secret bytes of one line: four groups of four digits are read aloud without losing one's place.
const LINE_BYTES: usize = 8;
/// Bytes of a group.
const GROUP_BYTES: usize = 2;
/// Which of the two a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It signs node records.
    Root,
    /// It can replace the root, after 72 hours.
    Recovery,
}

/// A key that lies in a safe.
pub struct Root {
    seed: Secret,
    key: SigningKey,
}

impl Role {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Recovery => "recovery",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Root => "Root key",
            Self::Recovery => "Recovery key",
        }
    }

    fn advice(self, node: &NodeName) -> String {
        match self {
            Self::Root => format!(
                "Whoever has this file can speak as {node} for ever; without it, the node's keys and\n\
                 address can be changed by the recovery key alone. Move it off this machine now: two\n\
                 copies on paper or on sticks, in two safes. The server does not need it. `jopoi` asks\n\
                 for it when keys or addresses change.\n"
            ),
            Self::Recovery => format!(
                "Whoever has this file can replace the root key of {node} after 72 hours in which everybody\n\
                 can see it. Keep it in another office than the root key, on paper or on a stick, in a safe.\n\
                 It is needed only when the root key is lost or stolen.\n"
            ),
        }
    }
}

impl Root {
    /// A new one.
    pub fn create() -> anyhow::Result<Self> {
        Self::from_seed(files::random_secret()?)
    }

    /// The key in a file that [`save`](Self::save) wrote, or that somebody typed in from paper.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read_private(path)?;
        let text = files::text(&bytes, path)?;
        let seed = seed_of(&text).with_context(|| format!("{} cannot be used", path.display()))?;
        let key = Self::from_seed(seed)?;
        let named = text.lines().map(str::trim).find(|line| line.starts_with("did:key:"));
        if let Some(named) = named.filter(|named| *named != key.did()) {
            bail!(
                "{} says that its key is {named}, and its secret gives {}: they are of two keys",
                path.display(),
                key.did()
            );
        }
        Ok(key)
    }

    /// Writes it for the operator to move away; refuses to overwrite.
    pub fn save(&self, path: &Path, node: &NodeName, role: Role) -> anyhow::Result<()> {
        files::write_private(path, self.text(node, role).as_bytes())
    }

    /// The file.
    pub fn text(&self, node: &NodeName, role: Role) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{} of {node}\n{}\n", role.title(), self.did()));
        for line in self.lines().iter() {
            text.push_str("secret ");
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!(
            "fingerprint {}\n\n{}",
            fingerprint(&self.public()),
            role.advice(node)
        ));
        text
    }

    /// The secret in four lines of four groups and a check, for showing it once.
    pub fn lines(&self) -> Zeroizing<Vec<String>> {
        let lines = (1_u8..).zip(self.seed.chunks(LINE_BYTES)).map(|(number, bytes)| {
            let groups: Vec<String> = bytes.chunks(GROUP_BYTES).map(hex::encode).collect();
            format!("{number}: {} check {}", groups.join(" "), check(number, bytes))
        });
        Zeroizing::new(lines.collect())
    }

    /// `did:key:…` of the public key.
    pub fn did(&self) -> String {
        self.public().to_did()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// The key.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    fn from_seed(seed: Secret) -> anyhow::Result<Self> {
        let key = SigningKey::from_seed(&seed)?;
        Ok(Self { seed, key })
    }
}

/// Where the root key of a node in `data` is saved: beside the data directory, not in it, so that no
/// backup of the one holds the other.
pub fn root_path(data: &Path, node: &NodeName) -> PathBuf {
    beside(data, node, Role::Root)
}

/// The same for either key.
pub fn beside(data: &Path, node: &NodeName, role: Role) -> PathBuf {
    let beside = std::path::absolute(data).ok().and_then(|path| path.parent().map(Path::to_owned));
    beside.unwrap_or_default().join(format!("{node}.{}-key", role.as_str()))
}

/// A public key as 30 digits in groups of five, for comparing it over the telephone: that of its
/// did:key, as network files have theirs.
pub fn fingerprint(key: &PublicKey) -> String {
    network::file::fingerprint(key.to_did().as_bytes())
}

/// Reads the lines `secret N: abcd … check abcd`.
fn seed_of(text: &str) -> anyhow::Result<Secret> {
    let mut seed = Secret::default();
    let mut written = 0;
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("secret "));
    for (number, line) in (1_u8..).zip(lines) {
        let expected = format!("{number}:");
        let rest = line.trim().strip_prefix(&expected);
        let rest = rest.with_context(|| format!("its line `secret {number}: …` is missing"))?;
        let (groups, told) = rest
            .split_once("check")
            .with_context(|| format!("its secret line {number} has no check"))?;
        let digits: Zeroizing<String> =
            Zeroizing::new(groups.chars().filter(|character| !character.is_whitespace()).collect());
        let mut bytes = Zeroizing::new([0; LINE_BYTES]);
        let read = hex::decode_to_slice(digits.to_ascii_lowercase(), bytes.as_mut_slice());
        if read.is_err() || check(number, bytes.as_slice()) != told.trim().to_ascii_lowercase() {
            bail!(
                "its secret line {number} is mistyped or damaged: its check does not fit; compare it \
                 with the paper"
            );
        }
        let place = seed.get_mut(written..written + LINE_BYTES);
        place.context("it has more than four secret lines")?.copy_from_slice(bytes.as_slice());
        written += LINE_BYTES;
    }
    if written != SECRET_BYTES {
        bail!("it is no key file, or cut short: it has no four lines `secret N: … check …`");
    }
    Ok(seed)
}

/// Four digits that a mistyped line does not have.
fn check(number: u8, bytes: &[u8]) -> String {
    let digest = Sha256::digest([&[number], bytes].concat());
    digest.iter().take(GROUP_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> (tempfile::TempDir, PathBuf, Root) {
        let directory = tempfile::tempdir().unwrap();
        let node = NodeName::parse("simore.gov.py").unwrap();
        let path = root_path(&directory.path().join("data"), &node);
        let root = Root::create().unwrap();
        root.save(&path, &node, Role::Root).unwrap();
        (directory, path, root)
    }

    #[test]
    fn a_root_key_is_read_back_from_its_file() {
        let (_directory, path, root) = saved();
        let node = NodeName::parse("simore.gov.py").unwrap();
        assert_eq!(Root::read(&path).unwrap().did(), root.did());
        assert!(root.save(&path, &node, Role::Root).is_err(), "a key was overwritten");
    }

    #[test]
    fn a_slip_of_the_pen_is_found_with_its_line() {
        let (_directory, path, root) = saved();
        let text = std::fs::read_to_string(&path).unwrap();
        let third = root.lines()[2].clone();
        let digit = if third.as_bytes()[3] == b'0' { "1" } else { "0" };
        let slip = format!("{}{digit}{}", &third[..3], &third[4..]);
        std::fs::write(&path, text.replace(&third, &slip)).unwrap();
        let words = format!("{:#}", Root::read(&path).err().unwrap());
        assert!(words.contains("line 3 is mistyped"), "{words}");
        assert!(!words.contains(&slip), "the secret is in the error: {words}");
    }

    #[test]
    fn a_fingerprint_is_thirty_digits_in_groups_of_five() {
        let (_directory, _path, root) = saved();
        let shown = fingerprint(&root.public());
        assert_eq!(shown.len(), 35);
        assert!(shown.split(' ').all(|group| group.len() == 5), "{shown}");
    }
}

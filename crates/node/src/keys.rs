//! The two secrets of a node as files: the root, which leaves the machine after `init`, and the online
//! secret, from which everything is derived that signs every day (design 4.5).
//!
//! A secret is created with mode 0600 in one step and is not read if others may read it: a key that a
//! backup or a colleague could copy is not used silently.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tlog::ed25519::SigningKey;
use tlog::name::NodeName;
use zeroize::Zeroizing;

/// Bytes of a secret, as Ed25519 and HKDF take them.
pub const SECRET_BYTES: usize = 32;

/// A key file is a few lines of text; more is another file.
const FILE_BYTES_MAX: u64 = 4096;

/// Read and written by the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; SECRET_BYTES]>;

/// The node's root key: signs node records and nothing else.
pub struct Root {
    seed: Secret,
    key: SigningKey,
}

impl Root {
    /// A new one.
    pub fn create() -> anyhow::Result<Self> {
        Self::from_seed(random_secret()?)
    }

    /// The root key in a file that [`save`](Self::save) wrote.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = read_private(path)?;
        let secret = text.lines().find_map(|line| line.trim().strip_prefix("secret "));
        let Some(secret) = secret else {
            bail!("{} is no root key file: it has no line `secret …`", path.display());
        };
        Self::from_seed(from_hex(secret, path)?)
    }

    /// Writes it for the operator to move away; refuses to overwrite.
    pub fn save(&self, path: &Path, node: &NodeName) -> anyhow::Result<()> {
        let text = Zeroizing::new(format!(
            "Root key of {node}\n\
             {}\n\
             secret {}\n\
             \n\
             Whoever has this file can speak as {node} for ever; without it, the node's keys and\n\
             address can never be changed. Move it off this machine now: two copies on paper or on\n\
             sticks, in two safes. The server does not need it. `jopoi` asks for it when keys or\n\
             addresses change.\n",
            self.did(),
            self.words().as_str(),
        ));
        write_private(path, text.as_bytes())
    }

    /// The secret as it stands in the file, for showing it once.
    pub fn words(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.seed.as_slice()))
    }

    /// `did:key:…` of the public key.
    pub fn did(&self) -> String {
        self.key.public().to_did()
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
    let beside = std::path::absolute(data).ok().and_then(|path| path.parent().map(Path::to_owned));
    beside.unwrap_or_default().join(format!("{node}.root-key"))
}

/// Where the online secret lies.
pub fn online_path(data: &Path) -> PathBuf {
    data.join("keys").join("online")
}

/// Makes the online secret of a new node; refuses to overwrite.
pub fn create_online(data: &Path) -> anyhow::Result<Secret> {
    let path = online_path(data);
    let directory = path.parent().unwrap_or(data);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let secret = random_secret()?;
    let text = Zeroizing::new(format!("{}\n", hex::encode(secret.as_slice())));
    write_private(&path, text.as_bytes())?;
    Ok(secret)
}

/// Reads the online secret.
pub fn read_online(data: &Path) -> anyhow::Result<Secret> {
    let path = online_path(data);
    from_hex(read_private(&path)?.trim(), &path)
}

fn random_secret() -> anyhow::Result<Secret> {
    let mut secret = Secret::default();
    getrandom::fill(secret.as_mut_slice())
        .map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    Ok(secret)
}

fn from_hex(text: &str, path: &Path) -> anyhow::Result<Secret> {
    let mut secret = Secret::default();
    hex::decode_to_slice(text, secret.as_mut_slice()).map_err(|_| {
        anyhow::anyhow!(
            "{} is damaged: it must hold {} hexadecimal digits; take it from a backup",
            path.display(),
            2 * SECRET_BYTES
        )
    })?;
    Ok(secret)
}

/// Writes a new file that only its owner may read, durably.
fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = path.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
        .with_context(|| format!("cannot make {shown} (a key is never overwritten)"))?;
    file.write_all(bytes).with_context(|| format!("cannot write {shown}"))?;
    file.sync_all().with_context(|| format!("cannot write {shown}"))?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Reads a file that only its owner may read, and refuses one that others can.
fn read_private(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open the key {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("cannot open the key {shown}"))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        bail!(
            "{shown} has mode {mode:04o}: others on this machine can read the key; \
             run `chmod 600 {shown}`, and if they may have read it, change the keys"
        );
    }
    if metadata.len() > FILE_BYTES_MAX {
        bail!("{shown} is no key: it has {} bytes", metadata.len());
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the key {shown}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_root_key_is_read_back_from_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let node = NodeName::parse("simore.gov.py").unwrap();
        let path = root_path(&directory.path().join("data"), &node);
        let root = Root::create().unwrap();
        root.save(&path, &node).unwrap();
        assert_eq!(Root::read(&path).unwrap().did(), root.did());
        assert!(root.save(&path, &node).is_err(), "a key was overwritten");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
        let directory = tempfile::tempdir().unwrap();
        create_online(directory.path()).unwrap();
        let path = online_path(directory.path());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let words = format!("{:#}", read_online(directory.path()).unwrap_err());
        assert!(words.contains(&format!("chmod 600 {}", path.display())), "{words}");
    }
}

//! The online secret as files below `DATA/keys` (mode 0600), each plain or in the age format:
//!
//! | file | holds |
//! |---|---|
//! | `online` | the secret in use |
//! | `online.next` | one that a rotation made; in use once the node record that names its keys is published |
//! | `online.former` | the one before, for the second line of checkpoints, at most 30 days |
//!
//! A rotation writes `online.next`, publishes, then renames. After a crash anywhere in between the node
//! record says which of the files holds the keys in use, so that neither is lost: see
//! [`ring`](super::ring). A systemd credential `online-secret` stands in for a file that is not there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use feed::secret::OnlineSecret;
use practice::node_record::{NodeKey, possession_message};
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;
use zeroize::Zeroizing;

use feed::ports::KeyUse;

use super::age;
use super::files::{self, Secret};
use super::passphrase::Passphrase;

/// The systemd credential that stands in for `DATA/keys/online`.
pub const CREDENTIAL: &str = "online-secret";

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The secret in use.
    InUse,
    /// Made by a rotation that is not yet published.
    Next,
    /// In use before the last rotation.
    Former,
}

/// A secret with the generation of its keys.
pub struct Online {
    /// Counts from 1.
    pub generation: u64,
    secret: Secret,
}

/// The file of a slot, as it lies there.
pub enum Stored {
    /// Readable.
    Plain(Online),
    /// In the age format.
    Encrypted(Zeroizing<Vec<u8>>),
}

impl Slot {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::InUse, Self::Next, Self::Former];

    /// Where it lies.
    pub fn path(self, data: &Path) -> PathBuf {
        data.join("keys").join(match self {
            Self::InUse => "online",
            Self::Next => "online.next",
            Self::Former => "online.former",
        })
    }

    /// What lies there, or in its stead.
    pub fn read(self, data: &Path) -> anyhow::Result<Option<Stored>> {
        let path = self.path(data);
        let there = path.try_exists().with_context(|| format!("cannot see {}", path.display()))?;
        let path = match (there, credential(CREDENTIAL)) {
            (true, _) => path,
            (false, Some(path)) if self == Self::InUse => path,
            (false, _) => return Ok(None),
        };
        let bytes = files::read_private(&path)?;
        if age::is_encrypted(&bytes) {
            return Ok(Some(Stored::Encrypted(bytes)));
        }
        Ok(Some(Stored::Plain(Online::parse(&files::text(&bytes, &path)?, &path)?)))
    }

    /// Writes or replaces it; encrypted if there is a passphrase.
    pub fn write(
        self,
        data: &Path,
        online: &Online,
        passphrase: Option<&Passphrase>,
    ) -> anyhow::Result<()> {
        files::directory(data)?;
        let text = online.text();
        let path = self.path(data);
        let Some(passphrase) = passphrase else {
            return files::replace_private(&path, text.as_bytes());
        };
        let encrypted = age::encrypt(text.as_bytes(), passphrase.reveal())?;
        // What cannot be opened again is no secret kept.
        age::decrypt(&encrypted, passphrase.reveal())
            .context("the encrypted secret cannot be read back")?;
        files::replace_private(&path, &encrypted)
    }

    /// Moves it to another slot, over what is there.
    pub fn rename(self, data: &Path, to: Self) -> anyhow::Result<()> {
        files::rename(&self.path(data), &to.path(data))
    }

    /// Deletes it.
    pub fn remove(self, data: &Path) -> anyhow::Result<()> {
        files::remove(&self.path(data))
    }
}

impl Stored {
    /// The secret, opened with the passphrase if it is encrypted.
    pub fn open(self, slot: Slot, passphrase: Option<&Passphrase>) -> anyhow::Result<Online> {
        let (bytes, passphrase) = match (self, passphrase) {
            (Self::Plain(online), _) => return Ok(online),
            (Self::Encrypted(_), None) => {
                bail!("the secret is encrypted, and no passphrase was given")
            }
            (Self::Encrypted(bytes), Some(passphrase)) => (bytes, passphrase),
        };
        let path = PathBuf::from(match slot {
            Slot::InUse => "keys/online",
            Slot::Next => "keys/online.next",
            Slot::Former => "keys/online.former",
        });
        let plain = age::decrypt(&bytes, passphrase.reveal())
            .with_context(|| format!("{} stays locked", path.display()))?;
        Online::parse(&files::text(&plain, &path)?, &path)
    }
}

impl Online {
    /// A new one.
    pub fn create(generation: u64) -> anyhow::Result<Self> {
        Ok(Self { generation, secret: files::random_secret()? })
    }

    /// The key of a use.
    pub fn public(&self, key_use: KeyUse) -> anyhow::Result<PublicKey> {
        Ok(self.derived().key(key_use, self.generation)?.public())
    }

    /// The secret, for deriving its keys.
    pub fn derived(&self) -> OnlineSecret {
        OnlineSecret::from_bytes(*self.secret)
    }

    /// Its keys as they stand in a node record whose root is `root`, each with its proof of possession.
    pub fn node_keys(&self, node: &NodeName, root: &PublicKey) -> anyhow::Result<Vec<NodeKey>> {
        let secret = self.derived();
        let keys = KeyUse::ALL.iter().map(|key_use| {
            let key = secret.key(*key_use, self.generation)?;
            let public = key.public();
            let message = possession_message(node, key_use.as_str(), root, &public);
            Ok(NodeKey {
                usage: key_use.as_str().to_owned(),
                generation: self.generation,
                key: public,
                proof: key.sign(&message),
            })
        });
        keys.collect()
    }

    /// The file: `generation N`, `secret HEX`.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "jopoi online secret\ngeneration {}\nsecret {}\n",
            self.generation,
            Zeroizing::new(hex::encode(self.secret.as_slice())).as_str()
        ))
    }

    /// Reads such a file.
    pub fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let member = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let (Some(generation), Some(secret)) = (member("generation "), member("secret ")) else {
            bail!(
                "{} is damaged: it must hold the lines `generation N` and `secret …`; take it from a backup",
                path.display()
            );
        };
        let generation = generation.trim().parse().ok().filter(|generation| *generation > 0);
        let generation = generation.with_context(|| {
            format!("{} is damaged: its generation is no number", path.display())
        })?;
        Ok(Self { generation, secret: files::secret_of(secret.trim(), path)? })
    }
}

/// The path of a systemd credential, if the unit loads one of that name.
pub fn credential(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(name);
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
        let directory = tempfile::tempdir().unwrap();
        Slot::InUse.write(directory.path(), &Online::create(1).unwrap(), None).unwrap();
        let path = Slot::InUse.path(directory.path());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let words = format!("{:#}", Slot::InUse.read(directory.path()).err().unwrap());
        assert!(words.contains(&format!("chmod 600 {}", path.display())), "{words}");
    }

    #[test]
    fn an_encrypted_secret_is_the_same_secret_and_not_readable_on_disk() {
        let directory = tempfile::tempdir().unwrap();
        let online = Online::create(3).unwrap();
        let passphrase = Passphrase::new("correct horse".to_owned()).unwrap();
        Slot::InUse.write(directory.path(), &online, Some(&passphrase)).unwrap();
        let on_disk = std::fs::read(Slot::InUse.path(directory.path())).unwrap();
        assert!(age::is_encrypted(&on_disk));
        let stored = || Slot::InUse.read(directory.path()).unwrap().unwrap();
        assert!(stored().open(Slot::InUse, None).is_err());
        let other = Passphrase::new("correct horsf".to_owned()).unwrap();
        let words = format!("{:#}", stored().open(Slot::InUse, Some(&other)).err().unwrap());
        assert!(words.contains("passphrase is wrong"), "{words}");
        let opened = stored().open(Slot::InUse, Some(&passphrase)).unwrap();
        assert_eq!(opened.public(KeyUse::Log).unwrap(), online.public(KeyUse::Log).unwrap());
        assert_eq!(opened.generation, 3);
    }

    #[test]
    fn a_damaged_secret_is_told_without_its_digits() {
        let path = Path::new("keys/online");
        for text in
            ["", "generation 1\n", "generation 0\nsecret 00\n", "generation 1\nsecret abcd\n"]
        {
            let words = format!("{:#}", Online::parse(text, path).err().unwrap());
            assert!(words.contains("keys/online") && !words.contains("abcd"), "{words}");
        }
    }
}

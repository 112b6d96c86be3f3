//! Where the passphrase of an encrypted secret may come from: a systemd credential, a file, a terminal.
//! Never an argument, which every user of the machine can see, and never the environment, which every
//! child of the process inherits.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

use super::{files, online};

/// The systemd credential that holds a passphrase.
pub const CREDENTIAL: &str = "online-passphrase";

/// Fewer characters are found by trying, scrypt or not.
const LENGTH_MIN: usize = 12;

/// A passphrase, wiped when dropped and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Passphrase {
    /// One line of text.
    pub fn new(text: String) -> anyhow::Result<Self> {
        let text = Zeroizing::new(text);
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains(['\r', '\n']) {
            bail!("a passphrase is one line of text, and not empty");
        }
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The first line of a file that its owner alone may read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = files::read_private(path)?;
        Self::new(files::text(&bytes, path)?.as_str().to_owned())
            .with_context(|| format!("{} holds no passphrase", path.display()))
    }

    /// The text, for deriving a key from it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Refuses one that can be guessed by trying.
    pub fn check_strength(&self) -> anyhow::Result<()> {
        let length = self.0.chars().count();
        if length < LENGTH_MIN {
            bail!(
                "the passphrase has {length} characters: take {LENGTH_MIN} or more, such as five words \
                 chosen by dice"
            );
        }
        Ok(())
    }
}

/// The ways in which a command may learn a passphrase.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// A file that was named.
    pub file: Option<PathBuf>,
    /// Whether a person may be asked.
    pub ask: bool,
}

impl Ways {
    /// Whether the machine answers, and no person.
    pub fn is_by_credential(&self) -> bool {
        self.file.is_none() && online::credential(CREDENTIAL).is_some()
    }

    /// The passphrase, if there is a way to it: the file, the credential, the terminal.
    pub fn find(&self, prompt: &str) -> anyhow::Result<Option<Passphrase>> {
        if let Some(file) = &self.file {
            return Passphrase::read(file).map(Some);
        }
        if let Some(path) = online::credential(CREDENTIAL) {
            return Passphrase::read(&path).map(Some);
        }
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !(self.ask && terminal) {
            return Ok(None);
        }
        let typed =
            dialoguer::Password::new().with_prompt(prompt).allow_empty_password(true).interact()?;
        if typed.is_empty() { Ok(None) } else { Passphrase::new(typed).map(Some) }
    }

    /// A new passphrase: typed twice, or from the file or credential; refused if it is short.
    pub fn choose(&self) -> anyhow::Result<Passphrase> {
        let found = Self { ask: false, ..self.clone() }.find("")?;
        let chosen = match found {
            Some(passphrase) => passphrase,
            None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
                let typed = dialoguer::Password::new()
                    .with_prompt("New passphrase of the online secret")
                    .with_confirmation("Again", "These were two; try again")
                    .interact()?;
                Passphrase::new(typed)?
            }
            None => bail!(
                "there is no terminal to ask for a passphrase on: give --passphrase-file FILE (mode 0600); a \
                 passphrase is never an argument"
            ),
        };
        chosen.check_strength()?;
        Ok(chosen)
    }
}

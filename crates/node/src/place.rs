//! Where a node lies on this machine: its data directory and its configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use practice::draft::Defaults;
use tlog::name::NodeName;

use crate::config::{Config, FILE_NAME};
use crate::keys::passphrase::Ways;

/// The data directory when none is given.
pub const DATA_DEFAULT: &str = "jopoi-data";

/// A node that exists, not yet opened.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its data directory.
    pub data: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its name.
    pub node: NodeName,
    /// How the passphrase of an encrypted secret may be learned.
    pub passphrase: Ways,
}

impl Place {
    /// The node in `data`, or the one whose configuration is `config`.
    pub fn find(data: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = config else {
            return Self::at(data.unwrap_or(Path::new(DATA_DEFAULT)));
        };
        let config = Config::read(file)?;
        let beside = file.parent().unwrap_or(Path::new(""));
        let place = data.map(Path::to_owned);
        let place = place.or_else(|| config.data.as_ref().map(|data| beside.join(data)));
        Self::with(place.unwrap_or_else(|| beside.to_owned()), config)
    }

    /// The node in the data directory `data`.
    pub fn at(data: &Path) -> anyhow::Result<Self> {
        let file = data.join(FILE_NAME);
        if !file.try_exists().with_context(|| format!("cannot look into {}", data.display()))? {
            bail!(
                "there is no node in {}: it has no {FILE_NAME}; make one with `jopoi init NODE`, \
                 or say where it is with `--data DIR`",
                data.display()
            );
        }
        Self::with(data.to_owned(), Config::read(&file)?)
    }

    /// All nodes below `data`: the one in it, or those in its subdirectories, by name.
    pub fn all_in(data: &Path) -> anyhow::Result<Vec<Self>> {
        if data.join(FILE_NAME).is_file() || !data.is_dir() {
            return Ok(vec![Self::at(data)?]);
        }
        let entries = std::fs::read_dir(data)
            .with_context(|| format!("cannot look into {}", data.display()))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.join(FILE_NAME).is_file() {
                found.push(Self::at(&path)?);
            }
        }
        if found.is_empty() {
            return Ok(vec![Self::at(data)?]);
        }
        found.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(found)
    }

    /// What a draft that does not say it is taken to say.
    pub fn defaults(&self) -> Defaults {
        let Config { language, reuse, .. } = self.config.clone();
        Defaults { language, reuse, ..Defaults::default() }
    }

    /// The socket on which the operator's commands reach a running server (design 7).
    pub fn socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }

    fn with(data: PathBuf, config: Config) -> anyhow::Result<Self> {
        let node = NodeName::parse(&config.node)?;
        Ok(Self { data, config, node, passphrase: Ways::default() })
    }
}

//! What an operator may set about reaching other nodes: the `[peers]` table of `jopoi.toml`.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tlog::name::NodeName;

/// How other nodes are reached. Everything has a default that suits a node with a plain internet line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerSettings {
    /// Networks that nodes may have their addresses in although these are not public, such as
    /// `["10.20.0.0/16"]` for nodes within a government network. In these networks a node may be
    /// reached by `http://` too. Nothing else inside the firewall is ever connected to.
    pub allow_networks: Vec<IpNet>,
    /// The proxy that leads out, such as `http://proxy.example:3128` (with `user:password@` if it
    /// asks for them). Without it, the environment's `HTTPS_PROXY` counts. Addresses in
    /// `allow_networks` are reached without it.
    pub proxy: Option<String>,
    /// Hosts, domains and networks that are reached without the proxy, such as `["gov.example"]`;
    /// the environment's `NO_PROXY` is added.
    pub no_proxy: Vec<String>,
    /// A PEM file with further certificate authorities, such as that of a proxy that inspects TLS.
    /// Those of the operating system count anyway. Records stay safe either way: they are signed.
    pub extra_ca_file: Option<PathBuf>,
    /// The nodes that relay this one, which cannot be reached: they are sent its feeds. Each must be followed.
    pub relays: Vec<NodeName>,
    /// How often, in seconds, a peer is asked for news that does not tell them by itself. Most do.
    pub interval_s: u64,
    /// How many feeds in step are synced at the same time, and half as many others; the rest wait their turn.
    /// 0 reaches nobody: for looking at how it went.
    pub rounds: usize,
}

impl PeerSettings {
    /// Five minutes: news from a peer that cannot hold a request is never much older.
    pub const INTERVAL_S: u64 = 300;
    /// Enough to use a good line, few enough for 512 MB of memory.
    pub const ROUNDS: usize = 8;

    /// Adds what the environment says of a proxy, where the operator said nothing.
    #[must_use]
    pub fn with_environment(mut self) -> Self {
        let found = |names: &[&str]| {
            let values = names.iter().filter_map(|name| std::env::var(name).ok());
            values.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let proxy = || found(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
        self.proxy = self.proxy.or_else(proxy);
        self.no_proxy.extend(found(&["NO_PROXY", "no_proxy"]));
        self
    }
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            proxy: None,
            no_proxy: Vec::new(),
            extra_ca_file: None,
            relays: Vec::new(),
            interval_s: Self::INTERVAL_S,
            rounds: Self::ROUNDS,
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not the URL of a proxy.
    #[error("`peers.proxy` is no URL of an HTTP proxy (expected `http://HOST:PORT`)")]
    Proxy(#[source] reqwest::Error),
    /// The file cannot be read.
    #[error("cannot read `peers.extra_ca_file` {file}")]
    CaFile {
        /// The file.
        file: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no certificates.
    #[error("`peers.extra_ca_file` {file} holds no certificates in PEM form")]
    CaForm {
        /// The file.
        file: PathBuf,
    },
    /// TLS cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

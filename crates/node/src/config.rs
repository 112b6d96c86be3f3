//! `jopoi.toml`: what one node is told about itself and its surroundings.
//!
//! The doc comment of a field is its documentation: [`document`] prints the whole file from it, so
//! that help, sample and parser cannot drift apart. Unknown keys are refused, since a misspelt one
//! would be silently without effect. No secret stands here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tlog::key::{KeyKind, VerifierKey};
use tlog::name::NodeName;

/// The file's name in a data directory.
pub const FILE_NAME: &str = "jopoi.toml";

/// A configuration is a page of text; anything longer is another file given by mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A segment of the greatest length as it travels, and a little.
const DOWNLOAD_MIB_MIN: usize = 33;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of this node, chosen once at `jopoi init` and never resolved: other nodes pin it
    /// together with the root key. Do not change it; a new name is a new node.
    pub node: String,
    /// The data directory, when this file does not lie in it. Relative to this file.
    #[schemars(example = &"/var/lib/jopoi")]
    pub data: Option<PathBuf>,
    /// The address and port this node listens on. Keep it on loopback behind a reverse proxy;
    /// `[::]:443` listens everywhere. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The public addresses of this node, the preferred one first. A request for another host is
    /// answered with 421. Empty: any host is answered.
    #[schemars(example = ["https://practices.example.org/"])]
    pub base_urls: Vec<String>,
    /// The licence under which this node's records may be used again, where a draft does not say
    /// (a code of the vocabulary `reuse-licences`).
    #[schemars(example = &"CC-BY-4.0")]
    pub reuse: Option<String>,
    /// The language of the people who write here (BCP 47), where a draft does not say.
    #[schemars(example = &"es")]
    pub language: Option<String>,
    /// Witnesses outside the nodes that are followed, asked to cosign this node's checkpoints: the
    /// verifier key (type 04) and the address before `/add-checkpoint`, as their operators give them.
    #[schemars(example = [Witness {
        vkey: "witness.example/w1+4c1a12ed+BO3i1xfbEsK5xqFWj13XlpWa8RMjNLLGp1wQLXvrkvZP".to_owned(),
        url: "https://witness.example/".to_owned(),
    }])]
    pub witnesses: Vec<Witness>,
    /// This node as a witness of others. The feeds it follows it cosigns anyway.
    pub witness: Cosigning,
    /// TLS from certificate files. Without them the node speaks plain HTTP, for a reverse proxy.
    pub tls: Tls,
    /// For those who look after this node.
    pub operator: Operator,
    /// How this node reaches others.
    pub peers: Peers,
    /// Ceilings that keep a small machine alive.
    pub limits: Limits,
    /// What the pages say about this node.
    pub site: Site,
}

/// A witness that is asked to cosign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its verifier key, `NAME+ID+BASE64`.
    pub vkey: String,
    /// The address before `/add-checkpoint`.
    pub url: String,
}

/// This node as a witness.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cosigning {
    /// Verifier keys (type 01) of other logs whose checkpoints are cosigned here when they ask.
    #[schemars(example = ["log.example/2026+12345678+AT7p…"])]
    pub logs: Vec<String>,
}

/// Certificate files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate chain, PEM, the server's own first. Read again when the file changes.
    #[schemars(example = &"/etc/jopoi/fullchain.pem")]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[schemars(example = &"/etc/jopoi/privkey.pem")]
    pub key: Option<PathBuf>,
}

/// Monitoring.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// The address and port where a monitoring system reads `/metrics`, `/livez` and `/readyz`; nothing else
    /// is answered there. Whoever reaches it may read it, without TLS: loopback, or a network of your own.
    /// Empty: over the control socket alone.
    #[schemars(example = &"127.0.0.1:9464")]
    pub listen: Option<SocketAddr>,
}

/// Outward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Peers {
    /// Private networks that peers may live in (CIDR). Loopback, private and link-local addresses
    /// are refused otherwise, so that nobody can point this node at a ministry's inner services.
    #[schemars(with = "Vec<String>", example = ["10.20.0.0/16"])]
    pub allow_networks: Vec<IpNet>,
    /// An HTTP proxy for all requests to peers. Empty: `HTTPS_PROXY` of the environment, which is
    /// also the place for one with a password.
    #[schemars(example = &"http://proxy.example.org:3128")]
    pub proxy: Option<String>,
    /// A file of further certificate authorities (PEM), such as that of a proxy that inspects TLS.
    #[schemars(example = &"/etc/jopoi/proxy-ca.pem")]
    pub extra_ca_file: Option<PathBuf>,
    /// Names of nodes that relay this one, for a node that nobody can reach: it sends them its feeds, and
    /// they serve them. It must follow them, they must follow it, and its node record names their
    /// addresses. Two are better than one.
    #[schemars(example = ["hub.example.org"])]
    pub relays: Vec<String>,
    /// Seconds between two rounds with a peer that does not tell us news as it happens.
    pub interval_s: u64,
}

/// Ceilings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections served at a time; more wait in the system's queue.
    pub connections: usize,
    /// Mebibytes that all downloads from peers together may hold in memory; at least 33, the
    /// longest answer a peer may give.
    pub download_mib: usize,
    /// Mebibytes of the data directory's disk that are kept for what this node publishes itself: while less
    /// is free, nothing of other nodes is taken in. Empty: 1024, or a twentieth of the disk if that is less.
    #[schemars(example = &2048)]
    pub reserve_mib: Option<u64>,
}

/// What the pages say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// The title of the site by language. Empty: the names in the node record.
    #[schemars(example = BTreeMap::from([("es", "Buenas prácticas")]))]
    pub name: BTreeMap<String, String>,
    /// Where readers may write: an office, not a person.
    #[schemars(example = &"practices@example.org")]
    pub contact: Option<String>,
    /// The languages of the pages, the preferred one first.
    pub languages: Vec<String>,
    /// A directory of `LANG.ftl` files: other words for ours, or a language of one's own. Read once, when the
    /// program starts.
    #[schemars(example = &"/etc/jopoi/texts")]
    pub texts: Option<PathBuf>,
    /// Every page says that its records are samples and that no State speaks here.
    pub sample: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: String::new(),
            data: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_urls: Vec::new(),
            reuse: None,
            language: None,
            witnesses: Vec::new(),
            witness: Cosigning::default(),
            tls: Tls::default(),
            operator: Operator::default(),
            peers: Peers::default(),
            limits: Limits::default(),
            site: Site::default(),
        }
    }
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            proxy: None,
            extra_ca_file: None,
            relays: Vec::new(),
            interval_s: 300,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1024, download_mib: 64, reserve_mib: None }
    }
}

impl Default for Site {
    fn default() -> Self {
        let languages = ["en", "fr", "es", "ar", "zh", "ru", "pt"];
        Self {
            name: BTreeMap::new(),
            contact: None,
            languages: languages.map(str::to_owned).to_vec(),
            texts: None,
            sample: false,
        }
    }
}

impl Config {
    /// Reads and checks a file; the error names the file, the line and what to write instead.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::metadata(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?
            .len();
        if bytes > FILE_BYTES_MAX {
            bail!("{} has {bytes} bytes: that is no configuration of jopoi", path.display());
        }
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Self::parse(&text).with_context(|| {
            format!(
                "the configuration {} is not valid; `jopoi config` shows every field",
                path.display()
            )
        })
    }

    /// Parses and checks the text of a file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// The witnesses that are asked to cosign.
    pub fn outside_witnesses(&self) -> anyhow::Result<Vec<peer::receipts::Witness>> {
        let read = |witness: &Witness| {
            let key = verifier_key("witnesses", &witness.vkey, KeyKind::Cosignature)?;
            Ok(peer::receipts::Witness { key, url: witness.url.clone() })
        };
        self.witnesses.iter().map(read).collect()
    }

    /// The logs that are cosigned here besides the feeds that are followed.
    pub fn outside_logs(&self) -> anyhow::Result<Vec<VerifierKey>> {
        let logs = self.witness.logs.iter();
        logs.map(|vkey| verifier_key("witness.logs", vkey, KeyKind::Ed25519)).collect()
    }

    /// The nodes that relay this one.
    pub fn relays(&self) -> anyhow::Result<Vec<NodeName>> {
        let named = |name: &String| {
            NodeName::parse(name).with_context(|| format!("`peers.relays` holds `{name}`"))
        };
        self.peers.relays.iter().map(named).collect()
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.node.is_empty() {
            bail!("`node` is missing: the name this node got at `jopoi init`");
        }
        NodeName::parse(&self.node)?;
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            bail!("`tls.certificate` and `tls.key` belong together: give both or neither");
        }
        for base in &self.base_urls {
            check_base_url(base)?;
        }
        self.outside_witnesses()?;
        self.outside_logs()?;
        self.relays()?;
        if self.limits.download_mib < DOWNLOAD_MIB_MIN {
            let given = self.limits.download_mib;
            bail!(
                "`limits.download_mib` = {given} is less than the {DOWNLOAD_MIB_MIN} that one answer needs"
            );
        }
        if let Some(proxy) = &self.peers.proxy {
            let parsed = url::Url::parse(proxy)
                .with_context(|| format!("`peers.proxy` = `{proxy}` is not a URL"))?;
            if parsed.password().is_some() {
                bail!(
                    "`peers.proxy` holds a password, and this file may hold none: \
                     put the proxy into the environment as HTTPS_PROXY"
                );
            }
        }
        Ok(())
    }
}

/// A verifier key of the kind that belongs there.
fn verifier_key(field: &str, vkey: &str, kind: KeyKind) -> anyhow::Result<VerifierKey> {
    let key = VerifierKey::parse(vkey).with_context(|| format!("`{field}` holds `{vkey}`"))?;
    if key.kind != kind {
        bail!(
            "`{field}` holds `{vkey}`, a key of type {:02x}: {:02x} is needed there",
            key.kind.byte(),
            kind.byte()
        );
    }
    Ok(key)
}

/// Checks one public address; it must be possible to append a path to it.
pub fn check_base_url(base: &str) -> anyhow::Result<url::Url> {
    let parsed = url::Url::parse(base)
        .with_context(|| format!("`{base}` is not an address such as https://example.org/"))?;
    let plain = parsed.username().is_empty() && parsed.password().is_none();
    if !matches!(parsed.scheme(), "http" | "https") || !plain || parsed.path() != "/" {
        bail!("`{base}` must be http or https, a host, and nothing after the host but `/`");
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        bail!("`{base}` must have no `?` and no `#`");
    }
    Ok(parsed)
}

/// The file in full: every field with its documentation, its default and the value it has.
pub fn document(config: &Config) -> anyhow::Result<String> {
    let schema = schemars::generate::SchemaSettings::default()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Config>();
    let now = serde_json::to_value(config)?;
    let usual = serde_json::to_value(Config::default())?;
    let mut text = String::from(
        "# jopoi.toml: the configuration of one node. Every field is optional but `node`.\n\
         # Made by `jopoi config`, which prints it again with the values in use.\n",
    );
    let mut tables = String::new();
    for (name, field) in properties(schema.as_value()) {
        let (value, default) = (now.get(name), usual.get(name));
        if field.get("properties").is_none() {
            field_text(&mut text, name, field, value, default)?;
            continue;
        }
        tables.push('\n');
        comment(&mut tables, description(field));
        tables.push_str(&format!("[{name}]\n"));
        for (inner, field) in properties(field) {
            let value = value.and_then(|table| table.get(inner));
            let default = default.and_then(|table| table.get(inner));
            field_text(&mut tables, inner, field, value, default)?;
        }
    }
    text.push_str(&tables);
    Ok(text)
}

fn properties(schema: &serde_json::Value) -> Vec<(&str, &serde_json::Value)> {
    let object = schema.get("properties").and_then(serde_json::Value::as_object);
    object
        .map(|map| map.iter().map(|(name, field)| (name.as_str(), field)).collect())
        .unwrap_or_default()
}

fn description(field: &serde_json::Value) -> &str {
    field.get("description").and_then(serde_json::Value::as_str).unwrap_or_default()
}

fn comment(text: &mut String, words: &str) {
    for line in words.lines() {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
}

/// One field: its words, its default, and its value, commented out where it has none.
fn field_text(
    text: &mut String,
    name: &str,
    field: &serde_json::Value,
    value: Option<&serde_json::Value>,
    default: Option<&serde_json::Value>,
) -> anyhow::Result<()> {
    text.push('\n');
    comment(text, description(field));
    let set = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::Object(map)) if map.is_empty() => None,
        Some(serde_json::Value::Array(list)) if list.is_empty() => None,
        Some(serde_json::Value::String(text)) if text.is_empty() => None,
        Some(value) => Some(value.clone()),
    };
    if let Some(default) = set(default) {
        text.push_str(&format!("# Default: {}\n", inline(&default)?));
    }
    match (set(value), field.get("examples").and_then(|list| list.get(0))) {
        (Some(value), _) => text.push_str(&format!("{name} = {}\n", inline(&value)?)),
        (None, Some(example)) => text.push_str(&format!("# {name} = {}\n", inline(example)?)),
        (None, None) => text.push_str(&format!("# {name} =\n")),
    }
    Ok(())
}

/// A value as it stands after `=`, on one line.
fn inline(value: &serde_json::Value) -> anyhow::Result<String> {
    Ok(toml::Value::try_from(value)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Config {
        let mut config = Config { node: "simore.gov.py".into(), ..Config::default() };
        config.base_urls = vec!["https://simore.gov.py/".into()];
        config.reuse = Some("CC-BY-4.0".into());
        config.site.name = BTreeMap::from([("es".into(), "Buenas prácticas \"abiertas\"".into())]);
        config.peers.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same_configuration() {
        let config = sample();
        let text = document(&config).unwrap();
        assert_eq!(Config::parse(&text).unwrap(), config, "{text}");
    }

    #[test]
    fn every_field_is_documented() {
        let text = document(&sample()).unwrap();
        for field in text.lines().filter(|line| line.contains(" =") || line.starts_with('[')) {
            let before = text.split(field).next().unwrap().lines().last().unwrap();
            assert!(before.starts_with('#'), "`{field}` has no words above it");
        }
        assert!(text.contains("# Default: 300\ninterval_s = 300"), "{text}");
        assert!(text.contains("# proxy = \"http://proxy.example.org:3128\""), "{text}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = Config::parse("node = \"a.example\"\nlisten_on = \"x\"\n").unwrap_err();
        let words = format!("{error:#}");
        assert!(words.contains("listen_on") && words.contains('2'), "{words}");
    }

    #[test]
    fn a_password_in_the_file_is_refused() {
        let text = "node = \"a.example\"\n[peers]\nproxy = \"http://u:p@proxy.example:3128\"\n";
        let words = format!("{:#}", Config::parse(text).unwrap_err());
        assert!(words.contains("HTTPS_PROXY"), "{words}");
    }

    #[test]
    fn a_base_url_with_a_path_is_refused() {
        assert!(check_base_url("https://example.org/x").is_err());
        assert!(check_base_url("ftp://example.org/").is_err());
        assert!(check_base_url("http://127.0.0.1:8080").is_ok());
    }
}

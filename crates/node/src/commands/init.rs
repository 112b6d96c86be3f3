//! `jopoi init`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use ipnet::IpNet;
use practice::node_record::Contact;
use practice::vocabulary::{Vocabulary, is_state, states};
use serde_json::json;
use tlog::name::NodeName;

use crate::cli::Global;
use crate::config::{Config, check_base_url};
use crate::keys::ceremony::Ceremony;
use crate::keys::{Role, Root, offline};
use crate::output::{Done, Output, Usage, visible};
use crate::place::DATA_DEFAULT;
use crate::setup::{self, Made, NewNode};
use crate::wiring::Shared;

/// Make a node: its keys, its first entry, its configuration.
#[derive(Args)]
pub struct Init {
    /// The name of the node, chosen once, such as simore.gov.py. It need not exist in the DNS.
    node: String,
    /// The State whose mechanism it is (ISO 3166-1 alpha-2).
    #[arg(
        long,
        value_name = "XX",
        conflicts_with = "organization",
        required_unless_present_any = ["organization", "from_ceremony"]
    )]
    state: Option<String>,
    /// The organization whose node it is, where it is no State's. What people call the node is still to be
    /// given with --name.
    #[arg(long, value_name = "[LANG=]NAME")]
    organization: Vec<String>,
    /// What people call it; once for each language.
    #[arg(long, value_name = "LANG=TEXT", required_unless_present = "from_ceremony")]
    name: Vec<String>,
    /// A public address, the preferred one first.
    #[arg(long)]
    url: Vec<String>,
    /// The licence under which its records may be used again, where a draft does not say, such as CC-BY-4.0.
    #[arg(long, value_name = "LICENCE")]
    reuse: String,
    /// The language of those who write here, where a draft does not say.
    #[arg(long, value_name = "LANG")]
    language: Option<String>,
    /// The unit that runs it. No personal names.
    #[arg(long, value_name = "TEXT")]
    contact_unit: Option<String>,
    /// The unit's mailbox.
    #[arg(long, value_name = "ADDRESS")]
    contact_email: Option<String>,
    /// The address and port to listen on.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// A private network that peers may live in.
    #[arg(long, value_name = "CIDR")]
    allow_network: Vec<IpNet>,
    /// Make a recovery key too: it can replace a root key that was lost or stolen.
    #[arg(long, conflicts_with = "from_ceremony")]
    recovery: bool,
    /// Begin with what `jopoi keys ceremony` made on another machine: the root key never comes here.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["state", "organization", "name", "url", "contact_unit", "contact_email"])]
    from_ceremony: Option<PathBuf>,
}

impl Init {
    /// Makes it, and says what to do next.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let data = global.data.first().map_or(Path::new(DATA_DEFAULT), PathBuf::as_path);
        let new = self.into_node().map_err(|error| Usage(format!("{error:#}")))?;
        let made = setup::create(data, &new, &Shared::default()).await?;
        tell(data, &new, &made, &output)?;
        Ok(Done::Fully)
    }

    /// The node that is asked for.
    pub fn into_node(self) -> anyhow::Result<NewNode> {
        let mut config =
            Config { node: NodeName::parse(&self.node)?.to_string(), ..Config::default() };
        if let Some(state) = self.state.as_deref().filter(|state| !is_state(state)) {
            anyhow::bail!("`{state}` is no code of a State; give two capital letters such as PY");
        }
        let licences = Vocabulary::get("reuse-licences");
        if let Some(licences) = licences.filter(|licences| !licences.contains(&self.reuse)) {
            let codes: Vec<&str> = licences.terms().iter().map(|term| term.code.as_str()).collect();
            anyhow::bail!("`{}` is no licence of the list: {}", self.reuse, codes.join(", "));
        }
        for url in &self.url {
            config.base_urls.push(check_base_url(url)?.to_string());
        }
        config.listen = self.listen.unwrap_or(config.listen);
        config.peers.allow_networks = self.allow_network;
        config.reuse = Some(self.reuse);
        let fallback = self.language.as_deref().unwrap_or("en");
        let organization = by_language(&self.organization, Some(fallback))?;
        let names = by_language(&self.name, None)?;
        config.language = self.language;
        let contact = (self.contact_unit.is_some() || self.contact_email.is_some())
            .then_some(Contact { unit: self.contact_unit, email: self.contact_email });
        let organization = (!organization.is_empty()).then_some(organization);
        let mut new = NewNode {
            names,
            state: self.state,
            organization,
            contact,
            config,
            recovery: self.recovery,
            ceremony: None,
        };
        if let Some(file) = self.from_ceremony {
            let ceremony = Ceremony { file };
            let record = ceremony.node_record()?;
            new.names.clone_from(&record.names);
            new.state.clone_from(&record.state);
            new.config.base_urls.clone_from(&record.urls);
            new.ceremony = Some(ceremony);
        }
        Ok(new)
    }
}

/// `LANG=TEXT` each; without `LANG=` the text is in `fallback`, if there is one.
pub fn by_language(
    texts: &[String],
    fallback: Option<&str>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for text in texts {
        let (language, text) = match (text.split_once('='), fallback) {
            (Some((language, text)), _) if is_tag(language) => (language, text),
            (_, Some(language)) => (language, text.as_str()),
            _ => anyhow::bail!(
                "`{text}` needs its language: LANG=TEXT, such as es=\"Mecanismo nacional\""
            ),
        };
        map.insert(language.to_owned(), text.to_owned());
    }
    Ok(map)
}

fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|first| (2..=3).contains(&first.len()))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn tell(data: &Path, new: &NewNode, made: &Made, output: &Output) -> anyhow::Result<()> {
    let node = &new.config.node;
    let keys = crate::upkeep::own_keys(made.node.feeds());
    let root = keys.and_then(|keys| keys.newest().map(|newest| newest.record.root.to_did()));
    output.json(&json!({
        "node": node,
        "root": root,
        "root_key_file": made.root.as_ref().map(|_| &made.root_path),
        "recovery": made.recovery.as_ref().map(Root::did),
        "data": data,
        "feeds": made.node.feeds().own(),
    }))?;
    let of = new.state.as_deref().map(|state| states().label(state, "en"));
    output.say(format!(
        "Made {node} ({}) in {}.",
        of.unwrap_or("an organization"),
        data.display()
    ))?;
    for (language, name) in &new.names {
        output.say(format!("  name      {} ({language})", visible(name)))?;
    }
    for origin in made.node.feeds().own() {
        output.say(format!("  feed      {origin}, with this description as entry 0"))?;
    }
    let path = |role: Role| offline::beside(data, &made.node.place().node, role);
    let keys = [(Role::Root, &made.root), (Role::Recovery, &made.recovery)];
    for (role, key) in keys.iter().filter_map(|(role, key)| Some((*role, key.as_ref()?))) {
        show_key(role, key, &path(role), output)?;
    }
    if made.root.is_some() {
        output.say("            Shown this once. Whoever has the root is this node; without it the node's keys and\n            \
            address can never be changed.\n")?;
    }
    let data_flag = if data == Path::new(DATA_DEFAULT) {
        String::new()
    } else {
        format!(" --data {}", data.display())
    };
    output.say("Next:")?;
    output.say(match (&made.root, &made.recovery, &new.ceremony) {
        (_, _, Some(ceremony)) => format!("  1. Destroy {}.", ceremony.file.display()),
        (_, Some(_), _) => format!(
            "  1. Move both keys off this machine: {} to two safes, {} to another office.",
            path(Role::Root).display(),
            path(Role::Recovery).display()
        ),
        _ => format!(
            "  1. Move {} off this machine: two copies, two safes.",
            made.root_path.display()
        ),
    })?;
    output.say(format!("  2. jopoi publish{data_flag} FILE   signs a record (jopoi form good-practice -o FILE makes a sheet)"))?;
    output.say(format!(
        "  3. jopoi serve{data_flag}          lets others read and follow at {}",
        new.config.listen
    ))
}

/// A key that is shown once, with where its file is.
pub fn show_key(role: Role, key: &Root, path: &Path, output: &Output) -> anyhow::Result<()> {
    output.say(format!("  {:<9} {}", format!("{} key", role.as_str()), key.did()))?;
    output.say(format!("            fingerprint {}", offline::fingerprint(&key.public())))?;
    output.say(format!("            {}", path.display()))?;
    for line in key.lines().iter() {
        output.say(format!("            secret {line}"))?;
    }
    Ok(())
}

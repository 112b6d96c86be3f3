//! `jopoi verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use feed::bundle::evidence as evidence_file;
use feed::fault::Fault;
use feed::verdict::{self, Anchor, Evidence, Verdict};
use network::file::NetworkFile;
use serde_json::json;
use tlog::ed25519::PublicKey;
use tlog::key::VerifierKey;
use tlog::name::NodeName;
use url::Url;
use wire::api::network::{Network, NetworkFileAnswer, NetworkFileRequest, Networks};
use wire::api::{NodeInfo, Peers};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::draft_file::read_bytes;
use crate::evidence::Source;
use crate::output::{Done, Output, Usage, visible};
use crate::record_name::RecordName;

/// Evidence of one record is its body, proofs, node records and what a network says: some hundred KiB.
const EVIDENCE_BYTES_MAX: u64 = 16 << 20;

/// A network file has a line for the committee and some for keys.
const NETWORK_FILE_BYTES_MAX: u64 = network::file::FILE_BYTES_MAX as u64;

/// Check a record from the network file or the root key to its last byte, and say which link fails.
///
/// A file of evidence is checked without any network; so is a fault file, which shows that two versions
/// of one feed were signed.
#[derive(Args)]
pub struct Verify {
    /// A record (urn:uuid:…, NODE/FEED/UUID), the address of its page at any node, or a file: evidence
    /// saved earlier, or a fault file.
    what: String,
    /// The network file, its fingerprint compared by telephone: then nothing else need be known.
    /// Without it and without --root: a network that is pinned here and in which the node participates.
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// The root key the node must have, learned another way. Without it: the key pinned here, if any.
    #[arg(long, value_name = "did:key:…")]
    root: Option<PublicKey>,
    /// Save the evidence, so that anybody can check it offline and later.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Verify {
    /// Gathers, judges, tells.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let network = self.network.as_deref().map(read_network).transpose()?;
        let file = Path::new(&self.what);
        let (evidence, network) = if file.is_file() {
            let bytes = Bytes::from(read_bytes(file, EVIDENCE_BYTES_MAX)?);
            if let Ok(fault) = Fault::parse(&bytes) {
                return self.fault(&fault, global, &output).await;
            }
            let evidence = evidence_file::read(&bytes).with_context(|| {
                format!("{} is neither evidence of a record nor a fault file", file.display())
            })?;
            let network = match network {
                None if self.root.is_none() && evidence.network.is_some() => {
                    network_of(evidence.origin.node(), global).await
                }
                given => given,
            };
            (evidence, network)
        } else {
            self.gather(network, global).await?
        };
        if let Some(file) = &self.save {
            std::fs::write(file, evidence_file::write(&evidence))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let (root, why) = match (self.root, &network) {
            (Some(root), _) => (Some(root), "given with --root"),
            (None, Some(_)) => (None, "named by its network"),
            (None, None) => match pinned(evidence.origin.node(), global).await {
                Some(root) => (Some(root), "pinned on this machine"),
                None => (None, "taken from the evidence itself"),
            },
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let anchor = Anchor { root, network, now: now.ok().map(|since| since.as_secs()) };
        tell(&evidence, &verdict::verify(&evidence, &anchor), why, &output)
    }

    /// The evidence of a record, and the network by which it can be judged: the one given, else one that
    /// is known here.
    async fn gather(
        &self,
        given: Option<NetworkFile>,
        global: &Global,
    ) -> anyhow::Result<(Evidence, Option<NetworkFile>)> {
        let what = &self.what;
        let address = Url::parse(what).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let name = RecordName::parse(what);
        if name.is_err() && address.is_none() {
            bail!(Usage(format!(
                "there is no file `{what}`, and it names no record: give urn:uuid:…, NODE/FEED/UUID, the address of \
                 a record's page, or a file of evidence"
            )));
        }
        let name = name?;
        let (source, origin) = match (address, name.origin.clone()) {
            (Some(url), Some(origin)) => (Source::at(&url)?, origin),
            (Some(_), None) => {
                bail!(Usage(format!("`{what}` is not the address of a record's page")))
            }
            (None, _) => {
                let control = global.control().await?;
                let origin = name.find(&control).await?.origin;
                (Source::Here(control), origin)
            }
        };
        if given.is_none()
            && self.root.is_none()
            && let Some(known) = network_of(origin.node(), global).await
            // A node that does not carry the network can still show the record.
            && let Ok(evidence) = source.record(&origin, &name.id, Some(&known)).await
        {
            return Ok((evidence, Some(known)));
        }
        let evidence = source.record(&origin, &name.id, given.as_ref()).await?;
        Ok((evidence, given))
    }

    /// Whether a fault file convinces; for a stranger, of the root that it names itself.
    async fn fault(&self, fault: &Fault, global: &Global, output: &Output) -> anyhow::Result<Done> {
        let node = fault.node();
        let (root, why) = match (self.root, &node) {
            (Some(root), _) => (Some(root), "given with --root"),
            (None, Some(node)) => match pinned(node, global).await {
                Some(root) => (Some(root), "pinned on this machine"),
                None => (fault.root(), "taken from the file itself"),
            },
            (None, None) => (None, "no node's"),
        };
        let judged = match (root, &fault.cosigner) {
            (Some(root), _) => fault.verify(root).map_err(|error| error.to_string()),
            (None, Some(vkey)) => match VerifierKey::parse(vkey) {
                Ok(key) => fault.verify_cosigner(&key).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            },
            (None, None) => Err("it names no root".to_owned()),
        };
        let [first, second] = fault.checkpoints()?;
        output.json(&json!({
            "fault": fault.fault,
            "origin": fault.origin,
            "signed_by": fault.cosigner.clone().or_else(|| node.as_ref().map(ToString::to_string)),
            "root": root.map(|root| root.to_did()),
            "root_is": why,
            "independent": why != "taken from the file itself",
            "verified": judged.is_ok(),
            "reason": judged.as_ref().err(),
            "checkpoints": [[first.size.to_string(), first.root.to_base64()], [second.size.to_string(), second.root.to_base64()]],
        }))?;
        output.say(format!("feed         {}", fault.origin))?;
        for said in [&first, &second] {
            output.say(format!("version      {} entries, root {}", said.size, said.root))?;
        }
        if let Some(root) = root {
            output.say(format!("root         {} ({why})", root.to_did()))?;
        }
        let signer = match (&fault.cosigner, &node) {
            (Some(vkey), _) => format!("The cosigner {vkey} vouched for both"),
            (None, _) => format!("`{}` signed both", fault.origin.node()),
        };
        match &judged {
            Ok(()) => output.say(format!(
                "{} {signer}, and they contradict each other.",
                output.mark(false, "TWO VERSIONS")
            ))?,
            Err(reason) => output.say(format!("This shows nothing: {}.", visible(reason)))?,
        }
        if why == "taken from the file itself" {
            output.warn("The root key is only what the file names: compare it by telephone, or give it with --root.");
        }
        Ok(if judged.is_ok() { Done::Fully } else { Done::Refuted })
    }
}

fn read_network(file: &Path) -> anyhow::Result<NetworkFile> {
    let bytes = read_bytes(file, NETWORK_FILE_BYTES_MAX)?;
    NetworkFile::parse(&bytes).with_context(|| format!("{} is no network file", file.display()))
}

/// The file of a network that this machine takes part in or knows, and in which the node participates.
async fn network_of(node: &NodeName, global: &Global) -> Option<NetworkFile> {
    let control: Control = global.control().await.ok()?;
    let known: Networks = control.get(paths::API_NETWORKS).await.ok()?;
    let takes_part = |network: &&Network| network.participants.iter().any(|one| one.node == *node);
    let network = known.networks.iter().find(takes_part)?.origin.node().clone();
    let asked = NetworkFileRequest { network: Some(network) };
    let answer: NetworkFileAnswer = control.post(paths::API_NETWORK_FILE, &asked).await.ok()?;
    NetworkFile::parse(answer.file.as_bytes()).ok()
}

/// The root of a node that is this machine's own or that it follows.
async fn pinned(node: &NodeName, global: &Global) -> Option<PublicKey> {
    // A machine without a node pins nothing, and verifies all the same.
    let control: Control = global.control().await.ok()?;
    let own: NodeInfo = control.get(paths::API_NODE).await.ok()?;
    if own.node == *node {
        return PublicKey::from_did(&own.root).ok();
    }
    let peers: Peers = control.get(paths::API_PEERS).await.ok()?;
    let peer = peers.peers.into_iter().find(|peer| peer.node == *node)?;
    PublicKey::from_did(&peer.root).ok()
}

fn tell(
    evidence: &Evidence,
    verdict: &Verdict,
    why: &str,
    output: &Output,
) -> anyhow::Result<Done> {
    let root = verdict.root.map(|root| root.to_did()).unwrap_or_default();
    let independent = verdict.root_confirmed;
    let steps = verdict.steps.iter().map(|step| match &step.finding {
        Ok(words) => json!({"link": step.link.code(), "ok": true, "words": words}),
        Err(words) => {
            let advice = step.link.advice();
            json!({"link": step.link.code(), "ok": false, "words": words, "advice": advice})
        }
    });
    output.json(&json!({
        "origin": evidence.origin,
        "root": root,
        "root_is": why,
        "fingerprint": verdict.fingerprint,
        "independent": independent,
        "verified": verdict.holds(),
        "steps": steps.collect::<Vec<_>>(),
    }))?;
    output.say(format!("root         {root} ({why})"))?;
    for step in &verdict.steps {
        let (good, words) = match &step.finding {
            Ok(words) => (true, words),
            Err(words) => (false, words),
        };
        let mark = output.mark(good, if good { "ok    " } else { "FAILED" });
        output.say(format!("{:<12} {mark} {}", step.link.code(), visible(words)))?;
    }
    match verdict.failing() {
        None => {
            output
                .say(format!("Authentic and unaltered since published in {}.", evidence.origin))?;
        }
        Some(step) => output.say(format!("What to do: {}.", step.link.advice()))?,
    }
    if !independent {
        output.warn(format!(
            "The root key is only what was served: compare it with what {} says by telephone, \
             or give it with --root.",
            evidence.origin.node()
        ));
    }
    Ok(if verdict.holds() { Done::Fully } else { Done::Refuted })
}

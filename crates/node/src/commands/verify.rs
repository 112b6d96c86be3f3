//! `jopoi verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use feed::bundle::evidence as evidence_file;
use feed::verdict::{self, Evidence};
use practice::body::Body;
use practice::node_record::NodeRecord;
use serde_json::json;
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;
use url::Url;
use wire::api::{NodeInfo, Peers};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::draft_file::read_bytes;
use crate::evidence::Source;
use crate::output::{Done, Output, Usage, visible};
use crate::record_name::RecordName;

/// Evidence of one record is its body, its entry, a proof and the node records: some hundred KiB.
const EVIDENCE_BYTES_MAX: u64 = 16 << 20;

/// Check a record from the root key to its last byte, and say which link fails.
#[derive(Args)]
pub struct Verify {
    /// A record (urn:uuid:…, NODE/FEED/UUID), the address of its page at any node, or a file of
    /// evidence saved earlier, which is checked without any network.
    what: String,
    /// The root key the node must have, learned another way. Without it: the key pinned here, if any.
    #[arg(long, value_name = "did:key:…")]
    root: Option<PublicKey>,
    /// Save the evidence, so that anybody can check it offline and later.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// The root key that is believed, and why.
struct Anchor {
    root: PublicKey,
    why: &'static str,
    /// Whether it came from anywhere but the evidence itself.
    independent: bool,
}

impl Verify {
    /// Gathers, judges, tells.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let file = Path::new(&self.what);
        let evidence = if file.is_file() {
            evidence_file::read(&read_bytes(file, EVIDENCE_BYTES_MAX)?.into())
                .with_context(|| format!("{} is no evidence of a record", file.display()))?
        } else {
            gather(&self.what, global).await?
        };
        if let Some(file) = &self.save {
            std::fs::write(file, evidence_file::write(&evidence))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let anchor = self.anchor(&evidence, global).await?;
        tell(&evidence, &anchor, &output)
    }

    /// The root given, else the one pinned on this machine, else the one the evidence names.
    async fn anchor(&self, evidence: &Evidence, global: &Global) -> anyhow::Result<Anchor> {
        if let Some(root) = self.root {
            return Ok(Anchor { root, why: "given with --root", independent: true });
        }
        if let Some(root) = pinned(evidence.origin.node(), global).await {
            return Ok(Anchor { root, why: "pinned on this machine", independent: true });
        }
        let first = evidence.node_records.first().context("the evidence holds no node record")?;
        let record = NodeRecord::from_body(&Body::open(first.clone())?)?;
        Ok(Anchor { root: record.root, why: "taken from the evidence itself", independent: false })
    }
}

async fn gather(what: &str, global: &Global) -> anyhow::Result<Evidence> {
    let address = Url::parse(what).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let name = RecordName::parse(what)?;
    match (address, &name.origin) {
        (Some(url), Some(origin)) => Source::at(&url)?.record(origin, &name.id).await,
        (Some(_), None) => bail!(Usage(format!("`{what}` is not the address of a record's page"))),
        (None, _) => {
            let control = global.control().await?;
            let record = name.find(&control).await?;
            Source::Here(control).record(&record.origin, &name.id).await
        }
    }
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

fn tell(evidence: &Evidence, anchor: &Anchor, output: &Output) -> anyhow::Result<Done> {
    let verdict = verdict::verify(evidence, Some(anchor.root));
    let steps = verdict.steps.iter().map(|step| match &step.finding {
        Ok(words) => json!({"link": step.link.code(), "ok": true, "words": words}),
        Err(words) => json!({"link": step.link.code(), "ok": false, "words": words}),
    });
    output.json(&json!({
        "origin": evidence.origin,
        "root": anchor.root.to_did(),
        "root_is": anchor.why,
        "independent": anchor.independent,
        "verified": verdict.holds(),
        "steps": steps.collect::<Vec<_>>(),
    }))?;
    output.say(format!("root         {} ({})", anchor.root.to_did(), anchor.why))?;
    for step in &verdict.steps {
        let (good, words) = match &step.finding {
            Ok(words) => (true, words),
            Err(words) => (false, words),
        };
        let mark = output.mark(good, if good { "ok    " } else { "FAILED" });
        output.say(format!("{:<12} {mark} {}", step.link.code(), visible(words)))?;
    }
    if verdict.holds() {
        output.say(format!("Authentic and unaltered since published in {}.", evidence.origin))?;
    }
    if !anchor.independent {
        output.warn(format!(
            "The root key is only what was served: compare it with what {} says by telephone, \
             or give it with --root.",
            evidence.origin.node()
        ));
    }
    Ok(if verdict.holds() { Done::Fully } else { Done::Refuted })
}

//! What is needed to check one record alone: its body, the proof that its entry stands in the feed, the
//! node records that say whose keys signed them, who has received them, and what a network says of the
//! node.
//!
//! It is gathered from a node's own addresses, over HTTP or from the node of this machine, and none
//! of it is trusted: `feed::verdict` judges.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use feed::verdict::{Evidence, NetworkEvidence, Placed};
use http::Method;
use network::file::NetworkFile;
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::name::{NodeName, Origin};
use tlog::proof_file::TlogProof;
use url::Url;
use wire::api::{Record, Records};
use wire::paths;

use crate::control::Control;

/// The largest answer that is read: an entry tile of 256 entries of 1,024 bytes, or a page of records.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A feed that grows between two questions is asked again this often.
const TRIES: usize = 4;

/// Pages of records of one kind: all participants of the world are on two.
const PAGES_MAX: usize = 50;

/// Where evidence comes from.
pub enum Source {
    /// The node of this machine.
    Here(Control),
    /// A node at an address.
    At(Url, reqwest::Client),
}

impl Source {
    /// A node at the address of one of its pages.
    pub fn at(page: &Url) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(wire::limits::DEADLINE_SMALL)
            .build()
            .context("the HTTP client cannot be set up")?;
        let mut base = page.clone();
        base.set_path("/");
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self::At(base, client))
    }

    /// Everything about the current version of a record, and what `network` says of its node.
    pub async fn record(
        &self,
        origin: &Origin,
        id: &RecordId,
        network: Option<&NetworkFile>,
    ) -> anyhow::Result<Evidence> {
        let record: Record = self.json(&paths::api_record(origin, id)).await?;
        let index = match record.index {
            Some(index) if record.version.is_some() => index,
            _ => bail!("{id} in {origin} is {}: there is no text to verify", record.standing),
        };
        let mut evidence = self.entry(origin, index).await?;
        if let Some(file) = network {
            evidence.network = Some(self.network(file, origin.node()).await?);
        }
        Ok(evidence)
    }

    /// Everything about the body at an entry, proved to one state of its feed.
    async fn entry(&self, origin: &Origin, index: u64) -> anyhow::Result<Evidence> {
        for _ in 0..TRIES {
            let record = self.placed(origin, index).await?;
            let mut node_records = Vec::new();
            for at in self.versions(origin, &Kind::NODE).await? {
                node_records.push(self.placed(origin, at).await?);
            }
            // A node that knows no cosigners says so.
            let cosignatures = self.bytes(&paths::cosignatures(origin)).await.ok();
            if of_one_state(node_records.iter().chain([&record]))? {
                let origin = origin.clone();
                return Ok(Evidence { origin, record, node_records, cosignatures, network: None });
            }
        }
        bail!("`{origin}` grew while its evidence was gathered; try again")
    }

    /// What a network says of a node, proved to one state of the network's feed.
    async fn network(
        &self,
        file: &NetworkFile,
        node: &NodeName,
    ) -> anyhow::Result<NetworkEvidence> {
        let origin = &file.origin;
        for _ in 0..TRIES {
            let mut records = Vec::new();
            for kind in [Kind::NODE, Kind::POLICY] {
                for at in self.versions(origin, &kind).await? {
                    records.push(self.placed(origin, at).await?);
                }
            }
            for at in self.versions(origin, &Kind::PARTICIPANT).await? {
                let body = Body::open(self.bytes(&paths::body(origin, at)).await?)?;
                let subject = body.subject().get("node").and_then(|node| node.as_str());
                if subject == Some(node.as_str()) {
                    records.push(self.placed(origin, at).await?);
                }
            }
            let anchors = self.bytes(&paths::anchors(origin)).await?;
            if of_one_state(records.iter())? {
                let (origin, file) = (origin.clone(), file.bytes().clone());
                return Ok(NetworkEvidence { origin, file, records, anchors }.decided_only());
            }
        }
        bail!("`{origin}` grew while its evidence was gathered; try again")
    }

    async fn placed(&self, origin: &Origin, index: u64) -> anyhow::Result<Placed> {
        let proof = self.bytes(&paths::proof(origin, index)).await?;
        let body = self.bytes(&paths::body(origin, index)).await?;
        Ok(Placed { body, proof })
    }

    /// Entries of every valid version of every record of a kind, by index; entry 0 among those of kind
    /// `node`.
    async fn versions(&self, origin: &Origin, kind: &Kind) -> anyhow::Result<BTreeSet<u64>> {
        let mut indexes = BTreeSet::new();
        let mut before = None;
        for _ in 0..PAGES_MAX {
            let path = format!("{}&kind={kind}", paths::api_records(origin, before));
            let records: Records = self.json(&path).await?;
            for summary in &records.records {
                let record: Record = self.json(&paths::api_record(origin, &summary.id)).await?;
                let published = record.statements.iter().filter(|said| said.op == "publish");
                indexes.extend(published.map(|said| said.index));
            }
            before = records.next;
            if before.is_none() {
                break;
            }
        }
        if *kind == Kind::NODE {
            indexes.insert(0);
        }
        Ok(indexes)
    }

    async fn json<A: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<A> {
        let bytes = self.bytes(path).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("{path} is no answer of a node"))
    }

    async fn bytes(&self, path: &str) -> anyhow::Result<Bytes> {
        match self {
            Self::Here(control) => control.bytes(Method::GET, path).await,
            Self::At(base, client) => {
                let url = base.join(path)?;
                let shown = url.clone();
                download(client, url).await.with_context(|| format!("cannot get {shown}"))
            }
        }
    }
}

/// Whether all are proved to one checkpoint.
fn of_one_state<'a>(all: impl Iterator<Item = &'a Placed>) -> anyhow::Result<bool> {
    let mut states = BTreeSet::new();
    for one in all {
        let proof = TlogProof::parse(&one.proof).context("a proof is not readable")?;
        states.insert(proof.checkpoint.checkpoint.body());
    }
    Ok(states.len() <= 1)
}

async fn download(client: &reqwest::Client, url: Url) -> anyhow::Result<Bytes> {
    let request = client.get(url).header(http::header::ACCEPT, "application/json, */*;q=0.5");
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            bail!("the answer is longer than {ANSWER_BYTES_MAX} bytes: that is no node");
        }
        bytes.extend_from_slice(&chunk);
    }
    crate::control::checked(status, bytes.into())
}

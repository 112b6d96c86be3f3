//! What is needed to check one record alone: its entry, its body, the proof that the entry stands in
//! the feed, and the node records that say whose keys signed them.
//!
//! It is gathered from a node's own addresses, over HTTP or from the node of this machine, and none
//! of it is trusted: `feed::verdict` judges.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use feed::verdict::Evidence;
use http::Method;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::name::Origin;
use tlog::proof_file::TlogProof;
use tlog::tile::{EntriesTile, TilePath, WIDTH, decode_entries};
use url::Url;
use wire::api::{Record, Records};
use wire::paths;

use crate::control::Control;

/// The largest answer that is read: an entry tile of 256 entries of 1,024 bytes, or a page of records.
const ANSWER_BYTES_MAX: usize = 4 << 20;

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

    /// Everything about the current version of a record.
    pub async fn record(&self, origin: &Origin, id: &RecordId) -> anyhow::Result<Evidence> {
        let record: Record = self.json(&paths::api_record(origin, id)).await?;
        match record.index {
            Some(index) if record.version.is_some() => self.entry(origin, index).await,
            _ => bail!("{id} in {origin} is {}: there is no text to verify", record.standing),
        }
    }

    /// Everything about the body at an entry.
    pub async fn entry(&self, origin: &Origin, index: u64) -> anyhow::Result<Evidence> {
        let body = self.bytes(&paths::body(origin, index)).await?;
        let proof = self.bytes(&paths::proof(origin, index)).await?;
        let size = TlogProof::parse(&proof)
            .context("the proof is not readable")?
            .checkpoint
            .checkpoint
            .size;
        let width = WIDTH.min(size.saturating_sub(index / WIDTH * WIDTH));
        let tile = TilePath::Entries(EntriesTile::new(index / WIDTH, u16::try_from(width)?)?);
        let bundle = self.bytes(&paths::tile(origin, &tile)).await?;
        let entries = decode_entries(&bundle).context("the entries are not readable")?;
        let entry =
            entries.get(usize::try_from(index % WIDTH)?).context("the entry is not in its tile")?;
        Ok(Evidence {
            origin: origin.clone(),
            entry: Bytes::copy_from_slice(entry),
            body,
            proof,
            node_records: self.node_records(origin, index).await?,
        })
    }

    /// Every version of the node record below an entry; for entry 0, entry 0 itself.
    async fn node_records(&self, origin: &Origin, below: u64) -> anyhow::Result<Vec<Bytes>> {
        let path = format!("{}&kind={}", paths::api_records(origin, None), Kind::NODE);
        let records: Records = self.json(&path).await?;
        let mut indexes = vec![0];
        for summary in records.records {
            let record: Record = self.json(&paths::api_record(origin, &summary.id)).await?;
            let published = record.statements.iter().filter(|said| said.op == "publish");
            indexes.extend(
                published.map(|said| said.index).filter(|&index| index > 0 && index < below),
            );
        }
        let mut bodies = Vec::with_capacity(indexes.len());
        for index in indexes {
            bodies.push(self.bytes(&paths::body(origin, index)).await?);
        }
        Ok(bodies)
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

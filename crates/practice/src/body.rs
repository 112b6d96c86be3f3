//! The body of a record: the canonical bytes of one version, a Verifiable Credential signed by its issuer.
//!
//! [`Body::open`] checks received bytes: canonical, and the document structure of design 4.3 and 4.7.
//! [`Body::sign`] makes such bytes. Whether the proof holds is asked apart ([`Body::verify`], or
//! [`Body::proof_parts`] for a batch), and whether the key spoke for the node is the `feed` crate's to say.
//!
//! **Invariant:** a `Body` is always well formed, whoever signed it; `Body::sign` answers only with a body
//! whose proof holds.

mod open;
mod sign;

pub use open::InvalidBody;
pub use sign::{Issuer, SignBodyError, Unsigned};

use crate::id::RecordId;
use crate::kind::Kind;
use bytes::Bytes;
use serde_json::Value;
use std::ops::Range;
use std::sync::OnceLock;
use tlog::ed25519::{PublicKey, Signature};
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// The largest body: 256 of them and their entries fit a segment that a small node can hold in memory.
pub const BODY_BYTES_MAX: usize = 131_072;

/// The `@context` of every body and proof, exactly (design 4.3).
pub const CONTEXTS: [&str; 2] =
    ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/jopoi/v1"];

/// A well-formed body.
#[derive(Clone)]
pub struct Body {
    bytes: Bytes,
    hash: OnceLock<Hash>,
    subject: OnceLock<Value>,
    head: Head,
}

/// What the document says outside its subject, and where that is.
#[derive(Clone)]
struct Head {
    id: RecordId,
    kind: Kind,
    version: u64,
    feed: Option<Origin>,
    issuer: PublicKey,
    node: NodeName,
    state: Option<Range<usize>>,
    valid_from: Range<usize>,
    subject: Range<usize>,
    message: [u8; 64],
    signature: Signature,
}

/// All that is needed to check a proof, apart or in a batch (ZIP-215).
#[derive(Clone, Debug)]
pub struct ProofParts {
    /// The issuer's key.
    pub key: PublicKey,
    /// SHA-256 of the proof's configuration, then SHA-256 of the document.
    pub message: [u8; 64],
    /// The signature.
    pub signature: Signature,
}

/// The proof of a body was not made by its issuer's key over these bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proof of `{id}` does not hold: its text was changed after signing, or another key signed it"
)]
pub struct InvalidProof {
    /// The record.
    pub id: RecordId,
}

impl Body {
    /// Checks that `bytes` are canonical and have the structure of a body; does not check the proof.
    ///
    /// In `credentialSubject` only `id` matters (and `states` where the issuer has no State): nodes of
    /// different releases must agree on what is valid, so the rest of a kind's rules binds authors only.
    pub fn open(bytes: Bytes) -> Result<Self, InvalidBody> {
        let head = open::read(&bytes)?;
        Ok(Self { bytes, hash: OnceLock::new(), subject: OnceLock::new(), head })
    }

    /// The bytes, proof included.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// SHA-256 of the complete bytes, as the statement has it.
    pub fn hash(&self) -> Hash {
        *self.hash.get_or_init(|| Hash::of(&self.bytes))
    }

    /// Takes `hash` for [`hash`](Self::hash), from whoever computed it over these bytes.
    pub fn with_hash(mut self, hash: Hash) -> Self {
        self.hash = OnceLock::from(hash);
        self
    }

    /// The record's id.
    pub fn id(&self) -> RecordId {
        self.head.id
    }

    /// The record's kind.
    pub fn kind(&self) -> &Kind {
        &self.head.kind
    }

    /// The version, at least 1.
    pub fn version(&self) -> u64 {
        self.head.version
    }

    /// The feed it was signed for; none for a node record, which is the same in every feed of its node.
    pub fn feed(&self) -> Option<&Origin> {
        self.head.feed.as_ref()
    }

    /// The node that speaks.
    pub fn node(&self) -> &NodeName {
        &self.head.node
    }

    /// The code of the State whose node it is.
    pub fn state(&self) -> Option<&str> {
        self.head.state.clone().map(|span| self.text(span))
    }

    /// The key that signed: the record key, for a node record the root or recovery key.
    pub fn issuer_key(&self) -> PublicKey {
        self.head.issuer
    }

    /// When it became valid by its author's clock, `YYYY-MM-DDTHH:MM:SSZ`.
    pub fn valid_from(&self) -> &str {
        self.text(self.head.valid_from.clone())
    }

    /// `credentialSubject`: the record itself. Parsed when first asked for.
    pub fn subject(&self) -> &Value {
        self.subject
            .get_or_init(|| serde_json::from_slice(self.subject_bytes()).unwrap_or_default())
    }

    /// The bytes of `credentialSubject`, for what need not parse it.
    pub fn subject_bytes(&self) -> &[u8] {
        self.bytes.get(self.head.subject.clone()).unwrap_or_default()
    }

    /// What is needed to check the proof.
    pub fn proof_parts(&self) -> ProofParts {
        ProofParts {
            key: self.head.issuer,
            message: self.head.message,
            signature: self.head.signature,
        }
    }

    /// Checks the proof under the issuer's key, by ZIP-215.
    pub fn verify(&self) -> Result<(), InvalidProof> {
        let ProofParts { key, message, signature } = self.proof_parts();
        key.verify_zip215(&message, &signature).map_err(|_| InvalidProof { id: self.id() })
    }

    /// The text at `span`, which `open` has seen to be plain ASCII.
    fn text(&self, span: Range<usize>) -> &str {
        self.bytes.get(span).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("id", &self.head.id)
            .field("kind", &self.head.kind)
            .field("version", &self.head.version)
            .field("feed", &self.head.feed)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Body {}

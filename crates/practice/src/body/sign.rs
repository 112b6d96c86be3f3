//! Making a body: the document, its proof by the caller's key, and the same checks as for a received one.

use super::{Body, CONTEXTS, InvalidBody, InvalidProof, ProofParts};
use crate::id::RecordId;
use crate::json::{InvalidJson, canonical};
use crate::kind::Kind;
use crate::proof::{CRYPTOSUITE, message_to_sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tlog::ed25519::{Batch, PublicKey, Signature};
use tlog::name::{NodeName, Origin};

/// What is to be signed.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// The record's kind.
    pub kind: Kind,
    /// The record's id; `credentialSubject.id` is set to it.
    pub id: RecordId,
    /// The feed it is for; none for a node record.
    pub feed: Option<Origin>,
    /// At least 1 and higher than any published before.
    pub version: u64,
    /// Who speaks.
    pub issuer: Issuer,
    /// `YYYY-MM-DDTHH:MM:SSZ`; also the time of the proof.
    pub valid_from: String,
    /// Fresh random bytes for each version and feed: they keep an erased body's text from being guessed.
    pub salt: [u8; 32],
    /// The record: an object.
    pub subject: Value,
}

/// Who speaks in a body.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The record key, for a node record the root or recovery key.
    pub key: PublicKey,
    /// The node.
    pub node: NodeName,
    /// The State whose node it is, if it is a State's.
    pub state: Option<String>,
}

/// Why nothing was signed. `E` is the signer's own error.
#[derive(Debug, thiserror::Error)]
pub enum SignBodyError<E> {
    /// The subject cannot be written as canonical JSON.
    #[error("the record cannot be written as canonical JSON")]
    Json(#[from] InvalidJson),
    /// The document would not be a body.
    #[error("the record cannot be signed as it is")]
    Body(#[from] InvalidBody),
    /// The signer refused.
    #[error("the key could not sign")]
    Sign(#[source] E),
    /// The signer signed with another key than the issuer's.
    #[error("another key than the issuer's signed")]
    Proof(#[from] InvalidProof),
}

impl Body {
    /// Signs a body: `sign` is given 64 bytes and answers with the signature of `unsigned.issuer.key`.
    /// What comes back passes [`Body::open`] and [`Body::verify`].
    pub fn sign<E>(
        unsigned: Unsigned,
        sign: &dyn Fn(&[u8]) -> Result<Signature, E>,
    ) -> Result<Self, SignBodyError<E>> {
        let body = signed(unsigned, sign)?;
        body.verify()?;
        Ok(body)
    }

    /// The same for many: their proofs are checked together, which takes a third of the time.
    pub fn sign_all<E>(
        unsigned: Vec<Unsigned>,
        sign: &dyn Fn(&[u8]) -> Result<Signature, E>,
    ) -> Result<Vec<Self>, SignBodyError<E>> {
        if unsigned.len() == 1 {
            return unsigned.into_iter().map(|unsigned| Self::sign(unsigned, sign)).collect();
        }
        let mut batch = Batch::new();
        let mut bodies = Vec::with_capacity(unsigned.len());
        for unsigned in unsigned {
            let body = signed(unsigned, sign)?;
            let ProofParts { key, message, signature } = body.proof_parts();
            batch.queue(key, &message, signature);
            bodies.push(body);
        }
        if let Err(culprits) = batch.verify_all()
            && let Some(body) = culprits.first().and_then(|culprit| bodies.get(*culprit))
        {
            return Err(InvalidProof { id: body.id() }.into());
        }
        Ok(bodies)
    }
}

/// A body whose proof is still to be checked.
fn signed<E>(
    unsigned: Unsigned,
    sign: &dyn Fn(&[u8]) -> Result<Signature, E>,
) -> Result<Body, SignBodyError<E>> {
    let mut configuration = json!({
        "@context": CONTEXTS,
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": unsigned.valid_from,
        "proofPurpose": "assertionMethod",
        "verificationMethod": unsigned.issuer.key.verification_method(),
    });
    let mut document = document(unsigned);
    let message = message_to_sign(&canonical(&configuration)?, &canonical(&document)?);
    let signature = sign(&message).map_err(SignBodyError::Sign)?;
    set(&mut configuration, "proofValue", format!("z{}", signature.to_base58()).into());
    set(&mut document, "proof", configuration);
    Ok(Body::open(canonical(&document)?.into())?)
}

fn document(unsigned: Unsigned) -> Value {
    let mut issuer = json!({ "id": unsigned.issuer.key.to_did(), "node": unsigned.issuer.node });
    if let Some(state) = unsigned.issuer.state {
        set(&mut issuer, "state", state.into());
    }
    let mut subject = unsigned.subject;
    set(&mut subject, "id", unsigned.id.to_string().into());
    let mut document = json!({
        "@context": CONTEXTS,
        "type": ["VerifiableCredential", unsigned.kind.type_name()],
        "id": unsigned.id,
        "version": unsigned.version,
        "issuer": issuer,
        "validFrom": unsigned.valid_from,
        "salt": URL_SAFE_NO_PAD.encode(unsigned.salt),
        "credentialSubject": subject,
    });
    if let Some(feed) = unsigned.feed {
        set(&mut document, "feed", feed.as_str().into());
    }
    document
}

/// Sets a member; what is no object stays as it is and is refused when opened.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

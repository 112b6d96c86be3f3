//! Reading a body: the document structure of design 4.3 and 4.7, over the places of its members.

use super::{BODY_BYTES_MAX, Head};
use crate::date::is_time;
use crate::id::RecordId;
use crate::json::{INTEGER_MAX, InvalidJson, Member, Scan, check_canonical};
use crate::kind::Kind;
use crate::proof::{CRYPTOSUITE, message_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::cell::RefCell;
use tlog::ed25519::{PublicKey, Signature};
use tlog::name::{NodeName, Origin};

/// The `@context` of bodies and proofs as canonical bytes.
const CONTEXT: &[u8] = br#"["https://www.w3.org/ns/credentials/v2","https://w3id.org/jopoi/v1"]"#;
/// What stands before and behind the type name in `type`.
const TYPE_START: &str = r#"["VerifiableCredential",""#;
const TYPE_END: &str = r#""]"#;
/// Bytes of a salt's text: 32 bytes in base64url without padding.
const SALT_CHARACTERS: usize = 43;
/// As many characters of a wrong value as an error shows.
const EXCERPT_CHARACTERS: usize = 120;

const MEMBERS: [&str; 9] = [
    "@context",
    "credentialSubject",
    "id",
    "issuer",
    "proof",
    "salt",
    "type",
    "validFrom",
    "version",
];
const MEMBERS_WITH_FEED: [&str; 10] = [
    "@context",
    "credentialSubject",
    "feed",
    "id",
    "issuer",
    "proof",
    "salt",
    "type",
    "validFrom",
    "version",
];
const PROOF_MEMBERS: [&str; 7] = [
    "@context",
    "created",
    "cryptosuite",
    "proofPurpose",
    "proofValue",
    "type",
    "verificationMethod",
];

/// Why bytes are not a body. They stay where they are; the entry they belong to shows this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// Over [`BODY_BYTES_MAX`].
    #[error(
        "the body has {bytes} bytes, at most {BODY_BYTES_MAX} are allowed; move long texts to attachments"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not canonical JSON.
    #[error("the body is not canonical JSON")]
    Json(#[from] InvalidJson),
    /// An object does not have exactly the members of design 4.3.
    #[error("`{place}` has the members {found}; exactly {expected} are allowed")]
    Members {
        /// Which object.
        place: &'static str,
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// A member has another value than it may.
    #[error("`{member}` is `{found}`; {expected}")]
    Value {
        /// The path of the member.
        member: &'static str,
        /// The beginning of its value.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
}

/// Checks everything but the proof.
pub(super) fn read(bytes: &[u8]) -> Result<Head, InvalidBody> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(InvalidBody::TooLarge { bytes: bytes.len() });
    }
    let document = Document { scan: check_canonical(bytes)? };
    let kind = document.kind()?;
    let expected: &[&str] = if kind == Kind::NODE { &MEMBERS } else { &MEMBERS_WITH_FEED };
    document.exactly("the document", document.scan.members(), expected)?;
    document.is(
        "@context",
        CONTEXT,
        "it must be the two contexts of this format, in their order",
    )?;

    let id = document.id("id")?;
    let (subject, subject_text) = document.member("credentialSubject")?;
    if document.inner("credentialSubject", "id", "credentialSubject.id")?
        != document.quoted("id")?
    {
        let found = document.inner("credentialSubject", "id", "credentialSubject.id")?;
        return Err(wrong("credentialSubject.id", found, "it must be the `id` of the document"));
    }
    let issuer = document.issuer()?;
    if issuer.state.is_none() && kind.is_about_states() {
        document.states(subject, subject_text)?;
    }
    let feed = document.feed(&issuer.node)?;
    let (_, salt) = document.member("salt")?;
    let salt_text = unquote(salt).unwrap_or_default();
    if salt_text.len() != SALT_CHARACTERS || URL_SAFE_NO_PAD.decode(salt_text).is_err() {
        return Err(wrong("salt", salt, "it must be 32 bytes in base64url, 43 characters"));
    }
    let signature = document.proof(&issuer.did)?;
    let message = message_of(&document.scan)
        .ok_or_else(|| wrong("proof", b"", "it must be an object with a `proofValue`"))?;
    Ok(Head {
        id,
        version: document.version()?,
        kind,
        feed,
        issuer: issuer.key,
        node: issuer.node,
        state: issuer.state,
        valid_from: document.time("validFrom", "validFrom", None)?,
        subject: subject.value.clone(),
        message,
        signature,
    })
}

struct Document<'a> {
    scan: Scan<'a>,
}

struct IssuerRead {
    did: String,
    key: PublicKey,
    node: NodeName,
    state: Option<std::ops::Range<usize>>,
}

impl<'a> Document<'a> {
    /// The object has exactly the members `expected`; both sides are sorted.
    fn exactly<'m>(
        &self,
        place: &'static str,
        found: impl Iterator<Item = &'m Member> + Clone,
        expected: &[&str],
    ) -> Result<(), InvalidBody> {
        let names = found.map(|member| self.scan.slice(&member.name));
        if names.clone().eq(expected.iter().map(|name| name.as_bytes())) {
            return Ok(());
        }
        let shown: Vec<_> = names.map(String::from_utf8_lossy).collect();
        let found = shown.join(", ").chars().take(EXCERPT_CHARACTERS).collect();
        Err(InvalidBody::Members { place, found, expected: expected.join(", ") })
    }

    fn member(&self, name: &'static str) -> Result<(&Member, &'a [u8]), InvalidBody> {
        let member = self.scan.get(name).ok_or_else(|| wrong(name, b"", "it is missing"))?;
        Ok((member, self.scan.slice(&member.value)))
    }

    fn is(
        &self,
        name: &'static str,
        value: &[u8],
        expected: &'static str,
    ) -> Result<(), InvalidBody> {
        let (_, found) = self.member(name)?;
        if found == value { Ok(()) } else { Err(wrong(name, found, expected)) }
    }

    /// The value of a member of the outermost object, quotes included if it is a string.
    fn quoted(&self, name: &'static str) -> Result<&'a [u8], InvalidBody> {
        self.member(name).map(|(_, value)| value)
    }

    /// The value of `outer.name`, whose `path` an error shows.
    fn inner(
        &self,
        outer: &'static str,
        name: &str,
        path: &'static str,
    ) -> Result<&'a [u8], InvalidBody> {
        let (outer, _) = self.member(outer)?;
        let member =
            self.scan.get_inner(outer, name).ok_or_else(|| wrong(path, b"", "it is missing"))?;
        Ok(self.scan.slice(&member.value))
    }

    fn kind(&self) -> Result<Kind, InvalidBody> {
        let (_, value) = self.member("type")?;
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.strip_prefix(TYPE_START)?.strip_suffix(TYPE_END))
            .and_then(|name| Kind::from_type_name(name).ok())
            .ok_or_else(|| {
                wrong("type", value, "it must be `VerifiableCredential` and the type of one kind")
            })
    }

    fn id(&self, name: &'static str) -> Result<RecordId, InvalidBody> {
        let value = self.quoted(name)?;
        unquote(value).and_then(|text| RecordId::parse(text).ok()).ok_or_else(|| {
            wrong(name, value, "it must be `urn:uuid:` and a version 4 UUID in lower case")
        })
    }

    fn version(&self) -> Result<u64, InvalidBody> {
        let value = self.quoted("version")?;
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
            .filter(|version| (1..=INTEGER_MAX).contains(version))
            .ok_or_else(|| wrong("version", value, "it must be an integer of at least 1"))
    }

    fn issuer(&self) -> Result<IssuerRead, InvalidBody> {
        let (issuer, _) = self.member("issuer")?;
        let state = self.scan.get_inner(issuer, "state");
        let expected: &[&str] =
            if state.is_some() { &["id", "node", "state"] } else { &["id", "node"] };
        self.exactly("issuer", self.scan.inner(issuer), expected)?;
        let did = self.inner("issuer", "id", "issuer.id")?;
        let key = unquote(did).and_then(public_key).ok_or_else(|| {
            wrong("issuer.id", did, "it must be the did:key of an Ed25519 key of prime order")
        })?;
        let node = self.inner("issuer", "node", "issuer.node")?;
        let name = unquote(node).and_then(|text| NodeName::parse(text).ok()).ok_or_else(|| {
            wrong("issuer.node", node, "it must be a node name such as `simore.gov.py`")
        })?;
        let state = state.map(|member| {
            let value = self.scan.slice(&member.value);
            let code = unquote(value)
                .filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
            code.map(|_| member.value.start + 1..member.value.end - 1).ok_or_else(|| {
                wrong("issuer.state", value, "it must be two capital letters such as `PY`")
            })
        });
        Ok(IssuerRead { did: text(did), key, node: name, state: state.transpose()? })
    }

    /// Where the issuer is no State, the record must say which States it is about.
    fn states(&self, subject: &Member, found: &[u8]) -> Result<(), InvalidBody> {
        let states =
            self.scan.get_inner(subject, "states").map(|member| self.scan.slice(&member.value));
        match states {
            Some([b'[', b'"', ..]) => Ok(()),
            _ => Err(wrong(
                "credentialSubject.states",
                states.unwrap_or(found.get(..0).unwrap_or_default()),
                "it must be a list of States, because the issuer names none",
            )),
        }
    }

    fn feed(&self, node: &NodeName) -> Result<Option<Origin>, InvalidBody> {
        let Some(member) = self.scan.get("feed") else { return Ok(None) };
        let value = self.scan.slice(&member.value);
        unquote(value)
            .and_then(|text| Origin::parse(text).ok())
            .filter(|origin| origin.node() == node)
            .map(Some)
            .ok_or_else(|| {
                wrong(
                    "feed",
                    value,
                    "it must be a feed of the issuer's node such as `simore.gov.py/public`",
                )
            })
    }

    /// The place of a time between its quotes.
    fn time(
        &self,
        name: &'static str,
        path: &'static str,
        outer: Option<&Member>,
    ) -> Result<std::ops::Range<usize>, InvalidBody> {
        let member = match outer {
            Some(outer) => self.scan.get_inner(outer, name),
            None => self.scan.get(name),
        };
        let member = member.ok_or_else(|| wrong(path, b"", "it is missing"))?;
        let value = self.scan.slice(&member.value);
        match unquote(value) {
            Some(text) if is_time(text) => Ok(member.value.start + 1..member.value.end - 1),
            _ => Err(wrong(path, value, "it must be a time such as `2026-11-23T10:00:00Z`")),
        }
    }

    fn proof(&self, did: &str) -> Result<Signature, InvalidBody> {
        let (proof, _) = self.member("proof")?;
        self.exactly("proof", self.scan.inner(proof), &PROOF_MEMBERS)?;
        let method = format!("\"did:key:{did}#{did}\"", did = did.trim_start_matches("did:key:"));
        let suite = format!("\"{CRYPTOSUITE}\"");
        let fixed: [(&str, &'static str, &[u8], &'static str); 5] = [
            ("@context", "proof.@context", CONTEXT, "it must equal the `@context` of the document"),
            ("cryptosuite", "proof.cryptosuite", suite.as_bytes(), "it must be `eddsa-jcs-2022`"),
            (
                "proofPurpose",
                "proof.proofPurpose",
                b"\"assertionMethod\"",
                "it must be `assertionMethod`",
            ),
            ("type", "proof.type", b"\"DataIntegrityProof\"", "it must be `DataIntegrityProof`"),
            (
                "verificationMethod",
                "proof.verificationMethod",
                method.as_bytes(),
                "it must be the key of `issuer.id`",
            ),
        ];
        for (name, path, value, expected) in fixed {
            let found = self.inner("proof", name, path)?;
            if found != value {
                return Err(wrong(path, found, expected));
            }
        }
        self.time("created", "proof.created", Some(proof))?;
        let value = self.inner("proof", "proofValue", "proof.proofValue")?;
        unquote(value)
            .and_then(|text| Signature::from_base58(text.strip_prefix('z')?).ok())
            .ok_or_else(|| {
                wrong("proof.proofValue", value, "it must be `z` and 64 bytes in base58btc")
            })
    }
}

fn wrong(member: &'static str, found: &[u8], expected: &'static str) -> InvalidBody {
    InvalidBody::Value {
        member,
        found: text(found).chars().take(EXCERPT_CHARACTERS).collect(),
        expected,
    }
}

/// The bytes as text, without the quotes of a string.
fn text(value: &[u8]) -> String {
    unquote(value).map_or_else(|| String::from_utf8_lossy(value).into_owned(), str::to_owned)
}

/// The text of a string without escapes: nothing the structure depends on needs one.
fn unquote(value: &[u8]) -> Option<&str> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'\\') { None } else { std::str::from_utf8(inner).ok() }
}

/// Reads a did:key, remembering the last one: its point is checked in as much time as a signature takes,
/// and most bodies of a feed are by the same key.
fn public_key(did: &str) -> Option<PublicKey> {
    thread_local! {
        static LAST: RefCell<Option<(String, PublicKey)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((known, key)) if known == did => Some(*key),
        _ => {
            let key = PublicKey::from_did(did).ok()?;
            *last = Some((did.to_owned(), key));
            Some(key)
        }
    })
}

//! Which node records are valid for everybody.

use super::{LIST_MAX, NodeSubject, USE_LOG, USE_RECORD, possession_message};
use crate::body::Body;
use crate::kind::Kind;
use std::collections::{BTreeMap, HashSet};
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

/// Bytes of a base URL; longer ones do not fit what proxies accept once a path is added.
const URL_BYTES_MAX: usize = 1024;

/// Why a body is not a valid node record.
#[derive(Debug, thiserror::Error)]
pub enum InvalidNodeRecord {
    /// The body is of another kind.
    #[error("the record is of the kind `{kind}`, not `node`")]
    Kind {
        /// Its kind.
        kind: Kind,
    },
    /// A member is missing or has another form.
    #[error("the node record of `{node}` is malformed")]
    Form {
        /// Whose it is.
        node: NodeName,
        /// Which member and why.
        #[source]
        source: serde_json::Error,
    },
    /// The subject is about another node or State than the issuer.
    #[error("the node record of `{node}` describes `{described}`; a node describes itself only")]
    Other {
        /// The issuer.
        node: NodeName,
        /// What the subject names.
        described: String,
    },
    /// Neither or both of `state` and `organization`.
    #[error("the node record of `{node}` must have either `state` or `organization`")]
    Holder {
        /// Whose it is.
        node: NodeName,
    },
    /// A member has a value it may not have.
    #[error("`{member}` of the node record of `{node}` is `{found}`; {expected}")]
    Value {
        /// Whose it is.
        node: NodeName,
        /// Which member.
        member: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A list is longer than [`LIST_MAX`].
    #[error(
        "`{member}` of the node record of `{node}` has {count} items, at most {LIST_MAX} are allowed"
    )]
    TooMany {
        /// Whose it is.
        node: NodeName,
        /// Which list.
        member: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A required use has no key.
    #[error("the node record of `{node}` has no key for `{usage}`")]
    NoKey {
        /// Whose it is.
        node: NodeName,
        /// The use.
        usage: &'static str,
    },
    /// A key stands twice, or is also the root or recovery key, or a use has two keys of one generation.
    #[error(
        "the key `{key}` of the node record of `{node}` is there twice or with the generation of another"
    )]
    Twice {
        /// Whose it is.
        node: NodeName,
        /// The key.
        key: PublicKey,
    },
    /// The proof of possession of a key does not hold.
    #[error("`{node}` does not hold the key `{key}` that its node record lists for `{usage}`")]
    Possession {
        /// Whose it is.
        node: NodeName,
        /// The key.
        key: PublicKey,
        /// Its use.
        usage: String,
    },
    /// Signed by neither root nor recovery key.
    #[error(
        "the node record of `{node}` is by `{key}`, which is neither its root nor its recovery key"
    )]
    Signer {
        /// Whose it is.
        node: NodeName,
        /// The issuer's key.
        key: PublicKey,
    },
    /// The signature does not hold.
    #[error("the signature of the node record of `{node}` does not hold")]
    Signature {
        /// Whose it is.
        node: NodeName,
    },
}

pub(super) fn read(body: &Body) -> Result<NodeSubject, InvalidNodeRecord> {
    if body.kind() != &Kind::NODE {
        return Err(InvalidNodeRecord::Kind { kind: body.kind().clone() });
    }
    let node = body.node().clone();
    let subject: NodeSubject = serde_json::from_slice(body.subject_bytes())
        .map_err(|source| InvalidNodeRecord::Form { node: node.clone(), source })?;
    if subject.node != node {
        return Err(InvalidNodeRecord::Other { described: subject.node.to_string(), node });
    }
    if subject.state.is_some() == subject.organization.is_some() {
        return Err(InvalidNodeRecord::Holder { node });
    }
    if subject.state.as_deref() != body.state() {
        let described = subject.state.unwrap_or_else(|| "no State".to_owned());
        return Err(InvalidNodeRecord::Other { node, described });
    }
    let signer = body.issuer_key();
    if signer != subject.root && Some(signer) != subject.recovery {
        return Err(InvalidNodeRecord::Signer { node, key: signer });
    }
    let parts = body.proof_parts();
    if signer.verify_strict(&parts.message, &parts.signature).is_err() {
        return Err(InvalidNodeRecord::Signature { node });
    }
    texts(&subject)?;
    keys(&subject)?;
    Ok(subject)
}

fn texts(subject: &NodeSubject) -> Result<(), InvalidNodeRecord> {
    let node = || subject.node.clone();
    let not_empty = |map: &BTreeMap<String, String>| {
        !map.is_empty() && map.iter().all(|(tag, text)| !tag.is_empty() && !text.trim().is_empty())
    };
    let names = [("names", Some(&subject.names)), ("organization", subject.organization.as_ref())];
    for (member, map) in names {
        if map.is_some_and(|map| !not_empty(map)) {
            let expected = "it must have a name in at least one language";
            return Err(InvalidNodeRecord::Value {
                node: node(),
                member,
                found: String::new(),
                expected,
            });
        }
    }
    if let Some(url) = subject.urls.iter().find(|url| !is_base_url(url)) {
        let found = url.chars().take(120).collect();
        let expected = "it must be an http or https URL that ends in `/`, without query or user";
        return Err(InvalidNodeRecord::Value { node: node(), member: "urls", found, expected });
    }
    let lists = [
        ("keys", subject.keys.len()),
        ("continues", subject.continues.len()),
        ("revoked", subject.revoked.len()),
        ("feeds", subject.feeds.len()),
        ("networks", subject.networks.len()),
        ("urls", subject.urls.len()),
    ];
    match lists.into_iter().find(|&(_, count)| count > LIST_MAX) {
        Some((member, count)) => Err(InvalidNodeRecord::TooMany { node: node(), member, count }),
        None => Ok(()),
    }
}

fn keys(subject: &NodeSubject) -> Result<(), InvalidNodeRecord> {
    let node = || subject.node.clone();
    let mut seen: HashSet<PublicKey> = subject.recovery.into_iter().collect();
    if !seen.insert(subject.root) {
        return Err(InvalidNodeRecord::Twice { node: node(), key: subject.root });
    }
    let mut generations = HashSet::new();
    for key in &subject.keys {
        // A use is a word by the same grammar as a kind.
        if Kind::parse(&key.usage).is_err() {
            let expected = "it must be a word such as `log`";
            let found = key.usage.chars().take(120).collect();
            return Err(InvalidNodeRecord::Value {
                node: node(),
                member: "keys.use",
                found,
                expected,
            });
        }
        if key.generation == 0 {
            let expected = "generations count from 1";
            return Err(InvalidNodeRecord::Value {
                node: node(),
                member: "keys.generation",
                found: "0".into(),
                expected,
            });
        }
        if !seen.insert(key.key) || !generations.insert((&key.usage, key.generation)) {
            return Err(InvalidNodeRecord::Twice { node: node(), key: key.key });
        }
        let message = possession_message(&subject.node, &key.usage, &subject.root, &key.key);
        if key.key.verify_strict(&message, &key.proof).is_err() {
            return Err(InvalidNodeRecord::Possession {
                node: node(),
                key: key.key,
                usage: key.usage.clone(),
            });
        }
    }
    match [USE_LOG, USE_RECORD].into_iter().find(|usage| subject.active(usage).is_none()) {
        Some(usage) => Err(InvalidNodeRecord::NoKey { node: node(), usage }),
        None => Ok(()),
    }
}

/// Whether paths can be put behind `url`: `http` or `https`, a host, ending in `/`.
fn is_base_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b'\\' | b'"' | b'<' | b'>')
    };
    rest.is_some_and(|rest| {
        url.len() <= URL_BYTES_MAX
            && rest.ends_with('/')
            && !rest.starts_with('/')
            && rest.bytes().all(plain)
    })
}

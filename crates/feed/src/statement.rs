//! The statement: what the log says at one index (design 4.2).
//!
//! Reads an entry's bytes into what they say, alone; whether that has an effect depends on the
//! earlier entries and is [`judge`](crate::judge)'s answer. A statement commits to a body by hash
//! and carries nothing personal.

use practice::id::RecordId;
use practice::json;
use practice::kind::Kind;
use serde_json::{Map, Value};
use tlog::hash::Hash;

/// An entry is at most this long, of any version: a log that never forgets must stay small.
pub const ENTRY_BYTES_MAX: usize = 1_024;

/// `version` and indices are exact in every JSON reader.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// What an entry's bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A statement of version 1.
    Statement(Statement),
    /// A statement of another version or with another verb: kept, without effect here.
    Opaque {
        /// The hash in its `body` member, if there is one: a body may stand beside it.
        body: Option<Hash>,
    },
    /// Not a statement at all.
    Malformed {
        /// The hash in its `body` member, if the entry is canonical JSON and has one.
        body: Option<Hash>,
    },
}

/// A statement of version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A version of a record.
    Publish {
        /// The record.
        id: RecordId,
        /// Its kind.
        kind: Kind,
        /// From 1 on; gaps are allowed.
        version: u64,
        /// SHA-256 over the complete body, proof included.
        body: Hash,
        /// When it was made; informative.
        time: String,
    },
    /// The end of a record, until it is published again.
    Withdraw {
        /// The record.
        id: RecordId,
        /// A code of the vocabulary of reasons.
        reason: String,
        /// Entries of this id whose bodies all who hold them destroy; strictly increasing.
        erase: Vec<u64>,
        /// When it was made; informative.
        time: String,
    },
}

impl Said {
    /// Reads an entry. Never fails: what cannot be read is [`Said::Malformed`].
    pub fn read(entry: &[u8]) -> Self {
        if json::check_canonical(entry).is_err() {
            return Self::Malformed { body: None };
        }
        let Ok(Value::Object(members)) = json::parse(entry) else {
            return Self::Malformed { body: None };
        };
        let body = members.get("body").and_then(Value::as_str).and_then(body_hash);
        match (members.get("v").and_then(Value::as_i64), members.get("op")) {
            (Some(1), Some(Value::String(op))) => match op.as_str() {
                "publish" => publish(&members),
                "withdraw" => withdraw(&members),
                _ => return Self::Opaque { body },
            }
            .map_or(Self::Malformed { body }, Self::Statement),
            (Some(1), _) | (None, _) | (_, None) => Self::Malformed { body },
            (Some(_), Some(_)) => Self::Opaque { body },
        }
    }

    /// The hash of the body that may stand beside this entry.
    pub fn body(&self) -> Option<Hash> {
        match self {
            Self::Statement(Statement::Publish { body, .. }) => Some(*body),
            Self::Statement(Statement::Withdraw { .. }) => None,
            Self::Opaque { body } | Self::Malformed { body } => *body,
        }
    }

    /// The statement, if it is one of this version.
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Statement(statement) => Some(statement),
            Self::Opaque { .. } | Self::Malformed { .. } => None,
        }
    }
}

impl Statement {
    /// The bytes of the entry: canonical JSON.
    ///
    /// # Errors
    /// When it would be longer than [`ENTRY_BYTES_MAX`]: too many entries to erase at once.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementTooLong> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("v", 1.into());
        match self {
            Self::Publish { id, kind, version, body, time } => {
                put("op", "publish".into());
                put("id", id.to_string().into());
                put("kind", kind.as_str().into());
                put("version", (*version).into());
                put("body", format!("sha256:{}", body.to_hex()).into());
                put("time", time.as_str().into());
            }
            Self::Withdraw { id, reason, erase, time } => {
                put("op", "withdraw".into());
                put("id", id.to_string().into());
                put("reason", reason.as_str().into());
                if !erase.is_empty() {
                    put("erase", erase.clone().into());
                }
                put("time", time.as_str().into());
            }
        }
        match json::canonical(&Value::Object(members)) {
            Ok(bytes) if bytes.len() <= ENTRY_BYTES_MAX => Ok(bytes),
            Ok(bytes) => Err(StatementTooLong { bytes: bytes.len() }),
            Err(_) => Err(StatementTooLong { bytes: 0 }),
        }
    }

    /// The record it speaks of.
    pub fn id(&self) -> RecordId {
        match self {
            Self::Publish { id, .. } | Self::Withdraw { id, .. } => *id,
        }
    }
}

/// A statement that does not fit in an entry.
#[derive(Debug, thiserror::Error)]
#[error(
    "the statement would take {bytes} bytes and an entry holds 1,024; erase fewer entries at once"
)]
pub struct StatementTooLong {
    /// How long it would be; 0 if it could not be written at all.
    pub bytes: usize,
}

/// `[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*`, at most 32 bytes: kinds and reasons.
pub fn is_code(text: &str) -> bool {
    text.len() <= 32
        && text.split('-').all(|part| {
            part.starts_with(|first: char| first.is_ascii_lowercase())
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

fn body_hash(text: &str) -> Option<Hash> {
    Hash::from_hex(text.strip_prefix("sha256:")?).ok()
}

fn publish(members: &Map<String, Value>) -> Option<Statement> {
    exactly(members, &["body", "id", "kind", "op", "time", "v", "version"])?;
    let version = members.get("version")?.as_u64().filter(|v| (1..=INTEGER_MAX).contains(v))?;
    Some(Statement::Publish {
        id: RecordId::parse(text(members, "id")?).ok()?,
        kind: Kind::parse(text(members, "kind")?).ok()?,
        version,
        body: body_hash(text(members, "body")?)?,
        time: text(members, "time")?.to_owned(),
    })
}

fn withdraw(members: &Map<String, Value>) -> Option<Statement> {
    let erase = match members.get("erase") {
        None => {
            exactly(members, &["id", "op", "reason", "time", "v"])?;
            Vec::new()
        }
        Some(list) => {
            exactly(members, &["erase", "id", "op", "reason", "time", "v"])?;
            list.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>()?
        }
    };
    if !erase.is_sorted_by(|a, b| a < b) || erase.iter().any(|index| *index > INTEGER_MAX) {
        return None;
    }
    let reason = text(members, "reason").filter(|reason| is_code(reason))?.to_owned();
    Some(Statement::Withdraw {
        id: RecordId::parse(text(members, "id")?).ok()?,
        reason,
        erase,
        time: text(members, "time")?.to_owned(),
    })
}

fn exactly(members: &Map<String, Value>, names: &[&str]) -> Option<()> {
    let all = members.len() == names.len() && names.iter().all(|name| members.contains_key(*name));
    all.then_some(())
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISH: &str = r#"{"body":"sha256:0000000000000000000000000000000000000000000000000000000000000000","id":"urn:uuid:11111111-1111-4111-8111-111111111111","kind":"good-practice","op":"publish","time":"2026-11-23T10:00:00Z","v":1,"version":3}"#;
    const WITHDRAW: &str = r#"{"erase":[12,80],"id":"urn:uuid:11111111-1111-4111-8111-111111111111","op":"withdraw","reason":"not-stated","time":"2026-11-24T09:00:00Z","v":1}"#;

    #[test]
    fn the_two_statements_of_the_design_are_read_and_written_back() {
        for text in [PUBLISH, WITHDRAW] {
            let said = Said::read(text.as_bytes());
            let statement = said.statement().unwrap();
            assert_eq!(statement.to_bytes().unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn the_entry_of_a_body_is_the_one_that_practice_tells() {
        let key = tlog::ed25519::SigningKey::from_seed(&[7; 32]).unwrap();
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::NODE) {
            let unsigned = practice::body::Unsigned {
                kind: kind.clone(),
                id: RecordId::from_random_bytes([9; 16]),
                feed: Some("simore.gov.py/public".parse().unwrap()),
                version: 12,
                issuer: practice::body::Issuer {
                    key: key.public(),
                    node: "simore.gov.py".parse().unwrap(),
                    state: Some("PY".into()),
                },
                valid_from: "2026-11-23T10:00:00Z".into(),
                salt: [1; 32],
                subject: Value::Object(Map::new()),
            };
            let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>(key.sign(message));
            let body = practice::body::Body::sign(unsigned, &sign).unwrap();
            let statement = Statement::Publish {
                id: body.id(),
                kind: body.kind().clone(),
                version: body.version(),
                body: body.hash(),
                time: body.valid_from().to_owned(),
            };
            assert_eq!(practice::entry::publish(&body), statement.to_bytes().unwrap());
        }
    }

    #[test]
    fn another_version_or_verb_is_opaque_and_may_still_name_a_body() {
        for (from, to) in [("\"v\":1", "\"v\":2"), ("\"op\":\"publish\"", "\"op\":\"pledge\"")] {
            let said = Said::read(PUBLISH.replace(from, to).as_bytes());
            assert!(matches!(said, Said::Opaque { body: Some(_) }), "{said:?}");
        }
    }

    #[test]
    fn what_breaks_a_rule_of_version_one_is_malformed() {
        let cases = [
            ("\"v\":1", "\"v\":\"1\""),
            ("\"v\":1,", ""),
            ("\"op\":\"publish\",", ""),
            ("\"op\":\"publish\"", "\"op\":7"),
            ("\"version\":3", "\"version\":0"),
            ("\"version\":3", "\"version\":-3"),
            ("\"version\":3", "\"version\":9007199254740992"),
            ("\"version\":3", "\"version\":3,\"with\":1"),
            ("\"kind\":\"good-practice\"", "\"kind\":\"Good\""),
            ("\"kind\":\"good-practice\"", "\"kind\":\"good--practice\""),
            ("urn:uuid:11111111-1111-4111", "urn:uuid:11111111-1111-1111"),
            ("sha256:00", "sha256:0G"),
            ("{\"body\"", "{ \"body\""),
        ];
        for (from, to) in cases {
            let text = PUBLISH.replace(from, to);
            assert_ne!(text, PUBLISH);
            assert!(matches!(Said::read(text.as_bytes()), Said::Malformed { .. }), "{text}");
        }
        for erase in ["[80,12]", "[12,12]", "[-1]", "[\"1\"]", "12"] {
            let text = WITHDRAW.replace("[12,80]", erase);
            assert!(matches!(Said::read(text.as_bytes()), Said::Malformed { .. }), "{text}");
        }
    }
}

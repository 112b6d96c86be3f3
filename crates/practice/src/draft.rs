//! From what somebody typed to a record that can be signed.
//!
//! [`normalise`] brings a draft into the form of records: a plain text becomes a language map, a label a
//! code. [`Draft::validate`] then reports every fault at once, each with its place, and what looks like
//! personal data as warnings. The table in [`crate::kinds`] says what a kind needs.
//!
//! **Invariant:** a [`Record`] meets its kind's table, and its canonical form fits a body.

mod check;
mod fault;
mod normalise;

pub use fault::{Fault, FaultReason, Warning, WarningKind};
pub use normalise::normalise;

use crate::body::BODY_BYTES_MAX;
use crate::id::RecordId;
use crate::json::{InvalidJson, JsonFault, canonical_at};
use crate::kind::Kind;
use crate::personal;
use serde_json::{Map, Value, json};

/// What a body needs beside its subject: names, keys, salt and proof, with room to spare.
const ENVELOPE_BYTES_MAX: usize = 4_096;

/// What fills the gaps of a draft.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The language of a draft that names none, such as `es`.
    pub language: Option<String>,
    /// The licence of a draft that names none; chosen once for the node.
    pub reuse: Option<String>,
    /// Who says so in a draft that does not say.
    pub basis: Option<String>,
    /// The State whose node it is. Without one, every draft must name `states`.
    pub state: Option<String>,
}

/// What somebody typed, in the form of a record; valid or not.
#[derive(Clone, Debug)]
pub struct Draft {
    kind: Kind,
    subject: Value,
    state: Option<String>,
}

/// A record: valid, not yet signed.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its kind.
    pub kind: Kind,
    /// Its id, if the draft named one: that of the record it revises.
    pub id: Option<RecordId>,
    /// `credentialSubject` of the body to sign.
    pub subject: Value,
    /// What its author should look at before it is published.
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// Takes `value`, normalised. A member `kind` that says the same is dropped.
    pub fn from_value(kind: Kind, value: Value, defaults: &Defaults) -> Self {
        let mut subject = normalise(value, defaults);
        if let Some(members) = subject.as_object_mut()
            && members.get("kind").and_then(Value::as_str) == Some(kind.as_str())
        {
            members.shift_remove("kind");
        }
        if let Some(members) = subject.as_object_mut()
            && kind == Kind::EXCHANGE_ARRANGEMENT
        {
            participants_from_states(members);
        }
        Self { kind, subject, state: defaults.state.clone() }
    }

    /// The kind it is to have.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The draft as it stands.
    pub fn subject(&self) -> &Value {
        &self.subject
    }

    /// The author's own reference, by which an import tells changed from new.
    pub fn local_id(&self) -> Option<&str> {
        self.subject.get("local_id")?.as_str()
    }

    /// Answers with the record, or with every fault there is.
    pub fn validate(&self) -> Result<Record, Vec<Fault>> {
        let Value::Object(subject) = &self.subject else {
            let reason = FaultReason::Form { expected: "an object with the fields of the record" };
            return Err(vec![Fault::new("", &self.subject, reason)]);
        };
        let mut checker = check::Checker::default();
        if !self.kind.known() {
            checker.fault("kind", &Value::from(self.kind.as_str()), FaultReason::UnknownKind);
        }
        checker.record(&self.kind, subject);
        self.states_named(subject, &mut checker);
        let id = self.id(subject, &mut checker);
        self.written(&mut checker);
        let check::Checker { mut faults, warnings } = checker;
        if faults.is_empty() {
            let warnings = warnings.into_iter().chain(personal_data(subject)).collect();
            return Ok(Record {
                kind: self.kind.clone(),
                id,
                subject: self.subject.clone(),
                warnings,
            });
        }
        faults.dedup();
        Err(faults)
    }

    /// A record whose issuer has no State must say which States it is about; a reader could not tell.
    fn states_named(&self, subject: &Map<String, Value>, checker: &mut check::Checker) {
        if self.state.is_none() && self.kind.is_about_states() && !subject.contains_key("states") {
            checker.fault("states", &Value::Null, FaultReason::Missing);
        }
    }

    fn id(&self, subject: &Map<String, Value>, checker: &mut check::Checker) -> Option<RecordId> {
        let id = subject.get("id")?;
        let parsed = id.as_str().and_then(|text| RecordId::parse(text).ok());
        if parsed.is_none() {
            checker.fault("id", id, FaultReason::Id);
        }
        parsed
    }

    /// What the canonical form cannot hold. The document around the subject counts as a level of nesting.
    fn written(&self, checker: &mut check::Checker) {
        checker.numbers("", &self.subject);
        match canonical_at(&self.subject, 2) {
            Ok(bytes) if bytes.len() > BODY_BYTES_MAX - ENVELOPE_BYTES_MAX => {
                checker.fault("", &Value::Null, FaultReason::Size { bytes: bytes.len() });
            }
            // Located above.
            Ok(_) | Err(InvalidJson { fault: JsonFault::Number, .. }) => {}
            Err(error) => checker.fault("", &Value::Null, FaultReason::Json { fault: error.fault }),
        }
    }
}

/// The participants of an arrangement are the States it is about, unless it says otherwise.
fn participants_from_states(members: &mut Map<String, Value>) {
    let states = members.get("states").and_then(Value::as_array);
    let participants: Vec<_> =
        states.into_iter().flatten().map(|state| json!({ "state": state })).collect();
    if !participants.is_empty() {
        members.entry("participants").or_insert_with(|| participants.into());
    }
}

/// What looks like personal data, field by field. Fields that hold codes, ids or addresses are left out, and
/// the mailbox of a unit is meant to be there.
fn personal_data(subject: &Map<String, Value>) -> Vec<Warning> {
    const NOT_SEARCHED: [&str; 19] = [
        "id",
        "local_id",
        "url",
        "link",
        "urls",
        "sha256",
        "email",
        "symbol",
        "body",
        "keys",
        "root",
        "recovery",
        "continues",
        "revoked",
        "node_record",
        "succession",
        "committee",
        "witnesses",
        "fault_evidence",
    ];
    fn walk(path: &str, value: &Value, warnings: &mut Vec<Warning>) {
        match value {
            Value::String(text) => {
                warnings.extend(personal::find(text).into_iter().map(|found| Warning {
                    path: path.to_owned(),
                    kind: WarningKind::Personal(found.shape),
                    excerpt: found.excerpt,
                }));
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(&format!("{path}[{index}]"), item, warnings);
                }
            }
            Value::Object(members) => {
                for (name, member) in
                    members.iter().filter(|(name, _)| !NOT_SEARCHED.contains(&name.as_str()))
                {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(&path, member, warnings);
                }
            }
            _ => {}
        }
    }
    let mut warnings = Vec::new();
    walk("", &Value::Object(subject.clone()), &mut warnings);
    warnings
}

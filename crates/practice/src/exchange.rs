//! Where a working arrangement stands, from what its participants have said in their own feeds.
//!
//! An arrangement is in effect only while every participant's own feed holds a `consents` attestation over
//! the same version and hash; any participant can end it; one that a single side recorded is shown as just
//! that (design 5). Which attestations are current is for the caller to say.

use crate::body::Body;
use crate::id::RecordId;
use crate::kind::Kind;
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// One version of an arrangement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// The feed and record it is.
    pub record: (Origin, RecordId),
    /// Its version.
    pub version: u64,
    /// The hash of its body.
    pub body: Hash,
    /// Whose consent it needs.
    pub participants: Vec<Participant>,
}

/// A State or organization that takes part: known by its node, or by its State alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Participant {
    /// Whatever speaks from this node.
    Node(NodeName),
    /// Any node of this State.
    State(String),
    /// An organization without a node: it cannot consent here, so nothing it takes part in is in effect.
    Unknown,
}

/// What a participant says of an arrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It consents to this version.
    Consents,
    /// It does not consent to this version.
    Declines,
    /// It ends the arrangement, whatever the version.
    Ends,
}

/// A current attestation about an arrangement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The node that speaks, in its own feed.
    pub node: NodeName,
    /// The State whose node it is.
    pub state: Option<String>,
    /// What it says.
    pub relation: Relation,
    /// Of which record.
    pub record: (Origin, RecordId),
    /// Of which version.
    pub version: Option<u64>,
    /// Of which body.
    pub body: Option<Hash>,
}

/// Where an arrangement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every participant consents to this version.
    InEffect,
    /// Several sides have consented, some have not yet.
    Awaiting {
        /// Whose consent is missing.
        missing: Vec<Participant>,
    },
    /// One side at most has recorded it; no other has said anything.
    OneSided,
    /// A participant does not consent to this version.
    Declined {
        /// Who.
        by: Vec<NodeName>,
    },
    /// A participant has ended it.
    Ended {
        /// Who.
        by: Vec<NodeName>,
    },
}

impl Arrangement {
    /// Reads an arrangement's body; `None` for another kind or without its feed.
    pub fn from_body(body: &Body) -> Option<Self> {
        if body.kind() != &Kind::EXCHANGE_ARRANGEMENT {
            return None;
        }
        let subject = body.subject();
        let named = subject.get("participants").and_then(Value::as_array);
        let states = subject.get("states").and_then(Value::as_array);
        let mut participants: Vec<Participant> = match named {
            Some(named) => named.iter().map(participant).collect(),
            None => {
                states.into_iter().flatten().map(|state| Participant::State(text(state))).collect()
            }
        };
        participants.sort();
        participants.dedup();
        let record = (body.feed()?.clone(), body.id());
        Some(Self { record, version: body.version(), body: body.hash(), participants })
    }
}

impl Said {
    /// Reads an attestation's body; `None` if it is about no arrangement's consent.
    pub fn from_body(body: &Body) -> Option<Self> {
        if body.kind() != &Kind::ATTESTATION {
            return None;
        }
        let subject = body.subject();
        let relation = match subject.get("relation")?.as_str()? {
            "consents" => Relation::Consents,
            "declines" => Relation::Declines,
            "ends" => Relation::Ends,
            _ => return None,
        };
        let about = subject.get("about")?;
        let string = |name| about.get(name).and_then(Value::as_str);
        Some(Self {
            node: body.node().clone(),
            state: body.state().map(str::to_owned),
            relation,
            record: (Origin::parse(string("feed")?).ok()?, RecordId::parse(string("id")?).ok()?),
            version: about.get("version").and_then(Value::as_u64),
            body: string("body")
                .and_then(|text| Hash::from_hex(text.strip_prefix("sha256:")?).ok()),
        })
    }

    fn is_by(&self, participant: &Participant) -> bool {
        match participant {
            Participant::Node(node) => &self.node == node,
            Participant::State(state) => self.state.as_ref() == Some(state),
            Participant::Unknown => false,
        }
    }
}

/// Where `arrangement` stands, given every current attestation; those by others or of other records or
/// versions count for nothing.
pub fn standing(arrangement: &Arrangement, said: &[Said]) -> Standing {
    let by_participants = || {
        said.iter().filter(|said| {
            said.record == arrangement.record
                && arrangement.participants.iter().any(|each| said.is_by(each))
        })
    };
    let of_this_version = |said: &&Said| {
        said.version == Some(arrangement.version) && said.body == Some(arrangement.body)
    };
    let who = |relation: Relation, this_version: bool| -> Vec<NodeName> {
        let mut nodes: Vec<_> = by_participants()
            .filter(|said| said.relation == relation && (!this_version || of_this_version(said)))
            .map(|said| said.node.clone())
            .collect();
        nodes.sort();
        nodes.dedup();
        nodes
    };
    let ended = who(Relation::Ends, false);
    if !ended.is_empty() {
        return Standing::Ended { by: ended };
    }
    let declined = who(Relation::Declines, true);
    if !declined.is_empty() {
        return Standing::Declined { by: declined };
    }
    let consents = |participant: &&Participant| {
        by_participants().any(|said| {
            said.relation == Relation::Consents && of_this_version(&said) && said.is_by(participant)
        })
    };
    let missing: Vec<_> =
        arrangement.participants.iter().filter(|each| !consents(each)).cloned().collect();
    let consenting = arrangement.participants.len() - missing.len();
    // An arrangement with oneself is none.
    match (missing.is_empty(), consenting) {
        (_, 0 | 1) => Standing::OneSided,
        (true, _) => Standing::InEffect,
        (false, _) => Standing::Awaiting { missing },
    }
}

fn participant(value: &Value) -> Participant {
    let string = |name| value.get(name).and_then(Value::as_str);
    match (string("node").map(NodeName::parse), string("state")) {
        (Some(Ok(node)), _) => Participant::Node(node),
        (None, Some(state)) => Participant::State(state.to_owned()),
        _ => Participant::Unknown,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        NodeName::parse(name).unwrap()
    }

    fn record() -> (Origin, RecordId) {
        (Origin::parse("a.example/public").unwrap(), RecordId::from_random_bytes([1; 16]))
    }

    fn arrangement() -> Arrangement {
        let participants =
            vec![Participant::Node(node("a.example")), Participant::State("PY".into())];
        Arrangement { record: record(), version: 2, body: Hash::of("2"), participants }
    }

    fn said(name: &str, state: Option<&str>, relation: Relation, version: u64) -> Said {
        Said {
            node: node(name),
            state: state.map(str::to_owned),
            relation,
            record: record(),
            version: Some(version),
            body: Some(Hash::of(version.to_string())),
        }
    }

    #[test]
    fn it_is_in_effect_only_while_all_consent_to_the_same_version() {
        let a = said("a.example", None, Relation::Consents, 2);
        let b = said("b.gov.py", Some("PY"), Relation::Consents, 2);
        assert_eq!(standing(&arrangement(), &[a.clone(), b.clone()]), Standing::InEffect);
        assert_eq!(standing(&arrangement(), std::slice::from_ref(&a)), Standing::OneSided);
        assert_eq!(standing(&arrangement(), &[]), Standing::OneSided);
        let old = said("b.gov.py", Some("PY"), Relation::Consents, 1);
        assert_eq!(standing(&arrangement(), &[a.clone(), old]), Standing::OneSided);
        let other_text = Said { body: Some(Hash::of("other")), ..b.clone() };
        assert_eq!(standing(&arrangement(), &[a.clone(), other_text]), Standing::OneSided);
        let other_record = Said { record: (record().0, RecordId::from_random_bytes([2; 16])), ..b };
        assert_eq!(standing(&arrangement(), &[a, other_record]), Standing::OneSided);
    }

    #[test]
    fn consent_of_a_third_is_waited_for_and_a_strangers_counts_for_nothing() {
        let mut three = arrangement();
        three.participants.push(Participant::Node(node("c.example")));
        let mut all = vec![
            said("a.example", None, Relation::Consents, 2),
            said("b.gov.py", Some("PY"), Relation::Consents, 2),
            said("d.example", Some("AR"), Relation::Ends, 2),
        ];
        let missing = vec![Participant::Node(node("c.example"))];
        assert_eq!(standing(&three, &all), Standing::Awaiting { missing });
        all.push(said("c.example", None, Relation::Consents, 2));
        assert_eq!(standing(&three, &all), Standing::InEffect);
        three.participants.push(Participant::Unknown);
        assert_eq!(
            standing(&three, &all),
            Standing::Awaiting { missing: vec![Participant::Unknown] }
        );
    }

    #[test]
    fn any_participant_can_end_or_decline_it() {
        let mut all = vec![
            said("a.example", None, Relation::Consents, 2),
            said("b.gov.py", Some("PY"), Relation::Consents, 2),
            said("a.example", None, Relation::Declines, 1),
        ];
        assert_eq!(standing(&arrangement(), &all), Standing::InEffect);
        all.push(said("b.gov.py", Some("PY"), Relation::Declines, 2));
        assert_eq!(
            standing(&arrangement(), &all),
            Standing::Declined { by: vec![node("b.gov.py")] }
        );
        all.push(said("a.example", None, Relation::Ends, 1));
        assert_eq!(standing(&arrangement(), &all), Standing::Ended { by: vec![node("a.example")] });
    }
}

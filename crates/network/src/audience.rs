//! Who may read a restricted feed, as its entry 1 says for ever (design 4.5).
//!
//! Who that is today is decided at the time of an answer, from the verified fold of the network.
//!
//! **Invariant:** what is not understood admits nobody: an unknown form is an error, not everyone.

use practice::body::Body;
use practice::id::RecordId;
use practice::json::Value;
use practice::kind::Kind;
use serde_json::json;
use tlog::name::{NodeName, Origin};

use crate::fold::Network;

/// Most nodes that can be listed one by one; a larger audience is a group.
pub const AUDIENCE_NODES_MAX: usize = 256;

/// Who may read a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever participates in this network.
    Participants(Origin),
    /// The members of a group of a network, as long as they participate.
    Group {
        /// The network's feed.
        feed: Origin,
        /// The group's record.
        id: RecordId,
    },
    /// These nodes.
    Nodes(Vec<NodeName>),
}

impl Audience {
    /// Reads the `audience` of a `feed` record.
    pub fn parse(value: &Value) -> Result<Self, InvalidAudience> {
        let malformed = || InvalidAudience { found: value.to_string().chars().take(120).collect() };
        let members = value.as_object().filter(|members| members.len() == 1);
        let (form, inner) =
            members.and_then(|members| members.iter().next()).ok_or_else(malformed)?;
        let audience = match form.as_str() {
            "participants" => origin(inner).map(Self::Participants),
            "group" => group(inner),
            "nodes" => nodes(inner).map(Self::Nodes),
            _ => None,
        };
        audience.ok_or_else(malformed)
    }

    /// Reads the audience of a body of kind `feed` and requires that it speaks of the feed it stands in.
    pub fn from_body(body: &Body) -> Result<Self, InvalidAudience> {
        let subject = body.subject();
        let feed = subject.get("feed").and_then(Value::as_str);
        let own = body.feed().map(Origin::as_str);
        if body.kind() != &Kind::FEED || own.is_none() || feed != own {
            return Err(InvalidAudience {
                found: feed.unwrap_or_default().chars().take(120).collect(),
            });
        }
        Self::parse(subject.get("audience").unwrap_or(&Value::Null))
    }

    /// The value to write in a `feed` record.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Participants(origin) => json!({ "participants": origin }),
            Self::Group { feed, id } => json!({ "group": { "feed": feed, "id": id } }),
            Self::Nodes(nodes) => json!({ "nodes": nodes }),
        }
    }

    /// The network that decides, if one does.
    pub fn network(&self) -> Option<&Origin> {
        match self {
            Self::Participants(origin) | Self::Group { feed: origin, .. } => Some(origin),
            Self::Nodes(_) => None,
        }
    }

    /// Whether `node` belongs to it today. `network` is the fold of [`Audience::network`]; without it, or
    /// with another one, nobody does.
    pub fn admits(&self, node: &NodeName, network: Option<&Network>) -> bool {
        let network = network.filter(|network| Some(network.origin()) == self.network());
        match self {
            Self::Participants(_) => network.is_some_and(|network| network.is_participating(node)),
            Self::Group { id, .. } => network.is_some_and(|network| network.in_group(id, node)),
            Self::Nodes(nodes) => nodes.contains(node),
        }
    }
}

/// An audience that cannot be read; such a feed is shown to nobody but its owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no audience; it reads {{\"participants\":ORIGIN}}, {{\"group\":{{\"feed\":ORIGIN,\"id\":URN}}}} \
     or {{\"nodes\":[NODE,…]}} with at most 256 nodes"
)]
pub struct InvalidAudience {
    /// The beginning of what was read.
    pub found: String,
}

fn origin(value: &Value) -> Option<Origin> {
    Origin::parse(value.as_str()?).ok()
}

fn group(value: &Value) -> Option<Audience> {
    let members = value.as_object().filter(|members| members.len() == 2)?;
    let feed = origin(members.get("feed")?)?;
    let id = RecordId::parse(members.get("id")?.as_str()?).ok()?;
    Some(Audience::Group { feed, id })
}

fn nodes(value: &Value) -> Option<Vec<NodeName>> {
    let list = value.as_array().filter(|list| (1..=AUDIENCE_NODES_MAX).contains(&list.len()))?;
    let mut nodes = Vec::with_capacity(list.len());
    for item in list {
        let node = NodeName::parse(item.as_str()?).ok()?;
        if nodes.contains(&node) {
            return None;
        }
        nodes.push(node);
    }
    Some(nodes)
}

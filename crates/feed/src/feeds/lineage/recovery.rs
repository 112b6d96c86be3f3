//! A recovery under way, as an operator reads it.

use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

/// A root that a recovery key announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whose root it is to become.
    pub node: NodeName,
    /// The announced root.
    pub new_root: PublicKey,
    /// When it was first seen, in seconds since 1970 (the median of the cosigners' times, where
    /// there are any).
    pub first_seen: u64,
    /// When it takes effect if nobody objects.
    pub effective_at: u64,
    /// Whether the other key objected: then nothing counts until the committee decided.
    pub contested: bool,
}

impl Recovery {
    /// What is going on, and what to do, in words for the operator.
    pub fn words(&self) -> String {
        let (node, root) = (&self.node, self.new_root.to_did());
        if self.contested {
            format!(
                "`{node}`: its recovery key announced the root {root}, and the other key objected. Nothing changes until the \
                 committee of a network reinstates one of the two, or you confirm one with the mechanism by telephone"
            )
        } else {
            format!(
                "`{node}`: its recovery key announced the root {root}. It takes effect 72 hours after it was first seen if the \
                 present root does not object; if this surprises the mechanism, it should object now"
            )
        }
    }
}

//! A recovery under way, as an operator reads it.

use std::sync::PoisonError;

use network::times::WINDOW;
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

use crate::feeds::Feeds;

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

impl Feeds {
    /// Recoveries under way, of nodes that are followed and of our own, by name. One whose root is in force
    /// in the node's own log is over.
    pub fn recoveries(&self) -> Vec<Recovery> {
        let lineages = self.lineages.read().unwrap_or_else(PoisonError::into_inner).clone();
        let under_way = lineages.into_iter().filter_map(|(node, lineage)| {
            let announced = lineage.announced.filter(|announced| !announced.adopted)?;
            let in_force = self.keys_of(&node).and_then(|keys| keys.root());
            (in_force != Some(announced.to)).then(|| Recovery {
                node,
                new_root: announced.to,
                first_seen: announced.first_seen,
                effective_at: announced.first_seen.saturating_add(WINDOW),
                contested: announced.contested,
            })
        });
        under_way.collect()
    }

    /// Whether a committee gave this node the root: a network held here states it, or it was said so
    /// before.
    pub fn is_reinstated(&self, root: &PublicKey) -> bool {
        self.lineage(self.node()).reinstated.as_ref() == Some(root)
            || self.networks().iter().any(|network| {
                network.participant(self.node()).is_some_and(|stated| stated.root == *root)
            })
    }
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

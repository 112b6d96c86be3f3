//! Another root, announced or by a decision of a committee: what must wait for it, when it may be asked for, and
//! when it may be used.

use anyhow::bail;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::name::Origin;

use super::{Keeper, own_keys};

impl Keeper {
    /// No new keys while another root is announced, until it has signed a record of its own and is in force:
    /// whoever saw the announcement takes them for an objection, whoever reads the log later does not, and
    /// they would believe different keys.
    pub(super) fn refuse_while_announced(&self, newest: &NodeRecord) -> anyhow::Result<()> {
        let undecided = self.feeds.recoveries().iter().any(|recovery| {
            recovery.node == *self.node()
                && (newest.is_recovery() || recovery.new_root != newest.root)
        });
        if undecided {
            bail!(
                "another root key is announced for this node: until that is decided, new keys would count for \
                 some and not for others; `jopoi keys object` objects, and `jopoi keys status` says how it stands"
            );
        }
        Ok(())
    }

    /// Refuses a root that no committee gave this node: published too early, nobody would follow the feed
    /// any more.
    pub(super) fn may_be_reinstated(&self, root: &PublicKey) -> anyhow::Result<()> {
        let did = root.to_did();
        if self.root_in_force() == Some(*root) {
            bail!(
                "{did} is the root key in force: there is nothing to take into use; where another one is announced \
                 and contested, the committee ends it with a new root key (`jopoi join FILE --root NEWFILE`)"
            );
        }
        if !self.feeds.is_reinstated(root) {
            bail!(
                "no network that is known here states that {did} is the root key of {}: ask for it with `jopoi join \
                 NETWORK-FILE --root FILE`, and wait until `jopoi network status` shows this node as reinstated, \
                 seven days after the decision",
                self.node()
            );
        }
        Ok(())
    }

    /// Refuses to ask a network for another root that does not know this node.
    pub(super) fn may_ask_for(&self, root: &PublicKey, network: &Origin) -> anyhow::Result<()> {
        let held = self.feeds.network(network);
        if held.is_none_or(|held| held.participant(self.node()).is_none()) {
            let in_force = self.root_in_force().map(|root| root.to_did()).unwrap_or_default();
            bail!(
                "{} is another root key than this node's, {in_force}, and {} does not record this node as one of its \
                 participants (`jopoi network status`): give the root key in force",
                root.to_did(),
                network.node()
            );
        }
        Ok(())
    }

    fn root_in_force(&self) -> Option<PublicKey> {
        own_keys(&self.feeds).and_then(|keys| keys.root())
    }
}

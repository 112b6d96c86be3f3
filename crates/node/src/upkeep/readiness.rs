//! Can this node do all that it should, at this moment? For `/readyz`, which anybody may ask, every few seconds:
//! nobody is asked and nothing is written, and the words tell no figures.
//!
//! Reading goes on whatever is said here: a node that is not ready still serves and verifies.

use web::upkeep::Unready;
use wire::api::ProbeResult;

use super::{Keeper, doctor};
use crate::keys::ring::Standing;

impl Keeper {
    /// What is in the way, one reason for each of [`UNREADY`](super::UNREADY) at most.
    pub(super) fn in_the_way(&self) -> Vec<Unready> {
        let reasons = [self.of_store(), self.of_disk(), self.of_keys(), self.of_clock()];
        let named = super::UNREADY.into_iter().zip(reasons);
        let named =
            named.filter_map(|(what, reason)| Some(Unready { what, reason: reason?.to_owned() }));
        named.collect()
    }

    fn of_store(&self) -> Option<&'static str> {
        let writable = self.feeds.store().writable();
        writable.is_err().then_some("nothing can be written; `jopoi doctor` and the log say why")
    }

    fn of_disk(&self) -> Option<&'static str> {
        let full = doctor::room(&self.place.data).result == ProbeResult::Failed;
        full.then_some("the disk is full or nearly: free some space or enlarge it")
    }

    fn of_keys(&self) -> Option<&'static str> {
        let keys = super::own_keys(&self.feeds)?;
        match self.ring().standing(&keys.newest()?.record) {
            Standing::Open => None,
            Standing::Locked => Some("the online secret is locked: nothing is published"),
            Standing::Lost => {
                Some("the keys of the node record are not here: nothing is published")
            }
        }
    }

    fn of_clock(&self) -> Option<&'static str> {
        let wrong = self.look_at_clock().result == ProbeResult::Failed;
        wrong.then_some("the clock is more than five minutes off: signed requests are refused")
    }
}

//! How many rounds are under way at a time, so that a hub that follows hundreds stays small.
//!
//! Feeds that are in step have turns of their own: however many peers fail, stall or are new, news of a feed
//! that is in step wait for none of them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wire::api::PeerState;

/// The turns of one node.
#[derive(Clone, Debug)]
pub struct Turns {
    in_step: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Turns {
    /// So many rounds of feeds in step, and half as many of the others. With 0 there are none at all.
    pub fn new(rounds: usize) -> Self {
        let of = |rounds| Arc::new(Semaphore::new(rounds));
        Self { in_step: of(rounds), others: of(rounds.div_ceil(2)) }
    }

    /// Those that a feed in this state waits for.
    pub(crate) fn of(&self, state: PeerState) -> Arc<Semaphore> {
        match state {
            PeerState::Healthy => Arc::clone(&self.in_step),
            PeerState::New | PeerState::Failing | PeerState::Dormant => Arc::clone(&self.others),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_that_fail_take_no_turn_of_a_feed_in_step() {
        let turns = Turns::new(8);
        let failing = turns.of(PeerState::Failing);
        let all = failing.try_acquire_many(4).unwrap();
        assert!(turns.of(PeerState::New).try_acquire().is_err());
        assert_eq!(turns.of(PeerState::Healthy).available_permits(), 8);
        drop(all);
        assert_eq!(Turns::new(0).of(PeerState::New).available_permits(), 0);
    }
}

//! One feed that is followed over any carrier: its rounds, its waits, its schedule, without the addresses
//! that [`follow`](crate::follow) finds for it. For simulations and for whoever brings a way of his own.

use std::sync::Arc;

use feed::feeds::Feeds;
use feed::ports::Carrier;
use tlog::name::Origin;

use crate::line::Line;
use crate::schedule::Schedule;
use crate::tally::Tally;
use crate::turns::Turns;

/// One feed that is followed.
pub struct Follower {
    line: Line,
}

impl Follower {
    /// Follows `origin` into `feeds` once it [runs](Self::run). `turns` are those of all rounds of the node;
    /// `interval_s` is the time between rounds with a peer that holds no requests.
    pub fn new(feeds: &Arc<Feeds>, origin: Origin, turns: Turns, interval_s: u64) -> Self {
        let home = Arc::new(Arc::clone(feeds));
        Self { line: Line::new(origin, home, turns, interval_s, Tally::default()) }
    }

    /// The feed.
    pub fn origin(&self) -> &Origin {
        &self.line.origin
    }

    /// Follows the feed until [halted](Self::halt). Needs a tokio runtime.
    pub async fn run(&self, carrier: &dyn Carrier) {
        self.line.run(carrier).await;
    }

    /// One round now, after the one under way; returns when it is over. Only while it runs.
    pub async fn round(&self) {
        let request = self.line.request();
        self.line.finished(request).await;
    }

    /// How it goes.
    pub fn schedule(&self) -> Schedule {
        self.line.schedule()
    }

    /// Ends [`run`](Self::run) in an orderly way.
    pub fn halt(&self) {
        self.line.halt();
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("origin", self.origin()).finish_non_exhaustive()
    }
}

//! Comparing what a peer holds with what we hold, in every round: that is how a node that shows
//! different feeds to different peers is found. What does not go together is judged in `feed`.

use std::sync::Arc;

use feed::feeds::{Feeds, Heard, SyncError};
use feed::ports::Carrier;
use wire::heads::HeadLine;

/// Lists longer than this are compared when they change, and not remembered: those of a hub for all
/// mechanisms have some hundred lines.
pub(crate) const REMEMBERED_MAX: usize = 4_096;

/// Compares a peer's list with our copies, and asks it about what does not go together. What was found is told
/// where it is kept.
pub(crate) async fn compare(
    feeds: &Arc<Feeds>,
    carrier: &dyn Carrier,
    heads: &[HeadLine],
) -> Result<(), SyncError> {
    let heard = |line: &HeadLine| Heard {
        origin: line.origin.clone(),
        size: line.size,
        root: line.root,
        evidence: line.evidence,
    };
    let heard: Vec<Heard> = heads.iter().map(heard).collect();
    feeds.compare_heads(carrier, &heard).await.map(drop)
}

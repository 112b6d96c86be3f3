//! What decodes to more than usual is decoded by one at a time: a segment of 33 MB of zeros takes a kilobyte on
//! the wire, and must not stand in memory as often as somebody sends it or reads it.
//!
//! **Order:** whoever holds the turn of tails may wait for that of segments, never the other way round; and nobody
//! who holds one waits for a peer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::frame;

/// Bytes that may be decoded without waiting: a segment of records of 16 KB each.
pub(super) const ORDINARY_BYTES: usize = 4 << 20;

/// Held while something large is in memory; `None` for what is not large.
pub(super) type Turn = Option<OwnedMutexGuard<()>>;

/// Whose turn it is, in one process.
#[derive(Debug, Default)]
pub(super) struct Large {
    tails: Arc<Mutex<()>>,
    segments: Arc<Mutex<()>>,
}

impl Large {
    /// For a round whose commits decode to so many bytes.
    pub(super) async fn tail(&self, bytes: usize) -> Turn {
        turn(&self.tails, bytes).await
    }

    /// For whoever decodes so many bytes of a segment, or reads them from a tail.
    pub(super) async fn segment(&self, bytes: usize) -> Turn {
        turn(&self.segments, bytes).await
    }
}

async fn turn(of: &Arc<Mutex<()>>, bytes: usize) -> Turn {
    if bytes > ORDINARY_BYTES { Some(Arc::clone(of).lock_owned().await) } else { None }
}

/// Bytes to which a segment decodes, as it says itself; decoding holds it to that.
pub(super) fn decoded(segment: &Bytes) -> usize {
    if frame::is_frame(segment) { frame::declared(segment) } else { segment.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_large_thing_is_decoded_at_a_time_and_others_do_not_wait() {
        let large = Large::default();
        let first = large.segment(ORDINARY_BYTES + 1).await;
        assert!(first.is_some());
        assert!(large.segment(ORDINARY_BYTES).await.is_none());
        assert!(large.tail(usize::MAX).await.is_some());
        let mut second = std::pin::pin!(large.segment(usize::MAX));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert!(second.await.is_some());
    }

    #[test]
    fn a_segment_tells_its_length_before_it_is_decoded() {
        let packed = Bytes::from(frame::pack(&vec![0; 30_000_000]).unwrap());
        assert!(packed.len() < 10_000);
        assert_eq!(decoded(&packed), 30_000_000);
        assert_eq!(decoded(&Bytes::from_static(b"JPS1 plain")), 10);
    }
}

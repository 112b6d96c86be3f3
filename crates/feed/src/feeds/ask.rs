//! The question of a round: what does a carrier have beyond what is held?

use std::time::Duration;

use super::{FeedState, Feeds, Handle, SyncError, View};
use crate::ports::{Carrier, Since};
use crate::verify;

/// Ways of one carrier that are tried when the one before shows less than is held.
const WAYS_MAX: usize = 8;

/// What a carrier said to one size of a feed.
pub(super) struct Asked {
    /// The entries held when it was asked.
    pub(super) size: u64,
    /// What it said.
    pub(super) since: Since,
}

impl Feeds {
    /// As [`ask_for_news`](Self::ask_for_news); of a carrier with several ways (two relays, an address that was
    /// left) one that lags behind is no more than a reason to try the next.
    pub(super) async fn ask_by_any_way(
        &self,
        handle: &Handle,
        carrier: &dyn Carrier,
        wait: Option<Duration>,
    ) -> Result<Option<Asked>, SyncError> {
        let mut ways = 1;
        loop {
            let asked = self.ask_for_news(handle, carrier, wait).await;
            let behind = matches!(asked, Err(SyncError::Rollback { .. }));
            if !behind || ways == WAYS_MAX || !carrier.turn() {
                return asked;
            }
            ways += 1;
        }
    }

    /// What the carrier says to what is held; `None` of a feed that goes on elsewhere.
    pub(super) async fn ask_for_news(
        &self,
        handle: &Handle,
        carrier: &dyn Carrier,
        wait: Option<Duration>,
    ) -> Result<Option<Asked>, SyncError> {
        let origin = &handle.origin;
        let held = handle.view.load_full();
        match held.as_deref().map(|view| (&view.state, view.size())) {
            Some((FeedState::Forked { reason }, _)) => {
                return Err(SyncError::Held { origin: origin.clone(), reason: reason.clone() });
            }
            Some((FeedState::Continued { size, .. }, held)) if held >= *size => return Ok(None),
            _ => {}
        }
        let size = held.as_deref().map_or(0, View::size);
        let served = verify::read_note(origin, &carrier.checkpoint(origin).await?)?;
        if let Some(view) = held.as_deref() {
            let contradicts =
                served.checkpoint.size == size && served.checkpoint.root != view.root();
            if served.checkpoint.size < size || contradicts {
                return Err(self.judge_not_longer(view, &served).await);
            }
        }
        Ok(Some(Asked { size, since: carrier.since(origin, size, wait).await? }))
    }
}

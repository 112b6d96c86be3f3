//! The question of a round: what does a carrier have beyond what is held?

use std::time::Duration;

use bytes::Bytes;

use super::{FeedState, Feeds, Handle, SyncError, View};
use crate::ports::{Carrier, Since};
use crate::verify;

/// Ways of one carrier that are tried when the one before shows less than is held.
const WAYS_MAX: usize = 8;

/// What a carrier said to one size of a feed.
pub(super) struct Asked {
    /// The entries held when it was asked.
    pub(super) size: u64,
    /// What follows them, if anything does.
    pub(super) news: Option<News>,
}

/// What follows what is held.
pub(super) enum News {
    /// A head, `JPH1…`.
    Head(Bytes),
    /// Commits, `JPT1…`.
    Commits(Bytes),
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
        if wait.is_none() {
            self.compare_with(handle, carrier, held.as_deref()).await?;
        }
        let news = match carrier.since(origin, size, wait).await? {
            Since::Head(bytes) => Some(News::Head(bytes)),
            Since::Commits(bytes) => Some(News::Commits(bytes)),
            Since::Shorter(note) => {
                let served = verify::read_note(origin, &note)?;
                return Err(match held.as_deref() {
                    Some(view) => self.judge_not_longer(view, &served).await,
                    None => SyncError::Rollback {
                        origin: origin.clone(),
                        held: 0,
                        served: served.checkpoint.size,
                    },
                });
            }
            // News proves by itself that it follows what is held: only a wait that ended without any leaves
            // open whether the carrier shows the same feed.
            Since::Nothing if wait.is_some() => {
                self.compare_with(handle, carrier, held.as_deref()).await?;
                None
            }
            Since::Nothing => None,
        };
        Ok(Some(Asked { size, news }))
    }

    /// Refuses a carrier whose checkpoint is of fewer entries than are held, or of others.
    async fn compare_with(
        &self,
        handle: &Handle,
        carrier: &dyn Carrier,
        held: Option<&View>,
    ) -> Result<(), SyncError> {
        let origin = &handle.origin;
        let served = verify::read_note(origin, &carrier.checkpoint(origin).await?)?;
        let Some(view) = held else { return Ok(()) };
        let (size, root) = (served.checkpoint.size, served.checkpoint.root);
        if size < view.size() || (size == view.size() && root != view.root()) {
            return Err(self.judge_not_longer(view, &served).await);
        }
        Ok(())
    }
}

//! The anchors of a network, read back: does the disk still hold all approvals that are known?
//!
//! The bundle ends with the hash of all before, and each approval in it proves itself. What this process
//! gathered is put in the place of what rotted; where it could not read the file itself, whoever carries the
//! network's feed is asked.

use std::sync::Arc;

use tlog::name::Origin;

use super::super::scrub::{ANCHORS, Scrubbed};
use super::super::{Feeds, anchors};
use crate::ports::Fact;

/// How it is called on disk.
const NAME: &str = "anchors";

impl Feeds {
    /// Reads the anchors of a feed back, if it is a network's.
    pub(in crate::feeds) async fn scrub_anchors(
        self: &Arc<Self>,
        origin: &Origin,
        found: &mut Scrubbed,
    ) {
        let why = {
            // Nothing is gathered between reading and comparing.
            let all = self.networks.gathering.lock().await;
            let gathering = all.get(origin);
            let read = match self.parts.store.fact(origin, &Fact::Anchors).await {
                Ok(read) => read,
                Err(error) => {
                    let why =
                        format!("{error}; nothing was changed, and the next walk reads it again");
                    return found.enter(Some(origin), NAME.to_owned(), Err(why));
                }
            };
            let known = gathering.map(|gathering| &gathering.anchors);
            let lacking = |evidence: &[_]| known.map_or(0, |known| known.missing_in(evidence));
            if let Some(bytes) = &read {
                found.read(ANCHORS, bytes.len());
            }
            let why = match read.as_ref().map(anchors::read).transpose() {
                Err(reason) => reason.to_string(),
                Ok(evidence) => match lacking(&evidence.unwrap_or_default()) {
                    0 => return,
                    count => format!("{count} approvals that are known here are not in it"),
                },
            };
            if let Some(gathering) = gathering.filter(|gathering| gathering.whole) {
                let healed = self.keep_anchors(origin, gathering).await;
                let healed = healed.map_err(|error| error.to_string());
                return found.enter(Some(origin), NAME.to_owned(), healed);
            }
            why
        };
        let healed = self.anchors_from_mirrors(origin, why).await;
        found.enter(Some(origin), NAME.to_owned(), healed);
    }

    async fn anchors_from_mirrors(
        self: &Arc<Self>,
        origin: &Origin,
        why: String,
    ) -> Result<(), String> {
        let mut tried = format!("{why}; nobody who carries the network is known here");
        for carrier in self.mirrors(origin) {
            let bytes = match carrier.anchors(origin).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    tried = format!("{why}; {error}");
                    continue;
                }
            };
            if let Err(error) = self.take_approvals(origin, &bytes).await {
                tried = format!("{why}; {}: {error}", carrier.describe());
                continue;
            }
            let mut all = self.networks.gathering.lock().await;
            let gathering = all.entry(origin.clone()).or_default();
            self.keep_anchors(origin, gathering).await.map_err(|error| error.to_string())?;
            gathering.whole = true;
            return Ok(());
        }
        Err(tried)
    }
}

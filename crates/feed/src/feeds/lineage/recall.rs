//! What a restored log tells of a recovery that nobody here remembers.
//!
//! Who was there when a recovery was announced took what the old root signed next for an objection. The
//! log alone does not say so: to whoever reads it afterwards that record is in force and the announcement
//! is old. A node that comes back from the network must stand where its followers stand, or it would sign
//! what they refuse.

use std::sync::Arc;

use network::keys::{KeyHistory, Keyed};
use practice::node_record::USE_LOG;
use tracing::warn;

use super::Announced;
use crate::feeds::{Feeds, Handle, SyncError, View};

impl Feeds {
    /// Remembers the newest recovery that a restored feed of ours announces, and that it is contested if
    /// the old root signed something afterwards. The feed is read back as those read it who saw that; the
    /// view of it now.
    pub(in crate::feeds) async fn recall_recovery(
        self: &Arc<Self>,
        handle: &Handle,
        view: Arc<View>,
    ) -> Result<Arc<View>, SyncError> {
        let mut lineage = self.lineage(self.node());
        let Some((keyed, contested)) = undecided(&view.keys) else { return Ok(view) };
        let Some(from) = view.keys.root_at(keyed.index) else { return Ok(view) };
        let (version, to) = (keyed.record.version(), keyed.record.root);
        let known = lineage.announced.as_ref().is_some_and(|known| known.version >= version);
        if known || lineage.rejected.contains(&keyed.record.body().issuer_key()) {
            return Ok(view);
        }
        let body = String::from_utf8_lossy(&keyed.body).into_owned();
        let first_seen = self.window_clock(self.node()).latest;
        lineage.announced =
            Some(Announced { body, version, from, to, first_seen, contested, adopted: false });
        warn!(event = "recovery.recalled", node = %self.node(), "the feed that came back announces the root {}: that recovery is not decided yet", to.to_did());
        self.keep_lineage(self.node(), lineage).await?;
        let _writer = handle.writer.lock().await;
        self.parts.catalog.forget(&handle.origin)?;
        self.reopen(handle).await?;
        Ok(handle.view.load_full().unwrap_or(view))
    }
}

/// The newest announcement of a root that is not in force, and whether the old root signed something
/// since. Our own log is believed: where it went on under a log key that the old root named since, the
/// recovery had been decided against.
fn undecided(keys: &KeyHistory) -> Option<(&Keyed, bool)> {
    let announced = keys.announcements().last()?;
    let before = keys.in_force(announced.index)?;
    let log_key = |keyed: &Keyed| keyed.record.active(USE_LOG).map(|active| active.key);
    let mut since = keys.records().iter().filter(|keyed| keyed.index > announced.index).peekable();
    let objects = since.peek().is_some() || keys.objection().is_some();
    let same = since.all(|keyed| log_key(keyed) == log_key(before));
    same.then_some((announced, objects))
}

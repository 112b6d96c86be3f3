//! Group commit: whoever gets the feed's turn commits for all who wait.
//!
//! A caller is answered when its entries are on disk, below the high-water mark, in the catalog and
//! shown. A commit runs to its end even if the caller goes away. What is on disk decides: after a
//! write that failed or was not answered the head is read back before anything else is signed.

use std::sync::Arc;

use network::keys::{KeyHistory, Roots};
use tlog::name::Origin;
use tokio::sync::oneshot;
use tracing::error;

use super::overlap::{LogAlone, Proving, overlap_is_over};
use super::publish::{GROUP_BYTES_MAX, Prepared};
use super::settle::Fresh;
use super::{FeedState, Feeds, Handle, PublishError, Published, Request, View};
use crate::append::{self, Staged};
use crate::block::SEGMENT_ENTRIES;
use crate::head::{TAIL_BYTES, TAIL_ENTRIES};
use crate::judge::Judge;
use crate::ports::{CommitError, HighWater, Signer};
use crate::row::Validity;

impl Feeds {
    /// Queues entries and sees to it that they are committed.
    pub(super) async fn submit(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        entries: Vec<Prepared>,
    ) -> Result<Vec<Published>, PublishError> {
        if handle.view.load().is_some() {
            self.may_sign(handle).await?;
        }
        let (answer, answered) = oneshot::channel();
        handle.push(Request { entries, answer });
        let (feeds, own_handle) = (Arc::clone(self), Arc::clone(handle));
        // Its own task: a commit must not be dropped half-way with its caller.
        tokio::spawn(async move {
            let _writer = own_handle.writer.lock().await;
            for group in groups(own_handle.drain()) {
                feeds.commit_requests(&own_handle, group).await;
            }
        });
        answered.await.map_err(|_| PublishError::Interrupted)?
    }

    async fn commit_requests(self: &Arc<Self>, handle: &Arc<Handle>, requests: Vec<Request>) {
        let mut taken: Vec<(Request, Vec<Published>)> = Vec::new();
        let staged = match self.stage(handle, requests, &mut taken) {
            Ok(Some(staged)) => staged,
            Ok(None) => return,
            Err(error) => return refuse_all(taken, error),
        };
        match self.commit_staged(handle, staged).await {
            Ok(()) => {
                for (request, published) in taken {
                    let _ = request.answer.send(Ok(published));
                }
                self.seal_if_long(handle).await;
            }
            Err(error) => refuse_all(taken, error),
        }
    }

    /// Judges the requests in order, answers those that are refused, and stages the others.
    fn stage(
        &self,
        handle: &Handle,
        requests: Vec<Request>,
        taken: &mut Vec<(Request, Vec<Published>)>,
    ) -> Result<Option<Staged>, PublishError> {
        let view = if handle.view.load().is_some() { Some(self.writable(handle)?) } else { None };
        let mut judge = Judge::new(self.parts.catalog.as_ref(), handle.origin.clone())?;
        let mut items = Vec::new();
        let mut keys = match view.as_deref() {
            Some(view) => KeyHistory::clone(&view.keys),
            None => KeyHistory::of(handle.origin.node().clone(), Roots::own()),
        };
        keys.freeze(self.frozen(handle.origin.node()));
        let mut proving = Proving::new(&keys);
        for request in requests {
            let accepted = proving
                .check(judge.next(), &request.entries)
                .and_then(|()| accept(&mut judge, &handle.origin, &request.entries));
            match accepted {
                Ok(published) => {
                    proving.take(judge.next(), &request.entries);
                    items.extend(request.entries.iter().map(|entry| entry.item.clone()));
                    taken.push((request, published));
                }
                Err(error) => {
                    let _ = request.answer.send(Err(error));
                }
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        let signer = self.signer();
        let alone = LogAlone(signer.as_ref());
        let signer: &dyn Signer = if overlap_is_over(&keys, signer.as_ref(), self.parts.clock.now())
        {
            &alone
        } else {
            signer.as_ref()
        };
        let (mark, tree) = match view {
            Some(view) => (Some(view.mark), view.tree.clone()),
            None => (None, crate::tree::Tree::new()),
        };
        let staged = append::stage(&handle.origin, mark, &tree, &keys, items, signer)?;
        Ok(Some(staged))
    }

    async fn commit_staged(
        self: &Arc<Self>,
        handle: &Handle,
        staged: Staged,
    ) -> Result<(), PublishError> {
        if handle.view.load().is_none() {
            self.may_begin(handle).await?;
        }
        if let Err(error) = self.parts.store.commit(&staged.advance).await {
            if matches!(error, CommitError::Unknown { .. }) {
                self.stop_after_write(handle, &error);
            } else if let Err(reason) = self.reopen(handle).await {
                // Nothing was changed: what is on disk decides, never what we believe.
                error!(event = "feed.not-read-back", feed.origin = %handle.origin, "`{}` could not be read back: {reason}", handle.origin);
            }
            return Err(error.into());
        }
        let mark = HighWater { size: staged.tree.size(), root: staged.tree.root() };
        if let Err(error) = self.parts.store.set_high_water(&handle.origin, mark).await {
            self.stop_after_write(handle, &error);
            return Err(PublishError::StoredNotShown { source: error });
        }
        let before = handle.view.load_full();
        let added: usize =
            staged.blocks.iter().flat_map(|block| &block.items).map(super::open::bytes_of).sum();
        let view = View {
            origin: handle.origin.clone(),
            own: handle.own,
            tail_bytes: before.as_ref().map_or(0, |view| view.tail_bytes) + added,
            note: staged.note.into(),
            tree: staged.tree,
            keys: Arc::new(staged.keys),
            disowning: Arc::default(),
            mark: staged.advance.to(),
            received_at: self.parts.clock.now(),
            audience: None,
            state: FeedState::Open,
            missing: Arc::default(),
        };
        self.settle(handle, view, Some(Fresh { blocks: staged.blocks, ours: true })).await?;
        Ok(())
    }

    /// Cuts a long tail into segments. The caller holds the feed's turn. A failure costs nothing but
    /// a longer head, and is tried again after the next commit.
    pub(super) async fn seal_if_long(self: &Arc<Self>, handle: &Handle) {
        let Some(view) = handle.view.load_full() else { return };
        let entries = view.size() - view.sealed();
        let is_long = entries >= TAIL_ENTRIES || view.tail_bytes >= TAIL_BYTES;
        if entries < SEGMENT_ENTRIES || !is_long {
            return;
        }
        if let Err(reason) = self.seal(handle, &view).await {
            error!(event = "feed.not-sealed", feed.origin = %handle.origin, "the tail of `{}` could not be sealed: {reason}", handle.origin);
        }
    }

    async fn seal(self: &Arc<Self>, handle: &Handle, view: &View) -> Result<(), PublishError> {
        let tail = self.read_tail(view).await?;
        let Some(sealed) = append::seal(&handle.origin, view.mark, &view.tree, &tail, &view.note)?
        else {
            return Ok(());
        };
        self.keep_all(&sealed.facts).await?;
        self.parts.store.commit(&sealed.advance).await?;
        let rest = tail.iter().flat_map(|block| (block.first..).zip(&block.items));
        let rest = rest.filter(|(index, _)| *index >= sealed.tree.sealed());
        let tail_bytes = rest.map(|(_, item)| super::open::bytes_of(item)).sum();
        let view =
            View { tree: sealed.tree, mark: sealed.advance.to(), tail_bytes, ..view.clone() };
        self.show(handle, view);
        Ok(())
    }
}

/// Requests that go into one commit each, in order.
fn groups(requests: Vec<Request>) -> Vec<Vec<Request>> {
    let mut groups: Vec<Vec<Request>> = Vec::new();
    let mut bytes = 0;
    for request in requests {
        let more: usize = request.entries.iter().map(Prepared::bytes).sum();
        bytes += more;
        match groups.last_mut() {
            Some(group) if bytes <= GROUP_BYTES_MAX => group.push(request),
            _ => {
                groups.push(vec![request]);
                bytes = more;
            }
        }
    }
    groups
}

/// Judges the entries of one request: all count, or none is appended.
fn accept(
    judge: &mut Judge<'_>,
    origin: &Origin,
    entries: &[Prepared],
) -> Result<Vec<Published>, PublishError> {
    let mark = judge.mark();
    let mut published = Vec::with_capacity(entries.len());
    for entry in entries {
        let index = judge.next();
        let validity = judge.push(&entry.item.said, crate::row::BodyState::Held)?;
        if validity != Validity::Valid {
            judge.rewind(mark);
            return Err(refusal(validity, entry));
        }
        published.push(Published {
            origin: origin.clone(),
            index,
            id: entry.id,
            kind: entry.kind.clone(),
            version: entry.version,
            body: entry.item.said.body(),
        });
    }
    Ok(published)
}

fn refusal(validity: Validity, entry: &Prepared) -> PublishError {
    match validity {
        Validity::VersionNotGreater => {
            PublishError::Changed { id: entry.id, current: entry.version }
        }
        _ => PublishError::Statement { id: entry.id, reason: validity.words() },
    }
}

fn refuse_all(taken: Vec<(Request, Vec<Published>)>, error: PublishError) {
    let error = Arc::new(error);
    for (request, _) in taken {
        let _ = request.answer.send(Err(PublishError::Commit(Arc::clone(&error))));
    }
}

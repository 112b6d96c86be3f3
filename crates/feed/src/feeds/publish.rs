//! Publishing to our own feeds: group commit.
//!
//! Bodies are signed by each caller; whoever gets the feed's turn commits for all who wait. A caller
//! is answered when its entries are on disk, above the high-water mark, in the catalog and shown.
//! A commit runs to its end even if the caller goes away.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use network::keys::KeyHistory;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use rayon::prelude::*;
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{FeedName, Origin};
use tokio::sync::oneshot;
use tracing::error;

use super::settle::Fresh;
use super::{FeedState, Feeds, Handle, OpenError, Request, View};
use crate::append::{self, AppendError, Staged};
use crate::block::{BlockError, Item};
use crate::head::{TAIL_BYTES, TAIL_ENTRIES};
use crate::judge::Judge;
use crate::ports::{CatalogError, CommitError, HighWater, KeyUse, Locked, Signer, StoreError};
use crate::row::{RowOp, Validity};
use crate::statement::{Said, Statement, StatementTooLong};

/// Records in one request: more are split by the caller.
pub const PUBLICATIONS_MAX: usize = 10_000;
/// Indices that fit in one withdrawal with room to spare.
const ERASE_MAX: usize = 64;

/// A record to publish, checked as a draft.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its kind.
    pub kind: Kind,
    /// The record it is a new version of; `None` for a new record.
    pub id: Option<RecordId>,
    /// What it says: the `credentialSubject`, without its `id`.
    pub subject: Value,
    /// The version it revises; refused if another came first.
    pub expected: Option<u64>,
}

/// The end of a record.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// A code of the vocabulary of reasons.
    pub reason: String,
    /// Whether all bodies of the record are destroyed wherever they are held.
    pub erase: bool,
}

/// A statement that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The feed.
    pub origin: Origin,
    /// The entry.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// Its kind; of a withdrawal, that of the record.
    pub kind: Kind,
    /// The version; of a withdrawal, 0.
    pub version: u64,
    /// SHA-256 of the body; of a withdrawal, none.
    pub body: Option<Hash>,
}

/// An entry before it has a place.
#[derive(Clone)]
pub(super) struct Prepared {
    item: Item,
    id: RecordId,
    kind: Kind,
    version: u64,
}

impl Feeds {
    /// Begins a feed of this node with its node record, signed by the root.
    pub async fn begin(
        self: &Arc<Self>,
        feed: &FeedName,
        node_record: Bytes,
    ) -> Result<Published, PublishError> {
        let origin = Origin::new(self.node().clone(), feed.clone());
        let handle = self.handle_or_new(&origin);
        if handle.view.load().is_some() {
            return Err(PublishError::BegunAlready { origin });
        }
        let prepared = prepare_node_record(&node_record)?;
        let published = self.submit(&handle, vec![prepared]).await?;
        published.into_iter().next().ok_or(PublishError::Nothing)
    }

    /// Publishes a new version of this node's record in all its feeds.
    pub async fn publish_node_record(
        self: &Arc<Self>,
        body: Bytes,
    ) -> Result<Vec<Published>, PublishError> {
        let prepared = prepare_node_record(&body)?;
        let mut all = Vec::new();
        for origin in self.own() {
            let handle = self.handle(&origin).ok_or(PublishError::Nothing)?;
            all.extend(self.submit(&handle, vec![prepared.clone()]).await?);
        }
        Ok(all)
    }

    /// Publishes records, all or none, in one commit (or several, one after the other, for more than
    /// 8 MiB).
    pub async fn publish(
        self: &Arc<Self>,
        feed: &FeedName,
        publications: Vec<Publication>,
    ) -> Result<Vec<Published>, PublishError> {
        if publications.is_empty() || publications.len() > PUBLICATIONS_MAX {
            return Err(PublishError::Count { count: publications.len() });
        }
        let handle = self.own_handle(feed)?;
        let view = self.writable(&handle)?;
        let placed = self.place(&view, publications)?;
        let prepared = self.sign_all(&view, placed).await?;
        self.submit(&handle, prepared).await
    }

    /// Withdraws a record.
    pub async fn withdraw(
        self: &Arc<Self>,
        feed: &FeedName,
        id: &RecordId,
        withdrawal: &Withdrawal,
    ) -> Result<Published, PublishError> {
        let handle = self.own_handle(feed)?;
        let view = self.writable(&handle)?;
        let rows = self.parts.catalog.rows_of(&view.origin, id)?;
        let publishes = rows.iter().filter_map(|(index, row)| match &row.op {
            RowOp::Publish { kind, .. } => Some((*index, kind.clone())),
            _ => None,
        });
        let publishes: Vec<(u64, Kind)> = publishes.collect();
        let Some((_, kind)) = publishes.first().cloned() else {
            return Err(PublishError::NoSuchRecord { id: *id, origin: view.origin.clone() });
        };
        let erase: Vec<u64> = match withdrawal.erase {
            true if kind.is_trust() => return Err(PublishError::TrustIsNotErased { kind }),
            true => publishes.iter().map(|(index, _)| *index).collect(),
            false => Vec::new(),
        };
        let mut prepared = Vec::new();
        let mut parts: Vec<&[u64]> = erase.chunks(ERASE_MAX).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for part in parts {
            let reason = withdrawal.reason.clone();
            let time = timestamp(self.parts.clock.now());
            let statement = Statement::Withdraw { id: *id, reason, erase: part.to_vec(), time };
            let item = Item::new(statement.to_bytes()?.into(), None)?;
            prepared.push(Prepared { item, id: *id, kind: kind.clone(), version: 0 });
        }
        let published = self.submit(&handle, prepared).await?;
        published.into_iter().next_back().ok_or(PublishError::Nothing)
    }

    fn own_handle(&self, feed: &FeedName) -> Result<Arc<Handle>, PublishError> {
        let origin = Origin::new(self.node().clone(), feed.clone());
        let handle = self.handle(&origin).filter(|handle| handle.view.load().is_some());
        handle.ok_or(PublishError::NotBegun { origin })
    }

    fn writable(&self, handle: &Handle) -> Result<Arc<View>, PublishError> {
        let not_begun = || PublishError::NotBegun { origin: handle.origin.clone() };
        let view = handle.view.load_full().ok_or_else(not_begun)?;
        match &view.state {
            FeedState::Open => Ok(view),
            FeedState::ReadOnly { reason } | FeedState::Forked { reason } => {
                Err(PublishError::ReadOnly {
                    origin: handle.origin.clone(),
                    reason: reason.clone(),
                })
            }
        }
    }

    /// Gives each publication its id and version.
    fn place(
        &self,
        view: &View,
        publications: Vec<Publication>,
    ) -> Result<Vec<(RecordId, u64, Publication)>, PublishError> {
        let mut versions: HashMap<RecordId, u64> = HashMap::new();
        let mut placed = Vec::with_capacity(publications.len());
        for publication in publications {
            let id = publication.id.unwrap_or_else(|| {
                let mut bytes = [0; 16];
                self.parts.random.fill(&mut bytes);
                RecordId::from_random_bytes(bytes)
            });
            let highest = match versions.get(&id) {
                Some(version) => *version,
                None if publication.id.is_none() => 0,
                None => self.highest_version(&view.origin, &id)?,
            };
            if publication.expected.is_some_and(|expected| expected != highest) {
                return Err(PublishError::Changed { id, current: highest });
            }
            versions.insert(id, highest + 1);
            placed.push((id, highest + 1, publication));
        }
        Ok(placed)
    }

    fn highest_version(&self, origin: &Origin, id: &RecordId) -> Result<u64, CatalogError> {
        let rows = self.parts.catalog.rows_of(origin, id)?;
        let versions = rows.iter().map(|(_, row)| match &row.op {
            RowOp::Publish { version, .. } => *version,
            _ => 0,
        });
        Ok(versions.max().unwrap_or(0))
    }

    /// Makes and signs the bodies, over all cores where there are many.
    async fn sign_all(
        &self,
        view: &View,
        placed: Vec<(RecordId, u64, Publication)>,
    ) -> Result<Vec<Prepared>, PublishError> {
        let record = view.keys.in_force(view.size()).ok_or(PublishError::Nothing)?.record.clone();
        let key = self.parts.signer.public(KeyUse::Record)?;
        let issuer = Issuer { key, node: view.origin.node().clone(), state: record.state.clone() };
        let time = timestamp(self.parts.clock.now());
        let mut work = Vec::with_capacity(placed.len());
        for (id, version, publication) in placed {
            let mut salt = [0; 32];
            self.parts.random.fill(&mut salt);
            let unsigned = Unsigned {
                kind: publication.kind,
                id,
                feed: Some(view.origin.clone()),
                version,
                issuer: issuer.clone(),
                valid_from: time.clone(),
                salt,
                subject: publication.subject,
            };
            work.push(unsigned);
        }
        let signer = Arc::clone(&self.parts.signer);
        if work.len() < 4 {
            return work.into_iter().map(|unsigned| prepare(unsigned, signer.as_ref())).collect();
        }
        let all = move || {
            work.into_par_iter().map(|unsigned| prepare(unsigned, signer.as_ref())).collect()
        };
        tokio::task::spawn_blocking(all)
            .await
            .map_err(|error| PublishError::Body { reason: error.to_string() })?
    }

    /// Queues entries and sees to it that they are committed.
    async fn submit(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        entries: Vec<Prepared>,
    ) -> Result<Vec<Published>, PublishError> {
        let (answer, answered) = oneshot::channel();
        handle.push(Request { entries, answer });
        let (feeds, own_handle) = (Arc::clone(self), Arc::clone(handle));
        // Its own task: a commit must not be dropped half-way with its caller.
        tokio::spawn(async move {
            let _writer = own_handle.writer.lock().await;
            let requests = own_handle.drain();
            if !requests.is_empty() {
                feeds.commit_requests(&own_handle, requests).await;
            }
        });
        answered.await.map_err(|_| PublishError::Interrupted)?
    }

    async fn commit_requests(self: &Arc<Self>, handle: &Arc<Handle>, requests: Vec<Request>) {
        let mut taken: Vec<(Request, Vec<Published>)> = Vec::new();
        let staged = match self.stage(handle, requests, &mut taken) {
            Ok(Some(staged)) => staged,
            Ok(None) => return,
            Err(error) => return refuse_all(taken, &error),
        };
        match self.commit_staged(handle, staged).await {
            Ok(()) => {
                for (request, published) in taken {
                    let _ = request.answer.send(Ok(published));
                }
                self.seal_if_long(handle).await;
            }
            Err(error) => refuse_all(taken, &error),
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
        for request in requests {
            match accept(&mut judge, &handle.origin, &request.entries) {
                Ok(published) => {
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
        let signer = self.parts.signer.as_ref();
        let staged = match view {
            Some(view) => append::stage(
                &handle.origin,
                Some(view.mark),
                &view.tree,
                &view.keys,
                items,
                signer,
            )?,
            None => {
                let keys = first_keys(&handle.origin, &items)?;
                append::stage(
                    &handle.origin,
                    None,
                    &crate::tree::Tree::new(),
                    &keys,
                    items,
                    signer,
                )?
            }
        };
        Ok(Some(staged))
    }

    async fn commit_staged(
        self: &Arc<Self>,
        handle: &Handle,
        staged: Staged,
    ) -> Result<(), PublishError> {
        if let Err(error) = self.parts.store.commit(&staged.advance).await {
            // What is on disk decides, never what we believe was written.
            let read_back = self.reopen(handle).await;
            let reached =
                handle.view.load().as_ref().is_some_and(|view| view.root() == staged.tree.root());
            if let Err(reason) = read_back {
                error!(feed.origin = %handle.origin, "`{}` could not be read back: {reason}", handle.origin);
            }
            if !reached || matches!(error, CommitError::Unknown { .. }) {
                return Err(error.into());
            }
            return Ok(());
        }
        let mark = HighWater { size: staged.tree.size(), root: staged.tree.root() };
        self.parts.store.set_high_water(&handle.origin, mark).await?;
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
            mark: staged.advance.to(),
            received_at: self.parts.clock.now(),
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
        if view.size() - view.sealed() < TAIL_ENTRIES && view.tail_bytes < TAIL_BYTES {
            return;
        }
        if let Err(reason) = self.seal(handle, &view).await {
            error!(feed.origin = %handle.origin, "the tail of `{}` could not be sealed: {reason}", handle.origin);
        }
    }

    async fn seal(self: &Arc<Self>, handle: &Handle, view: &View) -> Result<(), PublishError> {
        let tail = self.read_tail(view).await?;
        let Some(sealed) = append::seal(&handle.origin, view.mark, &view.tree, &tail, &view.note)?
        else {
            return Ok(());
        };
        for fact in &sealed.facts {
            self.parts.store.keep(fact).await?;
        }
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

fn refuse_all(taken: Vec<(Request, Vec<Published>)>, error: &PublishError) {
    for (request, _) in taken {
        let _ = request.answer.send(Err(PublishError::Commit { reason: error.to_string() }));
    }
}

/// The keys of a feed that begins: its first item must be a node record, signed by the root it names.
fn first_keys(origin: &Origin, items: &[Item]) -> Result<KeyHistory, PublishError> {
    let body = items.first().and_then(|item| item.body.clone()).ok_or(PublishError::Nothing)?;
    let body =
        Body::open(body).map_err(|error| PublishError::Body { reason: error.to_string() })?;
    Ok(KeyHistory::new(origin.node().clone(), body.issuer_key()))
}

fn prepare(unsigned: Unsigned, signer: &dyn Signer) -> Result<Prepared, PublishError> {
    let (id, kind, version) = (unsigned.id, unsigned.kind.clone(), unsigned.version);
    let body = Body::sign(unsigned, &|message| signer.sign(KeyUse::Record, message))
        .map_err(|error| PublishError::Body { reason: error.to_string() })?;
    let item = publish_item(&body)?;
    Ok(Prepared { item, id, kind, version })
}

fn prepare_node_record(bytes: &Bytes) -> Result<Prepared, PublishError> {
    let body = Body::open(bytes.clone())
        .map_err(|error| PublishError::Body { reason: error.to_string() })?;
    let item = publish_item(&body)?;
    Ok(Prepared { item, id: body.id(), kind: body.kind().clone(), version: body.version() })
}

/// The statement that publishes a body, with the body.
pub(super) fn publish_item(body: &Body) -> Result<Item, PublishError> {
    let statement = Statement::Publish {
        id: body.id(),
        kind: body.kind().clone(),
        version: body.version(),
        body: body.hash(),
        time: body.valid_from().to_owned(),
    };
    let item = Item::new(statement.to_bytes()?.into(), Some(body.bytes().clone()))?;
    debug_assert!(matches!(item.said, Said::Statement(_)));
    Ok(item)
}

/// `2026-11-23T10:00:00Z`.
pub fn timestamp(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No such feed of ours.
    #[error("this node has no feed `{origin}`; begin it with `init`")]
    NotBegun {
        /// The feed.
        origin: Origin,
    },
    /// It begins once.
    #[error("`{origin}` has begun already")]
    BegunAlready {
        /// The feed.
        origin: Origin,
    },
    /// Nothing is signed for now.
    #[error("`{origin}` is read-only: {reason}")]
    ReadOnly {
        /// The feed.
        origin: Origin,
        /// Why.
        reason: String,
    },
    /// Nothing, or too much at once.
    #[error("{count} records were handed in at once; 1 to 10,000 can be")]
    Count {
        /// How many.
        count: usize,
    },
    /// No entry came out of it.
    #[error("there is nothing to publish")]
    Nothing,
    /// Somebody else published a version first.
    #[error(
        "{id} was changed meanwhile (version {current}); look at the new version and publish again"
    )]
    Changed {
        /// The record.
        id: RecordId,
        /// The version that is there.
        current: u64,
    },
    /// The statement would have no effect.
    #[error("{id} cannot be published like this: {reason}")]
    Statement {
        /// The record.
        id: RecordId,
        /// Why.
        reason: &'static str,
    },
    /// No such record.
    #[error("`{origin}` has no record {id}")]
    NoSuchRecord {
        /// The record.
        id: RecordId,
        /// The feed.
        origin: Origin,
    },
    /// Records of trust stay.
    #[error(
        "a record of kind {kind} can be withdrawn and not erased: the feed could not explain itself without it"
    )]
    TrustIsNotErased {
        /// Its kind.
        kind: Kind,
    },
    /// The document could not be made.
    #[error("the record could not be made: {reason}")]
    Body {
        /// Why.
        reason: String,
    },
    /// The keys are locked.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// A statement over its limit.
    #[error(transparent)]
    TooLong(#[from] StatementTooLong),
    /// An entry or body over its limit.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The feed could not be extended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take it.
    #[error(transparent)]
    NotCommitted(#[from] CommitError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It was committed and could not be shown.
    #[error("it is in the feed, and could not be shown yet: {0}")]
    Settle(#[from] OpenError),
    /// The commit that it was part of failed.
    #[error("{reason}")]
    Commit {
        /// Why.
        reason: String,
    },
    /// The node stopped.
    #[error(
        "the node stopped before it was known whether this was stored; look with `list` before publishing again"
    )]
    Interrupted,
}

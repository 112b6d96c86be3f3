//! Publishing to our own feeds: each caller makes and signs its entries here, then queues them for
//! the next [`commit`](super::commit).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use rayon::prelude::*;
use serde_json::Value;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::{FeedName, Origin};
use tracing::info;

use super::lineage::Admitted;
use super::{FeedState, Feeds, Handle, PublishError, View};
use crate::block::Item;
use crate::ports::{CatalogError, KeyUse, Signer};
use crate::row::RowOp;
use crate::statement::{Said, Statement};

/// Records in one request: more are split by the caller.
pub const PUBLICATIONS_MAX: usize = 10_000;
/// Entries and bodies of one request, or of one group of requests: a head holds them until it is sealed,
/// and must stay within what a follower takes.
pub const GROUP_BYTES_MAX: usize = 16 << 20;
/// Indices of up to 16 digits that fit in one withdrawal.
const ERASE_MAX: usize = 40;

/// Records of one request that are signed on one core, their proofs checked together.
const SIGNED_TOGETHER: usize = 64;

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
    pub(super) item: Item,
    pub(super) id: RecordId,
    pub(super) kind: Kind,
    pub(super) version: u64,
    /// The record key that signed it; none for node records and withdrawals.
    pub(super) key: Option<PublicKey>,
}

impl Prepared {
    /// Entry and body.
    pub(super) fn bytes(&self) -> usize {
        super::open::bytes_of(&self.item)
    }
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

    /// Publishes a new version of this node's record in all its feeds: by the root in force, by its
    /// recovery key (which announces a root), or by an announced root when its window is over. For a
    /// rotation, [`set_signer`](Self::set_signer) comes first.
    ///
    /// # Errors
    /// When the record may not be published; an announcement is taken even if nothing can be signed.
    pub async fn publish_node_record(
        self: &Arc<Self>,
        body: Bytes,
    ) -> Result<Vec<Published>, PublishError> {
        let admitted = self.admit(&body).await?;
        match (admitted, self.spread(&body).await) {
            (Admitted::Announces, Err(reason)) => {
                info!(
                    event = "recovery.announced-outside",
                    "the announcement stands at the well-known address only: {reason}"
                );
                Ok(Vec::new())
            }
            (_, spread) => spread,
        }
    }

    /// Puts a node record into every feed of ours that has it not and goes on.
    pub(super) async fn spread(
        self: &Arc<Self>,
        body: &Bytes,
    ) -> Result<Vec<Published>, PublishError> {
        let prepared = prepare_node_record(body)?;
        let mut all = Vec::new();
        for origin in self.own() {
            let handle = self.handle(&origin).ok_or(PublishError::Nothing)?;
            let goes_on = handle.view.load().as_ref().is_some_and(|view| {
                let continued = matches!(view.state, FeedState::Continued { .. });
                !continued && view.keys.highest_version() < prepared.version
            });
            if goes_on {
                all.extend(self.submit(&handle, vec![prepared.clone()]).await?);
            }
        }
        self.refresh(self.node()).await?;
        Ok(all)
    }

    /// Puts our newest node record into a feed that lacks it: a crash may have come between two feeds,
    /// and the keys of the one would not fit the other.
    async fn catch_up(self: &Arc<Self>, handle: &Arc<Handle>) -> Result<(), PublishError> {
        let Some(newest) = self.newest_record(self.node()) else { return Ok(()) };
        let view = self.writable(handle)?;
        if view.keys.highest_version() < newest.version() {
            self.submit(handle, vec![prepare(newest.body())?]).await?;
        }
        Ok(())
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
        self.may_sign(&handle).await?;
        self.catch_up(&handle).await?;
        let view = self.writable(&handle)?;
        let placed = self.place(&view, publications)?;
        let prepared = self.sign_all(&view, placed).await?;
        let bytes: usize = prepared.iter().map(Prepared::bytes).sum();
        if bytes > GROUP_BYTES_MAX {
            return Err(PublishError::TooMuch { bytes });
        }
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
        self.may_sign(&handle).await?;
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
            prepared.push(Prepared { item, id: *id, kind: kind.clone(), version: 0, key: None });
        }
        let published = self.submit(&handle, prepared).await?;
        published.into_iter().next_back().ok_or(PublishError::Nothing)
    }

    fn own_handle(&self, feed: &FeedName) -> Result<Arc<Handle>, PublishError> {
        let origin = Origin::new(self.node().clone(), feed.clone());
        let handle = self.handle(&origin);
        let closed = handle.as_deref().and_then(Handle::closed);
        match (handle.filter(|handle| handle.view.load().is_some()), closed) {
            (Some(handle), _) => Ok(handle),
            (None, Some(reason)) => Err(PublishError::ReadOnly { origin, reason }),
            (None, None) => Err(PublishError::NotBegun { origin }),
        }
    }

    pub(super) fn writable(&self, handle: &Handle) -> Result<Arc<View>, PublishError> {
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
            FeedState::Continued { by, size } => Err(PublishError::ReadOnly {
                origin: handle.origin.clone(),
                reason: format!("it goes on as `{by}` from entry {size} on; publish there"),
            }),
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
            if publication.kind == Kind::FEED {
                let reason =
                    "a feed record begins a restricted feed, and is no draft: `jopoi feed new`";
                return Err(PublishError::Statement { id, reason });
            }
            if publication.kind == Kind::NODE {
                let reason = "a node record is signed by the root key, and no draft";
                return Err(PublishError::Statement { id, reason });
            }
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
        let key = self.signer().public(KeyUse::Record)?;
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
        let signer = self.signer();
        if work.len() == 1 {
            return prepare_all(work, signer.as_ref());
        }
        let all = move || {
            let parts = work.into_par_iter().chunks(SIGNED_TOGETHER);
            let prepared: Result<Vec<Vec<Prepared>>, PublishError> =
                parts.map(|part| prepare_all(part, signer.as_ref())).collect();
            Ok(prepared?.into_iter().flatten().collect())
        };
        tokio::task::spawn_blocking(all)
            .await
            .map_err(|error| PublishError::Body { reason: error.to_string() })?
    }
}

fn prepare_all(
    unsigned: Vec<Unsigned>,
    signer: &dyn Signer,
) -> Result<Vec<Prepared>, PublishError> {
    let sign = |message: &[u8]| signer.sign(KeyUse::Record, message);
    let bodies = Body::sign_all(unsigned, &sign)
        .map_err(|error| PublishError::Body { reason: error.to_string() })?;
    bodies.iter().map(prepare).collect()
}

fn prepare(body: &Body) -> Result<Prepared, PublishError> {
    let item = publish_item(body)?;
    let (kind, version) = (body.kind().clone(), body.version());
    let key = (kind != Kind::NODE).then(|| body.issuer_key());
    Ok(Prepared { item, id: body.id(), kind, version, key })
}

fn prepare_node_record(bytes: &Bytes) -> Result<Prepared, PublishError> {
    let body = Body::open(bytes.clone())
        .map_err(|error| PublishError::Body { reason: error.to_string() })?;
    prepare(&body)
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

//! Following the catalog: what changed there is found here within a second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feed::feeds::{BodyRead, Feeds};
use feed::row::{BodyState, Row, RowOp, Standing, Validity, current};
use feed::search::{Facet, SearchError};
use feed::statement::{Said, Statement};
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::name::{NodeName, Origin};

use crate::document::{Entry, record_key};
use crate::index::{Change, Index, failed};

/// Changes of the catalog taken into one commit: what an erasure may have to wait for.
const BATCH: usize = 2_000;
/// How long further changes are waited for before a commit, so that a hundred in a row are one.
const GATHERING: Duration = Duration::from_millis(200);
/// How long to wait after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Keeps an index up with the feeds of a node.
pub struct Indexer {
    feeds: Arc<Feeds>,
    index: Index,
    /// The feeds held when it last looked.
    held: Mutex<BTreeSet<Origin>>,
}

impl Indexer {
    /// Keeps `index` up with `feeds`.
    pub fn new(feeds: Arc<Feeds>, index: Index) -> Self {
        Self { feeds, index, held: Mutex::default() }
    }

    /// Follows the catalog for as long as it is polled.
    pub async fn run(&self) {
        let mut changed = self.feeds.changed();
        loop {
            changed.mark_unchanged();
            if let Err(error) = self.catch_up().await {
                tracing::warn!(
                    event = "search.behind",
                    "the search index could not follow: {error}"
                );
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
            if changed.changed().await.is_err() {
                return;
            }
            tokio::time::sleep(GATHERING).await;
        }
    }

    /// Takes in every change up to now.
    ///
    /// # Errors
    /// When the catalog cannot be read, or the index not be written.
    pub async fn catch_up(&self) -> Result<(), SearchError> {
        self.note_groups();
        let last = self.feeds.catalog().last_change().map_err(|error| failed(&error))?;
        self.index.shared.note_last(last);
        let mut after = self.index.shared.progress().sequence;
        if after > last {
            // It followed another catalog than this one: numbers of changes only grow.
            self.blocking(|index| index.shared.clear()).await?;
            after = 0;
        }
        self.drop_feeds_gone().await?;
        loop {
            let changes =
                self.feeds.catalog().changes(after, BATCH).map_err(|error| failed(&error))?;
            let Some((sequence, ..)) = changes.last() else { return Ok(()) };
            let sequence = *sequence;
            let mut records: BTreeSet<(Origin, RecordId)> = BTreeSet::new();
            for (_, origin, index) in changes {
                let row =
                    self.feeds.catalog().row(&origin, index).map_err(|error| failed(&error))?;
                records.extend(row.and_then(|row| row.id()).map(|id| (origin, id)));
            }
            let mut found = Vec::with_capacity(records.len());
            for (origin, id) in records {
                found.push(self.change(&origin, &id).await?);
            }
            self.blocking(move |index| index.shared.write(found, sequence)).await?;
            after = sequence;
        }
    }

    /// What becomes of a record in the index.
    async fn change(&self, origin: &Origin, id: &RecordId) -> Result<Change, SearchError> {
        let record = record_key(origin, id);
        let rows = self.feeds.catalog().rows_of(origin, id).map_err(|error| failed(&error))?;
        let kind = rows.iter().find_map(|(_, row)| match (&row.op, row.validity) {
            (RowOp::Publish { kind, .. }, Validity::Valid) => Some(kind.clone()),
            _ => None,
        });
        let Some(kind) = kind.filter(|kind| !kind.is_trust()) else {
            return Ok(Change { record, document: None });
        };
        let (index, at, withdrawn) = match current(&rows) {
            Standing::Current { index, .. } => (index, held_at(&rows, |at| at == index), false),
            Standing::Withdrawn { by } => (by, held_at(&rows, |at| at < by), true),
            Standing::Absent | Standing::NoCurrent => return Ok(Change { record, document: None }),
        };
        let body = match at {
            Some(at) => self.body(origin, at).await?.map(|body| (at, body)),
            None => None,
        };
        if !withdrawn && body.is_none() {
            // Not received yet, or destroyed: a change tells when that is another.
            return Ok(Change { record, document: None });
        }
        let document = self.document(origin, *id, index, &kind, body.as_ref(), withdrawn).await?;
        Ok(Change { record, document: Some((document, body.map(|(at, _)| (origin.clone(), at)))) })
    }

    async fn document(
        &self,
        origin: &Origin,
        id: RecordId,
        index: u64,
        kind: &Kind,
        body: Option<&(u64, Body)>,
        withdrawn: bool,
    ) -> Result<tantivy::TantivyDocument, SearchError> {
        let read = self.feeds.entry(origin, index).await.map_err(|error| failed(&error))?;
        let time = match Said::read(&read.entry) {
            Said::Statement(Statement::Publish { time, .. } | Statement::Withdraw { time, .. }) => {
                time
            }
            Said::Opaque { .. } | Said::Malformed { .. } => String::new(),
        };
        let node = self.feeds.node_record(origin.node()).and_then(|bytes| Body::open(bytes).ok());
        let entry = Entry {
            origin,
            id,
            index,
            time: &time,
            kind: kind.as_str(),
            body: body.map(|(at, body)| (*at, body)),
            state: node.as_ref().and_then(Body::state),
            withdrawn,
            now: i64::try_from(self.feeds.clock().now()).unwrap_or(i64::MAX),
        };
        let fields = &self.index.shared.fields;
        Ok(entry.document(fields))
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<Option<Body>, SearchError> {
        let read = self.feeds.entry(origin, index).await.map_err(|error| failed(&error))?;
        match read.body {
            BodyRead::Held(bytes) => Ok(Body::open(bytes).ok()),
            BodyRead::None | BodyRead::Erased { .. } | BodyRead::Missing => Ok(None),
        }
    }

    /// Feeds that are followed no longer, and were to be forgotten.
    async fn drop_feeds_gone(&self) -> Result<(), SearchError> {
        let held: BTreeSet<Origin> = self.feeds.origins().into_iter().collect();
        if *self.held() == held && !held.is_empty() {
            return Ok(());
        }
        let mut gone = Vec::new();
        for feed in self.index.shared.feeds_in_it()? {
            let cursor =
                Origin::parse(&feed).ok().map(|origin| self.feeds.catalog().cursor(&origin));
            if cursor.transpose().map_err(|error| failed(&error))?.unwrap_or(0) == 0 {
                gone.push(feed);
            }
        }
        if !gone.is_empty() {
            self.blocking(move |index| index.shared.drop_feeds(&gone)).await?;
        }
        *self.held() = held;
        Ok(())
    }

    /// Who is in which group, as the networks stand now.
    fn note_groups(&self) {
        let mut groups: BTreeMap<String, BTreeSet<NodeName>> = BTreeMap::new();
        for network in self.feeds.networks() {
            for group in network.groups() {
                let members =
                    group.subject.members.iter().filter(|node| network.in_group(&group.id, node));
                groups.insert(
                    format!("{}/{}", network.origin().node(), group.id),
                    members.cloned().collect(),
                );
            }
        }
        *self.index.shared.groups.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(groups);
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&Index) -> Result<(), SearchError> + Send + 'static,
    ) -> Result<(), SearchError> {
        let index = self.index.clone();
        tokio::task::spawn_blocking(move || work(&index)).await.map_err(|error| failed(&error))?
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeSet<Origin>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").field("index", &self.index).finish_non_exhaustive()
    }
}

impl crate::index::Shared {
    /// Every feed of which it has something.
    fn feeds_in_it(&self) -> Result<Vec<String>, SearchError> {
        let field = self.fields.facet(Facet::Feed);
        let mut feeds = BTreeSet::new();
        for reader in self.reader.searcher().segment_readers() {
            let index = reader.inverted_index(field).map_err(|error| failed(&error))?;
            let mut stream = index.terms().stream().map_err(|error| failed(&error))?;
            while stream.advance() {
                feeds.insert(String::from_utf8_lossy(stream.key()).into_owned());
            }
        }
        Ok(feeds.into_iter().collect())
    }
}

/// The newest valid version whose body is held, among the entries wanted.
fn held_at(rows: &[(u64, Row)], wanted: impl Fn(u64) -> bool) -> Option<u64> {
    let held = rows.iter().filter(|(at, row)| {
        row.valid_version().is_some() && row.body == BodyState::Held && wanted(*at)
    });
    held.max_by_key(|(_, row)| row.valid_version()).map(|(at, _)| *at)
}

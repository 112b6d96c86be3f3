//! Following the catalog: what changed there is found here within a second.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feed::feeds::{BodyRead, Feeds};
use feed::row::{BodyState, Row, RowOp, Standing, Validity, current};
use feed::search::{Facet, SearchError};
use feed::statement::{Said, Statement};
use practice::body::Body;
use practice::id::RecordId;
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
        let mut writing = None;
        loop {
            let changes =
                self.feeds.catalog().changes(after, BATCH).map_err(|error| failed(&error))?;
            let Some((sequence, ..)) = changes.last() else { break };
            let sequence = *sequence;
            // In the order of the log, so that neighbours are read from one segment.
            let mut seen: HashSet<(Origin, RecordId)> = HashSet::new();
            let mut found = Vec::new();
            for (_, origin, index) in changes {
                let row =
                    self.feeds.catalog().row(&origin, index).map_err(|error| failed(&error))?;
                let Some(id) = row.and_then(|row| row.id()) else { continue };
                if seen.insert((origin.clone(), id)) {
                    found.push(self.change(&origin, &id).await?);
                }
            }
            // The next are read while these are written.
            let written = self.blocking(move |index| index.shared.write(found, sequence));
            if let Some(before) = writing.replace(written) {
                before.await?;
            }
            after = sequence;
        }
        match writing {
            Some(last) => last.await,
            None => Ok(()),
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
        let read = self.feeds.entry(origin, index).await.map_err(|error| failed(&error))?;
        let body = match at {
            Some(at) if at == index => held(read.body),
            Some(at) => {
                held(self.feeds.entry(origin, at).await.map_err(|error| failed(&error))?.body)
            }
            None => None,
        };
        let body = at.zip(body);
        if !withdrawn && body.is_none() {
            // Not received yet, or destroyed: a change tells when that is another.
            return Ok(Change { record, document: None });
        }
        let time = match Said::read(&read.entry) {
            Said::Statement(Statement::Publish { time, .. } | Statement::Withdraw { time, .. }) => {
                time
            }
            Said::Opaque { .. } | Said::Malformed { .. } => String::new(),
        };
        // What has a body says itself which State it is about.
        let of_node = self.feeds.node_record(origin.node()).filter(|_| body.is_none());
        let node = of_node.and_then(|bytes| Body::open(bytes).ok());
        let entry = Entry {
            origin,
            id: *id,
            index,
            time: &time,
            kind: kind.as_str(),
            body: body.as_ref().map(|(at, body)| (*at, body)),
            state: node.as_ref().and_then(Body::state),
            withdrawn,
            now: i64::try_from(self.feeds.clock().now()).unwrap_or(i64::MAX),
        };
        let document = entry.document(&self.index.shared.fields);
        Ok(Change { record, document: Some((document, body.map(|(at, _)| (origin.clone(), at)))) })
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

    /// Begins work where it may block, whether or not its end is waited for.
    fn blocking<F>(&self, work: F) -> impl Future<Output = Result<(), SearchError>> + use<F>
    where
        F: FnOnce(&Index) -> Result<(), SearchError> + Send + 'static,
    {
        let index = self.index.clone();
        let task = tokio::task::spawn_blocking(move || work(&index));
        async { task.await.map_err(|error| failed(&error))? }
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

fn held(body: BodyRead) -> Option<Body> {
    match body {
        BodyRead::Held(bytes) => Body::open(bytes).ok(),
        BodyRead::None | BodyRead::Erased { .. } | BodyRead::Missing => None,
    }
}

/// The newest valid version whose body is held, among the entries wanted.
fn held_at(rows: &[(u64, Row)], wanted: impl Fn(u64) -> bool) -> Option<u64> {
    let held = rows.iter().filter(|(at, row)| {
        row.valid_version().is_some() && row.body == BodyState::Held && wanted(*at)
    });
    held.max_by_key(|(_, row)| row.valid_version()).map(|(at, _)| *at)
}

//! `POST /bundles`: what a known node pushes that cannot be reached itself: its own feeds, cosigner lines,
//! and evidence of forks. Each is taken as if it had been asked for: verified before it is stored.
//!
//! Every node has its share: one bundle at a time, so many bytes a day; and all nodes together a few at a
//! time, so that what they send fits in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, BundleError, Contents, Item, ItemKind};
use feed::fault::Fault;
use feed::feeds::{Pushed, ReadError, TakenFault};
use http::HeaderMap;
use tlog::name::{NodeName, Origin};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use wire::api::bundles::{BundleAnswer, Outcome};
use wire::limits;

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::caller::Caller;
use crate::params;

/// Lists of lines and evidence that are looked at in one request: those of every feed of a network.
const ITEMS_MAX: usize = 1_000;

/// Feeds of one node that are taken in one request: as many as are followed of it.
const FEEDS_MAX: usize = 16;

/// A node record in a bundle of its own.
const PRESENTED_BYTES_MAX: usize = limits::NODE_RECORD_BYTES + 1_024;

/// Bundles that are taken at the same time: 64 MiB at most.
const AT_ONCE: usize = 4;

const DAY_S: u64 = 24 * 3_600;

/// What nodes push: who is at it, and how much it was today.
pub(crate) struct Pushes {
    places: Arc<Semaphore>,
    sent: Mutex<BTreeMap<NodeName, Sent>>,
}

#[derive(Clone, Copy, Default)]
struct Sent {
    day: u64,
    bytes: u64,
    now: bool,
}

impl Default for Pushes {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), sent: Mutex::default() }
    }
}

/// A node's turn; it ends when the last copy of this is dropped.
#[derive(Clone)]
pub(crate) struct Turn(Arc<Held>);

struct Held {
    pushes: Arc<Pushes>,
    node: NodeName,
    _place: OwnedSemaphorePermit,
}

impl Pushes {
    /// The turn of a node whose signature holds, before its bundle is read. Nodes are those whose keys are
    /// known here, so the list is as short as theirs.
    pub(crate) fn enter(self: &Arc<Self>, node: &NodeName, now: u64) -> Result<Turn, Answer> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Answer::Taking)?;
        let mut sent = self.lock();
        let of_node = sent.entry(node.clone()).or_default();
        if of_node.day != now / DAY_S {
            *of_node = Sent { day: now / DAY_S, bytes: 0, now: of_node.now };
        }
        if of_node.now {
            return Err(Answer::Taking);
        }
        if of_node.bytes >= limits::BUNDLE_PUSH_BYTES_A_DAY {
            return Err(Answer::PushedTooMuch { limit: limits::BUNDLE_PUSH_BYTES_A_DAY });
        }
        of_node.now = true;
        let (pushes, node) = (Arc::clone(self), node.clone());
        Ok(Turn(Arc::new(Held { pushes, node, _place: place })))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeName, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Counts what was read against the node's share.
    pub(crate) fn count(&self, bytes: usize) {
        if let Some(sent) = self.0.pushes.lock().get_mut(&self.0.node) {
            sent.bytes = sent.bytes.saturating_add(bytes as u64);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(sent) = self.pushes.lock().get_mut(&self.node) {
            sent.now = false;
        }
    }
}

/// `POST /bundles`
pub(crate) async fn take(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Answer> {
    let Caller::Node(node) = &caller else { return presented(&app, request).await };
    // Its turn began when its signature was checked, and ends with this request.
    let _turn = request.extensions().get::<Turn>().cloned();
    let bytes = params::bytes(request, limits::BUNDLE_PUSH_BYTES).await?;
    let (contents, items) = parsed(bytes.clone()).await?;
    let mut outcomes = Vec::new();
    let carried = contents.origins().filter(|origin| contents.carries(origin));
    let name = format!("the bundle that {node} sent");
    let carrier = BundleCarrier::new(&name, node.clone(), &contents, &bytes);
    for origin in carried.take(FEEDS_MAX) {
        outcomes.push(feed(&app, node, &carrier, origin).await);
    }
    let small = |item: &Item| matches!(item.kind, ItemKind::Cosignatures | ItemKind::Fault);
    for item in items.into_iter().filter(small).take(ITEMS_MAX) {
        // A feed that the caller may not read is none to him.
        let known = app.view(&item.origin, &caller).is_some();
        let (taken, words) = match item.kind {
            _ if !known => (0, "not held here".to_owned()),
            ItemKind::Fault => fault(&app, &item.origin, &item.bytes).await?,
            _ => {
                let count = app.feeds.merge_cosignatures(&item.origin, &item.bytes, None).await;
                (count as u64, "cosignatures".to_owned())
            }
        };
        outcomes.push(Outcome { origin: item.origin, taken, size: None, wanting: false, words });
    }
    Ok(json(&BundleAnswer { outcomes }, &HeaderMap::new()))
}

/// A node record from somebody whose key is not known here: perhaps it names that key. Nobody is told whether
/// this node follows that one.
async fn presented(app: &App, request: Request) -> Result<Response, Answer> {
    let read = params::bytes(request, PRESENTED_BYTES_MAX).await;
    let bytes = read.map_err(|_| Answer::UnknownCaller)?;
    let items = bundle::read(&bytes).map_err(|_| Answer::UnknownCaller)?;
    let [Item { kind: ItemKind::NodeRecord, origin, bytes, .. }] = items.as_slice() else {
        return Err(Answer::UnknownCaller);
    };
    app.feeds.take_node_record(origin.node(), bytes).await.map_err(ReadError::from)?;
    Ok(json(&BundleAnswer { outcomes: Vec::new() }, &HeaderMap::new()))
}

/// Parts and hash of a bundle, away from the runtime's threads.
async fn parsed(bytes: Bytes) -> Result<(Contents, Vec<Item>), Answer> {
    let work = move || {
        let items = bundle::read(&bytes)?;
        Ok::<_, BundleError>((Contents::of(&*bytes)?, items))
    };
    let parsed = spawn_blocking(work).await.map_err(|error| Answer::bad(error.to_string()))?;
    parsed.map_err(|error| Answer::bad(error.to_string()))
}

async fn feed(app: &App, node: &NodeName, carrier: &BundleCarrier<'_>, origin: &Origin) -> Outcome {
    let (taken, wanting, words) = match app.feeds.take_pushed(node, carrier, origin).await {
        Pushed::Held { entries } => (entries, false, "entries".to_owned()),
        Pushed::Wanting => (0, true, "what came is kept; the rest is to follow".to_owned()),
        Pushed::NotTaken { reason } => (0, false, reason.to_owned()),
        Pushed::Refused(error) => (0, false, error.to_string()),
    };
    // What is held of others' feeds is told where those are asked for.
    let view = app.feeds.view(origin).filter(|_| origin.node() == node);
    let size = view.map(|view| view.size());
    Outcome { origin: origin.clone(), taken, size, wanting, words }
}

async fn fault(app: &App, origin: &Origin, bytes: &[u8]) -> Result<(u64, String), Answer> {
    // What it is about must be what the caller may read, or the answer would tell of other feeds.
    if Fault::parse(bytes).is_ok_and(|fault| fault.origin != *origin) {
        return Ok((0, "evidence of another feed".to_owned()));
    }
    Ok(match app.feeds.take_fault(bytes).await? {
        TakenFault::Kept(_) => (1, "evidence".to_owned()),
        TakenFault::Known => (0, "evidence that is known".to_owned()),
        TakenFault::Refused { reason } => (0, reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn node(number: usize) -> NodeName {
        NodeName::parse(&format!("n{number}.example")).unwrap()
    }

    #[test]
    fn a_node_pushes_one_bundle_at_a_time_and_all_together_four() {
        let pushes = Arc::new(Pushes::default());
        let first = pushes.enter(&node(0), NOW).ok().unwrap();
        assert!(matches!(pushes.enter(&node(0), NOW), Err(Answer::Taking)));
        let others: Vec<_> = (1..AT_ONCE).map(|one| pushes.enter(&node(one), NOW).ok()).collect();
        assert!(others.iter().all(Option::is_some));
        assert!(matches!(pushes.enter(&node(9), NOW), Err(Answer::Taking)));
        drop(first);
        assert!(pushes.enter(&node(9), NOW).is_ok());
        assert!(pushes.enter(&node(0), NOW).is_ok());
    }

    #[test]
    fn a_node_has_its_share_of_a_day_and_of_the_next() {
        let pushes = Arc::new(Pushes::default());
        let share = usize::try_from(limits::BUNDLE_PUSH_BYTES_A_DAY).unwrap();
        pushes.enter(&node(0), NOW).ok().unwrap().count(share - 1);
        pushes.enter(&node(0), NOW).ok().unwrap().count(1);
        assert!(matches!(pushes.enter(&node(0), NOW), Err(Answer::PushedTooMuch { .. })));
        assert!(pushes.enter(&node(1), NOW).is_ok());
        assert!(pushes.enter(&node(0), NOW + DAY_S).is_ok());
    }
}

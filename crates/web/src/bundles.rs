//! `POST /bundles`: what a known node pushes that cannot be reached itself: its own feeds, cosigner lines,
//! and evidence of forks. Each is taken as if it had been asked for: verified before it is stored.
//!
//! Every node has its share: one bundle at a time, so many bytes a day; and all nodes together as many at a
//! time as fit in memory. A bundle counts by what it said to be long before it came: so a node that sends it
//! slowly holds no more than it will bring, and has used up its day soon.

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
use crate::memory::kib;
use crate::params;

/// Lists of lines and evidence that are looked at in one request: those of every feed of a network.
const ITEMS_MAX: usize = 1_000;

/// Feeds of one node that are taken in one request: as many as are followed of it.
const FEEDS_MAX: usize = 16;

/// A node record in a bundle of its own.
const PRESENTED_BYTES_MAX: usize = limits::NODE_RECORD_BYTES + 1_024;

/// Signed bodies that are taken at the same time: four of the longest bundles, or many short ones.
const AT_ONCE_BYTES: usize = 4 * limits::BUNDLE_PUSH_BYTES;

const DAY_S: u64 = 24 * 3_600;

/// What nodes push: who is at it, and how much it was today.
pub(crate) struct Pushes {
    room: Arc<Semaphore>,
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
        let room = Arc::new(Semaphore::new(kib(AT_ONCE_BYTES) as usize));
        Self { room, sent: Mutex::default() }
    }
}

/// A node's turn; it ends when the last copy of this is dropped.
#[derive(Clone)]
pub(crate) struct Turn {
    _held: Arc<Held>,
}

struct Held {
    pushes: Arc<Pushes>,
    node: NodeName,
    _room: OwnedSemaphorePermit,
}

impl Pushes {
    /// The turn of a node whose signature holds, before its bundle of at most `bytes` is read. Nodes are those
    /// whose keys are known here, so the list is as short as theirs.
    pub(crate) fn enter(
        self: &Arc<Self>,
        node: &NodeName,
        bytes: usize,
        now: u64,
    ) -> Result<Turn, Answer> {
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
        let room = self.room(bytes)?;
        of_node.now = true;
        of_node.bytes = of_node.bytes.saturating_add(bytes as u64);
        let (pushes, node) = (Arc::clone(self), node.clone());
        Ok(Turn { _held: Arc::new(Held { pushes, node, _room: room }) })
    }

    /// Room for a signed body.
    pub(crate) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Answer> {
        let taken = Arc::clone(&self.room).try_acquire_many_owned(kib(bytes));
        taken.map_err(|_| Answer::Taking)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeName, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
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
    let bytes = params::bytes(&app, request, limits::BUNDLE_PUSH_BYTES).await?;
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
    let bytes = match params::bytes(app, request, PRESENTED_BYTES_MAX).await {
        Err(Answer::NoRoom) => return Err(Answer::NoRoom),
        read => read.map_err(|_| Answer::UnknownCaller)?,
    };
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
    fn a_node_pushes_one_bundle_at_a_time_and_all_together_what_fits() {
        let pushes = Arc::new(Pushes::default());
        let enter = |one: usize, bytes: usize| pushes.enter(&node(one), bytes, NOW);
        let longest = limits::BUNDLE_PUSH_BYTES;
        let first = enter(0, longest).ok().unwrap();
        assert!(matches!(enter(0, 1), Err(Answer::Taking)));
        let others: Vec<_> = (1..4).map(|one| enter(one, longest).ok()).collect();
        assert!(others.iter().all(Option::is_some));
        assert!(matches!(enter(9, 1), Err(Answer::Taking)));
        drop(first);
        // Short ones leave each other room, however long they take to come.
        let short: Vec<_> = (10..110).map(|one| enter(one, 100_000).ok()).collect();
        assert!(short.iter().all(Option::is_some));
        assert!(enter(0, 1_000_000).is_ok());
    }

    #[test]
    fn a_node_has_its_share_of_a_day_and_of_the_next() {
        let pushes = Arc::new(Pushes::default());
        let share = usize::try_from(limits::BUNDLE_PUSH_BYTES_A_DAY).unwrap();
        let longest = limits::BUNDLE_PUSH_BYTES;
        // They count whether they arrive or not.
        for _ in 0..share / longest {
            assert!(pushes.enter(&node(0), longest, NOW).is_ok());
        }
        assert!(matches!(pushes.enter(&node(0), 1, NOW), Err(Answer::PushedTooMuch { .. })));
        assert!(pushes.enter(&node(1), longest, NOW).is_ok());
        assert!(pushes.enter(&node(0), longest, NOW + DAY_S).is_ok());
    }
}

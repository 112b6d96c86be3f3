//! Both stores in memory, for tests and simulations, with faults on order.
//!
//! **Invariant:** a [`MemoryStore`] keeps what a disk would: after a crash exactly the writes that were
//! acknowledged, and of the one in progress all, nothing, or for an append any part.

mod catalog;
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use feed::advance::{Advance, HeadChange, HeadMark, VerifiedFact};
use feed::ports::{CommitError, Fact, FeedStore, HighWater, Room, StoreError};
use tlog::hash::Hash;
use tlog::name::Origin;

pub use catalog::MemoryCatalog;
pub use faults::{Fault, Faults};

use faults::Course;

/// Feeds in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store on which nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on one write goes wrong as `faults` says; writes are counted from here.
    pub fn expect(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// How many writes were begun since the store was made or a fault ordered.
    pub fn writes(&self) -> u64 {
        self.lock().faults.writes()
    }

    /// Whether the process has ended, as ordered: from then on every call fails.
    pub fn has_ended(&self) -> bool {
        self.lock().faults.reading().is_err()
    }

    /// What another process finds after this one has ended, orderly or not.
    pub fn restarted(&self) -> Self {
        let disk = self.lock().disk.clone();
        Self { state: Mutex::new(State { disk, faults: Faults::none(), room: None }) }
    }

    /// A copy of everything on another machine, its high-water files included.
    pub fn cloned(&self) -> Self {
        let mut disk = self.lock().disk.clone();
        disk.copied = disk.high_water.keys().cloned().collect();
        Self { state: Mutex::new(State { disk, faults: Faults::none(), room: None }) }
    }

    /// What a backup holds: everything but the high-water files.
    pub fn backup(&self) -> Self {
        let mut disk = self.lock().disk.clone();
        disk.high_water.clear();
        Self { state: Mutex::new(State { disk, faults: Faults::none(), room: None }) }
    }

    /// From now on the disk is said to have so much room.
    pub fn set_room(&self, room: Option<Room>) {
        self.lock().room = room;
    }

    /// Every object with its length in bytes.
    pub fn objects(&self) -> Vec<(Origin, Fact, usize)> {
        let state = self.lock();
        let heads =
            state.disk.heads.iter().map(|(origin, head)| (origin.clone(), Fact::Head, head.len()));
        let facts = state.disk.facts.iter();
        let facts =
            facts.map(|((origin, fact), bytes)| (origin.clone(), fact.clone(), bytes.len()));
        heads.chain(facts).collect()
    }

    /// Changes the bytes of an object behind everybody's back, as a failing disk does.
    pub fn damage(&self, origin: &Origin, fact: &Fact, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.lock();
        if *fact == Fact::Head {
            state.disk.marks.remove(origin);
            state.disk.heads.get_mut(origin).into_iter().for_each(change);
        } else if let Some(bytes) = state.disk.facts.get_mut(&(origin.clone(), fact.clone())) {
            let mut changed = bytes.to_vec();
            change(&mut changed);
            *bytes = changed.into();
        }
    }

    /// Loses what was cosigned of a log, as a failing disk does.
    pub fn lose_cosigned(&self, log: &Hash) {
        self.lock().disk.witnessed.remove(log);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Disk) -> T) -> Result<T, StoreError> {
        let state = self.lock();
        state.faults.reading()?;
        Ok(read(&state.disk))
    }

    /// One write that is no commit: before it, after it, or not at all.
    fn write(&self, what: &str, write: impl FnOnce(&mut Disk)) -> Result<(), StoreError> {
        let State { disk, faults, .. } = &mut *self.lock();
        match faults.writing(what)? {
            Course::Done => {
                write(disk);
                Ok(())
            }
            // Replacing is atomic: a torn write is none.
            Course::LostAfter { bytes: Some(_), error } => Err(error),
            Course::LostAfter { bytes: None, error } => {
                write(disk);
                Err(error)
            }
        }
    }
}

#[async_trait]
impl FeedStore for MemoryStore {
    async fn origins(&self) -> Result<Vec<Origin>, StoreError> {
        self.read(|disk| {
            let pending = disk.facts.keys().filter(|(_, fact)| *fact == Fact::Pending);
            let mut origins: Vec<_> =
                disk.heads.keys().chain(pending.map(|(origin, _)| origin)).cloned().collect();
            origins.sort_unstable();
            origins.dedup();
            origins
        })
    }

    async fn fact(&self, origin: &Origin, fact: &Fact) -> Result<Option<Bytes>, StoreError> {
        self.read(|disk| match fact {
            Fact::Head => disk.heads.get(origin).map(|head| Bytes::copy_from_slice(head)),
            _ => disk.facts.get(&(origin.clone(), fact.clone())).cloned(),
        })
    }

    async fn commit(&self, advance: &Advance) -> Result<(), CommitError> {
        let origin = advance.origin();
        let State { disk, faults, .. } = &mut *self.lock();
        faults.reading().map_err(CommitError::Refused)?;
        if !disk.starts_from(origin, advance.from(), advance.change()) {
            return Err(CommitError::Conflict { origin: origin.clone() });
        }
        let course =
            faults.writing(&format!("the head of {origin}")).map_err(CommitError::Refused)?;
        let unknown = |source| CommitError::Unknown { origin: origin.clone(), source };
        match (advance.change(), course) {
            (HeadChange::Append(bytes), Course::LostAfter { bytes: Some(torn), error }) => {
                let head = disk.heads.entry(origin.clone()).or_default();
                head.extend(bytes.iter().take(torn));
                Err(unknown(error))
            }
            (HeadChange::Replace(_), Course::LostAfter { bytes: Some(_), error }) => {
                Err(unknown(error))
            }
            (change, course) => {
                disk.change(origin, change, advance.to());
                match course {
                    Course::Done => Ok(()),
                    Course::LostAfter { error, .. } => Err(unknown(error)),
                }
            }
        }
    }

    async fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError> {
        self.write(&format!("the head of {origin}"), |disk| {
            if let Some(head) = disk.heads.get_mut(origin) {
                head.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
            }
        })
    }

    async fn keep(&self, verified: &VerifiedFact) -> Result<(), StoreError> {
        let place = (verified.origin().clone(), verified.fact().clone());
        not_a_head(&place.1)?;
        let what = format!("{:?} of {}", place.1, place.0);
        self.write(&what, |disk| drop(disk.facts.insert(place, verified.bytes().clone())))
    }

    async fn remove(&self, origin: &Origin, fact: &Fact) -> Result<(), StoreError> {
        not_a_head(fact)?;
        let place = (origin.clone(), fact.clone());
        self.write(&format!("{fact:?} of {origin}"), |disk| drop(disk.facts.remove(&place)))
    }

    async fn high_water(&self, origin: &Origin) -> Result<Option<HighWater>, StoreError> {
        self.read(|disk| disk.high_water.get(origin).copied())
    }

    async fn high_water_is_at_home(&self, origin: &Origin) -> Result<Option<bool>, StoreError> {
        self.read(|disk| disk.high_water.get(origin).map(|_| !disk.copied.contains(origin)))
    }

    async fn set_high_water(&self, origin: &Origin, mark: HighWater) -> Result<(), StoreError> {
        let what = format!("the high-water file of {origin}");
        self.write(&what, |disk| {
            disk.high_water.insert(origin.clone(), mark);
            disk.copied.remove(origin);
        })
    }

    async fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.read(|disk| {
            disk.decisions.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
        })
    }

    async fn set_decision(&self, name: &str, bytes: Option<Bytes>) -> Result<(), StoreError> {
        check_decision(name)?;
        self.write(name, |disk| match bytes {
            Some(bytes) => drop(disk.decisions.insert(name.to_owned(), bytes)),
            None => drop(disk.decisions.remove(name)),
        })
    }

    async fn witnessed(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError> {
        self.read(|disk| disk.witnessed.get(origin).cloned())
    }

    async fn set_witnessed(&self, origin: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        let what = format!("what was cosigned of {}", origin.to_hex());
        self.write(&what, |disk| drop(disk.witnessed.insert(*origin, bytes)))
    }

    async fn witnessed_logs(&self) -> Result<Vec<Hash>, StoreError> {
        self.read(|disk| disk.witnessed.keys().copied().collect())
    }

    fn room(&self) -> Option<Room> {
        self.lock().room
    }

    async fn forget(&self, origin: &Origin) -> Result<(), StoreError> {
        self.write(origin.as_str(), |disk| {
            disk.heads.remove(origin);
            disk.facts.retain(|(other, _), _| other != origin);
        })
    }
}

#[derive(Debug)]
struct State {
    disk: Disk,
    faults: Faults,
    room: Option<Room>,
}

impl Default for State {
    fn default() -> Self {
        Self { disk: Disk::default(), faults: Faults::none(), room: None }
    }
}

#[derive(Clone, Debug, Default)]
struct Disk {
    heads: BTreeMap<Origin, Vec<u8>>,
    /// The mark of a head that was not touched since its last commit, which saves reading it.
    marks: BTreeMap<Origin, HeadMark>,
    facts: BTreeMap<(Origin, Fact), Bytes>,
    high_water: BTreeMap<Origin, HighWater>,
    /// Whose high-water file was copied here from another machine.
    copied: BTreeSet<Origin>,
    decisions: BTreeMap<String, Bytes>,
    witnessed: BTreeMap<Hash, Bytes>,
}

impl Disk {
    /// Whether the stored head is the one a step starts from. What has no good commit is not overwritten,
    /// and what follows the last good one is not appended to.
    fn starts_from(&self, origin: &Origin, from: Option<HeadMark>, change: &HeadChange) -> bool {
        let stored = self.heads.get(origin).filter(|head| !head.is_empty());
        match (stored, from) {
            (None, None) => matches!(change, HeadChange::Replace(_)),
            (Some(head), Some(from)) => {
                let length = head.len() as u64;
                let known = self.marks.get(origin).filter(|mark| mark.bytes == length).copied();
                let mark = known.or_else(|| feed::head::mark(&Bytes::copy_from_slice(head)));
                mark == Some(from)
                    && (matches!(change, HeadChange::Replace(_)) || from.bytes == length)
            }
            _ => false,
        }
    }

    fn change(&mut self, origin: &Origin, change: &HeadChange, to: HeadMark) {
        let head = self.heads.entry(origin.clone()).or_default();
        match change {
            HeadChange::Append(bytes) => head.extend_from_slice(bytes),
            HeadChange::Replace(bytes) => *head = bytes.to_vec(),
        }
        self.marks.insert(origin.clone(), to);
    }
}

fn not_a_head(fact: &Fact) -> Result<(), StoreError> {
    match fact {
        Fact::Head => Err(refused("a head", "it changes by commits alone")),
        _ => Ok(()),
    }
}

fn check_decision(name: &str) -> Result<(), StoreError> {
    let plain = |part: &str| {
        let bytes = part.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
        });
        bytes && !part.is_empty() && !part.starts_with('.')
    };
    let parts: Vec<_> = name.split('/').collect();
    if parts.len() <= 2 && name.len() <= 120 && parts.into_iter().all(plain) {
        return Ok(());
    }
    Err(refused(name, "its name is not one or two parts of `a-z0-9.-`"))
}

fn refused(what: &str, why: &str) -> StoreError {
    StoreError::Refused { what: what.to_owned(), why: why.to_owned() }
}

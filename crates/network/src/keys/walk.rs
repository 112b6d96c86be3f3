//! How one root gives way to another: the walk over a feed's node records (design 4.5, 6).
//!
//! A record by the root in force counts, and may name the next root (a planned succession). One by
//! the recovery key announces a root and changes nothing. One by another root counts if the reader
//! holds that root, or if it was announced and leads to a root that the reader holds.

use std::collections::HashSet;

use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;

use super::{Keyed, Roots, Standing};

/// Announcements and dropped recovery keys that are kept: a thief may make many, and the newest are
/// what counts.
const KEPT_MAX: usize = 64;

/// The records that count so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    records: Vec<Keyed>,
    announced: Vec<Keyed>,
    objection: Option<Keyed>,
    /// Roots that were in force and gave way.
    past: HashSet<PublicKey>,
    /// Recovery keys that a later record no longer names, and where it stands.
    dropped: Vec<(PublicKey, u64)>,
    /// Roots that lead to the pinned one, as far as the log tells.
    leading: HashSet<PublicKey>,
    rooted: bool,
    /// Whether the root in force is the pinned one, or got its place from it.
    of_pinned: bool,
}

impl Walk {
    /// The walk of somebody who holds a root that later records arrive at.
    pub(super) fn arriving(roots: &Roots, all: &[Keyed]) -> Self {
        let mut leading: HashSet<PublicKey> = roots.root().into_iter().collect();
        for keyed in all.iter().rev() {
            if keyed.record.is_recovery() && leading.contains(&keyed.record.root) {
                leading.insert(keyed.record.body().issuer_key());
            }
        }
        let mut walk = Self { leading, ..Self::default() };
        for keyed in all {
            walk.step(roots, keyed);
        }
        walk
    }

    /// Judges the next record that is valid alone.
    pub(super) fn step(&mut self, roots: &Roots, keyed: &Keyed) {
        if self.records.is_empty() {
            return self.take(roots, keyed);
        }
        match self.standing(roots, &keyed.record) {
            Standing::InForce | Standing::Succeeds => self.take(roots, keyed),
            Standing::Announces { .. } => keep(&mut self.announced, keyed.clone()),
            Standing::Objects => self.objection = Some(keyed.clone()),
            Standing::Old | Standing::Stranger => {}
        }
    }

    /// What a record would be as the next one.
    pub(super) fn standing(&self, roots: &Roots, record: &NodeRecord) -> Standing {
        let Some(force) = self.records.last().map(|keyed| &keyed.record) else {
            return Standing::Stranger;
        };
        let issuer = record.body().issuer_key();
        if record.version() <= force.version() {
            Standing::Old
        } else if issuer == force.root {
            let frozen = self.frozen(roots).is_some_and(|above| record.version() > above);
            if frozen { Standing::Objects } else { Standing::InForce }
        } else if issuer == record.root && self.may_succeed(roots, &issuer) {
            Standing::Succeeds
        } else if record.root == force.root || self.past.contains(&record.root) {
            Standing::Stranger
        } else if force.recovery == Some(issuer) {
            Standing::Announces { dropped_at: None }
        } else {
            let dropped = self.dropped.iter().rev().find(|(key, _)| *key == issuer);
            dropped
                .map_or(Standing::Stranger, |(_, at)| Standing::Announces { dropped_at: Some(*at) })
        }
    }

    /// The version above which the root in force only objects: a recovery is under way, or the log
    /// itself announces a root that is accepted.
    fn frozen(&self, roots: &Roots) -> Option<u64> {
        let accepted = self.announced.iter().filter(|keyed| {
            let root = &keyed.record.root;
            let held = roots.root().is_some() && roots.holds(root);
            (held || self.leading.contains(root)) && !self.past.contains(root)
        });
        let force = self.records.last().map(|keyed| keyed.record.root);
        let noted = roots.frozen.filter(|(root, _)| force == Some(*root));
        let noted = noted.map(|(_, version)| version);
        accepted.map(|keyed| keyed.record.version()).chain(noted).min()
    }

    fn may_succeed(&self, roots: &Roots, issuer: &PublicKey) -> bool {
        if roots.root() == Some(*issuer) {
            return true;
        }
        let announced = || self.announced.iter().any(|keyed| keyed.record.root == *issuer);
        !self.past.contains(issuer)
            && (roots.holds(issuer) || (self.leading.contains(issuer) && announced()))
    }

    fn take(&mut self, roots: &Roots, keyed: &Keyed) {
        let record = &keyed.record;
        let issuer = record.body().issuer_key();
        self.rooted |= roots.holds(&issuer);
        match roots.root() {
            Some(pinned) if pinned == issuer || (self.rooted && pinned == record.root) => {
                self.of_pinned = true;
            }
            Some(_) if roots.holds(&issuer) => self.of_pinned = false,
            _ => {}
        }
        if let Some(before) = self.records.last().map(|keyed| keyed.record.clone()) {
            if let Some(key) = before.recovery.filter(|key| record.recovery != Some(*key)) {
                keep(&mut self.dropped, (key, keyed.index));
            }
            if before.root != record.root {
                self.past.insert(before.root);
                self.past.extend(roots.before(&record.root));
                self.past.remove(&record.root);
                self.announced.clear();
                self.objection = None;
            }
        }
        self.records.push(keyed.clone());
    }

    pub(super) fn records(&self) -> &[Keyed] {
        &self.records
    }

    pub(super) fn announcements(&self) -> &[Keyed] {
        &self.announced
    }

    pub(super) fn objection(&self) -> Option<&Keyed> {
        self.objection.as_ref()
    }

    /// Whether the records lead to a root that the reader holds.
    pub(super) fn is_rooted(&self) -> bool {
        self.rooted
    }

    /// Whether the newest record speaks for what the reader holds: it is of the pinned root or of
    /// one that got its place from it, or of a former one that has not given way in the log yet.
    pub(super) fn is_vouched(&self, roots: &Roots) -> bool {
        let of_held = |keyed: &Keyed| roots.holds(&keyed.record.root);
        self.rooted && (self.of_pinned || self.records.last().is_some_and(of_held))
    }

    /// Whether the root in force got its place from the pinned one.
    pub(super) fn is_of_pinned(&self) -> bool {
        self.of_pinned
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= KEPT_MAX {
        list.remove(0);
    }
    list.push(item);
}

//! The eleven attacks that The Update Framework lists (its specification, section 1.5.2), each on every
//! object that a node fetches or is handed. A table: a row an attack, a column an object.
//!
//! Whatever is sent, these hold afterwards: what is shown, kept and counted is what its owner signed;
//! another feed goes on; and the truth is believed as soon as it can be reached.

#[cfg(test)]
mod around;
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod fetched;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod table;
#[cfg(test)]
mod told;

pub(crate) const OWNER: &str = "owner.example";
pub(crate) const OTHER: &str = "other.example";

/// How far the follower is when it meets the liar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// It holds nothing, and the feed is sealed.
    Newcomer,
    /// It holds the feed as it was a while ago.
    Behind,
    /// It holds all entries and lacks a body.
    Incomplete,
}

/// What TUF calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attack {
    ArbitraryInstallation,
    EndlessData,
    ExtraneousDependencies,
    FastForward,
    IndefiniteFreeze,
    MirrorPreventsUpdates,
    MixAndMatch,
    Rollback,
    SlowRetrieval,
    KeyCompromise,
    WrongInstallation,
}

/// All of them.
pub(crate) const ATTACKS: [Attack; 11] = [
    Attack::ArbitraryInstallation,
    Attack::EndlessData,
    Attack::ExtraneousDependencies,
    Attack::FastForward,
    Attack::IndefiniteFreeze,
    Attack::MirrorPreventsUpdates,
    Attack::MixAndMatch,
    Attack::Rollback,
    Attack::SlowRetrieval,
    Attack::KeyCompromise,
    Attack::WrongInstallation,
];

//! The network file: what a newcomer must get right, compared over the telephone before it is pinned
//! (design 6).
//!
//! The first line names the network and those who founded it; the rest is a C2SP tlog-policy, so that
//! outsiders' tools read the whole file, for to them the first line is a comment. The first line stays as
//! it was at the founding: later committees follow from the network's own records. The rest may be
//! written anew, with newer keys, which changes the fingerprint.
//!
//! **Invariant:** a [`NetworkFile`] keeps the bytes it was read from, over which its fingerprint is made.

use std::collections::BTreeSet;

use bytes::Bytes;
use practice::node_record::{NodeRecord, USE_LOG};
use tlog::ed25519::{InvalidKey, PublicKey};
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{InvalidName, Origin};
use tlog::policy::{InvalidPolicy, POLICY_BYTES_MAX, Policy};

/// What the first line begins with.
pub const HEADER: &str = "# jopoi network v1 ";

/// Most roots: a committee that decides anything is much smaller.
pub const COMMITTEE_MAX: usize = 64;

/// The first line: the header, an origin, the roots and a number.
const FIRST_LINE_BYTES_MAX: usize = 64 + Origin::BYTES_MAX + COMMITTEE_MAX * 57;

/// The whole file.
pub const FILE_BYTES_MAX: usize = FIRST_LINE_BYTES_MAX + POLICY_BYTES_MAX;

/// Digits of a fingerprint: 99 bits, as many as can be read out and heard without a mistake.
pub const FINGERPRINT_DIGITS: usize = 30;

/// A network as it is handed to a newcomer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkFile {
    /// The network's feed.
    pub origin: Origin,
    /// The roots of the nodes that approve the first policy, and what stands before it.
    pub roots: Vec<PublicKey>,
    /// How many of them must.
    pub threshold: usize,
    /// The network's log key and its witnesses.
    pub policy: Policy,
    bytes: Bytes,
}

impl NetworkFile {
    /// Puts a file together.
    pub fn new(
        origin: &Origin,
        roots: &[PublicKey],
        threshold: usize,
        policy: &Policy,
    ) -> Result<Self, InvalidNetworkFile> {
        let roots: Vec<String> = roots.iter().map(PublicKey::to_did).collect();
        let first = format!("{HEADER}{origin} {} {threshold}\n", roots.join(","));
        let mut bytes = first.into_bytes();
        bytes.extend_from_slice(&policy.to_bytes());
        Self::parse(&bytes)
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidNetworkFile> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(InvalidNetworkFile::Bytes { bytes: bytes.len() });
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let first = end.and_then(|end| bytes.get(..end)).unwrap_or(bytes);
        let (origin, roots, threshold) = first_line(first)?;
        let rest = bytes.get(first.len() + 1..).unwrap_or_default();
        // A reader of the policy counts the first line too.
        let policy =
            Policy::parse(rest).map_err(|error| InvalidPolicy { line: error.line + 1, ..error })?;
        if !policy.logs().iter().any(|log| log.key.name.as_str() == origin.as_str()) {
            return Err(InvalidNetworkFile::NoLog { origin });
        }
        Ok(Self { origin, roots, threshold, policy, bytes: Bytes::copy_from_slice(bytes) })
    }

    /// The same network with newer keys of its log and witnesses.
    pub fn with_policy(&self, policy: &Policy) -> Result<Self, InvalidNetworkFile> {
        Self::new(&self.origin, &self.roots, self.threshold, policy)
    }

    /// The bytes, as they were read.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text; octets that are no UTF-8 are shown as such.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// SHA-256 of the bytes as an integer modulo 10^30: 30 digits in six groups of five.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.bytes)
    }

    /// The keys of the network's own log.
    pub fn log_keys(&self) -> impl Iterator<Item = &VerifierKey> {
        let own = |key: &&VerifierKey| key.name.as_str() == self.origin.as_str();
        self.policy.logs().iter().map(|log| &log.key).filter(own)
    }

    /// Whether this file says that `record`, a node record by its own root, is the network node's: it is
    /// of that node, and its root is one of the founders', or it lists a log key of the file. Such a key
    /// has proved that it belongs to that root, so the root needs no line of its own.
    pub fn vouches_for(&self, record: &NodeRecord) -> bool {
        let listed = |key: &VerifierKey| {
            record.keys.iter().any(|own| own.usage == USE_LOG && own.key == key.key)
        };
        record.node == *self.origin.node()
            && !record.is_recovery()
            && (self.roots.contains(&record.root) || self.log_keys().any(listed))
    }
}

/// The fingerprint of a network file's bytes.
pub fn fingerprint(bytes: &[u8]) -> String {
    // 256 bits in base 10: the remainder by 10^5, six times over; the last group comes out first.
    let mut number: [u8; 32] = *Hash::of(bytes).as_bytes();
    let mut groups: Vec<String> = Vec::new();
    for _ in 0..FINGERPRINT_DIGITS / 5 {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = (remainder << 8) | u32::from(*byte);
            // The remainder is below 10^5, so the quotient is below 256.
            *byte = u8::try_from(value / 100_000).unwrap_or(u8::MAX);
            remainder = value % 100_000;
        }
        groups.push(format!("{remainder:05}"));
    }
    groups.reverse();
    groups.join(" ")
}

/// Whether two fingerprints are the same digits, however they are typed.
pub fn same_fingerprint(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let one = digits(one);
    one.len() == FINGERPRINT_DIGITS && one == digits(other)
}

/// Why some bytes are no network file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetworkFile {
    /// Longer than [`FILE_BYTES_MAX`].
    #[error(
        "a network file is never as long as {bytes} bytes; ask the secretariat for the file again"
    )]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// Another first line.
    #[error(
        "`{line}` is not the first line of a network file, which reads \
         `# jopoi network v1 ORIGIN ROOT[,ROOT…] THRESHOLD`; ask the secretariat for the file again"
    )]
    FirstLine {
        /// The beginning of the line.
        line: String,
    },
    /// The origin is none.
    #[error("the network's name cannot be read")]
    Origin(#[from] InvalidName),
    /// A network is recorded in a public feed.
    #[error("`{origin}` is not a public feed, and a network is recorded in one")]
    NotPublic {
        /// The feed.
        origin: Origin,
    },
    /// A root is none.
    #[error("a root key of the network file cannot be read")]
    Root(#[from] InvalidKey),
    /// A root twice, or too many.
    #[error("the roots of a network file are 1 to 64 different ones")]
    Roots,
    /// Not from 1 to the number of roots.
    #[error("`{threshold}` of {roots} cannot approve; the number must be 1 to {roots}")]
    Threshold {
        /// What stands there.
        threshold: String,
        /// How many roots there are.
        roots: usize,
    },
    /// What follows is no policy.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    /// No line with the network's log.
    #[error("the network file has no `log` line with a key of `{origin}`")]
    NoLog {
        /// The network's feed.
        origin: Origin,
    },
}

type FirstLine = (Origin, Vec<PublicKey>, usize);

fn first_line(line: &[u8]) -> Result<FirstLine, InvalidNetworkFile> {
    let shown = || String::from_utf8_lossy(line.get(..line.len().min(480)).unwrap_or_default());
    let malformed =
        || InvalidNetworkFile::FirstLine { line: shown().escape_debug().take(120).collect() };
    if line.len() > FIRST_LINE_BYTES_MAX {
        return Err(malformed());
    }
    let text = std::str::from_utf8(line).map_err(|_| malformed())?;
    let rest = text.strip_prefix(HEADER).ok_or_else(malformed)?;
    let words: Vec<&str> = rest.split(' ').collect();
    let [origin, roots, threshold] = words.as_slice() else { return Err(malformed()) };
    let origin = Origin::parse(origin)?;
    if origin.feed().is_restricted() {
        return Err(InvalidNetworkFile::NotPublic { origin });
    }
    let roots: Vec<PublicKey> =
        roots.split(',').map(PublicKey::from_did).collect::<Result<_, _>>()?;
    let distinct: BTreeSet<&PublicKey> = roots.iter().collect();
    if roots.len() > COMMITTEE_MAX || distinct.len() != roots.len() {
        return Err(InvalidNetworkFile::Roots);
    }
    let wrong = || InvalidNetworkFile::Threshold {
        threshold: threshold.chars().take(20).collect(),
        roots: roots.len(),
    };
    let number: usize = threshold.parse().map_err(|_| wrong())?;
    // `+1` and `01` are other bytes for the same number, and would give another fingerprint.
    if number == 0 || number > roots.len() || number.to_string() != *threshold {
        return Err(wrong());
    }
    Ok((origin, roots, number))
}

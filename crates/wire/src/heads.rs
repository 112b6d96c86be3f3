//! `/heads`: origin, size and root of every feed a caller may read (design 4.6 and 4.7).
//!
//! A JSON array of `{"origin","size","root"}` and, where two histories were found, `evidence`; strictly ascending by origin; `root` in base64 as in
//! a checkpoint. Unknown members are ignored.

use serde::{Deserialize, Serialize};
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::limits::HEADS_BYTES;

/// The greatest size of a feed: beyond it, JSON numbers are not exact.
pub const SIZE_MAX: u64 = (1 << 53) - 1;

/// One feed held by a node. Not signed: it only tells where to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadLine {
    /// The feed.
    pub origin: Origin,
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// SHA-256 of the evidence at [`crate::paths::EVIDENCE`], where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Hash>,
}

/// Why an answer is no list of heads.
#[derive(Debug, thiserror::Error)]
pub enum InvalidHeads {
    /// More bytes than [`HEADS_BYTES`].
    #[error("the list of heads has {bytes} bytes; at most {HEADS_BYTES} are read")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// Not JSON of that form.
    #[error("the list of heads is not an array of origin, size and root")]
    Form(#[source] serde_json::Error),
    /// A size that no feed can have.
    #[error("line {line} of the list of heads has a size beyond 2^53-1")]
    Size {
        /// Its number, from 1.
        line: usize,
    },
    /// Not strictly ascending by origin.
    #[error("line {line} of the list of heads is not after the one before it")]
    Order {
        /// Its number, from 1.
        line: usize,
    },
}

/// Reads `/heads`.
pub fn parse(bytes: &[u8]) -> Result<Vec<HeadLine>, InvalidHeads> {
    if bytes.len() > HEADS_BYTES {
        return Err(InvalidHeads::TooLong { bytes: bytes.len() });
    }
    let heads: Vec<HeadLine> = serde_json::from_slice(bytes).map_err(InvalidHeads::Form)?;
    if let Some(at) = heads.iter().position(|head| head.size > SIZE_MAX) {
        return Err(InvalidHeads::Size { line: at + 1 });
    }
    let pairs = heads.iter().zip(heads.iter().skip(1));
    match pairs.enumerate().find(|(_, (one, next))| one.origin.as_str() >= next.origin.as_str()) {
        Some((at, _)) => Err(InvalidHeads::Order { line: at + 2 }),
        None => Ok(heads),
    }
}

/// Writes `/heads`; sorts and drops what is there twice.
pub fn format(heads: &[HeadLine]) -> String {
    let mut lines: Vec<&HeadLine> = heads.iter().collect();
    lines.sort_by(|one, other| one.origin.as_str().cmp(other.origin.as_str()));
    lines.dedup_by(|one, other| one.origin == other.origin);
    // Strings and integers always serialise.
    serde_json::to_string(&lines).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(origin: &str, size: u64) -> HeadLine {
        let (origin, root) = (Origin::parse(origin).unwrap(), Hash::from([7; 32]));
        HeadLine { origin, size, root, evidence: None }
    }

    #[test]
    fn heads_come_back_sorted() {
        let heads = [line("simore.gov.py/public", 3), line("a.example/public", 9)];
        let text = format(&heads);
        let back = parse(text.as_bytes()).unwrap();
        assert_eq!(back, [heads[1].clone(), heads[0].clone()]);
        assert_eq!(format(&back), text);
        assert_eq!(parse(b"[]").unwrap(), []);
    }

    #[test]
    fn lists_out_of_order_or_with_impossible_members_are_refused() {
        let good = format(&[line("a.example/public", 1)]);
        let inner = good.trim_matches(['[', ']']);
        assert!(matches!(
            parse(format!("[{inner},{inner}]").as_bytes()),
            Err(InvalidHeads::Order { line: 2 })
        ));
        let large = good.replace("\"size\":1", "\"size\":9007199254740992");
        assert!(matches!(parse(large.as_bytes()), Err(InvalidHeads::Size { line: 1 })));
        for bad in ["", "{}", "[1]", "[{}]", &good.replace('1', "-1"), &good.replace('1', "1.5")] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(good.replace("a.example", "A").as_bytes()).is_err());
        assert!(matches!(parse(&vec![b' '; HEADS_BYTES + 1]), Err(InvalidHeads::TooLong { .. })));
    }
}

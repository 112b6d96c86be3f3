//! Where everything lies below DATA (design 7). No name comes from anywhere but a checked type.

use feed::ports::{Fact, StoreError};
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile;

/// `jopoi 1`: read before anything else, so that a later release recognises what it finds.
pub(super) const FORMAT_FILE: &str = "format";
/// The content of [`FORMAT_FILE`].
pub(super) const FORMAT: &str = "jopoi 1\n";
/// Locked by the process that has the directory open; holds its id.
pub(super) const LOCK_FILE: &str = "lock";
/// `facts/NODE/FEED/…`
pub(super) const FACTS: &str = "facts";
/// `decisions/NAME` and `decisions/PART/NAME`
pub(super) const DECISIONS: &str = "decisions";
/// `high-water/HEX(sha256(origin))`
pub(super) const HIGH_WATER: &str = "high-water";
/// `witness/HEX(sha256(origin))`
pub(super) const WITNESS: &str = "witness";
/// Made here, filled by the node.
pub(super) const KEYS: &str = "keys";
/// The head's name within a feed's directory.
pub(super) const HEAD: &str = "head";
/// The name of a follower's target within a feed's directory.
pub(super) const PENDING: &str = "pending";

/// A name of a decision fits a key of any backend.
const DECISION_BYTES_MAX: usize = 120;

/// The directory of a feed, below DATA.
pub(super) fn feed(origin: &Origin) -> String {
    // `NODE/FEED`: two parts of `a-z0-9.-` that begin with a letter or digit, by the grammar of names.
    format!("{FACTS}/{origin}")
}

/// The place of an object, below DATA.
pub(super) fn fact(origin: &Origin, fact: &Fact) -> String {
    let name = match fact {
        Fact::Head => HEAD.to_owned(),
        Fact::Pending => PENDING.to_owned(),
        Fact::Segment(number) => format!("segment/{}", tile::index_path(*number)),
        Fact::Tile(tile) => tile.path(),
        Fact::Cosignatures => "cosignatures".to_owned(),
        Fact::Anchors => "anchors".to_owned(),
        Fact::File(hash) => format!("file/{}", hash.to_hex()),
    };
    format!("{}/{name}", feed(origin))
}

/// The place of the high-water file of an own feed, below DATA.
pub(super) fn high_water(origin: &Origin) -> String {
    format!("{HIGH_WATER}/{}", Hash::of(origin.as_str()).to_hex())
}

/// The place of what was cosigned last of a log, below DATA.
pub(super) fn witnessed(origin: &Hash) -> String {
    format!("{WITNESS}/{}", origin.to_hex())
}

/// The place of a decision, below DATA.
pub(super) fn decision(name: &str) -> Result<String, StoreError> {
    let part_is_plain = |part: &str| {
        let plain =
            part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
        plain && !part.is_empty() && !part.starts_with('.')
    };
    let plain = name.split('/').all(part_is_plain) && name.split('/').count() <= 2;
    if plain && name.len() <= DECISION_BYTES_MAX {
        return Ok(format!("{DECISIONS}/{name}"));
    }
    let why = format!(
        "a decision's name is one or two parts of `a-z0-9.-` joined by `/`, not beginning with a dot, \
         at most {DECISION_BYTES_MAX} bytes"
    );
    Err(StoreError::Refused { what: format!("the decision `{}`", name.escape_debug()), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_lie_where_the_design_says() {
        let origin = Origin::parse("simore.gov.py/public").unwrap();
        let place = |of: Fact| fact(&origin, &of);
        assert_eq!(place(Fact::Head), "facts/simore.gov.py/public/head");
        assert_eq!(place(Fact::Segment(1234)), "facts/simore.gov.py/public/segment/x001/234");
        let tile = tile::Tile::new(0, 1234, 256).unwrap();
        assert_eq!(place(Fact::Tile(tile)), "facts/simore.gov.py/public/tile/0/x001/234");
        assert!(
            place(Fact::File(Hash::of(b""))).ends_with(
                "/file/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            )
        );
    }

    #[test]
    fn a_decision_cannot_leave_its_directory() {
        assert_eq!(decision("follow/simore.gov.py").unwrap(), "decisions/follow/simore.gov.py");
        for name in [
            "", "/", "a/", "/a", "..", "../keys", "a/..", "a/../b", "a/b/c", ".a", "A", "a b",
            "a\0", "a#1", "ä",
        ] {
            assert!(decision(name).is_err(), "{name:?}");
        }
        assert!(decision(&"a".repeat(121)).is_err());
    }
}

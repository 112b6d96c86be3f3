//! What came of a large answer before its line broke: kept for a while, so that the next question asks for the
//! rest alone (`Range` with `If-Range`, RFC 9110). On a line of 256 kbit/s that is cut every minute nothing
//! large would ever arrive otherwise.
//!
//! **Invariant:** what is kept is bounded for each owner and for all of them, in bytes and in time, and joined
//! only with bytes of the same strong entity tag; what the whole says is verified as always. Where there is no
//! room, the oldest part of whoever keeps most makes it: nobody can take what the others keep.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Shorter beginnings are not worth a question of their own kind; nor is one that grew by less.
const PART_BYTES_MIN: usize = 4 << 10;

/// What is kept of the answers of one owner: a segment of the usual length for each that is asked for at a
/// time, and a tail.
const OWNER_BYTES_MAX: usize = 4 << 20;

/// What is kept of all of them.
const ALL_BYTES_MAX: usize = 16 << 20;

/// A part that did not grow for so long is not asked on for: whatever grows is tried again within seconds.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// The beginning of an answer.
pub(crate) struct Part {
    /// The strong entity tag of the whole.
    pub(crate) tag: String,
    pub(crate) bytes: Vec<u8>,
    /// When something was added to it.
    pub(crate) grew: Instant,
}

/// The beginnings of all answers, by the owner and the URL that was asked.
#[derive(Default)]
pub(crate) struct Parts(Mutex<BTreeMap<Place, Part>>);

type Place = (String, String);

impl Parts {
    /// The beginning of what is at `url`, which is no longer kept here.
    pub(crate) fn take(&self, owner: &str, url: &str) -> Option<Part> {
        let part = self.lock().remove(&(owner.to_owned(), url.to_owned()));
        part.filter(Part::is_fresh)
    }

    /// Keeps the beginning of what is at `url`, as far as it can be asked for later and there is room. How many
    /// bytes are kept, if they are enough more than the `before` that were there already; else 0: the peer did
    /// nothing for which it would be asked again soon.
    pub(crate) fn keep(&self, owner: &str, url: &str, mut part: Part, before: usize) -> usize {
        part.bytes.truncate(OWNER_BYTES_MAX);
        let length = part.bytes.len();
        if !part.tag.starts_with('"') || length < PART_BYTES_MIN {
            return 0;
        }
        let grows = length.saturating_sub(before) >= PART_BYTES_MIN;
        if grows {
            part.grew = Instant::now();
        }
        part.bytes.shrink_to_fit();
        if self.put_back(owner, url, part) && grows { length } else { 0 }
    }

    /// Keeps a beginning that was taken and led to nothing; whether there was room.
    pub(crate) fn put_back(&self, owner: &str, url: &str, part: Part) -> bool {
        let place = (owner.to_owned(), url.to_owned());
        let mut parts = self.lock();
        parts.retain(|_, part| part.is_fresh());
        parts.insert(place.clone(), part);
        while let Some(surplus) = surplus(&parts) {
            parts.remove(&surplus);
        }
        parts.contains_key(&place)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn is_fresh(&self) -> bool {
        self.grew.elapsed() < KEPT_FOR
    }
}

/// What must go next: the oldest part of whoever keeps most, if that is too much, or all are.
fn surplus(parts: &BTreeMap<Place, Part>) -> Option<Place> {
    let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
    for ((owner, _), part) in parts {
        *kept.entry(owner).or_default() += part.bytes.len();
    }
    let kept_by = |place: &Place| kept.get(place.0.as_str()).copied().unwrap_or(0);
    let first = |(place, part): &(&Place, &Part)| (kept_by(place), Reverse(part.grew));
    let (place, _) = parts.iter().max_by_key(first)?;
    let all: usize = kept.values().sum();
    (kept_by(place) > OWNER_BYTES_MAX || all > ALL_BYTES_MAX).then(|| place.clone())
}

/// Whether `Content-Range: bytes FIRST-LAST/ALL` begins at `first` and goes to the end of at most `limit` bytes.
pub(crate) fn continues(range: &str, first: usize, limit: usize) -> bool {
    let read = || {
        let (places, all) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (from, to) = places.split_once('-')?;
        let number = |text: &str| text.parse::<usize>().ok();
        Some((number(from)?, number(to)?, number(all)?))
    };
    read().is_some_and(|(from, to, all)| {
        from == first && from <= to && all <= limit && to.checked_add(1) == Some(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(bytes: usize) -> Part {
        Part { tag: "\"x\"".to_owned(), bytes: vec![7; bytes], grew: Instant::now() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_beginning_is_kept_once_and_only_under_a_strong_tag() {
        let parts = Parts::default();
        for tag in ["W/\"weak\"", ""] {
            let part = Part { tag: tag.to_owned(), ..part(8_192) };
            assert_eq!(parts.keep("one", "a", part, 0), 0, "{tag:?}");
        }
        assert_eq!(parts.keep("one", "a", part(100), 0), 0);
        assert_eq!(parts.keep("one", "a", part(8_192), 0), 8_192);
        assert!(parts.take("another", "a").is_none());
        assert_eq!(parts.take("one", "a").map(|part| part.bytes.len()), Some(8_192));
        assert!(parts.take("one", "a").is_none());
        assert_eq!(parts.keep("one", "a", part(OWNER_BYTES_MAX + 1), 0), OWNER_BYTES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_keeps_most_makes_room_for_the_others() {
        let parts = Parts::default();
        for number in 0..ALL_BYTES_MAX / OWNER_BYTES_MAX + 3 {
            assert_eq!(parts.keep("honest", "a", part(1 << 20), 0), 1 << 20);
            tokio::time::advance(Duration::from_secs(1)).await;
            let greedy = format!("greedy {number}");
            assert_eq!(parts.keep(&greedy, "a", part(OWNER_BYTES_MAX), 0), OWNER_BYTES_MAX);
            let all: usize = parts.lock().values().map(|part| part.bytes.len()).sum();
            assert!(all <= ALL_BYTES_MAX, "{all}");
        }
        assert!(parts.take("greedy 0", "a").is_none(), "the oldest went");
        assert!(parts.take("honest", "a").is_some(), "it keeps less than any other");
        for url in ["b", "c"] {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(parts.keep("honest", url, part(OWNER_BYTES_MAX), 0), OWNER_BYTES_MAX);
        }
        assert!(parts.take("honest", "b").is_none(), "an owner has room for so much");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_grows_counts_and_what_does_not_is_forgotten() {
        let parts = Parts::default();
        assert_eq!(parts.keep("one", "a", part(8_192), 0), 8_192);
        tokio::time::advance(KEPT_FOR / 2).await;
        let mut same = parts.take("one", "a").unwrap();
        same.bytes.push(7);
        assert_eq!(parts.keep("one", "a", same, 8_192), 0, "a byte is no progress");
        let same = parts.take("one", "a").unwrap();
        assert_eq!(same.bytes.len(), 8_193);
        parts.put_back("one", "a", same);
        tokio::time::advance(KEPT_FOR / 2).await;
        assert!(parts.take("one", "a").is_none());
    }

    #[test]
    fn only_the_rest_to_the_end_continues() {
        assert!(continues("bytes 10-99/100", 10, 100));
        for range in [
            "bytes 9-99/100",
            "bytes 10-98/100",
            "bytes 10-99/101",
            "bytes 10-99/*",
            "10-99/100",
            "bytes 100-99/100",
            "",
        ] {
            assert!(!continues(range, 10, 100), "{range}");
        }
        assert!(!continues("bytes 10-99/100", 10, 99));
    }
}

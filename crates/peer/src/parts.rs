//! What came of a large answer before its line broke: kept for a while, so that the next question asks for the
//! rest alone (`Range` with `If-Range`, RFC 9110). On a line of 256 kbit/s that is cut every minute nothing
//! large would ever arrive otherwise.
//!
//! **Invariant:** what is kept is bounded for each carrier and for all of them, and joined only with bytes of
//! the same strong entity tag; what the whole says is verified as always.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Shorter beginnings are not worth a question of their own kind.
const PART_BYTES_MIN: usize = 4 << 10;

/// What is kept of the answers of one carrier: a segment of the usual length for each that is asked for at a
/// time, and a tail.
const CARRIER_BYTES_MAX: usize = 4 << 20;

/// What is kept of all carriers.
pub(crate) const ALL_BYTES_MAX: usize = 16 << 20;

/// The beginning of an answer.
pub(crate) struct Part {
    /// The strong entity tag of the whole.
    pub(crate) tag: String,
    pub(crate) bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// The beginnings kept of one carrier, by the URL that was asked.
#[derive(Default)]
pub(crate) struct Parts(Mutex<BTreeMap<String, Part>>);

impl Parts {
    /// The beginning of what is at `url`, which is no longer kept here.
    pub(crate) fn take(&self, url: &str) -> Option<Part> {
        self.lock().remove(url)
    }

    /// Keeps the beginning of what is at `url`, if it can be asked for later and there is room; how many
    /// bytes were kept.
    pub(crate) fn keep(
        &self,
        url: &str,
        tag: Option<&str>,
        bytes: Vec<u8>,
        room: &Arc<Semaphore>,
    ) -> usize {
        let Some(tag) = tag.filter(|tag| tag.starts_with('"')) else { return 0 };
        let length = bytes.len();
        if !(PART_BYTES_MIN..=CARRIER_BYTES_MAX).contains(&length) {
            return 0;
        }
        let mut parts = self.lock();
        let kept: usize = parts.values().map(|part| part.bytes.len()).sum();
        if kept + length > CARRIER_BYTES_MAX {
            parts.clear();
        }
        let kib = u32::try_from(length.div_ceil(1_024)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(room).try_acquire_many_owned(kib) else { return 0 };
        let part = Part { tag: tag.to_owned(), bytes, _room: room };
        parts.insert(url.to_owned(), part);
        length
    }

    /// Keeps a beginning that was taken and led to nothing.
    pub(crate) fn put_back(&self, url: &str, part: Part) {
        self.lock().insert(url.to_owned(), part);
    }

    /// Forgets all: the carrier has nothing that is wanted.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    fn room(kib: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(kib))
    }

    #[test]
    fn a_beginning_is_kept_once_and_only_under_a_strong_tag() {
        let (parts, room) = (Parts::default(), room(100));
        for tag in [None, Some("W/\"weak\""), Some("")] {
            assert_eq!(parts.keep("a", tag, vec![7; 8_192], &room), 0, "{tag:?}");
        }
        assert_eq!(parts.keep("a", Some("\"x\""), vec![7; 100], &room), 0);
        assert_eq!(parts.keep("a", Some("\"x\""), vec![7; 8_192], &room), 8_192);
        assert_eq!(room.available_permits(), 92);
        assert_eq!(parts.take("a").map(|part| part.bytes.len()), Some(8_192));
        assert!(parts.take("a").is_none());
        assert_eq!(room.available_permits(), 100);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (parts, room) = (Parts::default(), room(ALL_BYTES_MAX / 1_024));
        let long = || vec![7; CARRIER_BYTES_MAX];
        assert_eq!(parts.keep("a", Some("\"x\""), vec![7; CARRIER_BYTES_MAX + 1], &room), 0);
        for url in ["a", "b"] {
            assert_eq!(parts.keep(url, Some("\"x\""), long(), &room), CARRIER_BYTES_MAX);
        }
        assert!(parts.take("a").is_none());
        let others: Vec<Parts> = std::iter::repeat_with(Parts::default).take(4).collect();
        let kept: usize =
            others.iter().map(|one| one.keep("a", Some("\"x\""), long(), &room)).sum();
        assert_eq!(kept, ALL_BYTES_MAX - CARRIER_BYTES_MAX);
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

//! The nonces of signed requests that were taken, until their signatures end.
//!
//! Only those of nodes we know are kept, so that no stranger fills it; each node has its share, so that
//! no node fills it for the others. It is lost at a restart, and with it the memory of ten minutes: what
//! is asked twice changes nothing the second time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tlog::ed25519::PublicKey;
use tlog::hash::Hash;

/// Nonces of one node that are kept: a first copy of four million entries within their ten minutes.
const NONCES_OF_A_KEY: usize = 1 << 14;
/// Nonces of all nodes that are kept, some ten megabytes: what sixteen nodes may ask at their most.
const NONCES: usize = 1 << 18;
/// Those that have ended are looked for at most this often, in seconds.
const SWEEP_S: u64 = 30;
/// Bytes of the hash of a nonce that are kept.
const MARK_BYTES: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Taken>);

/// Why a nonce was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// It was used before.
    Replayed,
    /// There is no room: too many requests.
    Full,
}

#[derive(Debug, Default)]
struct Taken {
    /// For each key when the signature with each nonce ends.
    of: HashMap<PublicKey, HashMap<[u8; MARK_BYTES], u64>>,
    count: usize,
    swept: u64,
}

impl Nonces {
    /// Takes the nonce of a signature by `key` that ends at `expires`; `now` in Unix seconds.
    pub(crate) fn take(
        &self,
        key: &PublicKey,
        nonce: &str,
        expires: u64,
        now: u64,
    ) -> Result<(), Untaken> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut mark = [0; MARK_BYTES];
        mark.iter_mut().zip(Hash::of(nonce).as_bytes()).for_each(|(to, from)| *to = *from);
        if taken.of.get(key).is_some_and(|nonces| nonces.contains_key(&mark)) {
            return Err(Untaken::Replayed);
        }
        if !taken.has_room(key) {
            taken.sweep(now);
        }
        if !taken.has_room(key) {
            return Err(Untaken::Full);
        }
        taken.of.entry(*key).or_default().insert(mark, expires);
        taken.count += 1;
        Ok(())
    }
}

impl Taken {
    fn has_room(&self, key: &PublicKey) -> bool {
        let of_key = self.of.get(key).map_or(0, HashMap::len);
        of_key < NONCES_OF_A_KEY && self.count < NONCES
    }

    fn sweep(&mut self, now: u64) {
        if now < self.swept.saturating_add(SWEEP_S) && now >= self.swept {
            return;
        }
        self.swept = now;
        self.of.retain(|_, nonces| {
            nonces.retain(|_, expires| *expires >= now);
            !nonces.is_empty()
        });
        self.count = self.of.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use tlog::ed25519::SigningKey;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).unwrap().public()
    }

    #[test]
    fn a_nonce_is_taken_once_for_each_key() {
        let nonces = Nonces::default();
        assert_eq!(nonces.take(&key(1), "a", 300, 0), Ok(()));
        assert_eq!(nonces.take(&key(1), "a", 300, 0), Err(Untaken::Replayed));
        assert_eq!(nonces.take(&key(2), "a", 300, 0), Ok(()));
        assert_eq!(nonces.take(&key(1), "b", 300, 0), Ok(()));
    }

    #[test]
    fn a_node_that_asks_too_often_waits_until_its_nonces_end_and_others_do_not() {
        let nonces = Nonces::default();
        for number in 0..NONCES_OF_A_KEY {
            assert_eq!(nonces.take(&key(1), &number.to_string(), 400, 100), Ok(()));
        }
        assert_eq!(nonces.take(&key(1), "more", 400, 100), Err(Untaken::Full));
        assert_eq!(nonces.take(&key(2), "more", 400, 100), Ok(()));
        assert_eq!(nonces.take(&key(1), "more", 500, 401), Ok(()));
        assert_eq!(nonces.take(&key(1), "0", 500, 401), Ok(()), "it had ended");
    }
}

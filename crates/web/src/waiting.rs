//! Places for readers who wait for news: half of them for nodes that sign their requests, and of the
//! others a few for one address, so that a stranger who parks all that he can leaves places to everybody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::memory::Halves;

/// Readers held for news at the same time: half of the default connections, so that the others are still
/// served. One costs some kilobytes; a hub of all mechanisms with every
/// follower parked needs a few hundred.
const WAITING_READERS_MAX: usize = 512;

/// Unsigned readers of one address. An office behind one has fewer programs that wait.
const OF_ONE_ADDRESS_MAX: usize = 16;

/// Who waits.
pub(crate) struct Waiting {
    places: Halves,
    /// Unsigned readers by address.
    strangers: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place; given back when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _of_address: Option<OfAddress>,
}

/// One of the places of an address.
struct OfAddress {
    strangers: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { places: Halves::of(WAITING_READERS_MAX / 2), strangers: Arc::default() }
    }
}

impl Waiting {
    /// A place for one reader, at this address as far as the connection tells; none if there are too many.
    pub(crate) fn enter(&self, signed: bool, address: Option<IpAddr>) -> Option<Place> {
        let of_address = match address.and_then(counted).filter(|_| !signed) {
            Some(address) => Some(self.of_address(address)?),
            None => None,
        };
        Some(Place { _permit: self.places.take(signed, 1)?, _of_address: of_address })
    }

    /// Readers that wait now.
    pub(crate) fn count(&self) -> usize {
        WAITING_READERS_MAX.saturating_sub(self.places.free())
    }

    fn of_address(&self, address: IpAddr) -> Option<OfAddress> {
        let mut strangers = lock(&self.strangers);
        let count = strangers.entry(address).or_default();
        if *count >= OF_ONE_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(OfAddress { strangers: Arc::clone(&self.strangers), address })
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut strangers = lock(&self.strangers);
        if let Some(count) = strangers.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                strangers.remove(&self.address);
            }
        }
    }
}

fn lock(strangers: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    strangers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted as one address: of IPv6 the network, which one customer has whole. None for an address of a
/// machine or network of one's own: it is a proxy's, and everybody comes from there.
fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() || v4.is_link_local() => None,
        IpAddr::V6(v6)
            if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() =>
        {
            None
        }
        IpAddr::V6(v6) => Some(IpAddr::V6((v6.to_bits() >> 64 << 64).into())),
        v4 => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn strangers_who_take_every_place_leave_nodes_half_of_them() {
        let waiting = Waiting::default();
        let strangers: Vec<_> = std::iter::from_fn(|| waiting.enter(false, None)).collect();
        assert_eq!((strangers.len(), waiting.count()), (256, 256));
        let nodes: Vec<_> = std::iter::from_fn(|| waiting.enter(true, None)).collect();
        assert_eq!((nodes.len(), waiting.count()), (256, 512));
        drop(strangers);
        assert!(waiting.enter(true, None).is_some());
        drop(nodes);
        assert_eq!(waiting.count(), 0);
    }

    #[test]
    fn a_stranger_has_a_few_places_however_many_connections_he_makes() {
        let waiting = Waiting::default();
        let enter = |text: &str| waiting.enter(false, address(text));
        let mut places: Vec<_> = std::iter::from_fn(|| enter("192.0.2.7")).collect();
        assert_eq!(places.len(), OF_ONE_ADDRESS_MAX);
        assert!(enter("::ffff:192.0.2.7").is_none());
        assert!(enter("192.0.2.8").is_some());
        assert!(waiting.enter(true, address("192.0.2.7")).is_some());
        places.pop();
        assert!(enter("192.0.2.7").is_some());
        // The addresses of one network are one's.
        let places: Vec<_> =
            (0..OF_ONE_ADDRESS_MAX).map(|n| enter(&format!("2001:db8::{n:x}"))).collect();
        assert!(places.iter().all(Option::is_some) && enter("2001:db8::ff:1").is_none());
        assert!(enter("2001:db8:0:1::1").is_some());
    }

    #[test]
    fn readers_who_come_through_a_proxy_are_not_one() {
        let waiting = Waiting::default();
        let places: Vec<_> = (0..100).map(|_| waiting.enter(false, address("127.0.0.1"))).collect();
        assert!(places.iter().all(Option::is_some));
    }
}

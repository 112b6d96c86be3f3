//! Which addresses may be connected to: public ones, and those an operator allows.
//!
//! A node's URLs are written by strangers. If they could lead to `localhost`, to a router or to a
//! cloud's metadata service, this node would be their hand inside the firewall. So every address is
//! compared with the special-purpose registries, kept here as data with their date: IANA's tables (RFC 6890
//! and its updates), and for IPv6 everything outside `2000::/3` as well. Addresses that
//! carry an IPv4 address within them (mapped, 6to4, NAT64, Teredo) are refused whole.

use std::net::IpAddr;

use ipnet::IpNet;

/// A range that no public server has its address in, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Special {
    /// The range, `ADDRESS/BITS`.
    pub network: &'static str,
    /// What it is, in words.
    pub purpose: &'static str,
}

/// When IANA's tables of special-purpose addresses were last compared with [`SPECIAL`].
pub const SPECIAL_AS_OF: &str = "2026-11";

/// The special-purpose ranges of IPv4, and within `2000::/3` and around it those of IPv6.
pub const SPECIAL: [Special; 38] = [
    special("0.0.0.0/8", "this host"),
    special("10.0.0.0/8", "a private network"),
    special("100.64.0.0/10", "a carrier's own network"),
    special("127.0.0.0/8", "this machine"),
    special("169.254.0.0/16", "the local link"),
    special("172.16.0.0/12", "a private network"),
    special("192.0.0.0/24", "protocol assignments"),
    special("192.0.2.0/24", "documentation"),
    special("192.31.196.0/24", "an AS112 sink"),
    special("192.52.193.0/24", "multicast tunnels"),
    special("192.88.99.0/24", "6to4 relays"),
    special("192.168.0.0/16", "a private network"),
    special("192.175.48.0/24", "an AS112 sink"),
    special("198.18.0.0/15", "benchmarks"),
    special("198.51.100.0/24", "documentation"),
    special("203.0.113.0/24", "documentation"),
    special("224.0.0.0/4", "multicast"),
    special("240.0.0.0/4", "reserved"),
    special("::/128", "no address"),
    special("::1/128", "this machine"),
    special("::/96", "an IPv4 address within an IPv6 one"),
    special("::ffff:0:0/96", "an IPv4 address within an IPv6 one"),
    special("::ffff:0:0:0/96", "an IPv4 address within an IPv6 one"),
    special("64:ff9b::/96", "NAT64"),
    special("64:ff9b:1::/48", "NAT64"),
    special("100::/64", "a sink"),
    special("100:0:0:1::/64", "a sink"),
    special("2001::/32", "Teredo tunnels"),
    special("2001::/23", "protocol assignments"),
    special("2001:db8::/32", "documentation"),
    special("2002::/16", "6to4 tunnels"),
    special("2620:4f:8000::/48", "an AS112 sink"),
    special("3fff::/20", "documentation"),
    special("5f00::/16", "segment routing"),
    special("fc00::/7", "a private network"),
    special("fe80::/10", "the local link"),
    special("fec0::/10", "a private network"),
    special("ff00::/8", "multicast"),
];

/// An address that is not connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its address {address} is not public ({purpose}); if the node really is there, put its network into `peers.allow_networks`"
)]
pub struct RefusedAddress {
    /// The address.
    pub address: IpAddr,
    /// What such addresses are for.
    pub purpose: &'static str,
}

/// Decides on addresses.
#[derive(Clone, Debug)]
pub struct AddressPolicy {
    special: Vec<(IpNet, &'static str)>,
    allowed: Vec<IpNet>,
    public: bool,
}

impl AddressPolicy {
    /// Public addresses, and those in `allowed`.
    pub fn public_and(allowed: &[IpNet]) -> Self {
        let special = SPECIAL
            .iter()
            .filter_map(|range| Some((range.network.parse().ok()?, range.purpose)))
            .collect();
        Self { special, allowed: allowed.to_vec(), public: true }
    }

    /// Those in `allowed` and no others: for `http://`, which anybody on the way can read.
    pub fn only(allowed: &[IpNet]) -> Self {
        Self { public: false, ..Self::public_and(allowed) }
    }

    /// Whether `address` may be connected to.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        if self.allowed.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        let refused = |purpose| Err(RefusedAddress { address, purpose });
        let found = self.special.iter().find(|(network, _)| network.contains(&address));
        match (found, address) {
            (Some((_, purpose)), _) => refused(purpose),
            (None, IpAddr::V6(v6)) if (v6.octets()[0] >> 5) != 0b001 => refused("not assigned"),
            (None, _) if !self.public => refused("`http://` is for allowed networks only"),
            (None, _) => Ok(()),
        }
    }
}

const fn special(network: &'static str, purpose: &'static str) -> Special {
    Special { network, purpose }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_of_the_table_is_read_and_refused_from_its_first_to_its_last_address() {
        let policy = AddressPolicy::public_and(&[]);
        assert_eq!(policy.special.len(), SPECIAL.len());
        for (network, _) in &policy.special {
            for address in [network.network(), network.broadcast()] {
                assert!(policy.check(address).is_err(), "{address} of {network}");
            }
        }
    }

    #[test]
    fn public_addresses_are_let_through() {
        let policy = AddressPolicy::public_and(&[]);
        for address in
            ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2a00::1"]
        {
            assert_eq!(policy.check(address.parse().unwrap()), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_operator_opens_one_network_and_nothing_beside_it() {
        let policy = AddressPolicy::public_and(&["10.20.0.0/16".parse().unwrap()]);
        assert!(policy.check("10.20.3.4".parse().unwrap()).is_ok());
        assert!(policy.check("10.21.3.4".parse().unwrap()).is_err());
        assert!(policy.check("::ffff:10.20.3.4".parse().unwrap()).is_err());
        let plain = AddressPolicy::only(&["10.20.0.0/16".parse().unwrap()]);
        assert!(plain.check("10.20.3.4".parse().unwrap()).is_ok());
        assert!(plain.check("8.8.8.8".parse().unwrap()).is_err());
    }
}

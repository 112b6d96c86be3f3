//! Other nodes: how it goes with each that is followed, with relays, and with networks.

use std::collections::BTreeMap;

use feed::feeds::Feeds;
use peer::tally::NODES_MAX;
use prometheus_client::registry::Unit;
use tlog::name::{NodeName, Origin};
use wire::api::{Peer, PeerState};

use super::figure::{Figure, Labels, state_set};
use crate::outward::Outward;

/// All states, as `peers` says them.
const STATES: [&str; 4] = ["new", "healthy", "failing", "dormant"];

/// Everything about other nodes.
pub(super) fn figures(feeds: &Feeds, outward: &Outward) -> Vec<Figure> {
    let all = outward.known();
    let left_out = all.len().saturating_sub(NODES_MAX);
    let lags = outward.lags();
    let peers = all.iter().take(NODES_MAX);
    let peers: Vec<(Labels, &Peer)> = peers.map(|peer| (of(&peer.node), peer)).collect();
    let states = peers.iter().flat_map(|(of, peer)| state_set(of, &STATES, word(peer.state)));
    let seen = peers.iter().filter_map(|(of, peer)| Some((of.clone(), peer.last_success?)));
    let behind = peers.iter().filter_map(|(of, peer)| Some((of.clone(), *lags.get(&peer.node)?)));
    let clocks =
        peers.iter().filter_map(|(of, peer)| Some((of.clone(), seconds(peer.clock_delta?))));
    let relays = outward.relayed();
    let relays = relays.iter().map(|relay| (of(&relay.node), relay.trouble.is_none()));
    vec![
        Figure::gauge("peers", "Nodes that are followed").value(all.len() as u64),
        Figure::gauge("peer_state", "How it goes with a node that is followed: 1 for its state")
            .lines(states),
        Figure::gauge("peer_last_success_timestamp", "When a round with a node last ended well")
            .in_seconds()
            .lines(seen),
        Figure::gauge("peer_lag", "Entries that a node says its public feeds have and we do not")
            .in_unit(Unit::Other("entries".to_owned()))
            .lines(behind),
        Figure::gauge("peer_clock_ahead", "By how much the clock of a node is ahead of ours")
            .in_unit(Unit::Seconds)
            .lines(clocks),
        Figure::gauge("relay_in_step", "Whether a relay of this node has all of its feeds")
            .lines(relays),
        Figure::gauge(
            "network_as_of_timestamp",
            "When what is known of a network was last confirmed",
        )
        .in_seconds()
        .lines(networks(feeds, &all)),
        Figure::gauge("peers_left_out", "Nodes that are too many to have lines of their own here")
            .value(left_out as u64),
    ]
}

/// When others last saw its feed, or when it was last compared with its source: the later of the two.
fn networks(feeds: &Feeds, peers: &[Peer]) -> Vec<(Labels, u64)> {
    let mut checked: BTreeMap<&Origin, u64> = BTreeMap::new();
    for feed in peers.iter().flat_map(|peer| &peer.feeds) {
        let newest = checked.entry(&feed.origin).or_default();
        *newest = (*newest).max(feed.last_success.unwrap_or_default());
    }
    let networks = feeds.networks();
    let lines = networks.iter().filter_map(|network| {
        let origin = network.origin();
        let as_of = match origin.node() == feeds.node() {
            true => feeds.clock().now(),
            false => feeds
                .median_time(origin)
                .max(checked.get(origin).copied().filter(|time| *time > 0))
                .or_else(|| feeds.view(origin).map(|view| view.received_at))?,
        };
        Some((vec![("network", origin.to_string())], as_of))
    });
    lines.take(NODES_MAX).collect()
}

fn of(node: &NodeName) -> Labels {
    vec![("peer", node.to_string())]
}

fn word(state: PeerState) -> &'static str {
    match state {
        PeerState::New => "new",
        PeerState::Healthy => "healthy",
        PeerState::Failing => "failing",
        PeerState::Dormant => "dormant",
    }
}

/// Differences of clocks are far below what a float holds exactly; a wrong one is wrong enough.
fn seconds(delta: i64) -> f64 {
    f64::from(i32::try_from(delta).unwrap_or(if delta < 0 { i32::MIN } else { i32::MAX }))
}

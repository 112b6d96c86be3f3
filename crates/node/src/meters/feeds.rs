//! The feeds that are held: how long they are, whether ours may be signed, who has received them.

use feed::feeds::{FeedState, Feeds, GuardState, View};
use prometheus_client::registry::Unit;
use tlog::name::Origin;

use super::figure::{Figure, Labels};

/// Feeds with lines of their own: twice what a hub of all mechanisms follows.
pub(super) const FEEDS_MAX: usize = 1_024;

/// Everything about feeds.
pub(super) fn figures(feeds: &Feeds) -> Vec<Figure> {
    // Our own first.
    let public: Vec<Origin> = public(feeds).collect();
    let shown = public.iter().take(FEEDS_MAX);
    let views: Vec<_> = shown.filter_map(|origin| feeds.view(origin)).collect();
    let own = || views.iter().filter(|view| view.own);
    let delivered: Vec<_> = own()
        .filter_map(|view| {
            let delivery = feeds.delivery(&view.origin, view.size().checked_sub(1)?);
            let (has, waits) = (delivery.received.len() as u64, delivery.waiting.len() as u64);
            Some((of(&view.origin), has.saturating_add(waits), waits))
        })
        .collect();
    let stopped = views.iter().filter(|view| !view.own && !goes_on(&view.state)).count();
    let faults = feeds.faults();
    let open = faults.iter().filter(|known| known.settled.is_none()).count();
    vec![
        Figure::gauge("feed_size", "Entries of a public feed that are held")
            .lines(views.iter().map(|view| (of(&view.origin), view.size()))),
        Figure::gauge("feed_missing", "Bodies of a public feed that no node has brought yet")
            .in_unit(Unit::Other("bodies".to_owned()))
            .lines(views.iter().map(|view| (of(&view.origin), view.missing.len() as u64))),
        Figure::gauge("feed_signable", "Whether a feed of this node may be signed (1) or not (0)")
            .lines(own().map(|view| (of(&view.origin), is_signable(feeds, view)))),
        Figure::gauge(
            "receipts_expected",
            "Nodes that are expected to receive a feed of this node",
        )
        .lines(delivered.iter().map(|(labels, all, _)| (labels.clone(), *all))),
        Figure::gauge(
            "receipts_missing",
            "Nodes among them that have not said yet that they have all of it, erasures done",
        )
        .lines(delivered.iter().map(|(labels, _, waits)| (labels.clone(), *waits))),
        Figure::gauge(
            "feeds_stopped",
            "Copies of public feeds that stand still until somebody decides",
        )
        .value(stopped as u64),
        Figure::counter(
            "equivocations",
            "Owners and witnesses proven to have signed two histories",
        )
        .value(faults.len() as u64),
        Figure::gauge("equivocations_open", "Of these, the ones nobody has decided about")
            .value(open as u64),
        Figure::gauge(
            "feeds_left_out",
            "Public feeds that are too many to have lines of their own here",
        )
        .value(public.len().saturating_sub(FEEDS_MAX) as u64),
    ]
}

/// The feeds that may be named.
pub(super) fn public(feeds: &Feeds) -> impl Iterator<Item = Origin> {
    feeds.origins().into_iter().filter(|origin| !origin.feed().is_restricted())
}

fn of(origin: &Origin) -> Labels {
    vec![("origin", origin.to_string())]
}

fn goes_on(state: &FeedState) -> bool {
    matches!(state, FeedState::Open | FeedState::Continued { .. })
}

fn is_signable(feeds: &Feeds, view: &View) -> bool {
    let guarded = matches!(
        feeds.guard(&view.origin),
        GuardState::ReadOnly { .. } | GuardState::Asking { strict: true, .. }
    );
    goes_on(&view.state) && !guarded
}

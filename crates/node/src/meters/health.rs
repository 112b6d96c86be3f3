//! This node: whether it is ready, its keys and dates, its search index, who waits, what was logged.

use std::collections::BTreeMap;

use feed::row::second_of;
use feed::search::Search as _;
use search::Index;
use web::App;
use web::upkeep::Upkeep as _;

use super::figure::{Figure, Labels, state_set};
use crate::log;
use crate::upkeep::{Keeper, UNREADY};

/// All states of the online secret, as `keys status` says them.
const KEY_STATES: [&str; 3] = ["open", "locked", "lost"];

/// Everything about this node itself.
pub(super) fn figures(app: &App, keeper: &Keeper, index: &Index) -> Vec<Figure> {
    let unready = keeper.unready();
    let reasons = UNREADY.iter().map(|what| {
        let is = unready.iter().any(|one| one.what == *what);
        (vec![("reason", (*what).to_owned())], is)
    });
    let progress = index.progress();
    let behind = second_of(progress.of).saturating_sub(second_of(progress.sequence));
    let logged = log::counts().map(|(level, count)| (vec![("level", level.to_owned())], count));
    let mut figures = dates(keeper);
    figures.extend([
        Figure::gauge(
            "unready",
            "Reasons why the node cannot do all that it should: 1 if it is so",
        )
        .lines(reasons),
        Figure::gauge("search_lag", "By how much the search index is behind the feeds")
            .in_seconds()
            .value(behind),
        Figure::gauge("http_waiting_readers", "Requests held until there is news")
            .value(app.waiting_readers() as u64),
        Figure::counter(
            "log_events",
            "Lines of the log of this process that somebody should look at",
        )
        .lines(logged),
    ]);
    figures
}

fn dates(keeper: &Keeper) -> Vec<Figure> {
    let status = keeper.keys().ok();
    let keys = status.iter().flat_map(|status| &status.keys);
    let keys = keys.map(|key| (vec![("use", key.usage.clone())], key.due));
    let state = status.iter().flat_map(|status| {
        state_set(&Labels::new(), &KEY_STATES, &status.state).collect::<Vec<_>>()
    });
    let mut soonest: BTreeMap<String, u64> = BTreeMap::new();
    let mut waiting = 0_u64;
    for date in keeper.calendar().dates {
        if date.what == "decision" {
            // What counts is how many; the alarm gives them a week too.
            waiting = waiting.saturating_add(1);
            continue;
        }
        let first = soonest.entry(date.what).or_insert(u64::MAX);
        *first = date.at.min(*first);
    }
    let certificate = soonest.get("certificate").copied();
    let all = soonest.into_iter().map(|(what, at)| (vec![("what", what)], at));
    vec![
        Figure::gauge("keys_state", "Whether the keys of this node can be used: 1 for the state")
            .lines(state),
        Figure::gauge("key_expiry_timestamp", "When a key of this node is to be changed")
            .in_seconds()
            .lines(keys),
        Figure::gauge("certificate_expiry_timestamp", "When the certificate of this node ends")
            .in_seconds()
            .value_if(certificate),
        Figure::gauge(
            "calendar_timestamp",
            "The soonest date of each kind: keys, certificate, former-key, recovery",
        )
        .in_seconds()
        .lines(all),
        Figure::gauge("decisions_waiting", "Decisions of networks that wait for this node")
            .value(waiting),
    ]
}

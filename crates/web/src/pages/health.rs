//! The operator's page: how this node stands, what is due when, what fails and what to do about it. It
//! shows what is known and asks nobody. What a program found in words stays in English, marked as such.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tlog::name::NodeName;
use wire::api::keys::{Calendar, DateLine, Finding, KeysStatus};
use wire::api::status::{NetworkLine, NodeStatus, OwnFeed};
use wire::paths;

use super::{Frame, Reader, node_name};
use crate::answer::Answer;
use crate::app::App;
use crate::operator::status::gather;
use crate::texts::Texts;

/// What the calendar speaks of, as the texts know it.
const DATES: [&str; 5] = ["keys", "former-key", "certificate", "recovery", "decision"];

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    as_of: String,
    is_well: bool,
    feeds: Vec<FeedRow>,
    keys: Option<KeysLine>,
    dates: Vec<DateRow>,
    networks: Vec<NetworkRow>,
    failing: Vec<PeerRow>,
    /// The pages of feeds of which two versions were signed.
    faults: Vec<(String, String)>,
    findings: Vec<Finding>,
}

struct FeedRow {
    href: String,
    origin: String,
    entries: String,
    received: String,
    seen: String,
    signing: String,
    /// Why it may not be signed, in English.
    reason: String,
}

struct KeysLine {
    state: String,
    fingerprint: String,
    /// A step that is open, in English.
    open_step: Option<String>,
}

struct DateRow {
    date: String,
    state: String,
    what: String,
    about: String,
    todo: String,
}

struct NetworkRow {
    href: String,
    name: String,
    as_of: String,
    /// What waits, in English.
    waits: Vec<String>,
}

struct PeerRow {
    href: String,
    name: String,
    since: String,
    /// In English.
    reason: String,
}

/// `GET /status`
pub(crate) async fn health(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let status = gather(&app).await?;
    let texts = reader.texts;
    let peers = status.failing.iter().map(|peer| PeerRow {
        href: paths::node(&peer.node),
        name: node_name(&app, &peer.node, texts),
        since: peer.last_success.map_or_else(|| texts.get("status-new"), |time| texts.time(time)),
        reason: peer.reason.clone(),
    });
    let page = HealthPage {
        frame: reader.frame(&app, None),
        as_of: texts.with("status-checked", &[("time", &texts.time(status.at))]),
        is_well: status.is_well(),
        feeds: status.feeds.iter().map(|own| feed(own, texts)).collect(),
        keys: status.keys.as_ref().map(|keys| keys_line(keys, texts)),
        dates: dates(&status, texts),
        networks: status.networks.iter().map(|one| network(&app, one, texts)).collect(),
        failing: peers.collect(),
        faults: status.faults.iter().map(|one| (paths::feed(one), one.to_string())).collect(),
        findings: status.findings,
    };
    reader.page(&page)
}

fn feed(own: &OwnFeed, texts: &Texts) -> FeedRow {
    let received = own.delivery.as_ref().map(|delivery| {
        let (count, of) = (delivery.count.to_string(), delivery.of.to_string());
        texts.with("history-received", &[("count", &count), ("of", &of)])
    });
    let waiting = own.delivery.as_ref().map(|delivery| names(&delivery.waiting, texts));
    let waiting = waiting.filter(|names| !names.is_empty());
    let waiting = waiting.map(|names| format!(" ({}: {names})", texts.get("history-who-not")));
    let is_open = own.feed.state == "open";
    let signing = match (own.guard.state.as_str(), is_open) {
        ("open", true) => "health-signing-open",
        ("asking", true) => "health-signing-asking",
        _ => "health-signing-none",
    };
    let reason = own.guard.reason.clone().unwrap_or_else(|| own.feed.words.clone());
    FeedRow {
        href: paths::feed(&own.feed.origin),
        origin: own.feed.origin.to_string(),
        entries: texts.count("entries", own.feed.size),
        received: received.unwrap_or_default() + &waiting.unwrap_or_default(),
        seen: own.feed.seen.map_or_else(|| texts.get("status-new"), |time| texts.time(time)),
        signing: texts.get(signing),
        reason,
    }
}

fn names(nodes: &[NodeName], texts: &Texts) -> String {
    texts.listed(&nodes.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn keys_line(keys: &KeysStatus, texts: &Texts) -> KeysLine {
    let state = match keys.state.as_str() {
        "open" => "health-keys-open",
        "locked" => "health-keys-locked",
        _ => "health-keys-lost",
    };
    KeysLine {
        state: texts.get(state),
        fingerprint: keys.root_fingerprint.clone(),
        open_step: keys.open_step.clone(),
    }
}

fn dates(status: &NodeStatus, texts: &Texts) -> Vec<DateRow> {
    let Calendar { dates } = &status.calendar;
    dates.iter().map(|date| date_row(date, status.keys.as_ref(), texts)).collect()
}

fn date_row(date: &DateLine, keys: Option<&KeysStatus>, texts: &Texts) -> DateRow {
    let state = match date.state.as_str() {
        "over" => "health-over",
        "soon" => "health-soon",
        _ => "health-fine",
    };
    let contested = keys.is_some_and(|keys| {
        let of = |node: &NodeName| node.as_str() == date.about;
        keys.recoveries.iter().any(|recovery| recovery.contested && of(&recovery.node))
    });
    // A date of a kind that the texts do not know yet keeps the program's words.
    let known = DATES.contains(&date.what.as_str());
    let todo = match (date.what.as_str(), contested) {
        ("recovery", true) => texts.get("health-do-contested"),
        (what, _) if known => texts.get(&format!("health-do-{what}")),
        _ => date.words.clone(),
    };
    DateRow {
        date: texts.time(date.at),
        state: texts.get(state),
        what: if known {
            texts.get(&format!("health-what-{}", date.what))
        } else {
            date.what.clone()
        },
        about: date.about.clone(),
        todo,
    }
}

fn network(app: &App, one: &NetworkLine, texts: &Texts) -> NetworkRow {
    let mut waits: Vec<String> = one.pending.iter().map(|pending| pending.what.clone()).collect();
    waits.extend(one.conflicts.iter().map(|conflict| {
        format!("{} is pinned here to another root than the network says", conflict.node)
    }));
    waits.extend(one.waiting.iter().cloned());
    NetworkRow {
        href: paths::network(one.origin.node()),
        name: node_name(app, one.origin.node(), texts),
        as_of: one.as_of.map_or_else(
            || texts.get("status-new"),
            |time| texts.with("status-checked", &[("time", &texts.time(time))]),
        ),
        waits,
    }
}

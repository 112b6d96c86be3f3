//! `GET /api/v1/networks`: what is known of networks, for everybody; what to do about it, for the operator.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::network::fold::{self, Network};
use ::network::subject::PolicySubject;
use ::network::times;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use practice::body::Body;
use practice::kind::Kind;
use serde_json::Value;
use tlog::name::NodeName;
use wire::api::network::{self as api, Member};

use super::{body_at, own_record};
use crate::answer::Answer;
use crate::api::{followed, json};
use crate::app::App;
use crate::caller::Caller;

/// `GET /api/v1/networks`
pub(crate) async fn networks(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let mut networks = Vec::new();
    for network in app.feeds.networks() {
        networks.push(describe(&app, &network, &caller).await?);
    }
    Ok(json(&api::Networks { networks }, &headers))
}

/// One network, as this node sees it.
pub(crate) async fn describe(
    app: &App,
    network: &Arc<Network>,
    caller: &Caller,
) -> Result<api::Network, Answer> {
    let origin = network.origin();
    let policy = network.policy();
    let as_of = as_of(app, network, caller);
    let own = origin.node() == app.feeds.node();
    let mut participants = Vec::new();
    for one in network.participants() {
        participants.push(participant(app, network, one).await?);
    }
    let groups = network.groups().filter(|group| !group.subject.members.is_empty());
    let file = app.feeds.network_file(origin);
    let mut described = api::Network {
        origin: origin.clone(),
        own,
        fingerprint: file.map(|file| file.fingerprint()).unwrap_or_default(),
        size: app.feeds.view(origin).map(|view| view.size()).unwrap_or_default(),
        as_of,
        stale: !own && times::is_stale(as_of, app.feeds.clock().now()),
        committee: policy.map(|one| one.committee.iter().map(member).collect()).unwrap_or_default(),
        threshold: policy.map(|one| one.threshold as u64).unwrap_or_default(),
        participants,
        groups: groups.map(group).collect(),
        pending: pending(app, network).await?,
        conflicts: Vec::new(),
        waiting: Vec::new(),
    };
    if caller.is_operator() {
        described.conflicts = conflicts(app, network);
        described.waiting = waiting(app, network, &described)?;
    }
    Ok(described)
}

/// When the network's feed was last seen by others, or last compared with its source: whichever is later,
/// for cosigners sign a feed that rests only every eight hours.
fn as_of(app: &App, network: &Network, caller: &Caller) -> Option<u64> {
    let origin = network.origin();
    if origin.node() == app.feeds.node() {
        return Some(app.feeds.clock().now());
    }
    let median = app.feeds.median_time(origin);
    let peers = followed(app, caller).peers;
    let checked = peers.iter().flat_map(|peer| &peer.feeds).filter(|feed| feed.origin == *origin);
    let checked = checked.filter_map(|feed| feed.last_success).max();
    median.max(checked).or_else(|| app.feeds.view(origin).map(|view| view.received_at))
}

/// A member of a committee.
pub(super) fn member(member: &fold::Member) -> Member {
    Member { node: member.node.clone(), root: member.root.to_did() }
}

async fn participant(
    app: &App,
    network: &Network,
    one: &fold::Participant,
) -> Result<api::Participant, Answer> {
    let body = body_at(app, network.origin(), one.index).await.ok();
    let decision = body.and_then(|body| body.subject().get("decision").cloned());
    Ok(api::Participant {
        node: one.node.clone(),
        names: one.record.names.clone(),
        state: one.record.state.clone(),
        status: one.status.as_str().to_owned(),
        status_reason: one.status_reason.clone(),
        root: one.root.to_did(),
        succeeds: one.succeeds.clone(),
        succeeded_by: one.succeeded_by.clone(),
        reinstated: !one.reinstated.is_empty(),
        id: one.id,
        index: one.index,
        decision,
    })
}

fn group(group: &fold::Group) -> api::Group {
    api::Group {
        id: group.id,
        names: group.subject.names.clone(),
        members: group.subject.members.clone(),
    }
}

/// What is not decided yet.
pub(super) async fn pending(app: &App, network: &Network) -> Result<Vec<api::Pending>, Answer> {
    let mut all = Vec::new();
    for one in open(network) {
        let body = body_at(app, network.origin(), one.index).await?;
        all.push(told(one, &body));
    }
    Ok(all)
}

/// What waits and is wanted: a version that a newer one replaced is not.
pub(super) fn open(network: &Network) -> impl DoubleEndedIterator<Item = &fold::Pending> {
    network.pending().iter().filter(|one| !one.superseded)
}

/// One record that waits, in words.
pub(super) fn told(one: &fold::Pending, body: &Body) -> api::Pending {
    // Before the first policy the committee is known by its roots; the policy that waits has the names.
    let policy = PolicySubject::from_body(body).ok();
    let members = policy.map(|policy| policy.committee).unwrap_or_default();
    let named = |missing: &fold::Member| {
        let named = members.iter().find(|member| member.root == missing.root);
        missing.node.clone().or_else(|| named.map(|member| member.node.clone()))
    };
    let missing: BTreeSet<NodeName> = one.missing.iter().filter_map(named).collect();
    let note = one.effective_at.map(|at| {
        format!(
            "enough have approved; a root key given back by the committee counts from {}",
            feed::feeds::timestamp(at)
        )
    });
    api::Pending {
        index: one.index,
        id: one.id,
        kind: one.kind.clone(),
        version: one.version,
        body: one.body,
        what: what(&one.kind, body.subject()),
        approved_by: one.approved_by.clone(),
        missing: missing.into_iter().collect(),
        needed: one.approved_by.len() as u64 + one.needed as u64,
        note,
    }
}

/// What a record of a network does, in words.
pub(super) fn what(kind: &Kind, subject: &Value) -> String {
    let text = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| {
        let items = subject.get(name).and_then(Value::as_array).into_iter().flatten();
        let name = |item: &Value| {
            item.as_str().or_else(|| item.get("node")?.as_str()).unwrap_or_default().to_owned()
        };
        items.map(name).collect::<Vec<_>>().join(", ")
    };
    if *kind == Kind::POLICY {
        let threshold = subject.get("threshold").and_then(Value::as_u64).unwrap_or_default();
        return format!("{threshold} of {} decide from then on", list("committee"));
    }
    if *kind == Kind::GROUP {
        let names = subject.get("names").and_then(Value::as_object);
        let name = names.and_then(|names| names.get("en").or_else(|| names.values().next()));
        let name = name.and_then(Value::as_str).unwrap_or_default();
        return match list("members") {
            members if members.is_empty() => format!("the group {name} is dissolved"),
            members => format!("the group {name} is {members}"),
        };
    }
    let node = text("node");
    let root = subject.pointer("/node_record/credentialSubject/root").and_then(Value::as_str);
    let root = root.map(|root| format!(", with the root key {root}")).unwrap_or_default();
    let reinstated = subject.get("reinstated").and_then(Value::as_bool) == Some(true);
    match (text("status"), text("succeeds")) {
        _ if reinstated => format!("{node} is given back its place by the committee{root}"),
        ("paused", _) => format!("the participation of {node} is paused"),
        ("ended", _) => format!("the participation of {node} ends"),
        (_, "") => format!("{node} takes part{root}"),
        (_, old) => format!("{node} takes over from {old}{root}"),
    }
}

/// Nodes that are pinned here by hand, or by another network, to another root than this one states; and
/// what its own records contradict.
fn conflicts(app: &App, network: &Network) -> Vec<api::RootConflict> {
    let here = app.feeds.root_conflicts().into_iter();
    let here = here.filter(|conflict| conflict.network == *network.origin());
    let here = here.map(|conflict| (conflict.node, conflict.pinned, conflict.stated));
    let inside = network.conflicts().iter().filter_map(|conflict| match conflict {
        fold::Conflict::Root { node, held, claimed, .. } => Some((node.clone(), *held, *claimed)),
        fold::Conflict::Key { .. } => None,
    });
    let all = here.chain(inside).map(|(node, pinned, stated)| api::RootConflict {
        node,
        pinned: pinned.to_did(),
        stated: stated.to_did(),
    });
    all.collect()
}

/// What this node waits for, and what waits for this node.
fn waiting(app: &App, network: &Network, told: &api::Network) -> Result<Vec<String>, Answer> {
    let mut lines = Vec::new();
    let own = own_record(app)?;
    let name: &NodeName = app.feeds.node();
    if app.feeds.view(network.origin()).is_none() {
        lines.push(format!(
            "the feed of {} has not arrived yet; `jopoi peers` says why",
            network.origin()
        ));
    }
    let mine = network
        .policy()
        .is_some_and(|policy| policy.committee.iter().any(|member| member.root == own.root));
    for (one, told) in open(network).zip(&told.pending) {
        if one.missing.iter().any(|member| member.root == own.root) {
            lines.push(format!("your approval: {} (`jopoi approve {}`)", told.what, one.id));
        }
    }
    let registering = |one: &&fold::Pending| one.node.as_ref() == Some(name);
    let asked = own.networks.contains(network.origin());
    match (network.participant(name), open(network).find(registering)) {
        // What was given back by the committee waits for its time alone.
        (_, Some(one)) if one.needed > 0 => {
            let missing: Vec<String> = one
                .missing
                .iter()
                .filter_map(|one| one.node.as_ref())
                .map(ToString::to_string)
                .collect();
            lines.push(format!(
                "{} more of the committee must approve what is recorded of this node: {}",
                one.needed,
                missing.join(", ")
            ));
        }
        (None, None) if asked && !told.own => lines.push(format!(
            "{} has not recorded this node yet: mail it the file that `jopoi join` wrote",
            network.origin().node()
        )),
        _ => {}
    }
    let open = network.refused().iter().filter(|refused| !refused.replaced);
    for refused in open.filter(|_| told.own || mine) {
        lines.push(format!("entry {} cannot take effect: {}", refused.index, refused.reason));
    }
    Ok(lines)
}

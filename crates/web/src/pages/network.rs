//! The page of a network: who takes part, who decides, how fresh that is. Statuses are of nodes, never of
//! States, and nothing is compared or counted.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use network::fold;
use practice::vocabulary::{self, Vocabulary};
use tlog::name::NodeName;
use tlog::name::{FeedName, Origin};
use wire::api::network as api;
use wire::paths;

use super::{Frame, Reader, best_name, node_name};
use crate::answer::Answer;
use crate::app::App;
use crate::operator::network::status;
use crate::params::Params;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "network.html")]
struct NetworkPage {
    frame: Frame,
    name: String,
    node: String,
    as_of: Option<String>,
    stale: bool,
    participants: Vec<ParticipantLine>,
    decided: String,
    committee: Vec<String>,
    groups: Vec<GroupLine>,
    pending: Vec<PendingLine>,
    /// For the operator: nodes held here with another root key than the network names.
    conflicts: Vec<api::RootConflict>,
    fingerprint: String,
    feed: String,
}

/// A node that takes part.
struct ParticipantLine {
    href: String,
    name: String,
    node: String,
    speaks_for: String,
    status: String,
    /// Why it paused or ended, successions, and a root that the committee gave back.
    notes: Vec<String>,
    /// The record that says so.
    record: String,
}

struct GroupLine {
    href: String,
    name: String,
    members: String,
}

/// A record that is not in effect yet.
struct PendingLine {
    href: String,
    kind: String,
    notes: Vec<String>,
}

/// `GET /networks/NODE`
pub(crate) async fn network(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let node = params.node()?;
    let origin = Origin::new(node.clone(), FeedName::public());
    let network = app.feeds.network(&origin);
    let network = network.ok_or_else(|| Answer::not_found(format!("network `{node}`")))?;
    let told = status::describe(&app, &network, &reader.caller).await?;
    let texts = reader.texts;
    let mut participants: Vec<ParticipantLine> =
        told.participants.iter().map(|one| line(&app, &origin, one, texts)).collect();
    texts.sort_by_name(&mut participants, |line| &line.name);
    let count = told.committee.len().to_string();
    let threshold = told.threshold.to_string();
    let member = |member: &api::Member| match &member.node {
        Some(node) => node_name(&app, node, texts),
        None => member.root.clone(),
    };
    let mut committee: Vec<String> = told.committee.iter().map(member).collect();
    texts.sort_by_name(&mut committee, |name| name);
    let mut groups: Vec<GroupLine> =
        told.groups.iter().map(|one| group(&app, &node, one, texts)).collect();
    texts.sort_by_name(&mut groups, |line| &line.name);
    // A version that a newer one replaced waits for nobody.
    let wanted = network.pending().iter().filter(|one| !one.superseded);
    let pending = wanted.map(|one| pending(&app, &origin, one, texts)).collect();
    let page = NetworkPage {
        frame: reader.frame(&app, Some(&node)),
        name: node_name(&app, &node, texts),
        node: node.to_string(),
        as_of: told.as_of.map(|time| texts.with("status-checked", &[("time", &texts.time(time))])),
        stale: told.stale,
        participants,
        decided: texts.with("network-decided", &[("threshold", &threshold), ("count", &count)]),
        committee,
        groups,
        pending,
        conflicts: told.conflicts,
        fingerprint: told.fingerprint,
        feed: paths::feed(&origin),
    };
    reader.page(&page)
}

fn line(app: &App, origin: &Origin, one: &api::Participant, texts: &Texts) -> ParticipantLine {
    let state = one.state.as_deref();
    let state = state.map(|state| vocabulary::states().label(state, texts.code()).to_owned());
    let own = best_name(&one.names, texts).unwrap_or_else(|| one.node.to_string());
    let status = label("participation-statuses", &one.status, texts);
    let name_of = |node| node_name(app, node, texts);
    let reason = one.status_reason.as_ref();
    let reason = reason.map(|reason| label("participation-reasons", reason, texts));
    let mut notes: Vec<String> = reason.into_iter().collect();
    if let Some(old) = &one.succeeds {
        notes.push(texts.with("network-succeeds", &[("node", &name_of(old))]));
    }
    if let Some(new) = &one.succeeded_by {
        notes.push(texts.with("network-succeeded-by", &[("node", &name_of(new))]));
    }
    if one.reinstated {
        notes.push(texts.get("network-reinstated"));
    }
    ParticipantLine {
        href: paths::node(&one.node),
        name: own,
        node: one.node.to_string(),
        speaks_for: state.unwrap_or_default(),
        status,
        notes,
        record: paths::record(origin, &one.id),
    }
}

fn group(app: &App, network: &NodeName, one: &api::Group, texts: &Texts) -> GroupLine {
    let mut members: Vec<String> =
        one.members.iter().map(|node| node_name(app, node, texts)).collect();
    texts.sort_by_name(&mut members, |name| name);
    GroupLine {
        href: paths::site::group(network, &one.id),
        name: best_name(&one.names, texts).unwrap_or_default(),
        members: texts.listed(&members),
    }
}

fn pending(app: &App, origin: &Origin, one: &fold::Pending, texts: &Texts) -> PendingLine {
    let named = |key, nodes: &mut dyn Iterator<Item = &NodeName>| {
        let names: Vec<String> = nodes.map(|node| node_name(app, node, texts)).collect();
        (!names.is_empty()).then(|| texts.with(key, &[("nodes", &texts.listed(&names))]))
    };
    let about = one.node.as_ref().map(|node| node_name(app, node, texts));
    let approved = named("network-approved", &mut one.approved_by.iter());
    let not_yet =
        || named("network-missing", &mut one.missing.iter().filter_map(|one| one.node.as_ref()));
    let rest = match one.effective_at {
        Some(time) => Some(texts.with("network-counts-from", &[("time", &texts.time(time))])),
        None => not_yet(),
    };
    PendingLine {
        href: paths::record(origin, &one.id),
        kind: label("record-kinds", one.kind.as_str(), texts),
        notes: [about, approved, rest].into_iter().flatten().collect(),
    }
}

/// The name of a code of a vocabulary.
fn label(vocabulary: &str, code: &str, texts: &Texts) -> String {
    let terms = Vocabulary::get(vocabulary);
    terms.map_or_else(|| code.to_owned(), |terms| terms.label(code, texts.code()).to_owned())
}

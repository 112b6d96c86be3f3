//! What a network decides, each as a record in its own feed.

use std::collections::BTreeSet;

use ::network::fold::{Network, Participant};
use ::network::join;
use ::network::subject::{GroupSubject, ParticipantSubject, PolicySubject, Status, to_embed};
use axum::extract::{Request, State};
use axum::response::Response;
use feed::bundle::{self, ItemKind};
use http::HeaderMap;
use practice::date::is_date;
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use practice::vocabulary::Vocabulary;
use serde_json::Value;
use tlog::key::VerifierKey;
use tlog::name::NodeName;
use wire::api::network::{Change, DecideAnswer, DecideRequest, Texts};

use super::{approve, bad, body_at, committee, decode, node_record, own_network, publish, status};
use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// Records of one node that a request may hold: the newest, and those that led to it.
const REQUEST_RECORDS_MAX: usize = 64;

/// A record to publish.
struct Proposal {
    kind: Kind,
    id: Option<RecordId>,
    subject: Value,
}

/// `POST /api/v1/network/decide`
pub(crate) async fn decide(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: DecideRequest = params::json(request).await?;
    let network = own_network(&app)?;
    if let Some(waiting) = network.pending_policy() {
        return Err(Answer::bad(format!(
            "a change of those who decide waits ({}): nothing else is proposed until it is decided; \
             `jopoi network status` says for whom it waits",
            waiting.id
        )));
    }
    dated(request.decision.as_ref())?;
    let proposals = proposals(&app, &network, &request).await?;
    let mut answer = DecideAnswer {
        what: proposals.iter().map(|one| status::what(&one.kind, &one.subject)).collect(),
        subjects: proposals.iter().map(|one| one.subject.clone()).collect(),
        published: Vec::new(),
        approved_here: false,
        pending: Vec::new(),
    };
    if !request.dry_run {
        let alone = is_alone(&app, &network)?;
        for one in proposals {
            let published = publish(&app, one.kind, one.id, one.subject).await?;
            if alone {
                approve::in_own_feed(&app, &published).await?;
            }
            answer.published.push(super::super::entry(&app, &published));
        }
        answer.approved_here = alone;
        let told = status::pending(&app, &*own_network(&app)?).await?;
        let ours = |id: &RecordId| answer.published.iter().any(|entry| entry.id == *id);
        answer.pending = told.into_iter().filter(|one| ours(&one.id)).collect();
    }
    Ok(json(&answer, &HeaderMap::new()))
}

/// A decision is of a day that exists: what is published of it stays.
fn dated(decision: Option<&Value>) -> Result<(), Answer> {
    let date = decision.and_then(|decision| decision.get("date"));
    match date.map(|date| date.as_str().unwrap_or_default()) {
        Some(date) if date.len() != 10 || !is_date(date) => {
            Err(Answer::bad(format!("`{date}` is no day; write one as YYYY-MM-DD")))
        }
        _ => Ok(()),
    }
}

/// Whether this node alone decides.
fn is_alone(app: &App, network: &Network) -> Result<bool, Answer> {
    let own = super::own_record(app)?.root;
    let policy = network.policy();
    Ok(policy.is_some_and(|policy| policy.committee.iter().all(|member| member.root == own)))
}

async fn proposals(
    app: &App,
    network: &Network,
    request: &DecideRequest,
) -> Result<Vec<Proposal>, Answer> {
    let proposals = match &request.change {
        Change::Register { request: mailed } => vec![register(network, mailed, None)?],
        Change::Reinstate { node, request: mailed } => vec![reinstate(network, node, mailed)?],
        Change::Status { node, status, status_reason } => {
            vec![change_status(network, node, status, status_reason.clone())?]
        }
        Change::Succeed { old, new, request: mailed } => succeed(network, old, new, mailed)?,
        Change::Group { names, members } => vec![group(network, names, members)?],
        Change::Policy { committee: members, threshold, witnesses, quorum } => {
            let subject = PolicySubject {
                committee: committee(members)?,
                threshold: *threshold,
                witnesses: keys(witnesses)?,
                quorum: quorum.unwrap_or_default(),
                decision: None,
                reason: None,
            };
            subject.check().map_err(|error| bad(&error))?;
            let index = network.policy().and_then(|policy| policy.index);
            let id = match index {
                Some(index) => Some(body_at(app, network.origin(), index).await?.id()),
                None => None,
            };
            vec![Proposal { kind: Kind::POLICY, id, subject: subject.to_value() }]
        }
    };
    let dated = proposals.into_iter().map(|mut one| {
        if let (Some(members), Some(decision)) = (one.subject.as_object_mut(), &request.decision) {
            members.insert("decision".to_owned(), decision.clone());
        }
        let reason = serde_json::json!(request.reason);
        if let Some(members) = one.subject.as_object_mut().filter(|_| !request.reason.is_empty()) {
            members.insert("reason".to_owned(), reason);
        }
        one
    });
    Ok(dated.collect())
}

/// A node begins, comes back, or goes on with a new node record.
fn register(
    network: &Network,
    mailed: &str,
    succeeds: Option<NodeName>,
) -> Result<Proposal, Answer> {
    let records = records(network, mailed)?;
    let newest = newest(network, &records)?;
    let held = network.participant(&newest.node);
    if succeeds.is_none() && held.is_some_and(|held| says_nothing_new(held, newest)) {
        return Err(Answer::bad(format!(
            "`{}` takes part already, with this node record or a newer one: nothing is left to register",
            newest.node
        )));
    }
    let mut succession = None;
    if let Some(held) = held.filter(|held| held.root != newest.root) {
        let by = [Some(held.root), held.record.recovery];
        let proof = records.iter().find(|record| {
            record.root == newest.root && by.contains(&Some(record.body().issuer_key()))
        });
        succession = Some(to_embed(proof.ok_or_else(|| {
            Answer::bad(format!(
                "`{}` takes part with the root key {}, and the request is signed by {} without a word of the old \
                 key or the recovery key; if all were lost, identify them outside the system, then \
                 `jopoi network reinstate`",
                newest.node,
                held.root.to_did(),
                newest.root.to_did()
            ))
        })?));
    }
    let subject = ParticipantSubject {
        status: Status::Participating,
        status_reason: None,
        node_record: Some(to_embed(newest)),
        succeeds: succeeds.or_else(|| held.and_then(|held| held.succeeds.clone())),
        succession,
        ..blank(network, &newest.node)
    };
    Ok(participant(network, &subject))
}

/// Whether a request is one that was registered already.
fn says_nothing_new(held: &Participant, newest: &NodeRecord) -> bool {
    held.status == Status::Participating
        && held.root == newest.root
        && held.record.version() >= newest.version()
}

fn reinstate(network: &Network, node: &NodeName, mailed: &str) -> Result<Proposal, Answer> {
    let records = records(network, mailed)?;
    let newest = newest(network, &records)?;
    let held = known(network, node)?;
    if newest.node != *node || newest.root == held.root {
        return Err(Answer::bad(format!(
            "the request must be of `{node}`, signed by a new root key; with the old one `jopoi network register` is enough"
        )));
    }
    let subject = ParticipantSubject {
        node_record: Some(to_embed(newest)),
        succeeds: held.succeeds.clone(),
        reinstated: true,
        ..blank(network, node)
    };
    Ok(participant(network, &subject))
}

fn change_status(
    network: &Network,
    node: &NodeName,
    status: &str,
    reason: Option<String>,
) -> Result<Proposal, Answer> {
    let held = known(network, node)?;
    let status = serde_json::from_value::<Status>(Value::from(status));
    let status =
        status.map_err(|_| Answer::bad("a participation is participating, paused or ended"))?;
    if status == held.status {
        return Err(Answer::bad(format!(
            "the participation of `{node}` is {} already",
            status.as_str()
        )));
    }
    let reasons = Vocabulary::get("participation-reasons");
    if let Some(reason) = reason.as_deref()
        && !reasons.is_some_and(|reasons| reasons.contains(reason))
    {
        let known = reasons.into_iter().flat_map(Vocabulary::terms).map(|term| term.code.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(Answer::bad(format!("`{reason}` is no reason; write one of {known}")));
    }
    let subject = ParticipantSubject {
        status,
        status_reason: reason,
        node_record: Some(to_embed(&held.record)),
        succeeds: held.succeeds.clone(),
        ..blank(network, node)
    };
    Ok(participant(network, &subject))
}

fn succeed(
    network: &Network,
    old: &NodeName,
    new: &NodeName,
    mailed: &str,
) -> Result<Vec<Proposal>, Answer> {
    let begins = register(network, mailed, Some(old.clone()))?;
    if begins.subject.get("node").and_then(Value::as_str) != Some(new.as_str()) {
        return Err(Answer::bad(format!("the request is not of `{new}`")));
    }
    let mut proposals = Vec::new();
    if known(network, old)?.status != Status::Ended {
        let reason = Some("mechanism-changed".to_owned());
        proposals.push(change_status(network, old, Status::Ended.as_str(), reason)?);
    }
    proposals.push(begins);
    Ok(proposals)
}

fn group(network: &Network, names: &Texts, members: &[NodeName]) -> Result<Proposal, Answer> {
    for node in members {
        known(network, node)?;
    }
    let wanted: BTreeSet<&String> = names.values().collect();
    let mut groups = network.groups();
    let held = groups.find(|group| group.subject.names.values().any(|name| wanted.contains(name)));
    let mut all = held.map(|group| group.subject.names.clone()).unwrap_or_default();
    all.extend(names.clone());
    let subject =
        GroupSubject { names: all, members: members.to_vec(), decision: None, reason: None };
    subject.check().map_err(|error| bad(&error))?;
    let id = held.map(|group| group.id);
    Ok(Proposal { kind: Kind::GROUP, id, subject: subject.to_value() })
}

/// A participant record: one id for each node, whatever became of it.
fn participant(network: &Network, subject: &ParticipantSubject) -> Proposal {
    let held = network.participant(&subject.node).map(|one| one.id);
    let waiting = || {
        let of_node = |one: &&::network::fold::Pending| one.node.as_ref() == Some(&subject.node);
        network.pending().iter().find(of_node).map(|one| one.id)
    };
    let id = held.or_else(waiting);
    Proposal { kind: Kind::PARTICIPANT, id, subject: subject.to_value() }
}

fn blank(network: &Network, node: &NodeName) -> ParticipantSubject {
    ParticipantSubject {
        node: node.clone(),
        status: Status::Participating,
        network: network.origin().clone(),
        status_reason: None,
        node_record: None,
        succeeds: None,
        reinstated: false,
        succession: None,
        decision: None,
        reason: None,
    }
}

fn known<'a>(network: &'a Network, node: &NodeName) -> Result<&'a Participant, Answer> {
    network.participant(node).ok_or_else(|| {
        Answer::bad(format!(
            "`{node}` does not take part in this network; `jopoi network register` begins"
        ))
    })
}

/// The node records in a request.
fn records(network: &Network, mailed: &str) -> Result<Vec<NodeRecord>, Answer> {
    let items = bundle::read(&decode(mailed)?).map_err(|error| bad(&error))?;
    // An approval holds the node record of whoever approved, which names the network too.
    if items.iter().any(|item| item.kind != ItemKind::NodeRecord) {
        return Err(Answer::bad(
            "this is no request: an approval is taken by `jopoi network approvals import`, an answer by `jopoi join \
             --answer`",
        ));
    }
    let records = items.into_iter().filter(|item| item.kind == ItemKind::NodeRecord);
    let records = records.take(REQUEST_RECORDS_MAX).map(|item| item.bytes);
    let read: Result<Vec<NodeRecord>, Answer> = records.map(node_record).collect();
    let read = read?;
    if read.is_empty() {
        return Err(Answer::bad(format!(
            "the file holds no request to take part in {}",
            network.origin().node()
        )));
    }
    Ok(read)
}

/// The newest of them, by its own root and naming this network.
fn newest<'a>(network: &Network, records: &'a [NodeRecord]) -> Result<&'a NodeRecord, Answer> {
    let newest = records.iter().max_by_key(|record| record.version());
    let newest = newest.ok_or_else(|| Answer::bad("the file holds no request"))?;
    let request = join::Request {
        network: network.origin().clone(),
        node_record: newest.body().bytes().clone(),
    };
    request.check().map_err(|error| bad(&error))?;
    Ok(newest)
}

fn keys(texts: &[String]) -> Result<Vec<VerifierKey>, Answer> {
    texts.iter().map(|text| VerifierKey::parse(text).map_err(|error| bad(&error))).collect()
}

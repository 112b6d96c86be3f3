//! Approvals: given in this node's own feed, or taken from a file.

use std::sync::Arc;

use ::network::approval::About;
use ::network::fold::{Network, Pending};
use axum::extract::{Request, State};
use axum::response::Response;
use feed::feeds::{ApprovalError, Published, approvals_bundle};
use http::HeaderMap;
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::Value;
use wire::api::network::{
    self as api, ApproveAnswer, ApproveRequest, ImportApprovalsAnswer, ImportApprovalsRequest,
};

use super::{bad, body_at, decode, encode, own_record, publish, status};
use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// `POST /api/v1/network/approve`
pub(crate) async fn approve(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: ApproveRequest = params::json(request).await?;
    let Some((network, pending)) = find(&app, &request.record)? else {
        let answer = in_effect(&app, &request.record).await.ok_or_else(|| {
            Answer::bad(format!(
                "no record `{}` waits for approval here; `jopoi approve --list` shows those that do",
                request.record
            ))
        })?;
        return Ok(json(&answer, &HeaderMap::new()));
    };
    let origin = network.origin();
    let own = own_record(&app)?;
    let already = pending.approved_by.contains(app.feeds.node());
    if !already && !pending.missing.iter().any(|member| member.root == own.root) {
        return Err(Answer::bad(format!(
            "this node is not one of those that decide about this record of {}",
            origin.node()
        )));
    }
    let body = body_at(&app, origin, pending.index).await?;
    let mut answer = ApproveAnswer {
        network: origin.clone(),
        pending: status::told(&pending, &body),
        subject: shown(body.subject()),
        before: before(&app, &network, &pending).await,
        approved: None,
        evidence: None,
    };
    if already {
        // Whoever did not save it for mail saves it now, with the others that are known here.
        let approvals = app.feeds.approvals_of(origin, &pending.body).await;
        answer.evidence = Some(encode(&approvals_bundle(&approvals)));
    } else if let Some(confirmed) = request.body {
        if confirmed != pending.body {
            return Err(Answer::bad(
                "this record has changed since it was shown: look at it again before you approve it",
            ));
        }
        let about = About {
            feed: origin.clone(),
            id: pending.id,
            version: pending.version,
            body: pending.body,
        };
        let published = publish(&app, Kind::ATTESTATION, None, about.approving()).await?;
        let evidence = app.feeds.evidence(&published.origin, published.index).await?;
        answer.evidence = Some(encode(&approvals_bundle(&[evidence])));
        answer.approved = Some(super::super::entry(&app, &published));
    }
    Ok(json(&answer, &HeaderMap::new()))
}

/// `POST /api/v1/network/approvals`
pub(crate) async fn approvals(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Answer> {
    let request: ImportApprovalsRequest = params::json(request).await?;
    let bundle = decode(&request.bundle)?;
    let network = super::only_network(&app).or_else(|_| super::own_network(&app))?;
    let taken = app.feeds.take_approvals(network.origin(), &bundle).await.map_err(refused)?;
    let network = app.feeds.network(network.origin()).unwrap_or(network);
    let answer = ImportApprovalsAnswer {
        taken: taken.new,
        known: taken.known,
        refused: taken.refused,
        pending: status::pending(&app, &network).await?,
    };
    Ok(json(&answer, &HeaderMap::new()))
}

/// Approves in this node's own feed what it has just decided, as the only one who decides.
pub(super) async fn in_own_feed(app: &App, published: &Published) -> Result<(), Answer> {
    let body = published.body.ok_or_else(|| Answer::not_found("document"))?;
    let (feed, id, version) = (published.origin.clone(), published.id, published.version);
    let about = About { feed, id, version, body };
    publish(app, Kind::ATTESTATION, None, about.approving()).await?;
    Ok(())
}

/// A failure with approvals as an answer.
pub(super) fn refused(error: ApprovalError) -> Answer {
    match error {
        ApprovalError::Read(error) => error.into(),
        other => bad(&other),
    }
}

/// The one pending record whose id begins so; of two versions that wait, the newer one.
fn find(app: &App, record: &str) -> Result<Option<(Arc<Network>, Pending)>, Answer> {
    let wanted = record.trim_start_matches("urn:uuid:");
    let mut found: Vec<(Arc<Network>, Pending)> = Vec::new();
    for network in app.feeds.networks() {
        for pending in network.pending().iter().filter(|one| !one.superseded) {
            if begins(&pending.id, wanted) {
                found.retain(|(_, other)| other.id != pending.id);
                found.push((Arc::clone(&network), pending.clone()));
            }
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(Some(one)),
        (Some(_), false) => {
            Err(Answer::bad(format!("several records begin with `{record}`: give more of it")))
        }
        (None, _) => Ok(None),
    }
}

/// A record in effect that this node has approved, with what it has to mail.
async fn in_effect(app: &App, record: &str) -> Option<ApproveAnswer> {
    let wanted = record.trim_start_matches("urn:uuid:");
    for network in app.feeds.networks() {
        let participants = network.participants().map(|one| one.index);
        let groups = network.groups().map(|one| one.index);
        let policy = network.policy().and_then(|policy| policy.index);
        let indexes: Vec<u64> = participants.chain(groups).chain(policy).collect();
        for index in indexes {
            let Ok(body) = body_at(app, network.origin(), index).await else { continue };
            if !begins(&body.id(), wanted) {
                continue;
            }
            let approvals = app.feeds.approvals_of(network.origin(), &body.hash()).await;
            let mine = approvals.iter().any(|one| {
                let said = Body::open(one.body.clone()).ok();
                said.and_then(|said| said.feed().cloned())
                    .is_some_and(|feed| feed.node() == app.feeds.node())
            });
            if !mine {
                continue;
            }
            let pending = api::Pending {
                index,
                id: body.id(),
                kind: body.kind().clone(),
                version: body.version(),
                body: body.hash(),
                what: status::what(body.kind(), body.subject()),
                approved_by: vec![app.feeds.node().clone()],
                missing: Vec::new(),
                needed: approvals.len() as u64,
                note: None,
            };
            return Some(ApproveAnswer {
                network: network.origin().clone(),
                pending,
                subject: shown(body.subject()),
                before: None,
                approved: None,
                evidence: Some(encode(&approvals_bundle(&approvals))),
            });
        }
    }
    None
}

fn begins(id: &RecordId, wanted: &str) -> bool {
    !wanted.is_empty() && id.to_string().trim_start_matches("urn:uuid:").starts_with(wanted)
}

/// What the record says today.
async fn before(app: &App, network: &Network, pending: &Pending) -> Option<Value> {
    let participant = pending.node.as_ref().and_then(|node| network.participant(node));
    let group = network.group(&pending.id).map(|group| group.index);
    let policy = (pending.kind == Kind::POLICY).then(|| network.policy()?.index).flatten();
    let index = participant.map(|one| one.index).or(group).or(policy)?;
    let body = body_at(app, network.origin(), index).await.ok()?;
    Some(shown(body.subject()))
}

/// What is decided; the signed node record in it is told by its root, name and addresses.
fn shown(subject: &Value) -> Value {
    let mut shown = subject.clone();
    if let Some(members) = shown.as_object_mut() {
        for name in ["node_record", "succession"] {
            let inner =
                members.get(name).and_then(|record| record.get("credentialSubject")).cloned();
            if let Some(Value::Object(mut inner)) = inner {
                inner.retain(|member, _| member != "keys");
                members.insert(name.to_owned(), Value::Object(inner));
            }
        }
    }
    shown
}

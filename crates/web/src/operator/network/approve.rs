//! Approvals: given in this node's own feed, or taken from a file.

use std::sync::Arc;

use ::network::approval::About;
use ::network::fold::{Network, Pending};
use axum::extract::{Request, State};
use axum::response::Response;
use feed::feeds::{ApprovalError, Published, approvals_bundle};
use http::HeaderMap;
use practice::kind::Kind;
use serde_json::Value;
use wire::api::network::{
    ApproveAnswer, ApproveRequest, ImportApprovalsAnswer, ImportApprovalsRequest,
};

use super::{bad, body_at, decode, encode, own_record, publish, status};
use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// `POST /api/v1/network/approve`
pub(crate) async fn approve(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: ApproveRequest = params::json(request).await?;
    let (network, pending) = find(&app, &request.record)?;
    let origin = network.origin();
    let own = own_record(&app)?;
    if pending.approved_by.contains(app.feeds.node()) {
        return Err(Answer::bad("this node has approved that already"));
    }
    if !pending.missing.iter().any(|member| member.root == own.root) {
        return Err(Answer::bad(format!(
            "this node is not one of those that decide about this record of {}",
            origin.node()
        )));
    }
    let body = body_at(&app, origin, pending.index).await?;
    let told = status::pending(&app, &network).await?;
    let told = told.into_iter().find(|one| one.index == pending.index);
    let mut answer = ApproveAnswer {
        network: origin.clone(),
        pending: told.ok_or_else(|| Answer::not_found("such record"))?,
        subject: shown(body.subject()),
        before: before(&app, &network, &pending).await,
        approved: None,
        evidence: None,
    };
    if let Some(confirmed) = request.body {
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
fn find(app: &App, record: &str) -> Result<(Arc<Network>, Pending), Answer> {
    let wanted = record.trim_start_matches("urn:uuid:");
    let mut found: Vec<(Arc<Network>, Pending)> = Vec::new();
    for network in app.feeds.networks() {
        for pending in network.pending() {
            let id = pending.id.to_string();
            if !wanted.is_empty() && id.trim_start_matches("urn:uuid:").starts_with(wanted) {
                found.retain(|(_, other)| other.id != pending.id);
                found.push((Arc::clone(&network), pending.clone()));
            }
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => {
            Err(Answer::bad(format!("several records begin with `{record}`: give more of it")))
        }
        (None, _) => Err(Answer::not_found(format!(
            "record `{record}` waiting for approval; `jopoi approve --list` shows those that are"
        ))),
    }
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

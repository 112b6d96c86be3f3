//! What travels by mail: a request to take part, and the answer to it.

use ::network::approval::About;
use ::network::join;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use feed::bundle::{self, Item, ItemKind};
use feed::feeds::approvals_bundle;
use http::HeaderMap;
use tlog::name::{FeedName, Origin};
use wire::api::network::{AnswerRequest, JoinRequest, MailAnswer, TakeAnswerRequest};

use super::{
    approve, bad, body_at, decode, encode, node_record, own_network, own_record, status,
    todays_file,
};
use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// Node records in a request: the newest, and those that may have led to its root.
const RECORDS_MAX: usize = 8;

/// `POST /api/v1/network/join`
pub(crate) async fn join(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: JoinRequest = params::json(request).await?;
    if app.feeds.network(&request.network).is_none() {
        return Err(Answer::bad("compare the network's fingerprint first: `jopoi join FILE`"));
    }
    let mut record = own_record(&app)?;
    let mut reinstates = false;
    if let Some(signed) = &request.node_record {
        let signed = node_record(decode(signed)?)?;
        if signed.node != *app.feeds.node() {
            return Err(Answer::bad("this node record is of another node"));
        }
        reinstates = signed.root != record.root;
        if !reinstates {
            app.feeds.publish_node_record(signed.body().bytes().clone()).await?;
        }
        // By a root that is not in force: who asks for it publishes nothing before the committee decided.
        record = signed;
    }
    let asks = join::Request {
        network: request.network.clone(),
        node_record: record.body().bytes().clone(),
    };
    asks.check().map_err(|error| bad(&error))?;
    let origin = Origin::new(app.feeds.node().clone(), FeedName::public());
    let item = |number: usize, bytes: Bytes| Item {
        kind: ItemKind::NodeRecord,
        origin: origin.clone(),
        number: number as u64,
        bytes,
    };
    let view = app.feeds.view(&origin);
    let earlier = view.iter().flat_map(|view| view.keys.records().iter().rev());
    let earlier = earlier.map(|keyed| keyed.body.clone()).filter(|body| *body != asks.node_record);
    let all = std::iter::once(asks.node_record.clone()).chain(earlier).take(RECORDS_MAX);
    let items: Vec<Item> = all.enumerate().map(|(number, bytes)| item(number, bytes)).collect();
    let wish = if reinstates { "asks to be reinstated by" } else { "asks to take part in" };
    let what = format!(
        "{} {wish} {}, with the root key {}.",
        record.node,
        request.network.node(),
        record.root.to_did()
    );
    Ok(json(&MailAnswer { what, bundle: encode(&bundle::write(&items)) }, &HeaderMap::new()))
}

/// `POST /api/v1/network/answer`
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: AnswerRequest = params::json(request).await?;
    let network = own_network(&app)?;
    let origin = network.origin();
    let waiting =
        status::open(network.as_ref()).rfind(|one| one.node.as_ref() == Some(&request.node));
    let held = network.participant(&request.node);
    let index = waiting.map(|one| one.index).or_else(|| held.map(|one| one.index));
    let Some(index) = index else {
        return Err(Answer::bad(format!(
            "`{}` is not recorded in this network; `jopoi network register` does it, with its request",
            request.node
        )));
    };
    let body = body_at(&app, origin, index).await?;
    let proof = app.feeds.proof(origin, index).await?;
    let approvals = app.feeds.approvals_of(origin, &body.hash()).await;
    let item = |kind, number, bytes| Item { kind, origin: origin.clone(), number, bytes };
    let proven = bundle::body_with_proof(body.bytes(), &Bytes::from(proof));
    let items = [
        item(ItemKind::File, 0, todays_file(&app, origin).await?.bytes().clone()),
        item(ItemKind::NodeRecord, 0, own_record(&app)?.body().bytes().clone()),
        item(ItemKind::BodyWithProof, index, proven),
        item(ItemKind::Anchors, 0, approvals_bundle(&approvals)),
    ];
    let what = match waiting {
        Some(one) => format!("{} is recorded; {} more must approve.", request.node, one.needed),
        None => format!("{} is recorded, and it is in effect.", request.node),
    };
    Ok(json(&MailAnswer { what, bundle: encode(&bundle::write(&items)) }, &HeaderMap::new()))
}

/// `POST /api/v1/network/take`
pub(crate) async fn take(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: TakeAnswerRequest = params::json(request).await?;
    let items = bundle::read(&decode(&request.bundle)?).map_err(|error| bad(&error))?;
    let find = |kind| items.iter().find(|item| item.kind == kind).map(|item| item.bytes.clone());
    let none = || Answer::bad("the file holds no answer of a network");
    let (body, proof) =
        bundle::split_body_with_proof(&find(ItemKind::BodyWithProof).ok_or_else(none)?)
            .map_err(|error| bad(&error))?;
    let answer = join::Answer {
        network_file: find(ItemKind::File).ok_or_else(none)?,
        node_record: find(ItemKind::NodeRecord).ok_or_else(none)?,
        body,
        proof,
        approvals: Vec::new(),
    };
    let answered = answer.check(app.feeds.node()).map_err(|error| bad(&error))?;
    let origin = &answered.file.origin;
    let Some(pinned) = app.feeds.network_file(origin) else {
        return Err(Answer::bad("compare the network's fingerprint first: `jopoi join FILE`"));
    };
    if pinned.roots != answered.file.roots || pinned.threshold != answered.file.threshold {
        return Err(Answer::bad(format!(
            "the answer is of another network than the one whose fingerprint you compared, {}: telephone them",
            pinned.fingerprint()
        )));
    }
    app.feeds.meet_network_node(&answered.network_node).await?;
    if let Some(approvals) = find(ItemKind::Anchors) {
        app.feeds.take_approvals(origin, &approvals).await.map_err(approve::refused)?;
    }
    let what = told(&app, origin, &answered.about, answered.participant.status.as_str()).await;
    Ok(json(&MailAnswer { what, bundle: String::new() }, &HeaderMap::new()))
}

async fn told(app: &App, origin: &Origin, about: &About, status: &str) -> String {
    let approvals = app.feeds.approvals_of(origin, &about.body).await.len();
    format!(
        "{} has recorded this node as {status}; {approvals} of its committee have approved so far. Its feed says more as \
         soon as it arrives: `jopoi join --status`.",
        origin.node()
    )
}

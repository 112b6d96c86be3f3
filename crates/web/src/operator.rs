//! `/api/v1` for the operator: publish, withdraw, follow, rebuild; and `/metrics`. Reached over the control socket, or by
//! a command in its own process; who may open the socket is the operator.

mod drafts;
pub(crate) mod faults;
pub(crate) mod feeds;
pub(crate) mod guard;
pub(crate) mod keys;
pub(crate) mod network;
pub(crate) mod status;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use feed::feeds::{Published, Withdrawal};
use feed::ports::Quiet;
use feed::row::{BodyState, RowOp, Standing};
use http::{HeaderMap, StatusCode, header};
use practice::id::RecordId;
use practice::vocabulary::Vocabulary;
use tlog::name::{FeedName, Origin};
use wire::api::{
    FollowRequest, ProbeRequest, PublishAnswer, PublishOutcome, PublishRequest, PublishedEntry,
    RebuildAnswer, UnfollowRequest, WithdrawRequest,
};
use wire::{media, paths};

use crate::answer::Answer;
use crate::api::{followed, json};
use crate::app::App;
use crate::caller::Caller;
use crate::params::{self, Params};

/// What a withdrawal says when its author says nothing (design 4.2).
const REASON_NOT_STATED: &str = "not-stated";

/// `GET /metrics`: the figures of this node, also at `operator.listen`.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Answer> {
    let meters = app.meters.as_ref();
    let meters = meters.ok_or_else(|| Answer::not_found("figures in this program"))?;
    let text = meters.read().await?;
    Ok(([(header::CONTENT_TYPE, media::OPEN_METRICS)], text).into_response())
}

/// `POST /api/v1/publish`
pub(crate) async fn publish(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let mut request: PublishRequest = params::json(request).await?;
    let feed = feed_name(&request.feed)?;
    let mut checked = drafts::check(&app, &feed, &mut request).await?;
    let outcome = match (checked.is_refused(&request), request.dry_run) {
        (true, _) => PublishOutcome::Refused,
        (false, true) => PublishOutcome::Checked,
        (false, false) => {
            checked.publish(&app, &feed).await?;
            PublishOutcome::Published
        }
    };
    let status = match outcome {
        PublishOutcome::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        PublishOutcome::Published | PublishOutcome::Checked => StatusCode::OK,
    };
    Ok((status, Json(PublishAnswer { outcome, drafts: checked.into_answers() })).into_response())
}

/// `POST /api/v1/withdraw`
pub(crate) async fn withdraw(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: WithdrawRequest = params::json(request).await?;
    let feed = feed_name(&request.feed)?;
    let id = RecordId::parse(&request.id).map_err(|error| Answer::bad(error.to_string()))?;
    let reason = request.reason.unwrap_or_else(|| REASON_NOT_STATED.to_owned());
    let reasons = Vocabulary::get("withdrawal-reasons");
    if !reasons.is_some_and(|reasons| reasons.contains(&reason)) {
        let known = reasons.into_iter().flat_map(Vocabulary::terms).map(|term| term.code.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(Answer::bad(format!(
            "`{reason}` is no reason for a withdrawal; write one of {known}"
        )));
    }
    let origin = Origin::new(app.feeds.node().clone(), feed.clone());
    let before = app.feeds.standing(&origin, &id)?;
    if matches!(before, Standing::Withdrawn { .. })
        && (!request.erase || is_erased(&app, &origin, &id)?)
    {
        let again = match request.erase {
            true => "withdrawn and erased already",
            false => "withdrawn already; `--erase` destroys its text too",
        };
        return Err(Answer::bad(format!("{id} is {again}: nothing was published")));
    }
    let withdrawal = Withdrawal { reason, erase: request.erase };
    let published = app.feeds.withdraw(&feed, &id, &withdrawal).await?;
    let mut entry = entry(&app, &published);
    if let Standing::Current { version, .. } = before {
        entry.version = version;
    }
    Ok(json(&entry, &HeaderMap::new()))
}

/// Whether the text of every version of a record is destroyed.
fn is_erased(app: &App, origin: &Origin, id: &RecordId) -> Result<bool, Answer> {
    let rows = app.feeds.catalog().rows_of(origin, id)?;
    let mut published = rows.iter().filter(|(_, row)| matches!(row.op, RowOp::Publish { .. }));
    Ok(published.all(|(_, row)| row.body == BodyState::Erased))
}

/// `POST /api/v1/follow`
pub(crate) async fn follow(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: FollowRequest = params::json(request).await?;
    Ok(json(&app.peers.follow(request).await?, &HeaderMap::new()))
}

/// `POST /api/v1/unfollow`
pub(crate) async fn unfollow(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: UnfollowRequest = params::json(request).await?;
    app.peers.unfollow(request).await?;
    Ok(json(&followed(&app, &Caller::Operator), &HeaderMap::new()))
}

/// `POST /api/v1/probe`
pub(crate) async fn probe(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: ProbeRequest = params::json(request).await?;
    Ok(json(&app.peers.probe(request).await?, &HeaderMap::new()))
}

/// `POST /api/v1/peers/{node}/sync`
pub(crate) async fn sync(State(app): State<App>, params: Params) -> Result<Response, Answer> {
    Ok(json(&app.peers.sync(&params.node()?).await?, &HeaderMap::new()))
}

/// `POST /api/v1/rebuild`
pub(crate) async fn rebuild(State(app): State<App>) -> Result<Response, Answer> {
    app.feeds.rebuild(&Quiet).await?;
    let views = app.views(&Caller::Operator);
    let feeds = u64::try_from(views.len()).unwrap_or(u64::MAX);
    let entries = views.iter().map(|view| view.size()).sum();
    Ok(json(&RebuildAnswer { feeds, entries }, &HeaderMap::new()))
}

/// What was published, as the API says it.
fn entry(app: &App, published: &Published) -> PublishedEntry {
    PublishedEntry {
        origin: published.origin.clone(),
        id: published.id,
        kind: published.kind.clone(),
        version: published.version,
        index: published.index,
        size: app.feeds.view(&published.origin).map(|view| view.size()).unwrap_or_default(),
        body: published.body,
        page: paths::record(&published.origin, &published.id),
    }
}

fn feed_name(text: &str) -> Result<FeedName, Answer> {
    FeedName::parse(text).map_err(|error| Answer::bad(error.to_string()))
}

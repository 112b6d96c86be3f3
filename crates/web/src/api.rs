//! `/api/v1` for everybody: what is held, as JSON.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use feed::feeds::{FeedState, Page, RecordSummary, View};
use feed::ports::KeyUse;
use feed::row::{Row, RowOp, Standing};
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use wire::{api, limits, media, paths};

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::content::Content;
use crate::params::Params;
use crate::receipts;

/// `GET /api/v1/node`
pub(crate) async fn node(State(app): State<App>, headers: HeaderMap) -> Result<Response, Answer> {
    let name = app.feeds.node();
    let record = app.feeds.node_record(name);
    let record = record.ok_or_else(|| Answer::not_found("node record yet; run `jopoi init`"))?;
    let body = practice::body::Body::open(record).map_err(|_| Answer::not_found("node record"))?;
    let subject = body.subject();
    let list = |name: &str| {
        let items = subject.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let info = api::NodeInfo {
        node: name.clone(),
        names: texts(subject.get("names")),
        state: subject.get("state").and_then(Value::as_str).map(str::to_owned),
        root: subject.get("root").and_then(Value::as_str).unwrap_or_default().to_owned(),
        urls: list("urls"),
        software: format!("jopoi {}", env!("CARGO_PKG_VERSION")),
        locked: app.feeds.signer().public(KeyUse::Record).is_err(),
        server_time: app.feeds.clock().now(),
    };
    Ok(json(&info, &headers))
}

/// `GET /api/v1/feeds`
pub(crate) async fn feeds(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Response {
    let feeds = app.views(&caller).iter().map(|view| feed(&app, view, &caller)).collect();
    json(&api::Feeds { feeds }, &headers)
}

/// `GET /api/v1/records?feed=&kind=&before=&limit=`
pub(crate) async fn records(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<api::RecordsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let Query(query) =
        query.map_err(|rejection| Answer::bad(format!("the query cannot be read: {rejection}")))?;
    let limit = query.limit.unwrap_or(limits::RECORDS_PAGE).clamp(1, limits::RECORDS_PAGE);
    let origins = match &query.feed {
        Some(origin) if app.view(origin, &caller).is_some() => vec![origin.clone()],
        Some(origin) => return Err(Answer::not_found(format!("feed `{origin}`"))),
        None if query.before.is_some() => {
            return Err(Answer::bad("`before` is an entry of one feed: name it with `feed=`"));
        }
        None => app.origins(&caller),
    };
    let mut found = Vec::new();
    let mut next = None;
    for origin in &origins {
        let page = Page { before: query.before, limit, kind: query.kind.clone() };
        let page = app.records(origin, page).await?;
        next = page.next;
        found.extend(page.records.into_iter().enumerate());
    }
    // From each feed in turn, so that one large feed does not hide the others.
    found.sort_by_key(|(rank, _)| *rank);
    let mut records = Vec::new();
    for (_, summary) in found.into_iter().take(limit) {
        records.push(line(&app, &summary).await?);
    }
    let next = next.filter(|_| query.feed.is_some());
    Ok(json(&api::Records { records, next }, &headers))
}

/// `GET /api/v1/records/{node}/{feed}/{uuid}`
pub(crate) async fn record(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let (origin, id) = (params.origin()?, params.record_id()?);
    if app.view(&origin, &caller).is_none() {
        return Err(Answer::not_found(format!("feed `{origin}`")));
    }
    let read = app.feeds.record(&origin, &id).await?;
    let kind = read.versions.iter().find_map(|(_, row)| match &row.op {
        RowOp::Publish { kind, .. } => Some(kind.clone()),
        _ => None,
    });
    let kind = kind.ok_or_else(|| Answer::not_found(format!("record {id}")))?;
    let (standing, version, index) = match read.standing {
        Standing::Current { index, version } => ("current", Some(version), Some(index)),
        Standing::Withdrawn { by } => ("withdrawn", None, Some(by)),
        Standing::NoCurrent | Standing::Absent => ("no-current-version", None, None),
    };
    let current = index.filter(|_| version.is_some());
    let view = app.view(&origin, &caller);
    let delivery = |at| receipts::delivery(&app, view.as_deref()?, &caller, at);
    let statements = read.versions.iter().map(|(at, row)| statement(*at, row, delivery(*at)));
    let record = api::Record {
        id,
        kind,
        standing: standing.to_owned(),
        version,
        index,
        statements: statements.collect(),
        body: read.body.as_ref().and_then(|body| serde_json::from_slice(body.bytes()).ok()),
        links: api::RecordLinks {
            page: paths::record(&origin, &id),
            body: current.map(|index| paths::body(&origin, index)),
            proof: current.map(|index| paths::proof(&origin, index)),
            checkpoint: paths::checkpoint(&origin),
        },
        origin,
    };
    Ok(json(&record, &headers))
}

/// `GET /api/v1/peers`
pub(crate) async fn peers(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Response {
    json(&followed(&app, &caller), &headers)
}

/// The nodes followed. The operator gets everything; anybody else what follows from the feeds they may
/// read alone, without reasons and schedules.
pub(crate) fn followed(app: &App, caller: &Caller) -> api::Peers {
    let mut peers = app.peers.status();
    if caller.is_operator() {
        peers.iter_mut().for_each(|peer| peer.receipt = receipts::of_peer(app, &peer.node));
        return api::Peers { peers };
    }
    for peer in &mut peers {
        peer.feeds.retain(|feed| app.may_read(&feed.origin, caller));
        peer.feeds.iter_mut().for_each(|feed| feed.reason.clear());
        peer.state = peer.feeds.iter().map(|feed| feed.state).max().unwrap_or_default();
        peer.last_success = peer.feeds.iter().filter_map(|feed| feed.last_success).max();
        peer.reason.clear();
        peer.next_attempt = None;
        peer.failures = 0;
    }
    api::Peers { peers }
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize, headers: &HeaderMap) -> Response {
    // What the API answers with holds texts, numbers and lists, which always serialise.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    Content::loose(bytes, media::JSON).answer(headers)
}

/// A feed, as the caller may know it.
pub(crate) fn feed(app: &App, view: &View, caller: &Caller) -> api::Feed {
    let freshness = app.feeds.freshness(&view.origin);
    let operator = caller.is_operator();
    let (state, words) = match &view.state {
        FeedState::Open => ("open", String::new()),
        FeedState::Continued { by, .. } => ("continued", by.to_string()),
        FeedState::ReadOnly { reason } => ("read-only", reason.clone()),
        FeedState::Forked { reason } if operator => ("forked", reason.clone()),
        // What convinces a stranger is the evidence, not a word beside a name.
        FeedState::Forked { .. } => ("stopped", String::new()),
    };
    api::Feed {
        origin: view.origin.clone(),
        own: view.own,
        size: view.size(),
        root: view.root(),
        sealed: view.sealed(),
        vkey: view.log_vkey().map(|key| key.to_string()).unwrap_or_default(),
        state: state.to_owned(),
        words: if operator { words } else { String::new() },
        received_at: view.received_at,
        seen: freshness.median,
        stale: freshness.stale,
        audience: view
            .audience
            .as_deref()
            .and_then(|audience| serde_json::from_value(audience.to_value()).ok()),
    }
}

async fn line(app: &App, summary: &RecordSummary) -> Result<api::RecordSummary, Answer> {
    let read = app.feeds.record(&summary.origin, &summary.id).await?;
    let subject = read.body.as_ref().map(|body| body.subject());
    let member = |name: &str| subject.and_then(|subject| subject.get(name));
    let text = |name: &str| member(name).and_then(Value::as_str).map(str::to_owned);
    let issuer = read.body.as_ref().and_then(|body| body.state());
    let states = match member("states").and_then(Value::as_array) {
        Some(codes) => codes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => issuer.into_iter().map(str::to_owned).collect(),
    };
    Ok(api::RecordSummary {
        origin: summary.origin.clone(),
        id: summary.id,
        index: summary.index,
        kind: summary.kind.clone(),
        version: summary.version,
        title: texts(member("title")),
        language: text("language"),
        states,
        local_id: text("local_id"),
        published: read.body.as_ref().map(|body| body.valid_from().to_owned()),
    })
}

fn statement(index: u64, row: &Row, delivery: Option<api::Delivery>) -> api::Statement {
    let (op, version) = match &row.op {
        RowOp::Publish { version, .. } => ("publish", Some(*version)),
        RowOp::Withdraw { .. } => ("withdraw", None),
        RowOp::Opaque { .. } | RowOp::Unreadable { .. } => ("unknown", None),
    };
    api::Statement {
        index,
        op: op.to_owned(),
        version,
        validity: row.validity.words().to_owned(),
        body_state: row.body.words().to_owned(),
        body: row.body_hash(),
        erases: receipts::erases(row),
        delivery,
    }
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.filter_map(|(tag, text)| Some((tag.clone(), text.as_str()?.to_owned()))).collect()
}

//! Receipts: what other nodes say to have received of a feed (design 2.7).

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use feed::feeds::View;
use feed::row::{Row, RowOp};
use http::StatusCode;
use tlog::name::{FeedName, NodeName, Origin};
use wire::{api, limits};

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::feed_objects::readable;
use crate::params::{self, Params};

/// `POST …/cosignatures`: a node hands over its own.
pub(crate) async fn take(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let note = params::bytes(&app, request, limits::NOTE_BYTES).await?;
    app.feeds.accept_cosignature(&origin, &note).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who has received the entry at `index` of our own feed; names only for the operator. None for copies,
/// whose receipts go to their owner, and while nobody is expected to receive it.
pub(crate) fn delivery(
    app: &App,
    view: &View,
    caller: &Caller,
    index: u64,
) -> Option<api::Delivery> {
    let delivery = view.own.then(|| app.feeds.delivery(&view.origin, index))?;
    let (count, waiting) = (delivery.received.len() as u64, delivery.waiting.len() as u64);
    let of = count + waiting;
    let names = |names: Vec<NodeName>| if caller.is_operator() { names } else { Vec::new() };
    let told = api::Delivery {
        count,
        of,
        received: names(delivery.received),
        waiting: names(delivery.waiting),
    };
    (of > 0).then_some(told)
}

/// How far `node` has received our public feed.
pub(crate) fn of_peer(app: &App, node: &NodeName) -> Option<api::PeerReceipt> {
    let ours = Origin::new(app.feeds.node().clone(), FeedName::public());
    let of = app.feeds.view(&ours)?.size();
    let receipts = app.feeds.receipts(&ours);
    let receipt = receipts.iter().find(|receipt| receipt.receiver() == Some(node))?;
    Some(api::PeerReceipt { size: receipt.size, of, time: receipt.time })
}

/// Whether a statement asks for bodies to be erased.
pub(crate) fn erases(row: &Row) -> bool {
    matches!(row.op, RowOp::Withdraw { erases: true, .. })
}

//! A relay at the end of a line that breaks.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use feed::bundle::{self, ItemKind};
use feed::feeds::Publication;
use futures_util::stream;
use http::{StatusCode, header};
use tests::federation::{Federation, Server};
use tests::member::{Member, long_practice, practice};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::{HIDDEN, HUB, same, sent};

/// Enough for four segments, each a bundle of its own.
const RECORDS: u64 = 1_100;

/// What becomes of a bundle with segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Arrives,
    /// It is lost, and the connection with it.
    Breaks,
    /// The relay has no time.
    Busy,
}

/// The line to the relay.
struct Line {
    hub: OnceLock<Router>,
    /// Of the bundles to come; all others arrive.
    fates: Mutex<VecDeque<Fate>>,
    /// The segments of each bundle, and what became of it.
    bundles: Mutex<Vec<(Vec<u64>, Fate)>>,
    /// Whether receipts are refused, and how often they were.
    refuses: bool,
    refused: watch::Sender<u64>,
}

impl Line {
    fn with(fates: &[Fate], refuses: bool) -> Arc<Self> {
        Arc::new(Self {
            hub: OnceLock::new(),
            fates: Mutex::new(fates.iter().copied().collect()),
            bundles: Mutex::default(),
            refuses,
            refused: watch::Sender::new(0),
        })
    }

    async fn carry(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, wire::limits::BUNDLE_PUSH_BYTES).await?;
        if self.refuses && parts.uri.path().ends_with("/cosignatures") {
            self.refused.send_modify(|count| *count += 1);
            return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        match self.fate(&bytes) {
            Fate::Breaks => Ok(broken()),
            Fate::Busy => {
                let later = [(header::RETRY_AFTER, "1")];
                Ok((StatusCode::SERVICE_UNAVAILABLE, later).into_response())
            }
            Fate::Arrives => {
                let hub = self.hub.get().context("the relay is not there yet")?.clone();
                Ok(hub.oneshot(Request::from_parts(parts, Body::from(bytes))).await?)
            }
        }
    }

    fn fate(&self, bytes: &Bytes) -> Fate {
        let items = bundle::read(bytes).unwrap_or_default();
        let segments = items.into_iter().filter(|item| item.kind == ItemKind::Segment);
        let segments: Vec<u64> = segments.map(|item| item.number).collect();
        if segments.is_empty() {
            return Fate::Arrives;
        }
        let next = self.fates.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let fate = next.unwrap_or(Fate::Arrives);
        self.bundles.lock().unwrap_or_else(PoisonError::into_inner).push((segments, fate));
        fate
    }
}

/// The beginning of an answer, and the end of the connection.
fn broken() -> Response {
    let end = stream::iter([Err::<Bytes, _>(io::Error::other("the line breaks"))]);
    ([(header::CONTENT_TYPE, wire::media::JSON)], Body::from_stream(end)).into_response()
}

/// A relay that is reached by `line` alone, and a node that nobody reaches, which it follows.
async fn at_the_end_of(line: &Arc<Line>) -> Result<(Federation, Server)> {
    let carrying = Arc::clone(line);
    let router = Router::new().fallback(move |request: Request| {
        let line = Arc::clone(&carrying);
        async move { line.carry(request).await.unwrap_or_else(|_| broken()) }
    });
    let server = Server::start(router, None).await?;
    let mut federation = Federation::of([]).await?;
    let hub = federation.add_hidden(Member::of(HUB)?, &[server.url()], &[]).await?;
    ensure!(line.hub.set(hub.router()).is_ok(), "two relays");
    federation.add_hidden(Member::of(HIDDEN)?, &[server.url()], &[HUB]).await?;
    let (hub, hidden) = (federation.node(HUB)?, federation.node(HIDDEN)?);
    hub.pin(hidden.member()).await?;
    hub.sync(hidden.member(), &hidden.url()).await?;
    Ok((federation, server))
}

#[tokio::test]
async fn what_arrived_before_the_line_broke_is_not_sent_again() -> Result<()> {
    let fates = [Fate::Arrives, Fate::Breaks, Fate::Arrives, Fate::Busy];
    let line = Line::with(&fates, false);
    let (federation, server) = at_the_end_of(&line).await?;
    let (hub, hidden) = (federation.node(HUB)?, federation.node(HIDDEN)?);
    let origin = hidden.member().origin();
    let record = |number| Publication { subject: long_practice(number), ..practice(None, "") };
    hidden.feeds().publish(origin.feed(), (0..RECORDS).map(record).collect()).await?;
    hidden.follow_at(hub.member(), &server.url()).await?;
    sent(hidden, 0, &origin, RECORDS + 1).await?;
    same(hidden, hub, &origin).await?;
    let bundles = line.bundles.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ensure!(bundles.len() > fates.len(), "some fates befell nobody: {bundles:?}");
    let mut arrived = 0;
    for (segments, fate) in &bundles {
        ensure!(segments.first() == Some(&arrived), "sent again, or left out: {bundles:?}");
        if *fate == Fate::Arrives {
            arrived += segments.len() as u64;
        }
    }
    Ok(())
}

#[tokio::test]
async fn receipts_that_do_not_come_hold_up_nothing_that_is_sent() -> Result<()> {
    let line = Line::with(&[], true);
    let (federation, server) = at_the_end_of(&line).await?;
    let (hub, hidden) = (federation.node(HUB)?, federation.node(HIDDEN)?);
    let origin = hidden.member().origin();
    hidden.publish("Before").await?;
    hidden.follow_at(hub.member(), &server.url()).await?;
    sent(hidden, 0, &origin, 2).await?;
    let mut status = hidden.relayed();
    let goes_on = async {
        line.refused.subscribe().wait_for(|count| *count > 0).await?;
        hidden.publish("After").await?;
        sent(hidden, 0, &origin, 3).await
    };
    tokio::select! {
        went_on = goes_on => went_on,
        told = status.wait_for(|status| status.iter().any(|relay| relay.trouble.is_some())) => {
            bail!("{:?}", told?.clone())
        }
    }
}

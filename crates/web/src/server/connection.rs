//! One connection: HTTP/1 or HTTP/2 over any stream, until it is idle, old, used up or told to stop.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt as _;
use tracing::debug;

use super::answers::Counted;
use super::room::{Ending, Usage};
use super::{Crowd, Known, Limits, RemoteAddress, Stage, Stopping};
use crate::answer;

/// What handlers learn of the connection.
pub(super) struct Told {
    pub(super) stopping: Stopping,
    pub(super) crowd: Crowd,
    pub(super) remote: Option<RemoteAddress>,
}

impl Told {
    fn tell(&self, extensions: &mut http::Extensions) {
        extensions.insert(self.stopping.clone());
        extensions.insert(self.crowd.clone());
        if let Some(remote) = self.remote {
            extensions.insert(remote);
        }
    }
}

/// Serves one connection to its end: its own, or that of its client's patience with an answer.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    told: Told,
    router: Router,
    limits: &Limits,
    stage: watch::Receiver<Stage>,
    usage: &Arc<Usage>,
) {
    tokio::select! {
        () = served(stream, told, router, limits, stage, usage) => {}
        () = not_taken(usage, limits.write) => debug!("a connection whose answer was not taken is closed"),
    }
}

async fn served<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    told: Told,
    router: Router,
    limits: &Limits,
    mut stage: watch::Receiver<Stage>,
    usage: &Arc<Usage>,
) {
    let service = {
        let usage = Arc::clone(usage);
        let (patience, window) = (limits.request, limits.write);
        hyper::service::service_fn(move |request: Request<Incoming>| {
            usage.begin();
            let mut request = request.map(Body::new);
            told.tell(request.extensions_mut());
            answered(router.clone(), request, patience, window, Arc::clone(&usage))
        })
    };
    let builder = builder(limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let watching = watch_over(usage, limits, &mut stage);
    let ended = tokio::select! {
        result = &mut connection => Some(result),
        () = watching => None,
    };
    let result = match ended {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            // Answers under way may end: a segment over a slow line takes that long.
            let deadline = tokio::time::sleep(wire::limits::DEADLINE_LARGE);
            tokio::select! {
                result = &mut connection => result,
                () = closed(&mut stage) => Ok(()),
                () = deadline => Ok(()),
            }
        }
    };
    if let Err(error) = result {
        debug!("a connection ended: {error}");
    }
}

async fn answered(
    router: Router,
    request: Request<Body>,
    patience: Duration,
    window: Duration,
    usage: Arc<Usage>,
) -> Result<Response<Counted>, std::convert::Infallible> {
    let (answers, ending) = (Arc::clone(&usage.answers), Ending(usage));
    let response = match tokio::time::timeout(patience, router.oneshot(request)).await {
        Ok(Ok(response)) => response,
        Err(_) => answer::took_too_long(patience),
    };
    let known = response.extensions().get::<Known>().is_some();
    Ok(response.map(|body| answers.begin(body, window, known, ending)))
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_headers(wire::limits::HEADER_LINES)
        .max_buf_size(Limits::HEADER_BYTES);
    // The library splits header bytes into a u32; the constant is far below it.
    let header_bytes = u32::try_from(Limits::HEADER_BYTES).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(Limits::STREAMS)
        .initial_stream_window_size(Limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(Limits::CONNECTION_WINDOW_BYTES)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(limits.headers)
        .keep_alive_timeout(limits.first_bytes);
    builder
}

/// Returns when no more requests should begin here.
async fn watch_over(usage: &Usage, limits: &Limits, stage: &mut watch::Receiver<Stage>) {
    let born = Instant::now();
    let mut ticks = tokio::time::interval(limits.idle / 2);
    let mut seen = 0;
    let mut busy_at = born;
    loop {
        tokio::select! {
            _ = stage.wait_for(|stage| *stage != Stage::Open) => return,
            _ = ticks.tick() => {}
        }
        let begun = usage.begun.load(Ordering::Relaxed);
        let under_way = usage.under_way();
        if begun > seen || under_way {
            seen = begun;
            busy_at = Instant::now();
        }
        let idle = busy_at.elapsed() >= limits.idle;
        if idle || begun >= limits.requests || born.elapsed() >= limits.age {
            return;
        }
    }
}

/// Returns when a client does not take an answer that is there for it.
async fn not_taken(usage: &Usage, window: Duration) {
    let mut ticks = tokio::time::interval(window / 4);
    while !usage.answers.are_not_taken() {
        ticks.tick().await;
    }
}

async fn closed(stage: &mut watch::Receiver<Stage>) {
    // An error means that the server is gone, which is closed as well.
    drop(stage.wait_for(|stage| *stage == Stage::Closed).await);
}

//! One connection: HTTP/1 or HTTP/2 over any stream, until it is idle, old, used up or told to stop.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt as _;
use tracing::debug;

use super::room::Usage;
use super::{Limits, Stage, Stopping};
use crate::answer;

/// Serves one connection to its end.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    limits: &Limits,
    mut stage: watch::Receiver<Stage>,
    usage: &Arc<Usage>,
) {
    let service = {
        let usage = Arc::clone(usage);
        let patience = limits.request;
        let stopping = Stopping(stage.clone());
        hyper::service::service_fn(move |request: Request<Incoming>| {
            usage.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(stopping.clone());
            answered(router.clone(), request, patience, Arc::clone(&usage))
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

/// Counts a request as ended once its answer was taken, or its client went away.
struct Ending(Arc<Usage>);

/// The body of an answer; the request ends with it.
struct Counted {
    body: Body,
    _ending: Ending,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn answered(
    router: Router,
    request: Request<Body>,
    patience: Duration,
    usage: Arc<Usage>,
) -> Result<Response<Counted>, std::convert::Infallible> {
    let ending = Ending(usage);
    let response = match tokio::time::timeout(patience, router.oneshot(request)).await {
        Ok(Ok(response)) => response,
        Err(_) => answer::took_too_long(patience),
    };
    Ok(response.map(|body| Counted { body, _ending: ending }))
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

async fn closed(stage: &mut watch::Receiver<Stage>) {
    // An error means that the server is gone, which is closed as well.
    drop(stage.wait_for(|stage| *stage == Stage::Closed).await);
}

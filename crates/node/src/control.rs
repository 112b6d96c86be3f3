//! The operator's API: every command is a call of it, over `DATA/control.sock` when a server runs,
//! otherwise through the same router in this process (design 9).
//!
//! Whoever may open the socket is the operator: it is made with mode 0600, and there is no other check.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};
use tower::ServiceExt as _;
use wire::api::guard::CopiesStatus;
use wire::paths;
use wire::problem::Problem;

use crate::output::Output;
use crate::place::Place;
use crate::wiring::{Node, Shared};

/// How often a terminal is told how far something has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The way to a node: a server that runs, or the node opened here.
pub enum Control {
    /// A server has the data directory.
    Running(Box<Path>),
    /// Nobody has: this process does, for one command.
    Here(Router),
}

/// The node has no such thing; the caller may look elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotFound(String);

impl Control {
    /// Asks the server that runs in this place, or opens the node here.
    pub async fn reach(place: &Place) -> anyhow::Result<Self> {
        let socket = place.socket();
        match UnixStream::connect(&socket).await {
            Ok(_) => Ok(Self::Running(socket.into())),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(error)
                .with_context(|| {
                    format!(
                        "you may not use {}: run this as the user of the server",
                        socket.display()
                    )
                }),
            Err(_) => {
                Ok(Self::Here(Node::open(place, &Shared::default()).await?.operator_router()))
            }
        }
    }

    /// The same, with a search index that has caught up: while a server runs it follows by itself.
    pub async fn reach_indexed(place: &Place) -> anyhow::Result<Self> {
        if UnixStream::connect(&place.socket()).await.is_ok() {
            return Self::reach(place).await;
        }
        let node = Node::open(place, &Shared::default()).await?;
        node.indexer().catch_up().await?;
        Ok(Self::Here(node.operator_router()))
    }

    /// `GET path`.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> anyhow::Result<A> {
        read(self.exchange(Method::GET, path, Bytes::new()).await?)
    }

    /// `POST path` with `request`.
    pub async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> anyhow::Result<A> {
        read(self.exchange(Method::POST, path, serde_json::to_vec(request)?.into()).await?)
    }

    /// `POST path` with `request`, while a terminal is told how far the copying has come.
    pub async fn post_watched<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
        output: &Output,
    ) -> anyhow::Result<A> {
        let mut answer = pin!(self.post(path, request));
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.tick().await;
        loop {
            tokio::select! {
                answer = &mut answer => {
                    output.progress(None);
                    return answer;
                }
                _ = looks.tick(), if output.shows_progress() => {}
            }
            // Whoever cannot be asked tells nothing; the answer will say why.
            if let Ok(CopiesStatus { under_way: Some(now), .. }) = self.get(paths::API_COPIES).await
            {
                output.progress(Some(&now));
            }
        }
    }

    /// `POST path` where a refusal (422) has the form of the answer.
    pub async fn post_judged<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> anyhow::Result<A> {
        let (status, bytes) =
            self.exchange(Method::POST, path, serde_json::to_vec(request)?.into()).await?;
        if status == StatusCode::UNPROCESSABLE_ENTITY
            && let Ok(answer) = serde_json::from_slice(&bytes)
        {
            return Ok(answer);
        }
        read((status, bytes))
    }

    /// The bytes of an answer.
    pub async fn bytes(&self, method: Method, path: &str) -> anyhow::Result<Bytes> {
        let (status, bytes) = self.exchange(method, path, Bytes::new()).await?;
        checked(status, bytes)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "control")
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::ACCEPT, "application/json")
            .body(Body::from(body))?;
        match self {
            Self::Running(socket) => send(socket, request).await,
            Self::Here(router) => {
                let response = router.clone().oneshot(request).await?;
                Ok((response.status(), response.into_body().collect().await?.to_bytes()))
            }
        }
    }
}

/// Opens the socket of a server; one that a killed server left behind is replaced. The caller holds
/// the lock of the data directory.
pub fn listen(place: &Place) -> anyhow::Result<UnixListener> {
    let socket = place.socket();
    let shown = socket.display();
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {shown}"));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&socket).with_context(|| {
        format!("cannot listen on {shown} (its path may have 107 bytes: use a shorter --data)")
    })?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("cannot protect {shown}"))?;
    Ok(listener)
}

/// The bytes of a good answer, or the problem in words.
pub fn checked(status: StatusCode, bytes: Bytes) -> anyhow::Result<Bytes> {
    if status.is_success() {
        return Ok(bytes);
    }
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        bail!("the answer was {status}: is there another program, or another version of this one?");
    };
    let words = problem.detail.unwrap_or(problem.title);
    if status == StatusCode::NOT_FOUND {
        return Err(NotFound(words).into());
    }
    bail!("{words}")
}

fn read<A: DeserializeOwned>((status, bytes): (StatusCode, Bytes)) -> anyhow::Result<A> {
    serde_json::from_slice(&checked(status, bytes)?)
        .context("the answer cannot be read: is the server of another version than this command?")
}

async fn send(socket: &Path, request: Request<Body>) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = UnixStream::connect(socket)
        .await
        .with_context(|| format!("the server behind {} has gone", socket.display()))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(stream)).await?;
    // It ends with the answer; what went wrong with it is seen there.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    let response = response.context("the server ended before it answered")?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, bytes))
}

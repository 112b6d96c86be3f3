//! Several nodes behind one listener, told apart by the header `Host`.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use http::header::HOST;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::around;

/// A router that hands each request to the node whose base URL has its host. Requests for any other host
/// get 421: a name that somebody points at this address is not thereby a name of a node.
///
/// `nodes` are base URLs with the routers of their nodes. A port in a base URL must be in the request too.
pub fn dispatch(nodes: Vec<(String, Router)>) -> Router {
    let nodes: Vec<(String, Router)> = nodes
        .into_iter()
        .filter_map(|(base, router)| Some((authority(&base.parse().ok()?)?, router)))
        .collect();
    Router::new().fallback(move |request: Request| {
        let wanted = host(&request);
        let found = nodes.iter().find(|(name, _)| Some(name) == wanted.as_ref());
        let router = found.map(|(_, router)| router.clone());
        async move { answered(router, request).await }
    })
}

async fn answered(router: Option<Router>, request: Request) -> Response {
    match router {
        // A router never fails: its error is `Infallible`.
        Some(router) => router.oneshot(request).await.into_response(),
        None => around::as_json(Answer::Misdirected.into_response()),
    }
}

/// What the request says it is for: the address line (HTTP/2) or `Host`.
fn host(request: &Request) -> Option<String> {
    let header = || request.headers().get(HOST)?.to_str().ok()?.parse().ok();
    authority(request.uri()).or_else(|| authority(&header()?))
}

/// Host and port in lower case, without a port that the scheme implies.
fn authority(uri: &Uri) -> Option<String> {
    let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
    match uri.port_u16() {
        None | Some(80 | 443) => Some(host),
        Some(port) => Some(format!("{host}:{port}")),
    }
}

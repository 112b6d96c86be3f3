//! `GET /whoami`: who we take the caller for, and what is wrong with its signature.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use wire::api::WhoAmI;

use super::Caller;
use super::identify::Standing;
use crate::api::json;
use crate::app::App;

/// `GET /whoami`
pub(crate) async fn whoami(
    State(app): State<App>,
    caller: Caller,
    standing: Option<Extension<Standing>>,
    headers: HeaderMap,
) -> Response {
    let word = match &caller {
        Caller::Stranger => "stranger",
        Caller::Node(_) => "node",
        Caller::Operator => "operator",
    };
    let answer = WhoAmI {
        caller: word.to_owned(),
        node: caller.node().cloned(),
        problem: standing.and_then(|Extension(standing)| standing.words()),
        server_time: app.feeds.clock().now(),
    };
    json(&answer, &headers)
}

//! The pages of nodes: all that are known here, and what one says of itself.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use practice::node_record::NodeSubject;
use wire::paths;

use super::line::{self, NodeLine};
use super::{Frame, Reader, is_documentation, node_name, node_subject};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::params::Params;

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    frame: Frame,
    nodes: Vec<NodeLine>,
    /// Where each network that is known here is shown, and its name.
    networks: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "node.html")]
struct NodePage {
    frame: Frame,
    line: NodeLine,
    /// The page of the State it speaks for.
    state: Option<String>,
    subject: Option<NodeSubject>,
    root: String,
}

/// `GET /peers`
pub(crate) async fn nodes(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let peers = followed(&app, &reader.caller).peers;
    let known = line::known_nodes(&app, &peers, &reader.caller);
    let nodes = known.iter().map(|node| line::node(&app, &reader, node, &peers)).collect();
    let network = |node| (paths::network(node), node_name(&app, node, reader.texts));
    let networks = app.feeds.networks();
    let networks = networks.iter().map(|one| network(one.origin().node())).collect();
    reader.page(&NodesPage { frame: reader.frame(&app, None), nodes, networks })
}

/// `GET /nodes/NODE`
pub(crate) async fn node(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let node = params.node()?;
    let peers = followed(&app, &reader.caller).peers;
    if !line::known_nodes(&app, &peers, &reader.caller).contains(&node) {
        return Err(Answer::not_found(format!("node `{node}`")));
    }
    let subject = node_subject(&app, &node);
    let pinned = app.feeds.pin(&node).map(|pin| pin.root);
    let root = subject.as_ref().map(|subject| subject.root).or(pinned);
    let state = subject.as_ref().and_then(|subject| subject.state.as_deref());
    let page = NodePage {
        frame: reader.frame(&app, Some(&node)),
        state: state.filter(|_| !is_documentation(&node)).map(paths::site::state),
        line: line::node(&app, &reader, &node, &peers),
        subject,
        root: root.map(|root| root.to_did()).unwrap_or_default(),
    };
    reader.page(&page)
}

//! The page of a group: which participants of a network share it, and what they have published.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::search::Facet;
use tlog::name::{FeedName, NodeName, Origin};
use wire::paths::{self, site};

use super::shelf::{self, Shelf};
use super::{Frame, Reader, best_name, node_name, node_subject, speaks_for};
use crate::answer::Answer;
use crate::app::App;
use crate::params::Params;

#[derive(Template)]
#[template(path = "group.html")]
struct GroupPage {
    frame: Frame,
    name: String,
    /// The network's name, and its page.
    network: (String, String),
    members: Vec<Member>,
    /// The record that says so.
    record: String,
    shelves: Vec<Shelf>,
    all: String,
}

/// A participant in the group.
struct Member {
    href: String,
    name: String,
    node: String,
    speaks_for: Option<String>,
    /// The page of its State.
    state_href: Option<String>,
}

/// `GET /groups/NODE/ID`
pub(crate) async fn group(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let node = params.node()?;
    let text = params.text("id")?;
    let unknown = || Answer::not_found(format!("group `{text}` of the network `{node}`"));
    let id = paths::record_id(text).ok_or_else(unknown)?;
    let origin = Origin::new(node.clone(), FeedName::public());
    let network = app.feeds.network(&origin).ok_or_else(unknown)?;
    let group = network.group(&id).ok_or_else(unknown)?;
    let texts = reader.texts;
    let mut members: Vec<Member> =
        group.subject.members.iter().map(|node| member(&app, &reader, node)).collect();
    texts.sort_by_name(&mut members, |member| &member.name);
    let value = format!("{node}/{text}");
    reader.page(&GroupPage {
        frame: reader.frame(&app, Some(&node)),
        name: best_name(&group.subject.names, texts).unwrap_or_else(|| texts.get("group")),
        network: (node_name(&app, &node, texts), paths::network(&node)),
        members,
        record: paths::record(&origin, &id),
        shelves: shelf::shelves(&app, &reader, (Facet::Group, &value), &[]).await?,
        all: format!("{}?group={value}", site::SEARCH),
    })
}

fn member(app: &App, reader: &Reader, node: &NodeName) -> Member {
    let subject = node_subject(app, node);
    let speaks_for = subject.as_ref().and_then(|subject| speaks_for(subject, reader.texts));
    let state = subject.and_then(|subject| subject.state).filter(|_| speaks_for.is_some());
    Member {
        href: paths::node(node),
        name: node_name(app, node, reader.texts),
        node: node.to_string(),
        state_href: state.map(|code| site::state(&code)),
        speaks_for,
    }
}

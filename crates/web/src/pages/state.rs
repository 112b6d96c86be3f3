//! The page of a State: its mechanisms, each profile in the order of sections of the Gateway, and what else
//! was published about it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::RecordRead;
use feed::search::Facet;
use practice::kind::Kind;
use practice::vocabulary::{self, Term, Vocabulary};
use wire::paths::site;

use super::line::{self, NodeLine, known_nodes};
use super::profile::{self, Profile};
use super::shelf::{self, Shelf, newest};
use super::states::{StateName, capitalised, present};
use super::{Frame, Reader, is_documentation, node_subject};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::found;
use crate::params::Params;
use crate::texts::{Texts, iso};

/// Profiles on the page of a State. It may have several mechanisms; more are a search away.
const PROFILES: usize = 8;

#[derive(Template)]
#[template(path = "state.html")]
struct StatePage {
    frame: Frame,
    code: String,
    name: String,
    formal: Option<String>,
    /// Its UN regional group, and where its States are.
    group: Option<(String, String)>,
    /// Small island developing State, and the like, today.
    situations: Vec<String>,
    profiles: Vec<Profile>,
    /// Where all its profiles are, if there are more than are shown.
    more_profiles: Option<String>,
    shelves: Vec<Shelf>,
    nodes: Vec<NodeLine>,
    /// The States beside which it may be set.
    others: Vec<StateName>,
    /// Where everything about it is.
    all: String,
}

/// `GET /states/CODE`
pub(crate) async fn state(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let code = params.text("code")?.to_owned();
    let unknown = || Answer::not_found(format!("State `{code}`"));
    if !vocabulary::is_state(&code) {
        return Err(unknown());
    }
    let texts = reader.texts;
    let term = vocabulary::states().term(&code);
    let (profiles, more) = profiles(&app, &reader, &code).await?;
    let about = (Facet::State, code.as_str());
    let shelves = shelf::shelves(&app, &reader, about, &[Kind::MECHANISM_PROFILE]).await?;
    let nodes = nodes(&app, &reader, &code);
    // An invented State is there only as long as something is said of it.
    if term.is_none() && profiles.is_empty() && shelves.is_empty() && nodes.is_empty() {
        return Err(unknown());
    }
    let mut others = present(&app, &reader, &[Kind::MECHANISM_PROFILE.as_str()]).await?;
    others.retain(|other| other.code != code);
    let sample = profiles.iter().any(|profile| profile.sample);
    let mut frame = reader.frame(&app, None);
    frame.sample |= sample;
    let page = StatePage {
        frame,
        name: vocabulary::states().label(&code, texts.code()).to_owned(),
        formal: term.and_then(|term| formal(term, texts)),
        group: term.and_then(|term| group(term, texts)),
        situations: term.map(|term| situations(term, &app, texts)).unwrap_or_default(),
        more_profiles: more.then(|| {
            let kind = Kind::MECHANISM_PROFILE;
            format!("{}?state={code}&kind={}", site::SEARCH, kind.as_str())
        }),
        others: if profiles.is_empty() { Vec::new() } else { others },
        all: format!("{}?state={code}", site::SEARCH),
        code,
        profiles,
        shelves,
        nodes,
    };
    reader.page(&page)
}

/// The profiles of the mechanisms of a State, its own words first; and whether there are more.
pub(crate) async fn profiles(
    app: &App,
    reader: &Reader,
    code: &str,
) -> Result<(Vec<Profile>, bool), Answer> {
    let (read, more) = profile_records(app, reader, code).await?;
    let mut profiles: Vec<Profile> =
        read.iter().filter_map(|read| profile::of(app, reader, read)).collect();
    profiles.sort_by_key(|profile| !profile.own);
    Ok((profiles, more))
}

/// The records of these profiles, the newest first; and whether there are more.
pub(crate) async fn profile_records(
    app: &App,
    reader: &Reader,
    code: &str,
) -> Result<(Vec<RecordRead>, bool), Answer> {
    let kind = Kind::MECHANISM_PROFILE.as_str().to_owned();
    let facets = vec![(Facet::State, code.to_owned()), (Facet::Kind, kind)];
    let hits = found::ask(app, newest(reader, facets, PROFILES)).await?;
    let read = shelf::read(app, reader, &hits.hits).await?;
    Ok((read, hits.total > PROFILES))
}

/// What the State is called in full, where the vocabulary has that in the language of the page.
fn formal(term: &Term, texts: &Texts) -> Option<String> {
    let formal = term.get("formal")?.get(texts.code())?.as_str()?;
    (formal != term.label(texts.code())).then(|| capitalised(formal))
}

fn group(term: &Term, texts: &Texts) -> Option<(String, String)> {
    let code = term.string("un_regional_group")?;
    let name = Vocabulary::get("regional-groups")?.label(code, texts.code());
    Some((capitalised(name), format!("{}#{code}", site::STATES)))
}

/// The lists of developing countries in which a State stands today.
fn situations(term: &Term, app: &App, texts: &Texts) -> Vec<String> {
    let Some(names) = Vocabulary::get("state-groups") else { return Vec::new() };
    let now = iso(app.feeds.clock().now());
    let today = now.get(..10).unwrap_or(&now);
    let listed = term.get("groups").and_then(|groups| groups.as_array());
    let in_force = |group: &&serde_json::Value| {
        let day = |name: &str| group.get(name).and_then(serde_json::Value::as_str);
        day("from").is_none_or(|from| from <= today) && day("to").is_none_or(|to| today < to)
    };
    let code = |group: &serde_json::Value| Some(group.get("group")?.as_str()?.to_owned());
    let codes = listed.into_iter().flatten().filter(in_force).filter_map(code);
    codes.map(|code| names.label(&code, texts.code()).to_owned()).collect()
}

/// The nodes that speak for a State.
fn nodes(app: &App, reader: &Reader, code: &str) -> Vec<NodeLine> {
    let peers = followed(app, &reader.caller).peers;
    let nodes = known_nodes(app, &peers, &reader.caller).into_iter();
    let speaks = nodes.filter(|node| {
        let state = node_subject(app, node).and_then(|subject| subject.state);
        !is_documentation(node) && state.as_deref() == Some(code)
    });
    speaks.map(|node| line::node(app, reader, &node, &peers)).collect()
}

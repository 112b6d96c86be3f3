//! The objects of a feed, byte for byte as anybody can verify them (design 4.6): our own feeds and copies
//! alike. Nothing here is ever content-encoded.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use feed::feeds::BodyRead;
use feed::ports::{Fact, Since};
use feed::row::Standing;
use http::header::{CONTENT_DISPOSITION, LINK};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tlog::name::Origin;
use tlog::tile::TilePath;
use tokio::time::{Instant, timeout_at};
use wire::{media, paths, prefer};

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::content::{Content, Keep};
use crate::params::Params;
use crate::server::{RemoteAddress, Stopping};
use crate::waiting::Place;

/// The relation of a link from a withdrawn body to the entry that withdraws it.
const WITHDRAWAL_RELATION: &str = "https://w3id.org/jopoi/v1#withdrawal";

/// A body that was asked for, and what its feed says about it now.
pub(crate) async fn body_at(
    app: &App,
    origin: &Origin,
    index: u64,
    headers: &HeaderMap,
) -> Result<Response, Answer> {
    let missing = || Answer::not_found(format!("body at entry {index} of `{origin}`"));
    let read = app.feeds.entry(origin, index).await?;
    let bytes = match read.body {
        BodyRead::Held(bytes) => bytes,
        BodyRead::None | BodyRead::Missing => return Err(missing()),
        BodyRead::Erased { withdrawal } => return Err(erased(app, origin, withdrawal).await?),
    };
    let mut response = Content::exact(bytes, media::VC).of(origin).answer(headers);
    let id = app.feeds.catalog().row(origin, index)?.and_then(|row| row.id());
    if let Some(id) = id
        && let Standing::Withdrawn { by } = app.feeds.standing(origin, &id)?
        && by > index
    {
        let link = format!("<{}>; rel=\"{WITHDRAWAL_RELATION}\"", paths::proof(origin, by));
        // A path of names and digits is always a header value.
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// `GET …/checkpoint`: the signed note of the last commit.
pub(crate) async fn checkpoint(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let note = app.feeds.checkpoint(&origin).await?;
    Ok(Content::exact(note, media::TEXT).of(&origin).answer(&headers))
}

/// `GET …/tile/…`: a hash tile or a bundle of entries.
pub(crate) async fn tile(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let name = format!("tile/{}", params.text("path")?);
    let path = TilePath::parse(&name).map_err(|_| Answer::not_found(format!("tile `{name}`")))?;
    let bytes = app.feeds.tile(&origin, &path).await?;
    let full = match &path {
        TilePath::Hashes(tile) => u64::from(tile.width()) == tlog::tile::WIDTH,
        TilePath::Entries(tile) => u64::from(tile.width()) == tlog::tile::WIDTH,
    };
    let keep = if full { Keep::Forever } else { Keep::Ask };
    Ok(Content::exact(bytes, media::BYTES).keep(keep).of(&origin).answer(&headers))
}

/// `GET …/since/SIZE`: the head, or the commits that follow, with `Prefer: wait` once there are any.
pub(crate) async fn since(
    State(app): State<App>,
    caller: Caller,
    connection: Connection,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let size = params.number("size")?;
    let wait = asked_wait(&headers);
    let place = wait.and_then(|_| connection.place_to_wait(&app, &caller));
    if let (Some(wait), Some(_)) = (wait, &place) {
        let no_news = || app.feeds.view(&origin).is_some_and(|view| view.size() == size);
        connection.wait_for_news(&app, wait, no_news).await;
    }
    // Waiting costs no memory, and what there is then is read by a few at a time.
    let _turn = match app.feeds.view(&origin).is_some_and(|view| view.size() > size) {
        true => Some(app.memory.reading(caller.node().is_some()).await?),
        false => None,
    };
    let news = app.feeds.since(&origin, size, None).await?;
    // While it was held, the caller may have left the audience.
    still_readable(&app, &caller, &origin)?;
    let response = match news {
        Since::Head(bytes) | Since::Commits(bytes) => {
            Content::exact(bytes, media::BYTES).of(&origin).answer_long(headers).await?
        }
        Since::Shorter(note) => {
            let mut response = Content::exact(note, media::TEXT).of(&origin).answer(&headers);
            *response.status_mut() = StatusCode::CONFLICT;
            return Ok(response);
        }
        Since::Nothing if wait.is_some() && place.is_none() => return Err(Answer::Busy),
        Since::Nothing => StatusCode::NO_CONTENT.into_response(),
    };
    Ok(applied(response, wait))
}

/// `GET …/segment/N`: a sealed segment, as stored.
pub(crate) async fn segment(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let _turn = app.memory.reading(caller.node().is_some()).await?;
    let bytes = app.feeds.segment(&origin, params.number("number")?).await?;
    Content::exact(bytes, media::BYTES).of(&origin).answer_long(headers).await
}

/// `GET …/body/INDEX`: one body.
pub(crate) async fn body(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    body_at(&app, &origin, params.number("index")?, &headers).await
}

/// `GET …/proof/INDEX`: that an entry stands in the log of the newest size.
pub(crate) async fn proof(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let text = app.feeds.proof(&origin, params.number("index")?).await?;
    Ok(Content::exact(text, media::TEXT).of(&origin).answer(&headers))
}

/// `GET …/cosignatures`: the cosigner lines known.
pub(crate) async fn cosignatures(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let bytes = app.feeds.cosignatures(&origin);
    Ok(Content::exact(bytes, media::BYTES).of(&origin).answer(&headers))
}

/// `GET …/anchors`: the approvals behind a network's records.
pub(crate) async fn anchors(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    stored(&app, &caller, &params, &headers, Fact::Anchors, "anchors").await
}

/// `GET …/evidence`: what shows that two histories of the feed were signed.
pub(crate) async fn evidence(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let fault = app.feeds.fault(&origin);
    let fault = fault.ok_or_else(|| Answer::not_found(format!("evidence about `{origin}`")))?;
    Ok(Content::exact(fault.to_bytes(), media::JSON).of(&origin).answer(&headers))
}

/// `GET …/file/HEX`: an attachment, always as a download.
pub(crate) async fn file(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let fact = Fact::File(params.hash()?);
    let mut response = stored(&app, &caller, &params, &headers, fact, "file").await?;
    let download = HeaderValue::from_static("attachment");
    response.headers_mut().insert(CONTENT_DISPOSITION, download);
    Ok(response)
}

/// The wait a reader asks for.
pub(crate) fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    prefer::wait(headers.get(prefer::PREFER)?.to_str().ok()?)
}

/// What is known of the connection that a request came over; nothing, without a server around the router.
pub(crate) struct Connection {
    remote: Option<IpAddr>,
    stopping: Option<Stopping>,
}

impl<S: Send + Sync> FromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let remote = parts.extensions.get::<RemoteAddress>().map(|remote| remote.0);
        Ok(Self { remote, stopping: parts.extensions.get::<Stopping>().cloned() })
    }
}

impl Connection {
    /// A place for a reader who asks to wait; none if there are too many.
    pub(crate) fn place_to_wait(&self, app: &App, caller: &Caller) -> Option<Place> {
        app.waiting.enter(caller.node().is_some(), self.remote)
    }

    /// Waits until there is news, the time is over, or the server is on its way out.
    pub(crate) async fn wait_for_news(
        &self,
        app: &App,
        wait: Duration,
        mut no_news: impl FnMut() -> bool,
    ) {
        let (mut changed, until) = (app.feeds.changed(), Instant::now() + wait);
        let news = async {
            while no_news() && matches!(timeout_at(until, changed.changed()).await, Ok(Ok(()))) {}
        };
        match &self.stopping {
            Some(stopping) => tokio::select! { () = news => {}, () = stopping.asked() => {} },
            None => news.await,
        }
    }
}

/// Says that a wait was honoured.
pub(crate) fn applied(mut response: Response, wait: Option<Duration>) -> Response {
    let value = wait.and_then(|wait| HeaderValue::from_str(&prefer::asking(wait)).ok());
    if let Some(value) = value {
        response.headers_mut().insert(HeaderName::from_static(prefer::APPLIED), value);
    }
    response
}

/// The feed in the path, if it is held and the caller may read it.
pub(crate) fn readable(app: &App, caller: &Caller, params: &Params) -> Result<Origin, Answer> {
    let origin = params.origin()?;
    still_readable(app, caller, &origin)?;
    Ok(origin)
}

/// The same answer for a feed that is not held and for one that the caller may not read.
fn still_readable(app: &App, caller: &Caller, origin: &Origin) -> Result<(), Answer> {
    match app.view(origin, caller) {
        Some(_) => Ok(()),
        None => Err(Answer::not_found(format!("feed `{origin}`"))),
    }
}

/// An object that is served as it lies in the store.
async fn stored(
    app: &App,
    caller: &Caller,
    params: &Params,
    headers: &HeaderMap,
    fact: Fact,
    what: &str,
) -> Result<Response, Answer> {
    let origin = readable(app, caller, params)?;
    let _turn = app.memory.reading(caller.node().is_some()).await?;
    let bytes =
        app.feeds.store().fact(&origin, &fact).await.map_err(feed::feeds::ReadError::from)?;
    let bytes = bytes.ok_or_else(|| Answer::not_found(format!("{what} of `{origin}`")))?;
    Ok(Content::exact(bytes, media::BYTES).of(&origin).answer(headers))
}

/// 410, with the withdrawal and its proof.
async fn erased(app: &App, origin: &Origin, withdrawal: u64) -> Result<Answer, Answer> {
    let read = app.feeds.entry(origin, withdrawal).await?;
    let proof = app.feeds.proof(origin, withdrawal).await?;
    let withdrawal_text = String::from_utf8_lossy(&read.entry).into_owned();
    Ok(Answer::Erased { index: withdrawal, withdrawal: withdrawal_text, proof })
}

//! Who signed a request: the profile, our addresses, the clock, the key's node, the body, the nonce.
//!
//! A signature that does not hold makes its caller a stranger and nothing worse: what is public is public
//! to nodes with a wrong clock too. `GET /whoami` tells such a node what is wrong.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use http::header::HOST;
use http::{HeaderMap, Uri};
use tlog::name::NodeName;
use wire::signature::{self, Fields, Presented, Refused};
use wire::{limits, paths};

use super::Caller;
use super::nonces::Untaken;
use crate::answer::Answer;
use crate::app::{App, Audience};
use crate::bundles::Turn;
use crate::memory::held;
use crate::params;

/// Longest body of a signed request that is not a bundle: a note, a cosignature, a fault.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What became of the signature of a request.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// There is none.
    Unsigned,
    /// It does not hold.
    Refused(Refused),
    /// It holds for another address than any of ours.
    Elsewhere { signed: String, ours: Vec<String> },
    /// It holds, and its nonce was used before.
    Replayed,
    /// It holds, by a key that is no known node's.
    Unknown { key: String },
    /// It holds, by this node's key.
    Node(NodeName),
}

impl Standing {
    pub(super) fn caller(&self) -> Caller {
        match self {
            Self::Node(node) => Caller::Node(node.clone()),
            _ => Caller::Stranger,
        }
    }

    /// What is wrong, for whoever made the request: nothing that does not follow from the request, our
    /// clock and our addresses, or that is not told after the key was proved.
    pub(super) fn words(&self) -> Option<String> {
        match self {
            Self::Unsigned | Self::Node(_) => None,
            Self::Refused(refused) => Some(refused.to_string()),
            Self::Elsewhere { signed, ours } if ours.is_empty() => Some(format!(
                "the signature is for `{signed}`, and this node does not know its own address, so that no \
                 signature can hold here: its operator sets `base_urls`"
            )),
            Self::Elsewhere { signed, ours } => Some(format!(
                "the signature is for `{signed}`, and this node answers to {}: ask it there, or ask its \
                 operator to add the other address to `base_urls`",
                ours.join(", ")
            )),
            Self::Replayed => Some(
                "the nonce of this signature was used before: make a new one for every request"
                    .to_owned(),
            ),
            Self::Unknown { key } => Some(format!(
                "the signature holds, and {key} is not the active HTTP key of any node that this one \
                 follows: it may not have your newest node record yet, or it does not follow you"
            )),
        }
    }
}

impl Standing {
    /// The turn of a node that pushes a bundle; `None` for any other request.
    fn pushes(&self, app: &App, request: &Request) -> Result<Option<Turn>, Answer> {
        match self {
            Self::Node(node) if request.uri().path() == paths::BUNDLES => {
                let bytes = params::longest(request.body(), limits::BUNDLE_PUSH_BYTES);
                app.pushes.enter(node, bytes, app.feeds.clock().now()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Finds out who signed `request`, and puts it and the caller into its extensions.
///
/// # Errors
/// When a known node asks too often, or sends a body that is too long or breaks off.
pub(crate) async fn identify(app: &App, mut request: Request) -> Result<Request, Answer> {
    let fields = fields(request.headers());
    if app.audience != Audience::Everyone || !fields.is_signed() {
        request.extensions_mut().insert(Standing::Unsigned);
        return Ok(request);
    }
    let has_body = !request.body().is_end_stream();
    let judged = fields.read(has_body).map_err(Standing::Refused);
    let judged = judged.and_then(|presented| Ok((who(app, &request, &presented)?, presented)));
    let standing = match judged {
        Err(standing) => standing,
        // Before the body is read: the same request once more must not cost us that again.
        Ok((node, presented)) => match taken(app, node, &presented)? {
            standing @ Standing::Node(_) => {
                let whole;
                // A bundle is long: whoever has no turn is told so before it is read.
                let turn = standing.pushes(app, &request)?;
                (request, whole) = with_body(app, request, has_body, &presented, turn).await?;
                whole.map_or_else(Standing::Refused, |()| standing)
            }
            other => other,
        },
    };
    if let Some(words) = standing.words() {
        tracing::debug!("a signed request does not count: {words}");
    }
    request.extensions_mut().insert(standing.caller());
    request.extensions_mut().insert(standing);
    Ok(request)
}

/// Whether the signature holds here and now, and by whose key.
fn who(app: &App, request: &Request, presented: &Presented) -> Result<NodeName, Standing> {
    let now = app.feeds.clock().now();
    presented.check_time(now).map_err(Standing::Refused)?;
    let method = request.method().as_str();
    let place = place(request.uri());
    let ours = app.addresses();
    let mut refused = None;
    for address in &ours {
        match presented.check_signature(method, &signature::target_uri(address, &place)) {
            Ok(()) => {
                let key = presented.key();
                let unknown = || Standing::Unknown { key: key.to_did() };
                return app.feeds.node_of_http_key(key).ok_or_else(unknown);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    // Only to tell what is wrong: a header that anybody may write decides nothing.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    for scheme in ["https", "http"] {
        let signed = signature::target_uri(&format!("{scheme}://{host}"), &place);
        if presented.check_signature(method, &signed).is_ok() {
            return Err(Standing::Elsewhere { signed, ours });
        }
    }
    let signed = format!("another address than {place} here");
    Err(refused.map_or(Standing::Elsewhere { signed, ours }, Standing::Refused))
}

/// Reads the body of a request by a known node, compares it, and puts it back.
async fn with_body(
    app: &App,
    request: Request,
    has_body: bool,
    presented: &Presented,
    turn: Option<Turn>,
) -> Result<(Request, Result<(), Refused>), Answer> {
    if !has_body {
        return Ok((request, presented.check_body(&[])));
    }
    let (mut parts, body) = request.into_parts();
    let (limit, patience) = match turn {
        Some(_) => (limits::BUNDLE_PUSH_BYTES, limits::DEADLINE_PUSH),
        None => (BODY_BYTES_MAX, limits::DEADLINE_SMALL),
    };
    let room = match turn {
        Some(_) => None,
        None => Some(app.pushes.room(params::longest(&body, limit))?),
    };
    let mut bytes = params::bytes_within(Request::new(body), limit, patience).await?;
    if let Some(room) = room {
        bytes = held(bytes, room);
    }
    if let Some(turn) = turn {
        parts.extensions.insert(turn);
    }
    let whole = presented.check_body(&bytes);
    Ok((Request::from_parts(parts, Body::from(bytes)), whole))
}

/// Takes the nonce.
fn taken(app: &App, node: NodeName, presented: &Presented) -> Result<Standing, Answer> {
    let now = app.feeds.clock().now();
    match app.nonces.take(presented.key(), presented.nonce(), presented.expires(), now) {
        Ok(()) => Ok(Standing::Node(node)),
        Err(Untaken::Replayed) => Ok(Standing::Replayed),
        Err(Untaken::Full) => Err(Answer::TooOften),
    }
}

fn fields(headers: &HeaderMap) -> Fields<'_> {
    let all = |name: &str| headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
    Fields {
        signature_input: all(signature::SIGNATURE_INPUT),
        signature: all(signature::SIGNATURE),
        content_digest: all(signature::CONTENT_DIGEST),
    }
}

/// Path and query as they were asked.
fn place(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

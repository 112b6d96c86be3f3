//! What every request and answer has in common: an id, headers that keep browsers safe, and problems
//! written out for whoever asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tlog::hash::Hash;
use tracing::{debug, error};
use wire::media;
use wire::problem::Problem;

use crate::answer::Cause;
use crate::app::{App, Audience};
use crate::caller::{Caller, identify};
use crate::pages::{self, Reader};
use crate::server::{Crowd, Known};

/// The header that names a request in answers, pages and logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id of a client that is taken over; those of proxies have 32 to 36 characters.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Nothing but our own style sheet, drawings and script, which fetches from us alone; no frame, no form to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Handles one request.
pub(crate) async fn every_request(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let public = app.audience == Audience::Everyone;
    let begun = public.then(|| app.traffic.begin(&request));
    let wants_page = wants_page(request.headers());
    let path = request.uri().path().to_owned();
    let crowd = request.extensions().get::<Crowd>().cloned();
    let (mut response, page, known) = match identify(&app, request).await {
        Err(refused) => (refused.into_response(), None, false),
        Ok(request) => {
            let page = wants_page.then(|| Reader::of(&app, &request));
            let known = app.caller(request.extensions()) != Caller::Stranger;
            let preflight = public && method == Method::OPTIONS;
            let response = match preflight {
                true => StatusCode::NO_CONTENT.into_response(),
                false => next.run(request).await,
            };
            (response, page, known)
        }
    };
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.instance = Some(id.clone());
        if let Some(Cause(cause)) = response.extensions_mut().remove::<Cause>() {
            error!(event = "request.failed", request.id = %id, "{method} {path} failed: {cause}");
            if !public {
                problem.detail = Some(cause);
            }
        }
        response = match page {
            Some(reader) => pages::problem_answer(&app, &reader, &problem, response),
            None => written(&problem, response),
        };
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
    }
    // A head names the length of a body that is not there.
    if public && method != Method::HEAD {
        let held = app.memory.hold(response, known, crowd.as_ref()).await;
        response = held.unwrap_or_else(|refused| as_json(refused.into_response()));
    }
    if known {
        response.extensions_mut().insert(Known);
    }
    let status = response.status();
    debug!(request.id = %id, "{method} {path}: {}", status.as_u16());
    if let Some(begun) = begun {
        begun.end(&response);
    }
    let head = response.headers_mut();
    set_keeping(known, head);
    if public {
        set_sharing(&method, head);
    }
    // A poll with nothing new has no content that a browser could show or a reader ask about.
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        set_showing(&app, public, &id, head);
    }
    response
}

/// A problem as JSON, where no router is around it.
pub(crate) fn as_json(mut response: Response) -> Response {
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => written(&problem, response),
        None => response,
    }
}

/// Whether the caller is a person with a browser: those ask for HTML by name, programs do not.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|part| media::is(part, media::HTML))
}

fn written(problem: &Problem, mut response: Response) -> Response {
    // Texts and numbers always serialise.
    *response.body_mut() = Body::from(serde_json::to_vec(problem).unwrap_or_default());
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(media::PROBLEM));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What browsers may do with what they are given. A policy is for whatever is not plain data; a request id
/// is for what people read, not for the bytes of nodes, whose lines are narrow.
fn set_showing(app: &App, public: bool, id: &str, head: &mut HeaderMap) {
    let media = head.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bytes = media == media::BYTES;
    let data = [media::BYTES, media::TEXT, media::VC, media::JSON, media::PROBLEM].contains(&media);
    let mut set = |name: HeaderName, value: &'static str| {
        head.insert(name, HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    if !data {
        set(CONTENT_SECURITY_POLICY, POLICY);
        set(REFERRER_POLICY, "same-origin");
    }
    if public && !bytes {
        set(ACCESS_CONTROL_EXPOSE_HEADERS, "*");
    }
    if app.base_url.as_deref().is_some_and(|base| base.starts_with("https:")) {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(id) = HeaderValue::from_str(id)
        && !bytes
    {
        head.insert(REQUEST_ID, id);
    }
}

/// That pages of other sites may read it, for what is public is public to them too.
fn set_sharing(method: &Method, head: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        head.insert(name, HeaderValue::from_static(value));
    };
    set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    if *method == Method::OPTIONS {
        set(ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS");
        set(ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Accept-Language, If-None-Match, Prefer");
        set(ACCESS_CONTROL_MAX_AGE, "86400");
    }
}

/// What depends on who asked is kept by nobody else: answers to signed requests and to the operator not at
/// all, and a cache between us never gives an unsigned request what a signed one got. Assets and full tiles
/// are the same for all who get them.
fn set_keeping(known: bool, head: &mut HeaderMap) {
    let cache = head.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if cache.starts_with("public") {
        return;
    }
    if known {
        head.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    head.append(VARY, HeaderValue::from_static(wire::signature::SIGNATURE_INPUT));
}

/// The id a proxy gave the request, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        let mut bytes = id.bytes();
        (8..=REQUEST_ID_BYTES_MAX).contains(&id.len())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    given.filter(plain).map_or_else(new_request_id, str::to_owned)
}

/// Unlike every other one, and telling nothing.
fn new_request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let hex = Hash::of(format!("{count} {:?}", SystemTime::now())).to_hex();
    hex.get(..16).unwrap_or(&hex).to_owned()
}

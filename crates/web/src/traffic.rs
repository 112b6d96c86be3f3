//! What is counted of requests: how many, how they ended, how long they took.
//!
//! Counted once, around every request of the public router ([`around`](crate::around)); what the operator
//! asks is not among them. It costs a poll that is answered with 304 two look-ups and no allocation.
//!
//! **Invariant:** labels are routes of the one table, known methods and status codes: a stranger makes no
//! new ones.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::routes::ROUTES;

/// The route of an address that is none.
const NO_ROUTE: &str = "none";

/// The code of a request whose client went away, or whose time was up, before there was an answer.
const NO_CODE: u16 = 0;

/// Seconds: a poll answered with 304 takes some microseconds, a search some milliseconds.
const BUCKETS: [f64; 11] = [0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// What is counted of the requests of one node.
#[derive(Debug)]
pub struct Traffic {
    requests: Family<Ended, Counter>,
    durations: Family<OfRoute, Histogram, fn() -> Histogram>,
    /// Each route's own once it was asked, so that nothing is looked up under a lock.
    routes: HashMap<&'static str, OnceLock<Histogram>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    route: &'static str,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

impl Default for Traffic {
    fn default() -> Self {
        let new: fn() -> Histogram = || Histogram::new(BUCKETS);
        let durations = Family::<OfRoute, Histogram, _>::new_with_constructor(new);
        let routes = ROUTES.iter().map(|route| route.pattern).chain([NO_ROUTE]);
        let routes = routes.map(|route| (route, OnceLock::new())).collect();
        Self { requests: Family::default(), durations, routes }
    }
}

impl Traffic {
    /// Puts everything counted here into what is exported.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests of the public listener; code 0: the client went away or its time was up",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "From the headers of a request to those of its answer; without those that waited for news",
            Unit::Seconds,
            self.durations.clone(),
        );
    }

    /// A request begins.
    pub(crate) fn begin(&self, request: &Request) -> Begun<'_> {
        let matched = request.extensions().get::<MatchedPath>();
        let known = matched.and_then(|path| self.routes.get_key_value(path.as_str()));
        let known = known.or_else(|| self.routes.get_key_value(NO_ROUTE));
        let route = known.map_or(NO_ROUTE, |(route, _)| route);
        let ended = Ended { route, method: method(request.method()), code: NO_CODE };
        Begun { traffic: self, ended, at: Instant::now() }
    }
}

/// A request under way. Dropped before it ended, it is counted as one without an answer.
pub(crate) struct Begun<'a> {
    traffic: &'a Traffic,
    ended: Ended,
    at: Instant,
}

impl Begun<'_> {
    /// There is an answer. Was it held for news, on purpose, the time is none that an answer took.
    pub(crate) fn end(mut self, response: &Response) {
        self.ended.code = response.status().as_u16();
        let route = self.ended.route;
        if let Some(duration) = self.traffic.routes.get(route)
            && !response.headers().contains_key(wire::prefer::APPLIED)
        {
            let new = || self.traffic.durations.get_or_create_owned(&OfRoute { route });
            duration.get_or_init(new).observe(self.at.elapsed().as_secs_f64());
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.traffic.requests.get_or_create(&self.ended).inc();
    }
}

/// Known methods by name.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use http::StatusCode;

    use super::*;

    fn exported(traffic: &Traffic) -> String {
        let mut registry = Registry::with_prefix("jopoi");
        traffic.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn a_request_is_counted_however_it_ends_and_strangers_make_no_labels() {
        let traffic = Traffic::default();
        let request = |method: &str| {
            Request::builder().method(method).uri("/made/up").body(Body::empty()).unwrap()
        };
        let answer = StatusCode::NOT_FOUND.into_response();
        traffic.begin(&request("GET")).end(&answer);
        let mut held = StatusCode::NOT_FOUND.into_response();
        held.headers_mut().insert(wire::prefer::APPLIED, "wait=30".parse().unwrap());
        traffic.begin(&request("MADEUP")).end(&held);
        drop(traffic.begin(&request("HEAD")));
        let text = exported(&traffic);
        for line in [
            "jopoi_http_requests_total{route=\"none\",method=\"GET\",code=\"404\"} 1",
            "jopoi_http_requests_total{route=\"none\",method=\"other\",code=\"404\"} 1",
            "jopoi_http_requests_total{route=\"none\",method=\"HEAD\",code=\"0\"} 1",
            "jopoi_http_request_duration_seconds_count{route=\"none\"} 1",
        ] {
            assert!(text.contains(line), "`{line}` is missing in:\n{text}");
        }
        assert!(!text.contains("made/up"), "{text}");
    }
}

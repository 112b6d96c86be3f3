//! The operator's page of how the node stands.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use web::routes::{monitor, operator};
use web::upkeep::{Meters, Unready, Upkeep, UpkeepError};
use wire::api::keys::{
    Calendar, DateLine, DoctorAnswer, Finding, KeysStatus, NodeRecordAnswer, NodeRecordRequest,
    PrepareAnswer, PrepareRequest, UnlockRequest,
};
use wire::api::{ProbeResult, status::NodeStatus};
use wire::paths;

use crate::stand::{Answered, Stand, ask};

/// A node whose certificate has ended, and whose keys are to be changed soon.
struct Overdue;

fn refused() -> UpkeepError {
    UpkeepError::Refused { reason: "not here".to_owned() }
}

#[async_trait]
impl Upkeep for Overdue {
    fn keys(&self) -> Result<KeysStatus, UpkeepError> {
        let status = serde_json::json!({
            "node": "mechanism.test", "version": 1, "root": "did:key:z", "root_fingerprint": "12345 67890",
            "keys": [], "state": "locked", "encrypted": true, "recoveries": [], "disowned": [],
        });
        serde_json::from_value(status).map_err(|_| refused())
    }
    async fn prepare(&self, _request: PrepareRequest) -> Result<PrepareAnswer, UpkeepError> {
        Err(refused())
    }
    async fn publish(&self, _request: NodeRecordRequest) -> Result<NodeRecordAnswer, UpkeepError> {
        Err(refused())
    }
    async fn unlock(&self, _request: UnlockRequest) -> Result<KeysStatus, UpkeepError> {
        Err(refused())
    }
    fn calendar(&self) -> Calendar {
        let date = |what: &str, at, state: &str| DateLine {
            what: what.to_owned(),
            about: "<b>one</b>".to_owned(),
            at,
            state: state.to_owned(),
            words: "do it".to_owned(),
        };
        Calendar { dates: vec![date("keys", 1, "soon"), date("certificate", 2, "over")] }
    }
    fn look(&self) -> Vec<Finding> {
        vec![Finding {
            area: "disk".to_owned(),
            result: ProbeResult::Warning,
            words: "100 MiB free".to_owned(),
            todo: "free some space".to_owned(),
        }]
    }
    fn unready(&self) -> Vec<Unready> {
        vec![Unready { what: "disk", reason: "the disk is full or nearly".to_owned() }]
    }
    async fn doctor(&self) -> DoctorAnswer {
        DoctorAnswer::default()
    }
}

async fn seen(stand: &Stand, path: &str) -> Answered {
    ask(operator(stand.app.clone()), Method::GET, path, &[], Body::empty()).await
}

async fn overdue() -> Stand {
    let mut stand = Stand::new().await;
    stand.app.upkeep = Some(Arc::new(Overdue));
    stand
}

#[tokio::test]
async fn the_operator_sees_what_is_overdue_first_in_every_language() {
    let stand = overdue().await;
    for (language, over, soon) in [
        ("en", "overdue", "soon"),
        ("es", "vencido", "pronto"),
        ("fr", "dépassé", "bientôt"),
        ("pt", "vencido", "em breve"),
        ("ru", "просрочено", "скоро"),
        ("zh", "已过期", "即将到期"),
        ("ar", "فات موعده", "قريبا"),
    ] {
        let page = seen(&stand, &format!("{}?lang={language}", paths::STATUS)).await;
        assert_eq!(page.status, StatusCode::OK, "{language}");
        let text = page.text();
        let cell = |words: &str| text.find(&format!(">{words}</td>"));
        assert!(cell(over).is_some() && cell(over) < cell(soon), "{language}:\n{text}");
        for shown in ["mechanism.test/public", "12345 67890", "100 MiB free", "&#60;b&#62;one"] {
            assert!(text.contains(shown), "{language} lacks {shown}:\n{text}");
        }
    }
}

#[tokio::test]
async fn a_node_of_which_nothing_is_asked_is_well_and_says_so() {
    let stand = Stand::new().await;
    let page = seen(&stand, paths::STATUS).await;
    assert!(page.text().contains("Nothing waits and nothing fails."), "{}", page.text());
    let status: NodeStatus =
        serde_json::from_value(seen(&stand, paths::API_STATUS).await.json()).unwrap();
    assert!(status.is_well() && status.feeds.len() == 1);
    let overdue = overdue().await;
    let status: NodeStatus =
        serde_json::from_value(seen(&overdue, paths::API_STATUS).await.json()).unwrap();
    assert!(!status.is_well());
    assert_eq!(status.calendar.dates[0].what, "certificate");
}

#[tokio::test]
async fn how_a_node_stands_is_for_its_operator_alone() {
    let stand = overdue().await;
    for path in [paths::STATUS, paths::API_STATUS] {
        let answer = stand.get(path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.text().contains("12345"), "{path}");
    }
}

#[tokio::test]
async fn a_node_that_is_not_ready_says_each_reason_to_anybody_and_serves_on() {
    let stand = Stand::new().await;
    let ready = stand.get(paths::READYZ).await;
    assert_eq!(ready.json(), serde_json::json!({"ready": true, "reasons": []}));
    let stand = overdue().await;
    let unready = stand.get(paths::READYZ).await;
    assert_eq!(unready.status, StatusCode::SERVICE_UNAVAILABLE);
    let reasons = unready.json()["reasons"].clone();
    let reason = serde_json::json!([{"what": "disk", "reason": "the disk is full or nearly"}]);
    assert_eq!(reasons, reason);
    assert_eq!(stand.get(paths::HEADS).await.status, StatusCode::OK);
}

/// Figures that say nothing.
struct Blank;

#[async_trait]
impl Meters for Blank {
    async fn read(&self) -> Result<String, UpkeepError> {
        Ok("# EOF\n".to_owned())
    }
}

#[tokio::test]
async fn at_the_port_for_monitoring_there_are_figures_and_health_and_nothing_else() {
    let mut stand = Stand::new().await;
    stand.app.meters = Some(Arc::new(Blank));
    let asked = |method, path| ask(monitor(stand.app.clone()), method, path, &[], Body::empty());
    for path in [paths::METRICS, paths::LIVEZ, paths::READYZ] {
        let answer = asked(Method::GET, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        // A page of somebody else in a browser on this machine may not read it.
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let type_of_figures = asked(Method::GET, paths::METRICS).await;
    assert_eq!(type_of_figures.header("content-type"), wire::media::OPEN_METRICS);
    for route in web::routes::ROUTES {
        if ![paths::METRICS, paths::LIVEZ, paths::READYZ].contains(&route.pattern) {
            let path = route.pattern.replace(['{', '}', '*'], "");
            let router = monitor(stand.app.clone());
            let answer = ask(router, route.method.clone(), &path, &[], Body::empty()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?}");
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_waits_are_no_durations() {
    let stand = Stand::new().await;
    stand.get(paths::HEADS).await;
    stand.get("/nothing/of/the/kind").await;
    let wait = [("prefer", "wait=1")];
    let router = web::routes::public(stand.app.clone());
    ask(router, Method::GET, paths::HEADS, &wait, Body::empty()).await;
    seen(&stand, paths::HEADS).await;
    let mut registry = Registry::default();
    stand.app.traffic.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        "http_requests_total{route=\"/heads\",method=\"GET\",code=\"200\"} 2",
        "http_requests_total{route=\"none\",method=\"GET\",code=\"404\"} 1",
        "http_request_duration_seconds_count{route=\"/heads\"} 1",
    ] {
        assert!(text.contains(line), "`{line}` is missing in:\n{text}");
    }
    assert!(!text.contains("of/the/kind"), "{text}");
}

//! The operator's page of how the node stands.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, StatusCode};
use web::routes::operator;
use web::upkeep::{Upkeep, UpkeepError};
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

//! Publishing, revising and withdrawing over the API.

use http::StatusCode;
use serde_json::{Value, json};
use wire::paths;

use crate::stand::{Stand, practice};

fn request(drafts: &[Value]) -> Value {
    json!({ "feed": "public", "drafts": drafts, "match_local_id": true })
}

fn draft(subject: &Value) -> Value {
    json!({ "kind": "good-practice", "subject": subject, "source": "row 1" })
}

fn referenced(reference: &str, title: &str) -> Value {
    let mut subject = practice(title);
    subject["local_id"] = reference.into();
    subject
}

#[tokio::test]
async fn a_draft_is_published_revised_and_recognised() {
    let stand = Stand::new().await;
    let first = draft(&referenced("a-1", "Uno"));
    let answer =
        stand.post(paths::API_PUBLISH, &request(std::slice::from_ref(&first))).await.json();
    assert_eq!(
        (&answer["outcome"], &answer["drafts"][0]["action"]),
        (&json!("published"), &json!("new"))
    );
    let page = answer["drafts"][0]["published"]["page"].as_str().unwrap().to_owned();
    assert_eq!(stand.get(&page).await.status, StatusCode::OK);
    let again = [first, draft(&referenced("a-2", "Dos"))];
    let answer = stand.post(paths::API_PUBLISH, &request(&again)).await.json();
    assert_eq!(answer["drafts"][0]["action"], "unchanged");
    assert_eq!(answer["drafts"][0]["published"], Value::Null);
    assert_eq!(answer["drafts"][1]["published"]["version"], 1);
    let changed = [draft(&referenced("a-1", "Otro"))];
    let answer = stand.post(paths::API_PUBLISH, &request(&changed)).await.json();
    assert_eq!(answer["drafts"][0]["action"], "changed");
    assert_eq!(answer["drafts"][0]["published"]["version"], 2);
    let listed = stand.get("/api/v1/records?feed=mechanism.test/public&limit=1").await.json();
    assert_eq!(listed["records"][0]["title"]["es"], "Otro");
}

#[tokio::test]
async fn every_fault_of_every_draft_is_told_and_nothing_is_published() {
    let stand = Stand::new().await;
    let mut wrong = practice("Uno");
    wrong["capacities"] = json!(["nonsense"]);
    wrong["title"] = json!({ "español": "Uno" });
    let both = [draft(&practice("Dos")), draft(&wrong)];
    let answer = stand.post(paths::API_PUBLISH, &request(&both)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = answer.json();
    assert_eq!(answer["drafts"][1]["action"], "refused");
    assert!(answer["drafts"][1]["faults"].as_array().unwrap().len() >= 2, "{answer}");
    assert_eq!(stand.feeds.view(&stand.origin).unwrap().size(), 1);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_writes_nothing() {
    let stand = Stand::new().await;
    let mut dry = request(&[draft(&referenced("a-1", "Uno"))]);
    dry["dry_run"] = true.into();
    let answer = stand.post(paths::API_PUBLISH, &dry).await.json();
    assert_eq!(
        (&answer["outcome"], &answer["drafts"][0]["action"]),
        (&json!("checked"), &json!("new"))
    );
    let questions = answer["drafts"][0]["questions"].as_array().unwrap();
    assert!(questions.iter().all(|question| question["text"].as_object().unwrap().len() == 7));
    assert!(!questions.is_empty());
    assert_eq!(stand.feeds.view(&stand.origin).unwrap().size(), 1);
}

#[tokio::test]
async fn what_looks_like_personal_data_is_asked_about_first() {
    let stand = Stand::new().await;
    let mut subject = practice("Uno");
    subject["summary"] = json!({ "es": "Escriba a maria.perez@correo.example" });
    let mut asked = request(&[draft(&subject)]);
    let answer = stand.post(paths::API_PUBLISH, &asked).await.json();
    assert_eq!(answer["outcome"], "refused");
    assert_eq!(answer["drafts"][0]["warnings"][0]["path"], "summary.es");
    asked["warnings_seen"] = true.into();
    assert_eq!(stand.post(paths::API_PUBLISH, &asked).await.json()["outcome"], "published");
}

#[tokio::test]
async fn one_reference_stands_for_one_record() {
    let stand = Stand::new().await;
    let twice = [draft(&referenced("a-1", "Uno")), draft(&referenced("a-1", "Dos"))];
    let answer = stand.post(paths::API_PUBLISH, &request(&twice)).await.json();
    assert_eq!(answer["drafts"][1]["faults"][0]["path"], "local_id");
    stand.post(paths::API_PUBLISH, &request(&twice[..1])).await;
    let mut unmatched = request(&twice[1..]);
    unmatched["match_local_id"] = false.into();
    let answer = stand.post(paths::API_PUBLISH, &unmatched).await.json();
    assert_eq!(answer["drafts"][0]["faults"][0]["path"], "local_id");
}

#[tokio::test]
async fn a_withdrawal_needs_a_reason_of_the_list_and_a_record_that_exists() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("Uno")).await;
    let id = published.id.to_string();
    let wrong = json!({ "feed": "public", "id": id, "reason": "because" });
    assert_eq!(stand.post(paths::API_WITHDRAW, &wrong).await.status, StatusCode::BAD_REQUEST);
    let unknown =
        json!({ "feed": "public", "id": "urn:uuid:0b8f4c2e-8d3a-4f6b-9c1d-2e3f4a5b6c7d" });
    assert_eq!(stand.post(paths::API_WITHDRAW, &unknown).await.status, StatusCode::NOT_FOUND);
    let answer =
        stand.post(paths::API_WITHDRAW, &json!({ "feed": "public", "id": id })).await.json();
    assert_eq!((&answer["index"], &answer["version"]), (&json!(2), &json!(1)));
    let record =
        stand.get(&format!("/api/v1{}", paths::record(&stand.origin, &published.id))).await;
    assert_eq!(record.json()["standing"], "withdrawn");
}

#[tokio::test]
async fn requests_that_are_no_json_or_have_unknown_members_are_refused() {
    let stand = Stand::new().await;
    let misspelt = json!({ "feed": "public", "drafts": [], "dryrun": true });
    assert_eq!(stand.post(paths::API_PUBLISH, &misspelt).await.status, StatusCode::BAD_REQUEST);
    let answer = stand.post(paths::API_FOLLOW, &json!({ "url": "https://a.example/" })).await;
    assert_eq!(answer.json()["type"], "/problems/peer-failed");
    let router = web::routes::operator(stand.app.clone());
    let body = axum::body::Body::from("{}");
    let answer = crate::stand::ask(router, http::Method::POST, paths::API_PUBLISH, &[], body).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

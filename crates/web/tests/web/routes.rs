//! Every route of the table, and what all have in common.

use axum::body::Body;
use axum::routing::get;
use http::{Method, StatusCode};
use web::routes::{ROUTES, operator, public};
use web::{Audience, hosts};
use wire::paths;
use wire::problem::Name;

use crate::stand::{Stand, ask, practice};

/// A pattern with names that exist.
async fn filled(stand: &Stand, pattern: &str) -> String {
    let published = stand.publish(practice(pattern)).await;
    let uuid = published.id.to_string().replace("urn:uuid:", "");
    let hash = format!("sha256:{}", published.body.unwrap().to_hex());
    pattern
        .replace("{node}", stand.origin.node().as_str())
        .replace("{feed}", stand.origin.feed().as_str())
        .replace("{uuid}", &uuid)
        .replace("{id}", &uuid)
        .replace("{code}", code_of(pattern))
        .replace("{hash}", &hash)
        .replace("{index}", &published.index.to_string())
        .replace("{size}", "0")
        .replace("{number}", "0")
        .replace(
            "{name}",
            if pattern.starts_with("/schemas") { "good-practice.json" } else { "erased" },
        )
        .replace(
            "{*path}",
            if pattern.starts_with("/assets") { "style.css" } else { "entries/000.p/1" },
        )
}

/// A code of the vocabulary that a pattern speaks of.
fn code_of(pattern: &str) -> &'static str {
    match pattern {
        paths::site::TOPIC => "secretariat",
        paths::site::SDG => "16.6",
        paths::site::HUMAN_RIGHTS_MECHANISM => "upr",
        _ => "PY",
    }
}

/// Objects that a young feed does not have.
const NOT_YET: [&str; 10] = [
    paths::EVIDENCE,
    paths::SEGMENT,
    paths::WITNESS_CHECKPOINT,
    paths::ANCHORS,
    paths::FILE,
    paths::NETWORK,
    paths::site::GROUP,
    paths::site::SECURITY,
    paths::site::PROFILE_DOCX,
    paths::site::PROFILE_JSON,
];

#[tokio::test]
async fn every_route_answers_get_and_head_alike_and_refuses_other_methods() {
    let stand = Stand::new().await;
    let read = |route: &&web::routes::Route| {
        route.audience == Audience::Everyone && route.method == Method::GET
    };
    for route in ROUTES.iter().filter(read) {
        let path = filled(&stand, route.pattern).await;
        let got = stand.get(&path).await;
        let expected = if NOT_YET.contains(&route.pattern) { 404 } else { 200 };
        assert_eq!(got.status, expected, "{path}: {}", String::from_utf8_lossy(&got.bytes));
        let head = ask(public(stand.app.clone()), Method::HEAD, &path, &[], Body::empty()).await;
        assert_eq!((head.status, head.bytes.len()), (got.status, 0), "HEAD {path}");
        assert_eq!(head.header("etag"), got.header("etag"), "HEAD {path}");
        let deleted =
            ask(public(stand.app.clone()), Method::DELETE, &path, &[], Body::empty()).await;
        assert_eq!(deleted.status, StatusCode::METHOD_NOT_ALLOWED, "DELETE {path}");
        let posted = ROUTES
            .iter()
            .any(|other| other.pattern == route.pattern && other.method == Method::POST);
        let allow = if posted { "GET,HEAD,POST" } else { "GET,HEAD" };
        assert_eq!(deleted.header("allow"), allow, "DELETE {path}");
        assert_eq!(deleted.header("content-type"), "application/problem+json");
        assert_eq!(deleted.json()["type"], "/problems/method-not-allowed");
        assert_eq!(deleted.json()["instance"], deleted.header("x-request-id"));
    }
}

#[tokio::test]
async fn what_only_the_operator_may_do_is_refused_in_public() {
    let stand = Stand::new().await;
    for route in ROUTES.iter().filter(|route| route.audience == Audience::Operator) {
        let path = filled(&stand, route.pattern).await;
        let post = || Body::from("{}");
        let answer = ask(public(stand.app.clone()), Method::POST, &path, &[], post()).await;
        assert_eq!(answer.json()["type"], "/problems/operator-only", "{path}");
        let answer = ask(operator(stand.app.clone()), Method::POST, &path, &[], post()).await;
        assert_ne!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn every_answer_keeps_browsers_safe_and_may_be_read_from_elsewhere() {
    let stand = Stand::new().await;
    for path in ["/", "/heads", "/nothing", "/assets/style.css"] {
        let answer = stand.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
    }
    for document in ["/", "/nothing", "/oai?verb=Identify", "/search.atom"] {
        let answer = ask(
            public(stand.app.clone()),
            Method::GET,
            document,
            &[("accept", "text/html, */*")],
            Body::empty(),
        )
        .await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{document}: {policy}");
        assert!(!policy.contains("unsafe"), "{document}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{document}");
    }
    let heads = stand.get("/heads").await;
    let size = stand.app.feeds.view(&stand.origin).unwrap().size();
    let asked = [("if-none-match", heads.header("etag"))];
    for polled in [
        stand.get_with("/heads", &asked).await,
        stand.get(&paths::since(&stand.origin, size)).await,
    ] {
        assert!([204, 304].contains(&polled.status.as_u16()), "{}", polled.status);
        assert_eq!(polled.header("access-control-allow-origin"), "*");
        // Those who poll get no more than they need, beside the status line and the date.
        let bytes =
            polled.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        assert!(bytes.sum::<usize>() <= 150, "{:?}", polled.headers);
    }
    let asked = [("x-request-id", "4bf92f3577b34da6")];
    assert_eq!(stand.get_with("/", &asked).await.header("x-request-id"), "4bf92f3577b34da6");
    let preflight =
        ask(public(stand.app.clone()), Method::OPTIONS, "/heads", &[], Body::empty()).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert!(preflight.header("access-control-allow-headers").contains("If-None-Match"));
}

#[tokio::test]
async fn names_that_cannot_be_are_no_more_than_not_found() {
    let stand = Stand::new().await;
    for path in [
        "/feeds/%FF%FE/public/checkpoint",
        "/feeds/..%2F..%2Fetc/public/checkpoint",
        "/feeds/mechanism.test/public/tile/..%2F..%2Fhead",
        "/feeds/mechanism.test/public/tile/0/000/",
        "/feeds/mechanism.test/public/body/00",
        "/feeds/mechanism.test/public/body/99999999999999999999",
        "/feeds/mechanism.test/public/since/-1",
        "/feeds/mechanism.test/public/proof/5",
        "/feeds/mechanism.test/r-aaaaaaaaaaaaaaaaaaaaaaaaaa/checkpoint",
        "/records/mechanism.test/public/x",
        "/bodies/sha256:00",
        "/schemas/nothing.json",
        "/problems/nothing",
        "/assets/../style.css",
        "/feeds/mechanism.test/public?before=x",
        "/api/v1/records?feed=nonsense",
        "/api/v1/records?before=3",
        "/%00",
    ] {
        let status = stand.get(path).await.status;
        assert!(matches!(status.as_u16(), 400 | 404), "{path}: {status}");
    }
}

#[tokio::test]
async fn a_browser_gets_a_problem_as_a_page_and_a_program_as_json() {
    let stand = Stand::new().await;
    let page = stand.get_with("/nothing?lang=fr", &[("accept", "text/html,*/*;q=0.8")]).await;
    assert_eq!((page.status.as_u16(), page.header("content-language")), (404, "fr"));
    assert!(page.text().contains("Il n’y a rien de tel ici"), "{}", page.text());
    assert!(!page.text().contains("there is no"), "{}", page.text());
    let json = stand.get("/nothing").await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    for name in Name::ALL {
        let page = stand.get(&paths::problem(name.as_str())).await;
        assert_eq!(page.status, StatusCode::OK, "{}", name.as_str());
    }
}

#[tokio::test]
async fn a_host_that_is_no_node_is_misdirected() {
    let one = || axum::Router::new().route("/", get(async || "one"));
    let two = || axum::Router::new().route("/", get(async || "two"));
    let router = hosts::dispatch(vec![
        ("https://one.example/".to_owned(), one()),
        ("http://two.example:8080/".to_owned(), two()),
    ]);
    let at = async |host: &str| {
        ask(router.clone(), Method::GET, "/", &[("host", host)], Body::empty()).await
    };
    assert_eq!(at("one.example").await.text(), "one");
    assert_eq!(at("ONE.example.:443").await.text(), "one");
    assert_eq!(at("two.example:8080").await.text(), "two");
    for host in ["two.example", "other.example", "127.0.0.1", "one.example:8443", "", "a b", "@"] {
        let answer = at(host).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert_eq!(answer.json()["type"], "/problems/misdirected");
    }
}

#[tokio::test]
async fn pages_and_json_are_compressed_and_what_is_verified_is_not() {
    let stand = Stand::new().await;
    let wish = [("accept-encoding", "gzip")];
    assert_eq!(stand.get_with("/", &wish).await.header("content-encoding"), "gzip");
    for path in ["/heads", "/.well-known/jopoi", "/feeds/mechanism.test/public/since/0"] {
        assert_eq!(stand.get_with(path, &wish).await.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn the_description_of_the_api_names_every_route_for_programs() {
    let stand = Stand::new().await;
    let described = stand.get("/openapi.json").await.json();
    let paths = described["paths"].as_object().unwrap();
    let public = ROUTES.iter().filter(|route| route.audience == Audience::Everyone);
    let methods = paths.values().filter_map(|path| path.as_object());
    let operations: usize = methods.map(serde_json::Map::len).sum();
    assert_eq!(operations, public.filter(|route| !route.summary.is_empty()).count());
    assert!(paths.contains_key("/feeds/{node}/{feed}/tile/{path}"));
}

#[tokio::test]
async fn a_restricted_feed_is_unknown_to_strangers() {
    let stand = Stand::new().await;
    let record = stand.feeds.node_record(stand.feeds.node()).unwrap();
    let name = tlog::name::FeedName::parse("r-aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    stand.feeds.begin(&name, record).await.unwrap();
    let origin = tlog::name::Origin::new(stand.origin.node().clone(), name);
    for path in [
        paths::checkpoint(&origin),
        paths::since(&origin, 0),
        paths::body(&origin, 0),
        paths::proof(&origin, 0),
        paths::feed(&origin),
        paths::api_records(&origin, None),
    ] {
        let (here, nowhere) =
            (stand.get(&path).await, stand.get(&path.replace("r-a", "r-b")).await);
        assert_eq!(
            (here.status, nowhere.status),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
            "{path}"
        );
        let detail = here.json()["detail"].as_str().unwrap().replace("r-a", "r-b");
        assert_eq!(nowhere.json()["detail"], detail, "{path}");
    }
    for path in ["/heads", "/", "/peers", "/api/v1/feeds", "/api/v1/records"] {
        assert!(!stand.get(path).await.text().contains("r-aaa"), "{path}");
    }
    let path = paths::checkpoint(&origin);
    let router = operator(stand.app.clone());
    let held = ask(router, Method::GET, &path, &[], Body::empty()).await;
    assert_eq!((held.status.as_u16(), held.header("cache-control")), (200, "private, no-store"));
}

//! The objects of a feed, byte for byte.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, StatusCode};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::proof_file::TlogProof;
use tokio::time::{Instant, Interval, interval, timeout};
use tower::ServiceExt as _;
use web::routes;
use wire::{heads, paths};

use crate::stand::{Stand, ask, practice};

/// So long that a test that needs it hangs visibly.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_entry_its_body_and_its_proof_agree_with_the_checkpoint() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("uno")).await;
    let body = stand.get(&paths::body(&stand.origin, published.index)).await;
    assert_eq!(body.header("content-type"), "application/vc");
    assert_eq!(Hash::of(&body.bytes), published.body.unwrap());
    assert_eq!(stand.get(&paths::bodies(&published.body.unwrap())).await.bytes, body.bytes);
    let key = stand.feeds.view(&stand.origin).unwrap().log_vkey().unwrap();
    let note = stand.get(&paths::checkpoint(&stand.origin)).await;
    assert_eq!(note.header("content-type"), "text/plain; charset=utf-8");
    let checkpoint = SignedCheckpoint::parse(&note.bytes).unwrap();
    assert_eq!(checkpoint.verify(&key).unwrap().size, 2);
    let bundle = stand.get("/feeds/mechanism.test/public/tile/entries/000.p/2").await;
    let entries = tlog::tile::decode_entries(&bundle.bytes).unwrap();
    let proof = stand.get(&paths::proof(&stand.origin, published.index)).await;
    let proof = TlogProof::parse(&proof.bytes).unwrap();
    assert_eq!(proof.index, 1);
    assert_eq!(proof.checkpoint.verify(&key).unwrap().size, 2);
    assert_eq!(entries.len(), 2);
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let stand = Stand::new().await;
    for path in
        ["/heads", "/.well-known/jopoi", "/feeds/mechanism.test/public/checkpoint", "/", "/ns/v1"]
    {
        let first = stand.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.len() > 20, "{path}");
        let again = stand.get_with(path, &[("if-none-match", &format!("\"x\", {tag}"))]).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), tag, "{path}");
    }
    stand.publish(practice("dos")).await;
    let tag = stand.get("/heads").await.header("etag").to_owned();
    stand.publish(practice("tres")).await;
    assert_eq!(stand.get_with("/heads", &[("if-none-match", &tag)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_what_did_not_change_the_rest_alone_is_sent() {
    let stand = Stand::new().await;
    stand.publish(practice("uno")).await;
    let path = paths::since(&stand.origin, 0);
    let whole = stand.get(&path).await;
    let tag = whole.header("etag").to_owned();
    let rest = stand.get_with(&path, &[("range", "bytes=100-"), ("if-range", &tag)]).await;
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.bytes, whole.bytes.slice(100..));
    let all = whole.bytes.len();
    assert_eq!(rest.header("content-range"), format!("bytes 100-{}/{all}", all - 1));
    for (range, tag) in [
        ("bytes=100-", "\"another\""),
        ("bytes=100-200", tag.as_str()),
        ("bytes=-100", &tag),
        ("bytes=99999999999999999999-", &tag),
        (&format!("bytes={all}-"), &tag),
    ] {
        let again = stand.get_with(&path, &[("range", range), ("if-range", tag)]).await;
        assert_eq!((again.status, again.bytes), (StatusCode::OK, whole.bytes.clone()), "{range}");
    }
    assert_eq!(stand.get_with(&path, &[("range", "bytes=100-")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn since_tells_what_follows_and_when_the_caller_knows_more() {
    let stand = Stand::new().await;
    let since = async |size: u64| stand.get(&paths::since(&stand.origin, size)).await;
    let news = since(0).await;
    assert_eq!(
        (&news.bytes[..4], news.header("content-type")),
        (b"JPT1".as_slice(), "application/octet-stream")
    );
    assert_eq!(since(1).await.status, StatusCode::NO_CONTENT);
    let shorter = since(2).await;
    assert_eq!(shorter.status, StatusCode::CONFLICT);
    assert_eq!(shorter.bytes, stand.get(&paths::checkpoint(&stand.origin)).await.bytes);
}

#[tokio::test]
async fn a_waiting_reader_is_told_as_soon_as_there_is_news() {
    let stand = Stand::new().await;
    let wait = [("prefer", "wait=60")];
    let path = paths::since(&stand.origin, 1);
    let waiting = stand.get_with(&path, &wait);
    let publishing = async {
        tokio::task::yield_now().await;
        stand.publish(practice("uno")).await
    };
    let (news, _) = timeout(PATIENCE, async { tokio::join!(waiting, publishing) }).await.unwrap();
    assert_eq!((news.status, news.header("preference-applied")), (StatusCode::OK, "wait=60"));
    let tag = stand.get("/heads").await.header("etag").to_owned();
    let known = [("prefer", "wait=60"), ("if-none-match", tag.as_str())];
    let waiting = stand.get_with("/heads", &known);
    let publishing = async {
        tokio::task::yield_now().await;
        stand.publish(practice("dos")).await
    };
    let (news, _) = timeout(PATIENCE, async { tokio::join!(waiting, publishing) }).await.unwrap();
    assert_eq!(heads::parse(&news.bytes).unwrap()[0].size, 3);
}

#[tokio::test]
async fn an_erased_body_is_gone_with_the_proof_of_its_withdrawal() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("uno")).await;
    let withdrawn = stand.withdraw(&published.id, true).await;
    let by_hash = paths::bodies(&published.body.unwrap());
    for path in [paths::body(&stand.origin, published.index), by_hash] {
        let gone = stand.get(&path).await;
        assert_eq!(gone.status, StatusCode::GONE, "{path}");
        let problem = gone.json();
        assert_eq!(problem["index"], withdrawn.index);
        assert!(problem["withdrawal"].as_str().unwrap().contains("\"erase\":[1]"));
        let proof = TlogProof::parse(problem["proof"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(proof.index, withdrawn.index);
    }
}

#[tokio::test]
async fn a_withdrawn_body_is_served_with_a_link_to_its_withdrawal() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("uno")).await;
    let path = paths::body(&stand.origin, published.index);
    assert_eq!(stand.get(&path).await.header("link"), "");
    let withdrawn = stand.withdraw(&published.id, false).await;
    let body = stand.get(&path).await;
    assert_eq!(body.status, StatusCode::OK);
    assert!(body.header("link").contains(&paths::proof(&stand.origin, withdrawn.index)));
}

#[tokio::test]
async fn only_full_tiles_may_be_kept_for_ever() {
    let stand = Stand::new().await;
    for number in 0..260 {
        stand.publish(practice(&number.to_string())).await;
    }
    let keep = async |path: &str| {
        let answer = stand.get(&format!("/feeds/mechanism.test/public/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answer.header("cache-control").to_owned()
    };
    for full in ["tile/0/000", "tile/entries/000"] {
        assert!(keep(full).await.contains("immutable"), "{full}");
    }
    for other in ["tile/0/001.p/2", "tile/0/000.p/7", "checkpoint", "since/0", "body/3", "proof/3"]
    {
        assert_eq!(keep(other).await, "no-cache", "{other}");
    }
}

#[tokio::test]
async fn answers_that_nobody_takes_leave_no_room_for_more_of_them_and_room_for_short_ones() {
    let stand = Stand::new().await;
    stand.publish(practice("uno")).await;
    let router = routes::public(stand.app.clone());
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    let mut untaken = Vec::new();
    let refused = loop {
        let response = get("/openapi.json").await;
        match response.status() {
            StatusCode::OK => untaken.push(response),
            _ => break response,
        }
        assert!(untaken.len() < 10_000);
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    // Whoever follows learns what there is.
    for path in ["/heads", "/feeds/mechanism.test/public/checkpoint"] {
        assert_eq!(get(path).await.status(), StatusCode::OK, "{path}");
    }
    untaken.pop();
    assert_eq!(get("/openapi.json").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_compressed_answer_is_whole_before_it_is_sent() {
    let stand = Stand::new().await;
    for coding in ["gzip", "zstd"] {
        let request = Request::get("/openapi.json").header("accept-encoding", coding);
        let request = request.body(Body::empty()).unwrap();
        let response = routes::public(stand.app.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        // What compresses while it is sent has no length.
        assert!(response.body().size_hint().exact().is_some_and(|bytes| bytes > 1_000), "{coding}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_loses_its_place_before_its_time_is_over() {
    let stand = Stand::new().await;
    let begun = Instant::now();
    let seconds = interval(Duration::from_secs(1));
    let drops = stream::unfold(seconds, async |mut seconds: Interval| {
        seconds.tick().await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), seconds))
    });
    let body = Body::from_stream(drops);
    let router = routes::public(stand.app.clone());
    let answer = ask(router, Method::POST, paths::OAI, &[], body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

//! Answers that are ones, and what is asked for them.

use std::time::Duration;

use feed::ports::{BodyAnswer, Carrier as _, CarrierError, Since};
use peer::HttpCarrier;
use peer::limits::Limits;

use crate::server::{Evil, Play, Then, loopback, ok};
use crate::{BYTES, TEXT, checkpoint, origin};

#[tokio::test]
async fn an_honest_answer_arrives_and_the_question_was_modest() -> anyhow::Result<()> {
    let evil = Evil::saying(ok(TEXT, b"a note")).await?;
    assert_eq!(checkpoint(&evil, Limits::default()).await??, b"a note");
    let asked = evil.heard().concat();
    assert!(asked.starts_with("get /feeds/evil.example/public/checkpoint http/1.1\r\n"), "{asked}");
    assert!(asked.contains("accept-encoding: identity\r\n"), "{asked}");
    assert!(asked.contains("user-agent: jopoi/"), "{asked}");
    assert!(!asked.contains("cookie") && !asked.contains("referer"), "{asked}");
    Ok(())
}

#[tokio::test]
async fn what_follows_a_size_is_told_by_status_and_magic() -> anyhow::Result<()> {
    let conflict = format!("HTTP/1.1 409 Conflict\r\n{TEXT}Content-Length: 6\r\n\r\na note");
    let answers = [
        (ok(BYTES, b"JPH1 and so on"), Since::Head("JPH1 and so on".into())),
        (ok(BYTES, b"JPT1"), Since::Commits("JPT1".into())),
        (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Since::Nothing),
        (conflict.into_bytes(), Since::Shorter("a note".into())),
    ];
    for (answer, expected) in answers {
        let evil = Evil::saying(answer).await?;
        let carrier = evil.carrier(Limits::default())?;
        let wait = Some(Duration::from_secs(30));
        assert_eq!(carrier.since(&origin()?, 7, wait).await?, expected);
        let asked = evil.heard().concat();
        assert!(asked.starts_with("get /feeds/evil.example/public/since/7 "), "{asked}");
        assert!(asked.contains("prefer: wait=30\r\n"), "{asked}");
    }
    let evil = Evil::saying(ok(BYTES, b"JPB1")).await?;
    let answer = evil.carrier(Limits::default())?.since(&origin()?, 7, None).await;
    assert!(matches!(answer, Err(CarrierError::Improper { .. })), "{answer:?}");
    assert!(!evil.heard().concat().contains("prefer"));
    Ok(())
}

#[tokio::test]
async fn bodies_are_there_gone_or_missing() -> anyhow::Result<()> {
    let gone = "HTTP/1.1 410 Gone\r\nContent-Type: application/problem+json\r\n\r\n{}";
    let answers = [
        (ok("Content-Type: application/vc\r\n", b"{}"), BodyAnswer::Body("{}".into())),
        (gone.as_bytes().to_vec(), BodyAnswer::Gone),
        (b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(), BodyAnswer::Missing),
    ];
    for (answer, expected) in answers {
        let evil = Evil::saying(answer).await?;
        let carrier = evil.carrier(Limits::default())?;
        assert_eq!(carrier.body(&origin()?, 12).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn retry_after_is_read_in_seconds_and_as_a_date_and_never_exceeds_a_day() -> anyhow::Result<()>
{
    let date = "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 10:02:00 GMT";
    for (status, headers, expected) in [
        (503, "Retry-After: 17", 17),
        (429, "Retry-After: 17", 17),
        (503, "Retry-After: 0", 1),
        (503, "Retry-After: 99999999999999999999999", 86_400),
        (503, date, 120),
        (503, "Retry-After: soon", 60),
        (429, "X-Nothing: 1", 60),
    ] {
        let answer = format!("HTTP/1.1 {status} Busy\r\n{headers}\r\nContent-Length: 0\r\n\r\n");
        let evil = Evil::saying(answer).await?;
        match checkpoint(&evil, Limits::default()).await? {
            Err(CarrierError::Busy { seconds, .. }) => assert_eq!(seconds, expected, "{headers}"),
            other => anyhow::bail!("{headers}: {other:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn statuses_are_told_apart() -> anyhow::Result<()> {
    let evil = Evil::saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await?;
    let answer = checkpoint(&evil, Limits::default()).await?;
    assert!(matches!(answer, Err(CarrierError::NotFound { .. })), "{answer:?}");
    let evil = Evil::saying("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n").await?;
    let error = checkpoint(&evil, Limits::default()).await?.unwrap_err().to_string();
    assert!(error.contains("status 500"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_second_url_answers_when_the_first_does_not_and_is_asked_first_from_then_on()
-> anyhow::Result<()> {
    let broken = Evil::saying("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n").await?;
    let sound = Evil::saying(ok(TEXT, b"a note")).await?;
    let carrier = HttpCarrier::new(&loopback(Limits::default())?, &[broken.url(), sound.url()])?;
    for _ in 0..3 {
        assert_eq!(carrier.checkpoint(&origin()?).await?, &b"a note"[..]);
    }
    assert_eq!((broken.heard().len(), sound.heard().len()), (1, 3));
    assert_eq!(carrier.describe(), sound.url());
    Ok(())
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    drop(listener);
    let carrier = HttpCarrier::new(&loopback(Limits::default())?, &[url])?;
    let error = carrier.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(error.contains("refuses connections"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_clock_of_a_peer_is_known_from_its_answers() -> anyhow::Result<()> {
    let dated = format!("{TEXT}Date: Thu, 01 Jan 1970 00:16:40 GMT\r\n");
    let evil = Evil::saying(ok(&dated, b"a note")).await?;
    let carrier = evil.carrier(Limits::default())?;
    assert_eq!(carrier.server_time(), None);
    carrier.checkpoint(&origin()?).await?;
    assert!(carrier.server_time().is_some_and(|time| time >= 1_000));
    Ok(())
}

/// A segment of so many bytes, of which these are sent before the connection breaks.
fn broken_off(bytes: &[u8], all: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{BYTES}ETag: \"one\"\r\nContent-Length: {all}\r\n\r\n");
    [head.as_bytes(), bytes].concat()
}

#[tokio::test]
async fn of_an_answer_that_broke_off_the_rest_alone_is_asked_for() -> anyhow::Result<()> {
    let whole: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let rest = |from: usize, to: usize| {
        let range = format!("ETag: \"one\"\r\nContent-Range: bytes {from}-99999/100000\r\n");
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\n{BYTES}{range}Content-Length: {}\r\n\r\n",
            100_000 - from
        );
        [head.as_bytes(), &whole[from..to]].concat()
    };
    let plays =
        [broken_off(&whole[..40_000], 100_000), rest(40_000, 70_000), rest(70_000, 100_000)];
    let plays = plays.map(|first| Play { first, then: Then::Close });
    let evil = Evil::playing(plays.to_vec()).await?;
    let carrier = evil.carrier(Limits::default())?;
    for kept in [40_000, 70_000] {
        let error = carrier.segment(&origin()?, 0).await.unwrap_err();
        assert!(
            matches!(error, CarrierError::Interrupted { received, .. } if received == kept),
            "{error}"
        );
    }
    assert_eq!(carrier.segment(&origin()?, 0).await?, whole);
    let asked = evil.heard();
    assert!(!asked[0].contains("range"), "{asked:?}");
    assert!(asked[1].contains("range: bytes=40000-\r\nif-range: \"one\"\r\n"), "{asked:?}");
    assert!(asked[2].contains("range: bytes=70000-\r\n"), "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_rest_is_not_joined_to_what_came_before() -> anyhow::Result<()> {
    let part = |range: &str| {
        let head = format!("HTTP/1.1 206 Partial Content\r\n{BYTES}Content-Range: {range}\r\n");
        [format!("{head}Content-Length: 60000\r\n\r\n").as_bytes(), &[7; 60_000]].concat()
    };
    for range in ["bytes 0-59999/100000", "bytes 40000-99998/100000", "bytes */100000", ""] {
        let plays = [broken_off(&[7; 40_000], 100_000), part(range), ok(BYTES, &[9; 50])];
        let plays = plays.map(|first| Play { first, then: Then::Close });
        let carrier = Evil::playing(plays.to_vec()).await?.carrier(Limits::default())?;
        assert!(carrier.segment(&origin()?, 0).await.is_err());
        let error = carrier.segment(&origin()?, 0).await.unwrap_err().to_string();
        assert!(error.contains("another part"), "{range}: {error}");
        assert_eq!(carrier.segment(&origin()?, 0).await?, &[9; 50][..]);
    }
    Ok(())
}

#[tokio::test]
async fn a_peer_that_never_adds_to_what_came_is_not_asked_on_soon() -> anyhow::Result<()> {
    let nothing_more = format!(
        "HTTP/1.1 206 Partial Content\r\n{BYTES}ETag: \"one\"\r\nContent-Range: bytes 40000-99999/100000\r\n\
         Content-Length: 60000\r\n\r\n"
    );
    let plays = [broken_off(&[7; 40_000], 100_000), nothing_more.into_bytes()];
    let plays = plays.map(|first| Play { first, then: Then::Close });
    let evil = Evil::playing(plays.to_vec()).await?;
    let carrier = evil.carrier(Limits::default())?;
    let first = carrier.segment(&origin()?, 0).await;
    assert!(matches!(first, Err(CarrierError::Interrupted { received: 40_000, .. })), "{first:?}");
    for _ in 0..2 {
        let again = carrier.segment(&origin()?, 0).await;
        assert!(matches!(again, Err(CarrierError::Unreachable { .. })), "{again:?}");
    }
    // What came is still there: an honest one may have a bad line.
    assert!(evil.heard()[2].contains("range: bytes=40000-\r\n"), "{:?}", evil.heard());
    Ok(())
}

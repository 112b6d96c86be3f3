//! What strangers' servers may do to us: nothing but waste a little of their own time.

mod address;
mod answer;
mod probe;
mod server;
mod tls;

use std::time::Duration;

use feed::ports::{Carrier as _, CarrierError};
use peer::limits::Limits;
use server::{Evil, Play, Then, ok, tight};
use tlog::name::Origin;

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const BYTES: &str = "Content-Type: application/octet-stream\r\n";

fn origin() -> anyhow::Result<Origin> {
    Ok(Origin::parse("evil.example/public")?)
}

/// What becomes of asking this server for a checkpoint.
async fn checkpoint(evil: &Evil, limits: Limits) -> anyhow::Result<Result<Vec<u8>, CarrierError>> {
    let answer = evil.carrier(limits)?.checkpoint(&origin()?).await;
    Ok(answer.map(|bytes| bytes.to_vec()))
}

/// The reason for which a checkpoint was refused.
async fn refusal(play: Play, limits: Limits) -> anyhow::Result<String> {
    let evil = Evil::playing(vec![play]).await?;
    match checkpoint(&evil, limits).await? {
        Err(error) => Ok(error.to_string()),
        Ok(bytes) => anyhow::bail!("{} bytes were taken for an answer", bytes.len()),
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_at_its_limit() -> anyhow::Result<()> {
    let first = format!("HTTP/1.1 200 OK\r\n{TEXT}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    let play = Play { first: first.into_bytes(), then: Then::Repeat(chunk.into_bytes()) };
    let error = refusal(play, Limits::default()).await?;
    assert!(error.contains("it is longer than 4096 bytes"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_endless_segment_without_a_length_is_cut_at_its_limit() -> anyhow::Result<()> {
    let first = format!("HTTP/1.1 200 OK\r\n{BYTES}\r\n").into_bytes();
    let evil = Evil::playing(vec![Play { first, then: Then::Repeat(vec![7; 65_536]) }]).await?;
    let limits = Limits { segment: 1 << 20, ..Limits::default() };
    let error = evil.carrier(limits)?.segment(&origin()?, 0).await.unwrap_err().to_string();
    assert!(error.contains("it is longer than 1048576 bytes"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_huge_announced_length_is_refused_before_a_byte_is_read() -> anyhow::Result<()> {
    for length in ["4097", "999999999999999999", "18446744073709551615"] {
        let first = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: {length}\r\n\r\n");
        let play = Play { first: first.into_bytes(), then: Then::Hold };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains("announces") || error.contains("connection failed"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_trickle_is_given_up_for_its_rate() -> anyhow::Result<()> {
    let first = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 4000\r\n\r\n").into_bytes();
    let limits = Limits { idle: Duration::from_secs(30), ..tight() };
    let error = refusal(Play { first, then: Then::Trickle }, limits).await?;
    assert!(error.contains("slower than 100000 bytes a second"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_trickle_above_the_rate_still_meets_the_deadline() -> anyhow::Result<()> {
    let first = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 4000\r\n\r\n").into_bytes();
    let deadline_small = Duration::from_millis(300);
    let limits = Limits { minimum_rate: 0, deadline_small, ..Limits::default() };
    let error = refusal(Play { first, then: Then::Trickle }, limits).await?;
    assert!(error.contains("not complete in time"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_never_ends_and_never_comes_is_given_up() -> anyhow::Result<()> {
    let first = format!("HTTP/1.1 200 OK\r\n{TEXT}Content-Length: 40\r\n\r\nhalf").into_bytes();
    let error = refusal(Play { first, then: Then::Hold }, tight()).await?;
    assert!(error.contains("nothing came"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() -> anyhow::Result<()> {
    for first in [&b""[..], b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"] {
        let play = Play { first: first.to_vec(), then: Then::Hold };
        let error = refusal(play, tight()).await?;
        assert!(error.contains("did not answer within"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_named() -> anyhow::Result<()> {
    for first in
        ["", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf"]
    {
        let play = Play { first: first.as_bytes().to_vec(), then: Then::Close };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains("cannot be reached"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_storm_of_early_answers_ends_with_our_patience() -> anyhow::Result<()> {
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n".repeat(64);
    let play = Play { first: hints.clone(), then: Then::Repeat(hints) };
    let error = refusal(play, tight()).await?;
    assert!(error.contains("did not answer within"), "{error}");
    Ok(())
}

#[tokio::test]
async fn floods_of_headers_are_refused() -> anyhow::Result<()> {
    let many = "X-Flood: 1\r\n".repeat(101);
    let long = format!("X-Flood: {}\r\n", "x".repeat(1_000_000));
    let both = (0..60).map(|n| format!("X-{n}: {}\r\n", "x".repeat(1_000))).collect::<String>();
    for (headers, words) in
        [(many, "cannot be reached"), (long, "cannot be reached"), (both, "its headers have")]
    {
        let play = Play { first: ok(&format!("{TEXT}{headers}"), b"hello"), then: Then::Close };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains(words), "{error}");
    }
    let endless = Play {
        first: b"HTTP/1.1 200 OK\r\nX-Endless: ".to_vec(),
        then: Then::Repeat(vec![b'x'; 65_536]),
    };
    let error = refusal(endless, Limits::default()).await?;
    assert!(error.contains("cannot be reached"), "{error}");
    Ok(())
}

#[tokio::test]
async fn compressed_answers_are_refused_unread() -> anyhow::Result<()> {
    // Heads of real streams; what would follow does not matter, for it is never decoded.
    let gzip: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let zstd: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0, 0x80];
    for (coding, body) in
        [("gzip", gzip), ("zstd", zstd), ("br", b"\x5b"), ("gzip, gzip", gzip), ("deflate", b"x")]
    {
        let headers = format!("{TEXT}Content-Encoding: {coding}\r\n");
        let play = Play { first: ok(&headers, body), then: Then::Hold };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains("it came compressed"), "{coding}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn other_media_types_are_no_answers() -> anyhow::Result<()> {
    for headers in ["Content-Type: text/html; charset=utf-8\r\n", BYTES, "", "Content-Type: \r\n"] {
        let play = Play { first: ok(headers, b"<p>Welcome to the hotel</p>"), then: Then::Close };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains("and not `text/plain"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn redirects_are_named_and_not_followed() -> anyhow::Result<()> {
    let inside = Evil::saying(ok(TEXT, b"secret")).await?;
    for status in [301, 302, 303, 307, 308] {
        let target = inside.url();
        let answer =
            format!("HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let play = Play { first: answer.into_bytes(), then: Then::Close };
        let error = refusal(play, Limits::default()).await?;
        assert!(error.contains(&format!("redirects to `{target}`")), "{error}");
    }
    assert_eq!(inside.heard().len(), 0);
    Ok(())
}

//! Servers that answer what is no answer: too much, without end, of another kind, from elsewhere.
//! Each is refused with words before it costs anything, and nobody else is held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::response::Response;
use bytes::Bytes;
use feed::feeds::SyncError;
use feed::ports::CarrierError;
use tests::federation::{Federation, Node, Server};
use tests::liar;

/// It takes milliseconds; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

const HUB: &str = "hub.example";
const OWNER: &str = "owner.example";
const OTHER: &str = "other.example";

/// Syncs through a server that changes what the owner says, and expects to be told why that failed.
async fn refused(
    change: impl Fn(&str, Response<Bytes>) -> Response + Send + Sync + 'static,
) -> Result<SyncError> {
    let federation = Federation::of([HUB, OWNER]).await?;
    let (hub, owner) = (federation.node(HUB)?, federation.node(OWNER)?);
    let published = owner.publish("True").await?;
    let server = liar::before(owner.router(), change).await?;
    hub.pin(owner.member()).await?;
    let error = match hub.sync(owner.member(), &server.url()).await {
        Err(error) => error,
        Ok(synced) => anyhow::bail!("accepted: {synced:?}"),
    };
    ensure!(hub.feeds().view(&published.origin).is_none(), "something was stored");
    hub.sync(owner.member(), &owner.url()).await?;
    let title = hub.title(&published.origin, &published.id).await?;
    ensure!(title.as_deref() == Some("True"), "the truth was not accepted afterwards");
    Ok(error)
}

fn improper(error: SyncError) -> Result<String> {
    match error {
        SyncError::Carrier(CarrierError::Improper { reason, .. }) => Ok(reason),
        other => anyhow::bail!("another error: {other:?}"),
    }
}

fn is_since(path: &str) -> bool {
    path.contains("/since/")
}

#[tokio::test]
async fn an_endless_answer_ends_at_its_limit() -> Result<()> {
    for part in ["/checkpoint", "/since/"] {
        let error = refused(move |path, answer| match path.contains(part) {
            true => liar::endless(answer),
            false => liar::honest(answer),
        });
        improper(error.await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_not_followed_wherever_it_leads() -> Result<()> {
    let visits = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&visits);
    let inside = axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "a secret of the internal network" }
    });
    let inside = Server::start(inside, None).await?;
    let target = inside.url();
    improper(refused(move |_, _| liar::redirect(&target)).await?)?;
    assert_eq!(visits.load(Ordering::Relaxed), 0);
    Ok(())
}

#[tokio::test]
async fn an_answer_of_another_kind_is_none() -> Result<()> {
    for media_type in ["text/html; charset=utf-8", "application/json"] {
        let error = refused(move |path, answer| match is_since(path) {
            true => liar::of_type(answer, media_type),
            false => liar::honest(answer),
        });
        improper(error.await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_bomb_is_refused_by_the_size_it_declares() -> Result<()> {
    // A zstd frame of a few bytes that declares 4 GiB, as the block of a commit whose hash is right.
    let error = refused(|path, answer| match is_since(path) {
        true => {
            let bomb = [&b"\x28\xb5\x2f\xfd\xa0"[..], &[0xff; 4], &[0x03, 0, 0x10, b'x']].concat();
            let bytes = replace_frames(answer.body(), &bomb).unwrap_or_default();
            liar::with(answer, bytes)
        }
        false => liar::honest(answer),
    });
    let error = error.await?;
    assert!(matches!(error, SyncError::Invalid(_)), "{error}");
    Ok(())
}

#[tokio::test]
async fn garbage_in_place_of_any_answer_is_refused() -> Result<()> {
    for bytes in [&b""[..], b"JPT1", b"JPH1", b"null", b"<html>"] {
        for part in ["/checkpoint", "/since/"] {
            refused(move |path, answer| match path.contains(part) {
                true => liar::with(answer, bytes),
                false => liar::honest(answer),
            })
            .await
            .with_context(|| format!("{bytes:?} at {part}"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn one_that_lies_holds_up_nobody() -> Result<()> {
    let federation = Federation::of([HUB, OWNER, OTHER]).await?;
    let (hub, owner) = (federation.node(HUB)?, federation.node(OWNER)?);
    let other = federation.node(OTHER)?;
    let server = liar::before(owner.router(), |_, answer| liar::endless(answer)).await?;
    hub.follow_at(owner.member(), &server.url()).await?;
    hub.follow(other).await?;
    for size in 2..5 {
        let published = other.publish("Undisturbed").await?;
        hub.until(&published.origin, size).await?;
    }
    failing(hub, owner).await
}

/// The schedule says in words what is wrong with `owner`.
async fn failing(hub: &Node, owner: &Node) -> Result<()> {
    let told = async {
        loop {
            let peer = hub.status_of(owner.member().name()).context("not followed")?;
            if !peer.reason.is_empty() {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.context("nobody was told")?
}

/// The commits in `since` with their blocks replaced by `packed`, and hashes to match.
fn replace_frames(since: &Bytes, packed: &[u8]) -> Result<Bytes> {
    let mut commits = feed::head::decode_since(since)?;
    for commit in &mut commits {
        let mut frames = commit.frames.clone();
        for frame in &mut frames {
            frame.packed = Bytes::copy_from_slice(packed);
        }
        *commit = feed::head::Commit::from_frames(commit.note.clone(), frames)?;
    }
    Ok(feed::head::encode_since(commits.iter()))
}

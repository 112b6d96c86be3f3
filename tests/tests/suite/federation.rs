//! Several nodes, as people run them: what one publishes the others hold, verified, and go on holding.

use anyhow::{Context as _, Result, ensure};
use feed::feeds::{BodyRead, Withdrawal};
use feed::row::Standing;
use store::catalog::SledCatalog;
use tests::federation::{Federation, Node};
use tlog::name::FeedName;

const LISBON: &str = "lisbon.example";
const TALLINN: &str = "tallinn.example";
const ASUNCION: &str = "asuncion.example";

fn erasing() -> Withdrawal {
    Withdrawal { reason: "data-protection".to_owned(), erase: true }
}

/// Both nodes hold one feed: the same size and root, and bodies byte for byte.
async fn same(one: &Node, other: &Node, owner: &Node) -> Result<()> {
    let origin = owner.member().origin();
    let view = |node: &Node| node.feeds().view(&origin).context("the feed is not held");
    let (mine, theirs) = (view(one)?, view(other)?);
    ensure!(mine.size() == theirs.size() && mine.root() == theirs.root(), "two states of one feed");
    for index in 0..mine.size() {
        let (mine, theirs) =
            (one.feeds().entry(&origin, index).await?, other.feeds().entry(&origin, index).await?);
        ensure!(
            mine.entry == theirs.entry && mine.body == theirs.body,
            "entry {index} differs: {mine:?} and {theirs:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_record_published_on_one_node_is_found_verified_on_another() -> Result<()> {
    let federation = Federation::of([LISBON, TALLINN]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    let published = lisbon.publish("Working with interpreters by telephone").await?;
    tallinn.follow(lisbon).await?;
    tallinn.until(&published.origin, 2).await?;
    let title = tallinn.title(&published.origin, &published.id).await?;
    assert_eq!(title.as_deref(), Some("Working with interpreters by telephone"));
    same(lisbon, tallinn, lisbon).await
}

#[tokio::test]
async fn news_arrives_without_being_asked_for_again() -> Result<()> {
    let federation = Federation::of([LISBON, TALLINN]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    tallinn.follow(lisbon).await?;
    tallinn.until(&lisbon.member().origin(), 1).await?;
    // The schedule asks once a day: only a request that is held open can bring these.
    for size in 2..6 {
        let published = lisbon.publish(&format!("News number {size}")).await?;
        tallinn.until(&published.origin, size).await?;
    }
    same(lisbon, tallinn, lisbon).await
}

#[tokio::test]
async fn a_revision_a_withdrawal_and_an_erasure_arrive() -> Result<()> {
    let federation = Federation::of([LISBON, TALLINN]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    let origin = lisbon.member().origin();
    tallinn.follow(lisbon).await?;
    let id = lisbon.publish("First wording").await?.id;
    lisbon.publish_as(Some(id), "Better wording").await?;
    tallinn.until(&origin, 3).await?;
    assert_eq!(tallinn.title(&origin, &id).await?.as_deref(), Some("Better wording"));

    let plain = Withdrawal { reason: "outdated".to_owned(), erase: false };
    lisbon.feeds().withdraw(&FeedName::public(), &id, &plain).await?;
    tallinn.until(&origin, 4).await?;
    assert_eq!(tallinn.feeds().standing(&origin, &id)?, Standing::Withdrawn { by: 3 });
    assert!(matches!(tallinn.feeds().entry(&origin, 1).await?.body, BodyRead::Held(_)));

    lisbon.feeds().withdraw(&FeedName::public(), &id, &erasing()).await?;
    tallinn.until(&origin, 5).await?;
    for node in [lisbon, tallinn] {
        for index in [1, 2] {
            let body = node.feeds().entry(&origin, index).await?.body;
            assert_eq!(body, BodyRead::Erased { withdrawal: 4 }, "entry {index}");
        }
    }
    same(lisbon, tallinn, lisbon).await
}

#[tokio::test]
async fn a_newcomer_never_receives_what_was_erased() -> Result<()> {
    let mut federation = Federation::of([LISBON]).await?;
    let lisbon = federation.node(LISBON)?;
    let secret = lisbon.publish("Names a person by mistake").await?;
    lisbon.publish("Stays").await?;
    lisbon.feeds().withdraw(&FeedName::public(), &secret.id, &erasing()).await?;
    federation.add(tests::member::Member::of(TALLINN)?).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    tallinn.follow(lisbon).await?;
    tallinn.until(&secret.origin, 4).await?;
    let body = tallinn.feeds().entry(&secret.origin, 1).await?.body;
    assert_eq!(body, BodyRead::Erased { withdrawal: 3 });
    same(lisbon, tallinn, lisbon).await
}

#[tokio::test]
async fn a_hub_that_is_restarted_keeps_everything_and_goes_on() -> Result<()> {
    let mut federation = Federation::of([LISBON, TALLINN, ASUNCION]).await?;
    let (lisbon, hub) = (federation.node(LISBON)?, federation.node(ASUNCION)?);
    let tallinn = federation.node(TALLINN)?;
    let first = lisbon.publish("Before").await?;
    let other = tallinn.publish("Elsewhere").await?;
    hub.follow(lisbon).await?;
    hub.follow(tallinn).await?;
    hub.until(&first.origin, 2).await?;
    hub.until(&other.origin, 2).await?;
    federation.restart(ASUNCION, |_| Ok(())).await?;
    let (lisbon, hub) = (federation.node(LISBON)?, federation.node(ASUNCION)?);
    assert_eq!(hub.title(&first.origin, &first.id).await?.as_deref(), Some("Before"));
    assert_eq!(hub.title(&other.origin, &other.id).await?.as_deref(), Some("Elsewhere"));
    let after = lisbon.publish("After").await?;
    hub.until(&after.origin, 3).await?;
    same(lisbon, hub, lisbon).await
}

#[tokio::test]
async fn a_catalog_that_was_deleted_or_damaged_is_made_anew_by_itself() -> Result<()> {
    let mut federation = Federation::of([LISBON, TALLINN]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    let published = lisbon.publish("Stands in the facts").await?;
    let gone = lisbon.publish("Erased").await?;
    lisbon.feeds().withdraw(&FeedName::public(), &gone.id, &erasing()).await?;
    tallinn.follow(lisbon).await?;
    tallinn.until(&published.origin, 4).await?;
    let delete = |data: &std::path::Path| Ok(std::fs::remove_dir_all(data.join("catalog"))?);
    let empty = |data: &std::path::Path| {
        delete(data)?;
        drop(SledCatalog::open(data.join("catalog"))?);
        Ok(())
    };
    let garble =
        |data: &std::path::Path| Ok(std::fs::write(data.join("catalog/db"), b"no database")?);
    federation.restart(TALLINN, delete).await?;
    federation.restart(LISBON, empty).await?;
    for _ in 0..2 {
        let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
        for node in [lisbon, tallinn] {
            assert_eq!(node.feeds().catalog().cursor(&published.origin)?, 4);
            let title = node.title(&published.origin, &published.id).await?;
            assert_eq!(title.as_deref(), Some("Stands in the facts"));
            assert_eq!(
                node.feeds().standing(&published.origin, &gone.id)?,
                Standing::Withdrawn { by: 3 }
            );
        }
        same(lisbon, tallinn, lisbon).await?;
        federation.restart(TALLINN, garble).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_was_away_catches_up_across_sealed_segments() -> Result<()> {
    let mut federation = Federation::of([LISBON, TALLINN]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    let origin = lisbon.member().origin();
    tallinn.follow(lisbon).await?;
    tallinn.until(&origin, 1).await?;
    federation.restart(TALLINN, |_| Ok(())).await?;
    let lisbon = federation.node(LISBON)?;
    for part in 0..3 {
        let titles =
            (0..500).map(|at| tests::member::practice(None, &format!("Practice {part} {at}")));
        lisbon.feeds().publish(&FeedName::public(), titles.collect()).await?;
    }
    let mut changed = lisbon.feeds().changed();
    while lisbon.feeds().view(&origin).context("no feed")?.sealed() < 1_024 {
        changed.changed().await?;
    }
    let tallinn = federation.node(TALLINN)?;
    tallinn.until(&origin, 1_501).await?;
    same(lisbon, tallinn, lisbon).await
}

#[tokio::test]
async fn a_mirror_serves_a_feed_on_to_somebody_who_never_meets_its_owner() -> Result<()> {
    let federation = Federation::of([LISBON, TALLINN, ASUNCION]).await?;
    let (lisbon, tallinn) = (federation.node(LISBON)?, federation.node(TALLINN)?);
    let asuncion = federation.node(ASUNCION)?;
    let published = lisbon.publish("Told by a third").await?;
    tallinn.follow(lisbon).await?;
    tallinn.until(&published.origin, 2).await?;
    // Pinned by Lisbon's root, reached at Tallinn's address.
    asuncion.pin(lisbon.member()).await?;
    asuncion.sync(lisbon.member(), &tallinn.url()).await?;
    same(lisbon, asuncion, lisbon).await
}

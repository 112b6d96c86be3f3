//! Receipts and witnesses between real nodes: what is published is known to be received, what is
//! withdrawn to be erased, and a checkpoint to be seen by others.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use feed::feeds::{BodyRead, Feeds, RENEW_S, Receipt, Withdrawal};
use feed::ports::KeyUse;
use peer::carrier::HttpCarrier;
use peer::receipts::{Submissions, Witness};
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node, outbound};
use tests::member::Member;
use tlog::checkpoint::SignedCheckpoint;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, Origin};
use tower::ServiceExt as _;
use wire::paths;

const OWNER: &str = "asuncion.example";
const FOLLOWERS: [&str; 3] = ["lisbon.example", "rabat.example", "tallinn.example"];

/// What a test waits for comes within milliseconds; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Four nodes that follow each other, and hold each other's keys.
async fn acquainted() -> Result<Federation> {
    let federation = Federation::of([OWNER, FOLLOWERS[0], FOLLOWERS[1], FOLLOWERS[2]]).await?;
    let owner = federation.node(OWNER)?;
    for name in FOLLOWERS {
        let follower = federation.node(name)?;
        owner.follow(follower).await?;
        owner.until(&follower.member().origin(), 1).await?;
    }
    for name in FOLLOWERS {
        federation.node(name)?.follow(owner).await?;
    }
    Ok(federation)
}

/// Waits until feeds have changed so that this is true.
async fn until(feeds: &Arc<Feeds>, what: &str, is_so: impl Fn(&Feeds) -> bool) -> Result<()> {
    let mut changed = feeds.changed();
    let arrived = async {
        while !is_so(feeds) {
            changed.changed().await?;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(PATIENCE, arrived).await {
        Ok(done) => done,
        Err(_) => bail!("{what} did not happen"),
    }
}

/// Waits until all followers have received the entry.
async fn received_by_all(owner: &Node, index: u64) -> Result<()> {
    let origin = owner.member().origin();
    until(owner.feeds(), "the receipt of all followers", |feeds| {
        let delivery = feeds.delivery(&origin, index);
        delivery.received.len() == FOLLOWERS.len() && delivery.waiting.is_empty()
    })
    .await
}

fn witness_key(member: &Member) -> Result<VerifierKey> {
    let key = member.secret().key(KeyUse::Witness, 1)?;
    Ok(VerifierKey::cosignature(KeyName::witness_of(member.name()), key.public()))
}

/// Whether the checkpoint of a feed, as its node serves it, bears a line by this key.
async fn is_cosigned(node: &Node, origin: &Origin, key: &VerifierKey) -> Result<bool> {
    let note = node.feeds().checkpoint(origin).await?;
    let note = SignedCheckpoint::parse(&note)?.note;
    Ok(note.signatures.iter().any(|line| line.is_by(key) && line.verify(&note.text, key).is_ok()))
}

#[tokio::test]
async fn what_is_published_is_known_to_be_received_by_every_follower() -> Result<()> {
    let federation = acquainted().await?;
    let owner = federation.node(OWNER)?;
    // The schedule asks once a day: the receipts come with the very round that brought the news.
    for title in ["Interpreters by telephone", "A table of recommendations"] {
        let published = owner.publish(title).await?;
        received_by_all(owner, published.index).await?;
    }
    let receipts = owner.feeds().receipts(&owner.member().origin());
    assert!(receipts.iter().all(|receipt| receipt.size == 3 && receipt.time == BEGINNING));
    let names: Vec<&str> =
        receipts.iter().filter_map(Receipt::receiver).map(|node| node.as_str()).collect();
    assert_eq!(names, FOLLOWERS);
    Ok(())
}

#[tokio::test]
async fn a_withdrawal_is_known_to_be_carried_out_by_every_follower() -> Result<()> {
    let federation = acquainted().await?;
    let owner = federation.node(OWNER)?;
    let origin = owner.member().origin();
    let published = owner.publish("Names a person by mistake").await?;
    received_by_all(owner, published.index).await?;
    let erasing = Withdrawal { reason: "data-protection".to_owned(), erase: true };
    let public = FeedName::public();
    let withdrawal = owner.feeds().withdraw(&public, &published.id, &erasing).await?.index;
    received_by_all(owner, withdrawal).await?;
    for name in FOLLOWERS {
        let body = federation.node(name)?.feeds().entry(&origin, published.index).await?.body;
        assert_eq!(body, BodyRead::Erased { withdrawal }, "{name} said so and holds it");
    }
    Ok(())
}

#[tokio::test]
async fn what_others_received_is_known_to_a_follower_too() -> Result<()> {
    let federation = acquainted().await?;
    let owner = federation.node(OWNER)?;
    let origin = owner.member().origin();
    let [lisbon, rabat, _] = FOLLOWERS;
    let (lisbon, rabat) = (federation.node(lisbon)?, federation.node(rabat)?);
    lisbon.follow(rabat).await?;
    lisbon.until(&rabat.member().origin(), 1).await?;
    let first = owner.publish("First").await?;
    received_by_all(owner, first.index).await?;
    // With the next news it reads who had received what was there before.
    owner.publish("Second").await?;
    let by_rabat = KeyName::receipt_of(rabat.member().name());
    until(lisbon.feeds(), "the receipt of another", |feeds| {
        feeds.receipts(&origin).iter().any(|receipt| receipt.cosigner == by_rabat)
    })
    .await?;
    assert_eq!(lisbon.feeds().median_time(&origin), Some(BEGINNING));
    Ok(())
}

#[tokio::test]
async fn our_checkpoints_are_cosigned_by_the_witnesses_we_name() -> Result<()> {
    let federation = acquainted().await?;
    let (owner, tallinn) = (federation.node(OWNER)?, federation.node(FOLLOWERS[2])?);
    let origin = owner.member().origin();
    tallinn.until(&origin, 1).await?;
    let key = witness_key(tallinn.member())?;
    let witnesses = [Witness { key: key.clone(), url: tallinn.url() }];
    let submissions = Submissions::start(owner.feeds(), &outbound()?, &witnesses);
    let cosigned = |size| {
        let (origin, key) = (origin.clone(), key.clone());
        move |feeds: &Feeds| feeds.cosigned_by(&origin, &key).is_some_and(|(held, _)| held == size)
    };
    until(owner.feeds(), "the first line of the witness", cosigned(1)).await?;
    owner.publish("News").await?;
    until(owner.feeds(), "the line over the news", cosigned(2)).await?;
    assert!(is_cosigned(owner, &origin, &key).await?);
    submissions.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_witness_that_knows_more_than_we_remember_is_asked_from_there() -> Result<()> {
    let mut federation = acquainted().await?;
    let (owner, tallinn) = (federation.node(OWNER)?, federation.node(FOLLOWERS[2])?);
    let origin = owner.member().origin();
    tallinn.until(&origin, 1).await?;
    let key = witness_key(tallinn.member())?;
    let witnesses = [Witness { key: key.clone(), url: tallinn.url() }];
    let submissions = Submissions::start(owner.feeds(), &outbound()?, &witnesses);
    let has_line = |feeds: &Feeds| feeds.cosigned_by(&origin, &key).is_some();
    until(owner.feeds(), "the line of the witness", has_line).await?;
    submissions.stop().await;
    drop(submissions);
    owner.publish("While nobody watched").await?;
    let place = format!("facts/{origin}/cosignatures");
    federation.restart(OWNER, |data| Ok(std::fs::remove_file(data.join(place))?)).await?;
    let owner = federation.node(OWNER)?;
    assert!(owner.feeds().cosigned_by(&origin, &key).is_none());
    let _submissions = Submissions::start(owner.feeds(), &outbound()?, &witnesses);
    until(owner.feeds(), "the line of the witness", has_line).await?;
    assert!(is_cosigned(owner, &origin, &key).await?);
    Ok(())
}

#[tokio::test]
async fn a_receipt_is_renewed_after_eight_hours() -> Result<()> {
    let federation = acquainted().await?;
    let owner = federation.node(OWNER)?;
    let origin = owner.member().origin();
    let first = owner.publish("News").await?;
    received_by_all(owner, first.index).await?;
    let later = BEGINNING + RENEW_S;
    for name in [OWNER, FOLLOWERS[0]] {
        federation.node(name)?.clock().set(later);
    }
    let lisbon = federation.node(FOLLOWERS[0])?;
    let carrier = HttpCarrier::new(&outbound()?, &[owner.url()])?;
    lisbon.feeds().exchange_receipts(&carrier, &origin).await;
    let receipts = owner.feeds().receipts(&origin);
    let renewed: Vec<u64> = receipts.iter().map(|receipt| receipt.time).collect();
    assert_eq!(renewed, [later, BEGINNING, BEGINNING]);
    Ok(())
}

/// What a router answers to `GET`.
async fn get(router: axum::Router, path: &str) -> Result<String> {
    let request = http::Request::get(path).body(axum::body::Body::empty())?;
    let answer = router.oneshot(request).await?;
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await?;
    Ok(String::from_utf8(bytes.to_vec())?)
}

#[tokio::test]
async fn the_public_sees_how_many_and_the_operator_who() -> Result<()> {
    let federation = acquainted().await?;
    let owner = federation.node(OWNER)?;
    let origin = owner.member().origin();
    let published = owner.publish("Interpreters by telephone").await?;
    received_by_all(owner, published.index).await?;
    let page = get(owner.router(), &paths::record(&origin, &published.id)).await?;
    assert!(page.contains("received by 3 of 3 nodes"), "{page}");
    assert!(FOLLOWERS.iter().all(|name| !page.contains(name)), "{page}");
    let delivery = async |router| {
        let record = get(router, &paths::api_record(&origin, &published.id)).await?;
        let record: wire::api::Record = serde_json::from_str(&record)?;
        anyhow::Ok(record.statements.first().and_then(|one| one.delivery.clone()))
    };
    let public = delivery(owner.router()).await?.context("no count")?;
    assert_eq!((public.count, public.of, public.received.len()), (3, 3, 0));
    let told = delivery(owner.operator()).await?.context("no count")?;
    let names: Vec<&str> = told.received.iter().map(|node| node.as_str()).collect();
    assert_eq!((names, told.waiting.len()), (FOLLOWERS.to_vec(), 0));
    // A copy says nothing of who else received it: receipts go to the owner.
    let copy = federation.node(FOLLOWERS[0])?.router();
    let page = get(copy, &paths::record(&origin, &published.id)).await?;
    assert!(!page.contains("received by"));
    Ok(())
}

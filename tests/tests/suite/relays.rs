//! Nodes that nobody can reach: what they publish is found where they said, at their relays, and is worth as
//! much as if it came from themselves.

#[cfg(test)]
mod cut;

use anyhow::{Context as _, Result, ensure};
use network::audience::Audience;
use tests::federation::{Federation, Node};
use tests::member::Member;
use tlog::name::Origin;

const HUB: &str = "hub.example";
const SECOND: &str = "second.example";
const TALLINN: &str = "tallinn.example";
const HIDDEN: &str = "hidden.example";

/// `hidden.example`, behind those of `relays`, which follow it by a bundle that somebody brought.
async fn behind(federation: &mut Federation, relays: &[&str]) -> Result<()> {
    let member = Member::of(HIDDEN)?;
    let urls: Result<Vec<String>> =
        relays.iter().map(|relay| Ok(federation.node(relay)?.url())).collect();
    federation.add_hidden(member, &urls?, relays).await?;
    let hidden = federation.node(HIDDEN)?;
    for relay in relays {
        let relay = federation.node(relay)?;
        // What came as a file: the pin and the first entries, by which the relay knows its key.
        relay.pin(hidden.member()).await?;
        relay.sync(hidden.member(), &hidden.url()).await?;
        hidden.follow(relay).await?;
    }
    Ok(())
}

/// Both hold one feed, byte for byte.
async fn same(one: &Node, other: &Node, origin: &Origin) -> Result<()> {
    let view = |node: &Node| node.feeds().view(origin).context("the feed is not held");
    let (mine, theirs) = (view(one)?, view(other)?);
    ensure!(mine.size() == theirs.size() && mine.root() == theirs.root(), "two states of one feed");
    for index in 0..mine.size() {
        let mine = one.feeds().entry(origin, index).await?;
        let theirs = other.feeds().entry(origin, index).await?;
        ensure!(mine.entry == theirs.entry && mine.body == theirs.body, "entry {index} differs");
    }
    Ok(())
}

/// Waits until what was sent is told to be there.
async fn sent(node: &Node, relay: usize, origin: &Origin, size: u64) -> Result<()> {
    let mut status = node.relayed();
    let there = status.wait_for(|status| {
        let holds = status.get(relay).and_then(|relay| relay.holds.get(origin)).copied();
        holds.is_some_and(|held| held >= size)
    });
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), there).await;
    waited.with_context(|| format!("{origin} did not get there"))??;
    Ok(())
}

#[tokio::test]
async fn what_a_node_publishes_that_nobody_can_reach_is_read_at_its_relay() -> Result<()> {
    let mut federation = Federation::of([HUB, TALLINN]).await?;
    behind(&mut federation, &[HUB]).await?;
    let (hub, tallinn) = (federation.node(HUB)?, federation.node(TALLINN)?);
    let hidden = federation.node(HIDDEN)?;
    let published = hidden.publish("From behind a firewall").await?;
    hub.until(&published.origin, 2).await?;
    tallinn.follow_at(hidden.member(), &hub.url()).await?;
    tallinn.until(&published.origin, 2).await?;
    same(hidden, tallinn, &published.origin).await?;
    // Over a line that is paid by the byte: a new record costs its own length.
    let news = hidden.feeds().pack_news(&published.origin, 1, 0, 1 << 20).await?;
    let bytes = feed::bundle::write(&news.items);
    println!("{} bytes for one new record", bytes.len());
    ensure!(bytes.len() < 3_500 - 1_000, "{} bytes, without the request around them", bytes.len());
    // News reaches the follower over two hops without anybody asking twice.
    for size in 3..6 {
        hidden.publish(&format!("News number {size}")).await?;
        tallinn.until(&published.origin, size).await?;
    }
    same(hidden, tallinn, &published.origin).await?;
    let status = hub.status_of(hidden.member().name()).context("not followed")?;
    assert_eq!(status.state, wire::api::PeerState::Healthy, "{status:?}");
    assert!(status.reason.contains("it sends its feeds here"), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn a_long_feed_arrives_in_several_bundles_and_nothing_shows_before_the_last() -> Result<()> {
    let mut federation = Federation::of([HUB]).await?;
    behind(&mut federation, &[]).await?;
    let (hub, hidden) = (federation.node(HUB)?, federation.node(HIDDEN)?);
    let origin = hidden.member().origin();
    let text = "A long account of what was done. ".repeat(40);
    for _ in 0..30 {
        let many: Result<Vec<_>> =
            (0..50).map(|_| Ok(tests::member::practice(None, &text))).collect();
        hidden.feeds().publish(origin.feed(), many?).await?;
    }
    hub.pin(hidden.member()).await?;
    let (mut stored, mut bundles) = (0, 0);
    loop {
        let news = hidden.feeds().pack_news(&origin, 0, stored, 1).await?;
        let bytes = bytes::Bytes::from(feed::bundle::write(&news.items));
        let contents = feed::bundle::Contents::of(&*bytes)?;
        let node = origin.node();
        let carrier =
            feed::bundle::carrier::BundleCarrier::new("part", node.clone(), &contents, &bytes);
        let pushed = hub.feeds().take_pushed(node, &carrier, &origin).await;
        bundles += 1;
        match (news.next, pushed) {
            (Some(next), feed::feeds::Pushed::Wanting) => {
                ensure!(hub.feeds().view(&origin).is_none(), "shown before it was whole");
                stored = next;
            }
            (None, feed::feeds::Pushed::Held { entries }) => {
                assert_eq!(entries, 1_501);
                break;
            }
            (_, other) => anyhow::bail!("{other:?}"),
        }
    }
    assert!(bundles > 3, "{bundles}");
    same(hidden, hub, &origin).await
}

#[tokio::test]
async fn receipts_come_back_by_the_relay_they_were_left_at() -> Result<()> {
    let mut federation = Federation::of([HUB, TALLINN]).await?;
    behind(&mut federation, &[HUB]).await?;
    let (hub, tallinn) = (federation.node(HUB)?, federation.node(TALLINN)?);
    let hidden = federation.node(HIDDEN)?;
    // Each knows the keys of the other: the relay by following, the hidden node by following at the relay.
    hub.follow(tallinn).await?;
    hidden.follow(tallinn).await?;
    let published = hidden.publish("Received by two").await?;
    tallinn.follow_at(hidden.member(), &hub.url()).await?;
    tallinn.until(&published.origin, 2).await?;
    let mut changed = hidden.feeds().changed();
    let both = async {
        loop {
            let receipts = hidden.feeds().receipts(&published.origin);
            if receipts.iter().filter(|receipt| receipt.size >= 2).count() >= 2 {
                return;
            }
            let news = changed.changed();
            let _ = tokio::time::timeout(std::time::Duration::from_millis(200), news).await;
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, both).await.context("no receipts")?;
    Ok(())
}

#[tokio::test]
async fn a_relay_that_keeps_news_to_itself_is_passed_by() -> Result<()> {
    let mut federation = Federation::of([HUB, SECOND, TALLINN]).await?;
    behind(&mut federation, &[HUB, SECOND]).await?;
    let (hub, second) = (federation.node(HUB)?, federation.node(SECOND)?);
    let (tallinn, hidden) = (federation.node(TALLINN)?, federation.node(HIDDEN)?);
    let published = hidden.publish("Before").await?;
    sent(hidden, 0, &published.origin, 2).await?;
    sent(hidden, 1, &published.origin, 2).await?;
    tallinn.follow_at(hidden.member(), &hub.url()).await?;
    tallinn.until(&published.origin, 2).await?;
    // From now on the first one takes nothing more, and serves what it had.
    hub.feeds().unfollow(hidden.member().name(), false).await?;
    hidden.publish("After").await?;
    sent(hidden, 1, &published.origin, 3).await?;
    ensure!(hub.feeds().view(&published.origin).is_some_and(|view| view.size() == 2), "it took it");
    // Another path: whoever is asked what it holds shows more.
    tallinn.follow(second).await?;
    for _ in 0..2 {
        tallinn.sync_now(second).await.context("not followed")?;
    }
    tallinn.until(&published.origin, 3).await?;
    // And the relay that lags is no reason to stand still.
    hidden.publish("Later").await?;
    sent(hidden, 1, &published.origin, 4).await?;
    tallinn.sync_now(hidden).await.context("not followed")?;
    tallinn.until(&published.origin, 4).await?;
    same(hidden, tallinn, &published.origin).await
}

#[tokio::test]
async fn a_restricted_feed_goes_to_a_relay_in_its_audience_and_to_no_other() -> Result<()> {
    let mut federation = Federation::of([HUB, SECOND, TALLINN]).await?;
    behind(&mut federation, &[HUB, SECOND]).await?;
    let (hub, second) = (federation.node(HUB)?, federation.node(SECOND)?);
    let (tallinn, hidden) = (federation.node(TALLINN)?, federation.node(HIDDEN)?);
    let readers = [second, tallinn].map(|node| node.member().name().clone());
    let audience = Audience::Nodes(readers.into_iter().collect());
    let origin = hidden.feeds().begin_restricted(&audience).await?;
    hidden.feeds().publish(origin.feed(), vec![tests::member::practice(None, "Among us")]).await?;
    second.until(&origin, 3).await?;
    ensure!(hub.feeds().view(&origin).is_none(), "a relay outside the audience has it");
    // Whoever may read it gets it where it is relayed.
    second.follow(tallinn).await?;
    second.until(&tallinn.member().origin(), 1).await?;
    tallinn.follow_at(hidden.member(), &second.url()).await?;
    tallinn.sync_now(hidden).await.context("not followed")?;
    tallinn.until(&origin, 3).await?;
    same(hidden, tallinn, &origin).await?;
    // Sent all the same, it is not taken.
    let news = hidden.feeds().pack_news(&origin, 0, 0, 1 << 20).await?;
    let bytes = bytes::Bytes::from(feed::bundle::write(&news.items));
    let contents = feed::bundle::Contents::of(&*bytes)?;
    let node = origin.node();
    let carrier =
        feed::bundle::carrier::BundleCarrier::new("sent", node.clone(), &contents, &bytes);
    let pushed = hub.feeds().take_pushed(node, &carrier, &origin).await;
    assert!(matches!(pushed, feed::feeds::Pushed::NotTaken { .. }), "{pushed:?}");
    let pushed = second.feeds().take_pushed(tallinn.member().name(), &carrier, &origin).await;
    assert!(matches!(pushed, feed::feeds::Pushed::NotTaken { .. }), "{pushed:?}");
    Ok(())
}

#[tokio::test]
async fn whose_keys_changed_is_known_again_by_the_record_that_the_root_signed() -> Result<()> {
    let mut federation = Federation::of([HUB]).await?;
    behind(&mut federation, &[HUB]).await?;
    let (hub, hidden) = (federation.node(HUB)?, federation.node(HIDDEN)?);
    hidden.publish("With the old keys").await?;
    hub.until(&hidden.member().origin(), 2).await?;
    let member = hidden.member();
    let record = member.with_new_keys(&[hub.url()])?;
    hidden.feeds().set_signer(std::sync::Arc::new(member.second_secret().signer(2)?));
    hidden.feeds().publish_node_record(record).await?;
    hidden.publish("With the new ones").await?;
    hub.until(&member.origin(), 4).await?;
    same(hidden, hub, &member.origin()).await
}

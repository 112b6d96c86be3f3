//! Restricted feeds between real nodes, over loopback.

use ::network::audience::Audience;
use ::network::subject::Status;
use anyhow::{Context as _, Result, ensure};
use feed::feeds::{BodyRead, Withdrawal};
use http::{Method, StatusCode};
use tests::ask::ask;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::signed::signed;
use tlog::name::{NodeName, Origin};
use wire::paths;

use super::network::{begin, meet, same_as, state};
use super::world::{KNOWN, LISTED, NETWORK, OWNER, publish};

/// An owner, a node it shares a feed with, and one it does not; everybody follows the owner.
async fn three() -> Result<(Federation, Origin)> {
    let federation = Federation::of([OWNER, LISTED, KNOWN]).await?;
    let owner = federation.node(OWNER)?;
    for name in [LISTED, KNOWN] {
        let other = federation.node(name)?;
        owner.follow(other).await?;
        owner.until(&other.member().origin(), 1).await?;
    }
    let nodes = vec![NodeName::parse(LISTED)?];
    let origin = owner.feeds().begin_restricted(&Audience::Nodes(nodes)).await?;
    for name in [LISTED, KNOWN] {
        let other = federation.node(name)?;
        other.follow(owner).await?;
        other.until(&owner.member().origin(), 1).await?;
    }
    Ok((federation, origin))
}

async fn get(node: &Node, path: &str) -> Result<(StatusCode, Vec<String>, String)> {
    let response = reqwest::get(paths::below(&node.url(), path)).await?;
    let status = response.status();
    let varying = ["date", "x-request-id", "content-length"];
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| !varying.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    let mut text = response.text().await?;
    if let Some(at) = text.find("\"instance\"") {
        let end = text[at..].find(',').map_or(text.len() - 1, |end| at + end);
        text.replace_range(at..end, "");
    }
    Ok((status, headers, text))
}

#[tokio::test]
async fn a_feed_for_one_node_reaches_it_and_nobody_else_learns_of_it() -> Result<()> {
    let (federation, origin) = three().await?;
    let (owner, listed) = (federation.node(OWNER)?, federation.node(LISTED)?);
    let known = federation.node(KNOWN)?;
    let published = publish(owner, &origin, "For one node only").await?;
    listed.until(&origin, 3).await?;
    let title = listed.title(&origin, &published.id).await?;
    assert_eq!(title.as_deref(), Some("For one node only"));
    let view = listed.feeds().view(&origin).context("not held")?;
    assert_eq!(view.audience.as_deref(), Some(&Audience::Nodes(vec![NodeName::parse(LISTED)?])));

    known.sync_now(owner).await.context("not followed")?;
    ensure!(known.feeds().view(&origin).is_none(), "it was shown to a node that is not listed");
    ensure!(known.feeds().origins().iter().all(|held| !held.feed().is_restricted()));
    let status = known.status_of(owner.member().name()).context("not followed")?;
    ensure!(status.feeds.iter().all(|feed| !feed.origin.feed().is_restricted()), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn over_the_wire_a_feed_one_may_not_read_is_a_feed_that_is_not_there() -> Result<()> {
    let (federation, origin) = three().await?;
    let (owner, listed) = (federation.node(OWNER)?, federation.node(LISTED)?);
    let published = publish(owner, &origin, "For one node only").await?;
    listed.until(&origin, 3).await?;
    let ghost = "r-ghostghostghostghostghost2";
    let real = origin.feed().to_string();
    for host in [owner, listed] {
        for path in [
            paths::checkpoint(&origin),
            paths::since(&origin, 0),
            paths::since(&origin, 9),
            paths::body(&origin, 2),
            paths::proof(&origin, 1),
            paths::cosignatures(&origin),
            paths::segment(&origin, 0),
            paths::feed(&origin),
            paths::record(&origin, &published.id),
            paths::api_record(&origin, &published.id),
            paths::api_records(&origin, None),
        ] {
            let forbidden = get(host, &path).await?;
            let (status, headers, text) = get(host, &path.replace(&real, ghost)).await?;
            assert_eq!(forbidden.0, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(forbidden, (status, headers, text.replace(ghost, &real)), "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_feed_that_begins_later_is_found_and_its_erasures_arrive() -> Result<()> {
    let (federation, _) = three().await?;
    let (owner, listed) = (federation.node(OWNER)?, federation.node(LISTED)?);
    let nodes = vec![NodeName::parse(LISTED)?];
    let origin = owner.feeds().begin_restricted(&Audience::Nodes(nodes)).await?;
    let published = publish(owner, &origin, "To be forgotten").await?;
    listed.sync_now(owner).await.context("not followed")?;
    listed.until(&origin, 3).await?;
    let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
    owner.feeds().withdraw(origin.feed(), &published.id, &withdrawal).await?;
    listed.until(&origin, 4).await?;
    for node in [owner, listed] {
        let entry = node.feeds().entry(&origin, published.index).await?;
        assert_eq!(entry.body, BodyRead::Erased { withdrawal: 3 });
    }
    Ok(())
}

#[tokio::test]
async fn after_a_restart_a_restricted_feed_is_still_shown_to_its_audience_only() -> Result<()> {
    let (mut federation, origin) = three().await?;
    let held = {
        let listed = federation.node(LISTED)?;
        listed.until(&origin, 2).await?;
        listed.feeds().view(&origin).context("not held")?.audience.clone()
    };
    federation.restart(LISTED, |_| Ok(())).await?;
    federation.restart(OWNER, |_| Ok(())).await?;
    for name in [OWNER, LISTED] {
        let view = federation.node(name)?.feeds().view(&origin).context("not held")?;
        assert_eq!((held.is_some(), &view.audience), (true, &held), "{name}");
    }
    publish(federation.node(OWNER)?, &origin, "News").await?;
    let (owner, listed) = (federation.node(OWNER)?, federation.node(LISTED)?);
    listed.sync_now(owner).await.context("not followed")?;
    listed.until(&origin, 3).await
}

#[tokio::test]
async fn whoever_is_paused_while_a_request_is_held_gets_the_answer_of_a_stranger() -> Result<()> {
    let federation = Federation::of([OWNER, LISTED, NETWORK]).await?;
    let (owner, listed) = (federation.node(OWNER)?, federation.node(LISTED)?);
    let network = federation.node(NETWORK)?;
    let file = begin(network).await?;
    let id = state(network, listed, Status::Participating, None).await?;
    owner.follow(listed).await?;
    owner.until(&listed.member().origin(), 1).await?;
    meet(owner, network, &file).await?;
    let audience = Audience::Participants(network.member().origin());
    let origin = owner.feeds().begin_restricted(&audience).await?;
    let path = paths::since(&origin, 2);
    let request = ("GET", &*owner.url(), &*path);
    let mut headers = signed(listed.member(), request, None, BEGINNING, 1)?;
    assert_eq!(ask(owner.router(), Method::GET, &path, &headers, None).await?.status, 204);

    headers = signed(listed.member(), request, None, BEGINNING, 2)?;
    headers.push(("prefer", "wait=60".to_owned()));
    let asked = ask(owner.router(), Method::GET, &path, &headers, None);
    let leaves = async {
        state(network, listed, Status::Paused, Some(id)).await?;
        same_as(owner, network).await?;
        publish(owner, &origin, "After it was paused").await
    };
    let (answered, published) = tokio::join!(asked, leaves);
    published?;
    assert_eq!(answered?.status, StatusCode::NOT_FOUND);
    Ok(())
}

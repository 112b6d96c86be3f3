//! Peers that are slow, and those who wait for what they hold.

use std::time::Duration;

use feed::ports::{BodyAnswer, Carrier as _};
use peer::HttpCarrier;
use peer::limits::Limits;
use tlog::name::NodeName;

use crate::server::{Evil, Play, Then, loopback, ok};
use crate::{BYTES, origin};

const MIB: usize = 1 << 20;

/// Two answers of the greatest length.
fn limits() -> Limits {
    Limits { head: MIB, segment: MIB, budget: 2 * MIB, ..Limits::default() }
}

/// Announces a segment of so many bytes, or of an unknown length, and goes on like this.
async fn beginning(length: Option<usize>, then: Then) -> anyhow::Result<Evil> {
    let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
    let first = format!("HTTP/1.1 200 OK\r\n{BYTES}{length}\r\n").into_bytes();
    Evil::playing(vec![Play { first, then }]).await
}

/// More than once, for others may hold nothing yet.
async fn served_often(carrier: &HttpCarrier) -> anyhow::Result<()> {
    for _ in 0..20 {
        anyhow::ensure!(carrier.segment(&origin()?, 0).await?.len() == 1_000_000);
    }
    Ok(())
}

#[tokio::test]
async fn a_peer_that_holds_its_share_of_the_budget_leaves_the_others_theirs() -> anyhow::Result<()>
{
    let slow = beginning(Some(1_000_000), Then::Hold).await?;
    let quick = Evil::saying(ok(BYTES, &vec![7; 1_000_000])).await?;
    let (outbound, node) = (loopback(limits())?, NodeName::parse("slow.example")?);
    let slowly = || anyhow::Ok(HttpCarrier::new(&outbound, &[slow.url()])?.of_node(&node));
    // However many of its feeds are found, one after the other.
    let (one, another) = (slowly()?, slowly()?);
    let other = HttpCarrier::new(&outbound, &[quick.url()])?;
    let origin = origin()?;
    let held = async {
        let (one, another) = (one.segment(&origin, 0), another.segment(&origin, 1));
        let _ = tokio::join!(one, another);
        anyhow::bail!("the slow peer answered")
    };
    tokio::select! { served = served_often(&other) => served, held = held => held }
}

#[tokio::test]
async fn of_peers_that_are_slow_together_one_ends_when_another_waits() -> anyhow::Result<()> {
    // A MiB takes ten seconds; while others wait, it must not take two.
    let slow = beginning(Some(1_000_000), Then::Trickle(500)).await?;
    let quick = Evil::saying(ok(BYTES, &vec![7; 1_000_000])).await?;
    let outbound = loopback(Limits {
        rate_window: Duration::from_millis(200),
        deadline_large: Duration::from_secs(20),
        ..limits()
    })?;
    let [one, two, other] =
        [&slow, &slow, &quick].map(|evil| HttpCarrier::new(&outbound, &[evil.url()]));
    let one = one?.of_node(&NodeName::parse("one.example")?);
    let two = two?.of_node(&NodeName::parse("two.example")?);
    let (other, origin) = (other?, origin()?);
    let ended = tokio::select! {
        ended = one.segment(&origin, 0) => ended,
        ended = two.segment(&origin, 0) => ended,
        broken = async { while served_often(&other).await.is_ok() {} } => {
            anyhow::bail!("who waited was not served: {broken:?}")
        }
    };
    let words = ended.unwrap_err().to_string();
    assert!(words.contains("and others wait"), "{words}");
    assert_eq!(other.segment(&origin, 0).await?.len(), 1_000_000);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_announces_nothing_takes_as_it_grows() -> anyhow::Result<()> {
    let unknown = beginning(None, Then::Hold).await?;
    let quick = Evil::saying(ok(BYTES, &vec![7; 1_000_000])).await?;
    let outbound = loopback(Limits { budget: MIB, ..limits() })?;
    let holding = HttpCarrier::new(&outbound, &[unknown.url()])?;
    let other = HttpCarrier::new(&outbound, &[quick.url()])?;
    let origin = origin()?;
    let held = async {
        let _ = holding.segment(&origin, 0).await;
        anyhow::bail!("the peer that says nothing answered")
    };
    tokio::select! { served = served_often(&other) => served, held = held => held }?;
    // A long one arrives all the same.
    let long = [format!("HTTP/1.1 200 OK\r\n{BYTES}\r\n").as_bytes(), &[7; 1_000_000]].concat();
    let long = HttpCarrier::new(&outbound, &[Evil::saying(long).await?.url()])?;
    assert_eq!(long.segment(&origin, 0).await?.len(), 1_000_000);
    Ok(())
}

#[tokio::test]
async fn what_is_longer_than_64_kib_draws_on_the_budget() -> anyhow::Result<()> {
    let vc = |bytes| ok("Content-Type: application/vc\r\n", &vec![7; bytes]);
    let slow = beginning(Some(1_000_000), Then::Hold).await?;
    let (long, short) = (Evil::saying(vc(100_000)).await?, Evil::saying(vc(60_000)).await?);
    let deadline_small = Duration::from_millis(300);
    let outbound = loopback(Limits { budget: MIB, deadline_small, ..limits() })?;
    let [slow, long, short] =
        [&slow, &long, &short].map(|evil| HttpCarrier::new(&outbound, &[evil.url()]));
    let (slow, long, short, origin) = (slow?, long?, short?, origin()?);
    let asked = async {
        // As soon as the slow one holds almost all, there is no room.
        let error = loop {
            if let Err(error) = long.body(&origin, 0).await {
                break error.to_string();
            }
        };
        assert!(error.contains("too much else"), "{error}");
        short.body(&origin, 0).await
    };
    let short = tokio::select! {
        short = asked => short?,
        _ = slow.segment(&origin, 0) => anyhow::bail!("the slow peer answered"),
    };
    assert!(matches!(short, BodyAnswer::Body(bytes) if bytes.len() == 60_000));
    Ok(())
}

//! What an honest node is told of its signature, and a stranger is not.

use anyhow::Result;
use http::Method;
use serde_json::Value;
use tests::ask::ask;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::signed::{Header, signed};

use super::world::{KNOWN, OWNER, member};

const PATH: &str = "/whoami";

async fn told(node: &Node, mut headers: Vec<Header>) -> Result<Value> {
    let host = node.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    headers.push(("host", host));
    let answered = ask(node.router(), Method::GET, PATH, &headers, None).await?;
    assert_eq!(answered.status, 200);
    Ok(serde_json::from_slice(&answered.bytes)?)
}

fn by(name: &str, url: &str, created: u64, nonce: u64) -> Result<Vec<Header>> {
    signed(&member(name)?, ("GET", url, PATH), None, created, nonce)
}

#[tokio::test]
async fn a_node_learns_what_is_wrong_with_its_clock_its_address_its_key_and_its_nonce() -> Result<()>
{
    let federation = Federation::of([OWNER, KNOWN]).await?;
    let (owner, known) = (federation.node(OWNER)?, federation.node(KNOWN)?);
    let url = owner.url();
    let problem = |told: &Value| told["problem"].as_str().unwrap_or_default().to_owned();

    let early = told(owner, by(KNOWN, &url, BEGINNING, 1)?).await?;
    assert_eq!(early["caller"], "stranger");
    assert!(problem(&early).contains("not the active HTTP key of any node"), "{early}");

    owner.follow(known).await?;
    owner.until(&known.member().origin(), 1).await?;
    let good = told(owner, by(KNOWN, &url, BEGINNING, 2)?).await?;
    assert_eq!((&good["caller"], &good["node"]), (&"node".into(), &KNOWN.into()));
    assert_eq!(good["problem"], Value::Null);

    let again = told(owner, by(KNOWN, &url, BEGINNING, 2)?).await?;
    assert!(problem(&again).contains("nonce"), "{again}");
    let slow = told(owner, by(KNOWN, &url, BEGINNING - 400, 3)?).await?;
    assert!(problem(&slow).contains("100 s or more behind"), "{slow}");
    let fast = told(owner, by(KNOWN, &url, BEGINNING + 400, 4)?).await?;
    assert!(problem(&fast).contains("400 s ahead"), "{fast}");
    let tls = told(owner, by(KNOWN, &url.replace("http:", "https:"), BEGINNING, 5)?).await?;
    assert!(problem(&tls).contains("this node answers to"), "{tls}");
    assert!(problem(&tls).contains(url.trim_end_matches('/')), "{tls}");
    let elsewhere = told(owner, by(KNOWN, "https://other.example/", BEGINNING, 6)?).await?;
    assert!(problem(&elsewhere).contains("does not hold for `GET http://127.0.0.1"), "{elsewhere}");
    Ok(())
}

#[tokio::test]
async fn a_stranger_is_told_nothing_but_that_it_is_one() -> Result<()> {
    let federation = Federation::of([OWNER]).await?;
    let told = told(federation.node(OWNER)?, Vec::new()).await?;
    let members: Vec<&String> =
        told.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(members, ["caller", "server_time"]);
    assert_eq!(told["caller"], "stranger");
    Ok(())
}

#[tokio::test]
async fn a_signature_by_another_header_for_the_method_counts_for_nothing() -> Result<()> {
    let federation = Federation::of([OWNER, KNOWN]).await?;
    let (owner, known) = (federation.node(OWNER)?, federation.node(KNOWN)?);
    owner.follow(known).await?;
    owner.until(&known.member().origin(), 1).await?;
    let mut headers = signed(&member(KNOWN)?, ("POST", &owner.url(), PATH), None, BEGINNING, 1)?;
    headers.push(("x-http-method-override", "POST".to_owned()));
    assert_eq!(told(owner, headers).await?["caller"], "stranger");
    let mut headers = by(KNOWN, "https://public.example/", BEGINNING, 2)?;
    headers.push(("x-forwarded-host", "public.example".to_owned()));
    headers.push(("x-forwarded-proto", "https".to_owned()));
    headers.push(("forwarded", "host=public.example;proto=https".to_owned()));
    assert_eq!(told(owner, headers).await?["caller"], "stranger");
    Ok(())
}

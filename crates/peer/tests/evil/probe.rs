//! What a probe tells an operator.

use std::collections::BTreeMap;
use std::convert::Infallible;

use peer::limits::Limits;
use peer::probe::probe;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::{Signature, SigningKey};
use tlog::hash::Hash;
use tlog::name::{KeyName, NodeName, Origin};
use tlog::note::sign_note;
use wire::api::{ProbeAnswer, ProbeResult};

use crate::TEXT;
use crate::server::{Evil, Play, Then, loopback, ok};

const NOW: u64 = 1_795_428_000;

/// Name and result of each step.
fn steps(answer: &ProbeAnswer) -> Vec<(&str, ProbeResult)> {
    answer.steps.iter().map(|step| (step.step.as_str(), step.result)).collect()
}

/// A node record whose log key is `log`.
fn node_record(log: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let root = SigningKey::from_seed(&[1; 32])?;
    let node = NodeName::parse("simore.example")?;
    let names = BTreeMap::from([("en".to_owned(), "A mechanism".to_owned())]);
    let mut subject = NodeSubject::new(node.clone(), names.clone(), root.public());
    subject.organization = Some(names);
    let subject =
        subject.with_key("log", 1, log).with_key("record", 1, &SigningKey::from_seed(&[3; 32])?);
    let unsigned = Unsigned {
        kind: Kind::parse("node")?,
        id: RecordId::from_random_bytes([5; 16]),
        feed: None,
        version: 1,
        issuer: Issuer { key: root.public(), node, state: None },
        valid_from: "2026-11-23T10:00:00Z".to_owned(),
        salt: [6; 32],
        subject: subject.subject(),
    };
    let body = Body::sign(unsigned, &|message| Ok::<Signature, Infallible>(root.sign(message)))?;
    Ok(body.bytes().to_vec())
}

/// A node that answers the two questions of a probe; its checkpoint is signed by `signer`.
async fn node(log: &SigningKey, signer: &SigningKey, date: &str) -> anyhow::Result<Evil> {
    let origin = Origin::parse("simore.example/public")?;
    let name = KeyName::from(&origin);
    let text = Checkpoint::new(name.clone(), 3, Hash::from([9; 32]))?.body();
    let note = sign_note(&text, name, signer)?.to_bytes();
    let record = node_record(log)?;
    let plays = [
        ok(&format!("{date}Content-Type: application/vc\r\n"), &record),
        ok(&format!("{date}{TEXT}"), &note),
    ];
    Evil::playing(plays.map(|first| Play { first, then: Then::Close }).to_vec()).await
}

#[tokio::test]
async fn a_sound_node_passes_every_step() -> anyhow::Result<()> {
    let log = SigningKey::from_seed(&[2; 32])?;
    let evil = node(&log, &log, "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\n").await?;
    let answer = probe(&loopback(Limits::default())?, &evil.url(), NOW).await;
    let all =
        ["address", "look-up", "connection", "node record", "checkpoint", "signature", "clock"];
    let mut expected = all.map(|step| (step, ProbeResult::Ok)).to_vec();
    expected.push(("certificate", ProbeResult::Skipped));
    assert_eq!(steps(&answer), expected, "{answer:?}");
    assert!(answer.clock_delta.is_some_and(|delta| (0..300).contains(&delta)), "{answer:?}");
    assert!(answer.steps[3].words.contains("`simore.example`, root did:key:"), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_years_off_is_told_with_both_times() -> anyhow::Result<()> {
    let log = SigningKey::from_seed(&[2; 32])?;
    let evil = node(&log, &log, "Date: Wed, 23 Nov 2016 10:00:00 GMT\r\n").await?;
    let answer = probe(&loopback(Limits::default())?, &evil.url(), NOW).await;
    let clock = answer.steps.get(6).map(|step| (step.result, step.words.contains("apart")));
    assert_eq!(clock, Some((ProbeResult::Warning, true)), "{answer:?}");
    assert!(answer.clock_delta.is_some_and(|delta| delta < -300_000_000));
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_by_another_key_fails_at_the_signature() -> anyhow::Result<()> {
    let other = SigningKey::from_seed(&[4; 32])?;
    let evil = node(&SigningKey::from_seed(&[2; 32])?, &other, "").await?;
    let answer = probe(&loopback(Limits::default())?, &evil.url(), NOW).await;
    assert_eq!(
        steps(&answer)[4..],
        [
            ("checkpoint", ProbeResult::Ok),
            ("signature", ProbeResult::Failed),
            ("clock", ProbeResult::Skipped),
            ("certificate", ProbeResult::Skipped)
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_probe_ends_at_the_first_step_that_fails_and_says_why() -> anyhow::Result<()> {
    let outbound = loopback(Limits::default())?;
    let page = Evil::saying(ok("Content-Type: text/html\r\n", b"<p>Hello</p>")).await?;
    let rubbish = Evil::saying(ok("Content-Type: application/vc\r\n", b"{}")).await?;
    for (url, failed, words) in [
        ("https://10.0.0.1/", 0, "allow_networks"),
        ("ftp://simore.example/", 0, "is not `https://`"),
        (page.url().as_str(), 3, "and not `application/vc`"),
        (rubbish.url().as_str(), 3, ""),
        ("http://127.0.0.1:1/", 2, "refuses connections"),
    ] {
        let answer = probe(&outbound, url, NOW).await;
        let results: Vec<_> = answer.steps.iter().map(|step| step.result).collect();
        assert_eq!(answer.steps.len(), 8, "{answer:?}");
        assert_eq!(results[failed], ProbeResult::Failed, "{answer:?}");
        assert!(answer.steps[failed].words.contains(words), "{answer:?}");
        assert!(results[..failed].iter().all(|result| *result == ProbeResult::Ok));
        assert!(results[failed + 1..].iter().all(|result| *result == ProbeResult::Skipped));
    }
    Ok(())
}

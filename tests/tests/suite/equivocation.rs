//! A mechanism that shows two feeds to two followers, over real connections: both find it, keep the last
//! good state, and give evidence to whoever asks.

use anyhow::{Context as _, Result, ensure};
use feed::bundle::{self, Item, ItemKind};
use feed::fault::Fault;
use feed::feeds::FeedState;
use http::{Method, StatusCode};
use tests::ask::ask;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::member::Member;
use tests::signed::signed;
use wire::api::bundles::BundleAnswer;
use wire::paths;

const LIAR: &str = "liar.example";

async fn is_forked(node: &Node, member: &Member) -> Result<bool> {
    let view = node.feeds().view(&member.origin()).context("no copy")?;
    Ok(matches!(view.state, FeedState::Forked { .. }))
}

/// Two servers of one name with the same keys, and two followers that also talk to each other.
async fn stage() -> Result<(Federation, [String; 2])> {
    let mut federation = Federation::of(["one.example", "other.example", "third.example"]).await?;
    let mut urls = Vec::new();
    for words in ["To one", "To the other"] {
        let face = federation.add(Member::of(LIAR)?).await?;
        face.publish(words).await?;
        urls.push(face.url());
    }
    let [first, second] = [urls.remove(0), urls.remove(0)];
    let (one, other) = (federation.node("one.example")?, federation.node("other.example")?);
    let liar = Member::of(LIAR)?;
    one.follow_at(&liar, &first).await?;
    other.follow_at(&liar, &second).await?;
    for node in [one, other] {
        node.until(&liar.origin(), 2).await?;
    }
    Ok((federation, [first, second]))
}

#[tokio::test]
async fn two_feeds_shown_to_two_followers_are_found_by_both() -> Result<()> {
    let (federation, _) = stage().await?;
    let (one, other) = (federation.node("one.example")?, federation.node("other.example")?);
    let third = federation.node("third.example")?;
    let liar = Member::of(LIAR)?;
    one.follow(other).await?;
    other.follow(one).await?;
    for _ in 0..2 {
        one.sync_now(other).await.context("not followed")?;
        other.sync_now(one).await.context("not followed")?;
    }
    for node in [one, other] {
        ensure!(is_forked(node, &liar).await?, "{} did not find it", node.member().name());
        ensure!(node.feeds().view(&liar.origin()).context("no copy")?.size() == 2);
    }
    // Whoever asks gets what convinces him, knowing nothing but the root.
    let url = format!("{}feeds/{}/evidence", one.url(), liar.origin());
    let bytes = reqwest::get(url).await?.error_for_status()?.bytes().await?;
    Fault::parse(&bytes)?.verify(liar.root()?.public())?;
    ensure!(Fault::parse(&bytes)?.verify(one.member().root()?.public()).is_err());
    // One that sees only one side hears of it from a peer, and checks it.
    let sees = federation.node(LIAR)?.url();
    third.follow_at(&liar, &sees).await?;
    third.until(&liar.origin(), 2).await?;
    third.follow(one).await?;
    third.sync_now(one).await.context("not followed")?;
    ensure!(is_forked(third, &liar).await?, "nobody told the third");
    Ok(())
}

#[tokio::test]
async fn readers_are_told_in_neutral_words_and_nobody_is_accused() -> Result<()> {
    let (federation, _) = stage().await?;
    let (one, other) = (federation.node("one.example")?, federation.node("other.example")?);
    let liar = Member::of(LIAR)?;
    one.follow(other).await?;
    one.sync_now(other).await.context("not followed")?;
    one.sync_now(other).await.context("not followed")?;
    ensure!(is_forked(one, &liar).await?);
    for (language, words) in [("en", "pending clarification"), ("es", "aclaración"), ("zh", "澄清")]
    {
        for page in
            [format!("feeds/{}", liar.origin()), format!("nodes/{LIAR}"), "peers".to_owned()]
        {
            let url = format!("{}{page}?lang={language}", one.url());
            let answer = reqwest::Client::new().get(url).header("accept-language", language);
            let text = answer.send().await?.error_for_status()?.text().await?.to_lowercase();
            ensure!(text.contains(words), "{page} in {language}");
            // What HTML calls the address that answers in the reader's own language accuses nobody.
            let text = text.replace("hreflang=\"x-default\"", "");
            ensure!(!text.contains("fork") && !text.contains("fault"), "{page} in {language}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_known_node_may_push_evidence_and_a_stranger_may_not() -> Result<()> {
    let (federation, _) = stage().await?;
    let (one, other) = (federation.node("one.example")?, federation.node("other.example")?);
    let liar = Member::of(LIAR)?;
    one.follow(other).await?;
    one.until(&other.member().origin(), 1).await?;
    one.sync_now(other).await.context("not followed")?;
    let fault = one.feeds().fault(&liar.origin()).context("not found")?.to_bytes();
    // Known, and never asked for its heads: it cannot be reached.
    other.pin(one.member()).await?;
    other.sync(one.member(), &one.url()).await?;
    let item =
        |kind, bytes: Vec<u8>| Item { kind, origin: liar.origin(), number: 0, bytes: bytes.into() };
    let forged = String::from_utf8(fault.clone())?.replace("same-size", "prefix").into_bytes();
    let decision = item(ItemKind::Decision, b"x".to_vec());
    let items = [item(ItemKind::Fault, forged), item(ItemKind::Fault, fault), decision];
    let bundle = bundle::write(&items);
    let push =
        |headers| ask(other.router(), Method::POST, paths::BUNDLES, headers, Some(bundle.clone()));
    let answered = push(&[]).await?;
    ensure!(answered.status == StatusCode::FORBIDDEN, "{}", answered.text());
    let at = other.url();
    let headers = signed(one.member(), ("POST", &at, paths::BUNDLES), Some(&bundle), BEGINNING, 1)?;
    let answered = push(&headers).await?;
    ensure!(answered.status == StatusCode::OK, "{}", answered.text());
    let outcomes = serde_json::from_slice::<BundleAnswer>(&answered.bytes)?.outcomes;
    let taken: Vec<u64> = outcomes.iter().map(|outcome| outcome.taken).collect();
    // A decision is nobody's to send.
    ensure!(taken == [0, 1], "{outcomes:?}");
    ensure!(is_forked(other, &liar).await?);
    Ok(())
}

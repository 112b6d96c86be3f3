//! Peers that lie. Each is refused with words, what is held stays as it was, and the feeds of others go
//! on.

mod large;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use feed::feeds::{FeedState, FollowError, Outcome, Pin, SyncError};
use feed::ports::{Carrier, CarrierError, KeyUse, Since};
use feed::row::{BodyState, Standing};
use feed::verify::VerifyError;
use tests::chance::BEGINNING;
use tests::federation::{Federation, Node};
use tests::forge::{Forge, Script};
use tests::member::{Member, practice};
use tlog::hash::Hash;

const HUB: &str = "hub.example";
const HONEST: &str = "honest.example";
const EVIL: &str = "evil.example";

/// A hub that holds three entries of the evil node and all of the honest one.
struct Stage {
    federation: Federation,
    evil: Member,
    forge: Forge,
}

impl Stage {
    async fn set() -> Result<Self> {
        let federation = Federation::of([HUB, HONEST]).await?;
        let evil = Member::of(EVIL)?;
        let mut forge = Forge::begin(&evil)?;
        forge.record("One")?.record("Two")?;
        let stage = Self { federation, evil, forge };
        let hub = stage.hub()?;
        hub.pin(&stage.evil).await?;
        let synced = hub.sync_by(&stage.evil, &stage.forge.carrier()?).await?;
        ensure!(synced.outcome == Outcome::Advanced { from: 0, to: 3 }, "{synced:?}");
        Ok(stage)
    }

    fn hub(&self) -> Result<&Node> {
        self.federation.node(HUB)
    }

    /// The carrier is refused, in words that say why, and nothing was changed by it.
    async fn refused(&self, carrier: &dyn Carrier) -> Result<SyncError> {
        let hub = self.hub()?;
        let error = match hub.sync_by(&self.evil, carrier).await {
            Err(error) => error,
            Ok(synced) => anyhow::bail!("accepted: {synced:?}"),
        };
        ensure!(error.to_string().len() > 20, "what is `{error}` to tell an operator?");
        let view = hub.feeds().view(&self.evil.origin()).context("the copy is gone")?;
        ensure!(view.size() == 3 && view.root() == self.forge.root()?, "the copy was changed");
        let entry = hub.feeds().entry(&self.evil.origin(), 2).await?;
        ensure!(matches!(entry.body, feed::feeds::BodyRead::Held(_)), "a body was lost");
        self.others_go_on().await?;
        Ok(error)
    }

    async fn others_go_on(&self) -> Result<()> {
        let (hub, honest) = (self.hub()?, self.federation.node(HONEST)?);
        let published = honest.publish("Undisturbed").await?;
        hub.follow(honest).await?;
        hub.until(&published.origin, published.index + 1).await?;
        let title = hub.title(&published.origin, &published.id).await?;
        ensure!(title.as_deref() == Some("Undisturbed"), "the honest feed was held up");
        Ok(())
    }

    /// The feed as held, with one more record.
    fn longer(&self) -> Result<Forge> {
        let mut longer = self.forge.clone();
        longer.record("Three")?;
        Ok(longer)
    }
}

fn invalid(error: SyncError) -> Result<VerifyError> {
    match error {
        SyncError::Invalid(reason) => Ok(reason),
        other => anyhow::bail!("another reason: {other:?}"),
    }
}

#[tokio::test]
async fn a_checkpoint_by_another_key_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let longer = stage.longer()?;
    let stranger = Member::impostor_of(EVIL)?.secret().key(KeyUse::Log, 1)?;
    let record_key = stage.evil.secret().key(KeyUse::Record, 1)?;
    for key in [stranger, record_key] {
        let note = longer.note_by(&key, longer.size(), longer.root()?)?;
        let reason = invalid(stage.refused(&longer.carrier_of(3, note)?).await?)?;
        assert!(matches!(reason, VerifyError::Signature { size: 4, .. }), "{reason}");
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_taken_from_another_checkpoint_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let longer = stage.longer()?;
    let (held, wanted) = (stage.forge.note()?, longer.note()?);
    let lines = String::from_utf8(held)?.split_once("\n\n").context("no line")?.1.to_owned();
    let text = String::from_utf8(wanted)?.split_once("\n\n").context("no text")?.0.to_owned();
    let forged = format!("{text}\n\n{lines}").into_bytes();
    let reason = invalid(stage.refused(&longer.carrier_of(3, forged)?).await?)?;
    assert!(matches!(reason, VerifyError::Signature { size: 4, .. }), "{reason}");
    Ok(())
}

#[tokio::test]
async fn entries_out_of_order_are_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let mut longer = stage.longer()?;
    longer.record("Four")?;
    let note = longer.note()?;
    longer.swap(3, 4);
    let reason = invalid(stage.refused(&longer.carrier_of(3, note)?).await?)?;
    assert!(matches!(reason, VerifyError::Root { size: 5, .. }), "{reason}");
    Ok(())
}

#[tokio::test]
async fn an_entry_left_out_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let mut longer = stage.longer()?;
    longer.record("Four")?;
    let reason = invalid(stage.refused(&longer.carrier_of(4, longer.note()?)?).await?)?;
    assert!(matches!(reason, VerifyError::Gap { expected: 3, first: 4 }), "{reason}");
    Ok(())
}

#[tokio::test]
async fn an_answer_cut_short_anywhere_is_refused() -> Result<()> {
    let stage = Stage::set().await?;
    let longer = stage.longer()?;
    let mut script = longer.carrier_of(3, longer.note()?)?;
    let Since::Commits(whole) = script.since.clone() else { anyhow::bail!("no commits") };
    for length in (0..whole.len()).step_by(37).chain([whole.len() - 1]) {
        script.since = Since::Commits(whole.slice(..length));
        ensure!(
            stage.hub()?.sync_by(&stage.evil, &script).await.is_err(),
            "{length} bytes were enough"
        );
    }
    stage.refused(&script).await?;
    Ok(())
}

#[tokio::test]
async fn no_changed_byte_is_accepted() -> Result<()> {
    let stage = Stage::set().await?;
    let longer = stage.longer()?;
    let mut script = longer.carrier_of(3, longer.note()?)?;
    let Since::Commits(whole) = script.since.clone() else { anyhow::bail!("no commits") };
    for at in 0..whole.len() {
        let mut changed = whole.to_vec();
        changed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x10);
        script.since = Since::Commits(changed.into());
        ensure!(stage.hub()?.sync_by(&stage.evil, &script).await.is_err(), "byte {at} may change");
    }
    stage.refused(&script).await?;
    Ok(())
}

#[tokio::test]
async fn an_older_state_is_told_from_a_fork() -> Result<()> {
    let stage = Stage::set().await?;
    let mut shorter = Forge::begin(&stage.evil)?;
    shorter.record("One")?;
    let error = stage.refused(&shorter.carrier()?).await?;
    assert!(matches!(error, SyncError::Rollback { held: 3, served: 2, .. }), "{error}");
    let says_so =
        Script { since: Since::Shorter(shorter.note()?.into()), ..stage.forge.carrier()? };
    let error = stage.refused(&says_so).await?;
    assert!(matches!(error, SyncError::Rollback { held: 3, served: 2, .. }), "{error}");
    assert!(stage.hub()?.feeds().fault(&stage.evil.origin()).is_none());
    Ok(())
}

#[tokio::test]
async fn what_is_held_already_changes_nothing() -> Result<()> {
    let stage = Stage::set().await?;
    let again = Script { since: Since::Nothing, ..stage.forge.carrier()? };
    let synced = stage.hub()?.sync_by(&stage.evil, &again).await?;
    assert_eq!(synced.outcome, Outcome::Unchanged);
    let error = stage.refused(&stage.forge.carrier()?).await?;
    assert!(matches!(error, SyncError::Invalid(VerifyError::NothingNew { size: 3 })), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_fork_is_proven_kept_as_evidence_and_shown() -> Result<()> {
    for records in [["One", "Another", ""], ["One", "Another", "and more"], ["Else", "", ""]] {
        let mut stage = Stage::set().await?;
        let mut fork = Forge::begin(&stage.evil)?;
        for title in records.into_iter().filter(|title| !title.is_empty()) {
            fork.record(title)?;
        }
        let error = stage.refused(&fork.carrier()?).await?;
        let SyncError::Fork { fault, held: 3, .. } = error else {
            anyhow::bail!("{records:?}: {error}")
        };
        fault.verify(stage.evil.root()?.public())?;
        let origin = stage.evil.origin();
        stage.federation.restart(HUB, |_| Ok(())).await?;
        let hub = stage.hub()?;
        ensure!(hub.feeds().fault(&origin).is_some(), "{records:?}: no evidence is kept");
        let state = hub.feeds().view(&origin).context("the copy is gone")?.state.clone();
        ensure!(matches!(state, FeedState::Forked { .. }), "{records:?}: {state:?}");
        let error = stage.refused(&stage.longer()?.carrier()?).await?;
        ensure!(matches!(error, SyncError::Held { .. }), "{records:?}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn the_owner_of_a_name_is_the_root_that_was_pinned() -> Result<()> {
    let stage = Stage::set().await?;
    let impostor = Member::impostor_of(EVIL)?;
    let error = stage.refused(&Forge::begin(&impostor)?.record("Mine")?.carrier()?).await?;
    assert!(matches!(error, SyncError::Invalid(_)), "{error}");
    let root = impostor.root()?.public();
    let pin = Pin::new(impostor.name().clone(), root, Vec::new(), BEGINNING);
    let error = stage.hub()?.feeds().follow(pin).await.err().context("two roots for one name")?;
    assert!(matches!(error, FollowError::AnotherRoot { .. }), "{error}");

    let newcomer = Federation::of(["newcomer.example"]).await?;
    let newcomer = newcomer.node("newcomer.example")?;
    newcomer.pin(&stage.evil).await?;
    let carrier = Forge::begin(&impostor)?.record("Mine")?.carrier()?;
    assert!(newcomer.sync_by(&stage.evil, &carrier).await.is_err());
    assert!(newcomer.feeds().view(&stage.evil.origin()).is_none());
    Ok(())
}

#[tokio::test]
async fn an_entry_over_its_limit_refuses_the_answer() -> Result<()> {
    let stage = Stage::set().await?;
    let mut longer = stage.longer()?;
    longer.entry(vec![b'x'; 1_025]);
    assert!(matches!(stage.refused(&longer.carrier()?).await?, SyncError::Invalid(_)));
    Ok(())
}

#[tokio::test]
async fn a_body_over_its_limit_or_not_of_its_entry_refuses_the_answer() -> Result<()> {
    let stage = Stage::set().await?;
    let mut long = stage.longer()?;
    long.body(vec![b'x'; 131_073])?;
    assert!(matches!(stage.refused(&long.carrier()?).await?, SyncError::Invalid(_)));
    let mut foreign = stage.longer()?;
    foreign.replace_body(3, "another body");
    assert!(matches!(stage.refused(&foreign.carrier()?).await?, SyncError::Invalid(_)));
    Ok(())
}

/// What a body may not be, and its owner signed for all the same.
fn poison(good: &[u8]) -> Result<Vec<Bytes>> {
    let good = std::str::from_utf8(good)?;
    let title = good.find("\"title\":").context("no title")?;
    let (before, after) = good.split_at(title);
    let with = |member: &str| Bytes::from(format!("{before}{member},{after}"));
    let deep = format!("\"deep\":{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    Ok(vec![
        Bytes::from_static(b"null"),
        Bytes::from_static(b"\xff\xfe"),
        Bytes::from(good.replacen("\":", "\" :", 1)),
        Bytes::from(format!("{good}\n")),
        with("\"title\":{}"),
        with("\"number\":9007199254740993"),
        with("\"number\":1e400"),
        with("\"number\":1.5"),
        with("\"number\":-0"),
        with("\"text\":\"\\ud800\""),
        with("\"text\":\"\\u0000\""),
        with(&deep),
        Bytes::from(good.replacen("One more", "One less", 1)),
    ])
}

#[tokio::test]
async fn a_poisoned_body_is_set_apart_and_the_feed_goes_on() -> Result<()> {
    let stage = Stage::set().await?;
    let mut longer = stage.forge.clone();
    let good = stage.evil.record(3, "One more")?;
    let bodies = poison(&good)?;
    for body in &bodies {
        longer.body(body.clone())?;
    }
    longer.record("After all of them")?;
    let hub = stage.hub()?;
    let synced = hub.sync_by(&stage.evil, &longer.carrier_of(3, longer.note()?)?).await?;
    assert_eq!(synced.outcome, Outcome::Advanced { from: 3, to: longer.size() });
    let origin = stage.evil.origin();
    for (index, body) in (3..).zip(&bodies) {
        let row = hub.feeds().catalog().row(&origin, index)?.context("no row")?;
        ensure!(
            row.body.is_invalid(),
            "entry {index} is {:?}: {}",
            row.body,
            String::from_utf8_lossy(body)
        );
    }
    let last = hub.feeds().catalog().row(&origin, longer.size() - 1)?.context("no row")?;
    assert_eq!(last.body, BodyState::Held);
    let id = last.id().context("no id")?;
    assert!(matches!(hub.feeds().standing(&origin, &id)?, Standing::Current { .. }));
    stage.others_go_on().await
}

#[tokio::test]
async fn bytes_that_are_no_statement_are_kept_without_effect() -> Result<()> {
    let stage = Stage::set().await?;
    let mut longer = stage.forge.clone();
    longer.entry("").entry("{}").entry("\u{0}").entry(r#"{"op":"publish","v":2}"#);
    longer.entry(r#"{"v":1,"op":"publish"}"#).record("After all of them")?;
    let hub = stage.hub()?;
    hub.sync_by(&stage.evil, &longer.carrier_of(3, longer.note()?)?).await?;
    let origin = stage.evil.origin();
    for index in 3..8 {
        let row = hub.feeds().catalog().row(&origin, index)?.context("no row")?;
        assert!(row.valid_version().is_none(), "entry {index} counts: {row:?}");
    }
    assert_eq!(hub.feeds().view(&origin).context("no feed")?.size(), 9);
    stage.others_go_on().await
}

#[tokio::test]
async fn a_claim_without_its_entries_is_no_work() -> Result<()> {
    let stage = Stage::set().await?;
    let key = stage.evil.secret().key(KeyUse::Log, 1)?;
    let most = (1 << 53) - 1;
    let note = stage.forge.note_by(&key, most, Hash::of("nothing"))?;
    let longer = stage.longer()?;
    let reason = invalid(stage.refused(&longer.carrier_of(3, note)?).await?)?;
    assert!(matches!(reason, VerifyError::Size { held: 4, .. }), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_carrier_without_the_feed_says_so() -> Result<()> {
    let stage = Stage::set().await?;
    let (hub, honest) = (stage.hub()?, stage.federation.node(HONEST)?);
    let error = hub.sync(&stage.evil, &honest.url()).await.err().context("found elsewhere")?;
    assert!(matches!(error, SyncError::Carrier(CarrierError::NotFound { .. })), "{error}");
    Ok(())
}

/// Changes one bit of a file, near its end.
fn rot(file: &std::path::Path) -> Result<()> {
    let mut bytes = std::fs::read(file)?;
    bytes.iter_mut().rev().skip(4).take(1).for_each(|byte| *byte ^= 1);
    Ok(std::fs::write(file, bytes)?)
}

#[tokio::test]
async fn a_copy_that_rots_is_never_shown_and_is_made_whole_by_the_next_round() -> Result<()> {
    let mut federation = Federation::of([HUB, HONEST]).await?;
    let owner = Member::of(HONEST)?;
    let origin = owner.origin();
    let honest = federation.node(HONEST)?;
    let many = (0..1_100).map(|number| practice(None, &format!("Record {number}"))).collect();
    honest.feeds().publish(origin.feed(), many).await?;
    let url = honest.url();
    federation.node(HUB)?.pin(&owner).await?;
    federation.node(HUB)?.sync(&owner, &url).await?;
    for file in ["segment/002", "tile/0/002", "head"] {
        let rot = |data: &std::path::Path| {
            rot(&data.join("facts").join(HONEST).join("public").join(file))
        };
        federation.restart(HUB, rot).await?;
        let hub = federation.node(HUB)?.feeds();
        let before = hub.segment(&origin, 2).await;
        ensure!(before.is_err() || file.starts_with("tile"), "{file}: rotten bytes were served");
        federation.node(HUB)?.sync(&owner, &url).await?;
        ensure!(hub.view(&origin).is_some_and(|view| view.size() == 1_101), "{file}");
        ensure!(hub.segment(&origin, 2).await.is_ok(), "{file}: the segment was not fetched again");
        let entry = hub.entry(&origin, 700).await?;
        ensure!(matches!(entry.body, feed::feeds::BodyRead::Held(_)), "{file}: a body is missing");
    }
    Ok(())
}

#[tokio::test]
async fn our_own_feed_that_rots_signs_nothing_and_says_why() -> Result<()> {
    let mut federation = Federation::of([HONEST]).await?;
    federation.node(HONEST)?.publish("Before").await?;
    let public = Member::of(HONEST)?.origin().feed().clone();
    let high_water = |data: &std::path::Path| {
        let file = std::fs::read_dir(data.join("high-water"))?.next().context("no mark")??;
        Ok(std::fs::write(file.path(), "x")?)
    };
    federation.restart(HONEST, high_water).await?;
    let feeds = federation.node(HONEST)?.feeds();
    ensure!(feeds.view(&Member::of(HONEST)?.origin()).is_some(), "reading goes on");
    let words = feeds.publish(&public, vec![practice(None, "After")]).await.err();
    let words = words.context("signed without the mark")?.to_string();
    ensure!(words.contains("read-only") && words.contains("high-water"), "{words}");
    let head =
        |data: &std::path::Path| rot(&data.join("facts").join(HONEST).join("public").join("head"));
    federation.restart(HONEST, head).await?;
    let feeds = federation.node(HONEST)?.feeds();
    let words = feeds.publish(&public, vec![practice(None, "After")]).await.err();
    let words = words.context("signed after a torn head")?.to_string();
    ensure!(words.contains("read-only"), "{words}");
    Ok(())
}

#[tokio::test]
async fn a_draft_of_a_node_record_is_not_published() -> Result<()> {
    let federation = Federation::of([HONEST]).await?;
    let public = Member::of(HONEST)?.origin().feed().clone();
    let mut draft = practice(None, "A node");
    draft.kind = ::practice::kind::Kind::NODE;
    let feeds = federation.node(HONEST)?.feeds();
    let words = feeds.publish(&public, vec![draft]).await.err().context("published")?.to_string();
    ensure!(words.contains("root key"), "{words}");
    Ok(())
}

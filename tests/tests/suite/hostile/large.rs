//! Owners that make much out of little: memory, questions and turns that others wait for.

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use feed::block::{Block, Item};
use feed::feeds::{BodyRead, Outcome};
use feed::head::{Commit, ENTRY_WEIGHT, Head, TAIL_WEIGHT_MAX, encode_since};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Since};
use feed::verify::VerifyError;
use tests::federation::Federation;
use tests::forge::{Forge, Script};
use tests::member::Member;
use tlog::name::Origin;
use tlog::tile::TilePath;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{HUB, Stage, invalid};

/// Only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn entries_of_no_bytes_are_not_free() -> Result<()> {
    let stage = Stage::set().await?;
    let nothing = Item::new(Bytes::new(), None)?;
    let frames = TAIL_WEIGHT_MAX / ENTRY_WEIGHT / 256;
    let blocks: Vec<Block> = (0..frames)
        .map(|at| Block { first: 3 + 256 * at as u64, items: vec![nothing.clone(); 256] })
        .collect();
    let commit = Commit::write(&stage.forge.note()?, &blocks)?;
    ensure!(commit.bytes.len() < 64 << 10, "{} bytes", commit.bytes.len());
    let since = Since::Commits(encode_since(std::iter::once(&commit)));
    let error = stage.refused(&Script { since, ..stage.forge.carrier()? }).await?;
    ensure!(invalid(error)? == VerifyError::TailTooLarge);
    Ok(())
}

/// A carrier that is asked for hashes, and thinks about it for ever.
struct Silent {
    script: Script,
    asked: Notify,
}

#[async_trait]
impl Carrier for Silent {
    fn describe(&self) -> String {
        self.script.describe()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        self.script.node_record().await
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.script.checkpoint(origin).await
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        self.script.since(origin, size, wait).await
    }

    async fn tile(&self, _: &Origin, _: &TilePath) -> Result<Bytes, CarrierError> {
        self.asked.notify_one();
        std::future::pending().await
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.script.segment(origin, number).await
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        self.script.body(origin, index).await
    }
}

/// A feed in one commit that is large once decoded, most of it without bytes.
fn large(mut forge: Forge) -> Result<Script> {
    while forge.size() < 9_000 {
        forge.entry(Bytes::new());
    }
    forge.carrier()
}

#[tokio::test]
async fn whoever_contradicts_himself_at_length_and_falls_silent_holds_up_nobody() -> Result<()> {
    let stage = Stage::set().await?;
    let mut other = Forge::begin(&stage.evil)?;
    other.record("One")?.record("Another")?;
    let silent = Silent { script: large(other)?, asked: Notify::new() };
    let hub = stage.hub()?;
    let mut contradiction = pin!(hub.sync_by(&stage.evil, &silent));
    tokio::select! {
        ended = &mut contradiction => bail!("it was asked nothing: {ended:?}"),
        () = silent.asked.notified() => {}
    }
    let honest = Member::of("long.example")?;
    hub.pin(&honest).await?;
    let carrier = large(Forge::begin(&honest)?)?;
    let synced = timeout(PATIENCE, hub.sync_by(&honest, &carrier)).await.context("it waits")??;
    ensure!(matches!(synced.outcome, Outcome::Advanced { from: 0, .. }), "{synced:?}");
    Ok(())
}

#[tokio::test]
async fn a_head_is_not_sealed_beyond_what_was_signed() -> Result<()> {
    let stage = Stage::set().await?;
    let longer = stage.longer()?;
    let commits = vec![Commit::write(&longer.note()?, &[])?];
    let head = Head { sealed: 256, subtrees: vec![longer.root()?], commits };
    let since = Since::Head(head.encode());
    let error = stage.refused(&Script { since, ..longer.carrier()? }).await?;
    ensure!(invalid(error)? == VerifyError::Size { said: 4, held: 256 });
    Ok(())
}

#[tokio::test]
async fn a_segment_a_thousand_times_as_long_as_its_bytes_is_taken_as_any() -> Result<()> {
    let (federation, owner) = (Federation::of([HUB]).await?, Member::of("long.example")?);
    let mut forge = Forge::begin(&owner)?;
    while forge.size() < 256 {
        forge.body(vec![b'0'; 100_000])?;
    }
    let segment = forge.segment()?;
    ensure!(segment.len() < 50_000, "{} bytes", segment.len());
    let (since, segments) = (Since::Head(forge.sealed_head()?), vec![segment]);
    let carrier = Script { since, segments, ..forge.carrier()? };
    let hub = federation.node(HUB)?;
    hub.pin(&owner).await?;
    let synced = hub.sync_by(&owner, &carrier).await?;
    ensure!(synced.outcome == Outcome::Advanced { from: 0, to: 256 }, "{synced:?}");
    for index in [0, 1, 255] {
        let read = hub.feeds().entry(&owner.origin(), index).await?;
        ensure!(matches!(read.body, BodyRead::Held(_)), "entry {index}");
    }
    Ok(())
}

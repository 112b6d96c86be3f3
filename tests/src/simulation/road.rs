//! The way from one node to another: questions and answers that travel, are lost, come slowly or changed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{BodyRead, Feeds, Heard, RefusedCosignature};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Delivered, Fact, Since};
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::TilePath;

use super::world::World;

/// How long somebody waits for an answer that was lost.
const PATIENCE_MS: u64 = 15_000;
/// One answer in so many is changed on its way.
const MANGLED_ONCE_IN: u64 = 300;
/// A question is about so long.
const QUESTION_BYTES: u64 = 400;

#[derive(Clone, Debug)]
pub(super) enum Question {
    NodeRecord,
    Checkpoint,
    Since(u64, Option<Duration>),
    Tile(TilePath),
    Segment(u64),
    Body(u64),
    Anchors,
    Cosignatures,
    Evidence,
    Deliver(Bytes),
    Heads,
}

#[derive(Clone, Debug)]
pub(super) enum Reply {
    Bytes(Bytes),
    Since(Since),
    Body(BodyAnswer),
    Delivered(Delivered),
    Heads(Vec<Heard>),
}

impl Question {
    pub(super) fn word(&self) -> String {
        match self {
            Self::NodeRecord => "node record".to_owned(),
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::Since(size, _) => format!("since {size}"),
            Self::Tile(tile) => tile.path(),
            Self::Segment(number) => format!("segment {number}"),
            Self::Body(index) => format!("body {index}"),
            Self::Anchors => "anchors".to_owned(),
            Self::Cosignatures => "cosignatures".to_owned(),
            Self::Evidence => "evidence".to_owned(),
            Self::Deliver(note) => format!("delivers {}", Hash::of(note).to_hex()),
            Self::Heads => "heads".to_owned(),
        }
    }
}

impl Reply {
    /// The same with other bytes.
    pub(super) fn map(self, change: impl Fn(Bytes) -> Bytes) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(change(bytes)),
            Self::Since(Since::Head(bytes)) => Self::Since(Since::Head(change(bytes))),
            Self::Since(Since::Commits(bytes)) => Self::Since(Since::Commits(change(bytes))),
            Self::Since(Since::Shorter(bytes)) => Self::Since(Since::Shorter(change(bytes))),
            Self::Body(BodyAnswer::Body(bytes)) => Self::Body(BodyAnswer::Body(change(bytes))),
            other => other,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes)
            | Self::Since(Since::Head(bytes) | Since::Commits(bytes) | Since::Shorter(bytes))
            | Self::Body(BodyAnswer::Body(bytes)) => bytes,
            _ => b"",
        }
    }

    fn word(&self) -> String {
        let hash = Hash::of(self.bytes()).to_hex();
        let hash = hash.get(..8).unwrap_or_default();
        match self {
            Self::Bytes(bytes) => format!("{} bytes {hash}", bytes.len()),
            Self::Since(Since::Nothing) => "nothing".to_owned(),
            Self::Since(_) => format!("news {hash}"),
            Self::Body(_) => format!("body {hash}"),
            Self::Delivered(delivered) => format!("{delivered:?}"),
            Self::Heads(heads) => format!("{} heads", heads.len()),
        }
    }
}

/// What an honest node answers; `None` for what is not there.
pub(super) async fn answer(
    feeds: &Arc<Feeds>,
    origin: &Origin,
    question: &Question,
) -> Option<Reply> {
    let bytes = match question {
        Question::NodeRecord => feeds.well_known()?,
        Question::Checkpoint => feeds.checkpoint(origin).await.ok()?,
        Question::Since(size, _) => {
            return Some(Reply::Since(feeds.since(origin, *size, None).await.ok()?));
        }
        Question::Tile(tile) => feeds.tile(origin, tile).await.ok()?,
        Question::Segment(number) => feeds.segment(origin, *number).await.ok()?,
        Question::Body(index) => {
            return Some(Reply::Body(match feeds.entry(origin, *index).await.ok()?.body {
                BodyRead::Held(bytes) => BodyAnswer::Body(bytes),
                BodyRead::Erased { .. } => BodyAnswer::Gone,
                _ => BodyAnswer::Missing,
            }));
        }
        Question::Anchors => feeds.store().fact(origin, &Fact::Anchors).await.ok()??,
        Question::Cosignatures => feeds.cosignatures(origin),
        Question::Evidence => feeds.fault(origin)?.to_bytes().into(),
        Question::Deliver(note) => {
            return Some(Reply::Delivered(match feeds.accept_cosignature(origin, note).await {
                Ok(()) | Err(RefusedCosignature::NotNewer { .. }) => Delivered::Taken,
                Err(RefusedCosignature::UnknownKey { .. }) => Delivered::UnknownKey,
                Err(_) => Delivered::Contradicts,
            }));
        }
        Question::Heads => {
            let views = feeds.origins().into_iter().filter_map(|origin| feeds.view(&origin));
            let heard = views.map(|view| Heard {
                origin: view.origin.clone(),
                size: view.size(),
                root: view.root(),
                evidence: feeds.evidence_of(&view.origin),
            });
            return Some(Reply::Heads(heard.collect()));
        }
    };
    Some(Reply::Bytes(bytes))
}

/// From one node to another.
pub(super) struct Road {
    pub(super) world: Arc<World>,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Road {
    /// What the other says it holds.
    pub(super) async fn heads(&self, origin: &Origin) -> Result<Vec<Heard>, CarrierError> {
        match self.ask(origin, Question::Heads).await? {
            Reply::Heads(heads) => Ok(heads),
            _ => Err(self.improper("heads")),
        }
    }

    async fn ask(&self, origin: &Origin, question: Question) -> Result<Reply, CarrierError> {
        let Self { world, from, to } = self;
        let word = question.word();
        world.count("questions");
        self.travel(*from, *to, QUESTION_BYTES, &word).await?;
        let actor = world.actor(*to).ok_or_else(|| self.unreachable("nobody"))?;
        let Ok(reply) = actor.answer(world, *from, origin, &question).await else {
            world.tell(|| format!("{from} asks {to} for {word} of {origin}: down"));
            return Err(self.unreachable("connection refused"));
        };
        let length = reply.as_ref().map_or(0, |reply| reply.bytes().len() as u64);
        self.travel(*to, *from, QUESTION_BYTES + length, &word).await?;
        let reply = reply.map(|reply| self.mangled(reply));
        world.tell(|| {
            let got = reply.as_ref().map_or_else(|| "none".to_owned(), Reply::word);
            format!("{from} asks {to} for {word} of {origin}: {got}")
        });
        let what = format!("{word} of {origin}");
        reply.ok_or_else(|| CarrierError::NotFound { carrier: self.describe(), what })
    }

    async fn travel(
        &self,
        from: usize,
        to: usize,
        bytes: u64,
        word: &str,
    ) -> Result<(), CarrierError> {
        let world = &self.world;
        let takes = world.travel_ms(from, to, bytes);
        if !world.is_cut(from, to) {
            world.pass(takes).await;
        }
        if world.is_cut(from, to) {
            world.count("messages lost on a cut line");
            world.tell(|| format!("{word} is lost from {from} to {to}"));
            world.pass(PATIENCE_MS).await;
            return Err(self.unreachable("it did not answer within 15 s"));
        }
        Ok(())
    }

    /// Bad lines change a bit now and then, and boxes on the way do so on purpose.
    fn mangled(&self, reply: Reply) -> Reply {
        let length = reply.bytes().len() as u64;
        if length == 0 || self.world.is_healed() || !self.world.once_in(MANGLED_ONCE_IN) {
            return reply;
        }
        self.world.count("answers changed on their way");
        let (at, bit) =
            (usize::try_from(self.world.below(length)).unwrap_or(0), self.world.below(8));
        reply.map(|bytes| {
            let mut bytes = bytes.to_vec();
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            bytes.into()
        })
    }

    async fn bytes(&self, origin: &Origin, question: Question) -> Result<Bytes, CarrierError> {
        let word = question.word();
        match self.ask(origin, question).await? {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(self.improper(&word)),
        }
    }

    fn unreachable(&self, reason: &str) -> CarrierError {
        CarrierError::Unreachable { carrier: self.describe(), reason: reason.to_owned() }
    }

    fn improper(&self, what: &str) -> CarrierError {
        let reason = "it is of another kind".to_owned();
        CarrierError::Improper { carrier: self.describe(), what: what.to_owned(), reason }
    }

    fn nobody(&self) -> Result<&Origin, CarrierError> {
        let actor = self.world.actor(self.to);
        actor.map(|actor| &actor.origin).ok_or_else(|| self.unreachable("nobody"))
    }
}

#[async_trait]
impl Carrier for Road {
    fn describe(&self) -> String {
        format!("node {}", self.to)
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        self.bytes(self.nobody()?, Question::NodeRecord).await
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Checkpoint).await
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        match self.ask(origin, Question::Since(size, wait)).await? {
            Reply::Since(since) => Ok(since),
            _ => Err(self.improper("since")),
        }
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Tile(*tile)).await
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Segment(number)).await
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        match self.ask(origin, Question::Body(index)).await? {
            Reply::Body(body) => Ok(body),
            _ => Err(self.improper("body")),
        }
    }

    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Anchors).await
    }

    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Cosignatures).await
    }

    async fn evidence(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.bytes(origin, Question::Evidence).await
    }

    async fn deliver(&self, origin: &Origin, note: Bytes) -> Result<Delivered, CarrierError> {
        match self.ask(origin, Question::Deliver(note)).await? {
            Reply::Delivered(delivered) => Ok(delivered),
            _ => Err(self.improper("deliver")),
        }
    }
}

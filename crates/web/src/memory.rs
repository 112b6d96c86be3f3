//! How much memory those who ask may make this node hold: answers on their way, what is read to make
//! them, and bodies of requests that nobody signed.
//!
//! An answer that its reader does not take stays in memory, and a reader costs nothing. So answers have
//! room for a fixed number of bytes together, counted until the last of them was sent. Half of it is for
//! nodes that sign their requests: whatever strangers hold, nodes get theirs.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use wire::limits;

use crate::answer::Answer;
use crate::server::Crowd;

/// What answers to strangers may hold together, and those to nodes again: the longest segment fits.
const ANSWERS_HALF_BYTES: usize = limits::SEGMENT_PACKED_BYTES;

/// Answers up to this length are given in any case, so that checkpoints and heads are, however much is
/// held: all streams of the default connections hold 64 MiB of them.
const FREE_BYTES: usize = 4 << 10;

/// A page: for people, who do not try again by themselves, room is made while they wait.
const PAGE_BYTES: usize = 64 << 10;

/// How often, and how long each time, it is looked for room for a page.
const LOOKS: usize = 20;
const LOOK: Duration = Duration::from_millis(100);

/// Long objects read at the same time for strangers, and for nodes again: their lengths are not known
/// before.
const READINGS_HALF: usize = 4;

/// How long a request queues for its turn to read; its headers are in memory.
const READING_PATIENCE: Duration = Duration::from_secs(5);

/// Bodies of unsigned requests together: sixty of the longest.
const UNSIGNED_BODIES_BYTES: usize = 8 << 20;

/// An answer longer than this is compressed away from the runtime's threads: gzip takes some milliseconds.
const LONG_BYTES: u64 = 128 << 10;

/// What is held for all who ask.
pub(crate) struct Memory {
    answers: Halves,
    readings: Halves,
    unsigned_bodies: Arc<Semaphore>,
}

/// Something of which there is only so much: half for nodes, half for everybody.
pub(crate) struct Halves {
    nodes: Arc<Semaphore>,
    everybody: Arc<Semaphore>,
}

/// Marks an answer that takes a while to compress.
#[derive(Clone, Copy)]
struct Long;

/// Bytes that count until the last of them is dropped.
struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            answers: Halves::of(kib(ANSWERS_HALF_BYTES) as usize),
            readings: Halves::of(READINGS_HALF),
            unsigned_bodies: Arc::new(Semaphore::new(kib(UNSIGNED_BODIES_BYTES) as usize)),
        }
    }
}

impl Memory {
    /// A turn to read something long; kept while it is read.
    pub(crate) async fn reading(&self, signed: bool) -> Result<OwnedSemaphorePermit, Answer> {
        let half = if signed { &self.readings.nodes } else { &self.readings.everybody };
        match timeout(READING_PATIENCE, Arc::clone(half).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Answer::NoRoom),
        }
    }

    /// Counts an answer until it was sent, or refuses it. What is made while it travels bounds itself.
    /// Where there is no room, somebody of the `crowd` who is slow makes some.
    pub(crate) async fn hold(
        &self,
        response: Response,
        signed: bool,
        crowd: Option<&Crowd>,
    ) -> Result<Response, Answer> {
        let response = compressed(response).await?;
        let length = response.body().size_hint().exact();
        let length = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let Some(length) = length.filter(|length| *length > FREE_BYTES) else {
            return Ok(response);
        };
        let permit = match self.answers.take(signed, kib(length.min(ANSWERS_HALF_BYTES))) {
            Some(permit) => permit,
            None => self.room_made(length, crowd).await?,
        };
        let (parts, body) = response.into_parts();
        let bytes = whole(body).await?;
        Ok(Response::from_parts(parts, Body::from(held(bytes, permit))))
    }

    /// Room that slow readers leave. Long answers do not wait for it: nothing would bound those that do.
    async fn room_made(
        &self,
        length: usize,
        crowd: Option<&Crowd>,
    ) -> Result<OwnedSemaphorePermit, Answer> {
        let crowd = crowd.ok_or(Answer::NoRoom)?;
        let room = Arc::clone(&self.answers.everybody).acquire_many_owned(kib(length));
        let mut room = pin!(room);
        for _ in 0..LOOKS {
            crowd.lets_a_slow_one_go();
            if length > PAGE_BYTES {
                break;
            }
            if let Ok(Ok(permit)) = timeout(LOOK, &mut room).await {
                return Ok(permit);
            }
        }
        Err(Answer::NoRoom)
    }

    /// Room for the body of an unsigned request.
    pub(crate) fn unsigned_body(&self, length: usize) -> Result<OwnedSemaphorePermit, Answer> {
        let taken = Arc::clone(&self.unsigned_bodies).try_acquire_many_owned(kib(length));
        taken.map_err(|_| Answer::NoRoom)
    }
}

impl Halves {
    pub(crate) fn of(half: usize) -> Self {
        Self { nodes: Arc::new(Semaphore::new(half)), everybody: Arc::new(Semaphore::new(half)) }
    }

    /// So many for a node, from its own half first; or for a stranger.
    pub(crate) fn take(&self, signed: bool, count: u32) -> Option<OwnedSemaphorePermit> {
        let from = |half: &Arc<Semaphore>| Arc::clone(half).try_acquire_many_owned(count).ok();
        let own = if signed { from(&self.nodes) } else { None };
        own.or_else(|| from(&self.everybody))
    }

    /// How many of both halves are free.
    pub(crate) fn free(&self) -> usize {
        self.nodes.available_permits().saturating_add(self.everybody.available_permits())
    }
}

/// `bytes` that count until the last of them is dropped.
pub(crate) fn held(bytes: Bytes, permit: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(Held { bytes, _permit: permit })
}

/// In the unit that room is counted in: a semaphore counts with a u32.
pub(crate) fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX)
}

/// Notes before it is compressed that an answer is long.
pub(crate) async fn note_length(mut response: Response) -> Response {
    if response.body().size_hint().lower() > LONG_BYTES {
        response.extensions_mut().insert(Long);
    }
    response
}

/// Compresses all of an answer at once: what compresses while it is sent holds megabytes for as long as
/// its reader likes.
async fn compressed(mut response: Response) -> Result<Response, Answer> {
    let made = response.body().size_hint().exact().is_some();
    if made || !response.headers().contains_key(CONTENT_ENCODING) {
        return Ok(response);
    }
    let long = response.extensions_mut().remove::<Long>().is_some();
    let (parts, body) = response.into_parts();
    let bytes = match long {
        true => spawn_blocking(move || Handle::current().block_on(whole(body))).await??,
        false => whole(body).await?,
    };
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

async fn whole(body: Body) -> Result<Bytes, Answer> {
    Ok(body.collect().await.map_err(Answer::Cut)?.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Response {
        Response::new(Body::from(vec![0; bytes]))
    }

    #[tokio::test]
    async fn strangers_who_take_nothing_fill_their_half_and_leave_nodes_theirs() {
        let memory = Memory::default();
        let mut untaken = Vec::new();
        while let Ok(response) = memory.hold(answer(1 << 20), false, None).await {
            untaken.push(response);
        }
        assert_eq!(untaken.len(), ANSWERS_HALF_BYTES >> 20);
        assert!(memory.hold(answer(FREE_BYTES), false, None).await.is_ok());
        // A node has room for the longest segment still.
        let longest =
            memory.hold(answer(limits::SEGMENT_PACKED_BYTES), true, None).await.ok().unwrap();
        assert!(matches!(memory.hold(answer(1 << 20), true, None).await, Err(Answer::NoRoom)));
        drop(longest);
        assert!(memory.hold(answer(1 << 20), true, None).await.is_ok());
    }

    #[tokio::test]
    async fn an_answer_counts_until_the_last_of_its_bytes_is_gone() {
        let memory = Memory::default();
        let length = limits::SEGMENT_PACKED_BYTES;
        let response = memory.hold(answer(length), false, None).await.ok().unwrap();
        let bytes = whole(response.into_body()).await.ok().unwrap();
        let last = bytes.slice(length - 1..);
        drop(bytes);
        assert!(matches!(memory.hold(answer(length), false, None).await, Err(Answer::NoRoom)));
        drop(last);
        assert!(memory.hold(answer(length), false, None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_who_waits_too_long_to_read_is_sent_away_and_a_node_reads() {
        let memory = Memory::default();
        let mut turns = Vec::new();
        for _ in 0..READINGS_HALF {
            turns.push(memory.reading(false).await.ok().unwrap());
        }
        assert!(matches!(memory.reading(false).await, Err(Answer::NoRoom)));
        assert!(memory.reading(true).await.is_ok());
        turns.pop();
        assert!(memory.reading(false).await.is_ok());
    }

    #[test]
    fn bodies_that_nobody_signed_have_room_together() {
        let memory = Memory::default();
        let half = memory.unsigned_body(UNSIGNED_BODIES_BYTES / 2).ok().unwrap();
        let rest = memory.unsigned_body(UNSIGNED_BODIES_BYTES / 2).ok().unwrap();
        assert!(matches!(memory.unsigned_body(1), Err(Answer::NoRoom)));
        drop(half);
        assert!(memory.unsigned_body(1).is_ok());
        drop(rest);
    }
}

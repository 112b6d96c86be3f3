//! The answers under way on one connection: how long each has been, and whether its reader takes it.
//!
//! An answer ends when the last of its bytes went to the socket, not when the HTTP library took them over.
//! So its bytes go out in pieces, and each says when the library dropped it. That tells of a client whose
//! HTTP/2 window is closed too: nothing is written then, and no write waits that could be timed.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;
use wire::limits::MINIMUM_RATE_BYTES_PER_SECOND;

use super::room::Ending;

/// Bytes of one piece: a frame of HTTP/2.
const PIECE_BYTES: usize = 16 << 10;

/// The answers under way, by number.
#[derive(Debug, Default)]
pub(super) struct Answers {
    next: AtomicU64,
    under_way: Mutex<BTreeMap<u64, Taking>>,
}

/// How far a reader is with an answer.
#[derive(Debug)]
struct Taking {
    since: Instant,
    /// Whether its reader signed the request.
    known: bool,
    /// Bytes that the HTTP library has and the socket has not.
    handed: usize,
    /// Whether there is more only once this node has made it.
    waits_for_us: bool,
    /// Until when more must be taken.
    due: Instant,
}

/// An answer's place among those under way; with it the request ends.
struct UnderWay {
    answers: Arc<Answers>,
    number: u64,
    /// How far ahead of the minimum rate a reader may be.
    window: Duration,
    _ending: Ending,
}

/// The body of an answer.
pub(super) struct Counted {
    body: Body,
    rest: Bytes,
    answer: Arc<UnderWay>,
}

/// A piece of an answer.
struct Piece {
    bytes: Bytes,
    answer: Arc<UnderWay>,
}

impl Answers {
    /// The body of an answer that begins now. Over each `window` its reader keeps up the minimum rate.
    pub(super) fn begin(
        self: &Arc<Self>,
        body: Body,
        window: Duration,
        known: bool,
        ending: Ending,
    ) -> Counted {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let since = Instant::now();
        let taking = Taking { since, known, handed: 0, waits_for_us: false, due: since + window };
        self.lock().insert(number, taking);
        let answers = Arc::clone(self);
        let answer = Arc::new(UnderWay { answers, number, window, _ending: ending });
        Counted { body, rest: Bytes::new(), answer }
    }

    /// Since when the one to a stranger that began first is under way.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let under_way = self.lock();
        under_way.values().filter(|taking| !taking.known).map(|taking| taking.since).min()
    }

    /// Whether a reader takes what there is more slowly than the minimum rate.
    pub(super) fn are_not_taken(&self) -> bool {
        let now = Instant::now();
        let for_us = |taking: &Taking| taking.waits_for_us && taking.handed == 0;
        self.lock().values().any(|taking| taking.due <= now && !for_us(taking))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Taking>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    fn note(&self, change: impl FnOnce(&mut Taking)) {
        if let Some(taking) = self.answers.lock().get_mut(&self.number) {
            change(taking);
        }
    }

    fn waits_for_us(&self) {
        self.note(|taking| taking.waits_for_us = true);
    }

    fn hands(&self, bytes: usize) {
        let fresh = Instant::now() + self.window;
        self.note(|taking| {
            if taking.waits_for_us && taking.handed == 0 {
                taking.due = fresh;
            }
            taking.waits_for_us = false;
            taking.handed = taking.handed.saturating_add(bytes);
        });
    }

    /// Bytes went out: they pay for as much time as the minimum rate gives them.
    fn took(&self, bytes: usize) {
        let seconds = bytes as f64 / MINIMUM_RATE_BYTES_PER_SECOND as f64;
        let paid = Duration::from_secs_f64(seconds);
        let most = Instant::now() + self.window;
        self.note(|taking| {
            taking.due = (taking.due + paid).min(most);
            taking.handed = taking.handed.saturating_sub(bytes);
        });
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.answers.lock().remove(&self.number);
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            if polled.is_pending() {
                self.answer.waits_for_us();
            }
            let frame = match polled {
                Poll::Ready(Some(Ok(frame))) => frame,
                other => return other,
            };
            match frame.into_data() {
                Ok(bytes) => self.rest = bytes,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let (bytes, answer) = (self.rest.split_to(length), Arc::clone(&self.answer));
        answer.hands(length);
        let piece = Bytes::from_owner(Piece { bytes, answer });
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, of_body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower().saturating_add(rest));
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.answer.took(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::stream;
    use http_body_util::BodyExt as _;
    use tokio::sync::oneshot;

    use super::super::room::Usage;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WINDOW: Duration = Duration::from_secs(60);

    fn begun(body: Body, known: bool) -> (Arc<Usage>, Counted) {
        let usage = Arc::new(Usage::new());
        usage.begin();
        let counted = usage.answers.begin(body, WINDOW, known, Ending(Arc::clone(&usage)));
        (usage, counted)
    }

    /// The next piece of what is there.
    async fn piece(body: &mut Counted) -> Bytes {
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    }

    /// Whether an answer is taken by somebody who takes one piece in so many seconds.
    async fn taken_in_pieces_of(seconds: u32) -> bool {
        let (usage, mut body) = begun(Body::from(vec![0; 100 * PIECE_BYTES]), false);
        for _ in 0..100 {
            let piece = piece(&mut body).await;
            tokio::time::advance(seconds * SECOND).await;
            drop(piece);
            if usage.answers.are_not_taken() {
                return false;
            }
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn the_minimum_rate_is_enough_and_half_of_it_is_not() {
        assert!(taken_in_pieces_of(16).await);
        assert!(!taken_in_pieces_of(32).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_when_the_last_of_it_was_sent_and_not_when_it_was_handed_over() {
        let (usage, mut body) = begun(Body::from(vec![0; PIECE_BYTES + 1]), false);
        drop(piece(&mut body).await);
        let last = piece(&mut body).await;
        assert!(body.is_end_stream());
        drop(body);
        assert!(usage.under_way() && usage.answers.oldest().is_some());
        tokio::time::advance(WINDOW).await;
        assert!(usage.answers.are_not_taken());
        drop(last);
        assert!(!usage.under_way() && usage.answers.oldest().is_none());
        assert!(!usage.answers.are_not_taken());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_waits_for_us_is_not_slow() {
        let (make, made) = oneshot::channel::<Bytes>();
        let later = stream::once(made);
        let (usage, body) = begun(Body::from_stream(later), false);
        let mut body = pin!(body);
        let mut next = pin!(body.frame());
        let waited = tokio::time::timeout(2 * WINDOW, &mut next).await;
        assert!(waited.is_err() && !usage.answers.are_not_taken());
        make.send(Bytes::from_static(b"made")).unwrap();
        let made = next.await.unwrap().unwrap();
        assert!(!usage.answers.are_not_taken());
        tokio::time::advance(WINDOW).await;
        assert!(usage.answers.are_not_taken());
        drop(made);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_not_asked_to_make_room_and_keeps_up_the_minimum_rate_too() {
        let (usage, body) = begun(Body::from(vec![0; PIECE_BYTES]), true);
        assert!(usage.under_way() && usage.answers.oldest().is_none());
        tokio::time::advance(WINDOW).await;
        assert!(usage.answers.are_not_taken());
        drop(body);
    }
}

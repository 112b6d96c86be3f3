//! A stream with two deadlines that the HTTP library does not have: the first bytes, and answers that
//! the client takes too slowly.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use wire::limits::MINIMUM_RATE_BYTES_PER_SECOND;

/// What an HTTP/2 client sends first. Until the bytes differ from it, or it is complete, the library
/// waits without a time-out of its own to learn which version is spoken.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream that fails with `TimedOut` where a client could otherwise hold it for ever.
pub(super) struct Timed<S> {
    stream: S,
    /// Bytes of the preface seen so far.
    seen: usize,
    first: Option<Pin<Box<Sleep>>>,
    /// The stretch of time over which the rate of a slow client is measured.
    window: Duration,
    /// Ends the present stretch; none while everything was taken.
    stretch: Option<Pin<Box<Sleep>>>,
    /// Bytes taken in the present stretch.
    taken: u64,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, first: Duration, window: Duration) -> Self {
        let first = Some(Box::pin(tokio::time::sleep(first)));
        Self { stream, seen: 0, first, window, stretch: None, taken: 0 }
    }

    /// Notes what came in; the first deadline ends once the version is known.
    fn saw(&mut self, bytes: &[u8]) {
        let rest = PREFACE.get(self.seen..).unwrap_or_default();
        let known = bytes.len() >= rest.len() || !rest.starts_with(bytes);
        self.seen = self.seen.saturating_add(bytes.len());
        if known {
            self.first = None;
        }
    }

    /// Fails a write that waits, once too little was taken in a whole stretch.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.taken = self.taken.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
                result
            }
            Poll::Ready(Err(_)) => result,
            Poll::Pending => self.waits(cx).map(Err),
        }
    }

    fn waits(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let window = self.window;
        if self.stretch.is_none() {
            self.taken = 0;
        }
        let stretch = self.stretch.get_or_insert_with(|| Box::pin(tokio::time::sleep(window)));
        while stretch.as_mut().poll(cx).is_ready() {
            if self.taken < MINIMUM_RATE_BYTES_PER_SECOND.saturating_mul(window.as_secs()).max(1) {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.taken = 0;
            stretch.as_mut().reset(Instant::now() + window);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.first.is_none() {
            return result;
        }
        if let Poll::Ready(Ok(())) = result {
            self.saw(buffer.filled().get(before..).unwrap_or_default());
            return result;
        }
        match &mut self.first {
            Some(first) if result.is_pending() => {
                first.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            _ => result,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(result) => {
                // The library flushes once it has nothing left to write.
                self.stretch = None;
                Poll::Ready(result)
            }
            Poll::Pending => self.waits(cx).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.waits(cx).map(Err),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const SECOND: Duration = Duration::from_secs(1);

    /// Writes 64 KiB to a client that takes `bytes` a second.
    async fn written_to_one_who_takes(bytes: usize) -> io::Result<()> {
        let (ours, mut theirs) = tokio::io::duplex(1_024);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; bytes];
            while theirs.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(SECOND).await;
            }
        });
        let mut timed = Timed::new(ours, SECOND, 10 * SECOND);
        let result = timed.write_all(&[0; 65_536]).await;
        drop(timed);
        reader.await.unwrap();
        result
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_its_answer_too_slowly_is_let_go() {
        let error = written_to_one_who_takes(100).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_is_served() {
        assert!(written_to_one_who_takes(2_048).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_must_come_in_time_and_then_there_is_no_hurry() {
        let (ours, mut theirs) = tokio::io::duplex(1_024);
        let mut timed = Timed::new(ours, SECOND, SECOND);
        theirs.write_all(b"PRI * ").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(timed.read(&mut buffer).await.unwrap(), 6);
        assert_eq!(timed.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (ours, mut theirs) = tokio::io::duplex(1_024);
        let mut timed = Timed::new(ours, SECOND, SECOND);
        theirs.write_all(b"GET /").await.unwrap();
        assert_eq!(timed.read(&mut buffer).await.unwrap(), 5);
        let later = async {
            tokio::time::sleep(100 * SECOND).await;
            theirs.write_all(b" HTTP").await.unwrap();
            theirs
        };
        let (read, _theirs) = tokio::join!(timed.read(&mut buffer), later);
        assert_eq!(read.unwrap(), 5);
    }
}

//! The whole public collection as one file, with everything that proves it: a bundle of all public feeds
//! held here, which anybody's node imports and verifies as if it had followed them.
//!
//! The file is made while it travels: one segment at a time is in memory, however large the collection.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use feed::bundle::Writer;
use feed::feeds::Feeds;
use futures_util::stream;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use tlog::name::Origin;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::warn;
use wire::media;

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;

/// Downloads at the same time. Each reads the whole collection from the disk once, and has one segment in
/// memory: a few megabytes at most for what people write.
static DOWNLOADS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(8)));

/// Pieces that wait for a slow reader.
const PIECES_AHEAD: usize = 2;

/// Written pieces are gathered up to this many bytes before they leave.
const PIECE_BYTES: usize = 64 << 10;

/// Who takes fewer bytes a second gives up the place, which others want: what a connection brings in the time
/// that it may last would be no collection.
const LEAST_BYTES_PER_SECOND: u64 = 8 << 10;

/// The time of the reader's own over which that is measured.
const STRETCH: Duration = Duration::from_secs(60);

/// `GET /download/collection.jpb`
pub(crate) async fn collection(State(app): State<App>) -> Result<Response, Answer> {
    let place = Arc::clone(&*DOWNLOADS).try_acquire_owned().map_err(|_| Answer::Busy)?;
    let origins = public(&app);
    let (pieces, arrived) = sync_channel(PIECES_AHEAD);
    let (feeds, runtime) = (Arc::clone(&app.feeds), Handle::current());
    // Where blocking is allowed: the bundle is written at the pace at which its reader takes it.
    tokio::task::spawn_blocking(move || {
        let packed = runtime.block_on(pack(&feeds, &origins, &pieces));
        if let Err(error) = packed {
            // Who broke off is not told why; a broken file tells by its missing end.
            if pieces.send(Err(std::io::Error::other("the collection broke off"))).is_ok() {
                warn!(
                    event = "download.broke-off",
                    "the download of the collection broke off: {error}"
                );
            }
        }
    });
    let mut response = Response::new(Body::from_stream(pieces_of(arrived, place)));
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(media::BYTES));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let name = format!("attachment; filename=\"{}.jpb\"", app.feeds.node());
    if let Ok(name) = HeaderValue::from_str(&name) {
        head.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The public feeds held here, by name.
pub(crate) fn public(app: &App) -> Vec<Origin> {
    let mut origins = app.origins(&Caller::Stranger);
    origins.sort();
    origins
}

async fn pack(
    feeds: &Feeds,
    origins: &[Origin],
    pieces: &Pieces,
) -> Result<(), feed::feeds::PackError> {
    let mut writer = Writer::new(Outlet { pieces: pieces.clone(), gathered: Vec::new() })?;
    for origin in origins {
        feeds.pack(origin, 0, &mut |item| writer.item(&item)).await?;
    }
    writer.finish()?;
    Ok(())
}

type Pieces = SyncSender<std::io::Result<Bytes>>;

/// Hands on what is written to it.
struct Outlet {
    pieces: Pieces,
    gathered: Vec<u8>,
}

impl std::io::Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A segment is long: what waits for its reader is not another copy of it.
        for part in bytes.chunks(PIECE_BYTES) {
            self.gathered.extend_from_slice(part);
            if self.gathered.len() >= PIECE_BYTES {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.gathered));
        if piece.is_empty() {
            return Ok(());
        }
        self.pieces.send(Ok(piece)).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}

/// The pieces as they come; the place of the download is free again when its reader is done or gone.
fn pieces_of(
    arrived: Receiver<std::io::Result<Bytes>>,
    place: OwnedSemaphorePermit,
) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold(Some((arrived, place, Pace::default())), |state| async move {
        let (arrived, place, mut pace) = state?;
        if !pace.asked() {
            return Some((Err(std::io::ErrorKind::TimedOut.into()), None));
        }
        let waited = tokio::task::spawn_blocking(move || (arrived.recv(), arrived)).await;
        match waited {
            Ok((Ok(Ok(piece)), arrived)) => {
                pace.gave(piece.len());
                Some((Ok(piece), Some((arrived, place, pace))))
            }
            Ok((Ok(Err(error)), _)) => Some((Err(error), None)),
            // The writer is done.
            Ok((Err(_), _)) => None,
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    })
}

/// How fast a reader takes what it is given; the time that this node needs does not count.
#[derive(Default)]
struct Pace {
    given_at: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// The reader asks for more; false if it took too long for what it had.
    fn asked(&mut self) -> bool {
        self.waited += self.given_at.take().map_or(Duration::ZERO, |at| at.elapsed());
        if self.waited < STRETCH {
            return true;
        }
        let keeps_up = self.bytes >= LEAST_BYTES_PER_SECOND.saturating_mul(self.waited.as_secs());
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        keeps_up
    }

    fn gave(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.given_at = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::StreamExt as _;

    use super::*;

    /// Pieces until the end, or until a reader that pauses after each is let go.
    async fn taken_at_a_pace_of(pause: Duration) -> (usize, bool) {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().unwrap();
        let (pieces, arrived) = sync_channel(100);
        for _ in 0..100 {
            pieces.send(Ok(Bytes::from_static(&[0; PIECE_BYTES]))).unwrap();
        }
        drop(pieces);
        let (mut pieces, mut count) = (pin!(pieces_of(arrived, place)), 0);
        while let Some(piece) = pieces.next().await {
            if piece.is_err() {
                assert!(pieces.next().await.is_none());
                assert_eq!(places.available_permits(), 1);
                return (count, false);
            }
            count += 1;
            tokio::time::advance(pause).await;
        }
        (count, true)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_collection_in_drops_gives_its_place_up() {
        assert_eq!(taken_at_a_pace_of(Duration::from_secs(4)).await, (100, true));
        assert_eq!(taken_at_a_pace_of(Duration::from_secs(64)).await, (1, false));
    }
}

//! Being cosigned: our own public checkpoints go to the witnesses that the operator named (C2SP
//! tlog-witness), after each publication and every eight hours.
//!
//! What a witness has cosigned is known from the lines that are stored, so nothing else is remembered;
//! where that is wrong (a restore, a witness that was reset) its 409 says what it holds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use feed::feeds::{Feeds, RENEW_S};
use tlog::key::VerifierKey;
use tlog::name::Origin;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::carrier::{HttpCarrier, WitnessAnswer};
use crate::outbound::Outbound;
use crate::schedule::{Event, Schedule};

/// Publications within this time are submitted together.
const CALM: Duration = Duration::from_millis(200);

/// The longest time without a look at the clock.
const LOOK: Duration = Duration::from_secs(600);

/// How long [`Submissions::stop`] waits for a request under way.
const STOP: Duration = Duration::from_secs(5);

/// A witness that we ask to cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its key, of type 0x04.
    pub key: VerifierKey,
    /// The prefix of `/add-checkpoint`.
    pub url: String,
}

/// One task for each witness. Dropping it without [`stop`](Self::stop) ends them at once.
pub struct Submissions {
    tasks: Mutex<Vec<JoinHandle<()>>>,
    stopping: watch::Sender<bool>,
}

impl fmt::Debug for Submissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submissions").finish_non_exhaustive()
    }
}

impl Drop for Submissions {
    fn drop(&mut self) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Submissions {
    /// Begins to submit. Needs a tokio runtime.
    pub fn start(feeds: &Arc<Feeds>, outbound: &Arc<Outbound>, witnesses: &[Witness]) -> Self {
        let stopping = watch::Sender::new(false);
        let mut tasks = Vec::with_capacity(witnesses.len());
        for witness in witnesses {
            match HttpCarrier::new(outbound, std::slice::from_ref(&witness.url)) {
                Ok(carrier) => {
                    let feeds = Arc::clone(feeds);
                    let witness = witness.clone();
                    let asked = Asked { feeds, witness, carrier, schedules: BTreeMap::new() };
                    tasks.push(tokio::spawn(asked.run(stopping.subscribe())));
                }
                Err(error) => {
                    let name = &witness.key.name;
                    warn!(event = "witness.not-asked", witness.name = %name, "the witness `{name}` is not asked: {error}");
                }
            }
        }
        Self { tasks: Mutex::new(tasks), stopping }
    }

    /// Ends all tasks in an orderly way.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if timeout(STOP, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// One witness, and how it goes with each of our feeds.
struct Asked {
    feeds: Arc<Feeds>,
    witness: Witness,
    carrier: HttpCarrier,
    schedules: BTreeMap<Origin, Schedule>,
}

impl Asked {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut changed = self.feeds.changed();
        loop {
            changed.borrow_and_update();
            let mut rest = LOOK;
            for origin in self.feeds.own() {
                if !origin.feed().is_restricted() {
                    let next = tokio::select! {
                        _ = stopping.wait_for(|stopping| *stopping) => return,
                        next = self.look_at(&origin) => next,
                    };
                    rest = rest.min(Duration::from_secs(next.max(1)));
                }
            }
            let calm = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                more = changed.changed() => more.is_ok().then_some(CALM),
                () = sleep(rest) => Some(Duration::ZERO),
            };
            match calm {
                Some(calm) => sleep(calm).await,
                None => return,
            }
        }
    }

    /// Submits a feed if it is due; after how many seconds to look again.
    async fn look_at(&mut self, origin: &Origin) -> u64 {
        let now = self.feeds.clock().now();
        let Some(view) = self.feeds.view(origin) else { return RENEW_S };
        let held = self.feeds.cosigned_by(origin, &self.witness.key);
        if let Some((size, time)) = held
            && size >= view.size()
            && now < time.saturating_add(RENEW_S)
        {
            return time.saturating_add(RENEW_S) - now;
        }
        let schedule = self.schedules.entry(origin.clone()).or_insert_with(|| Schedule::new(now));
        let due_in = schedule.due_in(now);
        if schedule.failures() > 0 && due_in > 0 {
            return due_in;
        }
        let outcome = self.submit(origin, held.map_or(0, |(size, _)| size)).await;
        let name = &self.witness.key.name;
        let schedule = self.schedules.entry(origin.clone()).or_insert_with(|| Schedule::new(now));
        match outcome {
            Ok(size) => {
                debug!(feed.origin = %origin, feed.size = size, witness.name = %name, "`{name}` cosigned {size} entries of `{origin}`");
                if let Some(Event::Healthy { .. }) = schedule.succeeded(now, RENEW_S) {
                    info!(event = "witness.in-step", feed.origin = %origin, witness.name = %name, "the witness `{name}` cosigns `{origin}`");
                }
                RENEW_S
            }
            Err(reason) => {
                let mut chance = [0; 8];
                self.feeds.random().fill(&mut chance);
                let event = schedule.failed(now, &reason, u64::from_be_bytes(chance));
                if matches!(event, Event::Failing { .. }) {
                    warn!(event = "witness.failing", feed.origin = %origin, witness.name = %name, "the witness `{name}` did not cosign `{origin}`: {reason}");
                }
                schedule.due_in(now)
            }
        }
    }

    /// One submission, from the size that the witness should hold, and once more from the one it says.
    async fn submit(&self, origin: &Origin, held: u64) -> Result<u64, String> {
        let mut old = held;
        for attempt in 0..2 {
            let submission = self.feeds.submission(origin, old).await;
            let submission = submission.map_err(|error| error.to_string())?;
            let answer = self.carrier.submit(submission.request.clone()).await;
            match answer.map_err(|error| error.to_string())? {
                WitnessAnswer::Lines(lines) => {
                    let taken = self.feeds.take_witness_lines(origin, &submission, &lines).await;
                    taken.map_err(|error| format!("its answer was not taken: {error}"))?;
                    return Ok(submission.size());
                }
                WitnessAnswer::Holds(size) if size > submission.size() => {
                    self.feeds.doubt(origin, size, self.witness.key.name.as_str());
                    return Err(format!(
                        "it holds {size} entries of this feed, and {} are here: if this node was restored or \
                         copied, do not publish before the rest is back",
                        submission.size()
                    ));
                }
                WitnessAnswer::Holds(size) if attempt == 0 && size != old => old = size,
                WitnessAnswer::Holds(size) => {
                    return Err(format!("it holds other entries of this feed, {size} of them"));
                }
            }
        }
        Err("it changes what it says it holds".to_owned())
    }
}

//! What happens inside, on standard error: for whoever runs a server, or asks with `-v`.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

/// Warnings and errors that were logged by this process.
static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// Begins logging. A server tells what it does; a command only what somebody must look at.
///
/// `RUST_LOG` goes before `-v`. With `json` each line is an object.
pub fn to_stderr(verbose: u8, serving: bool, json: bool) {
    let level = match (verbose, serving) {
        (0, false) => "warn",
        (0, true) => "info,hyper=warn,h2=warn",
        (1, _) => "debug,hyper=info,h2=info,reqwest=info,sled=info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(!plain && std::io::stderr().is_terminal());
    let lines = if json { lines.json().boxed() } else { lines.with_target(false).boxed() };
    // Another subscriber is there already when tests run commands in one process.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(Counting).try_init();
}

/// How many lines of each level that somebody should look at were logged by this process.
pub fn counts() -> [(&'static str, u64); 2] {
    [("warn", WARNINGS.load(Ordering::Relaxed)), ("error", ERRORS.load(Ordering::Relaxed))]
}

/// Counts what is logged, so that an alarm can be raised without anybody reading the log.
struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => ERRORS.fetch_add(1, Ordering::Relaxed),
            Level::WARN => WARNINGS.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

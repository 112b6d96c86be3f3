//! What happens inside, on standard error: for whoever runs a server, or asks with `-v`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

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
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(!plain && std::io::stderr().is_terminal());
    // Another subscriber is there already when tests run commands in one process.
    let _ = if json { lines.json().try_init() } else { lines.with_target(false).try_init() };
}

//! This process among others: when it is asked to end, how many files it may open, and telling systemd that it
//! is ready.

use std::os::unix::net::UnixDatagram;

use anyhow::Context as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

/// Becomes `true` when the process is asked to end (Ctrl-C or SIGTERM). A second request ends it at
/// once: everything acknowledged is on disk already.
///
/// The sender ends it without a signal.
pub fn shutdown() -> anyhow::Result<(watch::Sender<bool>, watch::Receiver<bool>)> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let (asked, shutdown) = watch::channel(false);
    let end = asked.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!(event = "process.ending", "ending: requests under way are finished first");
        notify("STOPPING=1");
        asked.send_replace(true);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok((end, shutdown))
}

/// Files a server opens beside the connections it serves: facts, the catalog, the index, connections to peers.
const FILES_BESIDE: u64 = 1_024;

/// Lets this process open as many files as the system allows it, and says if that is too few for so many
/// connections.
pub fn allow_files(connections: usize) {
    let mut files = getrlimit(Resource::Nofile);
    if files.current != files.maximum {
        files.current = files.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, files) {
            warn!(
                event = "process.open-files-unchanged",
                "the limit of open files stays as it is: {error}"
            );
        }
    }
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(FILES_BESIDE);
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if allowed < wanted {
        warn!(
            event = "process.open-files-few",
            "{connections} connections and the files of the node may need {wanted} open files, and {allowed} \
             are allowed: raise `LimitNOFILE` of the service (`ulimit -Hn`), or lower `limits.connections`"
        );
    }
}

/// Waits until `shutdown` is true.
pub async fn asked(mut shutdown: watch::Receiver<bool>) {
    // A sender that is gone can ask no more: that is an end too.
    let _ = shutdown.wait_for(|&asked| asked).await;
}

/// Tells systemd, if it started us (`Type=notify`).
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to(state.as_bytes(), path));
    if let Err(error) = sent {
        warn!(event = "process.systemd", "systemd cannot be told `{state}`: {error}");
    }
}

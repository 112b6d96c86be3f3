//! `/metrics`: what a monitoring system reads of one node.
//!
//! Almost everything is computed from the state when somebody asks, from what `status`, `peers`, `doctor`
//! and the calendar tell as well, so that it cannot drift from them. Only what leaves no trace is counted
//! as it happens: requests ([`web::traffic`]), rounds ([`peer::tally`]), lines of the log ([`crate::log`]).
//!
//! **Invariants:** no restricted feed is named, and none has a line of its own: whoever reads metrics may
//! pass them on. Feeds and nodes with lines of their own are bounded; how many were left out is told.

mod disk;
mod entries;
mod feeds;
mod figure;
mod health;
mod nodes;
mod process;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use search::Index;
use web::App;
use web::upkeep::{Meters, UpkeepError};

use self::entries::Entries;
use self::figure::{Figure, Figures};
use crate::outward::Outward;
use crate::upkeep::Keeper;

/// The prefix of all names but those of the process.
const PREFIX: &str = "jopoi";

/// The figures of one node.
pub struct NodeMeters {
    parts: Arc<Parts>,
}

/// Where the figures come from.
struct Parts {
    app: App,
    outward: Arc<Outward>,
    keeper: Arc<Keeper>,
    index: Index,
    entries: Mutex<Entries>,
    /// Unix seconds.
    opened_at: u64,
}

impl NodeMeters {
    /// Over an open node. `app` is what its routers serve.
    pub fn new(app: App, outward: Arc<Outward>, keeper: Arc<Keeper>, index: Index) -> Self {
        let opened_at = app.feeds.clock().now();
        let entries = Mutex::default();
        let parts = Parts { app, outward, keeper, index, entries, opened_at };
        Self { parts: Arc::new(parts) }
    }
}

#[async_trait]
impl Meters for NodeMeters {
    async fn read(&self) -> Result<String, UpkeepError> {
        let parts = Arc::clone(&self.parts);
        // Directories are walked and rows are read: where blocking holds up no other task.
        let read = tokio::task::spawn_blocking(move || parts.text()).await;
        match read {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(UpkeepError::Internal { reason: error.to_string() }),
            Err(error) => Err(UpkeepError::Internal { reason: error.to_string() }),
        }
    }
}

impl Parts {
    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix(PREFIX);
        let node = self.app.feeds.node().to_string();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let info = Info::new(vec![("version", version), ("node", node)]);
        registry.register("build", "The program and the node it serves", info);
        self.app.traffic.register(&mut registry);
        if let Some(tally) = self.outward.tally() {
            tally.register(&mut registry);
        }
        registry.register_collector(Box::new(Figures(self.figures())));
        let mut process = Registry::default();
        process.register_collector(Box::new(Figures(process::figures(self.opened_at))));
        let mut text = String::new();
        text::encode_registry(&mut text, &registry)?;
        text::encode_registry(&mut text, &process)?;
        text::encode_eof(&mut text)?;
        Ok(text)
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = feeds::figures(&self.app.feeds);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.count(&self.app.feeds);
        figures.extend(entries.figures());
        drop(entries);
        figures.extend(nodes::figures(&self.app.feeds, &self.outward));
        figures.extend(health::figures(&self.app, &self.keeper, &self.index));
        figures.extend(disk::figures(self.keeper.data(), &self.app.feeds));
        figures
    }
}

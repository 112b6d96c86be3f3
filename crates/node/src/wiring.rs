//! What a node is made of on this machine: directory, catalog, keys, clock, chance, peers, pages.
//!
//! The only place that knows which crate stands behind which port.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use axum::Router;
use feed::feeds::{Feeds, Parts};
use feed::ports::{Clock, Random, Signer};
use feed::secret::LockedSigner;
use peer::limits::Limits;
use peer::outbound::{Outbound, SystemLookup};
use peer::settings::PeerSettings;
use search::{Index, Indexer};
use store::catalog::SledCatalog;
use store::facts::Directory;
use web::app::{App, Site};

use crate::config::{Config, FILE_NAME};
use crate::copies::Vault;
use crate::keys::online::Slot;
use crate::keys::ring::Ring;
use crate::meters::NodeMeters;
use crate::outward::Outward;
use crate::place::Place;
use crate::upkeep::Keeper;

/// One node, open: this process holds the lock of its directory.
pub struct Node {
    place: Place,
    feeds: Arc<Feeds>,
    outward: Arc<Outward>,
    keeper: Arc<Keeper>,
    vault: Arc<Vault>,
    indexer: Arc<Indexer>,
    app: App,
}

/// What the nodes of one process share: an HTTP client and its byte budget for each set of settings.
pub struct Shared {
    outbounds: Mutex<Vec<(PeerSettings, usize, Arc<Outbound>)>>,
    clock: Arc<dyn Clock>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock;

/// The chance of the operating system.
#[derive(Debug)]
pub struct SystemRandom;

impl Node {
    /// Opens the node in `place`: takes its lock, reads its keys, verifies its feeds.
    pub async fn open(place: &Place, shared: &Shared) -> anyhow::Result<Arc<Self>> {
        let node = Self::open_new(place, shared).await?;
        // A feed of ours that is there and cannot be opened was told in the log; the copies are served.
        let stored = node.feeds.store().origins().await?;
        if !stored.iter().any(|origin| *origin.node() == place.node) {
            bail!(
                "{} holds no feed of `{}`: a name is chosen once; put the one it was made with back into {FILE_NAME}",
                place.data.display(),
                place.node
            );
        }
        Ok(node)
    }

    /// Opens a node whose first feed is yet to begin.
    pub async fn open_new(place: &Place, shared: &Shared) -> anyhow::Result<Arc<Self>> {
        let ring = open_ring(place)?;
        let data = place.data.clone();
        let (directory, catalog) = tokio::task::spawn_blocking(move || {
            // The lock first: the catalog has one owner.
            let directory = Directory::open(&data)?;
            let catalog = SledCatalog::open(data.join("catalog"))?;
            anyhow::Ok((directory, catalog))
        })
        .await??;
        let parts = Parts {
            node: place.node.clone(),
            store: Arc::new(directory),
            catalog: Arc::new(catalog),
            signer: first_signer(&ring)?,
            clock: Arc::clone(&shared.clock),
            random: Arc::new(SystemRandom),
        };
        let feeds = Feeds::open(parts).await.context("the node cannot be opened")?;
        let index = open_index(place, &feeds).await?;
        let indexer = Arc::new(Indexer::new(Arc::clone(&feeds), index.clone()));
        let witnesses = place.config.outside_witnesses()?;
        let keys = witnesses.iter().map(|witness| witness.key.clone()).collect();
        feeds.keep_free(place.config.limits.reserve_mib.map(|mib| mib.saturating_mul(1 << 20)));
        feeds.trust_outside(keys, place.config.outside_logs()?);
        let settings = peer_settings(&place.config)?;
        let outbound = shared.outbound(&settings, place.config.limits.download_mib)?;
        peer::guard::Neighbours::introduce(&feeds, &outbound);
        let vault = Arc::new(Vault::new(&feeds, &outbound));
        let outward = Arc::new(Outward::new(Arc::clone(&feeds), outbound, settings, witnesses));
        let (keeper_feeds, keeper_outward) = (Arc::clone(&feeds), Arc::clone(&outward));
        let clock = Arc::clone(&shared.clock);
        let keeper = Keeper::new(place.clone(), keeper_feeds, keeper_outward, clock, ring);
        take_texts(place)?;
        let mut app = App::new(
            Arc::clone(&feeds),
            Arc::clone(&outward) as _,
            site(place),
            place.config.base_urls.first().cloned(),
        )
        .with_base_urls(&place.config.base_urls);
        let keeper = Arc::new(keeper);
        app.upkeep = Some(Arc::clone(&keeper) as _);
        app.relays = place.config.relays()?;
        app.copies = Some(Arc::clone(&vault) as _);
        app.search = Some(Arc::new(index.clone()));
        let meters = NodeMeters::new(app.clone(), Arc::clone(&outward), Arc::clone(&keeper), index);
        app.meters = Some(Arc::new(meters));
        Ok(Arc::new(Self { place: place.clone(), feeds, outward, keeper, vault, indexer, app }))
    }

    /// Its feeds.
    pub fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// Its peers.
    pub fn outward(&self) -> &Outward {
        &self.outward
    }

    /// Its keys, dates and health.
    pub fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// Its copies.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What keeps its search index up with its feeds.
    pub fn indexer(&self) -> &Arc<Indexer> {
        &self.indexer
    }

    /// Where it lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the operator may ask, for the control socket and for commands without a server.
    pub fn operator_router(&self) -> Router {
        web::routes::operator(self.app.clone())
    }

    /// What a monitoring system may ask.
    pub fn monitor_router(&self) -> Router {
        web::routes::monitor(self.app.clone())
    }

    /// What anybody may ask.
    pub fn public_router(&self) -> Router {
        web::routes::public(self.app.clone())
    }
}

impl Shared {
    /// For nodes that go by another clock than the machine's: a rehearsal in which days pass.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { outbounds: Mutex::default(), clock }
    }

    /// A way out that is no node's: for looking at another one from anywhere.
    pub fn anybodys_outbound(&self) -> anyhow::Result<Arc<Outbound>> {
        let config = Config::default();
        self.outbound(&peer_settings(&config)?, config.limits.download_mib)
    }

    fn outbound(&self, settings: &PeerSettings, mib: usize) -> anyhow::Result<Arc<Outbound>> {
        let mut outbounds = self.outbounds.lock().unwrap_or_else(PoisonError::into_inner);
        let same = outbounds.iter().find(|(of, budget, _)| of == settings && *budget == mib);
        if let Some((_, _, outbound)) = same {
            return Ok(Arc::clone(outbound));
        }
        let limits = Limits { budget: mib << 20, ..Limits::default() };
        let outbound = Outbound::with(settings, limits, Arc::new(SystemLookup))?;
        outbounds.push((settings.clone(), mib, Arc::clone(&outbound)));
        Ok(outbound)
    }
}

/// The search index beside the catalog. From here on what is erased leaves it before the erasure counts as
/// done.
async fn open_index(place: &Place, feeds: &Feeds) -> anyhow::Result<Index> {
    let directory = place.data.join("index");
    let index = tokio::task::spawn_blocking(move || Index::open(&directory)).await??;
    feeds.keep_words_in(Arc::new(index.clone())).await?;
    Ok(index)
}

/// The secrets of a node, opened as far as there is a way to their passphrase.
fn open_ring(place: &Place) -> anyhow::Result<Ring> {
    let ring = Ring::open(&place.data, None)?;
    if !ring.is_encrypted() {
        return Ok(ring);
    }
    let prompt = format!("Passphrase of {} (empty: stay locked)", place.node);
    let Some(passphrase) = place.passphrase.find(&prompt)? else { return Ok(ring) };
    match Ring::open(&place.data, Some(&passphrase)) {
        // What the machine gave by itself may be of yesterday: the node serves, locked.
        Err(error) if place.passphrase.is_by_credential() => {
            tracing::error!(
                event = "keys.wrong-passphrase",
                "the passphrase of the systemd credential does not open the secret: {error:#}"
            );
            Ok(ring)
        }
        opened => opened,
    }
}

/// The keys before anything was read: for a node that begins. Afterwards its node record decides.
fn first_signer(ring: &Ring) -> anyhow::Result<Arc<dyn Signer>> {
    match ring.get(Slot::InUse) {
        Some(online) => ring.signer_of(online, 0, Arc::new(SystemClock), &[]),
        None => Ok(Arc::new(LockedSigner)),
    }
}

fn peer_settings(config: &Config) -> anyhow::Result<PeerSettings> {
    let settings = PeerSettings {
        allow_networks: config.peers.allow_networks.clone(),
        proxy: config.peers.proxy.clone(),
        extra_ca_file: config.peers.extra_ca_file.clone(),
        relays: config.relays()?,
        interval_s: config.peers.interval_s,
        ..PeerSettings::default()
    };
    Ok(settings.with_environment())
}

/// Files of texts that are looked at in one directory; each language has one.
const TEXTS_MAX: usize = 65;

/// The operator's own texts, if the configuration names a directory of them.
fn take_texts(place: &Place) -> anyhow::Result<()> {
    let Some(directory) = &place.config.site.texts else { return Ok(()) };
    let mut files = Vec::new();
    let read = std::fs::read_dir(directory).with_context(|| {
        format!("`site.texts` is {}, which cannot be read", directory.display())
    })?;
    for entry in read.take(TEXTS_MAX) {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "ftl") {
            let code = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let source = std::fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read as UTF-8", path.display()))?;
            files.push((code, source));
        }
    }
    web::texts::own::take(files)
        .with_context(|| format!("the texts in {} cannot be used", directory.display()))
}

fn site(place: &Place) -> Site {
    let config = &place.config;
    Site {
        name: config.site.name.clone(),
        contact: config.site.contact.clone(),
        languages: config.site.languages.clone(),
        defaults: place.defaults(),
        sample: config.site.sample,
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is a clock that was never set.
        since.map_or(0, |since| since.as_secs())
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Keys and salts made without chance could be guessed by anybody: there is no going on.
            std::process::abort();
        }
    }
}

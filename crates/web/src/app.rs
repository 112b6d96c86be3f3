//! What the handlers work with: the feeds, the node's view of its peers, and what the site says of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use feed::feeds::{Feeds, Page, RecordsPage};
use feed::search::Search;
use practice::draft::Defaults;
use tlog::name::{NodeName, Origin};
use tokio::task::spawn_blocking;
use wire::api;

use crate::answer::Answer;
use crate::caller::Nonces;
use crate::copies::Copies;
use crate::memory::Memory;
use crate::traffic::Traffic;
use crate::upkeep::{Meters, Upkeep};
use crate::waiting::Waiting;

/// One node, as a router serves it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The feeds held.
    pub feeds: Arc<Feeds>,
    /// The nodes followed.
    pub peers: Arc<dyn PeersView>,
    /// What the pages say about this node.
    pub site: Arc<Site>,
    /// The preferred public address, for the commands that pages show; relative ones otherwise.
    pub base_url: Option<String>,
    /// Keys, dates and health; none in a program that has no such things.
    pub upkeep: Option<Arc<dyn Upkeep>>,
    /// The figures of this node, if the program gathers any.
    pub meters: Option<Arc<dyn Meters>>,
    /// Copies of feeds, if the program keeps any.
    pub copies: Option<Arc<dyn Copies>>,
    /// The search index; none while it is being made, or in a program that has none.
    pub search: Option<Arc<dyn Search>>,
    /// The nodes that relay this one: their addresses stand in its node record and are not its own.
    pub relays: Vec<NodeName>,
    /// What is counted of requests.
    pub traffic: Arc<Traffic>,
    /// Where this node is reached, as far as its configuration says.
    pub(crate) base_urls: Arc<Vec<String>>,
    /// The nonces of signed requests.
    pub(crate) nonces: Arc<Nonces>,
    /// Places for readers who wait for news.
    pub(crate) waiting: Arc<Waiting>,
    /// What answers and unsigned requests hold.
    pub(crate) memory: Arc<Memory>,
    /// What nodes push.
    pub(crate) pushes: Arc<crate::bundles::Pushes>,
    /// When each record changed here, for harvesters.
    pub(crate) oai: Arc<crate::oai::Ledger>,
    /// Who asks.
    pub(crate) audience: Audience,
}

/// What the pages say about the node.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The title by language; empty: the names in the node record.
    pub name: BTreeMap<String, String>,
    /// Where readers may write: an office, not a person.
    pub contact: Option<String>,
    /// The languages offered, the preferred one first; empty: all.
    pub languages: Vec<String>,
    /// What fills the gaps of a draft, from the configuration.
    pub defaults: Defaults,
    /// Every page says that its data are samples and that no State speaks here.
    pub sample: bool,
}

/// For whom a router answers, and who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Everyone,
    /// Whoever may open the control socket.
    Operator,
    /// Whoever reaches `operator.listen`: figures and health alone, and no restricted feed's name.
    Monitor,
}

/// What the program does with other nodes; implemented by it over the outward crate.
#[async_trait]
pub trait PeersView: Send + Sync {
    /// The nodes followed, by name.
    fn status(&self) -> Vec<api::Peer>;
    /// Looks at a node, and pins it when the request says so.
    async fn follow(&self, request: api::FollowRequest) -> Result<api::FollowAnswer, PeersError>;
    /// Follows it no longer; with `forget`, deletes its copies.
    async fn unfollow(&self, request: api::UnfollowRequest) -> Result<(), PeersError>;
    /// One round now; answers when it has ended.
    async fn sync(&self, node: &NodeName) -> Result<api::Peer, PeersError>;
    /// Every step of reaching a node.
    async fn probe(&self, request: api::ProbeRequest) -> Result<api::ProbeAnswer, PeersError>;
}

/// Why the program did not do what was asked with another node.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// Not one of the nodes followed.
    #[error("`{node}` is not followed; `jopoi peers` lists those that are")]
    NotFollowed {
        /// Which.
        node: NodeName,
    },
    /// The request makes no sense, such as a URL that is none.
    #[error("{reason}")]
    Refused {
        /// In words, with what to do.
        reason: String,
    },
    /// It is not what it should be: another root, a name bound already.
    #[error("{reason}")]
    Conflict {
        /// In words, with what to do.
        reason: String,
    },
    /// The other node did not answer as it should.
    #[error("{reason}")]
    Unreachable {
        /// In words, with what to do.
        reason: String,
    },
    /// Something failed here.
    #[error("{reason}")]
    Internal {
        /// In words.
        reason: String,
    },
}

impl App {
    /// One node, for [`routes::public`](crate::routes::public),
    /// [`routes::operator`](crate::routes::operator) and [`routes::monitor`](crate::routes::monitor).
    pub fn new(
        feeds: Arc<Feeds>,
        peers: Arc<dyn PeersView>,
        site: Site,
        base_url: Option<String>,
    ) -> Self {
        Self {
            feeds,
            peers,
            site: Arc::new(site),
            base_urls: Arc::new(base_url.iter().cloned().collect()),
            nonces: Arc::default(),
            pushes: Arc::default(),
            traffic: Arc::default(),
            oai: Arc::default(),
            base_url,
            upkeep: None,
            meters: None,
            copies: None,
            relays: Vec::new(),
            search: None,
            waiting: Arc::default(),
            memory: Arc::default(),
            audience: Audience::Everyone,
        }
    }

    /// What may take more than a few milliseconds, away from the runtime's threads: other requests wait for
    /// those.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Answer> {
        let app = self.clone();
        Ok(spawn_blocking(move || work(&app)).await?)
    }

    /// A page of a feed; many entries may be looked at for it.
    pub(crate) async fn records(&self, origin: &Origin, page: Page) -> Result<RecordsPage, Answer> {
        let origin = origin.clone();
        Ok(self.aside(move |app| app.feeds.records(&origin, &page)).await??)
    }

    /// Readers that wait for news now.
    pub fn waiting_readers(&self) -> usize {
        self.waiting.count()
    }

    /// Adds further addresses of this node: a request is signed for one of them, or for one in its node
    /// record.
    #[must_use]
    pub fn with_base_urls(mut self, base_urls: &[String]) -> Self {
        let known = self
            .base_urls
            .iter()
            .chain(base_urls.iter().filter(|url| !self.base_urls.contains(url)));
        self.base_urls = Arc::new(known.cloned().collect());
        self
    }
}

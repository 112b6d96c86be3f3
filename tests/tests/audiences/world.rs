//! An owner with a feed for each kind of audience, a mirror that may read them all, and the others.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use feed::feeds::{Published, Withdrawal};
use network::audience::Audience;
use tests::federation::{Federation, Node};
use tests::member::{Member, practice};
use tlog::name::{FeedName, NodeName, Origin};

pub(crate) const OWNER: &str = "owner.example";
pub(crate) const MIRROR: &str = "mirror.example";
pub(crate) const LISTED: &str = "listed.example";
pub(crate) const KNOWN: &str = "known.example";
pub(crate) const STRANGER: &str = "stranger.example";

/// Who may read a feed of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The mirror and one more node.
    Nodes,
    /// Nobody but its owner: its entry 1 is no record of an audience.
    Broken,
    /// The participants of a network that nobody here knows.
    Unknown,
}

/// A restricted feed with a record that stands and one that was erased.
#[derive(Clone, Debug)]
pub(crate) struct Restricted {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) record: Published,
    pub(crate) erased: Published,
    pub(crate) size: u64,
}

pub(crate) struct World {
    pub(crate) federation: Federation,
    pub(crate) feeds: Vec<Restricted>,
}

impl World {
    /// Everybody knows everybody but the stranger, and the mirror has what it may read.
    pub(crate) async fn new() -> Result<Self> {
        let federation = Federation::of([OWNER, MIRROR, LISTED, KNOWN, STRANGER]).await?;
        let feeds = {
            let (owner, mirror) = (federation.node(OWNER)?, federation.node(MIRROR)?);
            let mut feeds = Vec::new();
            for kind in [Kind::Nodes, Kind::Broken, Kind::Unknown] {
                feeds.push(restricted(owner, kind).await?);
            }
            for host in [owner, mirror] {
                for name in [OWNER, MIRROR, LISTED, KNOWN] {
                    let other = federation.node(name)?;
                    if other.member().name() != host.member().name() {
                        host.follow(other).await?;
                        host.until(&other.member().origin(), 1).await?;
                    }
                }
            }
            for feed in feeds.iter().filter(|feed| feed.kind == Kind::Nodes) {
                mirror.until(&feed.origin, feed.size).await?;
            }
            feeds
        };
        Ok(Self { federation, feeds })
    }

    pub(crate) fn node(&self, name: &str) -> Result<&Node> {
        self.federation.node(name)
    }
}

/// The title of the record that stands in a feed of this kind.
pub(crate) fn title(kind: Kind) -> String {
    format!("Reserved words for {kind:?}")
}

pub(crate) async fn restricted(owner: &Node, kind: Kind) -> Result<Restricted> {
    let name = |name: &str| NodeName::parse(name);
    let feeds = owner.feeds();
    let origin = match kind {
        Kind::Nodes => {
            let nodes = vec![name(MIRROR)?, name(LISTED)?];
            feeds.begin_restricted(&Audience::Nodes(nodes)).await?
        }
        Kind::Unknown => {
            let network = Origin::parse("nowhere.example/public")?;
            feeds.begin_restricted(&Audience::Participants(network)).await?
        }
        Kind::Broken => {
            let feed = FeedName::parse("r-brokenbrokenbrokenbroken22")?;
            let record = feeds.node_record(feeds.node()).context("no node record")?;
            feeds.begin(&feed, Bytes::clone(&record)).await?.origin
        }
    };
    let erased = publish(owner, &origin, &format!("{} erased", title(kind))).await?;
    let record = publish(owner, &origin, &title(kind)).await?;
    let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
    feeds.withdraw(origin.feed(), &erased.id, &withdrawal).await?;
    let size = feeds.view(&origin).context("it has not begun")?.size();
    Ok(Restricted { kind, origin, record, erased, size })
}

pub(crate) async fn publish(owner: &Node, origin: &Origin, title: &str) -> Result<Published> {
    let published = owner.feeds().publish(origin.feed(), vec![practice(None, title)]).await?;
    published.into_iter().next().context("nothing was published")
}

/// The keys of a node, whether it runs or not.
pub(crate) fn member(name: &str) -> Result<Member> {
    Member::of(name)
}

//! An owner with a feed for each kind of audience, a mirror that may read them all, and the others.

use ::network::audience::Audience;
use ::network::file::NetworkFile;
use ::network::subject::Status;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use feed::feeds::{Published, Withdrawal};
use practice::id::RecordId;
use tests::federation::{Federation, Node};
use tests::member::{Member, practice};
use tlog::name::{FeedName, NodeName, Origin};

use super::network::{begin, group, meet, state};

pub(crate) const OWNER: &str = "owner.example";
pub(crate) const MIRROR: &str = "mirror.example";
pub(crate) const LISTED: &str = "listed.example";
pub(crate) const KNOWN: &str = "known.example";
pub(crate) const SIBLING: &str = "sibling.example";
pub(crate) const PAUSED: &str = "paused.example";
pub(crate) const FORMER: &str = "former.example";
pub(crate) const NETWORK: &str = "network.example";
pub(crate) const STRANGER: &str = "stranger.example";

/// Who may read a feed of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The mirror and one more node.
    Nodes,
    /// The participants of the network.
    Participants,
    /// The group of the mirror and one more participant.
    Group,
    /// Nobody but its owner: its entry 1 is no record of an audience.
    Broken,
    /// The participants of a network that nobody here knows.
    Unknown,
}

/// All of them.
pub(crate) const ALL: [Kind; 5] =
    [Kind::Nodes, Kind::Participants, Kind::Group, Kind::Broken, Kind::Unknown];

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
        let names = [OWNER, MIRROR, LISTED, KNOWN, SIBLING, PAUSED, FORMER, NETWORK, STRANGER];
        let federation = Federation::of(names).await?;
        let feeds = {
            let node = |name: &str| federation.node(name);
            let (file, group) = decided(&federation).await?;
            let (owner, mirror) = (node(OWNER)?, node(MIRROR)?);
            let mut feeds = Vec::new();
            for kind in ALL {
                feeds.push(restricted(owner, kind, group).await?);
            }
            for host in [owner, mirror] {
                for name in [OWNER, MIRROR, LISTED, KNOWN, SIBLING, PAUSED, FORMER] {
                    if name != host.member().name().as_str() {
                        host.follow(node(name)?).await?;
                        host.until(&node(name)?.member().origin(), 1).await?;
                    }
                }
                meet(host, node(NETWORK)?, &file).await?;
            }
            let open = [Kind::Nodes, Kind::Participants, Kind::Group];
            mirror.sync_now(owner).await.context("not followed")?;
            for feed in feeds.iter().filter(|feed| open.contains(&feed.kind)) {
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

/// The network with two groups: of the mirror and the listed node, and of their sibling.
async fn decided(federation: &Federation) -> Result<(NetworkFile, RecordId)> {
    let node = |name: &str| federation.node(name);
    let file = begin(node(NETWORK)?).await?;
    for name in [OWNER, MIRROR, LISTED, SIBLING, PAUSED, FORMER] {
        let id = state(node(NETWORK)?, node(name)?, Status::Participating, None).await?;
        let later = match name {
            PAUSED => Status::Paused,
            FORMER => Status::Ended,
            _ => continue,
        };
        state(node(NETWORK)?, node(name)?, later, Some(id)).await?;
    }
    group(node(NETWORK)?, &[node(SIBLING)?, node(PAUSED)?]).await?;
    let members = [node(MIRROR)?, node(LISTED)?, node(FORMER)?];
    Ok((file, group(node(NETWORK)?, &members).await?))
}

/// The title of the record that stands in a feed of this kind.
pub(crate) fn title(kind: Kind) -> String {
    format!("Reserved words for {kind:?}")
}

pub(crate) async fn restricted(owner: &Node, kind: Kind, group: RecordId) -> Result<Restricted> {
    let name = |name: &str| NodeName::parse(name);
    let feeds = owner.feeds();
    let origin = match kind {
        Kind::Nodes => {
            let nodes = vec![name(MIRROR)?, name(LISTED)?];
            feeds.begin_restricted(&Audience::Nodes(nodes)).await?
        }
        Kind::Participants => {
            feeds.begin_restricted(&Audience::Participants(network_origin()?)).await?
        }
        Kind::Group => {
            let audience = Audience::Group { feed: network_origin()?, id: group };
            feeds.begin_restricted(&audience).await?
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

fn network_origin() -> Result<Origin> {
    Ok(member(NETWORK)?.origin())
}
